/* unl.c -- tensors as userdata, argument checks, errors (see unl.h). */
#include "unl.h"
#include <math.h>

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "copy.h"
#include "stop.h"
#include "sys.h"

enum { ALIGNMENT = 64, OWNER = 1, LARGE = 1 << 28 };

/* Large tensors begin with a page: rows of a batch that are whole pages, as the halves that
** two threads have, then share none. Processors fetch ahead within a page; lines that they
** fetched out of another thread's cache cost that thread much when it writes them again. */
enum { PAGE = 4096, PAGED = 1 << 17 };

/* --- tensors ------------------------------------------------------------------------
 */

/* The key of the class in the registry: an integer is found faster than a name or a pointer,
** a small one faster than a large one, and luaL_ref never counts so far. */
enum { CLASS_KEY = 0x756e726f };

static const char tensor_class[] = UNL_TENSOR;

/* Lua collects when its memory has doubled, and marks all that lives each time: in a small
** program, every few hundred small tensors. With a block that nobody touches, which takes
** no memory, it is every few thousand. */
enum { BALLAST = 1 << 19 };
static const char ballast_key;

static void add_ballast(lua_State *L) {
  lua_newuserdatauv(L, BALLAST, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ballast_key);
}

void unl_open_class(lua_State *L) {
  add_ballast(L);
  unl_pushmethods(L, UNL_TENSOR);
  luaL_getmetatable(L, UNL_TENSOR);
  lua_rawseti(L, LUA_REGISTRYINDEX, CLASS_KEY);
  lua_pop(L, 1);
}

static unl_tensor *push_header(lua_State *L, size_t payload, int user_values) {
  unl_tensor *t = lua_newuserdatauv(L, sizeof *t + payload, user_values);
  lua_rawgeti(L, LUA_REGISTRYINDEX, CLASS_KEY);
  lua_setmetatable(L, -2);
  t->class = (unl_class){t, tensor_class};
  return t;
}

static bool can_allocate(lua_State *L, size_t bytes) {
  void *ud;
  lua_Alloc allocate = lua_getallocf(L, &ud);
  void *block = allocate(ud, NULL, 0, bytes);
  if (block) allocate(ud, block, bytes, 0);
  return block != NULL;
}

/* Lua's own "not enough memory" names nobody, so a large block is tried first: asked
** for, after a collection asked for again, and given back. */
static void check_memory(lua_State *L, const char *who, un_dtype dtype, int dims,
                         const int64_t *size, size_t bytes) {
  if (bytes < LARGE || can_allocate(L, bytes)) return;
  lua_gc(L, LUA_GCCOLLECT);
  if (can_allocate(L, bytes)) return;
  un_view wanted;
  un_err err;
  un_set_sizes(&wanted, dtype, dims, size);
  (void)un_fail(&err, "%s: %s %s needs %.1f GiB, more memory than there is", who,
                un_dtype_name(dtype), un_shape(&wanted).s, (double)bytes / (1 << 30));
  unl_raise(L, &err);
}

static int64_t check_bytes(lua_State *L, const char *who, un_dtype dtype, int dims,
                           const int64_t *size) {
  un_err err;
  int64_t bytes;
  if (!un_check_sizes(who, dtype, dims, size, &bytes, &err)) unl_raise(L, &err);
  check_memory(L, who, dtype, dims, size, (size_t)bytes);
  return bytes;
}

un_view *unl_newtensor(lua_State *L, const char *who, un_dtype dtype, int dims,
                       const int64_t *size) {
  int64_t needed;
  if (!un_few_bytes(dtype, dims, size, &needed) || needed >= LARGE)
    needed = check_bytes(L, who, dtype, dims, size);
  const size_t bytes = (size_t)needed;
  const size_t alignment = bytes < PAGED ? ALIGNMENT : PAGE;
  unl_tensor *t = push_header(L, bytes + alignment - 1, 0);
  un_sys_use_large_pages(t, bytes);
  uintptr_t first = (uintptr_t)(t + 1);
  un_set_sizes(&t->view, dtype, dims, size);
  t->view.data = (void *)((first + alignment - 1) & ~(uintptr_t)(alignment - 1));
  t->own_version = 0;
  t->version = &t->own_version;
  t->is_cleared = false;
  return &t->view;
}

