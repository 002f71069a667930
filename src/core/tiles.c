/* tiles.c -- walks with inputs that lie across the output (see tiles.h). */
#include "tiles.h"

#include <string.h>

#include "isa.h"
#include "isa/convert.h"
#include "stop.h"

UN_BY_ISA(un_convert_kernels, un_convert)

enum { TILE_BYTES = 256, MAX_SIDE = 64, SMALLEST = 8 };

typedef struct tiling {
  un_walk across;        /* everything but the two dimensions of the tiles */
  int64_t rows, columns; /* sizes of these two; the columns are the walk's runs */
  const int64_t *row;    /* strides of the operands along them */
  const int64_t *column;
  int64_t side;
  bool crossed[UN_WALK_MAX]; /* operand k runs along the rows */
  un_run *run;
  void *context;
} tiling;

typedef union tile {
  char bytes[MAX_SIDE * TILE_BYTES];
  double aligned;
} tile;

static int log2_of(int64_t bytes) {
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
}

/* The dimension along which some input runs while the output runs along the last one;
** -1 when there is none. */
static int crossed_dim(const un_walk *w) {
  int last = w->dims - 1;
  if (w->size[last] < SMALLEST) return -1;
  for (int k = 1; k < w->operands; k++)
    for (int d = 0; d < last && w->stride[last][k] > 1; d++)
      if (w->stride[d][k] == 1 && w->size[d] >= SMALLEST) return d;
  return -1;
}

static void run_tile(const tiling *t, void *const *data, int64_t rows,
                     int64_t columns) {
  tile packed[UN_WALK_MAX - 1];
  void *at[UN_WALK_MAX];
  int64_t row[UN_WALK_MAX], column[UN_WALK_MAX];
  const un_walk *w = &t->across;
  for (int k = 0; k < w->operands; k++) {
    at[k] = data[k];
    row[k] = t->row[k] * w->bytes[k];
    column[k] = t->column[k];
    if (!t->crossed[k]) continue;
    un_convert()->transpose[log2_of(w->bytes[k])](rows, columns, packed[k - 1].bytes,
                                                  t->side, data[k], t->column[k]);
    at[k] = packed[k - 1].bytes;
    row[k] = t->side * w->bytes[k];
    column[k] = 1;
  }
  for (int64_t i = 0; i < rows; i++) {
    t->run(columns, at, column, t->context);
    for (int k = 0; k < w->operands; k++)
      at[k] = (char *)at[k] + row[k];
  }
}

/* All tiles of one place of the other dimensions. */
static void run_tiles(const tiling *t, void *const *data) {
  const un_walk *w = &t->across;
  for (int64_t i = 0; i < t->rows && !un_stopped(); i += t->side)
    for (int64_t j = 0; j < t->columns; j += t->side) {
      void *at[UN_WALK_MAX];
      for (int k = 0; k < w->operands; k++)
        at[k] = (char *)data[k] + (i * t->row[k] + j * t->column[k]) * w->bytes[k];
      run_tile(t, at, t->rows - i < t->side ? t->rows - i : t->side,
               t->columns - j < t->side ? t->columns - j : t->side);
    }
}

static void run_places(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  const tiling *t = context;
  void *at[UN_WALK_MAX];
  memcpy(at, data, sizeof *at * (size_t)t->across.operands);
  for (int64_t i = 0; i < n && !un_stopped(); i++) {
    run_tiles(t, at);
    for (int k = 0; k < t->across.operands; k++)
      at[k] = (char *)at[k] + stride[k] * t->across.bytes[k];
  }
}

/* The walk without dimension d and the last one; with one of size 1 if none is left. */
static un_walk without_tiles(const un_walk *w, int d) {
  un_walk rest = *w;
  rest.dims = 0;
  for (int from = 0; from < w->dims - 1; from++) {
    if (from == d) continue;
    rest.size[rest.dims] = w->size[from];
    memcpy(rest.stride[rest.dims++], w->stride[from], sizeof w->stride[from]);
  }
  if (rest.dims == 0) rest.size[rest.dims++] = 1;
  return rest;
}

void un_walk_tiles(const un_walk *w, un_run *run, void *context) {
  int d = crossed_dim(w), last = w->dims - 1;
  if (d < 0) {
    un_walk_each(w, run, context);
    return;
  }
  tiling t = {.across = without_tiles(w, d),
              .rows = w->size[d],
              .columns = w->size[last],
              .row = w->stride[d],
              .column = w->stride[last],
              .run = run,
              .context = context};
  int64_t widest = 1;
  for (int k = 1; k < w->operands; k++) {
    t.crossed[k] = w->stride[last][k] > 1 && w->stride[d][k] == 1;
    if (t.crossed[k] && w->bytes[k] > widest) widest = w->bytes[k];
  }
  t.side = widest < 4 ? MAX_SIDE : TILE_BYTES / widest;
  un_walk_each(&t.across, run_places, &t);
}
