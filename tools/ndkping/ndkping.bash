# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# shellcheck shell=bash
#
# Completion of ndkping(8) for bash: options, and what those that know it want.

_ndkping() {
	local word=${COMP_WORDS[COMP_CWORD]} words
	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--fabric) words="ib iwarp" ;;
	--self) words="fabric:0 fabric:1" ;;
	-[scadpSn] | --server | --client | --address | --dest | --port | --size | --count | --connections | \
		--timeout | --seed | --corrupt)
		return
		;;
	*)
		words="--server --client --self --address --dest --port --size --count --connections --timeout
			--shared --second --poll --privileged --corrupt --ipv6 --fabric --seed --json --demo-line
			--version --help"
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _ndkping ndkping
