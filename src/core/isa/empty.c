#include "isa.h"
extern const int ISA(un_empty);
const int ISA(un_empty) = 0;
