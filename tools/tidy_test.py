#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each check of tidy.py fails on what it is for, and passes its nearest innocent relative."""

import contextlib
import io
import pathlib
import shutil
import subprocess
import tempfile
import types
import unittest

import tidy

HEAD = "// SPDX-License-Identifier: Apache-2.0\n"


def faults(path, text):
    return [fault.what for fault in tidy.faults_of(tidy.File(path, text))]


def signs(path, text):
    return [sign.what for sign in tidy.signs_of(tidy.File(path, text))]


class Includes(unittest.TestCase):
    # who includes, what, whether the picture allows it
    TABLE = [
        ("src/wire/udp.cc", "wire/walk.h", True),
        ("src/wire/udp.cc", "facts/packet.h", True),
        ("src/wire/udp.cc", "base/bytes.h", True),
        ("src/wire/udp.cc", "proto/protocol.h", False),
        ("src/wire/udp.cc", "state/flow.h", False),
        ("src/wire/udp.cc", "policy/rule.h", False),
        ("src/proto/dns/parse.cc", "wire/wire.h", False),
        ("src/proto/dns/parse.cc", "proto/dns/dns.h", True),
        ("src/state/stream.cc", "proto/protocol.h", False),
        ("src/policy/match.cc", "engine/engine.h", False),
        ("src/base/text.cc", "facts/view.h", False),
        ("src/facts/view.cc", "base/text.h", True),
        ("src/engine/judge.cc", "policy/match.h", True),
        ("src/engine/judge.cc", "datapath/capture/record.h", False),
        ("src/engine/judge.cc", "report/eve.h", False),
        ("src/datapath/capture/unpack.cc", "report/eve.h", False),
        ("src/report/eve.cc", "datapath/capture/record.h", False),
        ("src/report/eve.cc", "engine/event.h", True),
        ("src/cli/replay.cc", "report/eve.h", True),
        ("src/cli/replay.cc", "tests/kit/packet.h", False),
        ("src/wire/wire_test.cc", "tests/kit/packet.h", True),
        ("src/wire/wire_fuzz.cc", "tests/kit/capture.h", True),
        ("src/wire/udp.cc", "walk.h", False),
        ("src/wire/udp.cc", "../base/bytes.h", False),
        ("tests/agree/oracle.cc", "policy/rule.h", True),
        ("src/datapath/bridge/xdp_flows.cc", "bpf/abi.h", True),
        ("src/engine/carrying.cc", "bpf/abi.h", False),
    ]

    def test_the_picture(self):
        for path, target, allowed in self.TABLE:
            with self.subTest(path=path, target=target):
                found = faults(path, f'{HEAD}#include "{target}"\n')
                self.assertEqual(found == [], allowed, found)

    def test_says_what_the_room_may_use(self):
        (fault,) = faults("src/facts/view.cc", HEAD + '#include "policy/rule.h"\n')
        self.assertEqual(fault, 'facts may not include "policy/rule.h": it may use base')

    def test_an_include_in_a_comment_is_none(self):
        self.assertEqual(faults("src/wire/udp.cc", HEAD + '// #include "policy/rule.h"\n/*\n#include "cli/verb.h"\n*/\n'), [])

    def test_the_line_is_the_right_one(self):
        fault = next(iter(tidy.check_includes(tidy.File("src/wire/udp.cc", HEAD + '/* a\n b */\n#include "policy/rule.h"\n'))))
        self.assertEqual(fault.line, 4)


