// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ndkping's command line: reads it, sets the fabric up if it is asked for, runs a client, a server or
 * both, reports. Everything else is in the C files. One thread, beside the one that hears signals.
 */
#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <pthread.h>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <ndk_fabric.h>

#include "ping_user.h"

namespace
{

constexpr ULONG default_port = 7471;

struct Options {
	std::string server, client;
	std::vector<std::string> self;
	std::string address, dest, fabric = "ib";
	ULONG port = default_port, size = 64, count = 1000, connections = 1, timeout_ms = 10000;
	ULONG corrupt = 0;
	UINT64 seed = 1;
	bool ipv6 = false, shared = false, second = false, poll = false, privileged = false;
	bool spoil = false, json = false, demo_line = false, deterministic = false;
};

struct Usage {
	std::string what;
};

bool is_fabric(const std::string &adapter)
{
	return adapter.rfind("fabric:", 0) == 0;
}

/* Adapter N of the fabric has the (N+1)th address of its networks. */
std::string fabric_address(const std::string &adapter, bool ipv6)
{
	std::string number = adapter.substr(strlen("fabric:"));
	unsigned long n;

	if (number.empty() || number.size() > 2 ||
	    number.find_first_not_of("0123456789") != std::string::npos)
		throw Usage{ "'" + adapter +
			     "' is no adapter of the fabric: fabric:0, fabric:1, ..." };
	n = std::stoul(number) + 1;
	if (!ipv6)
		return "192.0.2." + std::to_string(n);
	char text[40];
	snprintf(text, sizeof(text), "2001:db8::%lx", n);
	return text;
}

/* ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT; a bare IPv6 address has no port. */
union ping_address parse_address(const std::string &text, ULONG port)
{
	union ping_address a = {};
	std::string host = text, digits;
	size_t colon = text.rfind(':');

	if (!text.empty() && text[0] == '[') {
		size_t end = text.find(']');

		if (end == std::string::npos || (end + 1 < text.size() && text[end + 1] != ':'))
			throw Usage{ "'" + text + "' is no address: [ADDRESS]:PORT" };
		host = text.substr(1, end - 1);
		digits = end + 1 < text.size() ? text.substr(end + 2) : "";
		if (end + 1 < text.size() && digits.empty())
			digits = "none";
	} else if (colon != std::string::npos && text.find(':') == colon) {
		host = text.substr(0, colon);
		digits = text.substr(colon + 1);
		if (digits.empty())
			digits = "none";
	}
	if (!digits.empty()) {
		if (digits.size() > 5 ||
		    digits.find_first_not_of("0123456789") != std::string::npos ||
		    std::stoul(digits) > 65535)
			throw Usage{ "the port of '" + text + "' is not 0 to 65535" };
		port = static_cast<ULONG>(std::stoul(digits));
	}
	if (inet_pton(AF_INET, host.c_str(), &reinterpret_cast<sockaddr_in *>(&a)->sin_addr) == 1)
		a.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, host.c_str(),
			   &reinterpret_cast<sockaddr_in6 *>(&a)->sin6_addr) == 1)
		a.any.sa_family = AF_INET6;
	else
		throw Usage{ "'" + host + "' is no IP address" };
	ping_address_set_port(&a, static_cast<USHORT>(port));
	return a;
}

