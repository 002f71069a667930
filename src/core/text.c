/* text.c -- text as tokens: symbols, encoding, batches, entropies.
**
** A symbol has a code: a Unicode code point, or a byte. The vocabulary is the ascending
** list of the codes that occur; the token of a symbol is its 1-based position there.
**
** The entropy of order k is H(next | k before)
**     = 1/n ( sum over contexts c of n_c log2 n_c  -  sum over runs r of n_r log2 n_r )
** where r runs over the different sequences of k+1 tokens and c over their first k. The
** runs are numbered in the order of their first appearance, by hashing the pair (number
** of the run without its last token, last token), so that each order costs one pass. */
#include "text.h"

#include <math.h>
#include <string.h>

#include "stop.h"

/* --- codes of symbols ------------------------------------------------------------- */

static bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

/* The character at s, of at most n > 0 bytes: its code and its length; length 0 when it
** is not valid (truncated, overlong, a surrogate, above U+10FFFF). */
static int32_t decode(const unsigned char *s, size_t n, size_t *length) {
  static const int32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t wanted = s[0] < 0x80   ? 1
                  : s[0] < 0xC0 ? 0
                  : s[0] < 0xE0 ? 2
                  : s[0] < 0xF0 ? 3
                  : s[0] < 0xF8 ? 4
                                : 0;
  *length = 0;
  if (wanted == 0 || wanted > n) return -1;
  int32_t code = wanted == 1 ? s[0] : s[0] & (0x7F >> wanted);
  for (size_t i = 1; i < wanted; i++) {
    if (!is_continuation(s[i])) return -1;
    code = code << 6 | (s[i] & 0x3F);
  }
  bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < smallest[wanted] || code > 0x10FFFF || surrogate) return -1;
  *length = wanted;
  return code;
}

/* The code at *s, which moves on. The text has been checked. */
static int32_t next_code(const unsigned char **s, const unsigned char *end,
                         un_text_units units) {
  if (units == UN_TEXT_BYTES || **s < 0x80) return *(*s)++;
  size_t length;
  int32_t code = decode(*s, (size_t)(end - *s), &length);
  *s += length;
  return code;
}

int64_t un_text_check(const char *text, size_t bytes, un_text_units units,
                      size_t *bad) {
  if (units == UN_TEXT_BYTES) return (int64_t)bytes;
  int64_t count = 0;
  for (size_t i = 0, length; i < bytes && !un_stopped_at(count); i += length, count++) {
    decode((const unsigned char *)text + i, bytes - i, &length);
    if (length == 0) {
      *bad = i;
      return -1;
    }
  }
  return count;
}

/* --- vocabulary ------------------------------------------------------------------- */

int64_t un_text_collect(const char *text, size_t bytes, un_text_units units,
                        uint64_t *seen) {
  memset(seen, 0, UN_TEXT_SEEN_WORDS * sizeof *seen);
  const unsigned char *s = (const unsigned char *)text, *end = s + bytes;
  int64_t count = 0;
  for (int64_t i = 0; s < end && !un_stopped_at(i); i++) {
    int32_t code = next_code(&s, end, units);
    uint64_t bit = UINT64_C(1) << (code & 63);
    count += (seen[code >> 6] & bit) == 0;
    seen[code >> 6] |= bit;
  }
  return count;
}

void un_text_list(const uint64_t *seen, int32_t *codes) {
  for (int32_t word = 0; word < UN_TEXT_SEEN_WORDS; word++)
    for (int32_t bit = 0; seen[word] >> bit != 0; bit++) {
      if (seen[word] >> bit & 1) *codes++ = word * 64 + bit;
      if (bit == 63) break; /* a shift by 64 is undefined */
    }
}

/* 1-based position of code in codes (V, ascending), 0 when it is not there. */
static int32_t find_code(int32_t code, const int32_t *codes, int64_t V) {
  int64_t low = 0, high = V;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (codes[middle] < code)
      low = middle + 1;
    else
      high = middle;
  }
  return low < V && codes[low] == code ? (int32_t)low + 1 : 0;
}

