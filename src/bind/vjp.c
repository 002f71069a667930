/* vjp.c -- the derivatives of the operations, callable: tensor.vjp.
**
** vjp.f takes dy, the derivative of some loss by f's result, and gives its derivative
** by f's operands ("vector-Jacobian product"). The arguments are always dy, the
** operands, y, the parameters of f, outputs. Unary derivatives need x or y or neither:
** what is not needed may be nil (tensor.ops[i].needs says which). Derivatives by an
** operand that was repeated in broadcasting are summed to its own sizes. */
#include "copy.h"
#include "matmul.h"
#include "operand.h"
#include "ops.h"
#include "reduce.h"
#include "view.h"

/*---
--- tensor.vjp: the derivative of each operation, callable.
---
--- `tensor.vjp.f(dy, operands..., y, parameters..., outputs...)` takes dy, the
--- derivative of a loss by the result y of f, and gives the loss's derivative
--- by the operands (the vector-Jacobian product of reverse mode). What the formula does
--- not need may be nil. Where broadcasting repeated an operand, its derivative is
--- summed to its own sizes. Cells in Lua are written with these.
--- > y = tensor{0.5}:tanh()
--- > tensor.vjp.tanh(tensor{1}, nil, y):item() == (1 - y * y):item()   --> true
core.tensor.vjp = {}
*/
static int this_op(lua_State *L) {
  return (int)lua_tointeger(L, lua_upvalueindex(1));
}

/* --- one operand ------------------------------------------------------------------ */

/* x or y: NULL when nil and not needed; else it has dy's sizes. */
static const un_view *check_part(lua_State *L, int arg, const char *op,
                                 const char *part, bool needed, const un_view *dy) {
  if (lua_isnoneornil(L, arg) && !needed) return NULL;
  const un_view *v = unl_checkreal(L, arg);
  if (!un_same_shape(v, dy))
    luaL_error(L, "vjp.%s: dy is %s, %s is %s: must have the same sizes", op,
               un_shape(dy).s, part, un_shape(v).s);
  return v;
}

static bool reads(const un_op *op, char part) {
  return op->needs[0] == part || (op->needs[0] != '\0' && op->needs[1] == part);
}

/* vjp.name(dy, x, y, parameters..., out) */
static int unary(lua_State *L) {
  int op = this_op(L), out_arg = 4;
  const un_op *info = &un_ops[op];
  double param[2];
  const un_view *dy = unl_checkreal(L, 1);
  const un_view *x = check_part(L, 2, info->name, "x", reads(info, 'x'), dy);
  const un_view *y = check_part(L, 3, info->name, "y", reads(info, 'y'), dy);
  for (int i = 0; i < 2; i++) {
    param[i] = info->preset[i];
    if (info->param[i][0] != '\0') param[i] = luaL_optnumber(L, out_arg++, param[i]);
  }
  un_dtype dtype = x ? x->dtype : y ? y->dtype : dy->dtype;
  const bool given = unl_isgiven(L, out_arg);
  const un_view *dx =
      unl_outortensor(L, out_arg, info->name, dtype, dy->dims, dy->size);
  if (given) unl_checkalias(L, info->name, dx, "dy", dy);
  if (given && x) unl_checkalias(L, info->name, dx, "x", x);
  if (given && y) unl_checkalias(L, info->name, dx, "y", y);
  if (dy->dtype == UN_F64 || (y && y->dtype == UN_F64)) dtype = UN_F64;
  un_op_gradient(op, dtype, dy, x, y, param, dx);
  return 1;
}

/* --- two operands ----------------------------------------------------------------- */

static void check_pair(lua_State *L, const char *op, const un_view *dy,
                       const un_view *a, const un_view *b) {
  un_view y = {.dims = 0};
  if (!un_broadcast_sizes(a, b, &y.dims, y.size) || !un_same_shape(&y, dy))
    luaL_error(L,
               "vjp.%s: dy is %s, a is %s, b is %s: dy must have the sizes that a and "
               "b broadcast to",
               op, un_shape(dy).s, un_shape(a).s, un_shape(b).s);
}

