/* threads.c -- a small pool of threads (see threads.h).
**
** The jobs of a round are dealt to the threads in equal stretches, always in the same
** way: what a thread worked on before is still in its cache. Who has done its own stretch
** helps the others, so a worker that wakes late, or not at all, holds up nobody.
**
** The ticket of a stretch says what is to be done: the number of the round in the high
** half, the next job in the low half. A thread takes a job by raising the ticket it has
** read by one; if that succeeds, nobody has begun another round in between, so the job,
** its context and the counts that were read belong to it. Between two rounds the tickets
** are closed: their low half is CLOSED, which no job can follow. The caller waits only
** for jobs that were taken.
**
** Who waits spins a little first (a step of a small network is some 10 us, a wake-up
** by the kernel 5 to 50), then sleeps on a condition. `sleepers` and `caller_sleeps` are
** raised before the last look at what is awaited, and read after it has changed: one of
** the two sides sees the other, and no wake-up is lost.
*/
#include "threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOSED UINT64_C(0xFFFFFFFF)

enum { SPINS = 30000 };

/* Each in a line of the cache of its own. */
typedef struct stretch {
  _Alignas(64) atomic_uint_fast64_t ticket;
} stretch;

static struct pool {
  stretch stretch[UN_SYS_MAX_THREADS]; /* the first is the caller's */
  atomic_uint_fast64_t round;
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  pthread_t worker[UN_SYS_MAX_THREADS];
  int workers; /* that run */
  bool ready;  /* fork and exit know of the pool */
  atomic_flag in_use;
  _Atomic(void (*)(void *, int)) job;
  _Atomic(void *) context;
  atomic_int jobs, stretches, unfinished, sleepers;
  atomic_bool ending, caller_sleeps;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER,
          .in_use = ATOMIC_FLAG_INIT};

static int threads = 1;

/* Does this thread run a job? Its own loops ask no more of the pool then: the line of
** `in_use` would go to and fro between threads that have such loops. */
static _Thread_local bool is_at_work = false;

/* Now and then another thread may have the processor: perhaps the one that is awaited. That
** takes a microsecond or so, during which a new round would not be seen. */
static void pause_briefly(int round) {
  if (round % 1024 == 1023) sched_yield();
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause();
#endif
}

/* Where stretch i of the jobs begins. */
static uint64_t first_job(int i) {
  return (uint64_t)atomic_load(&pool.jobs) * (uint64_t)i /
         (uint64_t)atomic_load(&pool.stretches);
}

static void note_done(void) {
  if (atomic_fetch_sub(&pool.unfinished, 1) > 1) return;
  if (atomic_load(&pool.caller_sleeps)) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&pool.done);
    pthread_mutex_unlock(&pool.lock);
  }
}

/* Takes and runs jobs of stretch i until there are none. */
static void run_stretch(int i) {
  for (;;) {
    uint64_t ticket = atomic_load(&pool.stretch[i].ticket);
    uint64_t index = ticket & CLOSED;
    if (index == CLOSED || index >= first_job(i + 1)) return;
    void (*job)(void *, int) = atomic_load(&pool.job);
    void *context = atomic_load(&pool.context);
    if (!atomic_compare_exchange_strong(&pool.stretch[i].ticket, &ticket, ticket + 1))
      continue;
    job(context, (int)index);
    note_done();
  }
}

/* The jobs of thread `own`, then what the others have left. */
static void run_jobs(int own) {
  int count = atomic_load(&pool.stretches);
  is_at_work = true;
  for (int i = 0; i < count; i++)
    run_stretch((own + i) % count);
  is_at_work = false;
}

/* --- workers ------------------------------------------------------------------------ */

static bool is_news(uint64_t seen) {
  return atomic_load(&pool.ending) || atomic_load(&pool.round) != seen;
}