/* The header with its numbers as they lie in memory. */
static unl_tensor *raw_header(lua_State *L, int arg) {
  unl_tensor *t = lua_touserdata(L, arg); /* a light one has no size */
  if (!t || lua_rawlen(L, arg) < sizeof *t) return NULL;
  return t->class.self == t && t->class.name == tensor_class ? t : NULL;
}

static unl_tensor *test_header(lua_State *L, int arg) {
  unl_tensor *t = raw_header(L, arg);
  if (t) unl_look(t->version);
  return t;
}

void unl_writezeros(unl_tensor *root) {
  const un_view *v = &root->view;
  memset(v->data, 0, (size_t)un_numel(v) * un_dtype_bytes(v->dtype));
  root->is_cleared = false;
}

void unl_clear(lua_State *L, int arg) {
  unl_tensor *t = raw_header(L, arg);
  if (t && t->version == &t->own_version && un_is_real(t->view.dtype)) {
    ++*t->version;
    t->is_cleared = true;
  } else {
    un_fill(unl_checkout(L, arg), 0);
  }
}

unl_tensor *unl_checkheader(lua_State *L, int arg) {
  unl_tensor *t = test_header(L, arg);
  return t ? t : luaL_checkudata(L, arg, UNL_TENSOR); /* raises */
}

un_view *unl_newview(lua_State *L, int owner, const un_view *view) {
  owner = lua_absindex(L, owner);
  unl_tensor *source = unl_checkheader(L, owner);
  unl_tensor *t = push_header(L, 0, 1);
  t->view = *view;
  t->version = source->version;
  if (source->version == &source->own_version)
    lua_pushvalue(L, owner);
  else
    lua_getiuservalue(L, owner, OWNER); /* the root, not a chain of views */
  lua_setiuservalue(L, -2, OWNER);
  return &t->view;
}

un_view *unl_totensor(lua_State *L, int arg) {
  unl_tensor *t = test_header(L, arg);
  return t ? &t->view : NULL;
}

un_view *unl_checktensor(lua_State *L, int arg) {
  return &unl_checkheader(L, arg)->view;
}

un_view *unl_checkreal(lua_State *L, int arg) {
  un_view *v = unl_checktensor(L, arg);
  if (!un_is_real(v->dtype))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "float32 or float64 tensor expected, got %s %s",
                                  un_dtype_name(v->dtype), un_shape(v).s));
  return v;
}

un_view *unl_checkint32(lua_State *L, int arg) {
  un_view *v = unl_checktensor(L, arg);
  if (v->dtype != UN_I32)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "int32 tensor expected, got %s %s",
                                  un_dtype_name(v->dtype), un_shape(v).s));
  return v;
}

void unl_writes(lua_State *L, int arg, un_view *v) {
  if (un_overlaps_itself(v))
    luaL_argerror(L, arg,
                  "cannot write to an expanded tensor (its elements share memory); "
                  "clone it first");
  ++*((unl_tensor *)v)->version;
}

un_view *unl_checkout(lua_State *L, int arg) {
  un_view *v = unl_checktensor(L, arg);
  unl_writes(L, arg, v);
  return v;
}

/* The tensor given as `out` is not what the result needs. */
static int wrong_out(lua_State *L, int arg, const char *who, const un_view *out,
                     un_dtype dtype, int dims, const int64_t *size) {
  un_view wanted;
  un_err err;
  if (!un_make_view(&wanted, who, dtype, dims, size, &err)) unl_raise(L, &err);
  return luaL_argerror(L, arg,
                       lua_pushfstring(L, "out is %s %s, must be %s %s",
                                       un_dtype_name(out->dtype), un_shape(out).s,
                                       un_dtype_name(dtype), un_shape(&wanted).s));
}

un_view *unl_outortensor(lua_State *L, int arg, const char *who, un_dtype dtype,
                         int dims, const int64_t *size) {
  if (!unl_isgiven(L, arg)) return unl_newtensor(L, who, dtype, dims, size);
  un_view *out = unl_checktensor(L, arg);
  if (out->dtype != dtype || !un_has_sizes(out, dims, size))
    wrong_out(L, arg, who, out, dtype, dims, size);
  unl_writes(L, arg, out);
  lua_pushvalue(L, arg);
  return out;
}

