/* canvas.h -- a page to draw on: paths, rectangles, markers, matrices, text.
**
** A thin layer over cairo and Pango that knows neither Lua nor core. Every decision
** (where an axis stands, which tick gets a label) is made above, in lua/unroll/plot;
** here a decision arrives as a verb with numbers.
**
** Lengths are points (1/72 inch), y grows downwards, the origin is the page's top left
** corner. Data are mapped to the page by an un_frame, in double precision, and clipped
** to its box before cairo sees them: cairo computes in 24.8 fixed point and draws
** nothing, silently, when a coordinate is too large for that.
**
** The same calls give the same bytes, in one process and in two: PNG has no date, the
** ids of SVG are numbered anew, the PDF date is fixed (SOURCE_DATE_EPOCH is honoured).
**
** Functions that draw cannot fail visibly; cairo keeps the first error and
** un_canvas_finish reports it. Nothing here raises or prints. */
#ifndef UN_CANVAS_H
#define UN_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#define UN_MAX_DASHES 8

typedef enum un_page_format { UN_PNG, UN_SVG, UN_PDF } un_page_format;

typedef struct un_canvas un_canvas;

typedef struct un_plot_error {
  char msg[256];
} un_plot_error;

typedef struct un_color {
  double r, g, b, a; /* 0..1 */
} un_color;

typedef struct un_stroke {
  un_color color;
  double width;
  int dashes; /* 0: solid */
  double dash[UN_MAX_DASHES];
} un_stroke;

typedef struct un_box {
  double left, top, right, bottom;
} un_box;

/* Numbers as they lie in memory. data == NULL stands for 1, 2, 3, ... */
typedef struct un_series {
  const void *data;
  bool is_double;   /* else float */
  ptrdiff_t stride; /* in elements */
  size_t count;
} un_series;

/* UN_SYMLOG: u = v / threshold, and where |u| > 1 its sign times 1 + log10 |u|. */
typedef enum un_scale { UN_LINEAR, UN_LOG10, UN_SYMLOG } un_scale;

/* page = at_low + (f(v) - f(low)) * (at_high - at_low) / (f(high) - f(low)) */
typedef struct un_map {
  un_scale scale;
  double low, high, at_low, at_high;
  double threshold; /* of UN_SYMLOG, positive */
} un_map;

typedef struct un_frame {
  un_box box;
  un_map x, y;
} un_frame;

typedef struct un_range {
  double low, high;       /* of the values counted; low > high when there are none */
  size_t finite, dropped; /* dropped: finite, but not positive where they must be */
  bool integers;          /* all counted values are whole */
} un_range;

typedef struct un_page {
  un_page_format format;
  double width, height; /* points */
  double dpi;           /* PNG only */
  double zoom;          /* points of the page in a point of the drawing */
  double left, top;     /* what lies at the page's corner: a part of a larger one */
  un_color background;
  const char *title, *description; /* NULL: none. For readers who do not see */
} un_page;

/* --- pages (page.c) -----------------------------------------------------------------
 */

/* NULL and a message when the page is too large or memory is short. */
un_canvas *un_canvas_open(const un_page *page, un_plot_error *error);
void un_canvas_close(un_canvas *c); /* NULL is fine */

/* Ends a raster page and gives it as rows of 8-bit r,g,b, reduced to width x height by
** averaging; pixels has room for 3 * width * height bytes. false when the page is no
*raster
** page or drawing failed. */
bool un_canvas_pixels(un_canvas *c, int width, int height, unsigned char *pixels,
                      un_plot_error *error);

/* Rows of r,g,b as a sixel image (sixel.c), to be freed; NULL when memory is short. */
char *un_sixel(const unsigned char *pixels, int width, int height, size_t *size);

/* Encodes the page. The bytes belong to the canvas and live until it is closed. */
bool un_canvas_finish(un_canvas *c, const char **bytes, size_t *size,
                      un_plot_error *error);

/* --- figures (shapes.c) -------------------------------------------------------------
 */

void un_canvas_clip(un_canvas *c, const un_box *box); /* until the matching unclip */
void un_canvas_unclip(un_canvas *c);

/* Edges fall on device pixels, so that neighbours meet without a seam. */
void un_canvas_rectangle(un_canvas *c, const un_box *box, un_color fill);

/* A horizontal or vertical line is a whole number of pixels wide and crisp. */
void un_canvas_segment(un_canvas *c, double x0, double y0, double x1, double y1,
                       const un_stroke *stroke);

