# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck shell=bash
#
# Completion of ndkping(8) for bash: options, and names of adapters where one is wanted.

_ndkping() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} device adapters
	# A colon parts words for bash; "fabric:0" is then three of them.
	[ "$word" != : ] || word=
	COMPREPLY=()
	case $before in
	-s | --server | -c | --client | --self)
		adapters="fabric:0 fabric:1"
		for device in /sys/class/infiniband/*; do
			[ ! -e "$device" ] || adapters+=" verbs:${device##*/} device:${device##*/}"
		done
		mapfile -t COMPREPLY < <(compgen -W "$adapters" -- "$word")
		return
		;;
	--fabric)
		mapfile -t COMPREPLY < <(compgen -W "ib iwarp" -- "$word")
		return
		;;
	-a | --address | -d | --dest | -p | --port | -S | --size | -n | --count | --connections | --timeout | --seed | --corrupt)
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "--server --client --self --address --dest --port --size --count
		--connections --timeout --shared --second --poll --privileged --corrupt --ipv6 --fabric --seed
		--json --demo-line --version --help" -- "$word")
}

complete -F _ndkping ndkping
