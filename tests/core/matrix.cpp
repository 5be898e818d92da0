/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The C++20 twin of matrix.c.
 */
#include "matrix.c"
