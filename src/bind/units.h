/* units.h -- the argument that says what one symbol of a text is. */
#ifndef UNL_UNITS_H
#define UNL_UNITS_H

#include "text.h"
#include "unl.h"

/* "characters", also when there is no argument, or "bytes". */
un_text_units unl_checkunits(lua_State *L, int arg);

#endif
