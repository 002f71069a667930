/* tiles.h -- walks with inputs that lie across the output (a transposed matrix).
**
** Memory is read and written by whole cache lines, so such a walk goes by square tiles:
** the tile of each crossed input is first transposed into a small buffer. */
#ifndef UN_TILES_H
#define UN_TILES_H

#include "walk.h"

/* As un_walk_each for a walk in any order, of which operand 0 alone is written and
** shares no memory with a crossed input. */
void un_walk_tiles(const un_walk *w, un_run *run, void *context);

#endif
