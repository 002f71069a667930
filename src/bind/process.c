/* process.c -- core.sys: other processes and the channels to them. */
#include "unl.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "sys.h"

#define CHANNEL_CLASS "unroll.Channel"

static int push_failure(lua_State *L, const char *what, int error) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", what, strerror(error));
  return 2;
}

/* A channel on the stack, closed until sys opens it. */
static un_sys_channel *new_channel(lua_State *L) {
  un_sys_channel *channel = lua_newuserdatauv(L, sizeof *channel, 0);
  *channel = (un_sys_channel)UN_SYS_CLOSED_CHANNEL;
  luaL_setmetatable(L, CHANNEL_CLASS);
  return channel;
}

static un_sys_channel *check_channel(lua_State *L, int arg) {
  un_sys_channel *channel = luaL_checkudata(L, arg, CHANNEL_CLASS);
  luaL_argcheck(L, channel->in >= 0, arg, "the channel is closed");
  return channel;
}

/* --- starting -----------------------------------------------------------------------
 */

/* The strings are in the table itself, which is read without metamethods, and so stay
** alive; the list lies in a userdata. */
static char **check_arguments(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  size_t count = (size_t)lua_rawlen(L, arg);
  luaL_argcheck(L, count > 0, arg, "the list of words is empty");
  char **list = lua_newuserdatauv(L, (count + 1) * sizeof *list, 0);
  for (size_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, arg, (lua_Integer)i + 1) != LUA_TSTRING)
      luaL_argerror(L, arg, "the words must be strings");
    list[i] = (char *)lua_tostring(L, -1); /* execvp does not write */
    lua_pop(L, 1);
  }
  list[count] = NULL;
  return list;
}

/*---
--- A line to another process: what it writes can be read and the other way round.
---@class unroll.Channel
---@see core.sys.spawn core.sys.fork
Channel = {}
*/

/*---
--- Starts a program with a channel on its standard input and output.
---@param words string[] the program (searched in PATH) and its arguments
---@return unroll.Channel? channel nil when it cannot be started
---@return string? message
function core.sys.spawn(words) end
*/
static int sys_spawn(lua_State *L) {
  char **arguments = check_arguments(L, 1);
  un_sys_channel *channel = new_channel(L);
  int error = un_sys_spawn(arguments, channel);
  return error ? push_failure(L, arguments[0], error) : 1;
}

/*---
--- Goes on twice: here, and in a copy of this process that sees everything made so far.
--- Each has a channel to the other. The copy must end by `exit_copy`.
---@return unroll.Channel? channel nil when there is no copy
---@return boolean|string is_copy or the message
function core.sys.fork() end
*/
static int sys_fork(lua_State *L) {
  bool is_copy = false;
  un_sys_channel *channel = new_channel(L);
  int error = un_sys_fork(channel, &is_copy);
  if (error) return push_failure(L, "fork", error);
  lua_pushboolean(L, is_copy);
  return 2;
}

/*---
--- Ends a copy that `fork` made: at once, without closing what belongs to the original.
---@param code integer 0: all went well
function core.sys.exit_copy(code) end
*/
static int sys_exit_copy(lua_State *L) {
  un_sys_exit_copy((int)luaL_checkinteger(L, 1));
  return 0;
}

/*---
--- The standard streams as a channel, for a program that another one has spawned. From
--- then on standard input is empty, and what is printed goes to standard error.
---@return unroll.Channel? channel nil when they are closed
---@return string? message
function core.sys.standard_channel() end
*/
static int sys_standard_channel(lua_State *L) {
  un_sys_channel *channel = new_channel(L);
  int error = un_sys_standard_channel(channel);
  return error ? push_failure(L, "standard streams", error) : 1;
}

/* --- channels -----------------------------------------------------------------------
 */

/*---
--- Waits until a channel has bytes (or has ended), at most so long; a signal ends the
--- wait.
---@param channels unroll.Channel[]
---@param seconds number negative: for ever
---@return integer[] places in the list, of those that can be read
function core.sys.poll(channels, seconds) end
*/
static int sys_poll(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  double seconds = luaL_checknumber(L, 2);
  size_t count = (size_t)lua_rawlen(L, 1);
  int *fds = lua_newuserdatauv(L, (count + 1) * sizeof *fds, 0);
  bool *ready = lua_newuserdatauv(L, count + 1, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    fds[i] = check_channel(L, -1)->in;
    lua_pop(L, 1);
  }
  int error = un_sys_poll(fds, ready, count, seconds);
  if (error) return luaL_error(L, "poll: %s", strerror(error));
  lua_newtable(L);
  for (size_t i = 0, n = 0; i < count; i++) {
    if (!ready[i]) continue;
    lua_pushinteger(L, (lua_Integer)i + 1);
    lua_seti(L, -2, (lua_Integer)++n);
  }
  return 1;
}

