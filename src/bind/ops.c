/* ops.c -- the element-wise operations as functions, methods and operators.
**
** One C function serves all the ops of a kind; its closure holds the index of the op in
** un_ops, so that a line of ops.def is all that an op needs. Numbers mix with tensors
** on both sides and take the other operand's dtype; float32 with float64 gives
** float64; comparisons take any dtype and give int32, 1 or 0. */
#include "ops.h"

#include <string.h>

#include "operand.h"

static int this_op(lua_State *L) {
  return (int)lua_tointeger(L, lua_upvalueindex(1));
}

/* --- one operand ------------------------------------------------------------------ */

/* Reads the op's own numbers from `arg` on. Returns the argument after them. */
static int check_params(lua_State *L, int arg, int op, double *param) {
  for (int i = 0; i < 2; i++) {
    param[i] = un_ops[op].preset[i];
    if (un_ops[op].param[i][0] != '\0') {
      param[i] = luaL_optnumber(L, arg, param[i]);
      arg++;
    }
  }
  return arg;
}

/* name(x, parameters..., out). The documentation of an op is its line of ops.def; the
** list is tensor.ops for scripts. */
static int unary(lua_State *L) {
  int op = this_op(L);
  const un_op *info = &un_ops[op];
  double param[2];
  const un_view *x = unl_checktensor(L, 1);
  un_dtype dtype = x->dtype;
  if (!info->truth)
    unl_checkcomputes(L, 1, x);
  else if (!un_is_real(dtype))
    dtype = UN_F64; /* holds every integer */
  int out_arg = check_params(L, 2, op, param);
  const bool given = unl_isgiven(L, out_arg);
  const un_view *y = unl_outortensor(L, out_arg, info->name,
                                     info->truth ? UN_I32 : dtype, x->dims, x->size);
  if (given) unl_checkalias(L, info->name, y, "x", x);
  un_op_apply(op, dtype, &x, param, y);
  return 1;
}

/* t:name_(parameters...) */
static int unary_in_place(lua_State *L) {
  int op = this_op(L);
  double param[2];
  un_view *x = unl_checktensor(L, 1);
  unl_checkcomputes(L, 1, x);
  check_params(L, 2, op, param);
  unl_writes(L, 1, x);
  un_op_apply(op, x->dtype, (const un_view *[]){x}, param, x);
  lua_settop(L, 1);
  return 1;
}

static int negate(lua_State *L) { /* Lua passes the operand twice */
  lua_settop(L, 1);
  return unary(L);
}

/* --- two operands ----------------------------------------------------------------- */

static bool fits_int32(double x) {
  return x >= INT32_MIN && x <= INT32_MAX && x == (double)(int32_t)x;
}

/* int32 when no operand is a float tensor, one is an int32 tensor and numbers are
 * whole. */
static un_dtype whole_or_real(unl_operand *a, unl_operand *b) {
  unl_operand *both[] = {a, b};
  bool integers = false, reals = false;
  for (int i = 0; i < 2; i++) {
    const unl_operand *o = both[i];
    if (o->is_number)
      reals = reals || !fits_int32(o->number);
    else if (un_is_real(o->view->dtype))
      reals = true;
    else
      integers = true;
  }
  return integers && !reals ? UN_I32 : unl_realdtype(2, both);
}

static un_dtype binary_dtype(lua_State *L, int op, unl_operand *a, unl_operand *b) {
  if (a->is_number && b->is_number) luaL_typeerror(L, 1, UNL_TENSOR);
  unl_operand *both[] = {a, b};
  un_dtype dtype = un_ops[op].truth ? whole_or_real(a, b) : unl_realdtype(2, both);
  for (int i = 0; i < 2 && dtype != UN_I32; i++) {
    if (both[i]->is_number) continue;
    if (!un_ops[op].truth)
      unl_checkcomputes(L, i + 1, both[i]->view);
    else if (!un_is_real(both[i]->view->dtype))
      dtype = UN_F64;
  }
  return dtype;
}

/* The sizes that a and b broadcast to, those of one of them or in `common`; NULL when
** they do not fit. */
static const int64_t *common_sizes(const unl_operand *a, const unl_operand *b,
                                   int *dims, int64_t *common) {
  if (b->is_number || un_same_shape(a->view, b->view)) {
    *dims = a->view->dims;
    return a->view->size;
  }
  return un_broadcast_sizes(a->view, b->view, dims, common) ? common : NULL;
}

