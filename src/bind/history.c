/* history.c -- core.train: what train.fit writes down, and looks for, after each step. */
#include "sys.h"
#include "unl.h"

/* Upvalue 1 of a recorder; upvalue 2 keeps the tensor. */
typedef struct history {
  unl_tensor *tensor;
  double start;
} history;

/* record(step, loss, gradient_norm, lr) -> interrupted */
static int record(lua_State *L) {
  const history *h = lua_touserdata(L, lua_upvalueindex(1));
  const un_view *v = &h->tensor->view;
  double *column =
      (double *)v->data + unl_checkindex(L, 1, v->size[1], "step") * v->stride[1];
  const double row[] = {luaL_checknumber(L, 2), luaL_checknumber(L, 3),
                        luaL_checknumber(L, 4), un_sys_clock() - h->start};
  ++*h->tensor->version;
  for (int k = 0; k < 4; k++)
    column[k * v->stride[0]] = row[k];
  lua_pushboolean(L, un_sys_take_interrupt());
  return 1;
}

/*---
--- What writes the numbers of one step, and the seconds since `start`, into a history.
---@param history unroll.Tensor (4,N) float64, overwritten
---@param start number as of core.sys.clock
---@return fun(step: integer, loss: number, gradient_norm: number, lr: number): boolean record
--- step is 1..N; returns what core.sys.interrupted would
function core.train.recorder(history, start) end
*/
static int train_recorder(lua_State *L) {
  const un_view *v = unl_checkout(L, 1);
  luaL_argcheck(L, v->dtype == UN_F64 && v->dims == 2 && v->size[0] == 4, 1,
                "float64 (4,N) expected");
  double start = luaL_checknumber(L, 2);
  history *h = lua_newuserdatauv(L, sizeof *h, 0);
  *h = (history){unl_checkheader(L, 1), start};
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, record, 2);
  return 1;
}

static const luaL_Reg functions[] = {{"recorder", train_recorder}, {NULL, NULL}};

void unl_open_history(lua_State *L) {
  unl_subtable(L, "train");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
