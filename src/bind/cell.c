/* cell.c -- Run: a cell over one window, forward and back (core/cell.h).
**
** A Run holds the pointers of all tensors of one trace; user value 1 anchors the
** tensors. lua/unroll/rnn makes it once for a trace and calls it at every step of the
** training, so its methods take few arguments and make no garbage. What a user can do
** wrong (tokens, states, stale traces) comes back as a message, which the Lua side
** raises where the user called. */
#include "cell.h"

#include <string.h>

#include "copy.h"
#include "fields.h"
#include "stop.h"

#define UNL_RUN "unroll.Run"

enum { TENSORS = 1, INPUT, MASK, OUTPUT_GRADIENT, PACKED, WORK, USER_VALUES = WORK };
enum { MAX_WRITTEN = 32 };

/* Where a run stands: a backward pass needs the forward pass of the same data. TURNED is
** the middle of one, for cells written in Lua. */
typedef enum stage { NEW, RAN, TURNED, SWEPT } stage;

typedef struct unl_run {
  un_run run;
  un_cell own; /* the descriptor of a cell written in Lua */
  const char *state_name[UN_MAX_STATES];
  void *dnext[UN_MAX_STATES]; /* cells in Lua: dL/dnext, apart from dstate */
  stage stage;
  bool is_packed;
  uint64_t packed_version; /* of the parameters, when they were packed */
  const uint64_t *param_version, *input_version, *mask_version;
  const uint64_t *state_version[UN_MAX_STATES]; /* callers hold views of the states */
  uint64_t seen_param, seen_input, seen_mask, seen_states;
  int written;
  uint64_t *version[MAX_WRITTEN]; /* of the tensors that a pass writes */
} unl_run;

static unl_run *check_run(lua_State *L) {
  return luaL_checkudata(L, 1, UNL_RUN);
}

/* The userdata of the run while it is made: behind the description. */
enum { RUN = 2 };

/* --- making a run -------------------------------------------------------------------
 */

static void note_written(unl_run *r, uint64_t *version) {
  for (int i = 0; i < r->written; i++)
    if (r->version[i] == version) return;
  if (r->written < MAX_WRITTEN) r->version[r->written++] = version;
}

/* The tensor on top of the stack, popped: its numbers, after checks. */
static void *take_tensor(lua_State *L, unl_run *r, const char *name, un_dtype dtype,
                         int dims, const int64_t *size, bool is_written) {
  un_view wanted;
  un_err err;
  if (!un_make_view(&wanted, name, dtype, dims, size, &err)) unl_raise(L, &err);
  unl_tensor *t = luaL_testudata(L, -1, UNL_TENSOR);
  if (!t || t->view.dtype != dtype || un_numel(&t->view) != un_numel(&wanted) ||
      !un_is_contiguous(&t->view))
    luaL_error(L, "run: %s must be a contiguous %s tensor of size %s", name,
               un_dtype_name(dtype), un_shape(&wanted).s);
  if (is_written) note_written(r, t->version);
  unl_keep(L, RUN, TENSORS);
  lua_pop(L, 1);
  return t->view.data;
}

