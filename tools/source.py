"""What the checks share: which files there are, and C without its comments and literals."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def files(*suffixes):
    """Files of the project (committed or about to be), as paths relative to ROOT."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], check=True, stdout=subprocess.PIPE, text=True)
    paths = sorted(Path(name) for name in set(listed.stdout.split("\0")) if name)
    return [p for p in paths if (not suffixes or p.suffix in suffixes) and (ROOT / p).is_file()]


def is_test(path):
    """Whether a C file is part of the tests: unit tests, what they share, fuzzers, bench/."""
    return (path.parts[0] in ("tests", "bench") or path.stem in ("test", "harness")
            or path.stem.endswith("_test"))


def text(path):
    return (ROOT / path).read_bytes().decode("utf-8")


LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.DOTALL)
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|' + LITERAL.pattern, re.DOTALL)


def without(source, literals=False):
    """C without comments, and perhaps without the insides of literals; lines stay where they are."""
    def replace(match):
        found = match.group()
        if found[0] in "\"'":
            return found[0] * 2 if literals else found
        return " " + "\n" * found.count("\n")
    return TOKEN.sub(replace, source)


def line_of(source, offset):
    return source.count("\n", 0, offset) + 1


def report(faults):
    """Print the faults and end: 0 when there are none."""
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
