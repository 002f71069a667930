/* step.h -- the parts of a step of a training: each is called from Lua by itself, and step.c
** does all of them in one call. */
#ifndef UNL_STEP_H
#define UNL_STEP_H

#include "run.h"
#include "unl.h"

/* --- forward and back (window.c) ------------------------------------------------------ */

typedef struct unl_window unl_window;

/* Where the arguments of a forward pass are on the stack. */
typedef struct unl_places {
  int window, trace, x, y, weight, mask;
  int state; /* UNL_CARRIED: the window's own state after the last pass */
  bool mean;
} unl_places;

/* The names of fields that a function with forward passes has as its first upvalues. */
enum { UNL_WINDOW_KEYS = 3 };
void unl_pushwindowkeys(lua_State *L);

/* Pushes the window of the trace at `trace` when it is that of the model at `model`; NULL:
** it is not, or its gradients are not all that the model has. */
unl_window *unl_pushwindow(lua_State *L, int model, int trace);

/* All gradients of the model. */
unl_tensor *unl_windowgradients(const unl_window *w);

/* Do the arguments fit just as they are? */
bool unl_windowfits(lua_State *L, unl_window *w, const unl_places *at);

/* The pass; false: a message is on the stack. */
bool unl_windowforward(lua_State *L, unl_window *w, const unl_places *at, double *loss);

/* Tells the trace of the passes, and of the loss of the last one; NULL: it failed. */
void unl_tellpasses(lua_State *L, const unl_window *w, int trace, const double *loss);

/* Back through the read-out and all layers; what is wrong, or NULL. */
const char *unl_windowbackward(unl_window *w);

/* Pushes the list of states after the window. */
void unl_pushstates(lua_State *L, int window);

/* --- clip and update (optim.c) -------------------------------------------------------- */

typedef struct unl_clip {
  double limit, norm, factor;
  bool by_value;
  bool clipped; /* is an element, or the norm, above the limit? */
  bool changes; /* is there anything to do? Not when the norm is not finite. */
} unl_clip;

unl_clip unl_measureclip(const un_view *x, double limit, bool by_value);
void unl_applyclip(const un_view *x, const unl_clip *c);

typedef struct unl_update unl_update;

/* The names of all options, which a function with updates has as upvalues behind `keys`
** others. */
enum { UNL_OPTION_KEYS = 10 };
void unl_pushoptionkeys(lua_State *L);

unl_update *unl_checkupdate(lua_State *L, int arg);

/* Reads the options of the table at `optimizer`; false: they are not good for this update.
** Leaves some of them on the stack. */
bool unl_readyupdate(lua_State *L, unl_update *u, int optimizer, int keys, double *lr);

/* Step number t with the options that were read last. */
void unl_makeupdate(unl_update *u, int64_t t);

/* --- history (history.c) -------------------------------------------------------------- */

/* A tensor (4,N) float64, which somebody must keep, and when the training began. */
typedef struct unl_history {
  unl_tensor *tensor;
  double start;
} unl_history;

unl_history unl_checkhistory(lua_State *L, int tensor, int start);

/* Writes the numbers of step 0 .. N-1, `seconds` since the start; was there a Ctrl-C? */
bool unl_record(const unl_history *h, int64_t step, double loss, double norm, double lr,
                double *seconds);

/* --- windows of a text (text.c) ------------------------------------------------------- */

/* Calls the function at `fill`, one of core.text.window; returns the steps of the window. */
int64_t unl_fillwindow(lua_State *L, int fill, int64_t first);

#endif
