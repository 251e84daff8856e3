#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weir run --host --ask: what no rule decides waits for an answer, which comes over the socket, by a timeout, or not at all.

Everything happens in a network namespace that the test makes; where none can be made, or the kernel has no queue, it is skipped.

usage: ask_test.py WEIR [TEST…]
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from namespace import main, sh, wait_until_said
from stub_resolver import Stub, dns_query

WEIR = ""
SHOP = "10.9.9.9"
POLICY = """weir: 1
default: drop
rules:
  - { name: dns, match: { port: 53 }, action: allow }
  - { name: never, match: { port: 8083 }, action: drop }
"""


class Ask(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sh(f"ip addr add {SHOP}/32 dev lo; ip addr add 10.0.0.5/32 dev lo")
        cls.stub = Stub("127.0.0.53", {"www.shop.example": SHOP})
        cls.servers = [socket.create_server((SHOP, port)) for port in (8080, 8081, 8082, 8083, 8084)]

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        at = lambda name: os.path.join(self.directory.name, name)
        self.policy, self.said, self.socket = at("policy.yaml"), at("said"), ["--socket", at("weir.sock")]
        with open(self.policy, "w") as out:
            out.write(POLICY)

    def start(self, *arguments):
        with open(self.said, "w") as said:
            self.process = subprocess.Popen([WEIR, "run", "--policy", self.policy, "--host", "--ask", *self.socket, *arguments], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
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

    def weir(self, *arguments):
        return subprocess.run([WEIR, *arguments, *self.socket], capture_output=True, text=True, timeout=20)

    def questions(self, count=1):
        begun = time.monotonic()
        while True:
            open_now = json.loads(self.weir("ask", "--json").stdout)
            if len(open_now) >= count or time.monotonic() - begun > 5:
                return open_now
            time.sleep(0.05)

    def connects(self, port, patience=6.0):
        """Tries in a thread; the answer is there when it is joined."""
        got = []

        def run():
            with socket.socket() as trying:
                trying.settimeout(patience)
                try:
                    trying.connect((SHOP, port))
                    got.append(True)
                except OSError:
                    got.append(False)

        thread = threading.Thread(target=run)
        thread.start()
        return thread, got

    def finished(self, attempt):
        attempt[0].join()
        return attempt[1][0]

    def test_a_connection_waits_for_its_answer_and_is_remembered(self):
        self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(3)
            asking.sendto(dns_query("www.shop.example"), ("127.0.0.53", 53))
            asking.recv(512)
        attempts = [self.connects(8080) for _ in range(5)]
        (question,) = self.questions()
        self.assertEqual((question["process"], question["name"], question["port"], question["proto"]), (os.path.realpath(sys.executable), "www.shop.example", 8080, "TCP"))
        self.assertIn("question 1: ", self.output())
        self.assertTrue(all(thread.is_alive() for thread, _ in attempts), "they wait")
        self.assertEqual(self.weir("ask", str(question["id"]), "allow", "always").returncode, 0)
        self.assertEqual([self.finished(a) for a in attempts], [True] * 5, "one question for all of them")
        self.assertTrue(self.finished(self.connects(8080, 1)), "asked no more")
        self.assertEqual(self.questions(0), [])
        with open(self.policy + ".asked") as remembered:
            self.assertIn('server.name: "www.shop.example", ip.protocol: tcp, port: 8080 }, action: allow', remembered.read())
        self.assertEqual(subprocess.run([WEIR, "check", self.policy + ".asked", "--for", "host"], capture_output=True).returncode, 0)
        # After a restart.
        self.stop()
        self.start()
        self.assertEqual(json.loads(self.weir("status", "--json").stdout)["asking"]["asked"], 0)
        self.assertFalse(self.questions(0))

    def test_denied_is_denied_and_a_rule_of_the_policy_is_not_asked_about(self):
        self.start()
        attempt = self.connects(8081, 2)
        (question,) = self.questions()
        self.assertEqual(self.weir("ask", str(question["id"]), "deny").returncode, 0)
        self.assertFalse(self.finished(attempt))
        self.assertEqual(self.questions(0), [], "it was tried again meanwhile, and not asked again")
        self.assertFalse(self.finished(self.connects(8083, 1)))
        self.assertEqual(self.questions(0), [], "the policy denies it")
        self.assertEqual(self.weir("ask", "99", "allow").returncode, 1)

    def test_an_answer_never_overrides_a_rule_of_the_policy(self):
        with open(self.policy + ".asked", "w") as out:
            out.write("weir: 1\nrules:\n  - { name: x, match: { port: 8083 }, action: allow }\n")
        self.start()
        self.assertFalse(self.finished(self.connects(8083, 1)))

    def test_what_nobody_answers_is_answered_by_the_option(self):
        self.start("--ask-timeout", "1s", "--ask-default", "allow")
        self.assertTrue(self.finished(self.connects(8082)))
        self.stop()
        self.start("--ask-timeout", "1s")
        begun = time.monotonic()
        self.assertFalse(self.finished(self.connects(8082, 3)))
        self.assertGreater(time.monotonic() - begun, 0.9)
        self.assertGreaterEqual(json.loads(self.weir("status", "--json").stdout)["asking"]["unanswered"], 1)
        self.assertEqual(self.output().count("port 8082"), 1, "once, however often it was tried")
        self.assertFalse(os.path.exists(self.policy + ".asked"), "once is not written down")

    def test_what_only_content_decides_is_asked_about_when_it_comes(self):
        with open(self.policy, "w") as out:
            out.write("weir: 1\ndefault: drop\nrules:\n  - { name: dns, match: { port: 53 }, action: allow }\n  - { name: shop, match: { http.host: shop.example }, action: allow }\n")
        self.start()
        with socket.socket() as talking:
            talking.settimeout(6)
            talking.connect((SHOP, 8084))  # A handshake says nothing yet.
            served, _ = self.servers[4].accept()
            with served:
                talking.sendall(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
                (question,) = self.questions()
                self.assertEqual((question["name"], question["app_proto"]), ("other.example", "http"))
                self.assertEqual(self.weir("ask", str(question["id"]), "allow", "session").returncode, 0)
                served.settimeout(6)
                self.assertIn(b"other.example", served.recv(4096), "what waited went on")

    def test_refuses_where_there_is_nothing_to_ask(self):
        with open(self.policy, "w") as out:
            out.write("weir: 1\nrules: []\n")
        done = self.weir("run", "--policy", self.policy, "--host", "--ask")
        self.assertEqual(done.returncode, 2)
        self.assertIn("default: drop", done.stderr)
        self.assertEqual(self.weir("run", "--policy", self.policy, "--bridge", "p0,p1", "--ask").returncode, 2)


if __name__ == "__main__":
    main("weir run --host --ask")
