/* linalg.c -- decompositions on LAPACK through its Fortran names (see linalg.h).
**
** LAPACK's matrices lie column by column. So a row-major (m,n) is, for LAPACK, its
** transpose (n,m): svd and eigvals make use of that (a' = v s u', and the eigenvalues
** are the same), qr copies to columns and back. Everything happens in the work buffer:
**     svd      a | vt | u | s | workspace | integers
**     qr       a | factors | workspace
**     eigvals  a | re | im | workspace
** Fortran functions take every argument by address and, for each string, a hidden
** length at the end. */
#ifndef REAL
#include "linalg.h"

#include <limits.h>
#include <math.h>

#include "copy.h"
#include "profile.h"
#include "reduce.h"
#include "stop.h"

#define UN_DECLARE(real, gesdd, geqrf, orgqr, geev)                                    \
  void gesdd(const char *jobz, const int *m, const int *n, real *a, const int *lda,    \
             real *s, real *u, const int *ldu, real *vt, const int *ldvt, real *work,  \
             const int *lwork, int *iwork, int *info, size_t jobz_length);             \
  void geqrf(const int *m, const int *n, real *a, const int *lda, real *tau,           \
             real *work, const int *lwork, int *info);                                 \
  void orgqr(const int *m, const int *n, const int *k, real *a, const int *lda,        \
             const real *tau, real *work, const int *lwork, int *info);                \
  void geev(const char *jobvl, const char *jobvr, const int *n, real *a,               \
            const int *lda, real *wr, real *wi, real *vl, const int *ldvl, real *vr,   \
            const int *ldvr, real *work, const int *lwork, int *info,                  \
            size_t jobvl_length, size_t jobvr_length);
UN_DECLARE(float, sgesdd_, sgeqrf_, sorgqr_, sgeev_)
UN_DECLARE(double, dgesdd_, dgeqrf_, dorgqr_, dgeev_)
#define gesdd_f32 sgesdd_
#define gesdd_f64 dgesdd_
#define geqrf_f32 sgeqrf_
#define geqrf_f64 dgeqrf_
#define orgqr_f32 sorgqr_
#define orgqr_f64 dorgqr_
#define geev_f32  sgeev_
#define geev_f64  dgeev_

static int smaller(int m, int n) {
  return m < n ? m : n;
}

/* LAPACK counts in int, also the elements of its workspace, up to 4 r^2 + 7 r here. */
static bool check_matrix(const char *who, const un_view *a, un_err *err) {
  if (a->dims != 2)
    return un_fail(err, "%s: a is %s, must be a matrix", who, un_shape(a).s);
  if (a->size[0] > INT_MAX || a->size[1] > INT_MAX || un_numel(a) > INT_MAX ||
      (a->size[0] > 16384 && a->size[1] > 16384))
    return un_fail(err, "%s: a is %s, more than LAPACK can count", who, un_shape(a).s);
  return true;
}

/* The size of a workspace as LAPACK gives it, in a float that may be rounded down. */
static size_t workspace(double answer) {
  return (size_t)(answer * 1.000001) + 1;
}

static bool check_finite(const char *who, const un_view *a, un_err *err) {
  un_reduce_options o = {.p = (double)INFINITY};
  un_reduced largest;
  if (!un_reduce_all(UN_NORM, &o, a, &largest, err)) return false;
  if (isfinite(largest.value)) return true;
  return un_fail(err, "%s: a %s has an element that is NaN or infinite", who,
                 un_shape(a).s);
}

static bool not_converged(const char *who, const un_view *a, un_err *err) {
  return un_fail(err, "%s: no convergence for a %s", who, un_shape(a).s);
}

static un_view contiguous(un_dtype dtype, int64_t rows, int64_t columns, void *data) {
  un_view v = {.dtype = dtype, .dims = 2, .size = {rows, columns}, .data = data};
  un_set_contiguous(&v);
  return v;
}

/* Rows and columns as LAPACK keeps them: column by column. */
static un_view by_columns(un_dtype dtype, int64_t rows, int64_t columns, void *data) {
  un_view v = contiguous(dtype, rows, columns, data);
  v.stride[0] = 1;
  v.stride[1] = rows;
  return v;
}

