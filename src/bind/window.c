/* window.c -- Window: the layers and the read-out of a model in one call.
**
** A step of a small network takes a few microseconds, and what Lua needs to check its
** arguments and to go through the layers takes as long. A Window does the same calls
** from C: Run:forward of each layer and Readout:forward, or back. It takes only what
** fits the trace it was made for just as it is; of anything else it says nothing, and
** lua/unroll/rnn checks, converts and explains. */
#include <string.h>

#include "fields.h"
#include "run.h"

static const char class_name[] = "unroll.Window";

enum { PARTS = 1, STATE, USER_VALUES = STATE };

typedef struct unl_window {
  unl_class class; /* first */
  int layers;
  int64_t T, B, input, output;
  un_dtype dtype;
  bool is_softmax, is_tokens;
} unl_window;

/* Where the parts of layer l (from 1) are in the list of parts; the read-out is last. */
static lua_Integer run_at(int l) {
  return 3 * l - 2;
}
static lua_Integer outputs_at(int l) {
  return 3 * l - 1;
}
static lua_Integer dx_at(int l) {
  return 3 * l;
}
static lua_Integer readout_at(const unl_window *w) {
  return 3 * w->layers + 1;
}

/*---
--- The layers and the read-out of a model over one window, in one call. For
--- lua/unroll/rnn.
---@class unroll.Window
---@see core.loss.window
Window = {}
*/

/*---
--- Puts the runs of all layers and the read-out of one trace together.
---@param description table T, B, input, output; dtype; is_tokens; kind ("softmax" or
--- "squares"); parts: run, outputs and dx (or false) of each layer, then the read-out;
--- state: the list that forward returns
---@return unroll.Window
function core.loss.window(description) end
*/
static int loss_window(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  unl_window *w = lua_newuserdatauv(L, sizeof *w, USER_VALUES);
  memset(w, 0, sizeof *w);
  w->T = unl_sizefield(L, "T");
  w->B = unl_sizefield(L, "B");
  w->input = unl_sizefield(L, "input");
  w->output = unl_sizefield(L, "output");
  w->dtype = unl_dtypefield(L, 1, "dtype", UN_F32);
  w->is_tokens = unl_boolfield(L, 1, "is_tokens", false);
  lua_getfield(L, 1, "kind");
  w->is_softmax = strcmp(luaL_checkstring(L, -1), "softmax") == 0;
  lua_pop(L, 1);
  lua_getfield(L, 1, "parts");
  luaL_checktype(L, -1, LUA_TTABLE);
  w->layers = (int)(lua_rawlen(L, -1) / 3);
  lua_setiuservalue(L, 2, PARTS);
  lua_getfield(L, 1, "state");
  luaL_checktype(L, -1, LUA_TTABLE);
  lua_setiuservalue(L, 2, STATE);
  unl_setclass(L, class_name);
  return 1;
}

/* --- forward ----------------------------------------------------------------------- */

/* Is the argument a contiguous (T,B), or with columns (T,B,columns), of that dtype? */
static bool fits(lua_State *L, int arg, const unl_window *w, un_dtype dtype,
                 int64_t columns) {
  const un_view *v = unl_totensor(L, arg);
  return v && v->dtype == dtype && v->dims == (columns ? 3 : 2) && v->size[0] == w->T &&
         v->size[1] == w->B && (!columns || v->size[2] == columns) &&
         un_is_contiguous(v);
}

enum { X = 2, Y, STATES, WEIGHT, MASK, MEAN, ARGUMENTS = MEAN };

static bool all_fit(lua_State *L, const unl_window *w) {
  bool ok = w->is_tokens ? fits(L, X, w, UN_I32, 0) : fits(L, X, w, w->dtype, w->input);
  ok = ok &&
       (w->is_softmax ? fits(L, Y, w, UN_I32, 0) : fits(L, Y, w, w->dtype, w->output));
  ok = ok && (lua_isnil(L, WEIGHT) || fits(L, WEIGHT, w, w->dtype, 0));
  ok = ok && (lua_isnil(L, MASK) || fits(L, MASK, w, w->dtype, 0));
  if (!ok || lua_isnil(L, STATES)) return ok;
  lua_getiuservalue(L, 1, STATE);
  ok = lua_rawequal(L, STATES, -1);
  lua_pop(L, 1);
  return ok;
}

