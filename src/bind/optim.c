/* optim.c -- the update rules, bound to the tensors of a model, and clipping; the
** optimisers of lua/unroll/optim.lua hold the state and decide what an option means.
**
** An Update is made once for the tensors that a step works on, and checked then. A step
** is one call that reads the options from the optimiser itself, where they may have been
** changed. It makes no garbage. */
#include "optim.h"

#include <math.h>
#include <string.h>

#include "fields.h"
#include "step.h"

static const char class_name[] = "unroll.Update";

typedef struct options {
  un_optim_options core;
  bool centered;
} options;

typedef struct unl_slot {
  const un_view *tensor[UN_OPTIM_TENSORS];
  uint64_t *version[UN_OPTIM_TENSORS];
} unl_slot;

struct unl_update {
  unl_class class; /* first */
  un_optim_rule rule;
  bool is_new; /* the momentum of sgd starts at the gradient */
  options now; /* as they were read last */
  lua_Integer slots;
  unl_slot slot[];
};

/* --- options ----------------------------------------------------------------------- */

/* >= 0; 0 <= x < 1; finite; true or false; a list of two rates */
typedef enum option_kind { SCALE, RATE, FINITE, FLAG, RATES } option_kind;

/* X(name, kind, the field of options): all options of all rules */
#define EACH_OPTION(X)                                                                 \
  X(lr, SCALE, core.lr)                                                                \
  X(weight_decay, SCALE, core.weight_decay)                                            \
  X(momentum, SCALE, core.momentum)                                                    \
  X(dampening, FINITE, core.dampening)                                                 \
  X(nesterov, FLAG, core.nesterov)                                                     \
  X(lr_decay, SCALE, core.lr_decay)                                                    \
  X(eps, SCALE, core.eps)                                                              \
  X(alpha, RATE, core.alpha)                                                           \
  X(centered, FLAG, centered)                                                          \
  X(betas, RATES, core.beta1)

/* The number of an option is that of the upvalue of Update:step with its name. */
enum option_number {
  NO_OPTION,
#define OPTION_NUMBER(name, kind, field) OPTION_##name,
  EACH_OPTION(OPTION_NUMBER)
#undef OPTION_NUMBER
      END_OF_OPTIONS
};

static const struct option {
  const char *name;
  option_kind kind;
  size_t offset;
} all_options[] = {{NULL, SCALE, 0},
#define OPTION_ENTRY(name, kind, field) {#name, kind, offsetof(options, field)},
                   EACH_OPTION(OPTION_ENTRY)
#undef OPTION_ENTRY
};

_Static_assert(END_OF_OPTIONS - 1 == UNL_OPTION_KEYS, "as many names as step.h says");

enum { MOST_OPTIONS = 6 };

static const struct rule {
  const char *name;
  enum option_number option[MOST_OPTIONS + 1];
} rules[UN_OPTIM_RULES] = {
    [UN_SGD] = {"sgd",
                {OPTION_lr, OPTION_momentum, OPTION_dampening, OPTION_weight_decay,
                 OPTION_nesterov}},
    [UN_ADAGRAD] = {"adagrad",
                    {OPTION_lr, OPTION_lr_decay, OPTION_weight_decay, OPTION_eps}},
    [UN_RMSPROP] = {"rmsprop",
                    {OPTION_lr, OPTION_alpha, OPTION_eps, OPTION_weight_decay,
                     OPTION_momentum, OPTION_centered}},
    [UN_ADAM] = {"adam", {OPTION_lr, OPTION_betas, OPTION_eps, OPTION_weight_decay}},
    [UN_ADAMW] = {"adamw", {OPTION_lr, OPTION_betas, OPTION_eps, OPTION_weight_decay}}};

/* The value on top of the stack, of that type, when it is a number as `kind` says. */
static bool read_number(lua_State *L, int type, option_kind kind, double *x) {
  *x = lua_tonumber(L, -1);
  return type == LUA_TNUMBER && isfinite(*x) && (kind == FINITE || *x >= 0) &&
         (kind != RATE || *x < 1);
}

