# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
"""What each rule of tidy.py must refuse and must accept: (path, text) pairs."""

SPDX = "/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */\n"
FITS = "\tx();\n" * 67   # 70 lines with the name and the braces
LONG = FITS + "\tx();\n"
LATER = "TO" + "DO"

SAMPLES = {
	"core_includes": {
		"bad": [
			("kmod/core/a.c", "#include <linux/types.h>\n"),
			("kmod/core/a.c", "#include <stdint.h>\n"),
			("kmod/core/a.h", '#include "../main.h"\n'),
			("kmod/core/a.c", '#include "missing.h"\n'),
		],
		"good": [
			("kmod/core/a.c", '#include <ndkpi/ndkpi.h>\n#include "base.h"\n'),
			("kmod/core/a.c", "/*\n#include <linux/types.h>\n*/\n"),
			("kmod/main.c", "#include <linux/types.h>\n"),
			("kmod/core/a.c", "#include NDK_ROWS\n"),
		],
	},
	"version_checks": {
		"bad": [
			("kmod/cm.c", "#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n#endif\n"),
		],
		"good": [
			("kmod/compat/cm.h", "#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n#endif\n"),
			("kmod/cm.c", "/* LINUX_VERSION_CODE is for compat */\n"),
		],
	},
	"state_writes": {
		"bad": [
			("kmod/core/qp.c", "\tqp->state = NDK_QP_IDLE;\n"),
			("kmod/qp.c", "\tobj->conn->state=0;\n"),
			("harness/exec/run.cpp", "\tobj->state |= 1;\n"),
		],
		"good": [
			("kmod/core/step.c", "\tqp->state = to;\n"),
			("kmod/core/qp_step.h", "\tqp->state = to;\n"),
			("kmod/core/qp.c", "\tif (qp->state == NDK_QP_IDLE)\n\t\tx->state_count = 1;\n"),
			("kmod/core/qp.c", "\t/* qp->state = to */\n"),
		],
	},
	"file_length": {
		"bad": [("kmod/a.c", "\n" * 801)],
		"good": [("kmod/a.c", "\n" * 800)],
	},
	"function_length": {
		"bad": [
			("kmod/a.c", "int f(void)\n{\n" + LONG + "}\n"),
			("tests/a.cpp", "namespace n {\nstruct s {\n\tvoid g() const\n\t{\n" + LONG + "\t}\n};\n}\n"),
			("tests/a.cpp", 'TEST(a, b)\n{\n\tx("}");\n' + LONG + "}\n"),
			("kmod/a.c", "static struct obj *\nf(int a,\n  int b)\n{\n" + LONG + "}\n"),
		],
		"good": [
			("kmod/a.c", "int f(void)\n{\n" + FITS + "}\nint g(void)\n{\n}\n"),
			("kmod/a.c", "struct s {\n" + "\tint a;\n" * 100 + "};\n"),
			("kmod/a.c", "static const int t[] = {\n" + "\tF(1),\n" * 100 + "};\n"),
			("tests/a.cpp", "namespace n {\n" + "int f() { return 0; }\n" * 100 + "}\n"),
			("kmod/a.h", "#define ROWS(row) \\\n" + "\trow(a, {) \\\n" * 100 + "\n"),
		],
	},
	"license_line": {
		"bad": [
			("kmod/a.c", "int x;\n"),
			("kmod/a.c", "/* SPDX-License-Identifier: MIT */\n"),
			("kmod/a.c", "\n\n" + SPDX),
		],
		"good": [
			("kmod/a.c", SPDX + "int x;\n"),
			("tests/a.sh", "#!/bin/sh\n# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)\n"),
			("uapi/linux/ndk.h",
			 "/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */\n"),
		],
	},
	"leftovers": {
		"bad": [("kmod/a.c", f"/* {LATER}: later */\n"), ("README.md", "FIX" + "ME\n")],
		"good": [("kmod/a.c", "/* a to-do list; METHODO */\n"), ("tests/a.py", f'"not ok 3 c # {LATER} x"\n')],
	},
	"plain_ascii": {
		"bad": [("kmod/a.c", "/* \u2192 */\n"), ("Documentation/a.md", "na\u00efve\n")],
		"good": [("kmod/a.c", "/* -> */\n")],
	},
}


def of(rule, kind):
	return SAMPLES[rule][kind]


def headers(make):
	"""The headers that exist in the samples' tree."""
	return [make("kmod/core/base.h", SPDX), make("kmod/include/ndkpi/ndkpi.h", SPDX)]
