/* sixel.c -- pixels as sixels, the images of DEC's terminals.
**
** A band is six rows high; a character says which of the six a column has in the
*current
** colour, !n repeats it, $ goes back to the start of the band and - to the next one.
** Terminals keep 256 colours. Charts have few: the most frequent ones are taken, at
*five
** bits a channel, and every other colour becomes the nearest of them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

enum { BITS = 5, SHIFT = 8 - BITS, BINS = 1 << (3 * BITS), COLORS = 256, BAND = 6 };

typedef struct bin {
  unsigned count, sum[3];
  int color; /* its place in the palette */
} bin;

typedef struct encoder {
  const unsigned char *pixels;
  int width, height;
  bin *bins;
  int chosen[COLORS], colors; /* bins in the palette */
  un_bytes out;
} encoder;

static int bin_of(const unsigned char *rgb) {
  return rgb[0] >> SHIFT << (2 * BITS) | rgb[1] >> SHIFT << BITS | rgb[2] >> SHIFT;
}

static void count_colors(encoder *e) {
  size_t n = (size_t)e->width * (size_t)e->height;
  for (size_t i = 0; i < n; i++) {
    bin *b = &e->bins[bin_of(e->pixels + 3 * i)];
    b->count++;
    for (int k = 0; k < 3; k++)
      b->sum[k] += e->pixels[3 * i + (size_t)k];
  }
}

/* The mean colour of a bin. */
static int channel(const bin *b, int k) {
  return (int)(b->sum[k] / b->count);
}

/* Puts a bin where it belongs among the chosen ones, the most frequent first. */
static void choose(encoder *e, int candidate) {
  unsigned count = e->bins[candidate].count;
  int at = COLORS - 1;
  if (e->colors < COLORS)
    at = e->colors++;
  else if (e->bins[e->chosen[at]].count >= count)
    return;
  while (at > 0 && e->bins[e->chosen[at - 1]].count < count) {
    e->chosen[at] = e->chosen[at - 1];
    at--;
  }
  e->chosen[at] = candidate;
}

static int nearest(const encoder *e, const bin *b) {
  int best = 0;
  long least = LONG_MAX;
  for (int i = 0; i < e->colors; i++) {
    const bin *c = &e->bins[e->chosen[i]];
    long distance = 0;
    for (int k = 0; k < 3; k++) {
      long d = channel(b, k) - channel(c, k);
      distance += d * d;
    }
    if (distance < least) {
      least = distance;
      best = i;
    }
  }
  return best;
}

static void make_palette(encoder *e) {
  count_colors(e);
  for (int i = 0; i < BINS; i++)
    if (e->bins[i].count > 0) choose(e, i);
  for (int i = 0; i < BINS; i++)
    if (e->bins[i].count > 0) e->bins[i].color = nearest(e, &e->bins[i]);
}

/* --- writing ------------------------------------------------------------------------
 */

static void add_text(un_bytes *out, const char *text) {
  un_bytes_add(out, text, strlen(text));
}

static void add_head(encoder *e) {
  char text[64];
  snprintf(text, sizeof text, "\033Pq\"1;1;%d;%d", e->width, e->height);
  add_text(&e->out, text);
  for (int i = 0; i < e->colors; i++) {
    const bin *b = &e->bins[e->chosen[i]];
    snprintf(text, sizeof text, "#%d;2;%d;%d;%d", i, (channel(b, 0) * 100 + 127) / 255,
             (channel(b, 1) * 100 + 127) / 255, (channel(b, 2) * 100 + 127) / 255);
    add_text(&e->out, text);
  }
}

static void add_run(un_bytes *out, char sixel, int count) {
  char text[32];
  snprintf(text, sizeof text, "!%d%c", count, sixel);
  if (count > 3)
    add_text(out, text);
  else
    for (int i = 0; i < count; i++)
      un_bytes_add(out, &sixel, 1);
}

/* One colour of a band, which holds the palette's numbers column by column. */
static void add_color(encoder *e, const int *band, int color) {
  char text[16], last = 0;
  int run = 0;
  snprintf(text, sizeof text, "#%d", color);
  add_text(&e->out, text);
  for (int x = 0; x < e->width; x++) {
    int bits = 0;
    for (int k = 0; k < BAND; k++)
      if (band[x * BAND + k] == color) bits |= 1 << k;
    char sixel = (char)('?' + bits);
    if (run > 0 && sixel != last) {
      add_run(&e->out, last, run);
      run = 0;
    }
    last = sixel;
    run++;
  }
  if (last != '?') add_run(&e->out, last, run);
  add_text(&e->out, "$");
}

static void add_band(encoder *e, int top, int *band) {
  bool present[COLORS] = {false};
  for (int x = 0; x < e->width; x++)
    for (int k = 0; k < BAND; k++) {
      int *color = &band[x * BAND + k];
      *color = -1;
      if (top + k >= e->height) continue;
      size_t at = (size_t)(top + k) * (size_t)e->width + (size_t)x;
      *color = e->bins[bin_of(e->pixels + 3 * at)].color;
      present[*color] = true;
    }
  for (int i = 0; i < e->colors; i++)
    if (present[i]) add_color(e, band, i);
  add_text(&e->out, "-");
}

char *un_sixel(const unsigned char *pixels, int width, int height, size_t *size) {
  encoder e = {.pixels = pixels, .width = width, .height = height};
  int *band = malloc((size_t)width * BAND * sizeof *band);
  e.bins = calloc(BINS, sizeof *e.bins);
  e.out.failed = !band || !e.bins;
  if (!e.out.failed) {
    make_palette(&e);
    add_head(&e);
    for (int top = 0; top < height; top += BAND)
      add_band(&e, top, band);
    add_text(&e.out, "\033\\");
  }
  free(band);
  free(e.bins);
  *size = e.out.size;
  if (!e.out.failed) return e.out.data;
  free(e.out.data);
  return NULL;
}
