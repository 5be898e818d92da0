/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The fabric: sites (RDMA devices) "fabric:0" to "fabric:63", what their objects add to the core's,
 * and the network between them.
 *
 * Locks (order in loop.hpp): the world's lock guards everything here unless a member says otherwise;
 * the core's structures are under the host's lock; a completion queue's results and the slots of a
 * shared receive queue are under locks of their own, the latter being the innermost.
 *
 * Lifetime: an object that an upcall is going to use without lock is pinned. Work that ends an object
 * (teardown, destruction) is carried out at once but reported done only when the last pin is gone, so
 * that nothing reaches the core about an object the core has given up. CQs and SRQs, whose close may be
 * over inside the call, are kept in memory by their pins all the same; an upcall that comes later finds
 * them not live, and the core does nothing with it (CLOSE-13).
 */
#ifndef NDK_FABRIC_FABRIC_HPP
#define NDK_FABRIC_FABRIC_HPP

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include <ndkpi/ndkpi_manage.h>

#include "../exec/loop.hpp"
#include "../include/ndk_fabric.h"

namespace ndk::fabric
{

constexpr unsigned max_sites = 64;
/* How often and how long a transport tries to get a frame across. */
constexpr UINT64 path_retry_us = 20000;
constexpr ULONG path_retries = 7;
constexpr UINT64 path_patience_us = path_retry_us * path_retries;
constexpr size_t token_buckets = 4096; /* a power of two */
constexpr UINT32 privileged_token = 0x4e444b01;

struct Connector;
struct Mr;
struct Mw;
struct Qp;
struct Site;

struct Pinned {
	unsigned pins;
	bool freed; /* the core gave the memory back; the last pin frees it */
	std::vector<ndk_effect> owed; /* to be reported done when the last pin is gone */
};

/* ---- objects: each begins with the core's structure ---- */
struct Adapter {
	ndk_adapter core;
	bool idle;
};

/* ---- memory behind tokens ---- */
/* The bits of NDK_MR_FLAG_*, each for itself. */
constexpr ULONG right_local_write = 1;
constexpr ULONG right_remote_read = 2;
constexpr ULONG right_remote_write = 4;
constexpr ULONG right_read_sink = 8;

/* Page addresses of a fast registration; `room` of them follow. */
struct PageList {
	PageList *next;
	ULONG room;

	UINT64 *page() { return reinterpret_cast<UINT64 *>(this + 1); }
	const UINT64 *page() const { return reinterpret_cast<const UINT64 *>(this + 1); }
};

/* What a token stands for while it is in Site::tokens. Part of a region or window. */
struct Region {
	Region *next;
	Region **prev; /* NULL: not in force */
	ndk_pd *pd;
	UINT64 base;
	SIZE_T length;
	PageList *pages; /* NULL: base is where the memory is */
	ULONG fbo;
	ULONG rights;
	UINT32 token;
	Mr *fast; /* the fast registration it is, or ... */
	Mw *window; /* ... the binding, or neither: NdkRegisterMr */

