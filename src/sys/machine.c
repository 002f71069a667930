/* machine.c -- clock, processors, memory, the program itself. */
#include "sys.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

double un_sys_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int un_sys_cores(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int)count : 1;
}

void un_sys_use_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
  const uintptr_t page = 4096, first = ((uintptr_t)memory + page - 1) & ~(page - 1);
  const uintptr_t end = ((uintptr_t)memory + bytes) & ~(page - 1);
  if (bytes >= (size_t)1 << 22) madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

bool un_sys_isatty(int fd) {
  return isatty(fd) == 1;
}

int un_sys_executable(char *path, size_t room) {
  ssize_t length = readlink("/proc/self/exe", path, room);
  if (length < 0) return errno;
  if ((size_t)length >= room) return ENAMETOOLONG;
  path[length] = '\0';
  return 0;
}
