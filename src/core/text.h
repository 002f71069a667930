/* text.h -- text as tokens: symbols, encoding, batches, entropies. See text.c. */
#ifndef UN_TEXT_H
#define UN_TEXT_H

#include "un.h"

/* What one symbol is: a Unicode character of UTF-8 text, or a byte. */
typedef enum un_text_units { UN_TEXT_CHARACTERS, UN_TEXT_BYTES } un_text_units;

/* Text must be valid UTF-8 when units are characters; un_text_check tells. Returns the
** number of symbols, or -1 and the 0-based offset of the first bad byte in *bad. */
int64_t un_text_check(const char *text, size_t bytes, un_text_units units, size_t *bad);

/* How many of the bytes come before a character that may go on after them: a text that
** is read piece by piece is cut there. */
size_t un_text_whole(const char *text, size_t bytes, un_text_units units);

/* Sets bit c of `seen` (UN_TEXT_SEEN_WORDS words) for each code c in the text;
** un_text_list writes them, ascending, when codes is not NULL; returns their number. */
#define UN_TEXT_SEEN_WORDS (0x110000 / 64)
void un_text_collect(const char *text, size_t bytes, un_text_units units,
                     uint64_t *seen);
int64_t un_text_list(const uint64_t *seen, int32_t *codes);

/* The smallest of uint8, uint16 and int32 that holds the tokens 1..V. */
un_dtype un_text_dtype(int64_t V);

/* From codes to tokens: `wide` has room for the codes below UN_TEXT_WIDE, or is NULL:
** then these are searched for, which suits short texts. */
enum { UN_TEXT_WIDE = 0x10000 };
typedef struct un_text_table {
  const int32_t *codes; /* V, ascending */
  int64_t V;
  int32_t low[256], *wide;
} un_text_table;
void un_text_make_table(un_text_table *table, const int32_t *codes, int64_t V,
                        int32_t *wide);

/* Writes the 1-based position in the codes of each symbol. Returns the number of symbols
** written; it is less than the text has when one is unknown, and then *unknown is its
** code. tokens: of the dtype, with room for all. */
int64_t un_text_encode(const char *text, size_t bytes, un_text_units units,
                       const un_text_table *table, un_dtype dtype, void *tokens,
                       int32_t *unknown);

/* The text of tokens (1-d), which lie in 1..V: its bytes into `text`, if that is not
** NULL, and their number. -1 for a token out of range, whose place is in *bad. */
int64_t un_text_decode(const un_view *tokens, un_text_units units, const int32_t *codes,
                       int64_t V, char *text, int64_t *bad);

/* How often each of 1..V is among the tokens (1-d); false when one is another. */
bool un_text_count(const un_view *tokens, int64_t V, int64_t *counts, un_err *err);

/* One window of B parallel streams over `tokens` (N), N > B, without gaps. The N-1
** transitions are cut into B runs, the first (N-1) mod B of them one longer. x and y (T,B)
** get what step first+t of each run reads and must predict; past its end a run is padded
** with its last transition, which the caller masks. */
void un_text_window(const un_view *tokens, int64_t T, int64_t B, int64_t first,
                    int32_t *x, int32_t *y);

/* Conditional entropies in bits of the next token given the k before it, for
** k = 0..orders-1, into bits[k]; 0 where the text has no k+1 tokens in a row. Tokens are
** 1..V. `scratch` has un_text_entropy_scratch(N) bytes. */
size_t un_text_entropy_scratch(int64_t N);
void un_text_entropy(const int32_t *tokens, int64_t N, int64_t V, int orders,
                     double *bits, void *scratch);

#endif
