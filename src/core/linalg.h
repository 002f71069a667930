/* linalg.h -- decompositions on LAPACK: svd, qr, eigenvalues.
**
** Each takes a matrix (2-d, float32 or float64), outputs of the same dtype with any
** strides, and work of un_xxx_work bytes, aligned as for double. They fail, with
** nothing written, on a matrix that is not finite, and when the iteration does not
** converge. */
#ifndef UN_LINALG_H
#define UN_LINALG_H

#include "un.h"

/* a (m,n) = u (m,r) diag(s) (r) vt (r,n), r = min(m,n); s falls and is not negative. */
UN_CHECKED bool un_svd_work(const un_view *a, size_t *bytes, un_err *err);
UN_CHECKED bool un_svd(const un_view *a, const un_view *u, const un_view *s,
                       const un_view *vt, void *work, un_err *err);

/* a (m,n) = q (m,r) r (r,n), q with orthonormal columns, r upper triangular. */
UN_CHECKED bool un_qr_work(const un_view *a, size_t *bytes, un_err *err);
UN_CHECKED bool un_qr(const un_view *a, const un_view *q, const un_view *r, void *work,
                      un_err *err);

/* The eigenvalues of a (n,n): re (n), im (n); conjugate pairs stand side by side. */
UN_CHECKED bool un_eigvals_work(const un_view *a, size_t *bytes, un_err *err);
UN_CHECKED bool un_eigvals(const un_view *a, const un_view *re, const un_view *im,
                           void *work, un_err *err);

#endif
