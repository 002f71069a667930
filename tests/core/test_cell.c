/* test_cell.c -- that the descriptor of a cell (core/cell.h) carries gated cells:
** several gates and states, what a step saves, parts kept apart with a bias of their own,
** and gates that wait for others. Three cells are written here as a file cell_<name>.c would be
** and run through the sweeps of core; their gradients are compared with differences,
** forward and reversed, with and without a mask, on numbers and on tokens. */
#include "cell.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "isa.h"
#include "panel.h"
#include "rows.h"

enum { T = 4, B = 3, I = 2, H = 5, MAX_GATES = 4 };

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

/* --- lstm: i, f, g, o as PyTorch; c' = f c + i g, h' = o tanh(c')
 * --------------------- */

static void lstm_step(const un_step *s) {
  const double *c = s->state[1];
  double *h1 = s->next[0], *c1 = s->next[1], *saved = s->saved;
  for (int64_t b = 0; b < s->B; b++) {
    double *a = (double *)s->gates + b * 4 * s->H;
    for (int64_t j = 0; j < s->H; j++) {
      int64_t k = b * s->H + j;
      double *i = a + j, *f = i + s->H, *g = f + s->H, *o = g + s->H;
      *i = sigmoid(*i), *f = sigmoid(*f), *g = tanh(*g), *o = sigmoid(*o);
      c1[k] = *f * c[k] + *i * *g;
      saved[k] = tanh(c1[k]);
      h1[k] = *o * saved[k];
    }
  }
}

static void lstm_step_grad(const un_step_grad *gr) {
  const un_step *s = &gr->at;
  const double *c = s->state[1], *saved = s->saved;
  double *dh = gr->dstate[0], *dc = gr->dstate[1];
  for (int64_t b = 0; b < s->B; b++) {
    const double *a = (const double *)s->gates + b * 4 * s->H;
    double *da = (double *)gr->dgates + b * 4 * s->H;
    for (int64_t j = 0; j < s->H; j++) {
      int64_t k = b * s->H + j;
      double i = a[j], f = a[j + s->H], g = a[j + 2 * s->H], o = a[j + 3 * s->H];
      double d = dc[k] + dh[k] * o * (1 - saved[k] * saved[k]);
      da[j] = d * g * i * (1 - i);
      da[j + s->H] = d * c[k] * f * (1 - f);
      da[j + 2 * s->H] = d * i * (1 - g * g);
      da[j + 3 * s->H] = dh[k] * saved[k] * o * (1 - o);
      dc[k] = d * f;
    }
  }
}

static const un_cell lstm = {.name = "lstm",
                             .gates = 4,
                             .states = 2,
                             .state_name = {"h", "c"},
                             .saved = 1,
                             .step = {NULL, lstm_step},
                             .step_grad = {NULL, lstm_step_grad}};

/* --- gru, reset after: n = tanh(x_n + r (h_n + b_hn)), h' = (1 - z) n + z h
 * ------------ */

static void gru_step(const un_step *s) {
  const double *h = s->state[0];
  double *h1 = s->next[0];
  for (int64_t b = 0; b < s->B; b++) {
    double *a = (double *)s->gates + b * 3 * s->H;
    for (int64_t j = 0; j < s->H; j++) {
      int64_t k = b * s->H + j, z = j + s->H;
      double *n = (double *)s->gates_x + k;
      a[j] = sigmoid(a[j]), a[z] = sigmoid(a[z]);
      *n = tanh(*n + a[j] * a[z + s->H]);
      h1[k] = *n + a[z] * (h[k] - *n);
    }
  }
}

static void gru_step_grad(const un_step_grad *g) {
  const un_step *s = &g->at;
  const double *h = s->state[0];
  double *dh = g->dstate[0], *dx = g->dgates_x;
  for (int64_t b = 0; b < s->B; b++) {
    const double *a = (const double *)s->gates + b * 3 * s->H;
    double *da = (double *)g->dgates + b * 3 * s->H;
    for (int64_t j = 0; j < s->H; j++) {
      int64_t k = b * s->H + j, z = j + s->H, m = z + s->H;
      double n = ((const double *)s->gates_x)[k];
      dx[k] = dh[k] * (1 - a[z]) * (1 - n * n);
      da[m] = dx[k] * a[j];
      da[j] = dx[k] * a[m] * a[j] * (1 - a[j]);
      da[z] = dh[k] * (h[k] - n) * a[z] * (1 - a[z]);
      dh[k] *= a[z];
    }
  }
}

static const un_cell gru = {.name = "gru",
                            .gates = 3,
                            .states = 1,
                            .state_name = {"h"},
                            .split = 1,
                            .split_bias = "b_hn",
                            .direct_h = true,
                            .step = {NULL, gru_step},
                            .step_grad = {NULL, gru_step_grad}};

