#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Where the instructions are that NDKPI adds to a workload, by function.

Reads what the plugin counted and the console of the machine it watched, see plugin.c and profile.guest.sh.
Prints lines of JSON for ../report.py: for each workload the instructions that each function takes more, or
less, for one piece of work than on the raw way, the largest differences first.

usage: profile.py BLOCKS CONSOLE
"""

import base64
import bisect
import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path

SHOWN = 12   # functions of ndk.ko, and others


def between(lines, begin, end):
	inside = []
	taking = False
	for line in lines:
		if line == begin:
			taking = True
		elif line == end:
			return inside
		elif taking:
			inside.append(line)
	sys.exit(f"profile.py: the console has no '{begin}' ... '{end}'")


def read_symbols(lines):
	"""Sorted addresses, and the name and module at each."""
	packed = "".join(between(lines, "ndk-profile: symbols begin", "ndk-profile: symbols end"))
	table = []
	for line in gzip.decompress(base64.b64decode(packed)).decode().splitlines():
		fields = line.split()
		table.append((int(fields[0], 16), fields[1], fields[2].strip("[]") if len(fields) > 2 else ""))
	table.sort()
	return [entry[0] for entry in table], [entry[1:] for entry in table]


def read_blocks(path, addresses, names):
	"""work: function: [instructions NDKPI, raw]."""
	works = defaultdict(lambda: defaultdict(lambda: [0, 0]))
	for line in Path(path).read_text().splitlines():
		work, way, address, instructions = line.split()
		at = bisect.bisect_right(addresses, int(address, 16)) - 1
		if at >= 0:
			works[int(work)][names[at]][int(way)] += int(instructions)
	return works


def main():
	if len(sys.argv) != 3:
		sys.exit(__doc__.strip().splitlines()[-1])
	lines = Path(sys.argv[2]).read_text(errors="replace").splitlines()
	pieces = [json.loads(line.split(": ", 1)[1]) for line in lines if line.startswith("ndk-profile: {")]
	works = read_blocks(sys.argv[1], *read_symbols(lines))
	if not pieces or not works:
		sys.exit("profile.py: nothing was measured")
	for index, counted in enumerate(pieces):
		added = {name: ways[0] / counted["ndk"] - ways[1] / counted["raw"] for name, ways in works[index].items()}
		ours = {name: n for name, n in added.items() if name[1] == "ndk"}
		others = {name: n for name, n in added.items() if name[1] not in ("ndk", "ndk_bench")}
		print("ndk-bench: " + json.dumps({
			"profile": counted["pieces"],
			"ndk": round(sum(ways[0] for ways in works[index].values()) / counted["ndk"]),
			"raw": round(sum(ways[1] for ways in works[index].values()) / counted["raw"]),
			"ours": largest(ours), "ours_all": round(sum(ours.values())),
			"others": largest(others), "others_all": round(sum(others.values())),
		}))


def largest(added):
	return [[name[0], round(n)] for name, n in sorted(added.items(), key=lambda item: -abs(item[1]))[:SHOWN]]


if __name__ == "__main__":
	main()
