#!/usr/bin/env python3
"""Checks what a compiler does not: include arrows, banned words, sizes, dead files, paths in documents.

Usage: tools/tidy.py [ROOT]. Rules: tools/layers.toml; sizes that may only shrink: tools/tidy_ratchet.toml.
Prints one line per finding, `file:line: error: X, use Y`, and ends with 1 where there is any.
"""

import pathlib
import re
import sys
import tomllib

CODE = (".cc", ".h")
DUMPING_GROUNDS = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "types"}


class Tree:
    """The files of one tree, the rules, and what was found."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.rules = tomllib.loads((self.root / "tools/layers.toml").read_text())
        ratchet = self.root / "tools/tidy_ratchet.toml"
        self.ratchet = tomllib.loads(ratchet.read_text()) if ratchet.exists() else {}
        self.used_ratchet = set()
        self.used_allowances = set()
        self.errors = []
        sources = [path for path in self.find("src", "test") if path.suffix in CODE]
        self.code = {self.name(path): path.read_text() for path in sources}
        self.headers = {name for name in self.code if name.endswith(".h")}

    def find(self, *folders):
        """Every file below the folders, without what builds and runs leave behind."""
        for folder in folders:
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield path

    def name(self, path):
        return path.relative_to(self.root).as_posix()

    def error(self, name, line, what, use):
        self.errors.append(f"{name}:{line}: error: {what}, use {use}")

    def is_allowed(self, name, rule):
        for index, allowance in enumerate(self.rules.get("allow", [])):
            if allowance["file"] == name and allowance["rule"] == rule:
                self.used_allowances.add(index)
                return True
        return False


def blank(text, keep_comments=False):
    """The text with strings (and comments) replaced by spaces: lines and columns stay where they are."""
    raw_string = r'R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"'
    pattern = r"//[^\n]*|/\*.*?\*/|" + raw_string + r'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''

    def replace(match):
        piece = match.group()
        if piece.startswith(("//", "/*")) and keep_comments:
            return piece
        if piece.startswith("'") and re.search(r"[0-9a-fA-F]$", text[: match.start()][-1:]):
            return piece  # a digit separator, 1'000'000
        return spaces(piece)

    return re.sub(pattern, replace, text, flags=re.DOTALL)


def spaces(piece):
    return re.sub(r"[^\n]", " ", piece)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def folder_of(name):
    """`core` for src/core/units.h, `main` for src/main.cc, `test` for test/…"""
    parts = name.split("/")
    if parts[0] != "src":
        return "test"
    return parts[1] if len(parts) > 2 else pathlib.PurePath(name).stem


def is_test(name):
    return name.startswith("test/") or name.endswith(("_test.cc", "_fuzz.cc"))


def check_includes(tree):
    layers = tree.rules["layers"]
    for name, text in tree.code.items():
        folder = folder_of(name)
        if folder != "test" and folder not in layers:
            tree.error(name, 1, f"the folder {folder} has no floor", "a line in tools/layers.toml")
            continue
        for match in re.finditer(r'^#include ([<"])([^>"]+)[>"]', text, re.MULTILINE):
            line = line_of(text, match.start())
            if match[1] == "<":
                check_third_party(tree, name, line, match[2])
            else:
                check_own_include(tree, name, line, match[2], layers)


def check_own_include(tree, name, line, target, layers):
    folder = folder_of(name)
    beside = (pathlib.PurePath(name).parent / target).as_posix()
    if folder == "test" and (beside in tree.headers or f"test/{target}" in tree.headers):
        return
    if f"src/{target}" not in tree.headers:
        tree.error(name, line, f'"{target}" is not a header of src/', 'its path from src/, "core/units.h"')
        return
    used = target.split("/")[0]
    if folder != "test" and used != folder and used not in layers[folder]:
        allowed = ", ".join(layers[folder]) or "nothing"
        tree.error(name, line, f"{folder} includes {used}: an arrow that does not run downward", allowed)
    if used == folder and folder in tree.rules.get("rooms", {}):
        check_rooms(tree, name, line, f"src/{target}")


def check_rooms(tree, name, line, target):
    rooms = tree.rules["rooms"][folder_of(name)]
    own, used = (path.split("/")[2] for path in (name, target))
    for path, room in ((name, own), (target, used)):
        if room not in rooms:
            tree.error(path, 1, f"{room} is no room of its folder", "a line under [rooms] in tools/layers.toml")
            return
    if rooms.index(used) > rooms.index(own):
        allowed = ", ".join(rooms[: rooms.index(own)]) or "nothing"
        tree.error(name, line, f"{own} includes {used}: an arrow that does not run downward", allowed)


def check_third_party(tree, name, line, target):
    if target.startswith("doctest/"):
        if not is_test(name):
            tree.error(name, line, f"<{target}> in the program", "it in unit tests alone")
        return
    for prefix, places in tree.rules.get("third_party", {}).items():
        if target.startswith(prefix) and not name.startswith(tuple(places)):
            tree.error(name, line, f"<{target}> here", "it in " + ", ".join(places))


def check_links(tree):
    """The link lists of CMake say the same as the floors."""
    for folder, below in tree.rules["layers"].items():
        path = tree.root / "src" / folder / "CMakeLists.txt"
        if not path.exists():
            continue
        match = re.search(r"\bLINKS\b([^)]*)", path.read_text())
        for link in match[1].split() if match else []:
            if link in tree.rules["layers"] and link not in below:
                tree.error(tree.name(path), 1, f"{folder} links {link}", ", ".join(below) or "nothing")


def check_banned_words(tree):
    for name, text in tree.code.items():
        code, commented = blank(text), blank(text, keep_comments=True)
        for rule in tree.rules.get("banned", []):
            if name.startswith(tuple(rule.get("allowed", []))) or (rule.get("tests") and is_test(name)):
                continue
            searched = commented if rule.get("comments") else code
            if "#include" not in rule["pattern"]:
                searched = re.sub(r"^#include.*", "", searched, flags=re.MULTILINE)
            for match in re.finditer(rule["pattern"], searched):
                if not tree.is_allowed(name, rule["name"]):
                    tree.error(name, line_of(searched, match.start()), rule["name"], rule["use"])


def check_python_sleeps(tree):
    for path in tree.find("test"):
        name = tree.name(path)
        if path.suffix != ".py":
            continue
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if re.search(r"\btime\.sleep\(|from time import .*\bsleep\b", line.split("#")[0]):
                if not tree.is_allowed(name, "a sleep"):
                    tree.error(name, number, "a sleep", "a wait on the condition with a deadline")


def functions(text):
    """(first line, lines) of each function that stands in a namespace or class; lambdas belong to theirs."""
    code = re.sub(r"^#(?:.*\\\n)*.*", lambda found: spaces(found.group()), blank(text), flags=re.MULTILINE)
    scopes, start = [], 0
    for match in re.finditer(r"[{};]", code):
        character, at = match.group(), match.start()
        if character == "{":
            head = code[start:at]
            is_scope = re.search(r"\b(namespace|class|struct|union|enum|extern)\b", head.split("(")[0])
            is_function = not is_scope and ")" in head and "=" not in head.split("(")[0]
            inside_function = any(kind == "function" for kind, _ in scopes)
            kind = "function" if is_function and not inside_function else "scope" if is_scope else "other"
            scopes.append((kind, start + len(head) - len(head.lstrip())))
        elif character == "}" and scopes:
            kind, first = scopes.pop()
            if kind == "function":
                yield line_of(code, first), code.count("\n", first, at) + 1
        if not any(kind == "function" for kind, _ in scopes):
            start = at + 1


def check_sizes(tree):
    sizes = tree.rules["sizes"]
    for name, text in tree.code.items():
        lines = text.count("\n")
        limit = sizes["header"] if name.endswith(".h") else sizes["test" if is_test(name) else "file"]
        if lines > sizes["file_hard"]:
            tree.error(name, 1, f"{lines} lines: more than {sizes['file_hard']}", "two files by concept")
        elif not is_within(tree, name, lines, limit):
            tree.error(name, 1, f"{lines} lines: more than {limit}", "two files by concept")
        line, longest = max(functions(text), key=lambda found: found[1], default=(1, 0))
        if not is_within(tree, f"{name} function", longest, sizes["function"]):
            what = f"a function of {longest} lines: more than {sizes['function']}"
            tree.error(name, line, what, "smaller ones, each one step")


def is_within(tree, key, size, limit):
    """Whether the size is under its limit, or exactly what the ratchet holds: an entry only ever shrinks."""
    held = tree.ratchet.get(key)
    if held is None:
        return size <= limit
    tree.used_ratchet.add(key)
    if size <= limit:
        tree.error("tools/tidy_ratchet.toml", 1, f'"{key}" is within its limit', "no entry for it")
    elif size < held:
        tree.error("tools/tidy_ratchet.toml", 1, f'"{key}" is now {size}, not {held}', f"{size}")
    return size <= held


def check_lines(tree):
    columns = tree.rules["sizes"]["columns"]
    for path in tree.find("src", "test", "tools", "cmake", "bench", "examples", "scripts", ".ci"):
        name = tree.name(path)
        has_code_suffix = path.suffix in CODE + (".py", ".cmake", ".sh") or path.name == "CMakeLists.txt"
        if "/results/" in name or not (has_code_suffix or is_script(path)):
            continue
        text = path.read_text()
        for number, line in enumerate(text.split("\n"), 1):
            limit = tree.rules["sizes"]["columns_python"] if name.endswith(".py") else columns
            if len(line) > limit and not tree.is_allowed(name, "columns"):
                tree.error(name, number, f"{len(line)} columns: more than {limit}", "two lines")
        check_first_line(tree, name, text)


def is_script(path):
    with path.open("rb") as file:
        return path.suffix == "" and file.read(2) == b"#!"


def check_first_line(tree, name, text):
    """A comment says what the file is for. A .cc file may begin with its own header, which says it."""
    lines = text.split("\n")
    if lines[0].startswith("#!"):
        lines = lines[1:]
    first = lines[0] if lines else ""
    own_header = '#include "' + name.removeprefix("src/").removesuffix(".cc") + '.h"'
    own_name = f'#include "{pathlib.PurePath(name).stem}.h"'
    opening = ("//",) if name.endswith(CODE) else ("#", '"""', 'r"""')
    if not first.startswith(opening) and first not in (own_header, own_name):
        tree.error(name, 1, "no first line that says what the file is for", "a comment of one sentence")
    if name.endswith(".h") and "#pragma once" not in text:
        tree.error(name, 1, "no guard", "#pragma once")


def check_files(tree):
    """Every source is in its folder's list, every header is included, every folder has its README."""
    included = set(re.findall(r'#include "([^"]+)"', "\n".join(tree.code.values())))
    for name in tree.code:
        path = pathlib.PurePath(name)
        if set(path.stem.split("_")) & DUMPING_GROUNDS:
            tree.error(name, 1, f"{path.name} says nothing of its contents", "the name of its concept")
        spellings = {name.removeprefix("src/"), name.removeprefix("test/"), path.name}
        if name.endswith(".h") and not spellings & included:
            tree.error(name, 1, "a header that nothing includes", "it or remove it")
        if name.endswith(".cc") and not is_listed(tree, path):
            tree.error(name, 1, "a source that no CMakeLists.txt lists", "trilith_folder()'s lists")
    for folder in sorted((tree.root / "src").iterdir()):
        if folder.is_dir() and not (folder / "README.md").exists():
            lines = "ten lines: what it is, who may include it, where to start"
            tree.error(f"src/{folder.name}/README.md", 1, "missing", lines)


