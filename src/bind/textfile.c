/* textfile.c -- texts in files, read piece by piece: neither the text nor a copy of its
** tokens is ever held. */
#include <string.h>

#include "stop.h"
#include "sys.h"
#include "units.h"
#include "unl.h"

enum { PIECE = 1 << 20, CARRY = 4 };

/* A file that is being read. */
typedef struct source {
  const char *path;
  int *fd;
  un_text_units units;
  char *buffer;    /* PIECE + CARRY */
  size_t held;     /* bytes in the buffer: a character that is not complete yet */
  size_t position; /* in the file, of the buffer */
} source;

/* What is done with a piece, whole characters; false: stop. */
typedef bool work(const source *s, size_t bytes, void *context);

/* Opens the file of argument 1; errno value. *size is 0 for what is no plain file. */
static int open_source(lua_State *L, source *s, un_text_units units, size_t *size) {
  *s = (source){.path = luaL_checkstring(L, 1), .units = units};
  int error = unl_openfile(L, s->path, &s->fd, size);
  if (!error) s->buffer = lua_newuserdatauv(L, PIECE + CARRY, 0);
  return error;
}

/* Reads to the end, or until the work says stop. The last piece holds what is left, even
** half a character. Returns an errno value. */
static int each_piece(source *s, work *f, void *context) {
  for (size_t got = 1; got > 0 && !un_stopped();) {
    int error = un_sys_read(*s->fd, s->buffer + s->held, PIECE, &got);
    if (error) return error;
    size_t there = s->held + got;
    size_t whole = got > 0 ? un_text_whole(s->buffer, there, s->units) : there;
    if (!f(s, whole, context)) return 0;
    memmove(s->buffer, s->buffer + whole, there - whole);
    s->held = there - whole;
    s->position += whole;
  }
  return 0;
}

/* --- the first pass: which symbols there are, and how many ---------------------------- */

typedef struct survey {
  uint64_t *seen;
  int64_t symbols;
  bool is_bad;
  size_t bad; /* the first byte that is not valid, from 0 */
} survey;

static bool survey_piece(const source *s, size_t bytes, void *context) {
  survey *v = context;
  size_t bad = 0;
  int64_t count = un_text_check(s->buffer, bytes, s->units, &bad);
  if (count < 0) {
    v->is_bad = true;
    v->bad = s->position + bad;
    return false;
  }
  v->symbols += count;
  un_text_collect(s->buffer, bytes, s->units, v->seen);
  return true;
}

/*---
--- Reads a file for its symbols.
---@param path string
---@param units? "characters"|"bytes"
---@return unroll.Tensor|false|nil codes (V) int32, ascending; false when it is no plain file or
--- empty, so that its size cannot be known before; nil when it cannot be read or is not valid
---@return integer|string symbols how many; or the message, nil when a byte is not valid UTF-8
---@return integer? bad 1-based position of that byte
---@return integer? size of the file in bytes
function core.text.survey(path, units) end
*/
static int text_survey(lua_State *L) {
  source s;
  size_t size = 0;
  un_text_units units = unl_checkunits(L, 2);
  bool plain = un_sys_is_file(luaL_checkstring(L, 1));
  int error = plain ? open_source(L, &s, units, &size) : 0;
  if (error) return unl_pushfailure(L, s.path, error);
  if (size == 0) {
    lua_pushboolean(L, 0);
    return 1;
  }
  survey v = {.seen = lua_newuserdatauv(L, UN_TEXT_SEEN_WORDS * sizeof *v.seen, 0)};
  memset(v.seen, 0, UN_TEXT_SEEN_WORDS * sizeof *v.seen);
  error = each_piece(&s, survey_piece, &v);
  if (error) return unl_pushfailure(L, s.path, error);
  if (v.is_bad) {
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)v.bad + 1);
    lua_pushinteger(L, (lua_Integer)size);
    return 4;
  }
  int64_t V = un_text_list(v.seen, NULL);
  un_view *codes = unl_newtensor(L, "survey", UN_I32, 1, &V);
  un_text_list(v.seen, codes->data);
  lua_pushinteger(L, v.symbols);
  return 2;
}

/* --- the second pass: the tokens ---------------------------------------------------- */

typedef struct encoding {
  un_text_table table;
  un_view *tokens;
  int64_t done;
  int32_t unknown;
  bool is_unknown, has_changed;
} encoding;

static bool encode_piece(const source *s, size_t bytes, void *context) {
  encoding *e = context;
  size_t bad = 0;
  int64_t count = un_text_check(s->buffer, bytes, s->units, &bad);
  e->has_changed = count < 0 || count > e->tokens->size[0] - e->done;
  if (e->has_changed) return false;
  char *to =
      (char *)e->tokens->data + (size_t)e->done * un_dtype_bytes(e->tokens->dtype);
  int64_t written = un_text_encode(s->buffer, bytes, s->units, &e->table,
                                   e->tokens->dtype, to, &e->unknown);
  e->done += written;
  e->is_unknown = written < count;
  return !e->is_unknown;
}

/*---
--- The tokens of the text in a file that was surveyed.
---@param path string
---@param codes unroll.Tensor (V) int32, ascending
---@param units "characters"|"bytes"
---@param symbols integer as the survey found
---@return unroll.Tensor? tokens (symbols) in the smallest of uint8, uint16 and int32 that
--- holds 1..V; nil when the file cannot be read, or a symbol is not in codes
---@return integer|string|nil unknown the code of that symbol, or the message
---@return integer? position its 1-based position, in symbols
function core.text.encode_file(path, codes, units, symbols) end
*/
static int text_encode_file(lua_State *L) {
  source s;
  const un_view *codes = unl_checkint32(L, 2);
  luaL_argcheck(L, codes->dims == 1 && un_is_contiguous(codes), 2,
                "one contiguous dimension expected");
  un_text_units units = unl_checkunits(L, 3);
  int64_t symbols = luaL_checkinteger(L, 4), V = codes->size[0];
  luaL_argcheck(L, symbols >= 0, 4, "must not be negative");
  size_t size;
  int error = open_source(L, &s, units, &size);
  if (error) return unl_pushfailure(L, s.path, error);
  encoding e = {.done = 0};
  int32_t *wide = lua_newuserdatauv(L, UN_TEXT_WIDE * sizeof *wide, 0);
  un_text_make_table(&e.table, codes->data, V, wide);
  e.tokens = unl_newtensor(L, "text", un_text_dtype(V), 1, &symbols);
  error = each_piece(&s, encode_piece, &e);
  if (error) return unl_pushfailure(L, s.path, error);
  if (!e.is_unknown && e.done == symbols && !e.has_changed) return 1;
  lua_pushnil(L);
  if (!e.is_unknown) {
    lua_pushfstring(L, "%s: it changed while it was read", s.path);
    return 2;
  }
  lua_pushinteger(L, e.unknown);
  lua_pushinteger(L, e.done + 1);
  return 3;
}

static const luaL_Reg functions[] = {
    {"survey", text_survey}, {"encode_file", text_encode_file}, {NULL, NULL}};

void unl_open_textfile(lua_State *L) {
  unl_subtable(L, "text");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
