// SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
/*
 * ndk_conformance.ko: the conformance cases as a consumer in the kernel. They run while the module is
 * loaded, which succeeds whatever they say; results are KTAP on the console, every line with the
 * module's name in front, and their number of failures is in
 * /sys/module/ndk_conformance/parameters/failed (-1: the run broke down). Devices and addresses are
 * parameters too (env_kernel.c). Unloading frees it for the next run.
 */
#define pr_fmt(fmt) "ndk_conformance: " fmt

#include <linux/module.h>

#include "env.h"
#include "runner.h"

static char *filter = "*";
module_param(filter, charp, 0444);
MODULE_PARM_DESC(filter, "globs over the names of cases, with commas between (*)");
static unsigned long long seed = 1;
module_param(seed, ullong, 0444);
MODULE_PARM_DESC(seed, "of everything random (1)");
static unsigned int repeat = 1;
module_param(repeat, uint, 0444);
MODULE_PARM_DESC(repeat, "how often each case runs (1)");
static unsigned int confirm;
module_param(confirm, uint, 0444);
MODULE_PARM_DESC(confirm, "a case that failed counts as unsteady if it then passes that often (0: it failed)");
static unsigned int budget;
module_param(budget, uint, 0444);
MODULE_PARM_DESC(budget, "seconds after which no case begins any more (0: all run)");
static bool verbose;
module_param(verbose, bool, 0444);
MODULE_PARM_DESC(verbose, "show the notes of the cases (N)");
static char *again;
module_param(again, charp, 0444);
MODULE_PARM_DESC(again, "how to repeat a case, up to its name; ` NDK_SEED=SEED` follows (default: with insmod)");
static int failed;
module_param(failed, int, 0444);
MODULE_PARM_DESC(failed, "result: failures of the run");

static int __init conformance_init(void)
{
	static char insmod[120];
	struct conf_options options = { filter, NULL, again, " NDK_SEED=", seed, repeat,
					verbose, TRUE,	 budget, 0, NULL,   confirm };
	struct conf_totals totals;

	if (!again) {
		options.again = insmod;
		options.again_seed = " seed=";
	}
	snprintf(insmod, sizeof(insmod), "insmod ndk_conformance.ko dev=%s dev2=%s filter=", conf_adapter_name(0),
		 conf_adapter_name(1));
	if (conf_run(&options, &totals)) {
		failed = totals.failed;
		return 0;
	}
	/* Something is still open that may call back into this code: it has to stay. */
	failed = -1;
	__module_get(THIS_MODULE);
	return 0;
}

static void __exit conformance_exit(void)
{
}

module_init(conformance_init);
module_exit(conformance_exit);

MODULE_DESCRIPTION("Conformance cases for the NDK consumer interface");
MODULE_LICENSE("Dual BSD/GPL");
MODULE_SOFTDEP("pre: ndk");
