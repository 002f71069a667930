/* readline.c -- the reader with editing: GNU readline, looked for when the program runs.
**
** Nothing of readline is linked or included, so the program stays under its own licence;
** what is used is declared here, by the names of readline 8. Its callback interface leaves
** the waiting to us: Ctrl-C ends a line, Ctrl-Z stops the program with the terminal in
** order, a new size of the window is drawn at once. Outside of read_line the terminal is
** as the shell left it; a signal that kills while a line is read puts it back first.
**
** Up and Down move inside an entry of several lines, then through the history; when
** something is typed already, through the entries that begin with it. Alt-Enter begins a
** new line. All other keys, and any of these when ~/.inputrc says so, are readline's.
*/
#include <dlfcn.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "host.h"
#include "reader.h"

typedef int command(int count, int key);

/* --- what readline offers ----------------------------------------------------------- */

static struct {
  int (*initialize)(void);
  void (*callback_handler_install)(const char *prompt, void (*take)(char *));
  void (*callback_handler_remove)(void);
  void (*callback_read_char)(void);
  void (*callback_sigcleanup)(void);
  void (*free_line_state)(void);
  void (*cleanup_after_signal)(void);
  void (*reset_after_signal)(void);
  void (*resize_terminal)(void);
  void (*reset_screen_size)(void);
  void (*redisplay)(void);
  int (*forced_update_display)(void);
  int (*insert_text)(const char *text);
  int (*variable_bind)(const char *name, const char *value);
  int (*bind_keyseq)(const char *keys, command *function);
  int (*get_char)(FILE *file);
  command *(*function_of_keyseq)(const char *keys, void *map, int *type);
  command *complete, *get_previous_history, *get_next_history;
  command *history_search_backward, *history_search_forward, *vi_editing_mode;
  command *beg_of_line, *end_of_line;
  char **(*completion_matches)(const char *text, char *(*next)(const char *, int));
  void (*add_history)(const char *entry);
  void (*using_history)(void);
  void *(*current_history)(void);

  const char **readline_name;
  int *catch_signals, *catch_sigwinch, *change_environment, *completion_query_items;
  int *attempted_completion_over, *completion_append_character;
  int *filename_completion_desired, *point, *end, *eof_found;
  char **line_buffer;
  command **last_func;
  int (**getc_function)(FILE *file);
  char **(**attempted_completion_function)(const char *text, int start, int stop);
  char *(**completion_word_break_hook)(void);
} rl;

static const struct {
  const char *name;
  void *place;
} symbols[] = {
    {"rl_initialize", &rl.initialize},
    {"rl_callback_handler_install", &rl.callback_handler_install},
    {"rl_callback_handler_remove", &rl.callback_handler_remove},
    {"rl_callback_read_char", &rl.callback_read_char},
    {"rl_callback_sigcleanup", &rl.callback_sigcleanup},
    {"rl_free_line_state", &rl.free_line_state},
    {"rl_cleanup_after_signal", &rl.cleanup_after_signal},
    {"rl_reset_after_signal", &rl.reset_after_signal},
    {"rl_resize_terminal", &rl.resize_terminal},
    {"rl_reset_screen_size", &rl.reset_screen_size},
    {"rl_redisplay", &rl.redisplay},
    {"rl_forced_update_display", &rl.forced_update_display},
    {"rl_insert_text", &rl.insert_text},
    {"rl_variable_bind", &rl.variable_bind},
    {"rl_bind_keyseq", &rl.bind_keyseq},
    {"rl_getc", &rl.get_char},
    {"rl_function_of_keyseq", &rl.function_of_keyseq},
    {"rl_complete", &rl.complete},
    {"rl_get_previous_history", &rl.get_previous_history},
    {"rl_get_next_history", &rl.get_next_history},
    {"rl_history_search_backward", &rl.history_search_backward},
    {"rl_history_search_forward", &rl.history_search_forward},
    {"rl_vi_editing_mode", &rl.vi_editing_mode},
    {"rl_beg_of_line", &rl.beg_of_line},
    {"rl_end_of_line", &rl.end_of_line},
    {"rl_completion_matches", &rl.completion_matches},
    {"add_history", &rl.add_history},
    {"using_history", &rl.using_history},
    {"current_history", &rl.current_history},
    {"rl_readline_name", &rl.readline_name},
    {"rl_catch_signals", &rl.catch_signals},
    {"rl_catch_sigwinch", &rl.catch_sigwinch},
    {"rl_change_environment", &rl.change_environment},
    {"rl_completion_query_items", &rl.completion_query_items},
    {"rl_attempted_completion_over", &rl.attempted_completion_over},
    {"rl_completion_append_character", &rl.completion_append_character},
    {"rl_filename_completion_desired", &rl.filename_completion_desired},
    {"rl_point", &rl.point},
    {"rl_end", &rl.end},
    {"rl_eof_found", &rl.eof_found},
    {"rl_line_buffer", &rl.line_buffer},
    {"rl_last_func", &rl.last_func},
    {"rl_getc_function", &rl.getc_function},
    {"rl_attempted_completion_function", &rl.attempted_completion_function},
    {"rl_completion_word_break_hook", &rl.completion_word_break_hook},
};

