/* svg.c -- stable ids, and words for readers who do not see, in SVG.
**
** cairo draws text as outlines, so title and description are the only words in the
** file.
**
** cairo numbers surfaces, images and the like with counters that live as long as the
** process, so the same figure drawn a second time has other ids. Each id prefix+number
** gets the number of its first appearance instead. An id is what stands in id="..." and
** after # in url(#...) and href="#...". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"

typedef struct seen_id {
  size_t prefix, prefix_size; /* where it stands in the source */
  long number;
} seen_id;

typedef struct renumbering {
  const char *source;
  size_t size;
  seen_id *seen;
  size_t count, room;
} renumbering;

static bool is_letter(char ch) {
  return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}

static bool is_digit(char ch) {
  return ch >= '0' && ch <= '9';
}

static bool same_prefix(const renumbering *r, const seen_id *a, const seen_id *b) {
  return a->prefix_size == b->prefix_size &&
         memcmp(r->source + a->prefix, r->source + b->prefix, a->prefix_size) == 0;
}

/* The new number of an id: how many with its prefix came before it. -1: no memory. */
static long new_number(renumbering *r, const seen_id *id) {
  long before = 0;
  for (size_t i = 0; i < r->count; i++) {
    if (!same_prefix(r, &r->seen[i], id)) continue;
    if (r->seen[i].number == id->number) return before;
    before++;
  }
  if (r->count == r->room) {
    size_t room = r->room * 2 + 64;
    seen_id *grown = realloc(r->seen, room * sizeof *grown);
    if (!grown) return -1;
    r->seen = grown;
    r->room = room;
  }
  r->seen[r->count++] = *id;
  return before;
}

/* Does an id start at `at`? */
static bool id_starts(const renumbering *r, size_t at) {
  if (at >= 1 && r->source[at - 1] == '#') return true;
  return at >= 5 && memcmp(r->source + at - 5, " id=\"", 5) == 0;
}

/* Reads letters-digits at `at`; end is where the digits end. */
static bool read_id(const renumbering *r, size_t at, seen_id *id, size_t *end) {
  size_t i = at;
  while (i < r->size && (is_letter(r->source[i]) ||
                         (r->source[i] == '-' && is_letter(r->source[i - 1]))))
    i++;
  if (i == at || i >= r->size || !is_digit(r->source[i])) return false;
  *id = (seen_id){.prefix = at, .prefix_size = i - at};
  for (; i < r->size && is_digit(r->source[i]); i++)
    id->number = id->number * 10 + (r->source[i] - '0');
  *end = i;
  return true;
}

/* --- words --------------------------------------------------------------------------
 */

static void add_text(un_bytes *out, const char *text) {
  un_bytes_add(out, text, strlen(text));
}

static void add_escaped(un_bytes *out, const char *text) {
  for (; *text; text++) {
    if (*text == '&')
      add_text(out, "&amp;");
    else if (*text == '<')
      add_text(out, "&lt;");
    else if ((unsigned char)*text >= ' ' || *text == '\n')
      un_bytes_add(out, text, 1);
  }
}

static void add_element(un_bytes *out, const char *name, const char *text) {
  if (!text) return;
  add_text(out, "<");
  add_text(out, name);
  add_text(out, ">");
  add_escaped(out, text);
  add_text(out, "</");
  add_text(out, name);
  add_text(out, ">\n");
}

/* Copies up to the end of the <svg> tag and adds the words; returns how far it got. */
static size_t copy_head(const renumbering *r, un_bytes *out, const char *title,
                        const char *description) {
  const char *tag = memmem(r->source, r->size, "<svg ", 5);
  const char *end = tag ? memchr(tag, '>', r->size - (size_t)(tag - r->source)) : NULL;
  if (!end) return 0;
  size_t before = (size_t)(tag - r->source) + 5, after = (size_t)(end - r->source) + 1;
  un_bytes_add(out, r->source, before);
  add_text(out, "role=\"img\" ");
  un_bytes_add(out, r->source + before, after - before);
  add_text(out, "\n");
  add_element(out, "title", title);
  add_element(out, "desc", description);
  return after;
}

/* --- the whole ----------------------------------------------------------------------
 */

bool un_svg_finish(un_bytes *svg, const char *title, const char *description) {
  renumbering r = {.source = svg->data, .size = svg->size};
  un_bytes out = {0};
  size_t copied = copy_head(&r, &out, title, description), end;
  seen_id id;
  for (size_t at = copied + 1; at < r.size && !out.failed; at++) {
    if (!is_letter(r.source[at]) || !id_starts(&r, at) || !read_id(&r, at, &id, &end))
      continue;
    char number[24];
    long n = new_number(&r, &id);
    if (n < 0) out.failed = true;
    un_bytes_add(&out, r.source + copied, at + id.prefix_size - copied);
    un_bytes_add(&out, number, (size_t)snprintf(number, sizeof number, "%ld", n));
    copied = end;
    at = end - 1;
  }
  un_bytes_add(&out, r.source + copied, r.size - copied);
  free(r.seen);
  un_bytes_swap(svg, &out);
  return !svg->failed;
}
