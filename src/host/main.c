/* main.c -- the program: the options of stock lua with their meaning, --help, --version.
**
** Order, as in stock lua: options are read and checked first; then LUA_INIT, then -e, -l
** and -W in their order, then the script, then the prompt. The exit code is 0, 1 after
** an error, 130 after Ctrl-C in a script.
*/
#include <lauxlib.h>
#include <locale.h>
#include <lua.h>
#include <lualib.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "unl.h"

enum { EXIT_INTERRUPTED = 130 };

static const char help[] =
    "usage: %s [options] [script [args]]\n"
    "  -e stat     execute string 'stat'\n"
    "  -i          enter interactive mode after executing 'script'\n"
    "  -l mod      require library 'mod' into global 'mod'\n"
    "  -l g=mod    require library 'mod' into global 'g'\n"
    "  -v          show version information\n"
    "  -E          ignore environment variables\n"
    "  -W          turn warnings on\n"
    "  -q          no greeting at the prompt\n"
    "  --          stop handling options\n"
    "  -           stop handling options and execute stdin\n"
    "  --norc      do not run the startup file of the prompt\n"
    "  --lua-locals  a local at the prompt ends with its entry, as in lua\n"
    "  --color=WHEN  colours at the prompt: auto, always or never\n"
    "  --help      show this text\n"
    "  --version   show version information and stop\n"
    "  --licenses  show the licences of this program and of what is inside it\n"
    "  --manual d  write the manual into folder 'd', as HTML pages\n"
    "  --stubs d   write type stubs for editors (LuaLS) into folder 'd'\n";

static const char environment_help[] =
    "\n"
    "environment\n"
    "  LUA_INIT    code to run first, or @file\n"
    "  UNROLL_LUA  directory of the library's Lua files, instead of those inside\n"
    "  UNROLL_ISA  instruction set of the kernels: generic, avx2 or avx512\n"
    "  UNROLL_THREADS  how many threads they may use (1)\n"
    "  UNROLL_READLINE  0: no editing of lines at the prompt\n"
    "  UNROLL_IMAGE     how figures are shown: kitty, iterm, sixel, block or none\n"
    "  NO_COLOR, FORCE_COLOR  as --color=never and --color=always\n"
    "  XDG_CONFIG_HOME  unroll/init.lua in it runs first at the prompt (~/.config)\n"
    "  XDG_STATE_HOME   unroll/history in it keeps what was typed (~/.local/state)\n";

/* --- options ------------------------------------------------------------------------ */

typedef struct options {
  int script; /* index of the script, argc when there is none */
  int bad;    /* index of an option that is wrong, 0 when all are right */
  int write;  /* index of --manual or --stubs, 0 without */
  bool interactive, version, ignore_environment, code;
  bool show_help, show_version, show_licenses;
  host_prompt_options prompt;
} options;

/* -e and -l: the value is in the same word or in the next one. */
static bool takes_value(const char *word) {
  return word[1] == 'e' || word[1] == 'l';
}

/* --manual and --stubs: a folder follows, and nothing else runs. */
static bool writes_documents(const char *word) {
  return strcmp(word, "--manual") == 0 || strcmp(word, "--stubs") == 0;
}

static bool read_color(const char *when, options *o) {
  static const char *const values[] = {"auto", "always", "never"};
  for (int i = 0; i < 3; i++)
    if (strcmp(when, values[i]) == 0) {
      o->prompt.color = values[i];
      return true;
    }
  return false;
}

/* "--name": one of ours, or false. */
static bool read_long_option(const char *word, options *o) {
  if (strcmp(word, "--help") == 0)
    o->show_help = true;
  else if (strcmp(word, "--version") == 0)
    o->show_version = true;
  else if (strcmp(word, "--licenses") == 0)
    o->show_licenses = true;
  else if (strcmp(word, "--norc") == 0)
    o->prompt.norc = true;
  else if (strcmp(word, "--lua-locals") == 0)
    o->prompt.lua_locals = true;
  else if (strncmp(word, "--color=", 8) == 0)
    return read_color(word + 8, o);
  else
    return false;
  return true;
}

