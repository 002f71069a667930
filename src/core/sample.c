/* sample.c -- reading and drawing tokens (see sample.h). */
#include "sample.h"

#include <string.h>

#include "profile.h"
#include "stop.h"

/* The state after the last token is the one before the next. */
static void move_on(const un_run *run) {
  size_t bytes = (size_t)run->H * un_dtype_bytes(run->dtype);
  for (int i = 0; i < run->cell->states; i++)
    memcpy(un_run_before(run, i, 0), un_run_after(run, i, 0), bytes);
}

static void read_token(un_sampler *s, const int32_t *token) {
  s->run[0].tokens = token;
  for (int l = 0; l < s->layers; l++) {
    move_on(&s->run[l]);
    un_cell_forward(&s->run[l], true);
  }
}

static bool draw_token(un_sampler *s, int32_t *token, un_err *err) {
  int64_t symbol;
  un_readout_forward(s->readout, NULL, false, 0);
  s->pick.u = un_rng_uniform(s->rng);
  UN_PROFILE_BEGIN(UN_PHASE_DRAW);
  bool ok = un_pick_symbol(&s->pick, &symbol, err);
  UN_PROFILE_END(0);
  if (ok) *token = (int32_t)symbol + 1;
  return ok;
}

bool un_sample(un_sampler *s, int32_t *tokens, int64_t known, int64_t wanted,
               un_err *err) {
  for (int64_t i = 0; i + 1 < wanted && !un_stopped(); i++) {
    read_token(s, tokens + i);
    if (i + 1 >= known && !draw_token(s, tokens + i + 1, err)) return false;
  }
  return true;
}
