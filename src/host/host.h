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

/* While a line is read Ctrl-C only ends the reading; end tells whether it did. */
void host_reading_begin(void);
bool host_reading_end(void);

/* Makes coroutine.resume, wrap and close note which coroutine runs. */
void host_track_coroutines(lua_State *L);

/* --- embedded.c --------------------------------------------------------------------- */

/* Makes require find unroll.* and the packages inside the program first. */
void host_open_embedded(lua_State *L);

void host_print_licenses(void);

#endif
