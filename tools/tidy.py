#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The form of the house, checked.

Faults fail: an include that the picture does not allow, a file outside a room, a banned call, a missing licence line or
#pragma once, a name that says nothing, a machine's path, a mark of unfinished work, a generated document that is stale.
Signs are only printed: long files, functions and lines, headers that include much. They mean "look for the seam".

    tools/tidy.py [--weir build/weir] [ROOT]

Each check is a function from a File to faults or signs, so that tidy_test.py can show that each of them can fail.
"""

import argparse
import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys

# The picture: each room and what it may include besides itself. Siblings stand on the same floor and never meet.
ROOMS = {
    "base": set(),
    "facts": {"base"},
    "wire": {"base", "facts"},
    "proto": {"base", "facts"},
    "state": {"base", "facts"},
    "policy": {"base", "facts"},
    "engine": {"base", "facts", "wire", "proto", "state", "policy"},
    "datapath": {"base", "facts", "wire", "proto", "state", "policy", "engine"},
    "report": {"base", "facts", "wire", "proto", "state", "policy", "engine"},
    "service": {"base", "facts", "wire", "proto", "state", "policy", "engine", "datapath", "report"},
    "cli": {"base", "facts", "wire", "proto", "state", "policy", "engine", "datapath", "report", "service"},
}
DATA_PLANE = {"base", "facts", "wire", "proto", "state", "engine"}  # rooms that packets go through
PARSERS = {"wire", "proto"}  # rooms that read hostile bytes
SOURCES = {".cc", ".h"}

# What a name may not be, as a whole file or folder name or as one of its words.
EMPTY_WORDS = {"util", "utils", "common", "helper", "helpers", "manager", "impl", "data", "info", "misc", "stuff"}


@dataclasses.dataclass(frozen=True)
class Ban:
    pattern: re.Pattern
    instead: str
    rooms: frozenset | None = None  # None: everywhere
    tests: bool = True  # whether it holds for tests too


def ban(pattern, instead, rooms=None, tests=True):
    return Ban(re.compile(pattern), instead, frozenset(rooms) if rooms else None, tests)


BANS = [
    ban(r"\bstr(n?cpy|n?cat)\s*\(", "std::string_view, or memcpy with a checked length"),
    ban(r"\bv?sprintf\s*\(", "fmt::format_to_n or snprintf"),
    ban(r"\bgets\s*\(", "Reader or std::getline"),
    ban(r"\bato(i|l|ll|f)\s*\(", "std::from_chars or the parsers of base/text.h"),
    ban(r"\bstrto(k|k_r)\s*\(", "a loop over std::string_view"),
    ban(r"\b(std::)?s?rand\s*\(", "randomness that is passed in, with a seed"),
    ban(r"\balloca\s*\(", "an array of fixed size"),
    ban(r"\bgoto\s+\w", "a function"),
    ban(r"\busing\s+namespace\s+std\s*;", "the names you need"),
    ban(r"(?<![_\w])assert\s*\(", "CHECK, which is always on"),
    ban(r"#\s*include\s*<cassert>|#\s*include\s*<assert\.h>", "base/check.h"),
    ban(r"\bstd::endl\b", "'\\n'"),
    ban(r"\b(std::)?(system|popen)\s*\(", "nothing: this program starts no other", ROOMS.keys(), False),
    ban(r"\bgetenv\s*\(", "an option of the command", ROOMS.keys(), False),
    # Rooms that packets go through.
    ban(r"\bthrow\b(?!\s*\()", "a fact (flaw), Result or CHECK: nothing throws across our code", ROOMS.keys(), False),
    ban(r"\bstd::c(out|err|log)\b|\bprintf\s*\(|\bf?puts\s*\(|\bfprintf\s*\(", "events and counters: report and cli print", DATA_PLANE, False),
    ban(r"\bstd::(chrono::(system|steady|high_resolution)_clock)\b|\b(clock_gettime|gettimeofday)\s*\(",
        "the time that came with the frame", DATA_PLANE, False),
    ban(r"\bstd::(this_thread|thread|jthread|mutex|condition_variable)\b", "one owner: the lane has no threads", DATA_PLANE, False),
    # Parsers and the wire see an attacker's bytes: nothing they do may allocate.
    ban(r"\b(std::)?(malloc|calloc|realloc|free)\s*\(", "the flow's arena or a fixed array", PARSERS | {"engine"}, False),
    ban(r"(?<![\w.])new\s+[A-Za-z_(]|\bstd::make_(unique|shared)\b", "the flow's arena or a fixed array", PARSERS, False),
    ban(r"\bstd::(string|vector|map|unordered_map|set|unordered_set|deque|list|function|ostringstream|stringstream|regex)\b(?!_view)",
        "std::string_view, std::span, std::array", PARSERS, False),
    ban(r"\breinterpret_cast\s*<\s*(const\s+)?\w+(::\w+)*\s*\*\s*>", "Reader (only bytes ↔ char are allowed)", PARSERS, False),
]
# CHECK itself says what went wrong before it aborts.
EXEMPT = {("src/base/check.h", "fprintf(")}
# `reinterpret_cast<const char*>` and to bytes are how views of text are made; anything else reads a struct out of a packet.
BYTES_CAST = re.compile(r"reinterpret_cast\s*<\s*(const\s+)?(char|unsigned char|std::uint8_t|uint8_t|std::byte)\s*(const\s*)?\*\s*>")

MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(home|work|root|tmp|Users)/[\w.-]")
UNFINISHED = re.compile(r"\b(TODO|FIXME|HACK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)

LINES_MAX, FUNCTION_LINES_MAX, COLUMNS_MAX, INCLUDES_MAX = 500, 70, 130, 12


@dataclasses.dataclass(frozen=True)
class File:
    path: str  # from the project's folder, with /
    text: str

    @property
    def parts(self):
        return self.path.split("/")

    @property
    def room(self):
        return self.parts[1] if self.parts[0] == "src" and len(self.parts) > 2 else None

    @property
    def suffix(self):
        return pathlib.PurePosixPath(self.path).suffix

    @property
    def is_source(self):
        return self.suffix in SOURCES

    @property
    def is_test(self):
        stem = pathlib.PurePosixPath(self.path).stem
        return self.parts[0] in ("tests", "bench") or stem.endswith(("_test", "_fuzz", "_bench"))


@dataclasses.dataclass(frozen=True)
class Finding:
    path: str
    line: int
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}"


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def without_comments(text, strings=False):
    """The code with comments (and, if asked, the inside of strings) blanked out; lines and columns stay."""
    out = []
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"|' r"(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'", re.S)
    at = 0
    for found in pattern.finditer(text):
        out.append(text[at:found.start()])
        piece = found.group()
        if piece.startswith("/") or strings:
            keep_ends = not piece.startswith("/")
            blank = re.sub(r"[^\n]", " ", piece)
            out.append(piece[0] + blank[1:-1] + piece[-1] if keep_ends else blank)
        else:
            out.append(piece)
        at = found.end()
    out.append(text[at:])
    return "".join(out)


# ---- Faults


def check_room(file):
    """Code lives in a room; src holds nothing else."""
    if file.parts[0] == "src" and file.room not in ROOMS:
        yield Finding(file.path, 1, f"is in no room: src/ has {', '.join(ROOMS)}")


def check_includes(file):
    if not file.is_source:
        return
    code = without_comments(file.text)
    for found in INCLUDE.finditer(code):
        target, line = found.group(1), line_of(code, found.start(1))
        top = target.split("/")[0]
        if target.startswith(("./", "../")) or "/../" in target:
            yield Finding(file.path, line, f'include "{target}" by its full path from src/')
        elif top in ("tests", "kit"):
            if not file.is_test:
                yield Finding(file.path, line, f'"{target}" is for tests; the product never includes it')
        elif top == "bpf":
            if file.room not in (None, "datapath"):
                yield Finding(file.path, line, f'{file.room} may not include "{target}": the kernel is known to datapath alone')
        elif top in ROOMS and "/" in target:
            room = file.room
            if room is not None and top != room and top not in ROOMS[room]:
                allowed = ", ".join(sorted(ROOMS[room], key=list(ROOMS).index)) or "nothing"
                yield Finding(file.path, line, f'{room} may not include "{target}": it may use {allowed}')
        elif "/" not in target:
            yield Finding(file.path, line, f'include "{target}" by its full path from src/')


def check_bans(file):
    if not file.is_source:
        return
    code = without_comments(file.text, strings=True)
    for entry in BANS:
        if entry.rooms is not None and file.room not in entry.rooms:
            continue
        if file.is_test and not entry.tests:
            continue
        for found in entry.pattern.finditer(code):
            if "reinterpret_cast" in found.group() and BYTES_CAST.match(found.group()):
                continue
            if (file.path, found.group().strip()) in EXEMPT:
                continue
            yield Finding(file.path, line_of(code, found.start()), f"`{found.group().strip()}` is banned here; use {entry.instead}")


def check_licence(file):
    head = "\n".join(file.text.split("\n")[:4])
    scripted = file.text.startswith("#!") or file.suffix in (".py", ".sh", ".cmake")
    if (file.is_source or scripted) and "SPDX-License-Identifier: Apache-2.0" not in head:
        yield Finding(file.path, 1, "the SPDX line is missing: SPDX-License-Identifier: Apache-2.0")
    if file.suffix == ".h" and not re.search(r"^#pragma once$", file.text, re.M):
        yield Finding(file.path, 1, "a header says #pragma once")


def check_names(file):
    if file.parts[:2] == ["tests", "corpus"]:
        return
    for part in file.parts:
        for word in re.split(r"[_.-]", part.lower()):
            if word in EMPTY_WORDS:
                yield Finding(file.path, 1, f"`{part}` says nothing: name it for what it holds, not `{word}`")
    if file.is_source and not re.fullmatch(r"[a-z0-9_]+\.(cc|h)", file.parts[-1]):
        yield Finding(file.path, 1, "source files are named in snake_case")


def check_paths(file):
    if file.parts[0] == "tests" and file.is_source and "XXXXXX" in file.text:
        return
    lines = file.text.split("\n")
    for number, line in enumerate(lines, 1):
        found = MACHINE_PATH.search(line)
        if found and not ("mktemp" in file.text or "mkstemp" in file.text or "mkdtemp" in file.text or "XXXXXX" in line):
            yield Finding(file.path, number, f"a path of one machine: {line.strip()[:80]}")


def check_unfinished(file):
    for number, line in enumerate(file.text.split("\n"), 1):
        found = UNFINISHED.search(line)
        if found:
            yield Finding(file.path, number, f"{found.group()}: finish it, or file an issue")


FAULTS = [check_room, check_includes, check_bans, check_licence, check_names, check_paths, check_unfinished]

# ---- Signs


def sign_long_file(file):
    count = file.text.count("\n")
    if file.is_source and count > LINES_MAX:
        yield Finding(file.path, 1, f"{count} lines")


def sign_long_lines(file):
    """One sign a file: where the first is, how many there are."""
    if not file.is_source:
        return
    long = [(number, len(line)) for number, line in enumerate(file.text.split("\n"), 1) if len(line) > COLUMNS_MAX]
    if long:
        yield Finding(file.path, long[0][0], f"{len(long)} lines beyond {COLUMNS_MAX} columns, the longest {max(n for _, n in long)}")


def sign_long_functions(file):
    """A function starts at a line that begins at the margin or in a class and ends with `) {`, and ends at its closing brace."""
    if file.suffix != ".cc":
        return
    lines = without_comments(file.text, strings=True).split("\n")
    opening = re.compile(r"^(\s{0,2})\S.*\)\s*(const|noexcept|override|final|\s|->[^{]*)*\{$")
    start = None
    for number, line in enumerate(lines, 1):
        if start is None:
            found = opening.match(line)
            if found and not re.match(r"\s*(if|for|while|switch|namespace|return|else|do)\b", line):
                start, indent = number, found.group(1)
        elif line.startswith(indent + "}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield Finding(file.path, start, f"a function of {number - start + 1} lines")
            start = None


def sign_many_includes(file):
    if file.suffix != ".h":
        return
    count = len(re.findall(r"^\s*#\s*include\b", file.text, re.M))
    if count > INCLUDES_MAX:
        yield Finding(file.path, 1, f"a header that includes {count} others")


SIGNS = [sign_long_file, sign_long_lines, sign_long_functions, sign_many_includes]

# ---- Generated documents: file → the command that prints it

GENERATED = {"docs/facts.md": ["facts", "--markdown"]}


def check_generated(root, weir, run=subprocess.run):
    """Each generated document that exists is what the program prints now. Without a program there is nothing to compare."""
    for path, arguments in GENERATED.items():
        document = root / path
        if weir is None or not document.exists():
            continue
        printed = run([str(weir), *arguments], capture_output=True, text=True)
        if printed.returncode != 0:
            yield Finding(path, 1, f"`weir {' '.join(arguments)}` failed: {printed.stderr.strip()[:200]}")
        elif printed.stdout != document.read_text():
            yield Finding(path, 1, f"is stale: weir {' '.join(arguments)} > {path}")


# ---- The project's files


def project_files(root):
    """Files under version control or about to be; without git, all but build folders and hidden ones."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True) if shutil.which("git") else None
    if listed is not None and listed.returncode == 0:
        names = sorted(name for name in listed.stdout.decode().split("\0") if name)
    else:
        every = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        names = sorted(name for name in every if not name.startswith(("build", ".git/")))
    for name in names:
        path = root / name
        if path.is_symlink() or not path.is_file() or name.startswith("tests/corpus/"):
            continue
        content = path.read_bytes()
        if b"\0" in content[:4096]:
            continue
        yield File(name, content.decode(errors="replace"))


