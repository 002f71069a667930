/* gather.c -- picking by index, and joining: index_select, gather, cat, stack, and the
** derivatives of the first two. */
#include "unl.h"

#include <limits.h>
#include <string.h>

#include "copy.h"
#include "gather.h"
#include "operand.h"
#include "view.h"

static void check_indices(lua_State *L, const char *who, const un_view *index,
                          int64_t size) {
  un_err err;
  if (!un_check_indices(who, index, size, &err)) unl_raise(L, &err);
}

/* --- index_select -------------------------------------------------------------------
 */

/* The 1-d index seen in the shape `like`, repeated in all dimensions but dim. */
static un_view repeat_index(const un_view *index, int dim, const un_view *like) {
  un_view wide = {.dtype = UN_I32, .dims = like->dims, .data = index->data};
  memcpy(wide.size, like->size, sizeof wide.size);
  wide.size[dim] = index->size[0];
  wide.stride[dim] = index->stride[0];
  return wide;
}

static const un_view *check_index_list(lua_State *L, int arg) {
  const un_view *index = unl_checkint32(L, arg);
  if (index->dims != 1)
    luaL_argerror(
        L, arg,
        lua_pushfstring(L, "1-d int32 tensor expected, got %s", un_shape(index).s));
  return index;
}

/*---
--- The parts of dimension `dim` that a list of indices names, in its order.
---@param dim integer
---@param index unroll.Tensor 1-d int32, from 1
---@param out? unroll.Tensor must not overlap the tensor or the index
---@return unroll.Tensor
--- Errors: indices that are not int32 or out of range.
--- > tensor.arange(5):index_select(1, tensor({5, 1}, {dtype = "int32"}))[1]   --> 5.0
---@see Tensor:gather Tensor:index_add_
function Tensor:index_select(dim, index, out) end
*/
static int tensor_index_select(lua_State *L) {
  const un_view *src = unl_checktensor(L, 1);
  int dim = unl_checkdim(L, 2, src);
  const un_view *index = check_index_list(L, 3);
  check_indices(L, "index_select", index, src->size[dim]);
  un_view wide = repeat_index(index, dim, src);
  const bool given = unl_isgiven(L, 4);
  const un_view *out =
      unl_outortensor(L, 4, "index_select", src->dtype, src->dims, wide.size);
  if (given) unl_checkapart(L, "index_select", out, "the tensor", src);
  if (given) unl_checkapart(L, "index_select", out, "the index", index);
  un_gather(out, src, dim, &wide);
  return 1;
}

/*---
--- Adds the parts of `src` to those of dimension `dim` that the indices name; an index
--- that comes twice adds twice. The derivative of index_select.
---@param dim integer
---@param index unroll.Tensor 1-d int32, from 1
---@param src unroll.Tensor the shape of self, but index:numel() in `dim`; same dtype
---@return unroll.Tensor self
--- Errors: indices that are not int32 or out of range; a src of other sizes or dtype.
--- > i = tensor({2, 2}, {dtype = "int32"})
--- > tensor.zeros(3):index_add_(1, i, tensor{1, 5}):totable()   --> {0.0, 6.0, 0.0}
---@see tensor.index_select
function Tensor:index_add_(dim, index, src) end
*/
static int tensor_index_add_(lua_State *L) {
  const un_view *dst = unl_checkreal(L, 1);
  int dim = unl_checkdim(L, 2, dst);
  const un_view *index = check_index_list(L, 3), *src = unl_checktensor(L, 4);
  un_view wide = repeat_index(index, dim, dst);
  if (src->dtype != dst->dtype || !un_same_shape(src, &wide))
    return luaL_error(L, "index_add_: src is %s %s, must be %s %s",
                      un_dtype_name(src->dtype), un_shape(src).s,
                      un_dtype_name(dst->dtype), un_shape(&wide).s);
  check_indices(L, "index_add_", index, dst->size[dim]);
  if (un_overlap(dst, src))
    return luaL_error(L, "index_add_: src must not overlap the tensor");
  unl_checkout(L, 1);
  un_scatter_add(dst, dim, &wide, src);
  lua_settop(L, 1);
  return 1;
}

/* --- gather -------------------------------------------------------------------------
 */

static void check_gather_shape(lua_State *L, const char *who, const un_view *v, int dim,
                               const un_view *index) {
  bool fits = index->dims == v->dims;
  for (int d = 0; fits && d < v->dims; d++)
    fits = d == dim || index->size[d] <= v->size[d];
  if (!fits)
    luaL_error(L,
               "%s: the index %s does not fit in %s: only dimension %d may be larger",
               who, un_shape(index).s, un_shape(v).s, dim + 1);
}

