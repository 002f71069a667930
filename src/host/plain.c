/* plain.c -- the reader without editing: getline, for pipes and simple terminals. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host.h"
#include "reader.h"

static char *buffer = NULL;
static size_t room = 0;

static bool open_plain(const host_completer *completer, bool paste) {
  (void)completer, (void)paste;
  return true;
}

/* Whether stdio holds input that it has read and not given out. */
static bool has_buffered_input(void) {
#ifdef __GLIBC__
  return stdin->_IO_read_ptr < stdin->_IO_read_end;
#else
  return true; /* not known: then the read itself waits */
#endif
}

/* False when Ctrl-C came first. */
static bool wait_for_line(void) {
  if (!isatty(STDIN_FILENO) || has_buffered_input()) return true;
  host_event event;
  while ((event = host_wait_for_input(-1)) == HOST_SIGNAL)
    ;
  return event == HOST_INPUT;
}

static reading read_plain(const char *prompt, const char **line, size_t *length) {
  fputs(prompt, stdout);
  fflush(stdout);
  ssize_t n = wait_for_line() ? getline(&buffer, &room, stdin) : -1;
  if (n < 0) {
    fputs("\n", stdout);
    if (!host_take_interrupt()) return GOT_END;
    clearerr(stdin);
    return GOT_INTERRUPT;
  }
  if (n > 0 && buffer[n - 1] == '\n') n--;
  *line = buffer;
  *length = (size_t)n;
  return GOT_LINE;
}

static void add_nothing(const char *entry) {
  (void)entry;
}

static void close_plain(void) {
  free(buffer);
  buffer = NULL;
  room = 0;
}

const host_reader host_plain_reader = {open_plain, read_plain, add_nothing, close_plain,
                                       NULL};
