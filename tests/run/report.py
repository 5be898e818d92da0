#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Adds up the results of test suites and prints what a person needs to know.

Reads NAME.tap (TAP or KTAP, also nested, also with kernel time stamps) from the results directory, and
suites.tsv, which check.sh writes: name, exit status, seconds, command.
Prints a table, every failure with the one command that repeats it, the reasons for skipping, and as
the last line `N passed, N failed, N skipped`.

Exit status 0 only if nothing failed and every suite named on the command line has at least one passed
test. A suite without results, one whose plan does not match, and one that ended with an error although
no test failed count as one failure each. With --partial (a narrowed run) a suite may be without passed
tests, but not all of them.

What a test says of its failure are the comments before its line, or if there are none, what follows it.
It can name the command that repeats it in such a comment: `# reproduce: COMMAND`.

`ok N - NAME # UNSTEADY REASON` is a test on a real device that failed, was run again several times and passed each
time. It is shown like a failure and counted as passed; more than a few in all suites together, or one with
NDK_STRICT=1, are failures.
"""

import argparse
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

STAMP = re.compile(r"^(\s*)\[\s*\d+\.\d+\]\s?")
RESULT = re.compile(r"^(\s*)(not )?ok\b\s*(\d+)?\s*(?:-\s*)?(.*)$")
PLAN = re.compile(r"^(\s*)1\.\.(\d+)\s*(?:#\s*(.*))?$")
UNSTEADY = re.compile(r"(?:^|\s)#\s*unsteady\b[:\s]*(.*)$", re.IGNORECASE)
DIRECTIVE = re.compile(r"(?:^|\s)#\s*(skip\w*|todo)\b[:\s]*(.*)$", re.IGNORECASE)
REPRODUCE = re.compile(r"^\s*#\s*reproduce:\s*(.+)$")
DETAIL_LINES = 12
MOST_UNSTEADY = 3


@dataclass
class Failure:
	name: str
	details: list = field(default_factory=list)
	command: str = ""
	explained: bool = False  # by comments before its line


@dataclass
class Suite:
	name: str
	passed: int = 0
	failures: list = field(default_factory=list)
	unsteady: list = field(default_factory=list)  # passed, but not at once
	skips: Counter = field(default_factory=Counter)
	seconds: float = 0.0
	command: str = ""
	status: int = 0

	@property
	def skipped(self):
		return sum(self.skips.values())

	def fail(self, name, details=(), command=""):
		failure = Failure(name, list(details), command or self.command)
		self.failures.append(failure)
		return failure


class Tap:
	"""One TAP stream. A result whose subtests were seen is their sum and is not counted again,
	unless it is a failure that none of them explains."""

	def __init__(self, suite):
		self.suite = suite
		self.points = {}   # indent -> results seen at it since the last shallower one
		self.plans = {}    # indent -> planned number
		self.failed_below = {}
		self.last = None
		self.before = []   # comments since the last result
		self.name = ""     # whose that was

	def feed(self, line):
		line = STAMP.sub(r"\1", line.rstrip("\n")).expandtabs()
		if line.lstrip().lower().startswith("bail out!"):
			self.last = self.suite.fail(line.strip())
		elif match := PLAN.match(line):
			self.plan(len(match[1]), int(match[2]), match[3] or "")
		elif match := RESULT.match(line):
			self.result(len(match[1]), bool(match[2]), match[4].strip())
		elif match := REPRODUCE.match(line):
			self.before.append(line.strip())
			if self.last and not self.last.explained:
				self.last.command = match[1].strip()
		elif line.strip():
			if line.lstrip().startswith("#"):
				self.before.append(line.strip())
			if self.last and not self.last.explained and len(self.last.details) < DETAIL_LINES:
				self.last.details.append(line.strip().removeprefix("# "))

	def explain(self, failure):
		"""With the comments before it."""
		for line in self.before:
			if match := REPRODUCE.match(line):
				failure.command = match[1].strip()
		said = [line.removeprefix("# ") for line in self.before if not REPRODUCE.match(line)]
		failure.details = said[-DETAIL_LINES:]
		failure.explained = bool(said)

	def plan(self, indent, count, text):
		self.plans[indent] = count
		if count == 0:
			directive = DIRECTIVE.search("# " + text)
			self.suite.skips[(directive and directive[2]) or "no reason given"] += 1
			self.points[indent] = 0

	def close_deeper(self, indent):
		"""Ends the subtests below; says whether there were any and whether one of them failed."""
		deeper = [i for i in set(self.points) | set(self.plans) if i > indent]
		failed = False
		for i in deeper:
			failed |= self.failed_below.pop(i, False)
			failed |= self.check_plan(i)
			self.points.pop(i, None)
			self.plans.pop(i, None)
		return bool(deeper), failed

	def check_plan(self, indent):
		planned, seen = self.plans.get(indent), self.points.get(indent, 0)
		if planned is None or planned == seen:
			return False
		self.suite.fail(f"planned {planned} tests, saw {seen}")
		return True

	def result(self, indent, failed, text):
		children, child_failed = self.close_deeper(indent)
		self.points[indent] = self.points.get(indent, 0) + 1
		self.last = None
		directive = DIRECTIVE.search(text)
		name = DIRECTIVE.sub("", text).strip() or f"test {self.points[indent]}"
		if failed:
			self.failed_below[indent] = True
			if not child_failed:
				self.last = self.suite.fail(name)
				self.explain(self.last)
		elif child_failed:
			self.failed_below[indent] = True
		elif directive and not children:
			self.suite.skips[directive[2].strip() or "no reason given"] += 1
		elif not children:
			self.suite.passed += 1
			if match := UNSTEADY.search(text):
				failure = Failure(f"{UNSTEADY.sub('', text).strip()} ({match[1]})", [], self.suite.command)
				self.explain(failure)
				self.suite.unsteady.append(failure)
		self.before = []
		self.name = name

	def end(self):
		self.close_deeper(0)
		if 0 not in self.plans:
			self.suite.fail("the results have no plan: the suite did not come to its end",
				[f"the last result is of {self.name}" if self.name else "there is no result"])
		else:
			self.check_plan(0)


def read_tap(path, suite):
	tap = Tap(suite)
	with open(path, encoding="utf-8", errors="replace") as lines:
		for line in lines:
			tap.feed(line)
	tap.end()


def read_runs(results):
	"""suites.tsv, if check.sh wrote one."""
	runs = {}
	path = results / "suites.tsv"
	if path.exists():
		for line in path.read_text().splitlines():
			name, status, seconds, command = line.split("\t", 3)
			runs[name] = (int(status), float(seconds), command)
	return runs


def end_of(status):
	if status == 124:
		return "ran out of its time"
	if status > 128:
		return f"was killed by signal {status - 128}"
	return f"ended with status {status}"


def read_suite(name, results, runs):
	suite = Suite(name)
	suite.status, suite.seconds, suite.command = runs.get(name, (0, 0.0, ""))
	path = results / f"{name}.tap"
	found = path.exists() and path.stat().st_size > 0
	if found:
		read_tap(path, suite)
	if suite.status != 0 and not suite.failures:
		suite.fail(f"{name} {end_of(suite.status)}", [f"its output: build/logs/{name}.log"])
	elif not found:
		suite.fail(f"{name} left no results", [f"its output: build/logs/{name}.log"])
	return suite


def print_table(suites):
	width = max([5] + [len(s.name) for s in suites])
	print(f"{'suite':<{width}} {'passed':>8} {'failed':>8} {'skipped':>8} {'seconds':>8}")
	for s in suites:
		print(f"{s.name:<{width}} {s.passed:>8} {len(s.failures):>8} {s.skipped:>8} {s.seconds:>8.1f}")


def print_failure(word, suite, failure):
	print(f"\n{word} {suite.name}: {failure.name}")
	for line in failure.details:
		print(f"   | {line}")
	if failure.command:
		print(f"   repeat it with: {failure.command}")


def print_failures(suites):
	for s in suites:
		for failure in s.unsteady:
			print_failure("UNSTEADY", s, failure)
	for s in suites:
		for failure in s.failures:
			print_failure("FAILED", s, failure)


def judge_unsteady(suites, strict):
	"""A few are a machine's bad moments, more are a defect; strictly, each is one. Returns how many there are."""
	number = sum(len(s.unsteady) for s in suites)
	for s in suites:
		if strict:
			s.passed -= len(s.unsteady)
			s.failures += s.unsteady
			s.unsteady = []
		elif number > MOST_UNSTEADY and s.unsteady:
			s.fail(f"{len(s.unsteady)} unsteady tests of {number} in all suites, more than {MOST_UNSTEADY}",
				[failure.name for failure in s.unsteady])
	return sum(len(s.unsteady) for s in suites)


