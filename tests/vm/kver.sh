#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Names the kernel that the module is built for and the virtual machine boots: the newest installed
# one that has headers, leaving out cloud (no RDMA modules) and rt flavours. The Makefile,
# build_kmod.sh, mkinitramfs.sh and run.sh all ask here, so that they agree.
#
# usage: kver.sh [--rt] [--image]
#   --rt      the newest PREEMPT_RT kernel, whatever KVER says
#   --image   the path of its image instead of the version

set -euo pipefail

# newest FLAVOUR: stock or rt.
newest() {
	local image version flavour
	for image in /boot/vmlinuz-*; do
		version=${image#/boot/vmlinuz-} flavour=stock
		case $version in
		'*' | *cloud* | *.old) continue ;;
		*-rt-* | *-realtime) flavour=rt ;;
		esac
		[ "$flavour" = "$1" ] || continue
		[ -e "/lib/modules/$version/build/Makefile" ] && echo "$version"
	done | sort -V | tail -n 1
}

what=version flavour=stock
for argument in "$@"; do
	case $argument in
	--image) what=image ;;
	--rt) flavour=rt ;;
	*)
		echo "usage: kver.sh [--rt] [--image]" >&2
		exit 2
		;;
	esac
done
if [ $flavour = rt ]; then
	version=$(newest rt)
	packages="linux-image-rt-amd64 and linux-headers-rt-amd64 (or run tests/run/deps.sh debug)"
else
	version=${KVER:-$(newest stock)}
	packages="linux-image-amd64 and linux-headers-amd64 (or run tests/run/deps.sh vm)"
fi
if [ -z "$version" ]; then
	echo "error: no installed $flavour kernel has its headers beside it; install $packages" >&2
	exit 1
fi
if [ $what = image ]; then
	echo "/boot/vmlinuz-$version"
else
	echo "$version"
fi
