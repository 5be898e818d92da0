#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/kmod/conformance.sh:/conformance.sh
# vm-timeout: 1500
# vm-memory: 1024
#
# In the test machine, with the debug kernel: the conformance suite on rxe. That kernel is several times
# slower, so waits are more patient.

# shellcheck source=tests/kmod/conformance.sh
. /conformance.sh
spoil_addresses
run_conformance dev=rxe0 scale=300 budget=1100 "remove=/usr/bin/rdma link delete rxe0" \
	"readd=/usr/bin/rdma link add rxe0 type rxe netdev d0"
