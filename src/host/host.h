/* host.h -- what the files of the program share.
**
** main.c reads the options and runs what they ask for, run.c calls Lua with traceback
** and Ctrl-C, prompt.c talks to a person, interrupt.c turns Ctrl-C into a Lua error,
** embedded.c finds the Lua sources inside the program.
*/
#ifndef UN_HOST_H
#define UN_HOST_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>

/* --- run.c -------------------------------------------------------------------------- */

/* How messages begin ("unroll: "); NULL at the prompt. */
extern const char *host_program_name;

/* lua_pcall with a traceback in the message, open to Ctrl-C. */
int host_call(lua_State *L, int arguments, int results);

/* Prints the message on the stack when status is an error, pops it; returns status. */
int host_report(lua_State *L, int status);

/* Whether a script has ended by Ctrl-C. */
bool host_was_interrupted(void);

int host_run_string(lua_State *L, const char *code, const char *chunk_name);
int host_run_file(lua_State *L, const char *path); /* NULL: standard input */

/* --- prompt.c ----------------------------------------------------------------------- */

void host_prompt(lua_State *L);

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
bool host_wait_for_input(void); /* false when Ctrl-C came first */

/* Makes coroutine.resume, wrap and close note which coroutine runs. */
void host_track_coroutines(lua_State *L);

/* --- embedded.c --------------------------------------------------------------------- */

/* Makes require find unroll.* and the packages inside the program first. */
void host_open_embedded(lua_State *L);

void host_print_licenses(void);

#endif
