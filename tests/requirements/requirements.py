#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Every rule of the interface: where it is implemented, which tests show it, and with what result.

Reads Documentation/requirements/*.toml, the comments and strings of kmod and harness, the
NDK_CASE and NDK_COVERS claims of the tests, and build/results/*.tap. Writes nothing.
This file is the command line; the modules beside it do the work.
"""

import argparse
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import citations as citing  # noqa: E402
import database as rulebook  # noqa: E402
import report  # noqa: E402
import results as tap  # noqa: E402
import verdicts  # noqa: E402

OK, UNMET, UNUSABLE = 0, 1, 2

EXAMPLES = """
examples:
  requirements.py seed                 the 47 rows of the founding pages and what each one lacks
  requirements.py seed --json | jq '.rows[] | select(.satisfied | not) | {id, lacks}'
  requirements.py all                  every rule by area: place in the code, tests, state
  requirements.py all --strict         the same, and fail when a rule is open or failing
  requirements.py slots                dispatch slots that answer STATUS_NOT_SUPPORTED

The results come from `make check`, which leaves one file per place in build/results:
fabric-ib.tap, fabric-iwarp.tap, threads-ib.tap, threads-iwarp.tap, kernel-rxe.tap, core-*.tap.

exit status: 0 nothing is missing, 1 something is (each item is named), 2 the database or the
command line cannot be used
"""


def evidence_json(evidence):
	return {"tests": evidence.tests, "passed": evidence.passed, "failed": evidence.failed,
		"skipped": evidence.skipped}


def slots_json(book):
	return [vars(slot) for slot in book.slots]


def seed_numbers(rows, found, problems):
	rules = {rule_id for verdict in rows for rule_id in verdict.row.rules}
	return {
		"rows": len(rows),
		"satisfied": sum(verdict.satisfied for verdict in rows),
		"excused_rows": sum(verdict.satisfied and bool(verdict.excused) for verdict in rows),
		"lacking": sum(not verdict.satisfied for verdict in rows),
		"rules": len(rules),
		"tests": len({test for rule_id in rules for test in found.claims.get(rule_id, [])}),
		"problems": len(problems),
	}


def seed(arguments, book, found, places):
	rows = [verdicts.judge_row(row, book, found, places) for row in book.rows]
	problems = verdicts.problems(book, found, places, arguments.root, arguments.results)
	notices = [*verdicts.stale_excuses(book, found, places), *verdicts.undeclared(found, places)]
	numbers = seed_numbers(rows, found, problems)
	if arguments.json:
		print(json.dumps({
			"rows": [{**vars(verdict.row), "satisfied": verdict.satisfied, "lacks": verdict.lacks,
				  "excused": verdict.excused,
				  "evidence": {rule_id: evidence_json(evidence)
					       for rule_id, evidence in verdict.evidence.items()}}
				 for verdict in rows],
			"slots": slots_json(book), "problems": problems, "notices": notices, "statistics": numbers,
		}, indent=2))
	else:
		report.seed(rows, book, problems, notices, numbers)
	return UNMET if numbers["lacking"] or problems else OK


def count(found):
	numbers = {
		"rules": len(found),
		"implemented": sum(bool(verdict.code) for verdict in found),
		"tested": sum(bool(verdict.evidence.passed) for verdict in found),
	}
	numbers["outside_only"] = sum(verdict.outside_only for verdict in found)
	for state in (verdicts.DONE, verdicts.EXCEPTED, verdicts.OPEN, verdicts.FAILING):
		numbers[state] = sum(verdict.state == state for verdict in found)
	return numbers


def every_rule(arguments, book, found, places):
	areas = {area: [verdicts.judge_rule(rule, book, found, places) for rule in rules]
		 for area, rules in book.areas().items()}
	problems = [*found.problems, *verdicts.contradictions(book, found)]
	problems += [place.problem() for place in places.values() if place.problem()]
	notices = [tap.missing(arguments.root, arguments.results, place)
		   for place in rulebook.REQUIRED_PLACES if place not in places]
	notices += verdicts.undeclared(found, places)
	numbers = count([verdict for judged in areas.values() for verdict in judged])
	numbers["areas"] = {area: count(judged) for area, judged in areas.items()}
	if arguments.json:
		print(json.dumps({
			"rules": [{**vars(verdict.rule), "state": verdict.state, "why": verdict.why, "code": verdict.code,
				   "outside_only": verdict.outside_only,
				   "evidence": evidence_json(verdict.evidence)}
				  for judged in areas.values() for verdict in judged],
			"problems": problems, "notices": notices, "statistics": numbers,
		}, indent=2))
	else:
		report.every_rule(areas, problems, notices, numbers)
	unmet = numbers[verdicts.OPEN] + numbers[verdicts.FAILING] if arguments.strict else 0
	return UNMET if problems or unmet else OK


def slots(arguments, book):
	if arguments.json:
		print(json.dumps({"slots": slots_json(book)}, indent=2))
	else:
		report.slots(book)
	return OK


def command_line(words):
	common = argparse.ArgumentParser(add_help=False)
	common.add_argument("--json", action="store_true", help="write one JSON document instead of text")
	common.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2],
			    help="root of the source tree (default: the one this program is in)")
	common.add_argument("--results", type=Path, help="directory of the .tap files (default: build/results)")
	parser = argparse.ArgumentParser(prog="requirements.py", description=__doc__.split("\n\n")[0], epilog=EXAMPLES,
					 formatter_class=argparse.RawDescriptionHelpFormatter)
	commands = parser.add_subparsers(dest="command", required=True, metavar="seed|all|slots")
	commands.add_parser("seed", parents=[common], help="the seed table; fails when a row lacks something")
	strict = commands.add_parser("all", parents=[common], help="all rules; fails on an unknown rule id")
	strict.add_argument("--strict", action="store_true", help="also fail on open and failing rules")
	commands.add_parser("slots", parents=[common], help="dispatch slots that are not served yet")
	arguments = parser.parse_args(words)
	if arguments.results is None:
		arguments.results = arguments.root / tap.DIRECTORY
	return arguments


def main(words=None):
	arguments = command_line(words)
	try:
		book = rulebook.load(arguments.root)
	except rulebook.DatabaseError as error:
		print(f"requirements.py: {error}", file=sys.stderr)
		return UNUSABLE
	if arguments.command == "slots":
		return slots(arguments, book)
	found = citing.scan(arguments.root, book)
	places = tap.load(arguments.results)
	run = seed if arguments.command == "seed" else every_rule
	return run(arguments, book, found, places)


if __name__ == "__main__":
	try:
		sys.exit(main())
	except BrokenPipeError:
		sys.stderr.close()
		sys.exit(UNMET)
