/* readout.c -- Readout: the linear layer above the cells with its loss
** (core/readout.h).
**
** Like a Run (run.h), a Readout is made once for a trace and called without garbage; a
** message comes back for what the user can do wrong. */
#include "readout.h"

#include <string.h>

#include "fields.h"
#include "profile.h"
#include "run.h"
#include "stop.h"

static const char class_name[] = "unroll.Readout";

enum { TENSORS = 1, INPUT, TARGETS, PACKED, PACKED_BACK, WORK, USER_VALUES = WORK };

struct unl_readout {
  unl_class class; /* first */
  un_readout core;
  bool is_softmax;
  void *dh; /* (T*B,H) or NULL: where a whole dh is wanted */
  uint64_t *y_version, *dh_version, *dw_version;
  unl_known input, targets;
  const void *target_numbers;
  bool has_gradient;
  const uint64_t *param_version;
  uint64_t packed_version;
  un_readout_pass pass; /* the one that has begun */
  bool trains;
};

/* The userdata of the readout while it is made: behind the description. */
enum { READOUT = 2 };

static void *number_field(lua_State *L, const char *name, un_dtype dtype, int64_t n,
                          uint64_t **version) {
  lua_getfield(L, 1, name);
  void *data = unl_numbers(L, lua_gettop(L), dtype, n, name);
  if (data) *version = unl_checkheader(L, -1)->version;
  unl_keep(L, READOUT, TENSORS);
  lua_pop(L, 1);
  return data;
}

static void read_layer(lua_State *L, unl_readout *r) {
  un_dense *d = &r->core.dense;
  uint64_t *version = NULL;
  r->core.batch = unl_sizefield(L, "B");
  d->dtype = unl_dtypefield(L, 1, "dtype", UN_F32);
  luaL_argcheck(L, un_is_real(d->dtype), 1, "dtype");
  d->in = unl_sizefield(L, "H");
  d->out = unl_sizefield(L, "V");
  d->w_row = d->in;
  d->y_row = d->out;
  d->w = number_field(L, "W", d->dtype, d->out * d->in, &version);
  d->b = number_field(L, "b", d->dtype, d->out, &version);
  luaL_argcheck(L, d->w && d->b, 1, "W and b expected");
  r->param_version = version;
  d->dw = number_field(L, "dW", d->dtype, d->out * d->in, &r->dw_version);
  d->db = number_field(L, "db", d->dtype, d->out, &r->dw_version);
  /* T*B*V numbers exist in y, so the product of the sizes fits */
  lua_getfield(L, 1, "y");
  d->rows = un_numel(unl_checktensor(L, -1)) / d->out;
  lua_pop(L, 1);
  luaL_argcheck(L, d->rows > 0, 1, "y is empty");
  d->single = d->rows == 1;
}

static void make_work(lua_State *L, un_readout *r) {
  r->packed_back =
      unl_newblock(L, READOUT, un_readout_packed_back_bytes(r), PACKED_BACK);
  r->work = unl_newblock(L, READOUT, un_readout_work_bytes(r), WORK);
}

/*---
--- The linear layer above the cells with its loss, on the tensors of one trace.
---@class unroll.Readout
---@see core.loss.readout
Readout = {}
*/

/*---
--- The layer y = h W^T + b over T*B rows with its loss. For lua/unroll/rnn.
---@param description table B, H, V; dtype; kind ("softmax" or "squares"); W (V,H), b
--- (V), their gradients dW, db; y (T,B,V); dh (T,B,H) or nil
---@return unroll.Readout
function core.loss.readout(description) end
*/
static int loss_readout(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  unl_readout *r = lua_newuserdatauv(L, sizeof *r, USER_VALUES);
  memset(r, 0, sizeof *r);
  lua_newtable(L);
  lua_setiuservalue(L, READOUT, TENSORS);
  read_layer(L, r);
  lua_getfield(L, 1, "kind");
  r->is_softmax = strcmp(luaL_checkstring(L, -1), "softmax") == 0;
  lua_pop(L, 1);
  const un_dense *d = &r->core.dense;
  r->core.y = number_field(L, "y", d->dtype, d->rows * d->out, &r->y_version);
  r->dh = number_field(L, "dh", d->dtype, d->rows * d->in, &r->dh_version);
  r->core.packed = unl_newblock(L, READOUT, un_readout_packed_bytes(&r->core), PACKED);
  if (d->dw) make_work(L, &r->core);
  unl_setclass(L, class_name);
  return 1;
}

