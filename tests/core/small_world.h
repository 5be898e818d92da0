/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The small world that exhaustive_test.cpp walks: one host, one adapter, a CQ, a PD, a QP, an MR, and
 * depending on the variant an outgoing connector, a shared endpoint, or a listener with what it
 * delivers. All of it is one block of plain memory at one address, so that a state of the world is
 * saved and restored by copying.
 *
 * Everything that can happen next is an Action. A consumer's callback is two of them, its start and
 * its return, so that calls from inside a callback and calls beside it are orders like any other.
 */
#ifndef NDK_TESTS_SMALL_WORLD_H
#define NDK_TESTS_SMALL_WORLD_H

#include "../../kmod/core/connector.h"
#include "../../kmod/core/mr.h"
#include "../../kmod/core/srq.h"

#include <string>
#include <vector>

enum Slot { PD, CQ, QP, MR, CONNECTOR, SHARED, LISTENER, SLOTS };

enum What {
	/* the consumer */
	CREATE, CLOSE, CLOSE_ADAPTER, CONNECT, COMPLETE, ACCEPT, REJECT, DISCONNECT, LISTEN, PAUSE, FLUSH,
	REGISTER, DEREGISTER, ARM,
	/* the outside world */
	NEWS, REQUEST, DEADLINE, BROKEN, REMOVE, ARRIVED, CQ_FAULT,
	/* the shell: building ends; a due effect starts (or is answered), and ends */
	BUILT, BUILD_FAILED, START, START_FAILED, END
};

struct Action {
	UCHAR what;
	UCHAR a; /* slot, NDK_CM_*, or index of the due effect */
};

struct Variant {
	const char *name;
	bool active;
	bool shared;
	bool passive;
	bool life;   /* objects are created on the way, and there are an MR and CQ events */
	bool iwarp;
	bool pend;   /* NDK_ANSWER_PEND */
	bool light;  /* objects close inside the call when they can */
};

/* How far the connection manager has come with the one connector's identity. */
enum Cm { CM_NONE, CM_ASKED, CM_ANSWERED, CM_INCOMING, CM_CONFIRMING, CM_UP };

/* What the consumer knows, and is owed. */
struct Watch {
	UCHAR exists;	/* memory belongs to the core */
	UCHAR building;
	UCHAR held;	/* the consumer has the handle and has not closed it */
	UCHAR closing;	/* close pends, its completion has not started */
	UCHAR over;	/* closed: nothing may follow */
	UCHAR owed;	/* pended requests whose completion has not started */
	UCHAR establishing; /* pended: complete-connect or accept */
	UCHAR quiet_event;  /* a disconnect event may not start any more */
	UCHAR was_up;
};

struct Due {
	struct ndk_effect e;
	UCHAR running;
};

constexpr unsigned kMaxDue = 24;

struct Memory {
	struct ndk_host host;
	struct ndk_local local;
	struct ndk_adapter adapter;
	struct ndk_pd pd;
	struct ndk_cq cq;
	struct ndk_qp qp;
	struct ndk_mr mr;
	struct ndk_connector connector;
	struct ndk_conn_data data;
	struct ndk_shared shared;
	struct ndk_listener listener;
	struct ndk_slot slots[2];
	MDL mdl;
	struct Watch watch[SLOTS];
	struct Due due[kMaxDue];
	UCHAR dues;
	UCHAR cm;
	UCHAR timer;	 /* a deadline runs for the connector */
	UCHAR listening; /* requests can arrive */
	UCHAR broke;
	UCHAR removed;
	UCHAR adapter_closing;
	UCHAR idle;
	UCHAR created[SLOTS]; /* once is enough for most */
};

class SmallWorld {
public:
	explicit SmallWorld(const Variant &v);

	void save(Memory *to) const;
	void restore(const Memory &from);
	/* Everything that can happen now. */
	void possible(std::vector<Action> *out);
	void apply(Action a);
	/* 64 bits that tell states apart; counters that only grow are left out. */
	UINT64 hash() const;
	/* Empty if all invariants hold, else what is wrong. */
	std::string wrong();
	/* Finishes and closes everything, antecedents first or last; what went wrong, or empty. */
	std::string drive_to_end(bool antecedents_first);
	std::string describe(Action a) const;

private:
	template <typename Call> auto call(Call f);
	void absorb(const struct ndk_fx &fx);
	void begin(Slot s);
	void built(Slot s, NTSTATUS status);
	void start(unsigned i, bool well);
	void end(unsigned i);
	void told(const struct ndk_effect &e);
	void news(UCHAR event);
	void request();
	void consumer(Action a);
	void connect();
	void answered(Slot s, NTSTATUS status, bool legal, UINT64 before);
	void close(Slot s);
	void possible_calls(std::vector<Action> *out) const;
	void possible_news(std::vector<Action> *out) const;
	bool finish_all();
	void check_references(struct ndk_obj *o, Slot s);
	void check_progress();
	void complain(const char *text, const struct ndk_obj *o = nullptr);
	struct ndk_obj *object(unsigned slot) const;
	Slot slot_of(const struct ndk_obj *o) const;

	const Variant &variant;
	std::string problem;
};

#endif
