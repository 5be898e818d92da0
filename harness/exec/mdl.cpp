/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * MDLs in user space: descriptions of plain memory, without pages. Any thread, no lock; an MDL has
 * one owner.
 */
#include <cstdlib>

#include <ndkpi/ndkpi_mdl.h>

extern "C" MDL *IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
			      BOOLEAN ChargeQuota, PVOID Irp)
{
	MDL *mdl;

	(void)SecondaryBuffer;
	(void)ChargeQuota;
	(void)Irp;
	if (!Length)
		return nullptr;
	mdl = static_cast<MDL *>(calloc(1, sizeof(*mdl)));
	if (!mdl)
		return nullptr;
	mdl->VirtualAddress = VirtualAddress;
	mdl->ByteCount = Length;
	return mdl;
}

extern "C" VOID MmBuildMdlForNonPagedPool(MDL *Mdl)
{
	Mdl->Flags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

extern "C" VOID IoFreeMdl(MDL *Mdl)
{
	free(Mdl);
}
