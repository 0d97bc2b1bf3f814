#!/usr/bin/python3
"""The product from outside: each scenario against a server of its own, on both engines.

    tests/scenario.py [--engine sqlite|postgres] [--verbose] [NAME...]

A scenario is tests/scenario/NAME.yaml, a list of steps done one after the other:

    - about: The caller reports that nothing prints      what the next steps show; for messages
      as: anna                    who sends: a login of bed.yaml, admin, or nobody; it stays so
      post: /api/v1/incident      get, post, patch, put, delete: a path below the server
      headers: {If-Match: '"1"'}
      file: text                  instead of a body: the bytes of an upload
      body: {title: Printer on fire, impact: minor, urgency: low}
      expect: {status: 201, number: INC-1, caller.name: Anna}
      save: {id: id}              members of the answer by name, for {id} in later steps
    - do: INC-1 resolve           the same as posting `with` to that action of the record
      with: {closure_code: solved, resolution: Replaced fuser}
    - record: INC-1               the record as the administrator sees it
      expect: {state: resolved}
    - clock: +5 working days      moves the server's clock: also +2 h, +1 day, or an instant
    - record: INC-1
      expect: {state: closed}     asked again for some seconds, for what jobs do takes its time

`expect` names members of the answer by dotted path (data.0.number, data.-1.action) and what they
must be: a value; null for null or missing; or {contains: x}, {matches: regex}, {not: x}, {count: n},
{any: true}, {least: n}, {most: n}. Besides members there are status, header.NAME and text, the body
as it is. Without a status, anything below 400 will do. `{name}` in a path, body or expectation is
what was saved; a text that is only "{name}" keeps the type.

Each scenario begins on Monday 2035-01-08 at 09:00 in Paris with the people of bed.yaml, who are made
once per engine over the API and copied. What is found in the environment is in lib/fettle.py.
Prints TAP.
"""
import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import fettle

FOLDER = fettle.SOURCE / "tests/scenario"
BEGIN = datetime(2035, 1, 8, 9, 0, tzinfo=ZoneInfo("Europe/Paris"))
JOBS_TIMEOUT_S = 10
METHODS = ("get", "post", "patch", "put", "delete")
STEP_KEYS = {"about", "as", "do", "with", "record", "clock", "headers", "body", "file", "expect",
             "save",
             *METHODS}


class Wrong(Exception):
    """What a scenario or a server did wrong."""