void declare(CLI::App &app, Options &o)
{
	auto *who = app.add_option_group("role", "one of");

	who->add_option("-s,--server", o.server,
			"be a server on this adapter, until a signal comes")
		->type_name("ADAPTER");
	who->add_option("-c,--client", o.client, "be a client on this adapter")
		->type_name("ADAPTER");
	who->add_option("--self", o.self, "be both: a client on the first, a server on the second")
		->expected(2)
		->type_name("ADAPTER ADAPTER");
	who->require_option(1);
	app.add_option("-a,--address", o.address, "local address (of the client with --self)")
		->type_name("ADDR");
	app.add_option("-d,--dest", o.dest, "address of the server, [ADDR]:PORT for IPv6")
		->type_name("ADDR[:PORT]");
	app.add_option("-p,--port", o.port, "port of the server; 0 with --self or -s: any free one")
		->check(CLI::Range(0, 65535))
		->capture_default_str();
	app.add_option("-S,--size", o.size, "bytes of a message")
		->check(CLI::Range(1u, PING_MAX_SIZE))
		->capture_default_str();
	app.add_option("-n,--count", o.count, "round trips on each connection")
		->check(CLI::Range(1u, PING_MAX_COUNT))
		->capture_default_str();
	app.add_option("--connections", o.connections,
		       "connections, one after the other; a server leaves after so many, 0: never")
		->check(CLI::Range(0u, PING_MAX_CONNECTIONS));
	app.add_option("--timeout", o.timeout_ms, "longest wait for a message, in milliseconds")
		->check(CLI::Range(1u, PING_MAX_TIMEOUT_MS))
		->capture_default_str();
	app.add_flag("--shared", o.shared, "connect from a shared endpoint");
	app.add_flag("--second", o.second,
		     "pairs of connections from one shared endpoint, to PORT and PORT+1");
	app.add_flag("--poll", o.poll, "poll for results instead of arming the completion queue");
	app.add_flag("--privileged", o.privileged,
		     "logical addresses and the privileged token, no registration");
	app.add_option("--corrupt", o.corrupt,
		       "spoil the byte at this offset of the last message, to see it noticed")
		->type_name("OFFSET");
	app.add_flag("--ipv6", o.ipv6, "the IPv6 addresses of the fabric");
	app.add_option("--fabric", o.fabric, "what the fabric behaves like")
		->check(CLI::IsMember({ "ib", "iwarp" }))
		->capture_default_str();
	app.add_option("--seed", o.seed,
		       "run the fabric in virtual time, as a function of this number");
	app.add_flag("-j,--json", o.json, "report as JSON");
	app.add_flag("--demo-line", o.demo_line, "end with the line that `make demo` reads");
	app.set_version_flag("-V,--version", std::string("ndkping ") + NDKPING_VERSION);
}

void fill(struct ping_config &c, const Options &o)
{
	c.size = o.size;
	c.count = o.count;
	c.connections = o.connections;
	c.timeout_ms = o.timeout_ms;
	c.shared = o.shared;
	c.second = o.second;
	c.poll = o.poll;
	c.privileged = o.privileged;
	c.corrupt = o.spoil;
	c.corrupt_at = o.corrupt;
	if (const char *complaint = ping_config_complaint(&c))
		throw Usage{ complaint };
}

/* What fits together; CLI11 has looked at each option alone. */
void check(const CLI::App &app, Options &o)
{
	bool fabric = o.self.empty() ? is_fabric(o.server + o.client) :
				       is_fabric(o.self[0]) || is_fabric(o.self[1]);

	o.deterministic = app.count("--seed") > 0;
	o.spoil = app.count("--corrupt") > 0;
	if (fabric && o.self.empty())
		throw Usage{ "the fabric lives in one process: use --self fabric:0 fabric:1" };
	if (!o.self.empty() && is_fabric(o.self[0]) != is_fabric(o.self[1]))
		throw Usage{ "an adapter of the fabric reaches only adapters of the fabric" };
	if (!fabric && (o.deterministic || app.count("--fabric") || o.ipv6))
		throw Usage{ "--seed, --fabric and --ipv6 are for adapters of the fabric" };
	if (!fabric && o.address.empty())
		throw Usage{ "-a ADDR is needed" };
	if (!fabric && o.server.empty() && o.dest.empty())
		throw Usage{ "-d ADDR is needed" };
	if (o.server.empty() && o.connections == 0)
		throw Usage{ "a client makes at least one connection" };
	if (!o.server.empty() && !app.count("--connections"))
		o.connections = 0;
	if (o.second && o.port == 65535)
		throw Usage{ "--second needs the port behind PORT too" };
}

void set_up_fabric(const Options &o)
{
	struct ndk_fabric_config config;

	ndk_fabric_config_default(&config);
	config.flavour = o.fabric == "iwarp" ? NDK_FABRIC_IWARP : NDK_FABRIC_IB;
	config.threads = !o.deterministic;
	config.seed = o.seed;
	if (ndk_fabric_reset(&config))
		throw Usage{ "the fabric cannot be set up" };
	if (o.deterministic)
		ping_fabric_drive();
}

