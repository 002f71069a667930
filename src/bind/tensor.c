/* tensor.c -- the Tensor class: what a tensor says about itself, and its metatable.
**
** Lists of sizes and strides are tables with a metatable of their own, so that they
** print as "(2, 3)" and a:size() == b:size() compares numbers. */
#include "unl.h"

#include "copy.h"
#include "stop.h"

#define SIZES "unroll.Sizes"

static void push_sizes(lua_State *L, int n, const int64_t *list) {
  lua_createtable(L, n, 0);
  for (int d = 0; d < n; d++) {
    lua_pushinteger(L, list[d]);
    lua_rawseti(L, -2, d + 1);
  }
  luaL_setmetatable(L, SIZES);
}

static int sizes_eq(lua_State *L) {
  lua_Unsigned n = lua_rawlen(L, 1);
  bool equal = n == lua_rawlen(L, 2);
  for (lua_Unsigned i = 1; equal && i <= n; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i);
    lua_rawgeti(L, 2, (lua_Integer)i);
    equal = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
  }
  lua_pushboolean(L, equal);
  return 1;
}

static int sizes_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addchar(&b, '(');
  for (lua_Unsigned i = 1; i <= lua_rawlen(L, 1); i++) {
    if (i > 1) luaL_addstring(&b, ", ");
    lua_rawgeti(L, 1, (lua_Integer)i);
    luaL_addvalue(&b);
  }
  luaL_addchar(&b, ')');
  luaL_pushresult(&b);
  return 1;
}

/*---
--- An array of numbers of one dtype with 0 to 6 dimensions, in row-major order with
--- strides. Made by `tensor.tensor` and its neighbours; views share the memory of the
--- tensor they come from.
---
--- `t[i]` is a number of a vector, else a view of row i; `t[{i, j}]` one element;
--- `t[{ {1, 5}, {} }]` rows 1 to 5 of all columns, a view. The same on the left of "="
--- writes. Indices start at 1, negative ones count from the end, ranges include both
--- ends and may have a step. + - * / ^ and minus work element by element and broadcast;
--- float32 with float64 gives float64; integers do not compute.
---@class unroll.Tensor
---@field [integer] number|unroll.Tensor
---@operator add(unroll.Tensor|number): unroll.Tensor
---@operator sub(unroll.Tensor|number): unroll.Tensor
---@operator mul(unroll.Tensor|number): unroll.Tensor
---@operator div(unroll.Tensor|number): unroll.Tensor
---@operator pow(unroll.Tensor|number): unroll.Tensor
---@operator unm: unroll.Tensor
--- > t = tensor{{1, 2, 3}, {4, 5, 6}}
--- > t[{2, 3}]                       --> 6.0
--- > t[{ {}, {1, 2} }]:totable()     --> {{1.0, 2.0}, {4.0, 5.0}}
--- > t[1] = 0
--- > (t * 2 + 1):totable()           --> {{1.0, 1.0, 1.0}, {9.0, 11.0, 13.0}}
---@see tensor rnn.lm
Tensor = {}
*/

/*---
--- The shape: the sizes of all dimensions as a list, or one of them. Lists compare by their
--- numbers: a:size() == b:size().
---@param dim? integer 1 to t:dim(), negative from the end
---@return integer[]|integer
--- Errors: a dimension that does not exist.
--- > tensor.zeros(2, 3):size(2)   --> 3
--- > tensor.zeros(2, 3):size()    --> (2, 3)
---@see Tensor:dim Tensor:numel
function Tensor:size(dim) end
*/
static int tensor_size(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    lua_pushinteger(L, v->size[unl_checkdim(L, 2, v)]);
    return 1;
  }
  push_sizes(L, v->dims, v->size);
  return 1;
}

/*---
--- The strides, in elements: how far apart neighbours along each dimension lie in
--- memory. A list, or the stride of one dimension.
---@param dim? integer
---@return integer[]|integer
--- Errors: a dimension that does not exist.
--- > tensor.zeros(2, 3):t():stride()   --> (1, 3)
---@see Tensor:is_contiguous
function Tensor:stride(dim) end
*/
static int tensor_stride(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  if (!lua_isnoneornil(L, 2)) {
    lua_pushinteger(L, v->stride[unl_checkdim(L, 2, v)]);
    return 1;
  }
  push_sizes(L, v->dims, v->stride);
  return 1;
}

/*---
--- The number of dimensions, 0 to 6.
---@return integer
--- > tensor.zeros(2, 3):dim()   --> 2
function Tensor:dim() end
*/
static int tensor_dim(lua_State *L) {
  lua_pushinteger(L, unl_checktensor(L, 1)->dims);
  return 1;
}

/*---
--- The number of elements.
---@return integer
--- > tensor.zeros(2, 3):numel()   --> 6
function Tensor:numel() end
*/
static int tensor_numel(lua_State *L) {
  lua_pushinteger(L, un_numel(unl_checktensor(L, 1)));
  return 1;
}

