#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No profile stops what is benign: captures of ordinary traffic, with the sets that such a site would have. usage: benign_test.py WEIR

The captures are those of other projects, beside the project in ../shared; without them the test is skipped (77). Each is one
that begins with its flows: a filter that sees the middle of a connection first must stop it. Checksums are not judged, since offloading
makes wrong ones where captures are taken."""

import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CASES = next((p / "shared" / "cases" for p in ROOT.parents if (p / "shared" / "cases").exists()), ROOT / "none")
PROFILES = ["lan", "gateway", "workstation", "server", "dmz", "cloud", "origin-lock"]
ZONES = "inside: { networks: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 141.142.0.0/16, 127.0.0.0/8, 'fd00::/8'] }, outside: {}"

# Capture, the sets of its site, and profiles that it is not for.
CAPTURES = [
    ("chrissanders/arp_resolution.pcapng", {}),
    ("chrissanders/dhcp_nolease_initialization.pcapng", {"dhcp-servers": "192.168.1.5"}),
    ("chrissanders/dns_query_response.pcapng", {"resolvers": "205.152.37.23"}),
    ("chrissanders/dns_recursivequery_client.pcapng", {}),
    ("chrissanders/http_post.pcapng", {}),
    ("chrissanders/http_google.pcapng", {}),
    ("chrissanders/icmp_echo.pcapng", {}),
    ("chrissanders/mail_sender_server_2.pcapng", {"relays": "172.16.16.221, 172.16.16.231"}),
    ("chrissanders/tcp_handshake.pcapng", {}),
    ("chrissanders/tcp_ports.pcapng", {}),
    ("nDPI/pcap/443-curl.pcap", {}),
    ("nDPI/pcap/443-safari.pcap", {}),
    ("nDPI/pcap/quic-33.pcapng", {}),
    ("suricata-verify/rfb-parser__input.pcap", {"help-desk": "127.0.0.1"}),
    ("suricata-verify/smb2-01__smb2-peter.pcap", {"old-smb": "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"}),
    ("suricata-verify/snmp-v2c-get__SNMPv2c_get_requests.pcap", {"old-snmp": "0.0.0.0/0"}),
    ("suricata-verify/websocket__basic_websockets.pcap", {}),
    ("zeek/dnssec__rrsig.pcap", {}),
    ("zeek/http-qinq-0.pcap", {}),
    ("zeek/http-vlan-0.pcap", {}),
    ("zeek/http__byteranges.pcap", {}),
    ("zeek/http__get.pcap", {}),
    ("zeek/http__http_large_req_8001.pcap", {}),
    ("zeek/http__m57-long-49583-80.pcap", {}),
    ("zeek/http__percent-end-of-line.pcap", {}),
    ("zeek/http__proxy.pcap", {}),
    ("zeek/krb__smb2_krb.pcap", {"old-smb": "0.0.0.0/0", "file-hosts": "0.0.0.0/0"}),
    ("zeek/mysql__plain-amazon-rds.pcap", {}),
    ("zeek/ntp__NTP_sync.pcap", {}),
    ("zeek/smb__smb3_multichannel.pcap", {"old-smb": "0.0.0.0/0"}, {"gateway"}),  # packets are missing in it: ACKs of what nobody sent
    ("zeek/ssh__ssh_kex_dh_group18.pcap", {}),
    ("zeek/tcp__timeout-with-pings.pcap", {"published": "0.0.0.0/0"}),
    ("zeek/tls__tls-conn-with-extensions.pcap", {}),
    ("zeek/tls__tls1.2.pcap", {}),
    ("zeek/vlan-collisions.pcap", {}),
]


def policy(profile, sets):
    lines = ["weir: 1", f"include: [weir:m1037/{profile}]", f"zones: {{ {ZONES} }}", "default: allow", "undecided: hold"]
    if sets:
        lines.append("sets:")
        lines += [f"  {name}: {{ addresses: [{addresses}] }}" for name, addresses in sets.items()]
    return "\n".join(lines) + "\n"


def main():
    weir = sys.argv[1]
    found = [(CASES / name, sets, set().union(*but)) for name, sets, *but in CAPTURES if (CASES / name).exists()]
    if not found:
        print("no captures in ../shared: skipped")
        return 77
    wrong = packets = 0
    with tempfile.TemporaryDirectory() as folder:
        for profile in PROFILES:
            for capture, sets, but in found:
                if profile in but:
                    continue
                path = pathlib.Path(folder) / "policy.yaml"
                path.write_text(policy(profile, sets))
                run = subprocess.run([weir, "replay", str(capture), "--policy", str(path), "--checksums", "ignore", "--json"], capture_output=True, text=True)
                if run.returncode not in (0, 1):
                    print(f"{profile}, {capture.name}: {run.stderr.strip()}")
                    wrong += 1
                    continue
                told = json.loads(run.stdout)
                packets += told["packets"]
                if told["dropped"]:
                    by = {name: row["packets"] for name, row in told["rules"].items() if row["packets"] and not name.startswith("essential")}
                    print(f"{profile} stops {told['dropped']} of {told['packets']} packets of {capture.name}: {by}")
                    wrong += 1
    print(f"{len(found)} captures under {len(PROFILES)} profiles, {packets} packets: {wrong} wrong")
    return 1 if wrong else 0


sys.exit(main())
