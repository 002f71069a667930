/* ops.h -- element-wise operations: the list of ops.def, and applying them to views.
**
** Inputs are already expanded to the sizes of the output (un_expand) and may have any
** dtype; the arithmetic happens in `dtype`, float32 or float64 (comparisons: int32, too).
** An output may be the same view as an input; any other overlap was refused before
** (un_check_alias). */
#ifndef UN_OPS_H
#define UN_OPS_H

#include "un.h"

enum {
#define UN_UNARY(name, ...)   UN_OP_##name,
#define UN_PARAM(name, ...)   UN_OP_##name,
#define UN_BINARY(name, ...)  UN_OP_##name,
#define UN_TEST(name, ...)    UN_OP_##name,
#define UN_COMPARE(name, ...) UN_OP_##name,
#include "ops.def"
#undef UN_UNARY
#undef UN_PARAM
#undef UN_BINARY
#undef UN_TEST
#undef UN_COMPARE
  UN_OPS /* how many there are */
};

typedef struct un_op {
  const char *name;
  int arity;            /* 1 or 2 operands */
  bool truth;           /* the result is int32, 1 or 0, and there is no derivative */
  const char *needs;    /* what a unary derivative reads: "", "x", "y" or "xy" */
  const char *param[2]; /* names of the numbers it takes; "" for none */
  double preset[2];     /* their values when they are not given */
  double low, high;     /* where tests draw operands from */
  const char *formula, *doc;
} un_op;

extern const un_op un_ops[UN_OPS];

/* out = op(in[0], in[1]). param: the two numbers of a UN_PARAM op, else NULL. */
void un_op_apply(int op, un_dtype dtype, const un_view *const *in, const double *param,
                 const un_view *out);

/* out = a + alpha * b. */
void un_add_scaled(un_dtype dtype, const un_view *a, const un_view *b, double alpha,
                   const un_view *out);

/* dx = dL/dx from dy = dL/dy. x or y that the op does not need may be NULL. */
void un_op_gradient(int op, un_dtype dtype, const un_view *dy, const un_view *x,
                    const un_view *y, const double *param, const un_view *dx);

/* out = dL/da (which 0) or dL/db (which 1) of y = op(a, b), summed over the dimensions
** in which the operand was repeated: out has the operand's sizes, the others y's. */
void un_op_gradient2(int op, int which, un_dtype dtype, const un_view *dy,
                     const un_view *a, const un_view *b, const un_view *out);

/* out = a where cond is not 0, else b. out, a and b may be int32, then so is dtype. */
void un_where(un_dtype dtype, const un_view *cond, const un_view *a, const un_view *b,
              const un_view *out);

/* Whether out may be written while `in` is read: they share no element or are the same
** view. "who: out must not overlap name" else. */
UN_CHECKED bool un_check_alias(const char *who, const un_view *out, const char *name,
                               const un_view *in, un_err *err);

/* The same for functions whose output may not even be the same view. */
UN_CHECKED bool un_check_apart(const char *who, const un_view *out, const char *name,
                               const un_view *in, un_err *err);

#endif
