#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Runs one guest script as a suite: boots it with vm.sh and leaves build/results/NAME.tap. The guest
# script prints its results as TAP or KTAP between `ndk-vm: tap begin NAME` and `ndk-vm: tap end NAME`.
#
# usage: vm_suite.sh NAME GUEST_SCRIPT [KERNEL]

set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -eq 2 ] || [ $# -eq 3 ] || die "usage: vm_suite.sh NAME GUEST_SCRIPT [KERNEL]"
status=0
"$NDK_ROOT/tests/run/vm.sh" "$@" || status=$?
[ -e "$NDK_BUILD/vm/$1.log" ] || die "$1 did not boot"
mkdir -p "$NDK_RESULTS"
"$NDK_ROOT/tests/vm/tap.sh" "$NDK_BUILD/vm/$1.log" "$1" >"$NDK_RESULTS/$1.tap"
exit $status
