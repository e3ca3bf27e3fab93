#!/usr/bin/python3
"""House rules that a compiler does not know. Prints `file:line: rule: what` for each breach and ends with
1 if there was any. `lint.py --stats` prints the sizes of functions and the share of comments instead.

Environment: LINT_CC, the compiler and flags by which each header must compile alone."""

import os
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# ---- the rules -------------------------------------------------------------------------------------

# A folder may include its own headers and those of a lower rank; folders of one rank never meet.
RANK = {
    "msa/base": 0,
    "msa/mail": 1,
    "msa/config": 2,
    "msa/io": 3,
    "msa/ipc": 4,
    "msa/db": 4,
    "smtp": 5,
    "auth": 5,
    "policy": 5,
    "policy/score": 5,
    "policy/score/services": 5,
    "policy/score/classify": 5,
    "policy/score/content": 5,
    "relay": 5,
    "msa/console": 6,
    "msa/proc": 7,
    "msa/ctl": 8,
    "msa": 9,
}

# Header of a library: where it may be included, and in how many files at most.
LIBRARIES = {
    r"ev\.h": (r"msa/io/", None),
    r"openssl/(ssl|tls1)\.h": (r"msa/io/", None),
    r"lmdb\.h": (r"msa/db/", None),
    r"sasl/.*": (r"auth/", 1),
    r"maxminddb\.h": (r"policy/", 1),
    r"hiredis/.*": (r"policy/", 1),
    r"curl/.*": (r"msa/", 2),  # io, for what has a loop; ctl, for msactl, which has none
    r"ares\.h": (r"", 1),
    r"microhttpd\.h": (r"msa/console/", None),
    r"seccomp\.h": (r"msa/proc/", 1),
    r"linux/landlock\.h": (r"msa/proc/", 1),
    r"argon2\.h": (r"auth/", 1),
    r"crypt\.h": (r"auth/", 1),
    r"stringprep\.h": (r"", 1),
    r"idn2\.h": (r"", 1),
    r"libpsl\.h": (r"", 1),
    r"qrencode\.h": (r"auth/", 1),
}

BANNED = (
    "strcpy|stpcpy|strcat|strncat|sprintf|vsprintf|strtok|strtok_r|atoi|atol|atoll|atof|gets|scanf|"
    "sscanf|fscanf|alloca|rand|srand|tmpnam|tempnam|mktemp|gethostbyname|localtime|gmtime|asctime|ctime|"
    "setjmp|longjmp"
)

FILE_MAX_LINES = {".c": 600, ".h": 200, ".py": 600, ".sh": 200}
FUNCTION_MAX_LINES = 90
EVENTS_MD = "conf/EVENTS.md"
SECURITY_MD = "tests/SECURITY.md"
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")  # split, so that it does not find itself

# ---- the sources -----------------------------------------------------------------------------------

RULES = ("include", "layer", "library", "size", "banned", "typedef", "space", "guard", "unfinished",
         "header", "event", "security")
breaches = []
broken = set()


def breach(path, line, rule, what):
    assert rule in RULES
    broken.add(rule)
    breaches.append(f"{path}:{line}: {rule}: {what}")