uint64_t unl_version(lua_State *L, int arg) {
  return *unl_checkheader(L, arg)->version;
}

void unl_touch(lua_State *L, int arg) {
  ++*unl_checkheader(L, arg)->version;
}

/* --- arguments ----------------------------------------------------------------------
 */

int64_t unl_index(lua_State *L, int arg, int64_t index, int64_t size,
                  const char *what) {
  int64_t zero_based = index > 0 ? index - 1 : index + size;
  if (index == 0 || zero_based < 0 || zero_based >= size) {
    const char *text =
        size == 0
            ? lua_pushfstring(L, "%s %I: there are no elements", what, index)
            : lua_pushfstring(L, "%s %I is out of range 1..%I", what, index, size);
    if (arg > 0) luaL_argerror(L, arg, text);
    luaL_error(L, "%s", text);
  }
  return zero_based;
}

int64_t unl_checkindex(lua_State *L, int arg, int64_t size, const char *what) {
  return unl_index(L, arg, luaL_checkinteger(L, arg), size, what);
}

int unl_checkdim(lua_State *L, int arg, const un_view *v) {
  int is_integer;
  const lua_Integer dim = lua_tointegerx(L, arg, &is_integer);
  if (is_integer) return (int)unl_index(L, arg, dim, v->dims, "dimension");
  if (lua_isnoneornil(L, arg))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "a dimension of %s expected, got %s",
                                  un_shape(v).s, luaL_typename(L, arg)));
  return (int)luaL_checkinteger(L, arg); /* raises */
}

static const char *const dtype_names[] = {"float32", "float64", "int32",
                                          "uint8",   "uint16",  NULL};

/* Pushes the names as "a, b, c". */
static const char *push_list(lua_State *L, const char *const *names) {
  lua_pushliteral(L, "");
  for (int i = 0; names[i]; i++) {
    lua_pushfstring(L, "%s%s%s", lua_tostring(L, -1), i > 0 ? ", " : "", names[i]);
    lua_remove(L, -2);
  }
  return lua_tostring(L, -1);
}

const char *unl_pushtext(lua_State *L, int arg) {
  double value = lua_type(L, arg) == LUA_TNUMBER ? lua_tonumber(L, arg) : 0;
  if (!isnan(value)) return luaL_tolstring(L, arg, NULL);
  return lua_pushliteral(L, "nan");
}

/* The dtype of that name; -1 when there is none. */
static int find_dtype(const char *name) {
  for (int i = 0; name && dtype_names[i]; i++)
    if (strcmp(name, dtype_names[i]) == 0) return i;
  return -1;
}

un_dtype unl_checkdtype(lua_State *L, int arg) {
  int i = find_dtype(lua_tostring(L, arg));
  if (i < 0) {
    const char *text = lua_isnone(L, arg) ? "no value" : unl_pushtext(L, arg);
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "dtype is '%s', must be one of %s", text,
                                  push_list(L, dtype_names)));
  }
  return (un_dtype)i;
}

un_dtype unl_dtypefield(lua_State *L, int arg, const char *key, un_dtype preset) {
  if (lua_isnoneornil(L, arg)) return preset;
  luaL_checktype(L, arg, LUA_TTABLE);
  un_dtype dtype = preset;
  if (lua_getfield(L, arg, key) != LUA_TNIL) {
    int i = find_dtype(lua_tostring(L, -1));
    if (i < 0) {
      const char *text = unl_pushtext(L, -1);
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "%s is '%s', must be one of %s", key, text,
                                    push_list(L, dtype_names)));
    }
    dtype = (un_dtype)i;
  }
  lua_pop(L, 1);
  return dtype;
}

