/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * M-09: which statuses each function may return or pass to its completion. The lists are in
 * MON_FUNCTIONS (monitor_i.h): those of the interface, and those this provider adds where the
 * interface leaves the choice (U-4, U-9 to U-13, U-20, U-27, U-33, U-34, U-42, U-45). Inline and
 * asynchronous lists are one (U-16); slots that the provider does not serve say so with
 * STATUS_NOT_SUPPORTED (GEN-1); STATUS_CANCELLED comes only by callback, from a close (U-3).
 */
#include "monitor_i.h"

#define MON_STATUSES 16

struct mon_row {
	const char *name;
	BOOLEAN pends;
	NTSTATUS allowed[MON_STATUSES]; /* STATUS_SUCCESS, which is 0, ends the list */
};

#define MON_FN_ROW(name_, pends_, ...) { #name_, pends_, { __VA_ARGS__ } },
static const struct mon_row rows[] = { MON_FUNCTIONS(MON_FN_ROW) };

const char *mon_fn_name(enum mon_fn fn)
{
	return rows[fn].name;
}

static BOOLEAN listed(const struct mon_row *row, NTSTATUS status)
{
	unsigned i;

	for (i = 0; i < MON_STATUSES && row->allowed[i] != STATUS_SUCCESS; i++)
		if (row->allowed[i] == status)
			return TRUE;
	return FALSE;
}

void mon_check_status(enum mon_fn fn, NTSTATUS status, BOOLEAN inside)
{
	const struct mon_row *row = &rows[fn];
	BOOLEAN fine;

	/* The extension query alone never succeeds (U-43). */
	if (status == STATUS_SUCCESS)
		fine = fn != MON_NdkQueryExtension;
	else if (status == STATUS_PENDING)
		fine = inside && row->pends;
	else if (status == STATUS_CANCELLED && row->pends && fn != MON_NdkClose)
		fine = !inside;
	else
		fine = listed(row, status);
	if (!fine)
		mon_violate(9, "%s %s %s (0x%08x), which is not in its list", row->name,
			    inside ? "returned" : "completed with", conf_status_name(status), (unsigned)status);
}
