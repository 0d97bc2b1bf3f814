"""Many at once: each function runs against a server (or two) and says what is wrong by failing."""
import http.client
import json
import random
import secrets
import signal
import threading
import time
from collections import Counter

import fettle
import inside

BODY = {"title": "Printer on fire", "impact": "minor", "urgency": "low"}


def crowd(count, fn):
    """fn(i) for each i, all beginning at the same moment; the results in order."""
    barrier, results, faults = threading.Barrier(count), [None] * count, []

    def run(i):
        barrier.wait()
        try:
            results[i] = fn(i)
        except Exception as fault:  # whatever it is, it belongs into the main thread
            faults.append(fault)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return results


def agents(server, count):
    """Clients of their own, each somebody else."""
    made = server.__dict__.setdefault("crowd", [])
    while len(made) < count:
        made.append(server.person(f"agent-{len(made)}", "agent", "problem_manager"))
    return made[:count]


def check(server):
    with inside.look(server) as database:
        faults = database.faults()
    assert not faults, "\n".join(faults)


# ---- one record ----------------------------------------------------------------------------------

def claims(server, count, rounds):
    """Everybody takes the same record; one gets it. Half of the rounds say which revision they saw."""
    people, seen = agents(server, count), Counter()
    numbers = [people[0].create("incident", **BODY)["number"] for _ in range(rounds)]
    barrier = threading.Barrier(count)

    def claim(i):
        got = []
        for n, number in enumerate(numbers):
            barrier.wait()
            reply = people[i].act("incident", number, "take", etag='"1"' if n % 2 else "*")
            got.append((reply.status, reply.json.get("assignee")))
        return got
    by_person = crowd(count, claim)
    for n, number in enumerate(numbers):
        statuses = Counter(got[n][0] for got in by_person)
        seen += statuses
        winner = [i for i, got in enumerate(by_person) if got[n][0] == 200]
        assert len(winner) == 1 and set(statuses) <= {200, 409, 412}, (number, statuses)
        record = people[0].record("incident", number)
        assert record["assignee"]["id"] == people[winner[0]].id and record["revision"] == 2, record
    print(f"# {dict(seen)}")


def increments(server, count, times):
    """Nobody's change is lost: read, add one, write if it is still as it was read."""
    people = agents(server, count)
    number = people[0].create("incident", affected_users=0, **BODY)["number"]
    path, refused = f"/api/v1/incident/{number}", []

    def add(i):
        done = 0
        while done < times:
            before = people[i].record("incident", number)
            reply = people[i].patch(path, {"affected_users": before["affected_users"] + 1},
                                    before.etag)
            if reply.status == 200:
                done += 1
            else:
                refused.append(reply.expect(412).status)
    crowd(count, add)
    record = people[0].record("incident", number)
    assert record["affected_users"] == count * times, record["affected_users"]
    assert record["revision"] == count * times + 1, record["revision"]
    print(f"# {count * times} additions, {len(refused)} refused as stale")


def independent(server, count):
    """Changes of different fields that saw the same revision both survive."""
    people = agents(server, 3)
    for _ in range(count):
        number = people[0].create("incident", **BODY)["number"]
        path = f"/api/v1/incident/{number}"
        fields = ({"service": "one"}, {"description": "two"}, {"vendor": "three"})
        crowd(3, lambda i: people[i].patch(path, fields[i], '"1"').expect(200))
        record = people[0].record("incident", number)
        assert (record["service"], record["description"], record["vendor"]) == \
            ("one", "two", "three"), record
        assert record["revision"] == 4


def same_key(server, count):
    """The same request at the same time, many times: it happens once."""
    people = agents(server, 1)
    for _ in range(10):
        key = {"Idempotency-Key": secrets.token_hex(12)}
        title = {**BODY, "title": "Once " + secrets.token_hex(6)}
        replies = crowd(count, lambda i: people[0].post("/api/v1/incident", title, key).expect(201))
        assert len({reply["number"] for reply in replies}) == 1
        assert sum("idempotency-replayed" not in reply.headers for reply in replies) == 1
        found = people[0].get("/api/v1/incident", q=f"title = \"{title['title']}\"",
                              count="capped").expect(200)
        assert found["count"] == 1


# ---- numbers -------------------------------------------------------------------------------------

