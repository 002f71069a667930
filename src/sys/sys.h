/* sys.h -- files, processes, clock, terminal and Ctrl-C, as the rest of the program sees them.
**
** sys knows neither Lua nor core. A function that can fail returns 0 or an errno value;
** the caller turns it into a message with the path in it. Nothing here prints or exits.
*/
#ifndef UN_SYS_H
#define UN_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- files (file.c) ----------------------------------------------------------------- */

typedef struct un_sys_piece {
  const char *bytes;
  size_t length;
} un_sys_piece;

/* Replaces the file by the pieces, one after the other: either all of them are on disk
** under that name when it returns 0, or the file is as it was before. A name that stands
** for something else than a plain file (/dev/stdout, a pipe) is written straight. */
int un_sys_write_file(const char *path, const un_sys_piece *pieces, size_t count);

/* Adds the bytes at the end of the file, by one write, so that several processes can add
** to one file; makes it when it is missing (`secret`: readable by its owner alone). */
int un_sys_append_file(const char *path, const char *bytes, size_t length, bool secret);

/* Waits until no other process holds the lock of the file or directory, and takes it. It
** is given back when *fd is closed. */
int un_sys_lock(const char *path, int *fd);

/* For reading: opens (descriptor in *fd, size in *size, 0 when unknown), reads up to
** `room` bytes (*got is 0 at the end of the file), closes. */
int un_sys_open(const char *path, int *fd, size_t *size);
bool un_sys_is_file(const char *path); /* not a pipe or a device, which is read only once */
int un_sys_read(int fd, char *buffer, size_t room, size_t *got);
void un_sys_close(int fd);

/* Makes a directory and those above it; one that exists already is no error. */
int un_sys_mkdir(const char *path);

/* Lists a directory: opens it, gives one name after the other (NULL at the end), closes. */
int un_sys_open_directory(const char *path, void **directory);
const char *un_sys_next_name(void *directory);
void un_sys_close_directory(void *directory);

/* --- the machine (machine.c) -------------------------------------------------------- */

double un_sys_clock(void); /* seconds; never goes backwards; the zero is arbitrary */
int un_sys_cores(void);    /* processors that this process may use, at least 1 */
bool un_sys_isatty(int fd);

/* Asks the system to back new memory of at least 4 MiB by large pages: fewer faults when
** it is first written, and fewer misses of the address cache ever after. */
void un_sys_use_large_pages(void *memory, size_t bytes);

/* The file of the program that runs, in path[room]. */
int un_sys_executable(char *path, size_t room);

uint64_t un_sys_hash(const char *bytes, size_t length); /* hash.c: FNV-1a, 64 bits */

/* --- the terminal (terminal.c) ------------------------------------------------------ */

typedef struct un_sys_terminal {
  int columns, rows;
  int width, height; /* pixels; 0: it does not say */
} un_sys_terminal;

bool un_sys_terminal_size(
    un_sys_terminal *t);         /* of the one on fd 1 or 2; false: none */
int un_sys_terminal_width(void); /* columns; 0: none */

/* Writes a question to the controlling terminal that ends in one for device attributes, and
** reads up to their answer, at most *length bytes and so many seconds: keys that were typed
** meanwhile, and the answers. false, and nothing is asked or read, when keys are waiting
** and take_keys is false. */
bool un_sys_ask_terminal(const char *question, double seconds, bool take_keys,
                         char *answer, size_t *length);

/* --- processes (process.c) ---------------------------------------------------------- */

/* Two descriptors and the process behind them. It is closed when all three are -1; only
** the process that made it (owner) waits or kills, so that a forked copy may close it. */
typedef struct un_sys_channel {
  int in, out, pid, owner;
} un_sys_channel;

#define UN_SYS_CLOSED_CHANNEL                                                          \
  { -1, -1, -1, -1 }

/* Starts a program (searched in PATH; the list ends with NULL) with the channel on its
** standard input and output. Its standard error is ours. */
int un_sys_spawn(char *const arguments[], un_sys_channel *channel);

/* Goes on twice, with a channel between the two. The copy must end by exit_copy. */
int un_sys_fork(un_sys_channel *channel, bool *is_copy);
void un_sys_exit_copy(int code);

/* Makes a channel of the standard streams. Afterwards standard input is empty and what
** goes to standard output comes out at standard error. */
int un_sys_standard_channel(un_sys_channel *channel);

/* Writes everything; EPIPE when nobody reads (never SIGPIPE). To read: un_sys_read. */
int un_sys_channel_write(un_sys_channel *channel, const char *bytes, size_t length);

/* Waits until one of the descriptors can be read (or is at its end), at most so long
** (< 0: for ever), or until a signal comes: then none is ready. */
int un_sys_poll(const int *fds, bool *ready, size_t count, double seconds);

/* Waits for the end of the program; what it has started and left behind ends with it. */
int un_sys_channel_wait(un_sys_channel *channel, bool *by_signal, int *code);
int un_sys_channel_kill(const un_sys_channel *channel, int signal_number);
void un_sys_channel_close(un_sys_channel *channel); /* kills; leaves no zombie */

/* --- Ctrl-C (interrupt.c) ----------------------------------------------------------- */

/* Between defer and allow (pairs may nest) a first SIGINT only leaves a note; a second
** one, while the note is unread, goes to the handler that was there before. A note that
** nobody has taken when the last pair ends goes there too, so none is lost. */
void un_sys_defer_interrupts(void);
void un_sys_allow_interrupts(void);
bool un_sys_take_interrupt(void); /* reads and clears the note */

#endif
