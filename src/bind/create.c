/* create.c -- new tensors: from nested tables, and filled by a rule.
**
** All take the sizes as integers or as one table, then perhaps a table of options. */
#include "unl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "copy.h"
#include "stop.h"

static const char *const creation_options[] = {"dtype", NULL};

/* --- from nested tables -------------------------------------------------------------
 */

/* Where in the nested table we are, for messages: "[2][3]". */
typedef struct nested {
  un_view *view;
  int64_t index[UN_MAX_DIMS];
} nested;

static const char *position(lua_State *L, const nested *n, int depth) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int d = 0; d < depth; d++) {
    char text[32];
    snprintf(text, sizeof text, "[%lld]", (long long)n->index[d]);
    luaL_addstring(&b, text);
  }
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

/* The value on top of the stack is not what the shape wants. */
static int wrong_type(lua_State *L, const nested *n, int depth, const char *expected) {
  bool is_tensor = unl_totensor(L, -1) != NULL;
  const char *got = is_tensor ? "tensor (see stack)" : luaL_typename(L, -1);
  return luaL_error(L, "tensor: element %s is a %s, a %s was expected",
                    position(L, n, depth), got, expected);
}

static void check_no_fields(lua_State *L, int table) {
  lua_pushnil(L);
  if (!lua_next(L, table)) return;
  luaL_error(L, "tensor: a table of numbers expected, got one with the field '%s'",
             luaL_tolstring(L, -2, NULL));
}

/* The shape that the first elements tell: {{1,2},{3,4}} -> 2, 2. */
static int measure(lua_State *L, int arg, int64_t *size) {
  int dims = 0;
  lua_pushvalue(L, arg);
  while (lua_istable(L, -1)) {
    if (dims == UN_MAX_DIMS)
      luaL_error(L, "tensor: tables nested more than %d deep", UN_MAX_DIMS);
    size[dims] = (int64_t)lua_rawlen(L, -1);
    if (size[dims++] == 0) {
      check_no_fields(L, lua_gettop(L));
      break;
    }
    lua_rawgeti(L, -1, 1);
  }
  lua_settop(L, arg + 1);
  return dims;
}

static void put_number(lua_State *L, nested *n, char *data) {
  un_dtype dtype = n->view->dtype;
  un_err err;
  if (lua_type(L, -1) != LUA_TNUMBER) wrong_type(L, n, n->view->dims, "number");
  double value = lua_tonumber(L, -1);
  if (!un_check_value("", dtype, value, UN_EXACT, &err))
    luaL_error(L, "tensor: element %s%s", position(L, n, n->view->dims), err.msg);
  un_put(dtype, data, value);
}

static void check_length(lua_State *L, const nested *n, int d) {
  int64_t wanted = n->view->size[d];
  if (!lua_istable(L, -1)) wrong_type(L, n, d, "table");
  int64_t length = (int64_t)lua_rawlen(L, -1);
  if (length != wanted)
    luaL_error(L, "tensor: element %s has %I elements, the first one has %I",
               position(L, n, d), (lua_Integer)length, (lua_Integer)wanted);
}

/* The table or number on top of the stack -> elements from `data` on, dimension d. */
static void put_nested(lua_State *L, nested *n, int d, char *data) {
  if (d == n->view->dims) {
    put_number(L, n, data);
    return;
  }
  check_length(L, n, d);
  int64_t step = n->view->stride[d] * (int64_t)un_dtype_bytes(n->view->dtype);
  for (int64_t i = 0; i < n->view->size[d] && !un_stopped_at(i); i++) {
    n->index[d] = i + 1;
    lua_rawgeti(L, -1, i + 1);
    put_nested(L, n, d + 1, data + i * step);
    lua_pop(L, 1);
  }
}

/* tensor{1, 2, dtype = "float64"} would lose the dtype without a word. */
static void check_not_options(lua_State *L) {
  if (lua_istable(L, 1) && lua_getfield(L, 1, "dtype") != LUA_TNIL)
    luaL_error(L, "tensor: dtype belongs into a second table: tensor({...}, {dtype=})");
}

