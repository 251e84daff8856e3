#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/first-hour.md, followed word by word with the demo's capture: each policy of it is written, each command of it run.
usage: first_hour_test.py WEIR"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Commands whose answer may be no.
MAY_SAY_NO = ("weir prove",)


def main():
    text = (ROOT / "docs/first-hour.md").read_text()
    blocks = re.findall(r"^```(yaml|sh)\n(.*?)^```", text, re.S | re.M)
    failed = ran = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "demo/demo.pcap", f"{folder}/office.pcap")
        os.mkdir(f"{folder}/bin")
        os.symlink(os.path.abspath(sys.argv[1]), f"{folder}/bin/weir")
        environment = dict(os.environ, PATH=f"{folder}/bin:{os.environ['PATH']}")
        for kind, block in blocks:
            if kind == "yaml":
                pathlib.Path(folder, "policy.yaml").write_text(block)
                continue
            for command in block.splitlines():
                run = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
                ran += 1
                if run.returncode != 0 and not (run.returncode == 1 and command.startswith(MAY_SAY_NO)):
                    failed += 1
                    print(f"`{command}`: exit status {run.returncode}\n{run.stdout}{run.stderr}")
                if command.startswith("weir check") and "warning:" in run.stderr:
                    failed += 1
                    print(f"`{command}` warns: {run.stderr}")
        for name in ("passed.pcap", "stopped.pcap", "events.json"):
            if not pathlib.Path(folder, name).stat().st_size:
                failed += 1
                print(f"{name} is empty")
    if ran < 9:
        failed += 1
        print(f"only {ran} commands were found")
    return 1 if failed else 0


sys.exit(main())
