# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
#
# The door to everything: `make help`. The work is done by the scripts in tests/run, by CMake for
# user space and by Kbuild for the module; all output goes to build/.
#
#   KVER=VERSION        kernel to build the module for (default: the newest installed one with headers)
#   T=PATTERN           narrows check* to suites, or else to tests, whose name contains PATTERN
#   NDK_FILTER=PATTERN  with T=SUITE: of conformance suites only the cases whose name contains PATTERN
#   NDK_SEED=NUMBER     with T=SUITE: the seed of a conformance suite in the virtual machine
#   NDK_JITTER=MICROSECONDS   in the virtual machine, ndk.ko is late at random by up to that
#   NDK_STRICT=1        what failed on a device once and then passed again and again is a failure all the same
#   ACCEL=kvm           the virtual machine is not emulated (default: tcg, which works everywhere)
#   NDK_CACHE=DIR       where the debug kernel is kept (default: ~/.cache/ndkpi)
#   CMAKE_FLAGS=...     more arguments for CMake
#   GOALS=must          with bench: a missed goal is an error
#   DESTDIR=, PREFIX=   where install puts things (default prefix: /usr/local)

ifndef KVER
KVER := $(shell tests/vm/kver.sh 2>/dev/null)
endif
PREFIX ?= /usr/local
MODULE = build/kmod-$(KVER)/kmod/ndk.ko
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

export KVER T CMAKE_FLAGS GOALS

.DEFAULT_GOAL := all
.PHONY: all help deps user kmod check check-core check-fabric check-sanitize check-kmod check-debug \
	tidy demo bench \
	requirements requirements-seed load unload install clean distclean

all: user ## build what this machine can: user space, and the module if kernel headers are there
ifneq ($(KVER),)
all: kmod
else
	@echo 'no kernel with headers here: the module is not built (make deps installs one)'
endif

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
	@sed -n '/^#   [A-Z]/s/^# //p' Makefile

deps: ## install the packages needed to build and test (Debian, Ubuntu)
	@tests/run/deps.sh

user: ## build libndk, the tools and the tests of user space into build/
	@tests/run/build_user.sh

kmod: ## build ndk.ko and the test modules for KVER
	@tests/run/build_kmod.sh $(KVER)

check: ## install, build and test everything; ends with `N passed, N failed, N skipped`
	@tests/run/check.sh

check-core: ## only the state machines and the headers
	@tests/run/check.sh core

check-fabric: ## only the conformance suite on the in-memory fabric
	@tests/run/check.sh fabric

check-sanitize: ## only the conformance suite on the fabric under ASan, UBSan and TSan, and without memory
	@tests/run/check.sh sanitize

check-kmod: ## only the module, in the virtual machine
	@tests/run/check.sh kmod

check-debug: ## only the module under KASAN, lockdep and kmemleak, on iWARP, and under PREEMPT_RT
	@tests/run/check.sh debug pairs

tidy: ## only the style of the tree
	@tests/tidy/tidy.py

demo: ## see it work: on the fabric, and in a kernel booted in QEMU
	@tests/run/demo.sh

bench: ## measure, beside the raw way of doing the same; compare only within one run
	@tests/run/bench.sh

requirements: ## every rule: where it is implemented, which test shows it, or why not (after make check)
	@tests/requirements/requirements.py all --strict

requirements-seed: ## the seed rows: rules, tests, where they ran, result (after make check)
	@tests/requirements/requirements.py seed

load: kmod ## load ndk.ko into the running kernel (root)
	@[ "$(KVER)" = "$$(uname -r)" ] || { echo 'error: built for $(KVER), but this machine runs '"$$(uname -r)"'; use make load KVER='"$$(uname -r)" >&2; exit 1; }
	$(SUDO) modprobe -a ib_core rdma_cm
	$(SUDO) insmod $(MODULE)

unload: ## take ndk.ko out of the running kernel (root)
	$(SUDO) rmmod ndk

install: all ## install user space to PREFIX and the module for KVER (root)
	$(if $(DESTDIR),,$(SUDO)) env DESTDIR='$(DESTDIR)' cmake --install build --prefix '$(PREFIX)'
ifneq ($(KVER),)
	$(if $(DESTDIR),,$(SUDO)) install -D -m 644 $(MODULE) '$(DESTDIR)/lib/modules/$(KVER)/updates/ndk.ko'
	$(if $(DESTDIR),,$(SUDO) depmod $(KVER))
endif
	$(if $(DESTDIR),,$(SUDO) ldconfig)

clean: ## remove what the builds made, keep their configuration
	@[ ! -e build/build.ninja ] || ninja -C build clean
	rm -rf build/kmod-* build/vm build/results build/logs

distclean: ## remove build/
	rm -rf build
