/* bytes.c -- the numbers of a tensor as a string of bytes, and back: for files.
**
** The bytes are the elements in row-major order, little-endian, as safetensors and npy
** want them; every machine unroll runs on is little-endian, so nothing is swapped. */
#include "unl.h"

#include <string.h>

#include "walk.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are little-endian");

/* Copies a run of elements of any width (context); either side may be strided. */
static void copy_run(int64_t n, void *const *data, const int64_t *stride,
                     void *context) {
  size_t width = *(size_t *)context;
  char *to = data[0];
  const char *from = data[1];
  for (int64_t i = 0; i < n; i++)
    memcpy(to + (size_t)(i * stride[0]) * width, from + (size_t)(i * stride[1]) * width,
           width);
}

/* Copies between v and its elements packed at `bytes`, which may be unaligned. */
static void copy_packed(const un_view *v, char *bytes, bool to_bytes) {
  size_t width = un_dtype_bytes(v->dtype);
  un_view packed = *v;
  un_set_contiguous(&packed);
  packed.data = bytes;
  un_walk walk;
  un_walk_plan(&walk, UN_WALK_ROW_MAJOR, 2,
               to_bytes ? (const un_view *[]){&packed, v}
                        : (const un_view *[]){v, &packed});
  un_walk_each(&walk, copy_run, &width);
}

static size_t byte_count(const un_view *v) {
  return (size_t)un_numel(v) * un_dtype_bytes(v->dtype);
}

/*---
--- The numbers of a tensor as a string: row-major, little-endian, without a header.
---@param t unroll.Tensor any dtype, any strides
---@return string bytes
--- Errors: something that is no tensor.
--- > #tensor.to_bytes(tensor{1, 2})   --> 8
---@see tensor.set_bytes
function core.tensor.to_bytes(t) end
*/
static int tensor_to_bytes(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  size_t n = byte_count(v);
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, n);
  if (un_is_contiguous(v))
    memcpy(bytes, v->data, n);
  else
    copy_packed(v, bytes, true);
  luaL_pushresultsize(&buffer, n);
  return 1;
}

/*---
--- Overwrites a tensor with the bytes that start at position `first` of a string.
---@param t unroll.Tensor
---@param bytes string must hold all elements: row-major, little-endian
---@param first? integer 1-based position of the first byte; default 1
---@return unroll.Tensor t
--- Errors: too few bytes.
--- > bytes = tensor.to_bytes(tensor{1, 2})
--- > tensor.set_bytes(tensor.zeros(2), bytes):totable()   --> {1.0, 2.0}
---@see tensor.to_bytes
function core.tensor.set_bytes(t, bytes, first) end
*/
static int tensor_set_bytes(lua_State *L) {
  un_view *v = unl_checktensor(L, 1);
  size_t length, n = byte_count(v);
  const char *bytes = luaL_checklstring(L, 2, &length);
  lua_Integer first = luaL_optinteger(L, 3, 1);
  luaL_argcheck(L, first >= 1 && (size_t)first - 1 <= length, 3,
                "outside of the string");
  size_t available = length - ((size_t)first - 1);
  if (available < n)
    return luaL_argerror(L, 2,
                         lua_pushfstring(L, "%s %s needs %I bytes, %I are there",
                                         un_dtype_name(v->dtype), un_shape(v).s,
                                         (lua_Integer)n, (lua_Integer)available));
  unl_checkout(L, 1);
  char *source = (char *)bytes + first - 1; /* only read from */
  if (un_is_contiguous(v))
    memcpy(v->data, source, n);
  else
    copy_packed(v, source, false);
  lua_settop(L, 1);
  return 1;
}

static const luaL_Reg functions[] = {
    {"to_bytes", tensor_to_bytes}, {"set_bytes", tensor_set_bytes}, {NULL, NULL}};

void unl_open_bytes(lua_State *L) {
  unl_subtable(L, "tensor");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
