#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs the measurements of the table below one after the other, so that they do not disturb each other,
# and shows their output; then makes a table and a picture of those that set NDKPI beside the raw way of
# doing the same. The numbers of one run can be compared with each other; under emulation and on a busy
# machine nothing more, but for counted instructions.
#
# usage: bench.sh          T=PATTERN runs only those whose name contains it
#                          GOALS=must makes a missed goal an error
# makes: build/results/bench/NAME.txt, build/bench/twins.{txt,json,svg}

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# name | seconds it may take | command, run from the top of the tree
measurements() {
	cat <<'EOT'
core        | 300 | build/bin/core_bench
fabric      | 400 | build/bin/fabric_bench
twins-post  | 120 | tests/bench/post_cost.py build/bin/post_cost
twins-count | 320 | tests/run/vm.sh bench-count tests/bench/kernel/count.guest.sh
twins-profile | 280 | mkdir -p build/bench && tests/run/vm.sh bench-profile tests/bench/profile/profile.guest.sh && tests/bench/profile/profile.py build/bench/profile.txt build/vm/bench-profile.log
twins-time  | 370 | tests/run/vm.sh bench-time tests/bench/kernel/twins.guest.sh
EOT
}

# Samples are for report.py; on the screen they would bury the rest.
show() { sed -u '/^ndk-profile: symbols begin/,/^ndk-profile: symbols end/d; /^ndk-bench: /d; s/^/   /'; }

# Of this run's measurements only: what an earlier one left does not belong beside them.
report() {
	local strict=()
	[ "${GOALS:-}" != must ] || strict=(--strict)
	[ ${#twins[@]} -gt 0 ] || return 0
	say "NDKPI beside the raw way"
	mkdir -p "$NDK_BUILD/bench"
	tests/bench/report.py "${strict[@]}" build/bench "${twins[@]}" | tee "$NDK_BUILD/bench/twins.txt" | sed -u 's/^/   /'
}

main() {
	local name budget command start failed=() twins=() out=$NDK_RESULTS/bench
	cd "$NDK_ROOT"
	mkdir -p "$out" "$NDK_LOGS"
	tests/run/deps.sh build vm bench
	step "build the measurements" tests/run/build_user.sh core_bench fabric_bench post_cost ndk_profile
	step "build kernel module" tests/run/build_kmod.sh
	while IFS='|' read -r -u 3 name budget command; do
		name=${name// /} budget=${budget// /} command=${command# }
		[[ $name == *"${T:-}"* ]] || continue
		start=$(now_ms)
		say "$name"
		if timeout --kill-after=10 "$budget" bash -c "$command" </dev/null 2>&1 | tee "$out/$name.txt" | show; then
			note "$name: $(seconds "$start") s"
			[[ $name != twins-* ]] || twins+=("$out/$name.txt")
		else
			failed+=("$name")
			note "$name: FAILED after $(seconds "$start") s; repeat it with: $command"
		fi
	done 3< <(measurements)
	report || failed+=("goals")
	[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
}

main "$@"
