# SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause)
# vm-timeout: 240
#
# The life of the module itself: loading without any RDMA device, devices that come and go while it is
# loaded and used, being refused to unload while used, and unloading with nothing left behind. The
# consumer is ndkping.ko. Prints TAP; see tests/vm/tap.sh.

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

echo "ndk-vm: tap begin kernel-module"
echo "1..26"

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
check "unloading the provider is refused meanwhile" refused rmmod ndk
check "the server leaves" rmmod ndkping
check "no reference is left" [ "$(used ndk)" = 0 ]
check "the provider unloads" unload_all

check "loads again, devices being there" modprobe ndk
check "a server again" serve
check "its device goes away under it" device_out rxe0
check "the server still leaves" rmmod ndkping
check "the device returns under its old name" device_in rxe0 d0
check "and works" ping rxe0 10.9.0.1 count=50

background_ping
check "the device goes away under traffic" device_out rxe0
check "the consumer comes to an end" ended $pid
rmmod ndkping 2>/dev/null
check "the device returns once more and works" eval 'device_in rxe0 d0 && ping rxe0 10.9.0.1 count=50'
check "the provider unloads at last" unload_all
echo "ndk-vm: tap end kernel-module"
exit $failed
