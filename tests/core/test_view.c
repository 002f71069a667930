/* test_view.c -- views: sizes that overflow, strides, overlap. */
#include "check.h"
#include "un.h"

#include <stdint.h>
#include <string.h>

static bool make(un_view *v, int dims, const int64_t *size, un_err *err) {
  return un_make_view(v, "zeros", UN_F64, dims, size, err);
}

static void test_make(void) {
  un_view v;
  un_err err;
  CHECK(make(&v, 3, (int64_t[]){2, 3, 4}, &err));
  CHECK(v.stride[0] == 12 && v.stride[1] == 4 && v.stride[2] == 1);
  CHECK(un_numel(&v) == 24 && un_is_contiguous(&v));
  CHECK(make(&v, 0, NULL, &err) && un_numel(&v) == 1);
  CHECK(make(&v, 2, (int64_t[]){0, 5}, &err) && un_numel(&v) == 0);
}

static void test_sizes_that_cannot_be(void) {
  un_view v;
  un_err err;
  CHECK(!make(&v, 2, (int64_t[]){2, -1}, &err) && strstr(err.msg, "zeros"));
  CHECK(!make(&v, 2, (int64_t[]){INT64_MAX, 2}, &err));
  CHECK(!make(&v, 1, (int64_t[]){INT64_MAX / 4}, &err)); /* fits, but not in bytes */
  CHECK(!make(&v, 3, (int64_t[]){INT64_C(1) << 32, INT64_C(1) << 32, 1}, &err));
  CHECK(!make(&v, UN_MAX_DIMS + 1, (int64_t[]){1, 1, 1, 1, 1, 1, 1}, &err));
}

static void test_overlap(void) {
  double numbers[24];
  un_err err;
  un_view a, b, expanded;
  CHECK(make(&a, 1, (int64_t[]){12}, &err));
  a.data = numbers;
  b = a;
  b.data = numbers + 12;
  CHECK(!un_overlap(&a, &b));
  b.data = numbers + 11;
  CHECK(un_overlap(&a, &b));
  expanded = a;
  expanded.stride[0] = 0;
  CHECK(un_overlaps_itself(&expanded) && !un_overlaps_itself(&a));
  CHECK(!un_is_contiguous(&expanded));
}

static void test_names(void) {
  un_view v;
  un_err err;
  CHECK(make(&v, 2, (int64_t[]){3, 4}, &err));
  CHECK(strcmp(un_shape(&v).s, "(3,4)") == 0);
  CHECK(strcmp(un_dtype_name(UN_I32), "int32") == 0 && un_dtype_bytes(UN_U16) == 2);
}

int main(void) {
  test_make();
  test_sizes_that_cannot_be();
  test_overlap();
  test_names();
  return check_summary();
}
