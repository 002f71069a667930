/* canvas.c -- the Canvas class: a page that scripts draw on (src/plot/canvas.h).
**
** A canvas is a handle: made closed, given its metatable, then opened; close, __close
** and __gc are one function that may run twice. Numbers to draw are 1-d float tensors,
** read in place, or Lua tables. Styles are tables; colours are "#rrggbb" or
** "#rrggbbaa". lua/unroll/plot is the only intended caller, so the checks here guard
** memory and say what is wrong, and its own checks speak to users. */
#include "canvas.h"

#include <stdio.h>
#include <string.h>

#include "unl.h"

#define UNL_CANVAS "unroll.Canvas"

typedef struct canvas_handle {
  un_canvas *canvas; /* NULL: closed */
} canvas_handle;

static int raise(lua_State *L, const un_plot_error *error) {
  return luaL_error(L, "%s", error->msg);
}

/* --- fields of a style --------------------------------------------------------------
 */

static double number_field(lua_State *L, int table, const char *key, double preset) {
  double value = preset;
  if (lua_getfield(L, table, key) != LUA_TNIL) {
    int is_number;
    value = lua_tonumberx(L, -1, &is_number);
    if (!is_number)
      luaL_argerror(
          L, table,
          lua_pushfstring(L, "%s must be a number, got %s", key, luaL_typename(L, -1)));
  }
  lua_pop(L, 1);
  return value;
}

static int option_field(lua_State *L, int table, const char *key,
                        const char *const names[]) {
  if (lua_getfield(L, table, key) == LUA_TNIL) {
    lua_pop(L, 1);
    return 0;
  }
  const char *name = lua_tostring(L, -1);
  int i = 0;
  while (name && names[i] && strcmp(name, names[i]) != 0)
    i++;
  if (!name || !names[i])
    luaL_argerror(
        L, table,
        lua_pushfstring(L, "unknown %s '%s'", key, luaL_tolstring(L, -1, NULL)));
  lua_pop(L, 1);
  return i;
}

static bool read_color(const char *s, un_color *color) {
  unsigned v[4] = {0, 0, 0, 255};
  size_t n = s ? strlen(s) : 0;
  if ((n != 7 && n != 9) || s[0] != '#' ||
      strspn(s + 1, "0123456789abcdefABCDEF") != n - 1)
    return false;
  sscanf(s + 1, "%2x%2x%2x%2x", &v[0], &v[1], &v[2], &v[3]);
  *color = (un_color){v[0] / 255.0, v[1] / 255.0, v[2] / 255.0, v[3] / 255.0};
  return true;
}

static un_color check_color(lua_State *L, int arg) {
  un_color color;
  if (!read_color(lua_tostring(L, arg), &color))
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "colour '#rrggbb' expected, got %s",
                                  luaL_tolstring(L, arg, NULL)));
  return color;
}

static un_color color_field(lua_State *L, int table, const char *key, un_color preset) {
  un_color color = preset;
  if (lua_getfield(L, table, key) != LUA_TNIL &&
      !read_color(lua_tostring(L, -1), &color))
    luaL_argerror(L, table,
                  lua_pushfstring(L, "%s: colour '#rrggbb' expected, got %s", key,
                                  luaL_tolstring(L, -1, NULL)));
  lua_pop(L, 1);
  return color;
}

static const un_color black = {0, 0, 0, 1}, nothing = {0, 0, 0, 0};

/* {color=, alpha=, width=, dash={on, off, ...}} */
static un_stroke check_stroke(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  un_stroke stroke = {.color = color_field(L, arg, "color", black)};
  stroke.color.a *= number_field(L, arg, "alpha", 1);
  stroke.width = number_field(L, arg, "width", 1);
  if (lua_getfield(L, arg, "dash") == LUA_TTABLE) {
    int dash = lua_gettop(L);
    double total = 0;
    for (int i = 0; i < UN_MAX_DASHES && lua_geti(L, dash, i + 1) == LUA_TNUMBER; i++) {
      double length = lua_tonumber(L, -1);
      if (!(length >= 0)) luaL_argerror(L, arg, "dash lengths must not be negative");
      stroke.dash[stroke.dashes++] = length;
      total += length;
    }
    if (!(total > 0)) stroke.dashes = 0;
  }
  lua_settop(L, arg);
  return stroke;
}

