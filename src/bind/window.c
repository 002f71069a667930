/* window.c -- Window: the layers and the read-out of a model in one call.
**
** A step of a small network takes a few microseconds, and what Lua needs to check its
** arguments and to go through the layers takes as long. A Window does the same from C:
** the method forward of each layer's Run and of the Readout, or back. core.loss.forward
** and core.loss.backward take the arguments of Model:forward and Model:backward, but only
** those that fit a trace just as they are, and say nothing of others: lua/unroll/rnn
** checks, converts and explains these. */
#include <string.h>

#include "fields.h"
#include "run.h"
#include "step.h"
#include "stop.h"

static const char class_name[] = "unroll.Window";

enum { PARTS = 1, MODEL, TRACE, STATE, DSTATE, X, Y, USER_VALUES = Y };

/* The addresses are those of tables and tensors in user values: what is at the same
** address as an argument is the same table or tensor. */
typedef struct unl_layer {
  unl_run *run;
  const void *outputs;
} unl_layer;

struct unl_window {
  unl_class class; /* first */
  int64_t T, B, input, output;
  un_dtype dtype;
  bool is_softmax, is_tokens;
  bool is_ready, was_swept; /* for a backward pass; by one, ever */
  lua_Integer generation;   /* forward passes so far: trace.generation */
  const void *model, *trace, *state;
  unl_known x, y; /* the last ones that fitted */
  unl_readout *readout;
  unl_tensor *gradients; /* all that a backward pass writes, if it may; else NULL */
  int layers;
  unl_layer layer[];
};

/* Where the parts of layer l (from 0) are in the list of parts; the read-out is last. */
static lua_Integer run_at(int l) {
  return 3 * l + 1;
}
static lua_Integer outputs_at(int l) {
  return 3 * l + 2;
}
static lua_Integer dx_at(int l) {
  return 3 * l + 3;
}
static lua_Integer readout_at(const unl_window *w) {
  return 3 * w->layers + 1;
}

/* Strings as the first upvalues: a key that is there needs no search. */
enum { KEY_WINDOW = 1, KEY_GENERATION, KEY_LOSS, KEYS = UNL_WINDOW_KEYS };

void unl_pushwindowkeys(lua_State *L) {
  lua_pushliteral(L, "window");
  lua_pushliteral(L, "generation");
  lua_pushliteral(L, "loss");
}

/*---
--- The layers and the read-out of a model over one window, in one call. For
--- lua/unroll/rnn.
---@class unroll.Window
---@see core.loss.window
Window = {}
*/

/* The table in a field of the description becomes a user value of the window at 2. */
static const void *take_table(lua_State *L, const char *name, int user_value) {
  lua_getfield(L, 1, name);
  luaL_checktype(L, -1, LUA_TTABLE);
  const void *address = lua_topointer(L, -1);
  lua_setiuservalue(L, 2, user_value);
  return address;
}

/* The list of parts, which nobody else has, keeps what the pointers point to. */
static void take_parts(lua_State *L, unl_window *w) {
  lua_getiuservalue(L, 2, PARTS);
  for (int l = 0; l < w->layers; l++) {
    lua_rawgeti(L, -1, run_at(l));
    w->layer[l].run = unl_checkclass(L, -1, unl_run_class);
    luaL_argcheck(L, unl_hasgradients(w->layer[l].run), 1, "a run without gradients");
    lua_rawgeti(L, -2, outputs_at(l));
    (void)unl_checktensor(L, -1);
    w->layer[l].outputs = lua_topointer(L, -1);
    lua_pop(L, 2);
  }
  lua_rawgeti(L, -1, readout_at(w));
  w->readout = unl_checkreadout(L, -1);
  lua_pop(L, 2);
}

/* The root whose numbers are the gradients of all parts and no more, if they may be
** written. */
static unl_tensor *find_gradients(const unl_window *w) {
  uint64_t *version;
  int64_t count = unl_readoutgradients(w->readout, &version);
  if (count == 0) return NULL;
  for (int l = 0; l < w->layers; l++) {
    int64_t part = unl_writablegradients(w->layer[l].run);
    if (part == 0 || w->layer[l].run->gradient_version != version) return NULL;
    count += part;
  }
  unl_tensor *root = unl_root(version);
  return un_numel(&root->view) == count ? root : NULL;
}

