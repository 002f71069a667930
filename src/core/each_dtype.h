/* each_dtype.h -- reads a kernel file once for each real type.
**
** A file that wants both types starts with
**     #ifndef REAL
**     ... includes and everything that does not depend on the type ...
**     #define UN_TEMPLATE "this_file.c"
**     #include "each_dtype.h"
**     ... code that uses both, e.g. tables { FN_F32(sum), FN_F64(sum) } ...
**     #else
**     ... kernels, written with REAL, FN(name), M(function) ...
**     #endif
** FN(sum) is sum_f32 or sum_f64; M(exp) is expf or exp; DTYPE is UN_F32 or UN_F64. */
#define UN_PASTE_(a, b) a##b
#define UN_PASTE(a, b)  UN_PASTE_(a, b)

#define REAL            float
#define DTYPE           UN_F32
#define FN(name)        UN_PASTE(name, _f32)
#define M(function)     UN_PASTE(function, f)
#include UN_TEMPLATE
#undef REAL
#undef DTYPE
#undef FN
#undef M

#define REAL            double
#define DTYPE           UN_F64
#define FN(name)        UN_PASTE(name, _f64)
#define M(function)     function
#include UN_TEMPLATE
#undef REAL
#undef DTYPE
#undef FN
#undef M
#undef UN_TEMPLATE
