/* history.c -- core.train: what train.fit writes down, and looks for, after each step. */
#include "step.h"
#include "sys.h"

unl_history unl_checkhistory(lua_State *L, int tensor, int start) {
  const un_view *v = unl_checkout(L, tensor);
  luaL_argcheck(L, v->dtype == UN_F64 && v->dims == 2 && v->size[0] == 4, tensor,
                "float64 (4,N) expected");
  return (unl_history){unl_checkheader(L, tensor), luaL_checknumber(L, start)};
}

bool unl_record(const unl_history *h, int64_t step, double loss, double norm, double lr,
                double *seconds) {
  const un_view *v = &h->tensor->view;
  double *column = (double *)v->data + step * v->stride[1];
  *seconds = un_sys_clock() - h->start;
  const double row[] = {loss, norm, lr, *seconds};
  ++*h->tensor->version;
  for (int k = 0; k < 4; k++)
    column[k * v->stride[0]] = row[k];
  return un_sys_take_interrupt();
}

/* record(step, loss, gradient_norm, lr) -> interrupted; upvalue 1 is a history, upvalue 2
** keeps its tensor. */
static int record(lua_State *L) {
  const unl_history *h = lua_touserdata(L, lua_upvalueindex(1));
  int64_t step = unl_checkindex(L, 1, h->tensor->view.size[1], "step");
  double seconds, loss = luaL_checknumber(L, 2), norm = luaL_checknumber(L, 3);
  lua_pushboolean(L, unl_record(h, step, loss, norm, luaL_checknumber(L, 4), &seconds));
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
  const unl_history history = unl_checkhistory(L, 1, 2);
  unl_history *h = lua_newuserdatauv(L, sizeof *h, 0);
  *h = history;
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
