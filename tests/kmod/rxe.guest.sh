# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-timeout: 600
#
# The conformance suite inside the kernel: ndk_conformance.ko on rxe0, which talks to itself. The
# addresses with a defect are made here:
#
#   10.9.0.66    on the link, but nobody answers address resolution (the dummy interface asks, since
#                ARP is switched on for it, and nobody is there)
#   10.9.0.250   resolves, and swallows every packet
#   203.0.113.9  no route leads there

/usr/bin/ip link set dev d0 arp on
/usr/bin/ip neigh replace 10.9.0.250 lladdr 02:00:00:00:00:fa dev d0 nud permanent

echo 8 >/proc/sys/kernel/printk
modprobe ndk || exit 1
echo "ndk-vm: tap begin kernel-rxe"
modprobe ndk_conformance dev=rxe0 no_neighbour=10.9.0.66
echo "ndk-vm: tap end kernel-rxe"
failed=$(cat /sys/module/ndk_conformance/parameters/failed)
echo "failed: $failed"
rmmod ndk_conformance || exit 2
rmmod ndk || exit 3
[ "$failed" = 0 ]
