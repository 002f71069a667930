/* host.h -- what the files of the program share.
**
** main.c reads the options and runs what they ask for, run.c calls Lua with traceback
** and Ctrl-C, prompt.c lends lua/unroll/prompt a reader (plain.c or readline.c),
** interrupt.c turns Ctrl-C into a Lua error, embedded.c finds the Lua sources inside the
** program, state.c makes the Lua state.
*/
#ifndef UN_HOST_H
#define UN_HOST_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* --- state.c ------------------------------------------------------------------------ */

/* A new Lua state without libraries; NULL when there is no memory. One in a program. */
lua_State *host_new_state(void);

/* --- run.c -------------------------------------------------------------------------- */

/* How messages begin: "unroll". */
extern const char *host_program_name;

/* How often Ctrl-C may be pressed while Lua does not react. */
enum { HOST_SCRIPT_PATIENCE = 1, HOST_PROMPT_PATIENCE = 3 };

/* lua_pcall with a traceback in the message, open to Ctrl-C. */
int host_call(lua_State *L, int arguments, int results);

/* Prints the message on the stack when status is an error, pops it; returns status. */
int host_report(lua_State *L, int status);

/* Whether a script has ended by Ctrl-C. */
bool host_was_interrupted(void);

int host_run_string(lua_State *L, const char *code, const char *chunk_name);
int host_run_file(lua_State *L, const char *path); /* NULL: standard input */

/* --- prompt.c ----------------------------------------------------------------------- */

typedef struct host_prompt_options {
  bool quiet;        /* no greeting */
  bool norc;         /* no startup file */
  bool lua_locals;   /* `local` as in a file: for one entry */
  const char *color; /* "auto", "always" or "never" */
} host_prompt_options;

/* Talks until the input ends. False when the prompt itself failed. */
bool host_prompt(lua_State *L, const host_prompt_options *options);

/* --- interrupt.c -------------------------------------------------------------------- */

/* From begin to end Ctrl-C raises "interrupted!" in the Lua code that runs, wherever it
** runs. `patience`: how many more times it may be pressed while Lua does not react; the
** next one ends the process. */
void host_interrupts_begin(lua_State *L, int patience);
void host_interrupts_end(lua_State *L);

/* Whether the error value on top of the stack is the one that Ctrl-C raised. */
bool host_is_interrupt(lua_State *L);

/* From begin to end, while no Lua code runs, Ctrl-C only ends the read of a line; take
** tells whether it came since the last call. */
void host_prompt_begin(void);
void host_prompt_end(void);
bool host_take_interrupt(void);

/* Waits until standard input can be read, until a signal has come, or so long (-1: for
** ever). A handler that notes its signal ends the next wait, too: the signal may come just
** before it. */
typedef enum host_event { HOST_INPUT, HOST_INTERRUPT, HOST_SIGNAL, HOST_IDLE } host_event;
host_event host_wait_for_input(int milliseconds);
void host_note_signal(void);

/* Makes coroutine.resume, wrap and close note which coroutine runs. */
void host_track_coroutines(lua_State *L);

/* --- embedded.c --------------------------------------------------------------------- */

/* Makes require find unroll.* and the packages inside the program first. Comes after the
** standard libraries and before any script. */
void host_open_embedded(lua_State *L);

void host_print_licenses(void);

#endif
