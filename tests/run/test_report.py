#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Tests of how verdicts are reached: of report.py, and of conformance cases that are run again.

Needs build/bin/ndk_conformance. What it prints and its exit status are unittest's.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = "transfer_nothing,transfer_gather_scatter"


def conformance(*options):
	environment = {**os.environ, "NDK_FILTER": ""}
	done = subprocess.run([ROOT / "build/bin/ndk_conformance", "--filter", CASES, *options], env=environment,
		stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
	return done.returncode, done.stdout


def report(strict="", **suites):
	"""Of results NAME=TEXT: exit status and output."""
	with tempfile.TemporaryDirectory() as directory:
		for name, text in suites.items():
			Path(directory, f"{name}.tap").write_text(text)
		done = subprocess.run([sys.executable, ROOT / "tests/run/report.py", "--results", directory, *suites],
			env={**os.environ, "NDK_STRICT": strict}, stdout=subprocess.PIPE, text=True, check=False)
	return done.returncode, done.stdout


def last_line(output):
	return output.rstrip().splitlines()[-1]


def unsteady(count):
	"""A suite of one steady test and so many that were not."""
	lines = ["ok 1 - firm"]
	for i in range(count):
		lines += [f"# leave.c:4{i}: the reason", "# reproduce: make again", f"ok {i + 2} - shaky{i} # UNSTEADY it failed once"]
	return "\n".join([f"1..{count + 1}", *lines, ""])


class Report(unittest.TestCase):
	def test_counts(self):
		status, said = report(a="1..3\nok 1 - x\nok 2 - y # SKIP no device\nok 3 - z\n")
		self.assertEqual((status, last_line(said)), (0, "2 passed, 0 failed, 1 skipped"))
		self.assertIn("1 x no device", said)

	def test_failure_names_its_command(self):
		status, said = report(a="1..1\n# why.c:7: it is 3, not 4\n# reproduce: make x\nnot ok 1 - x\n")
		self.assertEqual((status, last_line(said)), (1, "0 passed, 1 failed, 0 skipped"))
		self.assertIn("FAILED a: x\n   | why.c:7: it is 3, not 4\n   repeat it with: make x", said)

	def test_what_is_missing_fails(self):
		for text in ("1..2\nok 1 - x\n", "ok 1 - x\n", "1..1\nok 1 - x\nBail out! gone\n", ""):
			self.assertEqual(report(a=text)[0], 1, text)

	def test_unsteady_is_shown_and_passes(self):
		status, said = report(a=unsteady(2))
		self.assertEqual((status, last_line(said)), (0, "3 passed, 0 failed, 0 skipped"))
		self.assertIn("UNSTEADY a: shaky1 (it failed once)\n   | leave.c:41: the reason\n   repeat it with: make again", said)
		self.assertIn("2 of those that passed failed at first", said)

	def test_many_unsteady_fail(self):
		status, said = report(a=unsteady(2), b=unsteady(2))
		self.assertEqual((status, last_line(said)), (1, "6 passed, 2 failed, 0 skipped"))

	def test_strictly_unsteady_fails(self):
		status, said = report("1", a=unsteady(1))
		self.assertEqual((status, last_line(said)), (1, "1 passed, 1 failed, 0 skipped"))
		self.assertIn("FAILED a: shaky0", said)


class Again(unittest.TestCase):
	def test_fails_without_confirmation(self):
		status, said = conformance("--trip", "1")
		self.assertEqual(status, 1)
		self.assertIn("# 0 passed, 2 failed, 0 skipped", said)

	def test_fails_once(self):
		status, said = conformance("--trip", "1", "--confirm", "5")
		self.assertEqual(status, 0, said)
		self.assertIn("transfer_nothing # UNSTEADY it failed once, then passed 5 times", said)
		self.assertIn("# runner: fails on purpose", said)
		self.assertIn("# 2 of those that passed were unsteady", said)

	def test_fails_again(self):
		for trip in ("2", "6", "100"):
			status, said = conformance("--trip", trip, "--confirm", "5")
			self.assertEqual(status, 1)
			self.assertIn("# 0 passed, 2 failed, 0 skipped", said)
			self.assertNotIn("UNSTEADY", said)


if __name__ == "__main__":
	unittest.main()
