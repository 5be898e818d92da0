#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/bench/kernel/measure.sh:/measure.sh
# vm-timeout: 340
#
# shellcheck disable=SC1091 # there in the guest
#
# In the test machine: every workload of ndk_bench.ko by the clock, through NDKPI and raw in turn.

. /measure.sh
begin false
for work in round_trip message_rate bulk_write bulk_read register connect_1; do
	measure $work pairs=60
done
measure connect_256 pairs=10
end
