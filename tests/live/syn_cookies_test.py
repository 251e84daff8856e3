#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The guard `syn-cookies` on a live bridge: SYNs from forged sources do not reach the server beyond its budget, and clients that nobody knew before
connect meanwhile, by the machine's own TCP on both sides.

Everything happens in network namespaces that the test makes: as root at once, otherwise in a user namespace. Where neither is allowed it is
skipped (exit 77) with the reason. The flood is a few thousand SYNs in a second.

usage: syn_cookies_test.py WEIR [TEST…]
"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from namespace import main, set_offloads, sh, wait_until_said

WEIR = ""
ABOVE, SECONDS, CLIENTS = 50, 3, 40

POLICY = """weir: 1
default: allow
zones:
  clients: { ports: [p0, p2] }
  servers: { ports: [p1], networks: [10.0.0.80/32] }
guards:
  syn-cookies: { above: %d/s, to: servers, ports: [80], technique: [T1499.001] }
""" % ABOVE

# Connects once from each address; says how many connections were completed, and how long the slowest took.
CLIENT = """
import socket, sys, time
done, slowest = 0, 0.0
for i in range(%d):
    begun = time.monotonic()
    try:
        with socket.create_connection(("10.0.0.80", 80), timeout=4, source_address=("10.0.1.%%d" %% (i + 1), 0)) as s:
            done += s.recv(2) == b"ok"
    except OSError:
        pass
    slowest = max(slowest, time.monotonic() - begun)
print(done, slowest)
""" % CLIENTS

# Accepts and says "ok"; at the end says how many SYNs of forged sources came in.
SERVER = """
import select, socket, sys, time
listener = socket.create_server(("10.0.0.80", 80), backlog=4096)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
wire.bind(("h1", 0))
wire.setblocking(False)
print("ready", flush=True)
forged = 0
while True:
    ready, _, _ = select.select([listener, wire, sys.stdin], [], [])
    if sys.stdin in ready: break
    if listener in ready:
        with listener.accept()[0] as s: s.sendall(b"ok")
    for _ in range(256):
        try: frame, address = wire.recvfrom(2048)
        except BlockingIOError: break
        forged += address[2] != 4 and frame[26:28] == bytes([198, 18]) and frame[47] & 2
print(forged // 2)
"""


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def forged_syn(number, to_mac):
    source = bytes([198, 18, number >> 8 & 255, number & 255])
    server = bytes([10, 0, 0, 80])
    body = struct.pack("!HHIIBBHHH", 1024 + number % 60000, 80, number * 7919 & 0xFFFFFFFF, 0, 0x50, 2, 64000, 0, 0)
    summed = checksum(source + server + struct.pack("!HH", 6, len(body)) + body)
    body = body[:16] + struct.pack("!H", summed) + body[18:]
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 6, 0, source, server)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return to_mac + b"\x02\0\0\0\0\x66\x08\0" + head + body + bytes(6)


class SynCookies(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        for i in range(3):
            sh(f"ip link add p{i} type veth peer name h{i} && ip link set p{i} up && ip link set h{i} up")
            set_offloads(f"h{i}", gro=True, tx=False, tso=False, gso=False)
            self.addCleanup(subprocess.run, ["ip", "link", "del", f"p{i}"], capture_output=True)
        self.client = self.host(0, "10.0.0.1")
        self.server = self.host(1, "10.0.0.80")
        for i in range(CLIENTS):
            self.inside(self.client, f"ip addr add 10.0.1.{i + 1}/32 dev h0")
        self.inside(self.server, "ip route add 10.0.1.0/24 dev h1; echo 0 >/proc/sys/net/ipv4/tcp_syncookies")

    def host(self, number, address):
        keeper = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.addCleanup(lambda: (keeper.kill(), keeper.wait()))
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{keeper.pid}/ns/net") == own:
            time.sleep(0.01)
        sh(f"ip link set h{number} netns {keeper.pid}")
        self.inside(keeper, f"ip link set lo up; ip addr add {address}/24 dev h{number}; ip link set h{number} up")
        return keeper

    def inside(self, host, command):
        sh(f"nsenter -n -t {host.pid} sh -c '{command}'")

    def python(self, host, text):
        return subprocess.Popen(["nsenter", "-n", "-t", str(host.pid), sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, attach):
        policy, said = os.path.join(self.directory.name, "policy.yaml"), os.path.join(self.directory.name, "said")
        self.socket = os.path.join(self.directory.name, "weir.sock")
        with open(policy, "w") as out:
            out.write(POLICY)
        with open(said, "w") as out:
            weir = subprocess.Popen([WEIR, "run", "--policy", policy, "--bridge", "p0,p1,p2", "--attach", attach, "--socket", self.socket], stdout=out, stderr=out)
        self.addCleanup(lambda: weir.poll() is None and (weir.terminate(), weir.wait()))
        wait_until_said(self, weir, said, "filters between", skips=attach != "packet")
        return weir

    def flood(self, until, count):
        told = subprocess.run(["nsenter", "-n", "-t", str(self.server.pid), "ip", "-j", "link", "show", "h1"], capture_output=True, text=True).stdout
        mac = bytes.fromhex(json.loads(told)[0]["address"].replace(":", ""))
        sent = 0
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind(("h2", 0))
            while time.monotonic() < until:
                for _ in range(20):
                    wire.send(forged_syn(sent, mac))
                    sent += 1
                time.sleep(0.005)
        count.append(sent)

    def holds(self, attach):
        self.start(attach)
        server = self.python(self.server, SERVER)
        self.assertEqual(server.stdout.readline(), "ready\n")
        begun, count = time.monotonic(), []
        flood = threading.Thread(target=self.flood, args=(begun + SECONDS, count))
        flood.start()
        time.sleep(0.7)  # The budget's first burst is over.
        done, slowest = self.python(self.client, CLIENT).communicate(timeout=60)[0].split()
        flood.join()
        lasted = time.monotonic() - begun
        time.sleep(0.3)
        came = int(server.communicate("end\n", timeout=20)[0])
        status = json.loads(subprocess.run([WEIR, "status", "--socket", self.socket, "--json"], capture_output=True, text=True).stdout)
        print(f"{attach}: {count[0]} forged SYNs, {came} reached the server; {done} of {CLIENTS} clients connected, the slowest in {float(slowest):.3f} s; "
              f"{status['syn_cookies']}", file=sys.stderr)
        self.assertEqual(int(done), CLIENTS)
        self.assertGreater(count[0], 3 * ABOVE * SECONDS)
        self.assertLess(came, 1.3 * ABOVE * (lasted + 1), "the budget, and its burst of a second")
        self.assertGreater(status["syn_cookies"]["proven"], CLIENTS / 2)
        self.assertEqual(status["syn_cookies"]["asked_in_the_kernel"], attach != "packet")

    def test_over_packet_sockets(self):
        self.holds("packet")

    def test_in_generic_xdp(self):
        self.holds("xdp-generic")

    def test_in_native_xdp(self):
        self.holds("xdp")


if __name__ == "__main__":
    main("the guard syn-cookies")
