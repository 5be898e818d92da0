#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# The conformance suite on the fabric, built with a sanitizer in a tree of its own: suites of check.sh.
#
# usage: sanitized.sh asan     ASan and UBSan, deterministic
#        sanitized.sh sweep    the same build; every case again and again, each time with another allocation
#                              failing: what is lost then, a sanitizer finds
#        sanitized.sh tsan     TSan, with threads
# makes: build/results/fabric-NAME.tap; the results of the single cases are in build/asan and build/tsan

set -euo pipefail
. "$(dirname "$0")/lib.sh"

# So many allocations of each adapter fail one by one, of those behind them ever fewer. The two transports
# differ in their handshakes alone, which come early: a quarter of it suffices for the second.
STARVE=${STARVE:-40}

# build TREE SANITIZER: the command that builds the suite.
build() {
	echo "cmake -S . -B $1 -G Ninja -DNDK_SANITIZE=$2 -DNDK_PARTS=tests/conformance -DCMAKE_BUILD_TYPE=None \
-DCMAKE_C_FLAGS='-O1 -g1' -DCMAKE_CXX_FLAGS='-O1 -g1' && ninja -C $1 ndk_conformance"
}

# every TREE FABRIC [ARGUMENT...]: the command that runs all cases.
every() { echo "$1/bin/ndk_conformance --fabric $2 ${*:3} --tap $1/$2${3:-}.tap"; }

cd "$NDK_ROOT"
case ${1:-} in
asan)
	exec tests/run/commands.sh fabric-asan 'built with ASan and UBSan' "$(build build/asan address)" \
		'IB' "$(every build/asan ib)" 'iWARP' "$(every build/asan iwarp)"
	;;
sweep)
	# Freed memory stays poisoned for a while, of which each of thousands of short runs wants pages of its own.
	export ASAN_OPTIONS=quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	exec tests/run/commands.sh fabric-sweep 'built with ASan and UBSan' "$(build build/asan address)" \
		'IB, each allocation fails' "$(every build/asan ib --starve "$STARVE")" \
		'iWARP, allocations fail' "$(every build/asan iwarp --starve $((STARVE / 4)))"
	;;
tsan)
	# the cases wait more than they compute, so both run at once
	exec tests/run/commands.sh fabric-tsan 'built with TSan' "$(build build/tsan thread)" \
		'IB and iWARP, with threads' \
		"$(every build/tsan ib --threads) & $(every build/tsan iwarp --threads); it=\$?; wait \$! && exit \$it"
	;;
*)
	die "usage: sanitized.sh asan|sweep|tsan"
	;;
esac
