#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""weir export and weir import over the policies of this folder. usage: export_test.py WEIR [--write]

Each target's text is compared with expected/POLICY.TARGET; --write writes them anew, to be read before they are committed. What is loaded by
a program that is here (nft, suricata, unbound-checkconf, named-checkzone, sh) is loaded."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
WEIR = str(pathlib.Path(sys.argv[1]).resolve())
WRITE = "--write" in sys.argv

# Policy, target: exit status. 1: something is not carried over.
STATUS = {
    ("headers", "nftables"): 0, ("headers", "cisco-acl"): 1, ("headers", "windows-firewall"): 0, ("headers", "gcp"): 1, ("headers", "azure"): 1,
    ("headers", "flowspec"): 1, ("headers", "flowspec-gobgp"): 1, ("headers", "suricata"): 1, ("headers", "unbound"): 1, ("headers", "rpz"): 1,
    ("site", "nftables"): 1, ("site", "cisco-acl"): 1, ("site", "windows-firewall"): 1, ("site", "gcp"): 1, ("site", "azure"): 1,
    ("site", "aws-bucket-policy"): 1, ("site", "aws-iam"): 1, ("site", "aws-vpc-endpoint"): 1, ("site", "flowspec"): 1, ("site", "flowspec-gobgp"): 1,
    ("site", "suricata"): 1, ("site", "unbound"): 1, ("site", "rpz"): 1,
}

# Long and dull: zones written out as what they are not. Their status is looked at, and that they are loaded.
NOT_COMPARED = {("headers", "cisco-acl"), ("headers", "suricata"), ("headers", "flowspec"), ("headers", "flowspec-gobgp")}

failures = []


def fail(what):
    failures.append(what)
    print("FAIL", what)


def weir(*args, text=None):
    return subprocess.run([WEIR, *args], capture_output=True, text=True, input=text, cwd=HERE)


def compare(name, text):
    text = text.removeprefix("#!/bin/sh\n")  # What is compared is no script of this project.
    path = HERE / "expected" / name
    if WRITE:
        path.write_text(text)
        return
    if not path.exists() or path.read_text() != text:
        fail(f"{name}: differs from expected/{name}; read `export_test.py WEIR --write` and the difference that it makes")


def exports():
    for (policy, target), status in STATUS.items():
        run = weir("export", f"{policy}.yaml", "--to", target)
        if run.returncode != status:
            fail(f"{policy} --to {target}: exit status {run.returncode}, not {status}\n{run.stderr}")
        if (policy, target) not in NOT_COMPARED:
            compare(f"{policy}.{target}", run.stdout)
        if status == 1 and "not carried over" not in run.stderr:
            fail(f"{policy} --to {target}: silent about what is not carried over")
        told = json.loads(weir("export", f"{policy}.yaml", "--to", target, "--json").stdout)
        if told["whole"] != (status == 0) or told["text"] != run.stdout:
            fail(f"{policy} --to {target}: --json says something else")
        if target.startswith("aws-") and json.loads(run.stdout)["Version"] != "2012-10-17":
            fail(f"{policy} --to {target}: no policy document")


def everything_is_said():
    """Each rule of a policy is in the text or among the losses of each target."""
    rules = {"headers": ["dns", "ssh-by-admins", "no-mail", "no-guests", "web", "ping"],
             "site": ["no-bad-names", "verclsid-has-no-network", "tell-of-telnet", "servers-are-closed", "only-tls-on-443", "storage-of-others",
                      "accounts-from-their-networks", "slow-down", "no-memcached"]}
    for policy, target in STATUS:
        told = json.loads(weir("export", f"{policy}.yaml", "--to", target, "--json").stdout)
        lost = {loss["rule"] for loss in told["not_carried_over"]}
        body = "\n".join(line for line in told["text"].splitlines() if not line.startswith(("# ", "! ", "; ")) or "remark" in line)
        for rule in rules[policy]:
            if rule in lost or rule in body:
                continue
            if target in ("rpz", "unbound", "suricata", "flowspec", "flowspec-gobgp") or target.startswith("aws-"):
                continue  # These do not name rules that let pass, or name none.
            fail(f"{policy} --to {target}: nothing is said of {rule}")


def loads():
    checks = [("nft", "nftables", lambda f: ["unshare", "-rn", "nft", "-c", "-f", f]), ("unbound-checkconf", "unbound", lambda f: ["unbound-checkconf", f]),
              ("named-checkzone", "rpz", lambda f: ["named-checkzone", "rpz.example", f]), ("sh", "gcp", lambda f: ["sh", "-n", f]), ("sh", "azure", lambda f: ["sh", "-n", f]),
              ("sh", "flowspec-gobgp", lambda f: ["sh", "-n", f]), ("suricata", "suricata", lambda f: ["suricata", "-T", "-S", f, "-l", tempfile.gettempdir()])]
    for program, target, command in checks:
        if shutil.which(program) is None:
            print(f"not loaded by {program}, which is not here")
            continue
        for policy in ("headers", "site"):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write(weir("export", f"{policy}.yaml", "--to", target).stdout)
                file.flush()
                run = subprocess.run(command(file.name), capture_output=True, text=True)
                if run.returncode != 0:
                    fail(f"{policy} --to {target}: {program} does not load it: {run.stderr or run.stdout}")


def imports():
    folder = HERE.parent / "import"
    for source, kind, status in [("headers.nft.json", "nftables", 0), ("mixed.nft.json", "nftables", 1), ("stateless.nft.json", "nftables", 0), ("local.rules", "suricata", 1)]:
        run = subprocess.run([WEIR, "import", "--from", kind, source], capture_output=True, text=True, cwd=folder)
        if run.returncode != status:
            fail(f"import {source}: exit status {run.returncode}, not {status}\n{run.stderr}")
        path = folder / "expected" / f"{source}.yaml"
        if WRITE:
            path.write_text(run.stdout)
        elif not path.exists() or path.read_text() != run.stdout:
            fail(f"import {source}: differs from {path.name}")
        check = subprocess.run([WEIR, "check", str(path)], capture_output=True, text=True)
        if check.returncode != 0:
            fail(f"import {source}: what it writes has errors\n{check.stderr}")
    # There and back: what nft lists of the exported table is the policy that was exported, by its packet space.
    back = subprocess.run([WEIR, "diff", "headers.yaml", str(folder / "expected" / "headers.nft.json.yaml"), "--json"], capture_output=True, text=True, cwd=HERE)
    if json.loads(back.stdout)["first_packets"] != []:
        fail("headers.yaml, exported to nftables and imported, answers otherwise: " + back.stdout)


exports()
everything_is_said()
loads()
imports()
sys.exit(1 if failures else 0)
