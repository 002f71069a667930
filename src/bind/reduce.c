/* reduce.c -- reductions and functions along a dimension.
**
** All reductions share one shape of call, name(t, dim, options, out):
**   without dim, a Lua number over all elements;
**   with dim, a tensor without that dimension, or with size 1 there for {keepdim=true}.
** The options may stand in dim's place when there is no dim. */
#include "reduce.h"

#include "operand.h"
#include "view.h"

typedef struct reduction {
  const char *name;
  un_reduction kind;
  const char *const *options; /* the names of those it takes */
} reduction;

static const char *const plain[] = {"keepdim", NULL};
static const char *const spread[] = {"keepdim", "unbiased", NULL};
enum { KEEPDIM };

static const reduction reductions[] = {
    {"sum", UN_SUM, plain},
    {"prod", UN_PROD, plain},
    {"mean", UN_MEAN, plain},
    {"var", UN_VAR, spread},
    {"std", UN_STD, spread},
    {"min", UN_MIN, plain},
    {"max", UN_MAX, plain},
    {"argmin", UN_ARGMIN, plain},
    {"argmax", UN_ARGMAX, plain},
    {"any", UN_ANY, plain},
    {"all", UN_ALL, plain},
    {"norm", UN_NORM, plain},
    {"logsumexp", UN_LOGSUMEXP, plain},
};

enum { REDUCTIONS = sizeof reductions / sizeof *reductions };

typedef struct call {
  const reduction *r;
  const un_view *x;
  un_reduce_options options;
  bool keepdim;
  int out_arg;
} call;

/* --- arguments -------------------------------------------------------------------- */

static void check_options(lua_State *L, int arg, call *c) {
  if (!unl_isgiven(L, arg)) return;
  luaL_checktype(L, arg, LUA_TTABLE);
  lua_pushnil(L);
  for (int i; (i = unl_nextoption(L, arg, c->r->options)) >= 0; lua_pop(L, 1))
    *(i == KEEPDIM ? &c->keepdim : &c->options.unbiased) = lua_toboolean(L, -1);
}

static const un_view *check_input(lua_State *L, un_reduction kind) {
  const un_view *x = unl_checktensor(L, 1);
  if (x->dtype == UN_I32 ? !un_reduces_int32(kind) : !un_is_real(x->dtype))
    unl_checkcomputes(L, 1, x);
  return x;
}

/* --- results ---------------------------------------------------------------------- */

static int reduce_all(lua_State *L, const call *c) {
  un_reduced result;
  un_err err;
  if (c->keepdim) return luaL_error(L, "%s: keepdim needs a dimension", c->r->name);
  if (unl_isgiven(L, c->out_arg))
    return luaL_error(L, "%s: out needs a dimension (the result is a number)",
                      c->r->name);
  if (!un_reduce_all(c->r->kind, &c->options, c->x, &result, &err))
    return unl_raise(L, &err);
  un_reduction kind = c->r->kind;
  bool integer = c->x->dtype == UN_I32 && kind != UN_MEAN;
  if (kind == UN_ARGMIN || kind == UN_ARGMAX)
    lua_pushinteger(L, result.index + 1);
  else if (kind == UN_ANY || kind == UN_ALL)
    lua_pushboolean(L, result.value != 0);
  else if (integer)
    lua_pushinteger(L, kind == UN_SUM ? result.integer : (lua_Integer)result.value);
  else
    lua_pushnumber(L, result.value);
  return 1;
}

/* The tensor at `arg` or a new one, and in `kept` the same with size 1 at dim. Returns
** whether it was given. */
static bool push_result(lua_State *L, const call *c, int arg, int dim, un_dtype dtype,
                        un_view *kept) {
  const bool given = unl_isgiven(L, arg);
  int64_t size[UN_MAX_DIMS];
  int dims = 0;
  for (int d = 0; d < c->x->dims; d++)
    if (c->keepdim || d != dim) size[dims++] = d == dim ? 1 : c->x->size[d];
  const un_view *y = unl_outortensor(L, arg, c->r->name, dtype, dims, size);
  if (given) unl_checkapart(L, c->r->name, y, "x", c->x);
  if (c->keepdim)
    un_copy_view(kept, y);
  else
    un_insert_dim(kept, y, dim);
  return given;
}

