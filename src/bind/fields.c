/* fields.c -- checks of buffers and descriptions (see fields.h). */
#include "fields.h"

void *unl_numbers(lua_State *L, int arg, un_dtype dtype, int64_t n, const char *what) {
  if (lua_isnil(L, arg)) return NULL;
  const un_view *v = unl_checktensor(L, arg);
  if (v->dtype != dtype || un_numel(v) != n || !un_is_contiguous(v))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s must be contiguous %s with %I elements", what,
                                  un_dtype_name(dtype), (lua_Integer)n));
  return v->data;
}

void unl_setknown(lua_State *L, int arg, unl_known *known, int owner, int user_value) {
  bool is_nil = lua_isnil(L, arg);
  *known = (unl_known){is_nil ? NULL : lua_topointer(L, arg),
                       is_nil ? NULL : unl_checkheader(L, arg)->version};
  lua_pushvalue(L, arg);
  lua_setiuservalue(L, owner, user_value);
}

int64_t unl_sizefield(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  lua_Integer n = luaL_checkinteger(L, -1);
  if (n < 1 || n > INT32_MAX) luaL_error(L, "%s is %I, must be in 1..2^31-1", name, n);
  lua_pop(L, 1);
  return n;
}

void unl_keep(lua_State *L, int owner, int user_value) {
  lua_getiuservalue(L, owner, user_value);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

void *unl_newblock(lua_State *L, int owner, size_t bytes, int user_value) {
  owner = lua_absindex(L, owner);
  uintptr_t p = (uintptr_t)lua_newuserdatauv(L, bytes + 63, 0);
  lua_setiuservalue(L, owner, user_value);
  return (void *)((p + 63) & ~(uintptr_t)63);
}

void unl_setclass(lua_State *L, const char *name) {
  unl_class *header = lua_touserdata(L, -1);
  luaL_setmetatable(L, name);
  *header = (unl_class){header, name};
}

void *unl_testclass(lua_State *L, int arg, const char *name) {
  if (lua_rawlen(L, arg) < sizeof(unl_class)) return NULL;
  unl_class *header = lua_touserdata(L, arg);
  return header && header->self == header && header->name == name ? header : NULL;
}

void *unl_checkclass(lua_State *L, int arg, const char *name) {
  void *found = unl_testclass(L, arg, name);
  return found ? found : luaL_checkudata(L, arg, name); /* raises */
}

int unl_failure(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
}