	bool in_force() const { return prev != nullptr; }
};

struct Mr {
	ndk_mr core;
	Pinned pin; /* by posted requests about it */
	Region region;
	PageList *spare; /* of `room` each */
	ULONG room;
	UINT32 epoch; /* of NdkInitializeFastRegisterMr: requests posted before it fail */
	bool gone;
};

/*
 * Requests about a window are numbered in order of posting, whatever their queue pairs, so that what
 * was posted last is in force in the end. A request that fails takes all numbers given out with it.
 */
struct Mw {
	ndk_mw core;
	Pinned pin;
	Region region;
	std::atomic<UINT64> numbers{ 0 }; /* given out; host's lock for giving */
	UINT64 bound; /* number of the latest bind; host's lock */
	UINT64 executed;
	std::atomic<UINT64> failed{ 0 };
	ndk_mr *mr; /* of the binding in force */
	std::atomic<UINT32> ended{ 0 }; /* binding that the peer invalidated: released already */
};

/* ---- queues ---- */
struct SrqSlot {
	ndk_srq_slot core;
	SrqSlot *after; /* posted next */
	NDK_SGE *sge;
	ULONG nsge;
	ULONG bytes;
};

struct Srq {
	ndk_srq core;
	Pinned pin;
	bool lost;
	ULONG slots; /* there is memory for; changed by creation and NdkModifySrq only */
	struct Chunk *chunks;
	std::mutex lock; /* the slots, and all below */
	SrqSlot *first;
	SrqSlot *last;
};

struct Result {
	NDK_RESULT_EX out;
	Qp *qp; /* NULL once the QP is gone: nothing to give the slot back to */
	SrqSlot *slot; /* of the shared receive queue, or NULL */
	bool receive;
};

struct Cq {
	ndk_cq core;
	Pinned pin;
	Event timer; /* of moderation */
	ULONG gathered; /* results since the first that satisfied the arm; host's lock */
	UINT64 gathered_bits;
	std::mutex lock; /* all below */
	Result *ring;
	ULONG size; /* of ring */
	ULONG head;
	ULONG count;
	bool lost; /* takes nothing, gives nothing (CQ-14, CQ-15) */
};

/* A posted initiator request, parallel to the core's slot, which has operation and flags. */
struct Work {
	UINT64 due; /* when it arrives at the peer; later: when the answer is back */
	UINT64 remote; /* read, write: the address there; bind, fast register: the first address */
	SIZE_T length; /* bind, fast register */
	ULONG nsge;
	ULONG bytes;
	UINT32 token; /* the one used, given or taken away */
	union {
		ULONG fbo; /* fast register */
		UINT32 old_token; /* window: of the binding that `old` belongs to */
	};
	Mr *mr;
	Mw *mw;
	union {
		PageList *pages; /* fast register */
		ndk_mr *old; /* window: what it held before */
	};
	UINT64 number; /* window: see struct Mw; fast register: the region's epoch */
};

/* A posted receive of a queue pair's own. */
struct Receive {
	ULONG nsge;
	ULONG bytes;
};

struct Qp {
	ndk_qp core;
	Pinned pin;
	Connector *conn; /* whose connection it is, while there is one */
	bool dead; /* error state: everything posted ends cancelled */
	bool broken_told; /* the core knows */
	bool held; /* the next request waits for reads to end */
	ULONG reads; /* in flight */
	ULONG read_limit; /* of them (RDL-5) */
	ULONG rnr; /* tries in vain: no receive posted */
	ULONG unheard; /* tries in vain: no path */
	UINT64 arrived; /* initiator requests below this index are at the peer, not yet acknowledged */
	Event arrive;
	Event acked;
	Work *init; /* in the object's block, as the core's slots */
	Receive *recv;
	NDK_SGE *init_sge; /* init_sges per request; allocated with inline data by build() */
	NDK_SGE *recv_sge;
	UCHAR *inline_data;
	ULONG init_sges;
	Qp *next; /* Site::qps */
	Qp **prev;
};

struct Listener {
	ndk_listener core;
	Pinned pin;
	bool listening;
	ndk_addr at;
};

struct Plain {
	ndk_obj core;
};

/* ---- connection management ---- */
enum class Cm : UCHAR {
	none, /* no identity */
	failing, /* nobody answers; known when its time is up */
	req_sent, /* active */
	rep_rcvd, /* active */
	req_rcvd, /* passive */
	rep_sent, /* passive */
	up, /* confirmed by us */
	dreq_sent,
	dreq_rcvd,
	over
};

struct Payload {
	ULONG in; /* reads the sender accepts */
	ULONG out; /* reads the sender will issue */
	int reason;
	ULONG length;
	UCHAR data[NDK_PRIVATE_MAX];
};

/*
 * One connection attempt, and the connection that came of it: known to both ends and to every
 * message in flight, so that a late or repeated message finds out what it is about. Side 0 is the
 * active one.
 */
struct Attempt {
	unsigned refs; /* ends and messages */
	Site *site[2]; /* [1] NULL: the destination is a black hole */
	Connector *end[2];
	ndk_addr from;
	ndk_addr to;
	bool taken; /* a listener got the request: never a second time */
	std::unique_ptr<Payload> refusal[2]; /* sent by that side, for repetition */
};

struct News;

struct Connector {
	ndk_connector core;
	Pinned pin;
	/* What the core has not heard yet, oldest first; `telling`: somebody tells it, or is about to. */
	News *news_first;
	News *news_last;
	bool telling;
	Attempt *attempt;
	Qp *qp;
	UCHAR side;
	Cm cm;
	UCHAR fail_event; /* with Cm::failing */
	int fail_err;
	bool goodbye_told; /* DISCONNECTED is reported once */
	ULONG tries;
	Event retry;
	Event deadline;
	ULONG deadline_generation;
	std::unique_ptr<Payload> sent; /* request or reply, for retransmission */
};

/* Kinds beyond enum ndk_fabric_message: too small to be worth a fault of their own. */
constexpr ULONG message_mra = 64; /* "still deciding": starts the peer's retransmissions anew */
constexpr ULONG message_ack = 128; /* two-way: the transport's answer to a FIN */

struct Message : Event {
	Attempt *attempt;
	UCHAR to; /* side */
	ULONG kind;
	ULONG tries; /* of one the transport repeats by itself */
	Payload payload;
};

/* What the two handshakes do differently. World's lock held. */
struct Flavour {
	ULONG request_size; /* field sizes; 0: data travels with its exact length */
	ULONG reply_size;
	ULONG reject_size;
	int refused; /* reason that says: nobody there */
	int backlog;
	void (*receive)(Message &m, Connector *c, Upcalls &up);
	void (*request_again)(Connector *c, Upcalls &up); /* passive: a repeated request */
	void (*accept)(Connector *c, Upcalls &up);
	void (*complete)(Connector *c, Upcalls &up);
	void (*reject)(Connector *c, std::unique_ptr<Payload> why, Upcalls &up);
	void (*disconnect)(Connector *c, Upcalls &up);
	/* late: because the peer did not confirm in time */
	void (*teardown)(Connector *c, bool late, Upcalls &up);
	void (*retry)(Connector *c, Upcalls &up);
	/* The queue pair went into the error state by itself. */
	void (*broken)(Connector *c, Upcalls &up);
	/* A message the transport repeats was given up. */
	void (*undelivered)(Message &m, Upcalls &up);
};
extern const Flavour ib_flavour;
extern const Flavour iwarp_flavour;

/* ---- the network ---- */
struct Site {
	ndk_site core; /* first: the host is its first member */
	std::mutex host_lock;
	std::atomic<unsigned> holds{ 0 }; /* control functions at work */
	unsigned number = 0;
	bool removed = false;
	bool dead = false;
	bool silent = false;
	std::vector<std::unique_ptr<ndk_local>> locals; /* under the host's lock */
	std::vector<ndk_addr> addresses;
	std::vector<Listener *> listeners;
	std::vector<Region *> tokens; /* buckets */
	UINT32 next_token = 1;
	UINT32 token_salt = 0;
	Qp *qps = nullptr;
	UINT64 create_delay_us = 0;
};

struct Fault {
	int from;
	ULONG messages;
	int what;
	ULONG count;
	UINT64 delay_us;
};

struct Noise {
	ULONG drop;
	ULONG duplicate;
	ULONG delay;
	UINT64 max_delay_us;
};

struct World {
	World();