/* name(a, b, out) */
static int binary(lua_State *L) {
  int op = this_op(L), dims;
  const char *name = un_ops[op].name;
  int64_t common[UN_MAX_DIMS];
  unl_operand a, b;
  unl_checkoperand(L, 1, &a);
  unl_checkoperand(L, 2, &b);
  un_dtype dtype = binary_dtype(L, op, &a, &b);
  unl_settle(&a, dtype);
  unl_settle(&b, dtype);
  const int64_t *size = common_sizes(&a, &b, &dims, common);
  if (!size)
    return luaL_error(L, "%s: a is %s, b is %s: these sizes do not broadcast", name,
                      un_shape(a.view).s, un_shape(b.view).s);
  const bool given = unl_isgiven(L, 3);
  const un_view *y =
      unl_outortensor(L, 3, name, un_ops[op].truth ? UN_I32 : dtype, dims, size);
  unl_spread(&a, dims, size);
  unl_spread(&b, dims, size);
  if (given) unl_checkalias(L, name, y, "a", a.view);
  if (given) unl_checkalias(L, name, y, "b", b.view);
  if (op == UN_OP_pow && b.is_number && b.number == 2.0) op = UN_OP_square;
  un_op_apply(op, dtype, (const un_view *[]){a.view, b.view}, NULL, y);
  return 1;
}

/*---
--- t <- t + alpha x, in place, in t's dtype; x broadcasts to t's sizes. The others
--- (sub_, mul_, div_, pow_ ...) are the same without alpha.
---@param x unroll.Tensor|number
---@param alpha? number default 1
---@return unroll.Tensor t
--- Errors: an x that does not broadcast; a tensor of integers, or one that is expanded.
--- Dtypes: float32, float64
--- > tensor{1, 2}:add_(10, 0.5):totable()[1]   --> 6.0
---@see tensor.add
function Tensor:add_(x, alpha) end
*/
static int binary_in_place(lua_State *L) {
  int op = this_op(L);
  unl_operand x, t;
  un_view *y = unl_checktensor(L, 1);
  t.view = y;
  t.is_number = false;
  unl_checkoperand(L, 2, &x);
  un_dtype dtype = binary_dtype(L, op, &t, &x);
  double alpha = op == UN_OP_add ? luaL_optnumber(L, 3, 1) : 1;
  unl_settle(&x, dtype);
  if (!unl_spread(&x, y->dims, y->size))
    return luaL_error(L, "%s_: x is %s, does not broadcast to %s", un_ops[op].name,
                      un_shape(x.view).s, un_shape(y).s);
  unl_writes(L, 1, y);
  if (!x.is_number) unl_checkalias(L, un_ops[op].name, y, "x", x.view);
  if (op == UN_OP_pow && x.is_number && x.number == 2.0) op = UN_OP_square;
  if (alpha != 1)
    un_add_scaled(dtype, y, x.view, alpha, y);
  else
    un_op_apply(op, dtype, (const un_view *[]){y, x.view}, NULL, y);
  lua_settop(L, 1);
  return 1;
}

/* --- where ------------------------------------------------------------------------ */

/*---
--- Element by element `a` where `cond` is not 0, else `b`; the three broadcast.
---@param cond unroll.Tensor any dtype, e.g. from a comparison
---@param a unroll.Tensor|number
---@param b unroll.Tensor|number
---@param out? unroll.Tensor the broadcast sizes, overwritten
---@return unroll.Tensor # int32 when both are integers, else as for arithmetic
--- Errors: sizes that do not broadcast.
--- > tensor.where(tensor{1,0}, tensor{5,6}, 7):totable()[2]   --> 7.0
function core.tensor.where(cond, a, b, out) end
*/
static int where(lua_State *L) {
  const un_view *given = unl_checktensor(L, 1);
  int64_t size[UN_MAX_DIMS];
  unl_operand a, b;
  un_view all = {.dtype = UN_F32}, cond;
  unl_checkoperand(L, 2, &a);
  unl_checkoperand(L, 3, &b);
  if (!a.is_number && a.view->dtype != UN_I32) unl_checkcomputes(L, 2, a.view);
  if (!b.is_number && b.view->dtype != UN_I32) unl_checkcomputes(L, 3, b.view);
  un_dtype dtype = whole_or_real(&a, &b);
  unl_settle(&a, dtype);
  unl_settle(&b, dtype);
  if (!un_broadcast_sizes(a.view, b.view, &all.dims, all.size) ||
      !un_broadcast_sizes(&all, given, &all.dims, size))
    return luaL_error(
        L, "where: cond is %s, a is %s, b is %s: these sizes do not broadcast",
        un_shape(given).s, un_shape(a.view).s, un_shape(b.view).s);
  const bool has_out = unl_isgiven(L, 4);
  const un_view *y = unl_outortensor(L, 4, "where", dtype, all.dims, size);
  const un_view *spread = given;
  if (!un_has_sizes(given, all.dims, size)) {
    un_expand(&cond, given, all.dims, size);
    spread = &cond;
  }
  unl_spread(&a, all.dims, size);
  unl_spread(&b, all.dims, size);
  if (has_out) unl_checkalias(L, "where", y, "cond", spread);
  if (has_out) unl_checkalias(L, "where", y, "a", a.view);
  if (has_out) unl_checkalias(L, "where", y, "b", b.view);
  un_where(dtype, spread, a.view, b.view, y);
  return 1;
}

