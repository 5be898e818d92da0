#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# All that must hold: installs what is missing, builds, runs the suites of the table below, and
# reports. Suites of user space and of the virtual machine run side by side. The last line of the
# output is `N passed, N failed, N skipped`; the exit status is 0 only if nothing failed and every
# suite of the table has shown at least one passed test.
#
# usage: check.sh [GROUP...]      groups: house core fabric sanitize kmod debug pairs last (default: all; debug needs Debian 12)
#   T=PATTERN   only the suites whose name contains PATTERN; if there is none, only the tests whose
#               name does, of the core and on the fabric (GTEST_FILTER and NDK_FILTER are set for the suites)
#   NDK_FILTER=PATTERN, NDK_SEED=NUMBER   with T=SUITE: of conformance suites only the cases whose name contains
#               PATTERN (except suites that name their cases), and in the virtual machine the seed they run with
#   NDK_JITTER=MICROSECONDS   in the virtual machine, workers of ndk.ko and what it hears are late by up to that, at random
#   NDK_STRICT=1   what failed on a device and then passed again and again is a failure all the same

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# A suite is a command, run from the top of the tree, that leaves build/results/NAME.tap. Those of group kmod
# run one after the other beside those of user space; whoever is done goes on with group debug, longest first.
# With a + behind their group they wait more than they compute, and run beside both.
# gtest.py and commands.sh make such a file for programs that do not speak TAP themselves.
# name | group | seconds it may take | command
suites() {
	cat <<'EOT'
tidy          | house  | 60  | tests/tidy/tidy.py | tee build/results/tidy.tap
verdicts      | house  | 60  | tests/run/commands.sh verdicts 'how verdicts are reached' 'python3 tests/run/test_report.py'
conformance-table | house | 30 | tests/conformance/table.py --check | tee build/results/conformance-table.tap
core-c11      | core   | 120 | tests/run/gtest.py core-c11 build/bin/core_test_c11
core-cxx20    | core   | 120 | tests/run/gtest.py core-cxx20 build/bin/core_test_cxx20
core-matrix   | core   | 60  | tests/core/matrix.sh | tee build/results/core-matrix.tap
core-compilers | core  | 180 | tests/core/compilers.sh | tee build/results/core-compilers.tap
ndkping       | fabric | 120 | tests/tools/ndkping.sh | tee build/results/ndkping.tap
pages         | fabric | 120 | tests/tools/pages.sh | tee build/results/pages.tap
headers       | core   | 120 | tests/core/header_alone.sh | tee build/results/headers.tap
fabric-ib     | fabric | 300 | build/bin/ndk_conformance --fabric ib --tap build/results/fabric-ib.tap
fabric-iwarp  | fabric | 300 | build/bin/ndk_conformance --fabric iwarp --tap build/results/fabric-iwarp.tap
threads-ib    | fabric+ | 300 | build/bin/ndk_conformance --fabric ib --threads --tap build/results/threads-ib.tap
threads-iwarp | fabric+ | 300 | build/bin/ndk_conformance --fabric iwarp --threads --tap build/results/threads-iwarp.tap
seeds         | fabric | 240 | tests/conformance/seeds.sh | tee build/results/seeds.tap
fabric-asan   | sanitize | 700 | tests/run/sanitized.sh asan
fabric-sweep  | sanitize | 900 | tests/run/sanitized.sh sweep
fabric-memory | sanitize | 1200 | build/bin/ndk_conformance --fabric ib --starve 1000 --tap build/results/fabric-memory.tap
fabric-tsan   | sanitize+ | 900 | tests/run/sanitized.sh tsan
kernel-rxe    | kmod   | 1000 | tests/run/vm_suite.sh kernel-rxe tests/kmod/rxe.guest.sh
kernel-late   | kmod   | 1000 | tests/run/vm_suite.sh kernel-late tests/kmod/late.guest.sh
kernel-two    | kmod   | 300 | tests/run/vm_suite.sh kernel-two tests/kmod/two.guest.sh
kernel-module | kmod   | 300 | tests/run/vm_suite.sh kernel-module tests/kmod/module.guest.sh
kernel-races  | kmod   | 450 | tests/run/vm_suite.sh kernel-races tests/kmod/races.guest.sh
kernel-churn  | kmod   | 900 | tests/run/vm_suite.sh kernel-churn tests/kmod/churn.guest.sh
debug-siw     | debug  | 1550 | tests/run/vm_suite.sh debug-siw tests/kmod/debug_siw.guest.sh debug
debug-rxe     | debug  | 1550 | tests/run/vm_suite.sh debug-rxe tests/kmod/debug_rxe.guest.sh debug
debug-faults  | debug  | 480 | tests/run/vm_suite.sh debug-faults tests/kmod/debug_faults.guest.sh debug
kernel-rt     | debug  | 1000 | tests/run/vm_suite.sh kernel-rt tests/kmod/rxe.guest.sh rt
debug-self    | debug  | 420 | tests/run/vm_suite.sh debug-self tests/kmod/debug_self.guest.sh debug
rxe-siw       | pairs  | 30  | tests/conformance/compare.py | tee build/results/rxe-siw.tap
requirements  | last   | 60  | tests/run/commands.sh requirements 'the tool itself' 'python3 tests/requirements/test_requirements.py' 'every rule' 'tests/requirements/requirements.py all --strict' 'the seed table' 'tests/requirements/requirements.py seed'
EOT
}

