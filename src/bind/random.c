/* random.c -- generators as userdata, and random tensors.
**
** Functions take a generator, or use the default one, which starts from seed 0 so that
** a script gives the same numbers each time. It is upvalue 1 of those functions. */
#include "unl.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "random.h"
#include "stop.h"

enum { DEFAULT = 1, STATE_DIGITS = 64 };

static un_rng *check_generator(lua_State *L, int arg) {
  return luaL_checkudata(L, arg, UNL_GENERATOR);
}

static un_rng *push_generator(lua_State *L, uint64_t seed) {
  un_rng *rng = lua_newuserdatauv(L, sizeof *rng, 0);
  un_rng_seed(rng, seed);
  luaL_setmetatable(L, UNL_GENERATOR);
  return rng;
}

un_rng *unl_optgenerator(lua_State *L, int arg) {
  if (lua_istable(L, arg) && lua_getfield(L, arg, "generator") != LUA_TNIL) {
    un_rng *rng = luaL_testudata(L, -1, UNL_GENERATOR);
    if (!rng) luaL_argerror(L, arg, "option generator is no generator");
    lua_pop(L, 1);
    return rng;
  }
  if (lua_isnoneornil(L, arg) || lua_istable(L, arg))
    return lua_touserdata(L, lua_upvalueindex(DEFAULT));
  return check_generator(L, arg);
}

/* --- generators ---------------------------------------------------------------------
 */

/*---
--- A source of random numbers with a state that can be kept: the same seed gives the
--- same numbers, on every machine.
---@class unroll.Generator
---@see tensor.generator tensor.default_generator
Generator = {}
*/

/*---
--- A new generator of random numbers (xoshiro256++).
---@param seed integer
---@return unroll.Generator
--- Errors: a seed that is no integer.
--- Source: Blackman & Vigna, Scrambled linear pseudorandom number generators, 2021.
--- > tensor.generator(1):uniform() == tensor.generator(1):uniform()   --> true
---@see tensor.manual_seed Generator:state
function tensor.generator(seed) end
*/
static int tensor_generator(lua_State *L) {
  push_generator(L, (uint64_t)luaL_checkinteger(L, 1));
  return 1;
}

/*---
--- Starts the default generator anew.
---@param seed integer
--- Errors: a seed that is no integer.
--- > tensor.manual_seed(1)
--- > a = tensor.rand(2)
--- > tensor.manual_seed(1)
--- > tensor.equal(a, tensor.rand(2))   --> true
---@see tensor.default_generator
function tensor.manual_seed(seed) end
*/
static int tensor_manual_seed(lua_State *L) {
  un_rng *rng = lua_touserdata(L, lua_upvalueindex(DEFAULT));
  un_rng_seed(rng, (uint64_t)luaL_checkinteger(L, 1));
  return 0;
}

/*---
--- The generator that is used where none is given.
---@return unroll.Generator
--- > state = tensor.default_generator():state()
--- > a = tensor.randn(3)
--- > tensor.default_generator():set_state(state);
--- > tensor.equal(a, tensor.randn(3))   --> true
---@see tensor.manual_seed
function tensor.default_generator() end
*/
static int tensor_default_generator(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(DEFAULT));
  return 1;
}

/*---
--- The state as 64 hexadecimal digits: plain text that a file can carry.
---@return string
--- > #tensor.generator(1):state()   --> 64
---@see Generator:set_state
function Generator:state() end
*/
static int generator_state(lua_State *L) {
  const un_rng *rng = check_generator(L, 1);
  char text[STATE_DIGITS + 1];
  for (int i = 0; i < 4; i++)
    snprintf(text + 16 * i, 17, "%016" PRIx64, rng->s[i]);
  lua_pushlstring(L, text, STATE_DIGITS);
  return 1;
}