/* Field `name` of the description at 1; NULL when it is nil. */
static void *take_field(lua_State *L, unl_run *r, const char *name, un_dtype dtype,
                        int dims, const int64_t *size) {
  if (lua_getfield(L, 1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return NULL;
  }
  return take_tensor(L, r, name, dtype, dims, size, true);
}

/* Entry i (from 0) of the list in field `name`; NULL when there is no list. */
static void *take_entry(lua_State *L, unl_run *r, const char *name, int i, int dims,
                        const int64_t *size, bool is_written) {
  if (lua_getfield(L, 1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return NULL;
  }
  luaL_argcheck(L, lua_istable(L, -1), 1, name);
  lua_geti(L, -1, i + 1);
  lua_remove(L, -2);
  return take_tensor(L, r, name, r->run.dtype, dims, size, is_written);
}

static int count_field(lua_State *L, const char *name, int most) {
  lua_getfield(L, 1, name);
  lua_Integer n = luaL_optinteger(L, -1, 0);
  if (n < 0 || n > most) luaL_error(L, "run: %s is %I, at most %d", name, n, most);
  lua_pop(L, 1);
  return (int)n;
}

/* The descriptor: a built-in one by name, or made from the counts of a Lua cell. */
static void read_cell(lua_State *L, unl_run *r) {
  lua_getfield(L, 1, "cell");
  const char *name = lua_tostring(L, -1);
  r->run.cell = name ? un_cell_find(name) : &r->own;
  if (!r->run.cell) luaL_error(L, "run: there is no built-in cell '%s'", name);
  lua_pop(L, 1);
  if (name) return;
  r->own.gates = count_field(L, "gate_count", UN_MAX_GATES);
  r->own.states = count_field(L, "state_count", UN_MAX_STATES);
  luaL_argcheck(L, r->own.gates > 0 && r->own.states > 0, 1, "no gates or no states");
  r->own.split = unl_boolfield(L, 1, "split", false);
  r->own.direct_h = true;
}

static void read_sizes(lua_State *L, unl_run *r) {
  r->run.dtype = unl_dtypefield(L, 1, "dtype", UN_F32);
  luaL_argcheck(L, un_is_real(r->run.dtype), 1, "dtype");
  r->run.T = unl_sizefield(L, "T");
  r->run.B = unl_sizefield(L, "B");
  r->run.I = unl_sizefield(L, "I");
  r->run.H = unl_sizefield(L, "H");
  r->run.reverse = unl_boolfield(L, 1, "reverse", false);
}

/* The write counter of entry i (from 0) of the list in field `name`. */
static const uint64_t *entry_version(lua_State *L, const char *name, int i) {
  lua_getfield(L, 1, name);
  lua_geti(L, -1, i + 1);
  const uint64_t *version = ((unl_tensor *)luaL_checkudata(L, -1, UNL_TENSOR))->version;
  unl_keep(L, RUN, TENSORS);
  lua_pop(L, 2);
  return version;
}

static void read_parameters(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  int64_t width = run->cell->gates * run->H;
  const int64_t size[UN_EXTRA][2] = {{run->I, width}, {width, run->H}, {width, 1}};
  for (int i = 0; i < UN_EXTRA; i++) {
    run->param[i] = take_entry(L, r, "parameters", i, 2, size[i], false);
    run->grad[i] = take_entry(L, r, "gradients", i, 2, size[i], true);
    if (!run->param[i]) luaL_error(L, "run: parameters expected");
  }
  for (int i = 0; i < run->cell->extras; i++) {
    const un_cell_extra *extra = &run->cell->extra[i];
    const int64_t n[2] = {extra->rows * run->H,
                          extra->columns ? extra->columns * run->H : 1};
    run->param[UN_EXTRA + i] =
        take_entry(L, r, "parameters", UN_EXTRA + i, 2, n, false);
    run->grad[UN_EXTRA + i] = take_entry(L, r, "gradients", UN_EXTRA + i, 2, n, true);
  }
  r->param_version = entry_version(L, "parameters", 0);
}

static void read_buffers(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  int64_t width = run->cell->gates * run->H;
  const int64_t gates[3] = {run->T, run->B, width};
  const int64_t saved[3] = {run->T, run->B, run->cell->saved * run->H};
  const int64_t inputs[3] = {run->T, run->B, run->I};
  const int64_t states[3] = {run->T + 1, run->B, run->H};
  for (int s = 0; s < run->cell->states; s++) {
    run->state[s] = take_entry(L, r, "states", s, 3, states, true);
    if (!run->state[s]) luaL_error(L, "run: states expected");
    r->state_version[s] = entry_version(L, "states", s);
    run->dstate[s] = take_entry(L, r, "dstates", s, 2, states + 1, true);
    r->dnext[s] = take_entry(L, r, "dnexts", s, 2, states + 1, true);
  }
  run->gates = take_field(L, r, "gates", run->dtype, 3, gates);
  run->gates_h = take_field(L, r, "gates_h", run->dtype, 3, gates);
  run->dgates = take_field(L, r, "dgates", run->dtype, 3, gates);
  run->dgates_h = take_field(L, r, "dgates_h", run->dtype, 3, gates);
  if (run->cell->saved) run->saved = take_field(L, r, "saved", run->dtype, 3, saved);
  run->dx = take_field(L, r, "dx", run->dtype, 3, inputs);
  run->norm = take_field(L, r, "norms", UN_F64, 1, &run->T);
  if (!run->cell->in_place && !run->gates) luaL_error(L, "run: gates expected");
  if (run->cell->split && !run->gates_h) luaL_error(L, "run: gates_h expected");
  if (run->cell->saved && !run->saved) luaL_error(L, "run: saved expected");
}

/*---
--- A cell over one window, forward and back, on the tensors of one trace.
---@class unroll.Run
---@see core.cell.run unroll.Trace
Run = {}
*/

/*---
--- A run of a cell over T steps of B sequences, on the tensors of one trace. For
--- lua/unroll/rnn; scripts use `rnn.cell`.
---@param description table cell or gate_count and state_count; T, B, I, H; dtype;
--- reverse; lists parameters, gradients, states, dstates, dnexts, state_names; gates,
--- gates_h, saved, dgates, dgates_h, dx, norms
---@return unroll.Run
function core.cell.run(description) end
*/
static int cell_run(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  unl_run *r = lua_newuserdatauv(L, sizeof *r, USER_VALUES);
  memset(r, 0, sizeof *r);
  lua_newtable(L);
  lua_setiuservalue(L, RUN, TENSORS);
  read_cell(L, r);
  read_sizes(L, r);
  read_parameters(L, r);
  read_buffers(L, r);
  lua_getfield(L, 1, "state_names");
  for (int s = 0; s < r->run.cell->states; s++) {
    lua_geti(L, -1, s + 1);
    r->state_name[s] = luaL_checkstring(L, -1);
    unl_keep(L, RUN, TENSORS);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  r->run.packed = unl_newblock(L, RUN, un_cell_packed_bytes(&r->run), PACKED);
  r->run.work = unl_newblock(L, RUN, un_cell_work_bytes(&r->run), WORK);
  luaL_setmetatable(L, UNL_RUN);
  return 1;
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
  unl_tensor *t = luaL_checkudata(L, arg, UNL_TENSOR);
  r->input_version = t->version;
  lua_pushvalue(L, arg);
  lua_setiuservalue(L, 1, INPUT);
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
    r->mask_version = ((unl_tensor *)luaL_checkudata(L, arg, UNL_TENSOR))->version;
  }
  lua_pushvalue(L, arg);
  lua_setiuservalue(L, 1, MASK);
}

static void touch_written(const unl_run *r) {
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
  r->stage = NEW;
  if (!set_states(L, r, 3, "state", row)) return false;
  set_mask(L, r, 4);
  return true;
}

static bool weights_are_packed(unl_run *r) {
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
  touch_written(r);
  r->seen_states = state_writes(r);
  r->stage = RAN;
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
static int run_forward(lua_State *L) {
  unl_run *r = check_run(L);
  if (!prepare(L, r)) return 1;
  un_cell_forward(&r->run, weights_are_packed(r));
  if (!un_stopped()) note_ran(r); /* else no backward pass can follow */
  return 0;
}

/* Why a backward pass is impossible now, or NULL. */
static const char *stale(const unl_run *r) {
  if (r->stage == NEW) return "there was no forward pass on this trace";
  if (r->stage == SWEPT)
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
  const char *message = stale(check_run(L));
  if (!message) return 0;
  lua_pushstring(L, message);
  return 1;
}

/* run:turn's work: arguments dys, dstate_end; false with a message on the stack. */
static bool prepare_back(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  lua_settop(L, 3);
  const char *message = stale(r);
  if (message) {
    lua_pushstring(L, message);
    return false;
  }
  luaL_argcheck(L,
                run->dgates && run->dstate[0] && run->grad[0] && run->norm &&
                    (!run->cell->split || run->dgates_h),
                1, "a run without gradients");
  if (!set_states(L, r, 3, "dstate_end", run->dstate)) return false;
  run->dy = NULL;
  if (!lua_isnil(L, 2)) {
    const un_view *dy = unl_checktensor(L, 2);
    luaL_argcheck(L,
                  dy->dtype == run->dtype && un_is_contiguous(dy) &&
                      un_numel(dy) == run->T * run->B * run->H,
                  2, "dys of the run");
    run->dy = dy->data;
  }
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, OUTPUT_GRADIENT);
  return true;
}

/*---
--- Backpropagation through time for the last forward pass. Adds to the gradients.
---@param dys? unroll.Tensor (T,B,H), contiguous; nil: zeros
---@param dstate_end? table<string, unroll.Tensor> (B,H) each
---@return string? message why it cannot be done; nothing was written
function Run:backward(dys, dstate_end) end
*/
static int run_backward(lua_State *L) {
  unl_run *r = check_run(L);
  if (!prepare_back(L, r)) return 1;
  un_cell_backward(&r->run);
  touch_written(r);
  r->stage = SWEPT;
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
  un_cell_begin(&r->run, weights_are_packed(r));
  if (!un_stopped()) note_ran(r);
  return 0;
}

/*--- Adds W_hh h to the pre-activations of step t.
---@param t integer step, 1..T
function Run:multiply(t) end */
static int run_multiply(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage != NEW, 1, "begin must come first");
  un_cell_multiply(&r->run, check_time(L, r));
  return 0;
}

/*--- After the step itself: masked rows keep their state.
---@param t integer step, 1..T
function Run:settle(t) end */
static int run_settle(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage != NEW, 1, "begin must come first");
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
  r->stage = TURNED;
  return 0;
}

