/* canvas.c -- the Canvas class: a page that scripts draw on (src/plot/canvas.h).
**
** A canvas is a handle: made closed, given its metatable, then opened; close, __close
** and __gc are one function that may run twice. lua/unroll/plot is the only intended
** caller, so the checks here guard memory and say what is wrong, and its own checks
** speak to users. */
#include "canvas_args.h"

#include <stdlib.h>

#define UNL_CANVAS "unroll.Canvas"

typedef struct canvas_handle {
  un_canvas *canvas; /* NULL: closed */
} canvas_handle;

static const un_color black = {0, 0, 0, 1}, nothing = {0, 0, 0, 0};

static int raise(lua_State *L, const un_plot_error *error) {
  return luaL_error(L, "%s", error->msg);
}

/* --- text ---------------------------------------------------------------------------
 */

/*---
--- The size of a text, in points.
---@param text string UTF-8
---@param style table {size, bold, italic, markup, wrap, align}
---@return number width of all lines
---@return number height of all lines
---@return number baseline of the first line, from the top
---@return number ink_top what the glyphs cover, from the top
---@return number ink_bottom
---@return number ink_left
---@return number ink_right
---@return integer unknown characters that no installed font has
function core.canvas.measure(text, style) end
*/
static int canvas_measure(lua_State *L) {
  un_text text = unl_checktext(L, 1, 2);
  un_text_size size;
  un_plot_error error;
  if (!un_text_measure(&text, &size, &error)) return raise(L, &error);
  const double out[] = {size.width,      size.height,   size.baseline, size.ink_top,
                        size.ink_bottom, size.ink_left, size.ink_right};
  for (size_t i = 0; i < sizeof out / sizeof *out; i++)
    lua_pushnumber(L, out[i]);
  lua_pushinteger(L, size.unknown);
  return sizeof out / sizeof *out + 1;
}

/* --- the handle ---------------------------------------------------------------------
 */

/* Called last: reading the other arguments may run metamethods, and these may close it. */
static un_canvas *check_canvas(lua_State *L) {
  canvas_handle *handle = luaL_checkudata(L, 1, UNL_CANVAS);
  if (!handle->canvas) luaL_argerror(L, 1, "the canvas is closed");
  return handle->canvas;
}

static const char *const format_names[] = {"png", "svg", "pdf", NULL};

/*---
--- A page to draw on, in points (1/72 inch), y downwards. Figures draw on it; scripts
--- rarely need it.
---@class unroll.Canvas
---@see core.canvas.open
Canvas = {}
*/

/*---
--- A new page.
---@param page table {format="png"|"svg"|"pdf", width, height (points), dpi=150 (png),
--- zoom=1 (drawing of 1 point becomes zoom points on the page), left=0, top=0 (what lies at
--- the page's corner, points of the page), background="#ffffff", title, description}
---@return unroll.Canvas
function core.canvas.open(page) end
*/
static int canvas_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  un_page page = {.format =
                      (un_page_format)unl_optionfield(L, 1, "format", format_names)};
  page.width = unl_numberfield(L, 1, "width", 324);
  page.height = unl_numberfield(L, 1, "height", 230);
  page.dpi = unl_numberfield(L, 1, "dpi", 150);
  page.zoom = unl_numberfield(L, 1, "zoom", 1);
  page.left = unl_numberfield(L, 1, "left", 0);
  page.top = unl_numberfield(L, 1, "top", 0);
  page.background = unl_colorfield(L, 1, "background", nothing);
  lua_getfield(L, 1, "title");
  page.title = lua_tostring(L, -1);
  lua_getfield(L, 1, "description");
  page.description = lua_tostring(L, -1);
  canvas_handle *handle = lua_newuserdatauv(L, sizeof *handle, 0);
  handle->canvas = NULL;
  luaL_setmetatable(L, UNL_CANVAS);
  un_plot_error error;
  handle->canvas = un_canvas_open(&page, &error);
  return handle->canvas ? 1 : raise(L, &error);
}

/*---
--- Frees the page. Closing twice is fine; so is leaving it to the collector.
function Canvas:close() end
*/
static int canvas_close(lua_State *L) {
  canvas_handle *handle = luaL_checkudata(L, 1, UNL_CANVAS);
  un_canvas_close(handle->canvas);
  handle->canvas = NULL;
  return 0;
}

/*---
--- Ends the page and closes the canvas.
---@return string bytes of the file
function Canvas:finish() end
*/
static int canvas_finish(lua_State *L) {
  const char *bytes;
  size_t size;
  un_plot_error error;
  if (!un_canvas_finish(check_canvas(L), &bytes, &size, &error))
    return raise(L, &error);
  lua_pushlstring(L, bytes, size);
  canvas_close(L);
  return 1;
}

