#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs the tests of the core over the core as each compiler makes it of each dialect: the module is
# gnu11, libndk is C11 and C++20, and people use gcc and clang. The tests themselves are taken from
# the build (make user); the exhaustive walks are left to core-c11 and core-cxx20. Prints TAP.
#
# usage: compilers.sh

set -uo pipefail
cd "$(dirname "$0")/../.."
objects=(build/tests/core/CMakeFiles/ndk_core_test.dir/*.o)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

# check TITLE COMPILER...: builds the core, links the tests, runs them.
check() {
	local title=$1 file
	shift
	number=$((number + 1))
	if ! command -v "$1" >/dev/null; then
		echo "ok $number - $title # SKIP no $1 here"
		return
	fi
	rm -f "$work"/*
	if {
		for file in kmod/core/*.c kmod/api/*.c; do
			"$@" -O1 -Wall -Wextra -Werror -Ikmod/include -c "$file" \
				-o "$work/$(basename "$(dirname "$file")")-$(basename "$file").o" || break
		done
		[ "$(find "$work" -name '*.o' | wc -l)" -eq "$(ls kmod/core/*.c kmod/api/*.c | wc -l)" ] &&
			ar rcs "$work/core.a" "$work"/*.o && # what the tests do not use stays out
			g++ -o "$work/core_test" "${objects[@]}" "$work/core.a" -lgtest -lpthread &&
			timeout 120 "$work/core_test" --gtest_brief=1 --gtest_filter='-*Exhaustive*:*every_row*'
	} >"$work/out" 2>&1 && grep -q '^\[  PASSED  \] [1-9]' "$work/out"; then
		echo "ok $number - $title: $(sed -n 's/^\[  PASSED  \] //p' "$work/out")"
		return
	fi
	failed=1
	echo "not ok $number - $title"
	tail -n 20 "$work/out" | sed 's/^/# /'
	echo "# reproduce: tests/core/compilers.sh"
}

if [ ! -e "${objects[0]}" ]; then
	echo "not ok 1 - the tests of the core are not built (make user)"
	echo "1..1"
	exit 1
fi
check "gnu11, gcc" gcc -std=gnu11
check "gnu11, clang" clang -std=gnu11
check "c11, clang" clang -std=c11
check "c++20, clang" clang++ -x c++ -std=c++20
echo "1..$number"
exit $failed
