/* profile.c -- where the time goes (see profile.h). */
#include "profile.h"

#include <string.h>

enum { MAX_DEPTH = 16 };

bool un_profile_on = false;

static _Thread_local bool is_counted = false; /* the thread that asked */

static struct {
  double (*clock)(void);
  un_phase_count count[UN_PHASES];
  int depth;
  un_phase open[MAX_DEPTH];
  double since[MAX_DEPTH]; /* when its own time began or went on */
} profile;

/* Adds the time up to now to the phase that is open. */
static void settle(double now) {
  if (profile.depth < 1 || profile.depth > MAX_DEPTH) return;
  int top = profile.depth - 1;
  profile.count[profile.open[top]].seconds += now - profile.since[top];
}

void un_profile_begin(un_phase phase) {
  if (!is_counted) return;
  double now = profile.clock();
  settle(now);
  if (profile.depth < MAX_DEPTH) {
    profile.open[profile.depth] = phase;
    profile.since[profile.depth] = now;
  }
  profile.depth++;
}

void un_profile_end(double flops) {
  if (!is_counted || profile.depth == 0) return;
  double now = profile.clock();
  settle(now);
  if (profile.depth-- > MAX_DEPTH) return;
  un_phase_count *count = &profile.count[profile.open[profile.depth]];
  count->calls++;
  count->flops += flops;
  if (profile.depth > 0) profile.since[profile.depth - 1] = now;
}

void un_profile_start(double (*clock)(void)) {
  memset(&profile, 0, sizeof profile);
  profile.clock = clock;
  is_counted = un_profile_on = true;
}

void un_profile_stop(void) {
  is_counted = un_profile_on = false;
}

const char *un_phase_name(un_phase phase) {
  static const char *const names[] = {
#define UN_PHASE_TEXT(name, text) text,
      UN_EACH_PHASE(UN_PHASE_TEXT)};
  return phase < UN_PHASE_OPS ? names[phase] : un_ops[phase - UN_PHASE_OPS].name;
}

un_phase_count un_profile_count(un_phase phase) {
  return profile.count[phase];
}