/*---
--- Puts the runs of all layers and the read-out of one trace together.
---@param description table T, B, input, output; dtype; is_tokens; kind ("softmax" or
--- "squares"); parts: run, outputs and dx (or false) of each layer, then the read-out;
--- model and trace; state and dstate: the lists that forward and backward return
---@return unroll.Window
function core.loss.window(description) end
*/
static int loss_window(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "parts");
  int layers = (int)(luaL_len(L, -1) / 3);
  lua_pop(L, 1);
  size_t bytes = sizeof(unl_window) + (size_t)layers * sizeof(unl_layer);
  unl_window *w = lua_newuserdatauv(L, bytes, USER_VALUES);
  memset(w, 0, bytes);
  w->layers = layers;
  w->T = unl_sizefield(L, "T");
  w->B = unl_sizefield(L, "B");
  w->input = unl_sizefield(L, "input");
  w->output = unl_sizefield(L, "output");
  w->dtype = unl_dtypefield(L, 1, "dtype", UN_F32);
  w->is_tokens = unl_boolfield(L, 1, "is_tokens", false);
  lua_getfield(L, 1, "kind");
  w->is_softmax = strcmp(luaL_checkstring(L, -1), "softmax") == 0;
  lua_pop(L, 1);
  take_table(L, "parts", PARTS);
  take_parts(L, w);
  w->gradients = find_gradients(w);
  take_table(L, "dstate", DSTATE);
  w->model = take_table(L, "model", MODEL);
  w->trace = take_table(L, "trace", TRACE);
  w->state = take_table(L, "state", STATE);
  lua_getfield(L, 1, "trace");
  lua_getfield(L, -1, "generation");
  w->generation = luaL_checkinteger(L, -1);
  lua_pop(L, 2);
  unl_setclass(L, class_name);
  return 1;
}

/* --- arguments --------------------------------------------------------------------- */

/* Is the argument a contiguous (T,B), or with columns (T,B,columns), of that dtype? */
static bool fits(lua_State *L, int arg, const unl_window *w, un_dtype dtype,
                 int64_t columns) {
  const un_view *v = unl_totensor(L, arg);
  return v && v->dtype == dtype && v->dims == (columns ? 3 : 2) && v->size[0] == w->T &&
         v->size[1] == w->B && (!columns || v->size[2] == columns) &&
         un_is_contiguous(v);
}

/* The same for x or y; a tensor that fits is known from then on. */
static bool fits_again(lua_State *L, int arg, unl_window *w, bool is_i32,
                       int64_t columns, unl_known *known, const unl_places *at,
                       int user_value) {
  if (unl_isknown(L, arg, known)) return true;
  if (!(is_i32 ? fits(L, arg, w, UN_I32, 0) : fits(L, arg, w, w->dtype, columns)))
    return false;
  unl_setknown(L, arg, known, at->window, user_value);
  return true;
}

bool unl_windowfits(lua_State *L, unl_window *w, const unl_places *at) {
  return fits_again(L, at->x, w, w->is_tokens, w->input, &w->x, at, X) &&
         fits_again(L, at->y, w, w->is_softmax, w->output, &w->y, at, Y) &&
         (lua_isnil(L, at->weight) || fits(L, at->weight, w, w->dtype, 0)) &&
         (lua_isnil(L, at->mask) || fits(L, at->mask, w, w->dtype, 0)) &&
         (at->state == UNL_CARRIED || lua_isnil(L, at->state) ||
          lua_topointer(L, at->state) == w->state);
}

/* --- forward ----------------------------------------------------------------------- */

/* Are runs and read-out set to these inputs already, as they mostly are? */
static bool is_set(lua_State *L, const unl_window *w, const unl_places *at) {
  const void *x = lua_topointer(L, at->x);
  for (int l = 0; l < w->layers; l++) {
    if (!unl_runhas(w->layer[l].run, x)) return false;
    x = w->layer[l].outputs;
  }
  return unl_readouthas(w->readout, x, lua_topointer(L, at->y)) &&
         lua_isnil(L, at->mask);
}