/*--- Before the gradient of step t: dy is added; dnexts hold dL/dnext, dstates zeros.
---@param t integer step, 1..T
function Run:arrive(t) end */
static int run_arrive(lua_State *L) {
  unl_run *r = check_run(L);
  const un_run *run = &r->run;
  luaL_argcheck(L, r->stage == TURNED, 1, "turn must come first");
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
  luaL_argcheck(L, r->stage == TURNED, 1, "turn must come first");
  un_cell_leave(&r->run, check_time(L, r));
  return 0;
}

/*--- After the last step: weight gradients and dx.
function Run:finish() end */
static int run_finish(lua_State *L) {
  unl_run *r = check_run(L);
  luaL_argcheck(L, r->stage == TURNED, 1, "turn must come first");
  const char *message = stale(r); /* tokens index memory: they must be the same still */
  if (message) return luaL_error(L, "finish: %s", message);
  un_cell_finish(&r->run);
  touch_written(r);
  r->stage = SWEPT;
  return 0;
}

/* --- registration -------------------------------------------------------------------
 */

/*---
--- What lua/unroll/rnn must know of a built-in cell, or nil when there is none of that
--- name: gate_count, states (names), saved, in_place, split, extras ({name, rows,
--- columns}, in multiples of H; columns 0 is a vector).
---@param name string
---@return table?
function core.cell.describe(name) end
*/
static int cell_describe(lua_State *L) {
  const un_cell *cell = un_cell_find(luaL_checkstring(L, 1));
  if (!cell) return 0;
  lua_newtable(L);
  lua_pushinteger(L, cell->gates);
  lua_setfield(L, -2, "gate_count");
  lua_pushinteger(L, cell->saved);
  lua_setfield(L, -2, "saved");
  lua_pushboolean(L, cell->in_place);
  lua_setfield(L, -2, "in_place");
  lua_pushboolean(L, cell->split);
  lua_setfield(L, -2, "split");
  lua_newtable(L);
  for (int s = 0; s < cell->states; s++) {
    lua_pushstring(L, cell->state_name[s]);
    lua_seti(L, -2, s + 1);
  }
  lua_setfield(L, -2, "states");
  lua_newtable(L);
  for (int i = 0; i < cell->extras; i++) {
    lua_newtable(L);
    lua_pushstring(L, cell->extra[i].name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, cell->extra[i].rows);
    lua_setfield(L, -2, "rows");
    lua_pushinteger(L, cell->extra[i].columns);
    lua_setfield(L, -2, "columns");
    lua_seti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "extras");
  return 1;
}

