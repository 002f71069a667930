/* series.c -- series of numbers without a page: copies, ranges, outlines
** (src/plot/series.c). */
#include <string.h>

#include "canvas_args.h"
#include "stop.h"

/*---
--- Lowest and highest finite value.
---@param values unroll.Tensor|number[]
---@param positive_only? boolean leave out what a log axis cannot show
---@return number low math.huge when there is none
---@return number high -math.huge when there is none
---@return integer finite how many values were counted
---@return integer dropped how many were finite but not positive
---@return boolean integers whether all counted values are whole numbers
function core.canvas.range(values, positive_only) end
*/
static int canvas_range(lua_State *L) {
  un_series s = unl_checkseries(L, 1);
  un_range r = un_series_range(&s, lua_toboolean(L, 2));
  lua_pushnumber(L, r.low);
  lua_pushnumber(L, r.high);
  lua_pushinteger(L, (lua_Integer)r.finite);
  lua_pushinteger(L, (lua_Integer)r.dropped);
  lua_pushboolean(L, r.integers);
  return 5;
}

enum { OUTLINE_ROOM = 2048 };

/*---
--- A few hundred page points that stand for a line: what a legend must keep clear of.
---@param frame table {left, top, right, bottom, xscale, xlow, xhigh, yscale, ylow,
--- yhigh}
---@param x unroll.Tensor|number[]|nil nil: 1, 2, 3, ...
---@param y unroll.Tensor|number[]
---@param bucket number width in points within which points are joined
---@return number[] x0, y0, x1, y1, ...; NaN, NaN where the line breaks
function core.canvas.outline(frame, x, y, bucket) end
*/
static int canvas_outline(lua_State *L) {
  double points[2 * OUTLINE_ROOM];
  un_frame frame = unl_checkframe(L, 1);
  double bucket = luaL_checknumber(L, 4);
  luaL_argcheck(L, bucket > 0, 4, "must be positive");
  lua_settop(L, 4);
  un_series y = unl_checkseries(L, 3), x = unl_checkpositions(L, 2, y.count);
  size_t n = un_series_outline(&frame, &x, &y, bucket, points, OUTLINE_ROOM);
  lua_createtable(L, (int)(2 * n), 0);
  for (size_t i = 0; i < 2 * n; i++) {
    lua_pushnumber(L, points[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static double tensor_element(const un_view *v, int64_t i) {
  int64_t at = i * v->stride[0];
  switch (v->dtype) {
  case UN_F32:
    return (double)((const float *)v->data)[at];
  case UN_F64:
    return ((const double *)v->data)[at];
  case UN_I32:
    return ((const int32_t *)v->data)[at];
  case UN_U8:
    return ((const uint8_t *)v->data)[at];
  case UN_U16:
    return ((const uint16_t *)v->data)[at];
  }
  return 0;
}

static int snapshot_of_tensor(lua_State *L, const un_view *v) {
  if (v->dims != 1) {
    lua_pushnil(L);
    lua_pushfstring(L, "must have one dimension, got %s", un_shape(v).s);
    return 2;
  }
  un_view *copy = unl_newtensor(L, "snapshot", UN_F64, 1, v->size);
  for (int64_t i = 0; i < v->size[0] && !un_stopped_at(i); i++)
    ((double *)copy->data)[i] = tensor_element(v, i);
  return 1;
}

/* Is it without numbers, but not empty? A name is pushed, "?" for a key that is none. */
static bool has_names_only(lua_State *L, int64_t n) {
  lua_pushnil(L);
  if (n > 0 || !lua_next(L, 1)) {
    lua_settop(L, 1);
    return false;
  }
  lua_pop(L, 1);
  if (lua_type(L, -1) != LUA_TSTRING) lua_pushliteral(L, "?");
  return true;
}

static int snapshot_of_table(lua_State *L) {
  int64_t n = luaL_len(L, 1);
  if (has_names_only(L, n)) {
    lua_pushnil(L);
    lua_pushfstring(L, "must be a list of numbers, got a table with the key '%s'",
                    lua_tostring(L, -2));
    return 2;
  }
  double *values = unl_newtensor(L, "snapshot", UN_F64, 1, &n)->data;
  for (int64_t i = 0; i < n && !un_stopped_at(i); i++) {
    if (lua_geti(L, 1, i + 1) != LUA_TNUMBER) {
      lua_pushnil(L);
      lua_pushfstring(L, "element %I is a %s, must be a number", (lua_Integer)i + 1,
                      luaL_typename(L, -2));
      return 2;
    }
    values[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return 1;
}

/*---
--- A float64 copy, so that a chart does not change when the caller's buffer does.
---@param values unroll.Tensor|number[] any dtype, one dimension
---@return unroll.Tensor? copy, string? message
function core.canvas.snapshot(values) end
*/
static int canvas_snapshot(lua_State *L) {
  lua_settop(L, 1);
  un_view *v = unl_totensor(L, 1);
  if (v) return snapshot_of_tensor(L, v);
  if (lua_istable(L, 1)) return snapshot_of_table(L);
  lua_pushnil(L);
  lua_pushfstring(L, "must be a tensor or a table of numbers, got %s",
                  luaL_typename(L, 1));
  return 2;
}

/*---
--- The numbers of a snapshot as a Lua table.
---@param values unroll.Tensor|number[]
---@return number[]
function core.canvas.values(values) end
*/
static int canvas_values(lua_State *L) {
  un_series s = unl_checkseries(L, 1);
  lua_createtable(L, (int)s.count, 0);
  for (size_t i = 0; i < s.count; i++) {
    lua_pushnumber(L, un_series_value(&s, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/*---
--- How many numbers a series has.
---@param values unroll.Tensor|number[]
---@return integer
function core.canvas.count(values) end
*/
static int canvas_count(lua_State *L) {
  if (lua_istable(L, 1))
    lua_pushinteger(L, luaL_len(L, 1));
  else
    lua_pushinteger(L, (lua_Integer)unl_checkseries(L, 1).count);
  return 1;
}

/*---
--- How many finite values fall between two neighbouring edges; the last edge belongs to
--- the last bin.
---@param values unroll.Tensor|number[]
---@param edges number[] at least two, rising
---@return number[] counts
function core.canvas.histogram(values, edges) end
*/
static int canvas_histogram(lua_State *L) {
  lua_settop(L, 2);
  un_series s = unl_checkseries(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  un_series edges = unl_checkseries(L, 2);
  luaL_argcheck(L, edges.count >= 2, 2, "at least two edges");
  double *counts = lua_newuserdatauv(L, edges.count * sizeof *counts, 0);
  un_series_histogram(&s, edges.data, edges.count, counts);
  lua_createtable(L, (int)edges.count - 1, 0);
  for (size_t i = 0; i + 1 < edges.count; i++) {
    lua_pushnumber(L, counts[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/*---
--- The finite values in ascending order, as a float64 tensor.
---@param values unroll.Tensor|number[]
---@return unroll.Tensor
function core.canvas.sorted(values) end
*/
static int canvas_sorted(lua_State *L) {
  lua_settop(L, 1);
  un_series s = unl_checkseries(L, 1);
  double *sorted = lua_newuserdatauv(L, (2 * s.count + 1) * sizeof *sorted, 0);
  int64_t n = (int64_t)un_series_sorted(&s, sorted, sorted + s.count);
  un_view *result = unl_newtensor(L, "sorted", UN_F64, 1, &n);
  if (n > 0) memcpy(result->data, sorted, (size_t)n * sizeof *sorted);
  return 1;
}

/*---
--- The quantile p of sorted values, interpolated linearly; nil when there are none.
---@param sorted unroll.Tensor from core.canvas.sorted
---@param p number 0..1
---@return number?
function core.canvas.quantile(sorted, p) end
*/
static int canvas_quantile(lua_State *L) {
  un_view *v = unl_checkreal(L, 1);
  double p = luaL_checknumber(L, 2);
  luaL_argcheck(
      L, v->dims == 1 && v->dtype == UN_F64 && (v->size[0] < 2 || v->stride[0] == 1), 1,
      "must be contiguous float64 values");
  luaL_argcheck(L, p >= 0 && p <= 1, 2, "must be in 0..1");
  if (v->size[0] == 0)
    lua_pushnil(L);
  else
    lua_pushnumber(L, un_quantile(v->data, (size_t)v->size[0], p));
  return 1;
}

static const luaL_Reg functions[] = {{"histogram", canvas_histogram},
                                     {"sorted", canvas_sorted},
                                     {"quantile", canvas_quantile},
                                     {"range", canvas_range},
                                     {"outline", canvas_outline},
                                     {"snapshot", canvas_snapshot},
                                     {"values", canvas_values},
                                     {"count", canvas_count},
                                     {NULL, NULL}};

void unl_open_series(lua_State *L) {
  unl_subtable(L, "canvas");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
