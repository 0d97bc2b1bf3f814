"""A real server for tests, and someone to talk to it.

    with fettle.Server(engine="postgres") as server:
        admin = server.admin()
        reply = admin.post("/api/v1/incident", {"title": "Printer on fire", ...})
        assert reply.status == 201 and reply.json["number"] == "INC-1"
        server.move_clock(days=5)

Every server has a folder of its own below the system's temporary folder and a free port; with
engine "postgres" it also has a database of its own, made in TEST_POSTGRES and dropped at the end.
Nothing is left behind. The first administrator comes by the link that the server prints, as for
anybody else.

What is found in the environment: TEST_BUILD (build-test), TEST_SOURCE, TEST_POSTGRES, and
TEST_PRISM, the program of a proxy (npm @stoplight/prism-cli) that stands between the tests and the
server and compares every answer with the server's own OpenAPI document; an answer that is not as
described is a failure.
"""
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

SOURCE = Path(os.environ.get("TEST_SOURCE") or Path(__file__).resolve().parents[2])
BUILD = Path(os.environ.get("TEST_BUILD") or SOURCE / "build-test")
POSTGRES = os.environ.get("TEST_POSTGRES", "")
ENGINES = ("sqlite", "postgres") if POSTGRES else ("sqlite",)
PASSWORD = "correct horse battery"


def direct(test):
    """A test that no proxy may stand in, for it is about bytes that a proxy would change."""
    test.is_direct = True
    return test


# What sanitizers and our own assertions leave in the log.
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer",
           "runtime error: ", "fettle: bug at ", "Assertion `")


class Failed(AssertionError):
    """An answer that was not the expected one."""