/* Sets them; false with a message on the stack. */
static bool set_parts(lua_State *L, const unl_window *w, const unl_places *at) {
  lua_getiuservalue(L, at->window, PARTS);
  int parts = lua_gettop(L), x = at->x;
  for (int l = 0; l < w->layers; l++) {
    lua_rawgeti(L, parts, run_at(l));
    if (!unl_runset(L, lua_gettop(L), x, at->mask)) return false;
    lua_rawgeti(L, parts, outputs_at(l));
    x = lua_gettop(L);
    luaL_checkstack(L, 4, "too many layers");
  }
  lua_rawgeti(L, parts, readout_at(w));
  unl_readoutset(L, lua_gettop(L), x, at->y);
  lua_settop(L, parts - 1);
  return true;
}

/* Layer l from the list of states at `state`, or nil, to a sink; false with a message on
** the stack. */
static bool forward_layer(lua_State *L, const unl_window *w, int state, int l,
                          const un_output_sink *sink) {
  if (state == UNL_CARRIED || lua_isnil(L, state))
    return unl_runforward(L, w->layer[l].run, state, sink);
  lua_geti(L, state, l + 1);
  if (!unl_runforward(L, w->layer[l].run, lua_gettop(L), sink)) return false;
  lua_pop(L, 1);
  return true;
}

/* Layers and read-out; false with a message on the stack. */
static bool run_parts(lua_State *L, unl_window *w, const unl_places *at, double *loss) {
  unl_totals totals = {0, 0};
  if (!is_set(L, w, at) && !set_parts(L, w, at)) return false;
  if (!unl_readoutbegin(L, w->readout, at->weight, at->mean, true, &totals))
    return false;
  const un_run *last = &w->layer[w->layers - 1].run->run;
  un_output_sink sink = unl_readoutsink(w->readout, un_cell_groups(last));
  for (int l = 0; l < w->layers; l++)
    if (!forward_layer(L, w, at->state, l, l == w->layers - 1 ? &sink : NULL))
      return false;
  *loss = unl_readoutend(w->readout);
  if (at->mean)
    *loss /= w->is_softmax ? totals.weights : totals.weights * (double)w->output;
  return true;
}

bool unl_windowforward(lua_State *L, unl_window *w, const unl_places *at,
                       double *loss) {
  w->is_ready = false; /* when there is an interrupt in the middle, too */
  w->is_ready = run_parts(L, w, at, loss);
  w->generation++;
  return w->is_ready;
}

void unl_tellpasses(lua_State *L, const unl_window *w, int trace, const double *loss) {
  lua_pushvalue(L, lua_upvalueindex(KEY_GENERATION));
  lua_pushinteger(L, w->generation);
  lua_rawset(L, trace);
  lua_pushvalue(L, lua_upvalueindex(KEY_LOSS));
  if (loss)
    lua_pushnumber(L, *loss);
  else
    lua_pushnil(L);
  lua_rawset(L, trace);
}

/* Pushes the loss, or nil and a message. */
static int forward(lua_State *L, unl_window *w, const unl_places *at) {
  double loss;
  bool ok = unl_windowforward(L, w, at, &loss);
  unl_tellpasses(L, w, at->trace, ok ? &loss : NULL);
  if (!ok) return unl_failure(L, lua_tostring(L, -1));
  lua_pushnumber(L, loss);
  return 1;
}

/*---
--- Forward in training.
---@param x unroll.Tensor (T,B) int32 tokens or (T,B,input), contiguous
---@param y unroll.Tensor (T,B) int32 or (T,B,output), contiguous
---@param state? table[] a list of states, one for each layer
---@param weight? unroll.Tensor (T,B), contiguous
---@param mask? unroll.Tensor (T,B), contiguous
---@param mean boolean
---@return number? loss
---@return string? message what is wrong
function Window:forward(x, y, state, weight, mask, mean) end
*/
static int window_forward(lua_State *L) {
  unl_window *w = unl_checkclass(L, 1, class_name);
  lua_settop(L, 7);
  lua_getiuservalue(L, 1, TRACE);
  const unl_places at = {.window = 1,
                         .trace = 8,
                         .x = 2,
                         .y = 3,
                         .state = 4,
                         .weight = 5,
                         .mask = 6,
                         .mean = lua_toboolean(L, 7)};
  return forward(L, w, &at);
}