unl_readout *unl_checkreadout(lua_State *L, int arg) {
  return unl_checkclass(L, arg, class_name);
}

static unl_readout *check_readout(lua_State *L) {
  return unl_checkreadout(L, 1);
}

/* W as it is now; what was packed before is no longer valid if it has changed. */
static void look_at_weights(unl_readout *r) {
  if (r->packed_version != *r->param_version) un_readout_forget(&r->core);
  r->packed_version = *r->param_version;
}

un_readout *unl_packreadout(lua_State *L, int arg) {
  unl_readout *r = unl_checkreadout(L, arg);
  look_at_weights(r);
  un_readout_pack(&r->core);
  r->has_gradient = false;
  ++*r->y_version;
  return &r->core;
}

/* The numbers of the tensor at h, (T,B,H). */
static void set_input(lua_State *L, unl_readout *r, int self, int h) {
  const un_dense *d = &r->core.dense;
  if (unl_isknown(L, h, &r->input)) return;
  r->core.h = unl_numbers(L, h, d->dtype, d->rows * d->in, "h");
  luaL_argcheck(L, r->core.h != NULL, h, "h expected");
  unl_setknown(L, h, &r->input, self, INPUT);
}

static void begin_pass(unl_readout *r, const un_loss *loss, bool train, double total) {
  r->has_gradient = false;
  r->trains = train;
  look_at_weights(r);
  r->pass = un_readout_begin(&r->core, loss, train, total);
}

static void take_outputs(void *readout, int64_t first, int64_t rows) {
  un_readout_rows(&((unl_readout *)readout)->pass, first, rows);
}

static void take_group(void *readout, int group) {
  un_readout_group(&((unl_readout *)readout)->pass, group);
}

un_output_sink unl_readoutsink(unl_readout *r, int groups) {
  un_readout_split(&r->core, groups);
  return (un_output_sink){r, take_outputs, take_group};
}

double unl_readoutend(unl_readout *r) {
  if (r->core.part > 0 && !un_stopped()) un_readout_collect(&r->pass);
  ++*r->y_version;
  r->has_gradient = r->trains && !un_stopped();
  return r->pass.total;
}

/* The pass that has begun, over all rows. */
static double run_pass(unl_readout *r) {
  un_readout_rows(&r->pass, 0, r->core.dense.rows);
  return unl_readoutend(r);
}

/*--- y = h W^T + b.
---@param h unroll.Tensor (T,B,H), contiguous
function Readout:predict(h) end */
static int readout_predict(lua_State *L) {
  unl_readout *r = check_readout(L);
  set_input(L, r, 1, 2);
  begin_pass(r, NULL, false, 0);
  run_pass(r);
  return 0;
}

static void set_targets(lua_State *L, unl_readout *r, int self, int targets) {
  const un_dense *d = &r->core.dense;
  if (unl_isknown(L, targets, &r->targets)) return;
  r->target_numbers =
      r->is_softmax ? unl_numbers(L, targets, UN_I32, d->rows, "targets")
                    : unl_numbers(L, targets, d->dtype, d->rows * d->out, "targets");
  luaL_argcheck(L, r->target_numbers != NULL, targets, "targets expected");
  unl_setknown(L, targets, &r->targets, self, TARGETS);
}

void unl_readoutset(lua_State *L, int readout, int h, int targets) {
  unl_readout *r = unl_checkreadout(L, readout);
  set_targets(L, r, readout, targets);
  set_input(L, r, readout, h);
}

bool unl_readouthas(const unl_readout *r, const void *h, const void *targets) {
  return r->input.address == h && r->targets.address == targets;
}

