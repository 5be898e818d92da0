#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Tests of requirements.py: each builds a small source tree and runs the command on it."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import citations  # noqa: E402
import database  # noqa: E402
import requirements  # noqa: E402
import results  # noqa: E402

RULES = """
[[rule]]
id = "CONN-1"
source = "PAGE"
text = "First."
[[rule]]
id = "CONN-13"
source = "PAGE"
text = "Thirteenth."
[[rule]]
id = "U-8"
source = "PAGE"
text = "Eighth."
exception = "The consumer's business."
"""
SEED = """
[[row]]
number = 1
id = "S1-01"
seed = "S1"
title = "one"
rules = ["CONN-1", "CONN-13"]
[[row]]
number = 2
id = "S1-02"
seed = "S1+S3"
title = "two"
rules = ["CONN-1"]
"""
SLOTS = """
[[slot]]
slot = "NdkCreateSrq"
table = "NDK_PD_DISPATCH"
reason = "Not built yet."
"""
CASES = """
/* NDK_CASE(commented_out, "U-8", NDK_ON_ALL, "must not be seen as a case") is CONN-1 */
NDK_CASE(conn_one, "CONN-1", NDK_ON_ALL, "first")
{
}
NDK_CASE(conn_refused,
	 "CONN-13 "
	 "CONN-1",
	 NDK_ON_ALL, "second")
{
}
"""
GOOD = "TAP version 13\n1..2\nok 1 - conn_one\nok 2 - conn_refused\n"
KERNEL = """<6>[    1.234567] ndk_conformance: KTAP version 1
[    1.234570] ndk_conformance: 1..2
[   12.345678][  T123] ndk_conformance: ok 1 conn_one\r
[   12.345679] something: else entirely
[   13.000000] ndk_conformance: ok 2 conn_refused # time 3 ms
"""


class Tree(unittest.TestCase):
	def setUp(self):
		directory = tempfile.TemporaryDirectory()
		self.addCleanup(directory.cleanup)
		self.root = Path(directory.name)
		self.write("Documentation/requirements/connect.toml", RULES)
		self.write("Documentation/requirements/seed.toml", SEED)
		self.write("Documentation/requirements/places.toml", "")
		self.write("Documentation/requirements/slots.toml", SLOTS)
		self.write("tests/conformance/cases/connect.c", CASES)
		self.write("kmod/connect.c", "/* Reasons: CONN-1, CONN-13. */\nint f(void);\n")
		for place in ("fabric-ib", "fabric-iwarp"):
			self.write(f"build/results/{place}.tap", GOOD)
		self.write("build/results/kernel-rxe.tap", KERNEL)

	def write(self, name, text):
		path = self.root / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text, encoding="utf-8")

	def run_tool(self, *words):
		out, err = io.StringIO(), io.StringIO()
		with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
			status = requirements.main([*words, "--root", str(self.root)])
		return status, out.getvalue() + err.getvalue()

	def run_json(self, *words):
		status, text = self.run_tool(*words, "--json")
		return status, json.loads(text)


