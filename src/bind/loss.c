/* loss.c -- Readout: the linear layer above the cells with its loss (core/dense.h,
** core/loss.h), and drawing from its outputs (core/pick.h).
**
** Like Run, a Readout is made once for a trace and called without garbage; a message
** comes back for what the user can do wrong. */
#include "loss.h"

#include <math.h>
#include <string.h>

#include "dense.h"
#include "pick.h"
#include "unl.h"

#define UNL_READOUT "unroll.Readout"

enum { TENSORS = 1, INPUT, PACKED, WORK, USER_VALUES = WORK };

typedef struct unl_readout {
  un_dense dense; /* rows = T*B, in = H, out = V */
  int64_t batch;
  bool is_softmax;
  const void *h;
  void *y, *dh; /* y (T*B,V): the outputs, after a training forward their gradient */
  uint64_t *y_version, *dh_version, *dw_version;
  void *packed, *work;
  bool is_packed, has_gradient;
  const uint64_t *param_version;
  uint64_t packed_version;
} unl_readout;

/* --- arguments ---------------------------------------------------------------------- */

/* The contiguous tensor at `arg` with that many numbers; NULL for nil. */
static void *numbers(lua_State *L, int arg, un_dtype dtype, int64_t n, const char *what) {
  if (lua_isnil(L, arg)) return NULL;
  const un_view *v = unl_checktensor(L, arg);
  if (v->dtype != dtype || un_numel(v) != n || !un_is_contiguous(v))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s must be contiguous %s with %I elements", what,
                                  un_dtype_name(dtype), (lua_Integer)n));
  return v->data;
}

static void *number_field(lua_State *L, const char *name, un_dtype dtype, int64_t n,
                          uint64_t **version) {
  lua_getfield(L, 1, name);
  void *data = numbers(L, lua_gettop(L), dtype, n, name);
  if (data) *version = ((unl_tensor *)luaL_checkudata(L, -1, UNL_TENSOR))->version;
  lua_pop(L, 1);
  return data;
}

static int64_t size_field(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  lua_Integer n = luaL_checkinteger(L, -1);
  if (n < 1 || n > INT32_MAX) luaL_error(L, "readout: %s is %I", name, n);
  lua_pop(L, 1);
  return n;
}

static void *new_block(lua_State *L, size_t bytes, int user_value) {
  uintptr_t p = (uintptr_t)lua_newuserdatauv(L, bytes + 63, 0);
  lua_setiuservalue(L, 2, user_value);
  return (void *)((p + 63) & ~(uintptr_t)63);
}

/* --- Readout ------------------------------------------------------------------------ */

static void read_layer(lua_State *L, unl_readout *r) {
  un_dense *d = &r->dense;
  uint64_t *version = NULL;
  r->batch = size_field(L, "B");
  d->dtype = unl_dtypefield(L, 1, "dtype", UN_F32);
  luaL_argcheck(L, un_is_real(d->dtype), 1, "dtype");
  d->in = size_field(L, "H");
  d->out = size_field(L, "V");
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
}

/*---
--- The layer y = h W^T + b over T*B rows with its loss. For lua/unroll/rnn.
---@param description table B, H, V; dtype; kind ("softmax" or "squares"); W (V,H), b (V),
--- their gradients dW, db; y (T,B,V); dh (T,B,H) or nil
---@return unroll.Readout
function core.loss.readout(description) end
*/
static int loss_readout(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  unl_readout *r = lua_newuserdatauv(L, sizeof *r, USER_VALUES);
  memset(r, 0, sizeof *r);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 2, TENSORS);
  read_layer(L, r);
  lua_getfield(L, 1, "kind");
  r->is_softmax = strcmp(luaL_checkstring(L, -1), "softmax") == 0;
  lua_pop(L, 1);
  r->y = number_field(L, "y", r->dense.dtype, r->dense.rows * r->dense.out, &r->y_version);
  r->dh = number_field(L, "dh", r->dense.dtype, r->dense.rows * r->dense.in, &r->dh_version);
  r->packed = new_block(L, un_dense_packed_bytes(&r->dense), PACKED);
  r->work = new_block(L, un_dense_work_bytes(&r->dense), WORK);
  luaL_setmetatable(L, UNL_READOUT);
  return 1;
}

static unl_readout *check_readout(lua_State *L) {
  return luaL_checkudata(L, 1, UNL_READOUT);
}

