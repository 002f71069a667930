/* file.c -- files: atomic write, read, directories (see sys.h).
**
** A write goes to a new file in the same directory, reaches the disk (fsync), and takes
** the name of the old one in one step (rename); then the directory reaches the disk. A
** crash, a full disk or a kill at any moment leaves the old file or the new one whole.
*/
#include "sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- writing ------------------------------------------------------------------------
 */

static int write_all(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, bytes, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes += n;
    length -= (size_t)n;
  }
  return 0;
}

static int write_pieces(int fd, const un_sys_piece *pieces, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int error = write_all(fd, pieces[i].bytes, pieces[i].length);
    if (error) return error;
  }
  return 0;
}

static int write_straight(const char *path, const un_sys_piece *pieces, size_t count) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write_pieces(fd, pieces, count);
  if (close(fd) != 0 && !error) error = errno;
  return error;
}

/* A new file beside `path`, its name in temporary[PATH_MAX]. Its mode is what a plain
** open would give, so that the umask holds. */
static int create_beside(const char *path, char *temporary, int *fd) {
  for (int attempt = 0; attempt < 100; attempt++) {
    int n =
        snprintf(temporary, PATH_MAX, "%s.tmp-%ld-%d", path, (long)getpid(), attempt);
    if (n < 0 || n >= PATH_MAX) return ENAMETOOLONG;
    *fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (*fd >= 0) return 0;
    if (errno != EEXIST) return errno;
  }
  return EEXIST;
}

static int sync_directory_of(char *path) {
  char *slash = strrchr(path, '/');
  if (slash) slash[slash == path ? 1 : 0] = '\0';
  int fd = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return 0; /* a directory may be writable and not readable */
  int error = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  close(fd);
  return error;
}

/* `old` is the state of the file that gets replaced, NULL when there is none. */
static int write_and_rename(const char *path, const struct stat *old,
                            const un_sys_piece *pieces, size_t count) {
  char temporary[PATH_MAX];
  int fd;
  int error = create_beside(path, temporary, &fd);
  if (error) return error;
  error = write_pieces(fd, pieces, count);
  if (!error && old && fchmod(fd, old->st_mode & 07777) != 0) error = errno;
  if (!error && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && !error) error = errno;
  if (!error && rename(temporary, path) != 0) error = errno;
  if (error) {
    unlink(temporary);
    return error;
  }
  return sync_directory_of(temporary); /* the same directory; the name is free to cut */
}

int un_sys_write_file(const char *path, const un_sys_piece *pieces, size_t count) {
  struct stat old;
  if (stat(path, &old) != 0) {
    if (errno != ENOENT) return errno;
    return write_and_rename(path, NULL, pieces, count);
  }
  if (S_ISDIR(old.st_mode)) return EISDIR;
  if (!S_ISREG(old.st_mode)) return write_straight(path, pieces, count);
  char target[PATH_MAX]; /* a symbolic link stays, the file it names is replaced */
  if (!realpath(path, target)) return errno;
  return write_and_rename(target, &old, pieces, count);
}

int un_sys_append_file(const char *path, const char *bytes, size_t length,
                       bool secret) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, secret ? 0600 : 0666);
  if (fd < 0) return errno;
  int error = write_all(fd, bytes, length);
  if (close(fd) != 0 && !error) error = errno;
  return error;
}

int un_sys_lock(const char *path, int *fd) {
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) return errno;
  int error = 0;
  do {
    error = flock(*fd, LOCK_EX) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error) un_sys_close(*fd);
  return error;
}

/* --- reading ------------------------------------------------------------------------
 */

bool un_sys_is_file(const char *path) {
  struct stat state;
  return stat(path, &state) != 0 || S_ISREG(state.st_mode) || S_ISDIR(state.st_mode);
}

int un_sys_open(const char *path, int *fd, size_t *size) {
  struct stat state;
  *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) return errno;
  int error = fstat(*fd, &state) != 0 ? errno : S_ISDIR(state.st_mode) ? EISDIR : 0;
  if (error) {
    close(*fd);
    *fd = -1;
    return error;
  }
  *size = S_ISREG(state.st_mode) ? (size_t)state.st_size : 0;
  return 0;
}

int un_sys_read(int fd, char *buffer, size_t room, size_t *got) {
  for (;;) {
    ssize_t n = read(fd, buffer, room < SSIZE_MAX ? room : SSIZE_MAX);
    if (n >= 0) {
      *got = (size_t)n;
      return 0;
    }
    if (errno != EINTR) return errno;
  }
}

void un_sys_close(int fd) {
  close(fd);
}

/* --- directories --------------------------------------------------------------------
 */

static int make_one(const char *path) {
  struct stat state;
  if (mkdir(path, 0777) == 0) return 0;
  int error = errno;
  if (stat(path, &state) != 0) return error;
  return S_ISDIR(state.st_mode) ? 0 : ENOTDIR;
}

int un_sys_mkdir(const char *path) {
  char part[PATH_MAX];
  size_t length = strlen(path);
  if (length == 0) return ENOENT;
  if (length >= sizeof part) return ENAMETOOLONG;
  memcpy(part, path, length + 1);
  for (size_t i = 1; i < length; i++) {
    if (part[i] != '/') continue;
    part[i] = '\0';
    int error = make_one(part);
    part[i] = '/';
    if (error) return error;
  }
  return make_one(part);
}

int un_sys_open_directory(const char *path, void **directory) {
  *directory = opendir(path);
  return *directory ? 0 : errno;
}

const char *un_sys_next_name(void *directory) {
  const struct dirent *entry = readdir(directory);
  return entry ? entry->d_name : NULL;
}

void un_sys_close_directory(void *directory) {
  closedir(directory);
}