/* Fills rl; false when there is no library or it lacks something. */
static bool load_library(void) {
  static const char *const names[] = {"libreadline.so.8", "libreadline.8.dylib"};
  void *library = NULL;
  for (size_t i = 0; !library && i < sizeof names / sizeof *names; i++)
    library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) return false;
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    void *symbol = dlsym(library, symbols[i].name);
    if (!symbol && symbols[i].place != &rl.eof_found) { /* that is not in every 8.x */
      dlclose(library);
      return false;
    }
    memcpy(symbols[i].place, &symbol, sizeof symbol);
  }
  return true;
}

/* --- Tab ---------------------------------------------------------------------------- */

static const host_completer *completer;
static host_completion answer;

static void ask(void) {
  answer = completer->ask(*rl.line_buffer, (size_t)*rl.point);
}

static char *find_word(void) {
  ask();
  return (char *)answer.breaks; /* readline does not write to it */
}

static char *next_name(const char *text, int state) {
  static size_t next;
  (void)text;
  if (state == 0) next = 0;
  return next < answer.count ? strdup(completer->name(next++)) : NULL;
}

static char **find_names(const char *text, int start, int stop) {
  (void)start, (void)stop;
  *rl.attempted_completion_over = 1; /* readline would try file names */
  *rl.completion_append_character = answer.append;
  *rl.filename_completion_desired = answer.files;
  return answer.count > 0 ? rl.completion_matches(text, next_name) : NULL;
}

/* Shows a text below what is typed, and that again below it. */
static void show_below(const char *text) {
  int point = *rl.point;
  *rl.point = *rl.end;
  rl.redisplay();
  printf("\n%s\n", text);
  fflush(stdout);
  *rl.point = point;
  rl.forced_update_display();
}

static int press_tab(int count, int key) {
  ask();
  if (answer.insert) {
    rl.insert_text(answer.insert);
  } else if (answer.message) {
    show_below(answer.message);
  } else {
    if (*rl.last_func == press_tab) *rl.last_func = rl.complete;
    return rl.complete(count, key);
  }
  return 0;
}

/* --- entries of several lines ------------------------------------------------------- */

static int insert_newline(int count, int key) {
  (void)count, (void)key;
  return rl.insert_text("\n");
}

static int line_start(int point) {
  while (point > 0 && (*rl.line_buffer)[point - 1] != '\n')
    point--;
  return point;
}

static int line_end(int point) {
  while (point < *rl.end && (*rl.line_buffer)[point] != '\n')
    point++;
  return point;
}

/* Puts the cursor `column` bytes into the line at `start`, at the start of a character. */
static void move_to(int start, int column) {
  int stop = line_end(start), point = start + column;
  if (point > stop) point = stop;
  while (point > start && ((*rl.line_buffer)[point] & 0xc0) == 0x80)
    point--;
  *rl.point = point;
}

static bool move_up(void) {
  int start = line_start(*rl.point);
  if (start == 0) return false;
  move_to(line_start(start - 1), *rl.point - start);
  return true;
}

static bool move_down(void) {
  int stop = line_end(*rl.point);
  if (stop == *rl.end) return false;
  move_to(stop + 1, *rl.point - line_start(*rl.point));
  return true;
}

static int press_up(int count, int key);

/* Through the history: entries that begin with what is typed, when the walk begins on a
** new line that is not empty. readline goes on with a search when its own search was the
** last command. */
static int press_down(int count, int key) {
  static bool searching = false;
  bool back = count < 0;
  if (back ? move_up() : move_down()) return 0;
  if (*rl.last_func == press_up || *rl.last_func == press_down)
    *rl.last_func = rl.history_search_backward;
  else
    searching = !rl.current_history() && *rl.point > 0;
  if (searching) {
    (back ? rl.history_search_backward : rl.history_search_forward)(1, key);
    *rl.point = *rl.end;
    return 0;
  }
  return (back ? rl.get_previous_history : rl.get_next_history)(1, key);
}

