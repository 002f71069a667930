/* prompt.c -- what lua/unroll/prompt gets from the program: the reader as the functions
** open, read, add_history, close and give_back, and `call`, which runs Lua code open to
** Ctrl-C. All that is a decision is taken there. */
#include <signal.h>
#include <string.h>

#include "host.h"
#include "reader.h"

static const host_reader *reader = &host_plain_reader;

/* --- Tab ------------------------------------------------------------------------------ */

/* The completer runs while the reader waits for it. Its function and its last answer lie
** in the registry under these addresses. */
static lua_State *completion_state;
static const char completer_key = 'c', answer_key = 'a';

static const char *answer_string(lua_State *L, const char *field) {
  lua_getfield(L, -1, field);
  const char *text = lua_tostring(L, -1);
  lua_pop(L, 1); /* the answer keeps it alive */
  return text;
}

/* Reads the answer on top of the stack. */
static host_completion read_answer(lua_State *L) {
  host_completion c = {.breaks = answer_string(L, "breaks"),
                       .insert = answer_string(L, "insert"),
                       .message = answer_string(L, "message")};
  const char *append = answer_string(L, "append");
  c.append = append ? (unsigned char)append[0] : 0;
  lua_getfield(L, -1, "files");
  c.files = lua_toboolean(L, -1);
  lua_getfield(L, -2, "names");
  c.count = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
  lua_pop(L, 2);
  return c;
}

/* What goes wrong in Lua must not disturb the typing: then there is no name. */
static host_completion ask(const char *text, size_t length) {
  lua_State *L = completion_state;
  host_completion c = {.breaks = " "};
  int top = lua_gettop(L);
  if (!lua_checkstack(L, LUA_MINSTACK)) return c;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &completer_key);
  lua_pushlstring(L, text, length);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_istable(L, -1)) {
    c = read_answer(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &answer_key);
  }
  lua_settop(L, top);
  return c;
}

static const char *name_at(size_t index) {
  lua_State *L = completion_state;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &answer_key);
  lua_getfield(L, -1, "names");
  lua_rawgeti(L, -1, (lua_Integer)index + 1);
  const char *name = lua_tostring(L, -1);
  lua_pop(L, 3); /* the answer keeps it alive */
  return name ? name : "";
}

/* Calls the completer without a text, which prepares answers. */
static bool prepare(void) {
  lua_State *L = completion_state;
  int top = lua_gettop(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &completer_key);
  bool more = lua_pcall(L, 0, 1, 0) == LUA_OK && lua_toboolean(L, -1);
  lua_settop(L, top);
  return more;
}

static const host_completer completer = {ask, name_at, prepare};

/* --- the reader ------------------------------------------------------------------------ */

/* open(complete, paste): makes a person's line editor if there can be one; whether it did.
** complete(text up to the cursor) returns a table {names=, append=, files=, breaks=,
** insert=, message=}: see host_completion in reader.h. complete() is a step of preparation,
** while nobody types; it returns whether there is another. */
static int prompt_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  bool paste = lua_toboolean(L, 2);
  lua_pushvalue(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &completer_key);
  bool can_edit = host_line_editor.open(&completer, paste);
  if (can_edit) reader = &host_line_editor;
  lua_pushboolean(L, can_edit);
  return 1;
}

/* read(prompt): a line, or nil and "interrupt" or "end". */
static int prompt_read(lua_State *L) {
  const char *line;
  size_t length;
  const char *prompt = luaL_checkstring(L, 1);
  (void)host_take_interrupt(); /* one that came before the prompt was there */
  completion_state = L;
  reading how = reader->read(prompt, &line, &length);
  if (how == GOT_LINE) {
    lua_pushlstring(L, line, length);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, how == GOT_END ? "end" : "interrupt");
  return 2;
}

static int prompt_add_history(lua_State *L) {
  reader->add_history(luaL_checkstring(L, 1));
  return 0;
}

static int prompt_close(lua_State *L) {
  (void)L;
  reader->close();
  reader = &host_plain_reader;
  return 0;
}

/* give_back(keys): what another has read from the terminal is typed again. */
static int prompt_give_back(lua_State *L) {
  size_t length;
  const char *keys = luaL_checklstring(L, 1, &length);
  if (reader->give_back) reader->give_back(keys, length);
  return 0;
}

/* call(handler, f, ...): xpcall, open to Ctrl-C, also to one that came since the line was
** read. */
static int prompt_call(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checkany(L, 2);
  host_interrupts_begin(L, HOST_PROMPT_PATIENCE);
  if (host_take_interrupt()) raise(SIGINT);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  host_interrupts_end(L);
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 1);
  return lua_gettop(L);
}

static const luaL_Reg functions[] = {{"open", prompt_open},
                                     {"read", prompt_read},
                                     {"add_history", prompt_add_history},
                                     {"close", prompt_close},
                                     {"give_back", prompt_give_back},
                                     {"call", prompt_call},
                                     {NULL, NULL}};

/* --- the prompt ------------------------------------------------------------------------ */

static void push_options(lua_State *L, const host_prompt_options *options) {
  lua_newtable(L);
  lua_pushboolean(L, options->quiet);
  lua_setfield(L, -2, "quiet");
  lua_pushboolean(L, options->norc);
  lua_setfield(L, -2, "norc");
  lua_pushboolean(L, options->lua_locals);
  lua_setfield(L, -2, "lua_locals");
  lua_pushstring(L, options->color);
  lua_setfield(L, -2, "color");
  lua_pushliteral(L, LUA_RELEASE);
  lua_setfield(L, -2, "lua");
}

/* require("unroll.prompt").run(host, options) */
static int run_prompt(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "unroll.prompt");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "run");
  luaL_newlib(L, functions);
  push_options(L, lua_touserdata(L, 1));
  lua_call(L, 2, 0);
  return 0;
}

static int add_traceback(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

bool host_prompt(lua_State *L, const host_prompt_options *options) {
  host_prompt_begin();
  lua_pushcfunction(L, add_traceback);
  lua_pushcfunction(L, run_prompt);
  lua_pushlightuserdata(L, (void *)options);
  int status = lua_pcall(L, 1, 0, -3);
  reader->close();
  host_prompt_end();
  return host_report(L, status) == LUA_OK;
}