/* y = h W^T + b for the tensor at argument 2. */
static void run_layer(lua_State *L, unl_readout *r) {
  un_dense *d = &r->dense;
  const void *h = numbers(L, 2, d->dtype, d->rows * d->in, "h");
  luaL_argcheck(L, h != NULL, 2, "h expected");
  r->h = h;
  r->has_gradient = false;
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 1, INPUT);
  if (!r->is_packed || r->packed_version != *r->param_version)
    un_dense_pack(d, r->packed);
  r->is_packed = true;
  r->packed_version = *r->param_version;
  un_dense_forward(d, r->packed, h, r->y);
  ++*r->y_version;
}

/*--- y = h W^T + b.
---@param h unroll.Tensor (T,B,H), contiguous
function Readout:predict(h) end */
static int readout_predict(lua_State *L) {
  run_layer(L, check_readout(L));
  return 0;
}

/* The loss as core wants it: targets at argument 3, weights at 4. */
static un_loss describe_loss(lua_State *L, const unl_readout *r, bool wants_gradient) {
  const un_dense *d = &r->dense;
  un_loss loss = {.dtype = d->dtype, .rows = d->rows, .columns = d->out, .y = r->y};
  if (r->is_softmax)
    loss.labels = numbers(L, 3, UN_I32, d->rows, "targets");
  else
    loss.target = numbers(L, 3, d->dtype, d->rows * d->out, "targets");
  luaL_argcheck(L, loss.labels || loss.target, 3, "targets expected");
  loss.weight = numbers(L, 4, d->dtype, d->rows, "weight");
  loss.dy = wants_gradient ? r->y : NULL;
  return loss;
}

/* How many numbers the loss of one row sums over: a mean divides by them too. */
static double loss_width(const un_loss *l, bool is_softmax) {
  return is_softmax ? 1 : (double)l->columns;
}

static int fail(lua_State *L, const char *message) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  return 2;
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
  unl_readout *r = check_readout(L);
  lua_settop(L, 8);
  bool mean = lua_toboolean(L, 5), train = lua_toboolean(L, 6);
  double total = luaL_checknumber(L, 7), weights = luaL_checknumber(L, 8);
  un_loss loss = describe_loss(L, r, train);
  un_err err;
  if (r->is_softmax && !un_check_labels(&loss, r->batch, &err)) return fail(L, err.msg);
  weights = un_weight_sum(&loss, weights);
  if (train && mean && weights == 0)
    return fail(L, "the weights sum to 0: there is no mean, use reduction=\"sum\"");
  loss.scale = mean ? 1 / (weights * loss_width(&loss, r->is_softmax)) : 1;
  run_layer(L, r);
  total = r->is_softmax ? un_softmax_loss(&loss, total) : un_squares_loss(&loss, total);
  r->has_gradient = train;
  lua_pushnumber(L, total);
  lua_pushnumber(L, weights);
  return 2;
}

/*--- After a training forward: dh, and the gradients of W and b added to.
function Readout:backward() end */
static int readout_backward(lua_State *L) {
  unl_readout *r = check_readout(L);
  luaL_argcheck(L, r->has_gradient && r->dh && r->dense.dw && r->dense.db, 1,
                "a training forward must come first");
  un_dense_input_gradient(&r->dense, r->y, r->dh, r->work);
  un_dense_weight_gradient(&r->dense, r->h, r->y, r->work);
  ++*r->dh_version;
  ++*r->dw_version;
  r->has_gradient = false;
  return 0;
}

/* --- losses of tensors --------------------------------------------------------------- */

/* (..., V) seen as rows of V: the loss over them; arguments y, targets, weight, mean, dy. */
static int tensor_loss(lua_State *L, bool is_softmax) {
  lua_settop(L, 5);
  const un_view *y = unl_checkreal(L, 1);
  luaL_argcheck(L, y->dims > 0 && un_numel(y) > 0 && un_is_contiguous(y), 1,
                "contiguous, with at least one row");
  un_loss loss = {.dtype = y->dtype, .columns = y->size[y->dims - 1], .y = y->data};
  loss.rows = un_numel(y) / loss.columns;
  if (is_softmax)
    loss.labels = numbers(L, 2, UN_I32, loss.rows, "targets");
  else
    loss.target = numbers(L, 2, y->dtype, un_numel(y), "targets");
  luaL_argcheck(L, loss.labels || loss.target, 2, "targets expected");
  loss.weight = numbers(L, 3, y->dtype, loss.rows, "weight");
  loss.dy = numbers(L, 5, y->dtype, un_numel(y), "dy");
  un_err err;
  int64_t batch = y->dims > 1 ? y->size[y->dims - 2] : 1;
  if (is_softmax && !un_check_labels(&loss, batch, &err)) return fail(L, err.msg);
  double divisor = un_weight_sum(&loss, 0) * loss_width(&loss, is_softmax);
  bool mean = lua_toboolean(L, 4);
  if (mean && divisor == 0) return fail(L, "the weights sum to 0, so there is no mean");
  loss.scale = mean ? 1 / divisor : 1;
  if (loss.dy) unl_checkout(L, 5);
  double total = is_softmax ? un_softmax_loss(&loss, 0) : un_squares_loss(&loss, 0);
  lua_pushnumber(L, mean ? total / divisor : total);
  return 1;
}