/* The loss as core wants it. */
static un_loss describe_loss(lua_State *L, const unl_readout *r, int weight) {
  const un_dense *d = &r->core.dense;
  un_loss loss = {.dtype = d->dtype, .rows = d->rows, .columns = d->out};
  if (r->is_softmax)
    loss.labels = r->target_numbers;
  else
    loss.target = r->target_numbers;
  loss.weight = unl_numbers(L, weight, d->dtype, d->rows, "weight");
  return loss;
}

bool unl_readoutbegin(lua_State *L, unl_readout *r, int weight, bool mean, bool train,
                      unl_totals *totals) {
  un_loss loss = describe_loss(L, r, weight);
  un_err err;
  if (r->is_softmax && !un_check_labels(&loss, r->core.batch, &err)) {
    lua_pushstring(L, err.msg);
    return false;
  }
  double weights = un_weight_sum(&loss, totals->weights);
  if (train && mean && weights == 0) {
    lua_pushliteral(L, "the weights sum to 0: there is no mean, use reduction=\"sum\"");
    return false;
  }
  loss.scale = mean ? 1 / (weights * un_loss_width(&loss)) : 1;
  begin_pass(r, &loss, train, totals->loss);
  totals->weights = weights;
  return true;
}

/*---
--- Outputs and loss; with `train` also the gradient for Readout:backward.
---@param h unroll.Tensor (T,B,H), contiguous
---@param targets unroll.Tensor (T,B) int32, or (T,B,V) for squares; contiguous
---@param weight? unroll.Tensor (T,B), contiguous
---@param mean boolean the gradient is that of the mean, not of the sum
---@param train boolean
---@param total number what the loss is added to
---@param weights number what the sum of the weights is added to
---@return number? total nil when a target or the weights are wrong
---@return number|string weights or the message
function Readout:forward(h, targets, weight, mean, train, total, weights) end
*/
static int readout_forward(lua_State *L) {
  lua_settop(L, 8);
  unl_totals totals = {luaL_checknumber(L, 7), luaL_checknumber(L, 8)};
  unl_readoutset(L, 1, 2, 3);
  unl_readout *r = check_readout(L);
  if (!unl_readoutbegin(L, r, 4, lua_toboolean(L, 5), lua_toboolean(L, 6), &totals))
    return unl_failure(L, lua_tostring(L, -1));
  lua_pushnumber(L, run_pass(r));
  lua_pushnumber(L, totals.weights);
  return 2;
}

bool unl_readoutisready(const unl_readout *r) {
  return r->has_gradient && r->core.dense.dw && r->core.dense.db;
}

int64_t unl_readoutgradients(const unl_readout *r, uint64_t **version) {
  const un_dense *d = &r->core.dense;
  *version = r->dw_version;
  return d->dw && d->db ? (d->in + 1) * d->out : 0;
}

un_readout *unl_takegradient(unl_readout *r) {
  ++*r->dw_version;
  r->has_gradient = false;
  return &r->core;
}

un_readout *unl_takereadout(lua_State *L, int arg) {
  unl_readout *r = unl_testclass(L, arg, class_name);
  if (!r) return NULL;
  luaL_argcheck(L, unl_readoutisready(r), arg, "a training forward must come first");
  unl_look(r->dw_version);
  return unl_takegradient(r);
}

/*--- After a training forward: all of dh, and the gradients of W and b added to. A Run
--- that is given the read-out itself asks for dh block by block instead.
function Readout:backward() end */
static int readout_backward(lua_State *L) {
  unl_readout *r = check_readout(L);
  luaL_argcheck(L, unl_readoutisready(r) && r->dh, 1,
                "a training forward must come first, and dh be there");
  unl_look(r->dw_version);
  un_readout_backward(unl_takegradient(r), r->dh);
  ++*r->dh_version;
  return 0;
}

static const luaL_Reg functions[] = {{"readout", loss_readout}, {NULL, NULL}};

static const luaL_Reg methods[] = {{"predict", readout_predict},
                                   {"forward", readout_forward},
                                   {"backward", readout_backward},
                                   {NULL, NULL}};

void unl_open_readout(lua_State *L) {
  unl_addmethods(L, class_name, methods);
  unl_subtable(L, "loss");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
