/* canvas_args.c -- arguments of drawing functions: styles, frames, series (see
** canvas_args.h). */
#include "canvas_args.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- fields of a style --------------------------------------------------------------
 */

double unl_numberfield(lua_State *L, int table, const char *key, double preset) {
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

int unl_optionfield(lua_State *L, int table, const char *key,
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
    luaL_argerror(L, table,
                  lua_pushfstring(L, "unknown %s '%s'", key, unl_pushtext(L, -1)));
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

un_color unl_checkcolor(lua_State *L, int arg) {
  un_color color;
  if (!read_color(lua_tostring(L, arg), &color))
    luaL_argerror(
        L, arg,
        lua_pushfstring(L, "colour '#rrggbb' expected, got %s", unl_pushtext(L, arg)));
  return color;
}

un_color unl_colorfield(lua_State *L, int table, const char *key, un_color preset) {
  un_color color = preset;
  if (lua_getfield(L, table, key) != LUA_TNIL &&
      !read_color(lua_tostring(L, -1), &color))
    luaL_argerror(L, table,
                  lua_pushfstring(L, "%s: colour '#rrggbb' expected, got %s", key,
                                  unl_pushtext(L, -1)));
  lua_pop(L, 1);
  return color;
}

static const un_color black = {0, 0, 0, 1};

un_stroke unl_checkstroke(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  un_stroke stroke = {.color = unl_colorfield(L, arg, "color", black)};
  stroke.color.a *= unl_numberfield(L, arg, "alpha", 1);
  stroke.width = unl_numberfield(L, arg, "width", 1);
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

un_box unl_checkbox(lua_State *L, int first) {
  return (un_box){luaL_checknumber(L, first), luaL_checknumber(L, first + 1),
                  luaL_checknumber(L, first + 2), luaL_checknumber(L, first + 3)};
}

static const char *const scale_names[] = {"linear", "log10", "symlog", NULL};

static void turn_round(un_map *map) {
  double at_low = map->at_low;
  map->at_low = map->at_high;
  map->at_high = at_low;
}

un_frame unl_checkframe(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  un_frame f;
  f.box = (un_box){
      unl_numberfield(L, arg, "left", 0), unl_numberfield(L, arg, "top", 0),
      unl_numberfield(L, arg, "right", 1), unl_numberfield(L, arg, "bottom", 1)};
  f.x = (un_map){(un_scale)unl_optionfield(L, arg, "xscale", scale_names),
                 unl_numberfield(L, arg, "xlow", 0),
                 unl_numberfield(L, arg, "xhigh", 1),
                 f.box.left,
                 f.box.right,
                 unl_numberfield(L, arg, "xthreshold", 1)};
  f.y = (un_map){(un_scale)unl_optionfield(L, arg, "yscale", scale_names),
                 unl_numberfield(L, arg, "ylow", 0),
                 unl_numberfield(L, arg, "yhigh", 1),
                 f.box.bottom,
                 f.box.top,
                 unl_numberfield(L, arg, "ythreshold", 1)};
  if (unl_boolfield(L, arg, "xflip", false)) turn_round(&f.x);
  if (unl_boolfield(L, arg, "yflip", false)) turn_round(&f.y);
  return f;
}

/* --- matrices -----------------------------------------------------------------------
 */

un_grid unl_checkgrid(lua_State *L, int arg) {
  un_view *v = unl_checkreal(L, arg);
  if (v->dims != 2 || v->dtype != UN_F64)
    luaL_argerror(L, arg, "must be a float64 matrix");
  return (un_grid){.data = v->data,
                   .rows = (size_t)v->size[0],
                   .columns = (size_t)v->size[1],
                   .row_stride = (ptrdiff_t)v->stride[0],
                   .column_stride = (ptrdiff_t)v->stride[1]};
}

static unsigned pack(un_color c) {
  return 0xff000000u | (unsigned)lround(c.r * 255) << 16 |
         (unsigned)lround(c.g * 255) << 8 | (unsigned)lround(c.b * 255);
}

un_palette unl_checkpalette(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  un_palette p = {.map = {(un_scale)unl_optionfield(L, arg, "scale", scale_names),
                          unl_numberfield(L, arg, "low", 0),
                          unl_numberfield(L, arg, "high", 1), 0, 1,
                          unl_numberfield(L, arg, "threshold", 1)},
                  .missing = pack(unl_colorfield(L, arg, "missing", black))};
  size_t size;
  lua_getfield(L, arg, "table");
  const char *table = lua_tolstring(L, -1, &size);
  if (!table || size != 3 * UN_PALETTE_SIZE)
    luaL_argerror(L, arg, "table must be a string of 256 times r, g, b");
  for (size_t i = 0; i < UN_PALETTE_SIZE; i++) {
    const unsigned char *c = (const unsigned char *)table + 3 * i;
    p.colors[i] = 0xff000000u | (unsigned)c[0] << 16 | (unsigned)c[1] << 8 | c[2];
  }
  lua_pop(L, 1);
  return p;
}

/* --- series -------------------------------------------------------------------------
 */

/* Leaves a userdata with the numbers on the stack. */
static un_series series_from_table(lua_State *L, int arg) {
  size_t n = (size_t)lua_rawlen(L, arg); /* __len may say anything */
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

un_series unl_checkseries(lua_State *L, int arg) {
  if (lua_istable(L, arg)) return series_from_table(L, arg);
  un_view *v = unl_checkreal(L, arg);
  if (v->dims != 1)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "must have one dimension, got %s", un_shape(v).s));
  return (un_series){v->data, v->dtype == UN_F64, (ptrdiff_t)v->stride[0],
                     (size_t)v->size[0]};
}

un_series unl_checkpositions(lua_State *L, int arg, size_t count) {
  if (lua_isnil(L, arg)) return (un_series){NULL, true, 1, count};
  un_series s = unl_checkseries(L, arg);
  if (s.count != count)
    luaL_argerror(L, arg,
                  lua_pushfstring(L, "has %I elements, the others %I",
                                  (lua_Integer)s.count, (lua_Integer)count));
  return s;
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

un_text unl_checktext(lua_State *L, int words, int style) {
  un_text text = {.s = luaL_checkstring(L, words)};
  luaL_checktype(L, style, LUA_TTABLE);
  text.markup = flag_field(L, style, "markup");
  text.bold = flag_field(L, style, "bold");
  text.italic = flag_field(L, style, "italic");
  text.size = unl_numberfield(L, style, "size", 10);
  text.wrap = unl_numberfield(L, style, "wrap", 0);
  text.angle = unl_numberfield(L, style, "angle", 0);
  text.align = (un_align)unl_optionfield(L, style, "align", align_names);
  text.color = unl_colorfield(L, style, "color", black);
  text.color.a *= unl_numberfield(L, style, "alpha", 1);
  luaL_argcheck(L, text.size > 0 && text.size < 1000, style, "size must be in 0..1000");
  return text;
}
