/* sort.c -- sorting, the k largest, and comparing whole tensors. */
#include "sort.h"

#include <math.h>

#include "copy.h"
#include "operand.h"
#include "walk.h"

enum { SHORT = 4096 }; /* bytes */

/* A dimension, optional for vectors: 0-based. */
static int check_dim(lua_State *L, int arg, const un_view *x) {
  if (x->dims == 0) luaL_argerror(L, 1, "a tensor () has no dimension to sort along");
  return unl_isgiven(L, arg) ? unl_checkdim(L, arg, x) : x->dims - 1;
}

/* values and indices with k at dim, from the arguments `out_arg` and the next. */
static int sorted(lua_State *L, const char *who, const un_view *x, int dim, int64_t k,
                  bool descending, int out_arg) {
  int64_t size[UN_MAX_DIMS];
  if (x->size[dim] > INT32_MAX)
    return luaL_error(L, "%s: x is %s: an index would not fit in int32", who,
                      un_shape(x).s);
  for (int d = 0; d < x->dims; d++)
    size[d] = d == dim ? k : x->size[d];
  if (lua_gettop(L) >= out_arg) /* results are pushed above both outs */
    lua_settop(L, out_arg + 1);
  const bool given = unl_isgiven(L, out_arg);
  const un_view *values = unl_outortensor(L, out_arg, who, x->dtype, x->dims, size);
  const bool index_given = unl_isgiven(L, out_arg + 1);
  const un_view *indices = unl_outortensor(L, out_arg + 1, who, UN_I32, x->dims, size);
  const int last = lua_gettop(L);
  if (given) unl_checkalias(L, who, values, "x", x);
  if (index_given) unl_checkapart(L, who, indices, "x", x);
  if (given && index_given) unl_checkapart(L, who, values, "indices", indices);
  double room[SHORT / sizeof(double)]; /* enough for a short line */
  const size_t bytes = un_sort_scratch(x->size[dim]);
  void *scratch = bytes <= sizeof room ? room : lua_newuserdatauv(L, bytes, 0);
  un_sort(x, dim, descending, values, indices, scratch);
  lua_settop(L, last);
  return 2;
}

static const un_view *check_sortable(lua_State *L, int arg) {
  const un_view *x = unl_checktensor(L, arg);
  if (x->dtype != UN_I32) unl_checkcomputes(L, arg, x);
  return x;
}

/*---
--- Sorts along `dim`. Equal elements keep their order; NaN counts as the largest.
---@param t unroll.Tensor float32, float64 or int32
---@param dim? integer default: the last
---@param descending? boolean
---@param out? unroll.Tensor values; may be t
---@param out_indices? unroll.Tensor int32
---@return unroll.Tensor values
---@return unroll.Tensor indices int32, 1-based: where each value stood
--- Errors: a dimension that does not exist; an `out` that does not fit.
--- > tensor{3,1,2}:sort():totable()[1]   --> 1.0
--- > tensor{3, 1, 2}:sort(1, true):totable()   --> {3.0, 2.0, 1.0}
---@see tensor.topk
function core.tensor.sort(t, dim, descending, out, out_indices) end
*/
static int sort(lua_State *L) {
  const un_view *x = check_sortable(L, 1);
  int dim = check_dim(L, 2, x);
  return sorted(L, "sort", x, dim, x->size[dim], lua_toboolean(L, 3), 4);
}

/*---
--- The `k` largest elements along `dim`, largest first.
---@param t unroll.Tensor float32, float64 or int32
---@param k integer 0 to t:size(dim)
---@param dim? integer default: the last
---@param out? unroll.Tensor values, k at dim
---@param out_indices? unroll.Tensor int32
---@return unroll.Tensor values
---@return unroll.Tensor indices int32, 1-based
--- Errors: k above the size of the dimension; an `out` that does not fit.
--- > tensor{3,9,4}:topk(2):totable()[2]   --> 4.0
---@see tensor.sort tensor.max
function core.tensor.topk(t, k, dim, out, out_indices) end
*/
static int topk(lua_State *L) {
  const un_view *x = check_sortable(L, 1);
  lua_Integer k = luaL_checkinteger(L, 2);
  int dim = check_dim(L, 3, x);
  if (k < 0 || k > x->size[dim])
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "k is %I, must be from 0 to %I", k,
                                  (lua_Integer)x->size[dim]));
  return sorted(L, "topk", x, dim, k, true, 4);
}

/* --- comparing -------------------------------------------------------------------- */

typedef struct comparison {
  un_dtype a, b;
  double rtol, atol;
  bool equal_nan, close;
} comparison;

/* The infinities are close to themselves only. */
static bool is_close(const comparison *c, double a, double b) {
  if (a == b) return true;
  if (a != a || b != b) return c->equal_nan && a != a && b != b;
  return !isinf(a) && !isinf(b) && fabs(a - b) <= c->atol + c->rtol * fabs(b);
}

