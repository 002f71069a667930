/* libraries.h -- cairo and Pango, loaded when the first page is drawn or the first text is
** measured.
**
** They bring some thirty libraries with them, and loading these takes longer than all else
** that the program does before its first training step; most programs draw nothing. The
** functions are called through cairo.move_to(...), pango.layout_new(...) and
** glib.free(...); a new one has its line in libraries.def.
*/
#ifndef UN_LIBRARIES_H
#define UN_LIBRARIES_H

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <pango/pangocairo.h>

#include "canvas.h"

extern struct un_cairo {
#define CAIRO(name) __typeof__(cairo_##name) *name;
#define PANGO(name)
#define GLIB(name)
#include "libraries.def"
} cairo;

extern struct un_pango {
#define CAIRO(name)
#define PANGO(name) __typeof__(pango_##name) *name;
#define GLIB(name)
#include "libraries.def"
} pango;

extern struct un_glib {
#define CAIRO(name)
#define PANGO(name)
#define GLIB(name) __typeof__(g_##name) *name;
#include "libraries.def"
} glib;

/* Fills the three; false when a library is missing or lacks something. */
bool un_plot_load(un_plot_error *error);

#endif
