/* process.c -- other processes and the channels to them (see sys.h).
**
** A channel is a pair of descriptors, to read from and to write to, and the process at
** the other end. Every descriptor is closed on exec and above the standard ones. A child
** has a process group of its own, so that Ctrl-C at the terminal reaches the parent
** alone, which decides; and on Linux it dies with its parent, however that ends. A copy
** of this program, and a worker on its standard streams, take the programs along that they
** have started themselves.
*/
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static void close_end(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* A copy of the descriptor above the standard ones, closed on exec. */
static int raised_copy(int fd) {
  return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static int make_pipe(int ends[2]) {
  int low[2];
  if (pipe(low) != 0) return errno;
  ends[0] = raised_copy(low[0]);
  ends[1] = ends[0] >= 0 ? raised_copy(low[1]) : -1;
  int error = ends[1] >= 0 ? 0 : errno;
  close(low[0]);
  close(low[1]);
  if (error) close_end(&ends[0]);
  return error;
}

/* --- a child ------------------------------------------------------------------------
 */

/* The pipes between parent and child, and one that tells why exec failed. */
typedef struct pipes {
  int to_child[2], from_child[2], failure[2];
} pipes;

static const pipes no_pipes = {{-1, -1}, {-1, -1}, {-1, -1}};

static void close_pipes(pipes *p) {
  for (int i = 0; i < 2; i++) {
    close_end(&p->to_child[i]);
    close_end(&p->from_child[i]);
    close_end(&p->failure[i]);
  }
}

static int make_pipes(pipes *p) {
  *p = no_pipes;
  int error = make_pipe(p->to_child);
  if (!error) error = make_pipe(p->from_child);
  if (!error) error = make_pipe(p->failure);
  if (error) close_pipes(p);
  return error;
}

static void begin_child(pid_t parent) {
  setpgid(0, 0);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (getppid() != parent) _exit(EXIT_FAILURE); /* it died before that line */
}

#ifdef __linux__
static void end_group(int signal_number) {
  (void)signal_number;
  kill(0, SIGKILL);
}

/* A child that dies with its parent ends its whole group then: what a case has started
** hears nothing of the parent's end. Others, on a terminal or behind ssh, stay as they are.
*/
static void take_group_along(void) {
  int at_end = 0;
  if (prctl(PR_GET_PDEATHSIG, &at_end) != 0 || at_end != SIGKILL) return;
  if (getpgrp() != getpid()) return;
  signal(SIGUSR1, end_group);
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
}
#else
static void take_group_along(void) {
}
#endif

/* fork: 0 in the child, which has begun; *pid in the parent. */
static int fork_child(pid_t *pid) {
  pid_t parent = getpid();
  fflush(NULL); /* so that nothing is printed twice */
  *pid = fork();
  if (*pid < 0) return errno;
  if (*pid == 0) begin_child(parent);
  return 0;
}

/* The parent's side: keeps its ends. */
static void keep_ends(pipes *p, pid_t pid, un_sys_channel *channel) {
  channel->in = p->from_child[0];
  channel->out = p->to_child[1];
  channel->pid = (int)pid;
  channel->owner = (int)getpid();
  p->from_child[0] = p->to_child[1] = -1;
  close_pipes(p);
}

static void run_program(const pipes *p, char *const arguments[]) {
  if (dup2(p->to_child[0], STDIN_FILENO) >= 0 &&
      dup2(p->from_child[1], STDOUT_FILENO) >= 0)
    execvp(arguments[0], arguments);
  int error = errno;
  ssize_t ignored = write(p->failure[1], &error, sizeof error);
  (void)ignored;
  _exit(127);
}

/* What the child says when exec fails; 0 when the pipe closes without a word. */
static int read_failure(int fd) {
  int error = 0;
  ssize_t n;
  do
    n = read(fd, &error, sizeof error);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof error ? error : 0;
}

int un_sys_spawn(char *const arguments[], un_sys_channel *channel) {
  pipes p;
  pid_t pid;
  int error = make_pipes(&p);
  if (error) return error;
  error = fork_child(&pid);
  if (error) {
    close_pipes(&p);
    return error;
  }
  if (pid == 0) run_program(&p, arguments);
  close_end(&p.failure[1]);
  error = read_failure(p.failure[0]);
  keep_ends(&p, pid, channel);
  if (error) un_sys_channel_close(channel);
  return error;
}

/* Reading from the terminal would stop a process in the background. */
static void read_nothing(void) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  dup2(fd, STDIN_FILENO);
  close(fd);
}

int un_sys_fork(un_sys_channel *channel, bool *is_copy) {
  pipes p;
  pid_t pid;
  int error = make_pipes(&p);
  if (error) return error;
  error = fork_child(&pid);
  if (error) {
    close_pipes(&p);
    return error;
  }
  *is_copy = pid == 0;
  if (*is_copy) {
    *channel = (un_sys_channel){p.to_child[0], p.from_child[1], -1, (int)getpid()};
    p.to_child[0] = p.from_child[1] = -1;
    close_pipes(&p);
    take_group_along();
    read_nothing();
  } else
    keep_ends(&p, pid, channel);
  return 0;
}

void un_sys_exit_copy(int code) {
  fflush(NULL);
  _exit(code);
}

int un_sys_standard_channel(un_sys_channel *channel) {
  fflush(stdout);
  *channel = (un_sys_channel){raised_copy(STDIN_FILENO), raised_copy(STDOUT_FILENO), -1,
                              (int)getpid()};
  if (channel->in < 0 || channel->out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    int error = errno;
    un_sys_channel_close(channel);
    return error;
  }
  take_group_along();
  read_nothing();
  return 0;
}

/* --- its channel --------------------------------------------------------------------
 */

/* Takes back a SIGPIPE that a write has raised while the signal was blocked. */
static void discard_sigpipe(const sigset_t *pipe_signal) {
  sigset_t pending;
  int number;
  if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE))
    sigwait(pipe_signal, &number);
}

