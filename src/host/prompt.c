/* prompt.c -- the prompt: reads a statement or an expression, runs it, prints its values.
**
** A line that is an expression prints its values, "= expression" too, unless it ends in
** ";". A line that ends in the middle of a statement asks for more. An error is shown and
** the prompt goes on; Ctrl-C drops what was typed or stops what runs; Ctrl-D ends the
** program. What the prompt has at hand, how it looks and how it shows values is decided by
** lua/unroll/prompt.lua.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

typedef enum reading { GOT_LINE, GOT_INTERRUPT, GOT_END } reading;

/* The text of the global `name`, or the preset; on the stack. */
static const char *prompt_text(lua_State *L, const char *name, const char *preset) {
  if (lua_getglobal(L, name) == LUA_TNIL) {
    lua_pop(L, 1);
    return lua_pushstring(L, preset);
  }
  const char *text = luaL_tolstring(L, -1, NULL);
  lua_remove(L, -2);
  return text;
}

/* Whether stdio holds input that it has read and not given out. */
static bool has_buffered_input(void) {
#ifdef __GLIBC__
  return stdin->_IO_read_ptr < stdin->_IO_read_end;
#else
  return true; /* not known: then the read itself waits */
#endif
}

/* getline from the buffer that is kept; false at the end of input or after Ctrl-C. */
static bool next_line(const char **line, size_t *length) {
  static char *buffer = NULL;
  static size_t room = 0;
  if (isatty(STDIN_FILENO) && !has_buffered_input() && !host_wait_for_input())
    return false;
  ssize_t n = getline(&buffer, &room, stdin);
  if (n < 0) return false;
  if (n > 0 && buffer[n - 1] == '\n') n--;
  *line = buffer;
  *length = (size_t)n;
  return true;
}

/* Pushes a line without its newline. */
static reading read_line(lua_State *L, bool first) {
  const char *line;
  size_t length;
  (void)host_take_interrupt(); /* one that came before the prompt was there */
  fputs(prompt_text(L, first ? "_PROMPT" : "_PROMPT2", first ? "> " : ">> "), stdout);
  fflush(stdout);
  lua_pop(L, 1);
  if (next_line(&line, &length)) {
    lua_pushlstring(L, line, length);
    return GOT_LINE;
  }
  if (!host_take_interrupt()) return GOT_END;
  clearerr(stdin);
  fputs("\n", stdout);
  return GOT_INTERRUPT;
}

static int load(lua_State *L, const char *code) {
  return luaL_loadbuffer(L, code, strlen(code), "=stdin");
}

/* Compiles the line on top of the stack as an expression; the function replaces it. */
static bool load_expression(lua_State *L) {
  const char *line = lua_tostring(L, -1);
  if (*line == '=') line++;
  if (load(L, lua_pushfstring(L, "return %s", line)) == LUA_OK) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

static bool is_incomplete(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t length;
  if (status != LUA_ERRSYNTAX) return false;
  const char *message = lua_tolstring(L, -1, &length);
  return length >= sizeof mark - 1 &&
         strcmp(message + length - (sizeof mark - 1), mark) == 0;
}

/* Compiles the line on top of the stack as a statement, and reads on while it is not
** complete. Leaves the function or the message on top; *how is GOT_LINE then. */
static int load_statement(lua_State *L, reading *how) {
  for (;;) {
    int status = load(L, lua_tostring(L, -1));
    if (!is_incomplete(L, status)) return status;
    lua_pushliteral(L, "\n");
    if ((*how = read_line(L, false)) != GOT_LINE) {
      if (*how == GOT_INTERRUPT) return LUA_OK;
      *how = GOT_LINE; /* the end of input: the message tells what is missing */
      lua_pop(L, 1);
      return status;
    }
    lua_remove(L, -3); /* the message */
    lua_concat(L, 3);
  }
}

/* Pushes require("unroll.prompt").print, or the global print while that is not there. */
static void push_printer(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  if (lua_getfield(L, -1, "unroll.prompt") == LUA_TTABLE)
    lua_getfield(L, -1, "print");
  else
    lua_getglobal(L, "print");
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static void print_values(lua_State *L) {
  int count = lua_gettop(L);
  if (count == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many values to print");
  push_printer(L);
  lua_insert(L, 1);
  int status = host_call(L, count, 0);
  if (status != LUA_OK)
    lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1));
  host_report(L, status);
}

/* A line that ends in ";" does not print its values. */
static bool is_silent(const char *line) {
  size_t length = strlen(line);
  while (length > 0 && strchr(" \t\r", line[length - 1]))
    length--;
  return length > 0 && line[length - 1] == ';';
}

/* One turn. Returns false at the end of the input. */
static bool turn(lua_State *L) {
  lua_settop(L, 0);
  reading how = read_line(L, true);
  if (how != GOT_LINE) return how == GOT_INTERRUPT;
  bool silent = is_silent(lua_tostring(L, -1));
  int status = load_expression(L) ? LUA_OK : load_statement(L, &how);
  if (how == GOT_INTERRUPT) return true;
  lua_replace(L, 1); /* the function alone, or the message */
  lua_settop(L, 1);
  if (status == LUA_OK) status = host_call(L, 0, LUA_MULTRET);
  if (status != LUA_OK)
    host_report(L, status);
  else if (!silent)
    print_values(L);
  return true;
}

/* require("unroll.prompt").open(): names at hand, greeting. */
static void open_prompt(lua_State *L) {
  host_run_string(L, "require('unroll.prompt').open()", "=prompt");
}

void host_prompt(lua_State *L) {
  const char *name = host_program_name;
  host_program_name = NULL; /* messages stand alone here */
  host_prompt_begin();
  open_prompt(L);
  while (turn(L))
    ;
  lua_settop(L, 0);
  fputs("\n", stdout);
  fflush(stdout);
  host_prompt_end();
  host_program_name = name;
}
