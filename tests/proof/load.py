"""A mixed load over HTTP, and the log of everything that was acknowledged.

Several clients work on the same records at once, as a service desk does: create, edit, act, reply,
note, attach, link, add tasks. Each request carries a text of its own, so that one can ask later
whether what it did is there. Most carry an Idempotency-Key: those whose answer never came are sent
again after the crash, and must then have happened exactly once.
"""
import hashlib
import http.client
import json
import random
import secrets
import threading

ACTIONS = {
    "take": {},
    "categorise": {"category": "software", "impact": "moderate", "urgency": "high"},
    "ask_user": {"comment": None},
    "user_replied": {"comment": None},
    "open_problem": {},
    "resolve": {"closure_code": "solved", "resolution": None},
    "reopen": {"comment": None},
    "confirm": {"comment": None},
    "cancel": {"cancel_reason": "mistake", "comment": None},
}
# What may be answered while others work on the same record, and what must not come at all.
REFUSALS = (404, 409, 412, 422)


class Entry:
    """One request: what it was, and what came back (status None: nothing)."""

    def __init__(self, kind, method, path, body, text, number=None, action=None, headers=None):
        self.kind, self.method, self.path, self.body = kind, method, path, body
        self.text, self.number, self.action = text, number, action
        self.headers = headers or {}
        self.status = None
        self.json = None
        self.revision = 0

    def __repr__(self):
        return f"{self.kind} {self.method} {self.path} -> {self.status} {self.json}"


