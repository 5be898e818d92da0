/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * NdkOpenAdapter() and NdkCloseAdapter(): finding the binding a name belongs to, and for an adapter
 * or a site the binding it came from. Process context; stateless, so no lock.
 */
#include <cstring>

#include "bindings.hpp"
#include "../../kmod/api/control.h"

namespace ndk
{

static const Binding *const bindings[] = { &fabric::binding };

static const Binding *find(const char *name, const char **rest)
{
	for (const Binding *b : bindings) {
		size_t n = strlen(b->prefix);

		if (strncmp(name, b->prefix, n) == 0) {
			*rest = name + n;
			return b;
		}
	}
	return nullptr;
}

/* One binding owns all hosts so far; with several, the site's ops tell whose it is. */
static const Binding *owner(const ndk_site *)
{
	return bindings[0];
}

} /* namespace ndk */

extern "C" NTSTATUS NdkOpenAdapter(const char *Name, NDK_VERSION Version,
				   NDK_ADAPTER **ppNdkAdapter)
{
	const char *rest = nullptr;
	const ndk::Binding *b = Name ? ndk::find(Name, &rest) : nullptr;

	if (!ppNdkAdapter)
		return STATUS_INVALID_PARAMETER;
	return b ? b->open(rest, Version, ppNdkAdapter) : NDIS_STATUS_ADAPTER_NOT_FOUND;
}

extern "C" VOID NdkCloseAdapter(NDK_ADAPTER *pNdkAdapter)
{
	ndk_obj *o = ndk_obj_of(pNdkAdapter, NdkObjectTypeAdapter);

	if (!o) {
		ndk_port_bug("NdkCloseAdapter of something that is no open adapter", __FILE__,
			     __LINE__);
		return;
	}
	ndk::owner(NDK_CONTAINER(o->host, ndk_site, host))
		->close(reinterpret_cast<ndk_adapter *>(o));
}

extern "C" ndk_site *ndk_shell_site_get(const char *name)
{
	const char *rest = nullptr;
	const ndk::Binding *b = name ? ndk::find(name, &rest) : nullptr;

	return b ? b->site_get(rest) : nullptr;
}

extern "C" void ndk_shell_site_put(ndk_site *s)
{
	ndk::owner(s)->site_put(s);
}

extern "C" BOOLEAN ndk_shell_name_at(const ndk_addr *a, char *name, ULONG size)
{
	for (const ndk::Binding *b : ndk::bindings) {
		std::string found = b->name_at(a);

		if (found.empty() || found.size() >= size)
			continue;
		found.copy(name, found.size());
		name[found.size()] = 0;
		return TRUE;
	}
	return FALSE;
}
