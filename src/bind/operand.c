/* operand.c -- arguments that are tensors or numbers (see operand.h). */
#include "operand.h"

#include "ops.h"

void unl_checkoperand(lua_State *L, int arg, unl_operand *o) {
  o->is_number = lua_type(L, arg) == LUA_TNUMBER;
  if (o->is_number) {
    o->number = lua_tonumber(L, arg);
    o->own.dtype = UN_F64;
    o->own.dims = 0;
    o->own.data = &o->cell;
    o->view = &o->own;
    return;
  }
  o->view = unl_totensor(L, arg);
  if (!o->view) luaL_typeerror(L, arg, "tensor or number");
}

void unl_settle(unl_operand *o, un_dtype dtype) {
  if (!o->is_number) return;
  o->own.dtype = dtype;
  if (dtype == UN_F32)
    o->cell.f32 = (float)o->number;
  else if (dtype == UN_F64)
    o->cell.f64 = o->number;
  else
    o->cell.i32 = (int32_t)o->number;
}

bool unl_spread(unl_operand *o, int dims, const int64_t *size) {
  if (un_has_sizes(o->view, dims, size)) return true;
  if (!un_expand(&o->own, o->view, dims, size)) return false;
  o->view = &o->own;
  return true;
}

un_dtype unl_realdtype(int n, unl_operand *const *o) {
  for (int i = 0; i < n; i++)
    if (!o[i]->is_number && o[i]->view->dtype == UN_F64) return UN_F64;
  return UN_F32;
}

void unl_checkcomputes(lua_State *L, int arg, const un_view *v) {
  if (!un_is_real(v->dtype))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "%s does not compute; use :to(\"float32\")",
                                  un_dtype_name(v->dtype)));
}

void unl_checkalias(lua_State *L, const char *who, const un_view *out, const char *name,
                    const un_view *in) {
  un_err err;
  if (!un_check_alias(who, out, name, in, &err)) unl_raise(L, &err);
}

void unl_checkapart(lua_State *L, const char *who, const un_view *out, const char *name,
                    const un_view *in) {
  un_err err;
  if (!un_check_apart(who, out, name, in, &err)) unl_raise(L, &err);
}
