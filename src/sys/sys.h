/* sys.h -- files, clock, terminal and Ctrl-C, as the rest of the program sees them.
**
** sys knows neither Lua nor core. A function that can fail returns 0 or an errno value;
** the caller turns it into a message with the path in it. Nothing here prints or exits.
*/
#ifndef UN_SYS_H
#define UN_SYS_H

#include <stdbool.h>
#include <stddef.h>

/* --- files (file.c) ----------------------------------------------------------------- */

typedef struct un_sys_piece {
  const char *bytes;
  size_t length;
} un_sys_piece;

/* Replaces the file by the pieces, one after the other: either all of them are on disk
** under that name when it returns 0, or the file is as it was before. A name that stands
** for something else than a plain file (/dev/stdout, a pipe) is written straight. */
int un_sys_write_file(const char *path, const un_sys_piece *pieces, size_t count);

/* For reading: opens (descriptor in *fd, size in *size, 0 when unknown), reads up to
** `room` bytes (*got is 0 at the end of the file), closes. */
int un_sys_open(const char *path, int *fd, size_t *size);
int un_sys_read(int fd, char *buffer, size_t room, size_t *got);
void un_sys_close(int fd);

/* Makes a directory and those above it; one that exists already is no error. */
int un_sys_mkdir(const char *path);

/* --- the machine (machine.c) -------------------------------------------------------- */

double un_sys_clock(void); /* seconds; never goes backwards; the zero is arbitrary */
int un_sys_cores(void);    /* processors that this process may use, at least 1 */
bool un_sys_isatty(int fd);
int un_sys_terminal_width(void); /* columns of the terminal on fd 1 or 2; 0: none */

/* --- Ctrl-C (interrupt.c) ----------------------------------------------------------- */

/* Between defer and allow (pairs may nest) a first SIGINT only leaves a note; a second
** one, while the note is unread, goes to the handler that was there before. A note that
** nobody has taken when the last pair ends goes there too, so none is lost. */
void un_sys_defer_interrupts(void);
void un_sys_allow_interrupts(void);
bool un_sys_take_interrupt(void); /* reads and clears the note */

#endif