/*---
--- Ends a png page and closes the canvas: what is drawn, reduced by averaging.
---@param width integer pixels
---@param height integer
---@return string rows of r, g, b
function Canvas:pixels(width, height) end
*/
static int canvas_pixels(lua_State *L) {
  un_canvas *c = check_canvas(L);
  lua_Integer width = luaL_checkinteger(L, 2), height = luaL_checkinteger(L, 3);
  luaL_argcheck(L, width > 0 && width < 32768, 2, "must be in 1..32767");
  luaL_argcheck(L, height > 0 && height < 32768, 3, "must be in 1..32767");
  luaL_Buffer buffer;
  size_t size = 3 * (size_t)width * (size_t)height;
  char *pixels = luaL_buffinitsize(L, &buffer, size);
  un_plot_error error;
  if (!un_canvas_pixels(c, (int)width, (int)height, (unsigned char *)pixels, &error))
    return raise(L, &error);
  luaL_pushresultsize(&buffer, size);
  canvas_close(L);
  return 1;
}

/*---
--- Rows of r, g, b as a sixel image, with the escapes around it.
---@param pixels string 3 * width * height bytes
---@param width integer
---@param height integer
---@return string
function core.canvas.sixel(pixels, width, height) end
*/
static int canvas_sixel(lua_State *L) {
  size_t size, encoded_size;
  const char *pixels = luaL_checklstring(L, 1, &size);
  lua_Integer width = luaL_checkinteger(L, 2), height = luaL_checkinteger(L, 3);
  luaL_argcheck(L, width > 0 && width < 32768 && height > 0 && height < 32768, 2,
                "width and height must be in 1..32767");
  luaL_argcheck(L, size == 3 * (size_t)width * (size_t)height, 1,
                "must hold 3 bytes for each pixel");
  char *encoded =
      un_sixel((const unsigned char *)pixels, (int)width, (int)height, &encoded_size);
  if (!encoded) return luaL_error(L, "not enough memory for a sixel image");
  lua_pushlstring(L, encoded, encoded_size);
  free(encoded);
  return 1;
}

static int canvas_tostring(lua_State *L) {
  canvas_handle *handle = luaL_checkudata(L, 1, UNL_CANVAS);
  lua_pushfstring(L, "canvas (%s)", handle->canvas ? "open" : "closed");
  return 1;
}

/* --- drawing ------------------------------------------------------------------------
 */

/*---
--- Drawing shows only inside the box until the matching unclip.
---@param left number
---@param top number
---@param right number
---@param bottom number
function Canvas:clip(left, top, right, bottom) end
*/
static int canvas_clip(lua_State *L) {
  un_box box = unl_checkbox(L, 2);
  un_canvas_clip(check_canvas(L), &box);
  return 0;
}

/*---
--- Ends the last clip.
function Canvas:unclip() end
*/
static int canvas_unclip(lua_State *L) {
  un_canvas_unclip(check_canvas(L));
  return 0;
}

/*---
--- A filled rectangle; on PNG its edges fall on pixels.
---@param left number
---@param top number
---@param right number
---@param bottom number
---@param color string "#rrggbb" or "#rrggbbaa"
function Canvas:rectangle(left, top, right, bottom, color) end
*/
static int canvas_rectangle(lua_State *L) {
  un_box box = unl_checkbox(L, 2);
  un_canvas_rectangle(check_canvas(L), &box, unl_checkcolor(L, 6));
  return 0;
}

/*---
--- A straight line; level and upright ones are crisp.
---@param x0 number
---@param y0 number
---@param x1 number
---@param y1 number
---@param stroke table {color, alpha, width, dash}
function Canvas:segment(x0, y0, x1, y1, stroke) end
*/
static int canvas_segment(lua_State *L) {
  un_box ends = unl_checkbox(L, 2);
  un_stroke stroke = unl_checkstroke(L, 6);
  un_canvas_segment(check_canvas(L), ends.left, ends.top, ends.right, ends.bottom,
                    &stroke);
  return 0;
}

/*---
--- A filled polygon.
---@param points number[] x0, y0, x1, y1, ...
---@param color string
function Canvas:polygon(points, color) end
*/
static int canvas_polygon(lua_State *L) {
  un_color color = unl_checkcolor(L, 3);
  luaL_checktype(L, 2, LUA_TTABLE);
  un_series s = unl_checkseries(L, 2);
  un_canvas_polygon(check_canvas(L), s.data, s.count / 2, color);
  return 0;
}

/*---
--- A matrix as coloured cells.
---@param left number
---@param top number
---@param right number
---@param bottom number
---@param cells unroll.Tensor float64 (rows, columns); row 1 is the top one
---@param palette table {table = 256 times r, g, b, scale, low, high, threshold,
--- missing}
---@param turned? table {bottom_up, right_to_left}
function Canvas:heatmap(left, top, right, bottom, cells, palette, turned) end
*/
static int canvas_heatmap(lua_State *L) {
  un_box box = unl_checkbox(L, 2);
  un_grid grid = unl_checkgrid(L, 6);
  un_palette palette = unl_checkpalette(L, 7);
  grid.bottom_up = unl_boolfield(L, 8, "bottom_up", false);
  grid.right_to_left = unl_boolfield(L, 8, "right_to_left", false);
  un_canvas_heatmap(check_canvas(L), &box, &grid, &palette);
  return 0;
}

