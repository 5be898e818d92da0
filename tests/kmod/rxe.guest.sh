#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/kmod/conformance.sh:/conformance.sh
# vm-timeout: 900
#
# In the test machine, with a stock kernel: the conformance suite on rxe.

# shellcheck source=tests/kmod/conformance.sh
. /conformance.sh
spoil_addresses
run_conformance dev=rxe0 "remove=/usr/bin/rdma link delete rxe0" "readd=/usr/bin/rdma link add rxe0 type rxe netdev d0"