/*---
--- Goes back to a state.
---@param state string what :state() gave
---@return unroll.Generator self
--- Errors: a string that is no state.
--- > g = tensor.generator(1)
--- > state = g:state()
--- > a = g:uniform()
--- > g:set_state(state):uniform() == a   --> true
function Generator:set_state(state) end
*/
static int generator_set_state(lua_State *L) {
  un_rng *rng = check_generator(L, 1), parsed;
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  bool ok = length == STATE_DIGITS && strspn(text, "0123456789abcdef") == length;
  for (int i = 0; ok && i < 4; i++)
    ok = sscanf(text + 16 * i, "%16" SCNx64, &parsed.s[i]) == 1;
  luaL_argcheck(L, ok && (parsed.s[0] | parsed.s[1] | parsed.s[2] | parsed.s[3]) != 0,
                2, "a state of 64 hexadecimal digits, not all zero, expected");
  *rng = parsed;
  lua_settop(L, 1);
  return 1;
}

/*---
--- Starts the generator anew.
---@param seed integer
---@return unroll.Generator self
--- Errors: a seed that is no integer.
--- > tensor.generator(1):seed(2):uniform() == tensor.generator(2):uniform()   --> true
function Generator:seed(seed) end
*/
static int generator_seed(lua_State *L) {
  un_rng_seed(check_generator(L, 1), (uint64_t)luaL_checkinteger(L, 2));
  lua_settop(L, 1);
  return 1;
}

/*---
--- A number from [0, 1), 53 random bits.
---@return number
--- > x = tensor.generator(1):uniform()
--- > x >= 0 and x < 1   --> true
function Generator:uniform() end
*/
static int generator_uniform(lua_State *L) {
  lua_pushnumber(L, un_rng_uniform(check_generator(L, 1)));
  return 1;
}

/*---
--- A normal number: mean 0, standard deviation 1.
---@return number
--- > math.abs(tensor.generator(1):normal()) < 6   --> true
function Generator:normal() end
*/
static int generator_normal(lua_State *L) {
  lua_pushnumber(L, un_rng_normal(check_generator(L, 1)));
  return 1;
}

/*---
--- A whole number from 1 to n, each as likely.
---@param n integer at least 1
---@return integer
--- Errors: n below 1.
--- > tensor.generator(1):integer(1)   --> 1
function Generator:integer(n) end
*/
static int generator_integer(lua_State *L) {
  un_rng *rng = check_generator(L, 1);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_argcheck(L, n >= 1, 2, "must be at least 1");
  lua_pushinteger(L, un_rng_integer(rng, n) + 1);
  return 1;
}

static void shuffle_list(lua_State *L, un_rng *rng) {
  for (lua_Integer i = luaL_len(L, 2); i > 1; i--) {
    lua_Integer j = un_rng_integer(rng, i) + 1;
    lua_geti(L, 2, i);
    lua_geti(L, 2, j);
    lua_seti(L, 2, i);
    lua_seti(L, 2, j);
  }
}

/*---
--- Puts a list, or the elements of a 1-d tensor, in random order, in place.
---@param x table|unroll.Tensor
---@return table|unroll.Tensor x
--- Errors: a tensor that is not 1-d; something that is neither list nor tensor.
--- > list = tensor.generator(1):shuffle{"a", "b", "c"}
--- > #list   --> 3
---@see tensor.randperm
function Generator:shuffle(x) end
*/
static int generator_shuffle(lua_State *L) {
  un_rng *rng = check_generator(L, 1);
  lua_settop(L, 2);
  if (lua_istable(L, 2)) {
    shuffle_list(L, rng);
  } else {
    luaL_argcheck(L, unl_checktensor(L, 2)->dims == 1, 2, "a 1-d tensor expected");
    un_rng_shuffle(rng, unl_checkout(L, 2));
  }
  return 1;
}

static int generator_tostring(lua_State *L) {
  generator_state(L);
  lua_pushfstring(L, "generator (state %s)", lua_tostring(L, -1));
  return 1;
}

/* --- random tensors -----------------------------------------------------------------
 */

static const char *const random_options[] = {"dtype", "generator", NULL};

