#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The layer that `weir prove --navigator` writes has the form that the ATT&CK Navigator reads: its layer format 4.5, field by field, as the
project describes it (attack-navigator, layers/LAYERFORMATv4_5.md). usage: navigator_test.py WEIR"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
NUMBER, TEXT, FLAG = (int, float), (str,), (bool,)


def one_of(*values):
    return lambda value: value in values


def matches(pattern):
    return lambda value: re.fullmatch(pattern, value) is not None


# Name: (types or the shape of an object or [shape of items], required, what must hold of the value).
METADATA = {"name": (TEXT, True, None), "value": (TEXT, True, None)}
LINK = {"label": (TEXT, True, None), "url": (TEXT, True, matches(r"[a-z]+://.+"))}
TECHNIQUE = {
    "techniqueID": (TEXT, True, matches(r"T\d{4}(\.\d{3})?")), "tactic": (TEXT, False, matches(r"[a-z-]+")), "comment": (TEXT, False, None),
    "enabled": (FLAG, False, None), "score": (NUMBER, False, None), "color": (TEXT, False, matches(r"(#[0-9a-fA-F]{6})?")),
    "metadata": ([METADATA], False, None), "links": ([LINK], False, None), "showSubtechniques": (FLAG, False, None),
}
LAYER = {
    "versions": ({"attack": (TEXT, False, matches(r"\d+")), "navigator": (TEXT, True, matches(r"(4\.9|5)\.\d+(\.\d+)?")), "layer": (TEXT, True, one_of("4.5"))}, False, None),
    "name": (TEXT, True, None), "description": (TEXT, False, None),
    "domain": (TEXT, True, one_of("enterprise-attack", "mobile-attack", "ics-attack")), "customDataURL": (TEXT, False, None),
    "filters": ({"platforms": (list, False, lambda v: all(isinstance(p, str) for p in v))}, False, None),
    "sorting": (NUMBER, False, one_of(0, 1, 2, 3)),
    "layout": ({"layout": (TEXT, False, one_of("side", "flat", "mini")), "showID": (FLAG, False, None), "showName": (FLAG, False, None), "showAggregateScores": (FLAG, False, None),
                "countUnscored": (FLAG, False, None), "aggregateFunction": (TEXT, False, one_of("average", "min", "max", "sum")),
                "expandedSubtechniques": (TEXT, False, one_of("none", "all", "annotated"))}, False, None),
    "hideDisabled": (FLAG, False, None), "techniques": ([TECHNIQUE], False, None),
    "gradient": ({"colors": (list, True, lambda v: len(v) >= 2 and all(re.match("#[0-9a-fA-F]{6}", c) for c in v)), "minValue": (NUMBER, True, None), "maxValue": (NUMBER, True, None)}, False, lambda v: v["maxValue"] > v["minValue"]),
    "legendItems": ([{"label": (TEXT, True, None), "color": (TEXT, True, lambda v: COLOR.fullmatch(v) is not None)}], False, None),
    "showTacticRowBackground": (FLAG, False, None), "tacticRowBackground": (TEXT, False, None), "selectTechniquesAcrossTactics": (FLAG, False, None),
    "selectSubtechniquesWithParent": (FLAG, False, None), "selectVisibleTechniques": (FLAG, False, None), "metadata": ([METADATA], False, None), "links": ([LINK], False, None),
}


def faults(value, shape, path="layer"):
    if not isinstance(value, dict):
        return [f"{path} is no object"]
    out = [f"{path} lacks {name}" for name, (_, required, _) in shape.items() if required and name not in value]
    for name, inner in value.items():
        where = f"{path}.{name}"
        if name not in shape:
            out.append(f"{where} is no field of the format")
            continue
        kind, _, holds = shape[name]
        if isinstance(kind, dict):
            out += faults(inner, kind, where)
        elif isinstance(kind, list) and not isinstance(inner, list):
            out.append(f"{where} is no array")
        elif isinstance(kind, list):
            for i, item in enumerate(inner):
                divider = isinstance(item, dict) and set(item) == {"divider"} and name in ("metadata", "links")
                out += [] if divider else faults(item, kind[0], f"{where}[{i}]")
        elif not isinstance(inner, kind) or (isinstance(inner, bool) and kind is NUMBER):
            out.append(f"{where} is of the wrong type: {inner!r}")
        if holds is not None and not out and not holds(inner):
            out.append(f"{where} has no value of the format: {inner!r}")
    return out


def main():
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([sys.argv[1], "prove", str(HERE / "site.yaml"), "--navigator", file.name], capture_output=True, check=False)
        layer = json.loads(pathlib.Path(file.name).read_text())
    found = faults(layer, LAYER)
    ids = [t["techniqueID"] for t in layer.get("techniques", [])]
    if len(ids) != 45 or len(set(ids)) != len(ids):
        found.append(f"it has {len(ids)} techniques, {len(set(ids))} of them different; M1037 names 45")
    # The check itself can fail.
    for spoil in ({"domain": "enterprise"}, {"versions": {"layer": "4.4", "navigator": "5.1.0"}}, {"gradient": {"colors": ["#ffffff"], "minValue": 0, "maxValue": 1}}, {"unknown": 1}):
        if not faults({**layer, **spoil}, LAYER):
            found.append(f"the check does not see {spoil}")
    for fault in found:
        print(fault)
    return 1 if found else 0


sys.exit(main())
