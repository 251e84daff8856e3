# SPDX-License-Identifier: Apache-2.0
"""A stub resolver on the loopback device that knows all its answers (as from its cache): no question of it leaves."""
import socket
import struct
import threading


def dns_query(name, number=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack("!2H", 1, 1)


class Stub(threading.Thread):
    """Answers over UDP and TCP from `answers`, addresses by name."""

    def __init__(self, address, answers):
        super().__init__(daemon=True)
        self.answers = answers
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, 53))
        self.tcp = socket.create_server((address, 53))
        threading.Thread(target=self.serve_tcp, daemon=True).start()
        self.start()

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        address = self.answers[".".join(labels)]
        head = query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0)
        return head + query[12 : at + 5] + struct.pack("!3HIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)

    def run(self):
        while True:
            try:
                query, client = self.udp.recvfrom(512)
            except OSError:
                return
            self.udp.sendto(self.answer(query), client)

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection:
                answer = self.answer(connection.recv(512)[2:])
                connection.sendall(struct.pack("!H", len(answer)) + answer)
