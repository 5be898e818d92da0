/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * NDK_COVERS("CLOSE-5 U-3") in the body of a test claims these rules for it. tests/requirements reads
 * the claims out of the sources; at run time there is nothing to do.
 */
#ifndef NDK_TESTS_COVERS_H
#define NDK_TESTS_COVERS_H

#define NDK_COVERS(...) static_assert(sizeof(__VA_ARGS__) > 1, "names rules")

#endif