/* --- gru, reset before: n = tanh(x_n + W_hn (r h)): a late gate
 * -------------------------- */

static void early_gates(const un_step *s) {
  const double *h = s->state[0];
  double *u = s->saved;
  for (int64_t k = 0; k < s->B * s->H; k++) {
    double *r = (double *)s->gates + k / s->H * 3 * s->H + k % s->H;
    *r = sigmoid(*r), r[s->H] = sigmoid(r[s->H]);
    u[k] = *r * h[k];
  }
}

static void late_step(const un_step *s) {
  const double *h = s->state[0];
  double *h1 = s->next[0];
  for (int64_t k = 0; k < s->B * s->H; k++) {
    double *z = (double *)s->gates + (k / s->H * 3 + 1) * s->H + k % s->H;
    double n = z[s->H] = tanh(z[s->H]);
    h1[k] = n + *z * (h[k] - n);
  }
}

static void late_step_grad(const un_step_grad *g) {
  int64_t width = g->at.H;
  const double *a = g->at.gates;
  double *da = g->dgates, *dh = g->dstate[0];
  for (int64_t k = 0; k < g->at.B * width; k++) {
    int64_t i = (k / width * 3 + 1) * width + k % width;
    double z = a[i], n = a[i + width];
    da[i + width] = dh[k] * (1 - z) * (1 - n * n);
  }
}

static void early_gates_grad(const un_step_grad *g) {
  int64_t width = g->at.H;
  const double *a = g->at.gates, *h = g->at.state[0];
  double *da = g->dgates, *dh = g->dstate[0];
  for (int64_t k = 0; k < g->at.B * width; k++) {
    int64_t i = k / width * 3 * width + k % width;
    double r = a[i], z = a[i + width], n = a[i + 2 * width], du = da[i];
    da[i] = du * h[k] * r * (1 - r);
    da[i + width] = dh[k] * (h[k] - n) * z * (1 - z);
    dh[k] = dh[k] * z + du * r;
  }
}

static const un_cell early = {.name = "gru, reset before",
                              .gates = 3,
                              .states = 1,
                              .state_name = {"h"},
                              .saved = 1,
                              .late = 1,
                              .direct_h = true,
                              .step = {NULL, late_step},
                              .step_grad = {NULL, late_step_grad},
                              .early = {NULL, early_gates},
                              .early_grad = {NULL, early_gates_grad}};

/* --- a run and its loss
 * --------------------------------------------------------------- */

enum { GATES = T * B * MAX_GATES * H, STATES = (T + 1) * B * H };

static struct {
  double w_xh[I * MAX_GATES * H], w_hh[MAX_GATES * H * H], b_h[MAX_GATES * H],
      b_split[H];
  double dw_xh[I * MAX_GATES * H], dw_hh[MAX_GATES * H * H], db_h[MAX_GATES * H],
      db_split[H];
  double x[T * B * I], dx[T * B * I], dy[T * B * H], dy_end[2][B * H], start[2][B * H];
  double state[2][STATES], dstate[2][B * H], mask[T * B], norm[T];
  double gates[GATES], gates_x[GATES], dgates[GATES], dgates_x[GATES], saved[T * B * H];
  int32_t tokens[T * B];
} m;

static double random_number(void) {
  return 2.0 * rand() / RAND_MAX - 1;
}

static void randomise(double *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    x[i] = random_number();
}

#define RANDOMISE(array) randomise((double *)(array), sizeof(array) / sizeof(double))

static void draw_everything(void) {
  RANDOMISE(m.w_xh);
  RANDOMISE(m.w_hh);
  RANDOMISE(m.b_h);
  RANDOMISE(m.b_split);
  RANDOMISE(m.x);
  RANDOMISE(m.dy);
  RANDOMISE(m.dy_end);
  RANDOMISE(m.start);
  for (int i = 0; i < T * B; i++) {
    m.tokens[i] = i % I + 1;
    m.mask[i] = i % 3 != 0;
  }
}

/* The steps of a block of the sweep back, and of its gradients: it makes no difference
** which. */
static int64_t block = T;

