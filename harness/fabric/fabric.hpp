/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The fabric: sites (RDMA devices) "fabric:0" to "fabric:63", what their objects add to the core's,
 * and the network between them.
 *
 * Locks (order in loop.hpp): the world's lock guards everything here unless a member says otherwise;
 * the core's structures are under the host's lock; a completion queue's results under its own.
 *
 * Lifetime: an object that an upcall is going to use without lock is pinned. Work that ends an object
 * (teardown, destruction) is carried out at once but reported done only when the last pin is gone, so
 * that nothing reaches the core about an object the core has given up.
 */
#ifndef NDK_FABRIC_FABRIC_HPP
#define NDK_FABRIC_FABRIC_HPP

#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "../exec/loop.hpp"
#include "../include/ndk_fabric.h"

namespace ndk::fabric
{

constexpr unsigned max_sites = 64;
/* How often and how long a transport tries to get a frame across. */
constexpr UINT64 path_retry_us = 20000;
constexpr ULONG path_retries = 7;
constexpr UINT64 path_patience_us = path_retry_us * path_retries;
constexpr UINT32 privileged_token = 0x4e444b01;

struct Connector;
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

struct Result {
	NDK_RESULT_EX out;
	Qp *qp; /* NULL once the QP is gone: nothing to give the slot back to */
	bool receive;
};

struct Cq {
	ndk_cq core;
	std::mutex lock; /* all below */
	Result *ring; /* core.depth entries */
	ULONG head;
	ULONG count;
	bool lost; /* overrun: takes nothing, gives nothing (CQ-14) */
};

/* A posted request, parallel to the core's slot. */
struct Work {
	UINT64 due; /* when it arrives at the peer; later: when the acknowledgement is back */
	ULONG nsge;
	ULONG bytes;
	ULONG flags;
};

struct Qp {
	ndk_qp core;
	Pinned pin;
	Connector *conn; /* whose connection it is, while there is one */
	bool dead; /* error state: everything posted ends cancelled */
	bool broken_told; /* the core knows */
	ULONG arrived; /* initiator requests below this index are at the peer, not yet acknowledged */
	ULONG rnr; /* tries in vain: no receive posted */
	ULONG unheard; /* tries in vain: no path */
	Event arrive;
	Event acked;
	Work *init; /* in the object's block, as the core's slots */
	Work *recv;
	NDK_SGE *init_sge; /* max_init_sge per request; allocated with inline data by build() */
	NDK_SGE *recv_sge;
	UCHAR *inline_data;
	Qp *next; /* Site::qps */
	Qp **prev;
};

struct Mr {
	ndk_mr core;
	UINT32 token; /* 0: not registered; the rest is a copy of what was registered */
	UINT64 base;
	SIZE_T length;
	ULONG flags;
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

struct Connector {
	ndk_connector core;
	Pinned pin;
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
	std::unordered_map<UINT32, Mr *> tokens;
	UINT32 next_token = 1;
	Qp *qps = nullptr;
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

/* effects.cpp */
void carry(ndk_host *h, const ndk_effect *e);

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
NDK_FN_SEND post_send;
NDK_FN_RECEIVE post_receive;
NDK_FN_FLUSH flush;

/* cq.cpp */
/* World's lock held: completes the oldest request of a queue. */
void complete(Qp *qp, bool receive, NTSTATUS status, ULONG bytes, bool solicited, Upcalls &up);
/* World's lock held: results of qp stay, but know it no more. */
void forget_qp(Qp *qp);
NDK_FN_ARM_CQ arm_cq;
NDK_FN_GET_CQ_RESULTS get_cq_results;
NDK_FN_GET_CQ_RESULTS_EX get_cq_results_ex;

/* memory.cpp */
/* World's lock held. The bytes an SGE names, or NULL if the token does not allow it. */
UCHAR *reach(const Qp *qp, const NDK_SGE &sge, bool write);
bool register_mr(Site *s, Mr *mr, UINT64 base, SIZE_T length, ULONG flags);
void forget_mr(Site *s, Mr *mr);
NDK_FN_BUILD_LAM build_lam;
NDK_FN_RELEASE_LAM release_lam;
NDK_FN_GET_PRIVILEGED_MEMORY_REGION_TOKEN get_privileged_token;

} /* namespace ndk::fabric */

#endif