class Bans(unittest.TestCase):
    # where, code, whether it is allowed
    TABLE = [
        ("src/cli/check.cc", "strcpy(a, b);", False),
        ("src/cli/check.cc", "std::snprintf(a, 3, b);", True),
        ("src/cli/check.cc", "sprintf(a, b);", False),
        ("src/cli/check.cc", "int n = atoi(text);", False),
        ("src/cli/check.cc", "gets(line);", False),
        ("src/cli/check.cc", "targets(line);", True),
        ("src/state/rates.cc", "int n = rand();", False),
        ("src/state/rates_test.cc", "int n = rand();", False),
        ("src/state/rates_test.cc", "int n = random();", True),
        ("src/state/rates.cc", "int n = operand(3);", True),
        ("src/cli/check.cc", "using namespace std;", False),
        ("src/cli/check.cc", "using namespace std::string_view_literals;", True),
        ("src/cli/check.cc", "assert(n > 0);", False),
        ("src/cli/check.cc", "static_assert(n > 0);", True),
        ("src/cli/check.cc", "#include <cassert>", False),
        ("src/engine/judge.cc", "std::cout << n;", False),
        ("src/engine/judge.cc", "std::printf(text);", False),
        ("src/cli/check.cc", "std::printf(text);", True),
        ("src/wire/wire_test.cc", "std::cout << n;", True),
        ("src/policy/match.cc", "throw Oops{};", False),
        ("src/policy/match.cc", "// nothing may throw here", True),
        ("src/policy/match.cc", 'say("never throw");', True),
        ("src/engine/flows.cc", "auto now = std::chrono::steady_clock::now();", False),
        ("src/cli/replay.cc", "auto now = std::chrono::steady_clock::now();", True),
        ("src/proto/dns/parse.cc", "auto* p = new Parser;", False),
        ("src/proto/dns/parse.cc", "new (place) Parser;", False),
        ("src/proto/dns/parse.cc", "auto p = malloc(10);", False),
        ("src/proto/dns/parse.cc", "std::string name;", False),
        ("src/proto/dns/parse.cc", "std::string_view name;", True),
        ("src/proto/dns/parse.cc", "std::vector<int> all;", False),
        ("src/proto/dns/dns_test.cc", "std::vector<int> all;", True),
        ("src/policy/lists.cc", "std::vector<int> all;", True),
        ("src/wire/udp.cc", "auto* h = reinterpret_cast<const Header*>(p);", False),
        ("src/wire/udp.cc", "auto* h = reinterpret_cast<const char*>(p);", True),
        ("src/cli/run.cc", 'system("ip link");', False),
    ]

    def test_calls(self):
        for path, code, allowed in self.TABLE:
            with self.subTest(path=path, code=code):
                found = faults(path, f"{HEAD}{code}\n")
                self.assertEqual(found == [], allowed, found)

    def test_each_names_its_replacement(self):
        (fault,) = faults("src/cli/check.cc", HEAD + "assert(n);\n")
        self.assertIn("CHECK", fault)

    def test_an_apostrophe_in_a_number_is_no_string(self):
        self.assertEqual(len(faults("src/cli/check.cc", HEAD + "int n = 1'000'000; sprintf(a, b);\n")), 1)

    def test_a_raw_string_is_a_string(self):
        self.assertEqual(faults("src/cli/check.cc", HEAD + 'auto s = R"(assert(1); " throw)";\n'), [])


class Names(unittest.TestCase):
    TABLE = [
        ("src/base/util.h", False), ("src/proto/dns/dns_helpers.cc", False), ("src/common/x.cc", False),
        ("src/engine/flow_manager.cc", False), ("src/engine/engine_impl.cc", False), ("tests/data/x.txt", False),
        ("docs/info.md", False), ("src/datapath/capture/record.cc", True), ("docs/information_flow.md", True),
        ("tests/corpus/dhcp/v6_info", True), ("src/wire/Udp.cc", False),
    ]

    def test_names_that_say_nothing(self):
        for path, good in self.TABLE:
            with self.subTest(path=path):
                found = list(tidy.check_names(tidy.File(path, HEAD)))
                self.assertEqual(found == [], good, found)

    def test_code_lives_in_a_room(self):
        self.assertTrue(faults("src/stray.cc", HEAD))
        self.assertTrue(faults("src/attic/old.cc", HEAD))
        self.assertFalse(faults("src/base/text.cc", HEAD))


