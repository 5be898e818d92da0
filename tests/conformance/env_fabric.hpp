// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Between main.cpp and env_fabric.cpp.
 */
#ifndef CONF_ENV_FABRIC_HPP
#define CONF_ENV_FABRIC_HPP

#include <cstdio>

struct fabric_options {
	bool iwarp = false;
	bool threads = false;
	unsigned jitter_us = 0; /* at most so much later does a message of the handshakes come, at random */
};

/* Before anything else: which fabric, and where lines go. */
void fabric_environment(const fabric_options &wanted, std::FILE *sink);
/* From here on a deadly signal says what ran; see crash.cpp. */
void crash_reports();

#endif
