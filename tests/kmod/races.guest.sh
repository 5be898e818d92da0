#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# In the test machine: what comes and goes at the same time. The device against the module, with and
# without a consumer at work; a device whose interface moves to another network namespace, and the end of
# that namespace. Whatever wins, everything ends and can be had again; the kernel log is judged by init.
#
# vm-timeout: 400
# vm-memory: 1024

. /log.sh
n=0 failed=0

# result STATUS TITLE [REASON]: one line of TAP, skipped if there is a reason.
result() {
	n=$((n + 1))
	if [ -n "$3" ]; then
		echo "ok $n - $2 # SKIP $3"
	elif [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		dmesg | tail -n 8 | sed 's/^/# /'
		failed=1
	fi
}

loaded() { grep -q "^$1 " /proc/modules; }
there() { [ -e "/sys/class/infiniband/$1" ]; }
device_in() { /usr/bin/rdma link add "$1" type rxe netdev "$2"; }
device_out() { /usr/bin/rdma link delete "$1"; }

# until_true SECONDS COMMAND...: repeats it until it succeeds.
until_true() {
	left=$(($1 * 5))
	shift
	while ! "$@" 2>/dev/null; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		sleep 0.2
	done
}
ended() { ! kill -0 "$1" 2>/dev/null; }
gone() { ! there "$1"; }
unloaded() { ! loaded ndk || rmmod ndk; }

# talk [PARAMETER...]: a consumer that connects to itself and talks on, in the background; $talker.
talk() {
	modprobe ndkping role=self count=100000000 "$@" >/dev/null 2>&1 &
	talker=$!
}

# whole: device and module can be had and used as if nothing had been.
whole() {
	there rxe0 || device_in rxe0 d0 || return 1
	loaded ndk || modprobe ndk || return 1
	until_true 30 modprobe ndkping role=self adapter=rxe0 local=10.9.0.1 count=20 || return 1
	rmmod ndkping
}

# The device and the idle provider leave at once.
race_idle() {
	device_out rxe0 &
	deleting=$!
	rmmod ndk &
	unloading=$!
	until_true 60 ended $deleting && until_true 60 ended $unloading && gone rxe0 && ! loaded ndk
}

# The same while a consumer talks, or is about to: the provider cannot go before it, the device can.
race_busy() {
	talk adapter=rxe0 local=10.9.0.1
	sleep "$1"
	device_out rxe0 &
	deleting=$!
	rmmod ndk 2>/dev/null
	until_true 60 ended $talker || return 1
	rmmod ndkping 2>/dev/null
	until_true 60 ended $deleting && gone rxe0 && until_true 20 unloaded
}

# The device appears while the provider is loaded or unloaded.
race_arrival() {
	device_in rxe0 d0 &
	adding=$!
	modprobe ndk
	until_true 20 ended $adding && there rxe0 || return 1
	rmmod ndk &
	unloading=$!
	device_out rxe0
	until_true 60 ended $unloading && ! loaded ndk && gone rxe0
}

# rounds N COMMAND...: all of them, each from a whole state.
rounds() {
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		whole && "$@" || return 1
		count=$((count - 1))
	done
}

test_races() {
	rounds 8 race_idle
	result $? "T-DR-08 the device and the idle provider leave at once"
	rounds 2 race_busy 0 && rounds 3 race_busy 1
	result $? "T-DR-08 the same under traffic: the consumer ends, both leave"
	whole && rmmod ndk && device_out rxe0 &&
		for i in 1 2 3 4 5; do race_arrival || break; done && ! loaded ndk && gone rxe0
	result $? "T-DR-08 the device arrives while the provider is loaded, leaves while it is unloaded"
	whole
	result $? "T-DR-08 afterwards both work"
}

# namespace: a network namespace that lives as long as process $keeper.
namespace() {
	unshare -n sleep 1000 &
	keeper=$!
	until_true 20 apart
}
apart() { [ "$(readlink /proc/$keeper/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
inside() { nsenter -t $keeper -n "$@"; }

# What moves away takes the device with it: that is a removal.
test_interface_moves() {
	there rxe1 || device_in rxe1 d1
	talk adapter=rxe1 local=10.9.1.1
	sleep 2
	namespace && ! ended $talker && /usr/bin/ip link set d1 netns $keeper && until_true 60 ended $talker
	result $? "T-DR-09 the interface moves to another namespace under traffic: the consumer comes to an end"
	rmmod ndkping 2>/dev/null
	until_true 20 whole
	result $? "T-DR-09 the other device works on"
	said=$(inside /usr/bin/rdma link add rxe9 type rxe netdev d1 2>&1)
	if there rxe9; then
		modprobe ndkping role=self adapter=rxe9 local=10.9.1.1 count=1 2>/dev/null
		rmmod ndkping 2>/dev/null
		result 0 "T-DR-09 connections of a device inside the namespace" \
			"the provider and rxe of this kernel send from the initial namespace only"
	else
		result 0 "T-DR-09 connections of a device inside the namespace" "it cannot be made there: ${said:-no reason}"
	fi
	kill $keeper
	until_true 60 gone rxe9 && until_true 60 gone rxe1
	result $? "T-DR-09 the namespace ends, its devices with it"
	whole && rmmod ndk
	result $? "T-DR-09 afterwards the provider works and unloads"
}

echo "ndk-vm: tap begin $SUITE"
test_races
test_interface_moves
echo "1..$n"
echo "ndk-vm: tap end $SUITE"
exit $failed
