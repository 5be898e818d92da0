/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * ndkpi_types.h - the base types of the consumer interface.
 *
 * Owns: the integer, pointer, status and address names that the NDKPI
 * prototypes are written in, the annotation words a Windows source carries,
 * and the macros with which the other headers assert their own layout.
 * Anyone may include it, in the kernel and in user space, in C11 and later and
 * in C++17 and later, before or after any other header. It needs the compiler
 * and the platform's declaration of struct sockaddr, and nothing else.
 *
 * Widths are those of 64-bit Windows, not those the C names suggest on Linux:
 * ULONG and LONG have 32 bits.
 */
#ifndef NDKPI_TYPES_H
#define NDKPI_TYPES_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/socket.h>
#else
#include <sys/socket.h>
#endif

/* C before C23 has the assertion only under its underscored name. */
#if !defined(__cplusplus) && !defined(static_assert)
#define static_assert _Static_assert
#endif

/*
 * Layout assertions. The numbers in the headers are those of 64-bit machines,
 * so the first two hold vacuously elsewhere (VER-7).
 */
#define NDKPI_IS_64BIT (sizeof(void *) == 8)
#define NDKPI_ASSERT_SIZE(type, size) \
	static_assert(!NDKPI_IS_64BIT || sizeof(type) == (size), "size of " #type)
#define NDKPI_ASSERT_OFFSET(type, member, offset)                                      \
	static_assert(!NDKPI_IS_64BIT || __builtin_offsetof(type, member) == (offset), \
		      "offset of " #type "." #member)
/* A dispatch table is that many pointers and nothing else (GEN-1). */
#define NDKPI_ASSERT_SLOTS(type, slots) \
	static_assert(sizeof(type) == (slots) * sizeof(void (*)(void)), "slots of " #type)

#ifdef __cplusplus
extern "C" {
#endif

/*
 * VOID is a type and not a macro, so that a later header may still use the
 * word as a member or an enumerator of its own.
 */
typedef void VOID;
typedef void *PVOID;

typedef char CHAR; /* 8 bits, text */
typedef unsigned char UCHAR; /* 8 bits */
typedef unsigned char BOOLEAN; /* 8 bits; zero is FALSE, all else TRUE */
typedef unsigned short USHORT; /* 16 bits */
typedef int LONG; /* 32 bits, signed */
typedef unsigned int ULONG; /* 32 bits */
typedef unsigned int UINT32; /* 32 bits, memory tokens */
typedef long long LONGLONG; /* 64 bits, signed */
/* 64 bits; the kernel's u64, so that one printf format fits both spaces. */
typedef unsigned long long ULONG64;
typedef unsigned long long UINT64;
typedef __SIZE_TYPE__ SIZE_T; /* byte counts of memory, wide as a pointer */
typedef __UINTPTR_TYPE__ ULONG_PTR; /* an integer that can carry a pointer */

/* Outcome of a call; negative is failure. Values: ndkpi_status.h. */
typedef LONG NTSTATUS;
/* Outcome of opening an adapter; the same number space as NTSTATUS. */
typedef int NDIS_STATUS;

/*
 * Success includes STATUS_PENDING and other positive values: test for
 * STATUS_PENDING first where a call may return it (REQ-1).
 */
#define NT_SUCCESS(Status) (((NTSTATUS)(Status)) >= 0)

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif
#ifndef CONST
#define CONST const
#endif

/* Identity of an extension interface (EXT-2). */
typedef struct _GUID {
	ULONG Data1;
	USHORT Data2;
	USHORT Data3;
	UCHAR Data4[8];
} GUID;

/*
 * A socket address of family AF_INET or AF_INET6 (ADDR-1). Input addresses are
 * declared as pointer to const struct sockaddr, so that const and non-const
 * callers both compile.
 */
typedef struct sockaddr *PSOCKADDR;

/* A 64-bit value that can also be seen as two halves. */
typedef union _LARGE_INTEGER {
	LONGLONG QuadPart;
	__extension__ struct {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		LONG HighPart;
		ULONG LowPart;
#else
		ULONG LowPart;
		LONG HighPart;
#endif
	};
} LARGE_INTEGER;

/* An address as the adapter's DMA engine sees it. */
typedef LARGE_INTEGER PHYSICAL_ADDRESS;

/* One bit for each processor of a group of 64. */
typedef unsigned long long KAFFINITY;

/*
 * Processors on which notifications of a CQ or SRQ are best delivered; bit n
 * of group g is CPU 64 * g + n. A hint, never a promise (CQ-2, SRQ-8).
 */
typedef struct _GROUP_AFFINITY {
	KAFFINITY Mask; /* processors within the group */
	USHORT Group; /* which 64 CPUs, from 0 */
	USHORT Reserved[3]; /* zero */
} GROUP_AFFINITY;

/* A description of consumer memory; ndkpi_mdl.h builds and reads them. */
typedef struct _MDL MDL, *PMDL;

NDKPI_ASSERT_SIZE(USHORT, 2);
NDKPI_ASSERT_SIZE(LONG, 4);
NDKPI_ASSERT_SIZE(ULONG, 4);
NDKPI_ASSERT_SIZE(UINT32, 4);
NDKPI_ASSERT_SIZE(ULONG64, 8);
NDKPI_ASSERT_SIZE(UINT64, 8);
NDKPI_ASSERT_SIZE(LONGLONG, 8);
NDKPI_ASSERT_SIZE(SIZE_T, 8);
NDKPI_ASSERT_SIZE(ULONG_PTR, 8);
NDKPI_ASSERT_SIZE(BOOLEAN, 1);
NDKPI_ASSERT_SIZE(NTSTATUS, 4);
NDKPI_ASSERT_SIZE(NDIS_STATUS, 4);
NDKPI_ASSERT_SIZE(GUID, 16);
NDKPI_ASSERT_OFFSET(GUID, Data4, 8);
NDKPI_ASSERT_SIZE(LARGE_INTEGER, 8);
NDKPI_ASSERT_SIZE(PHYSICAL_ADDRESS, 8);
NDKPI_ASSERT_SIZE(GROUP_AFFINITY, 16);
NDKPI_ASSERT_OFFSET(GROUP_AFFINITY, Group, 8);
NDKPI_ASSERT_OFFSET(GROUP_AFFINITY, Reserved, 10);
static_assert((NTSTATUS)-1 < 0, "NTSTATUS is signed");

#ifdef __cplusplus
}
#endif

/*
 * Annotation words of Windows sources. They mean nothing to this compiler and
 * expand to nothing; each gives way to a definition that is already there. The
 * double-underscore spellings (__in, __out) are left out on purpose: the C++
 * standard library uses them as names.
 */
#ifndef IN
#define IN
#endif
#ifndef OUT
#define OUT
#endif
#ifndef OPTIONAL
#define OPTIONAL
#endif
#ifndef _In_
#define _In_
#endif
#ifndef _In_opt_
#define _In_opt_
#endif
#ifndef _In_reads_
#define _In_reads_(Count)
#endif
#ifndef _In_reads_opt_
#define _In_reads_opt_(Count)
#endif
#ifndef _In_reads_bytes_
#define _In_reads_bytes_(Bytes)
#endif
#ifndef _In_reads_bytes_opt_
#define _In_reads_bytes_opt_(Bytes)
#endif
#ifndef _Out_
#define _Out_
#endif
#ifndef _Out_opt_
#define _Out_opt_
#endif
#ifndef _Out_writes_
#define _Out_writes_(Count)
#endif
#ifndef _Out_writes_to_
#define _Out_writes_to_(Count, Written)
#endif
#ifndef _Out_writes_bytes_
#define _Out_writes_bytes_(Bytes)
#endif
#ifndef _Out_writes_bytes_opt_
#define _Out_writes_bytes_opt_(Bytes)
#endif
#ifndef _Out_writes_bytes_to_opt_
#define _Out_writes_bytes_to_opt_(Bytes, Written)
#endif
#ifndef _Outptr_
#define _Outptr_
#endif
#ifndef _Inout_
#define _Inout_
#endif
#ifndef _Inout_opt_
#define _Inout_opt_
#endif
#ifndef _Must_inspect_result_
#define _Must_inspect_result_
#endif
#ifndef _Use_decl_annotations_
#define _Use_decl_annotations_
#endif
#ifndef _Function_class_
#define _Function_class_(Type)
#endif
#ifndef _Success_
#define _Success_(Condition)
#endif
#ifndef _When_
#define _When_(Condition, Annotations)
#endif
#ifndef _At_
#define _At_(Target, Annotations)
#endif
#ifndef _IRQL_requires_
#define _IRQL_requires_(Irql)
#endif
#ifndef _IRQL_requires_max_
#define _IRQL_requires_max_(Irql)
#endif
#ifndef _IRQL_requires_same_
#define _IRQL_requires_same_
#endif

#endif /* NDKPI_TYPES_H */