static un_dtype result_dtype(un_reduction kind, un_dtype x) {
  if (kind == UN_ANY || kind == UN_ALL) return UN_I32;
  if ((kind == UN_SUM || kind == UN_MEAN) && x == UN_I32) return UN_F64;
  return x;
}

static int reduce_dim(lua_State *L, const call *c, int dim) {
  un_reduction kind = c->r->kind;
  bool only_index = kind == UN_ARGMIN || kind == UN_ARGMAX;
  bool with_index = kind == UN_MIN || kind == UN_MAX || only_index;
  un_view out, indices;
  un_err err;
  int results = 0, given = 0;
  if (!only_index) {
    un_dtype dtype = result_dtype(kind, c->x->dtype);
    given += push_result(L, c, c->out_arg + results++, dim, dtype, &out);
  }
  if (with_index)
    given += push_result(L, c, c->out_arg + results++, dim, UN_I32, &indices);
  if (given == 2) unl_checkapart(L, c->r->name, &out, "indices", &indices);
  if (!un_reduce_dim(kind, &c->options, c->x, dim, only_index ? NULL : &out,
                     with_index ? &indices : NULL, &err))
    return unl_raise(L, &err);
  return results;
}

/* The dimension, options and outs from argument `arg` on. */
static int reduce_from(lua_State *L, int arg, call *c) {
  c->options.unbiased = true;
  c->out_arg = arg + 2;
  const int type = lua_type(L, arg);
  if (type == LUA_TTABLE) { /* options in the place of dim */
    luaL_checktype(L, arg + 1, LUA_TNONE);
    check_options(L, arg, c);
    return reduce_all(L, c);
  }
  check_options(L, arg + 1, c);
  if (type <= LUA_TNIL) return reduce_all(L, c);
  if (lua_gettop(L) >= c->out_arg) /* results are pushed above all outs */
    lua_settop(L, c->out_arg + 1);
  return reduce_dim(L, c, unl_checkdim(L, arg, c->x));
}

