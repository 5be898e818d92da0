#!/bin/sh
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-file: tests/kmod/conformance.sh:/conformance.sh
# vm-timeout: 1500
# vm-memory: 1024
#
# In the test machine, with the debug kernel, which alone has it: the conformance suite on siw, that is, on
# real iWARP over the TCP of the kernel. siw0 takes the place of rxe0. Where siw departs from the interface, the
# cases know (kit_on_siw).

# shellcheck source=tests/kmod/conformance.sh
. /conformance.sh
spoil_addresses
# Requests that its connection manager has heard and not yet passed on when the listener goes are dropped without a
# word to siw (cm_work_handler() in iwcm.c), which keeps what it has of them, six objects or seven; likewise of a peer
# that goes before it has asked. The checker sees that once the device is deleted. A request that we forgot would
# still have an identity of rdma_cm, which is looked for in the end.
echo 150 siw_cm_work_handler >/run/leaks-of-the-kernel
# A connection to an address that swallows everything is given up after 3 s instead of minutes.
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries
/usr/bin/rdma link delete rxe0 && /usr/bin/rdma link add siw0 type siw netdev d0 || exit 1
run_conformance dev=siw0 iwarp=1 scale=300 budget=1250 \
	"remove=/usr/bin/rdma link delete siw0" "readd=/usr/bin/rdma link add siw0 type siw netdev d0"
status=$?
if [ $status -le 1 ]; then # unloaded: nothing holds the device or has an identity on it
	! /usr/bin/rdma resource show cm_id | grep siw0 || status=4
	timeout 30 /usr/bin/rdma link delete siw0 || status=5
fi
exit $status
