# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck shell=sh
#
# What the guest scripts beside it share; /measure.sh in the guest. What ndk_bench.ko measures goes to the
# console as lines of JSON behind `ndk-bench: `, for tests/bench/report.py.

# begin true|false: loads ndk.ko and says what the machine is. true: its clock counts instructions.
begin() {
	failed=0
	modprobe ndk || exit 1
	echo "ndk-bench: {\"kernel\": \"$(uname -r)\", \"processors\": $(nproc), \"device\": \"rxe0\", \"counts\": $1}"
}

# measure WORK [PARAMETER...]: one run of ndk_bench.ko, from loading to unloading.
measure() {
	work=$1
	shift
	before=$(dmesg | wc -l)
	began=$(cut -d . -f 1 /proc/uptime)
	modprobe ndk_bench work="$work" "$@" && rmmod ndk_bench || failed=1
	dmesg | tail -n +$((before + 1)) | sed -n 's/^.*ndk_bench: {/ndk-bench: {/p; s/^.*\(ndk_bench: [^{]\)/\1/p'
	echo "$work: $(($(cut -d . -f 1 /proc/uptime) - began)) s"
}

# end: the kernel log is judged by the machine's init.
end() {
	rmmod ndk || failed=1
	exit "$failed"
}
