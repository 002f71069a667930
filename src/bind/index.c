/* index.c -- t[i], t[{i, {first, last, step}, {}}] and the same left of "=".
**
** __index and __newindex are closures over the method table, and look for an integer
** first: t[i] on numbers must be cheap, and allocates nothing. pairs(t) and ipairs(t) go
** over the parts along the first dimension. */
#include "unl.h"

#include <string.h>

#include "copy.h"
#include "view.h"

enum { METHODS = 1 /* upvalue */ };

static const char *const which[UN_MAX_DIMS] = {
    "dimension 1: index", "dimension 2: index", "dimension 3: index",
    "dimension 4: index", "dimension 5: index", "dimension 6: index"};

static lua_Integer range_field(lua_State *L, int range, int field, int dimension) {
  int is_integer;
  lua_rawgeti(L, range, field);
  lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  if (!is_integer)
    luaL_error(L,
               "dimension %d: a range is {first, last}, {first, last, step} or {}; "
               "field %d is a %s",
               dimension, field, luaL_typename(L, -1));
  lua_pop(L, 1);
  return value;
}

/* {first, last, step} on top of the stack, for dimension d of v (number `dimension` of
** the tensor). last = first - 1 is an empty range. */
static void apply_range(lua_State *L, un_view *v, int d, int dimension) {
  int range = lua_gettop(L), fields = (int)lua_rawlen(L, range);
  if (fields == 0) return;
  int64_t size = v->size[d], step = 1;
  lua_Integer first = range_field(L, range, 1, dimension);
  lua_Integer last = range_field(L, range, 2, dimension);
  if (fields > 2) step = range_field(L, range, 3, dimension);
  if (fields > 3 || step < 1)
    luaL_error(L,
               "dimension %d: a range is {first, last, step} with a step of at least 1",
               dimension);
  if (first < 0) first += size + 1;
  if (last < 0) last += size + 1;
  if (first < 1 || first > size + 1 || last < first - 1 || last > size)
    luaL_error(L, "dimension %d: range {%I,%I} does not lie within 1..%I", dimension,
               first, last, size);
  int64_t count = last < first ? 0 : (last - first) / step + 1; /* any step fits */
  un_slice(v, v, d, first - 1, count, step);
}

/* The list of indices and ranges at `key`, applied to v. */
static void apply_list(lua_State *L, un_view *v, int key) {
  int entries = (int)lua_rawlen(L, key), d = 0;
  if (entries > v->dims)
    luaL_error(L, "%d indices for a tensor %s with %d dimensions", entries,
               un_shape(v).s, v->dims);
  for (int i = 1; i <= entries; i++) {
    int is_integer;
    lua_rawgeti(L, key, i);
    lua_Integer index = lua_tointegerx(L, -1, &is_integer);
    if (is_integer)
      un_select(v, v, d, unl_index(L, 0, index, v->size[d], which[i - 1]));
    else if (lua_istable(L, -1))
      apply_range(L, v, d++, i);
    else
      luaL_error(L, "dimension %d: an integer or a range expected, got %s", i,
                 lua_isnumber(L, -1) ? lua_tostring(L, -1) : luaL_typename(L, -1));
    lua_pop(L, 1);
  }
}

/* The part of the tensor that the key names. False when the key is neither a whole
** number nor a list. */
static bool apply_key(lua_State *L, un_view *v, int key) {
  int is_integer;
  lua_Integer index = lua_tointegerx(L, key, &is_integer);
  if (is_integer && lua_type(L, key) == LUA_TNUMBER) {
    if (v->dims == 0) luaL_error(L, "a 0-d tensor has no index; use :item()");
    un_select(v, v, 0, unl_index(L, 0, index, v->size[0], which[0]));
    return true;
  }
  if (!lua_istable(L, key)) return false;
  apply_list(L, v, key);
  return true;
}

static int push_element(lua_State *L, un_dtype dtype, const void *p) {
  double value = un_get(dtype, p);
  if (un_is_real(dtype))
    lua_pushnumber(L, value);
  else
    lua_pushinteger(L, (lua_Integer)value);
  return 1;
}

static int bad_key(lua_State *L) {
  if (unl_totensor(L, 2))
    return luaL_error(L, "a tensor cannot be an index; use index_select or gather");
  return luaL_error(L,
                    "a tensor is indexed by an integer or by a list {i, {first, last}, "
                    "{}}, got %s",
                    lua_isnumber(L, 2) ? unl_pushtext(L, 2) : luaL_typename(L, 2));
}

