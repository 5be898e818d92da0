#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Shows the project at work: one consumer source, run on the in-memory fabric and then inside a kernel
# booted in QEMU with a software RDMA device and ndk.ko. Ends with a table, and with an error if a
# binding of the table below did not succeed.
#
# A demonstration prints, per binding, one line of this form among whatever it has to say:
#   ndk-demo: binding=fabric connect_us=12.5 round_trip_us=1.2 messages=1000 bytes=65536 result=ok
#
# usage: demo.sh

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# binding | what is shown | command, run from the top of the tree
demonstrations() {
	cat <<'EOT'
fabric | a client and a server on the in-memory fabric                | build/bin/ndk_demo
kernel | the same source in a kernel with ndk.ko and a software device | tests/run/vm.sh demo tests/kmod/demo.guest.sh
EOT
}

trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

# show BINDING TITLE COMMAND: runs it with its output on the screen and kept for the table.
show() {
	local start status=0
	start=$(now_ms)
	say "$1: $2"
	bash -c "$3" </dev/null 2>&1 | tee "$NDK_LOGS/demo-$1.log" |
		{ grep --line-buffered -v '^ndk-demo: ' || true; } | sed -u 's/^/   /' || status=$?
	if [ $status -ne 0 ] || ! grep -q "^ndk-demo: binding=$1 .*result=ok" "$NDK_LOGS/demo-$1.log"; then
		failed+=("$1")
		note "$1: FAILED after $(seconds "$start") s; repeat it with: $3"
	else
		note "$1: ok, $(seconds "$start") s"
	fi
}

table() {
	printf '%-10s %14s %14s %10s %12s  %s\n' binding 'connect us' 'round trip us' messages bytes result
	cat "$NDK_LOGS"/demo-*.log | tr -d '\r' | sed -n 's/^ndk-demo: //p' | while read -r line; do
		local binding=- connect_us=- round_trip_us=- messages=- bytes=- result=- pair
		for pair in $line; do
			case ${pair%%=*} in
			binding | connect_us | round_trip_us | messages | bytes | result) printf -v "${pair%%=*}" %s "${pair#*=}" ;;
			esac
		done
		printf '%-10s %14s %14s %10s %12s  %s\n' "$binding" "$connect_us" "$round_trip_us" "$messages" "$bytes" "$result"
	done
}

main() {
	local binding title command
	cd "$NDK_ROOT"
	mkdir -p "$NDK_LOGS"
	rm -f "$NDK_LOGS"/demo-*.log
	tests/run/deps.sh
	step "build user space" tests/run/build_user.sh
	step "build kernel module" tests/run/build_kmod.sh
	failed=()
	while IFS='|' read -r -u 3 binding title command; do
		show "${binding// /}" "$(trim "$title")" "$(trim "$command")"
	done 3< <(demonstrations)
	echo
	table
	[ ${#failed[@]} -eq 0 ] || die "no success of: ${failed[*]}"
}

main "$@"