# Files whose subject is the marks and paths themselves.
ABOUT_FORM = {"tools/tidy.py", "tools/tidy_test.py", "STYLE.md", "CONTRIBUTING.md"}


def faults_of(file):
    for check in FAULTS:
        if file.path in ABOUT_FORM and check in (check_paths, check_unfinished):
            continue
        yield from check(file)


def signs_of(file):
    for sign in SIGNS:
        yield from sign(file)


def main(argv=None):
    options = argparse.ArgumentParser(description="checks the form of the house")
    options.add_argument("root", nargs="?", default=pathlib.Path(__file__).resolve().parent.parent, type=pathlib.Path)
    options.add_argument("--weir", type=pathlib.Path, help="the built program, to compare generated documents")
    options.add_argument("--quiet", action="store_true", help="faults only")
    chosen = options.parse_args(argv)
    files = list(project_files(chosen.root))
    if not any(file.is_source for file in files):
        print(f"{chosen.root}: no sources found", file=sys.stderr)
        return 2
    faults = [fault for file in files for fault in faults_of(file)]
    weir = chosen.weir if chosen.weir and chosen.weir.exists() else None
    faults += check_generated(chosen.root, weir)
    signs = [] if chosen.quiet else [sign for file in files for sign in signs_of(file)]
    for sign in signs:
        print(f"sign:  {sign}")
    for fault in faults:
        print(f"fault: {fault}")
    print(f"tidy: {len(files)} files, {len(faults)} faults, {len(signs)} signs")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
