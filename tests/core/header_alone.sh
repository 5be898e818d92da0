#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# header_alone.sh - is the consumer interface fit to be included by anyone?
#
# Prints TAP and exits nonzero when a line is "not ok". Needs no root and no
# provider. What it proves, with every compiler it finds:
#   - each header of kmod/include/ndkpi compiles alone, and twice, as C and C++
#   - the whole interface gets on with the C++ standard library, googletest (if
#     installed) and the C library, before them and after them
#   - consumer_twin.c and consumer_values.c compile as C and as C++, and run
#   - a consumer with a wrong signature or a wrong layout is refused; without
#     these the lines above could not fail for the reason they claim
#
# Usage: header_alone.sh   (run from anywhere)

set -u

here=$(cd "$(dirname "$0")" && pwd)
include=$(cd "$here/../../kmod/include" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

strict="-pedantic -Wall -Wextra -Werror -I$include"
number=0
failed=0

# report NAME STATUS LOG - one TAP line; the log of a failure as diagnostics.
report() {
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number - $1"
	else
		failed=$((failed + 1))
		echo "not ok $number - $1"
		sed 's/^/# /' "$3" | head -n 20
	fi
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# The driver of a language: gcc compiles C++ as g++, clang as clang++.
driver() {
	case "$1 $2" in
	"gcc c++"* | "gcc gnu++"*) echo g++ ;;
	"clang c++"* | "clang gnu++"*) echo clang++ ;;
	*) echo "$1" ;;
	esac
}

suffix() {
	case "$1" in
	*++*) echo cc ;;
	*) echo c ;;
	esac
}

# accepts NAME COMPILER STANDARD FILE - FILE must compile.
accepts() {
	name=$1 tool=$(driver "$2" "$3") standard=$3 file=$4
	if ! command -v "$tool" >/dev/null 2>&1; then
		skip "$name $standard $2" "no $tool"
		return
	fi
	# shellcheck disable=SC2086
	"$tool" -std="$standard" $strict -fsyntax-only "$file" >"$work/log" 2>&1
	report "$name $standard $2" $? "$work/log"
}

# refuses NAME COMPILER STANDARD FILE WORDS - FILE must not compile, and the
# compiler must say why in WORDS (a basic regular expression).
refuses() {
	name="refused: $1" tool=$(driver "$2" "$3") standard=$3 file=$4
	if ! command -v "$tool" >/dev/null 2>&1; then
		skip "$name $standard $2" "no $tool"
		return
	fi
	# shellcheck disable=SC2086
	if "$tool" -std="$standard" $strict -c -o "$work/o" "$file" >"$work/log" 2>&1; then
		echo "compiled, although it is wrong" >"$work/log"
		report "$name $standard $2" 1 "$work/log"
		return
	fi
	grep -q "$5" "$work/log"
	report "$name $standard $2" $? "$work/log"
}

# runs NAME COMPILER STANDARD FILE - FILE must build and exit with 0.
runs() {
	name=$1 tool=$(driver "$2" "$3") standard=$3 file=$4
	if ! command -v "$tool" >/dev/null 2>&1; then
		skip "$name $standard $2" "no $tool"
		return
	fi
	language=c
	[ "$(suffix "$standard")" = cc ] && language=c++
	# Parameters exist here for their types only.
	# shellcheck disable=SC2086
	"$tool" -std="$standard" $strict -Wno-unused-parameter -x $language "$file" \
		-o "$work/program" >"$work/log" 2>&1 && "$work/program" >"$work/log" 2>&1
	report "$name runs $standard $2" $? "$work/log"
}

# ---- each header alone ----

