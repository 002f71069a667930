/* test_stop.c -- what leaves early when it is to be stopped, and what does not. */
#include "stop.h"

#include <stdint.h>

#include "check.h"
#include "copy.h"
#include "optim.h"

enum { N = 1000 };

static const volatile sig_atomic_t raised = 1;

static float p[N], g[N];

static un_view view_of(float *data, int64_t n, int64_t stride) {
  return (un_view){
      .dtype = UN_F32, .dims = 1, .size = {n}, .stride = {stride}, .data = data};
}

static int64_t count(const float *x, float value) {
  int64_t n = 0;
  for (int i = 0; i < N; i++)
    n += x[i] == value;
  return n;
}

static void test_that_work_leaves_early(void) {
  const un_view all = view_of(p, N, 1);
  un_fill(&all, 1);
  CHECK(count(p, 1) == N);
  un_watch_stop(&raised);
  un_fill(&all, 2);
  CHECK(count(p, 1) == N);
  un_watch_stop(NULL);
  un_fill(&all, 2);
  CHECK(count(p, 2) == N);
}

/* Half a step would spoil the model: it is made whole, with gaps in the tensors, too. */
static void test_that_a_step_is_whole(int64_t stride) {
  const un_view all_p = view_of(p, N, 1), all_g = view_of(g, N, 1);
  const un_view some_p = view_of(p, N / stride, stride),
                some_g = view_of(g, N / stride, stride);
  const un_view *tensor[UN_OPTIM_TENSORS] = {[UN_OPTIM_P] = &some_p,
                                             [UN_OPTIM_G] = &some_g};
  const un_optim_options o = {.lr = 1, .t = 1};
  un_fill(&all_p, 3);
  un_fill(&all_g, 1);
  un_watch_stop(&raised);
  un_optim_update(UN_SGD, tensor, &o);
  un_watch_stop(NULL);
  CHECK(count(p, 2) == N / stride);
}

int main(void) {
  test_that_work_leaves_early();
  test_that_a_step_is_whole(1);
  test_that_a_step_is_whole(2);
  return check_summary();
}
