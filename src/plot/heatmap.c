/* heatmap.c -- a matrix as an image.
**
** Cells are an image, never rectangles: two abutting rectangles show a seam, and a file
** with a million of them is of no use. On a raster page the image has the box's device
** pixels, so that every edge of a cell falls between two of them. On a vector page
*cells
** are repeated, because viewers blur the pixels of a small image.
**
** Where cells are smaller than the image's pixels, a pixel shows their mean, weighted
*by
** area, of the values after the scale of the colours (a box filter); values without a
** place are left out of it. */
#include <math.h>
#include <stdlib.h>

#include "page.h"
#include "series.h"

/* A vector page gets so many pixels a point: below 72 * MOST_DENSE dpi. */
static const double dense = 150.0 / 72, most_dense = 200.0 / 72;

typedef struct mapping {
  const un_grid *grid;
  const un_palette *palette;
  un_fast_map map;
  int width, height; /* pixels of the image */
  double *line;      /* one row of cells after the scale, 0..1 or NaN */
  double *from, *to; /* of every column of pixels: which cells it shows */
  double *sum, *weight;
} mapping;

/* --- one direction ------------------------------------------------------------------
 */

/* The cells from..to (not included) that pixel i of `pixels` shows of `cells`. */
static void cells_of_pixel(int i, int pixels, size_t cells, double *from, double *to) {
  double size = (double)cells / pixels;
  *from = i * size;
  *to = *from + size;
  if (size > 1) return;
  *from = fmin(floor((i + 0.5) * size), (double)cells - 1);
  *to = *from + 1;
}

/* How much of cell k lies within from..to. */
static double share(size_t k, double from, double to) {
  double left = (double)k, right = left + 1;
  return (right < to ? right : to) - (left > from ? left : from);
}

/* --- rows ---------------------------------------------------------------------------
 */

static void read_line(mapping *m, size_t row) {
  const un_grid *g = m->grid;
  if (g->bottom_up) row = g->rows - 1 - row;
  for (size_t k = 0; k < g->columns; k++) {
    size_t column = g->right_to_left ? g->columns - 1 - k : k;
    const double *cell =
        g->data + (ptrdiff_t)row * g->row_stride + (ptrdiff_t)column * g->column_stride;
    double u = un_map_fast(&m->map, *cell);
    m->line[k] = !isfinite(*cell) ? (double)NAN : u > 1 ? 1 : u < 0 ? 0 : u;
  }
}

static void add_line(mapping *m, double weight) {
  for (int i = 0; i < m->width; i++) {
    double from = m->from[i], to = m->to[i];
    for (size_t k = (size_t)from; (double)k < to && k < m->grid->columns; k++) {
      double part = weight * share(k, from, to);
      if (isnan(m->line[k]) || part <= 0) continue;
      m->sum[i] += part * m->line[k];
      m->weight[i] += part;
    }
  }
}

static unsigned pixel_of(const un_palette *p, double sum, double weight) {
  if (!(weight > 0)) return p->missing;
  return p->colors[(int)(sum / weight * (UN_PALETTE_SIZE - 1) + 0.5)];
}

static void fill_row(mapping *m, int i, unsigned *pixels) {
  double from, to;
  cells_of_pixel(i, m->height, m->grid->rows, &from, &to);
  for (int k = 0; k < m->width; k++)
    m->sum[k] = m->weight[k] = 0;
  for (size_t row = (size_t)from; (double)row < to && row < m->grid->rows; row++) {
    read_line(m, row);
    add_line(m, share(row, from, to));
  }
  for (int k = 0; k < m->width; k++)
    pixels[k] = pixel_of(m->palette, m->sum[k], m->weight[k]);
}

/* Does this row of pixels show the same cells as the one above it? */
static bool repeats(const mapping *m, int i) {
  double from, to, from_above, to_above;
  if (i == 0) return false;
  cells_of_pixel(i, m->height, m->grid->rows, &from, &to);
  cells_of_pixel(i - 1, m->height, m->grid->rows, &from_above, &to_above);
  return from == from_above && to == to_above;
}

static bool fill_image(mapping *m, unsigned char *pixels, int stride) {
  size_t width = (size_t)m->width;
  m->line = malloc((m->grid->columns + 4 * width) * sizeof *m->line);
  if (!m->line) return false;
  m->sum = m->line + m->grid->columns;
  m->weight = m->sum + width;
  m->from = m->weight + width;
  m->to = m->from + width;
  for (int i = 0; i < m->width; i++)
    cells_of_pixel(i, m->width, m->grid->columns, &m->from[i], &m->to[i]);
  for (int i = 0; i < m->height; i++) {
    unsigned *row = (void *)(pixels + (ptrdiff_t)i * stride);
    const unsigned *above = (const void *)(pixels + (ptrdiff_t)(i - 1) * stride);
    if (!repeats(m, i)) {
      fill_row(m, i, row);
      continue;
    }
    for (int k = 0; k < m->width; k++)
      row[k] = above[k];
  }
  free(m->line);
  return true;
}

/* --- the page -----------------------------------------------------------------------
 */

static int image_side(const un_canvas *c, double points, size_t cells) {
  if (c->pixels) return (int)fmin(fmax(1, round(points * c->scale)), 32767);
  if ((double)cells > points * most_dense) return (int)fmax(1, points * most_dense);
  return (int)cells * (int)fmax(1, ceil(points * dense / (double)cells));
}

static void paint(un_canvas *c, const un_box *box, cairo_surface_t *image) {
  double left = box->left, top = box->top;
  cairo.save(c->cr);
  cairo.rectangle(c->cr, left, top, box->right - left, box->bottom - top);
  cairo.clip(c->cr);
  cairo.translate(c->cr, left, top);
  cairo.scale(c->cr, (box->right - left) / cairo.image_surface_get_width(image),
              (box->bottom - top) / cairo.image_surface_get_height(image));
  cairo.set_source_surface(c->cr, image, 0, 0);
  cairo.pattern_set_filter(cairo.get_source(c->cr), CAIRO_FILTER_NEAREST);
  cairo.paint(c->cr);
  cairo.restore(c->cr);
}

void un_canvas_heatmap(un_canvas *c, const un_box *where, const un_grid *grid,
                       const un_palette *palette) {
  un_box box = un_box_snap(c, where);
  if (!(box.right > box.left && box.bottom > box.top)) return;
  if (grid->rows == 0 || grid->columns == 0) return;
  mapping m = {.grid = grid, .palette = palette, .map = un_map_prepare(&palette->map)};
  m.width = image_side(c, box.right - box.left, grid->columns);
  m.height = image_side(c, box.bottom - box.top, grid->rows);
  cairo_surface_t *image =
      cairo.image_surface_create(CAIRO_FORMAT_RGB24, m.width, m.height);
  unsigned char *pixels = cairo.image_surface_get_data(image);
  if (!pixels || !fill_image(&m, pixels, cairo.image_surface_get_stride(image)))
    c->bytes.failed = true;
  cairo.surface_mark_dirty(image);
  paint(c, &box, image);
  cairo.surface_destroy(image);
}
