# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-timeout: 240
#
# The life of the module itself: loading without any RDMA device, devices that come and go while it is
# loaded and used, being refused to unload while used, and unloading with nothing left behind; its
# parameters; being refused by another kernel. The consumer is ndkping.ko. Prints TAP; see tests/vm/tap.sh.

n=0
failed=0

# check NAME COMMAND...: one test.
check() {
	name=$1
	shift
	n=$((n + 1))
	if "$@" >/tmp/out 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' /tmp/out
		dmesg | tail -n 8 | sed 's/^/# /'
		failed=1
	fi
}

loaded() { grep -q "^$1 " /proc/modules; }
unloaded() { ! loaded "$1"; }
refused() { ! "$@"; }
used() { awk -v m="$1" '$1 == m { print $3 }' /proc/modules; }
device_in() { ip link show "$2" >/dev/null && /usr/bin/rdma link add "$1" type rxe netdev "$2"; }
device_out() { /usr/bin/rdma link delete "$1"; }

# ping ADAPTER ADDRESS [PARAMETER...]: a whole run; the module goes again whatever came of it.
ping() {
	adapter=$1
	address=$2
	shift 2
	status=0
	modprobe ndkping role=self adapter="$adapter" local="$address" "$@" || status=1
	rmmod ndkping 2>/dev/null
	return $status
}

unload_all() {
	rmmod ndk && unloaded ndk
}

# A server waits for connections as long as it is loaded: a consumer with an open adapter.
serve() { modprobe ndkping role=server adapter=rxe0 local=10.9.0.1; }

# Traffic in the background, to be hit by a removal. It fails, and has to come to an end.
background_ping() {
	modprobe ndkping role=self adapter=rxe0 local=10.9.0.1 count=100000000 >/dev/null 2>&1 &
	pid=$!
	sleep 2
	kill -0 $pid
}

ended() {
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 1
	done
	echo "process $1 still runs"
	return 1
}

param() { cat "/sys/module/ndk/parameters/$1"; }
set_param() { echo "$2" >"/sys/module/ndk/parameters/$1"; }

# A connect towards an address that swallows everything ends when connect_ms, 1500, have passed. A busy
# machine may be late once; who goes by the default of ten seconds is never early.
gives_up_soon() {
	/usr/bin/ip link set dev d0 arp on
	/usr/bin/ip neigh replace 10.9.0.250 lladdr 02:00:00:00:00:fa dev d0 nud permanent
	for try in 1 2 3; do
		began=$(cut -d . -f 1 /proc/uptime)
		refused modprobe ndkping role=client adapter=rxe0 local=10.9.0.1 dest=10.9.0.250 count=1 || return 1
		took=$(($(cut -d . -f 1 /proc/uptime) - began))
		echo "it took $took s"
		dmesg | tail -n 20 | grep STATUS_IO_TIMEOUT && [ $took -ge 1 ] || return 1
		[ $took -ge 8 ] || return 0
	done
	return 1
}

# A parent is closed while its children are open.
says_what_it_waits_for() {
	said=$(dmesg | grep -c 'ndk: rxe0: closing')
	modprobe ndk_conformance dev=rxe0 filter='life_parents_first' && rmmod ndk_conformance || return 1
	dmesg | grep 'ndk: rxe0: closing' | tail -n 3
	[ "$(dmesg | grep 'ndk: rxe0: closing' | grep -c 'it waits for [1-9][0-9]* open successors: ')" -gt "$said" ]
}

# offset STRING FILE: where it is.
offset() { strings -t d "$2" | sed -n "s/^ *\([0-9]*\) $1.*/\1/p" | head -n 1; }
overwrite() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

# ndk.ko as another kernel would have it, as /tmp/other.ko: by the version of the kernel, and by that of a symbol,
# which a kernel with versions of symbols goes by.
for_another_kernel() {
	cp "/lib/modules/$(uname -r)/extra/ndk.ko" /tmp/other.ko
	overwrite /tmp/other.ko "$(offset vermagic= /tmp/other.ko)" 'vermagic=9'
	overwrite /tmp/other.ko $(($(offset module_layout /tmp/other.ko) - 8)) '\001\002\003'
	strings /tmp/other.ko | grep '^vermagic=9'
}

echo "ndk-vm: tap begin kernel-module"
echo "1..38"

device_out rxe0
device_out rxe1
check "loads where there is no RDMA device" modprobe ndk
check "opening a device that does not exist is refused" refused ping rxe0 10.9.0.1 count=10
check "and leaves no reference" [ "$(used ndk)" = 0 ]
check "a device that appears later ..." device_in rxe0 d0
check "... is an adapter" ping rxe0 10.9.0.1 count=50
check "by the name of its interface too" ping d0 10.9.0.1 count=10
check "over IPv6" ping rxe0 fd09::1 count=10
check "a second device" device_in rxe1 d1
check "is another adapter" ping rxe1 10.9.1.1 count=10
check "an address of the other adapter is refused" refused ping rxe1 10.9.0.1 count=10
check "unused devices go at once" device_out rxe1

check "a server holds an adapter open" serve
check "T-LC-15 unloading the provider is refused meanwhile" refused rmmod ndk
check "T-LC-15 the server leaves as soon as its adapter is closed" rmmod ndkping
check "T-LC-15 no reference is left" [ "$(used ndk)" = 0 ]
check "T-LC-15 the provider unloads" unload_all

check "loads again, devices being there" modprobe ndk
check "a server again" serve
check "T-DR-01 its device goes away under it" device_out rxe0
check "the server still leaves" rmmod ndkping
check "the device returns under its old name" device_in rxe0 d0
check "and works" ping rxe0 10.9.0.1 count=50

background_ping
check "the device goes away under traffic" device_out rxe0
check "the consumer comes to an end" ended $pid
rmmod ndkping 2>/dev/null
check "the device returns once more and works" eval 'device_in rxe0 d0 && ping rxe0 10.9.0.1 count=50'

check "T-UA-05 parameters can be read" eval '[ "$(param backlog)" = 256 ] && [ "$(param connect_ms)" = 10000 ]'
check "T-UA-05 values out of range are refused" eval 'refused set_param backlog 0 && refused set_param backlog 65537 &&
	refused set_param connect_ms 3600001 && refused set_param jitter_us 1000001 && refused set_param resolve_ms x && [ "$(param backlog)" = 256 ]'
check "T-UA-05 others are taken" eval 'set_param connect_ms 1500 && [ "$(param connect_ms)" = 1500 ]'
check "T-UA-05 and count for the next connect, without a reload" gives_up_soon
check "T-UA-05 and for a device that appears later" eval 'device_out rxe0 && device_in rxe0 d0 && gives_up_soon'
check "T-UA-05 so is the time after which closing is remarked on" eval '[ "$(param close_warn_ms)" = 10000 ] &&
	refused set_param close_warn_ms 3600001 && set_param close_warn_ms 1'
check "T-LC-14 the log says what a close that takes long waits for" says_what_it_waits_for
check "T-LC-14 and nothing where that is not wanted" eval 'set_param close_warn_ms 0 && refused says_what_it_waits_for'

check "the provider unloads at last" unload_all
check "T-UA-12 a module built for another kernel" for_another_kernel
check "T-UA-12 is refused" refused insmod /tmp/other.ko
check "T-UA-12 with a plain message" eval 'dmesg | tail -n 3 | grep -E "version magic .* should be|disagrees about version of symbol"'
check "T-UA-12 and nothing is loaded" unloaded ndk
echo "ndk-vm: tap end kernel-module"
exit $failed