class Seed(Tree):
	def test_all_rows_satisfied(self):
		status, text = self.run_tool("seed")
		self.assertEqual(status, 0, text)
		self.assertIn("2 of 2 rows satisfied", text.splitlines()[-1])
		self.assertNotIn("LACKING", text)
		self.assertIn("NdkCreateSrq", text)

	def test_lines_fit_120_columns(self):
		self.write("Documentation/requirements/seed.toml", SEED.replace('"one"', '"' + "long words " * 20 + '"'))
		cases = "".join(f'NDK_CASE(a_case_with_quite_a_long_name_{n}, "CONN-1", X, "t")\n' for n in range(40))
		self.write("tests/conformance/cases/more.c", cases)
		for command in ("seed", "all", "slots"):
			_, text = self.run_tool(command)
			self.assertLessEqual(max(map(len, text.splitlines())), 120, command)

	def test_failing_test_fails_the_row(self):
		self.write("build/results/fabric-iwarp.tap", GOOD.replace("ok 2", "not ok 2"))
		status, report = self.run_json("seed")
		self.assertEqual(status, 1)
		self.assertEqual([row["satisfied"] for row in report["rows"]], [False, False])
		self.assertIn("CONN-13: conn_refused fails on fabric-iwarp", report["rows"][0]["lacks"])

	def test_failure_on_another_place_counts(self):
		self.write("build/results/threads-ib.tap", "1..1\nnot ok 1 - conn_refused\n")
		status, report = self.run_json("seed")
		self.assertEqual(status, 1)
		self.assertIn("CONN-13: conn_refused fails on threads-ib", report["rows"][0]["lacks"])

	def test_one_failing_run_outweighs_a_passing_one(self):
		self.write("build/results/fabric-ib.tap", "1..3\nnot ok 1 - conn_one\nok 2 - conn_one\nok 3 conn_refused\n")
		self.assertEqual(self.run_tool("seed")[0], 1)

	def test_skipped_is_not_passed(self):
		self.write("build/results/kernel-rxe.tap", "1..2\nok 1 conn_one\nok 2 conn_refused # SKIP no second port\n")
		status, report = self.run_json("seed")
		self.assertEqual(status, 1)
		self.assertEqual(report["rows"][0]["lacks"],
				 ["CONN-13: no passing test on kernel-rxe (conn_refused is skipped: no second port)"])
		self.assertTrue(report["rows"][1]["satisfied"])

	def test_test_that_did_not_run_is_not_passed(self):
		self.write("build/results/kernel-rxe.tap", "1..1\nok 1 conn_one\n")
		_, report = self.run_json("seed")
		self.assertEqual(report["rows"][0]["lacks"],
				 ["CONN-13: no passing test on kernel-rxe (none of its tests ran there)"])

	def test_case_in_a_comment_is_no_test(self):
		self.write("Documentation/requirements/seed.toml", SEED.replace('"CONN-13"', '"U-8"'))
		_, report = self.run_json("seed")
		self.assertEqual(report["rows"][0]["lacks"], ["U-8: no test claims it"])

	def test_rule_without_test(self):
		self.write("tests/conformance/cases/connect.c", 'NDK_CASE(conn_one, "CONN-1", NDK_ON_ALL, "t")\n')
		_, report = self.run_json("seed")
		self.assertEqual(report["rows"][0]["lacks"], ["CONN-13: no test claims it"])
		self.assertTrue(any("no test is declared by the name of conn_refused" in notice
				    for notice in report["notices"]))

	def test_missing_results_name_the_command(self):
		(self.root / "build/results/kernel-rxe.tap").unlink()
		status, text = self.run_tool("seed")
		self.assertEqual(status, 1)
		self.assertIn("no results of kernel-rxe: build/results/kernel-rxe.tap is missing (run: make check)", text)
		self.assertIn("CONN-1: no results of kernel-rxe", text)

	def test_truncated_results(self):
		for text in ("1..9\nok 1 conn_one\nok 2 conn_refused\n", "ok 1 conn_one\nok 2 conn_refused\n",
			     GOOD + "Bail out! fabric is gone\n"):
			self.write("build/results/fabric-ib.tap", text)
			status, report = self.run_json("seed")
			self.assertEqual(status, 1, text)
			self.assertEqual(len(report["problems"]), 1, text)
			self.assertTrue(report["problems"][0].startswith("fabric-ib: "))


class PlaceExceptions(Tree):
	EXCEPTION = '[[exception]]\nrule = "CONN-13"\nplace = "kernel-rxe"\nreason = "No such network."\n'

	def setUp(self):
		super().setUp()
		self.write("Documentation/requirements/places.toml", self.EXCEPTION)

	def test_excuses_a_missing_test(self):
		self.write("build/results/kernel-rxe.tap", "1..1\nok 1 conn_one\n")
		status, text = self.run_tool("seed")
		self.assertEqual(status, 0, text)
		self.assertIn("CONN-13 on kernel-rxe: No such network.", text)
		self.assertIn("(1 of them with excuses)", text)

	def test_does_not_excuse_a_failing_one(self):
		self.write("build/results/kernel-rxe.tap", "1..2\nok 1 conn_one\nnot ok 2 conn_refused\n")
		self.assertEqual(self.run_tool("seed")[0], 1)

	def test_does_not_excuse_another_place(self):
		self.write("build/results/fabric-ib.tap", "1..1\nok 1 conn_one\n")
		self.assertEqual(self.run_tool("seed")[0], 1)

	def test_superfluous_one_is_reported(self):
		_, report = self.run_json("seed")
		self.assertIn("where conn_refused passes: remove the entry", report["notices"][0])

	def test_place_has_to_be_a_required_one(self):
		self.write("Documentation/requirements/places.toml", self.EXCEPTION.replace("kernel-rxe", "threads-ib"))
		status, text = self.run_tool("seed")
		self.assertEqual(status, 2)
		self.assertIn("threads-ib", text)


