#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/bench/kernel/measure.sh:/measure.sh
# vm-timeout: 240
# vm-count: yes
# vm-plugin: build/lib/libndk_profile.so,out=build/bench/profile.txt
#
# shellcheck disable=SC1091 # there in the guest
#
# In the test machine, under the profiling plugin: the workloads whose goals are the hard ones, few times
# each; then the symbols of kernel and modules, packed, while the modules are still where they ran.

. /measure.sh
begin true
# as all run in one machine, their order is that of the plugin's numbers
modprobe ndk_bench work=connect_1,round_trip,message_rate,register pairs=4 target_ms=10 || failed=1
dmesg | sed -n 's/^.*ndk_bench: {\("pieces"\)/ndk-profile: {\1/p'
echo "ndk-profile: symbols begin"
awk '$2 ~ /^[tTwW]$/ { print $1, $3, $4 }' /proc/kallsyms | gzip -9 | base64
echo "ndk-profile: symbols end"
rmmod ndk_bench || failed=1
end
