/* convert.c -- copies of tensors: to another dtype, into another tensor, of one value.
 */
#include "unl.h"

#include "copy.h"

/* --- assignment, shared with index.c ------------------------------------------------
 */

static void assign_number(lua_State *L, const char *who, const un_view *dst, int arg) {
  un_err err;
  double value = lua_tonumber(L, arg);
  if (!un_check_value(who, dst->dtype, value, UN_EXACT, &err)) unl_raise(L, &err);
  un_fill(dst, value);
}

static void assign_tensor(lua_State *L, const char *who, const un_view *dst,
                          const un_view *src, un_rounding rounding) {
  un_err err;
  un_view wide;
  if (!un_check_conversion(who, src, dst->dtype, rounding, &err)) unl_raise(L, &err);
  if (!un_expand(&wide, src, dst->dims, dst->size))
    luaL_error(L, "%s: %s does not broadcast to %s", who, un_shape(src).s,
               un_shape(dst).s);
  if (un_can_copy(dst, &wide)) {
    un_copy(dst, &wide);
    return;
  }
  un_view *apart = unl_newtensor(L, who, src->dtype, src->dims, src->size);
  un_copy(apart, src);
  if (un_expand(&wide, apart, dst->dims, dst->size)) un_copy(dst, &wide);
  lua_pop(L, 1);
}

void unl_assign(lua_State *L, const char *who, const un_view *dst, int arg) {
  const un_view *src = unl_totensor(L, arg);
  if (src)
    assign_tensor(L, who, dst, src, UN_EXACT);
  else if (lua_type(L, arg) == LUA_TNUMBER)
    assign_number(L, who, dst, arg);
  else
    luaL_error(L, "%s: a number or a tensor expected, got %s", who,
               luaL_typename(L, arg));
}

/* --- methods ------------------------------------------------------------------------
 */

static un_view *push_copy(lua_State *L, const char *who, un_dtype dtype,
                          un_rounding rounding) {
  const un_view *src = unl_checktensor(L, 1);
  un_view *copy = unl_newtensor(L, who, dtype, src->dims, src->size);
  un_err err;
  if (!un_copy_to_new(who, copy, src, rounding, &err)) unl_raise(L, &err);
  return copy;
}

/*---
--- A contiguous copy with memory of its own.
---@return unroll.Tensor
--- > a = tensor{1, 2}
--- > b = a:clone():mul_(10)
--- > a:totable()   --> {1.0, 2.0}
---@see Tensor:copy_ Tensor:contiguous
function Tensor:clone() end
*/
static int tensor_clone(lua_State *L) {
  push_copy(L, "clone", unl_checktensor(L, 1)->dtype, UN_EXACT);
  return 1;
}

/*---
--- The tensor itself when it is contiguous, else a contiguous copy.
---@return unroll.Tensor
--- > tensor.zeros(2, 3):t():contiguous():is_contiguous()   --> true
---@see Tensor:clone
function Tensor:contiguous() end
*/
static int tensor_contiguous(lua_State *L) {
  if (!un_is_contiguous(unl_checktensor(L, 1))) return tensor_clone(L);
  lua_settop(L, 1);
  return 1;
}

/*---
--- The tensor with another dtype: a copy, or the tensor itself when it has that dtype.
--- Integers are made by cutting the fraction off.
---@param dtype string "float32", "float64", "int32", "uint8" or "uint16"
---@return unroll.Tensor
--- Errors: NaN and numbers that do not fit into an integer dtype; an unknown dtype.
--- > tensor{2.7, -2.7}:to("int32")[2]   --> -2
--- > tensor{1e10}:to("int32")            --> error: out of range for int32
---@see Tensor:dtype Tensor:copy_
function Tensor:to(dtype) end
*/
static int tensor_to(lua_State *L) {
  un_dtype dtype = unl_checkdtype(L, 2);
  if (unl_checktensor(L, 1)->dtype == dtype)
    lua_settop(L, 1);
  else
    push_copy(L, "to", dtype, UN_TRUNCATE);
  return 1;
}

/*---
--- Overwrites the tensor with `src`, which is broadcast and converted. An integer
--- tensor takes whole numbers only. The two may share memory.
---@param src unroll.Tensor
---@return unroll.Tensor self
--- Errors: sizes that do not broadcast; a fraction into an integer tensor.
--- > tensor.zeros(2, 2):copy_(tensor{1, 2}):totable()   --> {{1.0, 2.0}, {1.0, 2.0}}
function Tensor:copy_(src) end
*/
static int tensor_copy_(lua_State *L) {
  const un_view *dst = unl_checktensor(L, 1);
  unl_checktensor(L, 2);
  unl_checkout(L, 1);
  unl_assign(L, "copy_", dst, 2);
  lua_settop(L, 1);
  return 1;
}

/*---
--- Sets every element.
---@param value number
---@return unroll.Tensor self
--- Errors: a fraction, or a number out of range, into an integer tensor.
--- > tensor.zeros(2):fill_(3):totable()   --> {3.0, 3.0}
function Tensor:fill_(value) end
*/
static int tensor_fill_(lua_State *L) {
  luaL_checknumber(L, 2);
  assign_number(L, "fill_", unl_checkout(L, 1), 2);
  lua_settop(L, 1);
  return 1;
}

/*---
--- Sets every element to zero.
---@return unroll.Tensor self
--- > tensor.ones(2):zero_():totable()   --> {0.0, 0.0}
function Tensor:zero_() end
*/
static int tensor_zero_(lua_State *L) {
  un_fill(unl_checkout(L, 1), 0);
  lua_settop(L, 1);
  return 1;
}

static const luaL_Reg methods[] = {{"clone", tensor_clone},
                                   {"contiguous", tensor_contiguous},
                                   {"to", tensor_to},
                                   {"copy_", tensor_copy_},
                                   {"fill_", tensor_fill_},
                                   {"zero_", tensor_zero_},
                                   {NULL, NULL}};

void unl_open_convert(lua_State *L) {
  unl_addmethods(L, UNL_TENSOR, methods);
}