enum { PIECE = 256 };

/* Most pieces are equal, number by number, which is found out fast. */
static bool piece_is_close(const comparison *c, int64_t n, const double *a,
                           const double *b) {
  if (un_same_many(UN_F64, n, a, b)) return true;
  for (int64_t i = 0; i < n; i++)
    if (!is_close(c, a[i], b[i])) return false;
  return true;
}

/* The same where both have one dtype and no gaps. */
static bool is_same(const comparison *c, int64_t n, void *const *data,
                    const int64_t *stride, int64_t first) {
  const int64_t at = first * (int64_t)un_dtype_bytes(c->a);
  return c->a == c->b && stride[0] == 1 && stride[1] == 1 &&
         un_same_many(c->a, n, (char *)data[0] + at, (char *)data[1] + at);
}

static void compare(int64_t n, void *const *data, const int64_t *stride,
                    void *context) {
  comparison *c = context;
  double room_a[PIECE], room_b[PIECE];
  for (int64_t first = 0; first < n && c->close; first += PIECE) {
    const int64_t count = n - first < PIECE ? n - first : PIECE;
    if (is_same(c, count, data, stride, first)) continue;
    const double *a = un_get_many(c->a, data[0], first, stride[0], count, room_a);
    const double *b = un_get_many(c->b, data[1], first, stride[1], count, room_b);
    c->close = piece_is_close(c, count, a, b);
  }
}

static bool all_close(const un_view *a, const un_view *b, comparison *c) {
  un_walk w;
  c->a = a->dtype;
  c->b = b->dtype;
  c->close = true;
  un_walk_plan(&w, UN_WALK_ANY_ORDER, 2, (const un_view *[]){a, b});
  un_walk_each(&w, compare, c);
  return c->close;
}

/*---
--- Whether two tensors have the same sizes and the same numbers. NaN equals nothing;
--- the dtypes may differ.
---@param a unroll.Tensor
---@param b unroll.Tensor
---@return boolean
--- Errors: something that is no tensor.
--- > tensor.equal(tensor{1,2}, tensor{1,2})   --> true
--- > tensor.equal(tensor{1, 2}, tensor{{1, 2}})   --> false
---@see tensor.allclose tensor.eq
function core.tensor.equal(a, b) end
*/
static int equal(lua_State *L) {
  const un_view *a = unl_checktensor(L, 1), *b = unl_checktensor(L, 2);
  comparison exact = {.rtol = 0, .atol = 0};
  lua_pushboolean(L, un_same_shape(a, b) && all_close(a, b, &exact));
  return 1;
}

static double tolerance(lua_State *L, int arg, const char *key, double preset) {
  if (lua_isnoneornil(L, arg)) return preset;
  double value = preset;
  if (lua_getfield(L, arg, key) != LUA_TNIL) {
    int is_number;
    value = lua_tonumberx(L, -1, &is_number);
    if (!is_number || !(value >= 0))
      luaL_argerror(L, arg, lua_pushfstring(L, "%s must be a number >= 0", key));
  }
  lua_pop(L, 1);
  return value;
}

/*---
--- Whether |a - b| <= atol + rtol |b| everywhere; a and b broadcast. Infinities must be
--- the same.
---@param a unroll.Tensor
---@param b unroll.Tensor
---@param options? {rtol?: number, atol?: number, equal_nan?: boolean} 1e-5, 1e-8, false
---@return boolean
--- Errors: sizes that do not broadcast.
--- > tensor.allclose(tensor{1}, tensor{1.000001})   --> true
--- > tensor.allclose(tensor{1}, tensor{1.1})   --> false
---@see tensor.equal
function core.tensor.allclose(a, b, options) end
*/
static int allclose(lua_State *L) {
  static const char *const known[] = {"rtol", "atol", "equal_nan", NULL};
  un_view a = *unl_checktensor(L, 1), b = *unl_checktensor(L, 2);
  int dims;
  int64_t size[UN_MAX_DIMS];
  unl_checkoptions(L, 3, known);
  comparison c = {.rtol = tolerance(L, 3, "rtol", 1e-5),
                  .atol = tolerance(L, 3, "atol", 1e-8),
                  .equal_nan = unl_boolfield(L, 3, "equal_nan", false)};
  if (!un_broadcast_sizes(&a, &b, &dims, size))
    return luaL_error(L, "allclose: a is %s, b is %s: these sizes do not broadcast",
                      un_shape(&a).s, un_shape(&b).s);
  un_expand(&a, &a, dims, size);
  un_expand(&b, &b, dims, size);
  lua_pushboolean(L, all_close(&a, &b, &c));
  return 1;
}

static const luaL_Reg functions[] = {{"sort", sort},
                                     {"topk", topk},
                                     {"equal", equal},
                                     {"allclose", allclose},
                                     {NULL, NULL}};

void unl_open_sort(lua_State *L) {
  unl_addtensorfunctions(L, functions);
}
