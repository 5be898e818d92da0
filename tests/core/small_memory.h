/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The one block of memory of the small world, for the two files that implement it.
 */
#ifndef NDK_TESTS_SMALL_MEMORY_H
#define NDK_TESTS_SMALL_MEMORY_H

#include "small_world.h"

extern Memory M;

#endif
