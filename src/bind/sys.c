/* sys.c -- core.sys: files, clock, terminal, Ctrl-C. The outside world fails with
** nil and a message, as io.open does. */
#include "unl.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "sys.h"

#define FILE_CLASS      "unroll.File"
#define DIRECTORY_CLASS "unroll.Directory"
#define GUARD_CLASS     "unroll.InterruptGuard"

int unl_pushfailure(lua_State *L, const char *path, int error) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(error));
  return 2;
}

/* --- files --------------------------------------------------------------------------
 */

/* The pieces lie in a userdata (an error frees it). The strings are in the table
** itself, which is read without metamethods, and so stay alive. */
static un_sys_piece *check_pieces(lua_State *L, int arg, size_t *count) {
  *count = lua_istable(L, arg) ? (size_t)lua_rawlen(L, arg) : 1;
  un_sys_piece *pieces = lua_newuserdatauv(L, (*count + 1) * sizeof *pieces, 0);
  if (!lua_istable(L, arg)) {
    pieces->bytes = luaL_checklstring(L, arg, &pieces->length);
    return pieces;
  }
  for (size_t i = 0; i < *count; i++) {
    if (lua_rawgeti(L, arg, (lua_Integer)i + 1) != LUA_TSTRING)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "element %I must be a string, got %s",
                                    (lua_Integer)i + 1, luaL_typename(L, -1)));
    pieces[i].bytes = lua_tolstring(L, -1, &pieces[i].length);
    lua_pop(L, 1);
  }
  return pieces;
}

/*---
--- Replaces a file in one step: when it fails (a full disk, a crash), the old file is
--- as it was. The directory must exist.
---@param path string
---@param contents string|string[] pieces are written one after the other
---@return true? ok nil when it failed
---@return string? message
function core.sys.write_file(path, contents) end
*/
static int sys_write_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  size_t count;
  un_sys_piece *pieces = check_pieces(L, 2, &count);
  int error = un_sys_write_file(path, pieces, count);
  if (error) return unl_pushfailure(L, path, error);
  lua_pushboolean(L, 1);
  return 1;
}

/*---
--- Adds bytes at the end of a file by one write, so that several processes can add to
--- one file; makes it when it is missing.
---@param path string
---@param bytes string
---@param secret? boolean a new file can be read by its owner alone
---@return true? ok nil when it failed
---@return string? message
function core.sys.append_file(path, bytes, secret) end
*/
static int sys_append_file(lua_State *L) {
  size_t length;
  const char *path = luaL_checkstring(L, 1);
  const char *bytes = luaL_checklstring(L, 2, &length);
  int error = un_sys_append_file(path, bytes, length, lua_toboolean(L, 3));
  if (error) return unl_pushfailure(L, path, error);
  lua_pushboolean(L, 1);
  return 1;
}

static int file_close(lua_State *L) {
  int *fd = luaL_checkudata(L, 1, FILE_CLASS);
  if (*fd >= 0) un_sys_close(*fd);
  *fd = -1;
  return 0;
}

int unl_openfile(lua_State *L, const char *path, int **fd, size_t *size) {
  *fd = lua_newuserdatauv(L, sizeof **fd, 0);
  **fd = -1;
  luaL_setmetatable(L, FILE_CLASS);
  lua_toclose(L, -1);
  return un_sys_open(path, *fd, size);
}

/*---
--- Waits until no other process holds the lock of a file or directory, and takes it.
--- > local lock <close> = assert(require("unroll.core").sys.lock "/tmp")
---@param path string
---@return userdata? lock given back at the end of its scope; nil when it failed
---@return string? message
function core.sys.lock(path) end
*/
static int sys_lock(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  int *fd = lua_newuserdatauv(L, sizeof *fd, 0);
  *fd = -1;
  luaL_setmetatable(L, FILE_CLASS);
  int error = un_sys_lock(path, fd);
  if (!error) return 1;
  *fd = -1;
  return unl_pushfailure(L, path, error);
}

