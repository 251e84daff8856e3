# SPDX-License-Identifier: Apache-2.0
"""What live tests in Python stand on: a network namespace of their own, commands in it, and a `weir` that runs."""
import ctypes
import fcntl
import os
import socket
import subprocess
import sys
import time
import unittest


def sh(command):
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.strip()}")


def main(what):
    """Runs the tests of the calling program again inside a namespace of its own, and there with the path of weir in WEIR; where none can be
    made, `what` is skipped."""
    if "--inside" not in sys.argv:
        tried = []
        for command in (["unshare", "-n"], ["unshare", "-Urn"]):
            try:
                done = subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True, text=True)
            except FileNotFoundError:
                tried.append(f"{command[0]} is missing")
                break
            if done.returncode == 0:
                os.execvp(command[0], [*command, sys.executable, *sys.argv, "--inside"])
            tried.append(done.stderr.strip())
        print(f"skipped: {what}: no network namespace can be made here:", "; ".join(tried))
        sys.exit(77)
    sys.argv.remove("--inside")
    sys.modules["__main__"].WEIR = os.path.abspath(sys.argv.pop(1))
    sh("ip link set lo up")
    unittest.main()


def wait_until_said(test, process, said, text, skips=False):
    """Until the file `said` has the text. A process that ends meanwhile fails the test, or skips it where this machine may not be able to run it."""
    begun = time.monotonic()
    while True:
        with open(said) as output:
            output = output.read()
        if text in output:
            return
        if process.poll() is not None:
            if skips:
                test.skipTest("weir cannot run so here: " + output.strip())
            test.fail(output)
        test.assertLess(time.monotonic() - begun, 20, output)
        time.sleep(0.02)


class _EthtoolValue(ctypes.Structure):
    _fields_ = [("command", ctypes.c_uint32), ("data", ctypes.c_uint32)]


class _Request(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char * 16), ("value", ctypes.POINTER(_EthtoolValue)), ("rest", ctypes.c_char * 16)]


def set_offloads(device, **on):
    """gro, tx, tso, gso of a device, on or off (linux/ethtool.h)."""
    commands = {"tx": 0x17, "tso": 0x1F, "gso": 0x24, "gro": 0x2C}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, value in on.items():
            asked = _EthtoolValue(commands[name], int(value))
            fcntl.ioctl(control, 0x8946, _Request(device.encode(), ctypes.pointer(asked)))  # SIOCETHTOOL