/*---
--- One element for each index: out[i][j] = t[i][index[i][j]] for dim 2.
---@param dim integer
---@param index unroll.Tensor int32, from 1; as many dimensions, larger only in `dim`
---@param out? unroll.Tensor the shape of index; must not overlap the tensor or the
--- index
---@return unroll.Tensor in the shape of index
--- Errors: indices that are not int32 or out of range; other sizes.
--- > i = tensor({{2}, {1}}, {dtype = "int32"})
--- > tensor{{1, 2}, {3, 4}}:gather(2, i):totable()   --> {{2.0}, {3.0}}
---@see tensor.index_select Tensor:scatter_add_
function Tensor:gather(dim, index, out) end
*/
static int tensor_gather(lua_State *L) {
  const un_view *src = unl_checktensor(L, 1);
  int dim = unl_checkdim(L, 2, src);
  const un_view *index = unl_checkint32(L, 3);
  check_gather_shape(L, "gather", src, dim, index);
  check_indices(L, "gather", index, src->size[dim]);
  const bool given = unl_isgiven(L, 4);
  const un_view *out =
      unl_outortensor(L, 4, "gather", src->dtype, index->dims, index->size);
  if (given) unl_checkapart(L, "gather", out, "the tensor", src);
  if (given) unl_checkapart(L, "gather", out, "the index", index);
  un_gather(out, src, dim, index);
  return 1;
}

/*---
--- Adds: t[i][index[i][j]] += src[i][j] for dim 2; an index that comes twice adds
--- twice. The derivative of gather.
---@param dim integer
---@param index unroll.Tensor int32, from 1; as many dimensions, larger only in `dim`
---@param src unroll.Tensor in the shape of index; same dtype as self
---@return unroll.Tensor self
--- Errors: indices that are not int32 or out of range; a src of other sizes or dtype.
--- > i = tensor({{2}, {1}}, {dtype = "int32"})
--- > t = tensor.zeros(2, 2):scatter_add_(2, i, tensor{{3}, {4}})
--- > t:totable()   --> {{0.0, 3.0}, {4.0, 0.0}}
---@see tensor.gather
function Tensor:scatter_add_(dim, index, src) end
*/
static int tensor_scatter_add_(lua_State *L) {
  const un_view *dst = unl_checkreal(L, 1);
  int dim = unl_checkdim(L, 2, dst);
  const un_view *index = unl_checkint32(L, 3), *src = unl_checktensor(L, 4);
  check_gather_shape(L, "scatter_add_", dst, dim, index);
  if (src->dtype != dst->dtype || !un_same_shape(src, index))
    return luaL_error(L, "scatter_add_: src is %s %s, must be %s %s",
                      un_dtype_name(src->dtype), un_shape(src).s,
                      un_dtype_name(dst->dtype), un_shape(index).s);
  check_indices(L, "scatter_add_", index, dst->size[dim]);
  if (un_overlap(dst, src))
    return luaL_error(L, "scatter_add_: src must not overlap the tensor");
  unl_checkout(L, 1);
  un_scatter_add(dst, dim, index, src);
  lua_settop(L, 1);
  return 1;
}

/* --- cat and stack ------------------------------------------------------------------
 */

/* Above the ARGS arguments stand the tensors of the list, anchored; then the result. */
enum { ARGS = 3, SLOTS = 4 };

static lua_Integer push_list(lua_State *L, const char *who) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
  if (n == 0) luaL_error(L, "%s: the list of tensors is empty", who);
  lua_settop(L, ARGS);
  luaL_checkstack(L, n < INT_MAX - SLOTS ? (int)n + SLOTS : INT_MAX,
                  "too many tensors");
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    if (!unl_totensor(L, -1))
      luaL_error(L, "%s: element %I of the list is a %s, a tensor was expected", who, i,
                 luaL_typename(L, -1));
  }
  return n;
}

static const un_view *list_item(lua_State *L, lua_Integer i) {
  return lua_touserdata(L, ARGS + (int)i);
}

/* Tensor i has the dtype of the first one, and its sizes but in dimension `dim`. */
static void check_like_first(lua_State *L, const char *who, const un_view *first,
                             const un_view *v, lua_Integer i, int dim) {
  bool fits = v->dims == first->dims && v->dtype == first->dtype;
  for (int d = 0; fits && d < v->dims; d++)
    fits = d == dim || v->size[d] == first->size[d];
  if (!fits)
    luaL_error(L, "%s: tensor %I is %s %s, it does not fit to the first, %s %s", who, i,
               un_dtype_name(v->dtype), un_shape(v).s, un_dtype_name(first->dtype),
               un_shape(first).s);
}

