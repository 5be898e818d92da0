#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Runs a GoogleTest program as a suite: passes its output on and leaves build/results/NAME.tap.

usage: gtest.py NAME PROGRAM [ARGUMENT...]

Reads what the program prints while it runs and not a report written at its end, so that a crash
costs only the test it happened in, which is named. Failures carry the command that repeats them.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

RESULTS = Path("build/results")
RUN = re.compile(r"\[ RUN      \] (\S+)")
END = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] ([^\s,]+).* \(\d+ ms\)$")
SKIPPED = re.compile(r"^\S+:\d+: Skipped$")
DETAIL_LINES = 12


class Points:
	def __init__(self, out, program):
		self.out = out
		self.program = program
		self.count = 0

	def add(self, outcome, name, text):
		self.count += 1
		if outcome == "SKIPPED":
			reason = " ".join(line for line in text if not SKIPPED.match(line)) or "no reason given"
			print(f"ok {self.count} - {name} # SKIP {reason}", file=self.out)
			return
		print(f"{'ok' if outcome == 'OK' else 'not ok'} {self.count} - {name}", file=self.out)
		if outcome != "OK":
			for line in text[:DETAIL_LINES]:
				print(f"# {line}", file=self.out)
			print(f"# reproduce: {self.program} --gtest_filter={shlex.quote(name)}", file=self.out)


def read(stream, points):
	"""Feeds points from the output; returns the test that began and did not end, with its text."""
	name, text = None, []
	for line in stream:
		sys.stdout.write(line)
		line = line.rstrip()
		if match := RUN.search(line):
			name, text = match[1], []
		elif name and (match := END.search(line)) and match[2] == name:
			points.add(match[1], name, text)
			name = None
		elif name and line:
			text.append(line)
	return name, text


def main():
	if len(sys.argv) < 3:
		sys.exit("usage: gtest.py NAME PROGRAM [ARGUMENT...]")
	name, program = sys.argv[1], sys.argv[2:]
	RESULTS.mkdir(parents=True, exist_ok=True)
	try:
		child = subprocess.Popen([*program, "--gtest_color=no"], stdout=subprocess.PIPE,
			stderr=subprocess.STDOUT, text=True, errors="replace")
	except OSError as error:
		sys.exit(f"gtest.py: cannot run {program[0]}: {error.strerror}")
	with open(RESULTS / f"{name}.tap", "w", encoding="utf-8") as out:
		print("TAP version 13", file=out)
		points = Points(out, shlex.join(program))
		unended, text = read(child.stdout, points)
		status = child.wait()
		if unended:
			points.add("CRASHED", unended, [*text, f"the program ended with {status} in this test"])
		print(f"1..{points.count}" + ("" if points.count else " # SKIP no test has such a name"), file=out)
	sys.exit(128 - status if status < 0 else status)


if __name__ == "__main__":
	main()