/* --- the arguments of Model:forward ------------------------------------------------ */

enum {
  MODEL_ARG = 1,
  X_ARG,
  Y_ARG,
  STATE_ARG,
  OPTIONS_ARG,
  TRACE_OPTION,
  WEIGHT_OPTION,
  MASK_OPTION,
  WINDOW
};

static bool is(const char *text, size_t length, const char *word, size_t letters) {
  return length == letters && memcmp(text, word, letters) == 0;
}
#define IS(word) is(text, length, word, sizeof word - 1)

/* The string at `i`; empty when it is none. */
static const char *text_at(lua_State *L, int i, size_t *length) {
  *length = 0;
  return lua_type(L, i) == LUA_TSTRING ? lua_tolstring(L, i, length) : "";
}

/* "mean" or "sum" at the top of the stack, as `mean`; false: neither. */
static bool read_reduction(lua_State *L, bool *mean) {
  size_t length;
  const char *text = text_at(L, -1, &length);
  *mean = IS("mean");
  return *mean || IS("sum");
}

/* Where the option at the top of the stack, with its name below it, belongs: a place for
** tensors and the trace, 0 when it asks for no more, -1 for what a Window leaves to Lua. */
static int place_of(lua_State *L, bool *mean) {
  size_t length;
  const char *text = text_at(L, -2, &length);
  if (IS("trace")) return TRACE_OPTION;
  if (IS("reduction")) return read_reduction(L, mean) ? 0 : -1;
  if (IS("weight")) return WEIGHT_OPTION;
  if (IS("mask")) return MASK_OPTION;
  return IS("train") && lua_toboolean(L, -1) ? 0 : -1;
}

static bool read_options(lua_State *L, bool *mean) {
  *mean = true;
  if (lua_type(L, OPTIONS_ARG) != LUA_TTABLE) return false;
  if (lua_getmetatable(L, OPTIONS_ARG)) return false; /* it may have more options */
  lua_pushnil(L);
  while (lua_next(L, OPTIONS_ARG)) {
    int place = place_of(L, mean);
    if (place < 0) return false;
    if (place > 0)
      lua_replace(L, place);
    else
      lua_pop(L, 1);
  }
  return lua_type(L, TRACE_OPTION) == LUA_TTABLE;
}

/* The window of the trace at `trace`, pushed, when it is the model's at 1. */
static unl_window *window_of(lua_State *L, int trace) {
  if (lua_type(L, trace) != LUA_TTABLE) return NULL;
  lua_pushvalue(L, lua_upvalueindex(KEY_WINDOW));
  lua_rawget(L, trace);
  unl_window *w = unl_testclass(L, -1, class_name);
  bool is_own = w && lua_topointer(L, trace) == w->trace &&
                lua_topointer(L, MODEL_ARG) == w->model;
  return is_own ? w : NULL;
}

unl_window *unl_pushwindow(lua_State *L, int model, int trace) {
  if (lua_type(L, trace) != LUA_TTABLE) return NULL;
  lua_getfield(L, trace, "window");
  unl_window *w = unl_testclass(L, -1, class_name);
  bool is_own =
      w && lua_topointer(L, trace) == w->trace && lua_topointer(L, model) == w->model;
  return is_own && w->gradients ? w : NULL;
}

unl_tensor *unl_windowgradients(const unl_window *w) {
  return w->gradients;
}

void unl_pushstates(lua_State *L, int window) {
  lua_getiuservalue(L, window, STATE);
}