/* Pushes the output for an operand, or nil when it is a number or `false` was given for
** it. */
static const un_view *push_gradient(lua_State *L, int arg, const char *op,
                                    const unl_operand *o, const un_view *const *apart) {
  bool skipped = lua_isboolean(L, arg) && !lua_toboolean(L, arg);
  if (o->is_number || skipped) {
    lua_pushnil(L);
    return NULL;
  }
  const un_view *out =
      unl_outortensor(L, arg, op, o->view->dtype, o->view->dims, o->view->size);
  static const char *const names[] = {"dy", "a", "b"};
  for (int i = 0; i < 3 && !lua_isnil(L, arg); i++)
    unl_checkapart(L, op, out, names[i], apart[i]);
  return out;
}

/* vjp.name(dy, a, b, y, out_a, out_b) -> da, db */
static int binary(lua_State *L) {
  int op = this_op(L);
  const char *name = un_ops[op].name;
  const un_view *dy = unl_checkreal(L, 1);
  unl_operand a, b;
  unl_checkoperand(L, 2, &a);
  unl_checkoperand(L, 3, &b);
  lua_settop(L, 6);
  if (!a.is_number) unl_checkcomputes(L, 2, a.view);
  if (!b.is_number) unl_checkcomputes(L, 3, b.view);
  un_dtype dtype = unl_realdtype(2, (unl_operand *const[]){&a, &b});
  if (dy->dtype == UN_F64) dtype = UN_F64;
  unl_settle(&a, dtype);
  unl_settle(&b, dtype);
  check_pair(L, name, dy, a.view, b.view);
  const un_view *inputs[] = {dy, a.view, b.view};
  const un_view *out[2]; /* C does not say in which order an initialiser would push */
  out[0] = push_gradient(L, 5, name, &a, inputs);
  out[1] = push_gradient(L, 6, name, &b, inputs);
  if (out[0] && out[1] && !lua_isnil(L, 5) && !lua_isnil(L, 6))
    unl_checkapart(L, name, out[0], "out_b", out[1]);
  un_view all_a, all_b;
  un_expand(&all_a, a.view, dy->dims, dy->size);
  un_expand(&all_b, b.view, dy->dims, dy->size);
  for (int which = 0; which < 2; which++)
    if (out[which]) un_op_gradient2(op, which, dtype, dy, &all_a, &all_b, out[which]);
  return 2;
}

/* --- sums, softmax ---------------------------------------------------------------- */

/* dy of a reduction as a view with x's sizes: a number, or a tensor with or without
** dimension dim (-1: all were reduced). */
static un_view spread(lua_State *L, const char *op, unl_operand *dy, const un_view *x,
                      int dim) {
  un_view wide = *dy->view;
  if (dim >= 0 && wide.dims == x->dims - 1) un_insert_dim(&wide, &wide, dim);
  bool fits =
      dim < 0 ? dy->view->dims == 0 : wide.dims == x->dims && wide.size[dim] == 1;
  for (int d = 0; d < wide.dims && fits; d++)
    fits = d == dim || wide.size[d] == x->size[d];
  if (!fits)
    luaL_error(L, "vjp.%s: dy is %s, x is %s: dy must have the sizes of the result", op,
               un_shape(dy->view).s, un_shape(x).s);
  un_expand(&wide, &wide, x->dims, x->size);
  return wide;
}

