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

/* Rows of b that un_panel_tn packs at a time: a panel of them stays in the L2 cache. And
** rows of a^T, in whose tiles they are read once for each panel: those, too, stay there. */
enum { TN_BLOCK = 256, TN_ROWS = 384 };

enum { LINE = 64 }; /* of the cache */

/* An operand of so many bytes stays in the nearest cache. */
enum { SMALL = 16 << 10 };

/* A product of so many rows is too small for a packed b: the weights of a read-out. */
enum { FEW_ROWS = 96 };

int64_t un_panel_width(un_dtype dtype) {
  return un_panel()->width[dtype];
}

size_t un_panel_bytes(un_dtype dtype, int64_t depth, int64_t columns) {
  return (un_panel()->bytes[dtype](depth, columns) + 63) & ~(size_t)63;
}

static const char *rows_on(const void *rows, int64_t elements, un_dtype dtype) {
  return rows ? (const char *)rows + elements * (int64_t)un_dtype_bytes(dtype) : NULL;
}

/* --- packing ---------------------------------------------------------------------- */

/* Threads share the columns of a matrix out: whole panels. The last one has what is left
** over, too, behind some panels: what is said of the columns of a last panel
** (panel_layout.h) holds. Small matrices are not worth another thread. */
enum { PACK_SHARED = 1 << 12 };

typedef struct pack_job {
  un_dtype dtype;
  void *packed;
  const void *w;
  int64_t depth, columns, row_stride, column_stride;
  int shares;
} pack_job;

static void pack_share(void *context, int index) {
  const pack_job *p = context;
  int64_t width = un_panel_width(p->dtype), panels = p->columns / width;
  int64_t first = panels * index / p->shares * width;
  int64_t end = panels * (index + 1) / p->shares * width;
  bool is_last = index + 1 == p->shares;
  un_pack()->panels[p->dtype]((void *)rows_on(p->packed, first * p->depth, p->dtype),
                              rows_on(p->w, first * p->column_stride, p->dtype),
                              p->depth, (is_last ? p->columns : end) - first,
                              p->row_stride, p->column_stride);
}

void un_panel_pack(un_dtype dtype, void *packed, const void *w, int64_t depth,
                   int64_t columns, int64_t row_stride, int64_t column_stride) {
  pack_job job = {dtype, packed, w, depth, columns, row_stride, column_stride, 1};
  int64_t panels = columns / un_panel_width(dtype);
  int threads = depth * columns < PACK_SHARED ? 1 : un_parallel_threads();
  if (panels > 1) job.shares = panels < threads ? (int)panels : threads;
  un_parallel(job.shares, pack_share, &job);
}

/* --- products --------------------------------------------------------------------- */

/* Rows of a tile; a thread's share of a product is a multiple of it. */
static int64_t tile_rows(void) {
  return un_pack()->tile_rows;
}

/* The part of a product that makes `rows` rows of y from `first` on: where x lies in
** tiles, a multiple of tile_rows. It is the product itself, or is made in *part. */
static const un_product *part_of(un_dtype dtype, const un_product *p, int64_t first,
                                 int64_t rows, un_product *part) {
  if (rows == p->rows) return p;
  *part = *p;
  part->rows = rows;
  part->x = rows_on(p->x, first * (p->x_tiles ? p->depth : p->x_row), dtype);
  if (p->tokens)
    part->tokens = p->tokens + first;
  else
    part->init = rows_on(p->init, first * p->init_row, dtype);
  part->y = (char *)p->y + first * p->y_row * (int64_t)un_dtype_bytes(dtype);
  return part;
}

void un_panel_multiply(un_dtype dtype, const un_product *p) {
  for (int64_t first = 0; first < p->rows; first += ROW_BLOCK) {
    int64_t left = p->rows - first;
    int64_t rows = left < ROW_BLOCK ? left : ROW_BLOCK;
    un_product part;
    un_panel()->multiply[dtype](part_of(dtype, p, first, rows, &part));
  }
}

/* --- a^T b ------------------------------------------------------------------------ */

static bool wants_tiles(un_dtype dtype, int64_t m, int64_t n, int64_t depth) {
  size_t row = (size_t)m * un_dtype_bytes(dtype);
  if ((size_t)n * un_dtype_bytes(dtype) < un_pack()->tiles_columns) return false;
  return row >= un_pack()->tiles_from && row * (size_t)depth > SMALL;
}

bool un_panel_tn_in_place(un_dtype dtype, int64_t n) {
  size_t bytes = (size_t)n * un_dtype_bytes(dtype);
  return bytes >= LINE && bytes % LINE == 0 && bytes <= un_pack()->plain_up_to;
}

/* b (rows,n) is read where it lies: in the nearest cache, or by whole lines that are not far
** apart, or a few times only. Longer rows are on many pages, and share few places in the
** cache. */
static bool is_plain(un_dtype dtype, const un_panel_tn_of *p, const void *b,
                     int64_t rows) {
  size_t bytes = (size_t)p->n * un_dtype_bytes(dtype);
  bool is_whole = (uintptr_t)b % LINE == 0 && un_panel_tn_in_place(dtype, p->n) &&
                  un_panel_tn_in_place(dtype, p->b_row);
  size_t reach = (size_t)(rows * p->b_row) * un_dtype_bytes(dtype);
  bool is_short = p->m <= FEW_ROWS && bytes <= un_pack()->few_plain_up_to;
  return is_whole || (bytes >= LINE && (is_short || reach <= SMALL));
}