static int press_up(int count, int key) {
  (void)count;
  return press_down(-1, key);
}

static int press_home(int count, int key) {
  (void)count, (void)key;
  *rl.point = line_start(*rl.point);
  return 0;
}

static int press_end(int count, int key) {
  (void)count, (void)key;
  *rl.point = line_end(*rl.point);
  return 0;
}

/* Gives a key another meaning, unless ~/.inputrc has given it one. */
static void rebind(const char *keys, const char *name, command *old, command *new) {
  if (rl.function_of_keyseq(keys, NULL, NULL) == old) rl.bind_keyseq(name, new);
}

static void bind_keys(void) {
  const struct {
    const char *keys, *name;
    command *old, *new;
  } keys[] = {
      {"\t", "\\C-i", rl.complete, press_tab},
      {"\033\r", "\\e\\C-m", rl.vi_editing_mode, insert_newline},
      {"\033[A", "\\e[A", rl.get_previous_history, press_up},
      {"\033OA", "\\eOA", rl.get_previous_history, press_up},
      {"\020", "\\C-p", rl.get_previous_history, press_up},
      {"\033[B", "\\e[B", rl.get_next_history, press_down},
      {"\033OB", "\\eOB", rl.get_next_history, press_down},
      {"\016", "\\C-n", rl.get_next_history, press_down},
      {"\001", "\\C-a", rl.beg_of_line, press_home},
      {"\033[H", "\\e[H", rl.beg_of_line, press_home},
      {"\033OH", "\\eOH", rl.beg_of_line, press_home},
      {"\033[1~", "\\e[1~", rl.beg_of_line, press_home},
      {"\005", "\\C-e", rl.end_of_line, press_end},
      {"\033[F", "\\e[F", rl.end_of_line, press_end},
      {"\033OF", "\\eOF", rl.end_of_line, press_end},
      {"\033[4~", "\\e[4~", rl.end_of_line, press_end},
  };
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    rebind(keys[i].keys, keys[i].name, keys[i].old, keys[i].new);
}

/* --- signals while a line is read ---------------------------------------------------- */

static volatile sig_atomic_t resized, suspended;
static struct termios shell_mode;
static bool paste_mode;

static void on_resize(int signal_number) {
  (void)signal_number;
  resized = 1;
  host_note_signal();
}

static void on_suspend(int signal_number) {
  (void)signal_number;
  suspended = 1;
  host_note_signal();
}

static void on_death(int signal_number) {
  static const char end_paste_mode[] = "\033[?2004l\r";
  tcsetattr(STDIN_FILENO, TCSANOW, &shell_mode);
  if (paste_mode) {
    ssize_t ignored = write(STDOUT_FILENO, end_paste_mode, sizeof end_paste_mode - 1);
    (void)ignored;
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number); /* acts as soon as this handler returns */
}

static const struct {
  int number;
  void (*handler)(int);
} caught[] = {
    {SIGWINCH, on_resize}, {SIGTSTP, on_suspend}, {SIGTERM, on_death},
    {SIGHUP, on_death},    {SIGQUIT, on_death},   {SIGSEGV, on_death},
    {SIGBUS, on_death},    {SIGABRT, on_death},   {SIGFPE, on_death},
    {SIGILL, on_death},
};

enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction before[CAUGHT];

/* A signal that the program ignores (nohup) stays ignored. */
static void catch_signals(void) {
  for (int i = 0; i < CAUGHT; i++) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = caught[i].handler;
    sigemptyset(&action.sa_mask);
    sigaction(caught[i].number, NULL, &before[i]);
    if (before[i].sa_handler != SIG_IGN) sigaction(caught[i].number, &action, NULL);
  }
}

static void release_signals(void) {
  for (int i = 0; i < CAUGHT; i++)
    sigaction(caught[i].number, &before[i], NULL);
}

/* Stops here; what follows happens when the shell says so. */
static void suspend(void) {
  rl.cleanup_after_signal();
  release_signals();
  raise(SIGTSTP);
  catch_signals();
  rl.reset_after_signal();
  rl.forced_update_display();
}

/* --- keys that were read elsewhere --------------------------------------------------- */

static char given[1024]; /* the keys from given_next to given_end are still to be read */
static size_t given_next, given_end;