/* Ends the server when the user asks for it. Detached: it is waiting when the program ends. */
void heed_signals(struct ping_server *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, nullptr);
	std::thread([set, s] {
		int which;

		sigwait(&set, &which);
		ping_server_stop(s);
		/* Whoever asks twice does not want to wait for a polite end. */
		sigwait(&set, &which);
		_exit(128 + which);
	}).detach();
}

void run_server(const Options &o, struct ping_config &c, struct ping_result &r)
{
	static struct ping_server s; /* outlives the detached thread's last look at it */

	c.adapter = o.server.c_str();
	c.local = parse_address(o.address, o.port);
	fill(c, o);
	if (!ping_server_init(&s, &c, nullptr))
		throw std::bad_alloc();
	heed_signals(&s);
	ping_server_run(&s);
	r = s.result;
}

void run_client(const Options &o, struct ping_config &c, struct ping_result &r)
{
	c.adapter = o.client.c_str();
	c.local = parse_address(o.address, 0);
	c.dest = parse_address(o.dest, o.port);
	c.second_port = static_cast<USHORT>(ping_address_port(&c.dest) + 1);
	fill(c, o);
	ping_client(&c, &r);
}

void run_self(const Options &o, struct ping_config &c, struct ping_result &r)
{
	bool fabric = is_fabric(o.self[0]);
	std::string from =
		!o.address.empty() || !fabric ? o.address : fabric_address(o.self[0], o.ipv6);
	std::string to = !o.dest.empty() || !fabric ? o.dest : fabric_address(o.self[1], o.ipv6);
	struct ping_config server = {};

	c.adapter = o.self[0].c_str();
	c.local = parse_address(from, 0);
	c.dest = parse_address(to, o.port);
	fill(c, o);
	server = c;
	server.adapter = o.self[1].c_str();
	server.local = c.dest;
	server.connections = 0;
	if (fabric)
		set_up_fabric(o);
	ping_self(&server, &c, &r);
}

/* The binding is what comes before the colon of an adapter's name. */
std::string binding(const std::string &adapter)
{
	return adapter.substr(0, adapter.find(':'));
}

void report(const Options &o, const struct ping_config &c, const struct ping_result &r)
{
	struct ping_view view = {};

	view.from = c.adapter;
	view.to = o.self.empty() ? nullptr : o.self[1].c_str();
	view.config = &c;
	view.virtual_time = o.deterministic;
	if (o.json)
		ping_print_json(&view, &r);
	else
		ping_print_text(&view, &r);
	ping_report_failure(&r);
	if (r.outcome == PING_BAD_STATUS && r.status == NDIS_STATUS_ADAPTER_NOT_FOUND)
		fprintf(stderr, "ndkping: this library knows the adapters fabric:0 to fabric:63; RDMA devices are the kernel "
				"module's, ndkping.ko\n");
	if (o.demo_line)
		ping_report_line(&r, binding(c.adapter).c_str());
}

int run(const CLI::App &app, Options &o)
{
	struct ping_config c = {};
	struct ping_result r = {};

	check(app, o);
	if (!o.self.empty())
		run_self(o, c, r);
	else if (!o.server.empty())
		run_server(o, c, r);
	else
		run_client(o, c, r);
	report(o, c, r);
	return r.outcome;
}

} /* namespace */

int main(int argc, char **argv)
{
	CLI::App app{ "Measures and checks a connection between two NDKPI adapters." };
	Options o;

	declare(app, o);
	app.footer(
		"Adapters of the fabric (fabric:0, fabric:1, ...) live in one process and so need --self:\n"
		"  ndkping --self fabric:0 fabric:1\n"
		"Exit status: 0 ok, 1 wrong data or no answer, 2 wrong usage, 3 the provider failed.");
	try {
		app.parse(argc, argv);
		return run(app, o);
	} catch (const CLI::ParseError &e) {
		return app.exit(e) == 0 ? 0 : PING_BAD_USAGE;
	} catch (const Usage &u) {
		fprintf(stderr, "ndkping: %s (see --help)\n", u.what.c_str());
		return PING_BAD_USAGE;
	} catch (const std::bad_alloc &) {
		fprintf(stderr, "ndkping: no memory\n");
		return PING_BAD_STATUS;
	}
}