static int64_t tn_depth(int64_t k) {
  return k < TN_BLOCK ? k : TN_BLOCK;
}

size_t un_panel_tn_bytes(un_dtype dtype, int64_t m, int64_t n, int64_t k) {
  int64_t rows = (m + tile_rows() - 1) / tile_rows() * tile_rows();
  size_t tiles = (size_t)(rows * tn_depth(k)) * un_dtype_bytes(dtype);
  return un_panel_bytes(dtype, tn_depth(k), n) +
         (wants_tiles(dtype, m, n, tn_depth(k)) ? tiles : 0);
}

/* A part of the rows of a and b; job i makes its share of the rows of c. */
typedef struct tn_block {
  un_dtype dtype;
  const un_panel_tn_of *all;
  const char *a, *b;
  un_stripe k; /* the rows of a; those of b are as many */
  bool add;
  un_product product;
  int jobs;
} tn_block;

/* Has another thread written what lies between the pieces of b? Products that go down the
** rows make the processor fetch the next ones, out of that thread's cache; packing, which
** goes along them, does not. */
static bool has_neighbours(const tn_block *b) {
  return b->k.pieces > 1 && b->all->b_rows.apart > b->k.rows &&
         un_parallel_threads() > 1;
}

/* Columns of a, from the one at a on, to tiles. */
static void pack_tiles(const tn_block *b, const char *a, void *tiles, int64_t columns) {
  int64_t row = b->all->a_row;
  for (int64_t i = 0; i < b->k.pieces; i++)
    un_pack()->tiles[b->dtype](tiles, rows_on(a, i * b->k.apart * row, b->dtype),
                               b->product.depth, i * b->k.rows, b->k.rows, columns,
                               row);
}

static void pack_rows(const tn_block *b, void *packed) {
  int64_t row = b->all->b_row, apart = b->all->b_rows.apart * row;
  for (int64_t i = 0; i < b->k.pieces; i++)
    un_pack()->rows[b->dtype](packed, rows_on(b->b, i * apart, b->dtype),
                              b->product.depth, i * b->k.rows, b->k.rows, b->all->n,
                              row);
}

static void tn_rows(const tn_block *b, int64_t first, int64_t rows) {
  un_product made;
  const un_product *part = part_of(b->dtype, &b->product, first, rows, &made);
  if (b->product.x_tiles)
    pack_tiles(b, rows_on(b->a, first, b->dtype), (void *)part->x, rows);
  un_panel()->multiply[b->dtype](part);
}

static void tn_job(void *context, int index) {
  const tn_block *b = context;
  int64_t m = b->all->m, tile = tile_rows(), tiles = (m + tile - 1) / tile;
  int64_t first = tiles * index / b->jobs * tile;
  int64_t end = tiles * (index + 1) / b->jobs * tile;
  if (end > m) end = m;
  for (; first < end; first += TN_ROWS)
    tn_rows(b, first, end - first < TN_ROWS ? end - first : TN_ROWS);
}

static void make_block(tn_block *b) {
  const un_panel_tn_of *all = b->all;
  int64_t depth = b->k.pieces * b->k.rows;
  bool tiles = wants_tiles(b->dtype, all->a_row, all->n, depth),
       plain = !has_neighbours(b) && is_plain(b->dtype, all, b->b, depth);
  int64_t x_piece = tiles ? b->k.rows * tile_rows() : b->k.apart * all->a_row;
  char *a_tiles =
      (char *)all->scratch + un_panel_bytes(b->dtype, tn_depth(depth), all->n);
  b->product = (un_product){.rows = all->m,
                            .depth = depth,
                            .columns = all->n,
                            .x = tiles ? a_tiles : b->a,
                            .x_row = 1,
                            .x_column = all->a_row,
                            .x_tiles = tiles,
                            .packed = plain ? b->b : all->scratch,
                            .plain_row = plain ? all->b_row : 0,
                            .piece = tiles && !plain ? 0 : b->k.rows,
                            .x_piece = x_piece,
                            .plain_piece = all->b_rows.apart * all->b_row,
                            .init = b->add ? all->c : NULL,
                            .init_row = all->c_row,
                            .y = all->c,
                            .y_row = all->c_row};
  if (!plain) pack_rows(b, all->scratch);
  un_parallel(b->jobs, tn_job, b);
}

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* The size of a part where `all` are cut into as few as can be, of at most `most`. */
static int64_t even_part(int64_t all, int64_t most) {
  if (all <= most) return all;
  int64_t parts = (all + most - 1) / most;
  return (all + parts - 1) / parts;
}

void un_panel_tn(un_dtype dtype, const un_panel_tn_of *p) {
  un_stripe k = p->a_rows;
  int64_t rows = even_part(k.rows, TN_BLOCK);
  int64_t pieces = even_part(k.pieces, TN_BLOCK / rows);
  tn_block block;
  block.dtype = dtype;
  block.all = p;
  block.add = p->add;
  block.jobs = un_parallel_threads();
  for (int64_t i = 0; i < k.pieces; i += pieces) {
    for (int64_t r = 0; r < k.rows && !un_stopped(); r += rows) {
      block.a = rows_on(p->a, (i * k.apart + r) * p->a_row, dtype);
      block.b = rows_on(p->b, (i * p->b_rows.apart + r) * p->b_row, dtype);
      block.k = (un_stripe){smaller(pieces, k.pieces - i), smaller(rows, k.rows - r),
                            k.apart};
      make_block(&block);
      block.add = true;
    }
  }
}
