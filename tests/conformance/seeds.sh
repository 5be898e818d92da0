#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# What a seed is worth on the deterministic fabric: one seed, one event log, line by line; another seed,
# another log and the same rules kept; a failure names the command that repeats it. And the cases about
# listeners, connectors, shared endpoints and lifetime under many schedules: in each the messages of the
# handshakes are late by other random amounts, so that they overtake each other. (Every order of events,
# to a bounded depth, is walked for the core alone: tests/core/exhaustive_test.cpp.) Prints TAP.
#
# usage: seeds.sh [SCHEDULES]      (default: 40 per transport)

set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$root/build/bin/ndk_conformance
schedules=${1:-40}
areas=LS,CN,SE,LC
number=0 failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# result STATUS TITLE
result() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=1
	fi
}

# events FABRIC SEED FILE: all that happens in a run, and its results; the run's status.
events() {
	NDK_FILTER='' NDK_TRACE=1 "$program" --fabric "$1" --areas "$areas" --jitter 300 --seed "$2" >"$3" 2>&1
}

same_seed() {
	events "$1" 7 "$work/one" && events "$1" 7 "$work/two" && cmp -s "$work/one" "$work/two"
	result $? "T-FT-10 $1: one seed, one event log"
	echo "# $(wc -l <"$work/one") lines"
	diff "$work/one" "$work/two" | head -n 6 | sed 's/^/# /'
}

other_seed() {
	events "$1" 8 "$work/two" && ! cmp -s "$work/one" "$work/two"
	result $? "T-FT-10 $1: another seed, another log, and everything passes"
	grep -A 3 '^not ok' "$work/two" | head -n 12 | sed 's/^/# /'
}

# Messages that are late by seconds make this case fail, which has to be found, and found again.
repeats() {
	local again
	"$program" --fabric ib --filter accept_after_abandonment --jitter 5000000 --seed 3 >"$work/one" 2>&1
	again=$(sed -n 's/^# reproduce: //p' "$work/one")
	[ -n "$again" ] && grep -q '^not ok' "$work/one" && [[ $again == *"--seed 3" ]] &&
		! (cd "$root" && eval "$again") >"$work/two" 2>&1 &&
		[ "$(grep '^# [a-z_]*[.]' "$work/one")" = "$(grep '^# [a-z_]*[.]' "$work/two")" ]
	result $? "T-FT-10 a failure prints the command that repeats it"
	echo "# ${again:-nothing was printed}"
}

# explore FABRIC: a case that fails under one of the schedules says under which.
explore() {
	local cases
	NDK_FILTER='' "$program" --fabric "$1" --areas "$areas" --jitter 300 --seed 1000 --repeat "$schedules" >"$work/one" 2>&1
	result $? "T-FT-11 $1: LS, CN, SE, LC with handshakes late at random in many schedules, not in every order"
	cases=$(grep -vc SKIP <(grep '^ok' "$work/one"))
	echo "# $((cases * schedules)) schedules of $cases cases"
	grep -B 6 '^not ok' "$work/one" | head -n 40
}

echo "TAP version 13"
for fabric in ib iwarp; do
	same_seed $fabric
	other_seed $fabric
	explore $fabric
done
repeats
echo "1..$number"
exit $failed
