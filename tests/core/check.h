/* check.h -- checks for tests in C: each prints where it failed; the program ends with
** the line that scripts/test counts. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>

static int checks_passed = 0, checks_failed = 0;

#define CHECK(condition) check_that((condition), #condition, __FILE__, __LINE__)

static inline void check_that(bool holds, const char *text, const char *file,
                              int line) {
  if (holds) {
    checks_passed++;
    return;
  }
  checks_failed++;
  printf("FAILED %s:%d: %s\n", file, line, text);
}

static inline int check_summary(void) {
  printf("%d passed, %d failed\n", checks_passed, checks_failed);
  return checks_failed > 0;
}

#endif
