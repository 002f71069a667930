/* text.c -- core.text: symbols, encoding, batch windows and entropies (core/text.h).
**
** These are the inner loops of lua/unroll/text; scripts use that. */
#include "text.h"

#include <string.h>

#include "profile.h"
#include "step.h"
#include "units.h"

un_text_units unl_checkunits(lua_State *L, int arg) {
  static const char *const names[] = {"characters", "bytes", NULL};
  return luaL_checkoption(L, arg, "characters", names) == 0 ? UN_TEXT_CHARACTERS
                                                            : UN_TEXT_BYTES;
}

/* The text at argument 1, known to be valid in the units; raises otherwise. */
static const char *check_text(lua_State *L, size_t *bytes, un_text_units units,
                              int64_t *symbols) {
  const char *text = luaL_checklstring(L, 1, bytes);
  size_t bad = 0;
  *symbols = un_text_check(text, *bytes, units, &bad);
  if (*symbols < 0)
    luaL_argerror(L, 1,
                  lua_pushfstring(L, "invalid UTF-8 at byte %I", (lua_Integer)bad + 1));
  return text;
}

static const un_view *check_contiguous(lua_State *L, int arg, const un_view *v) {
  luaL_argcheck(L, v->dims == 1 && un_is_contiguous(v), arg,
                "one contiguous dimension expected");
  return v;
}

static const un_view *check_vector(lua_State *L, int arg) {
  return check_contiguous(L, arg, unl_checkint32(L, arg));
}

static const un_view *check_tokens(lua_State *L, int arg) {
  const un_view *v = unl_checktensor(L, arg);
  luaL_argcheck(L, !un_is_real(v->dtype), arg,
                "uint8, uint16 or int32 tokens expected");
  luaL_argcheck(L, v->dims == 1, arg, "one dimension expected");
  return v;
}

/*---
--- Checks that a text is valid in its units.
---@param text string
---@param units? "characters"|"bytes"
---@return integer? count of symbols; nil when a byte is not valid UTF-8
---@return integer? bad 1-based position of that byte
function core.text.check(text, units) end
*/
static int text_check(lua_State *L) {
  size_t bytes, bad = 0;
  const char *text = luaL_checklstring(L, 1, &bytes);
  int64_t count = un_text_check(text, bytes, unl_checkunits(L, 2), &bad);
  if (count >= 0) {
    lua_pushinteger(L, count);
    return 1;
  }
  lua_pushnil(L);
  lua_pushinteger(L, (lua_Integer)bad + 1);
  return 2;
}

/*---
--- The codes of the different symbols of a text, ascending.
---@param text string
---@param units? "characters"|"bytes"
---@return unroll.Tensor codes (V) int32: code points, or bytes 0..255
function core.text.codes(text, units) end
*/
static int text_codes(lua_State *L) {
  un_text_units units = unl_checkunits(L, 2);
  size_t bytes;
  int64_t symbols;
  const char *text = check_text(L, &bytes, units, &symbols);
  uint64_t *seen = lua_newuserdatauv(L, UN_TEXT_SEEN_WORDS * sizeof *seen, 0);
  memset(seen, 0, UN_TEXT_SEEN_WORDS * sizeof *seen);
  un_text_collect(text, bytes, units, seen);
  int64_t V = un_text_list(seen, NULL);
  un_view *codes = unl_newtensor(L, "codes", UN_I32, 1, &V);
  un_text_list(seen, codes->data);
  return 1;
}

