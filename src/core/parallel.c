/* parallel.c -- loops over independent jobs (see parallel.h). */
#include "parallel.h"

static un_parallel_run *run_jobs = NULL;
static int (*count_threads)(void) = NULL;

void un_parallel_use(un_parallel_run *run, int (*threads)(void)) {
  run_jobs = run;
  count_threads = threads;
}

void un_parallel(int jobs, un_job *job, void *context) {
  if (run_jobs && jobs > 1)
    run_jobs(jobs, job, context);
  else
    for (int i = 0; i < jobs; i++)
      job(context, i);
}

int un_parallel_threads(void) {
  return count_threads ? count_threads() : 1;
}