class Heads(unittest.TestCase):
    def test_licence(self):
        self.assertTrue(faults("src/base/text.cc", "int n;\n"))
        self.assertTrue(faults("scripts/deps", "#!/bin/sh\ntrue\n"))
        self.assertFalse(faults("scripts/deps", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"))
        self.assertFalse(faults("README.md", "# Weir\n"))

    def test_pragma_once(self):
        self.assertTrue(faults("src/base/text.h", HEAD))
        self.assertTrue(faults("src/base/text.h", HEAD + "// #pragma once\n"))
        self.assertFalse(faults("src/base/text.h", HEAD + "#pragma once\n"))


class Text(unittest.TestCase):
    # line, whether it is allowed
    PATHS = [
        *((text % "/", False) for text in ("cp %shome/alice/x .", "see %swork/main", "%sroot/.cache", "in %stmp/weir.log")),
        ("the folder src/work/ahead", True), ("$HOME/work/x", True), ("https://example.org/home/page", True),
        ("/run/weir/weir.sock", True), ("GET /login", True),
    ]

    def test_paths_of_one_machine(self):
        for line, good in self.PATHS:
            with self.subTest(line=line):
                self.assertEqual(faults("docs/policy.md", line + "\n") == [], good)

    def test_a_script_that_uses_mktemp_may(self):
        self.assertFalse(faults("scripts/x.sh", "#!/bin/sh\n" + HEAD.replace("//", "#") + "d=$(mktemp -d /tmp/weir-XXXXXX)\n"))

    def test_marks_of_unfinished_work(self):
        self.assertTrue(faults("README.md", "TODO: write\n"))
        self.assertTrue(faults("src/base/text.cc", HEAD + "// FIXME\n"))
        self.assertFalse(faults("README.md", "all done\n"))


class Signs(unittest.TestCase):
    def test_long_lines_are_one_sign_a_file(self):
        (sign,) = signs("src/base/text.cc", HEAD + "// " + "x" * 130 + "\n" + "// " + "x" * 140 + "\n")
        self.assertEqual(sign, "2 lines beyond 130 columns, the longest 143")

    def test_long_files(self):
        self.assertEqual(signs("src/base/text.cc", "\n" * 501), ["501 lines"])
        self.assertEqual(signs("src/base/text.cc", "\n" * 500), [])

    def test_long_functions(self):
        body = "  if (x) {\n    y();\n  }\n" * 23
        self.assertEqual(signs("src/base/text.cc", f"int f(int x) {{\n{body}}}\n"), ["a function of 71 lines"])
        self.assertEqual(signs("src/base/text.cc", f"int f(int x) {{\n{body[:-4]}}}\n"), [])
        self.assertEqual(signs("src/base/text.cc", f"namespace x {{\n{body}{body}}}\n"), [])

    def test_headers_that_include_much(self):
        self.assertEqual(signs("src/base/text.h", "#include <a>\n" * 13), ["a header that includes 13 others"])

    def test_signs_are_no_faults(self):
        self.assertEqual(faults("src/base/text.cc", HEAD + "// " + "x" * 200 + "\n"), [])


class Generated(unittest.TestCase):
    def check(self, printed, status=0):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs").mkdir()
            (root / "docs/facts.md").write_text("# Facts\n")
            answer = types.SimpleNamespace(returncode=status, stdout=printed, stderr="no such verb")
            return list(tidy.check_generated(root, pathlib.Path("weir"), run=lambda *a, **k: answer))

    def test_stale_fresh_and_failing(self):
        self.assertEqual(self.check("# Facts\n"), [])
        self.assertIn("stale", self.check("# Facts, more\n")[0].what)
        self.assertIn("failed", self.check("", status=2)[0].what)

    def test_without_a_program_nothing_is_compared(self):
        self.assertEqual(list(tidy.check_generated(pathlib.Path("."), None)), [])


@unittest.skipUnless(shutil.which("git"), "git is not here")
class Whole(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            subprocess.run(["git", "init", "-q", folder], check=True)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                status = tidy.main([folder])
            return status, said.getvalue()

    def test_a_fault_fails(self):
        status, said = self.run_on({"src/base/text.cc": HEAD + "assert(1);\n"})
        self.assertEqual(status, 1)
        self.assertIn("fault: src/base/text.cc:2:", said)

    def test_a_sign_does_not(self):
        status, said = self.run_on({"src/base/text.cc": HEAD + "// " + "x" * 200 + "\n"})
        self.assertEqual(status, 0)
        self.assertIn("sign:  src/base/text.cc:2:", said)

    def test_ignored_files_are_not_ours(self):
        status, _ = self.run_on({".gitignore": "/build*/\n", "build/x.cc": "assert(1);\n", "src/base/a.cc": HEAD})
        self.assertEqual(status, 0)

    def test_nothing_to_check_is_wrong(self):
        status, _ = self.run_on({"README.md": "# x\n"})
        self.assertEqual(status, 2)


if __name__ == "__main__":
    unittest.main()
