/* isa.h -- the instruction set in use, chosen once when the program starts.
**
** The files in src/core/isa are compiled once for each set that the compiler knows
** (see CMakeLists.txt) and each defines one table of functions, named with ISA():
**     const struct un_elman_kernels ISA(un_elman) = { ... };
** UN_BY_ISA declares such a table for all sets and the accessor that picks one. */
#ifndef UN_ISA_H
#define UN_ISA_H

#include <stdbool.h>

typedef enum un_isa { UN_ISA_GENERIC, UN_ISA_AVX2, UN_ISA_AVX512 } un_isa;

/* Chooses the widest set that this machine has, or the one that `name` asks for.
** False when `name` is unknown or the machine lacks it; the choice is then unchanged. */
bool un_isa_select(const char *name);
un_isa un_isa_current(void);
const char *un_isa_name(void); /* "generic", "avx2" or "avx512" */

#define UN_ISA_PASTE_(name, isa) name##_##isa
#define UN_ISA_PASTE(name, isa)  UN_ISA_PASTE_(name, isa)
#define ISA(name)                UN_ISA_PASTE(name, UN_ISA)

/* Before a loop of which no step reads what another one wrote. clang has no such pragma
** without a demand to vectorise; it looks at the addresses when the program runs. */
#ifdef __clang__
#define INDEPENDENT
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

/* In one .c file of src/core: UN_BY_ISA(struct un_elman_kernels, un_elman) gives
** static const struct un_elman_kernels *un_elman(void). */
#ifdef UN_HAS_AVX2
#define UN_BY_ISA(type, name)                                                          \
  extern const type name##_generic, name##_avx2, name##_avx512;                        \
  static inline const type *name(void) {                                               \
    switch (un_isa_current()) {                                                        \
    case UN_ISA_AVX512:                                                                \
      return &name##_avx512;                                                           \
    case UN_ISA_AVX2:                                                                  \
      return &name##_avx2;                                                             \
    default:                                                                           \
      return &name##_generic;                                                          \
    }                                                                                  \
  }
#else
#define UN_BY_ISA(type, name)                                                          \
  extern const type name##_generic;                                                    \
  static inline const type *name(void) {                                               \
    return &name##_generic;                                                            \
  }
#endif

#endif