/*---
--- A new tensor from a number, nested tables or another tensor: tensor(x, options).
---@param x number|table|unroll.Tensor nested tables must be rectangular, at most 6 deep
---@param options? {dtype?: string} "float32" when absent; of a tensor, its own
---@return unroll.Tensor
--- Errors: tables that are not rectangular; something that is no number.
--- > tensor{{1, 2}, {3, 4}}[{2, 1}]   --> 3.0
--- > tensor{{1, 2}, {3}}                  --> error: the first one has 2
--- > tensor({1, 2}, {dtype = "int32"}):dtype()   --> "int32"
---@see tensor.zeros Tensor:totable
function tensor.tensor(x, options) end
*/
static int tensor_tensor(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  unl_checkoptions(L, 2, creation_options);
  const un_view *source = unl_totensor(L, 1);
  un_dtype dtype = unl_dtypefield(L, 2, "dtype", source ? source->dtype : UN_F32);
  if (source) {
    un_view *copy = unl_newtensor(L, "tensor", dtype, source->dims, source->size);
    unl_assign(L, "tensor", copy, 1);
    return 1;
  }
  if (!lua_istable(L, 1)) luaL_checktype(L, 1, LUA_TNUMBER);
  check_not_options(L);
  luaL_checkstack(L, 2 * UN_MAX_DIMS, "tables nested too deep");
  lua_settop(L, 1);
  int64_t size[UN_MAX_DIMS];
  int dims = measure(L, 1, size);
  nested n = {.view = unl_newtensor(L, "tensor", dtype, dims, size)};
  lua_pushvalue(L, 1);
  put_nested(L, &n, 0, n.view->data);
  lua_pop(L, 1);
  return 1;
}

static int call_module(lua_State *L) {
  lua_remove(L, 1);
  return tensor_tensor(L);
}

/* --- filled with a value ------------------------------------------------------------
 */

/* Sizes at 1..top, then options. */
static un_view *new_from_sizes(lua_State *L, const char *who) {
  int64_t size[UN_MAX_DIMS];
  int options = unl_findoptions(L, 1, creation_options);
  int last = options ? options - 1 : lua_gettop(L);
  if (last == 0 && !options) luaL_error(L, "%s: sizes expected, got none", who);
  un_dtype dtype = options ? unl_dtypefield(L, options, "dtype", UN_F32) : UN_F32;
  int dims = unl_checksizes(L, 1, last, size);
  return unl_newtensor(L, who, dtype, dims, size);
}

/*---
--- A tensor of zeros.
---@param ... integer|integer[] sizes, then perhaps {dtype=}; {} makes a 0-d tensor
---@return unroll.Tensor
--- Errors: a negative size; more than 6 dimensions; an unknown option.
--- > tensor.zeros(2, 3, {dtype = "float64"}):numel()   --> 6
---@see tensor.ones tensor.full tensor.zeros_like
function tensor.zeros(...) end
*/
static int tensor_zeros(lua_State *L) {
  un_fill(new_from_sizes(L, "zeros"), 0);
  return 1;
}

/*---
--- A tensor of ones.
---@param ... integer|integer[] sizes, then perhaps {dtype=}
---@return unroll.Tensor
--- Errors: a negative size; more than 6 dimensions; an unknown option.
--- > tensor.ones(2, 2):totable()   --> {{1.0, 1.0}, {1.0, 1.0}}
---@see tensor.zeros tensor.full
function tensor.ones(...) end
*/
static int tensor_ones(lua_State *L) {
  un_fill(new_from_sizes(L, "ones"), 1);
  return 1;
}

static void check_fits(lua_State *L, const char *who, un_dtype dtype, double value) {
  un_err err;
  if (!un_check_value(who, dtype, value, UN_EXACT, &err)) unl_raise(L, &err);
}

/*---
--- A tensor with every element equal to `value`.
---@param sizes integer|integer[] {} makes a 0-d tensor
---@param value number
---@param options? {dtype?: string}
---@return unroll.Tensor
--- Errors: a negative size; a value that the dtype does not hold.
--- > tensor.full({2, 2}, 7)[{1, 2}]   --> 7.0
---@see tensor.zeros Tensor:fill_
function tensor.full(sizes, value, options) end
*/
static int tensor_full(lua_State *L) {
  int64_t size[UN_MAX_DIMS];
  double value = luaL_checknumber(L, 2);
  unl_checkoptions(L, 3, creation_options);
  un_dtype dtype = unl_dtypefield(L, 3, "dtype", UN_F32);
  int dims = unl_checksizes(L, 1, 1, size);
  check_fits(L, "full", dtype, value);
  un_fill(unl_newtensor(L, "full", dtype, dims, size), value);
  return 1;
}

/*---
--- Zeros in the shape of t.
---@param t unroll.Tensor
---@param options? {dtype?: string} that of t when absent
---@return unroll.Tensor
--- Errors: an unknown option.
--- > tensor.zeros_like(tensor{{1, 2}}):size()   --> (1, 2)
---@see tensor.zeros
function tensor.zeros_like(t, options) end
*/
static int tensor_zeros_like(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  unl_checkoptions(L, 2, creation_options);
  un_dtype dtype = unl_dtypefield(L, 2, "dtype", v->dtype);
  un_fill(unl_newtensor(L, "zeros_like", dtype, v->dims, v->size), 0);
  return 1;
}

/* --- filled by a rule ---------------------------------------------------------------
 */

static double check_finite(lua_State *L, int arg) {
  double x = luaL_checknumber(L, arg);
  luaL_argcheck(L, isfinite(x), arg, "must be finite");
  return x;
}

