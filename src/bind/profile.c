/* profile.c -- core.profile: counts of time by phase and operation (core/profile.h), and
** the measured limits. lua/unroll/profile.lua makes tables of it. */
#include "profile.h"

#include <string.h>

#include "parallel.h"
#include "peak.h"
#include "stop.h"
#include "sys.h"
#include "unl.h"

/*---
--- Clears the counts and counts from now on, on this thread.
function core.profile.start() end
*/
static int profile_start(lua_State *L) {
  if (un_profile_on) return luaL_error(L, "profile: one is running already");
  un_profile_start(un_sys_clock);
  return 0;
}

static void push_count(lua_State *L, un_phase phase, un_phase_count count) {
  lua_createtable(L, 0, 5);
  lua_pushstring(L, un_phase_name(phase));
  lua_setfield(L, -2, "name");
  lua_pushboolean(L, phase >= UN_PHASE_OPS);
  lua_setfield(L, -2, "elementwise");
  lua_pushinteger(L, count.calls);
  lua_setfield(L, -2, "calls");
  lua_pushnumber(L, count.seconds);
  lua_setfield(L, -2, "seconds");
  lua_pushnumber(L, count.flops);
  lua_setfield(L, -2, "flops");
}

/*---
--- Ends the counting.
---@return { name: string, elementwise: boolean, calls: integer, seconds: number, flops:
--- number }[] the phases and operations that were called, in a fixed order
function core.profile.stop() end
*/
static int profile_stop(lua_State *L) {
  un_profile_stop();
  lua_newtable(L);
  for (int phase = 0, n = 0; phase < (int)UN_PHASES; phase++) {
    un_phase_count count = un_profile_count((un_phase)phase);
    if (count.calls == 0) continue;
    push_count(L, (un_phase)phase, count);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* --- the limits of the machine ---------------------------------------------------------- */

/* What is run over and over: so many rounds on each of `threads` threads at once. */
typedef struct limit {
  double (*run)(const struct limit *l); /* what one thread got done, in any unit */
  un_dtype dtype;
  int threads;
  void *memory;
  int64_t count; /* numbers in it */
  int64_t rounds;
  double amount;
} limit;

static void run_limit(void *context, int index) {
  limit *l = context;
  double amount = l->run(l);
  if (index == 0) l->amount = amount;
}

static double seconds_of(limit *l) {
  double start = un_sys_clock();
  un_parallel(l->threads, run_limit, l);
  return un_sys_clock() - start;
}

/* Pushes how much of it is done in a second: the best of `tries` runs of some milliseconds. */
static int push_rate(lua_State *L, limit *l, lua_Integer tries) {
  double best = 0;
  l->rounds = 1;
  while (l->rounds < INT64_C(1) << 40 && seconds_of(l) < 2e-3 && !un_stopped())
    l->rounds *= 2;
  for (lua_Integer i = 0; i < tries && !un_stopped(); i++) {
    double seconds = seconds_of(l), rate = l->amount * l->threads / seconds;
    if (rate > best) best = rate;
  }
  lua_pushnumber(L, best);
  return 1;
}

static un_dtype opt_real(lua_State *L, int arg) {
  un_dtype dtype = lua_isnoneornil(L, arg) ? UN_F32 : unl_checkdtype(L, arg);
  luaL_argcheck(L, un_is_real(dtype), arg, "float32 or float64 expected");
  return dtype;
}

/* Pushes a userdata; returns its zeros, from the beginning of a line of the cache on. */
static void *new_lines(lua_State *L, size_t size) {
  enum { LINE = 64 };
  char *memory = lua_newuserdatauv(L, size + LINE, 0);
  memset(memory, 0, size + LINE);
  return (void *)(((uintptr_t)memory + LINE - 1) / LINE * LINE);
}

static double run_peak(const limit *l) {
  double flops;
  un_peak_run(l->dtype, l->rounds, &flops);
  return flops;
}

/*---
--- The floating-point operations that this machine does in a second when nothing but
--- fused multiply-adds in registers is to be done, with the instruction set in use: the
--- best of `tries` runs of some milliseconds.
---@param dtype? "float32"|"float64" default "float32"
---@param threads? integer at once, all of which are counted; default 1
---@param tries? integer default 5
---@return number flops
function core.profile.peak(dtype, threads, tries) end
*/
static int profile_peak(lua_State *L) {
  limit l = {.run = run_peak, .dtype = opt_real(L, 1)};
  lua_Integer threads = luaL_optinteger(L, 2, 1), tries = luaL_optinteger(L, 3, 5);
  luaL_argcheck(L, threads >= 1 && threads <= 256, 2, "must be in 1..256");
  l.threads = (int)threads;
  return push_rate(L, &l, tries);
}

static double run_products(const limit *l) {
  double flops;
  un_peak_multiply(l->dtype, l->memory, l->rounds, &flops);
  return flops;
}

/*---
--- The floating-point operations that this machine does in a second in products of matrices
--- whose factors all lie in the nearest cache, with the instruction set in use, on one
--- thread: the best of `tries` runs of some milliseconds. A network of many rows cannot be
--- faster than this.
---@param dtype? "float32"|"float64" default "float32"
---@param tries? integer default 5
---@return number flops
--- > require("unroll.core").profile.products() > 0   --> true
function core.profile.products(dtype, tries) end
*/
static int profile_products(lua_State *L) {
  limit l = {.run = run_products, .dtype = opt_real(L, 1), .threads = 1};
  lua_Integer tries = luaL_optinteger(L, 2, 5);
  l.memory = new_lines(L, UN_PEAK_BYTES);
  return push_rate(L, &l, tries);
}

static double run_read(const limit *l) {
  double bytes;
  un_peak_read(l->memory, l->count, l->rounds, &bytes);
  return bytes;
}

/*---
--- The bytes that this machine reads in a second from memory that was just read: the best of
--- `tries` runs of some milliseconds, on one thread. What fits in a cache comes from there.
---@param bytes integer read again and again, 1024 or more
---@param tries? integer default 5
---@return number bytes
--- > require("unroll.core").profile.bandwidth(1 << 14) > 0   --> true
function core.profile.bandwidth(bytes, tries) end
*/
static int profile_bandwidth(lua_State *L) {
  lua_Integer size = luaL_checkinteger(L, 1), tries = luaL_optinteger(L, 2, 5);
  luaL_argcheck(L, size >= 1024 && size <= INT64_C(1) << 32, 1,
                "must be in 1024..4294967296");
  limit l = {.run = run_read,
             .threads = 1,
             .memory = new_lines(L, (size_t)size),
             .count = size / (int64_t)sizeof(float)};
  return push_rate(L, &l, tries);
}

static const luaL_Reg functions[] = {
    {"start", profile_start},         {"stop", profile_stop},
    {"peak", profile_peak},           {"products", profile_products},
    {"bandwidth", profile_bandwidth}, {NULL, NULL}};

void unl_open_profile(lua_State *L) {
  unl_subtable(L, "profile");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
