/* test_lstm.c -- one step of the built-in LSTM: its gates keep within the error that
** isa/vec_math.h states, also where they are almost shut, and the way back, which divides
** by the output gate, does so where that is 0. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "cell.h"
#include "check.h"
#include "isa.h"

enum { H = 37, MOST_STEPS = 4000 };

typedef struct unit_run {
  float gates[4 * H], h[H], c[H], h1[H], c1[H], dgates[4 * H], dh[H], dc[H];
} unit_run;

static un_step step_of(unit_run *u) {
  return (un_step){
      .B = 1, .H = H, .gates = u->gates, .state = {u->h, u->c}, .next = {u->h1, u->c1}};
}

/* Pre-activations x in all gates, c = 0.5. */
static void run_step(unit_run *u, const float *x) {
  const un_cell *cell = un_cell_find("lstm");
  for (int g = 0; g < 4; g++)
    memcpy(u->gates + g * H, x, sizeof u->h);
  for (int j = 0; j < H; j++)
    u->c[j] = 0.5f;
  un_step s = step_of(u);
  cell->step[UN_F32](&s);
}

/* |y - exact| in units of the last place of exact, of denormals for what is below. */
static double ulps(float y, double exact) {
  int exponent;
  frexp(exact, &exponent);
  return fabs((double)y - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static void test_errors(void) {
  unit_run u;
  double worst = 0, tanh_worst = 0;
  for (int i = 0; i < MOST_STEPS; i++) {
    float x[H];
    for (int j = 0; j < H; j++)
      x[j] = -89.0f + 107.0f * (float)(i * H + j) / (MOST_STEPS * H);
    run_step(&u, x);
    for (int j = 0; j < H; j++) {
      const double exact = 1 / (1 + exp(-(double)x[j]));
      worst = fmax(worst, ulps(u.gates[j], exact));
      worst = fmax(worst, ulps(u.gates[3 * H + j], exact));
      tanh_worst = fmax(tanh_worst, ulps(u.gates[2 * H + j], tanh((double)x[j])));
    }
  }
  CHECK(worst <= 3.2);
  CHECK(tanh_worst <= 2.6);
}

static void test_ends(void) {
  const float end[] = {INFINITY, FLT_MAX, 90, -90, -FLT_MAX, -INFINITY, 0, -0.0f, NAN};
  const float gate[] = {1, 1, 1, 0, 0, 0, 0.5f, 0.5f, NAN};
  float x[H] = {0};
  unit_run u;
  memcpy(x, end, sizeof end);
  run_step(&u, x);
  for (int j = 0; j < 8; j++)
    CHECK(fabsf(u.gates[j] - gate[j]) <= 0x1p-127f);
  CHECK(isnan(u.gates[8]) && isnan(u.c1[8]) && isnan(u.h1[8]));
  CHECK(!isnan(u.c1[9]));
}

/* Of units with a shut output gate only c gets a gradient. */
static void test_shut_output(void) {
  const un_cell *cell = un_cell_find("lstm");
  float x[H] = {0};
  unit_run u;
  run_step(&u, x);
  for (int j = 0; j < H; j++) {
    u.gates[3 * H + j] = j % 2 ? 0 : 0x1p-149f;
    u.h1[j] = 0;
    u.dh[j] = 1;
    u.dc[j] = 2;
  }
  un_step_grad g = {.at = step_of(&u), .dgates = u.dgates, .dstate = {u.dh, u.dc}};
  cell->step_grad[UN_F32](&g);
  for (int j = 0; j < H; j++) {
    CHECK(u.dgates[3 * H + j] == 0);
    CHECK(u.dgates[H + j] == 2 * 0.5f * 0.25f);
    CHECK(u.dc[j] == 2 * 0.5f);
  }
}

int main(void) {
  static const char *const names[] = {"generic", "avx2", "avx512"};
  for (int i = 0; i < 3; i++)
    if (un_isa_select(names[i])) {
      test_errors();
      test_ends();
      test_shut_output();
    }
  return check_summary();
}
