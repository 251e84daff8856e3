#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weir run as its users meet it: in the path between two wires, told by signals, killed, refused.

Everything happens in a network namespace that the test makes: as root at once, otherwise in a user namespace. Where neither is allowed it is
skipped (exit 77) with the reason.

usage: run_test.py WEIR [TEST…]
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from namespace import main, sh, wait_until_said

WEIR = ""

POLICY = """weir: 1
default: allow
zones:
  inside: { ports: [p0], networks: [10.0.0.1/32] }
  outside: { ports: [p1] }
rules:
  - { name: no-telnet, technique: [T1021], match: { from: inside, port: 23 }, action: drop }
"""


def syn(port, source=40000):
    body = struct.pack("!HHIIBBHHH", source, port, 1, 0, 0x50, 2, 64000, 0, 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, 6, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    total = sum(struct.unpack("!10H", head))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return b"\x02\0\0\0\0\x0b\x02\0\0\0\0\x0a\x08\0" + head[:10] + struct.pack("!H", total ^ 0xFFFF) + head[12:] + body


class Wire:
    """The far end of a port."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((name, 0))
        self.socket.settimeout(0.3)

    def send(self, frame):
        self.socket.send(frame)

    def take(self, wait=0.3):
        """Frames that came in, without those that this end sent itself."""
        self.socket.settimeout(wait)
        out = []
        try:
            while True:
                frame, address = self.socket.recvfrom(65535)
                if address[2] != 4:  # PACKET_OUTGOING
                    out.append(frame)
        except TimeoutError:
            return out


class Run(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.policy = os.path.join(self.directory.name, "policy.yaml")
        self.events = os.path.join(self.directory.name, "events.json")
        self.said = os.path.join(self.directory.name, "said")
        self.quiet = ["--socket", os.path.join(self.directory.name, "weir.sock")]
        self.write_policy(POLICY)
        for i in (0, 1):
            sh(f"ip link add p{i} type veth peer name h{i}")
            sh(f"ip link set p{i} up; ip link set h{i} up")
            self.addCleanup(subprocess.run, ["ip", "link", "del", f"p{i}"], capture_output=True)
        self.wires = [Wire("h0"), Wire("h1")]
        for wire in self.wires:
            self.addCleanup(wire.socket.close)

    def write_policy(self, text):
        with open(self.policy, "w") as out:
            out.write(text)

    def start(self, *arguments):
        with open(self.said, "a") as said:
            process = subprocess.Popen([WEIR, "run", "--policy", self.policy, "--bridge", "p0,p1", "--events", self.events, *self.quiet, *arguments],
                                       stdout=said, stderr=said)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        wait_until_said(self, process, self.said, "filters between")
        time.sleep(0.1)
        return process

    def output(self):
        with open(self.said) as said:
            return said.read()

    def forget_output(self):
        open(self.said, "w").close()

    def events_of(self, kind):
        with open(self.events) as lines:
            return [event for event in map(json.loads, lines) if event["event_type"] == kind]

    def passes(self, frame):
        self.wires[1].take(0.01)
        self.wires[0].send(frame)
        return frame in self.wires[1].take()

    def stop(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        return process.wait(10)

    def test_without_it_nothing_crosses(self):
        self.assertFalse(self.passes(syn(80)))

    def test_filters_reports_and_ends_cleanly(self):
        process = self.start("--flows")
        self.assertTrue(self.passes(syn(80)))
        self.assertFalse(self.passes(syn(23)))
        self.assertEqual(self.stop(process), 0)
        self.assertFalse(self.passes(syn(80)), "it is gone")
        alerts = self.events_of("alert")
        self.assertEqual([a["weir"]["rule"] for a in alerts], ["no-telnet"])
        self.assertEqual(alerts[0]["in_iface"], "p0")
        self.assertEqual(len(self.events_of("flow")), 1)
        stats = self.events_of("stats")[-1]["stats"]
        self.assertEqual((stats["weir"]["passed"], stats["weir"]["dropped"]), (1, 1))
        self.assertEqual(stats["weir"]["datapath"]["received"], 2)
        self.assertEqual(stats["weir"]["datapath"]["sent"], 1)
        self.assertEqual(stats["weir"]["events"]["dropped"], 0)
        self.assertIn("filters between p0, p1", self.output())

    def test_statistics_come_on_an_interval(self):
        process = self.start("--stats", "1")
        time.sleep(2.5)
        self.assertGreaterEqual(len(self.events_of("stats")), 2, "they are written while it runs")
        self.stop(process, signal.SIGINT)

    def test_starts_again_after_a_kill_and_appends_to_its_events(self):
        process = self.start()
        self.assertFalse(self.passes(syn(23)))
        time.sleep(0.3)
        process.kill()
        process.wait()
        self.assertFalse(self.passes(syn(80)), "it fails closed")
        self.forget_output()
        process = self.start()
        self.assertTrue(self.passes(syn(80)))
        self.assertFalse(self.passes(syn(23, 40002)))
        self.stop(process)
        self.assertEqual(len(self.events_of("alert")), 2)

    def test_says_where_its_promise_ends(self):
        process = self.start("--fail", "open")
        self.stop(process)
        self.assertIn("fails open", self.output())

    def test_a_port_with_an_address_is_said(self):
        sh("ip addr add 192.0.2.1/24 dev p1")
        process = self.start()
        self.stop(process)
        self.assertIn("port p1 has an address (192.0.2.1)", self.output())

    def test_zones_that_cannot_be_told_apart_are_said(self):
        self.write_policy("weir: 1\nzones:\n  a: { ports: [p0] }\n  b: { ports: [p1] }\nrules:\n  - { name: no, match: { from: a, to: b }, action: drop }\n")
        process = self.start()
        self.stop(process)
        self.assertIn("zones a, b have ports and no networks", self.output())

    def test_a_port_that_goes_and_comes_back(self):
        process = self.start()
        self.wires.pop().socket.close()
        sh("ip link del p1")
        time.sleep(0.1)
        sh("ip link add p1 type veth peer name h1; ip link set p1 up; ip link set h1 up")
        time.sleep(0.1)
        self.wires.append(Wire("h1"))
        self.addCleanup(self.wires[1].socket.close)
        self.assertTrue(self.passes(syn(80)))
        self.assertFalse(self.passes(syn(23)))
        self.stop(process)

    def test_refuses_with_3_and_a_reason(self):
        done = subprocess.run([WEIR, "run", "--policy", self.policy, "--bridge", "p0,p9", *self.quiet], capture_output=True, text=True, timeout=20)
        self.assertEqual((done.returncode, done.stderr), (3, "weir: there is no port p9\n"))
        powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]
        if subprocess.run([*powerless, "true"], capture_output=True).returncode:
            self.skipTest("setpriv cannot take powers away here")
        done = subprocess.run([*powerless, WEIR, "run", "--policy", self.policy, "--bridge", "p0,p1", *self.quiet], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 3)
        self.assertIn("need root, CAP_NET_RAW", done.stderr)

    def test_a_broken_policy_is_2_and_touches_nothing(self):
        self.write_policy("weir: 1\nrulez: []\n")
        done = subprocess.run([WEIR, "run", "--policy", self.policy, "--bridge", "p0,p1", *self.quiet], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("policy.yaml:2:1", done.stderr)

    def test_a_reload_that_breaks_an_assertion_is_refused(self):
        promise = "assert:\n  - { name: never-telnet, never: { from: inside, to: outside, ip.protocol: tcp, port: 23 } }\n"
        self.write_policy(POLICY + promise)
        process = self.start()
        self.write_policy(POLICY.replace("port: 23", "port: 24") + promise)
        done = subprocess.run([WEIR, "reload", *self.quiet], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, r"`never-telnet` does not hold: `10\.0\.0\.1:50000 > [0-9.]+:23 tcp S` passes, by default")
        self.assertFalse(self.passes(syn(23)), "the old policy stays")
        self.write_policy(POLICY + promise.replace("never-telnet", "no-telnet-ever"))
        done = subprocess.run([WEIR, "reload", *self.quiet], capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.stop(process), 0)

    def test_bindings_outlive_a_kill_and_a_broken_file_is_said(self):
        def claim(station):
            return b"\xff" * 6 + station + b"\x08\x06" + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + station + bytes([10, 0, 0, 5]) + bytes(6) + bytes([10, 0, 0, 9]) + bytes(18)

        def start():
            # Where a redirected frame would be lost, and checksums are not the matter here.
            return self.start("--attach", "packet", "--state", self.directory.name + "/state")

        first, stranger = claim(b"\x02\0\0\0\0\x0a"), claim(b"\x02\0\0\0\0\x0b")
        self.write_policy("weir: 1\nguards: { arp-inspection: { learn: first } }\n")
        process = start()
        self.assertTrue(self.passes(first))
        path = self.directory.name + "/state/bindings"
        begun = time.monotonic()
        while not os.path.exists(path) or "10.0.0.5" not in open(path).read():
            self.assertLess(time.monotonic() - begun, 20)
            time.sleep(0.1)
        process.kill()
        process.wait()
        self.forget_output()
        process = start()
        self.assertFalse(self.passes(stranger))
        self.assertTrue(self.passes(first))
        told = json.loads(subprocess.run([WEIR, "status", *self.quiet, "--json"], capture_output=True, text=True).stdout)
        self.assertEqual(told["kept_bindings"]["recalled"], 1)
        self.assertEqual(self.stop(process), 0)
        with open(path, "r+") as kept:
            kept.truncate(30)
        self.forget_output()
        process = start()
        self.assertIn("the bindings of the last run are ignored", self.output())
        self.assertTrue(self.passes(stranger))
        self.assertEqual(self.stop(process), 0)


if __name__ == "__main__":
    if "--inside" in sys.argv:
        for what in ("default", "all"):
            try:
                with open(f"/proc/sys/net/ipv6/conf/{what}/disable_ipv6", "w") as switch:
                    switch.write("1")
            except OSError:
                pass
    main("weir run")
