#!/usr/bin/env python3
"""Shows that tools/tidy.py goes red: a small clean tree, and one fault at a time put into it."""

import pathlib
import shutil
import tempfile
import unittest

import tidy

RULES = pathlib.Path(__file__).parent / "layers.toml"

CLEAN = {
    "src/core/README.md": "# core\n\nValues. Begin with `core/units.h`.\n",
    "src/core/CMakeLists.txt": "# Files.\ntrilith_folder(core SOURCES units.cc TESTS units_test.cc)\n",
    "src/core/units.h": "// Quantities.\n#pragma once\n\nnamespace core {\nint two();\n}\n",
    "src/core/units.cc": '#include "core/units.h"\n\nnamespace core {\n\nint two() { return 2; }\n\n}\n',
    "src/core/units_test.cc": '// Units.\n#include <doctest/doctest.h>\n\n#include "core/units.h"\n',
    "src/net/README.md": "# net\n",
    "src/net/CMakeLists.txt": "# The files.\ntrilith_folder(net\n    SOURCES address.cc\n    LINKS core)\n",
    "src/net/address.h": '// An address.\n#pragma once\n\n#include "core/units.h"\n',
    "src/net/address.cc": '#include "net/address.h"\n',
    "ARCHITECTURE.md": "The way: `src/net/address.cc`, then `core/units`.\n",
}


class TidyTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        rules = RULES.read_text().split("[[allow]]")[0]
        self.write("tools/layers.toml", rules)
        for name, text in CLEAN.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add(self, name, text):
        """Appends to a file of the tree."""
        self.write(name, (self.root / name).read_text() + text)

    def assert_found(self, place, words):
        """Exactly one finding, at that place, with these words."""
        errors = tidy.check(self.root)
        self.assertEqual(len(errors), 1, errors)
        self.assertTrue(errors[0].startswith(f"{place}: error: "), errors)
        self.assertIn(words, errors[0])
        self.assertIn(", use ", errors[0])

    def test_a_clean_tree_has_no_findings(self):
        self.assertEqual(tidy.check(self.root), [])

    def test_an_include_that_runs_upward_is_found(self):
        self.add("src/core/units.cc", '#include "net/address.h"\n')
        self.assert_found("src/core/units.cc:8", "core includes net")

    def add_room(self, path, text):
        """A header of src/node, which another includes: no finding by itself."""
        self.write("src/node/README.md", "# node\n")
        self.write(f"src/node/{path}", f"// A thing.\n#pragma once\n{text}")

    def test_a_room_that_includes_a_higher_one_is_found(self):
        self.add_room("verbs/ask.h", '\n#include "node/config/file.h"\n')
        self.add_room("config/file.h", '\n#include "node/verbs/ask.h"\n')
        self.assert_found("src/node/config/file.h:4", "config includes verbs")

    def test_a_file_in_no_room_is_found(self):
        self.add_room("config/file.h", '\n#include "node/stray.h"\n')
        self.add_room("stray.h", '\n#include "core/units.h"\n')
        self.add_room("up/view.h", '\n#include "node/config/file.h"\n#include "node/up/view.h"\n')
        self.assert_found("src/node/stray.h:1", "is no room")

    def test_a_tier_does_not_include_its_neighbour(self):
        self.write("src/http/README.md", "# http\n")
        self.write("src/http/CMakeLists.txt", "# The files.\ntrilith_folder(http SOURCES head.cc)\n")
        self.write("src/http/head.cc", '// A head.\n#include "upstream/pick.h"\n')
        self.write("src/upstream/README.md", "# upstream\n")
        self.write("src/upstream/pick.h", "// A pick.\n#pragma once\n")
        self.assert_found("src/http/head.cc:2", "http includes upstream")

    def test_a_link_that_runs_upward_is_found(self):
        self.write("src/core/CMakeLists.txt", CLEAN["src/core/CMakeLists.txt"].replace(")", " LINKS net)"))
        self.assert_found("src/core/CMakeLists.txt:1", "core links net")

    def test_an_include_of_no_header_is_found(self):
        self.add("src/net/address.cc", '#include "units.h"\n')
        self.assert_found("src/net/address.cc:2", "not a header of src/")

    def test_doctest_in_the_program_is_found(self):
        self.add("src/net/address.cc", "#include <doctest/doctest.h>\n")
        self.assert_found("src/net/address.cc:2", "doctest")

    def test_banned_words_are_found_in_code(self):
        for code, words in {
            "std::thread worker;": "std::thread",
            "std::mutex lock;": "std::mutex",
            "std::shared_ptr<int> p;": "shared ownership",
            "throw 1;": "throw",
            "int* p = new int;": "new",
            "delete p;": "delete",
            "usleep(1);": "a sleep",
            "std::this_thread::sleep_for(1s);": "a sleep",
            "int x = rand();": "randomness",
            "auto t = std::chrono::steady_clock::now();": "clock",
            "int fd = ::socket(1, 2, 3);": "runtime::Os",
            "#include <iostream>": "iostream",
            "#include <regex>": "regex",
            'std::printf("x");': "printf",
            "// TODO: later": "TODO",
            "// FIXME": "FIXME",
        }.items():
            with self.subTest(code):
                self.write("src/net/address.cc", CLEAN["src/net/address.cc"] + code + "\n")
                self.assert_found("src/net/address.cc:2", words)

    def test_banned_words_in_comments_strings_and_near_words_are_not_found(self):
        for code in (
            "// throw, delete and new are words",
            'auto text = "throw new std::mutex";',
            'auto text = R"(delete p;)";',
            "Address(const Address&) = delete;",
            "auto news = renew(1'000'000);",
            "new (place) Address;",
            "return std::unique_ptr<Address>(new Address(host));",
            "std::unique_ptr<Address> address(new Address(host));",
            "void operator delete(void* p);",
            "co_await reactor.sleep_for(duration);",
            "auto t = reactor.now();",
            "#include <new>",
        ):
            with self.subTest(code):
                self.write("src/net/address.cc", CLEAN["src/net/address.cc"] + code + "\n")
                self.assertEqual(tidy.check(self.root), [])

    def test_a_sleep_in_an_integration_test_is_found(self):
        self.write("test/integration/test_x.py", '"""A test."""\nimport time\n\ntime.sleep(1)\n')
        self.assert_found("test/integration/test_x.py:4", "a sleep")

    def test_a_long_function_is_found_and_a_long_namespace_is_not(self):
        lines = "    two();\n" * 69
        self.add("src/net/address.cc", "namespace net {\n\nint fits() {\n" + lines[:-11] + "}\n\n}\n")
        self.assertEqual(tidy.check(self.root), [])
        self.add("src/net/address.cc", "\nint Address::host(\n    int a\n) const {\n" + lines + "}\n")
        self.assert_found("src/net/address.cc:77", "a function of 73 lines")

    def test_the_ratchet_holds_a_size_and_only_goes_down(self):
        lines = "    two();\n" * 80
        self.add("src/net/address.cc", "\nvoid long_one() {\n" + lines + "}\n")
        self.write("tools/tidy_ratchet.toml", '"src/net/address.cc function" = 82\n')
        self.assertEqual(tidy.check(self.root), [])
        self.write("tools/tidy_ratchet.toml", '"src/net/address.cc function" = 81\n')
        self.assert_found("src/net/address.cc:3", "a function of 82 lines")
        self.write("tools/tidy_ratchet.toml", '"src/net/address.cc function" = 90\n')
        self.assert_found("tools/tidy_ratchet.toml:1", "is now 82")

    def test_long_files_and_headers_are_found(self):
        self.add("src/net/address.h", "\n" * 250)
        self.assert_found("src/net/address.h:1", "254 lines")
        self.write("src/net/address.h", CLEAN["src/net/address.h"])
        self.add("src/net/address.cc", "\n" * 600)
        self.write("tools/tidy_ratchet.toml", '"src/net/address.cc" = 601\n')
        self.assertTrue(any("more than 600" in error for error in tidy.check(self.root)))

    def test_a_long_line_is_found(self):
        self.add("src/net/address.cc", "// " + "x" * 108 + "\n")
        self.assert_found("src/net/address.cc:2", "111 columns")

    def test_a_file_without_its_sentence_is_found(self):
        self.write("src/net/address.h", "#pragma once\n")
        self.assert_found("src/net/address.h:1", "what the file is for")

    def test_a_header_without_guard_is_found(self):
        self.write("src/net/address.h", "// An address.\n")
        self.assert_found("src/net/address.h:1", "no guard")

    def test_dead_files_are_found(self):
        self.write("src/net/address_parser.cc", "// Not in the list: only its name begins like one.\n")
        self.assert_found("src/net/address_parser.cc:1", "no CMakeLists.txt lists")
        (self.root / "src/net/address_parser.cc").unlink()
        self.write("src/net/unused.h", "// Nobody includes it.\n#pragma once\n")
        self.assert_found("src/net/unused.h:1", "nothing includes")

    def test_a_folder_without_readme_is_found(self):
        (self.root / "src/net/README.md").unlink()
        self.assert_found("src/net/README.md:1", "missing")

    def test_a_folder_without_floor_is_found(self):
        self.write("src/attic/README.md", "# attic\n")
        self.write("src/attic/old.h", '// Old.\n#pragma once\n#include "attic/old.h"\n')
        self.assert_found("src/attic/old.h:1", "no floor")

    def test_a_dumping_ground_is_found(self):
        self.write("src/net/net_utils.h", "// Anything.\n#pragma once\n")
        self.add("src/net/address.cc", '#include "net/net_utils.h"\n')
        self.assert_found("src/net/net_utils.h:1", "says nothing")

    def test_paths_of_documents_that_are_not_there_are_found(self):
        for text in ("`src/net/adress.cc`", "`net/adress`", "[it](src/net/adress.cc)"):
            with self.subTest(text):
                self.write("ARCHITECTURE.md", f"See {text}.\n")
                self.assert_found("ARCHITECTURE.md:1", "is not there")

    def test_an_exception_needs_a_use_and_a_reason(self):
        entry = '\n[[allow]]\nfile = "src/net/address.cc"\nrule = "throw"\nreason = "why"\n'
        self.add("tools/layers.toml", entry)
        self.assert_found("tools/layers.toml:1", "excepts nothing")
        self.add("src/net/address.cc", "throw 1;\n")
        self.assertEqual(tidy.check(self.root), [])
        text = (self.root / "tools/layers.toml").read_text()
        self.write("tools/layers.toml", text.replace('reason = "why"\n', ""))
        self.assert_found("tools/layers.toml:1", "has no reason")


if __name__ == "__main__":
    unittest.main()
