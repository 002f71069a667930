/* fields.h -- arguments of the bindings that work on the buffers of a trace. */
#ifndef UNL_FIELDS_H
#define UNL_FIELDS_H

#include "unl.h"

/* The numbers of the contiguous tensor at `arg` with that many elements; NULL for nil.
 */
void *unl_numbers(lua_State *L, int arg, un_dtype dtype, int64_t n, const char *what);

/* The size in a field of the description at 1: 1..INT32_MAX. */
int64_t unl_sizefield(lua_State *L, const char *name);

/* The value on top of the stack lives as long as the userdata at `owner`, whatever becomes
** of the table that it came from. The user value holds a list. */
void unl_keep(lua_State *L, int owner, int user_value);

/* A 64-byte aligned block that lives as long as the userdata at `owner`. */
void *unl_newblock(lua_State *L, int owner, size_t bytes, int user_value);

/* Pushes nil and the message: what a user did wrong, for the Lua side to raise. */
int unl_failure(lua_State *L, const char *message);

#endif