static bool read_flag(const char *word, options *o) {
  if (word[2] != '\0') return false;
  switch (word[1]) {
  case 'i':
    o->interactive = true;
    return true;
  case 'q':
    o->prompt.quiet = true;
    return true;
  case 'v':
    o->version = true;
    return true;
  case 'E':
    o->ignore_environment = true;
    return true;
  case 'W': /* acts in its place among -e and -l */
    return true;
  default:
    return false;
  }
}

static options read_options(int argc, char **argv) {
  options o = {.script = argc, .prompt.color = "auto"};
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (word[0] != '-' || word[1] == '\0') { /* a script, or "-" */
      o.script = i;
      return o;
    }
    if (strcmp(word, "--") == 0) {
      o.script = i + 1;
      return o;
    }
    if (writes_documents(word)) {
      *(i + 1 < argc ? &o.write : &o.bad) = i;
      return o;
    }
    if (word[1] == '-' ? read_long_option(word, &o) : read_flag(word, &o)) continue;
    if (!takes_value(word)) {
      o.bad = i;
      return o;
    }
    if (word[1] == 'e') o.code = true;
    if (word[2] != '\0') continue;
    if (i + 1 >= argc || argv[i + 1][0] == '-') {
      o.bad = i;
      return o;
    }
    i++;
  }
  return o;
}

static void print_usage_error(const char *word) {
  fprintf(stderr,
          takes_value(word) || writes_documents(word)
                            ? "%s: '%s' needs argument\n"
                            : "%s: unrecognized option '%s'\n",
          host_program_name, word);
  fprintf(stderr, help, host_program_name);
}

static void print_version(void) {
  puts("unroll " UNROLL_VERSION " with " LUA_COPYRIGHT);
  fflush(stdout);
}

/* --- the state ---------------------------------------------------------------------- */

/* arg: the script at 0, its arguments after it, what stands before it below. */
static void set_arg(lua_State *L, int argc, char **argv, int script) {
  if (script == argc) script = 0;
  lua_createtable(L, argc - script, script + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

/* The standard libraries, unroll.core when asked for, and the global `unroll`. */
static void open_libraries(lua_State *L) {
  luaL_openlibs(L);
  host_track_coroutines(L);
  host_open_embedded(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, unl_open);
  lua_setfield(L, -2, "unroll.core");
  lua_pop(L, 2);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "unroll");
  lua_call(L, 1, 1);
  lua_setglobal(L, "unroll");
}

/* --- what to run -------------------------------------------------------------------- */

static int run_init(lua_State *L) {
  static const char *const names[] = {"=LUA_INIT_5_4", "=LUA_INIT"};
  for (int i = 0; i < 2; i++) {
    const char *init = getenv(names[i] + 1);
    if (!init) continue;
    if (init[0] == '@') return host_run_file(L, init + 1);
    return host_run_string(L, init, names[i]);
  }
  return LUA_OK;
}

/* "mod" or "global=mod". */
static int run_require(lua_State *L, const char *word) {
  const char *equals = strchr(word, '=');
  if (equals)
    lua_pushlstring(L, word, (size_t)(equals - word));
  else
    lua_pushstring(L, word);
  lua_getglobal(L, "require");
  lua_pushstring(L, equals ? equals + 1 : word);
  int status = host_call(L, 1, 1);
  if (status != LUA_OK) return host_report(L, status);
  lua_setglobal(L, lua_tostring(L, -2));
  lua_pop(L, 1);
  return LUA_OK;
}

static int run_options(lua_State *L, char **argv, int count) {
  for (int i = 1; i < count; i++) {
    const char *word = argv[i];
    if (word[1] == 'W') lua_warning(L, "@on", 0);
    if (!takes_value(word)) continue;
    const char *value = word[2] != '\0' ? word + 2 : argv[++i];
    int status = word[1] == 'e' ? host_run_string(L, value, "=(command line)")
                                : run_require(L, value);
    if (status != LUA_OK) return status;
  }
  return LUA_OK;
}

static int run_script(lua_State *L, int argc, char **argv, int script) {
  const char *path = argv[script];
  if (strcmp(path, "-") == 0 && strcmp(argv[script - 1], "--") != 0) path = NULL;
  int status = luaL_loadfile(L, path);
  if (status != LUA_OK) return host_report(L, status);
  int arguments = argc - script - 1;
  luaL_checkstack(L, arguments + LUA_MINSTACK, "too many arguments to script");
  for (int i = 0; i < arguments; i++)
    lua_pushstring(L, argv[script + 1 + i]);
  return host_report(L, host_call(L, arguments, 0));
}

/* Writes the manual or the stubs into a folder (lua/unroll/help/export.lua). */
static int write_documents(lua_State *L, const char *option, const char *folder) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "unroll.help.export");
  int status = host_call(L, 1, 1);
  if (status != LUA_OK) return host_report(L, status);
  lua_pushstring(L, option + 2);
  lua_pushstring(L, folder);
  return host_report(L, host_call(L, 2, 0));
}

