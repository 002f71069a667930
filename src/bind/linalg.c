/* linalg.c -- svd, qr and eigenvalues. The workspace is a userdata on the stack. */
#include "linalg.h"

#include "operand.h"

static const un_view *check_matrix(lua_State *L) {
  const un_view *a = unl_checktensor(L, 1);
  unl_checkcomputes(L, 1, a);
  return a;
}

/* The result at `arg` or a new tensor (sizes rows, columns; columns -1: a vector). One
** call a statement: an initialiser would not say in which order they push. */
static const un_view *push_result(lua_State *L, int arg, const char *who,
                                  const un_view *a, int64_t rows, int64_t columns) {
  const int64_t size[] = {rows, columns};
  return unl_outortensor(L, arg, who, a->dtype, columns < 0 ? 1 : 2, size);
}

/* No result may overlap another one: they are written one after the other. */
static void check_results(lua_State *L, const char *who, int n,
                          const un_view *const *result) {
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      unl_checkapart(L, who, result[i], "another result", result[j]);
}

/*---
--- Singular values: a = U diag(S) Vt, with r = min(m, n), the columns of U and the rows
--- of Vt orthonormal, S falling and not negative (LAPACK gesdd).
--- Ctrl-C takes effect when LAPACK is done.
---@param a unroll.Tensor (m, n), float32 or float64, finite
---@param out_u? unroll.Tensor (m, r)
---@param out_s? unroll.Tensor (r)
---@param out_vt? unroll.Tensor (r, n)
---@return unroll.Tensor U
---@return unroll.Tensor S
---@return unroll.Tensor Vt
--- Errors: a tensor that is no matrix; an element that is NaN or infinite.
--- Dtypes: float32, float64
--- > select(2, tensor{{3,0},{0,4}}:svd()):totable()[1]   --> 4.0
---@see tensor.eigvals diagnostics.spectrum
function core.tensor.svd(a, out_u, out_s, out_vt) end
*/
static int svd(lua_State *L) {
  const un_view *a = check_matrix(L);
  size_t bytes;
  un_err err;
  lua_settop(L, 4);
  if (!un_svd_work(a, &bytes, &err)) return unl_raise(L, &err);
  int64_t m = a->size[0], n = a->size[1], r = m < n ? m : n;
  void *work = lua_newuserdatauv(L, bytes, 0);
  const un_view *result[3];
  result[0] = push_result(L, 2, "svd", a, m, r);
  result[1] = push_result(L, 3, "svd", a, r, -1);
  result[2] = push_result(L, 4, "svd", a, r, n);
  check_results(L, "svd", 3, result);
  if (!un_svd(a, result[0], result[1], result[2], work, &err))
    return unl_raise(L, &err);
  return 3;
}

/*---
--- a = Q R with r = min(m, n), the columns of Q orthonormal, R upper triangular (LAPACK
--- geqrf; the diagonal of R may be negative).
--- Ctrl-C takes effect when LAPACK is done.
---@param a unroll.Tensor (m, n), float32 or float64, finite
---@param out_q? unroll.Tensor (m, r)
---@param out_r? unroll.Tensor (r, n)
---@return unroll.Tensor Q
---@return unroll.Tensor R
--- Errors: a tensor that is no matrix; an element that is NaN or infinite.
--- Dtypes: float32, float64
--- > Q, R = tensor.qr(tensor{{1, 2}, {3, 4}})
--- > tensor.allclose(Q:matmul(R), tensor{{1, 2}, {3, 4}})   --> true
---@see tensor.svd
function core.tensor.qr(a, out_q, out_r) end
*/
static int qr(lua_State *L) {
  const un_view *a = check_matrix(L);
  size_t bytes;
  un_err err;
  lua_settop(L, 3);
  if (!un_qr_work(a, &bytes, &err)) return unl_raise(L, &err);
  int64_t m = a->size[0], n = a->size[1], r = m < n ? m : n;
  void *work = lua_newuserdatauv(L, bytes, 0);
  const un_view *result[2];
  result[0] = push_result(L, 2, "qr", a, m, r);
  result[1] = push_result(L, 3, "qr", a, r, n);
  check_results(L, "qr", 2, result);
  if (!un_qr(a, result[0], result[1], work, &err)) return unl_raise(L, &err);
  return 2;
}

/*---
--- The eigenvalues of a square matrix, in no order; a conjugate pair stands side by
--- side, the one with the positive imaginary part first (LAPACK geev).
--- Ctrl-C takes effect when LAPACK is done.
---@param a unroll.Tensor (n, n), float32 or float64, finite
---@param out_re? unroll.Tensor (n)
---@param out_im? unroll.Tensor (n)
---@return unroll.Tensor re
---@return unroll.Tensor im
--- Errors: a matrix that is not square; an element that is NaN or infinite.
--- Dtypes: float32, float64
--- > select(2, tensor{{0,-1},{1,0}}:eigvals()):totable()[1]   --> 1.0
---@see tensor.svd diagnostics.spectrum
function core.tensor.eigvals(a, out_re, out_im) end
*/
static int eigvals(lua_State *L) {
  const un_view *a = check_matrix(L);
  size_t bytes;
  un_err err;
  lua_settop(L, 3);
  if (!un_eigvals_work(a, &bytes, &err)) return unl_raise(L, &err);
  void *work = lua_newuserdatauv(L, bytes, 0);
  const un_view *result[2];
  result[0] = push_result(L, 2, "eigvals", a, a->size[0], -1);
  result[1] = push_result(L, 3, "eigvals", a, a->size[0], -1);
  check_results(L, "eigvals", 2, result);
  if (!un_eigvals(a, result[0], result[1], work, &err)) return unl_raise(L, &err);
  return 2;
}

static const luaL_Reg functions[] = {
    {"svd", svd}, {"qr", qr}, {"eigvals", eigvals}, {NULL, NULL}};

void unl_open_linalg(lua_State *L) {
  unl_addtensorfunctions(L, functions);
}
