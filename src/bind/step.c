/* step.c -- core.train.step: a step of a training in one call: forward, back, clip, update,
** and the history.
**
** For a small network a step takes a few microseconds, and calls from Lua for its parts as
** long. What lua/unroll/train calls apart when something is out of the ordinary is done here
** when nothing is: a step takes what fits just as it is, and stops before the first part
** that would have something to say, which the caller then asks. */
#include "step.h"

#include <math.h>

#include "fields.h"

/* Upvalues: the names that window.c and optim.c look up, then what the step was made of. */
enum {
  OPTION_KEYS = UNL_WINDOW_KEYS,
  STEP = OPTION_KEYS + UNL_OPTION_KEYS + 1,
  WINDOW,
  TRACE,
  OPTIMIZER,
  UPDATE,
  HISTORY,
  UPVALUES = HISTORY
};

typedef struct step {
  unl_window *window;
  unl_tensor *gradients;
  unl_update *update;
  unl_history history;
  double limit;
  bool by_value, mean;
} step;

enum { X = 1, Y, STATE, WEIGHT, COUNT, NUMBER, T, MASK, WINDOW_AT, TRACE_AT };

/* The passes; false when nothing was done that Model:forward would not do again. */
static bool learn(lua_State *L, const step *s, double *loss) {
  const unl_places at = {.window = WINDOW_AT,
                         .trace = TRACE_AT,
                         .x = X,
                         .y = Y,
                         .state = STATE,
                         .weight = WEIGHT,
                         .mask = MASK,
                         .mean = s->mean};
  if (!unl_windowfits(L, s->window, &at)) return false;
  if (!unl_windowforward(L, s->window, &at, loss)) return false;
  if (!s->mean) *loss /= luaL_checknumber(L, COUNT);
  if (!isfinite(*loss)) return true;
  ++*s->gradients->version;
  s->gradients->is_cleared = true;
  return unl_windowbackward(s->window) == NULL;
}

/* step(x, y, state, weight, count, number, t) -> loss, state, norm, clipped, interrupted */
static int run_step(lua_State *L) {
  const step *s = lua_touserdata(L, lua_upvalueindex(STEP));
  double loss, lr;
  lua_settop(L, MASK);
  lua_pushvalue(L, lua_upvalueindex(WINDOW));
  lua_pushvalue(L, lua_upvalueindex(TRACE));
  int64_t number = unl_checkindex(L, NUMBER, s->history.tensor->view.size[1], "step"),
          t = luaL_checkinteger(L, T);
  if (!learn(L, s, &loss)) return 0;
  lua_pushnumber(L, loss);
  if (!isfinite(loss)) return 1;
  unl_pushstates(L, WINDOW_AT);
  const unl_clip clip = unl_measureclip(&s->gradients->view, s->limit, s->by_value);
  if (!isfinite(clip.norm)) return 2;
  if (clip.changes) {
    ++*s->gradients->version;
    unl_applyclip(&s->gradients->view, &clip);
  }
  lua_pushnumber(L, clip.norm);
  lua_pushboolean(L, clip.clipped);
  lua_pushvalue(L, lua_upvalueindex(OPTIMIZER));
  int optimizer = lua_gettop(L);
  if (!unl_updatestep(L, s->update, optimizer, OPTION_KEYS, t, &lr)) {
    lua_settop(L, optimizer - 1);
    return 4;
  }
  lua_settop(L, optimizer - 1);
  lua_pushboolean(L, unl_record(&s->history, number, loss, clip.norm, lr));
  return 5;
}

/*---
--- Steps of a training in one call each.
---@param model unroll.Model
---@param trace unroll.ModelTrace one that the model has used
---@param optimizer unroll.Optimizer
---@param update unroll.Update that optimizer's
---@param clip "value"|"norm"
---@param limit number of the clip, above 0; infinite: none
---@param mean boolean the gradient is that of the mean, not of the sum
---@param history unroll.Tensor (4,N) float64, overwritten
---@param start number as of core.sys.clock
---@return (fun(x: unroll.Tensor, y: unroll.Tensor, state: table[]?, weight: unroll.Tensor?, count: number, number: integer, t: integer): number?, table[]?, number?, boolean?, boolean?)? step
--- nil: the trace is of another kind. The step number `number` (1..N), and number t of the
--- optimiser, over a window of `count` predictions; returns the mean loss, the state after it,
--- the norm before the clip, whether that changed anything, and whether there was a Ctrl-C.
--- What is missing at the end was not done: the loss or the norm is not finite, the update
--- needs other state; without a result the arguments do not fit.
function core.train.step(model, trace, optimizer, update, clip, limit, mean, history, start) end
*/
static int train_step(lua_State *L) {
  static const char *const clips[] = {"norm", "value", NULL};
  step s = {.update = unl_checkupdate(L, 4),
            .by_value = luaL_checkoption(L, 5, NULL, clips) == 1,
            .limit = luaL_checknumber(L, 6),
            .mean = lua_toboolean(L, 7),
            .history = unl_checkhistory(L, 8, 9)};
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_argcheck(L, s.limit > 0, 6, "must be above 0");
  lua_settop(L, 9);
  s.window = unl_pushwindow(L, 1, 2);
  if (!s.window) return 0;
  s.gradients = unl_windowgradients(s.window);
  int window = lua_gettop(L);
  unl_pushwindowkeys(L);
  unl_pushoptionkeys(L);
  *(step *)lua_newuserdatauv(L, sizeof s, 0) = s;
  const int kept[] = {window, 2, 3, 4, 8};
  for (int i = 0; i < 5; i++)
    lua_pushvalue(L, kept[i]);
  lua_pushcclosure(L, run_step, UPVALUES);
  return 1;
}

static const luaL_Reg functions[] = {{"step", train_step}, {NULL, NULL}};

void unl_open_step(lua_State *L) {
  unl_subtable(L, "train");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
