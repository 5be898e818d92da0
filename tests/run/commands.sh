#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs commands as a suite, each one test: passed on exit status 0, skipped on 77 with the last line
# of output as the reason, else failed. Leaves build/results/NAME.tap.
#
# usage: commands.sh NAME TITLE COMMAND [TITLE COMMAND]...

set -euo pipefail
. "$(dirname "$0")/lib.sh"

(($# >= 3 && $# % 2 == 1)) || die "usage: commands.sh NAME TITLE COMMAND [TITLE COMMAND]..."
name=$1
shift
mkdir -p "$NDK_RESULTS"
# under another name until it is whole: a command may itself read the results
failed=0 count=0 total=$(($# / 2)) tap=$NDK_RESULTS/$name.tap.part
{
	echo "TAP version 13"
	echo "1..$total"
} >"$tap"
while [ $# -gt 0 ]; do
	count=$((count + 1)) status=0
	output=$(bash -c "$2" 2>&1 </dev/null) || status=$?
	printf '%s\n' "$output"
	case $status in
	0) echo "ok $count - $1" ;;
	77) echo "ok $count - $1 # SKIP $(tail -n 1 <<<"$output")" ;;
	*)
		failed=1
		echo "not ok $count - $1"
		tail -n 12 <<<"$output" | sed 's/^/# /'
		echo "# ended with status $status"
		echo "# reproduce: $2"
		;;
	esac >>"$tap"
	shift 2
done
mv "$tap" "${tap%.part}"
exit $failed
