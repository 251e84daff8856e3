#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# demo/run.sh WEIR: what `make demo` shows. Needs no root and leaves nothing behind; demo/demo.pcap is traffic of real programs
# (demo/record.sh says which).
set -euo pipefail
weir=$(realpath "${1:-build/weir}")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$1"; [ -z "${2:-}" ] || printf '%s\n' "$2"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$1"; [ -z "${2:-}" ] || printf '%s\n' "$2"; }
show() { local shown=$*; printf '$ weir %s\n' "${shown//"$work/"/}"; "$weir" "$@" 2>&1; }

say "1. A policy" "demo/policy.yaml: an office, its servers and the world outside. Is it sound?"
show check demo/policy.yaml

say "2. Twenty seconds of traffic under it" \
  "demo/demo.pcap: alice works (names, web, files, ssh, ftp); mallory's machine was taken over and tries what attackers try."
show replay demo/demo.pcap --policy demo/policy.yaml --events "$work/events.json" --flows

say "3. What passed, what was stopped"
python3 - "$work/events.json" <<'END'
import collections, json, sys
names = {"192.0.2.10": "alice", "2001:db8:1::10": "alice", "192.0.2.66": "mallory", "192.0.2.140": "our server",
         "192.0.2.1": "the gate"}
passed, stopped = collections.OrderedDict(), collections.OrderedDict()
for line in open(sys.argv[1]):
    event = json.loads(line)
    ends = [names.get(event.get(key), "outside") for key in ("src_ip", "dest_ip")]
    app = event.get("app_proto", "unknown")
    if event["event_type"] == "flow" and event["flow"].get("action") == "passed" and "alice" in ends:
        what = (app if app != "unknown" else event["proto"].lower(), *ends)
        passed[what] = passed.get(what, 0) + 1
    elif event["event_type"] == "alert" and event["alert"]["action"] == "blocked":
        rule = event["weir"]["rule"]
        stopped.setdefault(rule, (event["pcap_cnt"], ends, event["alert"]["metadata"]["mitre_technique_id"]))
print("passed:")
for (app, source, target), count in passed.items():
    print(f"  {source:<10} > {target:<10}  {app}" + (f" ({count} flows)" if count > 1 else ""))
print("stopped, the first packet of each:")
for rule, (packet, ends, techniques) in stopped.items():
    print(f"  packet {packet:>4}  {ends[0]:<8} > {ends[1]:<10}  {rule:<25} {' '.join(techniques)}")
END

say "4. Why?" "A packet that was stopped, and what would have had to differ."
packet=$(python3 - "$work/events.json" <<'END'
import json, sys
for line in open(sys.argv[1]):
    event = json.loads(line)
    if event["event_type"] == "alert" and event["weir"]["rule"] == "blocked-names-in-web" and event.get("app_proto") == "tls":
        print(event["pcap_cnt"])
        break
END
)
show explain demo/policy.yaml "demo/demo.pcap:$packet"

say "5. A policy with mistakes" "All of them are told in one run, each with its place and what was meant; nothing is loaded."
status=0
show check demo/broken.yaml || status=$?
[ "$status" = 2 ] || { echo "demo: a broken policy must end with status 2, not $status" >&2; exit 1; }

say "6. Live" "The same engine in the path between two hosts, in namespaces of their own: without it, then with it."
status=0
demo/live.py "$weir" || status=$?
[ "$status" = 0 ] || [ "$status" = 77 ] || { echo "demo: the live part went wrong" >&2; exit 1; }

say "7. Now with your own capture" "Take one with: tcpdump -w mine.pcap, stop it after a while, then:"
cat <<'END'
  build/weir replay mine.pcap --policy demo/policy.yaml         # change the zones in it to your networks first
  build/weir explain demo/policy.yaml mine.pcap:17              # why did packet 17 pass, or not?
  build/weir facts                                              # what a rule can ask for
END