static bool read_rates(lua_State *L, int type, double *rate) {
  if (type != LUA_TTABLE) return false;
  for (int k = 0; k < 2; k++) {
    int kind = lua_rawgeti(L, -1, k + 1);
    bool is_good = read_number(L, kind, RATE, &rate[k]);
    lua_pop(L, 1);
    if (!is_good) return false;
  }
  return true;
}

/* The value on top of the stack into the field of an option. */
static bool read_option(lua_State *L, int type, option_kind kind, void *field) {
  switch (kind) {
  case FLAG:
    *(bool *)field = lua_toboolean(L, -1);
    return type == LUA_TBOOLEAN;
  case RATES:
    return read_rates(L, type, field);
  default:
    return read_number(L, type, kind, field);
  }
}

/* The options of a rule from the table at `arg`; false when one is not good. Leaves the
** values on the stack. The names of all options are upvalues behind `keys` others. */
static bool read_options(lua_State *L, int arg, int keys, un_optim_rule rule,
                         options *o) {
  for (const enum option_number *k = rules[rule].option; *k; k++) {
    const struct option *option = &all_options[*k];
    lua_pushvalue(L, lua_upvalueindex(keys + (int)*k));
    int type = lua_rawget(L, arg);
    if (!read_option(L, type, option->kind, (char *)o + option->offset)) return false;
  }
  return true;
}

/* Has the update the tensors that the options ask for? */
static bool suits(const unl_update *u, const options *o) {
  const un_view *const *tensor = u->slot[0].tensor;
  bool has_momentum = o->core.momentum != 0;
  switch (u->rule) {
  case UN_SGD:
    if (o->core.nesterov && (!has_momentum || o->core.dampening != 0)) return false;
    return (tensor[UN_OPTIM_S1] != NULL) == has_momentum;
  case UN_RMSPROP:
    return (tensor[UN_OPTIM_S2] != NULL) == o->centered &&
           (tensor[UN_OPTIM_S3] != NULL) == has_momentum;
  default:
    return true;
  }
}

/* --- updates ----------------------------------------------------------------------- */

/*---
--- An update rule bound to tensors. For lua/unroll/optim.lua.
---@class unroll.Update
---@see core.optim.update
Update = {}
*/

/* Where the update is while it is made: behind the arguments. */
enum { UPDATE = 4 };

/* Tensor i of the list on top of the stack; it may be false but for p and g. */
static void take_tensor(lua_State *L, unl_slot *slot, int i) {
  lua_rawgeti(L, -1, i + 1);
  if (i <= UN_OPTIM_G || lua_toboolean(L, -1)) {
    slot->tensor[i] = i == UN_OPTIM_G ? unl_checktensor(L, -1) : unl_checkout(L, -1);
    slot->version[i] = unl_checkheader(L, -1)->version;
    unl_keep(L, UPDATE, 1);
  }
  lua_pop(L, 1);
}

