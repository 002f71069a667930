/* interrupt.c -- Ctrl-C as the Lua error "interrupted!".
**
** The signal handler may do one thing to a Lua state: set a hook (lua_sethook says so).
** The hook then raises the error at the next instruction. A hook belongs to one
** coroutine, so the handler must know the one that runs: coroutine.resume, wrap and close
** are replaced by functions that note it in `current`. A coroutine that dies of Ctrl-C
** takes the one that resumed it along, so that a scheduler does not swallow it.
**
** `pending` is set from the key press until the hook has raised; when control passes to
** another coroutine meanwhile, the hook is set there too. Long work in C asks for it and
** leaves early (core/stop.h); the hook raises when that C function returns. A second press
** within a second is `sticky`: the error comes again after every pcall until the top is
** reached.
*/
#include <lauxlib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "stop.h"
#include "sys.h"

#define MESSAGE "interrupted!"

static lua_State *volatile current = NULL;
static volatile sig_atomic_t pending = 0, sticky = 0, raised = 0, presses = 0;
static volatile double last_press = -10.0;
static int allowed_presses = 1;
static void (*idle_handler)(int) = SIG_DFL; /* while no Lua code runs */

static void set_handler(void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action); /* no SA_RESTART: a read must end */
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

/* --- the error ---------------------------------------------------------------------- */

static void set_hook(lua_State *L);

static void raise_interrupt(lua_State *L, lua_Debug *ar) {
  (void)ar;
  presses = 0;
  raised = 1;
  if (!sticky) {
    lua_sethook(L, NULL, 0, 0);
    pending = 0;
  }
  if (sticky) { /* a second press may have come between the lines above */
    pending = 1;
    set_hook(L);
  }
  luaL_error(L, MESSAGE);
}

static void set_hook(lua_State *L) {
  int every_event = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
  lua_sethook(L, raise_interrupt, every_event, 1);
}

static void say(const char *text) {
  ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
  (void)ignored;
}

static void on_interrupt(int signal_number) {
  presses++;
  if (!current || presses > allowed_presses) {
    set_handler(SIG_DFL);
    raise(signal_number); /* acts as soon as this handler returns */
    return;
  }
  const char *busy = un_stop_waits_for;
  if (presses > 1 && presses == allowed_presses) {
    say("\npress Ctrl-C again to quit\n");
  } else if (busy) {
    say("\n");
    say(busy);
    say(" cannot be stopped half-way: the interrupt comes when it is done\n");
  }
  double now = un_sys_clock();
  if (now - last_press < 1.0) sticky = 1;
  last_press = now;
  pending = 1;
  set_hook(current);
}

void host_interrupts_begin(lua_State *L, int patience) {
  allowed_presses = patience;
  presses = pending = sticky = raised = 0;
  last_press = -10.0;
  current = L;
  un_watch_stop(&pending);
  set_handler(on_interrupt);
}

void host_interrupts_end(lua_State *L) {
  set_handler(idle_handler);
  current = NULL;
  un_watch_stop(NULL);
  lua_sethook(L, NULL, 0, 0);
  pending = sticky = 0;
}

bool host_is_interrupt(lua_State *L) {
  return raised && lua_type(L, -1) == LUA_TSTRING &&
         strstr(lua_tostring(L, -1), MESSAGE) != NULL;
}

/* --- at the prompt ------------------------------------------------------------------ */

static volatile sig_atomic_t reading_interrupted = 0, noted = 0;

static void on_interrupt_reading(int signal_number) {
  (void)signal_number;
  reading_interrupted = 1;
}

void host_prompt_begin(void) {
  idle_handler = on_interrupt_reading;
  set_handler(idle_handler);
}

void host_prompt_end(void) {
  idle_handler = SIG_DFL;
  set_handler(idle_handler);
}

bool host_take_interrupt(void) {
  bool was_interrupted = reading_interrupted;
  reading_interrupted = 0;
  return was_interrupted;
}

void host_note_signal(void) {
  noted = 1;
}

host_event host_wait_for_input(int milliseconds) {
  struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  sigset_t signals, old;
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGWINCH);
  sigaddset(&signals, SIGTSTP);
  sigprocmask(SIG_BLOCK, &signals, &old); /* none may slip in before the wait */
  int ready = reading_interrupted || noted
                  ? -1
                  : ppoll(&input, 1, milliseconds < 0 ? NULL : &limit, &old);
  noted = 0;
  sigprocmask(SIG_SETMASK, &old, NULL);
  if (reading_interrupted) return HOST_INTERRUPT;
  return ready == 1 ? HOST_INPUT : ready == 0 ? HOST_IDLE : HOST_SIGNAL;
}

/* --- coroutines --------------------------------------------------------------------- */

/* Notes that `next` runs now; returns the one that ran before. */
static lua_State *switch_to(lua_State *next) {
  lua_State *previous = current;
  if (!previous) return NULL; /* outside begin and end: nothing is tracked */
  current = next;
  if (pending) set_hook(next);
  return previous;
}

static void switch_back(lua_State *previous) {
  if (!previous || !current) return;
  current = previous;
  if (pending) set_hook(previous);
}

/* Moves `arguments` values into the coroutine and runs it. Returns how many values it
** gave, all on the stack of L, or -1 with the error value there. */
static int resume(lua_State *L, lua_State *co, int arguments) {
  int results;
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, arguments);
  lua_State *previous = switch_to(co);
  int status = lua_resume(co, L, arguments, &results);
  switch_back(previous);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, results + 1)) {
    lua_pop(co, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, results);
  return results;
}

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

static int tracked_resume(lua_State *L) {
  int results = resume(L, check_coroutine(L), lua_gettop(L) - 1);
  if (results >= 0) {
    lua_pushboolean(L, 1);
    lua_insert(L, -(results + 1));
    return results + 1;
  }
  if (host_is_interrupt(L)) return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int reset(lua_State *co) {
  lua_State *previous = switch_to(co); /* pending __close functions run in it */
  int status = lua_resetthread(co);
  switch_back(previous);
  return status;
}

static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int results = resume(L, co, lua_gettop(L));
  if (results >= 0) return results;
  int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) { /* it died: close what it left open */
    lua_pushvalue(L, -1);
    lua_xmove(L, co, 1);
    status = reset(co);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int tracked_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

/* The stock function, which checks that the coroutine may be closed. */
static int tracked_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_State *previous = switch_to(co);
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  switch_back(previous);
  if (status != LUA_OK || host_is_interrupt(L)) return lua_error(L);
  return lua_gettop(L);
}

void host_track_coroutines(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"resume", tracked_resume}, {"wrap", tracked_wrap}, {NULL, NULL}};
  lua_getglobal(L, "coroutine");
  luaL_setfuncs(L, functions, 0);
  lua_getfield(L, -1, "close");
  lua_pushcclosure(L, tracked_close, 1);
  lua_setfield(L, -2, "close");
  lua_pop(L, 1);
}