int un_sys_channel_write(un_sys_channel *channel, const char *bytes, size_t length) {
  sigset_t pipe_signal, before;
  int error = 0;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  while (length > 0 && !error) {
    ssize_t n = write(channel->out, bytes, length);
    if (n < 0 && errno != EINTR) error = errno;
    if (n < 0) continue;
    bytes += n;
    length -= (size_t)n;
  }
  if (error == EPIPE) discard_sigpipe(&pipe_signal);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return error;
}

int un_sys_poll(const int *fds, bool *ready, size_t count, double seconds) {
  struct pollfd *list = calloc(count ? count : 1, sizeof *list);
  if (!list) return ENOMEM;
  for (size_t i = 0; i < count; i++)
    list[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
  int milliseconds = seconds >= 0 && seconds <= 1e6 ? (int)(seconds * 1000) : -1;
  int n = poll(list, (nfds_t)count, milliseconds);
  int error = n < 0 && errno != EINTR ? errno : 0;
  for (size_t i = 0; i < count; i++)
    ready[i] = n > 0 && list[i].revents != 0;
  free(list);
  return error;
}

/* Waits for the end of a child without taking its number from it. */
static int wait_for_end(pid_t pid) {
  siginfo_t info;
  int result;
  do
    result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

/* The child leads a group, in which are the programs that it has started itself. They end
** with it, while its number is still the group's. */
int un_sys_channel_wait(un_sys_channel *channel, bool *by_signal, int *code) {
  int status;
  if (channel->pid < 0 || channel->owner != (int)getpid()) return ECHILD;
  int error = wait_for_end(channel->pid);
  if (error) return error;
  kill(-channel->pid, SIGKILL);
  if (waitpid(channel->pid, &status, 0) < 0) return errno;
  channel->pid = -1;
  *by_signal = WIFSIGNALED(status);
  *code = *by_signal ? WTERMSIG(status) : WEXITSTATUS(status);
  return 0;
}

int un_sys_channel_kill(const un_sys_channel *channel, int signal_number) {
  if (channel->pid < 0 || channel->owner != (int)getpid()) return ESRCH;
  return kill(channel->pid, signal_number) == 0 ? 0 : errno;
}

void un_sys_channel_close(un_sys_channel *channel) {
  bool by_signal;
  int code;
  close_end(&channel->in);
  close_end(&channel->out);
  if (un_sys_channel_kill(channel, SIGKILL) == 0)
    un_sys_channel_wait(channel, &by_signal, &code);
  channel->pid = -1;
}
