# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""Enough of C and C++ to see code without comments and to find where functions begin and end.

A brace counter, not a parser: it needs balanced braces once comments, strings and preprocessor lines
are gone. Used by tidy.py.
"""

import re

TOKEN = re.compile(r"""
	  (?P<comment> //(?:\\\n|[^\n])* | /\*.*?(?:\*/|\Z) )
	| (?P<raw> R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)" )
	| (?P<string> "(?:\\.|[^"\\\n])*" )
	| (?P<number> \b[0-9][\w.']* )
	| (?P<char> '(?:\\.|[^'\\\n])+' )
""", re.VERBOSE | re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
NOT_A_FUNCTION = re.compile(r"^\s*(?:(?:static|typedef|inline|export|template\s*<[^{}]*>)\s+)*"
	r"(?:namespace|struct|class|union|enum|extern)\b")
NAME = re.compile(r"([~\w:]+(?:\s*operator\s*[^\s\w(]+)?)\s*\(")


def blank(match):
	"""Spaces of the same shape, so that positions and line numbers stay."""
	if match.lastgroup == "number":
		return match[0]
	text = re.sub(r"[^\n]", " ", match[0])
	if match["string"]:
		text = '"' + text[1:-1] + '"'
	return text


def strip(text):
	return TOKEN.sub(blank, text)


def is_function(header):
	"""header is what stands between the previous ; { or } and an opening brace at file level."""
	if "(" not in header:
		return False
	before_parameters = header.split("(", 1)[0]
	if "=" in before_parameters and "operator" not in before_parameters:
		return False
	return not NOT_A_FUNCTION.match(header) or bool(re.search(r"\)\s*(?:const|noexcept|override)?\s*$", header))


def functions(code):
	"""(name, first line, last line) of every function in stripped code."""
	code = PREPROCESSOR.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), code)
	found, header_start, line = [], 0, 1
	open_function = None   # (name, first line, depth inside)
	depth = 0
	for match in re.finditer(r"[{};\n]", code):
		mark, position = match[0], match.start()
		if mark == "\n":
			line += 1
			continue
		if mark == "{":
			depth += 1
			header = code[header_start:position]
			if open_function is None and is_function(header):
				first = line - header.lstrip().count("\n")
				name = NAME.search(header)
				open_function = (name[1] if name else "a function", first, depth)
		elif mark == "}":
			if open_function and open_function[2] == depth:
				found.append((open_function[0], open_function[1], line))
				open_function = None
			depth -= 1
		header_start = position + 1
	return found