bool unl_boolfield(lua_State *L, int arg, const char *key, bool preset) {
  if (lua_isnoneornil(L, arg)) return preset;
  luaL_checktype(L, arg, LUA_TTABLE);
  bool value = lua_getfield(L, arg, key) == LUA_TNIL ? preset : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

static int too_many_dimensions(lua_State *L, int arg, lua_Integer n) {
  return luaL_argerror(
      L, arg,
      lua_pushfstring(L, "%I sizes given, at most %d are possible", n, UN_MAX_DIMS));
}

static int sizes_from_table(lua_State *L, int arg, int64_t *size) {
  lua_Integer n = luaL_len(L, arg); /* __len may say anything */
  if (n > UN_MAX_DIMS) return too_many_dimensions(L, arg, n);
  luaL_argcheck(L, n >= 0, arg, "the length of the list of sizes is negative");
  for (lua_Integer d = 1; d <= n; d++) {
    int is_integer;
    lua_geti(L, arg, d);
    size[d - 1] = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "size %I must be an integer, got %s", d,
                                    unl_pushtext(L, -1)));
    lua_pop(L, 1);
  }
  return (int)n;
}

int unl_checksizes(lua_State *L, int first, int last, int64_t *size) {
  if (first == last && lua_istable(L, first)) return sizes_from_table(L, first, size);
  int n = last - first + 1;
  if (n > UN_MAX_DIMS) return too_many_dimensions(L, first + UN_MAX_DIMS, n);
  for (int d = 0; d < n; d++)
    size[d] = luaL_checkinteger(L, first + d);
  return n > 0 ? n : 0;
}

static bool has_string_key(lua_State *L, int arg) {
  lua_pushnil(L);
  if (!lua_next(L, arg)) return false;
  bool result = lua_type(L, -2) == LUA_TSTRING;
  lua_pop(L, 2);
  return result;
}

int unl_nextoption(lua_State *L, int arg, const char *const *known) {
  if (!lua_next(L, arg)) return -1;
  if (lua_type(L, -2) == LUA_TSTRING) {
    const char *key = lua_tostring(L, -2);
    for (int i = 0; known[i]; i++)
      if (strcmp(key, known[i]) == 0) return i;
  }
  lua_pushvalue(L, -2);
  const char *name = unl_pushtext(L, -1);
  return luaL_argerror(L, arg,
                       lua_pushfstring(L, "there is no option '%s', there are: %s",
                                       name, push_list(L, known)));
}

static void check_option_names(lua_State *L, int arg, const char *const *known) {
  lua_pushnil(L);
  while (unl_nextoption(L, arg, known) >= 0)
    lua_pop(L, 1);
}

void unl_checkoptions(lua_State *L, int arg, const char *const *known) {
  if (lua_isnoneornil(L, arg)) return;
  luaL_checktype(L, arg, LUA_TTABLE);
  check_option_names(L, arg, known);
}

int unl_findoptions(lua_State *L, int first, const char *const *known) {
  int last = lua_gettop(L);
  if (last < first || !lua_istable(L, last) || !has_string_key(L, last)) return 0;
  check_option_names(L, last, known);
  return last;
}

/* --- errors -------------------------------------------------------------------------
 */

/* When the work was stopped, whatever was found is of no interest: then the hook raises
** that has been set (core/stop.h). */
int unl_raise(lua_State *L, const un_err *err) {
  lua_Hook interrupt = lua_gethook(L);
  if (un_stopped() && interrupt) interrupt(L, NULL);
  return luaL_error(L, "%s", err->msg);
}

/* --- registration -------------------------------------------------------------------
 */

void unl_subtable(lua_State *L, const char *name) {
  luaL_getsubtable(L, -1, name);
}

void unl_pushmethods(lua_State *L, const char *class_name) {
  if (luaL_newmetatable(L, class_name)) {
    lua_newtable(L); /* the methods */
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index"); /* bind/tensor.c puts a closure over it here */
    lua_pushboolean(L, 0);
    lua_setfield(L, -3, "__metatable"); /* scripts cannot take a type apart */
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "methods");
    lua_remove(L, -2);
    return;
  }
  lua_getfield(L, -1, "methods");
  lua_remove(L, -2);
}

void unl_addmethods(lua_State *L, const char *class_name, const luaL_Reg *functions) {
  unl_pushmethods(L, class_name);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}

void unl_addtensorfunctions(lua_State *L, const luaL_Reg *functions) {
  unl_addmethods(L, UNL_TENSOR, functions);
  unl_subtable(L, "tensor");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
