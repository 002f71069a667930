/* profile.h -- where the time goes: marks around phases and operations.
**
**     UN_PROFILE_BEGIN(UN_PHASE_FORWARD);
**     ... the work ...
**     UN_PROFILE_END(2.0 * m * n * k);       the floating-point operations, or 0
**
** Off, a mark costs one branch that is always predicted. On, it costs two looks at the
** clock. Marks nest: the time of the inner one is not counted again for the outer one.
** They count on the thread that called un_profile_start alone; jobs that other threads
** do in the meantime (parallel.h) are waiting time of the phase around them.
**
** An operation of ops.def is the phase UN_PHASE_OPS + its number. */
#ifndef UN_PROFILE_H
#define UN_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "ops.h"

/* X(name, what tables call it) */
#define UN_EACH_PHASE(X)                                                               \
  X(FORWARD, "forward")                                                                \
  X(BACKWARD, "backward")                                                              \
  X(WEIGHTS, "weight gradient")                                                        \
  X(READOUT, "read-out")                                                               \
  X(LOSS, "loss")                                                                      \
  X(CLIP, "norm and clip")                                                             \
  X(OPTIMISER, "optimiser")                                                            \
  X(DATA, "data")                                                                      \
  X(DRAW, "drawing a symbol")                                                          \
  X(MATMUL, "matmul")                                                                  \
  X(LINALG, "svd, qr, eigvals")                                                        \
  X(REDUCE, "reductions")                                                              \
  X(SCAN, "softmax, cumsum")                                                           \
  X(SORT, "sort")                                                                      \
  X(COPY, "copy")                                                                      \
  X(FILL, "fill")                                                                      \
  X(GATHER, "gather")                                                                  \
  X(RANDOM, "random numbers")                                                          \
  X(WHERE, "where")                                                                    \
  X(GRADIENT, "vjp")

typedef enum un_phase {
#define UN_PHASE_NAME(name, text) UN_PHASE_##name,
  UN_EACH_PHASE(UN_PHASE_NAME)
#undef UN_PHASE_NAME
  UN_PHASE_OPS,
  UN_PHASES = UN_PHASE_OPS + UN_OPS
} un_phase;

typedef struct un_phase_count {
  int64_t calls;
  double seconds, flops; /* of this phase alone, without the phases inside */
} un_phase_count;

extern bool un_profile_on; /* written by un_profile_start and _stop alone */

#define UN_PROFILE_BEGIN(phase)                                                        \
  do {                                                                                 \
    if (__builtin_expect(un_profile_on, 0)) un_profile_begin(phase);                   \
  } while (0)
#define UN_PROFILE_END(flops)                                                          \
  do {                                                                                 \
    if (__builtin_expect(un_profile_on, 0)) un_profile_end(flops);                     \
  } while (0)

void un_profile_begin(un_phase phase);
void un_profile_end(double flops);

/* Clears the counts and counts from now on; `clock` gives seconds. */
void un_profile_start(double (*clock)(void));
void un_profile_stop(void);

const char *un_phase_name(un_phase phase);
un_phase_count un_profile_count(un_phase phase);

#endif
