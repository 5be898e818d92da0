# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck shell=sh
#
# What the test machine makes of its kernel log and of the checkers of a debug kernel. Sourced by init.sh,
# which judges every run with it, and by guest scripts that judge in between; /log.sh in the guest.
# On a kernel without such checkers the questions about them have no answer and cost nothing.

# Lines that mean a defect. The taint notes about modules from outside the tree mean none, nor do
# the lines in which lock and memory checkers introduce themselves.
complaint='WARNING:|(^|[^A-Z_])BUG[: ]|kernel BUG at|Oops|KASAN: |UBSAN: |ODEBUG: |lockdep|possible recursive'
complaint="$complaint|inconsistent lock state|suspicious RCU|refcount_t|hung task|blocked for more than|detected stall"
complaint="$complaint|non-static key|unreferenced object|new suspected memory leaks|list_(add|del) corruption"
complaint="$complaint|general protection fault|unable to handle|Kernel panic|Call Trace|taints kernel|checker is off"
innocent='RCU lockdep checking is enabled|loading out-of-tree module taints kernel|module verification failed'

# Bits of /proc/sys/kernel/tainted that stay even if the line has left the log: bad page, died,
# warned, soft lockup.
taint_mask=$(((1 << 5) | (1 << 7) | (1 << 9) | (1 << 14)))

# complaints FILE: its lines that mean a defect; fails if there is none.
complaints() { grep -E "$complaint" "$1" | grep -Ev "$innocent"; }

# tainted: prints the bits of the kernel's taint that mean a defect; fails if there is none.
tainted() {
	taint=$(($(cat /proc/sys/kernel/tainted) & taint_mask))
	[ $taint -ne 0 ] && echo "the kernel is tainted: $taint"
}

# A guest script that meets a leak of the kernel's own says so here: how many objects at most, and a text that is
# found in what kmemleak says of such an object, and of no other. One that our code has to do with, also code that is
# no longer loaded and has no names, is never such an object.
known_leaks=/run/leaks-of-the-kernel
leaks_looked_at=/run/leaks-looked-at

# set_aside: what kmemleak says, without objects that are known to be lost. How many they are is said at once.
set_aside() {
	read -r most known 2>/dev/null <$known_leaks || known=
	awk -v most="${most:-0}" -v known="$known" '
		function judge() {
			if (known != "" && index(object, known) && object !~ /\[ndk|>\] 0x/)
				aside++
			else
				printf "%s", object
			object = ""
		}
		/^unreferenced object/ { judge() }
		{ object = object $0 "\n" }
		END {
			judge()
			if (aside)
				print "ndk-vm: | set aside: " aside " lost objects of the kernel itself, " known >"/dev/stderr"
			if (aside > most)
				print "unreferenced object: " aside " that are known, and there should be at most " most
		}'
}

# find_leaks: what kmemleak holds for lost, as it says it; fails if there is nothing. The checker leaves
# alone what is younger than 5 s, and what changed since its last look: hence the pauses and two scans.
find_leaks() {
	[ -w /sys/kernel/debug/kmemleak ] || return 1
	for pause in 6 2; do
		sleep $pause
		echo scan >/sys/kernel/debug/kmemleak || echo "kmemleak: the checker is off"
	done
	set_aside </sys/kernel/debug/kmemleak >/tmp/lost && : >$leaks_looked_at || echo "kmemleak: the checker is off" >>/tmp/lost
	grep . /tmp/lost
}

# find_retired: a lock checker that gave up sees nothing from then on; says so, else fails.
find_retired() {
	grep -q '^ debug_locks: *0' /proc/lockdep_stats 2>/dev/null && echo "lockdep: the lock checker is off"
}