static int spread_mean(lua_State *L, const char *op, bool mean) {
  unl_operand dy, scale = {.is_number = true, .number = 1};
  unl_checkoperand(L, 1, &dy);
  const un_view *x = unl_checkreal(L, 2);
  int dim = lua_isnoneornil(L, 4) ? -1 : unl_checkdim(L, 4, x);
  if (mean) scale.number = 1 / (double)(dim < 0 ? un_numel(x) : x->size[dim]);
  scale.own.data = &scale.cell;
  scale.view = &scale.own;
  unl_settle(&dy, x->dtype);
  unl_settle(&scale, x->dtype);
  un_view wide = spread(L, op, &dy, x, dim), factor;
  un_expand(&factor, scale.view, x->dims, x->size);
  const un_view *dx = unl_outortensor(L, 5, op, x->dtype, x->dims, x->size);
  unl_checkapart(L, op, dx, "dy", dy.view);
  un_op_apply(UN_OP_mul, x->dtype, (const un_view *[]){&wide, &factor}, NULL, dx);
  return 1;
}

/*---
--- The derivative of `tensor.sum`: dy repeated to x's sizes.
---@param dy unroll.Tensor|number the sizes of the result; a number without dim
---@param x unroll.Tensor
---@param y any not used
---@param dim? integer
---@param out? unroll.Tensor the sizes of x
---@return unroll.Tensor dx
--- Errors: a dy that does not have the sizes of the result.
--- Dtypes: float32, float64
--- > dx = tensor.vjp.sum(tensor{1, 2}, tensor.zeros(2, 2), nil, 2)
--- > dx:totable()   --> {{1.0, 1.0}, {2.0, 2.0}}
---@see tensor.sum
function core.tensor.vjp.sum(dy, x, y, dim, out) end
*/
static int vjp_sum(lua_State *L) {
  return spread_mean(L, "sum", false);
}

/*---
--- The derivative of `tensor.mean`: dy / n repeated to x's sizes.
---@param dy unroll.Tensor|number the sizes of the result; a number without dim
---@param x unroll.Tensor
---@param y any not used
---@param dim? integer
---@param out? unroll.Tensor the sizes of x
---@return unroll.Tensor dx
--- Errors: a dy that does not have the sizes of the result.
--- Dtypes: float32, float64
--- > tensor.vjp.mean(1, tensor{1, 2, 3, 4}):totable()   --> {0.25, 0.25, 0.25, 0.25}
---@see tensor.mean
function core.tensor.vjp.mean(dy, x, y, dim, out) end
*/
static int vjp_mean(lua_State *L) {
  return spread_mean(L, "mean", true);
}

static int along(lua_State *L, const char *op, un_scan kind) {
  const un_view *dy = unl_checkreal(L, 1);
  const un_view *y = kind == UN_CUMSUM ? dy : unl_checkreal(L, 3);
  if (!un_same_shape(dy, y) || dy->dtype != y->dtype)
    return luaL_error(L, "vjp.%s: dy is %s %s, y is %s %s: must be alike", op,
                      un_dtype_name(dy->dtype), un_shape(dy).s, un_dtype_name(y->dtype),
                      un_shape(y).s);
  int dim = unl_checkdim(L, 4, dy);
  const bool given = unl_isgiven(L, 5);
  const un_view *dx = unl_outortensor(L, 5, op, y->dtype, y->dims, y->size);
  if (given) unl_checkalias(L, op, dx, "dy", dy);
  if (given) unl_checkalias(L, op, dx, "y", y);
  if (kind == UN_CUMSUM)
    un_scan_dim(UN_REVERSE_CUMSUM, dy, dim, dx);
  else
    un_softmax_gradient(kind, dy, y, dim, dx);
  return 1;
}

/*---
--- The derivative of `tensor.softmax` along dim: dx = y (dy - sum(dy y)).
---@param dy unroll.Tensor in the shape of y
---@param x any not used
---@param y unroll.Tensor softmax(x)
---@param dim integer
---@param out? unroll.Tensor in the shape of y, overwritten
---@return unroll.Tensor dx
--- Errors: dy and y of different sizes or dtypes; no dimension.
--- Dtypes: float32, float64
--- > y = tensor{0, 0}:softmax(1)
--- > tensor.vjp.softmax(tensor{1, 0}, nil, y, 1):totable()   --> {0.25, -0.25}
---@see tensor.softmax
function core.tensor.vjp.softmax(dy, x, y, dim, out) end
*/
static int vjp_softmax(lua_State *L) {
  return along(L, "softmax", UN_SOFTMAX);
}