/* element i = first + i * step */
static int progression(lua_State *L, const char *who, un_dtype dtype, int64_t count,
                       double first, double step) {
  un_view *v = unl_newtensor(L, who, dtype, 1, &count);
  if (count > 0 && !un_is_real(dtype)) {
    check_fits(L, who, dtype, first);
    check_fits(L, who, dtype, step < 0 ? -step : step);
    check_fits(L, who, dtype, first + (double)(count - 1) * step);
  }
  un_fill_progression(v, first, step);
  return 1;
}

/*---
--- The numbers from `first` to `last`, both included, `step` apart, as Lua's `for`
--- counts. A last element that rounding would miss is there.
---@param first number
---@param last? number absent: 1 to `first`
---@param step? number default 1
---@param options? {dtype?: string}
---@return unroll.Tensor 1-d
--- Errors: a step of 0; ends that are not finite.
--- > tensor.arange(3):totable()[3]   --> 3.0
--- > tensor.arange(0, 1, 0.25):numel()   --> 5
---@see tensor.linspace
function tensor.arange(first, last, step, options) end
*/
static int tensor_arange(lua_State *L) {
  int options = unl_findoptions(L, 1, creation_options);
  un_dtype dtype = options ? unl_dtypefield(L, options, "dtype", UN_F32) : UN_F32;
  if (options) lua_settop(L, options - 1);
  double first = 1, last = check_finite(L, 1), step = 1;
  if (!lua_isnoneornil(L, 2)) {
    first = last;
    last = check_finite(L, 2);
  }
  if (!lua_isnoneornil(L, 3)) step = check_finite(L, 3);
  luaL_argcheck(L, step != 0, 3, "step is zero");
  double steps = (last - first) / step;
  double count = floor(steps + 1e-9 * (1 + fabs(steps))) + 1;
  if (count > 0x1p53)
    return luaL_error(L, "arange: more elements than memory can hold");
  return progression(L, "arange", dtype, count > 0 ? (int64_t)count : 0, first, step);
}

/*---
--- `n` evenly spaced numbers from `first` to `last`, both included.
---@param first number
---@param last number
---@param n integer at least 0
---@param options? {dtype?: string}
---@return unroll.Tensor 1-d
--- Errors: a negative n; ends that are not finite.
--- > tensor.linspace(0, 1, 5)[2]   --> 0.25
---@see tensor.arange
function tensor.linspace(first, last, n, options) end
*/
static int tensor_linspace(lua_State *L) {
  double first = check_finite(L, 1), last = check_finite(L, 2);
  int64_t n = luaL_checkinteger(L, 3);
  unl_checkoptions(L, 4, creation_options);
  un_dtype dtype = unl_dtypefield(L, 4, "dtype", UN_F32);
  luaL_argcheck(L, un_is_real(dtype), 4, "dtype must be float32 or float64");
  progression(L, "linspace", dtype, n, first,
              n > 1 ? (last - first) / (double)(n - 1) : 0);
  un_view *v = unl_checktensor(L, -1);
  if (n > 1)
    un_put(dtype, (char *)v->data + (size_t)(n - 1) * un_dtype_bytes(dtype), last);
  return 1;
}

/*---
--- Ones on the diagonal, zeros elsewhere.
---@param rows integer
---@param columns? integer as many as rows when absent
---@param options? {dtype?: string}
---@return unroll.Tensor (rows, columns)
--- Errors: a negative size; an unknown option.
--- > tensor.eye(2):totable()   --> {{1.0, 0.0}, {0.0, 1.0}}
function tensor.eye(rows, columns, options) end
*/
static int tensor_eye(lua_State *L) {
  int options = unl_findoptions(L, 2, creation_options);
  un_dtype dtype = options ? unl_dtypefield(L, options, "dtype", UN_F32) : UN_F32;
  if (options) lua_settop(L, options - 1);
  int64_t rows = luaL_checkinteger(L, 1), columns = luaL_optinteger(L, 2, rows);
  un_view *v = unl_newtensor(L, "eye", dtype, 2, (int64_t[]){rows, columns});
  un_fill(v, 0);
  un_view diagonal = {.dtype = dtype, .dims = 1, .data = v->data};
  diagonal.size[0] = rows < columns ? rows : columns;
  diagonal.stride[0] = columns + 1;
  un_fill(&diagonal, 1);
  return 1;
}

static const luaL_Reg functions[] = {{"tensor", tensor_tensor},
                                     {"zeros", tensor_zeros},
                                     {"ones", tensor_ones},
                                     {"full", tensor_full},
                                     {"zeros_like", tensor_zeros_like},
                                     {"arange", tensor_arange},
                                     {"linspace", tensor_linspace},
                                     {"eye", tensor_eye},
                                     {NULL, NULL}};

void unl_open_create(lua_State *L) {
  unl_subtable(L, "tensor");
  luaL_setfuncs(L, functions, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, call_module);
  lua_setfield(L, -2, "__call");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}
