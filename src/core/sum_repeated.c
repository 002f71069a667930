/* sum_repeated.c -- results of an element-wise kernel, summed over the dimensions in
** which the output is repeated: the derivative by an operand that was broadcast.
**
** Two nested walks. The outer one goes over the dimensions that the output has, in
** tiles of a run; the inner one, for each tile, over the repeated dimensions, adding
** up in float64. Where the repetitions lie closer together (a number, a column), each
** output has its inner runs summed instead. Nothing is allocated, and each output
** element is written once. */
#include "copy.h"
#include "isa.h"
#include "isa/lines.h"
#include "piece.h"
#include "stop.h"

UN_BY_ISA(un_line_kernels, un_lines)

typedef struct summing {
  const un_mixed *m;
  un_walk repeated;      /* over the repeated dimensions; its data are set by tile */
  const int64_t *stride; /* of the outer run */
  int64_t count;         /* outputs in the tile */
  int type;              /* of the results: index into the tables of kernels */
  double total[UN_PIECE];
} summing;

static void step_from(const un_mixed *m, void *const *data, const int64_t *stride,
                      int64_t i, void **at) {
  for (int k = 0; k < m->operands; k++)
    at[k] = (char *)data[k] + i * stride[k] * (int64_t)un_dtype_bytes(m->held[k]);
}

/* n repetitions of a tile of outputs. */
static void add_tiles(int64_t n, void *const *data, const int64_t *stride,
                      void *context) {
  summing *s = context;
  un_piece result;
  for (int64_t i = 0; i < n && !un_stopped(); i++) {
    void *at[UN_WALK_MAX];
    step_from(s->m, data, stride, i, at);
    un_mixed_piece(s->m, s->count, at, s->stride, &result);
    un_lines()->add_row[s->type](s->count, &result, 1, s->total);
  }
}

/* n repetitions of one output. */
static void add_line(int64_t n, void *const *data, const int64_t *stride,
                     void *context) {
  summing *s = context;
  un_piece result;
  un_tally tally = {.sum = 0};
  for (int64_t first = 0; first < n; first += UN_PIECE) {
    int64_t count = n - first < UN_PIECE ? n - first : UN_PIECE;
    void *at[UN_WALK_MAX];
    step_from(s->m, data, stride, first, at);
    un_mixed_piece(s->m, count, at, stride, &result);
    un_lines()->pass[UN_PASS_SUM][s->type](count, &result, 1, &tally);
  }
  s->total[0] += tally.sum;
}

/* Whether dy lies closer together along the repetitions than along the outputs. */
static bool by_lines(const summing *s, int64_t n, const int64_t *stride) {
  return n == 1 || s->repeated.stride[s->repeated.dims - 1][1] < stride[1];
}

static void sum_tiles(int64_t n, void *const *data, const int64_t *stride,
                      void *context) {
  summing *s = context;
  const bool lines = by_lines(s, n, stride);
  const int64_t tile = lines ? 1 : UN_PIECE;
  for (int64_t first = 0; first < n && !un_stopped(); first += tile) {
    s->count = n - first < tile ? n - first : tile;
    s->stride = stride;
    for (int64_t j = 0; j < s->count; j++)
      s->total[j] = 0;
    step_from(s->m, data, stride, first, s->repeated.data);
    un_walk_each(&s->repeated, lines ? add_line : add_tiles, s);
    char *out = s->repeated.data[0];
    int64_t bytes = (int64_t)un_dtype_bytes(s->m->held[0]);
    for (int64_t j = 0; j < s->count; j++)
      un_put(s->m->held[0], out + j * stride[0] * bytes, s->total[j]);
  }
}

void un_sum_repeated(const un_mixed *m, const un_view *const *view) {
  un_view own[UN_WALK_MAX], repeated[UN_WALK_MAX];
  const un_view *own_view[UN_WALK_MAX], *repeated_view[UN_WALK_MAX];
  un_view out = *view[0];
  if (!un_expand(&out, &out, view[1]->dims, view[1]->size)) return; /* cannot be */
  int missing = view[1]->dims - view[0]->dims;
  for (int k = 0; k < m->operands; k++) {
    own[k] = repeated[k] = k == 0 ? out : *view[k];
    for (int d = 0; d < out.dims; d++) {
      bool is_own = d >= missing && view[0]->size[d - missing] == out.size[d];
      (is_own ? repeated : own)[k].size[d] = 1;
    }
    own_view[k] = &own[k];
    repeated_view[k] = &repeated[k];
  }
  un_walk w;
  summing s = {.m = m, .type = m->wanted[0] == UN_F64};
  un_walk_plan(&s.repeated, UN_WALK_ROW_MAJOR, m->operands, repeated_view);
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, m->operands, own_view);
  un_walk_each(&w, sum_tiles, &s);
}
