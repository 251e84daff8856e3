#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names on a host (server.name, sni.binding) as programs get them: over UDP and TCP, from a stub resolver on the loopback device, from the
file of hosts.

Everything happens in a network namespace that the test makes; where none can be made, or the kernel has no queue, it is skipped (exit 77).

usage: host_names_test.py WEIR [TEST…]
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
from stub_resolver import Stub, dns_query

WEIR = ""
EVIL, GOOD, TCP_ONLY, LISTED = "198.51.100.66", "198.51.100.80", "198.51.100.70", "198.51.100.71"
ANSWERS = {"evil.example": EVIL, "good.example": GOOD, "tcp.evil.example": TCP_ONLY, "blocked.evil.example": "127.0.0.1"}

POLICY = """weir: 1
default: allow
rules:
  - { name: bad, match: { server.name: .evil.example }, action: reject }
"""


class HostNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stub = Stub("127.0.0.53", ANSWERS)

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        at = lambda name: os.path.join(self.directory.name, name)
        self.hosts, self.policy, self.events, self.said = at("hosts"), at("policy.yaml"), at("events.json"), at("said")
        self.socket = ["--socket", at("weir.sock")]
        sh("ip link add p0 type veth peer name h0; ip link set p0 up; ip link set h0 up; ip addr add 10.0.0.5/24 dev p0")
        self.addCleanup(subprocess.run, ["ip", "link", "del", "p0"], capture_output=True)
        sh("ip neigh add 10.0.0.1 lladdr 02:00:00:00:00:01 dev p0; ip route add default via 10.0.0.1")
        self.write(self.hosts, "127.0.0.1 localhost\n")
        self.write(self.policy, POLICY)
        self.start()

    def write(self, path, text):
        with open(path + ".new", "w") as out:
            out.write(text)
        os.rename(path + ".new", path)

    def start(self):
        with open(self.said, "w") as said:
            arguments = [WEIR, "run", "--policy", self.policy, "--host", "--events", self.events, "--hosts", self.hosts, *self.socket]
            self.process = subprocess.Popen(arguments, stdout=said, stderr=said)
        self.addCleanup(self.stop)
        wait_until_said(self, self.process, self.said, "filters this host", skips=True)
        time.sleep(0.1)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.process.wait(10), 0, self.output())

    def output(self):
        with open(self.said) as said:
            return said.read()

    def ask(self, name):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(3)
            asking.sendto(dns_query(name), ("127.0.0.53", 53))
            self.assertIn(socket.inet_aton(ANSWERS[name]), asking.recv(512))

    def ask_over_tcp(self, name):
        with socket.create_connection(("127.0.0.53", 53), timeout=3) as asking:
            query = dns_query(name)
            asking.sendall(struct.pack("!H", len(query)) + query)
            self.assertIn(socket.inet_aton(ANSWERS[name]), asking.recv(512))

    def refused(self, address):
        """Nobody answers there: a connection that is let go ends with the test's patience."""
        with socket.socket() as connecting:
            connecting.settimeout(0.5)
            try:
                connecting.connect((address, 443))
            except ConnectionRefusedError:
                return True
            except OSError:
                return False
        return False

    def test_a_cached_answer_of_the_stub_names_what_goes_out(self):
        self.assertFalse(self.refused(EVIL), "nobody asked yet")
        self.ask("evil.example")
        self.assertTrue(self.refused(EVIL))
        other = "import socket,sys; s=socket.socket(); s.settimeout(0.5)\ntry: s.connect((sys.argv[1], 443))\nexcept ConnectionRefusedError: sys.exit(7)"
        self.assertEqual(subprocess.run([sys.executable, "-c", other, EVIL]).returncode, 7, "another process, too")
        self.ask("good.example")
        self.assertFalse(self.refused(GOOD))

    def test_an_answer_over_tcp_names_alike(self):
        self.ask_over_tcp("tcp.evil.example")
        self.assertTrue(self.refused(TCP_ONLY))

    def test_a_name_that_the_stub_blocks_names_nothing_else_on_loopback(self):
        self.ask("blocked.evil.example")
        with socket.create_server(("127.0.0.1", 8080)):
            with socket.create_connection(("127.0.0.1", 8080), timeout=2):
                pass

    def test_the_file_of_hosts_is_read_again_when_it_changes(self):
        self.assertFalse(self.refused(LISTED))
        self.write(self.hosts, f"127.0.0.1 localhost\n{LISTED} shop.example www.evil.example\nnot a line\n")
        begun = time.monotonic()
        while not self.refused(LISTED):
            self.assertLess(time.monotonic() - begun, 10)
        status = json.loads(subprocess.run([WEIR, "status", "--json", *self.socket], capture_output=True, text=True, timeout=20).stdout)
        self.assertEqual((status["host_names"]["listed"], status["host_names"]["lines_skipped"]), (2, 1))
        self.assertGreaterEqual(status["host_names"]["own_addresses"], 1)


if __name__ == "__main__":
    main("names of a host")