/*---
--- The type of the elements: "float32", "float64", "int32", "uint8" or "uint16".
---@return string
--- > tensor{1, 2}:dtype()   --> "float32"
---@see Tensor:to
function Tensor:dtype() end
*/
static int tensor_dtype(lua_State *L) {
  lua_pushstring(L, un_dtype_name(unl_checktensor(L, 1)->dtype));
  return 1;
}

/*---
--- True when the elements lie in row-major order without gaps.
---@return boolean
--- > tensor.zeros(2, 3):t():is_contiguous()   --> false
---@see Tensor:contiguous
function Tensor:is_contiguous() end
*/
static int tensor_is_contiguous(lua_State *L) {
  lua_pushboolean(L, un_is_contiguous(unl_checktensor(L, 1)));
  return 1;
}

static void push_element(lua_State *L, const un_view *v, const void *p) {
  double value = un_get(v->dtype, p);
  if (un_is_real(v->dtype))
    lua_pushnumber(L, value);
  else
    lua_pushinteger(L, (lua_Integer)value);
}

/*---
--- The value of a tensor with one element, of any shape.
---@return number
--- Errors: a tensor with more or fewer elements than one.
--- > tensor{{5}}:item()   --> 5.0
function Tensor:item() end
*/
static int tensor_item(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  if (un_numel(v) != 1)
    return luaL_error(L, "item: a tensor with one element expected, got %s",
                      un_shape(v).s);
  push_element(L, v, v->data);
  return 1;
}

static void push_nested(lua_State *L, const un_view *v, int d, const char *data) {
  if (d == v->dims) {
    push_element(L, v, data);
    return;
  }
  int64_t step = v->stride[d] * (int64_t)un_dtype_bytes(v->dtype);
  lua_createtable(L, v->size[d] < INT32_MAX ? (int)v->size[d] : 0, 0);
  for (int64_t i = 0; i < v->size[d] && !un_stopped_at(i); i++) {
    push_nested(L, v, d + 1, data + i * step);
    lua_rawseti(L, -2, i + 1);
  }
}

/*---
--- The numbers as nested Lua tables; of a 0-d tensor, the number.
---@return table|number
--- > tensor{{1, 2}, {3, 4}}:totable()[2][1]   --> 3.0
--- > tensor{{1, 2}, {3, 4}}:totable()   --> {{1.0, 2.0}, {3.0, 4.0}}
---@see tensor.tensor
function Tensor:totable() end
*/
static int tensor_totable(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  luaL_checkstack(L, 2 * UN_MAX_DIMS, "too many dimensions");
  push_nested(L, v, 0, v->data);
  return 1;
}

/*---
--- How often the memory of `t` has been written: all views of one tensor share the
--- count. A trace uses it to refuse a backward pass after an input has changed.
---@param t unroll.Tensor
---@return integer
--- > t = tensor{1, 2}
--- > before = tensor.version(t)
--- > t:mul_(2);
--- > tensor.version(t) > before   --> true
function tensor.version(t) end
*/
static int tensor_version(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)unl_version(L, 1));
  return 1;
}

/*---
--- Whether x is a tensor.
---@param x any
---@return boolean
--- > tensor.is_tensor(tensor{1})   --> true
--- > tensor.is_tensor({1})         --> false
function tensor.is_tensor(x) end
*/
static int tensor_is_tensor(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, unl_totensor(L, 1) != NULL);
  return 1;
}

static int meta_len(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  if (v->dims == 0) return luaL_error(L, "a 0-d tensor has no length");
  lua_pushinteger(L, v->size[0]);
  return 1;
}

/* The printing is written in Lua (unroll/tensor/print.lua), loaded on first use. */
static int meta_tostring(lua_State *L) {
  unl_checktensor(L, 1);
  lua_settop(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "unroll.tensor.print");
  lua_call(L, 1, 1);
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static const luaL_Reg methods[] = {{"size", tensor_size},
                                   {"stride", tensor_stride},
                                   {"dim", tensor_dim},
                                   {"numel", tensor_numel},
                                   {"dtype", tensor_dtype},
                                   {"is_contiguous", tensor_is_contiguous},
                                   {"item", tensor_item},
                                   {"totable", tensor_totable},
                                   {NULL, NULL}};
static const luaL_Reg functions[] = {
    {"version", tensor_version}, {"is_tensor", tensor_is_tensor}, {NULL, NULL}};
static const luaL_Reg metamethods[] = {
    {"__len", meta_len}, {"__tostring", meta_tostring}, {NULL, NULL}};

static const luaL_Reg sizes_metamethods[] = {
    {"__eq", sizes_eq}, {"__tostring", sizes_tostring}, {NULL, NULL}};

void unl_open_tensor(lua_State *L) {
  luaL_newmetatable(L, SIZES);
  luaL_setfuncs(L, sizes_metamethods, 0);
  lua_pop(L, 1);
  unl_addmethods(L, UNL_TENSOR, methods);
  luaL_getmetatable(L, UNL_TENSOR);
  luaL_setfuncs(L, metamethods, 0);
  lua_pop(L, 1);
  unl_subtable(L, "tensor");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