/*---
--- Binds a rule to the tensors of a model. One step, where g is the gradient, plus
--- weight_decay p for every rule but adamw, and t the number of the step:
---
---   sgd       p <- p - lr g; with m: m <- momentum m + (1 - dampening) g, p <- p - lr m;
---             with nesterov p <- p - lr (g + momentum m)
---   adagrad   s <- s + g^2, p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
---   rmsprop   v <- alpha v + (1 - alpha) g^2, d = g / (sqrt(v) + eps), p <- p - lr d;
---             with a, the mean of the gradients, v - a^2 stands for v (centered); with b
---             b <- momentum b + d, p <- p - lr b
---   adam      m <- beta1 m + (1 - beta1) g, v <- beta2 v + (1 - beta2) g^2,
---             p <- p - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)
---   adamw     the same after p <- (1 - lr weight_decay) p
---
---@param rule "sgd"|"adagrad"|"rmsprop"|"adam"|"adamw"
---@param slots table[] lists { p, g, state ... }, float32 or float64, one shape in each;
--- state: m or false; s; v, a or false, b or false; m, v
---@param is_new boolean the momentum of sgd is new: the first step takes the whole gradient
---@return unroll.Update
function core.optim.update(rule, slots, is_new) end
*/
static int optim_update(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  int rule = 0;
  while (rule < UN_OPTIM_RULES && strcmp(rules[rule].name, name) != 0)
    rule++;
  luaL_argcheck(L, rule < UN_OPTIM_RULES, 1, "there is no such rule");
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_Integer n = luaL_len(L, 2);
  luaL_argcheck(L, n > 0, 2, "there are no tensors");
  lua_settop(L, 3);
  unl_update *u = lua_newuserdatauv(L, sizeof *u + (size_t)n * sizeof u->slot[0], 1);
  memset(u, 0, sizeof *u + (size_t)n * sizeof u->slot[0]);
  u->rule = (un_optim_rule)rule;
  u->is_new = lua_toboolean(L, 3);
  u->slots = n;
  lua_newtable(L);
  lua_setiuservalue(L, UPDATE, 1);
  for (lua_Integer k = 0; k < n; k++) {
    un_err err;
    lua_geti(L, 2, k + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    for (int i = 0; i < UN_OPTIM_TENSORS; i++)
      take_tensor(L, &u->slot[k], i);
    if (!un_optim_check(u->rule, u->slot[k].tensor, &err)) return unl_raise(L, &err);
    lua_pop(L, 1);
  }
  unl_setclass(L, class_name);
  return 1;
}

static void run_slot(const unl_update *u, const unl_slot *slot,
                     const un_optim_options *o) {
  for (int i = 0; i < UN_OPTIM_TENSORS; i++) {
    if (!slot->version[i]) continue;
    unl_look(slot->version[i]);
    if (i != UN_OPTIM_G) ++*slot->version[i];
  }
  un_optim_update(u->rule, slot->tensor, o);
}

/*---
--- One step with the options as they are now.
---@param optimizer table the options by name
---@param t integer the number of this step, from 1
---@return boolean done false: an option is not good, or the options ask for other state
--- than the update has; nothing was changed
function Update:step(optimizer, t) end
*/
static int update_step(lua_State *L) {
  double lr;
  unl_update *u = unl_checkupdate(L, 1);
  int64_t t = luaL_checkinteger(L, 3);
  luaL_argcheck(L, t >= 1, 3, "steps are counted from 1");
  luaL_checktype(L, 2, LUA_TTABLE);
  bool can = unl_readyupdate(L, u, 2, 0, &lr);
  if (can) unl_makeupdate(u, t);
  lua_pushboolean(L, can);
  return 1;
}

unl_update *unl_checkupdate(lua_State *L, int arg) {
  return unl_checkclass(L, arg, class_name);
}

bool unl_readyupdate(lua_State *L, unl_update *u, int optimizer, int keys, double *lr) {
  options o = {{0}, false};
  if (!read_options(L, optimizer, keys, u->rule, &o) || !suits(u, &o)) return false;
  u->now = o;
  *lr = o.core.lr;
  return true;
}

void unl_makeupdate(unl_update *u, int64_t t) {
  un_optim_options o = u->now.core;
  o.t = t;
  if (u->is_new) o.dampening = 0;
  for (lua_Integer k = 0; k < u->slots; k++)
    run_slot(u, &u->slot[k], &o);
  u->is_new = false;
}

/* --- norm and clip ----------------------------------------------------------------- */

/*---
--- The Euclidean norm of all elements of `x` (any shape, float32 or float64), summed in
--- float64, squares of float32 eight at a time first; large and tiny elements neither
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

/* Upvalues of the functions. */
enum { KEY_GRADIENTS = 1, KEY_FLAT, KEYS = KEY_FLAT };

/* Pushes table[upvalue `key`] of the table at `arg`, and returns its type. */
static int get_key(lua_State *L, int arg, int key) {
  lua_pushvalue(L, lua_upvalueindex(key));
  return lua_gettable(L, arg);
}

/* What is to be clipped, pushed: the tensor at 1, or the flat gradients of a model; NULL
** when there are none. */
static unl_tensor *flat_gradients(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 1) != LUA_TTABLE) {
    lua_pushvalue(L, 1);
  } else {
    if (get_key(L, 1, KEY_GRADIENTS) == LUA_TNIL) return NULL;
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    if (lua_type(L, -1) != LUA_TTABLE) return NULL;
    get_key(L, 3, KEY_FLAT);
  }
  const un_view *v = unl_totensor(L, -1);
  return v && un_is_real(v->dtype) ? lua_touserdata(L, -1) : NULL;
}

