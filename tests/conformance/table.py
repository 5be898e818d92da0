#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""The table of Documentation/conformance.md: every T-id, what shows it, and where that runs.

Read from the sources: cases from NDK_CASE in cases/*.c, the rest from the titles of the scripts below.
Tests of the core name ids in comments. Nothing is built for it, so it can be made and checked anywhere.

usage: table.py            writes the table anew
       table.py --check    prints TAP: the table is that of the sources, every id has something to show
                           it, and no title names an id that there is not
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Documentation/conformance.md"
BEGIN = "<!-- tests/conformance/table.py writes from here -->"
END = "<!-- to here -->"

# area: how many ids, and what it is about
AREAS = {
	"AD": (11, "Adapter, versions, limits"),
	"MM": (20, "Protection domains, memory regions, memory windows"),
	"CQ": (16, "Completion queues"),
	"QP": (15, "Queue pairs and posting"),
	"SQ": (8, "Shared receive queues"),
	"LS": (14, "Listeners"),
	"CN": (26, "Connectors"),
	"SE": (6, "Shared endpoints"),
	"LC": (16, "Lifetime and close"),
	"DP": (18, "Data path"),
	"FT": (13, "Faults and time"),
	"DR": (9, "Device removal and disabling"),
	"UA": (14, "What users see: listings, counters, tools, permissions"),
}
PLACES = {"NDK_ON_S": "S", "NDK_ON_T": "T", "NDK_ON_K": "K", "NDK_ON_ALL": "S T K", "NDK_ON_FABRIC": "S T",
	  "NDK_ON_OFFERED": "S T (K)"}
# Files whose titles of tests name ids, and where those tests run.
SCRIPTS = (
	("tests/kmod/*.guest.sh", "K"),
	("tests/tools/*.sh", "S T"),
	("tests/conformance/seeds.sh", "S"),
	("tests/conformance/compare.py", "K"),
	("tests/core/*_test.cpp", "core"),
	("tests/run/*.sh", "host"),
)

ID = re.compile(r"\bT-([A-Z]{2})-(\d{2})\b")
CASE = re.compile(r'NDK_CASE\(\s*(\w+),\s*(?:"[^"]*"\s*)+,\s*([\w |]+?),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)\s*\{(?=(.{0,400}))', re.S)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
SKIPS = re.compile(r'\s*SKIP\((?:"([^"]*)"|(\w+))\);\s*\}', re.S)
DEFINED = re.compile(r'#define (\w+) "([^"]*)"')
COMMENT_TITLE = re.compile(r"(?:\* |// ?)(T-[A-Z]{2}-\d{2}[^\n]*)")
# What a script prints is a title if it passed; how it fails or is skipped is no other test.
PASSED = re.compile(r"^ok \$?\w+ - ")
NO_TITLE = re.compile(r"^not ok\b|# SKIP")
SCRIPT_TITLE = re.compile(r'''["']([^"'\n]*\bT-[A-Z]{2}-\d{2}\b[^"'\n]*)["']''')


@dataclass
class Shown:
	name: str    # of the case, or the file
	places: str
	title: str
	missing: str = ""    # why it is skipped everywhere


def unquote(text):
	return "".join(STRING.findall(text)).replace('\\"', '"')


def places_of(expression):
	names = " ".join(PLACES[part.strip()] for part in expression.split("|")).split()
	return " ".join(sorted(set(names), key=lambda name: "STK".index(name.strip("()"))))


def cases():
	for path in sorted((ROOT / "tests/conformance/cases").glob("*.c")):
		text = path.read_text()
		words = dict(DEFINED.findall(text))
		for name, where, title, body in CASE.findall(text):
			skip = SKIPS.match(body)
			reason = (skip[1] or words.get(skip[2], skip[2])) if skip else ""
			yield Shown(name, places_of(where), unquote(title), reason)


def scripts():
	for pattern, places in SCRIPTS:
		for path in sorted(ROOT.glob(pattern)):
			name = f"[{path.name}](../{path.relative_to(ROOT)})"
			titles = COMMENT_TITLE if path.suffix == ".cpp" else SCRIPT_TITLE
			for title in titles.findall(path.read_text()):
				title = PASSED.sub("", title)
				if not NO_TITLE.search(title) and bare(title):
					yield Shown(name, places, title)


def collect():
	"""id -> what shows it, and the titles with ids that there are not."""
	table = {f"T-{area}-{n:02}": [] for area, (count, _) in AREAS.items() for n in range(1, count + 1)}
	unknown = []
	for shown in [*cases(), *scripts()]:
		for match in ID.finditer(shown.title):
			if match[0] in table:
				table[match[0]].append(shown)
			else:
				unknown.append(f"{shown.name}: {match[0]}")
	return table, unknown


def bare(title):
	"""The title without ids, escapes of the shell, and places of insertion."""
	text = ID.sub("", title)
	text = re.sub(r"%-?\d*\w+.*|\$\{?\w+[^ ]*|\\n", "", text)
	return re.sub(r"\s+", " ", text).strip(" :").replace("|", "\\|")


def rows(table):
	for area, (_, subject) in AREAS.items():
		yield f"\n### {area}: {subject}\n"
		yield "| Id | Shown by | Where | What it shows |"
		yield "|---|---|---|---|"
		for ident in (key for key in table if key.startswith(f"T-{area}-")):
			seen = set()
			for shown in table[ident]:
				note = f"not yet: {shown.missing}" if shown.missing else bare(shown.title)
				row = f"| {ident} | {shown.name} | {'-' if shown.missing else shown.places} | {note} |"
				if row not in seen:
					seen.add(row)
					yield row


def page_with(table):
	text = PAGE.read_text()
	before, rest = text.split(BEGIN, 1)
	_, after = rest.split(END, 1)
	shown = sum(1 for entries in table.values() if any(not e.missing for e in entries))
	waiting = [ident for ident, entries in table.items() if entries and all(e.missing for e in entries)]
	head = f"\n\n{len(table)} ids, {shown} shown"
	head += f"; waiting for what does not exist yet: {', '.join(waiting)}.\n" if waiting else ".\n"
	return before + BEGIN + head + "\n".join(rows(table)) + "\n\n" + END + after


def check(table, unknown):
	tests = (
		("T-table: the page says what the sources say", [] if PAGE.read_text() == page_with(table) else
			["Documentation/conformance.md is stale; write it anew with tests/conformance/table.py"]),
		("T-table: every id is named by a test", [ident for ident, entries in table.items() if not entries]),
		("T-table: every id that is named exists", unknown),
	)
	print("TAP version 13")
	print(f"1..{len(tests)}")
	for number, (title, problems) in enumerate(tests, 1):
		print(f"{'not ok' if problems else 'ok'} {number} - {title}")
		for problem in problems[:40]:
			print(f"# {problem}")
	return any(problems for _, problems in tests)


def main():
	table, unknown = collect()
	if sys.argv[1:] == ["--check"]:
		sys.exit(check(table, unknown))
	if sys.argv[1:]:
		sys.exit(__doc__)
	PAGE.write_text(page_with(table))


if __name__ == "__main__":
	main()
