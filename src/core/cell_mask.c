/* cell_mask.c -- steps that do not count for some sequences (see cell_run.h). */
#include <string.h>

#include "cell_run.h"

static bool is_masked(const un_run *run, int64_t t, int64_t b) {
  int64_t i = t * run->B + b;
  return run->dtype == UN_F32 ? ((const float *)run->mask)[i] == 0
                              : ((const double *)run->mask)[i] == 0;
}

/* Copies row b of `from` to `to`, both (B,width). */
static void copy_row(const un_run *run, void *to, const void *from, int64_t b,
                     int64_t width) {
  size_t bytes = un_run_bytes(run, width);
  memcpy((char *)to + (size_t)b * bytes, (const char *)from + (size_t)b * bytes, bytes);
}

static void clear_row(const un_run *run, void *rows, int64_t b, int64_t width) {
  size_t bytes = un_run_bytes(run, width);
  memset((char *)rows + (size_t)b * bytes, 0, bytes);
}

static void *kept_gradient(const un_run *run, int s) {
  return (char *)run->work + run->layout.kept + un_run_bytes(run, s * run->B * run->H);
}

void un_mask_settle(const un_run *run, int64_t t, un_share share) {
  for (int s = 0; s < run->cell->states; s++)
    for (int64_t b = share.first; b < share.first + share.count; b++)
      if (is_masked(run, t, b))
        copy_row(run, un_run_after(run, s, t), un_run_before(run, s, t), b, run->H);
}

void un_mask_keep(const un_run *run, int64_t t, un_share share) {
  for (int s = 0; s < run->cell->states; s++)
    for (int64_t b = share.first; b < share.first + share.count; b++)
      if (is_masked(run, t, b)) {
        copy_row(run, kept_gradient(run, s), run->dstate[s], b, run->H);
        clear_row(run, run->dstate[s], b, run->H);
      }
}

void un_mask_restore(const un_run *run, int64_t t, un_share share) {
  for (int s = 0; s < run->cell->states; s++)
    for (int64_t b = share.first; b < share.first + share.count; b++)
      if (is_masked(run, t, b))
        copy_row(run, run->dstate[s], kept_gradient(run, s), b, run->H);
}

void un_mask_clear(const un_run *run, void *dgates, int64_t width, int64_t t,
                   un_share share) {
  for (int64_t b = 0; b < share.count; b++)
    if (is_masked(run, t, share.first + b)) clear_row(run, dgates, b, width);
}
