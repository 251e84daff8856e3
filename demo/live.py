#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The live part of the demo: two hosts, first joined by an ordinary bridge, then by weir.

usage: live.py WEIR

Hosts are network namespaces of this script's own; it enters one itself, as root or in a user namespace, and all of it ends with it.
Where that is not allowed it says so and ends with 77.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

POLICY = """weir: 1
zones:
  inside:  { ports: [lan0], networks: [10.77.0.1/32] }
  outside: { ports: [wan0] }
rules:
  - name: smb-stays-inside
    technique: [T1187]
    match: { from: inside, to: outside, app.protocol: smb }
    action: drop
"""

# Outside: a web server, and a file server on a port where nobody expects one. It answers a negotiation as SMB 2 does.
SERVER = r"""
import socket, threading
def serve(port, answer):
    listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("10.77.0.2", port)); listener.listen(8)
    while True:
        client, _ = listener.accept()
        client.settimeout(3)
        try:
            if client.recv(4096): client.sendall(answer)
        except OSError: pass
        client.close()
threading.Thread(target=serve, args=(8445, b"\0\0\0\x44\xfeSMB" + bytes(64)), daemon=True).start()
threading.Thread(target=serve, args=(80, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\na page"), daemon=True).start()
print("ready", flush=True)
input()
"""

# Inside: what alice's machine does when a document points it to \\10.77.0.2@8445\files, and when she reads a page.
CLIENT = r"""
import socket, sys
port, request, wanted = {
    "smb": (8445, b"\0\0\0\x66\xfeSMB\x40\0" + bytes(58) + b"\x24\0\1\0\1\0\0\0" + bytes(28) + b"\2\2", b"\xfeSMB"),
    "web": (80, b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", b"a page"),
}[sys.argv[1]]
try:
    server = socket.create_connection(("10.77.0.2", port), 2); server.settimeout(2); server.sendall(request); answer = b""
    while wanted not in answer and (more := server.recv(4096)): answer += more
    sys.exit(wanted not in answer)
except OSError:
    sys.exit(1)
"""


def sh(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")


class Host:
    """A namespace with one wire, kept by a process that waits."""

    def __init__(self, port, address):
        self.keeper = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        self.inside = ["nsenter", "-t", str(self.keeper.pid), "-n"]
        sh(f"ip link add {port} type veth peer name eth0 netns {self.keeper.pid} && ip link set {port} up")
        for command in ("ip link set lo up", f"ip addr add {address}/24 dev eth0", "ip link set eth0 up"):
            sh(" ".join(self.inside) + " " + command)

    def run(self, program, *arguments, **options):
        return subprocess.Popen([*self.inside, sys.executable, "-c", program, *arguments], **options)


def demo(weir):
    for what in ("all", "default"):
        with open(f"/proc/sys/net/ipv6/conf/{what}/disable_ipv6", "w") as switch:
            switch.write("1")
    alice, world = Host("lan0", "10.77.0.1"), Host("wan0", "10.77.0.2")
    server = world.run(SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    server.stdout.readline()
    wrong = []

    def try_it(who, what, should):
        came = alice.run(CLIENT, what).wait() == 0
        print(f"  {who}: {'gets through' if came else 'stopped'}{'' if came == should else '   (this is wrong)'}", flush=True)
        wrong.append(came != should)

    attack, twin = "alice's machine is lured to a file server outside, on port 8445", "alice reads a page outside"
    print("joined by an ordinary bridge:")
    sh("ip link add br0 type bridge && ip link set lan0 master br0 && ip link set wan0 master br0 && ip link set br0 up")
    time.sleep(0.5)
    try_it(attack, "smb", True)
    try_it(twin, "web", True)
    sh("ip link del br0")
    with tempfile.TemporaryDirectory() as work:
        policy, events, said = (os.path.join(work, name) for name in ("live.yaml", "events.json", "said"))
        with open(policy, "w") as out:
            out.write(POLICY)
        print("$ weir run --policy live.yaml --bridge lan0,wan0 --events events.json", flush=True)
        with open(said, "w") as out:
            filter = subprocess.Popen([weir, "run", "--policy", policy, "--bridge", "lan0,wan0", "--events", events,
                                       "--socket", os.path.join(work, "weir.sock")], stdout=out, stderr=out)
        for _ in range(200):
            with open(said) as text:
                if "filters between" in text.read() or filter.poll() is not None:
                    break
            time.sleep(0.02)
        try_it(attack, "smb", False)
        try_it(twin, "web", True)
        filter.send_signal(signal.SIGTERM)
        wrong.append(filter.wait(10) != 0)
        with open(events) as lines:
            alerts = [event for event in map(json.loads, lines) if event["event_type"] == "alert"]
        for event in alerts[:1]:
            print(f"the event: {event['src_ip']}:{event['src_port']} > {event['dest_ip']}:{event['dest_port']}, {event['app_proto']}, "
                  f"{event['alert']['action']} by {event['weir']['rule']}, {' '.join(event['alert']['metadata']['mitre_technique_id'])}")
        wrong.append(not alerts)
    server.kill()
    return any(wrong)


def enter_namespace():
    why = ""
    for command in (["unshare", "-n"], ["unshare", "-Urn"]):
        done = subprocess.run([*command, "sh", "-c", "ip link set lo up && ip link add x type veth peer name y && ip link add z type bridge"],
                              capture_output=True, text=True)
        if done.returncode == 0:
            os.execvp(command[0], [*command, sys.executable, *sys.argv, "--inside"])
        why = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "it fails"
    print(f"Not on this machine: it needs network namespaces ({why}).")
    sys.exit(77)


if __name__ == "__main__":
    if "--inside" not in sys.argv:
        enter_namespace()
    sys.exit(demo(os.path.abspath(sys.argv[1])))