	Loop loop;
	std::mutex life; /* opening, closing, reset; before all other locks */
	unsigned open = 0; /* adapters; under life */

	ndk_fabric_config config; /* written by reset only, when nothing is open */
	const Flavour *flavour = &ib_flavour;
	std::array<std::unique_ptr<Site>, max_sites> sites;
	std::vector<std::unique_ptr<Site>> husks; /* removed, and replaced meanwhile */
	std::vector<ndk_addr> black_holes;
	std::vector<Fault> faults;
	Noise noise{};
	UINT64 read_delay_us = 0;
	bool cut[max_sites][max_sites]{};
	UINT64 random_state = 1;
	struct ndk_fabric_stats stats = {};

	UINT64 random();
	ULONG below(ULONG n) { return n ? (ULONG)(random() % n) : 0; }
};

World &world();

/* site.cpp; life held */
Site *site_at(unsigned number);
void add_address(Site *s, const ndk_addr &a);

/* shell.cpp */
extern const ndk_shell_ops shell_ops;
const VOID *dispatch_of(NDK_OBJECT_TYPE type);
Site *site_of(const ndk_obj &o);
Site *site_of(ndk_host *h);
bool removed(Site *s); /* world's lock not held */
/* Memory on behalf of a site; asks first whether it is to fail. */
template <class T>
T *make(Site *s)
{
	return ndk_api_alloc_fails(&s->core.host) ? nullptr : new (std::nothrow) T{};
}
template <class T>
T *make_array(Site *s, size_t n)
{
	return ndk_api_alloc_fails(&s->core.host) ? nullptr :
						    static_cast<T *>(calloc(n ? n : 1, sizeof(T)));
}
void pin(Pinned &p);
/* World's lock not held. o is freed here if the core gave it back meanwhile. */
void unpin(Pinned &p, ndk_obj &o);
/* The same with the world's lock held: what has to be done without it follows. */
void unpin(Pinned &p, ndk_obj &o, Upcalls &up);
/* World's lock held: reports e done now, or when the last pin goes. */
void finish(Pinned &p, const ndk_effect &e, Upcalls &up);

class HostLock
{
public:
	explicit HostLock(ndk_host *h)
		: host(h)
		, flags(ndk_ops(h)->lock(h))
	{
	}
	~HostLock() { ndk_ops(host)->unlock(host, flags); }
	HostLock(const HostLock &) = delete;
	HostLock &operator=(const HostLock &) = delete;

private:
	ndk_host *host;
	unsigned long flags;
};

/* One step of the core under the host's lock, then its effects. No lock held. */
template <class Step>
void with_core(ndk_host *h, Step step)
{
	ndk_fx fx;

	ndk_fx_init(&fx);
	{
		HostLock hold(h);

		step(&fx);
	}
	ndk_api_run(h, &fx);
}

/* effects.cpp */
void carry(ndk_host *h, const ndk_effect *e);

/* announce.cpp; without lock */
void announce(Site *s, NDK_ADAPTER_EVENT event);
void announce_host(ndk_host *h, int event);
/* World's lock held. An event of the loop that is no longer queued: deletes it if it is one of ours. */
bool drop_announcement(Event &e);

/* network.cpp: world's lock held */
bool path_up(const Attempt *a);
/* Sends from side `from`; FALSE: no memory for the message. */
bool send(Attempt *a, UCHAR from, ULONG kind, const Payload &p);
void attempt_put(Attempt *a);
/* What is still on its way when the last object is gone. */
void drop_messages();

/* cm.cpp: world's lock held */
void receive_request(Message &m, Upcalls &up);
void news(Connector *c, UCHAR event, int err, const Payload *p, ULONG field, Upcalls &up);
void goodbye(Connector *c, int err, Upcalls &up);
void refuse(Attempt *a, UCHAR side, std::unique_ptr<Payload> why);
void start_retry(Connector *c);
/* One more try? FALSE: they are used up. */
bool try_again(Connector *c);
/* The request or reply again. */
void repeat(Connector *c, ULONG kind);
void detach(Connector *c);
void cm_fire(Event &e, Upcalls &up);
void deadline_fire(Event &e, Upcalls &up);
/* World's lock not held. */
void cm_connect(ndk_host *h, const ndk_effect *e);
void cm_accept(ndk_host *h, const ndk_effect *e);

/* data.cpp: world's lock held */
void flush_qp(Qp *qp, Upcalls &up);
/* To the error state, and flushed. */
void kill_qp(Qp *qp, Upcalls &up);
/* The same because of an error; the core is told. */
void break_qp(Qp *qp, Upcalls &up);
void unlink_qp(Qp *qp);
void arrive_fire(Event &e, Upcalls &up);
void acked_fire(Event &e, Upcalls &up);

/* post.cpp */
NDK_FN_SEND post_send;
NDK_FN_SEND_AND_INVALIDATE post_send_and_invalidate;
NDK_FN_RECEIVE post_receive;
NDK_FN_READ post_read;
NDK_FN_WRITE post_write;
NDK_FN_BIND post_bind;
NDK_FN_FAST_REGISTER post_fast_register;
NDK_FN_INVALIDATE post_invalidate;
NDK_FN_FLUSH flush;

/* cq.cpp */
/* World's lock held: completes the oldest initiator request. */
void complete(Qp *qp, NTSTATUS status, Upcalls &up);
struct Arrival {
	NTSTATUS status;
	ULONG bytes;
	bool solicited;
	bool invalidated;
	UINT32 token;
};
/* World's lock held: completes the oldest receive, of the queue pair or of its shared receive queue. */
void complete_receive(Qp *qp, const Arrival &a, Upcalls &up);
/* World's lock held: results of qp stay, but know it no more. */
void forget_qp(Qp *qp);
/* Without lock. */
void resize_cq(ndk_host *h, const ndk_effect *e);
void moderate_cq(ndk_host *h, const ndk_effect *e);
/* World's lock held: a fatal error (CQ-15); of a queue that is lost already it is no news. */
void lose_cq(Cq *cq, Upcalls &up);
void moderation_fire(Event &e, Upcalls &up);
NDK_FN_ARM_CQ arm_cq;
NDK_FN_GET_CQ_RESULTS get_cq_results;
NDK_FN_GET_CQ_RESULTS_EX get_cq_results_ex;

/* srq.cpp */
NTSTATUS build_srq(Srq *srq);
void free_srq(Srq *srq);
/* World's lock held: the receive that the next message is for; NULL: none posted. */
const SrqSlot *first_receive(Srq *srq);
/* World's lock held: that message came. */
SrqSlot *use_receive(Srq *srq, Upcalls &up);
/* Any lock. */
void give_back(Srq *srq, SrqSlot *slot);
/* Without lock. */
void modify_srq(ndk_host *h, const ndk_effect *e);
/* World's lock held: a fatal error (SRQ-6). */
void lose_srq(Srq *srq, Upcalls &up);
NDK_FN_SRQ_RECEIVE post_srq_receive;

/* region.cpp: world's lock held */
UINT32 new_token(Site *s);
void enforce(Site *s, Region &r);
void revoke(Region &r);
Region *find_region(const Site *s, UINT32 token, const ndk_pd *pd);
/* Does the region, which may be NULL, have these bytes and that right? */
bool covers(const Region *r, UINT64 va, SIZE_T length, ULONG right);
enum class Use {
	source, /* of sends and writes */
	sink, /* of receives */
	read_sink
};
/* May this side touch all memory its list names? */
bool allowed(const Qp *qp, const NDK_SGE *sge, ULONG nsge, Use use);

/* Walks memory piece by piece. What it walks has been checked before. */
class Cursor
{
public:
	Cursor(UCHAR *flat, SIZE_T length);
	Cursor(const Region &r, UINT64 va, SIZE_T length);
	Cursor(const Qp *qp, const NDK_SGE *sges, ULONG nsge);