static un_box check_box(lua_State *L, int first) {
  return (un_box){luaL_checknumber(L, first), luaL_checknumber(L, first + 1),
                  luaL_checknumber(L, first + 2), luaL_checknumber(L, first + 3)};
}

static const char *const scale_names[] = {"linear", "log10", NULL};

/* {left=, top=, right=, bottom=, xscale=, xlow=, xhigh=, yscale=, ylow=, yhigh=}: xlow
** falls on left, ylow on bottom. */
static un_frame check_frame(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  un_frame f;
  f.box = (un_box){number_field(L, arg, "left", 0), number_field(L, arg, "top", 0),
                   number_field(L, arg, "right", 1), number_field(L, arg, "bottom", 1)};
  f.x = (un_map){(un_scale)option_field(L, arg, "xscale", scale_names),
                 number_field(L, arg, "xlow", 0), number_field(L, arg, "xhigh", 1),
                 f.box.left, f.box.right};
  f.y = (un_map){(un_scale)option_field(L, arg, "yscale", scale_names),
                 number_field(L, arg, "ylow", 0), number_field(L, arg, "yhigh", 1),
                 f.box.bottom, f.box.top};
  return f;
}

/* --- series -------------------------------------------------------------------------
 */

/* Leaves a userdata with the numbers on the stack. */
static un_series series_from_table(lua_State *L, int arg) {
  size_t n = (size_t)luaL_len(L, arg);
  double *values = lua_newuserdatauv(L, (n ? n : 1) * sizeof *values, 0);
  for (size_t i = 0; i < n; i++) {
    int is_number;
    lua_geti(L, arg, (lua_Integer)i + 1);
    values[i] = lua_tonumberx(L, -1, &is_number);
    if (!is_number || lua_type(L, -1) != LUA_TNUMBER)
      luaL_argerror(L, arg,
                    lua_pushfstring(L, "element %I is a %s, must be a number",
                                    (lua_Integer)i + 1, luaL_typename(L, -1)));
    lua_pop(L, 1);
  }
  return (un_series){values, true, 1, n};
}

static un_series check_series(lua_State *L, int arg) {
  if (lua_istable(L, arg)) return series_from_table(L, arg);
  un_view *v = unl_checkreal(L, arg);
  if (v->dims != 1)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "must have one dimension, got %s", un_shape(v).s));
  return (un_series){v->data, v->dtype == UN_F64, (ptrdiff_t)v->stride[0],
                     (size_t)v->size[0]};
}

/* nil stands for 1, 2, 3, ... */
static un_series check_positions(lua_State *L, int arg, size_t count) {
  if (lua_isnil(L, arg)) return (un_series){NULL, true, 1, count};
  un_series s = check_series(L, arg);
  if (s.count != count)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "has %I elements, the others %I",
                                  (lua_Integer)s.count, (lua_Integer)count));
  return s;
}

/*---
--- Lowest and highest finite value.
---@param values unroll.Tensor|number[]
---@param positive_only? boolean leave out what a log axis cannot show
---@return number low, number high math.huge, -math.huge when there is none
---@return integer finite how many values were counted
---@return integer dropped how many were finite but not positive
---@return boolean integers whether all counted values are whole numbers
function core.canvas.range(values, positive_only) end
*/
static int canvas_range(lua_State *L) {
  un_series s = check_series(L, 1);
  un_range r = un_series_range(&s, lua_toboolean(L, 2));
  lua_pushnumber(L, r.low);
  lua_pushnumber(L, r.high);
  lua_pushinteger(L, (lua_Integer)r.finite);
  lua_pushinteger(L, (lua_Integer)r.dropped);
  lua_pushboolean(L, r.integers);
  return 5;
}

enum { OUTLINE_ROOM = 2048 };

