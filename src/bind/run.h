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
  un_view row;                /* (B,H): what a state must be like */
  void *dnext[UN_MAX_STATES]; /* cells in Lua: dL/dnext, apart from dstate */
  unl_stage stage;
  int copies;              /* of W_hh that are packed */
  uint64_t packed_version; /* of the parameters, when they were packed */
  unl_known input, mask;
  const uint64_t *param_version;
  uint64_t *gradient_version;                   /* NULL without gradients */
  const uint64_t *state_version[UN_MAX_STATES]; /* callers hold views of the states */
  uint64_t seen_param, seen_input, seen_mask, seen_states;
  int written;
  uint64_t *version[UNL_RUN_WRITTEN]; /* of the tensors that a pass writes */
} unl_run;

int unl_makerun(lua_State *L); /* core.cell.run */

/* Adds the methods of the class Run. */
void unl_openrun(lua_State *L);

/* --- what window.c calls, too; all `int` are places on the stack ---------------------- */

/* Passes are made over the inputs and with the mask that were set last. False: a message
** is on the stack, and nothing has changed. */
bool unl_runset(lua_State *L, int run, int x, int mask);
bool unl_runhas(const unl_run *r, const void *x); /* the tensor there, and no mask? */

/* In place of a state: the run's own after the last pass. */
enum { UNL_CARRIED = 0 };

/* The pass; the sink, if any, takes the outputs. False: a message is on the stack, nothing
** was run. */
bool unl_runforward(lua_State *L, unl_run *r, int state, const un_output_sink *sink);

/* Back, for a run that is not stale and has gradients, from zeros after the last step;
** dL/dys comes from the read-out or is (T,B,H) in memory. The gradients of the
** parameters, and the read-out's, are written when they are fresh, else added to. That
** needs that unl_writablegradients is not 0. */
void unl_runbackward(unl_run *r, un_readout *readout, const void *dy, bool is_fresh);
const char *
unl_stale(const unl_run *r); /* why a backward pass is impossible, or NULL */
bool unl_hasgradients(const unl_run *r);
bool unl_weightsarepacked(unl_run *r); /* are they? counts them as packed from now on */
void unl_touchwritten(const unl_run *r);
un_readout *unl_packreadout(lua_State *L, int arg); /* with W packed */

typedef struct unl_readout unl_readout;

/* What a read-out adds its loss to. */
typedef struct unl_totals {
  double loss, weights;
} unl_totals;

/* A Readout: h and the targets are set, and a pass begins (false: a message is on the
** stack); its sink takes all rows of h; then the pass ends and returns the loss. */
unl_readout *unl_checkreadout(lua_State *L, int arg);
void unl_readoutset(lua_State *L, int readout, int h, int targets);
bool unl_readouthas(const unl_readout *r, const void *h, const void *targets);
bool unl_readoutbegin(lua_State *L, unl_readout *r, int weight, bool mean, bool train,
                      unl_totals *totals);
un_output_sink unl_readoutsink(unl_readout *r, int groups); /* of the way back */
double unl_readoutend(unl_readout *r);
bool unl_readoutisready(const unl_readout *r); /* for a backward pass */

/* The Readout, which is ready: its gradients count as written from now on. The second one
** for a backward pass that adds to them; NULL when there is no Readout. */
un_readout *unl_takegradient(unl_readout *r);
un_readout *unl_takereadout(lua_State *L, int arg);

/* How many numbers the gradients of the parameters are if a sweep back may write all of
** them, else 0; and whose count of writes is theirs. */
int64_t unl_writablegradients(const unl_run *r);
int64_t unl_readoutgradients(const unl_readout *r, uint64_t **version);

#endif