/*---
--- The tokens of a text.
---@param text string
---@param codes unroll.Tensor (V) int32, ascending
---@param units? "characters"|"bytes"
---@param small? boolean in the smallest of uint8, uint16 and int32 that holds 1..V
---@return unroll.Tensor? tokens (N) int32, 1..V; nil when a symbol is not in codes
---@return integer? unknown its code
---@return integer? position its 1-based position, in symbols
function core.text.encode(text, codes, units, small) end
*/
static int text_encode(lua_State *L) {
  enum { SHORT = 1 << 16 };
  un_text_units units = unl_checkunits(L, 3);
  const un_view *codes = check_vector(L, 2);
  size_t bytes;
  int64_t symbols, V = codes->size[0];
  const char *text = check_text(L, &bytes, units, &symbols);
  int32_t unknown = 0, *wide = NULL;
  if (symbols > SHORT) wide = lua_newuserdatauv(L, UN_TEXT_WIDE * sizeof *wide, 0);
  un_text_table table;
  un_text_make_table(&table, codes->data, V, wide);
  un_dtype dtype = lua_toboolean(L, 4) ? un_text_dtype(V) : UN_I32;
  un_view *tokens = unl_newtensor(L, "encode", dtype, 1, &symbols);
  int64_t done =
      un_text_encode(text, bytes, units, &table, dtype, tokens->data, &unknown);
  if (done == symbols) return 1;
  lua_pushnil(L);
  lua_pushinteger(L, unknown);
  lua_pushinteger(L, done + 1);
  return 3;
}

/*---
--- The text of tokens.
---@param tokens unroll.Tensor (N) uint8, uint16 or int32
---@param codes unroll.Tensor (V) int32, ascending
---@param units? "characters"|"bytes"
---@return string? text nil when a token is not in 1..V
---@return integer? position its 1-based position
function core.text.decode(tokens, codes, units) end
*/
static int text_decode(lua_State *L) {
  const un_view *tokens = check_tokens(L, 1), *codes = check_vector(L, 2);
  un_text_units units = unl_checkunits(L, 3);
  const int64_t V = codes->size[0];
  int64_t bad = 0;
  int64_t bytes = un_text_decode(tokens, units, codes->data, V, NULL, &bad);
  if (bytes < 0) {
    lua_pushnil(L);
    lua_pushinteger(L, bad + 1);
    return 2;
  }
  luaL_Buffer buffer;
  char *text = luaL_buffinitsize(L, &buffer, (size_t)bytes);
  un_text_decode(tokens, units, codes->data, V, text, &bad);
  luaL_pushresultsize(&buffer, (size_t)bytes);
  return 1;
}

/*---
--- How often each token occurs.
---@param tokens unroll.Tensor (N) uint8, uint16 or int32, all in 1..V
---@param V integer
---@return unroll.Tensor counts (V) float64
--- Errors: a token that is not in 1..V.
function core.text.count(tokens, V) end
*/
static int text_count(lua_State *L) {
  const un_view *tokens = check_tokens(L, 1);
  int64_t V = luaL_checkinteger(L, 2);
  luaL_argcheck(L, V >= 0 && V <= 0x110000, 2, "out of range 0..1114112");
  int64_t *counts = lua_newuserdatauv(L, (size_t)(V + 1) * sizeof *counts, 0);
  un_err err;
  if (!un_text_count(tokens, V, counts, &err)) return unl_raise(L, &err);
  un_view *out = unl_newtensor(L, "count", UN_F64, 1, &V);
  for (int64_t k = 0; k < V; k++)
    ((double *)out->data)[k] = (double)counts[k];
  return 1;
}

/* What a window is cut from, and where it goes. */
typedef struct window {
  const un_view *tokens;
  unl_tensor *x, *y;
} window;

static void fill_tensors(const window *w, int64_t first) {
  const un_view *shape = &w->x->view;
  if (first > w->tokens->size[0])
    first = w->tokens->size[0]; /* all windows are equal there */
  ++*w->x->version;
  ++*w->y->version;
  UN_PROFILE_BEGIN(UN_PHASE_DATA);
  if (un_numel(shape) > 0)
    un_text_window(w->tokens, shape->size[0], shape->size[1], first, shape->data,
                   w->y->view.data);
  UN_PROFILE_END(0);
}

