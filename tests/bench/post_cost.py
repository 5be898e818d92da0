#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Instructions of a post and of a poll in libndk, counted by callgrind.

Runs post_cost under callgrind once for each of its measured functions. `whole` is everything inside
such a function, the in-memory fabric included; `above` is what lies above the device: the core and the
entry points, which are the files under kmod/. Prints lines of JSON for report.py.

usage: post_cost.py PROGRAM
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

MEASURED = ("send", "receive", "poll")
CALLS = re.compile(r"(\d+) sends, (\d+) receives, (\d+) polls")


def run(program, function):
	"""callgrind's output file as text, and what the program said."""
	with tempfile.TemporaryDirectory() as directory:
		out = Path(directory) / "callgrind.out"
		done = subprocess.run(["valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no",
			"--collect-atstart=no", f"--toggle-collect={function}", f"--callgrind-out-file={out}", program],
			capture_output=True, text=True, check=False)
		if done.returncode:
			sys.exit(f"post_cost.py: {program} under callgrind failed: {done.stderr.strip()[-2000:]}")
		return out.read_text(), done.stdout


def costs(text):
	"""Instructions by source file. The line behind `calls=` is the cost of a callee, counted there."""
	by_file, current, skip = {}, "?", False
	for line in text.splitlines():
		key, _, value = line.partition("=")
		if key in ("fl", "fi", "fe"):
			current = value
		elif key == "calls":
			skip = True
		elif line[:1].isdigit() or line[:1] in "+-*":
			position_and_cost = line.split()
			if not skip and len(position_and_cost) == 2:   # a cost of zero is left out
				by_file[current] = by_file.get(current, 0) + int(position_and_cost[1])
			skip = False
	return by_file


def main():
	if len(sys.argv) != 2:
		sys.exit(__doc__.strip().splitlines()[-1])
	for index, name in enumerate(MEASURED):
		text, said = run(sys.argv[1], f"measured_{name}")
		calls = int(CALLS.search(said)[index + 1])
		by_file = costs(text)
		whole = sum(by_file.values()) / calls
		above = sum(cost for file, cost in by_file.items() if "/kmod/" in file) / calls
		if not whole:
			sys.exit(f"post_cost.py: callgrind saw nothing of measured_{name}")
		print("ndk-bench: " + json.dumps({"library": name, "whole": round(whole, 1), "above": round(above, 1)}))


if __name__ == "__main__":
	main()
