// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * Module parameters: deadlines and backlog of all devices, those that appear later included, when closing
 * takes long, and whether adapters may be opened at all. They may be read and written at any time
 * (/sys/module/ndk/parameters); what is written counts for the next connect or listen. A value out of
 * range is refused with -EINVAL. Process context; parameters exclude each other.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/random.h>

#include "device.h"

#define NDK_MAX_DEADLINE_MS 3600000u
#define NDK_MAX_BACKLOG	    65536u
#define NDK_MAX_JITTER_US   1000000u

static void apply(struct ndk_device *dev, void *context);

static int set_limit(const char *val, const struct kernel_param *kp, unsigned int min, unsigned int max)
{
	int err = param_set_uint_minmax(val, kp, min, max);

	if (!err)
		ndk_names_each(apply, NULL);
	return err;
}

static int set_deadline(const char *val, const struct kernel_param *kp)
{
	return set_limit(val, kp, 1, NDK_MAX_DEADLINE_MS);
}

static int set_backlog(const char *val, const struct kernel_param *kp)
{
	return set_limit(val, kp, 1, NDK_MAX_BACKLOG);
}

static int set_warning(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, NDK_MAX_DEADLINE_MS);
}

static int set_jitter(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 0, NDK_MAX_JITTER_US);
}

static const struct kernel_param_ops deadline_ops = { .set = set_deadline, .get = param_get_uint };
static const struct kernel_param_ops backlog_ops = { .set = set_backlog, .get = param_get_uint };
static const struct kernel_param_ops warning_ops = { .set = set_warning, .get = param_get_uint };
static const struct kernel_param_ops jitter_ops = { .set = set_jitter, .get = param_get_uint };

static unsigned int resolve_ms = NDK_DEFAULT_RESOLVE_MS;
module_param_cb(resolve_ms, &deadline_ops, &resolve_ms, 0644);
MODULE_PARM_DESC(resolve_ms, "milliseconds for address and route resolution (3000)");

static unsigned int connect_ms = NDK_DEFAULT_CONNECT_MS;
module_param_cb(connect_ms, &deadline_ops, &connect_ms, 0644);
MODULE_PARM_DESC(connect_ms, "milliseconds until NdkConnect gives up (10000)");

static unsigned int accept_ms = NDK_DEFAULT_ACCEPT_MS;
module_param_cb(accept_ms, &deadline_ops, &accept_ms, 0644);
MODULE_PARM_DESC(accept_ms,
		 "milliseconds from NdkAccept or NdkCompleteConnect to the connection (30000)");

static unsigned int disconnect_ms = NDK_DEFAULT_DISCONNECT_MS;
module_param_cb(disconnect_ms, &deadline_ops, &disconnect_ms, 0644);
MODULE_PARM_DESC(disconnect_ms, "milliseconds until NdkDisconnect gives up (5000)");

static unsigned int backlog = NDK_DEFAULT_BACKLOG;
module_param_cb(backlog, &backlog_ops, &backlog, 0644);
MODULE_PARM_DESC(backlog, "unanswered connection requests a listener holds (256)");

static unsigned int close_warn_ms = 10000;
module_param_cb(close_warn_ms, &warning_ops, &close_warn_ms, 0644);
MODULE_PARM_DESC(close_warn_ms, "milliseconds of closing after which the log says what it waits for; 0 never (10000)");

static unsigned int jitter_us;
module_param_cb(jitter_us, &jitter_ops, &jitter_us, 0644);
MODULE_PARM_DESC(jitter_us, "for tests: microseconds by which workers and news of connections are at most put off, at random (0)");

static bool enabled = true;
module_param(enabled, bool, 0644);
MODULE_PARM_DESC(enabled, "adapters may be opened (Y); N forbids it for good (MGMT-3)");

unsigned int ndk_params_close_warn_ms(void)
{
	return READ_ONCE(close_warn_ms);
}

/*
 * One in four is late, so that the others overtake it: orders that a busy machine brings about once in
 * thousands of runs become common. Nothing may depend on them.
 */
void ndk_params_jitter(void)
{
	unsigned int most = READ_ONCE(jitter_us), random;

	if (likely(!most))
		return;
	random = get_random_u32();
	if (random & 3)
		return;
	most = 1 + (random >> 2) % most;
	usleep_range(most, most + most / 8);
}

static void set_limits(struct ndk_host *h)
{
	h->time_ms[NDK_TIME_RESOLVE] = READ_ONCE(resolve_ms);
	h->time_ms[NDK_TIME_CONNECT] = READ_ONCE(connect_ms);
	h->time_ms[NDK_TIME_ACCEPT] = READ_ONCE(accept_ms);
	h->time_ms[NDK_TIME_DISCONNECT] = READ_ONCE(disconnect_ms);
	h->backlog = READ_ONCE(backlog);
}

static void apply(struct ndk_device *dev, void *context)
{
	unsigned long flags = ndk_kernel_ops.lock(&dev->site.host);

	set_limits(&dev->site.host);
	ndk_kernel_ops.unlock(&dev->site.host, flags);
}

void ndk_params_apply(struct ndk_host *h)
{
	set_limits(h);
	h->forbidden = !READ_ONCE(enabled);
	h->disabled = h->forbidden;
}
