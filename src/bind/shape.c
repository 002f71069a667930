/* shape.c -- views: other parts, orders and shapes of the same numbers.
**
** Nothing here copies a number but reshape, and that only when it must. */
#include "unl.h"

#include <string.h>

#include "copy.h"
#include "view.h"

static int push_view(lua_State *L, const un_view *view) {
  unl_newview(L, 1, view);
  return 1;
}

/*---
--- Index `i` of dimension `dim`: a view with one dimension less.
---@param dim integer
---@param i integer negative from the end
---@return unroll.Tensor
--- Errors: a dimension or an index that does not exist.
--- > tensor{{1, 2}, {3, 4}}:select(2, 1):totable()[2]   --> 3.0
---@see Tensor:narrow tensor.index_select
function Tensor:select(dim, i) end
*/
static int tensor_select(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int d = unl_checkdim(L, 2, v);
  un_view view;
  un_select(&view, v, d, unl_checkindex(L, 3, v->size[d], "index"));
  return push_view(L, &view);
}

/*---
--- `length` elements of dimension `dim` from `first` on.
---@param dim integer
---@param first integer negative from the end
---@param length integer at least 0
---@return unroll.Tensor
--- Errors: a range that reaches beyond the dimension.
--- > tensor.arange(5):narrow(1, 2, 3):totable()[3]   --> 4.0
---@see Tensor:select
function Tensor:narrow(dim, first, length) end
*/
static int tensor_narrow(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int d = unl_checkdim(L, 2, v);
  lua_Integer size = v->size[d], first = luaL_checkinteger(L, 3);
  lua_Integer length = luaL_checkinteger(L, 4);
  int64_t start =
      length == 0 && first == size + 1 ? size : unl_index(L, 3, first, size, "first");
  if (length < 0 || length > size - start)
    return luaL_argerror(L, 4,
                         lua_pushfstring(L, "length %I from %I on, the size is %I",
                                         length, first, size));
  un_view view;
  un_slice(&view, v, d, start, length, 1);
  return push_view(L, &view);
}

static int push_swapped(lua_State *L, const un_view *v, int a, int b) {
  int order[UN_MAX_DIMS];
  for (int d = 0; d < v->dims; d++)
    order[d] = d == a ? b : d == b ? a : d;
  un_view view;
  un_permute(&view, v, order);
  return push_view(L, &view);
}

/*---
--- Two dimensions exchanged.
---@param dim1 integer
---@param dim2 integer
---@return unroll.Tensor
--- Errors: a dimension that does not exist.
--- > tensor.zeros(2, 3):transpose(1, 2):size(1)   --> 3
---@see Tensor:t Tensor:permute
function Tensor:transpose(dim1, dim2) end
*/
static int tensor_transpose(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int first = unl_checkdim(L, 2, v), second = unl_checkdim(L, 3, v);
  return push_swapped(L, v, first, second);
}

/*---
--- The transpose of a matrix; a tensor with fewer dimensions stays as it is.
---@return unroll.Tensor
--- Errors: a tensor with more than two dimensions.
--- > tensor{{1, 2}, {3, 4}}:t():totable()   --> {{1.0, 3.0}, {2.0, 4.0}}
---@see Tensor:transpose
function Tensor:t() end
*/
static int tensor_t(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  if (v->dims > 2)
    return luaL_error(L, "t: a matrix expected, got %s; see transpose", un_shape(v).s);
  return push_swapped(L, v, 0, v->dims == 2 ? 1 : 0);
}

