#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# In the test machine: does anything stay behind? Loads ndk.ko, makes 100 connections through
# ndkping.ko, unloads both, 200 times; then compares what the kernel holds with what it held before.
#
# vm-timeout: 900
# vm-cpus: 1

cycles=200 connections=100
# Cycles before the first count: caches, per-CPU lists and the log of the kernel reach their size.
warm_up=5
# Objects a slab cache may have gained, beside one slab full: the slab that a processor is just taking
# from counts as full, shrunk or not. What the machine does besides (timers, workers, this shell) moves
# the counts by a few dozen. One object left behind per load would be 200, which stands out where a slab
# holds fewer than 100, that is, from 64 bytes on; one per connection would be 20000 and always does.
slab_slack=100
# Kilobytes of memory, for what no slab holds: page tables, module memory, big blocks. Free memory
# wavers by some hundred; one page left behind per connection would be 80000.
memory_slack=4096

modules=/lib/modules/$(uname -r)/extra
number=0 failed=0

# result STATUS TITLE: one line of TAP.
result() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		failed=1
	fi
}

# cycle: complains and returns 1 if a step fails.
cycle() {
	insmod "$modules/ndk.ko" || return 1
	insmod "$modules/ndkping.ko" role=self adapter=rxe0 local=10.9.0.1 dest=10.9.0.1 \
		connections=$connections count=1 || return 1
	rmmod ndkping && rmmod ndk
}

# seconds: since the beginning.
seconds() { echo $(($(cut -d . -f 1 /proc/uptime) - start)); }

# churn N: that many cycles; the number of the one that failed in $at. Tells how it gets on, so that slow
# and stuck can be told apart.
churn() {
	at=0
	while [ $at -lt "$1" ]; do
		at=$((at + 1))
		cycle || return 1
		[ $((at % 20)) -ne 0 ] || echo "# $at cycles, $(seconds) s"
	done
}

# Freed objects go back to their slabs, and the caches of the file system are dropped.
settle() {
	# Identifiers of closed connections rest for about 2 s in the kernel's connection manager.
	sleep 5
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# count_slabs: cache, objects, objects per slab. The least of several counts, each after shrinking.
count_slabs() {
	for round in 1 2 3 4 5; do
		for shrink in /sys/kernel/slab/*/shrink; do
			echo 1 >"$shrink"
		done 2>/dev/null
		sed 1,2d /proc/slabinfo >"/tmp/slabs.$round"
	done
	awk '!($1 in least) || $2 < least[$1] { least[$1] = $2 }
		{ per_slab[$1] = $5 }
		END { for (c in least) print c, least[c], per_slab[c] }' /tmp/slabs.*
}

# free_memory: kilobytes, with what caches hold and with the free pages that processors keep by them.
free_memory() {
	awk '/^(MemFree|Buffers|Cached|SReclaimable):/ { free += $2 }
		$1 == "count:" { free += 4 * $2 }
		END { print free }' /proc/meminfo /proc/zoneinfo
}

# mappings: of kernel memory, by who made them. Stacks come and go with processes, whoever makes them. Other
# modules may come when something asks for them; what is left of one that has begun goes a while later.
mappings() {
	sed -n 's/^[^ ]* *[0-9]* \([a-z0-9_]*\)+.*/\1/p' /proc/vmallocinfo | grep -v kernel_clone |
		sort | uniq -c | awk -v modules="$(wc -l </proc/modules)" '
			$2 == "load_module" { print $1 - modules, "load_module, beyond one for each module"; next }
			{ print }'
}

# count_all DIRECTORY: what the kernel holds now.
count_all() {
	mkdir -p "$1"
	settle
	count_slabs >"$1/slabs"
	free_memory >"$1/free"
	ls /sys/class/infiniband /sys/class/infiniband_verbs >"$1/devices"
	rdma resource show >"$1/objects"
	for round in 1 2 3 4 5 6; do
		mappings >"$1/mappings"
		cmp -s /tmp/before/mappings "$1/mappings" && break
		sleep 5
	done
}

# grown BEFORE AFTER: slab caches that gained more than they may, one a line.
grown() {
	awk -v slack=$slab_slack 'NR == FNR { before[$1] = $2; next }
		$2 - before[$1] > slack + $3 { print $1 ": " before[$1] + 0 " -> " $2 " objects" }' "$1" "$2"
}

# compare TITLE FILE: one test, that a file is the same in both counts.
compare() {
	if cmp -s "/tmp/before/$2" "/tmp/after/$2"; then
		result 0 "$1"
	else
		result 1 "$1"
		diff "/tmp/before/$2" "/tmp/after/$2" | grep '^[-+<>]' | head -n 10 | sed 's/^/# /'
	fi
}

# A count that never finds anything would prove nothing.
test_the_counting() {
	printf 'kmalloc-64 1000 64\nkmalloc-96 1000 42\n' >/tmp/few
	printf 'kmalloc-64 1164 64\nkmalloc-96 1143 42\nnew 151 50\n' >/tmp/many
	[ "$(grown /tmp/few /tmp/many | wc -l)" -eq 2 ] && [ -z "$(grown /tmp/many /tmp/few)" ]
	result $? "a cache that grew is found"
	[ -s /tmp/before/slabs ] && grep -q '^kmalloc-64 ' /tmp/before/slabs && [ -s /tmp/before/objects ]
	result $? "there is something to count"
}

compare_counts() {
	grown /tmp/before/slabs /tmp/after/slabs >/tmp/grown
	[ ! -s /tmp/grown ]
	result $? "no slab cache gained more than $slab_slack objects"
	head -n 10 /tmp/grown | sed 's/^/# /'
	lost=$(($(cat /tmp/before/free) - $(cat /tmp/after/free)))
	[ $lost -le $memory_slack ]
	result $? "no more than $memory_slack kB of memory are gone"
	echo "# $lost kB less than before"
	compare "the RDMA devices hold what they held" objects
	compare "the RDMA devices are the same" devices
	compare "as many mappings of kernel memory as before" mappings
	! grep -q '^ndk' /proc/modules
	result $? "no module of ours is loaded"
	! ps | grep -q '[[]ndk'
	result $? "no thread of ours is left"
}

modprobe rdma_cm
start=$(cut -d . -f 1 /proc/uptime)
echo "ndk-vm: tap begin kernel-churn"
churn $warm_up
result $? "loads, connects and unloads at all"
count_all /tmp/before
test_the_counting
churn $cycles
result $? "$cycles cycles of $connections connections ($at tried)"
count_all /tmp/after
compare_counts
echo "# $(seconds) s"
echo "1..$number"
echo "ndk-vm: tap end kernel-churn"
exit $failed