/*---
--- Model:forward with arguments that fit `opts.trace` just as they are.
---@param model unroll.Model
---@param x unroll.Tensor
---@param y unroll.Tensor
---@param state? table[]
---@param opts? unroll.ForwardOptions
---@return number? loss nil without a message: Model:forward must see to them
---@return table[]|string? state or the message
---@return unroll.ModelTrace? trace
function core.loss.forward(model, x, y, state, opts) end
*/
static int loss_forward(lua_State *L) {
  bool mean;
  lua_settop(L, MASK_OPTION);
  if (!read_options(L, &mean)) return 0;
  unl_window *w = window_of(L, TRACE_OPTION);
  const unl_places at = {.window = WINDOW,
                         .trace = TRACE_OPTION,
                         .x = X_ARG,
                         .y = Y_ARG,
                         .state = STATE_ARG,
                         .weight = WEIGHT_OPTION,
                         .mask = MASK_OPTION,
                         .mean = mean};
  if (!w || !unl_windowfits(L, w, &at)) return 0;
  if (forward(L, w, &at) == 2) return 2;
  lua_getiuservalue(L, WINDOW, STATE);
  lua_pushvalue(L, TRACE_OPTION);
  return 3;
}

/* --- back -------------------------------------------------------------------------- */

/* Why a backward pass is impossible now, or NULL. */
static const char *stale(const unl_window *w) {
  if (!w->is_ready && w->was_swept)
    return "it was called on this trace already; run forward again first";
  if (!w->is_ready || !unl_readoutisready(w->readout))
    return "there was no complete forward pass on this trace";
  const char *message = NULL;
  for (int l = 0; l < w->layers && !message; l++)
    message = unl_stale(w->layer[l].run);
  return message;
}

/* Are the gradients all zeros that were not written yet? Then the pass need not add. After
** this they are ready either way. */
static bool are_fresh(const unl_window *w) {
  if (w->gradients && w->gradients->is_cleared) return true;
  uint64_t *version;
  (void)unl_readoutgradients(w->readout, &version);
  unl_look(version);
  for (int l = 0; l < w->layers; l++)
    unl_look(w->layer[l].run->gradient_version);
  return false;
}

const char *unl_windowbackward(unl_window *w) {
  const char *message = stale(w);
  if (message) return message;
  bool fresh = are_fresh(w);
  w->is_ready = false; /* an interrupted pass cannot be had again */
  for (int l = w->layers - 1; l >= 0; l--) {
    bool is_last = l == w->layers - 1;
    unl_runbackward(w->layer[l].run, is_last ? unl_takegradient(w->readout) : NULL,
                    is_last ? NULL : w->layer[l + 1].run->run.dx, fresh);
  }
  if (fresh && !un_stopped()) w->gradients->is_cleared = false;
  w->was_swept = true;
  return NULL;
}

/*---
--- Back through the read-out and all layers. Adds to the gradients.
---@return string? message why that cannot be done; nothing was written
function Window:backward() end
*/
static int window_backward(lua_State *L) {
  const char *message = unl_windowbackward(unl_checkclass(L, 1, class_name));
  if (!message) return 0;
  lua_pushstring(L, message);
  return 1;
}

/*---
--- Model:backward on a trace that was used before. When it returns nothing, nothing was
--- done: Model:backward must see to it.
---@param model unroll.Model
---@param trace unroll.ModelTrace
---@param generation? integer
---@return table[]? dstate
---@return unroll.Tensor? dx nil for tokens
function core.loss.backward(model, trace, generation) end
*/
static int loss_backward(lua_State *L) {
  lua_settop(L, 3);
  unl_window *w = window_of(L, 2);
  if (!w || !w->was_swept || !lua_isnil(L, 3) || unl_windowbackward(w)) return 0;
  lua_getiuservalue(L, 4, DSTATE);
  if (w->is_tokens) return 1;
  lua_getiuservalue(L, 4, PARTS);
  lua_rawgeti(L, -1, dx_at(0));
  lua_remove(L, -2);
  return 2;
}

static const luaL_Reg functions[] = {{"window", loss_window},
                                     {"forward", loss_forward},
                                     {"backward", loss_backward},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {
    {"forward", window_forward}, {"backward", window_backward}, {NULL, NULL}};

void unl_open_window(lua_State *L) {
  unl_pushmethods(L, class_name);
  unl_pushwindowkeys(L);
  luaL_setfuncs(L, methods, KEYS);
  lua_pop(L, 1);
  unl_subtable(L, "loss");
  unl_pushwindowkeys(L);
  luaL_setfuncs(L, functions, KEYS);
  lua_pop(L, 1);
}