/*---
--- The dimensions in another order.
---@param ... integer|integer[] each dimension once
---@return unroll.Tensor
--- Errors: a dimension that is missing or named twice.
--- > tensor.zeros(2, 3, 4):permute(3, 1, 2):size(1)   --> 4
---@see Tensor:transpose
function Tensor:permute(...) end
*/
static int tensor_permute(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int64_t dim[UN_MAX_DIMS];
  int order[UN_MAX_DIMS];
  bool used[UN_MAX_DIMS] = {false};
  int n = unl_checksizes(L, 2, lua_gettop(L), dim);
  if (n != v->dims)
    return luaL_error(L, "permute: %d dimensions given, the tensor %s has %d", n,
                      un_shape(v).s, v->dims);
  for (int d = 0; d < n; d++) {
    order[d] = (int)unl_index(L, 2, dim[d], n, "dimension");
    luaL_argcheck(L, !used[order[d]], 2, "a dimension is named twice");
    used[order[d]] = true;
  }
  un_view view;
  un_permute(&view, v, order);
  return push_view(L, &view);
}

/* Sizes from argument 2 on for as many elements as v has; one may be -1, "the rest". */
static int check_new_sizes(lua_State *L, const char *who, const un_view *v,
                           int64_t *size) {
  int dims = unl_checksizes(L, 2, lua_gettop(L), size), open = -1;
  int64_t known = 1;
  bool fits = true;
  for (int d = 0; d < dims; d++) {
    if (size[d] == -1 && open < 0)
      open = d;
    else if (size[d] < 0)
      luaL_error(L, "%s: size %I of dimension %d is negative", who, size[d], d + 1);
    else
      fits = !__builtin_mul_overflow(known, size[d], &known) && fits;
  }
  un_view wanted = {.dims = dims};
  un_err err;
  memcpy(wanted.size, size, (size_t)dims * sizeof *size);
  int64_t n = un_numel(v);
  if (open >= 0 && known > 0 && n % known == 0) size[open] = n / known;
  bool settled = open < 0 ? known == n : size[open] >= 0;
  if (!fits || !settled)
    luaL_error(L, "%s: %s has %I elements, they do not fit in %s", who, un_shape(v).s,
               n, un_shape(&wanted).s);
  if (!un_make_view(&wanted, who, v->dtype, dims, size, &err)) unl_raise(L, &err);
  return dims;
}

/*---
--- The same numbers with other sizes, always a view. One size may be -1: what is left.
---@param ... integer|integer[] sizes, as many elements in all
---@return unroll.Tensor
--- Errors: strides that do not allow it without a copy (see reshape); another number of
--- elements.
--- > tensor.arange(6):view(2, -1):size(2)   --> 3
--- > tensor.zeros(2, 3):t():view(6)   --> error: use reshape
---@see Tensor:reshape
function Tensor:view(...) end
*/
static int tensor_view(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int64_t size[UN_MAX_DIMS];
  int dims = check_new_sizes(L, "view", v, size);
  un_view view;
  if (!un_reshape(&view, v, dims, size))
    return luaL_error(
        L,
        "view: the strides of %s do not allow these sizes without a copy; "
        "use reshape",
        un_shape(v).s);
  return push_view(L, &view);
}

/*---
--- The same numbers, in row-major order, with other sizes: a view where the strides
--- allow it, else a copy. One size may be -1: what is left.
---@param ... integer|integer[] sizes, as many elements in all
---@return unroll.Tensor
--- Errors: sizes with another number of elements.
--- > tensor.arange(6):reshape(2, -1):totable()   --> {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}}
---@see Tensor:view Tensor:flatten
function Tensor:reshape(...) end
*/
static int tensor_reshape(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int64_t size[UN_MAX_DIMS];
  int dims = check_new_sizes(L, "reshape", v, size);
  un_view view;
  if (un_reshape(&view, v, dims, size)) return push_view(L, &view);
  un_view *copy = unl_newtensor(L, "reshape", v->dtype, dims, size);
  un_view as_source = *copy;
  as_source.dims = v->dims;
  memcpy(as_source.size, v->size, sizeof v->size);
  un_set_contiguous(&as_source);
  un_copy(&as_source, v);
  return 1;
}

