#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/kmod/conformance.sh:/conformance.sh
# vm-timeout: 900
# vm-cpus: 1
#
# In the test machine, with a stock kernel: the conformance suite on rxe, with workers of the provider and news of
# connections late at random, so that they overtake each other as they do on a busy machine once in thousands of runs.

# shellcheck source=tests/kmod/conformance.sh
. /conformance.sh
spoil_addresses
JITTER=${JITTER:-3000}
run_conformance dev=rxe0 "remove=/usr/bin/rdma link delete rxe0" "readd=/usr/bin/rdma link add rxe0 type rxe netdev d0"
