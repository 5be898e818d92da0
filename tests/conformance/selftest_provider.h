/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A provider without anything behind it, that says what it is told to say: it keeps the callbacks it
 * was given, and the self test calls them as a lying provider would. One object of each kind.
 */
#ifndef CONF_SELFTEST_PROVIDER_H
#define CONF_SELFTEST_PROVIDER_H

#include "conf.h"

#ifdef __cplusplus
extern "C" {
#endif

struct fake {
	/* what the next calls return, and whether creators store an object */
	NTSTATUS answer;
	BOOLEAN store;
	ULONG dawdle_ms; /* requests wait that long before they return */
	/* as given by the last request, creation or close of ... */
	struct fake_call {
		union {
			NDK_FN_REQUEST_COMPLETION *request;
			NDK_FN_CREATE_COMPLETION *create;
			NDK_FN_CLOSE_COMPLETION *close;
		} done;
		PVOID context;
	} request, create, close, outer_close; /* outer_close: the close before the last one */
	NDK_FN_CQ_NOTIFICATION_CALLBACK *notify;
	PVOID notify_context;
	NDK_FN_SRQ_NOTIFICATION_CALLBACK *low;
	PVOID low_context;
	NDK_FN_CONNECT_EVENT_CALLBACK *connect;
	PVOID connect_context;
	NDK_FN_DISCONNECT_EVENT_CALLBACK *gone;
	PVOID gone_context;
	PVOID posted[4]; /* contexts of posts, in turn */
	unsigned posts;
	PVOID qp_context;
	/* what the next poll returns */
	NDK_RESULT_EX result[4];
	ULONG results;
	NDK_ADAPTER adapter;
	NDK_PD pd;
	NDK_CQ cq;
	NDK_QP qp;
	NDK_SRQ srq;
	NDK_MR mr;
	NDK_MW mw;
	NDK_LISTENER listener;
	NDK_CONNECTOR connector;
};

/* There is one; this makes it new: answers succeed, objects are stored. */
struct fake *fake_begin(void);
/* Adds a result of posted[n], which was a send, to the next poll. */
void fake_result(struct fake *f, unsigned n, NTSTATUS status);
/* The same of a post of another type. */
void fake_result_of(struct fake *f, unsigned n, NTSTATUS status, NDK_OPERATION_TYPE type);

#ifdef __cplusplus
}
#endif
#endif
