/* test_sys.c -- Ctrl-C that waits: what reaches the handler that was there before. */
#include "check.h"
#include "sys.h"

#include <signal.h>

static volatile sig_atomic_t delivered = 0;

static void count_delivery(int signal_number) {
  (void)signal_number;
  delivered = delivered + 1;
}

static void press_ctrl_c(void) {
  raise(SIGINT);
}

static void test_a_note_that_is_taken(void) {
  delivered = 0;
  un_sys_defer_interrupts();
  CHECK(!un_sys_take_interrupt());
  press_ctrl_c();
  CHECK(delivered == 0);
  CHECK(un_sys_take_interrupt());
  CHECK(!un_sys_take_interrupt());
  un_sys_allow_interrupts();
  CHECK(delivered == 0);
}

static void test_a_note_that_nobody_takes(void) {
  delivered = 0;
  un_sys_defer_interrupts();
  press_ctrl_c();
  un_sys_allow_interrupts();
  CHECK(delivered == 1);
}

static void test_a_second_press(void) {
  delivered = 0;
  un_sys_defer_interrupts();
  press_ctrl_c();
  press_ctrl_c();
  CHECK(delivered == 1);
  un_sys_allow_interrupts();
  CHECK(delivered == 1);
}

static void test_pairs_nest(void) {
  delivered = 0;
  un_sys_defer_interrupts();
  un_sys_defer_interrupts();
  press_ctrl_c();
  un_sys_allow_interrupts();
  CHECK(delivered == 0);
  un_sys_allow_interrupts();
  CHECK(delivered == 1);
  un_sys_allow_interrupts(); /* one too many does nothing */
  press_ctrl_c();
  CHECK(delivered == 2);
}

int main(void) {
  signal(SIGINT, count_delivery);
  test_a_note_that_is_taken();
  test_a_note_that_nobody_takes();
  test_a_second_press();
  test_pairs_nest();
  return check_summary();
}