/* Names like the one asked for come from Lua (unroll/options.lua). */
static int unknown_method(lua_State *L) {
  const char *name = lua_tostring(L, 2);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "unroll.options");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "nearest");
  lua_pushvalue(L, 2);
  lua_newtable(L);
  lua_pushnil(L);
  for (lua_Integer n = 1; lua_next(L, lua_upvalueindex(METHODS)); n++) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, n);
  }
  lua_call(L, 2, 1);
  if (lua_isnil(L, -1)) return luaL_error(L, "a tensor has no method '%s'", name);
  return luaL_error(L, "a tensor has no method '%s'. Did you mean '%s'?", name,
                    lua_tostring(L, -1));
}

/* Lua calls __index and __newindex with a tensor only, and __metatable keeps scripts
** from getting at them: no need to look at the type again. */
static const un_view *self(lua_State *L) {
  unl_tensor *t = lua_touserdata(L, 1);
  unl_look(t->version);
  return &t->view;
}

/* t[i] of a 1-d tensor: where the element is; NULL when it is not that case. */
static void *find_element(lua_State *L) {
  const un_view *v = self(L);
  if (!lua_isinteger(L, 2) || v->dims != 1) return NULL;
  int64_t i = unl_index(L, 0, lua_tointeger(L, 2), v->size[0], which[0]);
  return (char *)v->data + i * v->stride[0] * (int64_t)un_dtype_bytes(v->dtype);
}

static bool is_after_last(lua_State *L) {
  const un_view *v = self(L);
  return v->dims > 0 && lua_isinteger(L, 2) && lua_tointeger(L, 2) == v->size[0] + 1;
}

/* ipairs reads on until nil comes; everybody else has made a mistake. */
static bool is_read_by_ipairs(lua_State *L) {
  lua_Debug reader;
  return lua_getstack(L, 1, &reader) && lua_getinfo(L, "Sn", &reader) &&
         strcmp(reader.what, "C") == 0 && strcmp(reader.namewhat, "for iterator") == 0;
}

static int meta_index(lua_State *L) {
  if (is_after_last(L) && is_read_by_ipairs(L)) {
    lua_pushnil(L);
    return 1;
  }
  const void *element = find_element(L);
  if (element) return push_element(L, self(L)->dtype, element);
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(METHODS)) != LUA_TNIL) return 1;
    return unknown_method(L);
  }
  un_view v = *self(L);
  if (!apply_key(L, &v, 2)) return bad_key(L);
  if (v.dims == 0) return push_element(L, v.dtype, v.data);
  unl_newview(L, 1, &v);
  return 1;
}

static int set_element(lua_State *L, void *element) {
  un_dtype dtype = self(L)->dtype;
  double value = lua_tonumber(L, 3);
  un_err err;
  if (!un_check_value("assignment", dtype, value, UN_EXACT, &err)) unl_raise(L, &err);
  unl_checkout(L, 1);
  un_put(dtype, element, value);
  return 0;
}

static int meta_newindex(lua_State *L) {
  void *element = find_element(L);
  if (element && lua_type(L, 3) == LUA_TNUMBER) return set_element(L, element);
  un_view v = *self(L);
  if (lua_type(L, 2) == LUA_TSTRING)
    return luaL_error(L, "a tensor has no field '%s' that could be set",
                      lua_tostring(L, 2));
  if (!apply_key(L, &v, 2)) return bad_key(L);
  unl_checkout(L, 1);
  unl_assign(L, "assignment", &v, 3);
  return 0;
}

static int next_part(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  lua_Integer i = luaL_checkinteger(L, 2);
  if (i < 0 || i >= v->size[0]) return 0;
  lua_pushinteger(L, i + 1);
  lua_pushinteger(L, i + 1);
  lua_gettable(L, 1);
  return 2;
}

/* for i, part in pairs(t): the elements of a 1-d tensor, else views. */
static int meta_pairs(lua_State *L) {
  if (self(L)->dims == 0) return luaL_error(L, "a 0-d tensor has no parts");
  lua_pushcfunction(L, next_part);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

void unl_open_index(lua_State *L) {
  unl_pushmethods(L, UNL_TENSOR);
  luaL_getmetatable(L, UNL_TENSOR);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, meta_index, METHODS);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, meta_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, meta_pairs);
  lua_setfield(L, -2, "__pairs");
  lua_pop(L, 2);
}
