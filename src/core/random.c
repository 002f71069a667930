/* random.c -- random numbers (see random.h).
**
** Normals come from the ziggurat (Marsaglia and Tsang, 2000; in the form of Doornik,
** "An improved ziggurat method to generate normal random samples", 2005): the density
** is
** covered by 128 layers of equal area. Layer i reaches from 0 to edge[i]; a point in it
** is under the curve for sure when it is below edge[i + 1], which ratio[] tells. The
** base
** layer goes on into the tail beyond edge[1], drawn by Marsaglia's method, so that no
** value is out of reach. */
#include "random.h"

#include <math.h>
#include <string.h>

#include "copy.h"
#include "profile.h"
#include "stop.h"
#include "walk.h"

/* --- bits ---------------------------------------------------------------------------
 */

static uint64_t rotate_left(uint64_t x, int k) {
  return x << k | x >> (64 - k);
}

/* splitmix64: turns any seed, 0 too, into well mixed words. */
static uint64_t split_mix(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

void un_rng_seed(un_rng *rng, uint64_t seed) {
  for (int i = 0; i < 4; i++)
    rng->s[i] = split_mix(&seed);
}

uint64_t un_rng_bits(un_rng *rng) {
  uint64_t *s = rng->s;
  uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
  uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotate_left(s[3], 45);
  return result;
}

/* --- one number ---------------------------------------------------------------------
 */

static double to_unit(uint64_t bits) {
  return (double)(bits >> 11) * 0x1p-53;
}

double un_rng_uniform(un_rng *rng) {
  return to_unit(un_rng_bits(rng));
}

/* Words below 2^64 mod n would favour the small results: they are drawn again. */
int64_t un_rng_integer(un_rng *rng, int64_t n) {
  uint64_t bound = (uint64_t)n, too_low = (0 - bound) % bound, bits;
  do {
    bits = un_rng_bits(rng);
  } while (bits < too_low);
  return (int64_t)(bits % bound);
}

/* --- normal -------------------------------------------------------------------------
 */

enum { LAYERS = 128 };

static const double tail_start = 3.442619855899; /* edge[1] */
static const double layer_area = 9.91256303526217e-3;

static double density(double x) {
  return exp(-0.5 * x * x);
}

typedef struct ziggurat {
  double edge[LAYERS + 1], ratio[LAYERS];
} ziggurat;

static void build(ziggurat *z) {
  z->edge[0] = layer_area / density(tail_start);
  z->edge[1] = tail_start;
  for (int i = 2; i < LAYERS; i++)
    z->edge[i] = sqrt(-2 * log(layer_area / z->edge[i - 1] + density(z->edge[i - 1])));
  z->edge[LAYERS] = 0;
  for (int i = 0; i < LAYERS; i++)
    z->ratio[i] = z->edge[i + 1] / z->edge[i];
}

static const ziggurat *layers(void) {
  static ziggurat z;
  static bool built; /* one interpreter draws at a time; building twice does no harm */
  if (!built) {
    build(&z);
    built = true;
  }
  return &z;
}

static double positive_uniform(un_rng *rng) {
  return ((double)(un_rng_bits(rng) >> 11) + 0.5) * 0x1p-53;
}

static double draw_tail(un_rng *rng) {
  double x, y;
  do {
    x = -log(positive_uniform(rng)) / tail_start;
    y = -log(positive_uniform(rng));
  } while (2 * y < x * x);
  return tail_start + x;
}

static double draw_normal(un_rng *rng, const ziggurat *z) {
  for (;;) {
    uint64_t bits =
        un_rng_bits(rng); /* the low 7 choose a layer, the high 53 a place */
    int i = (int)(bits & (LAYERS - 1));
    double u = 2 * to_unit(bits) - 1, x = u * z->edge[i];
    if (fabs(u) < z->ratio[i]) return x;
    if (i == 0) return copysign(draw_tail(rng), u);
    double bottom = density(z->edge[i]), top = density(z->edge[i + 1]);
    if (bottom + un_rng_uniform(rng) * (top - bottom) < density(x)) return x;
  }
}

double un_rng_normal(un_rng *rng) {
  return draw_normal(rng, layers());
}

/* --- tensors ------------------------------------------------------------------------
 */

typedef struct fill_job {
  un_rng rng; /* a copy: the state stays in registers */
  un_dtype dtype;
  double a, b;
  int64_t first, n;
} fill_job;

static void fill(un_rng *rng, const un_view *dst, un_run *run, fill_job *job) {
  UN_PROFILE_BEGIN(UN_PHASE_RANDOM);
  job->rng = *rng;
  job->dtype = dst->dtype;
  un_walk w;
  un_walk_plan(&w, UN_WALK_ROW_MAJOR, 1, &dst);
  un_walk_each(&w, run, job);
  *rng = job->rng;
  UN_PROFILE_END(0);
}

/* Rounding may lift a value to `high`: the next number below is taken then. */
static void uniform_run(int64_t n, void *const *data, const int64_t *stride,
                        void *context) {
  fill_job *job = context;
  double low = job->a, high = job->b;
  if (job->dtype == UN_F32) {
    float *y = data[0], below = nextafterf((float)high, (float)low);
    for (int64_t i = 0; i < n; i++) {
      float x = (float)(low + (high - low) * un_rng_uniform(&job->rng));
      y[i * stride[0]] = x < (float)high ? x : below;
    }
  } else {
    double *y = data[0], below = nextafter(high, low);
    for (int64_t i = 0; i < n; i++) {
      double x = low + (high - low) * un_rng_uniform(&job->rng);
      y[i * stride[0]] = x < high ? x : below;
    }
  }
}

static void normal_run(int64_t n, void *const *data, const int64_t *stride,
                       void *context) {
  fill_job *job = context;
  const ziggurat *z = layers();
  for (int64_t i = 0; i < n; i++) {
    double x = job->a + job->b * draw_normal(&job->rng, z);
    if (job->dtype == UN_F32)
      ((float *)data[0])[i * stride[0]] = (float)x;
    else
      ((double *)data[0])[i * stride[0]] = x;
  }
}

static void integer_run(int64_t n, void *const *data, const int64_t *stride,
                        void *context) {
  fill_job *job = context;
  int64_t step = stride[0] * (int64_t)un_dtype_bytes(job->dtype);
  for (int64_t i = 0; i < n; i++) {
    int64_t x = job->first + un_rng_integer(&job->rng, job->n);
    un_put(job->dtype, (char *)data[0] + i * step, (double)x);
  }
}

void un_rng_fill_uniform(un_rng *rng, const un_view *dst, double low, double high) {
  fill(rng, dst, uniform_run, &(fill_job){.a = low, .b = high});
}

void un_rng_fill_normal(un_rng *rng, const un_view *dst, double mean,
                        double deviation) {
  fill(rng, dst, normal_run, &(fill_job){.a = mean, .b = deviation});
}

void un_rng_fill_integer(un_rng *rng, const un_view *dst, int64_t first, int64_t n) {
  fill(rng, dst, integer_run, &(fill_job){.first = first, .n = n});
}

void un_rng_shuffle(un_rng *rng, const un_view *v) {
  size_t bytes = un_dtype_bytes(v->dtype);
  char *data = v->data;
  if (un_stopped()) return;
  for (int64_t i = un_numel(v) - 1; i > 0; i--) {
    if (un_stopped_at(i)) return;
    char *a = data + i * v->stride[0] * (int64_t)bytes;
    char *b = data + un_rng_integer(rng, i + 1) * v->stride[0] * (int64_t)bytes;
    char kept[sizeof(double)];
    memcpy(kept, a, bytes);
    memmove(a, b, bytes);
    memcpy(b, kept, bytes);
  }
}
