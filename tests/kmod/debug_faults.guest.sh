#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# In the test machine with the debug kernel: memory that is refused (failslab) to ndk.ko, and to ib_core,
# rdma_cm and rxe where ndk.ko calls them: the kernel looks at the stack. ndkping.ko connects to itself, talks
# and leaves, four times in a run; first with one allocation refused per load, another each time; then with
# several at random. A run may fail, but only in order: it ends, it can be unloaded, ndk.ko has no user
# left, a run without faults works afterwards, and the checkers of that kernel have nothing to say.
#
# vm-timeout: 450
# vm-memory: 1024
# vm-cpus: 1

failslab=/sys/kernel/debug/failslab
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

seconds() { cut -d . -f 1 /proc/uptime; }

# said PATTERN: how many lines of ndkping.ko in the kernel log say it.
said() { dmesg | grep -c "ndkping: $1"; }

# used: how many modules use ndk.ko.
used() { awk '$1 == "ndk" { print $3 }' /proc/modules; }

# aim: faults only where ndk.ko is on the stack, and not where the kernel would complain by itself about memory
# that it could not map. Addresses are beyond the numbers of a shell but for their lower half.
aim() {
	# shellcheck disable=SC2046 # two words: size and address
	set -- $(awk '$1 == "ndk" { print $2, substr($6, 11) }' /proc/modules)
	echo "0xffffffff$2" >$failslab/require-start
	printf '0xffffffff%08x\n' $((0x$2 + $1)) >$failslab/require-end
	# shellcheck disable=SC2046 # two words: where the function begins and where the next one does
	set -- $(sort /proc/kallsyms | sed -n '/ __vmalloc_node_range$/{p;n;p}' | cut -d ' ' -f 1)
	echo "0x$1" >$failslab/reject-start
	echo "0x$2" >$failslab/reject-end
	echo 32 >$failslab/stacktrace-depth
	echo N >$failslab/task-filter
	echo N >$failslab/ignore-gfp-wait
	echo 0 >$failslab/verbose
}

# ping INTERVAL PERCENT TIMES: loads it once, while of every so many allocations so many per cent are refused, but
# no more than so often. A load that fails is repeated at once by insmod itself, which tries two system calls.
ping() {
	ended=$(said 'ndk-demo: ') succeeded=$(said 'ndk-demo: .*result=ok')
	echo "$1" >$failslab/interval
	echo "$3" >$failslab/times
	echo "$2" >$failslab/probability
	insmod "$modules/ndkping.ko" role=self adapter=rxe0 local=10.9.0.1 dest=10.9.0.1 connections=4 count=2 \
		timeout_ms=2000 2>/dev/null
	echo 0 >$failslab/probability
	loads=$((loads + 1))
	[ "$(cat $failslab/times)" -eq "$3" ] || hit=$((hit + 1))
	runs=$((runs + $(said 'ndk-demo: ') - ended))
	good=$((good + $(said 'ndk-demo: .*result=ok') - succeeded))
	rmmod ndkping 2>/dev/null
	[ "$(used)" = 0 ] || echo "# interval $1, $2 per cent, $3 times: ndk.ko is still used" >>/tmp/disorder
}

begin() {
	loads=0 runs=0 good=0 hit=0
	started=$(seconds)
	: >/tmp/disorder
}

# end TITLE: one test out of the loads since begin. Were nothing refused, or every run spared, it would show nothing.
end() {
	[ ! -s /tmp/disorder ] && [ $hit -ge $((loads * 3 / 4)) ] && [ $good -lt $runs ]
	result $? "$1"
	echo "# $loads loads, $hit of them with refusals; $runs runs, $good succeeded; $(($(seconds) - started)) s"
	head -n 10 /tmp/disorder
}

# without_faults TITLE: one test.
without_faults() {
	begin
	ping 1 0 0
	[ $runs -eq 1 ] && [ $good -eq 1 ] && [ ! -s /tmp/disorder ]
	result $? "$1"
}

echo 1 >/proc/sys/kernel/printk
modprobe ndk && aim || exit 1
echo "ndk-vm: tap begin $SUITE"
without_faults "a run without faults"
begin
for interval in 1 2 3 4 6 8 11 15 20 27 36 49 65; do
	ping $interval 100 1
done
end "one allocation refused per load"
begin
for percent in 1 1 2 2 4 4 8 8 16 16 32 32; do
	ping 1 $percent 50
done
end "several refused at random per load"
# A packet of the CM's that finds no memory takes the queue pair of rxe that all of them use out of service for
# good. So the device comes anew, under a provider that has been through all of it.
/usr/bin/rdma link delete rxe0 && /usr/bin/rdma link add rxe0 type rxe netdev d0
without_faults "a run without faults afterwards"
rmmod ndk
result $? "ndk.ko can be unloaded"
echo "1..$number"
echo "ndk-vm: tap end $SUITE"
exit $failed