# Groups pairs and last look at the results of the others, so they come after them.
all_groups=(house core fabric sanitize kmod debug pairs last)

# The debug kernel is made from the source of Debian 12's kernel. On another system nobody asked for it is missed.
default_groups() {
	local group
	for group in "${all_groups[@]}"; do
		[[ " debug pairs " != *" $group "* ]] || (. /etc/os-release && [ "$ID ${VERSION_ID:-}" = "debian 12" ]) || continue
		echo "$group"
	done
}

# select_suites GROUP...: the rows of these groups that T leaves, as tab-separated lines; if $pace says so, only those
# that wait (+) or the others (-).
select_suites() {
	local name group budget command waits wanted=" $* "
	while IFS='|' read -r name group budget command; do
		name=${name// /} group=${group// /} budget=${budget// /} waits=-
		[[ $group != *+ ]] || group=${group%+} waits=+
		[[ ${pace:-$waits} == "$waits" ]] || continue
		[[ $wanted == *" $group "* ]] || continue
		[[ -z ${suite_filter:-} || $name == *"$suite_filter"* ]] || continue
		[[ -z ${only_tests:-} || $command =~ gtest\.py|ndk_conformance\ --fabric ]] || continue
		printf '%s\t%s\t%s\t%s\n' "$name" "$group" "$budget" "${command# }"
	done < <(suites)
}

# show_failures NAME: at once, because what follows may take long or be cut. The report has all of it.
show_failures() {
	local found=
	[ ! -e "$NDK_RESULTS/$1.tap" ] || found=$(grep -E -B 3 '^ *not ok' "$NDK_RESULTS/$1.tap" | grep -E '^ *(not ok|# )' | head -n 24) || true
	[ -n "$found" ] || found=$(tail -n 12 "$NDK_LOGS/$1.log")
	sed 's/^ */   | /' <<<"$found" | cut -c 1-500
}

# run_suite NAME GROUP BUDGET COMMAND: its output to build/logs, one row to build/results/suites.tsv.
run_suite() {
	local start status=0 verdict=ok
	start=$(now_ms)
	printf '   %-14s ...\n' "$1"
	timeout --kill-after=10 "$3" bash -o pipefail -c "$4" >"$NDK_LOGS/$1.log" 2>&1 </dev/null &
	echo $! >"$NDK_RESULTS/begun/$1/pid"
	wait $! || status=$?
	rm -f "$NDK_RESULTS/begun/$1/pid"
	[ $status -eq 0 ] || verdict="FAILED ($status), see build/logs/$1.log"
	[ $status -ne 124 ] || verdict="FAILED, no end in $3 s, see build/logs/$1.log"
	printf '   %-14s %s, %s s\n' "$1" "$verdict" "$(seconds "$start")"
	[ $status -eq 0 ] || show_failures "$1"
	printf '%s\t%s\t%s\t%s\n' "$1" "$status" "$(seconds "$start")" "$4" >>"$NDK_RESULTS/suites.tsv"
}

# run_lane GROUP...: one suite after the other, leaving out what another lane has begun.
run_lane() {
	local name group budget command
	while IFS=$'\t' read -r name group budget command; do
		mkdir "$NDK_RESULTS/begun/$name" 2>/dev/null || continue
		run_suite "$name" "$group" "$budget" "$command"
	done < <(select_suites "$@")
}

# Jobs in the background do not hear the interrupt key, and each suite is a process group of its own; what they
# started has to be ended by id. A signal to the whole group may have ended the lanes already.
kill_tree() {
	local child
	for child in $(pgrep -P "$1"); do
		kill_tree "$child"
	done
	kill "$1" 2>/dev/null || true
}

stop_lanes() {
	local lane file
	for lane in $(jobs -p); do
		kill "$lane" 2>/dev/null || true
	done
	for file in "$NDK_RESULTS"/begun/*/pid; do
		[ ! -e "$file" ] || kill_tree "$(cat "$file")"
	done
	echo "stopped"
	exit 130
}

# A failed build says so in the same last line as a failed test.
build_failed() {
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
}

# T names suites if it can, else tests. A narrowed run need not show every suite.
apply_filter() {
	partial=()
	if [ -z "${T:-}" ]; then
		[ -z "${NDK_FILTER:-}${NDK_SEED:-}" ] || die "NDK_FILTER and NDK_SEED need T=SUITE"
		return 0
	fi
	suite_filter=$T
	partial=(--partial)
	if [ -z "$(select_suites "${groups[@]}")" ]; then
		suite_filter=
		only_tests=yes
		export NDK_FILTER=$T GTEST_FILTER="*$T*"
		say "only tests whose name contains '$T'"
	fi
}

# After the build: NDK_FILTER, which is T where that names tests, names at least one. A word that is misspelt is not
# worth a run.
check_filter() {
	[ -n "${NDK_FILTER:-}" ] || return 0
	{
		build/bin/ndk_conformance --list | cut -f 1
		[ -z "${only_tests:-}" ] || env -u GTEST_FILTER build/bin/core_test_c11 --gtest_list_tests
	} | grep -F -- "$NDK_FILTER" >/dev/null || die "no suite and no test has '$NDK_FILTER' in its name"
}

# wants_kernel NAME: whether a selected suite boots it (vm.sh: debug, rt). grep reads to the end: with -q it
# would leave a writer without a reader, and the pipe would have failed.
wants_kernel() { select_suites "${groups[@]}" | grep "vm_suite.sh .* $1\$" >/dev/null; }

# Whatever fails here leaves suites that cannot boot, and they will say so; the others can still tell something.
build_other_kernels() {
	if wants_kernel debug; then
		step "build debug kernel" tests/run/build_debug_kernel.sh &&
			step "build modules for debug kernel" tests/run/build_kmod.sh debug || true
	fi
	if wants_kernel rt; then
		step "build modules for PREEMPT_RT" tests/run/build_kmod.sh rt || true
	fi
}

wants() { [[ " ${groups[*]} " == *" $1 "* ]] && [ -n "$(select_suites "$1")" ]; }

main() {
	local pace='' group started=$SECONDS dep_groups=(build) host_lane=() vm_lane=() names=()
	groups=("$@")
	[ $# -gt 0 ] || mapfile -t groups < <(default_groups)
	for group in "${groups[@]}"; do
		[[ " ${all_groups[*]} " == *" $group "* ]] || die "unknown group '$group' (groups: ${all_groups[*]})"
	done
	cd "$NDK_ROOT"
	apply_filter
	! wants kmod && ! wants debug || dep_groups+=(vm)
	! wants debug || dep_groups+=(debug)
	rm -rf "$NDK_RESULTS"
	mkdir -p "$NDK_RESULTS/begun" "$NDK_LOGS"

	"$NDK_ROOT/tests/run/deps.sh" "${dep_groups[@]}" || build_failed
	step "build user space" tests/run/build_user.sh || build_failed
	check_filter
	[ -n "$(select_suites "${groups[@]}")" ] || die "no suite of ${groups[*]} can run single tests"
	if wants kmod; then
		step "build kernel module" tests/run/build_kmod.sh || build_failed
	fi
	build_other_kernels

	say "suites"
	trap stop_lanes INT TERM
	for group in "${groups[@]}"; do
		case $group in
		kmod) vm_lane+=("$group") ;;
		debug) vm_lane+=("$group") host_lane+=("$group") ;;
		pairs | last) ;;
		*) host_lane+=("$group") ;;
		esac
	done
	run_lane "${vm_lane[@]}" &
	{ pace=- && run_lane "${host_lane[@]}"; } &
	{ pace=+ && run_lane "${host_lane[@]}"; } &
	wait
	! wants pairs || run_lane pairs
	! wants last || run_lane last

	mapfile -t names < <(select_suites "${groups[@]}" | cut -f 1)
	say "results after $((SECONDS - started)) s"
	tests/conformance/areas.py "$NDK_RESULTS"
	tests/run/report.py --results "$NDK_RESULTS" "${partial[@]}" "${names[@]}"
}

main "$@"