/* Layer l with the list of parts at `parts`; false with a message on the stack. */
static bool forward_layer(lua_State *L, int parts, int l) {
  lua_pushcfunction(L, unl_runforward);
  lua_rawgeti(L, parts, run_at(l));
  if (l == 1)
    lua_pushvalue(L, X);
  else
    lua_rawgeti(L, parts, outputs_at(l - 1));
  if (lua_isnil(L, STATES))
    lua_pushnil(L);
  else
    lua_geti(L, STATES, l);
  lua_pushvalue(L, MASK);
  lua_call(L, 4, 1);
  if (!lua_isnil(L, -1)) return false;
  lua_pop(L, 1);
  return true;
}

/*---
--- Forward in training.
---@param x unroll.Tensor (T,B) int32 tokens or (T,B,input)
---@param y unroll.Tensor (T,B) int32 or (T,B,output)
---@param state? table[] nil or what forward returned
---@param weight? unroll.Tensor (T,B)
---@param mask? unroll.Tensor (T,B)
---@param mean boolean
---@return number? loss nil without a message: an argument does not fit as it is
---@return string? message what is wrong
function Window:forward(x, y, state, weight, mask, mean) end
*/
static int window_forward(lua_State *L) {
  const unl_window *w = unl_checkclass(L, 1, class_name);
  const int parts = ARGUMENTS + 1;
  lua_settop(L, ARGUMENTS);
  if (!all_fit(L, w)) return 0;
  bool mean = lua_toboolean(L, MEAN);
  lua_getiuservalue(L, 1, PARTS);
  for (int l = 1; l <= w->layers; l++)
    if (!forward_layer(L, parts, l)) return unl_failure(L, lua_tostring(L, -1));
  lua_pushcfunction(L, unl_readoutforward);
  lua_rawgeti(L, parts, readout_at(w));
  lua_rawgeti(L, parts, outputs_at(w->layers));
  lua_pushvalue(L, Y);
  lua_pushvalue(L, WEIGHT);
  lua_pushboolean(L, mean);
  lua_pushboolean(L, true);
  lua_pushnumber(L, 0);
  lua_pushnumber(L, 0);
  lua_call(L, 8, 2);
  if (lua_isnil(L, -2)) return 2;
  double total = lua_tonumber(L, -2), weights = lua_tonumber(L, -1);
  if (mean) total /= w->is_softmax ? weights : weights * (double)w->output;
  lua_pushnumber(L, total);
  return 1;
}

/* --- back -------------------------------------------------------------------------- */

static const char *stale_layer(lua_State *L, int parts, const unl_window *w) {
  const char *message = NULL;
  for (int l = 1; l <= w->layers && !message; l++) {
    lua_rawgeti(L, parts, run_at(l));
    message = unl_stale(unl_checkclass(L, -1, unl_run_class));
    lua_pop(L, 1);
  }
  return message;
}

/*---
--- Back through the read-out and all layers. Adds to the gradients.
---@return string? message why that cannot be done; nothing was written
function Window:backward() end
*/
static int window_backward(lua_State *L) {
  const unl_window *w = unl_checkclass(L, 1, class_name);
  const int parts = 2;
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, PARTS);
  const char *message = stale_layer(L, parts, w);
  lua_rawgeti(L, parts, readout_at(w));
  if (!message && !unl_readoutisready(L, -1))
    message = "there was no complete forward pass on this trace";
  if (message) {
    lua_pushstring(L, message);
    return 1;
  }
  for (int l = w->layers; l >= 1; l--) { /* dL/dy is on top */
    lua_pushcfunction(L, unl_runbackward);
    lua_rawgeti(L, parts, run_at(l));
    lua_rotate(L, -3, -1);
    lua_call(L, 2, 1);
    if (!lua_isnil(L, -1)) return 1;
    lua_pop(L, 1);
    lua_rawgeti(L, parts, dx_at(l));
  }
  return 0;
}

static const luaL_Reg functions[] = {{"window", loss_window}, {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"forward", window_forward}, {"backward", window_backward}, {NULL, NULL}};

void unl_open_window(lua_State *L) {
  unl_addmethods(L, class_name, methods);
  unl_subtable(L, "loss");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
