#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps the rules of docs/ARCHITECTURE.md and docs/HACKING.md that a compiler does not.

Usage: tidy.py [repository]. Prints `path:line: message` for each breach; exits 1 when there is one.
"""
import os
import re
import sys

# The folders of src/, highest first. An include goes down this list, never up and never around.
ORDER = ["apps", "api", "cli", "signals", "engine", "warm", "service", "store", "ipam", "plan", "forecast", "agent", "client",
         "net", "base"]
# What a folder must never know although it is lower. The server and the host agent share client, net and base alone.
NEVER = {
    "api": {"store", "plan", "forecast", "agent"},
    "cli": {"store", "ipam", "agent"},
    "signals": {"store", "ipam", "agent"},
    "engine": {"store", "agent"},
    "warm": {"plan", "forecast", "agent"},
    "service": {"plan", "forecast", "agent"},
    "store": {"plan", "forecast", "agent", "client"},
    "ipam": {"plan", "forecast", "agent", "client"},
    "plan": {"agent", "client", "net"},
    "forecast": {"agent", "client", "net"},
}
WHOLE_SYSTEM = {"sim", "testing"}  # may use every folder; of the others, only tests use them
BAD_FOLDERS = {"common", "util", "utils", "misc", "helper", "helpers"}
SKIPPED_FOLDERS = {".git", "build", "__pycache__"}

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 70
LABEL_LINES = 20  # a `// Label: name` among this many first lines marks a test that may use the real clock

SPDX = "SPDX-License-Identifier: Apache-2.0"
PURE = {"ipam", "plan", "forecast"}
PURE_HEADERS = re.compile(r"<(thread|mutex|shared_mutex|atomic|fstream|iostream)>|[<\"]spdlog/")

# Pattern, what is wrong with it, and the places where it is right.
BANNED = [
    (re.compile(r"\b(?:std::rand|std::srand|(?<![:.>\w])s?rand)\s*\("), "use <random> with a seed that is given", lambda f: False),
    (re.compile(r"(?<![\w.>])(?:::)?(?:sleep|usleep|nanosleep)\s*\(|\bthis_thread::sleep_(?:for|until)\b|\babsl::SleepFor\b"),
     "sleeps only in a labelled test", lambda f: f.labelled),
    (re.compile(r"\bsystem_clock\b|\babsl::Now\s*\("), "the wall clock is read in base/ alone: use a Clock",
     lambda f: f.folder == "base" or f.labelled),
    (re.compile(r"\bstd::cout\b"), "std::cout only in cli/ and apps/", lambda f: f.folder in ("cli", "apps")),
    (re.compile(r"\busing\s+namespace\b"), "no using namespace in a header", lambda f: not f.path.endswith(".h")),
    (re.compile(r"\bspdlog::"), "the core does not log", lambda f: f.folder not in PURE),
]

# Comments, raw strings, strings and character literals, for Blank(). A ' inside a number is a digit separator.
LITERALS = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
                      re.DOTALL)
CONTAINER = re.compile(r"(?:inline\s+)?(?:namespace|class|struct|union|enum)\b|extern\s*\"")


class SourceFile:
    """One C++ file under src/, as text, as lines, and with its comments and literals blanked."""

    def __init__(self, path, text):
        self.path = path  # from the repository's root, as src/net/ip.h
        self.text = text
        self.lines = text.splitlines()
        self.code = Blank(text)
        parts = path.split("/")
        self.folder = parts[1] if len(parts) > 2 else ""
        self.is_test = path.endswith("_test.cc")
        self.is_product = not re.search(r"_(test|bench|fuzz)\.cc$", path)
        self.labelled = self.is_test and any(line.startswith("// Label: ") for line in self.lines[:LABEL_LINES])


def Blank(text):
    """The text with comments emptied and literals replaced by "", each line on its own number."""

    def Replace(match):
        newlines = "\n" * match.group().count("\n")
        return newlines if match.group().startswith(("//", "/*")) else '""' + newlines

    return LITERALS.sub(Replace, text)


def Allowed(folder, target):
    if folder == target or folder in WHOLE_SYSTEM:
        return True
    if folder not in ORDER or target not in ORDER:
        return False
    return ORDER.index(target) > ORDER.index(folder) and target not in NEVER.get(folder, set())


def CheckIncludes(file, folders):
    for number, line in enumerate(file.lines, 1):
        if not re.match(r"\s*#\s*include\b", line):
            continue
        if file.folder in PURE and file.is_product and PURE_HEADERS.search(line):
            yield number, f"{file.folder}/ is pure: no threads, no I/O, no logs"
        match = re.search(r'"([^"]+)"', line)
        if not match:
            continue
        target, slash, _ = match.group(1).partition("/")
        if not slash or target in (".", ".."):
            yield number, f'write the include from src/: "{file.folder}/{os.path.basename(match.group(1))}"'
        elif target in WHOLE_SYSTEM and file.is_test:
            continue
        elif target in folders and not Allowed(file.folder, target):
            yield number, f"{file.folder}/ must not include {target}/ (see docs/ARCHITECTURE.md)"


def CheckBanned(file):
    for number, line in enumerate(file.code.splitlines(), 1):
        for pattern, message, exempt in BANNED:
            if pattern.search(line) and not exempt(file):
                yield number, message


def CheckHeader(file):
    if not file.path.endswith(".h"):
        return
    if "#pragma once" not in file.lines:
        yield 1, "no #pragma once"
    first = ""
    for line in file.lines[1:]:
        if not line.startswith("//"):
            break
        if line == "//":
            if first:
                break
            continue
        first += " " + line[2:].strip()
    if not re.match(r" \S.*\.( |$)", first):
        yield 2, "no first sentence that says what this is"


def WithoutPreprocessor(code):
    """Empties preprocessor lines, continued ones too: their braces need not match."""
    out, continued = [], False
    for line in code.split("\n"):
        directive = continued or line.lstrip().startswith("#")
        continued = directive and line.endswith("\\")
        out.append("" if directive else line)
    return "\n".join(out)


def OpensFunction(head):
    """Whether `head`, the text between the last ; { } and a {, begins a function rather than a type or a value."""
    head = re.sub(r"^template\s*<[^()]*?>\s*(?=\w)", "", head)
    if "(" not in head or CONTAINER.match(head):
        return False
    before_parenthesis = head[:head.index("(")]
    return "operator" in before_parenthesis or "=" not in before_parenthesis


def InMemberInitializers(head):
    """Whether a { after `head` initializes a member, as in `A() : b_{1}`."""
    return re.search(r"\)\s*(?:noexcept\s*)?:[^:].*[\w>]$", head, re.DOTALL) is not None


def CheckFunctions(file):
    """A heuristic over braces: good enough for code that clang-format has laid out."""
    head, head_line, line = "", 0, 1
    skip_until = None  # the depth at which a function's or value's closing brace is met
    start, depth, keep_head = 0, 0, False
    for char in WithoutPreprocessor(file.code):
        if char == "\n":
            line += 1
        if char == "{":
            depth += 1
            if skip_until is None:
                stripped = head.strip()
                keep_head = InMemberInitializers(stripped)
                if keep_head or not CONTAINER.match(re.sub(r"^template\s*<.*?>\s*", "", stripped)):
                    skip_until = depth - 1
                    start = head_line if not keep_head and OpensFunction(stripped) else 0
                else:
                    head = ""
        elif char == "}":
            depth -= 1
            if skip_until == depth:
                skip_until = None
                if start and line - start + 1 > MAX_FUNCTION_LINES:
                    yield start, f"function of {line - start + 1} lines; at most {MAX_FUNCTION_LINES}"
                head = head + "}" if keep_head else ""
            elif skip_until is None:
                head = ""
        elif skip_until is None:
            if char == ";":
                head = ""
            elif head or not char.isspace():
                head_line = head_line if head else line
                head += char
                if re.fullmatch(r"\s*(public|private|protected)\s*:", head):
                    head = ""


def CheckText(path, lines):
    """What holds for every text file that carries code: its licence and its size."""
    if len(lines) > MAX_FILE_LINES:
        yield len(lines), f"{len(lines)} lines; at most {MAX_FILE_LINES}"
    first = lines[1] if lines and lines[0].startswith("#!") and len(lines) > 1 else (lines[0] if lines else "")
    if SPDX not in first:
        yield 1, f"the first line is not {SPDX}"


def IsCode(path):
    name = os.path.basename(path)
    return (path.endswith((".h", ".cc", ".py", ".cmake", ".proto", ".js", ".css", ".sh"))
            or name == "CMakeLists.txt" or path.startswith("scripts/") or path == ".ci/run")


def CheckCodes(file, documented):
    """Error codes, and variables of the environment, which are written alike, that OPERATING.md does not tell of."""
    if not file.is_product or file.folder in WHOLE_SYSTEM:
        return
    for match in LITERALS.finditer(file.text):
        code = re.fullmatch(r'"([A-Z][A-Z0-9]*((?:_[A-Z0-9]+)*))"', match.group())
        if not code or code.group(1) in documented:
            continue
        if code.group(2) or re.search(r"StatusCode::k\w+,\s*$", file.text[:match.start()][-80:]):
            yield file.text.count("\n", 0, match.start()) + 1, f"{code.group(1)} is not in docs/OPERATING.md"


def Documented(root):
    """All that stands as `THIS` in OPERATING.md."""
    path = os.path.join(root, "docs", "OPERATING.md")
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as opened:
        return set(re.findall(r"`([A-Z][A-Z0-9_]*)`", opened.read()))


def Check(root):
    """All breaches under `root`, as (path, line, message), in order of path and line."""
    found = []
    src = os.path.join(root, "src")
    folders = {name for name in os.listdir(src) if os.path.isdir(os.path.join(src, name))} if os.path.isdir(src) else set()
    folders |= set(ORDER) | WHOLE_SYSTEM
    documented = Documented(root)
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED_FOLDERS)
        relative = os.path.relpath(directory, root).replace(os.sep, "/")
        if os.path.basename(directory) in BAD_FOLDERS and relative != ".":
            found.append((relative, 1, "a folder's name says what is in it: not common, util, misc or helpers"))
        for name in sorted(files):
            path = name if relative == "." else f"{relative}/{name}"
            if not IsCode(path):
                continue
            with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as opened:
                text = opened.read()
            found += [(path, *breach) for breach in CheckText(path, text.splitlines())]
            if path.startswith("src/") and path.endswith((".h", ".cc")):
                file = SourceFile(path, text)
                if file.folder not in set(ORDER) | WHOLE_SYSTEM:
                    found.append((path, 1, "its folder is not in the table of docs/ARCHITECTURE.md"))
                for breaches in (CheckIncludes(file, folders), CheckBanned(file), CheckHeader(file), CheckFunctions(file),
                                 CheckCodes(file, documented)):
                    found += [(path, *breach) for breach in breaches]
    return sorted(found)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    found = Check(os.path.normpath(root))
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
