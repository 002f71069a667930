/* gather.h -- elements picked by index along one dimension.
**
** Indices are int32 tensors that count from 1, as scripts see them. All checks are done
** by un_check_indices, before anything is written. */
#ifndef UN_GATHER_H
#define UN_GATHER_H

#include "un.h"

/* Every index is in 1..size. */
UN_CHECKED bool un_check_indices(const char *who, const un_view *index, int64_t size,
                                 un_err *err);

/* out[i,j,k] = src[i, index[i,j,k], k] for dim = 1 (0-based). out and index have the
** same
** sizes; in every other dimension src is at least as large. Same dtype; no overlap. */
void un_gather(const un_view *out, const un_view *src, int dim, const un_view *index);

/* dst[i, index[i,j,k], k] += src[i,j,k]: the derivative of gather; real dtypes. src and
** index have the same sizes. Repeated indices add up, in row-major order. */
void un_scatter_add(const un_view *dst, int dim, const un_view *index,
                    const un_view *src);

#endif