def print_skips(suites):
	reasons = Counter()
	for s in suites:
		reasons.update(s.skips)
	if reasons:
		print("\nskipped because:")
		for reason, count in reasons.most_common():
			print(f"   {count:>5} x {reason}")


def main():
	parser = argparse.ArgumentParser(description="Adds up the results of test suites.")
	parser.add_argument("--results", type=Path, default=Path("build/results"))
	parser.add_argument("--partial", action="store_true", help="a suite may be without passed tests")
	parser.add_argument("expected", nargs="*", metavar="SUITE", help="suites that must have passed tests")
	args = parser.parse_args()
	if not args.results.is_dir():
		sys.exit(f"error: there are no results in {args.results}")

	runs = read_runs(args.results)
	names = list(dict.fromkeys([*args.expected, *sorted(path.stem for path in args.results.glob('*.tap'))]))
	suites = [read_suite(name, args.results, runs) for name in names]
	for suite in suites:
		if suite.name in args.expected and not suite.passed and not suite.failures and not args.partial:
			suite.fail("no test of this suite passed")

	unsteady = judge_unsteady(suites, bool(os.environ.get("NDK_STRICT")))
	passed = sum(s.passed for s in suites)
	failed = sum(len(s.failures) for s in suites)
	print_table(suites)
	print_failures(suites)
	print_skips(suites)
	if unsteady:
		print(f"\n{unsteady} of those that passed failed at first (see UNSTEADY above; NDK_STRICT=1 counts them as failed)")
	print(f"\n{passed} passed, {failed} failed, {sum(s.skipped for s in suites)} skipped")
	sys.exit(0 if failed == 0 and passed > 0 else 1)


if __name__ == "__main__":
	main()
