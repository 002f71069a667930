/* reduce_few.h -- reductions of few numbers along a dimension. */
#ifndef UN_REDUCE_FEW_H
#define UN_REDUCE_FEW_H

#include "reduce.h"

/* As un_reduce_dim, when all is small, and simple enough to be done by its definition;
** false, and nothing is done, otherwise. */
bool un_reduce_few(un_reduction r, const un_reduce_options *o, const un_view *x,
                   int dim, const un_view *out, const un_view *indices);

#endif
