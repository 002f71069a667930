/* panel.c -- packed products: sizes, choice of kernels, the blocked a^T b. */
#include "panel.h"

#include "isa.h"
#include "parallel.h"
#include "stop.h"

UN_BY_ISA(un_panel_kernels, un_panel)
UN_BY_ISA(un_pack_kernels, un_pack)

/* Rows that the kernel gets at a time: between its panels it asks whether to stop, and
** with more rows a panel would take too long. A multiple of every kernel's tile. */
enum { ROW_BLOCK = 1536 };

/* Rows of b that un_panel_tn packs at a time: a panel of them stays in the L2 cache. */
enum { TN_BLOCK = 256 };

/* Up to this many bytes a row, rows of b that are whole lines of the cache are read where
** they lie. Wider ones are on many pages, and packed unless c has only few rows. */
enum { PLAIN_UP_TO = 1024, FEW = 128, LINE = 64 };

/* Rows of a tile in each kernel; a thread's share of a product is a multiple of it. */
enum { TILE = 6 };

size_t un_panel_bytes(un_dtype dtype, int64_t depth, int64_t columns) {
  return (un_panel()->bytes[dtype](depth, columns) + 63) & ~(size_t)63;
}

void un_panel_pack(un_dtype dtype, void *packed, const void *w, int64_t depth,
                   int64_t columns, int64_t row_stride, int64_t column_stride) {
  un_pack()->panels[dtype](packed, w, depth, columns, row_stride, column_stride);
}

static const char *rows_on(const void *rows, int64_t elements, un_dtype dtype) {
  return rows ? (const char *)rows + elements * (int64_t)un_dtype_bytes(dtype) : NULL;
}

/* The part of a product that makes `rows` rows of y from `first` on: where x lies in
** tiles, a multiple of TILE. */
static un_product part_of(un_dtype dtype, const un_product *p, int64_t first,
                          int64_t rows) {
  un_product part = *p;
  part.rows = rows;
  part.x = rows_on(p->x, first * (p->x_tiles ? p->depth : p->x_row), dtype);
  part.init = rows_on(p->init, first * p->init_row, dtype);
  part.y = (char *)p->y + first * p->y_row * (int64_t)un_dtype_bytes(dtype);
  return part;
}

void un_panel_multiply(un_dtype dtype, const un_product *p) {
  for (int64_t first = 0; first < p->rows; first += ROW_BLOCK) {
    int64_t left = p->rows - first;
    un_product part = part_of(dtype, p, first, left < ROW_BLOCK ? left : ROW_BLOCK);
    un_panel()->multiply[dtype](&part);
  }
}

/* --- a^T b ------------------------------------------------------------------------ */

static bool wants_tiles(un_dtype dtype, int64_t m) {
  return (size_t)m * un_dtype_bytes(dtype) >= un_pack()->tiles_from;
}

static bool is_plain(un_dtype dtype, const void *b, int64_t m, int64_t n) {
  size_t bytes = (size_t)n * un_dtype_bytes(dtype);
  return (bytes <= PLAIN_UP_TO || m <= FEW) && bytes % LINE == 0 &&
         (uintptr_t)b % LINE == 0;
}

static int64_t tn_depth(int64_t k) {
  return k < TN_BLOCK ? k : TN_BLOCK;
}

size_t un_panel_tn_bytes(un_dtype dtype, int64_t m, int64_t n, int64_t k) {
  int64_t rows = (m + TILE - 1) / TILE * TILE;
  size_t tiles = (size_t)(rows * tn_depth(k)) * un_dtype_bytes(dtype);
  return un_panel_bytes(dtype, tn_depth(k), n) + (wants_tiles(dtype, m) ? tiles : 0);
}

/* c += a^T b for a block of rows of a and b; job i makes its share of the rows of c. */
typedef struct tn_block {
  un_dtype dtype;
  const char *a;
  int64_t m;
  char *tiles;
  un_product product;
  int jobs;
} tn_block;

static void tn_rows(const tn_block *b, int64_t first, int64_t rows) {
  un_product part = part_of(b->dtype, &b->product, first, rows);
  if (b->product.x_tiles)
    un_pack()->tiles[b->dtype]((char *)part.x, rows_on(b->a, first, b->dtype),
                               part.depth, rows, b->m);
  un_panel()->multiply[b->dtype](&part);
}

static void tn_job(void *context, int index) {
  const tn_block *b = context;
  int64_t tiles = (b->m + TILE - 1) / TILE;
  int64_t first = tiles * index / b->jobs * TILE;
  int64_t end = tiles * (index + 1) / b->jobs * TILE;
  if (end > b->m) end = b->m;
  for (; first < end; first += ROW_BLOCK)
    tn_rows(b, first, end - first < ROW_BLOCK ? end - first : ROW_BLOCK);
}

void un_panel_tn(un_dtype dtype, void *c, const void *a, const void *b, int64_t m,
                 int64_t n, int64_t k, void *scratch) {
  bool tiles = wants_tiles(dtype, m), plain = is_plain(dtype, b, m, n);
  tn_block block = {.dtype = dtype, .m = m, .jobs = un_parallel_threads()};
  block.tiles = (char *)scratch + un_panel_bytes(dtype, tn_depth(k), n);
  for (int64_t first = 0; first < k && !un_stopped(); first += TN_BLOCK) {
    int64_t depth = tn_depth(k - first);
    const void *rows = rows_on(b, first * n, dtype);
    if (!plain) un_panel_pack(dtype, scratch, rows, depth, n, n, 1);
    block.a = rows_on(a, first * m, dtype);
    block.product = (un_product){.depth = depth,
                                 .columns = n,
                                 .x = tiles ? block.tiles : block.a,
                                 .x_row = 1,
                                 .x_column = m,
                                 .x_tiles = tiles,
                                 .packed = plain ? rows : scratch,
                                 .plain_row = plain ? n : 0,
                                 .init = c,
                                 .init_row = n,
                                 .y = c,
                                 .y_row = n};
    un_parallel(block.jobs, tn_job, &block);
  }
}
