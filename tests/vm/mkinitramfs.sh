#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Builds the initramfs of the test machine: busybox, the RDMA tools with their libraries, the
# kernel modules that a software RDMA device needs, and init.sh as /init. Needs no root.
# run.sh boots what this makes.
#
# usage: mkinitramfs.sh [options] OUTPUT
#   --kver VERSION   modules of this kernel (default: kver.sh); 'none' for a kernel with all built in
#   --file SRC:DST   put a file or directory into the image; libraries of programs come along
#   --module PATH    put our own module in, where modprobe in the guest finds it and its dependencies
#   --want NAME      put one more module of the kernel in, with its dependencies
#
# The image is small and is not compressed: under emulation unpacking costs more than loading.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

# crc32 and crc32c are asked for by name when rxe sees its first packet; depmod does not list them.
modules=(rdma_rxe rdma_cm rdma_ucm ib_core ib_uverbs dummy veth crc32_generic crc32c_generic)
optional_modules=(crc32-pclmul sch_netem)
programs=(rdma ip)
optional_programs=(ibv_devices ibv_devinfo rping ib_send_lat ib_write_lat ib_send_bw cmtime tc)

usage() { sed -n '4,15s/^# \{0,1\}//p' "$0"; }
die() {
	echo "mkinitramfs: $*" >&2
	exit 1
}

# program_path NAME: where it is, also when it sits in a directory for root.
program_path() { command -v "$1" 2>/dev/null; }

# add_file SRC DST: copies following links, so that a library is a file under the name it is asked by.
add_file() {
	mkdir -p "$stage$(dirname "$2")"
	cp -LRf --preserve=mode,timestamps "$1" "$stage$2" || die "cannot copy $1"
}

# add_libraries FILE: the loader and everything ldd names. A static program or a script has none.
add_libraries() {
	local library
	while read -r library; do
		[ -e "$stage$library" ] || add_file "$library" "$library"
	done < <(ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | sort -u)
}

add_program() {
	local path
	path=$(program_path "$1") || die "$1 is not installed (tests/run/deps.sh vm installs what is needed)"
	add_file "$path" "/usr/bin/$1"
	add_libraries "$path"
}

add_base() {
	local busybox name library
	busybox=$(program_path busybox) || die "busybox is not installed (package busybox-static)"
	ldd "$busybox" >/dev/null 2>&1 && die "$busybox is not static (package busybox-static)"
	mkdir -p "$stage"/{bin,sbin,usr/bin,usr/sbin,dev,proc,sys,run,tmp,root,etc,lib/modules}
	add_file "$busybox" /bin/busybox
	for name in $("$busybox" --list); do
		[ "$name" = busybox ] || ln -sf busybox "$stage/bin/$name"
	done
	# Not busybox's own shell: that one runs its applets before anything on the path, its ip before iproute2's.
	rm "$stage/bin/sh"
	add_program dash
	ln -s /usr/bin/dash "$stage/bin/sh"
	add_file "$here/init.sh" /init
	add_file "$here/log.sh" /log.sh
	chmod 755 "$stage/init"
	printf '127.0.0.1 localhost\n::1 localhost\n10.9.0.1 rxe0\n10.9.1.1 rxe1\n' >"$stage/etc/hosts"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$stage/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$stage/etc/group"
	echo 'nobody:x:65534:65534:nobody:/:/bin/sh' >>"$stage/etc/passwd"
	# pthread_exit loads this at run time, where ldd does not see it.
	library=$(ldconfig -p | sed -n 's/.*libgcc_s.so.1.*x86-64.*=> //p' | head -n 1)
	[ -z "$library" ] || add_file "$library" "$library"
}