def hang_up(server, client):
    """A request that is sent, and nobody waits for its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    body = json.dumps(BODY)
    connection.request("POST", "/api/v1/incident", body, {
        "Authorization": f"Bearer {client.token}", "Content-Type": "application/json"})
    connection.close()


def numbering(server, count, times):
    """Creators of whom some are refused, some undone after they had a number, some hang up."""
    people = agents(server, count)
    base = people[0].create("incident", **BODY)["number"]
    people[0].act("incident", base, "take").expect(200)

    def create(i):
        dice, client = random.Random(i), people[i]
        for _ in range(times):
            choice = dice.random()
            if choice < 0.6:
                client.create("incident", **BODY)
            elif choice < 0.7:
                client.post("/api/v1/incident", {**BODY, "impact": "none such"}).expect(422)
            elif choice < 0.8:
                hang_up(server, client)
            else:  # the first opens a problem, the second fails, so nothing is left of either
                client.post("/api/v1/bulk", {
                    "process": "incident", "numbers": [base, "INC-999999"],
                    "action": "open_problem", "atomic": True})
    crowd(count, create)
    time.sleep(0.5)  # for those who hung up
    check_stopped(server)


def check_stopped(server):
    """A look at everything; SQLite is looked at while no server runs."""
    if server.engine == "sqlite":
        server.stop()
    check(server)
    if server.engine == "sqlite":
        server.start()


# ---- two servers on one database -----------------------------------------------------------------

class Reader(threading.Thread):
    """Follows the feed and remembers each id; whoever sees all must see them without a gap."""

    def __init__(self, client, after):
        super().__init__(daemon=True)
        self.client, self.after, self.first = client, after, after
        self.faults, self.is_over = [], False
        self.start()

    def run(self):
        while not self.is_over:
            try:
                page = self.client.get("/api/v1/events", after=self.after, limit=200).expect(200)
            except OSError:
                return
            for event in page["data"]:
                if int(event["id"]) != self.after + 1:
                    self.faults.append((self.after, event["id"]))
                self.after = int(event["id"])
            time.sleep(0.002)

    def stop(self, last):
        deadline = time.monotonic() + 10
        while self.after < last and time.monotonic() < deadline:
            time.sleep(0.01)
        self.is_over = True
        self.join()
        assert not self.faults, self.faults[:10]
        assert self.after >= last, (self.after, last)


def twin(server):
    """A second process on the database of the first."""
    return fettle.Server("sqlite", {"database": server.settings["database"]})


def as_on(server, client):
    """The same person, asking another process."""
    return fettle.Client(server, client.token)


def two_servers(first, times):
    people = agents(first, 8)
    auditor = first.person("follower", "auditor")
    with twin(first) as second:
        start = int(auditor.get("/api/v1/events", after=0, limit=1).expect(200)["after"])
        readers = [Reader(as_on(s, auditor), start) for s in (first, second)]
        made = []

        def create(i):
            for k in range(times):
                who = as_on(second, people[i % 8]) if i % 2 and k < times // 2 else people[i % 8]
                made.append(who.create("incident", **BODY)["number"])
                if i % 2 and k == times // 2 - 1 and i == 1:
                    readers[1].is_over = True
                    second.process.send_signal(signal.SIGKILL)
        crowd(16, lambda i: tolerate(create, i))
        assert len(made) == len(set(made)) > 8 * times, len(made)
        last = newest(auditor)
        readers[0].stop(last)
        second.stop()
        second.start()
        again = as_on(second, auditor)
        Reader(again, start).stop(last)
        as_on(second, people[0]).create("incident", **BODY)
    check(first)


def tolerate(fn, i):
    """The killed server's callers go on with the other or end."""
    try:
        fn(i)
    except (OSError, http.client.HTTPException):
        pass


def newest(client):
    after = 0
    while True:
        page = client.get("/api/v1/events", after=after, limit=500).expect(200)
        after = int(page["after"])
        if not page["has_more"]:
            return after


def cascades(first, parents, children):
    """Jobs of two processes: each effect once."""
    people = agents(first, 2)
    with twin(first) as second:
        sides = [people[0], as_on(second, people[1])]
        families = {}
        for _ in range(parents):
            parent = sides[0].create("incident", **BODY)["number"]
            families[parent] = [sides[1].create("incident", parent=parent, **BODY)["number"]
                                for _ in range(children)]
        resolution = {"closure_code": "solved", "resolution": "Water"}
        crowd(parents, lambda i: sides[i % 2].act("incident", list(families)[i], "resolve",
                                                  **resolution).expect(200))
        every = [child for family in families.values() for child in family]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and any(
                sides[0].record("incident", child)["state"] != "resolved" for child in every):
            time.sleep(0.2)
        for child in every:
            events = sides[0].get(f"/api/v1/incident/{child}/history").expect(200)["data"]
            done = [e.get("action") for e in events]
            assert done.count("resolve_with_parent") == 1, (child, done)
    check(first)
