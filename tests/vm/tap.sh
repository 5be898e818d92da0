#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Takes the test results of one suite out of the console log of the test machine. In the guest a
# suite puts its TAP or KTAP between two lines:
#   ndk-vm: tap begin NAME
#   ndk-vm: tap end NAME
# which may come through the kernel log, as they have to where the results do: a kernel may be late with
# what it prints (PREEMPT_RT is).
# What only the host can judge is added as a failure: a suite that did not come to its end or said
# nothing, and a kernel log with a defect in it. So a crash can never look like a short success.
#
# usage: tap.sh LOG NAME >NAME.tap

set -euo pipefail
[ $# -eq 2 ] || { echo "usage: tap.sh LOG NAME" >&2 && exit 2; }
[ -r "$1" ] || { echo "tap.sh: no such log: $1" >&2 && exit 1; }

# has_mark begin|end NAME LOG
has_mark() { grep -qE "^(\[[ .0-9]*\] )?ndk-vm: tap $1 $2\$" "$3"; }

verdict() {
	if ! has_mark begin "$2" "$1"; then
		echo "not ok 1 - $2 never began"
	elif ! has_mark end "$2" "$1"; then
		echo "not ok 1 - $2 stopped before its end"
	elif ! grep -Eq '^ *(not )?ok ' <<<"$results"; then
		echo "not ok 1 - $2 printed no result"
	elif ! grep -Eqx 'ndk-vm: kernel log (clean|dirty on purpose)' "$1"; then
		echo "not ok 1 - the kernel log is not clean after $2"
		sed -n 's/^ndk-vm: | /# /p' "$1" | head -n 20
		grep -aE 'Kernel panic|Oops|BUG:' "$1" | head -n 5 | sed 's/^/# /' || true
	else
		echo "ok 1 - $2"
	fi
}

# what the kernel prints carries a time and a name, and is there once more where its log is judged
results=$(sed -E -e '/^ndk-vm: kernel log begin$/,$d' -e 's/^\[[ .0-9]*\] (ndk_[a-z]+: )?//' "$1" |
	sed -n "/^ndk-vm: tap begin $2\$/,/^ndk-vm: tap end $2\$/{/^ndk-vm: /d;p}")
echo "TAP version 13"
echo "# Subtest: $2"
[ -z "$results" ] || sed 's/^/    /' <<<"$results"
verdict "$@"
echo "1..1"