def tracked(*suffixes):
    """Files of the repository, also new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True,
    ).stdout.splitlines()
    return sorted(f for f in set(listed) if f.endswith(suffixes) and os.path.isfile(f))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def blank(match):
    """The same text with everything but its line ends blanked, so that line numbers hold."""
    return re.sub(r"[^\n]", " ", match.group(0))


NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|("(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\')', re.S)


def without_comments(text):
    return COMMENT.sub(lambda m: m.group(0) if m.group(1) else blank(m), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def functions(text):
    """(name, first line, lines) of each function body, blank and comment lines included."""
    start = name = None
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"[A-Za-z_][^;={]*?(\w+)\(", line)
        if head and not line.startswith(("typedef", "#")) and not line.rstrip().endswith(";"):
            start, name = number, head.group(1)
        elif line.startswith("}"):
            if start:
                yield name, start, number - start + 1
            start = None


# ---- checks ----------------------------------------------------------------------------------------

def folder_of(path):
    folder = os.path.dirname(path)
    while folder and folder not in RANK:
        folder = os.path.dirname(folder)
    return folder


def may_include(user, used):
    if user == used or RANK[used] < RANK[user]:
        return True
    return (user, used) in (("policy/score", "policy"),  # one matter in two processes, one direction
                            ("policy/score", "policy/score/services"),
                            ("policy/score", "policy/score/classify"),
                            ("policy/score", "policy/score/content"),
                            ("policy/score/classify", "policy/score/content"))


def check_layers(path, text):
    user = folder_of(path)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', text, re.M):
        line, used = line_of(text, match.start()), folder_of(match.group(1))
        if not used or "/" not in match.group(1):
            breach(path, line, "include", f'write the path from the root: "{match.group(1)}"')
        elif not may_include(user, used):
            breach(path, line, "layer", f"{user} may not include {used}")


def check_libraries(sources):
    users = {pattern: [] for pattern in LIBRARIES}
    for path, text in sources.items():
        for match in re.finditer(r"^[ \t]*#[ \t]*include[ \t]+<([^>]+)>", text, re.M):
            for pattern, (where, _) in LIBRARIES.items():
                if not re.fullmatch(pattern, match.group(1)):
                    continue
                line = line_of(text, match.start())
                if path not in users[pattern]:
                    users[pattern].append(path)
                if not path.startswith(where):
                    breach(path, line, "library", f"<{match.group(1)}> belongs to {where}")
    for pattern, (_, most) in LIBRARIES.items():
        if most and len(users[pattern]) > most:
            breach(users[pattern][-1], 1, "library",
                   f"<{pattern}> in {len(users[pattern])} files, at most {most}: {users[pattern]}")


def check_sizes(path, text):
    most = FILE_MAX_LINES[os.path.splitext(path)[1]]
    lines = text.count("\n")
    if lines > most:
        breach(path, most, "size", f"{lines} lines, at most {most}")
    if path.endswith(".c"):
        for name, start, length in functions(text):
            if length > FUNCTION_MAX_LINES:
                breach(path, start, "size", f"{name}: {length} lines, at most {FUNCTION_MAX_LINES}")


def check_code(path, text):
    code = NOT_CODE.sub(blank, text)
    for match in re.finditer(rf"(?<![\w.>])({BANNED})\s*\(", code):
        breach(path, line_of(code, match.start()), "banned", match.group(1))
    for match in re.finditer(r"^typedef\b[^;]*;", code, re.M):
        if not re.search(r"\b\w+_fn\b", match.group(0)):
            breach(path, line_of(code, match.start()), "typedef", "only function types, named *_fn")
    for match in re.finditer(r"[^\n]*[ \t]\n", text):
        breach(path, line_of(text, match.start()), "space", "blanks at the end of the line")


def check_guard(path, text):
    want = re.sub(r"\W", "_", path).upper()
    if not re.search(rf"^#ifndef {want}\n#define {want}$", text, re.M):
        breach(path, 1, "guard", f"the include guard is to be {want}")


def check_unfinished():
    for path in tracked(".c", ".h", ".def", ".py", ".sh", ".mk", ".md", ".conf", "Makefile", ".ci/run"):
        for number, line in enumerate(read(path).splitlines(), 1):
            if UNFINISHED.search(line) or re.match(r"(<{7}|>{7})( |$)", line):
                breach(path, number, "unfinished", line.strip())


def check_headers_alone(headers):
    compiler = shlex.split(os.environ.get("LINT_CC", "gcc -std=c11 -I. -D_GNU_SOURCE"))

    def compile_alone(path):
        run = subprocess.run(
            [*compiler, "-fsyntax-only", "-Wno-unused-function", "-x", "c", "-include", path, "/dev/null"],
            capture_output=True, text=True, check=False,
        )
        return path, run.returncode, run.stderr

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, code, stderr in pool.map(compile_alone, headers):
            if code != 0:
                breach(path, 1, "header", f"does not compile alone:\n{stderr}")


EVENT_IN_CODE = re.compile(
    r'LOG_LEVEL_(DEBUG|INFO|WARN|ERROR),\s*(?:"([^"]*)"|[^"(),;]*\?\s*"([^"]*)"\s*:\s*"([^"]*)")')


def events_of(sources):
    """event -> (path, line, set of levels) over all code; the level counts where it is a literal."""
    found = {}
    for path, text in sources.items():
        for match in EVENT_IN_CODE.finditer(without_comments(text)):
            for event in filter(None, match.groups()[1:]):
                place = found.setdefault(event, (path, line_of(text, match.start()), set()))
                place[2].add(match.group(1).lower())
    return found


def check_events(sources):
    table, in_table = {}, False
    for number, line in enumerate(read(EVENTS_MD).splitlines(), 1):
        in_table = line.startswith("| event |") or in_table and line.startswith("|")
        row = re.match(r"\| `([a-z0-9-]+)` \| ([a-z, ]+) \|[^|]*\|[^|]+\|$", line)
        if row:
            if row.group(1) in table:
                breach(EVENTS_MD, number, "event", f"{row.group(1)} stands here twice")
            table[row.group(1)] = (number, set(row.group(2).replace(",", " ").split()))
        elif in_table and line.startswith("| `"):
            breach(EVENTS_MD, number, "event", "a row is: | `event` | level | keys | meaning |")
    code = events_of(sources)
    for event, (path, line, levels) in code.items():
        if event not in table:
            breach(path, line, "event", f"{event} is not in {EVENTS_MD}")
        elif not levels <= table[event][1]:
            breach(EVENTS_MD, table[event][0], "event", f"{event} is logged as {sorted(levels)}")
    for event, (number, _) in table.items():
        if event not in code:
            breach(EVENTS_MD, number, "event", f"{event} is in no source")


def names_of_tests():
    """Every name by which tests/SECURITY.md may call a test."""
    names = set()
    for path in tracked(".c", ".py", ".dlg", ".mk"):
        base = os.path.basename(path)
        if path.startswith("tests/unit/"):
            names.update(f"{suite}/{test}" for suite, test in re.findall(r"^Test\((\w+),\s*(\w+)", read(path), re.M))
        elif path.startswith("tests/dialog/"):
            names.add(path.removeprefix("tests/dialog/"))
        elif path.startswith("tests/fuzz/"):
            names.add(base.removesuffix(".c"))
        elif path.startswith("tests/integ/test_"):
            for case, body in re.findall(r"^class (\w+).*?:\n((?:(?: .*)?\n)*)", read(path), re.M):
                names.update(f"{base[:-3]}.{case}.{test}" for test in re.findall(r"^    def (test_\w+)", body, re.M))
        elif path.endswith(".mk"):
            names.update(f"make {target}" for target in re.findall(r"^([\w-]+):", read(path), re.M))
    return names


def check_security():
    tests = names_of_tests()
    for number, line in enumerate(read(SECURITY_MD).splitlines(), 1):
        row = re.match(r"\| ([A-J]\d+) \|[^|]+\|([^|]*)\|$", line)
        if not row:
            continue
        named = re.findall(r"`([^`]+)`", row.group(2))
        if not named:
            breach(SECURITY_MD, number, "security", f"{row.group(1)} names no test")
        for name in named:
            if name not in tests:
                breach(SECURITY_MD, number, "security", f"{name} is no test")


# ---- what the budget says --------------------------------------------------------------------------

def print_stats(sources):
    lengths = sorted(n for path, text in sources.items() if path.endswith(".c")
                     for _, _, n in functions(text))
    total = sum(text.count("\n") for text in sources.values())
    comments = sum(m.group(0).count("\n") + 1 for text in sources.values()
                   for m in COMMENT.finditer(text) if not m.group(1))
    at = lambda share: lengths[int(share * (len(lengths) - 1))]
    print(f"{len(sources)} files, {total} lines, comments {100 * comments // total} %; "
          f"{len(lengths)} functions: median {at(0.5)}, p90 {at(0.9)}, longest {lengths[-1]} lines")


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/../..")
    everything = {path: read(path) for path in tracked(".c", ".h", ".py", ".sh")}
    code = {path: text for path, text in everything.items() if path.endswith((".c", ".h"))}
    product = {path: text for path, text in code.items() if not path.startswith("tests/")}
    if "--stats" in sys.argv[1:]:
        print_stats(product)
        return 0
    for path, text in everything.items():
        check_sizes(path, text)
    for path, text in code.items():
        check_code(path, text)
    for path, text in product.items():
        check_layers(path, text)
        if path.endswith(".h"):
            check_guard(path, text)
    check_libraries(product)
    check_unfinished()
    check_headers_alone([path for path in code if path.endswith(".h")])
    check_events(product)
    check_security()
    for line in breaches:
        print(line)
    print(f"{len(everything)} files, {len(breaches)} breaches")
    print(f"lint: {len(RULES) - len(broken)} passed, {len(broken)} failed")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
