/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * What a binding gives to NdkOpenAdapter() and NdkCloseAdapter(): the part of a name before the
 * colon, and the two functions. Process context.
 */
#ifndef NDK_EXEC_BINDINGS_HPP
#define NDK_EXEC_BINDINGS_HPP

#include <string>

#include "../../kmod/api/shell.h"

namespace ndk
{

struct Binding {
	const char *prefix; /* with the colon */
	/* rest: what follows the prefix */
	NDIS_STATUS (*open)(const char *rest, NDK_VERSION version, NDK_ADAPTER **adapter);
	void (*close)(ndk_adapter *adapter);
	/* The site of that name, held until put; NULL for an unknown one. */
	ndk_site *(*site_get)(const char *rest);
	void (*site_put)(ndk_site *site);
	/* The name, with the prefix, of the adapter that has this address, or "". */
	std::string (*name_at)(const ndk_addr *a);
};

namespace fabric
{
extern const Binding binding;
}

} /* namespace ndk */

#endif
