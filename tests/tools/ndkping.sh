#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# ndkping on the fabric: every way to connect and to address memory, what it says, and its exit status
# for each kind of failure. Prints TAP; ends with status 1 if a test failed.
#
# usage: ndkping.sh [PROGRAM]      (default: build/bin/ndkping)

set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/build/bin/ndkping}
number=0 failed=0

# expect STATUS PATTERN TITLE ARGUMENT...: exit status, and an extended pattern for its output.
expect() {
	local wanted=$1 pattern=$2 title=$3 status=0 output
	shift 3
	number=$((number + 1))
	output=$(timeout 60 "$program" "$@" 2>&1 </dev/null) || status=$?
	if [ $status -eq "$wanted" ] && grep -Eq -- "$pattern" <<<"$output"; then
		echo "ok $number - $title"
		return
	fi
	failed=1
	echo "not ok $number - $title"
	sed 's/^/# /' <<<"$output" | tail -n 12
	echo "# ended with status $status, $wanted was wanted, with output like: $pattern"
	echo "# reproduce: $program $*"
}

echo "TAP version 13"
for flavour in ib iwarp; do
	for mode in threads time; do
		self=(--self fabric:0 fabric:1 --fabric "$flavour")
		[ $mode = threads ] || self+=(--seed 7)
		on="$flavour, $mode:"
		expect 0 'result +ok' "$on notifications" "${self[@]}" -n 200
		expect 0 'result +ok' "$on polling" "${self[@]}" -n 200 --poll
		expect 0 ' 20 connections, 400 messages' "$on pairs from a shared endpoint" "${self[@]}" --second --connections 10 -n 10
		expect 0 ' 10 connections' "$on a shared endpoint" "${self[@]}" --shared --connections 10 -n 2
		expect 0 'result +ok' "$on the privileged token" "${self[@]}" --privileged -S 50000 -n 10
		expect 0 'result +ok' "$on one byte" "${self[@]}" -S 1 -n 10
		expect 0 '33554432 bytes' "$on the largest message" "${self[@]}" -S 16777216 -n 1
		expect 0 'result +ok' "$on IPv6, any port" "${self[@]}" --ipv6 -p 0 -n 10
		expect 1 'message 4 of 64 bytes: at offset 63 expected 0x[0-9a-f]{2}, seen 0x[0-9a-f]{2}' \
			"T-UA-07 $on a wrong byte is found" "${self[@]}" -n 5 --corrupt 63
		expect 3 'NdkConnect failed: STATUS_INVALID_ADDRESS' "$on a foreign local address" "${self[@]}" -a 192.0.2.9
	done
done
self=(--self fabric:0 fabric:1 -n 5)
expect 0 '"messages": 10,.*"failed_step": null.*"result": "ok"' "JSON" "${self[@]}" -j
expect 0 '^ndk-demo: binding=fabric transport=[a-z0-9]+ connect_us=[0-9.]+ .* result=ok$' "the line for make demo" "${self[@]}" --demo-line
expect 0 'result +ok' "an adapter with itself" --self fabric:0 fabric:0 -n 5
expect 3 'NdkOpenAdapter failed: NDIS_STATUS_ADAPTER_NOT_FOUND' "an unknown adapter" --self fabric:0 fabric:99
expect 2 'use --self' "the fabric alone" -s fabric:0 -a 192.0.2.1
expect 2 'required' "nothing to do"
expect 2 'not in range' "a size of 0" "${self[@]}" -S 0
expect 2 'outside' "a byte to spoil that is not there" "${self[@]}" --corrupt 64
expect 2 'no IP address' "a name instead of an address" "${self[@]}" -d nowhere
expect 2 'port' "a port that is none" "${self[@]}" -d 192.0.2.2:65536
expect 0 'usage|Usage' "help" --help

# Virtual time: the same seed gives the same report.
number=$((number + 1))
one=$("$program" "${self[@]}" --seed 99 --second -j) two=$("$program" "${self[@]}" --seed 99 --second -j)
if [ -n "$one" ] && [ "$one" = "$two" ]; then
	echo "ok $number - a seed gives one result"
else
	failed=1
	echo "not ok $number - a seed gives one result"
fi

# The table for people and the object for programs say the same, column by column.
number=$((number + 1))
table=$("$program" "${self[@]}" --seed 99 | awk '$1 == "min" { head = $1 " " $2 " " $3 " " $4 }
	$NF == "us" { print head, $(NF - 4), $(NF - 3), $(NF - 2), $(NF - 1) }')
object=$("$program" "${self[@]}" --seed 99 -j | python3 -c '
import json, sys
said = json.load(sys.stdin)
for what in ("connect_us", "round_trip_us"):
	print("min median p99 max", *(said[what][column] for column in ("min", "median", "p99", "max")))')
if [ -n "$table" ] && [ "$table" = "$object" ]; then
	echo "ok $number - T-UA-08 minimum, median, p99 and maximum with their unit, the same numbers as JSON"
else
	failed=1
	echo "not ok $number - T-UA-08 minimum, median, p99 and maximum with their unit, the same numbers as JSON"
	printf '%s\n' "$table" "$object" | sed 's/^/# /'
fi
echo "1..$number"
exit $failed