/*---
--- The bytes that are there; waits for some. "" at the end of the stream.
---@return string? bytes nil when it failed
---@return string? message
function Channel:read() end
*/
static int channel_read(lua_State *L) {
  un_sys_channel *channel = check_channel(L, 1);
  luaL_Buffer buffer;
  size_t got, room = 1 << 16;
  char *bytes = luaL_buffinitsize(L, &buffer, room);
  int error = un_sys_read(channel->in, bytes, room, &got);
  if (error) return push_failure(L, "channel", error);
  luaL_pushresultsize(&buffer, got);
  return 1;
}

/*---
--- Writes all the bytes.
---@param bytes string
---@return true? ok nil when it failed, so when nobody reads any more
---@return string? message
function Channel:write(bytes) end
*/
static int channel_write(lua_State *L) {
  un_sys_channel *channel = check_channel(L, 1);
  size_t length;
  const char *bytes = luaL_checklstring(L, 2, &length);
  int error = un_sys_channel_write(channel, bytes, length);
  if (error) return push_failure(L, "channel", error);
  lua_pushboolean(L, 1);
  return 1;
}

/*---
--- Waits until the process behind the channel has ended.
---@return "exit"|"signal"|nil how nil when there is none to wait for
---@return integer|string code of the exit or number of the signal; or the message
function Channel:wait() end
*/
static int channel_wait(lua_State *L) {
  un_sys_channel *channel = check_channel(L, 1);
  bool by_signal;
  int code;
  int error = un_sys_channel_wait(channel, &by_signal, &code);
  if (error) return push_failure(L, "channel", error);
  lua_pushstring(L, by_signal ? "signal" : "exit");
  lua_pushinteger(L, code);
  return 2;
}

/*---
--- Sends a signal to the process behind the channel.
---@param signal? "kill"|"terminate"|"interrupt" default "kill"
---@return true? ok nil when there is none
---@return string? message
function Channel:kill(signal) end
*/
static int channel_kill(lua_State *L) {
  static const char *const names[] = {"kill", "terminate", "interrupt", NULL};
  static const int numbers[] = {SIGKILL, SIGTERM, SIGINT};
  un_sys_channel *channel = check_channel(L, 1);
  int error =
      un_sys_channel_kill(channel, numbers[luaL_checkoption(L, 2, "kill", names)]);
  if (error) return push_failure(L, "channel", error);
  lua_pushboolean(L, 1);
  return 1;
}

/*---
--- The number of the process behind the channel.
---@return integer? pid nil when there is none, or it has been waited for
function Channel:pid() end
*/
static int channel_pid(lua_State *L) {
  const un_sys_channel *channel = check_channel(L, 1);
  if (channel->pid < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, channel->pid);
  return 1;
}

/*---
--- Closes the channel and kills the process behind it, when it still runs. Again:
--- nothing.
function Channel:close() end
*/
static int channel_close(lua_State *L) {
  un_sys_channel_close(luaL_checkudata(L, 1, CHANNEL_CLASS));
  return 0;
}

/* --- registration -------------------------------------------------------------------
 */

static const luaL_Reg methods[] = {{"read", channel_read},
                                   {"write", channel_write},
                                   {"wait", channel_wait},
                                   {"kill", channel_kill},
                                   {"pid", channel_pid},
                                   {"close", channel_close},
                                   {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"spawn", sys_spawn},         {"fork", sys_fork},
    {"exit_copy", sys_exit_copy}, {"standard_channel", sys_standard_channel},
    {"poll", sys_poll},           {NULL, NULL}};

void unl_open_process(lua_State *L) {
  unl_addmethods(L, CHANNEL_CLASS, methods);
  luaL_newmetatable(L, CHANNEL_CLASS);
  lua_pushcfunction(L, channel_close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, channel_close);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  unl_subtable(L, "sys");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
