/* loss.c -- losses of tensors with their gradients (core/loss.h), and drawing from
** logits (core/pick.h). */
#include "loss.h"

#include <math.h>

#include "fields.h"
#include "operand.h"
#include "pick.h"

/* --- losses of tensors ---------------------------------------------------------------
 */

/* dy at argument 5 may be y; it shares no memory with what is read otherwise. */
static void check_gradient(lua_State *L, const char *who, const un_view *y) {
  const un_view *dy = unl_checkout(L, 5), *target = unl_totensor(L, 2),
                *weight = unl_totensor(L, 3);
  if (dy->data != y->data) unl_checkapart(L, who, dy, "y", y);
  unl_checkapart(L, who, dy, "the targets", target);
  if (weight) unl_checkapart(L, who, dy, "the weights", weight);
}

/* (..., V) seen as rows of V: the loss over them; arguments y, targets, weight, mean,
 * dy. */
static int tensor_loss(lua_State *L, bool is_softmax) {
  lua_settop(L, 5);
  const un_view *y = unl_checkreal(L, 1);
  luaL_argcheck(L, y->dims > 0 && un_numel(y) > 0 && un_is_contiguous(y), 1,
                "contiguous, with at least one row");
  un_loss loss = {.dtype = y->dtype, .columns = y->size[y->dims - 1], .y = y->data};
  loss.rows = un_numel(y) / loss.columns;
  if (is_softmax)
    loss.labels = unl_numbers(L, 2, UN_I32, loss.rows, "targets");
  else
    loss.target = unl_numbers(L, 2, y->dtype, un_numel(y), "targets");
  luaL_argcheck(L, loss.labels || loss.target, 2, "targets expected");
  loss.weight = unl_numbers(L, 3, y->dtype, loss.rows, "weight");
  loss.dy = unl_numbers(L, 5, y->dtype, un_numel(y), "dy");
  un_err err;
  int64_t batch = y->dims > 1 ? y->size[y->dims - 2] : 1;
  if (is_softmax && !un_check_labels(&loss, batch, &err))
    return unl_failure(L, err.msg);
  double divisor = un_weight_sum(&loss, 0) * un_loss_width(&loss);
  bool mean = lua_toboolean(L, 4);
  if (mean && divisor == 0)
    return unl_failure(L, "the weights sum to 0, so there is no mean");
  loss.scale = mean ? 1 / divisor : 1;
  if (loss.dy) check_gradient(L, is_softmax ? "cross_entropy" : "squared_error", y);
  double total = un_loss_sum(&loss, 0);
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

/* --- drawing ------------------------------------------------------------------------
 */

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
  un_pick pick = {
      .dtype = logits->dtype, .n = un_numel(logits), .logits = logits->data};
  luaL_argcheck(L, un_is_contiguous(logits) && pick.n > 0, 1, "contiguous, not empty");
  pick.temperature = luaL_checknumber(L, 2);
  luaL_argcheck(L, pick.temperature >= 0 && isfinite(pick.temperature), 2,
                "a finite number, at least 0");
  pick.top_k = luaL_checkinteger(L, 3);
  luaL_argcheck(L, pick.top_k >= 1, 3, "at least 1");
  pick.top_p = luaL_checknumber(L, 4);
  luaL_argcheck(L, pick.top_p > 0 && pick.top_p <= 1, 4, "above 0, at most 1");
  pick.u = luaL_checknumber(L, 5);
  pick.share = unl_numbers(L, 6, UN_F64, pick.n, "share");
  pick.order = unl_numbers(L, 7, UN_I32, pick.n, "order");
  luaL_argcheck(L, pick.share && pick.order, 6, "scratch expected");
  int64_t symbol;
  un_err err;
  if (!un_pick_symbol(&pick, &symbol, &err)) return unl_failure(L, err.msg);
  lua_pushinteger(L, symbol + 1);
  return 1;
}

static const luaL_Reg functions[] = {{"cross_entropy", loss_cross_entropy},
                                     {"squared_error", loss_squared_error},
                                     {"pick", loss_pick},
                                     {NULL, NULL}};

void unl_open_loss(lua_State *L) {
  unl_subtable(L, "loss");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
