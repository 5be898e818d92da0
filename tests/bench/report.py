#!/usr/bin/env python3
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Makes of the measurements what a person wants to know: NDKPI against the raw way of doing the same.

Reads from the given files the lines of JSON behind `ndk-bench: `, which the guest scripts of
tests/bench/kernel and tests/bench/post_cost.sh print, and ignores all else. Prints a table, and writes
twins.json (everything, samples included) and twins.svg (a picture of the table) to the output directory.

A sample of one way has a sample of the other beside it; the ratio is taken in each such pair, so that
what disturbs both disturbs little. Shown are the median of these ratios, their quartiles and
a 95 % interval of the median (bootstrap). For rates the ratio is NDKPI's to raw's, and the goal is 0.98
or more; for times it is the same way round, and the goal is 1.02 or less. The machine that counts
instructions has one processor and hardly any noise; its ratios are of instructions executed.

usage: report.py [--strict] OUTPUT_DIRECTORY FILE...       --strict: a missed goal is an error
"""

import argparse
import json
import random
import sys
from pathlib import Path
from statistics import median, quantiles

sys.dont_write_bytecode = True

import plot  # noqa: E402

PREFIX = "ndk-bench: "
RATE_GOAL = 0.98
TIME_GOAL = 1.02
POST_POLL_GOAL = 60   # instructions that ndk.ko may add to a post and the poll of its result
RESAMPLES = 2000
TITLES = {
	"connect_1": "connect + disconnect, 1 at a time",
	"connect_256": "connect + disconnect, 256 at a time",
	"round_trip": "64 B send and receive, round trip",
	"message_rate": "64 B messages",
	"bulk_write": "64 KiB RDMA writes",
	"bulk_read": "64 KiB RDMA reads",
	"register": "fast register + invalidate, 64 KiB",
}
SCALES = {"us": 1e6, "conn/s": 1, "msg/s": 1, "reg/s": 1, "MB/s": 1e-6}


def read(paths):
	"""The JSON objects of all files in order; a line that is none is an error of whoever printed it."""
	for path in paths:
		for number, line in enumerate(Path(path).read_text(errors="replace").splitlines(), 1):
			if not line.startswith(PREFIX):
				continue
			try:
				yield json.loads(line[len(PREFIX):])
			except json.JSONDecodeError as error:
				sys.exit(f"{path}:{number}: {error}")


class Work:
	"""One workload on one machine."""

	def __init__(self, about):
		self.name = about["work"]
		self.unit = about["unit"]
		self.bytes = about["bytes"]
		self.is_time = about["time"]
		self.samples = {}   # (pair, way): seconds for each piece

	def add(self, sample):
		self.samples[sample["pair"], sample["way"]] = sample["ns"] * 1e-9 / sample["count"]

	def value(self, way):
		"""In the workload's unit."""
		seconds = median(s for (_, w), s in self.samples.items() if w == way)
		scale = SCALES[self.unit]
		if self.is_time:
			return seconds * scale
		return (self.bytes if self.unit == "MB/s" else 1) * scale / seconds

	def ratios(self):
		pairs = sorted({pair for pair, _ in self.samples})
		both = [(self.samples[p, "ndk"], self.samples[p, "raw"]) for p in pairs
			if (p, "ndk") in self.samples and (p, "raw") in self.samples]
		return [ndk / raw if self.is_time else raw / ndk for ndk, raw in both]

	def summary(self):
		ratios = self.ratios()
		low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
		begin, end = interval(ratios)
		return {"unit": self.unit, "ndk": self.value("ndk"), "raw": self.value("raw"), "pairs": len(ratios),
			"ratio": median(ratios), "quartiles": [low, high], "interval": [begin, end]}


def interval(values):
	"""95 % of the medians of samples drawn from the values. The same numbers give the same interval."""
	source = random.Random(1)
	medians = sorted(median(source.choices(values, k=len(values))) for _ in range(RESAMPLES))
	return medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]


class Results:
	def __init__(self, objects):
		self.machines = []
		self.timed = {}
		self.counted = {}
		self.instructions = {}   # kind: {way: median}
		self.library = {}        # kind: instructions in libndk
		self.profiles = {}       # workload: see profile/profile.py
		works = self.timed
		for o in objects:
			if "kernel" in o:
				self.machines.append(o)
				works = self.counted if o["counts"] else self.timed
			elif "work" in o:
				works[o["work"]] = Work(o)
			elif "sample" in o:
				works[o["sample"]].add(o)
			elif "instructions" in o:
				self.instructions.setdefault(o["instructions"], {})[o["way"]] = o["median"]
			elif "profile" in o:
				self.profiles[o["profile"]] = o
			elif "library" in o:
				self.library[o["library"]] = o

	def names(self):
		return [n for n in TITLES if n in self.timed or n in self.counted]

	def judge(self):
		"""name: what is to be said about its goal, and whether that is that it was missed."""
		return {name: judge(self.timed.get(name), self.counted.get(name)) for name in self.names()}

	def added(self, kind):
		ways = self.instructions[kind]
		return ways["ndk"] - ways["raw"]


