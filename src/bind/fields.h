/* fields.h -- arguments of the bindings that work on the buffers of a trace. */
#ifndef UNL_FIELDS_H
#define UNL_FIELDS_H

#include "unl.h"

/* The numbers of the contiguous tensor at `arg` with that many elements; NULL for nil.
 */
void *unl_numbers(lua_State *L, int arg, un_dtype dtype, int64_t n, const char *what);

/* The tensor that was an argument last time. It is kept in a user value of `owner`, so an
** argument at the same address is the same tensor, which was checked then. */
typedef struct unl_known {
  const void *address;
  uint64_t *version;
} unl_known;

static inline bool unl_isknown(lua_State *L, int arg, const unl_known *known) {
  if (!known->address || lua_topointer(L, arg) != known->address) return false;
  unl_look(known->version);
  return true;
}

/* Remembers what is at `arg`, which may be nil. */
void unl_setknown(lua_State *L, int arg, unl_known *known, int owner, int user_value);

/* The size in a field of the description at 1: 1..INT32_MAX. */
int64_t unl_sizefield(lua_State *L, const char *name);

/* The value on top of the stack lives as long as the userdata at `owner`, whatever becomes
** of the table that it came from. The user value holds a list. */
void unl_keep(lua_State *L, int owner, int user_value);

/* A 64-byte aligned block that lives as long as the userdata at `owner`. */
void *unl_newblock(lua_State *L, int owner, size_t bytes, int user_value);

/* Makes the userdata on top one of the class: `name` must be the one pointer to it. */
void unl_setclass(lua_State *L, const char *name);
void *unl_testclass(lua_State *L, int arg, const char *name); /* NULL: of another */
void *unl_checkclass(lua_State *L, int arg, const char *name);

/* Pushes nil and the message: what a user did wrong, for the Lua side to raise. */
int unl_failure(lua_State *L, const char *message);

#endif
