/* hash.c -- FNV-1a with 64 bits (Fowler, Noll and Vo): for keys, not against an enemy. */
#include "sys.h"

uint64_t un_sys_hash(const char *bytes, size_t length) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}
