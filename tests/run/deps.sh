#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Installs the packages the project needs on Debian and Ubuntu, in groups:
#   build   compilers, CMake, the RDMA and netlink libraries
#   vm      a kernel with headers, QEMU, and what goes into the guest
#   debug   what the debug kernel is built from and with, and a PREEMPT_RT kernel with headers (Debian 12)
#   bench   what counts instructions
# Asks dpkg first and calls apt only for what is missing, so that it costs nothing and needs no
# network when all is there. Called by check.sh, demo.sh, bench.sh and `make deps`; may be called alone.
#
# usage: deps.sh [--dry-run] [build|vm|debug|bench]...      (default: build vm)

set -euo pipefail
. "$(dirname "$0")/lib.sh"

usage() { sed -n '4,13s/^# \{0,1\}//p' "$0"; }

read_release() {
	release_id=unknown release_name="this system"
	if [ -r /etc/os-release ]; then
		release_id=$(. /etc/os-release && echo "${ID:-unknown} ${ID_LIKE:-}")
		release_name=$(. /etc/os-release && echo "${PRETTY_NAME:-unknown}")
	fi
}

installed() {
	local status
	status=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) || return 1
	[ "$status" = installed ]
}

# The sanitizer runtime carries the version of the default clang in its name, on every release another.
clang_runtime() {
	local depends
	depends=$(dpkg-query -W -f='${Depends}' clang 2>/dev/null ||
		apt-cache show --no-all-versions clang 2>/dev/null | sed -n 's/^Depends: //p')
	if [[ $depends =~ clang-([0-9]+) ]]; then
		echo "libclang-rt-${BASH_REMATCH[1]}-dev"
	else
		echo libclang-rt-14-dev
	fi
}

# The runtime's name is known only once apt's lists name clang; group_build is therefore called
# again after apt-get update.
group_build() {
	echo gcc g++ clang "$(clang_runtime)" cmake ninja-build make pkg-config git python3
	echo libgtest-dev libbenchmark-dev
	echo libibverbs-dev librdmacm-dev libnl-3-dev libnl-route-3-dev libmnl-dev
	echo liburing-dev nlohmann-json3-dev libcli11-dev libfmt-dev
}

group_vm() {
	case " $release_id " in
	*" ubuntu "*) echo linux-image-generic linux-headers-generic ;;
	*) echo linux-image-amd64 linux-headers-amd64 ;;
	esac
	echo qemu-system-x86 busybox-static cpio kmod iproute2
	echo ibverbs-utils ibverbs-providers rdmacm-utils
}

group_debug() {
	echo linux-source-6.1 xz-utils patch bc flex bison libelf-dev
	echo linux-image-rt-amd64 linux-headers-rt-amd64
}

group_bench() { echo valgrind; }

# find_missing GROUP...: sets missing and wanted.
find_missing() {
	local group package
	missing=() wanted=0
	for group in "$@"; do
		for package in $("group_$group"); do
			wanted=$((wanted + 1))
			installed "$package" || missing+=("$package")
		done
	done
}

as_root=()
need_root() {
	[ "$(id -u)" -eq 0 ] && return
	command -v sudo >/dev/null ||
		die "installing needs root and there is no sudo; as root run: apt-get install ${missing[*]}"
	as_root=(sudo)
}

# apt ARGS...: the whole output to the log, one line per package to the person who waits.
apt() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -y -q \
		-o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" </dev/null 2>&1 |
		tee -a "$log" |
		{ grep --line-buffered -E '^(Get:|Setting up|Need to get|E:|W:|Err:)' || true; } |
		cut -c 1-100 | sed -u 's/^/   /'
}

refuse_unknown() {
	local package unknown=()
	for package in "${missing[@]}"; do
		[[ $(LC_ALL=C apt-cache policy "$package" 2>/dev/null) =~ Candidate:\ [^\(] ]] || unknown+=("$package")
	done
	[ ${#unknown[@]} -eq 0 ] && return
	! grep -qE '^(Err:|E:)' "$log" ||
		die "apt's package lists could not be fetched, and the ones at hand do not know: ${unknown[*]}
       Is the network or the package mirror out of reach? The whole answer is in $log (needed: ${missing[*]})"
	die "$release_name has no package named: ${unknown[*]} (needed: ${missing[*]})"
}

main() {
	local dry_run=no groups=()
	while [ $# -gt 0 ]; do
		case $1 in
		--dry-run) dry_run=yes ;;
		build | vm | debug | bench) groups+=("$1") ;;
		-h | --help) usage && return ;;
		*) die "unknown argument '$1' (groups: build vm debug bench)" ;;
		esac
		shift
	done
	[ ${#groups[@]} -gt 0 ] || groups=(build vm)

	read_release
	say "packages (${groups[*]}) for $release_name"
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		missing=($(for g in "${groups[@]}"; do "group_$g"; done))
		die "this is neither Debian nor Ubuntu; install the counterparts of: ${missing[*]}"
	fi
	find_missing "${groups[@]}"
	if [ ${#missing[@]} -eq 0 ]; then
		note "all $wanted are installed"
		return
	fi
	note "${#missing[@]} of $wanted missing: ${missing[*]}"
	[ "$dry_run" = no ] || return 0

	need_root
	mkdir -p "$NDK_LOGS"
	log=$NDK_LOGS/apt.log
	: >"$log"
	note "apt-get update"
	apt update || note "apt-get update failed; trying with the lists at hand"
	find_missing "${groups[@]}"
	refuse_unknown
	note "apt-get install (log: ${log#"$NDK_ROOT"/})"
	apt install --no-install-recommends "${missing[@]}" ||
		die "apt-get could not install: ${missing[*]}
       Is the network or the package mirror out of reach? The whole answer is in $log"
	find_missing "${groups[@]}"
	[ ${#missing[@]} -eq 0 ] || die "apt-get succeeded, yet these are not installed: ${missing[*]}"
	note "all $wanted are installed"
}

main "$@"
