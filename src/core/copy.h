/* copy.h -- setting, copying and converting numbers, between all dtypes and strides.
**
** Integer dtypes take only what they can hold: un_check_value and un_check_conversion
** say so before anything is written, un_copy_to_new later, of a tensor nobody has seen.
** float32 takes every double, rounded. */
#ifndef UN_COPY_H
#define UN_COPY_H

#include "un.h"

/* The element at p as a double, and back. Every integer dtype fits in a double. */
double un_get(un_dtype dtype, const void *p);
void un_put(un_dtype dtype, void *p, double value); /* the value must fit */

/* Elements first, first + 1, ... of those that lie `stride` apart from p on: in `room`, or
** where they are. */
const double *un_get_many(un_dtype dtype, const void *p, int64_t first, int64_t stride,
                          int64_t count, double *room);

/* Whether all a[i] == b[i], side by side, is found out fast: of the small integers it says
** no. */
bool un_same_many(un_dtype dtype, int64_t n, const void *a, const void *b);

/* What happens to 2.7 on its way to an integer. */
typedef enum un_rounding {
  UN_EXACT,   /* an error: only whole numbers pass */
  UN_TRUNCATE /* becomes 2, -2.7 becomes -2 */
} un_rounding;

UN_CHECKED bool un_check_value(const char *who, un_dtype dtype, double value,
                               un_rounding rounding, un_err *err);
UN_CHECKED bool un_check_conversion(const char *who, const un_view *src, un_dtype dtype,
                                    un_rounding rounding, un_err *err);

/* Sets every element. The value must fit. */
void un_fill(const un_view *dst, double value);

/* Element i of a vector = first + i * step; the values must fit. */
void un_fill_progression(const un_view *dst, double first, double step);

/* dst = src, of the same sizes; values must fit. The two share no memory, or are the
** same view, or are both contiguous with the same dtype (then as memmove). */
void un_copy(const un_view *dst, const un_view *src);

/* un_check_conversion and un_copy in one, which reads src once: for a dst without gaps that
** nobody has seen yet, since after an error part of it is written. */
UN_CHECKED bool un_copy_to_new(const char *who, const un_view *dst, const un_view *src,
                               un_rounding rounding, un_err *err);

/* True when un_copy(dst, src) is right although the two may share memory. */
bool un_can_copy(const un_view *dst, const un_view *src);

#endif
