/* sample.c -- drawing many symbols from a language model in one call (core/sample.h). */
#include "sample.h"

#include <math.h>

#include "fields.h"
#include "run.h"

/* The runs in the list at argument 1, packed; what goes up is the h of the layer below. */
static un_run *check_runs(lua_State *L, int *layers) {
  luaL_checktype(L, 1, LUA_TTABLE);
  *layers = (int)lua_rawlen(L, 1);
  luaL_argcheck(L, *layers > 0, 1, "no runs");
  un_run *runs = lua_newuserdatauv(L, (size_t)*layers * sizeof *runs, 0);
  for (int l = 0; l < *layers; l++) {
    lua_rawgeti(L, 1, l + 1);
    unl_run *r = unl_checkclass(L, -1, unl_run_class);
    luaL_argcheck(L, r->run.T == 1 && r->run.B == 1, 1,
                  "runs of one step and sequence");
    runs[l] = r->run;
    runs[l].mask = NULL;
    runs[l].tokens = NULL;
    runs[l].x = l > 0 ? runs[l - 1].state[0] : NULL; /* until un_sample sets it */
    r->stage = UNL_NEW;
    unl_touchwritten(r);
    lua_pop(L, 1);
  }
  return runs;
}

/* After all checks: the weights of the first layer's tokens are not packed. */
static void pack_runs(lua_State *L, un_run *runs, int layers, const int32_t *tokens) {
  runs[0].tokens = tokens;
  for (int l = 0; l < layers; l++) {
    lua_rawgeti(L, 1, l + 1);
    if (!unl_weightsarepacked(lua_touserdata(L, -1))) un_cell_pack(&runs[l]);
    lua_pop(L, 1);
  }
}

static un_pick check_pick(lua_State *L, const un_readout *readout) {
  un_pick pick = {.dtype = readout->dense.dtype,
                  .n = readout->dense.out,
                  .logits = readout->y,
                  .temperature = luaL_checknumber(L, 7),
                  .top_k = luaL_checkinteger(L, 8),
                  .top_p = luaL_checknumber(L, 9)};
  luaL_argcheck(L, pick.temperature >= 0 && isfinite(pick.temperature), 7,
                "a finite number, at least 0");
  luaL_argcheck(L, pick.top_k >= 1, 8, "at least 1");
  luaL_argcheck(L, pick.top_p > 0 && pick.top_p <= 1, 9, "above 0, at most 1");
  pick.share = unl_numbers(L, 11, UN_F64, pick.n, "share");
  pick.order = unl_numbers(L, 12, UN_I32, pick.n, "order");
  luaL_argcheck(L, pick.share && pick.order, 11, "scratch expected");
  return pick;
}

/*---
--- Reads the tokens from `first` on and draws those after `known`, up to `wanted`, from
--- the states in which the runs are. For lua/unroll/rnn; scripts use `model:sample`.
---@param runs unroll.Run[] one for each layer, of one step of one sequence; their states
--- after the step are where reading starts, and are left after the last token but one
---@param readout unroll.Readout of one row
---@param tokens unroll.Tensor int32 (N), overwritten after `known`
---@param first integer 1..wanted
---@param known integer first..wanted
---@param wanted integer at most N
---@param temperature number at least 0; 0 takes the largest logit
---@param top_k integer at least 1
---@param top_p number above 0, at most 1
---@param generator unroll.Generator
---@param share unroll.Tensor (V) float64, scratch
---@param order unroll.Tensor (V) int32, scratch
---@return string? message when logits are not finite
function core.loss.sample(runs, readout, tokens, first, known, wanted, temperature, top_k, top_p, generator, share, order) end
*/
static int loss_sample(lua_State *L) {
  lua_settop(L, 12);
  un_sampler s = {.rng = unl_optgenerator(L, 10)};
  un_view *tokens = unl_checkint32(L, 3);
  lua_Integer first = luaL_checkinteger(L, 4), known = luaL_checkinteger(L, 5),
              wanted = luaL_checkinteger(L, 6);
  luaL_argcheck(L, un_is_contiguous(tokens) && wanted <= un_numel(tokens), 6,
                "at most as many as there are tokens");
  luaL_argcheck(L, first >= 1 && known >= first && wanted >= known, 4,
                "first, known, wanted must rise");
  s.readout = unl_packreadout(L, 2);
  s.pick = check_pick(L, s.readout);
  s.run = check_runs(L, &s.layers);
  luaL_argcheck(L,
                s.readout->dense.rows == 1 &&
                    s.readout->dense.in == s.run[s.layers - 1].H &&
                    s.readout->dense.out == s.run[0].I,
                2, "the read-out of a language model");
  int32_t *token = (int32_t *)unl_checkout(L, 3)->data + first - 1;
  s.start = first - 1;
  un_err err;
  if (!un_check_tokens("tokens", token, known - first + 1, 1, s.run[0].I, &err))
    return luaL_error(L, "%s", err.msg);
  pack_runs(L, s.run, s.layers, token);
  if (!un_sample(&s, token, known - first + 1, wanted - first + 1, &err)) {
    lua_pushstring(L, err.msg);
    return 1;
  }
  return 0;
}

static const luaL_Reg functions[] = {{"sample", loss_sample}, {NULL, NULL}};

void unl_open_sample(lua_State *L) {
  unl_subtable(L, "loss");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