/* fill(first), with a window, its tensors and what goes with them as upvalues: it is
** called at every step of a training. */
static int fill_window(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 1);
  luaL_argcheck(L, first >= 0, 1, "must not be negative");
  fill_tensors(lua_touserdata(L, lua_upvalueindex(1)), first);
  for (int i = 2; i <= 4; i++)
    lua_pushvalue(L, lua_upvalueindex(i));
  return 3;
}

int64_t unl_fillwindow(lua_State *L, int fill, int64_t first) {
  luaL_argcheck(L, lua_tocfunction(L, fill) == fill_window && first >= 0, fill,
                "function of core.text.window expected");
  lua_getupvalue(L, fill, 1);
  const window *w = lua_touserdata(L, -1);
  lua_pop(L, 1);
  fill_tensors(w, first);
  return w->x->view.size[0];
}

/*---
--- What fills x and y with one window of B parallel streams: what step first+t of each
--- stream reads, and what it must predict. Past the end of a stream its last
--- transition repeats.
---@param tokens unroll.Tensor (N) uint8, uint16 or int32, N > B
---@param x unroll.Tensor (T,B) int32, overwritten by each call of fill
---@param y unroll.Tensor (T,B) int32, overwritten too
---@param info any
---@return fun(first: integer): unroll.Tensor, unroll.Tensor, any fill from 0, the start of the
--- streams, on; returns x, y and info
function core.text.window(tokens, x, y, info) end
*/
static int text_window(lua_State *L) {
  lua_settop(L, 4);
  window *w = lua_newuserdatauv(L, sizeof *w, 0);
  w->tokens = check_contiguous(L, 1, check_tokens(L, 1));
  w->x = unl_checkheader(L, 2);
  w->y = unl_checkheader(L, 3);
  const un_view *x = &w->x->view, *y = &w->y->view;
  luaL_argcheck(L, x->dtype == UN_I32 && x->dims == 2 && un_is_contiguous(x), 2,
                "contiguous int32 (T,B) expected");
  luaL_argcheck(L, y->dtype == UN_I32 && un_same_shape(x, y) && un_is_contiguous(y), 3,
                "must be shaped as x");
  luaL_argcheck(L, w->tokens->size[0] > x->size[1], 1, "fewer tokens than streams");
  for (int i = 2; i <= 4; i++)
    lua_pushvalue(L, i);
  lua_pushvalue(L, 1); /* kept */
  lua_pushcclosure(L, fill_window, 5);
  return 1;
}

/*---
--- Entropy in bits of the next token given the k before it, for k = 0..orders-1.
---@param tokens unroll.Tensor (N) int32, 1..V
---@param V integer
---@param orders integer
---@return number[] bits list of `orders` numbers, order 0 first
function core.text.entropies(tokens, V, orders) end
*/
static int text_entropies(lua_State *L) {
  enum { MOST_ORDERS = 64 };
  const un_view *tokens = check_vector(L, 1);
  lua_Integer V = luaL_checkinteger(L, 2), orders = luaL_checkinteger(L, 3);
  luaL_argcheck(L, V >= 0 && V <= 0x110000, 2, "out of range 0..1114112");
  luaL_argcheck(L, orders >= 0 && orders <= MOST_ORDERS, 3, "out of range 0..64");
  int64_t N = tokens->size[0];
  luaL_argcheck(L, N < INT32_MAX / 2, 1, "too long");
  double bits[MOST_ORDERS];
  void *scratch = lua_newuserdatauv(L, un_text_entropy_scratch(N), 0);
  un_text_entropy(tokens->data, N, V, (int)orders, bits, scratch);
  lua_createtable(L, (int)orders, 0);
  for (int k = 0; k < orders; k++) {
    lua_pushnumber(L, bits[k]);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"check", text_check},         {"codes", text_codes}, {"encode", text_encode},
    {"decode", text_decode},       {"count", text_count}, {"window", text_window},
    {"entropies", text_entropies}, {NULL, NULL}};

void unl_open_text(lua_State *L) {
  unl_subtable(L, "text");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
