/* interrupt.c -- Ctrl-C that waits until the program is ready for it (see sys.h).
**
** It chains: the handler that was installed before (the host's, stock Lua's or none)
** comes back when the last pair of defer and allow has closed. So the same code serves
** the host and stock Lua. Only the main thread may call this.
*/
#include "sys.h"

#include <signal.h>
#include <string.h>

static int depth = 0;
static struct sigaction before;
static volatile sig_atomic_t noted = 0;

static void note_interrupt(int signal_number) {
  if (!noted) {
    noted = 1;
    return;
  }
  noted = 0;
  if (before.sa_handler == SIG_IGN) return;
  if (before.sa_handler != SIG_DFL) {
    before.sa_handler(signal_number);
    return;
  }
  sigaction(SIGINT, &before, NULL);
  raise(SIGINT); /* acts as soon as this handler returns */
}

void un_sys_defer_interrupts(void) {
  if (depth++ > 0) return;
  noted = 0;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = note_interrupt;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before);
}

void un_sys_allow_interrupts(void) {
  if (depth == 0 || --depth > 0) return;
  sigaction(SIGINT, &before, NULL);
  if (un_sys_take_interrupt()) raise(SIGINT);
}

bool un_sys_take_interrupt(void) {
  bool was_noted = noted;
  noted = 0;
  return was_noted;
}
