#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# Configures and builds all user-space parts with CMake and Ninja: programs to build/bin, libndk to
# build/lib. CMAKE_FLAGS is passed on, e.g. CMAKE_FLAGS=-DCMAKE_BUILD_TYPE=Debug.
#
# usage: build_user.sh [NINJA_ARGUMENT...]

set -euo pipefail
. "$(dirname "$0")/lib.sh"

for program in cmake ninja; do
	command -v $program >/dev/null || die "$program is not installed (make deps installs what is needed)"
done
[ -e "$NDK_ROOT/CMakeLists.txt" ] || die "there is no CMakeLists.txt in $NDK_ROOT"
# shellcheck disable=SC2086 # CMAKE_FLAGS is a list
cmake -S "$NDK_ROOT" -B "$NDK_BUILD" -G Ninja ${CMAKE_FLAGS:-}
ninja -C "$NDK_BUILD" "$@"