static un_run make_run(const un_cell *cell, bool tokens, bool reverse, bool masked) {
  un_run run = {.cell = cell, .dtype = UN_F64, .T = T, .B = B, .I = I, .H = H};
  run.reverse = reverse;
  run.tokens = tokens ? m.tokens : NULL;
  run.x = m.x;
  run.mask = masked ? m.mask : NULL;
  void *values[] = {m.w_xh, m.w_hh, m.b_h, m.b_split};
  void *slopes[] = {m.dw_xh, m.dw_hh, m.db_h, m.db_split};
  for (int i = 0; i < 4; i++)
    run.param[i] = values[i], run.grad[i] = slopes[i];
  for (int s = 0; s < 2; s++)
    run.state[s] = m.state[s], run.dstate[s] = m.dstate[s];
  run.gates = m.gates, run.dgates = m.dgates, run.saved = m.saved;
  run.gates_x = cell->split ? m.gates_x : NULL;
  run.dgates_x = cell->split ? m.dgates_x : NULL;
  run.dy = m.dy, run.dx = tokens ? NULL : m.dx, run.norm = m.norm;
  run.block = block;
  run.packed = aligned_alloc(64, (un_cell_packed_bytes(&run) + 63) & ~(size_t)63);
  run.work = aligned_alloc(64, (un_cell_work_bytes(&run) + 63) & ~(size_t)63);
  return run;
}

/* sum dy y + sum dy_end state_end */
static double loss(const un_run *run) {
  for (int s = 0; s < run->cell->states; s++)
    memcpy(un_run_before(run, s, un_cell_time(run, 0)), m.start[s], sizeof m.start[s]);
  un_cell_forward(run, false);
  double sum = 0;
  for (int64_t t = 0; t < T; t++)
    for (int i = 0; i < B * H; i++)
      sum += m.dy[t * B * H + i] * ((double *)un_run_after(run, 0, t))[i];
  for (int s = 0; s < run->cell->states; s++)
    for (int i = 0; i < B * H; i++)
      sum += m.dy_end[s][i] *
             ((double *)un_run_after(run, s, un_cell_time(run, T - 1)))[i];
  return sum;
}

/* --- gradients against differences
 * ---------------------------------------------------- */

static void check_gradient(const un_run *run, const char *name, double *value,
                           const double *slope, int n) {
  double worst = 0, largest = 0;
  for (int i = 0; i < n; i++) {
    double kept = value[i], step = 1e-6;
    value[i] = kept + step;
    double above = loss(run);
    value[i] = kept - step;
    double below = loss(run);
    value[i] = kept;
    double difference = (above - below) / (2 * step);
    worst = fmax(worst, fabs(difference - slope[i]));
    largest = fmax(largest, fabs(difference));
  }
  if (!(worst <= 1e-7 * largest) || largest == 0)
    printf("%s, %s: off by %g of %g\n", run->cell->name, name, worst, largest);
  CHECK(worst <= 1e-7 * largest && largest > 0);
}

static void check_run(const un_cell *cell, bool tokens, bool reverse, bool masked) {
  un_run run = make_run(cell, tokens, reverse, masked);
  int width = cell->gates * H;
  memset(m.dw_xh, 0, sizeof m.dw_xh);
  memset(m.dw_hh, 0, sizeof m.dw_hh);
  memset(m.db_h, 0, sizeof m.db_h);
  memset(m.db_split, 0, sizeof m.db_split);
  loss(&run);
  memcpy(m.dstate, m.dy_end, sizeof m.dstate);
  un_cell_backward(&run);
  check_gradient(&run, "W_xh", m.w_xh, m.dw_xh, I * width);
  check_gradient(&run, "W_hh", m.w_hh, m.dw_hh, width * H);
  check_gradient(&run, "b_h", m.b_h, m.db_h, width);
  if (cell->split_bias) check_gradient(&run, "b_split", m.b_split, m.db_split, H);
  if (!tokens) check_gradient(&run, "x", m.x, m.dx, T * B * I);
  for (int s = 0; s < cell->states; s++)
    check_gradient(&run, cell->state_name[s], m.start[s], m.dstate[s], B * H);
  free(run.packed);
  free(run.work);
}

/* The activations of step_grad may stand where the gradients go. */
static void check_gradients_in_place(void) {
  un_run run = make_run(&lstm, false, false, false);
  double apart[GATES];
  loss(&run);
  memcpy(m.dstate, m.dy_end, sizeof m.dstate);
  un_cell_backward(&run);
  memcpy(apart, m.dgates, sizeof apart);
  run.dgates = run.gates;
  memcpy(m.dstate, m.dy_end, sizeof m.dstate);
  un_cell_backward(&run);
  CHECK(memcmp(apart, m.gates, sizeof apart) == 0);
  free(run.packed);
  free(run.work);
}

int main(void) {
  CHECK(un_isa_select(getenv("UNROLL_ISA")));
  const un_cell *cells[] = {&lstm, &gru, &early, un_cell_find("tanh")};
  srand(1);
  draw_everything();
  for (block = 1; block <= T; block++)
    for (int c = 0; c < 4; c++)
      for (int variant = 0; variant < 8; variant++)
        check_run(cells[c], variant & 1, variant & 2, variant & 4);
  block = T;
  check_gradients_in_place();
  CHECK(un_cell_find("no such cell") == NULL);
  CHECK(un_cell_at(0) == un_cell_find("tanh"));
  return check_summary();
}