class All(Tree):
	def state(self, rule_id, *words):
		_, report = self.run_json("all", *words)
		return next((rule["state"], rule["why"]) for rule in report["rules"] if rule["id"] == rule_id)

	def test_states(self):
		self.assertEqual(self.state("CONN-1"), ("done", ""))
		self.assertEqual(self.state("U-8"), ("excepted", "The consumer's business."))
		self.assertEqual(self.run_tool("all", "--strict")[0], 0)

	def test_open_fails_only_when_strict(self):
		self.write("kmod/connect.c", "/* CONN-1 */")
		self.assertEqual(self.state("CONN-13"), ("open", "no place in the code"))
		self.assertEqual(self.run_tool("all")[0], 0)
		self.assertEqual(self.run_tool("all", "--strict")[0], 1)

	def test_failing_fails_when_strict(self):
		self.write("build/results/core-qp.tap", "1..1\nnot ok 1 - conn_one\n")
		self.assertEqual(self.state("CONN-1"), ("failing", "conn_one fails on core-qp"))
		self.assertEqual(self.run_tool("all", "--strict")[0], 1)

	def test_note_needs_a_place_but_no_test(self):
		self.write("Documentation/requirements/linux.toml",
			   'notes = true\n[[rule]]\nid = "LNX-1"\nsource = "cma.c"\ntext = "x"\n')
		self.assertEqual(self.state("LNX-1"), ("open", "no place in the code"))
		self.write("harness/fabric.h", "// see LNX-1\n")
		self.assertEqual(self.state("LNX-1"), ("done", ""))

	def test_excepted_and_claimed_is_a_contradiction(self):
		self.write("tests/conformance/cases/more.c", 'NDK_CASE(shows_it, "U-8", NDK_ON_ALL, "t")\n')
		for command in ("all", "seed"):
			status, report = self.run_json(command)
			self.assertEqual(status, 1)
			self.assertEqual(report["problems"], ["connect.toml excepts U-8, which shows_it claims to show"])

	def test_done_outside_of_the_kernel_is_said(self):
		_, text = self.run_tool("all")
		self.assertEqual(text.count("kernel: none"), 1, "the heading")
		self.write("build/results/kernel-rxe.tap", "1..2\nok 1 conn_one\nok 2 conn_refused # SKIP no device\n")
		_, report = self.run_json("all")
		self.assertEqual([rule["id"] for rule in report["rules"] if rule["outside_only"]], ["CONN-13"])
		self.assertEqual(report["statistics"]["outside_only"], 1)
		_, text = self.run_tool("all")
		self.assertEqual(" ".join(text.split()).count("kernel: none"), 2)
		self.write("build/results/debug-rxe.tap", "1..1\nok 1 conn_refused\n")
		_, report = self.run_json("all")
		self.assertEqual(report["statistics"]["outside_only"], 0)

	def test_reservation_is_shown_with_a_rule_that_is_done(self):
		self.write("Documentation/requirements/connect.toml",
			   RULES.replace('"Thirteenth."', '"Thirteenth."\nreservation = "Not on Sundays."'))
		self.assertEqual(self.state("CONN-13"), ("done", "but: Not on Sundays."))

	def test_slot_explains_an_open_rule(self):
		self.write("Documentation/requirements/slots.toml", SLOTS + 'rules = ["CONN-13"]\n')
		self.write("kmod/connect.c", "")
		self.assertEqual(self.state("CONN-13"), ("open", "NdkCreateSrq not served, no place in the code"))

	def test_unknown_id_in_code_or_tests(self):
		for name, text in (("kmod/a.h", "/* CONN-14 */"), ("harness/a.cpp", 'row("U-9")'),
				   ("tests/core/a.cc", "// CONN-13/14"), ("tools/a.c", "/* CONN-013 */"),
				   ("tests/conformance/cases/a.c", 'NDK_CASE(x, "CONN-14", ALL, "")')):
			with self.subTest(name):
				self.write(name, text)
				for command in ("all", "seed"):
					status, report = self.run_tool(command)
					self.assertEqual(status, 1)
					self.assertIn(f"{name}:1: unknown rule", report)
				(self.root / name).unlink()

	def test_claims_that_are_no_rules(self):
		for claim in ("CONM-13", "conn-13", "CONN-1..13", "CONN"):
			with self.subTest(claim):
				self.write("tests/conformance/cases/a.c", f'NDK_CASE(x, "{claim}", ALL, "")')
				_, report = self.run_json("all")
				self.assertTrue(any(f"'{claim}' is not a rule id" in line for line in report["problems"]))

	def test_duplicate_case(self):
		self.write("tests/conformance/cases/a.c", 'NDK_CASE(conn_one, "CONN-1", ALL, "")')
		status, text = self.run_tool("all")
		self.assertEqual(status, 1)
		self.assertIn("conn_one is declared at tests/conformance/cases/a.c:1 already", text)


