#pragma once

#if defined(__x86_64__)
#include <emmintrin.h>
#endif
