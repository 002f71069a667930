/* tensor.c -- the Tensor class: construction, indexing, views, conversion. */
#include "unl.h"

#include <string.h>

static int tensor_zeros(lua_State *L) {
  int64_t size[UN_MAX_DIMS];
  int last = lua_gettop(L);
  un_dtype dtype = UN_F32;
  if (last > 1 && lua_istable(L, last)) {
    dtype = unl_dtypefield(L, last, "dtype", UN_F32);
    last--;
  }
  int dims = unl_checksizes(L, 1, last, size);
  un_view *v = unl_newtensor(L, "zeros", dtype, dims, size);
  memset(v->data, 0, (size_t)un_numel(v) * un_dtype_bytes(dtype));
  return 1;
}

static const luaL_Reg functions[] = {{"zeros", tensor_zeros}, {NULL, NULL}};
static const luaL_Reg methods[] = {{NULL, NULL}};

void unl_open_tensor(lua_State *L) {
  unl_addmethods(L, UNL_TENSOR, methods);
  unl_subtable(L, "tensor");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