/* --- registration ----------------------------------------------------------------- */

static const struct {
  const char *event;
  int op;
} operators[] = {{"__add", UN_OP_add},
                 {"__sub", UN_OP_sub},
                 {"__mul", UN_OP_mul},
                 {"__div", UN_OP_div},
                 {"__pow", UN_OP_pow}};

static void push_closure(lua_State *L, lua_CFunction f, int op) {
  lua_pushinteger(L, op);
  lua_pushcclosure(L, f, 1);
}

/* The table at `index` gets f as field name..suffix. */
static void set_op(lua_State *L, int index, lua_CFunction f, int op,
                   const char *suffix) {
  lua_pushfstring(L, "%s%s", un_ops[op].name, suffix);
  push_closure(L, f, op);
  lua_settable(L, index);
}

static void set_ops(lua_State *L, int index) {
  index = lua_absindex(L, index);
  for (int op = 0; op < UN_OPS; op++) {
    bool one = un_ops[op].arity == 1;
    set_op(L, index, one ? unary : binary, op, "");
    if (!un_ops[op].truth)
      set_op(L, index, one ? unary_in_place : binary_in_place, op, "_");
  }
}

static void set_operators(lua_State *L) {
  luaL_getmetatable(L, UNL_TENSOR);
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
    push_closure(L, binary, operators[i].op);
    lua_setfield(L, -2, operators[i].event);
  }
  push_closure(L, negate, UN_OP_neg);
  lua_setfield(L, -2, "__unm");
  lua_pop(L, 1);
}

static void set_string(lua_State *L, const char *key, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, key);
}

static void push_params(lua_State *L, const un_op *op) {
  lua_newtable(L);
  for (int i = 0; i < 2 && op->param[i][0] != '\0'; i++) {
    lua_pushstring(L, op->param[i]);
    lua_rawseti(L, -2, i + 1);
  }
}

/*---
--- The element-wise operations as data: a list of { name =, doc =, formula =, operands
--- =, ... }, one for each line of src/core/ops.def.
--- > tensor.ops[1].name   --> "neg"
core.tensor.ops = {}
*/
/* The list of ops.def as data, for help and for the tests. */
static void push_list(lua_State *L) {
  lua_createtable(L, UN_OPS, 0);
  for (int i = 0; i < UN_OPS; i++) {
    const un_op *op = &un_ops[i];
    lua_newtable(L);
    set_string(L, "name", op->name);
    set_string(L, "needs", op->needs);
    set_string(L, "formula", op->formula);
    set_string(L, "doc", op->doc);
    lua_pushinteger(L, op->arity);
    lua_setfield(L, -2, "arity");
    lua_pushboolean(L, !op->truth);
    lua_setfield(L, -2, "vjp");
    lua_pushnumber(L, op->low);
    lua_setfield(L, -2, "low");
    lua_pushnumber(L, op->high);
    lua_setfield(L, -2, "high");
    push_params(L, op);
    lua_setfield(L, -2, "params");
    lua_rawseti(L, -2, i + 1);
  }
}

void unl_open_ops(lua_State *L) {
  static const luaL_Reg functions[] = {{"where", where}, {NULL, NULL}};
  unl_addtensorfunctions(L, functions);
  unl_pushmethods(L, UNL_TENSOR);
  set_ops(L, -1);
  lua_pop(L, 1);
  set_operators(L);
  unl_subtable(L, "tensor");
  set_ops(L, -1);
  push_list(L);
  lua_setfield(L, -2, "ops");
  lua_pop(L, 1);
}
