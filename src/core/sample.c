/* sample.c -- reading and drawing tokens (see sample.h).
**
** The two large products of a token, W_hh h for its successor's step and W_hy h for its
** draw, wait for nothing but h. So they are made one after the other, and the next time
** in the opposite order and against the direction of before: what was read last of the
** weights is still in the nearest cache. The direction is that of a token's place in the
** text, so that a text drawn in pieces is the same, bit for bit. */
#include "sample.h"

#include <string.h>

#include "profile.h"
#include "stop.h"

/* The state after the last token is the one before the next: the two rows of a state
** change places. */
static void move_on(const un_sampler *s) {
  for (int l = 0; l < s->layers; l++) {
    s->run[l].reverse = !s->run[l].reverse;
    if (l > 0) s->run[l].x = un_run_after(&s->run[l - 1], 0, 0);
  }
}

/* The state is in row 1 in the end, as it was in the beginning. */
static void put_back(const un_run *run) {
  size_t bytes = (size_t)run->H * un_dtype_bytes(run->dtype);
  for (int i = 0; i < run->cell->states && !run->reverse; i++)
    memcpy(un_run_row(run, run->state[i], run->H, 1), run->state[i], bytes);
}

/* The products of every second token lie at the same places and go the same way. */
static void plan(un_sampler *s) {
  const un_readout *r = s->readout;
  for (int l = 0; l < s->layers; l++)
    s->run[l].reverse = false;
  for (int i = 0; i < 2; i++) {
    const bool down = (s->start - 1 + i) & 1;
    move_on(s);
    s->ahead[down] = un_cell_plan_ahead(&s->run[0], down);
    s->out[down] = un_dense_row(&r->dense, r->packed,
                                un_run_before(&s->run[s->layers - 1], 0, 0), r->y);
    s->out[down].down = down;
  }
}

static void look_ahead(const un_sampler *s, bool down) {
  un_cell_look_ahead(&s->run[0], &s->ahead[down]);
}

static void read_token(const un_sampler *s, const int32_t *token) {
  un_cell_read_token(&s->run[0], *token);
  for (int l = 1; l < s->layers; l++)
    un_cell_forward(&s->run[l], true);
  move_on(s);
}

/* The token after the state that the layers are in. */
static bool draw_token(un_sampler *s, int32_t *token, bool down, un_err *err) {
  const un_row_product *p = &s->out[down];
  int64_t symbol;
  UN_PROFILE_BEGIN(UN_PHASE_READOUT);
  un_row_repeat(p);
  UN_PROFILE_END(2 * (double)p->columns * (double)p->depth);
  s->pick.u = un_rng_uniform(s->rng);
  UN_PROFILE_BEGIN(UN_PHASE_DRAW);
  bool ok = un_pick_symbol(&s->pick, &symbol, err);
  UN_PROFILE_END(0);
  if (ok) *token = (int32_t)symbol + 1;
  return ok;
}

/* Token i has been read: the next step is begun, unless there is none, and token i + 1 is
** drawn, unless it is known. */
static bool go_on(un_sampler *s, int32_t *tokens, int64_t i, int64_t known,
                  bool is_last, un_err *err) {
  bool down = (s->start + i) & 1, draws = i + 1 >= known;
  if (down && !is_last) look_ahead(s, down);
  bool ok = !draws || draw_token(s, tokens + i + 1, down, err);
  if (!down && !is_last) look_ahead(s, down);
  return ok;
}

bool un_sample(un_sampler *s, int32_t *tokens, int64_t known, int64_t wanted,
               un_err *err) {
  bool ok = true;
  plan(s);
  move_on(s);
  look_ahead(s, (s->start - 1) & 1);
  for (int64_t i = 0; ok && i + 1 < wanted && !un_stopped(); i++) {
    read_token(s, tokens + i);
    ok = go_on(s, tokens, i, known, i + 2 == wanted, err);
  }
  for (int l = 0; l < s->layers; l++)
    put_back(&s->run[l]);
  return ok;
}
