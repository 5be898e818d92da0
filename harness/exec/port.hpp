/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Tracing and the treatment of illegal steps in user space. Any thread, no lock.
 */
#ifndef NDK_EXEC_PORT_HPP
#define NDK_EXEC_PORT_HPP

#include "../../kmod/core/object.h"

namespace ndk
{

/* NDK_TRACE=1 in the environment: transitions and messages go to stderr. */
bool tracing();
/* The clock of traces and reports, in microseconds. */
UINT64 trace_time();

UINT64 illegal_count();
void illegal_reset();
void illegal_tolerate(bool on);

} /* namespace ndk */

#endif
