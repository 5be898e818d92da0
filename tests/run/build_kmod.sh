#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Builds ndk.ko, and the modules that use it: ndkping.ko and those of the tests, for one kernel. Kbuild
# writes beside its sources, so the sources are mirrored as symbolic links to build/kmod-KVER/, where the
# layout of the tree is kept; the tree itself stays clean.
#
# usage: build_kmod.sh [KVER [MAKE_ARGUMENT...]]    (default: tests/vm/kver.sh; KDIR overrides the headers)
#   KVER   a version, or `rt` for the newest PREEMPT_RT kernel, or `debug` for that of build_debug_kernel.sh
# makes: build/kmod-KVER/kmod/ndk.ko and build/kmod-KVER/{tools/ndkping,tests/conformance,tests/bench/kernel,
#        tests/kmod/...}/*.ko

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# mirror DIRECTORY: links to every file of it, and none to a file that is gone. Kbuild does not
# rebuild what included a vanished header, hence the clean start in that case.
mirror() {
	mkdir -p "$out/$1"
	cp -rsf "$NDK_ROOT/$1/." "$out/$1/"
	[ -z "$(find "$out/$1" -xtype l -print -delete)" ] ||
		find "$out/$1" -type f -name '*.o' -delete
}

kbuild() { make -C "$kdir" M="$1" "${@:2}"; }

main() {
	local user users=(tools/ndkping tests/conformance tests/bench/kernel)
	kver=${1:-}
	[ $# -eq 0 ] || shift
	[ -n "$kver" ] || kver=$("$NDK_ROOT/tests/vm/kver.sh") || exit 1
	case $kver in
	rt) kver=$("$NDK_ROOT/tests/vm/kver.sh" --rt) || exit 1 ;;
	debug)
		KDIR=$("$NDK_ROOT/tests/run/build_debug_kernel.sh" --path)
		[ -e "$KDIR/Makefile" ] || die "there is no debug kernel; tests/run/build_debug_kernel.sh builds it"
		# it provokes what only that kernel notices
		users+=(tests/kmod/misbehave)
		;;
	esac
	kdir=${KDIR:-/lib/modules/$kver/build}
	out=$NDK_BUILD/kmod-$kver
	[ -e "$kdir/Makefile" ] || die "no kernel headers in $kdir (tests/run/deps.sh vm installs them)"

	mirror kmod
	[ ! -d "$NDK_ROOT/uapi" ] || mirror uapi
	kbuild "$out/kmod" -j"$(nproc)" modules "$@"
	for user in "${users[@]}"; do
		mirror "$user"
		kbuild "$out/$user" -j"$(nproc)" KBUILD_EXTRA_SYMBOLS="$out/kmod/Module.symvers" modules "$@"
	done
	find "$out" -name '*.ko' -printf 'built build/kmod-'"$kver"'/%P\n'
}

main "$@"