static void copy_vector(const un_view *out, void *data) {
  un_view v = *out;
  un_set_contiguous(&v);
  v.data = data;
  un_copy(out, &v);
}

#define UN_TEMPLATE "linalg.c"
#include "each_dtype.h"

bool un_svd_work(const un_view *a, size_t *bytes, un_err *err) {
  if (!check_matrix("svd", a, err)) return false;
  int m = (int)a->size[0], n = (int)a->size[1];
  *bytes = a->dtype == UN_F32 ? svd_bytes_f32(m, n) : svd_bytes_f64(m, n);
  return true;
}

bool un_svd(const un_view *a, const un_view *u, const un_view *s, const un_view *vt,
            void *work, un_err *err) {
  if (!check_finite("svd", a, err)) return false;
  UN_PROFILE_BEGIN(UN_PHASE_LINALG);
  un_stop_waits_for = "svd";
  bool ok = (a->dtype == UN_F32 ? svd_f32 : svd_f64)(a, u, s, vt, work, err);
  un_stop_waits_for = NULL;
  UN_PROFILE_END(0);
  return ok;
}

bool un_qr_work(const un_view *a, size_t *bytes, un_err *err) {
  if (!check_matrix("qr", a, err)) return false;
  int m = (int)a->size[0], n = (int)a->size[1];
  *bytes = a->dtype == UN_F32 ? qr_bytes_f32(m, n) : qr_bytes_f64(m, n);
  return true;
}

bool un_qr(const un_view *a, const un_view *q, const un_view *r, void *work,
           un_err *err) {
  if (!check_finite("qr", a, err)) return false;
  UN_PROFILE_BEGIN(UN_PHASE_LINALG);
  un_stop_waits_for = "qr";
  (a->dtype == UN_F32 ? qr_f32 : qr_f64)(a, q, r, work);
  un_stop_waits_for = NULL;
  UN_PROFILE_END(0);
  return true;
}

bool un_eigvals_work(const un_view *a, size_t *bytes, un_err *err) {
  if (!check_matrix("eigvals", a, err)) return false;
  if (a->size[0] != a->size[1])
    return un_fail(err, "eigvals: a is %s, must be square", un_shape(a).s);
  int n = (int)a->size[0];
  *bytes = a->dtype == UN_F32 ? eigvals_bytes_f32(n) : eigvals_bytes_f64(n);
  return true;
}

bool un_eigvals(const un_view *a, const un_view *re, const un_view *im, void *work,
                un_err *err) {
  if (!check_finite("eigvals", a, err)) return false;
  UN_PROFILE_BEGIN(UN_PHASE_LINALG);
  un_stop_waits_for = "eigvals";
  bool ok = (a->dtype == UN_F32 ? eigvals_f32 : eigvals_f64)(a, re, im, work, err);
  un_stop_waits_for = NULL;
  UN_PROFILE_END(0);
  return ok;
}

#else

/* How much workspace LAPACK asks for: a call with lwork = -1 answers in work[0]. */

static size_t FN(svd_lwork)(int m, int n) {
  int r = smaller(m, n), query = -1, info, integers;
  REAL a, s, u, vt, answer;
  FN(gesdd)
  ("S", &n, &m, &a, &n, &s, &u, &n, &vt, &r, &answer, &query, &integers, &info, 1);
  return workspace((double)answer);
}

static size_t FN(svd_bytes)(int m, int n) {
  size_t r = (size_t)smaller(m, n);
  if (r == 0) return 0;
  size_t reals = (size_t)m * (size_t)n + r * (size_t)(m + n) + r + FN(svd_lwork)(m, n);
  return reals * sizeof(REAL) + 8 * r * sizeof(int);
}