/*---
--- The line through data points, clipped to the frame's surroundings.
---@param frame table see core.canvas.outline
---@param x unroll.Tensor|number[]|nil nil: 1, 2, 3, ...
---@param y unroll.Tensor|number[]
---@param stroke table {color, alpha, width, dash}
function Canvas:polyline(frame, x, y, stroke) end
*/
static int canvas_polyline(lua_State *L) {
  un_frame frame = unl_checkframe(L, 2);
  un_stroke stroke = unl_checkstroke(L, 5);
  un_series y = unl_checkseries(L, 4), x = unl_checkpositions(L, 3, y.count);
  un_canvas_polyline(check_canvas(L), &frame, &x, &y, &stroke);
  return 0;
}

static const char *const marker_names[] = {"circle", "square", "diamond", "triangle",
                                           "plus",   "cross",  NULL};

/* A series in a field of the style, left on the stack; NULL when there is none. */
static const un_series *series_field(lua_State *L, int table, const char *key,
                                     size_t count, un_series *s) {
  if (lua_getfield(L, table, key) == LUA_TNIL) return NULL;
  *s = unl_checkpositions(L, lua_gettop(L), count);
  return s;
}

/*---
--- A marker at each data point.
---@param frame table
---@param x unroll.Tensor|number[]|nil
---@param y unroll.Tensor|number[]
---@param style table {shape, size, color, alpha, rim, rim_width}; sizes: a series of
--- diameters in place of size; values, palette (as heatmap takes it): a series shown as
--- colours in place of color
function Canvas:markers(frame, x, y, style) end
*/
static int canvas_markers(lua_State *L) {
  lua_settop(L, 5);
  un_frame frame = unl_checkframe(L, 2);
  luaL_checktype(L, 5, LUA_TTABLE);
  un_marker_style style = {
      .shape = (un_marker)unl_optionfield(L, 5, "shape", marker_names),
      .size = unl_numberfield(L, 5, "size", 5),
      .fill = unl_colorfield(L, 5, "color", black),
      .rim = unl_colorfield(L, 5, "rim", nothing),
      .rim_width = unl_numberfield(L, 5, "rim_width", 0),
  };
  style.fill.a *= unl_numberfield(L, 5, "alpha", 1);
  un_series y = unl_checkseries(L, 4), x = unl_checkpositions(L, 3, y.count);
  un_series sizes, values;
  un_palette palette;
  style.sizes = series_field(L, 5, "sizes", y.count, &sizes);
  style.values = series_field(L, 5, "values", y.count, &values);
  if (style.values) {
    lua_getfield(L, 5, "palette");
    palette = unl_checkpalette(L, lua_gettop(L));
    style.palette = &palette;
  }
  un_canvas_markers(check_canvas(L), &frame, &x, &y, &style);
  return 0;
}

/*---
--- The area between two lines over the same x.
---@param frame table
---@param x unroll.Tensor|number[]|nil
---@param low unroll.Tensor|number[]
---@param high unroll.Tensor|number[]
---@param color string
function Canvas:area(frame, x, low, high, color) end
*/
static int canvas_area(lua_State *L) {
  un_frame frame = unl_checkframe(L, 2);
  un_color color = unl_checkcolor(L, 6);
  un_series low = unl_checkseries(L, 4), high = unl_checkpositions(L, 5, low.count),
            x = unl_checkpositions(L, 3, low.count);
  un_canvas_area(check_canvas(L), &frame, &x, &low, &high, color);
  return 0;
}

/*---
--- Text with its top left corner at (x, y).
---@param text string UTF-8, or markup with style.markup
---@param x number
---@param y number
---@param style table {size, bold, italic, markup, wrap, align, angle, color, alpha}
function Canvas:text(text, x, y, style) end
*/
static int canvas_text(lua_State *L) {
  double x = luaL_checknumber(L, 3), y = luaL_checknumber(L, 4);
  un_text text = unl_checktext(L, 2, 5);
  un_plot_error error;
  if (!un_canvas_text(check_canvas(L), &text, x, y, &error)) return raise(L, &error);
  return 0;
}

/* --- registration -------------------------------------------------------------------
 */

static const luaL_Reg methods[] = {
    {"close", canvas_close},         {"finish", canvas_finish},
    {"clip", canvas_clip},           {"unclip", canvas_unclip},
    {"rectangle", canvas_rectangle}, {"segment", canvas_segment},
    {"polygon", canvas_polygon},     {"heatmap", canvas_heatmap},
    {"pixels", canvas_pixels},       {"polyline", canvas_polyline},
    {"markers", canvas_markers},     {"area", canvas_area},
    {"text", canvas_text},           {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", canvas_close},
                                       {"__close", canvas_close},
                                       {"__tostring", canvas_tostring},
                                       {NULL, NULL}};

static const luaL_Reg functions[] = {{"open", canvas_open},
                                     {"measure", canvas_measure},
                                     {"sixel", canvas_sixel},
                                     {NULL, NULL}};

void unl_open_canvas(lua_State *L) {
  unl_addmethods(L, UNL_CANVAS, methods);
  luaL_getmetatable(L, UNL_CANVAS);
  luaL_setfuncs(L, metamethods, 0);
  lua_pop(L, 1);
  unl_subtable(L, "canvas");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
