/* unl.h -- what every binding shares: tensors as userdata, argument checks, errors.
**
** The prefix unl_ says: takes a lua_State and may raise. A binding function is always
** the same moves: check the arguments, make the outputs (tensors are Lua userdata, so
** nothing leaks when a later step raises), call core, raise what core reports.
**
** A tensor is one userdata: a header with its view and, 64-byte aligned, the numbers.
** A view is a header alone; its user value 1 holds the root owner, never a chain of
** views. So the collector sees every byte. The root counts writes (version), so that a
** backward pass can tell that a parameter or an input has changed since the forward.
**
** A root may count as cleared (unl_clear): it is all zeros, which are written when
** somebody looks, or never, when a backward pass writes gradients there first. Looking is
** to get a tensor from the stack by one of the functions here. Who keeps a tensor and goes
** to its numbers without them calls unl_look.
**
** Indices: scripts count from 1, negative from the end; core counts from 0.
** unl_index is the one place that converts. */
#ifndef UNL_H
#define UNL_H

#include <lauxlib.h>
#include <lua.h>
#include <stddef.h>

#include "un.h"

#define UNL_TENSOR    "unroll.Tensor"
#define UNL_GENERATOR "unroll.Generator"

/* In userdata whose class is checked without a look at their metatable: what has, in
** this place, its own address and that of the name of a class, is of that class. */
typedef struct unl_class {
  const void *self;
  const char *name; /* the one pointer to it */
} unl_class;

typedef struct unl_tensor {
  un_view view; /* first: a checked view is the tensor's header, too */
  unl_class class;
  uint64_t *version; /* of the root owner: grows with every write */
  uint64_t own_version;
  bool is_cleared; /* of a root */
} unl_tensor;

/* --- tensors ------------------------------------------------------------------------ */

/* Pushes a new tensor; the numbers are not set. `who` names the function in errors. */
un_view *unl_newtensor(lua_State *L, const char *who, un_dtype dtype, int dims,
                       const int64_t *size);

/* Pushes a view of the tensor at `owner` (a view itself, perhaps). */
un_view *unl_newview(lua_State *L, int owner, const un_view *view);

unl_tensor *unl_checkheader(lua_State *L, int arg);
un_view *unl_totensor(lua_State *L, int arg); /* NULL when it is no tensor */
un_view *unl_checktensor(lua_State *L, int arg);
un_view *unl_checkreal(lua_State *L, int arg); /* float32 or float64 */
un_view *unl_checkint32(lua_State *L, int arg);

/* A tensor that will be written: not a broadcast view, and its version grows. */
un_view *unl_checkout(lua_State *L, int arg);
void unl_writes(lua_State *L, int arg, un_view *v); /* the same; v: checked before */

/* The tensor at `arg` if there is one (checked: dtype, shape, no overlap of elements),
** else a new one. Either way it is on top of the stack afterwards. */
un_view *unl_outortensor(lua_State *L, int arg, const char *who, un_dtype dtype,
                         int dims, const int64_t *size);

/* dst = the number or tensor at `arg`: broadcasts, converts dtypes (integers take whole
** numbers only), and copes with a source that shares memory with dst. Raises before
** anything is written. dst->data must belong to a tensor that is anchored. */
void unl_assign(lua_State *L, const char *who, const un_view *dst, int arg);

uint64_t unl_version(lua_State *L, int arg);
void unl_touch(lua_State *L, int arg); /* counts a write */

/* Sets all numbers to zero; those of a root in float32 or float64 when somebody looks. */
void unl_clear(lua_State *L, int arg);

/* The root owner whose count of writes that is. */
static inline unl_tensor *unl_root(uint64_t *version) {
  return (unl_tensor *)((char *)version - offsetof(unl_tensor, own_version));
}

/* Writes the zeros of a cleared root. */
void unl_writezeros(unl_tensor *root);
static inline void unl_look(uint64_t *version) {
  unl_tensor *root = unl_root(version);
  if (__builtin_expect(root->is_cleared, 0)) unl_writezeros(root);
}

/* --- arguments ---------------------------------------------------------------------- */

/* 1-based, negative from the end -> 0-based. Raises "index 7 is out of range 1..5". */
int64_t unl_index(lua_State *L, int arg, int64_t index, int64_t size, const char *what);
int64_t unl_checkindex(lua_State *L, int arg, int64_t size, const char *what);

