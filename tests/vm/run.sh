#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Boots the test machine, shows its serial console while it runs, and turns the verdict of init.sh
# into an exit status. Pure emulation: nothing of the host is touched and no root is needed.
#
# usage: run.sh --initrd FILE --script GUEST_SCRIPT [options]
#   --timeout S      seconds until it is killed (default 120)
#   --log FILE       the whole console, the kernel log with it (default build/vm/SCRIPT.log)
#   --mem MB         memory of the guest (default 2048)
#   --cpus N         processors (default 2); emulated, one works faster than each of two, and leaves more to others
#   --kernel IMAGE   kernel to boot (default: the image of kver.sh)
#   --append ARGS    more kernel command line
#   --plugin SPEC    a plugin of the emulator, FILE.so,KEY=VALUE (no ACCEL then)
#   --count yes      one processor, whose time stamp counter counts the instructions it executes (no ACCEL then)
#
# Exit status: that of the guest script; 90 if the kernel log shows a defect, 91 if the guest could
# not be set up, 124 if the time ran out, 1 if there is no verdict.
#
# ACCEL chooses the accelerator (default tcg, which works everywhere).

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

usage() { sed -n '4,21s/^# \{0,1\}//p' "$0"; }
die() {
	echo "run.sh: $*" >&2
	exit 1
}

# readable_kernel: some distributions keep the image from plain users; a copy made once with sudo helps.
readable_kernel() {
	local copy
	[ -e "$kernel" ] || die "no kernel image at $kernel"
	[ -r "$kernel" ] && return
	copy=$root/build/vm/$(basename "$kernel")
	if [ ! -r "$copy" ]; then
		command -v sudo >/dev/null || die "$kernel is readable by root only; give another with --kernel"
		echo "run.sh: copying $kernel (readable by root only) to build/vm with sudo"
		mkdir -p "$root/build/vm"
		sudo install -m 644 "$kernel" "$copy" || die "could not copy $kernel"
	fi
	kernel=$copy
}

# The script travels in an archive of its own behind the base image; the kernel unpacks one after the other.
join_initrd() {
	local with_script
	with_script=$(mktemp -d "${TMPDIR:-/tmp}/ndk-vm.XXXXXX")
	trap 'rm -rf "'"$with_script"'"' EXIT
	cp "$script" "$with_script/guest.sh"
	cp "$initrd" "$with_script/initrd"
	(cd "$with_script" && echo guest.sh | cpio -o -H newc -R 0:0 --quiet) >>"$with_script/initrd"
	initrd=$with_script/initrd
}

# Carriage returns and what the firmware says have no place in a log.
clean_console() {
	sed -u -e 's/\r//g' -e 's/\x1b\[[0-9;=?]*[A-Za-z]//g' -e 's/\x1bc//g' \
		-e '/^SeaBIOS /d' -e '/^Booting from ROM/d' -e '1,4{/^$/d}'
}

# The kernel log is for the file; on the screen its judgement is enough.
hide_kernel_log() { sed -u '/^ndk-vm: kernel log begin$/,/^ndk-vm: kernel log end$/d'; }

boot() {
	local accel=${ACCEL:-tcg} processors=${cpus:-2} counting=() machine
	[ "$accel" = tcg ] && accel=tcg,thread=multi
	# 2^0 ns of virtual time for an instruction, and idle time is skipped
	[ -z "$count" ] || accel=tcg,thread=single processors=1 counting=(-icount shift=0,sleep=off)
	[ -z "$plugin" ] || counting+=(-plugin "$plugin")
	machine=(-accel "$accel" "${counting[@]}" -cpu max -smp "$processors" -m "$mem"
		-nographic -no-reboot -nic none -vga none
		-kernel "$kernel" -initrd "$initrd"
		-append "console=ttyS0 quiet panic=-1 oops=panic log_buf_len=8M mitigations=off no_timer_check ndkvm.limit=$limit $append")
	timeout --kill-after=5 "$timeout" qemu-system-x86_64 "${machine[@]}" </dev/null 2>&1 |
		clean_console | tee "$log" | hide_kernel_log
	qemu_status=${PIPESTATUS[0]}
}

# fail STATUS MESSAGE: what a person needs to go on from here.
fail() {
	echo "run.sh: $2" >&2
	echo "run.sh: the console is in $log" >&2
	echo "run.sh: repeat it with:$command_line" >&2
	exit "$1"
}

judge() {
	local verdict
	verdict=$(sed -n 's/^ndk-vm: exit \([0-9]*\)$/\1/p' "$log" | tail -n 1)
	[ -n "$verdict" ] || [ "$qemu_status" -ne 124 ] || fail 124 "killed after $timeout s without a verdict"
	if [ -z "$verdict" ]; then
		grep -q 'Kernel panic' "$log" && fail 1 "the kernel panicked"
		fail 1 "the machine ended without a verdict (qemu: $qemu_status)"
	fi
	case $verdict in
	0) return ;;
	90) fail 90 "the kernel log shows a defect" ;;
	91) fail 91 "the machine could not be set up" ;;
	124) fail 124 "the time of $limit s ran out" ;;
	*) fail "$verdict" "the guest script failed with $verdict" ;;
	esac
}

main() {
	initrd='' script='' timeout=120 log='' mem=2048 cpus='' kernel='' append='' count='' plugin=''
	command_line=$(printf ' %q' "$0" "$@")
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help) usage && exit ;;
		--initrd | --script | --timeout | --log | --mem | --cpus | --kernel | --append | --count | --plugin)
			[ $# -ge 2 ] || die "$1 needs an argument"
			printf -v "${1#--}" %s "$2"
			shift 2
			;;
		*) die "unknown argument '$1' (see --help)" ;;
		esac
	done
	[[ -n $initrd && -n $script ]] || die "--initrd and --script are needed (see --help)"
	[ -r "$initrd" ] || die "no such initrd: $initrd (mkinitramfs.sh makes one)"
	[ -r "$script" ] || die "no such guest script: $script"
	[[ $timeout =~ ^[0-9]+$ && $timeout -ge 20 ]] || die "--timeout wants 20 seconds or more, got '$timeout'"
	[[ $mem =~ ^[0-9]+$ ]] || die "--mem wants megabytes, got '$mem'"
	[[ ${cpus:-2} =~ ^[1-9]$ ]] || die "--cpus wants a number from 1 to 9, got '$cpus'"
	command -v qemu-system-x86_64 >/dev/null || die "qemu-system-x86_64 is not installed (tests/run/deps.sh vm)"
	[ -n "$kernel" ] || kernel=$("$here/kver.sh" --image) || exit 1
	[ -n "$log" ] || log=$root/build/vm/$(basename "$script" .sh).log
	mkdir -p "$(dirname "$log")"
	readable_kernel
	# The guest gives up first, with time left to boot before and to tell what hung after.
	limit=$((timeout - 10))

	local start=$SECONDS
	join_initrd
	boot || true
	echo "run.sh: the machine ran $((SECONDS - start)) s; console in $log"
	judge
}

main "$@"
