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

/* Copies src, which fits, to the row at `data`. */
static void copy_row(void *data, const un_view *src, const un_view *like,
                     size_t bytes) {
  un_view dst = *like;
  dst.data = data;
  if (un_is_contiguous(src))
    memmove(data, src->data, bytes);
  else
    un_copy(&dst, src);
}

/* The tensor of a state on top of the stack, or NULL with a message there instead. */
static const un_view *check_state(lua_State *L, const char *what, const char *name,
                                  const un_view *wanted) {
  const un_view *v = unl_totensor(L, -1);
  if (v && v->dtype == wanted->dtype && un_same_shape(v, wanted)) return v;
  const char *got =
      v ? lua_pushfstring(L, "%s %s", un_dtype_name(v->dtype), un_shape(v).s)
        : luaL_typename(L, -1);
  lua_pushfstring(L, "%s.%s is %s, must be %s %s", what, name, got,
                  un_dtype_name(wanted->dtype), un_shape(wanted).s);
  return NULL;
}

static size_t state_bytes(const un_run *run) {
  return (size_t)(run->B * run->H) * un_dtype_bytes(run->dtype);
}

static void clear_states(const un_run *run, void *const row[]) {
  for (int s = 0; s < run->cell->states; s++)
    memset(row[s], 0, state_bytes(run));
}

static void carry_states(const un_run *run, void *const row[]) {
  for (int s = 0; s < run->cell->states; s++)
    memcpy(row[s], un_run_after(run, s, un_cell_time(run, run->T - 1)),
           state_bytes(run));
}

