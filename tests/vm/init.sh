#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Process 1 of the test machine. Mounts, makes two software RDMA devices that can talk to
# themselves, runs /guest.sh, judges the kernel log and powers off. run.sh reads the verdict:
#
#   ndk-vm: kernel log clean | DIRTY
#   ndk-vm: exit N         the exit status of /guest.sh; 90 if only the log is dirty,
#                          91 if the machine could not be set up, 124 if the time ran out
#
# From the kernel command line: ndkvm.limit=SECONDS, after which blocked tasks are shown and the
# machine gives up by itself, a little before run.sh would kill it without a word.
#
#   rxe0 on d0: 10.9.0.1/24, fd09::1/64         rxe1 on d1: 10.9.1.1/24, fd09:1::1/64

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb

mount_all() {
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev 2>/dev/null
	mount -t debugfs debug /sys/kernel/debug
	mount -t tmpfs tmp /tmp
	mount -t tmpfs run /run
	mkdir -p /dev/pts /dev/shm
	mount -t devpts pts /dev/pts 2>/dev/null
	mount -t tmpfs shm /dev/shm
	ln -sf /proc/self/fd /dev/fd
	hostname ndk-vm
}

# Modules may also be built in: what counts is that the devices appear.
make_devices() {
	for module in crc32-pclmul crc32_generic crc32c_generic dummy ib_uverbs rdma_rxe rdma_ucm; do
		modprobe -q "$module" 2>/dev/null
	done
	ip link set lo up
	make_device 0 10.9.0.1/24 fd09::1/64 && make_device 1 10.9.1.1/24 fd09:1::1/64
}

# make_device N IPV4 IPV6: rxeN on dN.
make_device() {
	ip link add "d$1" type dummy &&
		ip addr add "$2" dev "d$1" &&
		ip -6 addr add "$3" dev "d$1" nodad &&
		ip link set "d$1" up &&
		rdma link add "rxe$1" type rxe netdev "d$1"
}

# Lines that mean a defect. The taint notes about modules from outside the tree mean none, nor do
# the lines in which lock and memory checkers introduce themselves.
complaint='WARNING:|(^|[^A-Z_])BUG[: ]|kernel BUG at|Oops|KASAN: |UBSAN: |lockdep|possible recursive|inconsistent lock state'
complaint="$complaint|suspicious RCU|refcount_t|hung task|blocked for more than|detected stall|unreferenced object"
complaint="$complaint|list_(add|del) corruption|general protection fault|unable to handle|Kernel panic|Call Trace|taints kernel"
innocent='RCU lockdep checking is enabled|loading out-of-tree module taints kernel|module verification failed'

# Bits of /proc/sys/kernel/tainted that stay even if the line has left the log: bad page, died,
# warned, soft lockup.
taint_mask=$(((1 << 5) | (1 << 7) | (1 << 9) | (1 << 14)))

judge_log() {
	dmesg >/tmp/dmesg
	echo "ndk-vm: kernel log begin"
	cat /tmp/dmesg
	echo "ndk-vm: kernel log end"
	taint=$(cat /proc/sys/kernel/tainted)
	if grep -E "$complaint" /tmp/dmesg | grep -Evq "$innocent" || [ $((taint & taint_mask)) -ne 0 ]; then
		grep -E "$complaint" /tmp/dmesg | grep -Ev "$innocent" | head -n 40 | sed 's/^/ndk-vm: | /'
		[ $((taint & taint_mask)) -eq 0 ] || echo "ndk-vm: | the kernel is tainted: $taint"
		echo "ndk-vm: kernel log DIRTY"
		return 1
	fi
	echo "ndk-vm: kernel log clean"
}

# finish STATUS: judges the log and ends the machine.
finish() {
	status=$1
	judge_log || [ "$status" -ne 0 ] || status=90
	power_off "$status"
}

power_off() {
	echo "ndk-vm: up $(cut -d ' ' -f 1 /proc/uptime) s"
	echo "ndk-vm: exit $1"
	sync
	poweroff -f
	sleep 60
}

# Runs beside the guest script; without it a hang would leave no trace of where. The log is judged
# before the traces that are asked for here get into it.
watch_limit() {
	sleep "$1"
	judge_log
	echo "ndk-vm: /guest.sh still runs after $1 s; processes, blocked tasks and processors:"
	ps -o pid,stat,args | grep -v ' \[' | sed 's/^/ndk-vm: | /'
	echo 1 >/proc/sys/kernel/sysrq
	echo 8 >/proc/sys/kernel/printk
	echo w >/proc/sysrq-trigger
	echo l >/proc/sysrq-trigger
	power_off 124
}

# What a suite prints between `ndk-vm: tap begin NAME` and `ndk-vm: tap end NAME` becomes its result
# on the host (tap.sh).

echo
mount_all
if ! make_devices; then
	echo "ndk-vm: cannot make the RDMA devices"
	finish 91
fi
limit=$(sed -n 's/.*ndkvm\.limit=\([0-9]*\).*/\1/p' /proc/cmdline)
[ -z "$limit" ] || watch_limit "$limit" &

ulimit -l unlimited
cd /root || finish 91
echo "ndk-vm: ready after $(cut -d ' ' -f 1 /proc/uptime) s, kernel $(uname -r)"
if [ -f /guest.sh ]; then
	sh /guest.sh </dev/null 2>&1
	finish $?
fi
echo "ndk-vm: there is no /guest.sh"
finish 91
