/* stop.h -- long work that somebody wants to end.
**
** The host hands core a flag that its signal handler sets (Ctrl-C). Work that may take
** longer than a few milliseconds asks un_stopped() every few milliseconds and, when it
** is set, leaves: outputs are then valid memory with some numbers missing. The flag
** stays up until the host raises "interrupted!" in Lua, which it does as soon as the C
** function returns. So no script sees what was left unfinished, a function may go on to
** its next kernel without asking (that one leaves at once), and a check that left early
** guards nothing, because nothing runs after it. What must not be left half-way (a step
** of an optimiser) does not ask.
**
** LAPACK cannot be asked to stop: un_stop_waits_for names the function that runs, for
** the message that the host shows meanwhile.
**
** Nobody has to watch: without a flag un_stopped() is false. Any thread may ask. */
#ifndef UN_STOP_H
#define UN_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

extern const volatile sig_atomic_t *un_stop_flag;
extern const char *volatile un_stop_waits_for; /* NULL: nothing that cannot stop */

void un_watch_stop(const volatile sig_atomic_t *flag); /* NULL: none */

static inline bool un_stopped(void) {
  return *un_stop_flag != 0;
}

/* The same for loops of cheap steps: asks at i = 0 and at every 65536th i. */
static inline bool un_stopped_at(int64_t i) {
  return (i & 0xFFFF) == 0 && un_stopped();
}

#endif
