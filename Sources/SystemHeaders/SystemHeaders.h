#pragma once

#if defined(__linux__)
#include <sys/epoll.h>
#include <sys/timerfd.h>
#endif

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif
