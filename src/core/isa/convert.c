/* convert.c -- numbers that are set, moved and turned from one dtype into another.
**
** There are 25 pairs of dtypes; EACH_DTYPE writes one short loop for each. A transpose
** goes by blocks of BLOCK x BLOCK, held in vectors and turned by shuffles. */
#include "isa/convert.h"

#include <math.h>
#include <string.h>

#include "isa.h"
#include "isa/vec.h"

/* X(dtype, suffix, C type), in the order of un_dtype. */
#define EACH_DTYPE(X)                                                                  \
  X(UN_F32, f32, float)                                                                \
  X(UN_F64, f64, double)                                                               \
  X(UN_I32, i32, int32_t)                                                              \
  X(UN_U8, u8, uint8_t)                                                                \
  X(UN_U16, u16, uint16_t)

typedef char unaligned_bytes
    __attribute__((vector_size(VEC_BYTES), aligned(1), may_alias));

#define RUN_ARGS int64_t n, void *const *data, const int64_t *stride, void *context

/* --- filling ------------------------------------------------------------------------ */

#define FILL(dtype_, suffix, type)                                                     \
  static void fill_##suffix(RUN_ARGS) {                                                \
    const type value = (type) * (const double *)context;                               \
    type *y = data[0];                                                                 \
    const int64_t sy = stride[0];                                                      \
    if (sy == 1)                                                                       \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = value;                                                                  \
    else                                                                               \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i * sy] = value;                                                             \
  }
EACH_DTYPE(FILL)

/* --- converting --------------------------------------------------------------------- */

/* With gaps gcc makes no vectors, and would do number after number. */
#ifdef __clang__
#define FOUR_AT_ONCE
#else
#define FOUR_AT_ONCE _Pragma("GCC unroll 4")
#endif

/* Operands that share memory are the same one, or are moved by memmove elsewhere. */
#define CONVERT(from, x_type, to, y_type)                                              \
  static void from##_to_##to(RUN_ARGS) {                                               \
    (void)context;                                                                     \
    y_type *y = data[0];                                                               \
    const x_type *x = data[1];                                                         \
    const int64_t sy = stride[0], sx = stride[1];                                      \
    if (sy == 1 && sx == 1) {                                                          \
      INDEPENDENT                                                                      \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = (y_type)x[i];                                                           \
    } else if (sy == 1 && sx == 2) {                                                   \
      INDEPENDENT                                                                      \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i] = (y_type)x[2 * i];                                                       \
    } else {                                                                           \
      INDEPENDENT                                                                      \
      FOUR_AT_ONCE                                                                     \
      for (int64_t i = 0; i < n; i++)                                                  \
        y[i * sy] = (y_type)x[i * sx];                                                 \
    }                                                                                  \
  }
#define CONVERT_FROM(dtype_, from, type)                                               \
  CONVERT(from, type, f32, float)                                                      \
  CONVERT(from, type, f64, double)                                                     \
  CONVERT(from, type, i32, int32_t)                                                    \
  CONVERT(from, type, u8, uint8_t)                                                     \
  CONVERT(from, type, u16, uint16_t)
EACH_DTYPE(CONVERT_FROM)

/* Some processors are slow at the instruction that the C library copies kilobytes with,
** when the two lie alike in their pages. So four vectors are read, then written. */
static void move_bytes(char *to, const char *from, size_t bytes) {
  enum { AT_ONCE = 4 * VEC_BYTES };
  size_t i = 0;
  for (; i + AT_ONCE <= bytes; i += AT_ONCE) {
    unaligned_bytes *y = (unaligned_bytes *)(to + i);
    const unaligned_bytes *x = (const unaligned_bytes *)(from + i);
    const unaligned_bytes v0 = x[0], v1 = x[1], v2 = x[2], v3 = x[3];
    y[0] = v0, y[1] = v1, y[2] = v2, y[3] = v3;
  }
  memcpy(to + i, from + i, bytes - i);
}

/* The same dtype on both sides. */
#define MOVE(dtype_, suffix, type)                                                     \
  static void move_##suffix(RUN_ARGS) {                                                \
    if (stride[0] == 1 && stride[1] == 1)                                              \
      move_bytes(data[0], data[1], (size_t)n * sizeof(type));                          \
    else                                                                               \
      suffix##_to_##suffix(n, data, stride, context);                                  \
  }
EACH_DTYPE(MOVE)

/* --- transposing -------------------------------------------------------------------- */

enum { BLOCK = 8 };

