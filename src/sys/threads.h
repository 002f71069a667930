/* threads.h -- a small pool of threads for one loop at a time.
**
** The pool starts with the first loop that wants it and ends with the program (or when
** the module is unloaded). Workers take no signals: Ctrl-C reaches the main thread. A
** forked copy starts without workers and with one thread. */
#ifndef UN_SYS_THREADS_H
#define UN_SYS_THREADS_H

enum { UN_SYS_MAX_THREADS = 256 };

/* How many threads a loop may use, the caller's included; at least 1. */
int un_sys_threads(void);

/* 1..UN_SYS_MAX_THREADS. Not while a loop runs. */
void un_sys_set_threads(int count);

/* Calls job(context, i) once for each i in 0..jobs-1, on any thread and in any order,
** and returns when all are done. A call from inside a job, or while another thread uses
** the pool, runs its jobs one after the other. The jobs must not raise or jump. */
void un_sys_parallel(int jobs, void (*job)(void *context, int index), void *context);

#endif