/* Sizes from `first` on, then options; sets *rng. */
static un_view *new_random(lua_State *L, const char *who, int first, un_dtype preset,
                           un_rng **rng) {
  int64_t size[UN_MAX_DIMS];
  int options = unl_findoptions(L, first, random_options);
  int last = options ? options - 1 : lua_gettop(L);
  if (last < first && !options) luaL_error(L, "%s: sizes expected, got none", who);
  un_dtype dtype = options ? unl_dtypefield(L, options, "dtype", preset) : preset;
  int dims = unl_checksizes(L, first, last, size); /* may run metamethods: before rng */
  *rng = unl_optgenerator(L, options ? options : lua_gettop(L) + 1);
  un_view *v = unl_newtensor(L, who, dtype, dims, size);
  if (un_is_real(preset) && !un_is_real(dtype))
    luaL_error(L, "%s: dtype is %s, must be float32 or float64", who,
               un_dtype_name(dtype));
  return v;
}

/*---
--- Numbers from [0, 1), each as likely; 1 itself never comes.
---@param ... integer|integer[] sizes, then perhaps {dtype=, generator=}
---@return unroll.Tensor
--- Errors: a dtype that does not compute; a negative size; an unknown option.
--- Dtypes: float32, float64
--- > tensor.rand(2, 3, {generator = tensor.generator(1)}):size()   --> (2, 3)
--- > tensor.rand(1000):max() < 1   --> true
---@see tensor.randn Tensor:uniform_ tensor.manual_seed
function tensor.rand(...) end
*/
static int tensor_rand(lua_State *L) {
  un_rng *rng;
  un_view *v = new_random(L, "rand", 1, UN_F32, &rng);
  un_rng_fill_uniform(rng, v, 0, 1);
  return 1;
}

/*---
--- Normal numbers: mean 0, standard deviation 1.
---@param ... integer|integer[] sizes, then perhaps {dtype=, generator=}
---@return unroll.Tensor
--- Errors: a dtype that does not compute; a negative size; an unknown option.
--- Dtypes: float32, float64
--- > math.abs(tensor.randn(10000):mean()) < 0.1   --> true
---@see tensor.rand Tensor:normal_ tensor.manual_seed
function tensor.randn(...) end
*/
static int tensor_randn(lua_State *L) {
  un_rng *rng;
  un_view *v = new_random(L, "randn", 1, UN_F32, &rng);
  un_rng_fill_normal(rng, v, 0, 1);
  return 1;
}

/*---
--- Whole numbers from `first` to `last`, both included, each as likely.
---@param first integer
---@param last integer
---@param ... integer|integer[] sizes, then perhaps {dtype=, generator=}; dtype "int32"
---@return unroll.Tensor
--- Errors: a last number below the first.
--- Dtypes: int32, float32, float64
--- > tensor.randint(3, 3, 2)[1]   --> 3
--- > tensor.randint(1, 6, 100):max() <= 6   --> true
---@see tensor.randperm
function tensor.randint(first, last, ...) end
*/
static int tensor_randint(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 1), last = luaL_checkinteger(L, 2);
  luaL_argcheck(L, first >= INT32_MIN && first <= INT32_MAX, 1,
                "does not fit in int32");
  luaL_argcheck(L, last <= INT32_MAX && last >= first, 2,
                "must be from the first number to 2147483647");
  un_rng *rng;
  un_view *v = new_random(L, "randint", 3, UN_I32, &rng);
  if ((v->dtype == UN_U8 && (first < 0 || last > UINT8_MAX)) ||
      (v->dtype == UN_U16 && (first < 0 || last > UINT16_MAX)))
    return luaL_error(L, "randint: %I to %I does not fit in %s", first, last,
                      un_dtype_name(v->dtype));
  un_rng_fill_integer(rng, v, first, last - first + 1);
  return 1;
}

