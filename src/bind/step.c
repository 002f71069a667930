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

enum {
  X = 1,
  Y,
  STATE,
  WEIGHT,
  COUNT,
  NUMBER,
  T,
  MORE,
  FILL,
  POSITION,
  UNTIL,
  MASK,
  WINDOW_AT,
  TRACE_AT,
  OPTIMIZER_AT,
  TOP = OPTIMIZER_AT
};

/* What became of a step, and how many of its results there are: the loss, the state, the norm,
** whether it was clipped, whether there was a Ctrl-C. */
typedef struct outcome {
  int results;
  double loss, norm, seconds;
  bool clipped, interrupted;
} outcome;
enum { NO_RESULTS = 0, LOSS = 1, LOSS_AND_STATE = 2, ALL_BUT_UPDATE = 4, ALL = 5 };

/* The passes; false when nothing was done that Model:forward would not do again. */
static bool learn(lua_State *L, const step *s, int state, double *loss) {
  const unl_places at = {.window = WINDOW_AT,
                         .trace = TRACE_AT,
                         .x = X,
                         .y = Y,
                         .state = state,
                         .weight = WEIGHT,
                         .mask = MASK,
                         .mean = s->mean};
  if (!unl_windowfits(L, s->window, &at)) return false;
  if (!unl_windowforward(L, s->window, &at, loss)) return false;
  if (!s->mean) *loss /= lua_tonumber(L, COUNT);
  if (!isfinite(*loss)) return true;
  ++*s->gradients->version;
  s->gradients->is_cleared = true;
  return unl_windowbackward(s->window) == NULL;
}

static void clip_gradients(const step *s, outcome *o) {
  const un_view *g = &s->gradients->view;
  const unl_clip clip = unl_measureclip(g, s->limit, s->by_value);
  o->norm = clip.norm;
  o->clipped = clip.clipped;
  if (!clip.changes) return;
  ++*s->gradients->version;
  unl_applyclip(g, &clip);
}

/* Step `number` of the history (from 0), number t of the optimiser. No option changes while
** one follows the other. */
static outcome make_step(lua_State *L, const step *s, int state, int64_t number,
                         int64_t t, double *lr) {
  outcome o = {.results = NO_RESULTS};
  lua_settop(L, TOP);
  if (!learn(L, s, state, &o.loss)) return o;
  o.results = LOSS;
  if (!isfinite(o.loss)) return o;
  clip_gradients(s, &o);
  o.results = LOSS_AND_STATE;
  if (!isfinite(o.norm)) return o;
  o.results = ALL_BUT_UPDATE;
  if (state != UNL_CARRIED &&
      !unl_readyupdate(L, s->update, OPTIMIZER_AT, OPTION_KEYS, lr))
    return o;
  unl_makeupdate(s->update, t);
  o.interrupted = unl_record(&s->history, number, o.loss, o.norm, *lr, &o.seconds);
  o.results = ALL;
  return o;
}

/* Goes on over the windows behind this one; returns how many steps were made before the
** last one, and in how many of these the clip changed something. */
static int64_t go_on(lua_State *L, const step *s, int64_t number, double lr,
                     outcome *last, int64_t *clipped) {
  int64_t t = lua_tointeger(L, T), position = luaL_optinteger(L, POSITION, 0), done = 0;
  const int64_t more = luaL_optinteger(L, MORE, 0);
  const double until = luaL_optnumber(L, UNTIL, HUGE_VAL) - s->history.start;
  while (done < more && last->results == ALL && !last->interrupted &&
         last->seconds < until) {
    position += unl_fillwindow(L, FILL, position);
    const outcome next =
        make_step(L, s, UNL_CARRIED, number + done + 1, t + done + 1, &lr);
    if (next.results == NO_RESULTS) break;
    *clipped += last->clipped;
    *last = next;
    done++;
  }
  return done;
}

/* step(x, y, state, weight, count, number, t, more, fill, position, until) -> done, clipped,
** and what there is of the last step: loss, state, norm, clipped, interrupted */
static int run_step(lua_State *L) {
  const step *s = lua_touserdata(L, lua_upvalueindex(STEP));
  int64_t clipped = 0,
          number = unl_checkindex(L, NUMBER, s->history.tensor->view.size[1], "step");
  (void)luaL_checknumber(L, COUNT);
  lua_settop(L, MASK);
  lua_pushvalue(L, lua_upvalueindex(WINDOW));
  lua_pushvalue(L, lua_upvalueindex(TRACE));
  lua_pushvalue(L, lua_upvalueindex(OPTIMIZER));
  double lr;
  outcome last = make_step(L, s, STATE, number, luaL_checkinteger(L, T), &lr);
  if (last.results == NO_RESULTS) return 0;
  int64_t done = go_on(L, s, number, lr, &last, &clipped);
  unl_tellpasses(L, s->window, TRACE_AT, &last.loss);
  lua_pushinteger(L, done);
  lua_pushinteger(L, clipped);
  lua_pushnumber(L, last.loss);
  unl_pushstates(L, WINDOW_AT);
  lua_pushnumber(L, last.norm);
  lua_pushboolean(L, last.clipped);
  lua_pushboolean(L, last.interrupted);
  lua_pop(L, ALL - last.results);
  return 2 + last.results;
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
---@return function? step nil: the trace is of another kind
---
--- step(x, y, state, weight, count, number, t, more, fill, position, until) makes step `number`
--- (1..N) of the history, number t of the optimiser, over a window of `count` predictions; then
--- the same over up to `more` windows from `position` on, which `fill` (core.text.window) puts
--- into x and y, until there is a Ctrl-C or the clock says `until`. It returns how many steps
--- were made before the last one, in how many of them the clip changed something, and of the
--- last one: the mean loss, the state after it, the norm before the clip, whether that changed
--- anything, and whether there was a Ctrl-C. What is missing at the end was not done: the loss
--- or the norm is not finite, the update needs other state; without a result the arguments do
--- not fit.
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
