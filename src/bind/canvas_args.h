/* canvas_args.h -- what the bindings of the canvas share: reading styles, frames and
** series of numbers from Lua.
**
** Styles are tables; colours are "#rrggbb" or "#rrggbbaa". Numbers to draw are 1-d
** float tensors, read in place, or Lua tables, copied to a userdata that stays on the
** stack. */
#ifndef CANVAS_ARGS_H
#define CANVAS_ARGS_H

#include "canvas.h"
#include "unl.h"

double unl_numberfield(lua_State *L, int table, const char *key, double preset);

/* The position of the field's value among `names`; 0 when the field is absent. */
int unl_optionfield(lua_State *L, int table, const char *key,
                    const char *const names[]);

un_color unl_checkcolor(lua_State *L, int arg);
un_color unl_colorfield(lua_State *L, int table, const char *key, un_color preset);

/* {color=, alpha=, width=, dash={on, off, ...}} */
un_stroke unl_checkstroke(lua_State *L, int arg);

/* Four numbers: left, top, right, bottom. */
un_box unl_checkbox(lua_State *L, int first);

/* {left=, top=, right=, bottom=, xscale=, xlow=, xhigh=, xthreshold=, xflip=, yscale=
*...}:
** xlow falls on left, ylow on bottom; with xflip on right, with yflip on top. */
un_frame unl_checkframe(lua_State *L, int arg);

/* A float64 matrix, read in place. */
un_grid unl_checkgrid(lua_State *L, int arg);

/* {table= 256 times r,g,b as bytes, scale=, low=, high=, threshold=, missing= colour}
 */
un_palette unl_checkpalette(lua_State *L, int arg);

un_series unl_checkseries(lua_State *L, int arg);

/* A series with `count` numbers; nil stands for 1, 2, 3, ... */
un_series unl_checkpositions(lua_State *L, int arg, size_t count);

/* words: a string; style: {size=, bold=, italic=, markup=, wrap=, align=, angle=,
** color=, alpha=} */
un_text unl_checktext(lua_State *L, int words, int style);

#endif
