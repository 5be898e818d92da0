#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# matrix.sh - are the machines what the committed matrices and diagrams say, in every language?
#
# Prints TAP. Takes the two programs of the build, and builds its own with every other compiler and
# standard it finds; all must print the same, byte for byte, and that must be what is committed in
# tests/golden and Documentation/generated. A behaviour change shows there, line by line.
#
# usage: matrix.sh            compare
#        matrix.sh --update   write the committed files anew
# BUILD=DIRECTORY overrides build/.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$top/build}
golden=$top/tests/golden
pages=$top/Documentation/generated
reference=$build/bin/core_matrix_c11
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

number=0
failed=0
stale=0

# report NAME STATUS [LOG]: one TAP line; the log of a failure as diagnostics.
report() {
	number=$((number + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $number - $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $number - $1"
	[ -z "${3:-}" ] || head -n 20 "$3" | sed 's/^/# /'
}

skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# everything PROGRAM DIRECTORY: all it prints, a file for each.
everything() {
	mkdir -p "$2"
	for machine in $("$1" list); do
		"$1" matrix "$machine" >"$2/$machine.matrix" || return 1
		"$1" dot "$machine" >"$2/$machine.dot" || return 1
		"$1" md "$machine" >"$2/$machine.md" || return 1
	done
}

# same NAME FILE COMMITTED
same() {
	diff -u "$3" "$2" >"$work/log" 2>&1
	status=$?
	[ $status -eq 0 ] || stale=1
	report "$1" $status "$work/log"
}

# compile COMPILER STANDARD: the matrix program over the core, in $work/program.
compile() {
	mkdir -p "$work/objects"
	rm -f "$work/objects"/*
	language=c
	case $2 in *++*) language=c++ ;; esac
	for source in "$top"/kmod/core/*.c "$top"/tests/core/matrix.c; do
		"$1" -std="$2" -Wall -Wextra -Werror -I"$top/kmod/include" -x $language -c "$source" \
			-o "$work/objects/$(basename "$source" .c).o" || return 1
	done
	"$1" "$work/objects"/*.o -o "$work/program"
}

update() {
	everything "$reference" "$work/c11" || exit 1
	mkdir -p "$golden" "$pages"
	rm -f "$golden"/*.matrix "$pages"/*.dot "$pages"/*.md
	cp "$work"/c11/*.matrix "$golden"
	cp "$work"/c11/*.dot "$work"/c11/*.md "$pages"
	echo "written: $golden, $pages"
}

if [ ! -x "$reference" ]; then
	echo "error: $reference is not built (make user)" >&2
	exit 1
fi
if [ "${1:-}" = --update ]; then
	update
	exit 0
fi

everything "$reference" "$work/c11" && everything "$build/bin/core_matrix_cxx20" "$work/cxx20"
report "the two programs of the build print every machine" $?
diff -r "$work/c11" "$work/cxx20" >"$work/log" 2>&1
report "C11 and C++20 agree to the byte" $? "$work/log"
for file in "$work"/c11/*.matrix; do
	same "matrix of $(basename "$file" .matrix)" "$file" "$golden/$(basename "$file")"
done
for file in "$work"/c11/*.dot "$work"/c11/*.md; do
	same "diagram $(basename "$file")" "$file" "$pages/$(basename "$file")"
done
# nothing committed is about a machine that is no more
for file in "$golden"/*.matrix "$pages"/*.dot "$pages"/*.md; do
	[ -e "$work/c11/$(basename "$file")" ] || echo "$file"
done >"$work/log"
[ ! -s "$work/log" ]
report "no committed file is left over" $? "$work/log"
[ $stale -eq 0 ] || echo "# to accept: tests/core/matrix.sh --update"

for pair in gcc:gnu11 g++:gnu++20 clang:c11 clang:gnu11 clang++:c++20; do
	compiler=${pair%:*} standard=${pair#*:}
	if ! command -v "$compiler" >/dev/null 2>&1; then
		skip "$compiler $standard prints the same" "no $compiler"
		continue
	fi
	rm -rf "$work/other"
	compile "$compiler" "$standard" >"$work/log" 2>&1 && everything "$work/program" "$work/other" &&
		diff -r "$work/c11" "$work/other" >"$work/log" 2>&1
	report "$compiler $standard prints the same" $? "$work/log"
done

echo "1..$number"
[ $failed -eq 0 ]
