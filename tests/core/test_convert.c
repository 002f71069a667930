/* test_convert.c -- kernels of conversion whose answers only show in the time they take. */
#include "check.h"
#include "isa.h"
#include "isa/convert.h"

UN_BY_ISA(un_convert_kernels, un_convert)

/* The largest float32 below 2^31 is an int32, 2^31 is none. */
static void test_within_int32(void) {
  const float inside[] = {-0x1p31f, -1, 0.5f, 2147483520.0f}, above = 0x1p31f,
              below = -2147483904.0f;
  const double fraction = 2147483647.5, large = 2147483648.0;
  const un_convert_kernels *k = un_convert();
  CHECK(k->within[0](4, inside, INT32_MIN, INT32_MAX, false));
  CHECK(k->within[0](1, inside + 3, INT32_MIN, INT32_MAX, true));
  CHECK(!k->within[0](1, &above, INT32_MIN, INT32_MAX, false));
  CHECK(!k->within[0](1, &below, INT32_MIN, INT32_MAX, false));
  CHECK(!k->within[0](1, inside + 2, INT32_MIN, INT32_MAX, true));
  CHECK(k->within[1](1, &fraction, INT32_MIN, INT32_MAX, false));
  CHECK(!k->within[1](1, &large, INT32_MIN, INT32_MAX, false));
}

int main(void) {
  static const char *const names[] = {"generic", "avx2", "avx512"};
  for (int i = 0; i < 3; i++)
    if (un_isa_select(names[i])) test_within_int32();
  return check_summary();
}
