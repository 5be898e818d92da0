# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck shell=bash
#
# What the scripts behind the make targets share: progress lines, timed steps, the place of the
# results. Sourced with bash by deps.sh, build_*.sh, check.sh, demo.sh and bench.sh; owns no state
# outside build/.

NDK_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
NDK_BUILD=$NDK_ROOT/build
NDK_RESULTS=$NDK_BUILD/results
NDK_LOGS=$NDK_BUILD/logs

# modprobe, depmod and friends live here, which is not on a plain user's path.
PATH=$PATH:/usr/sbin:/sbin

now_ms() { date +%s%3N; }

# seconds START_MS: what has passed since, with one decimal.
seconds() {
	local ms=$(($(now_ms) - $1))
	printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

say() { printf '== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# step TITLE COMMAND...: runs it with its output in build/logs/, shows the time it took, and on
# failure the end of that output and the command that repeats the step.
step() {
	local title=$1 log start pid ticks=0
	shift
	mkdir -p "$NDK_LOGS"
	log=$NDK_LOGS/$(tr -cs 'A-Za-z0-9\n' - <<<"$title").log
	start=$(now_ms)
	printf '== %s ...\n' "$title"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	# a sign of life every ten seconds: the last line of its log
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		ticks=$((ticks + 1))
		[ $((ticks % 50)) -ne 0 ] || printf '   ... %s\n' "$(tail -n 1 "$log" | cut -c 1-100)"
	done
	if wait "$pid"; then
		printf '   %s: ok, %s s\n' "$title" "$(seconds "$start")"
		return 0
	fi
	printf '   %s: FAILED after %s s; the end of %s:\n' "$title" "$(seconds "$start")" "${log#"$NDK_ROOT"/}"
	tail -n 30 "$log" | sed 's/^/   | /'
	printf '   repeat it with: (cd %q &&' "$NDK_ROOT"
	printf ' %q' "$@"
	printf ')\n'
	return 1
}
