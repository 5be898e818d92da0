#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Shows the project at work: one consumer source (tools/ndkping), run on the in-memory fabric and then
# inside a kernel booted in QEMU with a software RDMA device and ndk.ko. Ends with a table, and with an
# error if a row of it did not succeed.
#
# A demonstration prints one line of this form among whatever it has to say (ndkping --demo-line):
#   ndk-demo: binding=fabric transport=iwarp connect_us=12.5 round_trip_us=1.2 messages=1000 bytes=65536 result=ok
# Times are medians, bytes and messages of both directions. Compare them only within one run.
#
# usage: demo.sh

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# name | what is shown | command, run from the top of the tree
demonstrations() {
	cat <<'EOT'
fabric-ib    | client and server on the in-memory fabric, with the handshake of IB and RoCE | build/bin/ndkping --self fabric:0 fabric:1 -n 100 --connections 10 --demo-line
fabric-iwarp | the same, with the handshake of iWARP                                     | build/bin/ndkping --self fabric:0 fabric:1 -n 100 --connections 10 --fabric iwarp --demo-line
kernel-rxe   | the same source in a kernel with ndk.ko and a software RDMA device  | tests/run/vm.sh demo tests/kmod/demo.guest.sh
EOT
}

trim() { sed 's/^ *//; s/ *$//' <<<"$1"; }

# show NAME TITLE COMMAND: runs it with its output on the screen and kept for the table.
show() {
	local start status=0 log=$NDK_LOGS/demo-$1.log
	start=$(now_ms)
	say "$1: $2"
	note "\$ $3"
	bash -c "$3" </dev/null 2>&1 | tee "$log" |
		{ grep --line-buffered -v '^ndk-demo: ' || true; } | sed -u 's/^/   /' || status=$?
	if [ $status -ne 0 ] || ! grep -q '^ndk-demo: .*result=ok' "$log"; then
		failed+=("$1")
		note "$1: FAILED after $(seconds "$start") s; repeat it with: $3"
	else
		note "$1: ok, $(seconds "$start") s"
	fi
}

# row NAME: what its demonstration said about itself, or that it said nothing.
row() {
	local transport=- connect_us=- round_trip_us=- messages=- bytes=- result=missing pair
	for pair in $(tr -d '\r' <"$NDK_LOGS/demo-$1.log" | sed -n 's/^ndk-demo: //p' | tail -n 1); do
		case ${pair%%=*} in
		transport | connect_us | round_trip_us | messages | bytes | result)
			printf -v "${pair%%=*}" %s "${pair#*=}"
			;;
		esac
	done
	# Its own word counts for nothing if the run around it failed.
	[[ " ${failed[*]} " != *" $1 "* ]] || [ "$result" != ok ] || result="failed around it"
	printf '%-14s %-10s %12s %14s %10s %12s  %s\n' "$1" "$transport" "$connect_us" "$round_trip_us" \
		"$messages" "$bytes" "$result"
}

table() {
	printf '%-14s %-10s %12s %14s %10s %12s  %s\n' binding transport 'connect us' 'round trip us' messages bytes result
	local name
	while IFS='|' read -r name _; do
		row "${name// /}"
	done < <(demonstrations)
}

main() {
	local name title command start
	cd "$NDK_ROOT"
	mkdir -p "$NDK_LOGS"
	rm -f "$NDK_LOGS"/demo-*.log
	tests/run/deps.sh
	step "build user space" tests/run/build_user.sh ndkping
	step "build kernel module" tests/run/build_kmod.sh
	failed=()
	start=$(now_ms)
	while IFS='|' read -r -u 3 name title command; do
		show "${name// /}" "$(trim "$title")" "$(trim "$command")"
	done 3< <(demonstrations)
	echo
	table
	note "$(seconds "$start") s after the build"
	[ ${#failed[@]} -eq 0 ] || die "no success of: ${failed[*]}"
}

main "$@"
