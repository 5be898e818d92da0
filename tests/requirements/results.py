# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Test results: reads build/results/*.tap, one file per place, TAP or KTAP.

Lines may carry what a kernel log puts in front of them: a level, a timestamp, a thread, the
name of the module. A test that ran more than once in a file counts as failed if any run
failed, as skipped if all were skipped. A file with fewer results than its plan announces
was cut short, which is a problem in itself.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

DIRECTORY = Path("build/results")
COMMAND = "make check"

PREFIX = re.compile(r"^(?:<\d+>)?(?:\[\s*\d+\.\d+\]\s?)?(?:\[\s*[TC]\d+\]\s?)?(?:[A-Za-z_][\w-]*: ?)?")
RESULT = re.compile(r"^(?P<not>not )?ok\s+\d+\s+(?:-\s+)?(?P<name>[^\s#]+)(?P<rest>.*)$")
SKIP = re.compile(r"(?:^|\s)#\s*SKIP\b:?\s*(?P<reason>.*)$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#.*)?$")
GOOGLETEST = re.compile(r"(?:\w+/)?(\w+)(?:/\w+)?\.(\w+)(?:/.*)?")

PASS, FAIL, SKIPPED = "pass", "fail", "skip"


@dataclass
class Place:
	name: str
	outcome: dict = field(default_factory=dict)	# test name -> PASS, FAIL or SKIPPED
	reasons: dict = field(default_factory=dict)	# test name -> why it was skipped
	planned: dict = field(default_factory=dict)	# indentation -> results announced
	seen: dict = field(default_factory=dict)	# indentation -> results read
	last: str = ""
	bailed_out: str = ""

	def problem(self):
		if self.bailed_out:
			return f"{self.name}: {self.bailed_out}"
		for indent, planned in self.planned.items():
			if self.seen.get(indent, 0) != planned:
				return (f"{self.name}: the plan announces {planned} results, {self.seen.get(indent, 0)} "
					f"are there, the last one of {self.last or 'no test'}")
		if not self.planned:
			return f"{self.name}: no plan line (1..N), so nobody can tell whether the run was complete"
		return ""


def base_name(name):
	"""The declared name: parameters and types of a GoogleTest are not part of it."""
	name = name.rstrip(":,")
	match = GOOGLETEST.fullmatch(name)
	return f"{match[1]}.{match[2]}" if match else name


def take_result(place, match, indent):
	name = base_name(match["name"])
	skip = SKIP.search(match["rest"])
	outcome = FAIL if match["not"] else SKIPPED if skip else PASS
	rank = (SKIPPED, PASS, FAIL)
	before = place.outcome.get(name, SKIPPED)
	place.outcome[name] = max(before, outcome, key=rank.index)
	if outcome == SKIPPED:
		place.reasons[name] = skip["reason"].strip() or "no reason given"
	place.seen[indent] = place.seen.get(indent, 0) + 1
	place.last = name


def parse(name, text):
	place = Place(name)
	for line in text.splitlines():
		line = PREFIX.sub("", line.rstrip(), count=1).expandtabs()
		body = line.lstrip()
		indent = len(line) - len(body)
		result, plan = RESULT.match(body), PLAN.match(body)
		if result:
			take_result(place, result, indent)
		elif plan:
			place.planned[indent] = place.planned.get(indent, 0) + int(plan[1])
		elif body.startswith("Bail out!"):
			place.bailed_out = body
	return place


def load(directory):
	directory = Path(directory)
	return {path.stem: parse(path.stem, path.read_text(encoding="utf-8", errors="replace"))
		for path in sorted(directory.glob("*.tap"))}


def missing(root, directory, place):
	path = Path(directory) / f"{place}.tap"
	if path.is_relative_to(root):
		path = path.relative_to(root)
	return f"no results of {place}: {path} is missing (run: {COMMAND})"