/* The limit at 2; 0 when it is none. */
static double clip_limit(lua_State *L) {
  double limit = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : 0;
  return limit > 0 ? limit : 0;
}

unl_clip unl_measureclip(const un_view *x, double limit, bool by_value) {
  unl_clip c = {.limit = limit, .by_value = by_value, .factor = 1};
  double largest = 0;
  c.norm = by_value ? un_norm_and_max(x, &largest) : un_norm(x);
  if (!isfinite(c.norm)) return c;
  c.clipped = by_value ? largest > limit : c.norm > limit;
  if (!by_value) c.factor = limit / (c.norm + 1e-6);
  c.changes = by_value ? c.clipped : c.factor < 1;
  return c;
}

void unl_applyclip(const un_view *x, const unl_clip *c) {
  if (c->by_value)
    un_clamp(x, c->limit);
  else
    un_scale(x, c->factor);
}

static int clip(lua_State *L, bool by_value) {
  double limit = clip_limit(L);
  unl_tensor *x = flat_gradients(L);
  if (!x || limit == 0) return 0;
  const unl_clip c = unl_measureclip(&x->view, limit, by_value);
  if (!isfinite(c.norm)) return 0;
  if (c.changes) unl_applyclip(unl_checkout(L, -1), &c);
  lua_pushnumber(L, c.norm);
  lua_pushboolean(L, c.clipped);
  return 2;
}

/*---
--- Sets all elements of `x` to zero. The zeros of a tensor that is no view are written when
--- it is looked at, or not at all when the next backward pass of a model writes there.
---@param x unroll.Tensor
function core.optim.clear(x) end
*/
static int optim_clear(lua_State *L) {
  unl_clear(L, 1);
  return 0;
}

/*---
--- Clamps all elements of a tensor, or of the flat gradients of a model, to
--- -limit .. limit in place.
---@param x unroll.Tensor|unroll.Model float32 or float64, any shape, overwritten
---@param limit number above 0
---@return number? norm before; nil when nothing was done: the norm is NaN or infinite,
--- there are no flat gradients, or the limit is none
---@return boolean? clipped was any element beyond the limit
function core.optim.clip_value(x, limit) end
*/
static int optim_clip_value(lua_State *L) {
  return clip(L, true);
}

/*---
--- Scales all elements of a tensor, or of the flat gradients of a model, by
--- max / (norm + 1e-6) when that is below 1.
---@param x unroll.Tensor|unroll.Model float32 or float64, any shape, overwritten
---@param max number above 0
---@return number? norm before; nil as for clip_value
---@return boolean? clipped was the norm above max
function core.optim.clip_norm(x, max) end
*/
static int optim_clip_norm(lua_State *L) {
  return clip(L, false);
}

void unl_pushoptionkeys(lua_State *L) {
  for (int k = NO_OPTION + 1; k < END_OF_OPTIONS; k++)
    lua_pushstring(L, all_options[k].name);
}

static const luaL_Reg functions[] = {{"update", optim_update},
                                     {"norm", optim_norm},
                                     {"scale", optim_scale},
                                     {"clear", optim_clear},
                                     {"clip_value", optim_clip_value},
                                     {"clip_norm", optim_clip_norm},
                                     {NULL, NULL}};

static const luaL_Reg methods[] = {{"step", update_step}, {NULL, NULL}};

void unl_open_optim(lua_State *L) {
  unl_pushmethods(L, class_name);
  unl_pushoptionkeys(L);
  luaL_setfuncs(L, methods, UNL_OPTION_KEYS);
  lua_pop(L, 1);
  unl_subtable(L, "optim");
  lua_pushliteral(L, "gradients");
  lua_pushliteral(L, "flat");
  luaL_setfuncs(L, functions, KEYS);
  lua_pop(L, 1);
}
