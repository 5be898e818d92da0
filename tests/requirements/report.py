# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Text for people, at most 120 columns wide. Takes verdicts, returns nothing, prints."""

import textwrap

import verdicts
from database import REQUIRED_PLACES

WIDTH = 120


def wrapped(first, text, hang):
	lines = textwrap.wrap(text, WIDTH - hang, break_long_words=False, break_on_hyphens=False) or [""]
	print((first.ljust(hang) + lines[0]).rstrip())
	for line in lines[1:]:
		print(" " * hang + line)


def section(title, lines):
	if lines:
		print(f"\n{title}")
		for line in lines:
			wrapped("  ", line, 4)


def cell(evidence, place, excused=False):
	if place in evidence.failed:
		return f"{len(evidence.failed[place])} FAIL"
	if place in evidence.passed:
		return f"{len(evidence.passed[place])} pass"
	if excused:
		return "excused"
	return f"{len(evidence.skipped[place])} skip" if place in evidence.skipped else "-"


def elsewhere(evidence):
	others = [place for place in evidence.places() if place not in REQUIRED_PLACES]
	failed = sum(len(evidence.failed.get(place, [])) for place in others)
	passed = sum(len(evidence.passed.get(place, [])) for place in others)
	return f"{failed} FAIL" if failed else f"{passed} pass" if passed else "-"


def seed_row(verdict, database):
	row = verdict.row
	state = "satisfied" if verdict.satisfied else "LACKING"
	title = textwrap.shorten(f"{row.seed}: {row.title}", WIDTH - 23, placeholder=" ...")
	print(f"\n{row.number:>3} {row.id:<7} {title}".ljust(WIDTH - len(state)) + state)
	for rule_id, evidence in verdict.evidence.items():
		cells = [cell(evidence, place, (rule_id, place) in database.places) for place in REQUIRED_PLACES]
		first = f"    {rule_id:<12}" + "".join(text.ljust(14) for text in cells + [elsewhere(evidence)])
		wrapped(first, ", ".join(evidence.tests) or "no test", len(first))
	for line in verdict.excused:
		wrapped("    excused", line, 16)
	for line in verdict.lacks:
		wrapped("    lacks", line, 16)


def seed(rows, database, problems, notices, numbers):
	print("row and id, then by rule: tests passed, failed or skipped on each place, and their names")
	print(f"{'':16}" + "".join(place.ljust(14) for place in REQUIRED_PLACES + ("elsewhere",)) + "tests")
	for verdict in rows:
		seed_row(verdict, database)
	print()
	slots(database)
	section("problems:", problems)
	section("notices:", notices)
	print(f"\n{numbers['satisfied']} of {numbers['rows']} rows satisfied ({numbers['excused_rows']} of them with "
	      f"excuses), {numbers['lacking']} lacking; {numbers['rules']} rules, {numbers['tests']} tests, "
	      f"{numbers['problems']} problems")


def rule_line(verdict):
	places = f"{verdict.code[0]}" + (f" (+{len(verdict.code) - 1})" if len(verdict.code) > 1 else "") \
		if verdict.code else "-"
	first = f"  {verdict.rule.id:<11}{verdict.state:<10}{places:<45}"
	first += " " if len(first) > 68 else ""
	tested = ", ".join(f"{place} {cell(verdict.evidence, place)}" for place in verdict.evidence.places())
	outside = "kernel: none" if verdict.outside_only else ""
	text = "; ".join(part for part in (tested, outside, verdict.why) if part) or ("note" if verdict.rule.note else "-")
	if len(first) > 68:
		print(first.rstrip())
		first = ""
	wrapped(first, text, 68)


def every_rule(areas, problems, notices, numbers):
	for area, found in areas.items():
		print(f"\n{area}")
		for verdict in found:
			rule_line(verdict)
	print(f"\n{'area':<14}{'rules':>8}{'in code':>9}{'tested':>9}{'done':>9}{'kernel: none':>14}{'excepted':>10}{'open':>8}{'failing':>9}")
	for area, count in numbers["areas"].items():
		summary_line(area, count)
	section("problems:", problems)
	section("notices:", notices)
	print()
	summary_line("all", numbers)
	for state, hint in ((verdicts.OPEN, "no test with a result shows them; make check makes all results"),
			    (verdicts.FAILING, "a test that shows them failed")):
		ids = [verdict.rule.id for found in areas.values() for verdict in found if verdict.state == state]
		if ids:
			print(f"{len(ids)} {state}: {' '.join(ids[:16])}{' ...' if len(ids) > 16 else ''} ({hint})")


def summary_line(name, count):
	print(f"{name:<14}{count['rules']:>8}{count['implemented']:>9}{count['tested']:>9}{count[verdicts.DONE]:>9}"
	      f"{count['outside_only']:>14}{count[verdicts.EXCEPTED]:>10}{count[verdicts.OPEN]:>8}{count[verdicts.FAILING]:>9}")


def slots(database):
	if not database.slots:
		print("every dispatch slot is served")
		return
	print(f"dispatch slots that answer STATUS_NOT_SUPPORTED because they are not served yet: {len(database.slots)}")
	for slot in database.slots:
		wrapped(f"  {slot.table:<18}{slot.slot}", slot.reason, 54)
