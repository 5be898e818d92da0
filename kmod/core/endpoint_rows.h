/* SPDX-License-Identifier: (GPL-2.0 OR BSD-3-Clause) */
/*
 * The shared endpoint: an address held for outgoing connections (SEP-1). RESERVED has the address
 * in our table, the device part is being bound; OPEN carries connections; HELD is closed but kept by
 * its connectors (SEP-6); FREE gave the address back (EP-5).
 */
#ifndef NDK_CORE_ENDPOINT_ROWS_H
#define NDK_CORE_ENDPOINT_ROWS_H

#define NDK_SHARED_STATES(x) x(FREE) x(RESERVED) x(OPEN) x(HELD)
#define NDK_SHARED_EVENTS(x) x(RESERVE) x(BOUND) x(BIND_FAILED) x(CONNECT) x(CLOSE) x(UNBUILT)
#define NDK_SHARED_ACTS(x) x(TAKE) x(GIVE)

#define NDK_SHARED_ROWS(row) \
	row(FREE, RESERVE, RESERVED, A(TAKE), "SEP-1 SEP-4 EP-4") \
	row(RESERVED, BOUND, OPEN, 0, "SEP-1") \
	row(RESERVED, BIND_FAILED, FREE, A(GIVE), "SEP-2 SEP-3") \
	row(OPEN, BIND_FAILED, FREE, A(GIVE), "CREATE-15 CREATE-16 U-45") \
	row(OPEN, CONNECT, OPEN, 0, "CONN-30 CONN-31") \
	row(OPEN, CLOSE, HELD, 0, "SEP-6 EP-6") \
	row(HELD, UNBUILT, FREE, A(GIVE), "EP-4 EP-5")

#endif
