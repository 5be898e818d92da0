#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs the measurements of the table below one after the other, so that they do not disturb each other,
# and shows their output. The numbers of one run can be compared with each other; under emulation and on
# a busy machine nothing more.
#
# usage: bench.sh          T=PATTERN runs only those whose name contains it
# makes: build/results/bench/NAME.txt

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# name | seconds it may take | command, run from the top of the tree
measurements() {
	cat <<'EOT'
core   | 300 | build/bin/core_bench
fabric | 400 | build/bin/fabric_bench
EOT
}

main() {
	local name budget command start failed=() out=$NDK_RESULTS/bench
	cd "$NDK_ROOT"
	mkdir -p "$out" "$NDK_LOGS"
	tests/run/deps.sh build
	step "build user space" tests/run/build_user.sh
	while IFS='|' read -r -u 3 name budget command; do
		name=${name// /} budget=${budget// /} command=${command# }
		[[ $name == *"${T:-}"* ]] || continue
		start=$(now_ms)
		say "$name"
		if timeout --kill-after=10 "$budget" bash -c "$command" </dev/null 2>&1 | tee "$out/$name.txt" | sed -u 's/^/   /'; then
			note "$name: $(seconds "$start") s"
		else
			failed+=("$name")
			note "$name: FAILED after $(seconds "$start") s; repeat it with: $command"
		fi
	done 3< <(measurements)
	[ ${#failed[@]} -eq 0 ] || die "failed: ${failed[*]}"
}

main "$@"
