# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""The requirements database: reads and checks Documentation/requirements/*.toml.

Owns the meaning of those files: rules by area, the seed table, place exceptions, unserved
slots. Knows nothing about code or test results. Every mistake in a file is a DatabaseError
that names the file and the entry.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

DIRECTORY = Path("Documentation/requirements")
REQUIRED_PLACES = ("fabric-ib", "fabric-iwarp", "kernel-rxe")
SPECIAL_FILES = ("seed", "places", "slots")
RULE_ID = re.compile(r"([A-Z]+)-([1-9][0-9]*)")


class DatabaseError(Exception):
	"""A file of the database cannot be used as it is."""


@dataclass
class Rule:
	id: str
	area: str
	source: str
	text: str
	exception: str = ""
	reservation: str = ""
	note: bool = False
	protects: list = field(default_factory=list)

	@property
	def prefix(self):
		return self.id.rsplit("-", 1)[0]


@dataclass
class Row:
	number: int
	id: str
	seed: str
	title: str
	rules: list


@dataclass
class Slot:
	slot: str
	table: str
	reason: str
	rules: list


@dataclass
class Database:
	rules: dict		# id -> Rule, in order of the files
	rows: list		# of Row
	places: dict		# (rule id, place) -> reason
	slots: list		# of Slot

	@property
	def prefixes(self):
		return sorted({rule.prefix for rule in self.rules.values()})

	def areas(self):
		grouped = {}
		for rule in self.rules.values():
			grouped.setdefault(rule.area, []).append(rule)
		return grouped

	def slots_of(self, rule_id):
		return [slot.slot for slot in self.slots if rule_id in slot.rules]


def read_toml(path):
	try:
		with open(path, "rb") as stream:
			return tomllib.load(stream)
	except FileNotFoundError:
		raise DatabaseError(f"{path}: no such file") from None
	except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
		raise DatabaseError(f"{path}: {error}") from None


def entries(path, key, required, optional=()):
	"""The [[key]] entries of a file, checked for missing, unknown and empty members."""
	content = read_toml(path).get(key, [])
	if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
		raise DatabaseError(f"{path}: write entries as [[{key}]]")
	for count, entry in enumerate(content, 1):
		where = f"{path}: {key} {count} ({entry.get('id') or entry.get(required[0])})"
		for name, kind in required + optional:
			if name not in entry:
				if (name, kind) in required:
					raise DatabaseError(f"{where}: '{name}' is missing")
			elif not isinstance(entry[name], kind) or entry[name] in ("", []):
				raise DatabaseError(f"{where}: '{name}' has to be a {kind.__name__} with content")
		unknown = set(entry) - {name for name, _ in required + optional}
		if unknown:
			raise DatabaseError(f"{where}: unknown member '{sorted(unknown)[0]}'")
	return content


def load_rules(directory):
	rules = {}
	for path in sorted(directory.glob("*.toml")):
		if path.stem in SPECIAL_FILES:
			continue
		note = bool(read_toml(path).get("notes", False))
		for entry in entries(path, "rule", (("id", str), ("source", str), ("text", str)),
				     (("exception", str), ("reservation", str), ("protects", list))):
			if not RULE_ID.fullmatch(entry["id"]):
				raise DatabaseError(f"{path}: '{entry['id']}' is not of the form PREFIX-number")
			if entry["id"] in rules:
				raise DatabaseError(f"{path}: {entry['id']} stands in {rules[entry['id']].area}.toml already")
			rules[entry["id"]] = Rule(area=path.stem, note=note, **entry)
	if not rules:
		raise DatabaseError(f"{directory}: no rules; is this the root of the source tree?")
	for rule in rules.values():
		check_known(rules, rule.protects, f"{directory / rule.area}.toml: {rule.id}")
	return rules


def check_known(rules, ids, where):
	for rule_id in ids:
		if rule_id not in rules:
			raise DatabaseError(f"{where}: unknown rule '{rule_id}'")


def load_rows(path, rules):
	rows = []
	for entry in entries(path, "row", (("number", int), ("id", str), ("seed", str), ("title", str), ("rules", list))):
		where = f"{path}: row {entry['id']}"
		check_known(rules, entry["rules"], where)
		if entry["number"] != len(rows) + 1:
			raise DatabaseError(f"{where}: number is {entry['number']} where {len(rows) + 1} is next")
		if entry["id"] in (row.id for row in rows):
			raise DatabaseError(f"{where}: this id stands twice")
		rows.append(Row(**entry))
	return rows


def load_places(path, rules):
	places = {}
	for entry in entries(path, "exception", (("rule", str), ("place", str), ("reason", str))):
		check_known(rules, [entry["rule"]], path)
		if entry["place"] not in REQUIRED_PLACES:
			raise DatabaseError(f"{path}: {entry['rule']}: place '{entry['place']}' is none of "
					    + ", ".join(REQUIRED_PLACES))
		key = (entry["rule"], entry["place"])
		if key in places:
			raise DatabaseError(f"{path}: {key[0]} on {key[1]} stands twice")
		places[key] = entry["reason"]
	return places


def load_slots(path, rules):
	slots = []
	for entry in entries(path, "slot", (("slot", str), ("table", str), ("reason", str)), (("rules", list),)):
		check_known(rules, entry.get("rules", []), f"{path}: {entry['slot']}")
		if (entry["table"], entry["slot"]) in ((slot.table, slot.slot) for slot in slots):
			raise DatabaseError(f"{path}: {entry['slot']} of {entry['table']} stands twice")
		slots.append(Slot(entry["slot"], entry["table"], entry["reason"], entry.get("rules", [])))
	return slots


def load(root):
	directory = Path(root) / DIRECTORY
	rules = load_rules(directory)
	return Database(rules, load_rows(directory / "seed.toml", rules),
			load_places(directory / "places.toml", rules),
			load_slots(directory / "slots.toml", rules))