/*---
--- Sum of all elements, a number, or along dimension `dim`, a tensor. float32 is summed
--- in float64. An int32 tensor gives an integer, exactly; along a dimension float64.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor in the shape of the result, overwritten; only with dim
---@return number|unroll.Tensor
--- Errors: a dimension that does not exist; an `out` of another shape or dtype.
--- > tensor{{1, 2}, {3, 4}}:sum()              --> 10.0
--- > tensor{{1, 2}, {3, 4}}:sum(1):totable()   --> {4.0, 6.0}
--- > tensor.ones(2, 3):sum(-1, {keepdim = true}):size()   --> (2, 1)
---@see tensor.mean tensor.cumsum
function core.tensor.sum(t, dim, options, out) end

--- Product of all elements, a number, or along `dim`, a tensor; 1 when there are none.
---@param t unroll.Tensor float32 or float64, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor in the shape of the result, overwritten; only with dim
---@return number|unroll.Tensor
--- Errors: a tensor of integers; a dimension that does not exist; an `out` that does
--- not fit.
--- Dtypes: float32, float64
--- > tensor{2, 3, 4}:prod()   --> 24.0
function core.tensor.prod(t, dim, options, out) end

--- Mean of all elements, a number, or along `dim`, a tensor; NaN when there are none.
--- float32 and int32 are summed in float64.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor in the shape of the result, overwritten; only with dim
---@return number|unroll.Tensor
--- Errors: a dimension that does not exist; an `out` of another shape or dtype.
--- > tensor{{1, 2}, {3, 4}}:mean()              --> 2.5
--- > tensor{{1, 2}, {3, 4}}:mean(2):totable()   --> {1.5, 3.5}
---@see tensor.var tensor.std
function core.tensor.mean(t, dim, options, out) end

--- Variance over all elements, a number, or along `dim`, a tensor: squared distances
--- from the mean, summed and divided by n - 1, or by n with {unbiased = false}. NaN
--- when nothing is left to divide by.
---@param t unroll.Tensor float32 or float64, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean, unbiased?: boolean} unbiased: default true
---@param out? unroll.Tensor in the shape of the result, overwritten; only with dim
---@return number|unroll.Tensor
--- Errors: a tensor of integers; a dimension that does not exist; an `out` that does
--- not fit.
--- Dtypes: float32, float64
--- > tensor{1, 2, 3}:var()                          --> 1.0
--- > tensor{1, 2, 3}:var(1, {unbiased = false}):item()   --> 0.66667
---@see tensor.std tensor.mean
function core.tensor.var(t, dim, options, out) end

--- Standard deviation: the square root of `tensor.var`, with the same arguments.
---@param t unroll.Tensor float32 or float64, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean, unbiased?: boolean} unbiased: default true
---@param out? unroll.Tensor in the shape of the result, overwritten; only with dim
---@return number|unroll.Tensor
--- Errors: a tensor of integers; a dimension that does not exist; an `out` that does
--- not fit.
--- Dtypes: float32, float64
--- > tensor{1, 2, 3}:std()   --> 1.0
---@see tensor.var
function core.tensor.std(t, dim, options, out) end

--- Smallest element, a number; along `dim` the values and their 1-based indices, of the
--- first one where there are equals. NaN if there is one.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor values
---@param out_indices? unroll.Tensor int32
---@return number|unroll.Tensor values
---@return unroll.Tensor? indices int32, 1-based; only with dim
--- Errors: an empty tensor; a dimension that does not exist; an `out` that does not
--- fit.
--- > tensor{3, 1, 2}:min()   --> 1.0
--- > tensor.zeros(0):min()   --> error: there is nothing to choose from
---@see tensor.argmin tensor.minimum
function core.tensor.min(t, dim, options, out, out_indices) end

--- Largest element, a number; along `dim` the values and their 1-based indices, of the
--- first one where there are equals. NaN if there is one.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor values
---@param out_indices? unroll.Tensor int32
---@return number|unroll.Tensor values
---@return unroll.Tensor? indices int32, 1-based; only with dim
--- Errors: an empty tensor; a dimension that does not exist; an `out` that does not
--- fit.
--- > tensor{{1, 5}, {7, 2}}:max()   --> 7.0
--- > select(2, tensor{{1, 5}, {7, 2}}:max(2)):totable()   --> {2, 1}
---@see tensor.argmax tensor.maximum tensor.topk
function core.tensor.max(t, dim, options, out, out_indices) end

--- 1-based index of the smallest element in row-major order, a number, or along `dim`
--- an int32 tensor of them. The first one where there are equals; the first NaN if
--- there is one.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor int32, overwritten; only with dim
---@return integer|unroll.Tensor
--- Errors: an empty tensor; a dimension that does not exist; an `out` that does not
--- fit.
--- > tensor{3, 1, 2}:argmin()   --> 2
---@see tensor.min
function core.tensor.argmin(t, dim, options, out) end

--- 1-based index of the largest element in row-major order, a number, or along `dim` an
--- int32 tensor of them. The first one where there are equals; the first NaN if there
--- is one.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor int32, overwritten; only with dim
---@return integer|unroll.Tensor
--- Errors: an empty tensor; a dimension that does not exist; an `out` that does not
--- fit.
--- > tensor{3, 9, 4}:argmax()   --> 2
--- > tensor{{3, 9}, {4, 1}}:argmax(2):totable()   --> {2, 1}
---@see tensor.max
function core.tensor.argmax(t, dim, options, out) end

--- Whether any element is not 0 (NaN counts), a boolean; along `dim` int32, 1 or 0.
--- False when there are no elements.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor int32, overwritten; only with dim
---@return boolean|unroll.Tensor
--- Errors: a dimension that does not exist; an `out` of another shape or dtype.
--- > tensor{0, 1}:any()   --> true
--- > tensor{1, 2}:gt(3):any()   --> false
---@see tensor.all tensor.isnan
function core.tensor.any(t, dim, options, out) end

--- Whether no element is 0, a boolean; along `dim` int32, 1 or 0. True when there are
--- no elements.
---@param t unroll.Tensor float32, float64 or int32, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor int32, overwritten; only with dim
---@return boolean|unroll.Tensor
--- Errors: a dimension that does not exist; an `out` of another shape or dtype.
--- > tensor{0, 1}:all()   --> false
---@see tensor.any
function core.tensor.all(t, dim, options, out) end

--- log(sum(exp(x))) over all elements, a number, or along `dim`, a tensor; without
--- overflow: the largest element is taken out first.
---@param t unroll.Tensor float32 or float64, any shape
---@param dim? integer 1..t:dim(), or negative from the end; nil: all elements
---@param options? {keepdim?: boolean} true: the result keeps dimension dim, of size 1
---@param out? unroll.Tensor in the shape of the result, overwritten; only with dim
---@return number|unroll.Tensor
--- Errors: a tensor of integers; a dimension that does not exist; an `out` that does
--- not fit.
--- Dtypes: float32, float64
--- > tensor{1000, 1000}:logsumexp()   --> 1000.6931
---@see tensor.softmax tensor.log_softmax
function core.tensor.logsumexp(t, dim, options, out) end
*/
static int reduce(lua_State *L) {
  call c = {.r = &reductions[lua_tointeger(L, lua_upvalueindex(1))]};
  c.x = check_input(L, c.r->kind);
  return reduce_from(L, 2, &c);
}

