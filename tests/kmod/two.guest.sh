#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/kmod/conformance.sh:/conformance.sh
# vm-timeout: 300
#
# In the test machine, with a stock kernel: the cases of the conformance suite for which adapters 0 and 1 have
# to be two devices. rxe carries nothing from one of its devices to another within a machine, so those cases
# are here that connect on one of them or not at all.

# shellcheck source=tests/kmod/conformance.sh
. /conformance.sh
spoil_addresses
run_conformance dev=rxe0 dev2=rxe1 addr4_2=10.9.1.1 addr6_2=fd09:1::1 \
	filter=removal_of_one,post_foreign_objects,adapter_instances,manage_addresses,manage_removed_idle \
	"remove=/usr/bin/rdma link delete rxe0" "readd=/usr/bin/rdma link add rxe0 type rxe netdev d0"