/* Until there is another round than the one that was seen, or the end. */
static void wait_for_work(uint64_t seen) {
  for (int i = 0; i < SPINS; i++) {
    if (is_news(seen)) return;
    pause_briefly(i);
  }
  pthread_mutex_lock(&pool.lock);
  atomic_fetch_add(&pool.sleepers, 1);
  while (!is_news(seen))
    pthread_cond_wait(&pool.work, &pool.lock);
  atomic_fetch_sub(&pool.sleepers, 1);
  pthread_mutex_unlock(&pool.lock);
}

static void *work(void *number) {
  int own = (int)(intptr_t)number;
  uint64_t seen = 0;
  while (!atomic_load(&pool.ending)) {
    wait_for_work(seen);
    seen = atomic_load(&pool.round);
    run_jobs(own);
  }
  return NULL;
}

static void wake_workers(void) {
  pthread_mutex_lock(&pool.lock);
  pthread_cond_broadcast(&pool.work);
  pthread_mutex_unlock(&pool.lock);
}

static void end_workers(void) {
  atomic_store(&pool.ending, true);
  wake_workers();
  while (pool.workers > 0)
    pthread_join(pool.worker[--pool.workers], NULL);
  atomic_store(&pool.ending, false);
}

/* The copy has this thread alone, whatever the others held. */
static void forget_workers(void) {
  pool.workers = 0;
  threads = 1;
  pthread_mutex_init(&pool.lock, NULL);
  pthread_cond_init(&pool.work, NULL);
  pthread_cond_init(&pool.done, NULL);
  atomic_store(&pool.sleepers, 0);
  atomic_flag_clear(&pool.in_use);
}

__attribute__((destructor)) static void end_pool(void) {
  end_workers();
}

/* Starts what is missing; where the system gives no more threads, fewer do the work. */
static void start_workers(void) {
  sigset_t all, before;
  if (!pool.ready) pthread_atfork(NULL, NULL, forget_workers);
  pool.ready = true;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool.workers < threads - 1 &&
         pthread_create(&pool.worker[pool.workers], NULL, work,
                        (void *)(intptr_t)(pool.workers + 1)) == 0)
    pool.workers++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* --- the caller --------------------------------------------------------------------- */

static void publish(int jobs, void (*job)(void *, int), void *context) {
  uint64_t round = (atomic_load(&pool.round) + 1) & CLOSED;
  int count = pool.workers + 1;
  atomic_store(&pool.job, job);
  atomic_store(&pool.context, context);
  atomic_store(&pool.jobs, jobs);
  atomic_store(&pool.stretches, count);
  atomic_store(&pool.unfinished, jobs);
  for (int i = 0; i < count; i++)
    atomic_store(&pool.stretch[i].ticket, round << 32 | first_job(i));
  atomic_store(&pool.round, round);
  if (atomic_load(&pool.sleepers) > 0) wake_workers();
}

static void close_tickets(void) {
  for (int i = 0; i <= pool.workers; i++)
    atomic_fetch_or(&pool.stretch[i].ticket, CLOSED);
}

static void wait_until_done(void) {
  for (int i = 0; i < SPINS && atomic_load(&pool.unfinished) > 0; i++)
    pause_briefly(i);
  if (atomic_load(&pool.unfinished) > 0) {
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_sleeps, true);
    while (atomic_load(&pool.unfinished) > 0)
      pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.lock);
  }
  close_tickets();
}

void un_sys_parallel(int jobs, void (*job)(void *, int), void *context) {
  if (jobs < 2 || threads == 1 || is_at_work ||
      atomic_flag_test_and_set(&pool.in_use)) {
    for (int i = 0; i < jobs; i++)
      job(context, i);
    return;
  }
  if (pool.workers < threads - 1) start_workers();
  publish(jobs, job, context);
  run_jobs(0);
  wait_until_done();
  atomic_flag_clear(&pool.in_use);
}

int un_sys_threads(void) {
  return threads;
}

void un_sys_set_threads(int count) {
  if (count == threads) return;
  end_workers();
  threads = count < 1 ? 1 : count > UN_SYS_MAX_THREADS ? UN_SYS_MAX_THREADS : count;
}