def is_listed(tree, path):
    """Whether the nearest CMakeLists.txt at or above the file's folder names it."""
    for folder in path.parents:
        listing = tree.root / folder / "CMakeLists.txt"
        if listing.exists():
            relative = re.escape(path.relative_to(folder).as_posix())
            return re.search(rf"(?<![\w/]){relative}\b", listing.read_text()) is not None
    return False


def check_document_paths(tree):
    """A path in backticks or a link of a document is there. Paths start at the root or, for code, at src/."""
    tops = "src|test|tools|scripts|docs|bench|examples|cmake|fuzz|packaging"
    layers = "|".join(tree.rules["layers"])
    documents = [tree.root / "README.md", tree.root / "ARCHITECTURE.md"]
    documents += tree.find("docs", "src", "bench", "test", "examples")
    for path in documents:
        if path.suffix != ".md" or not path.exists() or "/results/" in path.as_posix():
            continue
        for number, line in enumerate(path.read_text().split("\n"), 1):
            for found in re.findall(r"`([^`\s]+)`|\]\(([^)#\s]+)[)#]", line):
                target = (found[0] or found[1]).rstrip("/.,:")
                if re.fullmatch(rf"({tops})/[\w./-]+", target) and not exists(tree, path, target, ("",)):
                    tree.error(tree.name(path), number, f"{target} is not there", "a path that is")
                elif re.fullmatch(rf"({layers})/[a-z][\w./]*", target):
                    if not exists(tree, path, f"src/{target}", ("", ".h", ".cc")):
                        tree.error(tree.name(path), number, f"{target} is not there", "a path that is")


