#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs one guest script in the test machine, with our modules and the files it asks for. The console
# goes to build/vm/NAME.log, and the guest script finds NAME in $SUITE. Needs the builds of build_user.sh
# and, for the same kernel, of build_kmod.sh.
#
# usage: vm.sh NAME GUEST_SCRIPT [KERNEL]
#   KERNEL   stock   that of tests/vm/kver.sh (default)
#            rt      PREEMPT_RT, that of tests/vm/kver.sh --rt
#            debug   that of build_debug_kernel.sh
#
# All modules of build/kmod-KVER are in the guest for modprobe. What else a guest script needs it says
# in its head:
#   # vm-file: build/bin/ndkctl:/usr/bin/ndkctl     a file, SRC relative to the tree
#   # vm-module: veth                               one more module of the kernel
#   # vm-timeout: 300                               seconds, default 120
#   # vm-memory: 1024                               megabytes, default 2048
#   # vm-cpus: 1                                    processors, default 2
#   # vm-count: yes                                 a clock of instructions, see run.sh
#   # vm-plugin: build/lib/x.so,out=build/x.txt     a plugin of the emulator, run from the top of the tree
#
# NDK_FILTER=PATTERN runs only the conformance cases whose name contains it, NDK_SEED=NUMBER with that seed,
# NDK_JITTER=MICROSECONDS with workers and news that are late at random (jitter_us of ndk.ko).

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# wishes KEY: the values of `# vm-KEY: value` lines of the guest script.
wishes() { sed -n "s/^# vm-$1: *//p" "$script"; }

# choose_kernel NAME: sets kver, for mkinitramfs.sh, image, and modules, where ours are.
choose_kernel() {
	local tree
	case $1 in
	stock)
		kver=$("$NDK_ROOT/tests/vm/kver.sh") && image=$("$NDK_ROOT/tests/vm/kver.sh" --image) || exit 1
		modules=$NDK_BUILD/kmod-$kver
		;;
	rt)
		kver=$("$NDK_ROOT/tests/vm/kver.sh" --rt) && image=$("$NDK_ROOT/tests/vm/kver.sh" --rt --image) || exit 1
		modules=$NDK_BUILD/kmod-$kver
		;;
	debug)
		tree=$("$NDK_ROOT/tests/run/build_debug_kernel.sh" --path)
		kver=none image=$tree/bzImage modules=$NDK_BUILD/kmod-debug
		[ -e "$image" ] || die "there is no debug kernel; tests/run/build_debug_kernel.sh builds it"
		;;
	*) die "unknown kernel '$1' (stock rt debug)" ;;
	esac
	[ -e "$modules/kmod/ndk.ko" ] || die "there is no $modules/kmod/ndk.ko; tests/run/build_kmod.sh builds it"
}

main() {
	[ $# -eq 2 ] || [ $# -eq 3 ] || die "usage: vm.sh NAME GUEST_SCRIPT [KERNEL]"
	local name=$1 script=$2 kver image modules module file append options=() log=$NDK_BUILD/vm/$1.log
	[ -r "$script" ] || die "no such guest script: $script"
	choose_kernel "${3:-stock}"

	while read -r module; do
		options+=(--module "$module")
	done < <(find "$modules" -name '*.ko' | sort)
	while read -r file; do
		options+=(--file "$NDK_ROOT/$file")
	done < <(wishes file)
	while read -r module; do
		options+=(--want "$module")
	done < <(wishes module)

	script=$(realpath "$script")
	cd "$NDK_ROOT"
	mkdir -p "$NDK_BUILD/vm"
	rm -f "$log"
	append="ndkvm.suite=$name${NDK_FILTER:+ ndkvm.filter=$NDK_FILTER}${NDK_SEED:+ ndkvm.seed=$NDK_SEED}${NDK_JITTER:+ ndkvm.jitter=$NDK_JITTER}"
	"$NDK_ROOT/tests/vm/mkinitramfs.sh" --kver "$kver" "${options[@]}" "$NDK_BUILD/vm/$name.initramfs"
	exec "$NDK_ROOT/tests/vm/run.sh" --initrd "$NDK_BUILD/vm/$name.initramfs" --script "$script" --kernel "$image" \
		--append "$append" --timeout "$(wishes timeout | grep . || echo 120)" \
		--mem "$(wishes memory | grep . || echo 2048)" --cpus "$(wishes cpus)" --count "$(wishes count)" --plugin "$(wishes plugin)" --log "$log"
}

main "$@"
