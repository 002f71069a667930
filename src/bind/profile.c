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

typedef struct peak_job {
  un_dtype dtype;
  int64_t rounds;
} peak_job;

static void run_peak(void *context, int index) {
  const peak_job *job = context;
  double flops;
  (void)index;
  un_peak_run(job->dtype, job->rounds, &flops);
}

/* Seconds that so many rounds take on each of `threads` threads at once. */
static double time_peak(const peak_job *job, int threads) {
  double start = un_sys_clock();
  un_parallel(threads, run_peak, (void *)job);
  return un_sys_clock() - start;
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
  un_dtype dtype = lua_isnoneornil(L, 1) ? UN_F32 : unl_checkdtype(L, 1);
  luaL_argcheck(L, un_is_real(dtype), 1, "float32 or float64 expected");
  lua_Integer threads = luaL_optinteger(L, 2, 1), tries = luaL_optinteger(L, 3, 5);
  luaL_argcheck(L, threads >= 1 && threads <= 256, 2, "must be in 1..256");
  peak_job job = {dtype, 20000};
  double flops, best = 0;
  while (job.rounds < INT64_C(1) << 40 && time_peak(&job, (int)threads) < 2e-3 &&
         !un_stopped())
    job.rounds *= 2;
  un_peak_run(dtype, 1, &flops);
  flops *= (double)job.rounds * (double)threads;
  for (lua_Integer i = 0; i < tries && !un_stopped(); i++) {
    double seconds = time_peak(&job, (int)threads);
    if (flops / seconds > best) best = flops / seconds;
  }
  lua_pushnumber(L, best);
  return 1;
}

/* The seconds that so many rounds take; *bytes is what was read. */
static double time_read(const float *p, int64_t count, int64_t rounds, double *bytes) {
  double start = un_sys_clock();
  un_peak_read(p, count, rounds, bytes);
  return un_sys_clock() - start;
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
  enum { LINE = 64 };
  lua_Integer size = luaL_checkinteger(L, 1), tries = luaL_optinteger(L, 2, 5);
  luaL_argcheck(L, size >= 1024 && size <= INT64_C(1) << 32, 1,
                "must be in 1024..4294967296");
  char *memory = lua_newuserdatauv(L, (size_t)size + LINE, 0);
  memset(memory, 0, (size_t)size + LINE);
  const float *p = (const float *)(((uintptr_t)memory + LINE - 1) / LINE * LINE);
  int64_t count = size / (int64_t)sizeof *p, rounds = 1;
  double read, best = 0;
  while (time_read(p, count, rounds, &read) < 2e-3 && !un_stopped())
    rounds *= 2;
  for (lua_Integer i = 0; i < tries && !un_stopped(); i++) {
    double seconds = time_read(p, count, rounds, &read);
    if (read / seconds > best) best = read / seconds;
  }
  lua_pushnumber(L, best);
  return 1;
}

static const luaL_Reg functions[] = {{"start", profile_start},
                                     {"stop", profile_stop},
                                     {"peak", profile_peak},
                                     {"bandwidth", profile_bandwidth},
                                     {NULL, NULL}};

void unl_open_profile(lua_State *L) {
  unl_subtable(L, "profile");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
