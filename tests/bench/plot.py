# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""The picture of report.py's table, as SVG text. Called by report.py; knows what twins.json holds."""

from html import escape

WIDTH, LEFT, RIGHT, ROW = 920, 300, 30, 34
LOW, HIGH = 0.5, 1.5   # of the ratio; what lies outside is drawn at the edge
INK, GRID, NDK, RAW, GOAL = "#222", "#ddd", "#1f77b4", "#999", "#d8f0d8"


class Page:
	def __init__(self):
		self.parts = []
		self.y = 0

	def add(self, text):
		self.parts.append(text)

	def text(self, x, y, text, anchor="start", size=13, color=INK):
		self.add(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
			 f'fill="{color}">{escape(text)}</text>')

	def box(self, x, y, width, height, color):
		self.add(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" height="{height}" fill="{color}"/>')

	def line(self, x1, y1, x2, y2, color=INK, width=1):
		self.add(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
			 f'stroke-width="{width}"/>')

	def dot(self, x, y, color, square=False):
		if square:
			self.add(f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="white" stroke="{color}" '
				 f'stroke-width="2" transform="rotate(45 {x:.1f} {y:.1f})"/>')
		else:
			self.add(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{color}"/>')

	def finish(self):
		head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{self.y}" '
			f'viewBox="0 0 {WIDTH} {self.y}" font-family="sans-serif">')
		license_line = "<!-- SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) -->"
		return "\n".join([head, license_line, f'<rect width="{WIDTH}" height="{self.y}" fill="white"/>',
				  *self.parts, "</svg>\n"])


def at(ratio):
	ratio = min(max(ratio, LOW), HIGH)
	return LEFT + (ratio - LOW) / (HIGH - LOW) * (WIDTH - LEFT - RIGHT)


def draw_work(page, work):
	is_time = work["goal"] > 1
	y = page.y + ROW / 2
	begin, end = (at(LOW), at(work["goal"])) if is_time else (at(work["goal"]), at(HIGH))
	page.box(begin, page.y + 4, end - begin, ROW - 8, GOAL)
	page.text(LEFT - 12, y + 4, work["title"] + (" (time)" if is_time else ""), "end")
	if timed := work.get("timed"):
		low, high = timed["quartiles"]
		page.line(at(low), y - 5, at(high), y - 5, NDK, 2)
		low, high = timed["interval"]
		page.line(at(low), y - 5, at(high), y - 5, NDK, 6)
		page.dot(at(timed["ratio"]), y - 5, NDK)
	if counted := work.get("counted"):
		page.dot(at(counted["ratio"]), y + 7, INK, square=True)
	page.y += ROW


def draw_ratios(page, works):
	page.text(20, 30, "NDKPI relative to raw rdma_cm and ib_core", size=18)
	page.text(20, 50, "dot: median of paired ratios by time; thick: its 95 % interval; thin: quartiles; "
		  "diamond: by instructions; shaded: the goal", size=12)
	page.y = 84
	bottom = page.y + ROW * len(works)
	for tenth in range(int(LOW * 10), int(HIGH * 10) + 1):
		page.line(at(tenth / 10), page.y, at(tenth / 10), bottom, GRID if tenth != 10 else INK)
		page.text(at(tenth / 10), page.y - 6, f"{tenth / 10:.1f}", "middle", 11)
	for work in works.values():
		draw_work(page, work)
	page.y += 30


def draw_instructions(page, instructions):
	kinds = [k for k in instructions if k != "nothing" and {"ndk", "raw"} <= instructions[k].keys()]
	if not kinds:
		return
	page.text(20, page.y + 16, "Instructions of one call", size=18)
	page.text(LEFT, page.y + 16, "upper: NDKPI; lower: raw", size=12)
	page.y += 34
	most = max(instructions[k][way] for k in kinds for way in ("ndk", "raw"))
	scale = (WIDTH - LEFT - RIGHT - 120) / most
	for kind in kinds:
		ways = instructions[kind]
		page.text(LEFT - 12, page.y + 17, kind.replace("_", " "), "end")
		for offset, way, color in ((3, "ndk", NDK), (14, "raw", RAW)):
			page.box(LEFT, page.y + offset, ways[way] * scale, 10, color)
		page.text(LEFT + max(ways.values()) * scale + 8, page.y + 17,
			  f"{ways['ndk']} / {ways['raw']}: {ways['ndk'] - ways['raw']:+}", size=12)
		page.y += 30
	page.y += 10


def draw(works, instructions):
	page = Page()
	if works:
		draw_ratios(page, works)
	draw_instructions(page, instructions)
	page.y = max(page.y, 60)
	return page.finish()