static int run(lua_State *L, int argc, char **argv, const options *o) {
  if (o->write) return write_documents(L, argv[o->write], argv[o->write + 1]);
  if (o->version) print_version();
  int status = o->ignore_environment ? LUA_OK : run_init(L);
  if (status == LUA_OK) status = run_options(L, argv, o->script);
  if (status == LUA_OK && o->script < argc)
    status = run_script(L, argc, argv, o->script);
  if (status != LUA_OK) return status;
  bool nothing_to_run = o->script == argc && !o->code && !o->version;
  if (!o->interactive && nothing_to_run && !isatty(STDIN_FILENO))
    return host_run_file(L, NULL);
  if (o->interactive || nothing_to_run)
    return host_prompt(L, &o->prompt) ? LUA_OK : LUA_ERRRUN;
  return LUA_OK;
}

/* Runs inside lua_pcall, so that an error anywhere ends with a message. */
static int protected_main(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1);
  char **argv = lua_touserdata(L, 2);
  const options *o = lua_touserdata(L, 3);
  lua_settop(L, 0);
  if (o->ignore_environment) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  open_libraries(L);
  set_arg(L, argc, argv, o->script);
  lua_pushinteger(L, run(L, argc, argv, o));
  return 1;
}

/* Large tensors come and go: keep their memory instead of giving it back to the system
** and having it zeroed page by page again. */
static void tune_malloc(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 25); /* the most that glibc takes */
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

static int run_program(int argc, char **argv, const options *o) {
  lua_State *L = host_new_state();
  if (!L) {
    fprintf(stderr, "%s: not enough memory for a Lua state\n", host_program_name);
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, protected_main);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  lua_pushlightuserdata(L, (void *)o);
  int status = lua_pcall(L, 3, 1, 0);
  bool good = host_report(L, status) == LUA_OK && lua_tointeger(L, -1) == LUA_OK;
  lua_close(L);
  if (host_was_interrupted()) return EXIT_INTERRUPTED;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv) {
  if (argc > 0 && argv[0][0] != '\0') host_program_name = argv[0];
  options o = read_options(argc, argv);
  if (o.bad) {
    print_usage_error(argv[o.bad]);
    return EXIT_FAILURE;
  }
  if (o.show_help)
    printf(help, host_program_name), fputs(environment_help, stdout);
  else if (o.show_version)
    print_version();
  else if (o.show_licenses)
    host_print_licenses();
  else {
    setlocale(LC_CTYPE, "");
    signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of write, not a crash */
    tune_malloc();
    return run_program(argc, argv, &o);
  }
  return EXIT_SUCCESS;
}
