/* walk.h -- the n-dimensional loop that element-wise work shares.
**
** A walk takes up to five views of the same sizes, merges the dimensions that every
** view steps through evenly, and hands what is left to a callback as 1-d runs:
** n elements of each operand, starting at data[k], stride[k] elements apart. A tensor
** without gaps is one run. The walk knows no dtype: the callback does.
**
**     static void add_run(int64_t n, void *const *data, const int64_t *stride,
**                         void *context) {
**       float *y = data[0]; const float *a = data[1], *b = data[2]; ...
**     }
**     un_walk w;
**     un_walk_plan(&w, UN_WALK_ANY_ORDER, 3, (const un_view *[]){out, a, b});
**     un_walk_each(&w, add_run, NULL);
**
** Operands that broadcast are expanded to the common sizes first (un_expand). */
#ifndef UN_WALK_H
#define UN_WALK_H

#include "un.h"

#define UN_WALK_MAX 5

/* Elements of a run at a time: between them the walk asks whether to stop. */
#define UN_WALK_STRETCH ((int64_t)1 << 18)

typedef struct un_walk {
  int operands, dims; /* dims >= 1; the last one is the run */
  int64_t size[UN_MAX_DIMS];
  int64_t stride[UN_MAX_DIMS][UN_WALK_MAX]; /* in elements */
  int64_t bytes[UN_WALK_MAX];               /* of an element */
  void *data[UN_WALK_MAX];
  bool is_whole; /* set after the plan: goes to the end, whatever comes */
} un_walk;

typedef enum un_walk_order {
  UN_WALK_ROW_MAJOR, /* elements come in the order of their indices, last fastest */
  UN_WALK_ANY_ORDER  /* in the order of operand 0's memory, which is faster */
} un_walk_order;

/* The views must have the same sizes. */
void un_walk_plan(un_walk *w, un_walk_order order, int operands,
                  const un_view *const *v);

/* One run: n elements of each operand, stride[k] elements apart. */
typedef void un_run(int64_t n, void *const *data, const int64_t *stride, void *context);

/* Calls `run` for every run, long ones in stretches; never with n == 0. Leaves early when
** the work is to be stopped (stop.h), unless the walk is whole: then runs are not cut. */
void un_walk_each(const un_walk *w, un_run *run, void *context);

/* The same for one run: `bytes` of an element of each operand. */
void un_walk_run(int64_t n, int operands, void *const *data, const int64_t *stride,
                 const int64_t *bytes, un_run *run, void *context);

/* The same for views of the same sizes with at most UN_WALK_FEW elements, of 4 or 8 bytes:
** one run, without a plan; what has gaps is put side by side for it. Operand 0 is an
** output, which the run does not read. False, and nothing is done, for other views. */
#define UN_WALK_FEW 64
bool un_walk_few(int operands, const un_view *const *v, un_run *run, void *context);

/* The elements of such a view side by side, in row-major order: where they are, or in the
** room. */
typedef union un_few {
  uint32_t narrow[UN_WALK_FEW];
  uint64_t wide[UN_WALK_FEW];
} un_few;
const void *un_side_by_side(const un_view *v, un_few *room);

/* How v goes on from element to element in row-major order: 1, without gaps; 0, all are
** one element; -1, neither. */
int un_step_through(const un_view *v);

#endif
