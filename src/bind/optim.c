/* optim.c -- the update rules as functions on tensors; the optimisers of
** lua/unroll/optim.lua hold the state and the options. Numbers come as plain arguments
** and not in a table, so that a step makes no garbage. */
#include "unl.h"

#include <math.h>

#include "optim.h"

/* A finite number, at least zero. */
static double check_scale(lua_State *L, int arg, const char *name) {
  double x = luaL_checknumber(L, arg);
  if (!(x >= 0 && isfinite(x)))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s is %s, must be finite and not negative", name,
                                  unl_pushtext(L, arg)));
  return x;
}

/* A decay rate: 0 <= x < 1. */
static double check_rate(lua_State *L, int arg, const char *name) {
  double x = luaL_checknumber(L, arg);
  if (!(x >= 0 && x < 1))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s is %s, must be from 0 to below 1", name,
                                  unl_pushtext(L, arg)));
  return x;
}

static int64_t check_step(lua_State *L, int arg) {
  lua_Integer t = luaL_checkinteger(L, arg);
  luaL_argcheck(L, t >= 1, arg, "steps are counted from 1");
  return t;
}

/* The tensors p, g and `states` state tensors at the arguments 1, 2, ...; a state may
** be nil when `optional` says so, one bit a state. */
static void check_tensors(lua_State *L, int states, unsigned optional,
                          const un_view *tensor[]) {
  tensor[UN_OPTIM_G] = unl_checktensor(L, 2);
  for (int i = 0; i < states; i++) {
    int arg = 3 + i;
    bool absent = (optional >> i & 1) != 0 && lua_isnil(L, arg);
    tensor[UN_OPTIM_S1 + i] = absent ? NULL : unl_checkout(L, arg);
  }
  tensor[UN_OPTIM_P] = unl_checkout(L, 1);
}

static int update(lua_State *L, un_optim_rule rule,
                  const un_view *const tensor[UN_OPTIM_TENSORS],
                  const un_optim_options *o) {
  un_err err;
  if (!un_optim_update(rule, tensor, o, &err)) return unl_raise(L, &err);
  return 0;
}

/*---
--- One step of gradient descent on `p` (any shape, float32 or float64). With a momentum
--- buffer `m`: m <- momentum m + (1 - dampening) (g + weight_decay p), p <- p - lr m;
--- with `nesterov` p <- p - lr (g + weight_decay p + momentum m).
---@param p unroll.Tensor the parameter, overwritten
---@param g unroll.Tensor its gradient, of the same shape and dtype
---@param m? unroll.Tensor momentum buffer, overwritten; nil: p <- p - lr (g +
--- weight_decay p)
---@param lr number learning rate, at least 0
---@param momentum number at least 0
---@param dampening number
---@param weight_decay number at least 0
---@param nesterov boolean
function core.optim.sgd(p, g, m, lr, momentum, dampening, weight_decay, nesterov) end
*/
static int optim_sgd(lua_State *L) {
  const un_view *tensor[UN_OPTIM_TENSORS] = {NULL};
  un_optim_options o = {.lr = check_scale(L, 4, "lr"),
                        .momentum = check_scale(L, 5, "momentum"),
                        .dampening = luaL_checknumber(L, 6),
                        .weight_decay = check_scale(L, 7, "weight_decay"),
                        .nesterov = lua_toboolean(L, 8)};
  check_tensors(L, 1, 1, tensor);
  return update(L, UN_SGD, tensor, &o);
}

/*---
--- One step of Adagrad on `p` (any shape, float32 or float64): s <- s + g^2,
--- p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).
---@param p unroll.Tensor the parameter, overwritten
---@param g unroll.Tensor its gradient, of the same shape and dtype
---@param s unroll.Tensor sum of squares, overwritten
---@param t integer the number of this step, from 1
---@param lr number learning rate, at least 0
---@param lr_decay number at least 0
---@param weight_decay number at least 0, times p is added to the gradient
---@param eps number at least 0
function core.optim.adagrad(p, g, s, t, lr, lr_decay, weight_decay, eps) end
*/
static int optim_adagrad(lua_State *L) {
  const un_view *tensor[UN_OPTIM_TENSORS] = {NULL};
  un_optim_options o = {.t = check_step(L, 4),
                        .lr = check_scale(L, 5, "lr"),
                        .lr_decay = check_scale(L, 6, "lr_decay"),
                        .weight_decay = check_scale(L, 7, "weight_decay"),
                        .eps = check_scale(L, 8, "eps")};
  check_tensors(L, 1, 0, tensor);
  return update(L, UN_ADAGRAD, tensor, &o);
}

