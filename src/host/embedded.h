/* embedded.h -- the Lua sources and data files inside the program. */
#ifndef UN_EMBEDDED_H
#define UN_EMBEDDED_H

#include <stddef.h>

typedef struct un_embedded_bytes {
  const unsigned char *bytes;
  size_t length;
} un_embedded_bytes;

typedef struct un_embedded_file {
  const char *name; /* "unroll/rnn/init.lua" */
  un_embedded_bytes source;
  un_embedded_bytes code; /* compiled; empty when it is no Lua file */
} un_embedded_file;

extern const un_embedded_file un_embedded[]; /* sorted by name */
extern const size_t un_embedded_count;

#endif