/*---
--- The p-norm: the p-th root of the sum of |x|^p over all elements or along `dim`.
---@param t unroll.Tensor float32 or float64
---@param p? number > 0, may be math.huge (the largest |x|); default 2
---@param dim? integer
---@param options? {keepdim?: boolean}
---@param out? unroll.Tensor
---@return number|unroll.Tensor
--- Errors: p not above 0; a dimension that does not exist; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor{3,4}:norm()                      --> 5.0
--- > tensor{3, -4}:norm(math.huge)           --> 4.0
---@see optim.grad_norm
function core.tensor.norm(t, p, dim, options, out) end
*/
static int norm(lua_State *L) {
  call c = {.r = &reductions[lua_tointeger(L, lua_upvalueindex(1))]};
  c.x = check_input(L, c.r->kind);
  c.options.p = luaL_optnumber(L, 2, 2);
  if (!(c.options.p > 0))
    luaL_argerror(
        L, 2,
        lua_pushfstring(L, "p is %s, must be greater than 0", unl_pushtext(L, 2)));
  return reduce_from(L, 3, &c);
}

/* --- along a dimension, keeping the sizes ----------------------------------------- */

static int scan(lua_State *L, un_scan s, const char *name) {
  const un_view *x = unl_checktensor(L, 1);
  unl_checkcomputes(L, 1, x);
  int dim = unl_checkdim(L, 2, x);
  const bool given = unl_isgiven(L, 3);
  const un_view *y = unl_outortensor(L, 3, name, x->dtype, x->dims, x->size);
  if (given) unl_checkalias(L, name, y, "x", x);
  un_scan_dim(s, x, dim, y);
  return 1;
}