/*---
--- The derivative of `tensor.log_softmax` along dim: dx = dy - exp(y) sum(dy).
---@param dy unroll.Tensor in the shape of y
---@param x any not used
---@param y unroll.Tensor log_softmax(x)
---@param dim integer
---@param out? unroll.Tensor in the shape of y, overwritten
---@return unroll.Tensor dx
--- Errors: dy and y of different sizes or dtypes; no dimension.
--- Dtypes: float32, float64
--- > y = tensor{0, 0}:log_softmax(1)
--- > tensor.vjp.log_softmax(tensor{1, 0}, nil, y, 1):totable()   --> {0.5, -0.5}
---@see tensor.log_softmax
function core.tensor.vjp.log_softmax(dy, x, y, dim, out) end
*/
static int vjp_log_softmax(lua_State *L) {
  return along(L, "log_softmax", UN_LOG_SOFTMAX);
}

/*---
--- The derivative of `tensor.cumsum` along dim: dx_i = dy_i + dy_(i+1) + ...
---@param dy unroll.Tensor in the shape of y
---@param x any not used
---@param y any not used
---@param dim integer
---@param out? unroll.Tensor in the shape of dy, overwritten
---@return unroll.Tensor dx
--- Errors: no dimension; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor.vjp.cumsum(tensor{1, 2, 3}, nil, nil, 1):totable()   --> {6.0, 5.0, 3.0}
---@see tensor.cumsum
function core.tensor.vjp.cumsum(dy, x, y, dim, out) end
*/
static int vjp_cumsum(lua_State *L) {
  return along(L, "cumsum", UN_CUMSUM);
}

/* --- matmul ----------------------------------------------------------------------- */

static un_view transposed(const un_view *m) {
  un_view t = *m;
  int r = m->dims - 2, c = m->dims - 1;
  t.size[r] = m->size[c], t.size[c] = m->size[r];
  t.stride[r] = m->stride[c], t.stride[c] = m->stride[r];
  return t;
}

static void product(lua_State *L, const un_view *a, const un_view *b,
                    const un_view *out) {
  un_matmul plan;
  if (un_matmul_small(a, b, out)) return;
  un_matmul_plan(&plan, a, b, out);
  void *scratch = plan.scratch ? lua_newuserdatauv(L, plan.scratch, 0) : NULL;
  un_matmul_run(&plan, scratch);
  if (scratch) lua_pop(L, 1);
}

/* All dimensions but the last one as rows, when the strides allow. */
static bool as_rows(un_view *v) {
  int64_t n = v->size[v->dims - 1];
  const int64_t size[] = {n == 0 ? 0 : un_numel(v) / n, n};
  return n != 0 && un_reshape(v, v, 2, size);
}

/* out = a b, summed over the batch dimensions that out does not have. */
static void summed_product(lua_State *L, un_view a, un_view b, const un_view *out) {
  int dims, batch = a.dims > b.dims ? a.dims : b.dims;
  int64_t size[UN_MAX_DIMS];
  un_err err;
  if (!un_matmul_sizes(&a, &b, &dims, size, &err)) unl_raise(L, &err);
  un_view wide = {.dims = dims};
  for (int d = 0; d < dims; d++)
    wide.size[d] = size[d];
  if (un_same_shape(&wide, out)) {
    product(L, &a, &b, out);
    return;
  }
  un_view at = transposed(&a); /* a weight: the batch is only more terms of the sum */
  if (out->dims == 2 && a.dims == batch && b.dims == batch && as_rows(&at) &&
      as_rows(&b)) {
    at = transposed(&at);
    product(L, &at, &b, out);
    return;
  }
  const un_view *all = unl_newtensor(L, "vjp.matmul", out->dtype, dims, size);
  product(L, &a, &b, all);
  un_op_gradient2(UN_OP_add, 0, out->dtype, all, all, all, out);
  lua_pop(L, 1);
}

