/* test_walk.c -- the n-d walk: every index once, in order, in as few runs as possible.
 */
#include <string.h>

#include "check.h"
#include "un.h"
#include "walk.h"

typedef struct record {
  int runs;
  int64_t elements;
  int order[64]; /* the numbers of operand 0 as they came */
} record;

static void record_run(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  record *r = context;
  const int32_t *x = data[0];
  for (int64_t i = 0; i < n; i++)
    r->order[r->elements++] = x[i * stride[0]];
  r->runs++;
}

static int32_t numbers[64];

static un_view make(int dims, const int64_t *size) {
  un_view v = {.dtype = UN_I32, .dims = dims, .data = numbers};
  for (int d = 0; d < dims; d++)
    v.size[d] = size[d];
  un_set_contiguous(&v);
  return v;
}

static record walk(un_walk_order order, int operands, const un_view *const *v) {
  record r = {0};
  un_walk w;
  un_walk_plan(&w, order, operands, v);
  un_walk_each(&w, record_run, &r);
  return r;
}

static un_view transposed(un_view v, int a, int b) {
  un_view t = v;
  t.size[a] = v.size[b];
  t.stride[a] = v.stride[b];
  t.size[b] = v.size[a];
  t.stride[b] = v.stride[a];
  return t;
}

static void test_contiguous_is_one_run(void) {
  un_view v = make(4, (int64_t[]){2, 1, 3, 4});
  record r = walk(UN_WALK_ROW_MAJOR, 1, (const un_view *[]){&v});
  CHECK(r.runs == 1 && r.elements == 24 && r.order[23] == 23);
  r = walk(UN_WALK_ANY_ORDER, 2, (const un_view *[]){&v, &v});
  CHECK(r.runs == 1 && r.elements == 24);
}

static void test_orders(void) {
  un_view v = make(2, (int64_t[]){3, 4}), t = transposed(v, 0, 1);
  record r = walk(UN_WALK_ROW_MAJOR, 1, (const un_view *[]){&t});
  CHECK(r.elements == 12 && r.order[0] == 0 && r.order[1] == 4 && r.order[3] == 1);
  r = walk(UN_WALK_ANY_ORDER, 1, (const un_view *[]){&t});
  CHECK(r.runs == 1 && r.order[1] == 1 && r.order[11] == 11);
}

static void test_a_run_ends_where_one_operand_breaks(void) {
  un_view v = make(3, (int64_t[]){2, 3, 4}), row = make(3, (int64_t[]){2, 3, 4});
  row.stride[0] = row.stride[1] = 0; /* repeated along the first two */
  record r = walk(UN_WALK_ANY_ORDER, 2, (const un_view *[]){&v, &row});
  CHECK(r.runs == 6 && r.elements == 24 && r.order[23] == 23);
  r = walk(UN_WALK_ANY_ORDER, 2, (const un_view *[]){&v, &v});
  CHECK(r.runs == 1);
}

static void test_edges(void) {
  un_view scalar = make(0, NULL), empty = make(2, (int64_t[]){3, 0});
  record r = walk(UN_WALK_ROW_MAJOR, 1, (const un_view *[]){&scalar});
  CHECK(r.runs == 1 && r.elements == 1);
  r = walk(UN_WALK_ANY_ORDER, 2, (const un_view *[]){&empty, &empty});
  CHECK(r.runs == 0 && r.elements == 0);
}

static void test_six_dimensions_in_every_place(void) {
  un_view v = make(6, (int64_t[]){2, 2, 2, 2, 2, 2});
  v = transposed(transposed(v, 0, 5), 2, 3);
  record r = walk(UN_WALK_ROW_MAJOR, 1, (const un_view *[]){&v});
  bool seen[64] = {false};
  int distinct = 0;
  for (int i = 0; i < 64; i++) {
    distinct += !seen[r.order[i]];
    seen[r.order[i]] = true;
  }
  CHECK(r.elements == 64 && distinct == 64);
  CHECK(r.order[1] == 32 && r.order[32] == 1 && r.order[8] == 4);
}

static void double_run(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  int32_t *y = data[0];
  const int32_t *x = data[1];
  ++*(int *)context;
  for (int64_t i = 0; i < n; i++)
    y[i * stride[0]] = 2 * x[i * stride[1]];
}

static void test_few(void) {
  int32_t doubled[64] = {0};
  int runs = 0;
  un_view x = make(2, (int64_t[]){8, 8}), y = x, sevenths = make(1, (int64_t[]){9});
  x = transposed(x, 0, 1);
  y.data = doubled;
  CHECK(un_walk_few(2, (const un_view *[]){&y, &x}, double_run, &runs) && runs == 1);
  CHECK(doubled[1] == 16 && doubled[8] == 2 && doubled[63] == 126);
  y = transposed(y, 0, 1); /* into gaps */
  CHECK(un_walk_few(2, (const un_view *[]){&y, &x}, double_run, &runs) && runs == 2);
  CHECK(doubled[1] == 2 && doubled[8] == 16 && doubled[63] == 126);
  sevenths.stride[0] = 7;
  y = make(1, (int64_t[]){9});
  y.data = doubled;
  CHECK(un_walk_few(2, (const un_view *[]){&y, &sevenths}, double_run, &runs));
  CHECK(doubled[8] == 112 && doubled[9] == 18);
  x = make(2, (int64_t[]){65, 1});
  CHECK(!un_walk_few(2, (const un_view *[]){&x, &x}, double_run, &runs));
  x = make(2, (int64_t[]){100, 0});
  CHECK(un_walk_few(2, (const un_view *[]){&x, &x}, double_run, &runs) && runs == 3);
}

/* What a run is told of one element must not depend on what lay in memory before. */
static void test_one_element_has_a_stride(void) {
  un_view v = make(2, (int64_t[]){1, 1});
  un_walk w;
  memset(&w, 0x55, sizeof w);
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 2, (const un_view *[]){&v, &v});
  CHECK(w.dims == 1 && w.size[0] == 1 && w.stride[0][0] == 1 && w.stride[0][1] == 1);
}

int main(void) {
  for (int i = 0; i < 64; i++)
    numbers[i] = i;
  test_contiguous_is_one_run();
  test_orders();
  test_a_run_ends_where_one_operand_breaks();
  test_edges();
  test_six_dimensions_in_every_place();
  test_few();
  test_one_element_has_a_stride();
  return check_summary();
}
