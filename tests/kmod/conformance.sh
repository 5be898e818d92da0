# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck shell=sh
#
# The conformance suite inside the kernel: ndk_conformance.ko on a software RDMA device that talks to
# itself. Sourced in the test machine, as /conformance.sh, by the guest scripts that run it on one device
# or another, and under one kernel or another. The results go by the name of the run, $SUITE.

# spoil_addresses: makes those with a defect, on the network of d0.
#   10.9.0.66    on the link, but nobody answers address resolution (the dummy interface asks, since
#                ARP is switched on for it, and nobody is there)
#   10.9.0.250   resolves, and swallows every packet
#   203.0.113.9  no route leads there
spoil_addresses() {
	/usr/bin/ip link set dev d0 arp on
	/usr/bin/ip neigh replace 10.9.0.250 lladdr 02:00:00:00:00:fa dev d0 nud permanent
}

# run_conformance PARAMETER...: from loading to unloading, with these parameters of the module, and the cases and
# the seed that were asked for. Its status is that of the guest script.
run_conformance() {
	case $* in *filter=*) FILTER= ;; esac # a suite that names its cases keeps them
	echo 8 >/proc/sys/kernel/printk
	modprobe ndk ${JITTER:+jitter_us="$JITTER"} || return 1
	# through the kernel log, like the results, so that neither overtakes the other
	echo "ndk-vm: tap begin $SUITE" >/dev/kmsg
	modprobe ndk_conformance no_neighbour=10.9.0.66 commands=1 confirm=5 "$@" ${FILTER:+"filter=*$FILTER*"} ${SEED:+"seed=$SEED"} \
		"again=make check T=$SUITE NDK_FILTER="
	echo "ndk-vm: tap end $SUITE" >/dev/kmsg
	failed=$(cat /sys/module/ndk_conformance/parameters/failed)
	echo "failed: $failed"
	# where their code was, should something lost be found after they are gone
	grep '^ndk' /proc/modules
	rmmod ndk_conformance || return 2
	rmmod ndk || return 3
	[ "$failed" = 0 ]
}
