#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of tidy.py: each rule catches its breach, and code that keeps the rules passes."""
import os
import tempfile
import unittest

import tidy

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEADER = SPDX + "//\n// A Thing is a thing.\n#pragma once\n"


def Breaches(path, text):
    with tempfile.TemporaryDirectory() as root:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as opened:
            opened.write(text)
        return [(line, message) for _, line, message in tidy.Check(root)]


class TidyTest(unittest.TestCase):

    def test_each_breach_is_found_on_its_line(self):
        long_function = "int F() {\n" + "  g();\n" * 69 + "}\n"
        cases = [
            ("upward include", "src/net/a.cc", SPDX + '#include "ipam/pool.h"\n', 2),
            ("include around", "src/service/a.cc", SPDX + '#include "forecast/x.h"\n', 2),
            ("base includes ours", "src/base/a.cc", SPDX + '#include "net/ip.h"\n', 2),
            ("agent includes the server", "src/agent/a.cc", SPDX + '#include "store/store.h"\n', 2),
            ("server includes the agent", "src/api/a.cc", SPDX + '#include "agent/table.h"\n', 2),
            ("product includes testing", "src/store/a.cc", SPDX + '#include "testing/fake.h"\n', 2),
            ("relative include", "src/net/a.cc", SPDX + '#include "ip.h"\n', 2),
            ("unknown folder", "src/stuff/a.cc", SPDX, 1),
            ("bad folder name", "src/net/util/a.cc", SPDX, 1),
            ("no licence", "src/net/a.cc", "int a;\n", 1),
            ("no sentence", "src/net/a.h", SPDX + "#pragma once\n", 2),
            ("long file", "src/net/a.cc", SPDX + "\n" * 500, 501),
            ("long function", "src/net/a.cc", SPDX + long_function, 2),
            ("long method", "src/net/a.cc", SPDX + "namespace a {\nclass B {\n public:\n" + long_function + "};\n}\n", 5),
            ("long constructor", "src/net/a.cc",
             SPDX + long_function.replace("int F()", "A::A(int b) : b_{b}, c_(1)"), 2),
            ("rand", "src/net/a.cc", SPDX + "int a = std::rand();\n", 2),
            ("sleep", "src/net/a_test.cc", SPDX + "\nvoid F() { usleep(5); }\n", 3),
            ("sleep_for", "src/net/a.cc", SPDX + "void F() { std::this_thread::sleep_for(x); }\n", 2),
            ("wall clock", "src/service/a.cc", SPDX + "auto t = absl::Now();\n", 2),
            ("cout", "src/service/a.cc", SPDX + "void F() { std::cout << 1; }\n", 2),
            ("using namespace", "src/net/a.h", HEADER + "using namespace std;\n", 5),
            ("thread in the core", "src/ipam/a.cc", SPDX + "#include <thread>\n", 2),
            ("unknown error code", "src/net/a.cc", SPDX + 'auto a = F(\n  "ODD_CODE");\n', 3),
            ("one word, a code by its place", "src/net/a.cc", SPDX + 'auto a = Error(absl::StatusCode::kAborted, "ODD", b);\n', 2),
            ("file in the forecast", "src/forecast/a.cc", SPDX + "#include <fstream>\n", 2),
        ]
        for name, path, text, line in cases:
            with self.subTest(name):
                self.assertEqual([found for found, _ in Breaches(path, text)], [line])

    def test_code_that_keeps_the_rules_passes(self):
        table = "const Case kCases[] = {\n" + '    {"a", F(1)},\n' * 90 + "};\n"
        cases = [
            ("downward include", "src/store/a.cc", SPDX + '#include "ipam/pool.h"\n#include "absl/x.h"\n'),
            ("test includes testing", "src/store/a_test.cc", SPDX + '#include "testing/fake.h"\n'),
            ("simulation includes all", "src/sim/a.cc", SPDX + '#include "agent/a.h"\n#include "apps/b.h"\n'),
            ("header", "src/net/a.h", HEADER),
            ("words that are no codes", "src/cli/a.cc", SPDX + '// "ODD_CODE"\nauto a = "TYPE";\nauto b = "ODD_CODE and more";\n'),
            ("codes of a test", "src/net/a_test.cc", SPDX + 'auto a = "ODD_CODE";\n'),
            ("labelled sleep", "src/net/a_test.cc", SPDX + "// Label: realtime\nvoid F() { usleep(5); }\n"),
            ("words in comments and strings", "src/net/a.cc",
             SPDX + '// std::rand() { absl::Now()\nauto a = "std::cout {";\nauto b = R"(usleep(1) {)";\n'),
            ("a long table", "src/net/a.cc", SPDX + table),
            ("digit separators", "src/net/a.cc", SPDX + "int a = 1'000'000;\nint F() { return '{'; }\n"),
            ("a method named sleep", "src/net/a.cc", SPDX + "void F() { clock.sleep(1); }\n"),
            ("clock in base", "src/base/a.cc", SPDX + "auto t = absl::Now();\n"),
            ("70 lines", "src/net/a.cc", SPDX + "int F() {\n" + "  g();\n" * 68 + "}\n"),
            ("script", "scripts/a", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"),
        ]
        for name, path, text in cases:
            with self.subTest(name):
                self.assertEqual(Breaches(path, text), [])


    def test_codes_that_are_documented_pass(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in (("src/net/a.cc", SPDX + 'auto a = "ODD_CODE";\n'), ("docs/OPERATING.md", "| `ODD_CODE` |\n")):
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as opened:
                    opened.write(text)
            self.assertEqual(tidy.Check(root), [])


if __name__ == "__main__":
    unittest.main()