/*---
--- The numbers 1 to n in random order.
---@param n integer
---@param options? {generator?: unroll.Generator}
---@return unroll.Tensor 1-d int32
--- Errors: a negative n; an unknown option.
--- Dtypes: int32
--- > tensor.randperm(4):sort():totable()   --> {1, 2, 3, 4}
---@see Generator:shuffle tensor.index_select
function tensor.randperm(n, options) end
*/
static int tensor_randperm(lua_State *L) {
  static const char *const known[] = {"generator", NULL};
  int64_t n = luaL_checkinteger(L, 1);
  luaL_argcheck(L, n <= INT32_MAX, 1, "more than int32 can hold");
  lua_settop(L, 2);
  unl_checkoptions(L, 2, known);
  un_rng *rng = unl_optgenerator(L, 2);
  un_view *v = unl_newtensor(L, "randperm", UN_I32, 1, &n);
  for (int64_t i = 0; i < n && !un_stopped_at(i); i++)
    ((int32_t *)v->data)[i] = (int32_t)(i + 1);
  un_rng_shuffle(rng, v);
  return 1;
}

/* The tensor at 1 for in-place filling, and two finite numbers behind it. */
static un_view *check_fill(lua_State *L, double *a, double *b) {
  unl_checkreal(L, 1);
  *a = luaL_optnumber(L, 2, 0);
  *b = luaL_optnumber(L, 3, 1);
  luaL_argcheck(L, isfinite(*a), 2, "must be finite");
  luaL_argcheck(L, isfinite(*b), 3, "must be finite");
  return unl_checkout(L, 1);
}

/*---
--- Overwrites the tensor with numbers from [low, high), each as likely.
---@param low? number default 0
---@param high? number default 1, above low
---@param generator? unroll.Generator the default one when absent
---@return unroll.Tensor self
--- Errors: limits that do not rise; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor.zeros(100):uniform_(-1, 1):abs():max() <= 1   --> true
---@see tensor.rand
function Tensor:uniform_(low, high, generator) end
*/
static int tensor_uniform_(lua_State *L) {
  double low, high;
  un_rng *rng = unl_optgenerator(L, 4);
  un_view *v = check_fill(L, &low, &high);
  luaL_argcheck(L, high > low, 3, "must be above the lower limit");
  un_rng_fill_uniform(rng, v, low, high);
  lua_settop(L, 1);
  return 1;
}

/*---
--- Overwrites the tensor with normal numbers.
---@param mean? number default 0
---@param deviation? number standard deviation, default 1, not negative
---@param generator? unroll.Generator the default one when absent
---@return unroll.Tensor self
--- Errors: a negative deviation; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor.zeros(3):normal_(5, 0):totable()   --> {5.0, 5.0, 5.0}
---@see tensor.randn
function Tensor:normal_(mean, deviation, generator) end
*/
static int tensor_normal_(lua_State *L) {
  double mean, deviation;
  un_rng *rng = unl_optgenerator(L, 4);
  un_view *v = check_fill(L, &mean, &deviation);
  luaL_argcheck(L, deviation >= 0, 3, "must not be negative");
  un_rng_fill_normal(rng, v, mean, deviation);
  lua_settop(L, 1);
  return 1;
}

static const luaL_Reg generator_methods[] = {
    {"state", generator_state},     {"set_state", generator_set_state},
    {"seed", generator_seed},       {"uniform", generator_uniform},
    {"normal", generator_normal},   {"integer", generator_integer},
    {"shuffle", generator_shuffle}, {NULL, NULL}};
static const luaL_Reg functions[] = {{"generator", tensor_generator},
                                     {"manual_seed", tensor_manual_seed},
                                     {"default_generator", tensor_default_generator},
                                     {"rand", tensor_rand},
                                     {"randn", tensor_randn},
                                     {"randint", tensor_randint},
                                     {"randperm", tensor_randperm},
                                     {NULL, NULL}};
static const luaL_Reg methods[] = {
    {"uniform_", tensor_uniform_}, {"normal_", tensor_normal_}, {NULL, NULL}};

void unl_open_random(lua_State *L) {
  unl_addmethods(L, UNL_GENERATOR, generator_methods);
  luaL_getmetatable(L, UNL_GENERATOR);
  lua_pushcfunction(L, generator_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  unl_subtable(L, "tensor");
  push_generator(L, 0);
  unl_pushmethods(L, UNL_TENSOR);
  lua_pushvalue(L, -2);
  luaL_setfuncs(L, methods, DEFAULT);
  lua_pop(L, 1);
  luaL_setfuncs(L, functions, DEFAULT);
  lua_pop(L, 1);
}