add_programs() {
	local name
	for name in "${programs[@]}"; do
		add_program "$name"
	done
	for name in "${optional_programs[@]}"; do
		program_path "$name" >/dev/null && add_program "$name"
	done
	# libibverbs loads its drivers by name, again out of ldd's sight.
	for name in /etc/libibverbs.d/{rxe,siw}.driver /usr/lib/*/libibverbs/lib{rxe,siw}-rdmav*.so; do
		[ -e "$name" ] || continue
		add_file "$name" "$name"
		add_libraries "$name"
	done
}

# unpack MODULE DST: plain .ko, whatever the distribution compresses with.
unpack() {
	case $1 in
	*.zst) zstd -qdc "$1" >"$2" ;;
	*.xz) xz -dc "$1" >"$2" ;;
	*.gz) gzip -dc "$1" >"$2" ;;
	*) cp -L "$1" "$2" ;;
	esac || die "cannot unpack $1"
}

# add_kernel_module NAME: it and what it depends on. Not an error if built into the kernel.
add_kernel_module() {
	local verb path rest target
	while read -r verb path rest; do
		[ "$verb" = insmod ] || continue
		target=$stage${path#/usr}
		target=${target%.zst} target=${target%.xz} target=${target%.gz}
		[ -e "$target" ] && continue
		mkdir -p "$(dirname "$target")"
		unpack "$path" "$target"
	done < <(modprobe -S "$kver" --show-depends "$1" 2>/dev/null)
	modprobe -S "$kver" --show-depends "$1" >/dev/null 2>&1
}

add_modules() {
	local name path magic
	[ "$kver" = none ] || [ -d "/lib/modules/$kver" ] || die "there are no modules in /lib/modules/$kver"
	if [ "$kver" != none ]; then
		for name in "${modules[@]}" "${wanted[@]}"; do
			add_kernel_module "$name" || die "kernel $kver has no module $name"
		done
		for name in "${optional_modules[@]}"; do
			add_kernel_module "$name" || true
		done
	fi
	for path in "${own_modules[@]}"; do
		[ -r "$path" ] || die "no such module: $path (make kmod builds ours)"
		magic=$(modinfo -F vermagic "$path" | cut -d ' ' -f 1)
		[ "$kver" = none ] || [ "$magic" = "$kver" ] || die "$path is built for $magic, not for $kver"
		add_file "$path" "/lib/modules/$magic/extra/$(basename "$path")"
	done
	for path in "$stage"/lib/modules/*/; do
		[ -d "$path" ] || continue
		name=$(basename "$path")
		cp "/lib/modules/$name"/modules.{order,builtin,builtin.modinfo} "$path" 2>/dev/null ||
			touch "$path"/modules.{order,builtin,builtin.modinfo}
		depmod -b "$stage" "$name" || die "depmod failed"
	done
}

add_extra_files() {
	local pair source target file
	for pair in "${files[@]}"; do
		source=${pair%%:*} target=${pair#*:}
		[[ $pair == *:/* ]] || die "--file wants SRC:/DST, got '$pair'"
		[ -e "$source" ] || die "no such file: $source"
		add_file "$source" "$target"
		while read -r file; do
			add_libraries "$file"
		done < <(find -L "$source" -type f -perm /111)
	done
}

main() {
	files=() own_modules=() wanted=() kver='' output=''
	while [ $# -gt 0 ]; do
		case $1 in
		--kver | --file | --module | --want) [ $# -ge 2 ] || die "$1 needs an argument" ;;&
		--kver) kver=$2 && shift ;;
		--file) files+=("$2") && shift ;;
		--module) own_modules+=("$2") && shift ;;
		--want) wanted+=("$2") && shift ;;
		-h | --help) usage && exit ;;
		-*) die "unknown option $1" ;;
		*) [ -z "$output" ] && output=$1 || die "one output, please: '$1' is a second" ;;
		esac
		shift
	done
	[ -n "$output" ] || die "say where to write the image (see --help)"
	command -v cpio >/dev/null || die "cpio is not installed"
	[ -n "$kver" ] || kver=$("$here/kver.sh") || exit 1

	stage=$(mktemp -d "${TMPDIR:-/tmp}/ndk-initramfs.XXXXXX")
	trap 'rm -rf "$stage"' EXIT
	add_base
	add_programs
	add_modules
	add_extra_files
	mkdir -p "$(dirname "$output")"
	(cd "$stage" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc -R 0:0 --quiet) >"$output.new" || die "cpio failed"
	mv "$output.new" "$output"
	echo "mkinitramfs: $output, $(du -h "$output" | cut -f 1), kernel $kver"
}

main "$@"
