/* run_make.c -- makes a Run from the description of a trace (see run.h). */
#include <string.h>

#include "fields.h"
#include "run.h"

/* The userdata of the run while it is made: behind the description. */
enum { RUN = 2 };

static void note_written(unl_run *r, uint64_t *version) {
  for (int i = 0; i < r->written; i++)
    if (r->version[i] == version) return;
  if (r->written < UNL_RUN_WRITTEN) r->version[r->written++] = version;
}

/* The tensor on top of the stack, popped: its numbers, after checks. */
static void *take_tensor(lua_State *L, unl_run *r, const char *name, un_dtype dtype,
                         int dims, const int64_t *size, bool is_written) {
  un_view wanted;
  un_err err;
  if (!un_make_view(&wanted, name, dtype, dims, size, &err)) unl_raise(L, &err);
  unl_tensor *t = unl_totensor(L, -1) ? unl_checkheader(L, -1) : NULL;
  if (!t || t->view.dtype != dtype || un_numel(&t->view) != un_numel(&wanted) ||
      !un_is_contiguous(&t->view))
    luaL_error(L, "run: %s must be a contiguous %s tensor of size %s", name,
               un_dtype_name(dtype), un_shape(&wanted).s);
  if (is_written) note_written(r, t->version);
  unl_keep(L, RUN, UNL_RUN_TENSORS);
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
  r->own.split = count_field(L, "split", r->own.gates);
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
  un_set_sizes(&r->row, r->run.dtype, 2, (const int64_t[]){r->run.B, r->run.H});
}

/* The write counter of entry i (from 0) of the list in field `name`. */
static uint64_t *entry_version(lua_State *L, const char *name, int i) {
  lua_getfield(L, 1, name);
  lua_geti(L, -1, i + 1);
  uint64_t *version = unl_checkheader(L, -1)->version;
  unl_keep(L, RUN, UNL_RUN_TENSORS);
  lua_pop(L, 2);
  return version;
}

static void read_parameters(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  int64_t width = run->cell->gates * run->H;
  const int64_t size[UN_PARAMS][2] = {
      {run->I, width}, {width, run->H}, {width, 1}, {run->cell->split * run->H, 1}};
  int count = run->cell->split_bias ? UN_PARAMS : UN_B_SPLIT;
  for (int i = 0; i < count; i++) {
    run->param[i] = take_entry(L, r, "parameters", i, 2, size[i], false);
    run->grad[i] = take_entry(L, r, "gradients", i, 2, size[i], true);
    if (!run->param[i]) luaL_error(L, "run: parameters expected");
  }
  r->param_version = entry_version(L, "parameters", 0);
  if (run->grad[UN_W_XH]) r->gradient_version = entry_version(L, "gradients", 0);
}

static void read_buffers(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  int64_t width = run->cell->gates * run->H;
  const int64_t gates[3] = {run->T, run->B, width};
  const int64_t split[3] = {run->T, run->B, run->cell->split * run->H};
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
  if (run->cell->split)
    run->gates_x = take_field(L, r, "gates_x", run->dtype, 3, split);
  run->dgates = take_field(L, r, "dgates", run->dtype, 3, gates);
  if (run->cell->split)
    run->dgates_x = take_field(L, r, "dgates_x", run->dtype, 3, split);
  if (run->cell->saved) run->saved = take_field(L, r, "saved", run->dtype, 3, saved);
  run->dx = take_field(L, r, "dx", run->dtype, 3, inputs);
  run->norm = take_field(L, r, "norms", UN_F64, 1, &run->T);
  if (!run->cell->in_place && !run->gates) luaL_error(L, "run: gates expected");
  if (run->cell->split && !run->gates_x) luaL_error(L, "run: gates_x expected");
  if (run->cell->saved && !run->saved) luaL_error(L, "run: saved expected");
}

/* The memory of the sweep back. A cell written in Lua looks at the gradients of all gates
** from outside: it gave tensors for them, and they are one block. */
static void make_work(lua_State *L, unl_run *r) {
  un_run *run = &r->run;
  bool is_own = run->cell == &r->own;
  if (!run->grad[0]) return;
  run->block = is_own ? run->T : un_cell_block(run);
  if (!is_own) {
    int64_t blocks = run->block * run->B * run->H;
    size_t bytes = (size_t)blocks * un_dtype_bytes(run->dtype);
    int gates = run->cell->gates, split = run->cell->split;
    run->dgates =
        unl_newblock(L, RUN, (size_t)(gates + split) * bytes, UNL_RUN_GRADIENTS);
    if (split) run->dgates_x = (char *)run->dgates + (size_t)gates * bytes;
  }
  run->work = unl_newblock(L, RUN, un_cell_work_bytes(run), UNL_RUN_WORK);
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
--- gates_x, saved, dx, norms; for cells in Lua also split, dgates, dgates_x
---@return unroll.Run
function core.cell.run(description) end
*/
int unl_makerun(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  unl_run *r = lua_newuserdatauv(L, sizeof *r, UNL_RUN_VALUES);
  memset(r, 0, sizeof *r);
  lua_newtable(L);
  lua_setiuservalue(L, RUN, UNL_RUN_TENSORS);
  read_cell(L, r);
  read_sizes(L, r);
  read_parameters(L, r);
  read_buffers(L, r);
  lua_getfield(L, 1, "state_names");
  for (int s = 0; s < r->run.cell->states; s++) {
    lua_geti(L, -1, s + 1);
    r->state_name[s] = luaL_checkstring(L, -1);
    unl_keep(L, RUN, UNL_RUN_TENSORS);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  r->run.packed = unl_newblock(L, RUN, un_cell_packed_bytes(&r->run), UNL_RUN_PACKED);
  make_work(L, r);
  unl_setclass(L, unl_run_class);
  return 1;
}