/*---
--- Softmax cross-entropy of the rows of y, in nats.
---@param y unroll.Tensor (..., V) logits, contiguous
---@param targets unroll.Tensor (...) int32, 1..V, contiguous
---@param weight? unroll.Tensor (...), contiguous
---@param mean? boolean divide by the sum of the weights
---@param dy? unroll.Tensor (..., V) gets the gradient; may be y
---@return number? loss
---@return string? message
function core.loss.cross_entropy(y, targets, weight, mean, dy) end
*/
static int loss_cross_entropy(lua_State *L) {
  return tensor_loss(L, true);
}

/*---
--- Squared error of the rows of y; the mean is over all elements, as in PyTorch.
---@param y unroll.Tensor (..., V), contiguous
---@param targets unroll.Tensor (..., V), contiguous
---@param weight? unroll.Tensor (...), contiguous
---@param mean? boolean
---@param dy? unroll.Tensor (..., V) gets the gradient; may be y
---@return number? loss
---@return string? message
function core.loss.squared_error(y, targets, weight, mean, dy) end
*/
static int loss_squared_error(lua_State *L) {
  return tensor_loss(L, false);
}

/* --- drawing ------------------------------------------------------------------------ */

/*---
--- Draws a symbol from softmax(logits / temperature).
---@param logits unroll.Tensor with V elements, contiguous
---@param temperature number at least 0; 0 takes the largest
---@param top_k integer 1..V
---@param top_p number above 0, at most 1
---@param u number uniform in [0,1)
---@param share unroll.Tensor (V) float64, scratch
---@param order unroll.Tensor (V) int32, scratch
---@return integer? symbol 1..V
---@return string? message when the logits are not finite
function core.loss.pick(logits, temperature, top_k, top_p, u, share, order) end
*/
static int loss_pick(lua_State *L) {
  const un_view *logits = unl_checkreal(L, 1);
  un_pick pick = {.dtype = logits->dtype, .n = un_numel(logits), .logits = logits->data};
  luaL_argcheck(L, un_is_contiguous(logits) && pick.n > 0, 1, "contiguous, not empty");
  pick.temperature = luaL_checknumber(L, 2);
  luaL_argcheck(L, pick.temperature >= 0 && isfinite(pick.temperature), 2,
                "a finite number, at least 0");
  pick.top_k = luaL_checkinteger(L, 3);
  luaL_argcheck(L, pick.top_k >= 1, 3, "at least 1");
  pick.top_p = luaL_checknumber(L, 4);
  luaL_argcheck(L, pick.top_p > 0 && pick.top_p <= 1, 4, "above 0, at most 1");
  pick.u = luaL_checknumber(L, 5);
  pick.share = numbers(L, 6, UN_F64, pick.n, "share");
  pick.order = numbers(L, 7, UN_I32, pick.n, "order");
  luaL_argcheck(L, pick.share && pick.order, 6, "scratch expected");
  int64_t symbol;
  un_err err;
  if (!un_pick_symbol(&pick, &symbol, &err)) return fail(L, err.msg);
  lua_pushinteger(L, symbol + 1);
  return 1;
}

/* --- registration ------------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"readout", loss_readout},
                                     {"cross_entropy", loss_cross_entropy},
                                     {"squared_error", loss_squared_error},
                                     {"pick", loss_pick},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {{"predict", readout_predict},
                                   {"forward", readout_forward},
                                   {"backward", readout_backward},
                                   {NULL, NULL}};

void unl_open_loss(lua_State *L) {
  unl_addmethods(L, UNL_READOUT, methods);
  unl_subtable(L, "loss");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
