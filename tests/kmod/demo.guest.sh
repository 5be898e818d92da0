#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck disable=SC2086 # ip4 and ip6 are lists of parameters
#
# In the test machine: ndkping.ko, the same consumer source as build/bin/ndkping, talks to itself over
# ndk.ko and a software RDMA device, in several ways; then both modules are unloaded. Ends with the line
# for the table of `make demo`. Status 0 only if all runs and the unloading succeeded; the kernel log
# is judged by the machine's init.
#
# vm-timeout: 90

failed=0

# ping TITLE PARAMETER...: one run from loading to unloading; what it says is in the kernel log.
ping() {
	title=$1
	shift
	before=$(dmesg | wc -l)
	if modprobe ndkping role=self adapter=rxe0 "$@" && rmmod ndkping; then
		echo "ok: $title"
	else
		echo "FAILED: $title ($*)"
		failed=1
	fi
	dmesg | tail -n +$((before + 1)) | sed -n 's/^.*ndkping: //p' >/tmp/said
	grep -v '^ndk-demo: ' /tmp/said | sed 's/^/    /'
	# The line for the table is that of the first run.
	[ -s /tmp/line ] || grep '^ndk-demo: ' /tmp/said >/tmp/line
}

echo "loading ndk.ko into kernel $(uname -r)"
modprobe ndk || exit 1
ip4="local=10.9.0.1 dest=10.9.0.1" ip6="local=fd09::1 dest=fd09::1"
ping "64 bytes, notifications" $ip4 count=100 connections=10
ping "64 bytes, polling" $ip4 count=200 poll=1
ping "4 KiB, IPv6" $ip6 count=100 size=4096
ping "64 KiB without registration" $ip4 count=20 size=65536 privileged=1
ping "pairs of connections from one shared endpoint" $ip4 count=20 connections=3 second=1
echo "unloading ndk.ko"
rmmod ndk || failed=1
if lsmod | grep '^ndk'; then
	echo "FAILED: a module is still loaded"
	failed=1
fi
cat /tmp/line
exit $failed
