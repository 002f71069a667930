/* text.c -- text as tokens: symbols, encoding, batches, entropies (see text.h).
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

/* The number of bytes below 0x80 at the start, in steps of eight. */
static size_t plain_bytes(const char *text, size_t bytes) {
  size_t i = 0;
  for (uint64_t eight; i + sizeof eight <= bytes; i += sizeof eight) {
    memcpy(&eight, text + i, sizeof eight);
    if (eight & UINT64_C(0x8080808080808080)) break;
  }
  return i;
}

/* Of n bytes those to be looked at before the question whether to stop. */
static int64_t piece(int64_t n) {
  return n < 1 << 20 ? n : 1 << 20;
}

int64_t un_text_check(const char *text, size_t bytes, un_text_units units,
                      size_t *bad) {
  if (units == UN_TEXT_BYTES) return (int64_t)bytes;
  int64_t count = 0;
  for (size_t i = 0, length; i < bytes && !un_stopped(); i += length, count++) {
    size_t plain = plain_bytes(text + i, (size_t)piece((int64_t)(bytes - i)));
    count += (int64_t)plain;
    i += plain;
    if (i == bytes) break;
    decode((const unsigned char *)text + i, bytes - i, &length);
    if (length == 0) {
      *bad = i;
      return -1;
    }
  }
  return count;
}

size_t un_text_whole(const char *text, size_t bytes, un_text_units units) {
  if (units == UN_TEXT_BYTES) return bytes;
  for (size_t back = 1; back <= 3 && back <= bytes; back++) {
    unsigned char byte = (unsigned char)text[bytes - back];
    if (is_continuation(byte)) continue;
    size_t wanted = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return wanted > back ? bytes - back : bytes;
  }
  return bytes;
}

/* --- vocabulary ------------------------------------------------------------------- */

static void mark(uint64_t *seen, int32_t code) {
  seen[code >> 6] |= UINT64_C(1) << (code & 63);
}

/* Marks the bytes from s on that stand for themselves (below `limit`). */
static int64_t collect_run(const unsigned char *restrict s, int64_t n, int limit,
                           bool *restrict low) {
  int64_t i = 0;
  for (; i < n && s[i] < limit; i++)
    low[s[i]] = true;
  return i;
}

void un_text_collect(const char *text, size_t bytes, un_text_units units,
                     uint64_t *seen) {
  const int limit = units == UN_TEXT_BYTES ? 256 : 128;
  bool low[256] = {false};
  const unsigned char *s = (const unsigned char *)text, *end = s + bytes;
  while (s < end && !un_stopped()) {
    s += collect_run(s, piece(end - s), limit, low);
    if (s < end) mark(seen, next_code(&s, end, units));
  }
  for (int32_t code = 0; code < 256; code++)
    if (low[code]) mark(seen, code);
}

int64_t un_text_list(const uint64_t *seen, int32_t *codes) {
  int64_t count = 0;
  for (int32_t word = 0; word < UN_TEXT_SEEN_WORDS; word++)
    for (int32_t bit = 0; seen[word] != 0 && bit < 64; bit++) {
      if (!(seen[word] >> bit & 1)) continue;
      if (codes) codes[count] = word * 64 + bit;
      count++;
    }
  return count;
}

un_dtype un_text_dtype(int64_t V) {
  return V <= UINT8_MAX ? UN_U8 : V <= UINT16_MAX ? UN_U16 : UN_I32;
}

/* --- tokens ----------------------------------------------------------------------- */

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

void un_text_make_table(un_text_table *table, const int32_t *codes, int64_t V,
                        int32_t *wide) {
  *table = (un_text_table){.codes = codes, .V = V, .wide = wide};
  if (wide) memset(wide, 0, UN_TEXT_WIDE * sizeof *wide);
  for (int64_t k = 0; k < V; k++) {
    if (codes[k] < 0) continue; /* no symbol has it */
    if (codes[k] < 256) table->low[codes[k]] = (int32_t)k + 1;
    if (wide && codes[k] < UN_TEXT_WIDE) wide[codes[k]] = (int32_t)k + 1;
  }
}

static int32_t token_of(const un_text_table *table, int32_t code) {
  if (code < 256) return table->low[code];
  if (table->wide && code < UN_TEXT_WIDE) return table->wide[code];
  return find_code(code, table->codes, table->V);
}

