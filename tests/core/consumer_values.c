/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * consumer_values.c - what a Windows source does with the interface's values,
 * in a file that is C and C++ at once.
 *
 * Owns: the checks that layout assertions cannot make: statuses as case labels,
 * annotation words around parameters, the halves of a LARGE_INTEGER, the
 * accessors of an MDL, the types of members. Built and run by header_alone.sh; needs no provider.
 */
#include <ndkpi/ndkpi.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

static int checks, failures;

static void check(int right, const char *what)
{
	checks++;
	if (right)
		return;
	failures++;
	printf("# wrong: %s\n", what);
}

/* Every status once: a duplicate value would not compile, but for the two that
 * share their number with an NTSTATUS by definition. */
static const char *kind_of(NTSTATUS Status)
{
	switch (Status) {
	case STATUS_SUCCESS:
		return "done";
	case STATUS_PENDING:
		return "pending";
	case STATUS_NETWORK_UNREACHABLE:
	case STATUS_HOST_UNREACHABLE:
	case STATUS_CONNECTION_REFUSED:
	case STATUS_IO_TIMEOUT:
		return "retryable";
	case STATUS_BUFFER_OVERFLOW:
	case STATUS_NO_MORE_ENTRIES:
	case STATUS_DEVICE_BUSY:
		return "warning";
	case STATUS_ACCESS_VIOLATION:
	case STATUS_INVALID_PARAMETER:
	case STATUS_BUFFER_TOO_SMALL:
	case STATUS_INVALID_PARAMETER_MIX:
	case STATUS_SHARING_VIOLATION:
	case STATUS_INSUFFICIENT_RESOURCES:
	case STATUS_NOT_SUPPORTED:
	case STATUS_INTERNAL_ERROR:
	case STATUS_CANCELLED:
	case STATUS_REMOTE_RESOURCES:
	case STATUS_INVALID_ADDRESS:
	case STATUS_TOO_MANY_ADDRESSES:
	case STATUS_ADDRESS_ALREADY_EXISTS:
	case STATUS_CONNECTION_INVALID:
	case STATUS_CONNECTION_ABORTED:
	case STATUS_IMPLEMENTATION_LIMIT:
	case STATUS_INVALID_DEVICE_REQUEST:
	case STATUS_DATA_OVERRUN:
	case STATUS_INVALID_DEVICE_STATE:
	case STATUS_INVALID_BUFFER_SIZE:
	case STATUS_CONNECTION_ACTIVE:
	case STATUS_DEVICE_REMOVED:
		return "error";
	case NDIS_STATUS_BAD_VERSION:
	case NDIS_STATUS_ADAPTER_NOT_FOUND:
	case NDIS_STATUS_ADAPTER_NOT_READY:
		return "open";
	default:
		return "unknown";
	}
}

static void check_statuses(void)
{
	check(kind_of(STATUS_IO_TIMEOUT)[0] == 'r', "case label of an error");
	check(kind_of(STATUS_BUFFER_OVERFLOW)[0] == 'w', "of a warning");
	check(kind_of(NDIS_STATUS_BAD_VERSION)[0] == 'o', "of NDIS");
	check(kind_of(42)[0] == 'u', "no other number is a status");
	check((unsigned int)STATUS_CANCELLED == 0xC0000120u, "bit pattern");
	check(NT_SUCCESS(STATUS_PENDING), "pending is no failure");
	check(!NT_SUCCESS(STATUS_NO_MORE_ENTRIES), "a warning is no success");
}

static BOOLEAN annotated(IN CONST GUID *Id, OUT ULONG *Value, _In_opt_ PVOID Context,
			 _Inout_ LARGE_INTEGER *Where)
{
	*Value = Id->Data1;
	Where->QuadPart = 0x100000002LL;
	return Context == NULL && Where->LowPart == 2 && Where->HighPart == 1;
}

static void check_annotations(void)
{
	static const GUID id = { 7, 0, 0, { 0 } };
	LARGE_INTEGER where;
	ULONG value = 0;

	check(annotated(&id, &value, NULL, &where) == TRUE, "the two halves");
	check(value == 7, "a value through an annotated parameter");
}

static void check_sge(void)
{
	NDK_SGE sge;

	sge.LogicalAddress.QuadPart = 0x1000;
	check(sge.VirtualAddress == (PVOID)0x1000, "two names of one address");
}

/* A member has exactly this type: a pointer to another would not convert. */
#define IS(type, member)                               \
	do {                                           \
		type *address = &(member);             \
		check(sizeof(*address) != 0, #member); \
	} while (0)

static void check_result_types(void)
{
	NDK_RESULT_EX ex;
	NDK_RESULT plain;

	IS(NTSTATUS, plain.Status);
	IS(ULONG, plain.BytesTransferred);
	IS(PVOID, plain.QPContext);
	IS(PVOID, plain.RequestContext);
	IS(NTSTATUS, ex.Status);
	IS(ULONG, ex.BytesTransferred);
	IS(PVOID, ex.QPContext);
	IS(PVOID, ex.RequestContext);
	IS(NDK_OPERATION_TYPE, ex.Type);
	IS(ULONG, ex.ProviderErrorCode);
	IS(ULONG_PTR, ex.TypeSpecificCompletionOutput);
}

static void check_memory_types(void)
{
	NDK_LOGICAL_ADDRESS_MAPPING lam;
	NDK_OBJECT_HEADER header;
	NDK_SGE sge;

	IS(PVOID, sge.VirtualAddress);
	IS(PHYSICAL_ADDRESS, sge.LogicalAddress);
	IS(ULONG, sge.Length);
	IS(UINT32, sge.MemoryRegionToken);
	IS(PVOID, lam.AdapterContext);
	IS(ULONG, lam.AdapterPageCount);
	IS(NDK_LOGICAL_ADDRESS, lam.AdapterPageArray[0]);
	IS(NDK_VERSION, header.Version);
	IS(NDK_OBJECT_TYPE, header.ObjectType);
	IS(PVOID, header.NdkReserved.rf[3]);
}

static void check_info_types(void)
{
	NDK_ADAPTER_INFO info;

	IS(NDK_VERSION, info.Version);
	IS(UINT32, info.VendorId);
	IS(UINT32, info.DeviceId);
	IS(SIZE_T, info.MaxRegistrationSize);
	IS(SIZE_T, info.MaxWindowSize);
	IS(ULONG, info.FRMRPageCount);
	IS(ULONG, info.MaxTransferLength);
	IS(ULONG, info.AdapterFlags);
	IS(NDK_RDMA_TECHNOLOGY, info.RdmaTechnology);
}

static void check_mdl(void)
{
	MDL mdl = { NULL, NULL, NULL, 11, 0, 0, 0 };

	mdl.VirtualAddress = (PVOID)(ULONG_PTR)(3 * NDK_PAGE_SIZE + 5);
	check(MmGetMdlByteOffset(&mdl) == 5, "MDL offset");
	check(MmGetMdlByteCount(&mdl) == 11, "MDL length");
	check(MmGetMdlVirtualAddress(&mdl) == mdl.VirtualAddress, "MDL address");
}

#ifdef __cplusplus
}
#endif

int main(void)
{
	check_statuses();
	check_annotations();
	check_sge();
	check_result_types();
	check_memory_types();
	check_info_types();
	check_mdl();
	printf("# %d checks, %d failures\n", checks, failures);
	return failures != 0;
}
