#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What users of the command line rely on: exit statuses, what goes where, JSON, suggestions, help.

usage: command_line_test.py WEIR [TEST…]
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

WEIR = ""

POLICY = """weir: 1
default: allow
zones:
  inside: { ports: [lan0], networks: [10.0.0.0/8] }
  outside: { ports: [wan0] }
rules:
  - name: no-telnet
    technique: [T1602.002]
    match: { port: 23 }
    action: drop
  - name: from-the-line
    match: { in.port: wan0, port: 22 }
    action: drop
"""


def ipv4(body, protocol, src, dst):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0, bytes(src), bytes(dst))
    total = sum(struct.unpack("!10H", head))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + head[:10] + struct.pack("!H", total ^ 0xFFFF) + head[12:] + body


def syn(port, sport=40000):
    return ipv4(struct.pack("!HHIIBBHHH", sport, port, 1, 0, 0x50, 2, 64000, 0, 0), 6, [10, 0, 0, 5], [198, 51, 100, 7])


def pcap(frames):
    out = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for i, frame in enumerate(frames):
        out += struct.pack("<IIII", 1700000000 + i, 0, len(frame), len(frame)) + frame
    return out


def pcapng(name, frames):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    option = struct.pack("<HH", 2, len(name)) + name + b"\0" * (-len(name) % 4) + struct.pack("<HH", 0, 0)
    out += block(1, struct.pack("<HHI", 1, 0, 0) + option)
    for i, frame in enumerate(frames):
        out += block(6, struct.pack("<IIIII", 0, 0, i, len(frame), len(frame)) + frame)
    return out


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.policy = self.write("policy.yaml", POLICY)

    def write(self, name, content):
        path = os.path.join(self.directory.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run_weir(self, *arguments, stdin=None):
        return subprocess.run([WEIR, *arguments], capture_output=True, input=stdin, timeout=120)

    def expect(self, status, *arguments, stdin=None):
        done = self.run_weir(*arguments, stdin=stdin)
        self.assertEqual(done.returncode, status, f"{arguments}: {done.stderr.decode()}{done.stdout.decode()[:2000]}")
        return done.stdout.decode(), done.stderr.decode()

    # ---- usage

    def test_version_and_help_are_done(self):
        out, err = self.expect(0, "--version")
        self.assertRegex(out, r"^weir \d+\.\d+\.\d+\n$")
        self.assertEqual(err, "")
        for verb in ("check", "replay", "run", "explain", "test", "prove", "diff", "export", "import", "plan", "profiles", "facts", "techniques"):
            out, err = self.expect(0, verb, "--help")
            self.assertIn("xample", out, verb)
            self.assertEqual(err, "")
            self.assertIn(verb, self.expect(0, "--help")[0])

    def test_export_and_import_say_what_they_leave_out(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        folder = directory.name
        policy, rules, nft = (os.path.join(folder, name) for name in ("p.yaml", "r.rules", "n.json"))
        with open(policy, "w") as file:
            file.write("weir: 1\ndefault: allow\nrules:\n  - { name: names, match: { dns.qname: a.example }, action: drop }\n")
        out, err = self.expect(1, "export", policy, "--to", "nftables")
        self.assertIn("table inet weir", out)
        self.assertIn("not carried over: names (" + policy + ":4): it asks for dns.qname; WEAKER", err)
        self.assertFalse(json.loads(self.expect(1, "export", policy, "--to", "nftables", "--json")[0])["whole"])
        out, err = self.expect(2, "export", policy, "--to", "nonsense")
        self.assertEqual(out, "")
        out, err = self.expect(2, "export", os.path.join(folder, "none.yaml"), "--to", "rpz")
        self.assertEqual(out, "")
        with open(rules, "w") as file:
            file.write('drop tcp any any -> any 23 (msg:"a"; sid:1;)\ndrop tcp any any -> any 24 (msg:"b"; pcre:"/x/"; sid:2;)\n')
        out, err = self.expect(1, "import", "--from", "suricata", rules)
        self.assertIn('name: "a"', out)
        self.assertIn(":2: the option `pcre` has no counterpart: b", err)
        self.expect(2, "import", "--from", "suricata", os.path.join(folder, "none"))
        for broken in ("", "{}", "[" * 10000):
            with open(nft, "w") as file:
                file.write(broken)
            out, err = self.expect(1, "import", "--from", "nftables", nft)
            with open(policy, "w") as file:
                file.write(out)
            self.expect(0, "check", policy)

    def test_wrong_usage_is_2_on_standard_error_with_a_suggestion(self):
        for arguments, said in (
            (["chekc"], "there is no verb `chekc`; was `check` meant?"),
            (["check", self.policy, "--setle"], "check has no option `--setle`; was `--settle` meant?"),
            ([], "a verb is missing"),
            (["replay", "--policy", self.policy], "needs a capture"),
            (["explain", self.policy], "--packet"),
            (["explain", self.policy, "nocolon"], "CAPTURE:N"),
            (["replay", "x", "--policy", self.policy, "--port", "lan0"], "NAME=FILE"),
            (["facts", "dsn"], "no fact begins with `dsn`"),
        ):
            out, err = self.expect(2, *arguments)
            self.assertEqual(out, "", arguments)
            self.assertIn(said, err)
            self.assertTrue(err.startswith("weir: "), err)

    # ---- check

    def test_check_of_a_sound_policy(self):
        out, err = self.expect(0, "check", self.policy)
        self.assertIn("no errors", out)
        self.assertEqual(err, "")
        answer = json.loads(self.expect(0, "check", self.policy, "--json", "--settle")[0])
        self.assertTrue(answer["sound"])
        self.assertEqual(answer["rules"], 2)
        self.assertTrue(any(line["protocol"] == "dns" for line in answer["settle"]))

    def test_check_tells_all_errors_with_their_places(self):
        broken = self.write("broken.yaml", "weir: 1\ndefault: allwo\nrules:\n  - { name: x, match: { prot: 1 }, action: drop }\n")
        out, err = self.expect(2, "check", broken)
        self.assertEqual(out, "")
        self.assertIn("broken.yaml:2:10: error: ", err)
        self.assertIn("broken.yaml:4:25: error: ", err)
        answer = json.loads(self.expect(2, "check", broken, "--json")[0])
        self.assertFalse(answer["sound"])
        self.assertEqual({d["line"] for d in answer["diagnostics"]}, {2, 4})

    def test_check_for_a_datapath_that_lacks_a_fact(self):
        host = self.write("host.yaml", "weir: 1\nrules:\n  - { name: x, match: { process.path: /bin/x }, action: drop }\n")
        self.expect(0, "check", host)
        self.assertIn("warning", self.run_weir("check", host).stderr.decode())
        self.assertIn("error", self.expect(2, "check", host, "--for", "bridge")[1])
        self.expect(0, "check", host, "--for", "host")
        self.expect(2, "check", host, "--for", "moon")

    def test_check_warns_of_what_is_shadowed(self):
        shadowed = self.write("shadowed.yaml", "weir: 1\nrules:\n  - { name: wide, match: { port: 1-100 }, action: drop }\n"
                                               "  - { name: narrow, match: { port: 22 }, action: allow }\n")
        self.assertIn("warning", self.run_weir("check", shadowed).stderr.decode())
        self.expect(0, "check", shadowed)

    # ---- run

    def test_run_says_what_it_lacks(self):
        self.assertIn("--bridge", self.expect(2, "run", "--policy", self.policy)[1])
        self.assertIn("two ports", self.expect(2, "run", "--policy", self.policy, "--bridge", "nosuch0")[1])
        self.assertIn("named twice", self.expect(2, "run", "--policy", self.policy, "--bridge", "nosuch0,nosuch0")[1])
        self.assertIn("no port nosuch0", self.expect(3, "run", "--policy", self.policy, "--bridge", "nosuch0,nosuch1")[1])

    # ---- replay

    def test_replay_reads_standard_input(self):
        out, _ = self.expect(0, "replay", "-", "--policy", self.policy, "--json", stdin=pcap([syn(23), syn(80)]))
        answer = json.loads(out)
        self.assertEqual((answer["packets"], answer["passed"], answer["dropped"]), (2, 1, 1))
        self.assertEqual(answer["rules"]["no-telnet"]["packets"], 1)

    def test_replay_gives_captures_their_ports(self):
        one, two = self.write("one.pcap", pcap([syn(22, 40001)])), self.write("two.pcap", pcap([syn(22, 40002)]))
        dropped = lambda *a: json.loads(self.expect(0, "replay", *a, "--policy", self.policy, "--json")[0])["dropped"]
        self.assertEqual(dropped(one, two), 0)
        self.assertEqual(dropped(one, two, "--port", "wan0=" + two), 1)
        self.assertEqual(dropped("--port", "lan0=" + one, "--port", "wan0=" + two), 1)
        self.assertEqual(dropped("--port", "other=" + one), 0)
        self.expect(2, "replay", "--policy", self.policy, "--port", "lan0=" + one, "--port", "wan0=" + one)

    def test_replay_takes_the_names_of_pcapng_interfaces(self):
        for name, count in ((b"wan0", 1), (b"lan0", 0), (b"eth7", 0)):
            path = self.write("named.pcapng", pcapng(name, [syn(22)]))
            self.assertEqual(json.loads(self.expect(0, "replay", path, "--policy", self.policy, "--json")[0])["dropped"], count, name)

    def test_replay_of_broken_captures(self):
        whole = pcap([syn(23), syn(80)])
        path = self.write("cut.pcap", whole[:-10])
        out, err = self.expect(1, "replay", path, "--policy", self.policy, "--json")
        self.assertEqual(json.loads(out)["packets"], 1)
        self.assertIn("cut.pcap", err)
        self.expect(2, "replay", self.write("none.pcap", b"no capture"), "--policy", self.policy)
        self.expect(2, "replay", "/nonexistent.pcap", "--policy", self.policy)

    # ---- explain

    def test_explain_of_a_packet_by_hand_and_of_a_capture(self):
        out, err = self.expect(0, "explain", self.policy, "--packet", "10.0.0.5:40000 > 198.51.100.7:23 tcp S")
        self.assertEqual(err, "")
        self.assertIn(": drop\n", out)
        self.assertIn("by rule no-telnet (", out)
        self.assertIn("techniques: T1602.002", out)
        self.assertIn("port = 23; asked: 23", out)
        capture = self.write("two.pcap", pcap([syn(80), syn(23)]))
        answer = json.loads(self.expect(0, "explain", self.policy, capture + ":2", "--json")[0])
        self.assertEqual((answer["verdict"], answer["rule"], answer["packet"]), ("drop", "no-telnet", 2))
        self.assertEqual(answer["rules"][-1]["match"][0]["key"], "port")
        self.assertEqual(json.loads(self.expect(0, "explain", self.policy, capture + ":1", "--json")[0])["verdict"], "pass")
        self.assertIn("the last one is 2", self.expect(2, "explain", self.policy, capture + ":3")[1])
        self.assertIn("no port lan7", self.expect(2, "explain", self.policy, "--packet", "10.0.0.1:1 > 10.0.0.2:2 in lan7 tcp S")[1])
        self.assertIn("was `tcp` meant?", self.expect(2, "explain", self.policy, "--packet", "10.0.0.1:1 > 10.0.0.2:2 tpc S")[1])

    def test_explain_knows_the_port_by_hand(self):
        packet = "10.0.0.5:40000 > 198.51.100.7:22 in wan0 tcp S"
        self.assertEqual(json.loads(self.expect(0, "explain", self.policy, "--packet", packet, "--json")[0])["rule"], "from-the-line")

    # ---- test

    def case(self, name, convo):
        self.write(f"cases/{name}/policy.yaml", POLICY)
        self.write(f"cases/{name}/traffic.convo", convo)
        return os.path.join(self.directory.name, "cases")

    def test_test_passes_and_fails(self):
        cases = self.case("good", "10.0.0.5:1000 > 198.51.100.7:23 tcp S  drop no-telnet\n10.0.0.5:1000 > 198.51.100.7:80 tcp S pass\n")
        self.assertIn("1 of 1 cases passed", self.expect(0, "test", cases)[0])
        self.case("bad", "# x\n10.0.0.5:1000 > 198.51.100.7:24 tcp S  drop no-telnet\n")
        out, err = self.expect(1, "test", cases)
        self.assertEqual(err, "")
        self.assertIn("traffic.convo:2", out)
        self.assertIn("expected  drop by no-telnet", out)
        self.assertIn("came      pass by default", out)
        self.assertIn("it would match if port were 23", out)
        answer = json.loads(self.expect(1, "test", cases, "--json")[0])
        self.assertEqual((answer["passed"], answer["failed"]), (1, 1))
        self.case("ugly", "this is no conversation\n")
        self.assertIn("traffic.convo:1: error:", self.expect(2, "test", cases)[1])
        self.expect(2, "test", os.path.join(self.directory.name, "nothing"))

    def test_test_of_captures(self):
        self.write("cases/x/policy.yaml", POLICY)
        self.write("x.pcap", pcap([syn(80), syn(23), syn(23, 41000)]))
        expect = {"capture": "x.pcap", "drop": "2-3", "pass": "1", "rules": ["no-telnet"], "techniques": ["T1602.002"]}
        self.write("cases/x/expect.json", json.dumps(expect))
        cases = os.path.join(self.directory.name, "cases")
        self.expect(0, "test", cases)
        self.write("cases/x/expect.json", json.dumps({**expect, "drop": "", "pass": "1-3"}))
        self.assertIn("x.pcap, frames 2-3", self.expect(1, "test", cases)[0])
        self.write("cases/x/expect.json", json.dumps({**expect, "rules": ["another"]}))
        self.assertIn("an event that names rule another", self.expect(1, "test", cases)[0])
        self.write("cases/x/expect.json", json.dumps({**expect, "capture": "y.pcap"}))
        self.assertIn("y.pcap is not to be found", self.expect(2, "test", cases)[1])
        self.write("elsewhere/y.pcap", pcap([syn(80), syn(23), syn(23, 41000)]))
        self.expect(0, "test", cases, "--captures", os.path.join(self.directory.name, "elsewhere"))

    # ---- tables

    def test_tables(self):
        facts = json.loads(self.expect(0, "facts", "--json")[0])
        names = [fact["name"] for fact in facts]
        self.assertEqual(len(names), len(set(names)))
        self.assertIn("dns.qname", names)
        self.assertTrue(all(fact["help"] for fact in facts))
        self.assertEqual([f["name"] for f in json.loads(self.expect(0, "facts", "ip.ttl", "--json")[0])], ["ip.ttl"])
        self.assertIn("| `dns.qname` |", self.expect(0, "facts", "--markdown")[0])
        schema = json.loads(self.expect(0, "facts", "--schema")[0])
        self.assertIn("http.url", schema["$defs"]["match"]["properties"])
        self.assertIn("nothing_else", schema["$defs"]["assertion"]["properties"])
        ports = {row["protocol"]: row for row in json.loads(self.expect(0, "facts", "--ports", "--json")[0])}
        self.assertLessEqual({443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 8443}, set(ports["tls"]["tcp"]))
        rows = json.loads(self.expect(0, "techniques", self.policy, "--json")[0])
        self.assertEqual(len({row["id"] for row in rows}), 45)
        self.assertEqual([row["id"] for row in rows if row["rules"]], ["T1602.002"])

    # ---- techniques, proven

    SITE = ("weir: 1\nzones: { inside: { networks: [10.0.0.0/16] }, outside: {} }\nsets: { resolvers: { addresses: [10.0.0.53] } }\n"
            "roles: { inside: inside, outside: outside, resolver: \"@resolvers\" }\ndefault: allow\nundecided: hold\n")

    def site(self, name, more=""):
        return self.write(name, self.SITE + more)

    def test_prove_answers_with_its_status(self):
        bare, whole = self.site("bare.yaml"), self.site("whole.yaml", "include: [weir:m1037/gateway]\n")
        out, _ = self.expect(1, "prove", bare, "--technique", "T1071.004")
        self.assertIn("T1071.004  not proven", out)
        self.assertIn("- name: names-by-the-resolvers", out, "the rule that would stop it")
        out, _ = self.expect(0, "prove", whole, "--technique", "T1071.004")
        self.assertIn("T1071.004  proven", out)
        told = json.loads(self.expect(1, "prove", bare, "--json")[0])
        self.assertEqual(len(told["techniques"]), 45)
        self.assertEqual(told["proven"] + told["not_proven"] + told["not_assessed"], 45)
        _, err = self.expect(2, "prove", bare, "--technique", "T0000")
        self.assertIn("T0000", err)

    def test_prove_writes_reports(self):
        policy = self.site("reports.yaml", "include: [weir:m1037/gateway]\n")
        paths = {kind: os.path.join(os.path.dirname(policy), "report." + kind) for kind in ("html", "navigator", "stix")}
        self.run_weir("prove", policy, *[word for kind, path in paths.items() for word in ("--" + kind, path)])
        with open(paths["html"]) as page:
            self.assertIn("<!doctype html>", page.read())
        with open(paths["navigator"]) as layer:
            self.assertEqual(json.load(layer)["domain"], "enterprise-attack")
        with open(paths["stix"]) as bundle:
            self.assertEqual(json.load(bundle)["type"], "bundle")
        self.expect(3, "prove", policy, "--html", os.path.join(os.path.dirname(policy), "nowhere", "x.html"))

    def test_diff_says_what_changes(self):
        before = self.site("before.yaml")
        after = self.site("after.yaml", "rules:\n- name: no-telnet\n  match: { from: inside, ip.protocol: tcp, port: 23 }\n  action: drop\n")
        self.assertEqual(self.expect(0, "diff", before, before)[0], "no difference\n")
        out, _ = self.expect(1, "diff", before, after)
        self.assertIn("new      no-telnet", out)
        self.assertIn("allow -> deny: tcp 23", out)
        told = json.loads(self.expect(1, "diff", before, after, "--json")[0])
        self.assertEqual([c["traffic"] for c in told["first_packets"]], ["tcp 23"])

    def test_plan_names_what_is_missing(self):
        policy = self.write("plan.yaml", self.SITE.replace("sets: {", "sets: { published: { addresses: [10.0.0.80] },")
                            + "include: [weir:m1037/server]\n")
        out, _ = self.expect(1, "plan", policy)
        for part in ("### 10.0.0.80 (server)", "`guard.flood`: 100 packets/s", "`costly-requests`: 2 requests/s, 10 at once, each from",
                     "**gap** no upstream", "**Nobody is named.**", "## Steps"):
            self.assertIn(part, out)
        told = json.loads(self.expect(1, "plan", policy, "--json")[0])
        self.assertFalse(told["whole"])
        self.assertEqual(told["services"][0]["address"], "10.0.0.80")

    def test_profiles_are_listed_and_printed(self):
        out, _ = self.expect(0, "profiles")
        self.assertIn("weir:m1037/lan", out)
        self.assertTrue(self.expect(0, "profiles", "lan")[0].startswith("weir: 1\n"))
        self.expect(2, "profiles", "nothing")


if __name__ == "__main__":
    WEIR = os.path.abspath(sys.argv.pop(1))
    unittest.main()
