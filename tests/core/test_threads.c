/* test_threads.c -- the thread pool: every job once, nested loops, changes of the number
** of threads, forked copies, signals. */
#include "check.h"
#include "threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS = 1000 };

static atomic_int runs[JOBS];

static void count_run(void *context, int i) {
  atomic_fetch_add(&runs[i], *(int *)context);
}

static bool each_ran(int jobs, int times) {
  for (int i = 0; i < JOBS; i++)
    if (runs[i] != (i < jobs ? times : 0)) return false;
  return true;
}

static bool loop_runs_each_once(int jobs) {
  int one = 1;
  memset(runs, 0, sizeof runs);
  un_sys_parallel(jobs, count_run, &one);
  return each_ran(jobs, 1);
}

static void test_every_job_runs_once(void) {
  for (int threads = 1; threads <= 5; threads++) {
    un_sys_set_threads(threads);
    CHECK(un_sys_threads() == threads);
    bool right = true;
    for (int round = 0; round < 2000; round++)
      right = right && loop_runs_each_once(round % 17);
    CHECK(right);
    CHECK(loop_runs_each_once(JOBS));
  }
}

/* Workers sleep after a while, and wake up for the next loop. */
static void test_a_pause_between_loops(void) {
  un_sys_set_threads(3);
  bool right = true;
  for (int round = 0; round < 20; round++) {
    usleep(3000);
    right = right && loop_runs_each_once(50);
  }
  CHECK(right);
}

static void run_inner_loop(void *context, int i) {
  (void)i;
  un_sys_parallel(10, count_run, context);
}

static void test_a_loop_inside_a_job(void) {
  int one = 1;
  un_sys_set_threads(4);
  memset(runs, 0, sizeof runs);
  un_sys_parallel(20, run_inner_loop, &one);
  CHECK(each_ran(10, 20));
}

static void test_limits(void) {
  un_sys_set_threads(0);
  CHECK(un_sys_threads() == 1);
  un_sys_set_threads(UN_SYS_MAX_THREADS + 1);
  CHECK(un_sys_threads() == UN_SYS_MAX_THREADS);
  un_sys_set_threads(2);
}

static int code_of_copy(void) {
  if (un_sys_threads() != 1) return 1;
  if (!loop_runs_each_once(100)) return 2;
  un_sys_set_threads(2);
  return loop_runs_each_once(100) ? 0 : 3;
}

static void test_a_forked_copy(void) {
  int status = -1;
  un_sys_set_threads(3);
  CHECK(loop_runs_each_once(100));
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) _exit(code_of_copy());
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(un_sys_threads() == 3 && loop_runs_each_once(100));
}

static pthread_t main_thread;
static volatile sig_atomic_t elsewhere = 0, seen = 0;

static void note_thread(int signal_number) {
  (void)signal_number;
  seen++;
  if (!pthread_equal(pthread_self(), main_thread)) elsewhere = 1;
}

static void test_signals_reach_the_main_thread(void) {
  main_thread = pthread_self();
  signal(SIGINT, note_thread);
  un_sys_set_threads(4);
  for (int i = 0; i < 100; i++) {
    CHECK(loop_runs_each_once(8));
    kill(getpid(), SIGINT);
  }
  CHECK(seen > 0 && !elsewhere);
}

int main(void) {
  test_every_job_runs_once();
  test_a_pause_between_loops();
  test_a_loop_inside_a_job();
  test_limits();
  test_a_forked_copy();
  test_signals_reach_the_main_thread();
  return check_summary();
}
