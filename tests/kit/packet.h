// SPDX-License-Identifier: Apache-2.0
#pragma once

// Packets as they are drawn: headers joined by '/', outermost first, text as payload.
//
//   Eth() / Ipv4().src("192.0.2.7") / Tcp().flags("S")
//   Eth() / Vlan(7) / Ipv6() / HopByHop() / Udp(40000, 53) / "payload"
//   Eth() / Ipv4() / Udp(50000, 4789) / Vxlan(42) / Eth() / Ipv4() / Icmp(8)
//
// Addresses that nobody gave are documentation's (RFC 5737, 3849, 7042): 192.0.2.1 → 198.51.100.2, 2001:db8::1 → 2001:db8::2,
// 00:00:5e:00:53:01 → …:02. Types, protocols, lengths and checksums follow from what comes behind; a setter of the same name
// puts in a wrong one. bytes() gives the frame as a string; OwnedFrame keeps it together with the Frame that points to it.
// A fragment is drawn with its own bytes behind it: Ipv4().protocol(17).more() / "the first eight…".

#include "tests/kit/packet/ip.h"
#include "tests/kit/packet/links.h"
#include "tests/kit/packet/transport.h"
#include "tests/kit/packet/tunnels.h"
