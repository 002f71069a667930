/* series.h -- walking over the points of a series as they fall on the page (not for
** bind). */
#ifndef UN_SERIES_H
#define UN_SERIES_H

#include <math.h>

#include "canvas.h"

/* A map made ready for many values: page = at + (f(v) - low) * factor. */
typedef struct un_fast_map {
  un_scale scale;
  double low, factor, at, threshold;
} un_fast_map;

un_fast_map un_map_prepare(const un_map *map);

double un_map_curve(const un_fast_map *map,
                    double v); /* f of a scale that is not linear */

static inline double un_map_fast(const un_fast_map *map, double v) {
  double u = map->scale == UN_LINEAR ? v : un_map_curve(map, v);
  return map->at + (u - map->low) * map->factor;
}

/* Receives page points in order; gap() where the line breaks. */
typedef struct un_sink {
  void (*point)(void *self, double x, double y);
  void (*gap)(void *self);
  void *self;
} un_sink;

/* Hands the points of the line to the sink, thinned out when there are many more of
** them than buckets of the given width across the frame. */
void un_series_walk(const un_frame *frame, const un_series *x, const un_series *y,
                    double bucket, const un_sink *sink);

/* Are there so many points that thinning pays? */
bool un_series_is_long(const un_frame *frame, size_t count, double bucket);

#endif
