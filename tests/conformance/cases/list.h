/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The files of cases, in the order in which they run: file(NAME) for cases/NAME.c, which exports
 * cases_NAME() through CONF_CASES(NAME, ...). Kbuild and CMakeLists.txt take whatever is in cases.
 */
#define CONF_CASE_FILES(file) \
	file(basic) \
	file(connect) \
	file(connect_args) \
	file(connect_fail) \
	file(connect_memory) \
	file(connect_local) \
	file(shared) \
	file(limits) \
	file(private_data) \
	file(atomic) \
	file(complete) \
	file(accept) \
	file(create) \
	file(close) \
	file(lifetime) \
	file(listener) \
	file(disconnect) \
	file(queue) \
	file(cq) \
	file(cq_arm) \
	file(moderation) \
	file(srq) \
	file(srq_notify) \
	file(post) \
	file(defer) \
	file(transfer) \
	file(traffic) \
	file(lam) \
	file(memory) \
	file(access) \
	file(windows) \
	file(fastreg) \
	file(memory_stress) \
	file(exchange) \
	file(rdma) \
	file(chains) \
	file(failing) \
	file(adapter) \
	file(manage) \
	file(listen2) \
	file(rank) \
	file(storm) \
	file(orders) \
	file(survivors) \
	file(raw_peer) \
	file(user) \
	file(hard_times) \
	file(removal)
