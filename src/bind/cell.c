/* cell.c -- what Lua knows of the built-in cells (core/cell.h). */
#include "cell.h"

#include "run.h"

/*---
--- What lua/unroll/rnn must know of a built-in cell, or nil when there is none of that
--- name: gate_count, states (names), saved, in_place, split (gates of which the part from x
--- stays apart), extras (more parameters: {name, rows, columns}, in multiples of H; columns
--- 0 is a vector).
---@param name string
---@return table?
function core.cell.describe(name) end
*/
static int cell_describe(lua_State *L) {
  const un_cell *cell = un_cell_find(luaL_checkstring(L, 1));
  if (!cell) return 0;
  lua_newtable(L);
  lua_pushinteger(L, cell->gates);
  lua_setfield(L, -2, "gate_count");
  lua_pushinteger(L, cell->saved);
  lua_setfield(L, -2, "saved");
  lua_pushboolean(L, cell->in_place);
  lua_setfield(L, -2, "in_place");
  lua_pushinteger(L, cell->split);
  lua_setfield(L, -2, "split");
  lua_newtable(L);
  for (int s = 0; s < cell->states; s++) {
    lua_pushstring(L, cell->state_name[s]);
    lua_seti(L, -2, s + 1);
  }
  lua_setfield(L, -2, "states");
  lua_newtable(L);
  if (cell->split_bias) {
    lua_newtable(L);
    lua_pushstring(L, cell->split_bias);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, cell->split);
    lua_setfield(L, -2, "rows");
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "columns");
    lua_seti(L, -2, 1);
  }
  lua_setfield(L, -2, "extras");
  return 1;
}

/*---
--- The names of the built-in cells.
---@return string[]
function core.cell.names() end
*/
static int cell_names(lua_State *L) {
  lua_newtable(L);
  for (int i = 0; un_cell_at(i); i++) {
    lua_pushstring(L, un_cell_at(i)->name);
    lua_seti(L, -2, i + 1);
  }
  return 1;
}

/*---
--- What an argument is, in one call: the checks of a training step are many.
---@param t any
---@return string? dtype nil when t is no tensor
---@return boolean? is_contiguous
---@return integer? dims
---@return integer? ... the first three sizes; -1 for those that there are not
function core.cell.inspect(t) end
*/
static int cell_inspect(lua_State *L) {
  const un_view *v = unl_totensor(L, 1); /* the stack keeps it alive */
  if (!v) return 0;
  lua_pushstring(L, un_dtype_name(v->dtype));
  lua_pushboolean(L, un_is_contiguous(v));
  lua_pushinteger(L, v->dims);
  for (int d = 0; d < 3; d++)
    lua_pushinteger(L, d < v->dims ? v->size[d] : -1);
  return 6;
}

static const luaL_Reg functions[] = {{"run", unl_makerun},
                                     {"describe", cell_describe},
                                     {"names", cell_names},
                                     {"inspect", cell_inspect},
                                     {NULL, NULL}};

void unl_open_cell(lua_State *L) {
  unl_openrun(L);
  unl_subtable(L, "cell");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
