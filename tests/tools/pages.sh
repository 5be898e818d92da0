#!/usr/bin/env bash
# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# The commands that README.md and the manual pages show, run as they are written there. Those that change
# the machine (loading modules, making devices, make) are skipped: they run in the test machine. Prints TAP.

set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
number=0 failed=0

# What README's example of a consumer begins with, as a whole program. It knows nothing of the fabric, and
# waits for what pends as a consumer of the kernel would.
consumer() {
	cat <<'EOT'
#include <ndkpi/ndkpi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int over;
static NTSTATUS result;

static VOID requested(PVOID context, NTSTATUS status)
{
	(void)context;
	result = status;
	over = 1;
}

static VOID created(PVOID context, NTSTATUS status, NDK_OBJECT_HEADER *object)
{
	*(NDK_OBJECT_HEADER **)context = object;
	requested(NULL, status);
}

static VOID closed(PVOID context)
{
	requested(context, STATUS_SUCCESS);
}

static int done(NTSTATUS status)
{
	int tenths;

	for (tenths = 0; status == STATUS_PENDING && tenths < 100 && !over; tenths++)
		usleep(100000);
	if (status == STATUS_PENDING)
		status = over ? result : STATUS_IO_TIMEOUT;
	over = 0;
	if (status != STATUS_SUCCESS)
		printf("status %#x\n", (unsigned)status);
	return status == STATUS_SUCCESS;
}

int main(void)
{
	static char memory[4096];
	NDK_VERSION version = { 2, 1 };
	NDK_ADAPTER *adapter;
	NDK_PD *pd;
	NDK_MR *mr;
	MDL *mdl = IoAllocateMdl(memory, sizeof(memory), FALSE, FALSE, NULL);

	if (!mdl || NdkOpenAdapter("fabric:0", version, &adapter) != STATUS_SUCCESS)
		return 1;
	MmBuildMdlForNonPagedPool(mdl);
	if (!done(adapter->Dispatch->NdkCreatePd(adapter, created, &pd, &pd)) ||
	    !done(pd->Dispatch->NdkCreateMr(pd, FALSE, created, &mr, &mr)) ||
	    !done(mr->Dispatch->NdkRegisterMr(mr, mdl, sizeof(memory), 0, requested, NULL)) ||
	    !done(mr->Dispatch->NdkDeregisterMr(mr, requested, NULL)) ||
	    !done(mr->Dispatch->NdkCloseMr(&mr->Header, closed, NULL)) ||
	    !done(pd->Dispatch->NdkClosePd(&pd->Header, closed, NULL)))
		return 2;
	NdkCloseAdapter(adapter);
	IoFreeMdl(mdl);
	return puts("registered, and closed") < 0;
}
EOT
}

# readme, manual: the commands, one a line.
readme() { sed -n 's/^    \(\(make\|rdma\|insmod\|dmesg\|cc\|\.\/a\.out\|build\/bin\/\).*\)/\1/p' "$root/README.md"; }
manual() { sed -n '/^\.SH EXAMPLES/,/^\.fi/p' "$1" | grep -E '^[a-z]' | sed 's/\\-/-/g; s/\\e/\\/g'; }

# try PAGE COMMAND: one test. The working directory has a build directory and a consumer.c.
try() {
	local status=0 command=${2%% #*}
	number=$((number + 1))
	case $command in
	make* | rdma* | insmod* | rmmod* | dmesg*)
		echo "ok $number - T-UA-13 $1: $command # SKIP it changes the machine; the test machine runs such"
		return
		;;
	esac
	(cd "$work" && PATH=$root/build/bin:$PATH timeout 60 bash -c "$command") >"$work/log" 2>&1 </dev/null || status=$?
	if [ $status -eq 0 ]; then
		echo "ok $number - T-UA-13 $1: $command"
	else
		failed=1
		echo "not ok $number - T-UA-13 $1: $command"
		tail -n 10 "$work/log" | sed 's/^/# /'
	fi
}

ln -s "$root/build" "$work/build"
consumer >"$work/consumer.c"
echo "TAP version 13"
while read -r line; do
	try README.md "$line"
done < <(readme)
for page in "$root"/Documentation/man/*.[1-8]; do
	while read -r line; do
		try "$(basename "$page")" "$line"
	done < <(manual "$page")
done
number=$((number + 1))
if [ $number -gt 8 ]; then
	echo "ok $number - T-UA-13 the pages show commands, and they are found"
else
	failed=1
	echo "not ok $number - T-UA-13 the pages show commands, and they are found"
fi
echo "1..$number"
exit $failed
