#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Builds the kernel that finds what a stock kernel keeps quiet about: Debian's linux-source-6.1 with KASAN,
# lockdep, kmemleak, fault injection, rxe and siw (tests/vm/debug: the options, and patches without which the
# checks do not work). It takes minutes, so the result is kept outside the work tree, under a name made of everything it depends on; it appears there
# when it is whole, in one step. What remains of the tree is what boots and what modules are built against.
#
# usage: build_debug_kernel.sh           builds it if it is not there yet; JOBS=N compilers at once
#        build_debug_kernel.sh --path    prints where it is, or would be
# makes: ${NDK_CACHE:-${XDG_CACHE_HOME:-~/.cache}/ndkpi}/debug-kernel-HASH/, see tests/run/deps.sh debug

set -euo pipefail
. "$(dirname "$0")/lib.sh"

fragment=$NDK_ROOT/tests/vm/debug/debug.config
patches=("$NDK_ROOT"/tests/vm/debug/patches/*.patch)
archive=${LINUX_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
cache=${NDK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ndkpi}
# Changes with whatever else below changes the result, so that nobody goes on using the old one.
recipe=1
# Objects of a build, roughly: only for the display.
objects=1800

# The name holds whatever changes the result: the options, the source, the compiler, and this recipe.
cached_tree() {
	local source hash
	source=$(dpkg-query -S "$archive" 2>/dev/null | cut -d : -f 1) || source=
	[ -z "$source" ] || source=$(dpkg-query -W -f='${Package}=${Version}' "$source")
	hash=$({
		grep CONFIG_ "$fragment"
		cat "${patches[@]}"
		echo "$recipe $archive $source"
		gcc -dumpfullversion -dumpmachine
	} | sha256sum | cut -c 1-16)
	echo "$cache/debug-kernel-$hash"
}

unpack() {
	note "unpacking $archive"
	mkdir "$work/tree"
	tar -xJf "$archive" -C "$work/tree" --strip-components=1
	cat "${patches[@]}" | patch -s -p1 -d "$work/tree" || die "a patch of tests/vm/debug/patches does not apply"
}

# lost_options: those of the fragment that are not so in .config, one a line.
lost_options() {
	local line name
	while read -r line; do
		case $line in
		'# CONFIG_'*' is not set')
			name=${line#\# }
			! grep -q "^${name%% *}=" "$1" || echo "$line"
			;;
		CONFIG_*) grep -qxF "$line" "$1" || echo "$line" ;;
		esac
	done <"$fragment"
}

configure() {
	local lost
	note "configuring"
	make -s tinyconfig >"$work/config.log" 2>&1 &&
		scripts/kconfig/merge_config.sh -m .config "$fragment" >>"$work/config.log" 2>&1 &&
		make -s olddefconfig >>"$work/config.log" 2>&1 || { tail -n 20 "$work/config.log" >&2 && die "cannot configure"; }
	lost=$(lost_options .config)
	[ -z "$lost" ] || die "the kernel's configuration lost these options of ${fragment#"$NDK_ROOT"/}:
$lost"
}

# show_progress PID: a line every half minute, as long as that process lives.
show_progress() {
	local start=$SECONDS
	while sleep 1 && kill -0 "$1" 2>/dev/null; do
		[ $(((SECONDS - start) % 30)) -eq 0 ] || continue
		note "$((SECONDS - start)) s: $(grep -c '^  [A-Z]* *[^ ]*\.[ao]$' "$work/make.log") of about $objects objects," \
			"$(tail -n 1 "$work/make.log" | cut -c 1-70)"
	done
}

# modules: with no module in the kernel this makes what an external module build needs.
compile() {
	local status=0
	note "compiling with ${JOBS:-$(nproc)} jobs; the log is $work/make.log"
	nice -n 5 make -j"${JOBS:-$(nproc)}" bzImage modules >"$work/make.log" 2>&1 </dev/null &
	maker=$!
	show_progress $maker &
	wait $maker || status=$?
	maker=
	[ $status -eq 0 ] || { tail -n 30 "$work/make.log" >&2 && die "the kernel does not build"; }
}

# What boots, and what a module build reads: a tenth of the tree. mv fails if one of them is missing.
gather() {
	local part parts=(.config Makefile Module.symvers System.map arch/x86 include scripts tools/objtool)
	for part in "${parts[@]}"; do
		mkdir -p "$work/kernel/$(dirname "$part")"
		mv "$part" "$work/kernel/$part"
	done
	cd "$work/kernel"
	mv arch/x86/boot/bzImage bzImage
	[ -x scripts/mod/modpost ] && [ -x tools/objtool/objtool ] || die "the build made no tools for modules"
	find arch \( -name '*.[oacS]' -o -name '.*.cmd' -o -name 'vmlinux*' \) -delete
}

# However this ends: no compiler goes on, and no half of a kernel stays.
clean_up() {
	[ -z "$maker" ] || { kill "$maker" 2>/dev/null && wait "$maker" || true; }
	rm -rf "$work"
}

build() {
	local start
	start=$(now_ms)
	[ -r "$archive" ] || die "there is no $archive (tests/run/deps.sh debug installs it)"
	# what a killed build left behind; the lock says that nobody works there
	rm -rf "$tree".part.*
	work=$(mktemp -d "$tree.part.XXXXXX")
	maker=
	trap clean_up EXIT
	trap 'exit 130' INT TERM
	unpack
	cd "$work/tree"
	configure
	compile
	gather
	mv -T "$work/kernel" "$tree"
	cd "$cache"
	note "built in $(seconds "$start") s, $(du -sh "$tree" | cut -f 1)"
}

main() {
	local tree
	tree=$(cached_tree)
	case ${1:-} in
	--path) echo "$tree" && return ;;
	'') ;;
	*) die "usage: build_debug_kernel.sh [--path]" ;;
	esac
	# this make is none of the make that may have called us, nor are our settings the kernel's
	unset MAKEFLAGS MFLAGS MAKELEVEL KVER T
	mkdir -p "$cache"
	exec 9>"$tree.lock"
	flock -n 9 || { note "another build of it is under way; waiting" && flock 9; }
	[ -d "$tree" ] || build
	note "debug kernel: $tree"
}

main "$@"
