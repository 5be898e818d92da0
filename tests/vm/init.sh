#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Process 1 of the test machine. Mounts, makes two software RDMA devices that can talk to
# themselves, runs /guest.sh, judges the kernel log and powers off. run.sh reads the verdict:
#
#   ndk-vm: kernel log clean | DIRTY | dirty on purpose
#   ndk-vm: exit N         the exit status of /guest.sh; 90 if only the log is dirty,
#                          91 if the machine could not be set up, 124 if the time ran out
#
# From the kernel command line:
#   ndkvm.limit=SECONDS    after which blocked tasks are shown and the machine gives up by itself, a
#                          little before run.sh would kill it without a word
#   ndkvm.suite=NAME       the name of the run; guest scripts find it in $SUITE
#   ndkvm.filter=PATTERN   only the conformance cases whose name contains it: $FILTER
#   ndkvm.seed=NUMBER      of everything random in them: $SEED
#   ndkvm.jitter=NUMBER    microseconds by which ndk.ko is late at random in them: $JITTER
#
#   rxe0 on d0: 10.9.0.1/24, fd09::1/64         rxe1 on d1: 10.9.1.1/24, fd09:1::1/64

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb

# argument NAME: what the kernel command line says for ndkvm.NAME.
argument() { sed -n "s/.*ndkvm\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

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

. /log.sh

# What guest scripts that provoke reports leave there: for them a clean log is the defect.
provoked=/run/reports-are-wanted

# judge_log: the log, and what the checkers found if they were asked; looking for leaks takes seconds, which
# a machine whose time is up does not have.
judge_log() {
	dmesg >/tmp/dmesg
	find_retired >>/tmp/dmesg
	# what the checker announced is in its list, if that was looked at
	[ ! -e $known_leaks ] || [ ! -e $leaks_looked_at ] || sed -i '/kmemleak: .* new suspected memory leaks/d' /tmp/dmesg
	cat /tmp/leaks >>/tmp/dmesg 2>/dev/null
	echo "ndk-vm: kernel log begin"
	cat /tmp/dmesg
	echo "ndk-vm: kernel log end"
	{
		complaints /tmp/dmesg
		tainted
	} >/tmp/defects
	sed -n '1,40s/^/ndk-vm: | /p' /tmp/defects
	if [ -e $provoked ]; then
		[ -s /tmp/defects ] && echo "ndk-vm: kernel log dirty on purpose" && return
		echo "ndk-vm: | nothing in it, though defects were provoked"
	elif [ ! -s /tmp/defects ]; then
		echo "ndk-vm: kernel log clean"
		return
	fi
	echo "ndk-vm: kernel log DIRTY"
	return 1
}

# finish STATUS: judges the log and ends the machine.
finish() {
	status=$1
	find_leaks >/tmp/leaks
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
limit=$(argument limit)
SUITE=$(argument suite) FILTER=$(argument filter) SEED=$(argument seed) JITTER=$(argument jitter)
export SUITE FILTER SEED JITTER
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
