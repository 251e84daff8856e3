#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What weir exports to nftables decides as weir does. usage: export_test.py WEIR

A router between two network namespaces of its own loads the exported table. First packets of many flows are sent through it, and those that arrive
must be those that `weir replay` lets pass under the policy. Skipped (77) without root or without nft."""

import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

POLICY = pathlib.Path(__file__).resolve().parent.parent / "export" / "headers.yaml"
NFT = os.environ.get("WEIR_NFT") or shutil.which("nft")
NAME = f"weir-ex-{os.getpid()}"


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more)


def inside(namespace, *command, **more):
    return run("ip", "netns", "exec", namespace, *command, **more)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packet(src, dst, protocol, sport, dport):
    """A first packet over IP; the number of the flow is its client's port."""
    v6 = ":" in src
    family = socket.AF_INET6 if v6 else socket.AF_INET
    a, b = socket.inet_pton(family, src), socket.inet_pton(family, dst)
    if protocol == 6:
        body = struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 0x50, 2, 64000, 0, 0)
    elif protocol == 17:
        body = struct.pack("!HHHH", sport, dport, 9, 0) + b"?"
    else:
        protocol = 58 if v6 else 1
        body = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, sport, 1)
    pseudo = (a + b + struct.pack("!II", len(body), protocol)) if v6 else (a + b + struct.pack("!BBH", 0, protocol, len(body)))
    total = checksum((b"" if protocol == 1 else pseudo) + body)
    at = {6: 16, 17: 6}.get(protocol, 2)
    body = body[:at] + struct.pack("!H", total) + body[at + 2:]
    if v6:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, 64) + a + b + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), sport, 0, 64, protocol, 0) + a + b
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def flows():
    ends = ["10.0.0.5", "10.1.1.9", "10.66.0.3", "10.9.0.53", "10.9.0.99", "10.9.3.3", "198.51.100.7", "fd00:1::5", "fd00:2::5", "2001:db8::7"]
    number = 20000
    for src in ends:
        for dst in ends:
            if (":" in src) != (":" in dst) or src == dst:
                continue
            for protocol, ports in ((6, (22, 25, 53, 80, 443, 8085, 8091)), (17, (53, 123)), (1, (0,))):
                for port in ports:
                    number += 1
                    yield number, packet(src, dst, protocol, number, port)


def number_of(ip):
    """The flow's number in a packet that arrived; None if it is none of ours."""
    v6 = ip[0] >> 4 == 6
    protocol, body = (ip[6], ip[40:]) if v6 else (ip[9], ip[20:])
    if len(body) < 8:
        return None
    if protocol in (6, 17):
        return struct.unpack("!H", body[:2])[0]
    return struct.unpack("!H", body[4:6])[0] if protocol in (1, 58) and body[0] in (8, 128) else None


def pcap(path, packets):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))  # LINKTYPE_RAW
        for i, data in enumerate(packets):
            out.write(struct.pack("<IIII", 1700000000 + i // 100, i % 100 * 10000, len(data), len(data)) + data)


def numbers_in(path):
    data, out, at = pathlib.Path(path).read_bytes(), set(), 24
    while at < len(data):
        size = struct.unpack("<I", data[at + 8:at + 12])[0]
        out.add(number_of(data[at + 16:at + 16 + size]))
        at += 16 + size
    return out


def in_namespace(namespace):
    descriptor = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    import ctypes
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(descriptor)


def socket_in(namespace, interface):
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    in_namespace(namespace)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.bind((interface, 0))
    import ctypes
    ctypes.CDLL(None).setns(here, 0x40000000)
    os.close(here)
    return s


def through_router(table):
    names = [f"{NAME}-{part}" for part in ("a", "r", "b")]
    a, router, b = names
    made = []
    try:
        for name in names:
            run("ip", "netns", "add", name)
            made.append(name)
        run("ip", "link", "add", "a0", "netns", a, "address", "02:00:00:00:00:0a", "type", "veth", "peer", "name", "r0", "netns", router, "address", "02:00:00:00:00:01")
        run("ip", "link", "add", "b0", "netns", b, "address", "02:00:00:00:00:0b", "type", "veth", "peer", "name", "r1", "netns", router, "address", "02:00:00:00:00:02")
        for name, interface in ((a, "a0"), (b, "b0"), (router, "r0"), (router, "r1")):
            inside(name, "ip", "link", "set", interface, "up")
        for setting in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            inside(router, "sh", "-c", f"echo 1 > /proc/sys/{setting}")
        for interface in ("all", "r0", "r1"):
            inside(router, "sh", "-c", f"echo 0 > /proc/sys/net/ipv4/conf/{interface}/rp_filter")
        inside(router, "ip", "address", "add", "203.0.113.1/24", "dev", "r1")
        inside(router, "ip", "-6", "address", "add", "2001:db8:f::1/64", "dev", "r1", "nodad")
        for version, gate in (("-4", "203.0.113.2"), ("-6", "2001:db8:f::2")):
            inside(router, "ip", version, "neigh", "add", gate, "lladdr", "02:00:00:00:00:0b", "dev", "r1")
            inside(router, "ip", version, "route", "add", "default", "via", gate, "dev", "r1")
        inside(router, NFT, "-f", table)
        sender, receiver = socket_in(a, "a0"), socket_in(b, "b0")
        arrived = set()
        receiver.settimeout(0.5)
        time.sleep(0.2)

        def receive(wait):
            receiver.settimeout(wait)
            try:
                while True:
                    frame = receiver.recv(2048)
                    if frame[12:14] in (b"\x08\x00", b"\x86\xdd"):
                        arrived.add(number_of(frame[14:]))
            except (TimeoutError, BlockingIOError):
                pass

        for number, data in flows():
            kind = b"\x86\xdd" if data[0] >> 4 == 6 else b"\x08\x00"
            sender.send(b"\x02\0\0\0\0\x01\x02\0\0\0\0\x0a" + kind + data)
            if number % 50 == 0:
                receive(0.005)
        receive(0.5)
        return arrived
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "delete", name], check=False)


def main():
    weir = sys.argv[1]
    if os.geteuid() != 0:
        skip("it makes network namespaces, which needs root")
    if NFT is None:
        skip("nft is not here")
    with tempfile.TemporaryDirectory() as folder:
        table, capture, passed = (os.path.join(folder, name) for name in ("table.nft", "flows.pcap", "passed.pcap"))
        exported = subprocess.run([weir, "export", str(POLICY), "--to", "nftables"], capture_output=True, text=True)
        assert exported.returncode == 0, exported.stderr
        pathlib.Path(table).write_text(exported.stdout)
        pcap(capture, [data for _, data in flows()])
        run(weir, "replay", capture, "--policy", str(POLICY), "--pass", passed)
        expected = numbers_in(passed)
        try:
            arrived = through_router(table)
        except subprocess.CalledProcessError as error:
            if NFT in error.cmd:
                print("nft does not load the table:", error.stderr)
                return 1
            skip(f"{' '.join(error.cmd)}: {error.stderr.strip()}")
    ours = {number for number, _ in flows()}
    arrived &= ours
    wrong = expected ^ arrived
    print(f"{len(ours)} flows, {len(expected)} pass by weir, {len(arrived)} by nftables")
    for number, data in flows():
        if number in wrong:
            print("differs:", number, data.hex(), "passes" if number in expected else "is stopped", "by weir")
    return 1 if wrong or not expected or expected == ours else 0


sys.exit(main())
