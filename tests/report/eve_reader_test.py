#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events of a replay, read as tools read Suricata's EVE: one JSON object a line, by key and by type.

usage: eve_reader_test.py WEIR

The capture is made here: DNS (answered), HTTP, a TLS-less unknown flow, SSH banners, ICMP echo, ARP, SNMP with a community, a port
scan's worth of denied SYNs, and bytes that are not UTF-8 where names and targets stand.
"""
import datetime
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

WEIR = ""

POLICY = """
weir: 1
zones:
  inside: { networks: [192.0.2.0/24] }
  outside: {}
rules:
  - { name: no-telnet, technique: [T1021], match: { port: 23 }, action: drop }
  - { name: no-arp-from-7, match: { arp.sender_ip: 192.0.2.7 }, action: drop }
  - { name: watch-dns, technique: [T1071.004], match: { app.protocol: dns }, action: alert }
  - { name: not-yet, technique: [T1071.001], match: { app.protocol: http }, action: reject, mode: monitor }
  - { name: watch-ping, match: { icmp.type: echo-request }, action: alert }
"""


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


def address(text):
    return bytes(int(part) for part in text.split("."))


ETH = bytes.fromhex("00005e00530200005e005301")


def ipv4(src, dst, protocol, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, address(src), address(dst))
    head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
    return ETH + b"\x08\x00" + head + payload


def with_checksum(src, dst, protocol, segment, at):
    pseudo = address(src) + address(dst) + struct.pack(">BBH", 0, protocol, len(segment))
    return ipv4(src, dst, protocol, segment[:at] + struct.pack(">H", checksum(pseudo + segment)) + segment[at + 2 :])


def udp(src, sport, dst, dport, payload):
    return with_checksum(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload, 6)


def tcp(src, sport, dst, dport, flags, seq, ack, payload=b""):
    return with_checksum(src, dst, 6, struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0) + payload, 16)


def icmp(src, dst, kind):
    body = struct.pack(">BBHHH", kind, 0, 0, 1, 1) + b"0123456789"
    return ipv4(src, dst, 1, body[:2] + struct.pack(">H", checksum(body)) + body[4:])


def arp(sender, target):
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + ETH[6:] + address(sender) + bytes(6) + address(target)
    return b"\xff" * 6 + ETH[6:] + b"\x08\x06" + body


def connection(client, port, server, server_port, *turns):
    """A whole TCP connection; a turn is (from client?, bytes)."""
    ends = ((client, port, server, server_port), (server, server_port, client, port))
    seq = [1000, 5000]
    frames = [tcp(*ends[0], 0x02, 999, 0), tcp(*ends[1], 0x12, 4999, 1000), tcp(*ends[0], 0x10, 1000, 5000)]
    for from_client, data in turns:
        side = 0 if from_client else 1
        frames.append(tcp(*ends[side], 0x18, seq[side], seq[1 - side], data))
        seq[side] += len(data)
    frames += [tcp(*ends[0], 0x11, seq[0], seq[1]), tcp(*ends[1], 0x11, seq[1], seq[0] + 1), tcp(*ends[0], 0x10, seq[0] + 1, seq[1] + 1)]
    return frames


def name(text):
    return b"".join(bytes([len(label)]) + label for label in text.split(b".")) + b"\0"


def frames():
    me, it = "192.0.2.1", "198.51.100.2"
    question = name(b"www.example.com") + struct.pack(">HH", 1, 1)
    answer = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + address("192.0.2.80")
    yield udp(me, 40000, it, 53, struct.pack(">HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + question)
    yield udp(it, 53, me, 40000, struct.pack(">HHHHHH", 0x1234, 0x8180, 1, 1, 0, 0) + question + answer)
    odd = name(b"\xff\xfe\"quoted\"\\.example") + struct.pack(">HH", 16, 1)
    yield udp(me, 40001, it, 53, struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + odd)
    request = b"GET /a\xc3\xa9\xff?q=\"x\" HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: t\xffest\r\n\r\n"
    response = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
    yield from connection(me, 40002, it, 80, (True, request), (False, response))
    yield from connection(me, 40003, it, 22, (False, b"SSH-2.0-OpenSSH_9.2\r\n"), (True, b"SSH-2.0-libssh_0.10\r\n"))
    yield from connection(me, 40004, it, 9999, (True, b"\x00\x01\x02\x03" * 300))
    yield icmp(me, it, 8)
    yield icmp(it, me, 0)
    yield arp("192.0.2.7", "192.0.2.8")
    # SNMPv1 GetRequest of 1.3.6.1.2.1.1.1.0, community "s3cret".
    yield udp(me, 40005, it, 161, bytes.fromhex("302602010004067333637265") + bytes.fromhex("74a019020101020100020100300e300c06082b060102010101000500"))
    for port in range(50000, 50040):
        yield tcp(me, port, it, 23, 0x02, 1, 0)
        yield tcp(me, port, it, 23, 0x02, 1, 0)


def pcap():
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for index, frame in enumerate(frames()):
        out += struct.pack("<IIII", 1_700_000_000 + index // 10, index % 10 * 100_001, len(frame), len(frame)) + frame
    return out


def get(event, path):
    """`.a.b` of jq."""
    for key in path.split("."):
        event = event.get(key) if isinstance(event, dict) else None
    return event


class EveReader(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            paths = {key: os.path.join(folder, key) for key in ("policy.yaml", "in.pcap", "eve.json")}
            with open(paths["policy.yaml"], "w", encoding="utf-8") as file:
                file.write(POLICY)
            with open(paths["in.pcap"], "wb") as file:
                file.write(pcap())
            command = [WEIR, "replay", paths["in.pcap"], "--policy", paths["policy.yaml"], "--flows", "--records", "--json"]
            run = subprocess.run(command + ["--events", paths["eve.json"]], capture_output=True, check=False)
            assert run.returncode == 0, run.stderr.decode()
            cls.summary = json.loads(run.stdout)
            with open(paths["eve.json"], "rb") as file:
                cls.raw = file.read()
            many = [subprocess.run(command + ["--events", paths["eve.json"], "--workers", "4"], capture_output=True, check=False)]
            assert many[0].returncode == 0, many[0].stderr.decode()
            with open(paths["eve.json"], "rb") as file:
                cls.raw_of_many = file.read()
        cls.events = [json.loads(line) for line in cls.raw.decode("utf-8").splitlines()]

    def of(self, event_type, **match):
        return [e for e in self.events if e["event_type"] == event_type and all(get(e, k.replace("__", ".")) == v for k, v in match.items())]

    def test_every_line_is_one_object(self):
        self.assertTrue(self.raw.endswith(b"\n"))
        for line in self.raw.split(b"\n")[:-1]:
            self.assertIsInstance(json.loads(line.decode("utf-8", "strict")), dict)
            self.assertFalse(any(byte < 0x20 for byte in line))

    def test_no_key_twice(self):
        def once(pairs):
            keys = [key for key, _ in pairs]
            self.assertEqual(len(keys), len(set(keys)), keys)
            return dict(pairs)

        for line in self.raw.splitlines():
            json.loads(line, object_pairs_hook=once)

    def test_common_keys_have_eves_types(self):
        types = {"timestamp": str, "event_type": str, "flow_id": int, "in_iface": str, "pcap_cnt": int, "src_ip": str, "src_port": int, "dest_ip": str,
                 "dest_port": int, "proto": str, "app_proto": str, "community_id": str, "icmp_type": int, "icmp_code": int, "vlan": list, "ether": dict}
        for event in self.events:
            for key in ("timestamp", "event_type", "src_ip", "dest_ip", "proto"):
                self.assertIn(key, event)
            for key, kind in types.items():
                if key in event:
                    self.assertIs(type(event[key]), kind, key)
            self.assertTrue(event["event_type"] in ("alert", "flow") or isinstance(event[event["event_type"]], dict))
            if "flow_id" in event:
                self.assertTrue(0 < event["flow_id"] < 2**53)
            if event["proto"] != "ARP":
                self.assertRegex(event["community_id"], r"^1:[A-Za-z0-9+/]{27}=$")
            self.assertEqual("src_port" in event, event["proto"] in ("TCP", "UDP"))

    def test_times_parse(self):
        for event in self.events:
            times = [event["timestamp"]] + [event["flow"][k] for k in ("start", "end") if event["event_type"] == "flow"]
            for text in times:
                self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$")
                at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
                self.assertTrue(1_700_000_000 <= at.timestamp() < 1_700_001_000)

    def test_alerts(self):
        for event in self.of("alert"):
            alert, ours = event["alert"], event["weir"]
            self.assertIn(alert["action"], ("blocked", "allowed"))
            for key, kind in {"signature": str, "signature_id": int, "gid": int, "rev": int, "severity": int, "category": str}.items():
                self.assertIs(type(alert[key]), kind, key)
            self.assertEqual(alert["signature"], ours["rule"])
            self.assertIn(ours["mode"], ("enforce", "monitor"))
            self.assertEqual(ours["action"].startswith("would-"), ours["mode"] == "monitor")
            for technique in get(alert, "metadata.mitre_technique_id") or []:
                self.assertRegex(technique, r"^T\d{4}(\.\d{3})?$")
        self.assertEqual(len(self.of("alert", weir__rule="watch-dns")), 2)
        self.assertEqual([e["weir"]["action"] for e in self.of("alert", weir__rule="not-yet")], ["would-reject"])
        denied = self.of("alert", weir__rule="no-telnet")
        self.assertTrue(all(e["alert"]["action"] == "blocked" and e["weir"]["reason"] == "rule" and e["dest_port"] == 23 for e in denied))
        self.assertEqual({(e["weir"]["from"], e["weir"]["to"]) for e in denied}, {("inside", "outside")})

    def test_repeated_denials_are_gathered(self):
        denied = self.of("alert", weir__rule="no-telnet")
        self.assertLess(len(denied), 80)
        self.assertEqual(self.summary["rules"]["no-telnet"]["packets"], 80)

    def test_arp(self):
        (event,) = self.of("alert", weir__rule="no-arp-from-7")
        self.assertEqual((event["proto"], event["src_ip"], event["dest_ip"]), ("ARP", "192.0.2.7", "192.0.2.8"))
        self.assertEqual(event["ether"]["src_mac"], "00:00:5e:00:53:01")

    def test_flows(self):
        kinds = {"pkts_toserver": int, "pkts_toclient": int, "bytes_toserver": int, "bytes_toclient": int, "start": str, "end": str, "age": int,
                 "state": str, "reason": str, "action": str}
        flows = self.of("flow")
        for event in flows:
            for key, kind in kinds.items():
                self.assertIs(type(event["flow"][key]), kind, key)
            self.assertIn(event["flow"]["action"], ("passed", "dropped", "limited"))
        self.assertEqual(len({e["flow_id"] for e in flows}), len(flows))
        self.assertEqual(len(self.of("flow", app_proto="http")), 1)
        self.assertEqual(len(self.of("flow", dest_port=9999, app_proto="unknown")), 1)
        self.assertEqual(self.of("flow", proto="ICMP")[0]["flow"]["pkts_toclient"], 1)

    def test_one_flow_has_one_community_id(self):
        ids = {}
        for event in self.events:
            if "flow_id" in event:
                ids.setdefault(event["flow_id"], set()).add(event["community_id"])
        self.assertTrue(all(len(found) == 1 for found in ids.values()), ids)

    def test_dns(self):
        query, answer = self.of("dns", dns__rrname="www.example.com")
        self.assertEqual((query["dns"]["type"], query["dns"]["id"], query["dns"]["rrtype"]), ("query", 0x1234, "A"))
        self.assertEqual((answer["dns"]["type"], answer["dns"]["rcode"]), ("answer", "NOERROR"))
        self.assertEqual([a["rdata"] for a in answer["dns"]["answers"]], ["192.0.2.80"])
        self.assertEqual(get(answer, "dns.grouped.A"), ["192.0.2.80"])
        self.assertEqual(query["flow_id"], answer["flow_id"])
        self.assertEqual(query["src_ip"], answer["src_ip"])

    def test_http(self):
        (event,) = self.of("http")
        http = event["http"]
        self.assertEqual((http["hostname"], http["http_method"], http["status"], http["protocol"]), ("www.example.com", "GET", 200, "HTTP/1.1"))
        self.assertEqual(http["url"], "/a\u00e9\ufffd?q=\"x\"")
        self.assertEqual(http["http_content_type"], "text/plain")

    def test_ssh(self):
        for event in self.of("ssh"):
            self.assertEqual(get(event, "ssh.server.software_version"), "OpenSSH_9.2")
            self.assertEqual(get(event, "ssh.client.software_version"), "libssh_0.10")

    def test_secrets_do_not_appear(self):
        (event,) = self.of("snmp")
        self.assertEqual((event["snmp"]["version"], event["snmp"]["community_is_default"]), (1, False))
        self.assertNotIn(b"s3cret", self.raw)

    def test_workers_do_not_show(self):
        self.assertEqual(self.raw, self.raw_of_many)


if __name__ == "__main__":
    WEIR = sys.argv.pop(1)
    unittest.main()
