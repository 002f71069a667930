/* isa.c -- chooses the instruction set. Not thread-safe: called before any thread. */
#include "isa.h"

#include <stddef.h>
#include <string.h>

static un_isa current = UN_ISA_GENERIC;

static bool machine_has(un_isa isa) {
#ifdef UN_HAS_AVX2
  if (isa == UN_ISA_AVX512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("fma");
  if (isa == UN_ISA_AVX2)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
  return isa == UN_ISA_GENERIC;
}

static const char *const names[] = {"generic", "avx2", "avx512"};

bool un_isa_select(const char *name) {
  for (int isa = UN_ISA_AVX512; isa >= UN_ISA_GENERIC; isa--) {
    if ((name == NULL || strcmp(name, names[isa]) == 0) && machine_has((un_isa)isa)) {
      current = (un_isa)isa;
      return true;
    }
  }
  return false;
}

un_isa un_isa_current(void) {
  return current;
}

const char *un_isa_name(void) {
  return names[current];
}