static void check_list_apart(lua_State *L, const char *who, const un_view *out,
                             lua_Integer n) {
  for (lua_Integer i = 1; i <= n; i++)
    unl_checkapart(L, who, out, "the tensors of the list", list_item(L, i));
}

/*---
--- Tensors joined along dimension `dim`, in which alone their sizes may differ.
---@param list unroll.Tensor[] same dtype
---@param dim? integer default 1
---@param out? unroll.Tensor must not overlap the tensors
---@return unroll.Tensor
--- Errors: an empty list; tensors that differ in dtype or in another dimension.
--- > tensor.cat({tensor.zeros(2, 3), tensor.zeros(1, 3)}, 1):size(1)   --> 3
---@see tensor.stack
function tensor.cat(list, dim, out) end
*/
static int tensor_cat(lua_State *L) {
  const lua_Integer n = push_list(L, "cat");
  const un_view *first = list_item(L, 1), *v;
  if (first->dims == 0)
    return luaL_error(L, "cat: 0-d tensors have no dimension; use stack");
  const int dim = unl_isgiven(L, 2) ? unl_checkdim(L, 2, first) : 0;
  un_view part;
  un_copy_view(&part, first);
  for (lua_Integer i = 2; i <= n; i++) {
    v = list_item(L, i);
    check_like_first(L, "cat", first, v, i, dim);
    if (__builtin_add_overflow(part.size[dim], v->size[dim], &part.size[dim]))
      return luaL_error(L, "cat: the result has more elements than memory can hold");
  }
  const bool given = unl_isgiven(L, 3);
  const un_view *out =
      unl_outortensor(L, 3, "cat", first->dtype, first->dims, part.size);
  if (given) check_list_apart(L, "cat", out, n);
  int64_t filled = 0;
  for (lua_Integer i = 1; i <= n; i++, filled += v->size[dim]) {
    v = list_item(L, i);
    un_slice(&part, out, dim, filled, v->size[dim], 1);
    un_copy(&part, v);
  }
  return 1;
}

/*---
--- Tensors of one shape as the parts of a new dimension `dim`.
---@param list unroll.Tensor[] same dtype and shape
---@param dim? integer 1 (default) to dimensions + 1
---@param out? unroll.Tensor must not overlap the tensors
---@return unroll.Tensor
--- Errors: an empty list; tensors that differ in dtype or shape.
--- > tensor.stack({tensor{1, 2}, tensor{3, 4}})[{2, 1}]   --> 3.0
---@see tensor.cat
function tensor.stack(list, dim, out) end
*/
static int tensor_stack(lua_State *L) {
  const lua_Integer n = push_list(L, "stack");
  const un_view *first = list_item(L, 1);
  un_view all, part;
  const int dim =
      unl_isgiven(L, 2) ? (int)unl_checkindex(L, 2, first->dims + 1, "dimension") : 0;
  if (first->dims == UN_MAX_DIMS)
    return luaL_error(L, "stack: %s has %d dimensions already, more are not possible",
                      un_shape(first).s, first->dims);
  for (lua_Integer i = 2; i <= n; i++)
    check_like_first(L, "stack", first, list_item(L, i), i, -1);
  un_insert_dim(&all, first, dim);
  all.size[dim] = n;
  const bool given = unl_isgiven(L, 3);
  const un_view *out = unl_outortensor(L, 3, "stack", all.dtype, all.dims, all.size);
  if (given) check_list_apart(L, "stack", out, n);
  for (lua_Integer i = 1; i <= n; i++) {
    un_select(&part, out, dim, i - 1);
    un_copy(&part, list_item(L, i));
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"index_select", tensor_index_select}, {"gather", tensor_gather}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"index_add_", tensor_index_add_},
                                   {"scatter_add_", tensor_scatter_add_},
                                   {NULL, NULL}};
static const luaL_Reg joins[] = {
    {"cat", tensor_cat}, {"stack", tensor_stack}, {NULL, NULL}};

void unl_open_gather(lua_State *L) {
  unl_addtensorfunctions(L, functions);
  unl_addmethods(L, UNL_TENSOR, methods);
  unl_subtable(L, "tensor");
  luaL_setfuncs(L, joins, 0);
  lua_pop(L, 1);
}
