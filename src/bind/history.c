/* history.c -- core.train: what train.fit writes down after each step. */
#include "sys.h"
#include "unl.h"

/*---
--- Writes the numbers of one step, and the seconds since `start`, into the history.
---@param history unroll.Tensor (4,N) float64, overwritten
---@param step integer 1..N
---@param loss number
---@param gradient_norm number
---@param lr number
---@param start number as of core.sys.clock
function core.train.record(history, step, loss, gradient_norm, lr, start) end
*/
static int train_record(lua_State *L) {
  const un_view *v = unl_checkout(L, 1);
  luaL_argcheck(L, v->dtype == UN_F64 && v->dims == 2 && v->size[0] == 4, 1,
                "float64 (4,N) expected");
  double *column =
      (double *)v->data + unl_checkindex(L, 2, v->size[1], "step") * v->stride[1];
  const double row[] = {luaL_checknumber(L, 3), luaL_checknumber(L, 4),
                        luaL_checknumber(L, 5),
                        un_sys_clock() - luaL_checknumber(L, 6)};
  for (int k = 0; k < 4; k++)
    column[k * v->stride[0]] = row[k];
  return 0;
}

static const luaL_Reg functions[] = {{"record", train_record}, {NULL, NULL}};

void unl_open_history(lua_State *L) {
  unl_subtable(L, "train");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