class GoogleTests(Tree):
	def test_covers_belongs_to_the_preceding_test(self):
		self.write("tests/core/life_test.cpp", 'TEST(Life, One)\n{\n\tNDK_COVERS("CONN-1");\n}\n'
			   'TEST_P(Life, Two)\n{\n\tNDK_COVERS("CONN-13", "U-8");\n\t// NDK_COVERS("CONN-1")\n}\n')
		self.write("build/results/core-life.tap", "1..2\nok 1 - Life.One\nok 2 - All/Life.Two/0\n")
		_, report = self.run_json("all")
		passed = {rule["id"]: rule["evidence"]["passed"].get("core-life") for rule in report["rules"]}
		self.assertEqual(passed, {"CONN-1": ["Life.One"], "CONN-13": ["Life.Two"], "U-8": ["Life.Two"]})

	def test_covers_outside_of_a_test(self):
		self.write("tests/core/a.cpp", 'void f() { NDK_COVERS("CONN-1"); }')
		status, text = self.run_tool("all")
		self.assertEqual(status, 1)
		self.assertIn("tests/core/a.cpp:1: NDK_COVERS stands outside of a TEST", text)


class Citing(unittest.TestCase):
	RULES = {f"CONN-{n}": None for n in (1, 2, 3, 5, 13)} | {"U-8": None, "CQ-5": None}
	PATTERN = citations.citation_pattern(["CONN", "U", "CQ"])

	def cited(self, text):
		known = []
		for match in self.PATTERN.finditer(citations.only_prose(text)):
			known += citations.cited_ids(match, self.RULES)[0]
		return known

	def test_forms(self):
		self.assertEqual(self.cited("/* CONN-1 (CONN-13), U-8. */"), ["CONN-1", "CONN-13", "U-8"])
		self.assertEqual(self.cited("// CONN-1/2/3"), ["CONN-1", "CONN-2", "CONN-3"])
		self.assertEqual(sorted(self.cited("// CONN-1..5")), ["CONN-1", "CONN-2", "CONN-3", "CONN-5"])
		self.assertEqual(sorted(self.cited("// CONN-1..CONN-3")), ["CONN-1", "CONN-2", "CONN-3"])
		self.assertEqual(self.cited('row(A, B, "CONN-1 U-8")'), ["CONN-1", "U-8"])
		self.assertEqual(self.cited(r'"text\nCONN-1"'), ["CONN-1"])
		self.assertEqual(self.cited('R"(CONN-1 "x" )"'), ["CONN-1"])

	def test_false_hits(self):
		for text in ("// T-CQ-05", "// T-CQ-5", "// GNU-8", "// M-01", "// CONN-13a", "// CONN-1-2", "// XCONN-1",
			     "// CONN-*", "// _U-8", "x = CONN-1;", "c = 'CONN-1';", "// CONN -1", "n = 1'000; U-8;"):
			self.assertEqual(self.cited(text), [], text)

	def test_line_numbers_survive(self):
		prose = citations.only_prose('int a;\n/* one\n * CONN-1 */ char *s = "//";\nint b; // U-8\n')
		self.assertEqual([citations.line_of(prose, match.start()) for match in self.PATTERN.finditer(prose)], [3, 4])


