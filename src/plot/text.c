/* text.c -- measuring and drawing text with Pango.
**
** Hinting is off and glyphs are placed at unrounded positions, so a text has the same
** width at every resolution and on every page format, and a reader's screen settings
** change nothing. One font, DejaVu Sans: it has every sign that our charts use, and a
** layout that depends on which fonts are installed could not be tested. */
#include <math.h>
#include <string.h>

#include "page.h"

static const char family[] = "DejaVu Sans";

/* --- the font -----------------------------------------------------------------------
 */

static cairo_font_options_t *make_font_options(void) {
  cairo_font_options_t *options = cairo.font_options_create();
  cairo.font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
  cairo.font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
  cairo.font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
  return options;
}

static bool has_family(PangoContext *context) {
  PangoFontDescription *wanted = pango.font_description_from_string(family);
  PangoFont *font = pango.context_load_font(context, wanted);
  bool found = false;
  if (font) {
    PangoFontDescription *got = pango.font_describe(font);
    const char *name = pango.font_description_get_family(got);
    found = name && strcmp(name, family) == 0;
    pango.font_description_free(got);
    glib.object_unref(font);
  }
  pango.font_description_free(wanted);
  return found;
}

/* Made at the first text and kept: finding the fonts takes some 20 ms. */
static PangoContext *text_context(un_plot_error *error) {
  static PangoContext *kept;
  if (kept) return kept;
  if (!un_plot_load(error)) return NULL;
  PangoFontMap *fonts = pango.cairo_font_map_new();
  pango.cairo_font_map_set_resolution((PangoCairoFontMap *)fonts, 72); /* points */
  PangoContext *context = pango.font_map_create_context(fonts);
  glib.object_unref(fonts);
  cairo_font_options_t *options = make_font_options();
  pango.cairo_context_set_font_options(context, options);
  cairo.font_options_destroy(options);
  pango.context_set_round_glyph_positions(context, FALSE);
  if (!has_family(context)) {
    glib.object_unref(context);
    un_plot_fail(error, "no usable font: charts need %s (install fonts-dejavu-core)",
                 family);
    return NULL;
  }
  return kept = context;
}

/* --- layouts ------------------------------------------------------------------------
 */

static void set_font(PangoLayout *layout, const un_text *text) {
  PangoFontDescription *font = pango.font_description_new();
  pango.font_description_set_family_static(font, family);
  pango.font_description_set_absolute_size(font, text->size * PANGO_SCALE);
  if (text->bold) pango.font_description_set_weight(font, PANGO_WEIGHT_BOLD);
  if (text->italic) pango.font_description_set_style(font, PANGO_STYLE_ITALIC);
  pango.layout_set_font_description(layout, font);
  pango.font_description_free(font);
}

static bool set_words(PangoLayout *layout, const un_text *text, un_plot_error *error) {
  if (!glib.utf8_validate(text->s, -1, NULL))
    return un_plot_fail(error, "text is not valid UTF-8");
  if (!text->markup) {
    pango.layout_set_text(layout, text->s, -1);
    return true;
  }
  PangoAttrList *attributes;
  char *words;
  GError *wrong = NULL;
  if (!pango.parse_markup(text->s, -1, 0, &attributes, &words, NULL, &wrong)) {
    un_plot_fail(error, "%s", wrong->message);
    glib.error_free(wrong);
    return false;
  }
  pango.layout_set_text(layout, words, -1);
  pango.layout_set_attributes(layout, attributes);
  pango.attr_list_unref(attributes);
  glib.free(words);
  return true;
}

static PangoLayout *make_layout(const un_text *text, un_plot_error *error) {
  static const PangoAlignment alignments[] = {PANGO_ALIGN_LEFT, PANGO_ALIGN_CENTER,
                                              PANGO_ALIGN_RIGHT};
  PangoContext *context = text_context(error);
  if (!context) return NULL;
  PangoLayout *layout = pango.layout_new(context);
  set_font(layout, text);
  if (!set_words(layout, text, error)) {
    glib.object_unref(layout);
    return NULL;
  }
  if (text->wrap > 0) {
    pango.layout_set_width(layout, (int)ceil(fmin(text->wrap, 1e5) * PANGO_SCALE));
    pango.layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
  }
  pango.layout_set_alignment(layout, alignments[text->align]);
  return layout;
}

static double points(int pango_units) {
  return (double)pango_units / PANGO_SCALE;
}

bool un_text_measure(const un_text *text, un_text_size *size, un_plot_error *error) {
  PangoLayout *layout = make_layout(text, error);
  if (!layout) return false;
  PangoRectangle ink, logical;
  pango.layout_get_extents(layout, &ink, &logical);
  *size = (un_text_size){.width = points(logical.width),
                         .height = points(logical.height),
                         .baseline = points(pango.layout_get_baseline(layout)),
                         .ink_top = points(ink.y),
                         .ink_bottom = points(ink.y + ink.height),
                         .ink_left = points(ink.x - logical.x),
                         .ink_right = points(ink.x - logical.x + ink.width),
                         .unknown = pango.layout_get_unknown_glyphs_count(layout)};
  glib.object_unref(layout);
  return true;
}

bool un_canvas_text(un_canvas *c, const un_text *text, double x, double y,
                    un_plot_error *error) {
  if (!isfinite(x) || !isfinite(y)) return true;
  PangoLayout *layout = make_layout(text, error);
  if (!layout) return false;
  PangoRectangle logical;
  pango.layout_get_extents(layout, NULL, &logical);
  cairo.save(c->cr);
  cairo.translate(c->cr, fmin(fmax(x, -1e5), 1e5), fmin(fmax(y, -1e5), 1e5));
  if (text->angle != 0) cairo.rotate(c->cr, -text->angle * M_PI / 180);
  un_set_color(c->cr, text->color);
  cairo.move_to(c->cr, -points(logical.x), -points(logical.y));
  pango.cairo_show_layout(c->cr, layout);
  cairo.restore(c->cr);
  glib.object_unref(layout);
  return true;
}