static int next_key(FILE *file) {
  if (given_next < given_end) return (unsigned char)given[given_next++];
  return rl.get_char(file);
}

/* Keys for which there is no room are lost, as in the queue of a terminal. */
static void give_back(const char *keys, size_t length) {
  if (given_next == given_end) given_next = given_end = 0;
  if (length > sizeof given - given_end) length = sizeof given - given_end;
  memcpy(given + given_end, keys, length);
  given_end += length;
}

/* --- the four functions -------------------------------------------------------------- */

enum { LONG_PAUSE = 30, SHORT_PAUSE = 5 }; /* ms without a key: time to prepare */

static char *line_read;
static bool line_done, is_begun, is_prepared;

static void take_line(char *line) {
  line_read = line;
  line_done = true;
  rl.callback_handler_remove();
}

/* Where no locale is set the characters are those of UTF-8. */
static void prefer_utf8(void) {
  if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0) setlocale(LC_CTYPE, "C.UTF-8");
}

static bool open_editor(const host_completer *c, bool paste) {
  if (tcgetattr(STDIN_FILENO, &shell_mode) != 0 || !load_library()) return false;
  completer = c;
  paste_mode = paste;
  prefer_utf8();
  *rl.readline_name = "unroll";
  *rl.catch_signals = *rl.catch_sigwinch = *rl.change_environment = 0;
  *rl.completion_query_items = 0; /* a question would not hear Ctrl-C, nor would a pager */
  *rl.getc_function = next_key;
  *rl.completion_word_break_hook = find_word;
  *rl.attempted_completion_function = find_names;
  rl.variable_bind("page-completions", "off");
  rl.variable_bind("show-all-if-ambiguous", "on");
  rl.variable_bind("enable-bracketed-paste", paste ? "on" : "off");
  rl.initialize(); /* reads ~/.inputrc */
  bind_keys();
  return true;
}

static void drop_line(void) {
  given_next = given_end = 0;
  *rl.point = *rl.end;
  rl.redisplay();
  fputs("^C", stdout);
  fflush(stdout);
  rl.callback_sigcleanup();
  rl.free_line_state();
  rl.callback_handler_remove(); /* goes to column 0 */
  fputs("\n", stdout);
  fflush(stdout);
}

/* Each flag goes down before its work, so that a signal meanwhile counts again. */
static void heed_signals(void) {
  if (suspended) {
    suspended = 0;
    suspend();
  }
  if (resized) {
    resized = 0;
    rl.resize_terminal();
  }
}

/* Handles what comes until a line is there. False after Ctrl-C. */
static bool edit(void) {
  int pause = LONG_PAUSE;
  while (!line_done) {
    bool is_given = given_next < given_end;
    switch (is_given ? HOST_INPUT : host_wait_for_input(is_prepared ? -1 : pause)) {
    case HOST_INPUT:
      rl.callback_read_char();
      pause = LONG_PAUSE;
      break;
    case HOST_IDLE:
      pause = SHORT_PAUSE;
      is_prepared = !completer->prepare();
      break;
    case HOST_INTERRUPT:
      return false;
    case HOST_SIGNAL:
      break;
    }
    heed_signals();
  }
  return true;
}

/* The first prompt is shown: time for the first preparation, which adds the history. */
static void begin(void) {
  is_begun = true;
  is_prepared = !completer->prepare();
  rl.using_history();
}

static reading read_line(const char *prompt, const char **line, size_t *length) {
  free(line_read);
  line_read = NULL;
  line_done = false;
  tcgetattr(STDIN_FILENO, &shell_mode);
  catch_signals();
  rl.using_history();     /* begin at its end */
  rl.reset_screen_size(); /* it may have changed meanwhile */
  rl.callback_handler_install(prompt, take_line);
  if (!is_begun) begin();
  bool whole = edit();
  if (!whole) drop_line();
  release_signals();
  if (!whole) return host_take_interrupt() ? GOT_INTERRUPT : GOT_END;
  if (!line_read) {
    if (!paste_mode) fputs("\n", stdout); /* else readline has done it */
    if (rl.eof_found) *rl.eof_found = 0;   /* and would go on to do so */
    return GOT_END;
  }
  *line = line_read;
  *length = strlen(line_read);
  return GOT_LINE;
}

static void add_history(const char *entry) {
  rl.add_history(entry);
}

static void close_editor(void) {
  free(line_read);
  line_read = NULL;
}

const host_reader host_line_editor = {open_editor, read_line, add_history, close_editor,
                                      give_back};
