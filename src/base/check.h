// SPDX-License-Identifier: Apache-2.0
//
// GNOMON_CHECK stops the process when one of our own invariants does not hold.
//
// On in release builds. For our own mistakes only: never for what comes from a client, a disk or a network.
#pragma once

#include <cstdio>
#include <cstdlib>

#define GNOMON_CHECK(condition)                                                            \
  do {                                                                                     \
    if (__builtin_expect(!(condition), 0)) {                                               \
      std::fprintf(stderr, "CHECK failed at %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)
