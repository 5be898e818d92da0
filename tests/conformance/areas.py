#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""One table of the conformance cases: area, cases, and how they fared on each place that was run.

A case belongs to the area of the first id in its title, or to none. Reads NAME.tap of the suites below from
the results directory; a suite without results has no column. A cell is the number that passed, then in
brackets how many were skipped, then after an exclamation mark how many failed; a tilde is before the number of those
that passed only when they were run again. Why cases were skipped is said
by the report that check.sh prints behind this.

usage: areas.py RESULTS_DIRECTORY
"""

import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import table  # noqa: E402

# suite: heading, two lines
PLACES = {
	"fabric-ib": ("fabric", "IB"),
	"fabric-iwarp": ("fabric", "iWARP"),
	"threads-ib": ("threads", "IB"),
	"threads-iwarp": ("threads", "iWARP"),
	"kernel-rxe": ("kernel", "rxe"),
	"kernel-late": ("late", "rxe"),
	"kernel-two": ("kernel", "2 x rxe"),
	"kernel-rt": ("RT", "rxe"),
	"debug-rxe": ("debug", "rxe"),
	"debug-siw": ("debug", "siw"),
}
RESULT = re.compile(r"^\s*(not )?ok \d+ (?:- )?(\w+)\b(.*)$")
BEYOND = ("", "beyond these ids")


def areas_of():
	"""case: area."""
	found = {}
	for case in table.cases():
		match = table.ID.search(case.title)
		found[case.name] = match[1] if match else BEYOND[0]
	return found


def read(path, areas):
	"""area: [passed, skipped, failed, unsteady]; the last are among the passed."""
	counts = {}
	for line in path.read_text(errors="replace").splitlines():
		match = RESULT.match(line)
		if not match or match[2] not in areas:
			continue
		which = 2 if match[1] else 1 if "# SKIP" in match[3] else 0
		here = counts.setdefault(areas[match[2]], [0, 0, 0, 0])
		here[which] += 1
		here[3] += "# UNSTEADY" in match[3]
	return counts


def cell(counts):
	passed, skipped, failed, unsteady = counts
	return (f"{passed}" + (f"~{unsteady}" if unsteady else "") + (f" ({skipped})" if skipped else "") +
		(f" !{failed}" if failed else ""))


def print_table(areas, places):
	subjects = [*((area, subject) for area, (_, subject) in table.AREAS.items()), BEYOND]
	width = max(len(subject) for _, subject in subjects)
	for line in range(2):
		heads = "".join(f"{PLACES[name][line]:>10}" for name in places)
		print(f"{'area' if line else '':<{width + 4}}{'cases' if line else '':>6}{heads}")
	sums = {name: [0, 0, 0, 0] for name in places}
	for area, subject in subjects:
		row = f"{area:<4}{subject:<{width}}{sum(a == area for a in areas.values()):>6}"
		for name, counts in places.items():
			here = counts.get(area, [0, 0, 0, 0])
			sums[name] = [a + b for a, b in zip(sums[name], here)]
			row += f"{cell(here):>10}"
		print(row)
	print(f"{'all':<{width + 4}}{len(areas):>6}" + "".join(f"{cell(counts):>10}" for counts in sums.values()))
	print("passed~unsteady (skipped) !failed\n")


def main():
	if len(sys.argv) != 2:
		sys.exit(__doc__.strip().splitlines()[-1])
	areas = areas_of()
	paths = {name: Path(sys.argv[1]) / f"{name}.tap" for name in PLACES}
	places = {name: read(path, areas) for name, path in paths.items() if path.exists()}
	places = {name: counts for name, counts in places.items() if counts}
	if places:
		print_table(areas, places)


if __name__ == "__main__":
	main()