/*---
--- All numbers in row-major order in one dimension: a view where the strides allow it,
--- else a copy.
---@return unroll.Tensor 1-d
--- > tensor{{1, 2}, {3, 4}}:t():flatten():totable()   --> {1.0, 3.0, 2.0, 4.0}
---@see Tensor:reshape
function Tensor:flatten() end
*/
static int tensor_flatten(lua_State *L) {
  lua_settop(L, 1);
  lua_pushinteger(L, un_numel(unl_checktensor(L, 1)));
  return tensor_reshape(L);
}

/*---
--- Repeats dimensions of size 1, and new ones in front, without a copy: all repetitions
--- share their memory, so the view cannot be written. -1 keeps a size.
---@param ... integer|integer[] sizes
---@return unroll.Tensor
--- Errors: sizes to which the tensor does not broadcast.
--- > tensor{{1}, {2}}:expand(2, 3)[{2, 3}]   --> 2.0
--- > tensor{{1}, {2}}:expand(2, 3):add_(1)   --> error: clone it first
function Tensor:expand(...) end
*/
static int tensor_expand(lua_State *L) {
  const un_view *v = unl_checktensor(L, 1);
  int64_t size[UN_MAX_DIMS];
  un_view view, wanted;
  un_err err;
  int dims = unl_checksizes(L, 2, lua_gettop(L), size), added = dims - v->dims;
  for (int d = 0; d < dims; d++)
    if (size[d] == -1 && d >= added) size[d] = v->size[d - added];
  if (!un_make_view(&wanted, "expand", v->dtype, dims, size, &err))
    return unl_raise(L, &err);
  if (!un_expand(&view, v, dims, size))
    return luaL_error(L, "expand: %s does not broadcast to %s", un_shape(v).s,
                      un_shape(&wanted).s);
  return push_view(L, &view);
}

/*---
--- Without dimension `dim` if its size is 1; without `dim`, without all of size 1.
---@param dim? integer
---@return unroll.Tensor
--- Errors: a dimension that does not exist.
--- > tensor.zeros(1, 3, 1):squeeze():dim()   --> 1
---@see Tensor:unsqueeze
function Tensor:squeeze(dim) end
*/
static int tensor_squeeze(lua_State *L) {
  un_view view = *unl_checktensor(L, 1);
  int only = lua_isnoneornil(L, 2) ? -1 : unl_checkdim(L, 2, &view);
  for (int d = view.dims - 1; d >= 0; d--)
    if (view.size[d] == 1 && (only < 0 || d == only)) un_remove_dim(&view, &view, d);
  return push_view(L, &view);
}

/*---
--- With a new dimension of size 1 at position `dim`.
---@param dim integer 1 to t:dim() + 1; -1 is behind the last
---@return unroll.Tensor
--- Errors: a position that cannot be; a tensor of 6 dimensions.
--- > tensor.zeros(3):unsqueeze(1):size(1)   --> 1
---@see Tensor:squeeze
function Tensor:unsqueeze(dim) end
*/
static int tensor_unsqueeze(lua_State *L) {
  un_view view = *unl_checktensor(L, 1);
  int d = (int)unl_checkindex(L, 2, view.dims + 1, "dimension");
  if (view.dims == UN_MAX_DIMS)
    return luaL_error(L,
                      "unsqueeze: %s has %d dimensions already, more are not possible",
                      un_shape(&view).s, view.dims);
  un_insert_dim(&view, &view, d);
  return push_view(L, &view);
}

static const luaL_Reg functions[] = {
    {"select", tensor_select},       {"narrow", tensor_narrow},
    {"transpose", tensor_transpose}, {"t", tensor_t},
    {"permute", tensor_permute},     {"view", tensor_view},
    {"reshape", tensor_reshape},     {"flatten", tensor_flatten},
    {"expand", tensor_expand},       {"squeeze", tensor_squeeze},
    {"unsqueeze", tensor_unsqueeze}, {NULL, NULL}};

void unl_open_shape(lua_State *L) {
  unl_addtensorfunctions(L, functions);
}