/*---
--- The names of the built-in cells.
---@return string[]
function core.cell.names() end
*/
static int cell_names(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; un_cell_at(i); i++) {
    lua_pushstring(L, un_cell_at(i)->name);
    lua_seti(L, -2, i + 1);
  }
  return 1;
}

/*---
--- What an argument is, in one call: the checks of a training step are many.
---@param t any
---@return string? dtype nil when t is no tensor
---@return boolean? is_contiguous
---@return integer? dims
---@return integer? ... the first three sizes; -1 for those that there are not
function core.cell.inspect(t) end
*/
static int cell_inspect(lua_State *L) {
  const un_view *v = unl_totensor(L, 1); /* the stack keeps it alive */
  if (!v) return 0;
  lua_pushstring(L, un_dtype_name(v->dtype));
  lua_pushboolean(L, un_is_contiguous(v));
  lua_pushinteger(L, v->dims);
  for (int d = 0; d < 3; d++)
    lua_pushinteger(L, d < v->dims ? v->size[d] : -1);
  return 6;
}

static const luaL_Reg functions[] = {{"run", cell_run},
                                     {"describe", cell_describe},
                                     {"names", cell_names},
                                     {"inspect", cell_inspect},
                                     {NULL, NULL}};

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

void unl_open_cell(lua_State *L) {
  unl_addmethods(L, UNL_RUN, methods);
  unl_subtable(L, "cell");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