def judge(timed, counted):
	is_time = (timed or counted).is_time
	goal = TIME_GOAL if is_time else RATE_GOAL

	def meets(ratio):
		return ratio <= goal if is_time else ratio >= goal

	said, missed = [], False
	if timed:
		s = timed.summary()
		if meets(s["ratio"]):
			said.append("met")
		else:
			maybe = meets(s["interval"][0]) or meets(s["interval"][1])
			said.append("not to be told from the time" if maybe else "missed")
			missed = not maybe or not counted   # where instructions were counted, they decide
	if counted and not meets(counted.summary()["ratio"]):
		said.append("missed in instructions")
		missed = True
	return {"goal": goal, "verdict": ", ".join(said) or "met in instructions", "missed": missed}


def number(value):
	return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def print_works(results):
	verdicts = results.judge()
	print(f"{'workload':<36} {'NDKPI':>8} {'raw':>8} {'':<7} {'ratio':>6}  {'quartiles':<13}  "
	      f"{'95 % interval':<13} {'instr.':>7}  goal")
	for name in results.names():
		timed, counted = results.timed.get(name), results.counted.get(name)
		goal = verdicts[name]
		sign = "<=" if (timed or counted).is_time else ">="
		row = f"{TITLES[name]:<36} "
		if timed:
			s = timed.summary()
			row += (f"{number(s['ndk']):>8} {number(s['raw']):>8} {s['unit']:<7} {s['ratio']:6.3f}  "
				f"{s['quartiles'][0]:5.3f} .. {s['quartiles'][1]:5.3f}  "
				f"{s['interval'][0]:5.3f} .. {s['interval'][1]:5.3f} ")
		else:
			row += " " * 64
		row += f"{counted.summary()['ratio']:7.3f}" if counted else " " * 7
		print(f"{row}  {sign} {goal['goal']}: {goal['verdict']}")


def print_instructions(results):
	"""Returns whether the goal was missed."""
	if not results.instructions:
		return False
	print(f"\n{'instructions':<16} {'NDKPI':>6} {'raw':>6} {'added':>6}")
	for kind, ways in results.instructions.items():
		if {"ndk", "raw"} <= ways.keys() and kind != "nothing":
			print(f"{kind:<16} {ways['ndk']:6} {ways['raw']:6} {results.added(kind):6}")
	posts = [(results.added(post) + results.added(poll), post) for post, poll in (("send", "poll_request"),
		 ("write", "poll_request"), ("read", "poll_request"), ("receive", "poll_receive"))]
	added, worst = max(posts)
	missed = added > POST_POLL_GOAL
	print(f"post + poll of its result: {min(posts)[0]} to {added} ({worst}) added, the goal is {POST_POLL_GOAL} or fewer: "
	      f"{'missed' if missed else 'met'}")
	if missed and {"post_lock", "poll_lock"} <= results.instructions.keys():
		locks = [results.instructions[kind]["ndk"] for kind in ("post_lock", "poll_lock")]
		print(f"   of these its locks: {locks[0]} in the post, {locks[1]} in the poll")
	return missed


def print_why(results, names):
	"""The functions behind a missed goal. Counted in a run of their own, which is why the sums differ a little."""
	for name in names:
		if profile := results.profiles.get(name):
			print(f"\n{TITLES[name]}: {profile['ndk'] - profile['raw']:+} instructions each, "
			      f"{profile['ndk']} where the raw way takes {profile['raw']}")
			for key, title in (("ours", "ndk.ko"), ("others", "the rest of the kernel")):
				functions = ", ".join(f"{function} {added:+}" for function, added in profile[key] if added)
				print(f"   {title} {profile[key + '_all']:+}: {functions}")


def print_library(results):
	if results.library:
		print(f"\n{'libndk, fabric':<16} {'whole':>6} {'above the device':>17}")
	for kind, o in results.library.items():
		print(f"{kind:<16} {o['whole']:6.0f} {o['above']:17.0f}")


def write(results, directory, missed):
	directory.mkdir(parents=True, exist_ok=True)
	verdicts = results.judge()
	works = {}
	for name in results.names():
		works[name] = dict(verdicts[name], title=TITLES[name])
		for machine, source in (("timed", results.timed), ("counted", results.counted)):
			if name in source:
				samples = [[pair, way, s] for (pair, way), s in sorted(source[name].samples.items())]
				works[name][machine] = dict(source[name].summary(), seconds=samples)
	whole = {"machines": results.machines, "works": works, "instructions": results.instructions,
		 "library": results.library, "profiles": results.profiles, "missed": missed}
	(directory / "twins.json").write_text(json.dumps(whole, indent="\t") + "\n")
	(directory / "twins.svg").write_text(plot.draw(works, results.instructions))


def main():
	parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
	parser.add_argument("--strict", action="store_true", help="a missed goal is an error")
	parser.add_argument("output", type=Path)
	parser.add_argument("files", nargs="+")
	arguments = parser.parse_args()
	results = Results(read(arguments.files))
	if not results.names() and not results.instructions and not results.library:
		sys.exit(f"no measurements in {' '.join(arguments.files)}")
	if results.names():
		print_works(results)
	names = [name for name, verdict in results.judge().items() if verdict["missed"]]
	missed = [TITLES[name] for name in names]
	if print_instructions(results):
		missed.append("instructions of post + poll")
	print_library(results)
	print_why(results, names)
	write(results, arguments.output, missed)
	print(f"\nwritten: {arguments.output}/twins.json, {arguments.output}/twins.svg")
	if missed:
		print(f"goals missed: {'; '.join(missed)}")
	sys.exit(1 if missed and arguments.strict else 0)


if __name__ == "__main__":
	main()