/* points: x0,y0,x1,y1,... */
void un_canvas_polygon(un_canvas *c, const double *points, size_t count, un_color fill);

/* --- matrices (heatmap.c) -----------------------------------------------------------
 */

/* Strides are in elements. */
typedef struct un_grid {
  const double *data;
  size_t rows, columns;
  ptrdiff_t row_stride, column_stride;
  bool bottom_up, right_to_left; /* row 0 at the bottom, column 0 on the right */
} un_grid;

enum { UN_PALETTE_SIZE = 256 };

typedef struct un_palette {
  un_map map;                       /* values to 0..1; what lies beyond is cut */
  unsigned colors[UN_PALETTE_SIZE]; /* 0xffrrggbb */
  unsigned missing;                 /* of cells without a number, or with none <= 0 */
} un_palette;

void un_canvas_heatmap(un_canvas *c, const un_box *box, const un_grid *grid,
                       const un_palette *palette);

/* --- data (lines.c, points.c, area.c) -----------------------------------------------
 */

/* The line through the points; it breaks where one is not finite or cannot be shown. */
void un_canvas_polyline(un_canvas *c, const un_frame *frame, const un_series *x,
                        const un_series *y, const un_stroke *stroke);

typedef enum un_marker {
  UN_CIRCLE,
  UN_SQUARE,
  UN_DIAMOND,
  UN_TRIANGLE,
  UN_PLUS,
  UN_CROSS
} un_marker;

typedef struct un_marker_style {
  un_marker shape;
  double size; /* diameter */
  un_color fill, rim;
  double rim_width;          /* 0: no rim */
  const un_series *sizes;    /* a diameter for each point; NULL: size */
  const un_series *values;   /* coloured by the palette; NULL: fill */
  const un_palette *palette; /* the opacity stays that of fill */
} un_marker_style;

void un_canvas_markers(un_canvas *c, const un_frame *frame, const un_series *x,
                       const un_series *y, const un_marker_style *style);

/* The area between two lines. On a log axis what is not positive is the floor. */
void un_canvas_area(un_canvas *c, const un_frame *frame, const un_series *x,
                    const un_series *low, const un_series *high, un_color fill);

/* --- data without a page (series.c) -------------------------------------------------
 */

double un_series_value(const un_series *s, size_t i);
double un_map_value(const un_map *map, double value); /* NaN when it has no place */

un_range un_series_range(const un_series *s, bool positive_only);

/* How many finite values fall between edges[i] and edges[i + 1] (the last edge belongs
** to the last bin). edges rise; counts has room for n_edges - 1. */
void un_series_histogram(const un_series *s, const double *edges, size_t n_edges,
                         double *counts);

/* The finite values in ascending order into sorted[count]; returns how many. scratch has
** room for as many. */
size_t un_series_sorted(const un_series *s, double *sorted, double *scratch);

/* The quantile p (0..1) of n >= 1 sorted values, interpolated linearly. */
double un_quantile(const double *sorted, size_t n, double p);

/* Up to `room` points (x0,y0,x1,y1,...; NaN between parts) that stand for the line on
** the page: of each bucket of width `bucket` the first, lowest, highest and last one.
** Returns the number written. */
size_t un_series_outline(const un_frame *frame, const un_series *x, const un_series *y,
                         double bucket, double *points, size_t room);

/* --- text (text.c) ------------------------------------------------------------------
 */

typedef enum un_align { UN_ALIGN_LEFT, UN_ALIGN_CENTER, UN_ALIGN_RIGHT } un_align;

typedef struct un_text {
  const char *s; /* UTF-8, or Pango markup */
  bool markup, bold, italic;
  double size;  /* points */
  double wrap;  /* width at which lines break; 0: only at newlines */
  double angle; /* degrees, counter-clockwise, about the top left corner */
  un_align align;
  un_color color;
} un_text;

typedef struct un_text_size {
  double width, height;       /* of all lines */
  double baseline;            /* of the first line, from the top */
  double ink_top, ink_bottom; /* what the glyphs cover, from the top */
  double ink_left, ink_right;
  int unknown; /* characters that no font has */
} un_text_size;

/* false and a message when DejaVu Sans is not installed or the markup is wrong. */
bool un_text_measure(const un_text *text, un_text_size *size, un_plot_error *error);

/* The top left corner of the text goes to (x,y). */
bool un_canvas_text(un_canvas *c, const un_text *text, double x, double y,
                    un_plot_error *error);

#endif
