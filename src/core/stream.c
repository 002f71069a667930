/* stream.c -- results that go past the caches (see stream.h). */
#include "stream.h"

#include <stdalign.h>

#include "isa.h"
#include "isa/convert.h"

UN_BY_ISA(un_convert_kernels, un_convert)

/* LINE: of the cache. A shorter run than SHORT, or a shorter copy than SHORT_COPY, gains
** nothing or would leave many lines half written. In a small PIECE, the processor works on
** the next one while this one is on its way. */
enum { LINE = 64, SHORT_COPY = 2 * LINE, SHORT = 6 * LINE, PIECE = 8 * LINE };

/* What the caches hold for one core among others: what C can ask the system for is wrong
** in virtual machines. */
enum { HELD = 1 << 24 };

/* The bytes of different elements. */
static int64_t extent(const un_view *v) {
  int64_t bytes = (int64_t)un_dtype_bytes(v->dtype);
  for (int d = 0; d < v->dims; d++)
    if (v->stride[d] != 0) bytes *= v->size[d];
  return bytes;
}

/* Whether v has runs without gaps. */
static bool has_runs(const un_view *v) {
  for (int d = 0; d < v->dims; d++)
    if (v->size[d] > 1 && v->stride[d] == 1) return true;
  return false;
}

bool un_is_streamed(int operands, const un_view *const *view) {
  int64_t bytes = extent(view[0]);
  if (bytes <= HELD / UN_WALK_MAX || !has_runs(view[0])) return false;
  for (int k = 1; k < operands; k++) {
    if (view[k]->data == view[0]->data) return false;
    bytes += extent(view[k]);
  }
  return bytes > HELD;
}

un_stream un_make_stream(un_run *run, void *context, int operands,
                         const un_view *const *view) {
  un_stream s = {.run = run, .context = context, .operands = operands};
  for (int k = 0; k < operands; k++)
    s.bytes[k] = (int64_t)un_dtype_bytes(view[k]->dtype);
  return s;
}

/* n results from number `first` on, in `to` if that is not NULL. */
static void run_part(const un_stream *s, int64_t first, int64_t n, void *const *data,
                     const int64_t *stride, void *to) {
  void *at[UN_WALK_MAX];
  for (int k = 0; k < s->operands; k++)
    at[k] = (char *)data[k] + first * stride[k] * s->bytes[k];
  if (to) at[0] = to;
  s->run(n, at, stride, s->context);
}

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

void un_stream_run(int64_t n, void *const *data, const int64_t *stride, void *context) {
  alignas(LINE) char buffer[PIECE];
  const un_stream *s = context;
  const int64_t size = s->bytes[0], most = PIECE / size;
  const bool moves = s->moves && stride[1] == 1;
  if (stride[0] != 1 || n * size < (moves ? SHORT_COPY : SHORT)) {
    s->run(n, data, stride, s->context);
    return;
  }
  int64_t i = (int64_t)(-(uintptr_t)data[0] % LINE) / size; /* up to the first line */
  if (i > 0) run_part(s, 0, i, data, stride, NULL);
  if (moves) {
    un_convert()->stream((char *)data[0] + i * size, (char *)data[1] + i * size,
                         (size_t)((n - i) * size));
    return;
  }
  for (; i < n; i += most) {
    const int64_t count = smaller(most, n - i);
    run_part(s, i, count, data, stride, buffer);
    un_convert()->stream((char *)data[0] + i * size, buffer, (size_t)(count * size));
  }
}

void un_stream_end(void) {
  un_convert()->stream_end();
}