/* Copies the tensors of the table at `arg` (nil: zeros) to `row`s, one a state. Returns
** false with a message on the stack. */
static bool set_states(lua_State *L, const unl_run *r, int arg, const char *what,
                       void *const row[]) {
  const un_run *run = &r->run;
  if (arg == UNL_CARRIED) {
    carry_states(run, row);
    return true;
  }
  if (lua_isnil(L, arg)) {
    clear_states(run, row);
    return true;
  }
  for (int s = 0; s < run->cell->states; s++) {
    if (lua_getfield(L, arg, r->state_name[s]) == LUA_TNIL) {
      memset(row[s], 0, state_bytes(run));
    } else {
      const un_view *src = check_state(L, what, r->state_name[s], &r->row);
      if (!src) return false;
      copy_row(row[s], src, &r->row, state_bytes(run));
    }
    lua_pop(L, 1);
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

/* What must hold of inputs whatever their numbers; false with a message on the stack. */
static bool check_inputs(lua_State *L, const unl_run *r, int arg, const un_view *x) {
  const un_run *run = &r->run;
  bool is_tokens = x->dtype == UN_I32;
  int64_t n = run->T * run->B * (is_tokens ? 1 : run->I);
  luaL_argcheck(L, un_is_contiguous(x) && un_numel(x) == n, arg, "inputs of the run");
  luaL_argcheck(L, is_tokens || x->dtype == run->dtype, arg, "dtype of the inputs");
  if (!is_own_output(r, x)) return true;
  lua_pushliteral(L, "the inputs are outputs of the trace that is to be used again");
  return false;
}

static bool check_tokens(lua_State *L, const un_run *run, const int32_t *tokens) {
  un_err err;
  if (!tokens || un_check_tokens("tokens", tokens, run->T, run->B, run->I, &err))
    return true;
  lua_pushstring(L, err.msg);
  return false;
}

/* The inputs are the tensor at `arg` from now on; false with a message on the stack. */
static bool set_inputs(lua_State *L, unl_run *r, int self, int arg) {
  un_run *run = &r->run;
  if (unl_isknown(L, arg, &r->input)) return true;
  const un_view *x = unl_checktensor(L, arg);
  const int32_t *tokens = x->dtype == UN_I32 ? x->data : NULL;
  if (!check_inputs(L, r, arg, x) || !check_tokens(L, run, tokens)) return false;
  r->stage = UNL_NEW;
  if ((run->tokens != NULL) != (tokens != NULL))
    r->copies = 0; /* W_xh is packed for numbers only */
  run->tokens = tokens;
  run->x = tokens ? NULL : x->data;
  unl_setknown(L, arg, &r->input, self, UNL_RUN_INPUT);
  return true;
}

static void set_mask(lua_State *L, unl_run *r, int self, int arg) {
  un_run *run = &r->run;
  run->mask = NULL;
  if (lua_isnil(L, arg)) {
    if (r->mask.address) unl_setknown(L, arg, &r->mask, self, UNL_RUN_MASK);
    return;
  }
  const un_view *mask = unl_checktensor(L, arg);
  luaL_argcheck(L,
                mask->dtype == run->dtype && un_is_contiguous(mask) &&
                    un_numel(mask) == run->T * run->B,
                arg, "mask of the run");
  run->mask = mask->data;
  unl_setknown(L, arg, &r->mask, self, UNL_RUN_MASK);
}

void unl_touchwritten(const unl_run *r) {
  for (int i = 0; i < r->written; i++)
    ++*r->version[i];
}

bool unl_runset(lua_State *L, int run, int x, int mask) {
  unl_run *r = unl_checkclass(L, run, unl_run_class);
  if (!set_inputs(L, r, run, x)) return false;
  set_mask(L, r, run, mask);
  return true;
}

bool unl_runhas(const unl_run *r, const void *x) {
  return r->input.address == x && !r->mask.address;
}

/* The first state, for a pass over what was set; false with a message on the stack. */
static bool start(lua_State *L, unl_run *r, int state) {
  void *row[UN_MAX_STATES];
  if (!check_tokens(L, &r->run, r->run.tokens)) return false;
  r->stage = UNL_NEW;
  for (int s = 0; s < r->run.cell->states; s++)
    row[s] = un_run_before(&r->run, s, un_cell_time(&r->run, 0));
  return set_states(L, r, state, "state", row);
}

bool unl_weightsarepacked(unl_run *r) {
  int copies = un_cell_copies(&r->run);
  if (r->copies >= copies && r->packed_version == *r->param_version) return true;
  r->copies = copies;
  r->packed_version = *r->param_version;
  return false;
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
  r->seen_input = *r->input.version;
  r->seen_mask = r->mask.version ? *r->mask.version : 0;
}

/* --- forward and back ---------------------------------------------------------------
 */

bool unl_runforward(lua_State *L, unl_run *r, int state, const un_output_sink *sink) {
  if (!start(L, r, state)) return false;
  r->run.sink = sink;
  un_cell_forward(&r->run, unl_weightsarepacked(r));
  r->run.sink = NULL;
  if (!un_stopped()) note_ran(r); /* else no backward pass can follow */
  return true;
}

/*---
--- Runs the cell over x from the given state.
---@param x unroll.Tensor (T,B) int32 tokens or (T,B,I) numbers, contiguous
---@param state? table<string, unroll.Tensor> (B,H) each; nil, or an absent name: zeros
---@param mask? unroll.Tensor (T,B), contiguous
---@return string? message what is wrong with the tokens or the state; nothing was run
function Run:forward(x, state, mask) end
*/
static int run_forward(lua_State *L) {
  unl_run *r = check_run(L);
  lua_settop(L, 4);
  return unl_runset(L, 1, 2, 4) && unl_runforward(L, r, 3, NULL) ? 0 : 1;
}

/* Why a backward pass is impossible now, or NULL. */
const char *unl_stale(const unl_run *r) {
  if (r->stage == UNL_NEW) return "there was no forward pass on this trace";
  if (r->stage == UNL_SWEPT)
    return "it was called on this trace already; run forward again first";
  if (*r->param_version != r->seen_param)
    return "the parameters have changed since the forward pass";
  if (*r->input.version != r->seen_input ||
      (r->mask.version && *r->mask.version != r->seen_mask))
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

static void begin_dy(void *readout, int group) {
  un_readout_begin_back(readout, group);
}

static void make_dy(void *readout, int group, int64_t first, int64_t rows, bool add,
                    void *dy) {
  un_readout_input_gradient(readout, group, first, rows, add, dy);
}

static void finish_dy(void *readout, int group, int64_t first, un_stripe rows,
                      const void *outputs, bool add) {
  un_readout_weight_gradient(readout, group, first, rows, outputs, add);
}

static int sums_of_dy(void *readout, un_sum *list) {
  return un_readout_sums(readout, list);
}

/* Where dL/dys comes from: the read-out that makes it during the sweep, or memory. */
static void set_output_gradient(unl_run *r, un_readout *readout, const void *dy) {
  const void *outputs = un_run_row(&r->run, r->run.state[0], r->run.H, !r->run.reverse);
  r->dy_source = (un_dy_source){.context = readout,
                                .begin = begin_dy,
                                .make = make_dy,
                                .finish = finish_dy,
                                .sums = sums_of_dy,
                                .has_copies = readout && un_readout_has_copies(readout),
                                .wants_outputs = readout && readout->h == outputs};
  r->run.dy_source = readout ? &r->dy_source : NULL;
  r->run.dy = dy;
}

/* The same from an argument: a tensor (T,B,H), a read-out, or nil. */
static void take_output_gradient(lua_State *L, unl_run *r, int arg) {
  const un_run *run = &r->run;
  un_readout *readout = unl_takereadout(L, arg);
  const un_view *dy = readout || lua_isnil(L, arg) ? NULL : unl_checktensor(L, arg);
  luaL_argcheck(L,
                !readout ||
                    (readout->dense.dtype == run->dtype && readout->batch == run->B &&
                     readout->dense.rows == run->T * run->B &&
                     readout->dense.in == run->H),
                arg, "the read-out of this run");
  luaL_argcheck(L,
                !dy || (dy->dtype == run->dtype && un_is_contiguous(dy) &&
                        un_numel(dy) == run->T * run->B * run->H),
                arg, "dys of the run");
  set_output_gradient(r, readout, dy ? dy->data : NULL);
}

bool unl_hasgradients(const unl_run *r) {
  const un_run *run = &r->run;
  return run->dgates && run->dstate[0] && run->grad[0] && run->norm &&
         (!run->cell->split || run->dgates_x);
}

/* run:turn's work; false with a message on the stack. */
static bool prepare_back(lua_State *L, unl_run *r, int dys, int dstate_end) {
  const char *message = unl_stale(r);
  if (message) {
    lua_pushstring(L, message);
    return false;
  }
  luaL_argcheck(L, unl_hasgradients(r), 1, "a run without gradients");
  if (!set_states(L, r, dstate_end, "dstate_end", r->run.dstate)) return false;
  unl_look(r->gradient_version);
  take_output_gradient(L, r, dys);
  return true;
}

int64_t unl_writablegradients(const unl_run *r) {
  const un_run *run = &r->run;
  const un_cell *cell = run->cell;
  int64_t split_bias = cell->split_bias ? cell->split * run->H : 0;
  return cell->gates * run->H * (run->I + run->H + 1) + split_bias;
}

static void sweep_back(unl_run *r, bool is_fresh) {
  r->run.is_fresh = is_fresh;
  un_cell_backward(&r->run);
  unl_touchwritten(r);
  r->stage = UNL_SWEPT;
}

void unl_runbackward(unl_run *r, un_readout *readout, const void *dy, bool is_fresh) {
  clear_states(&r->run, r->run.dstate);
  set_output_gradient(r, readout, dy);
  sweep_back(r, is_fresh);
}

/*---
--- Backpropagation through time for the last forward pass. Adds to the gradients.
---@param dys? unroll.Tensor|unroll.Readout (T,B,H), contiguous; or what makes it, a
--- read-out after a training forward; nil: zeros
---@param dstate_end? table<string, unroll.Tensor> (B,H) each
---@return string? message why it cannot be done; nothing was written
function Run:backward(dys, dstate_end) end
*/
static int run_backward(lua_State *L) {
  unl_run *r = check_run(L);
  lua_settop(L, 3);
  if (!prepare_back(L, r, 2, 3)) return 1;
  sweep_back(r, false);
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
  lua_settop(L, 4);
  if (!unl_runset(L, 1, 2, 4) || !start(L, r, 3)) return 1;
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
  lua_settop(L, 3);
  if (!prepare_back(L, r, 2, 3)) return 1;
  luaL_argcheck(L, r->dnext[0] != NULL, 1, "a run without dnexts");
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, UNL_RUN_OUTPUT_GRADIENT);
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
  unl_look(r->gradient_version);
  un_cell_finish(&r->run);
  unl_touchwritten(r);
  r->stage = UNL_SWEPT;
  return 0;
}

static const luaL_Reg methods[] = {{"forward", run_forward},
                                   {"backward", run_backward},
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
