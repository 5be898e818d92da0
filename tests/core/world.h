/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * A shell for the core that does nothing by itself: effects wait until the test finishes them, one by
 * one or all. It owns the memory of every object, plays the consumer (and writes down every callback),
 * and at its end closes what is open and insists that nothing remains.
 *
 * One thread, one World at a time: the callbacks are plain functions and find it through a pointer.
 */
#ifndef NDK_TESTS_WORLD_H
#define NDK_TESTS_WORLD_H

#include "../../kmod/core/connector.h"
#include "../../kmod/core/mr.h"
#include "../../kmod/core/srq.h"

#include "covers.h"
#include "port.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

/* A socket address as consumers pass it. */
struct Sa {
	UCHAR bytes[NDK_SOCKADDR_V6_LEN] = {};
	ULONG len = 0;

	const VOID *data() const { return bytes; }
};

Sa v4(const char *text, USHORT port);
Sa v6(const char *text, USHORT port, UINT32 scope = 0);
struct ndk_addr parsed(const Sa &sa);

/* One callback of the consumer, as it was made. */
struct Said {
	UCHAR kind; /* enum ndk_effect_kind */
	NTSTATUS status;
	ULONG_PTR tag; /* the context */
	const VOID *target;
};

class World {
public:
	explicit World(UCHAR transport = NDK_TRANSPORT_IB);
	~World();
	World(const World &) = delete;
	World &operator=(const World &) = delete;

	/* ---- calling the core ---- */
	template <typename Call> auto call(Call &&f)
	{
		struct ndk_fx fx;

		ndk_fx_init(&fx);
		if constexpr (std::is_void_v<decltype(f(&fx))>) {
			f(&fx);
			absorb(fx);
		} else {
			auto result = f(&fx);
			absorb(fx);
			return result;
		}
	}

	/* ---- objects; live when they come back, unless building is said to pend or fail ---- */
	struct ndk_pd *pd();
	struct ndk_cq *cq();
	struct ndk_qp *qp();
	struct ndk_qp *qp(struct ndk_pd *pd, struct ndk_cq *cq, ULONG depth = 4);
	struct ndk_mr *mr(struct ndk_pd *pd, bool fast = false);
	/* Registered for 4096 bytes at 0x10000 with these flags. */
	struct ndk_mr *registered(struct ndk_pd *pd, ULONG flags = NDK_MR_FLAG_ALLOW_LOCAL_WRITE);
	struct ndk_mw *mw(struct ndk_pd *pd);
	/* With depth slots in its free list. */
	struct ndk_srq *srq(struct ndk_pd *pd, ULONG depth = 4, ULONG threshold = 0);
	struct ndk_connector *connector();
	struct ndk_listener *listener();
	struct ndk_shared *shared(const Sa &at);
	/* The steps of creation one by one; type decides the structure. */
	struct ndk_obj *begin(NDK_OBJECT_TYPE type, ULONG_PTR tag);
	NTSTATUS built(struct ndk_obj *o, NTSTATUS status);
	NTSTATUS close(struct ndk_obj *o, ULONG_PTR tag = 0);
	template <typename T> NTSTATUS close(T *o, ULONG_PTR tag = 0) { return close(&o->obj, tag); }
	/* A connection request at a listener; the connector if it was delivered (callback still due). */
	struct ndk_connector *incoming(struct ndk_listener *l, USHORT peer_port = 7000,
				       enum ndk_verdict *verdict = nullptr);

	/* ---- connector calls with the arguments that most tests do not care about ---- */
	NTSTATUS listen(struct ndk_listener *l, const Sa &at, ULONG_PTR tag = 0);
	struct ndk_connect_args connect_args(struct ndk_qp *qp, const Sa &from, const Sa &to);
	NTSTATUS connect(struct ndk_connector *c, const struct ndk_connect_args &a);
	NTSTATUS connect(struct ndk_connector *c, struct ndk_qp *qp, USHORT from = 1000, USHORT to = 2000);
	NTSTATUS connect_shared(struct ndk_connector *c, struct ndk_qp *qp, struct ndk_shared *s,
				USHORT to = 2000);
	struct ndk_accept_args accept_args(struct ndk_qp *qp);
	NTSTATUS accept(struct ndk_connector *c, struct ndk_qp *qp);
	NTSTATUS complete(struct ndk_connector *c);
	NTSTATUS reject(struct ndk_connector *c);
	NTSTATUS disconnect(struct ndk_connector *c);
	void news(struct ndk_connector *c, enum ndk_cm_event event, int err = 0);
	void deadline(struct ndk_connector *c);
	void remove_device();
	/* All the way to ESTABLISHED, every callback told. */
	struct ndk_connector *established_active(struct ndk_qp *qp);
	struct ndk_connector *established_passive(struct ndk_listener *l, struct ndk_qp *qp);