/*---
--- The bytes of a whole file.
---@param path string
---@return string? bytes nil when it failed
---@return string? message
function core.sys.read_file(path) end
*/
static int sys_read_file(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  int *fd;
  size_t size = 0, got;
  int error = unl_openfile(L, path, &fd, &size);
  if (error) return unl_pushfailure(L, path, error);
  luaL_Buffer buffer;
  luaL_buffinitsize(L, &buffer, size + 1); /* one more: the end shows in one read */
  do {
    char *room = luaL_prepbuffsize(&buffer, LUAL_BUFFERSIZE);
    size_t free = buffer.size - buffer.n;
    error = un_sys_read(*fd, room, free, &got);
    if (error) return unl_pushfailure(L, path, error);
    luaL_addsize(&buffer, got);
  } while (got > 0);
  luaL_pushresult(&buffer);
  return 1;
}

/*---
--- Makes a directory and those above it; one that exists is no error.
---@param path string
---@return true? ok nil when it failed
---@return string? message
function core.sys.mkdir(path) end
*/
static int sys_mkdir(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  int error = un_sys_mkdir(path);
  if (error) return unl_pushfailure(L, path, error);
  lua_pushboolean(L, 1);
  return 1;
}

static int directory_close(lua_State *L) {
  void **directory = luaL_checkudata(L, 1, DIRECTORY_CLASS);
  if (*directory) un_sys_close_directory(*directory);
  *directory = NULL;
  return 0;
}