def exists(tree, document, target, endings):
    places = (tree.root, document.parent)
    return any((place / (target + end)).exists() for place in places for end in endings)


def check_unused_entries(tree):
    """An exception that excepts nothing is itself a finding, so that the lists shrink."""
    for index, allowance in enumerate(tree.rules.get("allow", [])):
        if index not in tree.used_allowances:
            what = f"the exception of {allowance['file']} from \"{allowance['rule']}\" excepts nothing"
            tree.error("tools/layers.toml", 1, what, "no entry for it")
        if not allowance.get("reason"):
            tree.error("tools/layers.toml", 1, f"the exception of {allowance['file']} has no reason", "one")
    for key in tree.ratchet:
        if key not in tree.used_ratchet:
            tree.error("tools/tidy_ratchet.toml", 1, f'"{key}" is not there', "no entry for it")


CHECKS = (
    check_includes,
    check_links,
    check_banned_words,
    check_python_sleeps,
    check_sizes,
    check_lines,
    check_files,
    check_document_paths,
    check_unused_entries,
)


def check(root):
    """Every finding of the tree at `root`, a line each."""
    tree = Tree(root)
    for one in CHECKS:
        one(tree)
    return tree.errors


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    errors = check(root)
    for error in errors:
        print(error)
    print(f"tidy: {len(errors)} findings" if errors else "tidy: nothing found")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
