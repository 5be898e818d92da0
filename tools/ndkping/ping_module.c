// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ndkping.ko: the consumer of ndkping as a module. Loading it runs a client, or both ends, to the end
 * and fails if they did; or starts a server, which unloading stops.
 *
 *   insmod ndkping.ko role=self adapter=rxe0 adapter2=rxe0 local=10.9.0.1 dest=10.9.0.1
 *
 * Parameters are read once, at load. The kernel calls init and exit one after the other; no lock.
 */
#define pr_fmt(fmt) "ndkping: " fmt

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "ping.h"
#include "ping_port.h"

static char *role = "self";
module_param(role, charp, 0444);
MODULE_PARM_DESC(role, "client, server, or self: both (default)");
static char *adapter = "";
module_param(adapter, charp, 0444);
MODULE_PARM_DESC(adapter, "RDMA device or network interface; with role=self the client's");
static char *adapter2 = "";
module_param(adapter2, charp, 0444);
MODULE_PARM_DESC(adapter2, "role=self: the server's adapter (default: adapter)");
static char *local = "";
module_param(local, charp, 0444);
MODULE_PARM_DESC(local, "local IP address; with role=self the client's");
static char *dest = "";
module_param(dest, charp, 0444);
MODULE_PARM_DESC(dest, "IP address of the server (role=self: default local)");
static ushort port = 7471;
module_param(port, ushort, 0444);
MODULE_PARM_DESC(port, "port of the server; second=1 uses the next one too");
static uint count = 1000;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "round trips on each connection");
static uint size = 64;
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "bytes of a message");
static uint connections;
module_param(connections, uint, 0444);
MODULE_PARM_DESC(
	connections,
	"connections, one after the other (default 1; role=server: leave after so many, 0 never)");
static uint timeout_ms = 10000;
module_param(timeout_ms, uint, 0444);
MODULE_PARM_DESC(timeout_ms, "longest wait for a message, in milliseconds");
static bool shared;
module_param(shared, bool, 0444);
MODULE_PARM_DESC(shared, "connect from a shared endpoint");
static bool second;
module_param(second, bool, 0444);
MODULE_PARM_DESC(second, "pairs of connections from one shared endpoint");
static bool poll;
module_param(poll, bool, 0444);
MODULE_PARM_DESC(poll, "poll for results instead of arming the completion queue");
static bool privileged;
module_param(privileged, bool, 0444);
MODULE_PARM_DESC(privileged, "logical addresses and the privileged token, no registration");

/* What the thread works on, and its answer. */
static struct ping_config config, server_config;
static struct ping_result result;
static struct ping_server server;
static struct ping_thread *server_thread;

static int parse(const char *what, const char *text, USHORT at_port, union ping_address *a)
{
	struct sockaddr_in *in = (struct sockaddr_in *)a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;

	if (in4_pton(text, -1, (u8 *)&in->sin_addr, -1, NULL)) {
		a->any.sa_family = AF_INET;
	} else if (in6_pton(text, -1, (u8 *)&in6->sin6_addr, -1, NULL)) {
		a->any.sa_family = AF_INET6;
	} else {
		pr_err("%s='%s' is no IP address\n", what, text);
		return -EINVAL;
	}
	ping_address_set_port(a, at_port);
	return 0;
}

static VOID run_client(PVOID unused)
{
	ping_client(&config, &result);
}

static VOID run_self(PVOID unused)
{
	ping_self(&server_config, &config, &result);
}

static void report_times(const char *what, const struct ping_times *t)
{
	pr_info("%s of %u: min %u.%u median %u.%u p99 %u.%u max %u.%u us\n", what, t->samples,
		t->min / 10, t->min % 10, t->median / 10, t->median % 10, t->p99 / 10, t->p99 % 10,
		t->max / 10, t->max % 10);
}

static int run_to_end(VOID (*run)(PVOID))
{
	struct ping_thread *t = ping_thread_start(run, NULL);

	if (!t)
		return -ENOMEM;
	ping_thread_join(t);
	report_times("connect", &result.connect);
	report_times("round trip", &result.round_trip);
	ping_report_failure(&result);
	ping_report_line(&result, "kernel");
	return result.outcome == PING_OK ? 0 : -EIO;
}

static int start_server(void)
{
	struct ping_box *ready = ping_box_create();
	struct ping_news news;

	if (!ready)
		return -ENOMEM;
	if (!ping_server_init(&server, &config, ready)) {
		ping_box_destroy(ready);
		return -ENOMEM;
	}
	server_thread = ping_thread_start(ping_server_run, &server);
	if (server_thread)
		ping_box_take(ready, PING_NEWS_READY, &news, PING_FOREVER);
	ping_box_destroy(ready);
	if (server_thread && server.result.outcome == PING_OK) {
		pr_info("server on %s, port %u\n", adapter, server.port[0]);
		return 0;
	}
	if (server_thread)
		ping_thread_join(server_thread);
	ping_report_failure(&server.result);
	ping_server_end(&server);
	return server_thread ? -EIO : -ENOMEM;
}

static int read_parameters(bool is_server)
{
	const char *complaint;
	int err;

	config.adapter = adapter;
	config.size = size;
	config.count = count;
	config.connections = connections || is_server ? connections : 1;
	config.timeout_ms = timeout_ms;
	config.shared = shared;
	config.second = second;
	config.poll = poll;
	config.privileged = privileged;
	err = parse("local", local, is_server ? port : 0, &config.local);
	if (!err && !is_server)
		err = parse("dest", dest[0] ? dest : local, port, &config.dest);
	if (err)
		return err;
	config.second_port = port + 1;
	complaint = ping_config_complaint(&config);
	if (!complaint)
		return 0;
	pr_err("%s\n", complaint);
	return -EINVAL;
}

static int __init ndkping_init(void)
{
	bool is_server = !strcmp(role, "server");
	int err;

	if (!is_server && strcmp(role, "client") && strcmp(role, "self")) {
		pr_err("role='%s' is none of client, server, self\n", role);
		return -EINVAL;
	}
	err = read_parameters(is_server);
	if (err)
		return err;
	if (is_server)
		return start_server();
	if (!strcmp(role, "client"))
		return run_to_end(run_client);
	server_config = config;
	server_config.adapter = adapter2[0] ? adapter2 : adapter;
	server_config.local = config.dest;
	server_config.connections = 0;
	return run_to_end(run_self);
}

static void __exit ndkping_exit(void)
{
	if (!server_thread)
		return;
	ping_server_stop(&server);
	ping_thread_join(server_thread);
	pr_info("server: %u connections, %llu messages, %llu bytes\n", server.result.connections,
		server.result.messages, server.result.bytes);
	ping_report_failure(&server.result);
	ping_server_end(&server);
}

module_init(ndkping_init);
module_exit(ndkping_exit);
MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("NDKPI consumer that measures and checks a connection");
