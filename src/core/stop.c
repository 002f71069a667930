/* stop.c -- the flag that long work asks for (see stop.h). */
#include "stop.h"

#include <stddef.h>

static const volatile sig_atomic_t never = 0;

const volatile sig_atomic_t *un_stop_flag = &never;
const char *volatile un_stop_waits_for = NULL;

void un_watch_stop(const volatile sig_atomic_t *flag) {
  un_stop_flag = flag ? flag : &never;
}
