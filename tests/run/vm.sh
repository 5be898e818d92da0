#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs one guest script in the test machine, with our modules and the files it asks for. The console
# goes to build/vm/NAME.log. Needs the builds of build_user.sh and build_kmod.sh.
#
# usage: vm.sh NAME GUEST_SCRIPT
#
# All modules of build/kmod-KVER are in the guest for modprobe. What else a guest script needs it says
# in its head:
#   # vm-file: build/bin/ndkctl:/usr/bin/ndkctl     a file, SRC relative to the tree
#   # vm-module: veth                               one more module of the kernel
#   # vm-timeout: 300                               seconds, default 120

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# wishes KEY: the values of `# vm-KEY: value` lines of the guest script.
wishes() { sed -n "s/^# vm-$1: *//p" "$script"; }

main() {
	[ $# -eq 2 ] || die "usage: vm.sh NAME GUEST_SCRIPT"
	local name=$1 script=$2 kver module file options=() log=$NDK_BUILD/vm/$1.log
	[ -r "$script" ] || die "no such guest script: $script"
	kver=$("$NDK_ROOT/tests/vm/kver.sh") || exit 1

	for module in "$NDK_BUILD/kmod-$kver"/kmod/*.ko "$NDK_BUILD/kmod-$kver"/{tools/ndkping,tests/conformance}/*.ko; do
		[ ! -e "$module" ] || options+=(--module "$module")
	done
	while read -r file; do
		options+=(--file "$NDK_ROOT/$file")
	done < <(wishes file)
	while read -r module; do
		options+=(--want "$module")
	done < <(wishes module)

	mkdir -p "$NDK_BUILD/vm"
	rm -f "$log"
	"$NDK_ROOT/tests/vm/mkinitramfs.sh" --kver "$kver" "${options[@]}" "$NDK_BUILD/vm/$name.initramfs"
	exec "$NDK_ROOT/tests/vm/run.sh" --initrd "$NDK_BUILD/vm/$name.initramfs" --script "$script" \
		--timeout "$(wishes timeout | grep . || echo 120)" --log "$log"
}

main "$@"