for header in "$include"/ndkpi/*.h; do
	base=$(basename "$header")
	for standard in c11 gnu11 c++17 c++20; do
		file="$work/alone.$(suffix "$standard")"
		# Twice, for the include guard.
		printf '#include <ndkpi/%s>\n#include <ndkpi/%s>\n' "$base" "$base" >"$file"
		for compiler in gcc clang; do
			accepts "$base" $compiler "$standard" "$file"
		done
	done
done

# ---- the neighbours a consumer includes, on either side ----

cat >"$work/neighbours.h" <<'EOF'
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/user.h>
#ifdef __cplusplus
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>
#if __cplusplus >= 202002L
#include <bit>
#include <concepts>
#include <span>
#include <stop_token>
#endif
#if __has_include(<gtest/gtest.h>)
#include <gtest/gtest.h>
#endif
#endif
EOF
use='static_assert(sizeof(NDK_SGE) == 16, "usable after the neighbours");'
for standard in c11 gnu11 c++17 c++20; do
	before="$work/before.$(suffix "$standard")"
	after="$work/after.$(suffix "$standard")"
	printf '#include <ndkpi/ndkpi.h>\n#include "neighbours.h"\n%s\n' "$use" >"$before"
	printf '#include "neighbours.h"\n#include <ndkpi/ndkpi.h>\n%s\n' "$use" >"$after"
	for compiler in gcc clang; do
		accepts "ndkpi.h before the libraries" $compiler "$standard" "$before"
		accepts "ndkpi.h after the libraries" $compiler "$standard" "$after"
	done
done

# ---- the twins ----

for program in consumer_twin consumer_values; do
	for standard in c11 gnu11 c++17 c++20; do
		for compiler in gcc clang; do
			runs "$program.c" $compiler "$standard" "$here/$program.c"
		done
	done
done

# ---- what must not compile ----

# One parameter fewer than NDK_FN_DISCONNECT has.
cat >"$work/signature.c" <<'EOF'
#include <ndkpi/ndkpi.h>
#ifdef __cplusplus
extern "C" {
#endif
NDK_FN_DISCONNECT MyDisconnect;
NTSTATUS MyDisconnect(NDK_CONNECTOR *Connector, NDK_FN_REQUEST_COMPLETION *Completion)
{
	(void)Connector;
	(void)Completion;
	return STATUS_SUCCESS;
}
#ifdef __cplusplus
}
#endif
EOF
# The two types that differ only in their callback.
cat >"$work/slot.c" <<'EOF'
#include <ndkpi/ndkpi.h>
extern NDK_FN_ACCEPT MyAccept;
NDK_FN_ACCEPT_EX *Slot = MyAccept;
EOF
cat >"$work/layout.c" <<'EOF'
#include <ndkpi/ndkpi.h>
NDKPI_ASSERT_OFFSET(NDK_RESULT, QPContext, 12);
EOF
cat >"$work/slots.c" <<'EOF'
#include <ndkpi/ndkpi.h>
NDKPI_ASSERT_SLOTS(NDK_QP_DISPATCH, 10);
EOF
cat >"$work/status.c" <<'EOF'
#include <ndkpi/ndkpi.h>
int twice(NTSTATUS Status);
int twice(NTSTATUS Status)
{
	switch (Status) {
	case STATUS_INSUFFICIENT_RESOURCES:
	case NDIS_STATUS_RESOURCES:
		return 1;
	}
	return 0;
}
EOF
for standard in c11 c++20; do
	for case in signature slot layout slots status; do
		file="$work/$case.$(suffix "$standard")"
		[ -e "$file" ] || cp "$work/$case.c" "$file"
		case $case in
		signature) words='conflicting' ;;
		slot) words='incompatible\|invalid conversion\|cannot initialize' ;;
		layout) words='offset of NDK_RESULT.QPContext' ;;
		slots) words='slots of NDK_QP_DISPATCH' ;;
		status) words='duplicate case' ;;
		esac
		for compiler in gcc clang; do
			refuses "wrong $case" $compiler "$standard" "$file" "$words"
		done
	done
done

echo "1..$number"
[ "$failed" -eq 0 ]
