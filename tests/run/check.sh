#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# All that must hold: installs what is missing, builds, runs the suites of the table below, and
# reports. Suites of user space and of the virtual machine run side by side. The last line of the
# output is `N passed, N failed, N skipped`; the exit status is 0 only if nothing failed and every
# suite of the table has shown at least one passed test.
#
# usage: check.sh [GROUP...]      groups: core fabric kmod house (default: all)
#   T=PATTERN   only the suites whose name contains PATTERN; if there is none, only the tests whose
#               name does (GTEST_FILTER and NDK_FILTER are set for the suites)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# A suite is a command, run from the top of the tree, that leaves build/results/NAME.tap. Commands of
# group kmod run one after the other beside the rest.
# gtest.py and commands.sh make such a file for programs that do not speak TAP themselves.
# name | group | seconds it may take | command
suites() {
	cat <<'EOT'
tidy          | house  | 60  | tests/tidy/tidy.py | tee build/results/tidy.tap
core-c11      | core   | 120 | tests/run/gtest.py core-c11 build/bin/core_test_c11
core-cxx20    | core   | 120 | tests/run/gtest.py core-cxx20 build/bin/core_test_cxx20
core-matrix   | core   | 60  | tests/core/matrix.sh | tee build/results/core-matrix.tap
core-compilers | core  | 180 | tests/core/compilers.sh | tee build/results/core-compilers.tap
ndkping       | fabric | 120 | tests/tools/ndkping.sh | tee build/results/ndkping.tap
headers       | core   | 120 | tests/core/header_alone.sh | tee build/results/headers.tap
fabric-ib     | fabric | 300 | build/bin/ndk_conformance --fabric ib --tap build/results/fabric-ib.tap
fabric-iwarp  | fabric | 300 | build/bin/ndk_conformance --fabric iwarp --tap build/results/fabric-iwarp.tap
threads-ib    | fabric | 300 | build/bin/ndk_conformance --fabric ib --threads --tap build/results/threads-ib.tap
threads-iwarp | fabric | 300 | build/bin/ndk_conformance --fabric iwarp --threads --tap build/results/threads-iwarp.tap
kernel-rxe    | kmod   | 700 | tests/run/vm_suite.sh kernel-rxe tests/kmod/rxe.guest.sh
kernel-module | kmod   | 300 | tests/run/vm_suite.sh kernel-module tests/kmod/module.guest.sh
kernel-churn  | kmod   | 900 | tests/run/vm_suite.sh kernel-churn tests/kmod/churn.guest.sh
requirements  | last   | 60  | tests/run/commands.sh requirements 'the tool itself' 'python3 tests/requirements/test_requirements.py' 'every rule' 'tests/requirements/requirements.py all' 'the seed table' 'tests/requirements/requirements.py seed'
EOT
}

# The requirements are checked against the results of the others, so they come after them.
all_groups=(house core fabric kmod last)

# select_suites GROUP...: the rows of these groups that T leaves, as tab-separated lines.
select_suites() {
	local name group budget command wanted=" $* "
	while IFS='|' read -r name group budget command; do
		name=${name// /} group=${group// /} budget=${budget// /}
		[[ $wanted == *" $group "* ]] || continue
		[[ -z ${suite_filter:-} || $name == *"$suite_filter"* ]] || continue
		printf '%s\t%s\t%s\t%s\n' "$name" "$group" "$budget" "${command# }"
	done < <(suites)
}

# run_suite NAME GROUP BUDGET COMMAND: its output to build/logs, one row to build/results/suites.tsv.
run_suite() {
	local start status=0 verdict=ok
	start=$(now_ms)
	printf '   %-14s ...\n' "$1"
	timeout --kill-after=10 "$3" bash -o pipefail -c "$4" >"$NDK_LOGS/$1.log" 2>&1 </dev/null || status=$?
	[ $status -eq 0 ] || verdict="FAILED ($status), see build/logs/$1.log"
	[ $status -ne 124 ] || verdict="FAILED, no end in $3 s, see build/logs/$1.log"
	printf '   %-14s %s, %s s\n' "$1" "$verdict" "$(seconds "$start")"
	printf '%s\t%s\t%s\t%s\n' "$1" "$status" "$(seconds "$start")" "$4" >>"$NDK_RESULTS/suites.tsv"
}

# run_lane GROUP...: one suite after the other.
run_lane() {
	local name group budget command
	while IFS=$'\t' read -r name group budget command; do
		run_suite "$name" "$group" "$budget" "$command"
	done < <(select_suites "$@")
}

# Jobs in the background do not hear the interrupt key; what they started has to be ended by id.
kill_tree() {
	local child
	for child in $(pgrep -P "$1"); do
		kill_tree "$child"
	done
	kill "$1" 2>/dev/null || true
}

stop_lanes() {
	local lane
	for lane in $(jobs -p); do
		kill_tree "$lane"
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
	[ -n "${T:-}" ] || return 0
	suite_filter=$T
	partial=(--partial)
	if [ -z "$(select_suites "${groups[@]}")" ]; then
		suite_filter=
		export NDK_FILTER=$T GTEST_FILTER="*$T*"
		say "only tests whose name contains '$T'"
	fi
}

wants() { [[ " ${groups[*]} " == *" $1 "* ]] && [ -n "$(select_suites "$1")" ]; }

main() {
	local group started=$SECONDS dep_groups=(build) host_lane=() names=()
	groups=("$@")
	[ $# -gt 0 ] || groups=("${all_groups[@]}")
	for group in "${groups[@]}"; do
		[[ " ${all_groups[*]} " == *" $group "* ]] || die "unknown group '$group' (groups: ${all_groups[*]})"
	done
	cd "$NDK_ROOT"
	apply_filter
	! wants kmod || dep_groups+=(vm)
	rm -rf "$NDK_RESULTS"
	mkdir -p "$NDK_RESULTS" "$NDK_LOGS"

	"$NDK_ROOT/tests/run/deps.sh" "${dep_groups[@]}" || build_failed
	step "build user space" tests/run/build_user.sh || build_failed
	if wants kmod; then
		step "build kernel module" tests/run/build_kmod.sh || build_failed
	fi

	say "suites"
	trap stop_lanes INT TERM
	for group in "${groups[@]}"; do
		case $group in
		kmod | last) ;;
		*) host_lane+=("$group") ;;
		esac
	done
	! wants kmod || run_lane kmod &
	run_lane "${host_lane[@]}" &
	wait
	! wants last || run_lane last

	mapfile -t names < <(select_suites "${groups[@]}" | cut -f 1)
	say "results after $((SECONDS - started)) s"
	tests/run/report.py --results "$NDK_RESULTS" "${partial[@]}" "${names[@]}"
}

main "$@"