	/* The contiguous bytes from here on; 0 at the end. */
	SIZE_T run(UCHAR **at);
	void skip(SIZE_T n);

private:
	void load();

	const Site *site = nullptr;
	const NDK_SGE *sge = nullptr;
	const NDK_SGE *end = nullptr;
	const Region *region = nullptr; /* with a page list */
	UINT64 va = 0;
	SIZE_T left = 0;
};
/* As many bytes as `from` has; `to` has room for them. */
void copy(Cursor to, Cursor from);

/* memory.cpp */
/* Without lock. */
NTSTATUS register_mr(Site *s, Mr *mr, UINT64 base, SIZE_T length, ULONG flags);
NTSTATUS initialize_mr(Site *s, Mr *mr, ULONG pages);
void forget_mr(Mr *mr, bool for_good);
void free_mr(Mr *mr);
/* World's lock held. Of posted requests: whether it may be posted, its turn, its end. */
NTSTATUS plan_fast_register(Mr *mr, const ndk_pages &p, Work &w);
NTSTATUS plan_invalidate(Mr *mr, Work &w);
NTSTATUS execute_fast_register(const Work &w, ULONG flags);
NTSTATUS execute_invalidate(const Work &w);
void end_mr_work(const Work &w, UCHAR op, bool executed, bool failed, Upcalls &up);
/* World's lock held: by the peer, or with a read. A region of NdkRegisterMr cannot be invalidated. */
bool can_invalidate(const Qp *qp, UINT32 token);
void invalidate_token(const Qp *qp, UINT32 token, Upcalls &up);
NDK_FN_BUILD_LAM build_lam;
NDK_FN_RELEASE_LAM release_lam;
NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN get_privileged_token;

/* window.cpp */
/* Host's lock held. FALSE: not now. A bind comes with its token. */
bool plan_bind(Mw *mw, Mr *mr, Work &w);
bool plan_unbind(Mw *mw, Work &w);
/* World's lock held. */
NTSTATUS execute_bind(const Work &w, ULONG flags);
NTSTATUS execute_unbind(const Work &w);
void end_mw_work(const Work &w, bool executed, bool failed, Upcalls &up);
void end_by_peer(Mw *mw, Upcalls &up);
void forget_mw(Mw *mw);

} /* namespace ndk::fabric */

#endif