	/* ---- effects ---- */
	bool due(UCHAR kind, const struct ndk_obj *o = nullptr) const;
	unsigned count(UCHAR kind) const;
	/* Finishes the oldest of that kind; FALSE if there is none. */
	bool finish(UCHAR kind, const struct ndk_obj *o = nullptr);
	void settle();
	/* Runs inside the next callback of that kind. */
	void inside(UCHAR kind, std::function<void()> f) { hooks[kind].push_back(std::move(f)); }
	/* Does this object's memory still belong to the core? */
	bool exists(const VOID *o) const { return memory.count(o) != 0; }
	bool timer(const struct ndk_connector *c, ULONG *ms = nullptr) const;
	/* Closes everything that is still open and checks that nothing is left; also at the end. */
	void end();
	/* For tests that close the adapter themselves. */
	void ended_by_test() { ended = true; }

	/* ---- what was said ---- */
	unsigned told(UCHAR kind) const;
	/* The last callback of that kind; fails the test if there was none. */
	Said last(UCHAR kind) const;

	struct ndk_host host;
	struct ndk_adapter *adapter;
	struct ndk_local local4, local4b, local6;
	std::deque<struct ndk_effect> effects;
	std::vector<Said> said;
	unsigned idle = 0;
	/* errno NDK_FX_CM_LISTEN ends with when settle() finishes it */
	int listen_error = 0;
	/* how requests on regions and queues end when settle() finishes them */
	NTSTATUS work_status = STATUS_SUCCESS;
	/* where begin() reserves the address of a shared endpoint */
	Sa shared_at = v4("192.0.2.1", 5000);

	void record(UCHAR kind, NTSTATUS status, PVOID ctx, const VOID *target);
	static World *current;

private:
	template <typename T> T *allocate(NDK_OBJECT_TYPE type);
	template <typename T> T *create(NDK_OBJECT_TYPE type, std::vector<struct ndk_obj *> on = {});
	void absorb(const struct ndk_fx &fx);
	void perform(const struct ndk_effect &e);
	void make_call(const struct ndk_effect &e);
	struct ndk_connector *allocate_connector();
	void free_memory(struct ndk_obj *o);
	void close_all();

	void serve(const struct ndk_effect &e);
	std::map<const VOID *, NDK_OBJECT_TYPE> memory;
	std::map<const VOID *, std::vector<struct ndk_srq_slot>> slots;
	MDL region = {};
	std::map<const VOID *, std::pair<ULONG, ULONG>> timers;
	std::map<UCHAR, std::deque<std::function<void()>>> hooks;
	struct ndk_pd *spare_pd = nullptr;
	struct ndk_cq *spare_cq = nullptr;
	bool ended = false;
};

/* The consumer's callbacks; what they hear goes to World::said. */
void on_created(PVOID ctx, NTSTATUS status, NDK_OBJECT_HEADER *object);
void on_request(PVOID ctx, NTSTATUS status);
void on_closed(PVOID ctx);
void on_connect(PVOID ctx, NDK_CONNECTOR *connector);
void on_disconnect(PVOID ctx);
void on_disconnect_ex(PVOID ctx, ULONG reason);
void on_cq(PVOID ctx, NTSTATUS status);
void on_srq(PVOID ctx, NTSTATUS status);

static inline PVOID tag_of(ULONG_PTR n) { return (PVOID)n; }

/* Reads better in expectations than eight hex digits. */
std::string status_name(NTSTATUS status);
#define EXPECT_STATUS(expected, actual) \
	EXPECT_EQ(status_name(expected), status_name(actual))
#define ASSERT_STATUS(expected, actual) \
	ASSERT_EQ(status_name(expected), status_name(actual))

#endif
