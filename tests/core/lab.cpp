/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * See lab.h.
 */
#include "lab.h"

#include <gtest/gtest.h>

void Lab::active()
{
	qp = w.qp();
	c = w.connector();
}

void Lab::passive()
{
	qp = w.qp();
	l = w.listener();
	w.listen(l, v4("192.0.2.1", 80));
	w.settle();
	c = w.incoming(l);
	w.settle();
}

/*
 * The hint matters where a state can be reached in several ways and only some leave work under way:
 * TORN and DRAINED are the end of a teardown and of a drain.
 */
void Lab::to(unsigned state, unsigned hint)
{
	switch (state) {
	case NDK_CONN_IDLE:
		if (hint == NDK_CONN_EV_DELIVER)
			break;
		active();
		break;
	case NDK_CONN_CONNECTING:
		active();
		w.connect(c, qp);
		w.settle();
		break;
	case NDK_CONN_FAILING:
		to(NDK_CONN_CONNECTING, hint);
		w.news(c, NDK_CM_REJECTED);
		break;
	case NDK_CONN_ACCEPTED:
		to(NDK_CONN_CONNECTING, hint);
		w.news(c, NDK_CM_RESPONSE);
		w.settle();
		break;
	case NDK_CONN_LOST:
		to(NDK_CONN_ACCEPTED, hint);
		w.news(c, NDK_CM_REJECTED);
		break;
	case NDK_CONN_COMPLETING:
		to(NDK_CONN_ACCEPTED, hint);
		w.complete(c);
		break;
	case NDK_CONN_INCOMING:
		passive();
		break;
	case NDK_CONN_ABANDONED:
		passive();
		w.news(c, NDK_CM_REJECTED);
		break;
	case NDK_CONN_ACCEPTING:
		passive();
		w.accept(c, qp);
		break;
	case NDK_CONN_ENDING:
		to(NDK_CONN_COMPLETING, hint);
		w.news(c, NDK_CM_REJECTED);
		break;
	case NDK_CONN_ESTABLISHED:
		to(NDK_CONN_COMPLETING, hint);
		w.news(c, NDK_CM_ESTABLISHED);
		w.settle();
		break;
	default:
		to_the_end(state, hint);
		break;
	}
	if (c) {
		ASSERT_EQ(c->state, state);
	}
}

/* The states behind ESTABLISHED. */
void Lab::to_the_end(unsigned state, unsigned hint)
{
	switch (state) {
	case NDK_CONN_PEER_GONE:
		to(NDK_CONN_ESTABLISHED, hint);
		w.news(c, NDK_CM_DISCONNECTED);
		w.settle();
		break;
	case NDK_CONN_ABORTED:
		to(NDK_CONN_ESTABLISHED, hint);
		w.news(c, NDK_CM_STEP_FAILED, -12);
		w.settle();
		break;
	case NDK_CONN_DISCONNECTING:
		to(NDK_CONN_ESTABLISHED, hint);
		w.disconnect(c);
		break;
	case NDK_CONN_DRAINING:
		to(NDK_CONN_DISCONNECTING, hint);
		w.news(c, NDK_CM_DISCONNECTED);
		break;
	case NDK_CONN_DISCONNECTED:
		to(NDK_CONN_DRAINING, hint);
		w.settle();
		break;
	case NDK_CONN_DEAD:
		to(NDK_CONN_LOST, hint);
		w.reject(c);
		break;
	case NDK_CONN_CLOSING:
		to(hint == NDK_CONN_EV_DRAINED ? NDK_CONN_DRAINING : NDK_CONN_ESTABLISHED, hint);
		w.close(c);
		break;
	case NDK_CONN_CLOSED:
		if (hint == NDK_CONN_EV_TORN) { /* the device and the consumer both tear down */
			to(NDK_CONN_DEAD, hint);
			w.remove_device();
			w.close(c);
		} else {
			to(NDK_CONN_CLOSING, hint);
		}
		w.finish(NDK_FX_CM_TEARDOWN);
		break;
	default:
		ADD_FAILURE() << "no way to state " << state;
		break;
	}
}

bool Lab::event(unsigned event)
{
	switch (event) {
	case NDK_CONN_EV_CONNECT:
		status = w.connect(c, w.qp(), 1100);
		return true;
	case NDK_CONN_EV_ACCEPT:
		status = w.accept(c, qp);
		return true;
	case NDK_CONN_EV_COMPLETE:
		status = w.complete(c);
		return true;
	case NDK_CONN_EV_REJECT:
		status = w.reject(c);
		return true;
	case NDK_CONN_EV_DISCONNECT:
		status = w.disconnect(c);
		return true;
	case NDK_CONN_EV_CLOSE:
		status = w.close(c);
		return true;
	case NDK_CONN_EV_RESPONSE:
		w.news(c, NDK_CM_RESPONSE);
		return true;
	case NDK_CONN_EV_ESTABLISH:
		w.news(c, NDK_CM_ESTABLISHED);
		return true;
	case NDK_CONN_EV_REJECTED:
		w.news(c, NDK_CM_REJECTED, NDK_REJ_CONSUMER_DEFINED);
		return true;
	case NDK_CONN_EV_UNREACHABLE:
		w.news(c, NDK_CM_UNREACHABLE, -110);
		return true;
	case NDK_CONN_EV_BYE:
		w.news(c, NDK_CM_DISCONNECTED);
		return true;
	case NDK_CONN_EV_FAULT:
		w.news(c, NDK_CM_STEP_FAILED, -12);
		return true;
	case NDK_CONN_EV_SPOILED:
	case NDK_CONN_EV_BROKEN:
		w.call([&](struct ndk_fx *fx) { ndk_connector_qp_event(c, event, fx); });
		return true;
	case NDK_CONN_EV_DEADLINE:
		w.deadline(c);
		return true;
	case NDK_CONN_EV_REMOVED:
		w.remove_device();
		return true;
	case NDK_CONN_EV_TORN:
		/* where a teardown can only come from the device's removal */
		if (!w.due(NDK_FX_CM_TEARDOWN) && !w.host.removed &&
		    ndk_step_has(NDK_MACHINE_CONNECTOR, c->state, NDK_CONN_EV_TORN))
			w.remove_device();
		return w.finish(NDK_FX_CM_TEARDOWN);
	case NDK_CONN_EV_DRAINED:
		return w.finish(NDK_FX_QP_DRAIN);
	default:
		passive();
		return true;
	}
}