/*---
--- One step of RMSProp on `p` (any shape, float32 or float64):
--- v <- alpha v + (1 - alpha) g^2, d = g / (sqrt(v) + eps), p <- p - lr d. With `a`,
--- the mean of the gradients, v - a^2 stands for v (centered); with `b`
--- b <- momentum b + d, p <- p - lr b.
---@param p unroll.Tensor the parameter, overwritten
---@param g unroll.Tensor its gradient, of the same shape and dtype
---@param v unroll.Tensor mean of squares, overwritten
---@param a? unroll.Tensor mean of gradients, overwritten
---@param b? unroll.Tensor momentum buffer, overwritten
---@param lr number learning rate, at least 0
---@param alpha number decay of the means, from 0 to below 1
---@param eps number at least 0
---@param weight_decay number at least 0, times p is added to the gradient
---@param momentum number at least 0
function core.optim.rmsprop(p, g, v, a, b, lr, alpha, eps, weight_decay, momentum) end
*/
static int optim_rmsprop(lua_State *L) {
  const un_view *tensor[UN_OPTIM_TENSORS] = {NULL};
  un_optim_options o = {.lr = check_scale(L, 6, "lr"),
                        .alpha = check_rate(L, 7, "alpha"),
                        .eps = check_scale(L, 8, "eps"),
                        .weight_decay = check_scale(L, 9, "weight_decay"),
                        .momentum = check_scale(L, 10, "momentum")};
  check_tensors(L, 3, 6, tensor);
  return update(L, UN_RMSPROP, tensor, &o);
}

static int adam(lua_State *L, un_optim_rule rule) {
  const un_view *tensor[UN_OPTIM_TENSORS] = {NULL};
  un_optim_options o = {.t = check_step(L, 5),
                        .lr = check_scale(L, 6, "lr"),
                        .beta1 = check_rate(L, 7, "beta1"),
                        .beta2 = check_rate(L, 8, "beta2"),
                        .eps = check_scale(L, 9, "eps"),
                        .weight_decay = check_scale(L, 10, "weight_decay")};
  check_tensors(L, 2, 0, tensor);
  return update(L, rule, tensor, &o);
}

/*---
--- One step of Adam on `p` (any shape, float32 or float64): m <- beta1 m + (1 - beta1)
--- g, v <- beta2 v + (1 - beta2) g^2,
--- p <- p - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps).
---@param p unroll.Tensor the parameter, overwritten
---@param g unroll.Tensor its gradient, of the same shape and dtype
---@param m unroll.Tensor mean of gradients, overwritten
---@param v unroll.Tensor mean of squares, overwritten
---@param t integer the number of this step, from 1
---@param lr number learning rate, at least 0
---@param beta1 number from 0 to below 1
---@param beta2 number from 0 to below 1
---@param eps number at least 0
---@param weight_decay number at least 0, times p is added to the gradient
function core.optim.adam(p, g, m, v, t, lr, beta1, beta2, eps, weight_decay) end
*/
static int optim_adam(lua_State *L) {
  return adam(L, UN_ADAM);
}

/*---
--- One step of AdamW: as adam, but `weight_decay` does not enter the gradient;
--- p <- (1 - lr weight_decay) p comes first.
---@param p unroll.Tensor the parameter, overwritten
---@param g unroll.Tensor its gradient, of the same shape and dtype
---@param m unroll.Tensor mean of gradients, overwritten
---@param v unroll.Tensor mean of squares, overwritten
---@param t integer the number of this step, from 1
---@param lr number learning rate, at least 0
---@param beta1 number from 0 to below 1
---@param beta2 number from 0 to below 1
---@param eps number at least 0
---@param weight_decay number at least 0
function core.optim.adamw(p, g, m, v, t, lr, beta1, beta2, eps, weight_decay) end
*/
static int optim_adamw(lua_State *L) {
  return adam(L, UN_ADAMW);
}

/*---
--- The Euclidean norm of all elements of `x` (any shape, float32 or float64), summed in
--- float64, squares of float32 four at a time first; large and tiny elements neither
--- overflow nor vanish. NaN if an element is NaN, infinite if one is infinite.
---@param x unroll.Tensor
---@return number norm
function core.optim.norm(x) end
*/
static int optim_norm(lua_State *L) {
  lua_pushnumber(L, un_norm(unl_checkreal(L, 1)));
  return 1;
}

/*---
--- Multiplies all elements of `x` in place. The product is made in double and rounded
--- once, so that the factor may be smaller than a float32 can hold.
---@param x unroll.Tensor float32 or float64, any shape, overwritten
---@param factor number
function core.optim.scale(x, factor) end
*/
static int optim_scale(lua_State *L) {
  (void)unl_checkreal(L, 1);
  double factor = luaL_checknumber(L, 2);
  un_scale(unl_checkout(L, 1), factor);
  return 0;
}

/*---
--- Clamps all elements of `x` to -limit .. limit in place, unless the norm of `x` is NaN
--- or infinite.
---@param x unroll.Tensor float32 or float64, any shape, overwritten
---@param limit number above 0
---@return number norm before
---@return boolean clipped was any element beyond the limit
function core.optim.clip_value(x, limit) end
*/
static int optim_clip_value(lua_State *L) {
  bool clipped;
  (void)unl_checkreal(L, 1);
  double limit = luaL_checknumber(L, 2);
  lua_pushnumber(L, un_clip_value(unl_checkout(L, 1), limit, &clipped));
  lua_pushboolean(L, clipped);
  return 2;
}

static const luaL_Reg functions[] = {{"sgd", optim_sgd},
                                     {"adagrad", optim_adagrad},
                                     {"rmsprop", optim_rmsprop},
                                     {"adam", optim_adam},
                                     {"adamw", optim_adamw},
                                     {"norm", optim_norm},
                                     {"scale", optim_scale},
                                     {"clip_value", optim_clip_value},
                                     {NULL, NULL}};

void unl_open_optim(lua_State *L) {
  unl_subtable(L, "optim");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
