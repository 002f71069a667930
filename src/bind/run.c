/* run.c -- the passes of a Run (see run.h).
**
** What a user can do wrong (tokens, states, stale traces) comes back as a message, which
** the Lua side raises where the user called. */
#include "run.h"

#include <string.h>

#include "copy.h"
#include "fields.h"
#include "stop.h"

const char unl_run_class[] = "unroll.Run";

static unl_run *check_run(lua_State *L) {
  return unl_checkclass(L, 1, unl_run_class);
}

/* --- inputs and states ---------------------------------------------------------------
 */

static int push_error(lua_State *L, const un_err *err) {
  lua_pushstring(L, err->msg);
  return 1;
}

/* Copies the tensors of the table at `arg` (nil: zeros) to `row`s, one a state. Returns
** false with a message on the stack. */
static bool set_states(lua_State *L, const unl_run *r, int arg, const char *what,
                       void *const row[]) {
  const un_run *run = &r->run;
  un_view dst = {.dtype = run->dtype, .dims = 2, .size = {run->B, run->H}};
  un_set_contiguous(&dst);
  size_t bytes = (size_t)(run->B * run->H) * un_dtype_bytes(run->dtype);
  for (int s = 0; s < run->cell->states; s++) {
    int type = lua_isnil(L, arg) ? LUA_TNIL : lua_getfield(L, arg, r->state_name[s]);
    const un_view *src = type == LUA_TNIL ? NULL : unl_totensor(L, -1);
    if (type != LUA_TNIL &&
        (!src || src->dtype != dst.dtype || !un_same_shape(src, &dst))) {
      const char *got =
          src ? lua_pushfstring(L, "%s %s", un_dtype_name(src->dtype), un_shape(src).s)
              : luaL_typename(L, -1);
      lua_pushfstring(L, "%s.%s is %s, must be %s %s", what, r->state_name[s], got,
                      un_dtype_name(dst.dtype), un_shape(&dst).s);
      return false;
    }
    dst.data = row[s];
    if (!src)
      memset(row[s], 0, bytes);
    else if (src->data != row[s] || !un_is_contiguous(src))
      un_copy(&dst, src);
    if (!lua_isnil(L, arg)) lua_pop(L, 1);
  }
  return true;
}

/* x shares memory with the states, which the pass writes: ys of this very trace. */
static bool is_own_output(const unl_run *r, const un_view *x) {
  const un_run *run = &r->run;
  un_view states = {
      .dtype = run->dtype, .dims = 3, .size = {run->T + 1, run->B, run->H}};
  un_set_contiguous(&states);
  for (int s = 0; s < run->cell->states; s++) {
    states.data = run->state[s];
    if (un_overlap(x, &states)) return true;
  }
  return false;
}

static void note_input(lua_State *L, unl_run *r, int arg) {
  r->input_version = unl_versionof(L, arg);
  lua_pushvalue(L, arg);
  lua_setiuservalue(L, 1, UNL_RUN_INPUT);
}

/* Sets the inputs from the tensor at `arg`; false with a message on the stack. */
static bool set_inputs(lua_State *L, unl_run *r, int arg) {
  un_run *run = &r->run;
  const un_view *x = unl_checktensor(L, arg);
  bool is_tokens = x->dtype == UN_I32;
  int64_t n = run->T * run->B * (is_tokens ? 1 : run->I);
  luaL_argcheck(L, un_is_contiguous(x) && un_numel(x) == n, arg, "inputs of the run");
  luaL_argcheck(L, is_tokens || x->dtype == run->dtype, arg, "dtype of the inputs");
  un_err err;
  if (is_tokens && !un_check_tokens("tokens", x->data, run->T, run->B, run->I, &err)) {
    push_error(L, &err);
    return false;
  }
  if (is_own_output(r, x)) {
    lua_pushliteral(L, "the inputs are outputs of the trace that is to be used again");
    return false;
  }
  bool was_tokens = run->tokens != NULL;
  run->tokens = is_tokens ? x->data : NULL;
  run->x = is_tokens ? NULL : x->data;
  if (was_tokens != is_tokens)
    r->is_packed = false; /* W_xh is packed for numbers only */
  note_input(L, r, arg);
  return true;
}

static void set_mask(lua_State *L, unl_run *r, int arg) {
  un_run *run = &r->run;
  run->mask = NULL;
  r->mask_version = r->input_version;
  if (!lua_isnil(L, arg)) {
    const un_view *mask = unl_checktensor(L, arg);
    luaL_argcheck(L,
                  mask->dtype == run->dtype && un_is_contiguous(mask) &&
                      un_numel(mask) == run->T * run->B,
                  arg, "mask of the run");
    run->mask = mask->data;
    r->mask_version = unl_versionof(L, arg);
  }
  lua_pushvalue(L, arg);
  lua_setiuservalue(L, 1, UNL_RUN_MASK);
}