/*---
--- exp(x) / sum(exp(x)) along `dim`, without overflow.
---@param x unroll.Tensor float32 or float64
---@param dim integer
---@param out? unroll.Tensor the sizes of x; may be x
---@return unroll.Tensor
--- Errors: no dimension, or one that does not exist; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor{0,0}:softmax(1):totable()[1]     --> 0.5
--- > tensor{{0, math.log(3)}}:softmax(2):totable()   --> {{0.25, 0.75}}
---@see tensor.log_softmax tensor.logsumexp tensor.vjp.softmax
function core.tensor.softmax(x, dim, out) end
*/
static int softmax(lua_State *L) {
  return scan(L, UN_SOFTMAX, "softmax");
}

/*---
--- x - log(sum(exp(x))) along `dim`, without overflow.
---@param x unroll.Tensor float32 or float64
---@param dim integer
---@param out? unroll.Tensor the sizes of x; may be x
---@return unroll.Tensor
--- Errors: no dimension, or one that does not exist; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor{0, 0}:log_softmax(1):totable()   --> {-0.69315, -0.69315}
---@see tensor.softmax tensor.vjp.log_softmax
function core.tensor.log_softmax(x, dim, out) end
*/
static int log_softmax(lua_State *L) {
  return scan(L, UN_LOG_SOFTMAX, "log_softmax");
}

/*---
--- Running sums along `dim`: y_i = x_1 + ... + x_i.
---@param x unroll.Tensor float32 or float64
---@param dim integer
---@param out? unroll.Tensor the sizes of x; may be x
---@return unroll.Tensor
--- Errors: no dimension, or one that does not exist; a tensor of integers.
--- Dtypes: float32, float64
--- > tensor{1,2,3}:cumsum(1):totable()[3]    --> 6.0
---@see tensor.sum tensor.vjp.cumsum
function core.tensor.cumsum(x, dim, out) end
*/
static int cumsum(lua_State *L) {
  return scan(L, UN_CUMSUM, "cumsum");
}

/*---
--- Inner product of two vectors, summed in float64.
---@param a unroll.Tensor (n), float32 or float64
---@param b unroll.Tensor (n), the same dtype
---@return number
--- Errors: tensors that are not vectors of one size.
--- Dtypes: float32, float64
--- > tensor{1,2}:dot(tensor{3,4})            --> 11.0
---@see tensor.matmul tensor.outer
function core.tensor.dot(a, b) end
*/
static int dot(lua_State *L) {
  const un_view *a = unl_checktensor(L, 1), *b = unl_checktensor(L, 2);
  unl_checkcomputes(L, 1, a);
  unl_checkcomputes(L, 2, b);
  if (a->dims != 1 || b->dims != 1 || a->size[0] != b->size[0])
    return luaL_error(L, "dot: a is %s, b is %s: must be vectors of the same size",
                      un_shape(a).s, un_shape(b).s);
  if (a->dtype != b->dtype)
    return luaL_error(L, "dot: a is %s, b is %s: must have the same dtype",
                      un_dtype_name(a->dtype), un_dtype_name(b->dtype));
  lua_pushnumber(L, un_dot(a, b));
  return 1;
}

/* --- registration ----------------------------------------------------------------- */

static const luaL_Reg functions[] = {{"softmax", softmax},
                                     {"log_softmax", log_softmax},
                                     {"cumsum", cumsum},
                                     {"dot", dot},
                                     {NULL, NULL}};

static void set_reductions(lua_State *L) {
  for (int i = 0; i < REDUCTIONS; i++) {
    lua_pushinteger(L, i);
    lua_pushcclosure(L, reductions[i].kind == UN_NORM ? norm : reduce, 1);
    lua_setfield(L, -2, reductions[i].name);
  }
}

void unl_open_reduce(lua_State *L) {
  unl_addtensorfunctions(L, functions);
  unl_pushmethods(L, UNL_TENSOR);
  set_reductions(L);
  lua_pop(L, 1);
  unl_subtable(L, "tensor");
  set_reductions(L);
  lua_pop(L, 1);
}
