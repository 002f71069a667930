/* run.h -- a Run: a cell over one window, forward and back (core/cell.h).
**
** A Run holds the pointers of all tensors of one trace; user value 1 anchors the
** tensors. lua/unroll/rnn makes it once for a trace (run_make.c) and calls it at every
** step of the training (run.c), so its methods take few arguments and make no garbage. */
#ifndef UNL_RUN_H
#define UNL_RUN_H

#include "cell.h"
#include "fields.h"
#include "readout.h"
#include "unl.h"

extern const char unl_run_class[]; /* "unroll.Run" */

enum {
  UNL_RUN_TENSORS = 1,
  UNL_RUN_INPUT,
  UNL_RUN_MASK,
  UNL_RUN_OUTPUT_GRADIENT,
  UNL_RUN_PACKED,
  UNL_RUN_WORK,
  UNL_RUN_GRADIENTS,
  UNL_RUN_VALUES = UNL_RUN_GRADIENTS
};
enum { UNL_RUN_WRITTEN = 32 };

/* Where a run stands: a backward pass needs the forward pass of the same data. TURNED is
** the middle of one, for cells written in Lua. */
typedef enum unl_stage { UNL_NEW, UNL_RAN, UNL_TURNED, UNL_SWEPT } unl_stage;

typedef struct unl_run {
  unl_class class; /* first */
  un_run run;
  un_cell own; /* the descriptor of a cell written in Lua */
  un_dy_source dy_source;
  const char *state_name[UN_MAX_STATES];
  void *dnext[UN_MAX_STATES]; /* cells in Lua: dL/dnext, apart from dstate */
  unl_stage stage;
  bool is_packed;
  uint64_t packed_version; /* of the parameters, when they were packed */
  unl_known input, mask;
  const uint64_t *param_version;
  const uint64_t *state_version[UN_MAX_STATES]; /* callers hold views of the states */
  uint64_t seen_param, seen_input, seen_mask, seen_states;
  int written;
  uint64_t *version[UNL_RUN_WRITTEN]; /* of the tensors that a pass writes */
} unl_run;

int unl_makerun(lua_State *L); /* core.cell.run */

/* Adds the methods of the class Run. */
void unl_openrun(lua_State *L);

/* --- what window.c calls, too; all `int` are places on the stack ---------------------- */

/* The methods forward and backward. False: a message is on the stack, nothing was run. */
bool unl_runforward(lua_State *L, int run, int x, int state, int mask);
bool unl_runbackward(lua_State *L, int run, int dys, int dstate_end);
const char *
unl_stale(const unl_run *r);           /* why a backward pass is impossible, or NULL */
bool unl_weightsarepacked(unl_run *r); /* are they? counts them as packed from now on */
void unl_touchwritten(const unl_run *r);
un_readout *unl_packreadout(lua_State *L, int arg); /* with W packed */

/* What a read-out adds its loss to. */
typedef struct unl_totals {
  double loss, weights;
} unl_totals;

/* The method forward. False: a message is on the stack. */
bool unl_readoutforward(lua_State *L, int readout, int h, int targets, int weight,
                        bool mean, bool train, unl_totals *totals);
bool unl_readoutisready(lua_State *L, int arg); /* for a backward pass */

/* The Readout at `arg` when it is one and has gradients to give, else NULL; its gradients
** count as written from now on. */
un_readout *unl_takereadout(lua_State *L, int arg);

#endif
