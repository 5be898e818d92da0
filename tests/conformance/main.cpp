// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * build/bin/ndk_conformance: the conformance cases on the in-memory fabric. Options, and the exit
 * status: 0 all passed or were skipped, 1 some failed, 2 the command line or the file was wrong.
 */
#include "env_fabric.hpp"
#include "runner.h"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace
{

struct arguments {
	std::string fabric = "ib", tap, filter, areas;
	bool threads = false, list = false, verbose = false, asked = false;
	UINT64 seed = 1;
	ULONG repeat = 1, starve = 0, confirm = 0, trip = 0;
	unsigned jitter = 0;
};

void declare(CLI::App &app, arguments &a)
{
	app.add_option("--fabric", a.fabric, "which transport the fabric plays")
		->check(CLI::IsMember({ "ib", "iwarp" }))
		->capture_default_str();
	CLI::Option *threads = app.add_flag("--threads", a.threads,
					    "the fabric has threads and the real clock (default: deterministic)");
	app.add_option("--tap", a.tap, "file for the results (default: the terminal)");
	app.add_option("--filter", a.filter, "only cases whose name matches this glob");
	app.add_option("--areas", a.areas, "only cases whose title names an id of these areas, as in LS,CN");
	app.add_option("--jitter", a.jitter, "messages of handshakes are late by up to that many microseconds, at random")
		->check(CLI::Range(0u, 10000000u))
		->capture_default_str();
	app.add_flag("--list", a.list, "show the cases: name, places, rules, title, separated by tabs");
	app.add_option("--seed", a.seed, "of everything random")->capture_default_str();
	app.add_option("--repeat", a.repeat, "run each case that often, counting the seed up")
		->check(CLI::PositiveNumber)
		->capture_default_str();
	app.add_option("--confirm", a.confirm, "a case that failed counts as unsteady if it then passes that often")
		->capture_default_str();
	app.add_option("--trip", a.trip, "so many runs of each case fail on purpose, to test this program")
		->capture_default_str();
	app.add_option("--starve", a.starve,
		       "run each case once for each of the first N allocations, failing, and for some of those behind; "
		       "only monitors judge")
		->excludes(threads);
	app.add_flag("--verbose", a.verbose, "show the notes of the cases");
}

/* NDK_FILTER, set for all suites at once, names a part of the name; some suites have no such case. */
void take_environment(arguments &a)
{
	a.asked = !a.filter.empty() || !a.areas.empty();
	const char *part = std::getenv("NDK_FILTER");
	if (a.filter.empty() && part != nullptr && *part != '\0')
		a.filter = "*" + std::string(part) + "*";
}

std::string command(const arguments &a, const char *program)
{
	return std::string(program) + " --fabric " + a.fabric + (a.threads ? " --threads" : "") +
	       (a.jitter ? " --jitter " + std::to_string(a.jitter) : "") +
	       (a.starve ? " --starve " + std::to_string(a.starve) : "") + " --filter '";
}

/* Seconds of the processor that a case has when it starves: it waits by the fabric's clock only. */
constexpr rlim_t patience_s = 300;

/*
 * In a process of its own, so that a crash or an endless loop is one case's, and so that the leaks a
 * sanitizer finds are as well. The deterministic fabric has no threads, so a fork is a whole copy.
 */
int apart(int (*fn)(PVOID), PVOID arg)
{
	int pipe_fds[2], answer = -1, status = 0;

	if (pipe(pipe_fds) != 0)
		return -1;
	std::fflush(nullptr);
	const pid_t child = fork();
	if (child == 0) {
		const rlimit limit = { patience_s, patience_s };
		setrlimit(RLIMIT_CPU, &limit);
		answer = fn(arg);
		const bool told = write(pipe_fds[1], &answer, sizeof(answer)) == sizeof(answer);
		std::exit(told ? 0 : 1);
	}
	close(pipe_fds[1]);
	if (child < 0 || read(pipe_fds[0], &answer, sizeof(answer)) != sizeof(answer))
		answer = -1;
	close(pipe_fds[0]);
	if (child > 0 && (waitpid(child, &status, 0) != child || status != 0)) {
		if (WIFSIGNALED(status))
			std::fprintf(stderr, "ndk_conformance: signal %d\n", WTERMSIG(status));
		return -1;
	}
	return answer;
}

} // namespace

int main(int argc, char **argv)
{
	CLI::App app("Runs the conformance cases of the NDK interface on the in-memory fabric.");
	arguments a;
	declare(app, a);
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &e) {
		return app.exit(e) == 0 ? 0 : 2;
	}
	take_environment(a);

	std::FILE *sink = a.tap.empty() ? stdout : std::fopen(a.tap.c_str(), "w");
	if (sink == nullptr) {
		std::perror(("ndk_conformance: " + a.tap).c_str());
		return 2;
	}
	crash_reports();
	fabric_environment({ a.fabric == "iwarp", a.threads, a.jitter }, sink);

	const std::string again = command(a, argv[0]);
	const conf_options options = { a.filter.empty() ? nullptr : a.filter.c_str(),
				       a.areas.empty() ? nullptr : a.areas.c_str(),
				       again.c_str(),
				       "' --verbose --seed ",
				       a.seed,
				       a.repeat,
				       a.verbose,
				       FALSE,
				       0,
				       a.starve,
				       a.starve ? apart : nullptr,
				       a.confirm,
				       a.trip };
	if (a.list) {
		conf_list(&options);
		return 0;
	}
	conf_totals totals;
	const bool whole = conf_run(&options, &totals);
	if (sink != stdout && std::fclose(sink) != 0) {
		std::perror(("ndk_conformance: " + a.tap).c_str());
		return 2;
	}
	if (whole && a.asked && totals.passed + totals.failed + totals.skipped == 0) {
		std::fprintf(stderr, "ndk_conformance: no case matches '%s' %s\n", a.filter.c_str(), a.areas.c_str());
		return 2;
	}
	return whole && totals.failed == 0 ? 0 : 1;
}
