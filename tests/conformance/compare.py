#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""The conformance cases on rxe and on siw, compared: only differences that are known may be there.

Reads build/results/debug-rxe.tap and debug-siw.tap, the same suite under the same kernel, and prints TAP.
A difference is a case that ran on both, passed on one device and failed on the other. What was skipped on one
of them is listed: the case says why, or the run had no time for it. Too few that ran on both prove nothing.
Without both files there is nothing to compare, and that is a skip.

usage: compare.py [RXE.tap SIW.tap]
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/requirements"))

import results  # noqa: E402

ENOUGH = 100   # cases that ran on both; a slow machine has time for more


def judge(rxe, siw):
	"""The tests: title and problems; and what could not be compared."""
	both = sorted(set(rxe.outcome) & set(siw.outcome) - {rxe.name, siw.name})
	ran = [name for name in both if "skip" not in (rxe.outcome[name], siw.outcome[name])]
	strange = [f"{name}: {rxe.outcome[name]} on rxe, {siw.outcome[name]} on siw" for name in ran
		if rxe.outcome[name] != siw.outcome[name]]
	apart = [name for name in both if name not in ran and rxe.outcome[name] != siw.outcome[name]]
	alone = len(set(rxe.outcome) ^ set(siw.outcome))
	return (
		("T-FT-13 cases ran on rxe and on siw", [] if len(ran) >= ENOUGH else [f"{len(ran)} did, not {ENOUGH}"]),
		("T-FT-13 what passes on one passes on the other", strange),
	), [f"{len(ran)} cases compared, {alone} in one run only", *(f"skipped on one of them: {name}" for name in apart)]


def tell(place):
	return results.parse(place.stem, place.read_text(encoding="utf-8", errors="replace"))


def main():
	paths = [Path(p) for p in sys.argv[1:]] or [ROOT / "build/results" / f"{name}.tap" for name in ("debug-rxe", "debug-siw")]
	print("TAP version 13")
	absent = [path.name for path in paths if not path.exists()]
	if absent:
		print("1..1")
		print(f"ok 1 - T-FT-13 rxe and siw compared # SKIP no results of {' and '.join(absent)}")
		return
	tests, known = judge(*map(tell, paths))
	print(f"1..{len(tests)}")
	for number, (title, problems) in enumerate(tests, 1):
		print(f"{'not ok' if problems else 'ok'} {number} - {title}")
		for problem in problems[:40]:
			print(f"# {problem}")
	for line in known:
		print(f"# {line}")
	sys.exit(any(problems for _, problems in tests))


if __name__ == "__main__":
	main()
