# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Judgement: puts database, citations and results together. Prints nothing.

A row of the seed table is satisfied when each of its rules has a passing test on each of the
required places (or an entry in places.toml that excuses the place) and no failing test anywhere.

A rule is done when the code cites it and a test of it passes; a note needs the citation only.
It is failing when any test of it fails, else excepted when its entry says why, else open. A rule
that is excepted and claimed all the same is a contradiction: one of the two is not true.
"""

from dataclasses import dataclass, field

import results as tap
from database import REQUIRED_PLACES

KERNELS = ("kernel-", "debug-")	# places whose names begin so
DONE, EXCEPTED, OPEN, FAILING = "done", "excepted", "open", "failing"


@dataclass
class Evidence:
	"""What happened to the tests of one rule, by place."""
	tests: list
	passed: dict = field(default_factory=dict)	# place -> [test]
	failed: dict = field(default_factory=dict)
	skipped: dict = field(default_factory=dict)	# place -> {test: reason}

	def places(self):
		return sorted(set(self.passed) | set(self.failed) | set(self.skipped))

	def in_kernel(self):
		return any(place.startswith(KERNELS) for place in self.passed)


@dataclass
class RuleVerdict:
	rule: object
	code: list
	evidence: Evidence
	state: str = OPEN
	why: str = ""

	@property
	def outside_only(self):
		"""Done, but what shows it ran in user space only."""
		return self.state == DONE and not self.rule.note and not self.evidence.in_kernel()


@dataclass
class RowVerdict:
	row: object
	evidence: dict				# rule id -> Evidence
	lacks: list = field(default_factory=list)
	excused: list = field(default_factory=list)

	@property
	def satisfied(self):
		return not self.lacks


def gather(tests, places):
	evidence = Evidence(list(tests))
	for name, place in places.items():
		for test in tests:
			outcome = place.outcome.get(test)
			if outcome == tap.PASS:
				evidence.passed.setdefault(name, []).append(test)
			elif outcome == tap.FAIL:
				evidence.failed.setdefault(name, []).append(test)
			elif outcome == tap.SKIPPED:
				evidence.skipped.setdefault(name, {})[test] = place.reasons[test]
	return evidence


def why_not_passed(evidence, place, places):
	if not evidence.tests:
		return "no test claims it"
	if place not in places:
		return f"no results of {place}"
	if place in evidence.skipped:
		test, reason = next(iter(evidence.skipped[place].items()))
		return f"no passing test on {place} ({test} is skipped: {reason})"
	return f"no passing test on {place} (none of its tests ran there)"


def judge_row(row, database, citations, places):
	verdict = RowVerdict(row, {})
	for rule_id in row.rules:
		evidence = gather(citations.claims.get(rule_id, []), places)
		verdict.evidence[rule_id] = evidence
		for place, tests in evidence.failed.items():
			verdict.lacks.append(f"{rule_id}: {', '.join(tests)} fails on {place}")
		for place in REQUIRED_PLACES:
			if place in evidence.passed or place in evidence.failed:
				continue
			reason = database.places.get((rule_id, place))
			if reason:
				verdict.excused.append(f"{rule_id} on {place}: {reason}")
				continue
			lack = f"{rule_id}: {why_not_passed(evidence, place, places)}"
			if lack not in verdict.lacks:
				verdict.lacks.append(lack)
	return verdict


def open_reason(verdict, database):
	reasons = []
	slots = database.slots_of(verdict.rule.id)
	if slots:
		reasons.append(f"{', '.join(slots)} not served")
	if not verdict.code:
		reasons.append("no place in the code")
	if verdict.rule.note:
		return ", ".join(reasons)
	evidence = verdict.evidence
	if not evidence.tests:
		reasons.append("no test")
	elif not evidence.passed and evidence.skipped:
		place = next(iter(evidence.skipped))
		reasons.append(f"tests skipped ({next(iter(evidence.skipped[place].values()))})")
	elif not evidence.passed:
		reasons.append("tests without a result")
	return ", ".join(reasons)


def judge_rule(rule, database, citations, places):
	verdict = RuleVerdict(rule, citations.code.get(rule.id, []), gather(citations.claims.get(rule.id, []), places))
	evidence = verdict.evidence
	if evidence.failed:
		verdict.state = FAILING
		verdict.why = "; ".join(f"{', '.join(tests)} fails on {place}" for place, tests in evidence.failed.items())
	elif verdict.code and (evidence.passed or rule.note):
		verdict.state = DONE
		verdict.why = f"but: {rule.reservation}" if rule.reservation else ""
	elif rule.exception:
		verdict.state, verdict.why = EXCEPTED, rule.exception
	else:
		verdict.why = open_reason(verdict, database)
	return verdict


def contradictions(database, citations):
	for rule in database.rules.values():
		claims = citations.claims.get(rule.id)
		if rule.exception and claims:
			yield f"{rule.area}.toml excepts {rule.id}, which {', '.join(claims)} claims to show"


def stale_excuses(database, citations, places):
	"""Excuses in places.toml that a passing test has made superfluous."""
	for rule_id, place in database.places:
		passed = gather(citations.claims.get(rule_id, []), places).passed
		if place in passed:
			yield (f"places.toml excuses {rule_id} on {place}, where {passed[place][0]} passes: "
			       "remove the entry")


def undeclared(citations, places):
	"""Results on the required places that belong to no declared test: renamed cases, old files."""
	for name in REQUIRED_PLACES:
		known = {name, *citations.tests}   # a place may have a result as a whole
		strangers = [test for test in places[name].outcome if test not in known] if name in places else []
		if strangers:
			more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
			yield f"{name}: no test is declared by the name of {', '.join(strangers[:3])}{more}"


def problems(database, citations, places, root, directory):
	found = [*citations.problems, *contradictions(database, citations)]
	found += [tap.missing(root, directory, place) for place in REQUIRED_PLACES if place not in places]
	found += [place.problem() for place in places.values() if place.problem()]
	return found