void unl_touchwritten(const unl_run *r) {
  for (int i = 0; i < r->written; i++)
    ++*r->version[i];
}

/* run:begin's work: arguments x, state, mask; false with a message on the stack. */
static bool prepare(lua_State *L, unl_run *r) {
  lua_settop(L, 4);
  void *row[UN_MAX_STATES];
  for (int s = 0; s < r->run.cell->states; s++)
    row[s] = un_run_before(&r->run, s, un_cell_time(&r->run, 0));
  if (!set_inputs(L, r, 2)) return false;
  r->stage = UNL_NEW;
  if (!set_states(L, r, 3, "state", row)) return false;
  set_mask(L, r, 4);
  return true;
}

bool unl_weightsarepacked(unl_run *r) {
  bool is_packed = r->is_packed && r->packed_version == *r->param_version;
  r->is_packed = true;
  r->packed_version = *r->param_version;
  return is_packed;
}

static uint64_t state_writes(const unl_run *r) {
  uint64_t writes = 0;
  for (int s = 0; s < r->run.cell->states; s++)
    writes += *r->state_version[s];
  return writes;
}

static void note_ran(unl_run *r) {
  unl_touchwritten(r);
  r->seen_states = state_writes(r);
  r->stage = UNL_RAN;
  r->seen_param = *r->param_version;
  r->seen_input = *r->input_version;
  r->seen_mask = *r->mask_version;
}

/* --- forward and back ---------------------------------------------------------------
 */

/*---
--- Runs the cell over x from the given state.
---@param x unroll.Tensor (T,B) int32 tokens or (T,B,I) numbers, contiguous
---@param state? table<string, unroll.Tensor> (B,H) each; nil, or an absent name: zeros
---@param mask? unroll.Tensor (T,B), contiguous
---@return string? message what is wrong with the tokens or the state; nothing was run
function Run:forward(x, state, mask) end
*/
int unl_runforward(lua_State *L) {
  unl_run *r = check_run(L);
  if (!prepare(L, r)) return 1;
  un_cell_forward(&r->run, unl_weightsarepacked(r));
  if (!un_stopped()) note_ran(r); /* else no backward pass can follow */
  return 0;
}

/* Why a backward pass is impossible now, or NULL. */
const char *unl_stale(const unl_run *r) {
  if (r->stage == UNL_NEW) return "there was no forward pass on this trace";
  if (r->stage == UNL_SWEPT)
    return "it was called on this trace already; run forward again first";
  if (*r->param_version != r->seen_param)
    return "the parameters have changed since the forward pass";
  if (*r->input_version != r->seen_input || *r->mask_version != r->seen_mask)
    return "the inputs have changed since the forward pass";
  if (state_writes(r) != r->seen_states)
    return "the outputs or the state that forward returned have been written to since";
  return NULL;
}

/*--- Why a backward pass is impossible now, or nil.
---@return string? message
function Run:stale() end */
static int run_stale(lua_State *L) {
  const char *message = unl_stale(check_run(L));
  if (!message) return 0;
  lua_pushstring(L, message);
  return 1;
}

static void readout_gradient(void *context, int64_t first, int64_t steps, void *dy) {
  un_readout *readout = context;
  int64_t rows = readout->batch;
  un_readout_backward(readout, first * rows, steps * rows, dy);
}

/* Argument 2: dL/dys (T,B,H), the read-out that makes it block by block, or nil. */
static void set_output_gradient(lua_State *L, un_run *run) {
  un_readout *readout = unl_takereadout(L, 2);
  run->dy = NULL;
  run->make_dy = readout ? readout_gradient : NULL;
  run->make_dy_context = readout;
  if (readout) {
    luaL_argcheck(L,
                  readout->dense.dtype == run->dtype && readout->batch == run->B &&
                      readout->dense.rows == run->T * run->B &&
                      readout->dense.in == run->H,
                  2, "the read-out of this run");
  } else if (!lua_isnil(L, 2)) {
    const un_view *dy = unl_checktensor(L, 2);
    luaL_argcheck(L,
                  dy->dtype == run->dtype && un_is_contiguous(dy) &&
                      un_numel(dy) == run->T * run->B * run->H,
                  2, "dys of the run");
    run->dy = dy->data;
  }
}

/* run:turn's work: arguments dys, dstate_end; false with a message on the stack. */
static bool prepare_back(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  lua_settop(L, 3);
  const char *message = unl_stale(r);
  if (message) {
    lua_pushstring(L, message);
    return false;
  }
  luaL_argcheck(L,
                run->dgates && run->dstate[0] && run->grad[0] && run->norm &&
                    (!run->cell->split || run->dgates_h),
                1, "a run without gradients");
  if (!set_states(L, r, 3, "dstate_end", run->dstate)) return false;
  set_output_gradient(L, run);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, UNL_RUN_OUTPUT_GRADIENT);
  return true;
}

