/* parallel.h -- loops over independent jobs, on as many threads as the program allows.
**
** core starts no thread. bind hands it what runs jobs (un_sys_parallel); without that
** they run one after the other. A kernel cuts its work at fixed places, which do not
** depend on the number of threads, and adds up in the order of the pieces: so the bits
** of a result do not depend on it either. */
#ifndef UN_PARALLEL_H
#define UN_PARALLEL_H

#include <stdbool.h>
#include <stddef.h>

typedef void un_job(void *context, int index);
typedef void un_parallel_run(int jobs, un_job *job, void *context);

/* What runs jobs, and how many threads it may use; not while jobs run. */
void un_parallel_use(un_parallel_run *run, int (*threads)(void));

/* job(context, 0 .. jobs-1), in any order; returns when all are done. */
void un_parallel(int jobs, un_job *job, void *context);

int un_parallel_threads(void); /* at least 1 */

/* Does each thread better make a copy for itself of so many bytes that are made anew at
** every step of a training and then read again and again? It stays in the thread's cache;
** lines that another thread has written come from far away. */
static inline bool un_parallel_copies(size_t bytes) {
  enum { STAYS = 512 << 10 };
  return bytes <= STAYS;
}

#endif
