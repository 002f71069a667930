/* matmul.c -- matrix and outer products. */
#include "matmul.h"

#include "operand.h"
#include "ops.h"

/* The result's sizes and dtype, an output, and core's work. Pushes the output. */
static int multiply(lua_State *L, const un_view *a, const un_view *b, int out_arg) {
  int dims;
  int64_t size[UN_MAX_DIMS];
  un_err err;
  un_matmul plan;
  if (!un_matmul_sizes(a, b, &dims, size, &err)) return unl_raise(L, &err);
  un_dtype dtype = a->dtype == UN_F64 ? UN_F64 : b->dtype;
  const bool given = unl_isgiven(L, out_arg);
  const un_view *out = unl_outortensor(L, out_arg, "matmul", dtype, dims, size);
  if (given) unl_checkapart(L, "matmul", out, "a", a);
  if (given) unl_checkapart(L, "matmul", out, "b", b);
  if (un_matmul_small(a, b, out)) return 1;
  un_matmul_plan(&plan, a, b, out);
  void *scratch = plan.scratch ? lua_newuserdatauv(L, plan.scratch, 0) : NULL;
  un_matmul_run(&plan, scratch);
  if (scratch) lua_pop(L, 1);
  return 1;
}

/*---
--- Matrix product. (m,k) x (k,n) gives (m,n); a vector (k) stands for a row on the left
--- and a column on the right, and its dimension does not come back; dimensions before
--- the last two are a batch and broadcast. Transposed operands are not copied.
---@param a unroll.Tensor (..., m, k) or (k), float32 or float64
---@param b unroll.Tensor (..., k, n) or (k)
---@param out? unroll.Tensor (..., m, n), overwritten; may not overlap a or b
---@return unroll.Tensor # float64 when a or b is
--- Errors: columns of a that are not the rows of b; batches that do not broadcast;
--- tensors of integers; an `out` that overlaps a or b.
--- Dtypes: float32, float64
--- > tensor.matmul(tensor{{1,2}}, tensor{{3},{4}}):item()   --> 11.0
--- > a = tensor.zeros(2, 3)
--- > tensor.matmul(a, a)   --> error: a's columns (3) must equal b's rows (2)
--- > tensor.matmul(tensor.zeros(5, 2, 3), tensor.zeros(3, 4)):size()   --> (5, 2, 4)
---@see tensor.dot tensor.outer Tensor:t tensor.vjp.matmul
function core.tensor.matmul(a, b, out) end
*/
static int matmul(lua_State *L) {
  const un_view *a = unl_checktensor(L, 1), *b = unl_checktensor(L, 2);
  unl_checkcomputes(L, 1, a);
  unl_checkcomputes(L, 2, b);
  return multiply(L, a, b, 3);
}

/*---
--- Outer product of two vectors: y_ij = a_i b_j.
---@param a unroll.Tensor (m), float32 or float64
---@param b unroll.Tensor (n)
---@param out? unroll.Tensor (m, n), overwritten
---@return unroll.Tensor
--- Errors: tensors that are not vectors.
--- Dtypes: float32, float64
--- > tensor.outer(tensor{1,2}, tensor{3,4}):totable()[2][1]   --> 6.0
---@see tensor.dot tensor.matmul
function core.tensor.outer(a, b, out) end
*/
static int outer(lua_State *L) {
  un_view a = *unl_checktensor(L, 1), b = *unl_checktensor(L, 2);
  unl_checkcomputes(L, 1, &a);
  unl_checkcomputes(L, 2, &b);
  if (a.dims != 1 || b.dims != 1)
    return luaL_error(L, "outer: a is %s, b is %s: must be vectors", un_shape(&a).s,
                      un_shape(&b).s);
  un_dtype dtype = a.dtype == UN_F64 ? UN_F64 : b.dtype;
  const int64_t size[] = {a.size[0], b.size[0]};
  const un_view *y = unl_outortensor(L, 3, "outer", dtype, 2, size);
  unl_checkapart(L, "outer", y, "a", &a);
  unl_checkapart(L, "outer", y, "b", &b);
  a.dims = 2;
  a.size[1] = 1;
  a.stride[1] = 1;
  un_expand(&a, &a, 2, size);
  un_expand(&b, &b, 2, size);
  un_op_apply(UN_OP_mul, dtype, (const un_view *[]){&a, &b}, NULL, y);
  return 1;
}

static const luaL_Reg functions[] = {
    {"matmul", matmul}, {"outer", outer}, {NULL, NULL}};

void unl_open_matmul(lua_State *L) {
  un_blas_open();
  unl_addtensorfunctions(L, functions);
}
