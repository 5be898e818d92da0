#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""House style as a test: looks at every file of the tree that git knows or would take.

Each rule below is one test of the TAP output; what breaks it is listed with file and line. Every rule
has a sample in samples.py that must break it, and one that must not, checked on every run, so that
no rule can fall silent. Rule ids in comments are the business of tests/requirements.

usage: tidy.py [--root DIRECTORY]
"""

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True

import c_source  # noqa: E402
import samples  # noqa: E402

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
SHOWN = 40

LICENSES = (
	"SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)",
	"SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)",
)
C_SUFFIXES = {".c", ".h", ".cc", ".cpp", ".hpp"}
# Texts of others, and expected output that must be what a program prints.
EXEMPT = ("LICENSES/", "tests/golden/")
# Assigning a state is for the step functions; so the name of the file must say `step`.
STEP_FILE = re.compile(r"^kmod/core/[^/]*step[^/]*$")
STATE_WRITE = re.compile(r"->\s*state\s*(?:=(?!=)|\+\+|--|[|&^+-]=)")
VERSION_CHECK = re.compile(r"\b(?:LINUX_VERSION_CODE|KERNEL_VERSION|RHEL_RELEASE_CODE)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)"|(.*))', re.MULTILINE)
LEFTOVER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
TAP_DIRECTIVE = re.compile(r"\bok \d+\b[^#]*# TO" + r"DO\b")   # the word as test results use it


@dataclass
class Source:
	path: str   # relative to the root, with slashes
	text: str
	lines: list = field(init=False)
	code: str = field(init=False)   # C and C++: without comments and the insides of strings

	def __post_init__(self):
		self.lines = self.text.splitlines()
		self.code = c_source.strip(self.text) if self.is_c else ""

	@property
	def is_c(self):
		return Path(self.path).suffix in C_SUFFIXES


def line_of(text, position):
	return text.count("\n", 0, position) + 1


def matches(source, pattern, message):
	for match in pattern.finditer(source.code):
		yield line_of(source.code, match.start()), message


def core_includes(source, paths):
	"""kmod/core includes only <ndkpi/...> and its own headers"""
	if not source.is_c or not source.path.startswith("kmod/core/"):
		return
	# The names of headers are strings to strip(), hence the text here; the code only tells comments.
	for match in INCLUDE.finditer(source.text):
		if "include" not in source.code[match.start():match.end()]:
			continue
		line = line_of(source.text, match.start(0) + len(match[0]) - len(match[0].lstrip()))
		system, own, other = match.groups()
		if system and not re.fullmatch(r"ndkpi/[\w.]+", system):
			yield line, f"<{system}> is not for the core"
		elif own and f"kmod/core/{own}" not in paths:
			yield line, f'"{own}" is not a header of the core'
		elif other and not re.fullmatch(r"NDK_\w+\s*", other):
			yield line, f"include of {other.strip()}"


def version_checks(source, _paths):
	"""kernel versions are compared in kmod/compat only"""
	if source.is_c and not source.path.startswith("kmod/compat/"):
		yield from matches(source, VERSION_CHECK, "kernel version check outside kmod/compat")


def state_writes(source, _paths):
	"""->state is written by the step functions of kmod/core only"""
	if source.is_c and source.path.startswith(("kmod/", "harness/")) and not STEP_FILE.match(source.path):
		yield from matches(source, STATE_WRITE, "->state written outside kmod/core/*step*")


def file_length(source, _paths):
	"""no file has more than 800 lines"""
	if len(source.lines) > MAX_FILE_LINES:
		yield len(source.lines), f"{len(source.lines)} lines, {MAX_FILE_LINES} are allowed"


def function_length(source, _paths):
	"""no C or C++ function has more than 70 lines"""
	if source.is_c:
		for name, first, last in c_source.functions(source.code):
			if last - first + 1 > MAX_FUNCTION_LINES:
				yield first, f"{name} has {last - first + 1} lines, {MAX_FUNCTION_LINES} are allowed"


def license_line(source, _paths):
	"""every file starts with its license line"""
	# A second line is allowed to scripts for their #! and to formats that must begin otherwise.
	head = source.lines[:2]
	if source.text and not any(text in line for line in head for text in LICENSES):
		yield 1, "no license line of the project in the first two lines"


def leftovers(source, _paths):
	"""nothing is left for later"""
	for number, line in enumerate(source.lines, 1):
		if match := LEFTOVER.search(TAP_DIRECTIVE.sub("", line)):
			yield number, match[0]


def plain_ascii(source, _paths):
	"""sources are plain ASCII"""
	for number, line in enumerate(source.lines, 1):
		if not line.isascii():
			strange = next(c for c in line if not c.isascii())
			yield number, f"U+{ord(strange):04X}"


RULES = (core_includes, version_checks, state_writes, file_length, function_length, license_line,
	 leftovers, plain_ascii)


def tree_files(root):
	"""What git tracks or would track, so that build results are left alone."""
	listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "-c", "-o", "--exclude-standard"],
		capture_output=True, check=False)
	if listed.returncode == 0:
		names = [name for name in listed.stdout.decode().split("\0") if name]
	else:
		names = [str(path.relative_to(root)) for path in root.rglob("*")
			 if not str(path.relative_to(root)).startswith(("build", ".git/"))]
	return sorted({name for name in names if (root / name).is_file() and not name.startswith(EXEMPT)})


def read_tree(root):
	sources = []
	for name in tree_files(root):
		data = (root / name).read_bytes()
		if b"\0" not in data:
			sources.append(Source(name, data.decode("utf-8", errors="replace")))
	return sources


def findings(rule, sources):
	paths = {source.path for source in sources}
	return [(source.path, line, message) for source in sources for line, message in rule(source, paths)]


def judge_samples(rule):
	"""Problems with the rule itself: a bad sample it accepts, a good one it does not."""
	for kind, wanted in (("bad", True), ("good", False)):
		for path, text in samples.of(rule.__name__, kind):
			if bool(findings(rule, [Source(path, text), *samples.headers(Source)])) != wanted:
				yield path, 0, f"the rule {'misses a bad' if wanted else 'refuses a good'} sample: {text[:60]!r}"


def self_check_of_listing():
	"""the tree is listed without build results"""
	with tempfile.TemporaryDirectory() as directory:
		root = Path(directory)
		(root / "build").mkdir()
		(root / "build" / "x.c").write_text("x")
		(root / "y.c").write_text("y")
		if tree_files(root) != ["y.c"]:
			yield "tests/tidy/tidy.py", 0, f"listed {tree_files(root)}"


def show(number, title, problems):
	print(f"{'not ok' if problems else 'ok'} {number} - {title}")
	for path, line, message in problems[:SHOWN]:
		print(f"# {path}:{line}: {message}")
	if len(problems) > SHOWN:
		print(f"# ... and {len(problems) - SHOWN} more")


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
	root = parser.parse_args().root
	sources = read_tree(root)
	if not sources:
		sys.exit(f"tidy.py: no files in {root}")
	print("TAP version 13")
	print(f"1..{2 * len(RULES) + 1}")
	failed = False
	tests = [("tidy: " + rule.__doc__, findings(rule, sources)) for rule in RULES]
	tests += [(f"tidy: samples of {rule.__name__}", list(judge_samples(rule))) for rule in RULES]
	tests.append((f"tidy: {self_check_of_listing.__doc__}", list(self_check_of_listing())))
	for number, (title, problems) in enumerate(tests, 1):
		show(number, title, problems)
		failed |= bool(problems)
	print(f"# {len(sources)} files")
	sys.exit(1 if failed else 0)


if __name__ == "__main__":
	main()
