/* run.c -- calls Lua: with a traceback in the message, open to Ctrl-C, errors reported as
** stock Lua reports them. */
#include <stdio.h>
#include <string.h>

#include "host.h"

const char *host_program_name = "unroll";

/* The text of the error value and a traceback. A value of another type speaks for itself
** through __tostring, without traceback. */
static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

int host_call(lua_State *L, int arguments, int results) {
  int handler = lua_gettop(L) - arguments;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, handler);
  host_interrupts_begin(L, HOST_SCRIPT_PATIENCE);
  int status = lua_pcall(L, arguments, results, handler);
  host_interrupts_end(L);
  lua_remove(L, handler);
  return status;
}

static bool script_interrupted = false;

bool host_was_interrupted(void) {
  return script_interrupted;
}

int host_report(lua_State *L, int status) {
  if (status == LUA_OK) return status;
  if (host_is_interrupt(L)) script_interrupted = true;
  const char *message = lua_tostring(L, -1);
  fflush(stdout);
  fprintf(stderr, "%s: %s\n", host_program_name,
          message ? message : "(error message is not a string)");
  fflush(stderr);
  lua_pop(L, 1);
  return status;
}

int host_run_string(lua_State *L, const char *code, const char *chunk_name) {
  int status = luaL_loadbuffer(L, code, strlen(code), chunk_name);
  if (status == LUA_OK) status = host_call(L, 0, 0);
  return host_report(L, status);
}

int host_run_file(lua_State *L, const char *path) {
  int status = luaL_loadfile(L, path);
  if (status == LUA_OK) status = host_call(L, 0, 0);
  return host_report(L, status);
}
