/* view.h -- new views of the same numbers: parts, orders and shapes.
**
** out may be v itself. Arguments are 0-based and in range (bind has checked them),
** except where a function says that it can fail. */
#ifndef UN_VIEW_H
#define UN_VIEW_H

#include "un.h"

/* Index i of dimension d; the dimension goes. */
void un_select(un_view *out, const un_view *v, int d, int64_t i);

/* `count` elements of dimension d from `first` on, `step` apart. */
void un_slice(un_view *out, const un_view *v, int d, int64_t first, int64_t count,
              int64_t step);

/* Dimension d of out is dimension order[d] of v. */
void un_permute(un_view *out, const un_view *v, const int *order);

void un_insert_dim(un_view *out, const un_view *v,
                   int d); /* of size 1; v->dims < max */
void un_remove_dim(un_view *out, const un_view *v, int d); /* whatever its size */

/* v with other sizes (as many elements) without moving a number. False when the strides
** of v do not allow it. */
bool un_reshape(un_view *out, const un_view *v, int dims, const int64_t *size);

#endif
