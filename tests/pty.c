/* pty.c -- runs a program on a terminal of its own, for tests.
**
**   pty COLUMNS ROWS PROGRAM [ARGUMENT...]
**
** Standard input is typed at the terminal, what it shows goes to standard output. A line
** that begins with the byte 0x1f is for this program: "size 40 20" resizes the window,
** "kill 15" sends a signal to the program. When the program has ended, the last byte
** written is 'c' when the terminal is in its usual mode (lines, echo), 'r' when it is not.
** The exit code is that of the program, 128 + n after signal n.
*/
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { CONTROL = 0x1f };

static int terminal, slave;
static pid_t child;

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static void set_size(int columns, int rows) {
  struct winsize size = {.ws_col = (unsigned short)columns,
                         .ws_row = (unsigned short)rows};
  ioctl(terminal, TIOCSWINSZ, &size);
}

static void open_terminal(const char *columns, const char *rows) {
  terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) fail("pty");
  slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  if (slave < 0) fail("pty");
  set_size(atoi(columns), atoi(rows));
}

static void start(char **words) {
  child = fork();
  if (child < 0) fail("fork");
  if (child > 0) return;
  setsid();
  ioctl(slave, TIOCSCTTY, 0);
  for (int fd = 0; fd < 3; fd++)
    dup2(slave, fd);
  close(slave);
  close(terminal);
  static const int usual[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
    signal(usual[i], SIG_DFL); /* a job in the background has some of them ignored */
  execvp(words[0], words);
  fail(words[0]);
}

static void write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n <= 0) return;
    bytes += n;
    length -= (size_t)n;
  }
}

static void obey(const char *order) {
  int a, b;
  if (sscanf(order, "size %d %d", &a, &b) == 2) set_size(a, b);
  if (sscanf(order, "kill %d", &a) == 1) kill(child, a);
}

/* Passes typed bytes on, orders apart. */
static void type(const char *bytes, size_t length) {
  static char order[64];
  static size_t in_order = 0; /* 1 + its length so far */
  for (size_t i = 0; i < length; i++) {
    if (in_order == 0 && bytes[i] != CONTROL) {
      write_all(terminal, bytes + i, 1);
    } else if (in_order == 0) {
      in_order = 1;
    } else if (bytes[i] != '\n' && in_order < sizeof order) {
      order[in_order++ - 1] = bytes[i];
    } else {
      order[in_order - 1] = '\0';
      in_order = 0;
      obey(order);
    }
  }
}

/* Shows what the terminal has to show; false when there is nothing now. */
static int show(int milliseconds) {
  char bytes[4096];
  struct pollfd p = {.fd = terminal, .events = POLLIN};
  if (poll(&p, 1, milliseconds) != 1) return 0;
  ssize_t n = read(terminal, bytes, sizeof bytes);
  if (n <= 0) return 0;
  write_all(STDOUT_FILENO, bytes, (size_t)n);
  return 1;
}

static int relay(void) {
  int status;
  struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                        {.fd = terminal, .events = POLLIN}};
  while (waitpid(child, &status, WNOHANG) == 0) {
    char bytes[4096];
    if (poll(p, 2, 10) <= 0) continue;
    if (p[1].revents) show(0);
    if (!p[0].revents) continue;
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n > 0)
      type(bytes, (size_t)n);
    else
      p[0].fd = -1;
  }
  while (show(0))
    ;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: pty COLUMNS ROWS PROGRAM [ARGUMENT...]\n");
    return EXIT_FAILURE;
  }
  open_terminal(argv[1], argv[2]);
  start(argv + 3);
  int code = relay();
  struct termios mode;
  int usual = tcgetattr(slave, &mode) == 0 && (mode.c_lflag & ICANON) &&
              (mode.c_lflag & ECHO);
  write_all(STDOUT_FILENO, usual ? "c" : "r", 1);
  return code;
}