class Loader(yaml.SafeLoader):
    """Dates stay the texts they are, and a key cannot be given twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(map(str, keys))):
            raise Wrong(f"line {node.start_mark.line + 1}: a key twice")
        return super().construct_mapping(node, deep=deep)


Loader.yaml_implicit_resolvers = {
    first: [(tag, regex) for tag, regex in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def load(path):
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def prefixes():
    """INC: incident, ... as the process files say."""
    found = {}
    for path in (fettle.SOURCE / "process").glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        process = re.search(r"^process: *(\w+)", text, re.MULTILINE)
        number = re.search(r"^number: *([\w-]+)-\{n", text, re.MULTILINE)
        if process and number:
            found[number.group(1)] = process.group(1)
    return found


PREFIXES = prefixes()


# ---- the people who are there ----------------------------------------------------------------------


class Bed:
    """The people of bed.yaml in a database whose server has stopped, with a token for each."""

    def __init__(self, engine):
        self.server = fettle.Server(engine)
        self.lock = threading.Lock()
        self.ids = {}
        self.tokens = {}
        try:
            self.fill(load(FOLDER / "bed.yaml"))
            self.server.stop()
        except BaseException:
            self.server.remove()
            raise

    def fill(self, described):
        server = self.server
        self.tokens["admin"] = server.admin().token
        for name in described["organisations"]:
            self.ids[name] = server.organisation(name)
        for name, group in described["groups"].items():
            self.ids[name] = server.group(name, self.ids[group["organisation"]])
        for login, person in described["people"].items():
            self.tokens[login] = self.make_person(login, person).token

    def make_person(self, login, person):
        organisation = self.ids[person["organisation"]]
        made = self.server.person(login, organisation=organisation,
                                  groups=[self.ids[g] for g in person.get("groups", [])],
                                  language=person.get("language", "en"))
        for role in person.get("roles", []):
            self.server.admin().post("/api/v1/role-grants", {
                "person": made.id, "role": role, "organisation": organisation}).expect(201)
        return made


class Copy(fettle.Server):
    """A server on a copy of a bed."""

    def __init__(self, bed):
        self.bed = bed
        super().__init__(bed.server.engine, start=False)
        try:
            shutil.copytree(bed.server.data, self.data,
                            ignore=shutil.ignore_patterns("*.sock", "*.lock"))
            self.start()
        except BaseException:
            self.remove()
            raise

    def make_database(self):
        with self.bed.lock:
            name = f"{self.bed.server.database}_{id(self):x}"
            fettle.psql(fettle.POSTGRES, f"CREATE DATABASE {name} TEMPLATE "
                                         f"{self.bed.server.database}")
        self.database = name
        url = urllib.parse.urlsplit(fettle.POSTGRES)
        self.settings["database"] = url._replace(path="/" + name).geturl()


# ---- time -----------------------------------------------------------------------------------------


def work_days_later(now, count):
    """By the calendar `office` that the processes name: Monday to Friday, nine to five, in Paris."""
    there = now.astimezone(BEGIN.tzinfo)
    day = there.date()
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    moved = min(max(there.time(), datetime.min.replace(hour=9).time()),
                datetime.min.replace(hour=17).time())
    return datetime.combine(day, moved, BEGIN.tzinfo)


def later(now, text):
    if not text.startswith("+"):
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    match = re.fullmatch(r"\+(\d+) (working days?|days?|h|min|s)", text)
    if not match:
        raise Wrong(f"clock: {text} is none of +2 h, +1 day, +5 working days, an instant")
    count, unit = int(match.group(1)), match.group(2).rstrip("s") or "s"
    if unit == "working day":
        return work_days_later(now, count)
    seconds = {"day": 86400, "h": 3600, "min": 60, "s": 1}[unit]
    return now + timedelta(seconds=count * seconds)


# ---- steps ----------------------------------------------------------------------------------------


def member(value, path):
    """The member at a dotted path, or None; the whole at an empty one."""
    for name in path.split(".") if path else []:
        if isinstance(value, list) and re.fullmatch(r"-?\d+", name):
            value = value[int(name)] if -len(value) <= int(name) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(name)
        else:
            return None
    return value


RULES = {
    "contains": lambda is_, want: want in (is_ or ""),
    "matches": lambda is_, want: re.search(want, is_ or "") is not None,
    "not": lambda is_, want: not fits(is_, want),
    "count": lambda is_, want: len(is_ or []) == want,
    "any": lambda is_, want: (is_ is not None) == want,
    "least": lambda is_, want: is_ is not None and is_ >= want,
    "most": lambda is_, want: is_ is not None and is_ <= want,
}


def fits(is_, want):
    if isinstance(want, dict) and want and set(want) <= set(RULES):
        return all(RULES[name](is_, value) for name, value in want.items())
    return is_ == want


def found(reply, path):
    if path == "status":
        return reply.status
    if path == "text":
        return reply.body.decode(errors="replace")
    if path.startswith("header."):
        return reply.headers.get(path.partition(".")[2].lower())
    return member(reply.json, path)


def differences(reply, expect):
    """Sentences on what is not as expected."""
    wrong = []
    if "status" not in expect and reply.status >= 400:
        wrong.append(f"status is {reply.status}")
    for path, want in expect.items():
        is_ = found(reply, path)
        if not fits(is_, want):
            wrong.append(f"{path} is {json.dumps(is_)}, not {json.dumps(want)}")
    return wrong


def address(number):
    process = PREFIXES.get(number.rpartition("-")[0])
    if not process:
        raise Wrong(f"no process numbers its records as {number}")
    return f"/api/v1/{process}/{number}"


class Scenario:
    def __init__(self, server, tokens):
        self.clients = {login: fettle.Client(server, token) for login, token in tokens.items()}
        self.clients["nobody"] = server.nobody()
        self.server = server
        self.who = "admin"
        self.saved = {}

    def fill(self, value):
        """The value with what was saved in the places of its names."""
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\{(\w+)\}", value)
        if whole and whole.group(1) in self.saved:
            return self.saved[whole.group(1)]
        return re.sub(r"\{(\w+)\}", lambda m: str(self.saved.get(m.group(1), m.group(0))), value)

    def send(self, method, path, body=None, headers=None):
        if self.who not in self.clients:
            raise Wrong(f"bed.yaml knows no {self.who}")
        path = urllib.parse.quote(path, safe="/?&=%:,;@*()!~'")
        return self.clients[self.who].request(method, path, body, headers)

    def find(self, number):
        return self.clients["admin"].get(address(number))

    def act(self, step):
        number, action = step["do"].split()
        headers = {"If-Match": self.find(number).etag or "*", **step.get("headers", {})}
        return self.send("POST", f"{address(number)}/actions/{action}", step.get("with", {}),
                         headers)

    def request(self, step):
        if "do" in step:
            return self.act(step)
        if "record" in step:
            return self.find(step["record"])
        for method in METHODS:
            if method in step:
                body = step["file"].encode() if "file" in step else step.get("body")
                return self.send(method.upper(), step[method], body, step.get("headers"))
        return None

    def run_step(self, step):
        if unknown := set(step) - STEP_KEYS:
            raise Wrong(f"a step has no {', '.join(map(str, unknown))}")
        self.who = step.get("as", self.who)
        if "clock" in step:
            self.server.move_clock(to=later(self.now(), step["clock"]).isoformat())
        step = {k: v if k == "save" else self.fill(v) for k, v in step.items()}
        reply, expect = self.request(step), step.get("expect", {})
        if reply is None:
            return
        wrong = differences(reply, expect)
        deadline = time.monotonic() + JOBS_TIMEOUT_S
        while (wrong and reply.status < 400 and ("record" in step or "get" in step)
               and time.monotonic() < deadline):
            time.sleep(0.05)
            reply = self.request(step)
            wrong = differences(reply, expect)
        if wrong:
            raise Wrong("\n".join([*wrong, f"the answer: {reply!r}"]))
        for name, path in step.get("save", {}).items():
            self.saved[name] = found(reply, path)

    def now(self):
        return datetime.fromisoformat(self.server.move_clock().replace("Z", "+00:00"))

    def run(self, steps):
        about = ""
        for number, step in enumerate(steps, start=1):
            about = step.get("about", about)
            try:
                self.run_step(step)
            except (Wrong, AssertionError, OSError, ValueError, KeyError) as fault:
                what = next((f"{k} {step[k]}" for k in ("do", "record", *METHODS, "clock")
                             if k in step), "")
                raise Wrong(f"step {number} ({about}): {self.who}: {what}\n{fault}") from fault


def run_scenario(path, bed, verbose):
    """What went wrong, or None."""
    log = ""
    try:
        with Copy(bed) as server:
            try:
                server.move_clock(to=BEGIN.isoformat())
                Scenario(server, bed.tokens).run(load(path))
                if code := server.stop():
                    raise Wrong(f"the server ended with exit code {code}")
            except BaseException:
                server.stop()
                log = "\n".join(server.log.splitlines()[-60 if verbose else -10:])
                raise
    except (Wrong, AssertionError, yaml.YAMLError, OSError, subprocess.CalledProcessError) as fault:
        return f"{fault}\n---- the server's log\n{log}"
    return None


# ---- all of them ----------------------------------------------------------------------------------


def report(name, fault):
    print(f"{'not ok' if fault else 'ok'} - {name}")
    for line in (fault or "").splitlines():
        print(f"# {line}")
    sys.stdout.flush()
    return not fault


def run_engine(engine, paths, options):
    try:
        bed = Bed(engine)
    except (AssertionError, OSError, subprocess.CalledProcessError) as fault:
        return report(f"the people of bed.yaml ({engine})", str(fault))
    try:
        with ThreadPoolExecutor(options.jobs) as pool:
            runs = {path: pool.submit(run_scenario, path, bed, options.verbose) for path in paths}
            return all([report(f"{path.stem} ({engine})", run.result())
                        for path, run in runs.items()])
    finally:
        bed.server.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=("sqlite", "postgres"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="more of the server's log")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    paths = sorted(p for p in FOLDER.glob("*.yaml") if p.stem != "bed"
                   and (not options.names or p.stem in options.names))
    engines = [options.engine] if options.engine else fettle.ENGINES
    is_fine = all([run_engine(engine, paths, options) for engine in engines])
    if not options.engine and "postgres" not in engines:
        print("ok - scenarios on PostgreSQL # SKIP TEST_POSTGRES is not set")
    sys.exit(0 if paths and is_fine else 1)


if __name__ == "__main__":
    main()