int64_t un_text_encode(const char *text, size_t bytes, un_text_units units,
                       const int32_t *codes, int64_t V, int32_t *tokens,
                       int32_t *unknown) {
  int32_t low[256]; /* most text is ASCII: one look instead of a search */
  for (int32_t code = 0; code < 256; code++)
    low[code] = find_code(code, codes, V);
  const unsigned char *s = (const unsigned char *)text, *end = s + bytes;
  int64_t count = 0;
  while (s < end && !un_stopped_at(count)) {
    int32_t code = next_code(&s, end, units);
    int32_t token = code < 256 ? low[code] : find_code(code, codes, V);
    if (token == 0) {
      *unknown = code;
      return count;
    }
    tokens[count++] = token;
  }
  return count;
}

/* --- batches ---------------------------------------------------------------------- */

void un_text_window(const int32_t *tokens, int64_t N, int64_t T, int64_t B,
                    int64_t first, int32_t *x, int32_t *y) {
  int64_t each = (N - 1) / B, longer = (N - 1) % B;
  for (int64_t b = 0; b < B && !un_stopped(); b++) {
    int64_t start = b * each + (b < longer ? b : longer);
    int64_t length = each + (b < longer);
    for (int64_t t = 0; t < T; t++) {
      int64_t step = first + t < length ? first + t : length - 1;
      x[t * B + b] = tokens[start + step];
      y[t * B + b] = tokens[start + step + 1];
    }
  }
}

/* --- entropies -------------------------------------------------------------------- */

/* Open addressing; a slot is free while its number is 0. */
typedef struct table {
  uint64_t *keys;
  int32_t *numbers; /* 1, 2, ... in order of first appearance */
  size_t mask;
  int32_t used;
} table;

static size_t table_slots(int64_t N) {
  size_t slots = 16;
  while (slots < 2 * (size_t)N)
    slots *= 2;
  return slots;
}

static int32_t number_of(table *t, uint64_t key) {
  size_t slot = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & t->mask;
  while (t->numbers[slot] != 0 && t->keys[slot] != key)
    slot = (slot + 1) & t->mask;
  if (t->numbers[slot] == 0) {
    t->keys[slot] = key;
    t->numbers[slot] = ++t->used;
  }
  return t->numbers[slot];
}

size_t un_text_entropy_scratch(int64_t N) {
  size_t n = (size_t)N + 1;
  return table_slots(N) * (sizeof(uint64_t) + sizeof(int32_t)) +
         2 * n * sizeof(int32_t);
}

/* sum of n log2 n over how often each number occurs in numbers (count); counts is
** scratch for the numbers 0..largest. */
static double sum_n_log_n(const int32_t *numbers, int64_t count, int32_t *counts,
                          int32_t largest) {
  memset(counts, 0, ((size_t)largest + 1) * sizeof *counts);
  for (int64_t i = 0; i < count; i++)
    counts[numbers[i]]++;
  double sum = 0;
  for (int32_t k = 0; k <= largest; k++)
    if (counts[k] > 1) sum += counts[k] * log2(counts[k]);
  return sum;
}

void un_text_entropy(const int32_t *tokens, int64_t N, int64_t V, int orders,
                     double *bits, void *scratch) {
  size_t slots = table_slots(N);
  table t = {scratch, NULL, slots - 1, 0};
  t.numbers = (int32_t *)(t.keys + slots);
  int32_t *runs = t.numbers + slots, *counts = runs + N + 1;
  int32_t contexts = 0; /* runs[i]: number of the run of k tokens that starts at i */
  memset(runs, 0, (size_t)N * sizeof *runs);
  for (int k = 0; k < orders; k++) {
    int64_t n = N - k;
    bits[k] = 0;
    if (n <= 0) continue;
    double of_contexts = sum_n_log_n(runs, n, counts, contexts);
    memset(t.numbers, 0, slots * sizeof *t.numbers);
    t.used = 0;
    for (int64_t i = 0; i < n && !un_stopped_at(i); i++)
      runs[i] = number_of(&t, (uint64_t)runs[i] * (uint64_t)(V + 1) +
                                  (uint64_t)tokens[i + k]);
    if (un_stopped()) return; /* the runs are old and new ones */
    contexts = t.used;
    bits[k] = (of_contexts - sum_n_log_n(runs, n, counts, contexts)) / (double)n;
  }
}