/*---
--- The names in a directory, in no order, without "." and "..".
---@param path string
---@return string[]? names nil when it failed
---@return string? message
function core.sys.list(path) end
*/
static int sys_list(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  void **directory = lua_newuserdatauv(L, sizeof *directory, 0);
  *directory = NULL;
  luaL_setmetatable(L, DIRECTORY_CLASS);
  lua_toclose(L, -1);
  int error = un_sys_open_directory(path, directory);
  if (error) return unl_pushfailure(L, path, error);
  lua_newtable(L);
  lua_Integer n = 0;
  for (const char *name; (name = un_sys_next_name(*directory));) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    lua_pushstring(L, name);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* --- the machine --------------------------------------------------------------------
 */

/*---
--- Seconds since some moment in the past; never goes backwards.
---@return number seconds
function core.sys.clock() end
*/
static int sys_clock(lua_State *L) {
  lua_pushnumber(L, un_sys_clock());
  return 1;
}

/*---
--- How many processors this process may use.
---@return integer count
function core.sys.cores() end
*/
static int sys_cores(lua_State *L) {
  lua_pushinteger(L, un_sys_cores());
  return 1;
}

/*---
--- Whether a file descriptor (0 input, 1 output, 2 errors) is a terminal.
---@param fd integer
---@return boolean
function core.sys.isatty(fd) end
*/
static int sys_isatty(lua_State *L) {
  lua_Integer fd = luaL_checkinteger(L, 1);
  luaL_argcheck(L, fd >= 0 && fd < 1 << 20, 1, "no file descriptor");
  lua_pushboolean(L, un_sys_isatty((int)fd));
  return 1;
}

/*---
--- The columns of the terminal that output or errors go to.
---@return integer? columns nil when neither is a terminal
function core.sys.terminal_width() end
*/
static int sys_terminal_width(lua_State *L) {
  int columns = un_sys_terminal_width();
  if (columns > 0)
    lua_pushinteger(L, columns);
  else
    lua_pushnil(L);
  return 1;
}

/*---
--- The file of the program that runs this.
---@return string? path nil when the system does not say
---@return string? message
function core.sys.executable() end
*/
static int sys_executable(lua_State *L) {
  char path[PATH_MAX];
  int error = un_sys_executable(path, sizeof path);
  if (error) return unl_pushfailure(L, "executable", error);
  lua_pushstring(L, path);
  return 1;
}

/*---
--- The size of the terminal that standard output or standard error goes to.
---@return integer? columns nil when there is none
---@return integer? rows
---@return integer? width in pixels, 0 when it does not say
---@return integer? height
function core.sys.terminal_size() end
*/
static int sys_terminal_size(lua_State *L) {
  un_sys_terminal t;
  if (!un_sys_terminal_size(&t)) return 0;
  lua_pushinteger(L, t.columns);
  lua_pushinteger(L, t.rows);
  lua_pushinteger(L, t.width);
  lua_pushinteger(L, t.height);
  return 4;
}

/*---
--- Asks the terminal a question; the last part of it asks for its device attributes
--- ("\27[c"), with whose answer reading ends.
---@param question string
---@param seconds number patience, 0..60
---@param take_keys boolean may keys that wait be read? The caller gives them back
---@return string? answer with keys that were typed meanwhile; nil when keys are waiting and
--- may not be read: then nothing was asked
function core.sys.ask_terminal(question, seconds, take_keys) end
*/
static int sys_ask_terminal(lua_State *L) {
  char answer[4096];
  size_t length = sizeof answer;
  const char *question = luaL_checkstring(L, 1);
  double seconds = luaL_checknumber(L, 2);
  luaL_argcheck(L, seconds >= 0 && seconds <= 60, 2, "must be in 0..60");
  if (!un_sys_ask_terminal(question, seconds, lua_toboolean(L, 3), answer, &length))
    return 0;
  lua_pushlstring(L, answer, length);
  return 1;
}

/*---
--- A short name for bytes: FNV-1a with 64 bits. Different bytes differ in it but for
--- bad luck or an enemy.
---@param bytes string
---@return string digits 16 hexadecimal digits
--- > require("unroll.core").sys.hash "a"   --> "af63dc4c8601ec8c"
function core.sys.hash(bytes) end
*/
static int sys_hash(lua_State *L) {
  size_t length;
  const char *bytes = luaL_checklstring(L, 1, &length);
  char digits[17];
  snprintf(digits, sizeof digits, "%016" PRIx64, un_sys_hash(bytes, length));
  lua_pushstring(L, digits);
  return 1;
}

/* --- Ctrl-C -------------------------------------------------------------------------
 */

static int guard_close(lua_State *L) {
  bool *open = luaL_checkudata(L, 1, GUARD_CLASS);
  if (*open) un_sys_allow_interrupts();
  *open = false;
  return 0;
}

/*---
--- While the guard is open a first Ctrl-C only sets the flag that `interrupted` reads;
--- a second one, with the flag still set, interrupts as usual. A flag that nobody has
--- read when the guard closes interrupts then.
---@return userdata guard closes at the end of its scope
--- > local guard <close> = require("unroll.core").sys.defer_interrupts()
function core.sys.defer_interrupts() end
*/
static int sys_defer_interrupts(lua_State *L) {
  bool *open = lua_newuserdatauv(L, sizeof *open, 0);
  *open = false;
  luaL_setmetatable(L, GUARD_CLASS);
  un_sys_defer_interrupts();
  *open = true;
  return 1;
}

/*---
--- Whether Ctrl-C came since the last call, inside `defer_interrupts`; clears the flag.
---@return boolean
function core.sys.interrupted() end
*/
static int sys_interrupted(lua_State *L) {
  lua_pushboolean(L, un_sys_take_interrupt());
  return 1;
}

/* --- registration -------------------------------------------------------------------
 */

static const luaL_Reg functions[] = {{"write_file", sys_write_file},
                                     {"read_file", sys_read_file},
                                     {"append_file", sys_append_file},
                                     {"lock", sys_lock},
                                     {"executable", sys_executable},
                                     {"hash", sys_hash},
                                     {"mkdir", sys_mkdir},
                                     {"list", sys_list},
                                     {"clock", sys_clock},
                                     {"cores", sys_cores},
                                     {"isatty", sys_isatty},
                                     {"terminal_width", sys_terminal_width},
                                     {"terminal_size", sys_terminal_size},
                                     {"ask_terminal", sys_ask_terminal},
                                     {"defer_interrupts", sys_defer_interrupts},
                                     {"interrupted", sys_interrupted},
                                     {NULL, NULL}};

/* A class whose only business is to be closed, once, by scope or by the collector. */
static void make_closable(lua_State *L, const char *class_name, lua_CFunction close) {
  luaL_newmetatable(L, class_name);
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, close);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void unl_open_sys(lua_State *L) {
  make_closable(L, FILE_CLASS, file_close);
  make_closable(L, DIRECTORY_CLASS, directory_close);
  make_closable(L, GUARD_CLASS, guard_close);
  unl_subtable(L, "sys");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