/* encode_run: the bytes from s on that stand for themselves (below `limit`) and are known;
** `low` is their tokens. It is most of a text, hence the tight loop. */
#define ENCODE(suffix, type)                                                           \
  static int64_t encode_run_##suffix(const unsigned char *restrict s, int64_t n,       \
                                     int limit, const type *restrict low,              \
                                     type *restrict tokens) {                          \
    int64_t i = 0;                                                                     \
    for (; i < n && s[i] < limit; i++) {                                               \
      type token = low[s[i]];                                                          \
      if (token == 0) break;                                                           \
      tokens[i] = token;                                                               \
    }                                                                                  \
    return i;                                                                          \
  }                                                                                    \
  static int64_t encode_##suffix(const unsigned char *s, const unsigned char *end,     \
                                 un_text_units units, const un_text_table *table,      \
                                 type *tokens, int32_t *unknown) {                     \
    const int limit = units == UN_TEXT_BYTES ? 256 : 128;                              \
    type low[256];                                                                     \
    int64_t count = 0;                                                                 \
    for (int code = 0; code < 256; code++)                                             \
      low[code] = (type)table->low[code];                                              \
    while (s < end && !un_stopped()) {                                                 \
      int64_t run = encode_run_##suffix(s, piece(end - s), limit, low, tokens + count);\
      s += run;                                                                        \
      count += run;                                                                    \
      if (s == end) break;                                                             \
      int32_t code = next_code(&s, end, units), token = token_of(table, code);         \
      if (token == 0) {                                                                \
        *unknown = code;                                                               \
        return count;                                                                  \
      }                                                                                \
      tokens[count++] = (type)token;                                                   \
    }                                                                                  \
    return count;                                                                      \
  }
ENCODE(u8, uint8_t)
ENCODE(u16, uint16_t)
ENCODE(i32, int32_t)

int64_t un_text_encode(const char *text, size_t bytes, un_text_units units,
                       const un_text_table *table, un_dtype dtype, void *tokens,
                       int32_t *unknown) {
  const unsigned char *s = (const unsigned char *)text, *end = s + bytes;
  if (dtype == UN_U8) return encode_u8(s, end, units, table, tokens, unknown);
  if (dtype == UN_U16) return encode_u16(s, end, units, table, tokens, unknown);
  return encode_i32(s, end, units, table, tokens, unknown);
}

static int64_t token_at(const un_view *tokens, int64_t i) {
  const void *data = tokens->data;
  int64_t at = i * tokens->stride[0];
  return tokens->dtype == UN_U8    ? ((const uint8_t *)data)[at]
         : tokens->dtype == UN_U16 ? ((const uint16_t *)data)[at]
                                   : ((const int32_t *)data)[at];
}

/* The UTF-8 of a code, into at[4]. Returns the number of bytes. */
static int put_code(int32_t code, char *at) {
  int length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const int first[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (int i = length - 1; i > 0; i--, code >>= 6)
    at[i] = (char)(0x80 | (code & 0x3F));
  at[0] = (char)(first[length] | code);
  return length;
}

int64_t un_text_decode(const un_view *tokens, un_text_units units, const int32_t *codes,
                       int64_t V, char *text, int64_t *bad) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < tokens->size[0] && !un_stopped_at(i); i++) {
    char one[4];
    int64_t token = token_at(tokens, i);
    if (token < 1 || token > V) {
      *bad = i;
      return -1;
    }
    int32_t code = codes[token - 1];
    int length = 1;
    if (units == UN_TEXT_BYTES)
      one[0] = (char)code;
    else
      length = put_code(code, one);
    if (text) memcpy(text + bytes, one, (size_t)length);
    bytes += length;
  }
  return bytes;
}

bool un_text_count(const un_view *tokens, int64_t V, int64_t *counts, un_err *err) {
  for (int64_t k = 0; k < V; k++)
    counts[k] = 0;
  for (int64_t i = 0; i < tokens->size[0] && !un_stopped_at(i); i++) {
    int64_t token = token_at(tokens, i);
    if (token < 1 || token > V)
      return un_fail(err, "count: token %lld is %lld, must be in 1..%lld",
                     (long long)i + 1, (long long)token, (long long)V);
    counts[token - 1]++;
  }
  return true;
}

/* --- batches ---------------------------------------------------------------------- */

#define FILL_STREAM(suffix, type)                                                      \
  static void fill_stream_##suffix(const type *tokens, int64_t length, int64_t T,      \
                                   int64_t B, int64_t first, int32_t *x, int32_t *y) { \
    for (int64_t t = 0; t < T; t++) {                                                  \
      int64_t step = first + t < length ? first + t : length - 1;                      \
      x[t * B] = tokens[step];                                                         \
      y[t * B] = tokens[step + 1];                                                     \
    }                                                                                  \
  }
FILL_STREAM(u8, uint8_t)
FILL_STREAM(u16, uint16_t)
FILL_STREAM(i32, int32_t)

void un_text_window(const un_view *tokens, int64_t T, int64_t B, int64_t first,
                    int32_t *x, int32_t *y) {
  const void *data = tokens->data;
  int64_t each = (tokens->size[0] - 1) / B, longer = (tokens->size[0] - 1) % B;
  for (int64_t b = 0; b < B && !un_stopped(); b++) {
    int64_t start = b * each + (b < longer ? b : longer);
    int64_t length = each + (b < longer);
    if (tokens->dtype == UN_U8)
      fill_stream_u8((const uint8_t *)data + start, length, T, B, first, x + b, y + b);
    else if (tokens->dtype == UN_U16)
      fill_stream_u16((const uint16_t *)data + start, length, T, B, first, x + b,
                      y + b);
    else
      fill_stream_i32((const int32_t *)data + start, length, T, B, first, x + b, y + b);
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