typedef uint32_t row_4 __attribute__((vector_size(32)));
typedef uint32_t unaligned_4 __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint64_t row_8 __attribute__((vector_size(64)));
typedef uint64_t unaligned_8 __attribute__((vector_size(64), aligned(8), may_alias));

/* Row i of the block becomes column i: pairs of neighbours are exchanged between rows
** that are 1, 2 and 4 apart. */
#define LOW_1  0, 8, 2, 10, 4, 12, 6, 14
#define HIGH_1 1, 9, 3, 11, 5, 13, 7, 15
#define LOW_2  0, 1, 8, 9, 4, 5, 12, 13
#define HIGH_2 2, 3, 10, 11, 6, 7, 14, 15
#define LOW_4  0, 1, 2, 3, 8, 9, 10, 11
#define HIGH_4 4, 5, 6, 7, 12, 13, 14, 15
#define EXCHANGE(a, b, low, high)                                                      \
  do {                                                                                 \
    row kept = a;                                                                      \
    a = __builtin_shufflevector(kept, b, low);                                         \
    b = __builtin_shufflevector(kept, b, high);                                        \
  } while (0)

#define TRANSPOSE_BLOCK(suffix, type)                                                  \
  ALWAYS_INLINE void transpose_block_##suffix(type *to, int64_t to_row,                \
                                              const type *from, int64_t from_row) {    \
    typedef row_##suffix row;                                                          \
    row r0 = *(const unaligned_##suffix *)(from);                                      \
    row r1 = *(const unaligned_##suffix *)(from + from_row);                           \
    row r2 = *(const unaligned_##suffix *)(from + 2 * from_row);                       \
    row r3 = *(const unaligned_##suffix *)(from + 3 * from_row);                       \
    row r4 = *(const unaligned_##suffix *)(from + 4 * from_row);                       \
    row r5 = *(const unaligned_##suffix *)(from + 5 * from_row);                       \
    row r6 = *(const unaligned_##suffix *)(from + 6 * from_row);                       \
    row r7 = *(const unaligned_##suffix *)(from + 7 * from_row);                       \
    EXCHANGE(r0, r1, LOW_1, HIGH_1);                                                   \
    EXCHANGE(r2, r3, LOW_1, HIGH_1);                                                   \
    EXCHANGE(r4, r5, LOW_1, HIGH_1);                                                   \
    EXCHANGE(r6, r7, LOW_1, HIGH_1);                                                   \
    EXCHANGE(r0, r2, LOW_2, HIGH_2);                                                   \
    EXCHANGE(r1, r3, LOW_2, HIGH_2);                                                   \
    EXCHANGE(r4, r6, LOW_2, HIGH_2);                                                   \
    EXCHANGE(r5, r7, LOW_2, HIGH_2);                                                   \
    EXCHANGE(r0, r4, LOW_4, HIGH_4);                                                   \
    EXCHANGE(r1, r5, LOW_4, HIGH_4);                                                   \
    EXCHANGE(r2, r6, LOW_4, HIGH_4);                                                   \
    EXCHANGE(r3, r7, LOW_4, HIGH_4);                                                   \
    *(unaligned_##suffix *)(to) = r0;                                                  \
    *(unaligned_##suffix *)(to + to_row) = r1;                                         \
    *(unaligned_##suffix *)(to + 2 * to_row) = r2;                                     \
    *(unaligned_##suffix *)(to + 3 * to_row) = r3;                                     \
    *(unaligned_##suffix *)(to + 4 * to_row) = r4;                                     \
    *(unaligned_##suffix *)(to + 5 * to_row) = r5;                                     \
    *(unaligned_##suffix *)(to + 6 * to_row) = r6;                                     \
    *(unaligned_##suffix *)(to + 7 * to_row) = r7;                                     \
  }
TRANSPOSE_BLOCK(4, uint32_t)
TRANSPOSE_BLOCK(8, uint64_t)

/* Narrow elements: one after the other. */
#define TRANSPOSE_PLAIN(suffix, type)                                                  \
  ALWAYS_INLINE void transpose_block_##suffix(type *to, int64_t to_row,                \
                                              const type *from, int64_t from_row) {    \
    for (int i = 0; i < BLOCK; i++)                                                    \
      for (int j = 0; j < BLOCK; j++)                                                  \
        to[i * to_row + j] = from[j * from_row + i];                                   \
  }
TRANSPOSE_PLAIN(1, uint8_t)
TRANSPOSE_PLAIN(2, uint16_t)

#define TRANSPOSE(suffix, type)                                                        \
  static void transpose_##suffix(int64_t rows, int64_t columns, void *to_,             \
                                 int64_t to_row, const void *from_,                    \
                                 int64_t from_row) {                                   \
    type *to = to_;                                                                    \
    const type *from = from_;                                                          \
    const int64_t whole_rows = rows - rows % BLOCK, whole = columns - columns % BLOCK; \
    for (int64_t j = 0; j < whole; j += BLOCK)                                         \
      for (int64_t i = 0; i < whole_rows; i += BLOCK)                                  \
        transpose_block_##suffix(to + i * to_row + j, to_row, from + j * from_row + i, \
                                 from_row);                                            \
    for (int64_t i = 0; i < rows; i++)                                                 \
      for (int64_t j = i < whole_rows ? whole : 0; j < columns; j++)                   \
        to[i * to_row + j] = from[j * from_row + i];                                   \
  }
TRANSPOSE(1, uint8_t)
TRANSPOSE(2, uint16_t)
TRANSPOSE(4, uint32_t)
TRANSPOSE(8, uint64_t)

/* --- looking ------------------------------------------------------------------------ */

#define SAME(suffix, type)                                                             \
  static bool same_##suffix(int64_t n, const void *pa, const void *pb) {               \
    const type *a = pa, *b = pb;                                                       \
    int differ = 0;                                                                    \
    for (int64_t i = 0; i < n; i++)                                                    \
      differ |= a[i] != b[i];                                                          \
    return !differ;                                                                    \
  }
SAME(f32, float)
SAME(f64, double)
SAME(i32, int32_t)

/* `high` is a whole number, and high + 1 a power of two: no type rounds it. */
#define WITHIN(suffix, type, rint)                                                     \
  static bool within_##suffix(int64_t n, const void *data, double low, double high,    \
                              bool whole) {                                            \
    const type *x = data, least = (type)low, limit = (type)(high + 1);                 \
    int outside = 0;                                                                   \
    if (whole)                                                                         \
      for (int64_t i = 0; i < n; i++)                                                  \
        outside |= !(x[i] >= least) | !(x[i] < limit) | (rint(x[i]) != x[i]);          \
    else                                                                               \
      for (int64_t i = 0; i < n; i++)                                                  \
        outside |= !(x[i] >= least) | !(x[i] < limit);                                 \
    return !outside;                                                                   \
  }
WITHIN(f32, float, rintf)
WITHIN(f64, double, rint)

/* --- streaming ---------------------------------------------------------------------- */

#if defined __AVX2__

static void stream(void *to_, const void *from_, size_t bytes) {
  char *to = to_;
  const char *from = from_;
  const size_t whole = bytes - bytes % VEC_BYTES;
  for (size_t i = 0; i < whole; i += VEC_BYTES)
#if defined __AVX512F__
    _mm512_stream_si512((void *)(to + i), _mm512_loadu_si512((const void *)(from + i)));
#else
    _mm256_stream_si256((__m256i *)(void *)(to + i),
                        _mm256_loadu_si256((const __m256i *)(const void *)(from + i)));
#endif
  memcpy(to + whole, from + whole, bytes - whole);
}

static void stream_end(void) {
  _mm_sfence();
}

#else

static void stream(void *to, const void *from, size_t bytes) {
  memcpy(to, from, bytes);
}

static void stream_end(void) {
}

#endif

extern const un_convert_kernels ISA(un_convert);
const un_convert_kernels ISA(un_convert) = {
    .run = {[UN_F32] = {move_f32, f32_to_f64, f32_to_i32, f32_to_u8, f32_to_u16},
            [UN_F64] = {f64_to_f32, move_f64, f64_to_i32, f64_to_u8, f64_to_u16},
            [UN_I32] = {i32_to_f32, i32_to_f64, move_i32, i32_to_u8, i32_to_u16},
            [UN_U8] = {u8_to_f32, u8_to_f64, u8_to_i32, move_u8, u8_to_u16},
            [UN_U16] = {u16_to_f32, u16_to_f64, u16_to_i32, u16_to_u8, move_u16}},
#define FILL_ENTRY(dtype_, suffix, type) [dtype_] = fill_##suffix,
    .fill = {EACH_DTYPE(FILL_ENTRY)},
    .transpose = {transpose_1, transpose_2, transpose_4, transpose_8},
    .same = {same_f32, same_f64, same_i32},
    .within = {within_f32, within_f64},
    .stream = stream,
    .stream_end = stream_end,
};
