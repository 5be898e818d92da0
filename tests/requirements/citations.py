# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Where the sources cite rules: places in the code, and claims of tests.

A citation is a known prefix, a hyphen and a number, with no letter, digit, underscore or
hyphen touching it on either side ("T-CQ-05" and "GNU-8" are none). It may go on as a range
("CONN-11..14", "REQ-5..REQ-9") or a list ("CMPL-3/4"). Citations count in comments and in
string literals, since the state tables carry their rule ids as strings; identifiers and
other code are not looked at.

Code means kmod and harness. Tests claim rules through NDK_CASE and NDK_COVERS only; what
else tests and tools cite is merely checked for being known.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

CODE = ("kmod", "harness")
CHECKED = ("kmod", "harness", "tools", "tests")
EXCLUDED = Path("tests/requirements")
CASES = Path("tests/conformance")   # tests of the monitors, which claim nothing, are declared beside the cases
TESTS = Path("tests")
SUFFIXES = (".c", ".h", ".cc", ".cpp", ".hpp")

TOKEN = re.compile(r"""
	  (?P<comment> //[^\n]* | /\*.*?(?:\*/|\Z) )
	| (?P<raw> R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)" )
	| (?P<string> "(?:\\.|[^"\\\n])*" )
	| (?P<char> '(?:\\.|[^'\\\n])+' )
	| (?P<number> \b[0-9][\w.']* )
""", re.VERBOSE | re.DOTALL)

NUMBERED = re.compile(r"[A-Z]+-\d+")
LITERALS = r'((?:"(?:\\.|[^"\\\n])*"[\s,]*)+)'
CASE = re.compile(r"\bNDK_CASE\s*\(\s*(\w+)\s*,\s*" + LITERALS.replace(r"[\s,]", r"\s"))
TEST = re.compile(r"\b(?:TYPED_)?TEST(?:_[FP])?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")
COVERS = re.compile(r"\bNDK_COVERS\s*\(\s*" + LITERALS + r"\)")


@dataclass
class Citations:
	code: dict = field(default_factory=dict)	# rule id -> ["file:line"]
	claims: dict = field(default_factory=dict)	# rule id -> [test name]
	tests: dict = field(default_factory=dict)	# test name -> "file:line"
	problems: list = field(default_factory=list)


def citation_pattern(prefixes):
	prefix = "(?:" + "|".join(sorted(prefixes, key=len, reverse=True)) + ")"
	return re.compile(rf"(?<![\w-])(?P<prefix>{prefix})-(?P<first>\d+)"
			  rf"(?:\.\.(?:{prefix}-)?(?P<last>\d+)|(?P<list>(?:/\d+)+))?(?![\w-])")


def blank(text):
	return re.sub(r"[^\n]", " ", text)


def only_prose(text):
	"""The text with everything but comments and string literals blanked; lines keep their numbers."""
	parts, end = [], 0
	for token in TOKEN.finditer(text):
		parts.append(blank(text[end:token.start()]))
		if token["comment"] or token["raw"]:
			parts.append(token[0])
		elif token["string"]:
			parts.append(re.sub(r"\\.", "  ", token[0], flags=re.DOTALL))
		else:
			parts.append(blank(token[0]))
		end = token.end()
	return "".join(parts) + blank(text[end:])


def only_code(text):
	"""The text with its comments blanked."""
	return TOKEN.sub(lambda token: blank(token[0]) if token["comment"] else token[0], text)


def line_of(text, position):
	return text.count("\n", 0, position) + 1


def cited_ids(match, rules):
	"""(known ids, unknown ids) of one citation. Retired numbers inside a range are no mistake."""
	prefix, first = match["prefix"], match["first"]
	wanted = [first] + (match["list"] or "").split("/")[1:]
	if match["last"]:
		wanted.append(match["last"])
	ids = [f"{prefix}-{number}" for number in wanted]
	unknown = [rule_id for rule_id in ids if rule_id not in rules]
	if match["last"]:
		inner = range(int(first) + 1, int(match["last"]))
		ids += [f"{prefix}-{number}" for number in inner]
	return [rule_id for rule_id in ids if rule_id in rules], unknown


def source_files(root, top):
	for path in sorted((root / top).rglob("*")):
		if path.suffix in SUFFIXES and path.is_file() and EXCLUDED not in path.relative_to(root).parents:
			yield path


def read(path):
	return path.read_text(encoding="utf-8", errors="replace")


def scan_places(root, rules, pattern, found):
	for top in CHECKED:
		for path in source_files(root, top):
			name = path.relative_to(root).as_posix()
			prose = only_prose(read(path))
			for match in pattern.finditer(prose):
				where = f"{name}:{line_of(prose, match.start())}"
				known, unknown = cited_ids(match, rules)
				for rule_id in unknown:
					found.problems.append(f"{where}: unknown rule '{rule_id}'")
				for rule_id in known if top in CODE else ():
					places = found.code.setdefault(rule_id, [])
					if where not in places:
						places.append(where)


def claimed_ids(literals):
	"""The words of the literals: adjacent ones are joined as C does it, a comma separates."""
	parts = re.findall(r'"((?:\\.|[^"\\])*)"|(,)', literals)
	text = "".join(" " if comma else part for part, comma in parts)
	return [word for word in re.split(r"[\s,;]+", text) if word]


def add_claims(found, database, test, literals, where):
	for word in claimed_ids(literals):
		if word in database.rules:
			claims = found.claims.setdefault(word, [])
			if test not in claims:
				claims.append(test)
		elif not NUMBERED.fullmatch(word) or word.split("-")[0] not in database.prefixes:
			# Unknown numbers of known prefixes were found by scan_places().
			found.problems.append(f"{where}: {test}: '{word}' is not a rule id")


def add_test(found, test, where):
	if test in found.tests:
		found.problems.append(f"{where}: {test} is declared at {found.tests[test]} already")
	found.tests.setdefault(test, where)


def scan_cases(root, database, found):
	for path in source_files(root, CASES):
		code, name = only_code(read(path)), path.relative_to(root).as_posix()
		for match in CASE.finditer(code):
			where = f"{name}:{line_of(code, match.start())}"
			add_test(found, match[1], where)
			add_claims(found, database, match[1], match[2], where)


def scan_googletests(root, database, found):
	for path in source_files(root, TESTS):
		code, name = only_code(read(path)), path.relative_to(root).as_posix()
		tests = [(match.start(), f"{match[1]}.{match[2]}") for match in TEST.finditer(code)]
		for position, test in tests:
			add_test(found, test, f"{name}:{line_of(code, position)}")
		for match in COVERS.finditer(code):
			where = f"{name}:{line_of(code, match.start())}"
			before = [test for position, test in tests if position < match.start()]
			if before:
				add_claims(found, database, before[-1], match[1], where)
			else:
				found.problems.append(f"{where}: NDK_COVERS stands outside of a TEST")


def scan(root, database):
	root, found = Path(root), Citations()
	scan_places(root, database.rules, citation_pattern(database.prefixes), found)
	scan_cases(root, database, found)
	scan_googletests(root, database, found)
	return found
