/* text.h -- text as tokens: symbols, encoding, batches, entropies. See text.c. */
#ifndef UN_TEXT_H
#define UN_TEXT_H

#include "un.h"

/* What one symbol is: a Unicode character of UTF-8 text, or a byte. */
typedef enum un_text_units { UN_TEXT_CHARACTERS, UN_TEXT_BYTES } un_text_units;

/* Text must be valid UTF-8 when units are characters; un_text_check tells. Returns the
** number of symbols, or -1 and the 0-based offset of the first bad byte in *bad. */
int64_t un_text_check(const char *text, size_t bytes, un_text_units units, size_t *bad);

/* Sets bit c of `seen` (UN_TEXT_SEEN_WORDS words, cleared first) for each code c in the
** text and returns how many differ; un_text_list then writes them, ascending. */
#define UN_TEXT_SEEN_WORDS (0x110000 / 64)
int64_t un_text_collect(const char *text, size_t bytes, un_text_units units,
                        uint64_t *seen);
void un_text_list(const uint64_t *seen, int32_t *codes);

/* Writes the 1-based position in `codes` (V, ascending) of each symbol. Returns the
** number of symbols written; it is less than the text has when one is unknown, and
** then *unknown is its code. */
int64_t un_text_encode(const char *text, size_t bytes, un_text_units units,
                       const int32_t *codes, int64_t V, int32_t *tokens,
                       int32_t *unknown);

/* One window of B parallel streams over `tokens` (N), N > B. The N-1 transitions are
** cut into B runs, the first (N-1) mod B of them one longer. x and y (T,B) get what step
** first+t of each run reads and must predict; past its end a run is padded with its
** last transition, which the caller masks. */
void un_text_window(const int32_t *tokens, int64_t N, int64_t T, int64_t B,
                    int64_t first, int32_t *x, int32_t *y);

/* Conditional entropies in bits of the next token given the k before it, for
** k = 0..orders-1, into bits[k]; 0 where the text has no k+1 tokens in a row. Tokens are
** 1..V. `scratch` has un_text_entropy_scratch(N) bytes. */
size_t un_text_entropy_scratch(int64_t N);
void un_text_entropy(const int32_t *tokens, int64_t N, int64_t V, int orders,
                     double *bits, void *scratch);

#endif