/*---
--- A few hundred page points that stand for a line: what a legend must keep clear of.
---@param frame table {left, top, right, bottom, xscale, xlow, xhigh, yscale, ylow,
yhigh}
---@param x unroll.Tensor|number[]|nil nil: 1, 2, 3, ...
---@param y unroll.Tensor|number[]
---@param bucket number width in points within which points are joined
---@return number[] x0, y0, x1, y1, ...; NaN, NaN where the line breaks
function core.canvas.outline(frame, x, y, bucket) end
*/
static int canvas_outline(lua_State *L) {
  double points[2 * OUTLINE_ROOM];
  un_frame frame = check_frame(L, 1);
  double bucket = luaL_checknumber(L, 4);
  luaL_argcheck(L, bucket > 0, 4, "must be positive");
  lua_settop(L, 4);
  un_series y = check_series(L, 3), x = check_positions(L, 2, y.count);
  size_t n = un_series_outline(&frame, &x, &y, bucket, points, OUTLINE_ROOM);
  lua_createtable(L, (int)(2 * n), 0);
  for (size_t i = 0; i < 2 * n; i++) {
    lua_pushnumber(L, points[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static double tensor_element(const un_view *v, int64_t i) {
  int64_t at = i * v->stride[0];
  switch (v->dtype) {
  case UN_F32:
    return (double)((const float *)v->data)[at];
  case UN_F64:
    return ((const double *)v->data)[at];
  case UN_I32:
    return ((const int32_t *)v->data)[at];
  case UN_U8:
    return ((const uint8_t *)v->data)[at];
  case UN_U16:
    return ((const uint16_t *)v->data)[at];
  }
  return 0;
}

static int snapshot_of_tensor(lua_State *L, const un_view *v) {
  if (v->dims != 1) {
    lua_pushnil(L);
    lua_pushfstring(L, "must have one dimension, got %s", un_shape(v).s);
    return 2;
  }
  un_view *copy = unl_newtensor(L, "snapshot", UN_F64, 1, v->size);
  for (int64_t i = 0; i < v->size[0]; i++)
    ((double *)copy->data)[i] = tensor_element(v, i);
  return 1;
}

static int snapshot_of_table(lua_State *L) {
  int64_t n = luaL_len(L, 1);
  double *values = unl_newtensor(L, "snapshot", UN_F64, 1, &n)->data;
  for (int64_t i = 0; i < n; i++) {
    if (lua_geti(L, 1, i + 1) != LUA_TNUMBER) {
      lua_pushnil(L);
      lua_pushfstring(L, "element %I is a %s, must be a number", (lua_Integer)i + 1,
                      luaL_typename(L, -2));
      return 2;
    }
    values[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return 1;
}

/*---
--- A float64 copy, so that a chart does not change when the caller's buffer does.
---@param values unroll.Tensor|number[] any dtype, one dimension
---@return unroll.Tensor? copy, string? message
function core.canvas.snapshot(values) end
*/
static int canvas_snapshot(lua_State *L) {
  lua_settop(L, 1);
  un_view *v = unl_totensor(L, 1);
  if (v) return snapshot_of_tensor(L, v);
  if (lua_istable(L, 1)) return snapshot_of_table(L);
  lua_pushnil(L);
  lua_pushfstring(L, "must be a tensor or a table of numbers, got %s",
                  luaL_typename(L, 1));
  return 2;
}

/*---
--- The numbers of a snapshot as a Lua table.
---@param values unroll.Tensor|number[]
---@return number[]
function core.canvas.values(values) end
*/
static int canvas_values(lua_State *L) {
  un_series s = check_series(L, 1);
  lua_createtable(L, (int)s.count, 0);
  for (size_t i = 0; i < s.count; i++) {
    lua_pushnumber(L, un_series_value(&s, i));
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/*---
--- How many numbers a series has.
---@param values unroll.Tensor|number[]
---@return integer
function core.canvas.count(values) end
*/
static int canvas_count(lua_State *L) {
  if (lua_istable(L, 1))
    lua_pushinteger(L, luaL_len(L, 1));
  else
    lua_pushinteger(L, (lua_Integer)check_series(L, 1).count);
  return 1;
}

/* --- text ---------------------------------------------------------------------------
 */

static const char *const align_names[] = {"left", "center", "right", NULL};

static bool flag_field(lua_State *L, int table, const char *key) {
  lua_getfield(L, table, key);
  bool value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* {size=, bold=, italic=, markup=, wrap=, align=, angle=, color=, alpha=} */
static un_text check_text(lua_State *L, int words, int style) {
  un_text text = {.s = luaL_checkstring(L, words)};
  luaL_checktype(L, style, LUA_TTABLE);
  text.markup = flag_field(L, style, "markup");
  text.bold = flag_field(L, style, "bold");
  text.italic = flag_field(L, style, "italic");
  text.size = number_field(L, style, "size", 10);
  text.wrap = number_field(L, style, "wrap", 0);
  text.angle = number_field(L, style, "angle", 0);
  text.align = (un_align)option_field(L, style, "align", align_names);
  text.color = color_field(L, style, "color", black);
  text.color.a *= number_field(L, style, "alpha", 1);
  luaL_argcheck(L, text.size > 0 && text.size < 1000, style, "size must be in 0..1000");
  return text;
}

/*---
--- The size of a text, in points.
---@param text string UTF-8
---@param style table {size, bold, italic, markup, wrap, align}
---@return number width, number height of all lines
---@return number baseline of the first line, from the top
---@return number ink_top, number ink_bottom what the glyphs cover, from the top
---@return number ink_left, number ink_right
function core.canvas.measure(text, style) end
*/
static int canvas_measure(lua_State *L) {
  un_text text = check_text(L, 1, 2);
  un_text_size size;
  un_plot_error error;
  if (!un_text_measure(&text, &size, &error)) return raise(L, &error);
  const double out[] = {size.width,      size.height,   size.baseline, size.ink_top,
                        size.ink_bottom, size.ink_left, size.ink_right};
  for (size_t i = 0; i < sizeof out / sizeof *out; i++)
    lua_pushnumber(L, out[i]);
  return sizeof out / sizeof *out;
}

/* --- the handle ---------------------------------------------------------------------
 */

static un_canvas *check_canvas(lua_State *L) {
  canvas_handle *handle = luaL_checkudata(L, 1, UNL_CANVAS);
  if (!handle->canvas) luaL_argerror(L, 1, "the canvas is closed");
  return handle->canvas;
}

static const char *const format_names[] = {"png", "svg", "pdf", NULL};

/*---
--- A new page.
---@param page table {format="png"|"svg"|"pdf", width, height (points), dpi=150 (png),
--- zoom=1 (drawing of 1 point becomes zoom points on the page), background="#ffffff",
--- title, description}
---@return unroll.Canvas
function core.canvas.open(page) end
*/
static int canvas_open(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  un_page page = {.format = (un_page_format)option_field(L, 1, "format", format_names)};
  page.width = number_field(L, 1, "width", 324);
  page.height = number_field(L, 1, "height", 230);
  page.dpi = number_field(L, 1, "dpi", 150);
  page.zoom = number_field(L, 1, "zoom", 1);
  page.background = color_field(L, 1, "background", nothing);
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
  un_box box = check_box(L, 2);
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
  un_box box = check_box(L, 2);
  un_canvas_rectangle(check_canvas(L), &box, check_color(L, 6));
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
  un_box ends = check_box(L, 2);
  un_stroke stroke = check_stroke(L, 6);
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
  un_canvas *c = check_canvas(L);
  un_color color = check_color(L, 3);
  luaL_checktype(L, 2, LUA_TTABLE);
  un_series s = series_from_table(L, 2);
  un_canvas_polygon(c, s.data, s.count / 2, color);
  return 0;
}

/*---
--- A grid of coloured cells, scaled to the box without blending.
---@param left number
---@param top number
---@param right number
---@param bottom number
---@param rgba string 4 * width * height bytes, top row first
---@param width integer
---@param height integer
function Canvas:image(left, top, right, bottom, rgba, width, height) end
*/
static int canvas_image(lua_State *L) {
  un_box box = check_box(L, 2);
  size_t size;
  const char *rgba = luaL_checklstring(L, 6, &size);
  lua_Integer width = luaL_checkinteger(L, 7), height = luaL_checkinteger(L, 8);
  luaL_argcheck(L, width > 0 && width < 32768 && height > 0 && height < 32768, 7,
                "width and height must be in 1..32767");
  luaL_argcheck(L, size == 4 * (size_t)width * (size_t)height, 6,
                "must hold 4 bytes for each cell");
  un_canvas_image(check_canvas(L), &box, (const unsigned char *)rgba, (int)width,
                  (int)height);
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
  un_canvas *c = check_canvas(L);
  un_frame frame = check_frame(L, 2);
  un_stroke stroke = check_stroke(L, 5);
  un_series y = check_series(L, 4), x = check_positions(L, 3, y.count);
  un_canvas_polyline(c, &frame, &x, &y, &stroke);
  return 0;
}

static const char *const marker_names[] = {"circle", "square", "diamond", "triangle",
                                           "plus",   "cross",  NULL};

/*---
--- A marker at each data point.
---@param frame table
---@param x unroll.Tensor|number[]|nil
---@param y unroll.Tensor|number[]
---@param style table {shape, size, color, alpha, rim, rim_width}
function Canvas:markers(frame, x, y, style) end
*/
static int canvas_markers(lua_State *L) {
  un_canvas *c = check_canvas(L);
  un_frame frame = check_frame(L, 2);
  luaL_checktype(L, 5, LUA_TTABLE);
  un_marker_style style = {
      .shape = (un_marker)option_field(L, 5, "shape", marker_names),
      .size = number_field(L, 5, "size", 5),
      .fill = color_field(L, 5, "color", black),
      .rim = color_field(L, 5, "rim", nothing),
      .rim_width = number_field(L, 5, "rim_width", 0),
  };
  style.fill.a *= number_field(L, 5, "alpha", 1);
  un_series y = check_series(L, 4), x = check_positions(L, 3, y.count);
  un_canvas_markers(c, &frame, &x, &y, &style);
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
  un_canvas *c = check_canvas(L);
  un_frame frame = check_frame(L, 2);
  un_color color = check_color(L, 6);
  un_series low = check_series(L, 4), high = check_positions(L, 5, low.count),
            x = check_positions(L, 3, low.count);
  un_canvas_area(c, &frame, &x, &low, &high, color);
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
  un_canvas *c = check_canvas(L);
  double x = luaL_checknumber(L, 3), y = luaL_checknumber(L, 4);
  un_text text = check_text(L, 2, 5);
  un_plot_error error;
  if (!un_canvas_text(c, &text, x, y, &error)) return raise(L, &error);
  return 0;
}

/* --- registration -------------------------------------------------------------------
 */

static const luaL_Reg methods[] = {{"close", canvas_close},
                                   {"finish", canvas_finish},
                                   {"clip", canvas_clip},
                                   {"unclip", canvas_unclip},
                                   {"rectangle", canvas_rectangle},
                                   {"segment", canvas_segment},
                                   {"polygon", canvas_polygon},
                                   {"image", canvas_image},
                                   {"polyline", canvas_polyline},
                                   {"markers", canvas_markers},
                                   {"area", canvas_area},
                                   {"text", canvas_text},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", canvas_close},
                                       {"__close", canvas_close},
                                       {"__tostring", canvas_tostring},
                                       {NULL, NULL}};

static const luaL_Reg functions[] = {
    {"open", canvas_open},         {"measure", canvas_measure},
    {"range", canvas_range},       {"outline", canvas_outline},
    {"values", canvas_values},     {"count", canvas_count},
    {"snapshot", canvas_snapshot}, {NULL, NULL}};

void unl_open_canvas(lua_State *L) {
  unl_addmethods(L, UNL_CANVAS, methods);
  luaL_getmetatable(L, UNL_CANVAS);
  luaL_setfuncs(L, metamethods, 0);
  lua_pop(L, 1);
  unl_subtable(L, "canvas");
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