/*---
--- Backpropagation through time for the last forward pass. Adds to the gradients.
---@param dys? unroll.Tensor|unroll.Readout (T,B,H), contiguous; or what makes it, a
--- read-out after a training forward; nil: zeros
---@param dstate_end? table<string, unroll.Tensor> (B,H) each
---@return string? message why it cannot be done; nothing was written
function Run:backward(dys, dstate_end) end
*/
int unl_runbackward(lua_State *L) {
  unl_run *r = check_run(L);
  if (!prepare_back(L, r)) return 1;
  un_cell_backward(&r->run);
  unl_touchwritten(r);
  r->stage = UNL_SWEPT;
  return 0;
}

/* --- the phases, for cells written in Lua
 * --------------------------------------------- */

static int64_t check_time(lua_State *L, const unl_run *r) {
  return unl_checkindex(L, 2, r->run.T, "step");
}

/*--- Like forward, up to the time loop: the input projections of all steps.
---@param x unroll.Tensor as for forward
---@param state? table<string, unroll.Tensor>
---@param mask? unroll.Tensor (T,B)
function Run:begin(x, state, mask) end */
static int run_begin(lua_State *L) {
  unl_run *r = check_run(L);
  if (!prepare(L, r)) return 1;
  un_cell_begin(&r->run, unl_weightsarepacked(r));
  if (!un_stopped()) note_ran(r);
  return 0;
}

/*--- Adds W_hh h to the pre-activations of step t.
---@param t integer step, 1..T
function Run:multiply(t) end */
static int run_multiply(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage != UNL_NEW, 1, "begin must come first");
  un_cell_multiply(&r->run, check_time(L, r));
  return 0;
}

/*--- After the step itself: masked rows keep their state.
---@param t integer step, 1..T
function Run:settle(t) end */
static int run_settle(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage != UNL_NEW, 1, "begin must come first");
  un_cell_settle(&r->run, check_time(L, r));
  r->seen_states = state_writes(r);
  return 0;
}

/*--- Like backward, up to the time loop.
---@param dys? unroll.Tensor as for backward
---@param dstate_end? table<string, unroll.Tensor>
function Run:turn(dys, dstate_end) end */
static int run_turn(lua_State *L) {
  unl_run *r = check_run(L);
  if (!prepare_back(L, r)) return 1;
  luaL_argcheck(L, r->dnext[0] != NULL, 1, "a run without dnexts");
  un_cell_turn(&r->run);
  r->stage = UNL_TURNED;
  return 0;
}

/*--- Before the gradient of step t: dy is added; dnexts hold dL/dnext, dstates zeros.
---@param t integer step, 1..T
function Run:arrive(t) end */
static int run_arrive(lua_State *L) {
  unl_run *r = check_run(L);
  const un_run *run = &r->run;
  luaL_argcheck(L, r->stage == UNL_TURNED, 1, "turn must come first");
  un_cell_arrive(run, check_time(L, r));
  size_t bytes = (size_t)(run->B * run->H) * un_dtype_bytes(run->dtype);
  for (int s = 0; s < run->cell->states; s++) {
    memcpy(r->dnext[s], run->dstate[s], bytes);
    memset(run->dstate[s], 0, bytes);
  }
  return 0;
}

/*--- After the gradient of step t: adds da W_hh to dstates.h.
---@param t integer step, 1..T
function Run:leave(t) end */
static int run_leave(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage == UNL_TURNED, 1, "turn must come first");
  un_cell_leave(&r->run, check_time(L, r));
  return 0;
}

/*--- After the last step: weight gradients and dx.
function Run:finish() end */
static int run_finish(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage == UNL_TURNED, 1, "turn must come first");
  const char *message =
      unl_stale(r); /* tokens index memory: they must be the same still */
  if (message) return luaL_error(L, "finish: %s", message);
  un_cell_finish(&r->run);
  unl_touchwritten(r);
  r->stage = UNL_SWEPT;
  return 0;
}

static const luaL_Reg methods[] = {{"forward", unl_runforward},
                                   {"backward", unl_runbackward},
                                   {"begin", run_begin},
                                   {"multiply", run_multiply},
                                   {"settle", run_settle},
                                   {"turn", run_turn},
                                   {"arrive", run_arrive},
                                   {"leave", run_leave},
                                   {"finish", run_finish},
                                   {"stale", run_stale},
                                   {NULL, NULL}};

void unl_openrun(lua_State *L) {
  unl_addmethods(L, unl_run_class, methods);
}
