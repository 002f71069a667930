/* main.c -- the program: options, state, script. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "embedded.h"
#include "unl.h"

static const un_embedded_file *find_embedded(const char *name) {
  for (size_t i = 0; i < un_embedded_count; i++)
    if (strcmp(un_embedded[i].name, name) == 0) return &un_embedded[i];
  return NULL;
}

static int search_embedded(lua_State *L) {
  const char *name = luaL_gsub(L, luaL_checkstring(L, 1), ".", "/");
  const un_embedded_file *file = find_embedded(lua_pushfstring(L, "%s.lua", name));
  if (!file) file = find_embedded(lua_pushfstring(L, "%s/init.lua", name));
  if (!file) return 0;
  if (luaL_loadbuffer(L, (const char *)file->bytes, file->length,
                      lua_pushfstring(L, "@%s", file->name)) != LUA_OK)
    return lua_error(L);
  lua_pushstring(L, file->name);
  return 2;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "unroll.core", unl_open, 0);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_pushcfunction(L, search_embedded);
  lua_rawseti(L, -2, 2);
  lua_settop(L, 0);
  lua_newtable(L);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setglobal(L, "arg");
  if (argc > 1 && luaL_dofile(L, argv[1]) != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 1;
  }
  lua_close(L);
  return 0;
}
