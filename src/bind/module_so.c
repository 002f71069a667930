/* module_so.c -- unroll/core.so: the only symbol that stock Lua sees. */
#include "unl.h"

__attribute__((visibility("default"))) int luaopen_unroll_core(lua_State *L);

int luaopen_unroll_core(lua_State *L) {
  return unl_open(L);
}