class Reply:
    """What came back: status, headers (names in lower case), body; json when it is JSON."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {}
        for name, value in headers:
            self.headers.setdefault(name.lower(), value)
        self.all_headers = [(name.lower(), value) for name, value in headers]
        self.body = body
        self.json = None
        if "json" in self.headers.get("content-type", "") and body:
            self.json = json.loads(body)

    @property
    def etag(self):
        return self.headers.get("etag")

    def __getitem__(self, name):
        return self.json[name]

    def __repr__(self):
        return f"<{self.status} {self.body[:2000]!r}>"

    def expect(self, status, code=None):
        """This reply, if it has that status (and problem code)."""
        if self.status != status or (code and self.json.get("code") != code):
            raise Failed(f"expected {status} {code or ''}, got {self!r}")
        return self


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Client:
    """Somebody who calls the API: by token, by a session's cookie, over the local socket (who runs
    the server may do everything there), or nobody."""

    def __init__(self, server, token=None, is_local=False):
        self.server = server
        self.is_local = is_local
        self.token = token
        self.cookie = None
        self.csrf = None
        self.id = None  # of the person, where it is known
        self.local = threading.local()

    def connection(self):
        at = getattr(self.local, "connection", None)
        if at is None or self.local.port != self.server.port:
            at = (LocalConnection(self.server.data / "fettle.sock") if self.is_local else
                  http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30))
            self.local.connection, self.local.port = at, self.server.port
        return at

    def headers(self, more):
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            headers["Cookie"] = self.cookie
        if self.csrf:
            headers["X-CSRF-Token"] = self.csrf
        headers.update(more or {})
        return {name: value for name, value in headers.items() if value is not None}

    def exchange(self, method, path, body, headers):
        connection = self.connection()
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        reply = Reply(answer.status, answer.getheaders(), answer.read())
        check_description(method, path, reply)
        return reply

    def request(self, method, path, body=None, headers=None):
        """body: JSON when it is not bytes. A header that is None is left out."""
        headers = self.headers(headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        try:
            return self.exchange(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError,
                http.client.CannotSendRequest):
            self.local.connection = None  # it was idle for too long
            return self.exchange(method, path, body, headers)

    def get(self, path, headers=None, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self.request("GET", path, None, headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def patch(self, path, body, etag="*", headers=None):
        return self.request("PATCH", path, body, {"If-Match": etag, **(headers or {})})

    def put(self, path, body=None, headers=None):
        return self.request("PUT", path, body, headers)

    def delete(self, path, headers=None):
        return self.request("DELETE", path, None, headers)

    # What tests do all the time.

    def create(self, process, **fields):
        return self.post(f"/api/v1/{process}", fields).expect(201)

    def record(self, process, number, **query):
        return self.get(f"/api/v1/{process}/{number}", **query).expect(200)

    def act(self, process, number, action, etag="*", **fields):
        """The reply, whatever it is."""
        return self.post(f"/api/v1/{process}/{number}/actions/{action}", fields,
                         {"If-Match": etag})

    def sign_in(self, login, password=PASSWORD):
        """From now on by the cookie of a session."""
        self.token = self.cookie = self.csrf = None
        reply = self.post("/api/v1/session", {"login": login, "password": password}).expect(200)
        self.cookie = reply.headers["set-cookie"].split(";")[0]
        self.csrf = reply["csrf_token"]
        self.id = reply["id"]
        return self

    def listen(self, after=None, timeout=10):
        return Listener(self, after, timeout)


def check_description(method, path, reply):
    """What the validating proxy found wrong with the answer. (What it finds wrong with requests is
    what many tests are about.)"""
    found = json.loads(reply.headers.get("sl-violations", "[]"))
    wrong = [v for v in found if v["location"][0] == "response" and v["severity"] == "Error"]
    if wrong:
        raise Failed(f"{method} {path}: the answer is not as described: {wrong}\n{reply!r}")


class Listener:
    """Server-sent events: next() gives one as (id, event, data)."""

    def __init__(self, client, after, timeout):
        headers = client.headers({"Accept": "text/event-stream",
                                  "Last-Event-ID": None if after is None else str(after)})
        self.connection = http.client.HTTPConnection("127.0.0.1", client.server.own_port,
                                                     timeout=timeout)
        self.connection.request("GET", "/api/v1/events/stream", headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def next(self):
        """None at the end of the stream; comments are skipped."""
        found = {}
        while True:
            line = self.answer.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(":")
                found[name] = value.removeprefix(" ")
            elif found.get("data"):
                return found.get("id"), found.get("event"), json.loads(found["data"])

    def close(self):
        self.connection.close()


class Server:
    """One running server; stopped and removed at the end of the with statement."""

    def __init__(self, engine="sqlite", settings=None, processes=None, start=True):
        self.engine = engine
        self.folder = Path(tempfile.mkdtemp(prefix="fettle-test-"))
        self.settings = {"processes": str(processes or SOURCE / "process"),
                         "http.listen": "127.0.0.1:0", "http.secure_cookies": "false",
                         "test.clock": "true", "rate_limit": "1000000", **(settings or {})}
        self.database = None
        self.process = None
        self.proxy = None
        self.port = 0      # where clients go: the server's own, or the proxy's
        self.own_port = 0
        self.setup_secret = None
        self.administrator = None
        self.tokens = {}
        if engine == "postgres":
            self.make_database()
        if start:
            self.start()

    # ---- life --------------------------------------------------------------------------------

    def make_database(self):
        self.database = "fettle_" + secrets.token_hex(6)
        psql(POSTGRES, f"CREATE DATABASE {self.database} ENCODING 'UTF8' TEMPLATE template0")
        url = urllib.parse.urlsplit(POSTGRES)
        self.settings["database"] = url._replace(path="/" + self.database).geturl()

    @property
    def data(self):
        return self.folder / "data"

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def command(self, *words):
        """The program with the settings of this server."""
        return [str(BUILD / "fettle"), *words, f"--data={self.data}",
                *(f"--{name}={value}" for name, value in self.settings.items())]

    def launch(self):
        """Begin to start, without waiting for it."""
        out = self.folder / "out"
        out.write_bytes(b"")
        with open(out, "ab") as stdout, open(self.folder / "log", "ab") as stderr:
            self.process = subprocess.Popen(self.command("serve"), stdout=stdout, stderr=stderr,
                                            stdin=subprocess.DEVNULL, cwd=self.folder)

    def start(self):
        self.launch()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            text = (self.folder / "out").read_text()
            if "fettle answers on " in text and text.endswith("\n"):
                return self.read_start(text)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Failed(f"the server did not start:\n{self.log}")

    def read_start(self, text):
        for line in text.splitlines():
            if line.startswith("fettle answers on "):
                self.port = self.own_port = urllib.parse.urlsplit(line.split()[-1]).port
            if "#setup=" in line:
                self.setup_secret = line.split("#setup=")[1].strip()
        if os.environ.get("TEST_PRISM"):
            self.start_proxy()

    def start_proxy(self):
        document = self.folder / "openapi.json"
        document.write_bytes(self.nobody().get("/api/v1/openapi.json").expect(200).body)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with open(self.folder / "proxy", "wb") as log:
            self.proxy = subprocess.Popen(
                [os.environ["TEST_PRISM"], "proxy", str(document), f"http://127.0.0.1:{self.port}",
                 "--port", str(port), "--cors", "false", "-v", "warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.proxy.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    self.port = port
                    return
            time.sleep(0.05)
        raise Failed("the proxy did not start: " + (self.folder / "proxy").read_text())

    def stop_proxy(self):
        if self.proxy:
            self.proxy.terminate()
            self.proxy.wait()
            self.proxy = None

    def stop(self, how=signal.SIGTERM):
        """The exit code; None when it did not run."""
        self.stop_proxy()
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed("the server did not stop within 20 s") from None

    def restart(self, how=signal.SIGTERM):
        self.stop(how)
        self.start()

    def check_end(self, code):
        """Nothing went wrong that no answer told of."""
        log = self.log if code is not None else ""
        at = min((log.find(r) for r in REPORTS if r in log), default=-1)
        if at >= 0:
            raise Failed(f"the server reported:\n{log[max(0, at - 200):at + 6000]}")
        if code:
            raise Failed(f"the server ended with {code}:\n{log[-3000:]}")

    def remove(self):
        try:
            self.check_end(self.stop())
        finally:
            if self.database:
                self.drop_database()
            shutil.rmtree(self.folder, ignore_errors=True)

    def drop_database(self):
        """Not at once while PostgreSQL's own housekeeping is in it, which only it may end."""
        for attempt in range(20):
            try:
                psql(POSTGRES, f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
                break
            except subprocess.CalledProcessError:
                if attempt == 19:
                    raise
                time.sleep(0.5)
        self.database = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    # ---- who ---------------------------------------------------------------------------------

    def nobody(self):
        return Client(self)

    def admin(self):
        """The first administrator ("admin", of the organisation "Home"), by a token."""
        if not self.administrator:
            made = self.nobody().post("/api/v1/setup", {
                "secret": self.setup_secret, "organisation": "Home", "name": "The Admin",
                "login": "admin", "password": PASSWORD}).expect(201)
            self.administrator = self.token_client(made["person"]["id"])
        return self.administrator

    def operator(self):
        """Who runs the server, on its local socket."""
        return Client(self, is_local=True)

    def token_client(self, person, scopes="read write"):
        """Somebody who exists, by id, with a token that never expires (the clock may move)."""
        made = self.operator().post(f"/api/v1/people/{person}/tokens",
                                    {"name": "test", "scopes": scopes}).expect(201)
        client = Client(self, made["token"])
        client.id = person
        return client

    def home(self):
        """Id of the first administrator's organisation."""
        return self.admin().get("/api/v1/me").expect(200)["organisation"]["id"]

    def organisation(self, name, **more):
        return self.admin().post("/api/v1/organisations", {"name": name, **more}).expect(201)["id"]

    def group(self, name, organisation=None, members=(), **more):
        body = {"name": name, "organisation": organisation or self.home(), **more}
        group = self.admin().post("/api/v1/groups", body).expect(201)["id"]
        for person in members:
            self.admin().put(f"/api/v1/groups/{group}/members/{person}").expect(204)
        return group

    def person(self, login, *roles, organisation=None, groups=(), password=None, **more):
        """A new person with these roles (held everywhere), as a client by token. groups: ids.
        Passwords cost time, so there is none unless given."""
        admin = self.admin()
        made = admin.post("/api/v1/people", {
            "login": login, "name": login.capitalize(), "email": f"{login}@example.org",
            "organisation": organisation or self.home(), "password": password,
            **more}).expect(201)
        for role in roles:
            admin.post("/api/v1/role-grants", {"person": made["id"], "role": role}).expect(201)
        for group in groups:
            admin.put(f"/api/v1/groups/{group}/members/{made['id']}").expect(204)
        return self.token_client(made["id"])

    # ---- time --------------------------------------------------------------------------------

    def move_clock(self, seconds=0, minutes=0, hours=0, days=0, to=None):
        """Move the clock and run what became due; the new instant."""
        body = {"to": to} if to else {
            "by_seconds": int(seconds + 60 * minutes + 3600 * hours + 86400 * days)}
        return self.nobody().post("/api/v1/test/clock", body).expect(200)["now"]


def psql(url, statement):
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement],
                   check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


class Tap:
    """Runs functions as tests and prints TAP:

        tap = Tap()
        @tap.test("a record is created")
        def _(): ...
        tap.end()
    """

    def __init__(self):
        self.count = 0
        self.failed = 0

    def line(self, word, name, suffix=""):
        self.count += 1
        print(f"{word} {self.count} - {name}{suffix}", flush=True)

    def run(self, name, fn, *args):
        import traceback
        try:
            fn(*args)
        except Exception:  # a test may fail in any way; the others go on
            self.failed += 1
            self.line("not ok", name)
            for text in traceback.format_exc().splitlines():
                print("# " + text)
            return False
        self.line("ok", name)
        return True

    def skip(self, name, reason):
        self.line("ok", name, f" # SKIP {reason}")

    def end(self):
        print(f"1..{self.count}", flush=True)
        raise SystemExit(1 if self.failed else 0)