/* LAPACK sees a' (n,m) = v s u': its "u" is v by columns, which is vt by rows. */
static bool FN(svd)(const un_view *a, const un_view *u, const un_view *s,
                    const un_view *vt, void *work, un_err *err) {
  int m = (int)a->size[0], n = (int)a->size[1], r = smaller(m, n), info;
  if (r == 0) return true;
  REAL *copy = work, *v_data = copy + (size_t)m * (size_t)n;
  REAL *u_data = v_data + (size_t)r * (size_t)n;
  REAL *s_data = u_data + (size_t)m * (size_t)r, *space = s_data + r;
  int lwork = (int)FN(svd_lwork)(m, n);
  int *integers = (int *)(void *)(space + lwork);
  un_view source = contiguous(DTYPE, m, n, copy);
  un_copy(&source, a);
  if (un_stopped()) return true; /* before the copy was whole, perhaps */
  FN(gesdd)
  ("S", &n, &m, copy, &n, s_data, v_data, &n, u_data, &r, space, &lwork, integers,
   &info, 1);
  if (info != 0) return not_converged("svd", a, err);
  un_view u_view = contiguous(DTYPE, m, r, u_data);
  un_view vt_view = contiguous(DTYPE, r, n, v_data);
  un_copy(u, &u_view);
  un_copy(vt, &vt_view);
  copy_vector(s, s_data);
  return true;
}

static size_t FN(qr_lwork)(int m, int n) {
  int r = smaller(m, n), query = -1, info;
  REAL a, tau, first, second;
  FN(geqrf)(&m, &n, &a, &m, &tau, &first, &query, &info);
  FN(orgqr)(&m, &r, &r, &a, &m, &tau, &second, &query, &info);
  return workspace((double)(first > second ? first : second));
}

static size_t FN(qr_bytes)(int m, int n) {
  size_t r = (size_t)smaller(m, n);
  if (r == 0) return 0;
  return ((size_t)m * (size_t)n + r + FN(qr_lwork)(m, n)) * sizeof(REAL);
}

/* The upper triangle of `factors` (r,n by columns) to out, zeros below. */
static void FN(copy_upper)(const un_view *factors, const un_view *out) {
  un_view upper = *factors;
  upper.size[0] = out->size[0];
  un_copy(out, &upper);
  for (int64_t i = 1; i < out->size[0]; i++) {
    un_view below = *out; /* row i, columns 0 .. i-1 */
    below.dims = 1;
    below.size[0] = i < out->size[1] ? i : out->size[1];
    below.stride[0] = out->stride[1];
    below.data = (REAL *)out->data + i * out->stride[0];
    un_fill(&below, 0);
  }
}

static void FN(qr)(const un_view *a, const un_view *q, const un_view *r, void *work) {
  int m = (int)a->size[0], n = (int)a->size[1], k = smaller(m, n), info;
  if (k == 0) return;
  REAL *copy = work, *tau = copy + (size_t)m * (size_t)n, *space = tau + k;
  int lwork = (int)FN(qr_lwork)(m, n);
  un_view factors = by_columns(DTYPE, m, n, copy);
  un_copy(&factors, a);
  if (un_stopped()) return;
  FN(geqrf)(&m, &n, copy, &m, tau, space, &lwork, &info);
  FN(copy_upper)(&factors, r);
  if (un_stopped()) return;
  FN(orgqr)(&m, &k, &k, copy, &m, tau, space, &lwork, &info);
  factors.size[1] = k;
  un_copy(q, &factors);
}

static size_t FN(eigvals_lwork)(int n) {
  int query = -1, info, one = 1;
  REAL a, re, im, none, answer;
  FN(geev)
  ("N", "N", &n, &a, &n, &re, &im, &none, &one, &none, &one, &answer, &query, &info, 1,
   1);
  return workspace((double)answer);
}

static size_t FN(eigvals_bytes)(int n) {
  if (n == 0) return 0;
  return ((size_t)n * (size_t)n + 2 * (size_t)n + FN(eigvals_lwork)(n)) * sizeof(REAL);
}

static bool FN(eigvals)(const un_view *a, const un_view *re, const un_view *im,
                        void *work, un_err *err) {
  int n = (int)a->size[0], info, one = 1;
  if (n == 0) return true;
  REAL *copy = work, *re_data = copy + (size_t)n * (size_t)n, *im_data = re_data + n;
  REAL *space = im_data + n, none;
  int lwork = (int)FN(eigvals_lwork)(n);
  un_view source = contiguous(DTYPE, n, n, copy);
  un_copy(&source, a);
  if (un_stopped()) return true;
  FN(geev)
  ("N", "N", &n, copy, &n, re_data, im_data, &none, &one, &none, &one, space, &lwork,
   &info, 1, 1);
  if (info != 0) return not_converged("eigvals", a, err);
  copy_vector(re, re_data);
  copy_vector(im, im_data);
  return true;
}

#endif
