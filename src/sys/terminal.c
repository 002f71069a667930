/* terminal.c -- how large the terminal is, and asking it what it can do.
**
** A terminal answers a question on the same line as its keys. While it is asked the line is
** raw and silent; it is put back as it was before. Keys that were typed and not read yet
** come out together with the answer: a caller who cannot give them back to whoever reads
** keys says so, and then nothing is asked while any are waiting. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "sys.h"

bool un_sys_terminal_size(un_sys_terminal *t) {
  struct winsize size;
  for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      *t = (un_sys_terminal){size.ws_col, size.ws_row, size.ws_xpixel, size.ws_ypixel};
      return true;
    }
  return false;
}

int un_sys_terminal_width(void) {
  un_sys_terminal t;
  return un_sys_terminal_size(&t) ? t.columns : 0;
}

static bool can_read(int fd, double seconds) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, (int)(seconds * 1000)) == 1;
}

/* Do the bytes end in device attributes, ESC [ ? digits and semicolons c? */
static bool ends_in_attributes(const char *bytes, size_t length) {
  size_t i = length;
  if (i < 4 || bytes[i - 1] != 'c') return false;
  for (i--; i > 0 && (bytes[i - 1] == ';' || (bytes[i - 1] >= '0' && bytes[i - 1] <= '9'));)
    i--;
  return i >= 3 && memcmp(bytes + i - 3, "\033[?", 3) == 0;
}

/* Reads up to the device attributes, or until nothing comes in time. */
static size_t read_answer(int fd, double seconds, char *answer, size_t room) {
  double end = un_sys_clock() + seconds;
  size_t length = 0;
  while (length < room && !ends_in_attributes(answer, length)) {
    double left = end - un_sys_clock();
    if (left <= 0 || !can_read(fd, left)) break;
    if (read(fd, answer + length, 1) != 1) break;
    length++;
  }
  return length;
}

static bool write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    length -= (size_t)n;
  }
  return true;
}

bool un_sys_ask_terminal(const char *question, double seconds, bool take_keys,
                         char *answer, size_t *length) {
  int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct termios before, raw;
  size_t room = *length;
  bool asked = false;
  *length = 0;
  if (fd < 0) return true;
  if (tcgetattr(fd, &before) == 0) {
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSANOW, &raw) == 0) {
      asked = take_keys || !can_read(fd, 0); /* half a line can be seen only now */
      if (asked && write_all(fd, question, strlen(question)))
        *length = read_answer(fd, seconds, answer, room);
      tcsetattr(fd, TCSANOW, &before);
    }
  }
  close(fd);
  return asked;
}
