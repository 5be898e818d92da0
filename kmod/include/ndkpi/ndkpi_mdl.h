/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_mdl.h - memory descriptor lists: how a consumer names its memory.
 *
 * Owns: struct _MDL, its accessors and its builders. One MDL describes
 * ByteCount bytes that are contiguous at VirtualAddress; a chain through Next
 * describes the bytes of its members one after the other. NdkRegisterMr and
 * NdkBuildLAM take chains.
 *
 * Windows sources use the Io and Mm names; they are the same in the kernel and
 * in user space. The NdkMdlFrom functions are the native kernel builders.
 * An MDL has one owner, who builds, uses and frees it; nothing here locks. The
 * owner keeps the memory in place, and the chain unchanged, as long as a
 * request, a registration or a LAM uses it (MR-4, LAM-5).
 */
#ifndef NDKPI_MDL_H
#define NDKPI_MDL_H

#include <ndkpi/ndkpi_types.h>

#ifdef __KERNEL__
#include <linux/types.h>
#include <asm/page.h>
struct page;
struct bio_vec;
struct scatterlist;
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The page of MDLs, logical address mappings and fast-register arrays. In user
 * space it is fixed, whatever the machine's own page is.
 */
#ifdef __KERNEL__
#define NDK_PAGE_SIZE PAGE_SIZE
#else
#define NDK_PAGE_SIZE 4096UL
#endif

/* Flags, as Windows numbers them; owned by the builders. */
#define MDL_PAGES_LOCKED	    0x0002 /* Pages names resident pages */
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004 /* VirtualAddress is mapped memory */

struct _MDL {
	MDL *Next; /* following member of the chain, or NULL */
	PVOID VirtualAddress; /* first byte; an index only, see MR-5, LAM-6 */
	PVOID *Pages; /* struct page * each in the kernel, NULL in user space */
	ULONG ByteCount; /* bytes described by this member */
	ULONG PageCount; /* entries of Pages; 0 while Pages is NULL */
	ULONG Flags; /* MDL_* above */
	ULONG Reserved; /* zero */
};

NDKPI_ASSERT_SIZE(MDL, 40);
NDKPI_ASSERT_OFFSET(MDL, Next, 0);
NDKPI_ASSERT_OFFSET(MDL, VirtualAddress, 8);
NDKPI_ASSERT_OFFSET(MDL, Pages, 16);
NDKPI_ASSERT_OFFSET(MDL, ByteCount, 24);
NDKPI_ASSERT_OFFSET(MDL, PageCount, 28);
NDKPI_ASSERT_OFFSET(MDL, Flags, 32);

/*
 * Allocates an MDL for Length bytes at VirtualAddress; the memory itself is
 * not touched and Next is NULL. SecondaryBuffer, ChargeQuota and Irp exist for
 * source compatibility: pass FALSE, FALSE, NULL; they have no effect. Returns
 * NULL without memory, and for Length 0. Context: any, atomic allowed.
 */
MDL *IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
		   PVOID Irp);

/*
 * Makes an MDL from IoAllocateMdl ready for use: in the kernel it looks up the
 * pages behind the address, which must be kernel memory that cannot be paged
 * out (kmalloc, vmalloc, a module's data); in user space it only marks the MDL.
 * Takes no reference on the pages. Context: any, atomic allowed.
 */
VOID MmBuildMdlForNonPagedPool(MDL *Mdl);

/*
 * Frees one MDL and its page array, whichever builder made it, and no other
 * member of its chain. NULL is allowed. Nothing may be using the MDL.
 * Context: any, atomic allowed.
 */
VOID IoFreeMdl(MDL *Mdl);

/* First byte of this member, as given to the builder. */
static inline PVOID MmGetMdlVirtualAddress(const MDL *Mdl)
{
	return Mdl->VirtualAddress;
}

/* Bytes of this member alone, not of the chain. */
static inline ULONG MmGetMdlByteCount(const MDL *Mdl)
{
	return Mdl->ByteCount;
}

/* Offset of the first byte within its page, in bytes. */
static inline ULONG MmGetMdlByteOffset(const MDL *Mdl)
{
	return (ULONG)((ULONG_PTR)Mdl->VirtualAddress & (NDK_PAGE_SIZE - 1));
}

#ifdef __KERNEL__
/*
 * Native builders. Each returns one ready MDL that IoFreeMdl frees, or NULL
 * without memory or when the pieces cannot form one contiguous range: every
 * piece but the first must begin, and every piece but the last must end, on a
 * page boundary. The arrays are read during the call only (U-49); page
 * references stay with the caller, who keeps them until the memory is no
 * longer used (MR-4).
 *
 * VirtualAddress becomes the base of the range and so of the registered
 * region (MR-6). Its offset within a page must be that of the first byte. NULL
 * chooses the kernel address of the first byte, which lowmem pages have; a
 * highmem page then makes the call fail. Context: as Gfp says.
 */

/* ByteCount bytes from ByteOffset (below PAGE_SIZE) of the first page. */
MDL *NdkMdlFromPages(struct page *const *Pages, ULONG PageCount, ULONG ByteOffset, ULONG ByteCount,
		     PVOID VirtualAddress, gfp_t Gfp);

/* All bytes of SegmentCount segments; each may span several pages. */
MDL *NdkMdlFromBvec(const struct bio_vec *Segments, ULONG SegmentCount, PVOID VirtualAddress,
		    gfp_t Gfp);

/* All bytes of the first EntryCount entries, chained lists included; the CPU
 * side of the entries is read, not their DMA mapping. */
MDL *NdkMdlFromScatterlist(struct scatterlist *List, ULONG EntryCount, PVOID VirtualAddress,
			   gfp_t Gfp);
#endif /* __KERNEL__ */

#ifdef __cplusplus
}
#endif

#endif /* NDKPI_MDL_H */
