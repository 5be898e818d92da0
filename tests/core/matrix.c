/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * Prints what the row lists of the core became, straight from the compiled lookups:
 *
 *	core_matrix list             names of the machines
 *	core_matrix matrix MACHINE   every pair of state and event, with acts and rules; "-" is illegal
 *	core_matrix dot MACHINE      the graph for Graphviz
 *	core_matrix md MACHINE       a page with a diagram (mermaid) and the table of rows
 *
 * C11 that is also C++20: matrix.cpp includes it, and both must print the same (matrix.sh).
 */
#include "../../kmod/core/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The core's host half: nothing here takes a step. */
#ifdef __cplusplus
extern "C" {
#endif

void ndk_port_bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

void ndk_port_trace(const struct ndk_obj *obj, const char *machine, const char *from, const char *event,
		    const char *to)
{
	(void)obj;
	fprintf(stderr, "unexpected step of %s: %s %s %s\n", machine, from, event, to);
	abort();
}

void ndk_port_illegal(const struct ndk_obj *obj, const char *machine, const char *state, const char *event)
{
	(void)obj;
	fprintf(stderr, "unexpected step of %s: %s %s\n", machine, state, event);
	abort();
}

#ifdef __cplusplus
}
#endif

static unsigned longest(const char *const *names, unsigned n)
{
	unsigned i, max = 0;

	for (i = 0; i < n; i++)
		if (strlen(names[i]) > max)
			max = (unsigned)strlen(names[i]);
	return max;
}

static void print_acts(const struct ndk_machine *m, UINT32 acts, const char *none)
{
	const char *space = "";
	unsigned i;

	if (!acts)
		fputs(none, stdout);
	for (i = 0; i < m->acts; i++) {
		if (acts & (1u << i)) {
			printf("%s%s", space, m->act_names[i]);
			space = " ";
		}
	}
}

static unsigned count_rows(const struct ndk_machine *m)
{
	unsigned s, e, n = 0;

	for (s = 0; s < m->states; s++)
		for (e = 0; e < m->events; e++)
			n += m->row(s, e).legal;
	return n;
}

static void print_matrix(const struct ndk_machine *m)
{
	int wide = (int)longest(m->state_names, m->states);
	int events = (int)longest(m->event_names, m->events);
	struct ndk_step row;
	unsigned s, e;

	printf("%s: %u states, %u events, %u rows of %u pairs\n", m->name, m->states, m->events,
	       count_rows(m), m->states * m->events);
	for (s = 0; s < m->states; s++) {
		printf("\n%s\n", m->state_names[s]);
		for (e = 0; e < m->events; e++) {
			row = m->row(s, e);
			printf("    %-*s  ", events, m->event_names[e]);
			if (!row.legal) {
				printf("-\n");
				continue;
			}
			printf("%-*s  [", wide, m->state_names[row.to]);
			print_acts(m, row.acts, "");
			printf("]  %s\n", row.rules);
		}
	}
}

/* Rows that neither move nor do anything would bury the picture. */
static int drawn(const struct ndk_step *row, unsigned from)
{
	return row->legal && (row->to != from || row->acts);
}

/* All events that lead from one state to another, as one edge. */
static void print_edge(const struct ndk_machine *m, unsigned from, unsigned to, const char *format,
		       const char *separator, const char *end)
{
	const char *before = "";
	struct ndk_step row;
	unsigned e, n = 0;

	for (e = 0; e < m->events; e++) {
		row = m->row(from, e);
		n += drawn(&row, from) && row.to == to;
	}
	if (!n)
		return;
	printf(format, m->state_names[from], m->state_names[to]);
	for (e = 0; e < m->events; e++) {
		row = m->row(from, e);
		if (!drawn(&row, from) || row.to != to)
			continue;
		printf("%s%s", before, m->event_names[e]);
		before = separator;
	}
	fputs(end, stdout);
}

static void print_edges(const struct ndk_machine *m, const char *format, const char *separator,
			const char *end)
{
	unsigned from, to;

	for (from = 0; from < m->states; from++)
		for (to = 0; to < m->states; to++)
			print_edge(m, from, to, format, separator, end);
}

static void print_dot(const struct ndk_machine *m)
{
	printf("// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)\n");
	printf("// Generated from kmod/core by tests/core/matrix.sh --update; do not edit.\n");
	printf("digraph %s {\n", m->name);
	printf("\trankdir=LR;\n\tnode [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
	printf("\tedge [fontname=\"sans-serif\", fontsize=9];\n");
	printf("\tstart [shape=point];\n\tstart -> %s;\n", m->state_names[0]);
	print_edges(m, "\t%s -> %s [label=\"", "\\n", "\"];\n");
	printf("}\n");
}

static void print_md(const struct ndk_machine *m)
{
	struct ndk_step row;
	unsigned s, e;

	printf("<!-- SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) -->\n");
	printf("<!-- Generated from kmod/core by tests/core/matrix.sh --update; do not edit. -->\n");
	printf("# The %s machine\n\n", m->name);
	printf("%u states, %u events, %u rows; the other %u pairs are illegal. Edges for events that\n"
	       "neither move nor do anything are left out of the diagram.\n\n",
	       m->states, m->events, count_rows(m), m->states * m->events - count_rows(m));
	printf("```mermaid\nstateDiagram-v2\n    [*] --> %s\n", m->state_names[0]);
	print_edges(m, "    %s --> %s : ", ", ", "\n");
	printf("```\n\n| State | Event | Next | Acts | Rules |\n|---|---|---|---|---|\n");
	for (s = 0; s < m->states; s++) {
		for (e = 0; e < m->events; e++) {
			row = m->row(s, e);
			if (!row.legal)
				continue;
			printf("| %s | %s | %s | ", m->state_names[s], m->event_names[e],
			       row.to == s ? "same" : m->state_names[row.to]);
			print_acts(m, row.acts, "-");
			printf(" | %s |\n", row.rules);
		}
	}
}

static const struct ndk_machine *find(const char *name)
{
	unsigned i;

	for (i = 0; i < NDK_MACHINES; i++)
		if (strcmp(ndk_machine(i)->name, name) == 0)
			return ndk_machine(i);
	return (const struct ndk_machine *)0;
}

int main(int argc, char **argv)
{
	const struct ndk_machine *m = argc == 3 ? find(argv[2]) : (const struct ndk_machine *)0;
	unsigned i;

	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		for (i = 0; i < NDK_MACHINES; i++)
			puts(ndk_machine(i)->name);
	} else if (m && strcmp(argv[1], "matrix") == 0) {
		print_matrix(m);
	} else if (m && strcmp(argv[1], "dot") == 0) {
		print_dot(m);
	} else if (m && strcmp(argv[1], "md") == 0) {
		print_md(m);
	} else {
		fprintf(stderr, "usage: core_matrix list | {matrix|dot|md} MACHINE\n");
		return 2;
	}
	return 0;
}
