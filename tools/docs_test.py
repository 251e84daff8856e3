#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every YAML example in the documents is a policy that `weir check` takes. usage: docs_test.py WEIR

A block that starts with `weir:` is a whole policy; one that starts with `- name` is rules, checked with the zones and sets of
the first whole policy of its document."""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "docs/policy.md", "docs/readings.md", "docs/prove.md", "docs/first-hour.md"] + sorted(
    str(p.relative_to(ROOT)) for p in (ROOT / "docs/profiles").glob("*.md"))


def main():
    failed = checked = 0
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        frame = None
        for found in re.finditer(r"^```yaml\n(.*?)^```", text, re.S | re.M):
            block = found.group(1)
            if block.startswith("weir:"):
                policy = block
                frame = frame or block.partition("\nrules:")[0] + "\nrules:\n"
            elif block.startswith("- name"):
                policy = frame + "".join("  " + line + "\n" for line in block.splitlines())
            else:
                continue
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(policy)
                file.flush()
                run = subprocess.run([sys.argv[1], "check", file.name], capture_output=True, text=True)
            checked += 1
            if run.returncode != 0:
                failed += 1
                line = text.count("\n", 0, found.start()) + 1
                print(f"{name}:{line}: this example is wrong:\n{run.stderr}")
    print(f"{checked} examples, {failed} wrong")
    return 1 if failed or not checked else 0


sys.exit(main())
