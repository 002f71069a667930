/* operand.h -- arguments that are tensors or numbers, for the bindings of ops. */
#ifndef UNL_OPERAND_H
#define UNL_OPERAND_H

#include "unl.h"

typedef struct unl_operand {
  const un_view
      *view; /* of a number: 0-d, its data in `cell` once the dtype is known */
  bool is_number;
  double number;
  un_view own; /* of a number, or of a tensor that was expanded */
  union {
    float f32;
    double f64;
    int32_t i32;
  } cell;
} unl_operand;

/* Reads the argument; the operand must not move afterwards. */
void unl_checkoperand(lua_State *L, int arg, unl_operand *o);

/* Gives a number its dtype; a tensor keeps its own. */
void unl_settle(unl_operand *o, un_dtype dtype);

/* Broadcasts to the sizes; false when that cannot be. */
bool unl_spread(unl_operand *o, int dims, const int64_t *size);

/* float64 when one of the n operands is a float64 tensor, else float32. */
un_dtype unl_realdtype(int n, unl_operand *const *o);

/* Raises "int32 does not compute ..." when the argument is a tensor of another dtype
** than float32 and float64. */
void unl_checkcomputes(lua_State *L, int arg, const un_view *v);

/* Raises what un_check_alias or un_check_apart found. */
void unl_checkalias(lua_State *L, const char *who, const un_view *out, const char *name,
                    const un_view *in);
void unl_checkapart(lua_State *L, const char *who, const un_view *out, const char *name,
                    const un_view *in);

#endif
