/* embedded.h -- the Lua sources and data files inside the program. */
#ifndef UN_EMBEDDED_H
#define UN_EMBEDDED_H

#include <stddef.h>

typedef struct un_embedded_file {
  const char *name; /* "unroll/rnn/init.lua" */
  const unsigned char *bytes;
  size_t length;
} un_embedded_file;

extern const un_embedded_file un_embedded[]; /* sorted by name */
extern const size_t un_embedded_count;

#endif
