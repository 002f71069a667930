/* embedded.c -- the Lua sources and data inside the program.
**
** A searcher, asked before any file is looked for, finds them by module name, so that a
** script unroll.lua in the current directory does not hide the library. When
** UNROLL_LUA=dir is set, the modules unroll.* come from the files there instead (to edit
** without building); the packages argparse and dkjson stay those of the program.
**
** What the searcher loads has global variables of its own: those of Lua as they were at
** the start, before those of the scripts. So a script, or somebody at the prompt, may call
** a variable `type`, `next` or `error`, and the library still works.
*/
#include "embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static int compare_name(const void *name, const void *file) {
  return strcmp(name, ((const un_embedded_file *)file)->name);
}

static const un_embedded_file *find(const char *name) {
  return bsearch(name, un_embedded, un_embedded_count, sizeof *un_embedded,
                 compare_name);
}

/* The directory that replaces the embedded files; NULL when there is none. */
static const char *override_directory(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV"); /* the option -E */
  const char *directory = lua_toboolean(L, -1) ? NULL : getenv("UNROLL_LUA");
  lua_pop(L, 1);
  return directory && *directory ? directory : NULL;
}

static bool is_own_module(const char *name) {
  return strcmp(name, "unroll") == 0 || strncmp(name, "unroll.", 7) == 0;
}

/* --- global variables of the library ------------------------------------------------ */

static const char environment_key = 'e';

/* A copy of the global table, in front of it. */
static void make_environment(lua_State *L) {
  lua_newtable(L);
  lua_pushglobaltable(L);
  for (lua_pushnil(L); lua_next(L, -2);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2); /* table, globals, key, key, value */
    lua_rawset(L, -5);
  }
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -3);
  lua_pop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
}

/* Gives it to the chunk on top of the stack. */
static void set_environment(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
  lua_setupvalue(L, -2, 1);
}

/* --- from files --------------------------------------------------------------------- */

static int search_directory(lua_State *L, const char *name, const char *directory) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchpath");
  lua_pushstring(L, name);
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", directory, directory);
  lua_call(L, 2, 2); /* path, or nil and a message */
  const char *path = lua_tostring(L, -2);
  if (!path && strcmp(name, "unroll") == 0)
    return luaL_error(L, "UNROLL_LUA=%s: no library there:\n\t%s", directory,
                      lua_tostring(L, -1));
  if (!path) return 1;
  if (luaL_loadfile(L, path) != LUA_OK) return lua_error(L);
  set_environment(L);
  lua_pushstring(L, path);
  return 2;
}

/* --- from the program --------------------------------------------------------------- */

static int search_program(lua_State *L, const char *name) {
  const char *path = luaL_gsub(L, name, ".", "/");
  const un_embedded_file *file = find(lua_pushfstring(L, "%s.lua", path));
  if (!file) file = find(lua_pushfstring(L, "%s/init.lua", path));
  if (!file) {
    lua_pushfstring(L, "no file '%s.lua' in the program", path);
    return 1;
  }
  const char *code = (const char *)file->code.bytes;
  if (luaL_loadbuffer(L, code, file->code.length, file->name) != LUA_OK)
    return lua_error(L);
  set_environment(L);
  lua_pushstring(L, file->name);
  return 2;
}

static int search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const char *directory = override_directory(L);
  if (directory && is_own_module(name)) return search_directory(L, name, directory);
  return search_program(L, name);
}

/* unroll.embedded.read(name): the bytes of a file in the program, nil when absent. */
static int embedded_read(lua_State *L) {
  const un_embedded_file *file = find(luaL_checkstring(L, 1));
  if (!file) return 0;
  lua_pushlstring(L, (const char *)file->source.bytes, file->source.length);
  return 1;
}

/* unroll.embedded.names(): the names of the files in the program, sorted. */
static int embedded_names(lua_State *L) {
  lua_createtable(L, (int)un_embedded_count, 0);
  for (size_t i = 0; i < un_embedded_count; i++) {
    lua_pushstring(L, un_embedded[i].name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int open_reader(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"read", embedded_read}, {"names", embedded_names}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

void host_open_embedded(lua_State *L) {
  make_environment(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) { /* 1 is package.preload */
    lua_geti(L, -1, i);
    lua_seti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search);
  lua_seti(L, -2, 2);
  lua_getfield(L, -2, "preload");
  lua_pushcfunction(L, open_reader);
  lua_setfield(L, -2, "unroll.embedded");
  lua_pop(L, 3);
}

/* --- licences ----------------------------------------------------------------------- */

void host_print_licenses(void) {
  for (size_t i = 0; i < un_embedded_count; i++) {
    const un_embedded_file *file = &un_embedded[i];
    if (strncmp(file->name, "licenses/", 9) != 0) continue;
    printf("--- %s\n\n%.*s\n", file->name + 9, (int)file->source.length,
           (const char *)file->source.bytes);
  }
}