/* Whether there is an argument `arg` that is not nil. Most are absent, which the height of
** the stack tells at once. */
static inline bool unl_isgiven(lua_State *L, int arg) {
  return arg <= lua_gettop(L) && !lua_isnil(L, arg);
}

/* A dimension of v, 1..dims or negative from the end -> 0-based. */
int unl_checkdim(lua_State *L, int arg, const un_view *v);

/* Pushes the value as messages show it: luaL_tolstring, but NaN never has a sign. */
const char *unl_pushtext(lua_State *L, int arg);

un_dtype unl_checkdtype(lua_State *L, int arg);

/* The field of the options table at `arg` (nil or absent: `preset`). */
un_dtype unl_dtypefield(lua_State *L, int arg, const char *key, un_dtype preset);
bool unl_boolfield(lua_State *L, int arg, const char *key, bool preset);

/* Sizes given as integers from `first` on, or as one table of integers. Returns their
** number; raises when there are more than UN_MAX_DIMS. */
int unl_checksizes(lua_State *L, int first, int last, int64_t *size);

/* The index of a trailing options table at or after `first`, 0 when there is none. Such
** a table has string keys, all of them among `known` (NULL at the end), else it raises.
** A list of sizes is never taken for one. */
int unl_findoptions(lua_State *L, int first, const char *const *known);

/* The options table at `arg`, or nil: raises unless all keys are among `known`. */
void unl_checkoptions(lua_State *L, int arg, const char *const *known);

/* From one option to the next one of the table at `arg`, as lua_next: pops a key, pushes
** the next one and its value, and returns where the key is in `known`; at the end pushes
** nothing and returns -1. Raises when it is not among them. */
int unl_nextoption(lua_State *L, int arg, const char *const *known);

/* The generator at `arg`: a generator, an options table with one as field generator, or
** nil for the default one. */
struct un_rng *unl_optgenerator(lua_State *L, int arg);

/* --- errors ------------------------------------------------------------------------- */

int unl_raise(lua_State *L, const un_err *err); /* with position, as luaL_error */

/* --- files -------------------------------------------------------------------------- */

/* Leaves an open file on the stack, to be closed when the function ends however it
** ends; or returns an errno value, with which unl_pushfailure gives nil and a message. */
int unl_openfile(lua_State *L, const char *path, int **fd, size_t *size);
int unl_pushfailure(lua_State *L, const char *path, int error);

/* --- registration ------------------------------------------------------------------- */

/* Each file of bind has one function that adds its part to the table `core` on top of
** the stack; unl_open calls them all (module.c). */
int unl_open(lua_State *L);
void unl_open_sys(lua_State *L);
void unl_open_process(lua_State *L);
void unl_open_parallel(lua_State *L);
void unl_open_profile(lua_State *L);
void unl_open_class(lua_State *L);
void unl_open_tensor(lua_State *L);
void unl_open_ops(lua_State *L);
void unl_open_reduce(lua_State *L);
void unl_open_matmul(lua_State *L);
void unl_open_vjp(lua_State *L);
void unl_open_sort(lua_State *L);
void unl_open_linalg(lua_State *L);
void unl_open_create(lua_State *L);
void unl_open_convert(lua_State *L);
void unl_open_index(lua_State *L);
void unl_open_shape(lua_State *L);
void unl_open_gather(lua_State *L);
void unl_open_random(lua_State *L);
void unl_open_optim(lua_State *L);
void unl_open_bytes(lua_State *L);
void unl_open_canvas(lua_State *L);
void unl_open_series(lua_State *L);
void unl_open_text(lua_State *L);
void unl_open_textfile(lua_State *L);
void unl_open_cell(lua_State *L);
void unl_open_loss(lua_State *L);
void unl_open_readout(lua_State *L);
void unl_open_window(lua_State *L);
void unl_open_history(lua_State *L);
void unl_open_step(lua_State *L);
void unl_open_sample(lua_State *L);

/* Pushes core[name], made when absent. */
void unl_subtable(lua_State *L, const char *name);

/* Pushes the method table of a class, with its metatable made when absent. Scripts see
** it as core.methods[short name], so that Lua files add methods beside the C ones. */
void unl_pushmethods(lua_State *L, const char *class_name);
void unl_addmethods(lua_State *L, const char *class_name, const luaL_Reg *functions);

/* The same functions twice: as methods of tensors and as members of core.tensor. */
void unl_addtensorfunctions(lua_State *L, const luaL_Reg *functions);

#endif
