/* stream.h -- results that go past the caches.
**
** A store to memory that no cache holds reads a line first and pushes another one out.
** Where the operands of an operation are more than the caches hold together, that is for
** nothing: then each piece of the result is made in a buffer that stays in the first
** cache, and from there stored without reading. */
#ifndef UN_STREAM_H
#define UN_STREAM_H

#include "walk.h"

typedef struct un_stream {
  un_run *run; /* whose results are streamed */
  void *context;
  int operands;
  bool moves; /* the run copies the bytes of operand 1 */
  int64_t bytes[UN_WALK_MAX];
} un_stream;

/* Whether to stream view[0], the result. Not when it is an input, too: then its lines are
** in the cache when they are written. */
bool un_is_streamed(int operands, const un_view *const *view);

un_stream un_make_stream(un_run *run, void *context, int operands,
                         const un_view *const *view);

/* As the run of the un_stream that is its context. */
void un_stream_run(int64_t n, void *const *data, const int64_t *stride, void *context);

/* After the last run of a thread: other threads see the results from now on. */
void un_stream_end(void);

#endif