/* A vector as a row (left) or a column, a matrix as it is. */
static un_view as_matrix(const un_view *v, bool left) {
  un_view m = *v;
  if (v->dims == 1) un_insert_dim(&m, v, left ? 0 : 1);
  return m;
}

/*---
--- The derivatives of y = matmul(a, b): da = dy b', db = a' dy, summed over the batches
--- in which an operand was repeated.
---@param dy unroll.Tensor the sizes of y
---@param a unroll.Tensor
---@param b unroll.Tensor
---@param y any not used
---@param out_a? unroll.Tensor|false false: not computed, nil comes back
---@param out_b? unroll.Tensor|false
---@return unroll.Tensor? da the sizes of a
---@return unroll.Tensor? db the sizes of b
--- Errors: a dy that does not have the sizes of the product.
--- Dtypes: float32, float64
--- > a, b = tensor.randn(2, 3), tensor.randn(3, 4)
--- > da, db = tensor.vjp.matmul(tensor.ones(2, 4), a, b)
--- > db:size()   --> (3, 4)
---@see tensor.matmul
function core.tensor.vjp.matmul(dy, a, b, y, out_a, out_b) end
*/
static int vjp_matmul(lua_State *L) {
  const un_view *dy = unl_checkreal(L, 1);
  unl_operand a, b;
  un_view y = {.dims = 0};
  un_err err;
  a.view = unl_checkreal(L, 2);
  b.view = unl_checkreal(L, 3);
  a.is_number = b.is_number = false;
  lua_settop(L, 6);
  if (!un_matmul_sizes(a.view, b.view, &y.dims, y.size, &err))
    return unl_raise(L, &err);
  if (!un_same_shape(&y, dy))
    return luaL_error(L, "vjp.matmul: dy is %s, must be %s, the sizes of matmul(a, b)",
                      un_shape(dy).s, un_shape(&y).s);
  const un_view *inputs[] = {dy, a.view, b.view};
  const un_view *da = push_gradient(L, 5, "matmul", &a, inputs);
  const un_view *db = push_gradient(L, 6, "matmul", &b, inputs);
  if (da && db) unl_checkapart(L, "matmul", da, "out_b", db);
  un_view ma = as_matrix(a.view, true), mb = as_matrix(b.view, false), my = *dy;
  if (b.view->dims == 1) un_insert_dim(&my, &my, my.dims);
  if (a.view->dims == 1) un_insert_dim(&my, &my, my.dims - 1);
  un_view mat = transposed(&ma), mbt = transposed(&mb);
  if (da) {
    un_view out = as_matrix(da, true);
    summed_product(L, my, mbt, &out);
  }
  if (db) {
    un_view out = as_matrix(db, false);
    summed_product(L, mat, my, &out);
  }
  return 2;
}

/* --- registration ----------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"sum", vjp_sum},
                                     {"mean", vjp_mean},
                                     {"softmax", vjp_softmax},
                                     {"log_softmax", vjp_log_softmax},
                                     {"cumsum", vjp_cumsum},
                                     {"matmul", vjp_matmul},
                                     {NULL, NULL}};

void unl_open_vjp(lua_State *L) {
  unl_subtable(L, "tensor");
  unl_subtable(L, "vjp");
  luaL_setfuncs(L, functions, 0);
  for (int op = 0; op < UN_OPS; op++) {
    if (un_ops[op].truth) continue;
    lua_pushinteger(L, op);
    lua_pushcclosure(L, un_ops[op].arity == 1 ? unary : binary, 1);
    lua_setfield(L, -2, un_ops[op].name);
  }
  lua_pop(L, 2);
}
