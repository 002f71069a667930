/* test_overlap.c -- random views of one block of memory against a marking of what each
** of them touches. */
#include "check.h"
#include "un.h"

#include <string.h>

#include "random.h"
#include "walk.h"

enum { BLOCK = 200, ROUNDS = 20000 };

static uint8_t block[BLOCK];

static int64_t pick(un_rng *rng, int64_t low, int64_t high) {
  return low + un_rng_integer(rng, high - low + 1);
}

static int64_t reach(const un_view *v) {
  int64_t last = 0;
  for (int d = 0; d < v->dims; d++)
    last += (v->size[d] - 1) * v->stride[d];
  return last;
}

/* A view with up to three dimensions within the block. */
static un_view random_view(un_rng *rng) {
  un_view v = {.dtype = UN_U8};
  do {
    v.dims = (int)pick(rng, 0, 3);
    for (int d = 0; d < v.dims; d++) {
      v.size[d] = pick(rng, 1, 5);
      v.stride[d] = pick(rng, 0, 24);
    }
  } while (reach(&v) >= BLOCK);
  v.data = block + pick(rng, 0, BLOCK - 1 - reach(&v));
  return v;
}

typedef struct tally {
  uint8_t mark;
  bool met; /* an element had the mark already */
} tally;

static void mark_run(int64_t n, void *const *data, const int64_t *stride,
                     void *context) {
  tally *t = context;
  uint8_t *x = data[0];
  for (int64_t i = 0; i < n; i++) {
    t->met = t->met || (x[i * stride[0]] & t->mark) != 0;
    x[i * stride[0]] |= t->mark;
  }
}

static bool touch(const un_view *v, uint8_t mark) {
  tally t = {.mark = mark};
  un_walk w;
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 1, &v);
  un_walk_each(&w, mark_run, &t);
  return t.met;
}

static bool marks_meet(void) {
  for (int i = 0; i < BLOCK; i++)
    if (block[i] == 3) return true;
  return false;
}

int main(void) {
  un_rng rng;
  un_rng_seed(&rng, 1);
  int wrong = 0, apart_within_span = 0, self_missed = 0, true_answers = 0;
  for (int round = 0; round < ROUNDS; round++) {
    memset(block, 0, sizeof block);
    un_view a = random_view(&rng), b = random_view(&rng);
    bool a_twice = touch(&a, 1);
    touch(&b, 2);
    bool share = marks_meet();
    wrong += un_overlap(&a, &b) != share;
    true_answers += share;
    apart_within_span += !share;
    self_missed += a_twice && !un_overlaps_itself(&a);
  }
  CHECK(wrong == 0);
  CHECK(true_answers > ROUNDS / 10 && apart_within_span > ROUNDS / 10);
  CHECK(self_missed == 0);
  return check_summary();
}
