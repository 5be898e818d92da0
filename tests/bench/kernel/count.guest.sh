#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/bench/kernel/measure.sh:/measure.sh
# vm-timeout: 300
# vm-count: yes
#
# shellcheck disable=SC1091 # there in the guest
#
# In the test machine, with a clock that counts instructions: those of single calls, and of every workload
# of ndk_bench.ko. There is no noise to average away, so few samples do.

. /measure.sh
begin true
measure instructions pairs=200
for work in round_trip message_rate bulk_write bulk_read register; do
	measure $work pairs=5 target_ms=20
done
measure connect_1 pairs=10 switches=1
measure connect_256 pairs=2 switches=1
end
