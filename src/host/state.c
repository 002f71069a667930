/* state.c -- the program's Lua state: where its memory comes from, and its warnings.
**
** Lua frees by the hundred when it sweeps, more than malloc keeps at hand; so blocks of
** up to MOST bytes, which most tensors, tables and strings are, come from lists of free
** blocks of their size and go back there. They are cut from chunks that are kept until
** the end. Larger blocks are malloc's.
**
** Very large ones malloc would give back to the system when they are freed, and the system
** clears all pages of the next ones, which takes longer than most work on them. So a few
** are kept for blocks of about their sizes, and cut to these. When another large one is
** wanted, all are let go first, and when the system has no more memory for any block, too:
** what is kept makes the program at no time larger than it was, but for the small blocks and
** what libraries take for themselves since. */
#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

/* --- memory ------------------------------------------------------------------------- */

/* The tools that look for wrong accesses must see each block. */
#if defined __SANITIZE_ADDRESS__
enum { MOST = 0 };
#else
enum { MOST = 512 };
#endif
enum { UNIT = 16, CHUNK = 1 << 15 };
enum { LARGE = 1 << 22, KEPT_LEAST = 1 << 25, KEPT_MOST = MOST > 0 ? 1 << 28 : 0 };
enum { KEPT = 4 };

typedef union free_block {
  union free_block *next;
  max_align_t aligned;
} free_block;

typedef struct kept_block {
  void *block; /* NULL: none */
  size_t bytes;
} kept_block;

typedef struct pool {
  free_block *list[MOST / UNIT + 1]; /* of blocks of that many units */
  char *chunk;                       /* what is left of the newest one */
  size_t left;
  kept_block kept[KEPT];
} pool;

static size_t units_of(size_t bytes) {
  return (bytes + UNIT - 1) / UNIT;
}

static void let_go(pool *p) {
  for (int i = 0; i < KEPT; i++) {
    free(p->kept[i].block);
    p->kept[i].block = NULL;
  }
}

/* realloc, which is malloc where there is no block yet. */
static void *from_system(pool *p, void *block, size_t bytes) {
  void *found = realloc(block, bytes);
  if (found) return found;
  let_go(p);
  return realloc(block, bytes);
}

static void put_back(pool *p, void *block, size_t bytes) {
  free_block *b = block;
  b->next = p->list[units_of(bytes)];
  p->list[units_of(bytes)] = b;
}

static void *cut(pool *p, size_t bytes) {
  if (p->left < bytes) {
    char *chunk = from_system(p, NULL, CHUNK);
    if (!chunk) return NULL;
    if (p->left > 0) put_back(p, p->chunk, p->left);
    p->chunk = chunk;
    p->left = CHUNK;
  }
  void *block = p->chunk;
  p->chunk += bytes;
  p->left -= bytes;
  return block;
}

static void *take_large(pool *p, size_t bytes) {
  for (int i = 0; i < KEPT; i++) {
    kept_block *k = &p->kept[i];
    if (!k->block || bytes > k->bytes || bytes < k->bytes / 4 * 3) continue;
    void *shorter = realloc(k->block, bytes), *block = shorter ? shorter : k->block;
    k->block = NULL;
    return block;
  }
  let_go(p);
  return malloc(bytes);
}

static void give_large(pool *p, void *block, size_t bytes) {
  for (int i = 0; i < KEPT && bytes >= KEPT_LEAST && bytes <= KEPT_MOST; i++)
    if (!p->kept[i].block) {
      p->kept[i] = (kept_block){block, bytes};
      return;
    }
  free(block);
}

static void *take(pool *p, size_t bytes) {
  if (bytes >= LARGE) return take_large(p, bytes);
  if (bytes > MOST) return from_system(p, NULL, bytes);
  free_block **list = &p->list[units_of(bytes)], *block = *list;
  if (!block) return cut(p, units_of(bytes) * UNIT);
  *list = block->next;
  return block;
}

static void give(pool *p, void *block, size_t bytes) {
  if (bytes > MOST)
    give_large(p, block, bytes);
  else
    put_back(p, block, bytes);
}

/* As lua_Alloc says. Lua relies on it that a block can always be made smaller: where there
** is no memory for a smaller one, the old one is one. */
static void *allocate(void *context, void *block, size_t old, size_t bytes) {
  pool *p = context;
  if (!block) return bytes > 0 ? take(p, bytes) : NULL;
  if (bytes == 0) {
    give(p, block, old);
    return NULL;
  }
  if (old > MOST && bytes > MOST) {
    if (bytes >= LARGE) let_go(p);
    return from_system(p, block, bytes);
  }
  if (old <= MOST && bytes <= MOST && units_of(old) == units_of(bytes)) return block;
  void *moved = take(p, bytes);
  if (!moved) return bytes < old ? block : NULL;
  memcpy(moved, block, old < bytes ? old : bytes);
  give(p, block, old);
  return moved;
}

/* --- warnings: as in the stand-alone interpreter, off until warn("@on") ---------------- */

typedef struct warnings {
  bool on, within; /* within a message that comes in pieces */
} warnings;

static void warn(void *context, const char *message, int continues) {
  warnings *w = context;
  if (!w->within && !continues && message[0] == '@') {
    if (strcmp(message, "@on") == 0) w->on = true;
    if (strcmp(message, "@off") == 0) w->on = false;
    return;
  }
  if (w->on)
    fprintf(stderr, "%s%s%s", w->within ? "" : "Lua warning: ", message,
            continues ? "" : "\n");
  w->within = continues != 0;
}

lua_State *host_new_state(void) {
  static pool memory;
  static warnings state;
  lua_State *L = lua_newstate(allocate, &memory);
  if (L) lua_setwarnf(L, warn, &state);
  return L;
}
