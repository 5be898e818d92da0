// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * What is said when the program dies by a signal: which case ran and where each frame of the thread is,
 * as lines of TAP and so that addr2line understands them. A crash may be seen once in a hundred runs, on
 * a machine nobody can look at. The sanitizers say more, so with them this is left out.
 *
 * The handler runs on a stack of its own and calls nothing that allocates: backtrace() is called once
 * before, because its first call loads a library.
 */
#include "env_fabric.hpp"
#include "runner.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include <csignal>
#include <execinfo.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void crash_reports() {}

#else

namespace
{

constexpr int frames_max = 64;
constexpr std::size_t stack_size = 64 * 1024;
constexpr std::array deadly = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

void say(const char *text)
{
	if (write(STDERR_FILENO, text, std::strlen(text)) < 0)
		_exit(3);
}

void report(int number)
{
	void *frames[frames_max];

	say("# died by a signal in the case ");
	say(conf_running() ? conf_running() : "(none)");
	say(":\n");
	backtrace_symbols_fd(frames, backtrace(frames, frames_max), STDERR_FILENO);
	raise(number); /* SA_RESETHAND: now for good */
}

} // namespace

void crash_reports()
{
	void *frame;
	stack_t own = {};
	struct sigaction action = {};

	backtrace(&frame, 1);
	own.ss_sp = std::malloc(stack_size); /* for the life of the program; other threads use their own stacks */
	own.ss_size = stack_size;
	if (own.ss_sp != nullptr)
		sigaltstack(&own, nullptr);
	action.sa_handler = report;
	action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
	for (const int number : deadly)
		sigaction(number, &action, nullptr);
}

#endif