class Tap(unittest.TestCase):
	def test_kernel_log(self):
		place = results.parse("kernel-rxe", KERNEL)
		self.assertEqual(place.outcome, {"conn_one": "pass", "conn_refused": "pass"})
		self.assertEqual(place.problem(), "")

	def test_nested_ktap(self):
		place = results.parse("p", "KTAP version 1\n1..1\n    KTAP version 1\n    1..2\n    ok 1 a\n"
				      "    not ok 2 b\nnot ok 1 suite\n")
		self.assertEqual(place.outcome, {"a": "pass", "b": "fail", "suite": "fail"})
		self.assertEqual(place.problem(), "")

	def test_directives(self):
		place = results.parse("p", "1..4\nok 1 - a # skip: why\nok 2 b # SKIP\nnot ok 3 c # TODO later\nok 4 d # 3 ms\n")
		self.assertEqual(place.outcome, {"a": "skip", "b": "skip", "c": "fail", "d": "pass"})
		self.assertEqual(place.reasons, {"a": "why", "b": "no reason given"})

	def test_other_lines(self):
		place = results.parse("p", "1..1\n# ok 7 - comment\nok then\nok 1 - a\nnot okay\n")
		self.assertEqual(place.outcome, {"a": "pass"})

	def test_empty_file(self):
		self.assertIn("no plan line", results.parse("p", "").problem())


class BadDatabase(Tree):
	def refused(self, name, text, message):
		self.write(f"Documentation/requirements/{name}.toml", text)
		status, output = self.run_tool("all")
		self.assertEqual(status, 2, output)
		self.assertIn(f"{name}.toml", output)
		self.assertIn(message, output)

	def test_mistakes(self):
		self.refused("other", '[[rule]]\nid = "CONN-1"\nsource = "x"\ntext = "y"\n', "stands in connect.toml already")
		self.refused("other", '[[rule]]\nid = "conn-1"\nsource = "x"\ntext = "y"\n', "PREFIX-number")
		self.refused("other", '[[rule]]\nid = "CONN-2"\ntext = "y"\n', "'source' is missing")
		self.refused("other", '[[rule]]\nid = "CONN-2"\nsource = "x"\ntext = ""\n', "'text' has to be")
		self.refused("other", '[[rule]]\nid = "CONN-2"\nsource = "x"\ntext = "y"\nexcept = "z"\n', "'except'")
		self.refused("other", "[[rule]\n", "other.toml")

	def test_seed_mistakes(self):
		self.refused("seed", SEED.replace('["CONN-1"]', '["CONN-2"]'), "unknown rule 'CONN-2'")
		self.refused("seed", SEED.replace("number = 2", "number = 3"), "2 is next")

	def test_missing_file(self):
		(self.root / "Documentation/requirements/slots.toml").unlink()
		status, text = self.run_tool("slots")
		self.assertEqual(status, 2)
		self.assertIn("slots.toml: no such file", text)

	def test_wrong_root(self):
		self.root = self.root / "kmod"
		status, text = self.run_tool("all")
		self.assertEqual(status, 2)
		self.assertIn("is this the root of the source tree?", text)


class RealDatabase(unittest.TestCase):
	"""The files of this source tree, counted."""
	ROOT = Path(__file__).resolve().parents[2]

	def test_counts(self):
		book = database.load(self.ROOT)
		outside = ("LNX", "U")
		self.assertEqual(sum(rule.prefix not in outside for rule in book.rules.values()), 382)
		self.assertEqual(sum(rule.prefix == "LNX" for rule in book.rules.values()), 22)
		self.assertEqual(sum(rule.prefix == "U" for rule in book.rules.values()), 54)
		self.assertEqual(len(book.rows), 47)

	def test_ids_are_numbered_without_gaps(self):
		retired = {"CONN-27", "CONN-28", "CONN-29"}
		book = database.load(self.ROOT)
		for prefix in book.prefixes:
			numbers = [int(rule.id.rsplit("-", 1)[1]) for rule in book.rules.values() if rule.prefix == prefix]
			expected = [n for n in range(1, max(numbers) + 1) if f"{prefix}-{n}" not in retired]
			self.assertEqual(numbers, expected, prefix)


if __name__ == "__main__":
	unittest.main()
