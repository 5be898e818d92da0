#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# In the test machine with the debug kernel: are the checks awake on which the other suites of that kernel
# rely? First the judge of the log reads lines of which it is known what they are; then ndk_misbehave.ko
# does one wrong thing after the other, and each has to be seen. The log is dirty at the end, on purpose.
#
# vm-timeout: 400
# vm-memory: 1024

. /log.sh
: >/run/reports-are-wanted
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

# bad_lines, good_lines: recorded from kernels.
bad_lines() {
	cat <<'EOT'
[  12.1] WARNING: CPU: 1 PID: 77 at drivers/infiniband/core/cma.c:471 cma_bind_addr+0x3c/0x50 [rdma_cm]
[  12.1] BUG: KASAN: use-after-free in ndk_qp_release+0x91/0x1f0 [ndk]
[  12.1] BUG: sleeping function called from invalid context at include/linux/sched/mm.h:274
[  12.1] BUG: scheduling while atomic: insmod/77/0x00000002
[  12.1] BUG kmalloc-128 (Tainted: G           O      ): Right Redzone overwritten
[  12.1] BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 34s!
[  12.1] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:1:33]
[  12.1] WARNING: possible circular locking dependency detected
[  12.1] WARNING: possible recursive locking detected
[  12.1] WARNING: inconsistent lock state
[  12.1] WARNING: suspicious RCU usage
[  12.1] INFO: trying to register non-static key.
[  12.1] BUG: MAX_LOCKDEP_CHAINS too low!
[  12.1] UBSAN: shift-out-of-bounds in kmod/core/hash.c:12:3
[  12.1] ODEBUG: free active (active state 0) object type: timer_list hint: expire+0x0/0x10 [ndk]
[  12.1] list_del corruption. prev->next should be ffff88800a, but was dead000000000100
[  12.1] refcount_t: underflow; use-after-free.
[  12.1] INFO: task rmmod:88 blocked for more than 60 seconds.
[  12.1] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
[  12.1] kernel BUG at lib/list_debug.c:51!
[  12.1] Oops: 0000 [#1] PREEMPT SMP KASAN
[  12.1] general protection fault, probably for non-canonical address 0xdffffc0000000000: 0000 [#1]
[  12.1] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
unreferenced object 0xffff888006c2a000 (size 128):
lockdep: the lock checker is off
kmemleak: the checker is off
EOT
}
good_lines() {
	cat <<'EOT'
[   0.0] Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
[   0.0] rcu: 	RCU lockdep checking is enabled.
[   0.4] kmemleak: Kernel memory leak detector initialized (mem pool available: 15583)
[   3.1] ndk: loading out-of-tree module taints kernel.
[   3.1] ndk: module verification failed: signature and/or required key missing - tainting kernel
[   5.0] ndk: adapter rxe0 is here
EOT
}

test_the_judge() {
	bad_lines >/tmp/bad
	while read -r line; do
		echo "$line" >/tmp/line
		complaints /tmp/line >/dev/null || echo "# not seen: $line"
	done </tmp/bad >/tmp/missed
	[ ! -s /tmp/missed ]
	result $? "the judge sees every recorded defect ($(wc -l </tmp/bad) lines)"
	cat /tmp/missed
	good_lines >/tmp/good
	! complaints /tmp/good >/tmp/wrong
	result $? "the judge lets harmless lines pass"
	sed 's/^/# /' /tmp/wrong
}

# What kmemleak says of four objects: one of the kernel, one of ours, one of ours when it is gone, one of others.
lost_objects() {
	cat <<'EOT'
unreferenced object 0xffff88800a932400 (size 512):
  comm "kworker/u4:3", pid 37, jiffies 4295189572
  backtrace:
    [<(____ptrval____)>] kmalloc_trace+0x21/0xc0
    [<(____ptrval____)>] known_function+0x4e2/0x22c0
unreferenced object 0xffff88800a932401 (size 512):
  backtrace:
    [<(____ptrval____)>] kmalloc_trace+0x21/0xc0
    [<(____ptrval____)>] ndk_box_make+0x46/0x420 [ndk]
    [<(____ptrval____)>] known_function+0x4e2/0x22c0
unreferenced object 0xffff88800a932402 (size 512):
  backtrace:
    [<(____ptrval____)>] 0xffffffffc0123456
    [<(____ptrval____)>] known_function+0x4e2/0x22c0
unreferenced object 0xffff88800a932403 (size 512):
  backtrace:
    [<(____ptrval____)>] kmalloc_trace+0x21/0xc0
EOT
}

# known MOST: how many complaints are left of them when so many may be set aside.
known() {
	echo "$1 known_function" >$known_leaks
	lost_objects | set_aside 2>/tmp/aside | grep -c '^unreferenced object'
}

test_known_leaks() {
	[ "$(known 1)" = 3 ] && grep -q 'set aside: 1 ' /tmp/aside
	result $? "an object that the kernel is known to lose is set aside and counted; ours never are"
	[ "$(known 0)" = 4 ]
	result $? "nor are more than there should be"
	find_leaks >/tmp/rest 2>/tmp/aside && grep -q 'unreferenced object' /tmp/rest && [ ! -s /tmp/aside ]
	result $? "nor is what is really lost here"
	rm $known_leaks
}

# misbehave HOW: leaves what the kernel said about it in /tmp/said, what is judged a defect in /tmp/seen.
misbehave() {
	before=$(dmesg | wc -l)
	# between the results the reports would only confuse; some of them turn the console on
	echo 1 >/proc/sys/kernel/printk
	modprobe ndk_misbehave how="$1" || return 1
	rmmod ndk_misbehave
	dmesg | tail -n +$((before + 1)) >/tmp/said
	[ "$1" != leak ] || find_leaks >>/tmp/said
	complaints /tmp/said >/tmp/seen
	return 0
}

# seen HOW PATTERN TITLE: one test.
seen() {
	misbehave "$1" && grep -Eq "$2" /tmp/seen
	result $? "$3"
	[ -s /tmp/seen ] || sed 's/^/# /' /tmp/said
}

echo "ndk-vm: tap begin $SUITE"
test_the_judge
! complaints /dev/null && ! tainted && ! find_retired
result $? "nothing is wrong with the machine before"
misbehave nothing && [ ! -s /tmp/seen ] && ! find_leaks
result $? "a module that does nothing wrong is not complained about"
seen leak 'unreferenced object' "lost memory is found (kmemleak)"
test_known_leaks
seen sleep 'sleeping function called' "sleeping under a spinlock is found (DEBUG_ATOMIC_SLEEP)"
! find_retired
result $? "the lock checker is on until it has something to say"
seen deadlock 'circular locking' "two lock orders are found (PROVE_LOCKING)"
find_retired >/tmp/retired
result $? "and that it is off from then on is noticed"
seen shift 'UBSAN: ' "a shift by too much is found (UBSAN)"
seen list 'list_del corruption' "a corrupted list is found (DEBUG_LIST)"
seen timer 'ODEBUG: free active' "a freed timer that runs is found (DEBUG_OBJECTS)"
seen use-after-free 'KASAN: ' "use after free is found (KASAN)"
tainted >/tmp/tainted
result $? "the kernel's taint is noticed"
echo "1..$number"
echo "ndk-vm: tap end $SUITE"
exit $failed