class Load:
    """start(), then end() once the server is gone; entries then holds everything."""

    def __init__(self, port, tokens, numbers, seed, clients=8):
        self.port, self.tokens = port, tokens
        self.numbers = numbers  # of incidents that exist; shared, grows
        self.entries, self.faults = [], []
        self.is_over = False
        self.threads = [threading.Thread(target=self.run, args=(seed * 100 + i,), daemon=True)
                        for i in range(clients)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join(20)
        return self

    # ---- what is sent ------------------------------------------------------------------------

    def choose(self, dice):
        kind = dice.choices(("create", "edit", "act", "reply", "note", "attach", "link", "task",
                             "watch"), (30, 12, 24, 12, 6, 10, 6, 6, 4))[0]
        if len(self.numbers) < 3:
            kind = "create"
        number = dice.choice(self.numbers[-40:]) if kind != "create" else None
        text = "t" + secrets.token_hex(8)
        return getattr(self, kind)(dice, f"/api/v1/incident/{number}", number, text)

    def create(self, dice, path, number, text):
        body = {"title": f"Printer {text} on fire", "description": "It **burns**",
                "impact": dice.choice(("minor", "moderate", "significant")), "urgency": "low"}
        return Entry("create", "POST", "/api/v1/incident", body, text)

    def edit(self, dice, path, number, text):
        return Entry("edit", "PATCH", path, {"service": text}, text, number)

    def act(self, dice, path, number, text):
        action = dice.choice(list(ACTIONS))
        body = {name: value or text for name, value in ACTIONS[action].items()}
        return Entry("act", "POST", f"{path}/actions/{action}", body, text, number, action)

    def reply(self, dice, path, number, text):
        return Entry("reply", "POST", f"{path}/replies", {"text": text}, text, number)

    def note(self, dice, path, number, text):
        return Entry("note", "POST", f"{path}/notes", {"text": text}, text, number)

    def attach(self, dice, path, number, text):
        size = dice.choice((1, 100, 5000, 70000))
        return Entry("attach", "POST", f"{path}/attachments?name={text}.bin",
                     text.encode() + dice.randbytes(size), text, number)

    def link(self, dice, path, number, text):
        other = dice.choice(self.numbers)
        kind = dice.choice(("relates_to", "caused_by", "duplicates"))
        return Entry("link", "POST", f"{path}/links", {"kind": kind, "record": other}, other,
                     number, kind)

    def task(self, dice, path, number, text):
        return Entry("task", "POST", "/api/v1/task",
                     {"title": f"Task {text}", "parent": number}, text, number)

    def watch(self, dice, path, number, text):
        return Entry("watch", "POST", f"{path}/watchers", {}, text, number)

    # ---- sending -----------------------------------------------------------------------------

    def run(self, seed):
        dice = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self.is_over:
            entry = self.choose(dice)
            entry.headers["Authorization"] = f"Bearer {dice.choice(self.tokens)}"
            if entry.kind != "attach":
                entry.headers["Idempotency-Key"] = secrets.token_hex(12)
            self.entries.append(entry)
            try:
                send(connection, entry)
            except (OSError, http.client.HTTPException) as fault:
                if not self.is_over:
                    self.faults.append(f"{entry!r}: {fault!r}")
                return
            if entry.status > 299 and entry.status not in REFUSALS:
                self.faults.append(repr(entry))
            if entry.kind == "create" and entry.status == 201:
                self.numbers.append(entry.json["number"])
        connection.close()


def send(connection, entry):
    is_file = isinstance(entry.body, bytes)
    body = entry.body if is_file else json.dumps(entry.body).encode()
    headers = dict(entry.headers)
    headers["Content-Type"] = "application/octet-stream" if is_file else "application/json"
    if entry.kind in ("edit", "act"):
        headers["If-Match"] = "*"
    connection.request(entry.method, entry.path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    entry.json = json.loads(content) if content else None
    entry.revision = int((answer.getheader("ETag") or '"0"').strip('"'))
    entry.status = answer.status


def send_again(port, entries):
    """Those whose answer never came, once more with the same key."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for entry in entries:
        send(connection, entry)
    connection.close()


# ---- what must be there afterwards ---------------------------------------------------------------

def attachment_faults(client, path, entry):
    wanted = hashlib.sha256(entry.body).hexdigest()
    found = [a for a in client.get(f"{path}/attachments").expect(200)["data"]
             if a["name"] == entry.text + ".bin"]
    if len(found) != 1 or found[0]["sha256"] != wanted or found[0]["size"] != len(entry.body):
        return [f"{entry!r}: listed as {found}"]
    got = client.get(f"/api/v1/attachments/{found[0]['id']}").expect(200)
    if got.body != entry.body:
        return [f"{entry!r}: {len(got.body)} other bytes"]
    return []


class Seen:
    """A record and its whole history, read once."""

    def __init__(self, client, process, number):
        self.path = f"/api/v1/{process}/{number}"
        reply = client.get(self.path)
        self.is_there = reply.status == 200
        self.record = reply.json
        self.events, after = [], {}
        while self.is_there:
            page = client.get(f"{self.path}/history", limit=500, **after).expect(200)["data"]
            self.events += page
            if len(page) < 500:
                break
            after = {"after": page[-1]["id"]}


def did(entry, event):
    """Whether this event is what the entry asked for."""
    if entry.kind == "edit":
        return any(c["field"] == "service" and c["after"] == entry.text
                   for c in event.get("changes") or ())
    return entry.text in (event.get("text"), event.get("note"),
                          event.get("attached", "").removesuffix(".bin"))


def entry_faults(client, entry, seen):
    """What is not as it was acknowledged."""
    if not seen.is_there:
        return [f"{entry!r}: there is no such record"]
    faults = []
    if seen.record["revision"] < entry.revision:
        faults.append(f"{entry!r}: revision {entry.revision} fell to {seen.record['revision']}")
    if entry.kind == "create" and entry.text not in seen.record["title"]:
        faults.append(f"{entry!r}: has the title {seen.record['title']}")
    if entry.kind == "act":
        revisions = {e["revision"]: e.get("action") for e in seen.events}
        if revisions.get(entry.revision) != entry.action:
            faults.append(f"{entry!r}: that revision came by {revisions.get(entry.revision)}")
    elif entry.kind == "link":
        links = client.get(f"{seen.path}/links").expect(200)["data"]
        if not any(k["number"] == entry.text and k["kind"] == entry.action for k in links):
            faults.append(f"{entry!r}: not among {links}")
    elif entry.kind in ("edit", "reply", "note", "attach"):
        times = sum(did(entry, event) for event in seen.events)
        if times != 1:
            faults.append(f"{entry!r}: happened {times} times")
    if entry.kind == "attach":
        faults += attachment_faults(client, seen.path, entry)
    return faults


def all_faults(client, entries):
    """Everything acknowledged is there, once."""
    seen, faults = {}, []
    for entry in entries:
        if entry.status is None or entry.status > 299:
            continue
        where = (("incident", entry.json["number"]) if entry.kind == "create" else
                 ("task", entry.json["number"]) if entry.kind == "task" else
                 ("incident", entry.number))
        if where not in seen:
            seen[where] = Seen(client, *where)
        faults += entry_faults(client, entry, seen[where])
    return faults
