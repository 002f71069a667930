/* test_optim.c -- the approximate roots of the update rules against exact ones, over all
** float32 numbers that differ in kind, with every instruction set of this machine; and the
** norm against one summed in long double. */
#include "optim.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "check.h"
#include "isa.h"

enum { N = 8192 };

static float p[N], g[N], s[N];

static un_view view_of(float *data, int64_t n) {
  return (un_view){
      .dtype = UN_F32, .dims = 1, .size = {n}, .stride = {1}, .data = data};
}

/* One step with lr -1 from p = 0: p = g / (sqrt s + eps), where s is s + g^2 for Adagrad,
** (s + g^2) / 2 for RMSProp. */
static void divide_by_root(un_optim_rule rule, int64_t n, double eps) {
  un_view vp = view_of(p, n), vg = view_of(g, n), vs = view_of(s, n);
  const un_view *tensor[UN_OPTIM_TENSORS] = {
      [UN_OPTIM_P] = &vp, [UN_OPTIM_G] = &vg, [UN_OPTIM_S1] = &vs};
  const un_optim_options o = {.lr = -1, .eps = eps, .alpha = 0.5, .t = 1};
  un_err err;
  memset(p, 0, sizeof p);
  CHECK(un_optim_check(rule, tensor, &err));
  un_optim_update(rule, tensor, &o);
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Quotients of small powers of two by roots of every 2039th positive number, zeros in
** between: exact lanes beside approximate ones. In units of the last place. */
static double worst_root(un_optim_rule rule, double eps) {
  double worst = 0;
  uint32_t bits = 1;
  while (bits < 0x7f800000) {
    for (int i = 0; i < N; i++) {
      s[i] = i % 97 == 0 ? 0 : float_of(bits);
      g[i] = s[i] == 0 ? 0x1p-70f : s[i] < 0x1p-100f ? 0x1p-90f : 0x1p-64f;
      bits = bits < 0x7f800000 - 2039 ? bits + 2039 : 0x7f800000;
    }
    divide_by_root(rule, N, eps);
    for (int i = 0; i < N; i++) { /* s is now what the root was taken of */
      double exact = (double)g[i] / (sqrt((double)s[i]) + (double)(float)eps);
      if (s[i] > 0 && !isinf(s[i]) && fabs(exact) > (double)FLT_MIN) {
        double error = fabs((double)p[i] / exact - 1) * 0x1p23;
        worst = error > worst ? error : worst;
      }
    }
  }
  return worst;
}

/* What exact arithmetic gives for the odd cases, and the same alone as among others. */
static void test_odd_roots(void) {
  static const float odd[] = {0, FLT_TRUE_MIN, FLT_MIN, 1, FLT_MAX, INFINITY};
  static const double eps[] = {0, 1e-10, 1};
  for (int e = 0; e < 3; e++) {
    for (int i = 0; i < 6; i++) {
      s[0] = odd[i];
      g[0] = 0x1p-120f; /* its square is 0 */
      divide_by_root(UN_ADAGRAD, 1, eps[e]);
      float exact = g[0] / (sqrtf(odd[i]) + (float)eps[e]), alone = p[0];
      CHECK(isinf(exact) ? isinf(alone) : fabsf(alone - exact) <= 3e-7f * exact);
      for (int k = 0; k < 100; k++)
        s[k] = k == 50 ? odd[i] : (float)k, g[k] = 0x1p-120f;
      divide_by_root(UN_ADAGRAD, 100, eps[e]);
      CHECK(memcmp(&p[50], &alone, sizeof alone) == 0);
    }
  }
  s[0] = -1;
  divide_by_root(UN_ADAGRAD, 1, 1);
  CHECK(isnan(p[0]));
}

static void test_norm(int64_t n, float scale) {
  long double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    g[i] = scale * (float)((i * 7919) % 1001 - 500);
    sum += (long double)g[i] * (long double)g[i];
  }
  un_view v = view_of(g, n);
  double largest, norm = un_norm_and_max(&v, &largest);
  CHECK(fabs(norm / (double)sqrtl(sum) - 1) < 2e-7);
  CHECK(largest == (double)(500 * scale) || n < 1001);
}

int main(void) {
  static const char *const sets[] = {"generic", "avx2", "avx512"};
  static const float scales[] = {1, 1e-3f, 1e-15f, 1e-25f, 1e-38f, 1e16f, 1e35f};
  for (int i = 0; i < 3; i++) {
    if (!un_isa_select(sets[i])) continue;
    CHECK(worst_root(UN_RMSPROP, 0) < 2); /* the root within 1 ulp, and a rounding */
    CHECK(worst_root(UN_ADAGRAD, 0) < 2);
    CHECK(worst_root(UN_ADAGRAD, 1e-3) < 2.5); /* and that of the sum with eps */
    test_odd_roots();
    for (int k = 0; k < 7; k++)
      for (int64_t n = 1; n < N; n = 3 * n + 1)
        test_norm(n, scales[k]);
  }
  return check_summary();
}
