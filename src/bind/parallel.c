/* parallel.c -- unroll.threads, and the pool of sys in the hands of core. */
#include "parallel.h"

#include <stdlib.h>

#include "threads.h"
#include "unl.h"

/*---
--- How many threads unroll may use; with `n`, from now on. They share the rows of a
--- batch and the parts of very large tensors, cut at places that do not depend on their
--- number: so neither do the bits of any result. Products go to OpenBLAS, which is told
--- to keep to the thread that calls it, whatever OPENBLAS_NUM_THREADS says. Each
--- process of a sweep has one thread.
---
--- At the start it is 1, or what the environment variable UNROLL_THREADS says.
---@param n? integer 1..256
---@return integer threads
--- Errors: n out of that range.
--- > unroll.threads(2)   --> 2
--- > unroll.threads(1)   --> 1
function unroll.threads(n) end
*/
static int sys_threads(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    lua_Integer n = luaL_checkinteger(L, 1);
    if (n < 1 || n > UN_SYS_MAX_THREADS)
      luaL_argerror(L, 1,
                    lua_pushfstring(L, "%I threads: must be in 1..%d", n,
                                    UN_SYS_MAX_THREADS));
    un_sys_set_threads((int)n);
  }
  lua_pushinteger(L, un_sys_threads());
  return 1;
}

static void read_environment(lua_State *L) {
  const char *text = getenv("UNROLL_THREADS");
  if (!text || !*text) return;
  char *end;
  long n = strtol(text, &end, 10);
  if (*end != '\0' || n < 1 || n > UN_SYS_MAX_THREADS)
    luaL_error(L, "UNROLL_THREADS=%s: must be in 1..%d", text, UN_SYS_MAX_THREADS);
  un_sys_set_threads((int)n);
}

void unl_open_parallel(lua_State *L) {
  un_parallel_use(un_sys_parallel, un_sys_threads);
  read_environment(L);
  unl_subtable(L, "sys");
  lua_pushcfunction(L, sys_threads);
  lua_setfield(L, -2, "threads");
  lua_pop(L, 1);
}
