"""Rounds of a mixed load, kill -9 at a random moment, restart, and a look at everything.

A round begins with the server that the last one left. In one of eight the server is killed once
more while it starts. After FRESH rounds a new database begins, so that a round costs the same at
the end of a long run as at its beginning.
"""
import random
import signal
import time

import fettle
import inside
import load

FRESH = 25
PEOPLE = (("first", "agent"), ("second", "agent", "problem_manager"))


class Rounds:
    def __init__(self, engine, seed):
        self.engine, self.dice = engine, random.Random(seed)
        self.server = None
        self.faults = []
        self.acknowledged = self.unanswered = self.answered_later = 0
        self.ready_ms = []

    def begin(self):
        self.end()
        self.server = fettle.Server(self.engine)
        self.clients = [self.server.person(login, *roles) for login, *roles in PEOPLE]
        self.numbers = []
        self.done = 0

    def end(self):
        if self.server:
            self.server.remove()
            self.server = None

    def note(self, faults):
        self.faults += faults
        return not faults

    def crash(self, seed):
        """The load until the server is gone; its log."""
        work = load.Load(self.server.port, [c.token for c in self.clients], self.numbers, seed)
        work.start()
        time.sleep(self.dice.uniform(0.005, 0.5))
        work.is_over = True
        self.server.stop(signal.SIGKILL)
        return work.end()

    def restart(self):
        if self.dice.random() < 0.125:
            self.server.launch()
            time.sleep(self.dice.uniform(0, 0.06))
            self.server.stop(signal.SIGKILL)
        began = time.monotonic()
        self.server.start()
        self.ready_ms.append((time.monotonic() - began) * 1000)

    def round(self, seed):
        if not self.server or self.done == FRESH:
            self.begin()
        self.done += 1
        work = self.crash(seed)
        lost = [e for e in work.entries if e.status is None and e.kind != "attach"]
        self.acknowledged += sum((e.status or 999) < 300 for e in work.entries)
        self.unanswered += len(lost)
        self.note(work.faults)
        if self.engine == "sqlite":
            self.look()
        self.restart()
        load.send_again(self.server.port, lost)
        self.answered_later += sum(e.status < 300 for e in lost)
        self.note([f"sent again: {e!r}" for e in lost
                   if e.status > 299 and e.status not in load.REFUSALS])
        self.note(load.all_faults(self.clients[0], work.entries))
        if self.engine == "postgres":
            self.look()
        self.look_for_words(work.entries)

    def look(self):
        with inside.look(self.server) as database:
            self.note(database.faults())
            if self.done % 5 == 0:
                self.note(database.blob_faults(self.server.data / "blobs"))

    def look_for_words(self, entries):
        """What was created can be found by its words."""
        made = [e for e in entries if e.kind == "create" and e.status == 201]
        for entry in self.dice.sample(made, min(3, len(made))):
            found = self.clients[0].get("/api/v1/search", q=entry.text).expect(200)["data"]
            if entry.json["number"] not in [r["number"] for r in found]:
                self.note([f"{entry!r}: its word finds {[r['number'] for r in found]}"])


def run(tap, engine, rounds, seed):
    """All rounds as one test; the first faults end it, for the data are then of no more use."""
    rounds_of = Rounds(engine, seed)

    def all_rounds():
        try:
            for i in range(rounds):
                rounds_of.round(seed * 100000 + i)
                if rounds_of.faults:
                    raise fettle.Failed(f"in round {i + 1}, seed {seed}:\n" +
                                        "\n".join(rounds_of.faults[:20]) + "\n" +
                                        rounds_of.server.log[-3000:])
        finally:
            rounds_of.end()
    tap.run(f"{engine}: {rounds} rounds of kill -9 lose nothing and leave nothing half done",
            all_rounds)
    ready = sorted(rounds_of.ready_ms) or [0]
    print(f"# {engine}: {rounds_of.acknowledged} acknowledged; of {rounds_of.unanswered} without an"
          f" answer {rounds_of.answered_later} are there once; ready again after"
          f" {ready[len(ready) // 2]:.0f} ms, at most {ready[-1]:.0f} ms", flush=True)
