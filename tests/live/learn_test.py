#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weir learn on a host: what a program speaks meanwhile passes, and is proposed under its name and that of the server; the proposal is sound,
and enforced it lets the same pass and nothing else.

Everything happens in a network namespace that the test makes; where none can be made, or the kernel has no queue, it is skipped.

usage: learn_test.py WEIR [TEST…]
"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from namespace import main, sh, wait_until_said
from stub_resolver import Stub, dns_query

WEIR = ""
SHOP = "10.9.9.9"


class Learn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sh(f"ip addr add {SHOP}/32 dev lo; ip addr add 10.0.0.5/32 dev lo")
        cls.stub = Stub("127.0.0.53", {"www.shop.example": SHOP})
        cls.shop = socket.create_server((SHOP, 8080))
        cls.other = socket.create_server((SHOP, 8081))

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.at = lambda name: os.path.join(self.directory.name, name)

    def start(self, until, *arguments):
        with open(self.at("said"), "w") as said:
            process = subprocess.Popen([WEIR, *arguments], stdout=said, stderr=said)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        wait_until_said(self, process, self.at("said"), until, skips=True)
        time.sleep(0.1)
        return process

    def said(self):
        with open(self.at("said")) as said:
            return said.read()

    def shop_for(self, port=8080):
        """A question and a request. The server side of the connection is this test too."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(3)
            asking.sendto(dns_query("www.shop.example"), ("127.0.0.53", 53))
            self.assertIn(socket.inet_aton(SHOP), asking.recv(512))
        with socket.socket() as buying:
            buying.settimeout(1)
            buying.connect((SHOP, port))
            buying.sendall(b"GET / HTTP/1.1\r\nHost: www.shop.example\r\n\r\n")
            served, _ = (self.shop if port == 8080 else self.other).accept()
            with served:
                served.settimeout(1)
                self.assertTrue(served.recv(4096).startswith(b"GET"))
                served.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                self.assertTrue(buying.recv(4096).startswith(b"HTTP/1.1 200"))

    def test_proposes_what_was_spoken_and_that_holds(self):
        policy = self.at("learned.yaml")
        process = self.start("watches this host", "learn", "--host", "--for", "60s", "--out", policy)
        for _ in range(3):
            self.shop_for()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(15), 0, self.said())
        with open(policy) as text:
            learned = text.read()
        self.assertIn("server.name: www.shop.example, app.protocol: http, ip.protocol: tcp, port: 8080", learned)
        self.assertIn(f'process.path: "{os.path.realpath(sys.executable)}"', learned)
        self.assertIn("# 3 flows, ", learned)
        for arguments in ([], ["--for", "host"]):
            checked = subprocess.run([WEIR, "check", policy, *arguments], capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        # Enforced.
        process = self.start("filters this host", "run", "--host", "--policy", policy, "--socket", self.at("weir.sock"))
        beside = subprocess.run([WEIR, "learn", "--host", "--socket", self.at("weir.sock")], capture_output=True, text=True, timeout=20)
        self.assertEqual(beside.returncode, 3, "the filter that runs keeps its place")
        self.shop_for()
        with self.assertRaises(OSError):
            self.shop_for(8081)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(15), 0, self.said())


if __name__ == "__main__":
    main("weir learn on a host")
