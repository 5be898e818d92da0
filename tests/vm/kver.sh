#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Names the kernel that the module is built for and the virtual machine boots: the newest installed
# one that has headers, leaving out cloud (no RDMA modules) and rt flavours. The Makefile,
# build_kmod.sh, mkinitramfs.sh and run.sh all ask here, so that they agree.
#
# usage: kver.sh           prints the version, or fails saying what is missing
#        kver.sh --image   prints the path of its image

set -euo pipefail

newest() {
	local image version
	for image in /boot/vmlinuz-*; do
		version=${image#/boot/vmlinuz-}
		case $version in
		'*' | *cloud* | *-rt-* | *.old) continue ;;
		esac
		[ -e "/lib/modules/$version/build/Makefile" ] && echo "$version"
	done | sort -V | tail -n 1
}

version=${KVER:-$(newest)}
if [ -z "$version" ]; then
	echo "error: no installed kernel has its headers beside it; install linux-image-amd64 and" \
		"linux-headers-amd64 (or run tests/run/deps.sh vm)" >&2
	exit 1
fi
case ${1:-} in
--image) echo "/boot/vmlinuz-$version" ;;
'') echo "$version" ;;
*)
	echo "usage: kver.sh [--image]" >&2
	exit 2
	;;
esac
