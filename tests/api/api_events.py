"""The feed, by pages and live."""
import time


def incident(who, title="Something"):
    return who.create("incident", title=title, impact="minor", urgency="low")["number"]


def newest(client):
    after, more = "0", True
    while more:
        page = client.get("/api/v1/events", after=after, limit=500).expect(200)
        after, more = page["after"], page["has_more"]
    return after


def test_feed(server):
    """the feed has no gaps for who sees all, and only what one may see for others"""
    auditor, anna = server.admin(), server.person("feed-anna")
    after = newest(auditor)
    number = incident(anna)
    server.person("feed-bob", "agent").act("incident", number, "take").expect(200)
    page = auditor.get("/api/v1/events", after=0, limit=500).expect(200)
    ids = [int(e["id"]) for e in page["data"] if e["kind"]]
    assert ids == sorted(ids)
    if not page["has_more"]:
        assert ids == list(range(1, len(ids) + 1)), ids
    mine = anna.get("/api/v1/events", after=after).expect(200)
    assert [(e["number"], e["kind"]) for e in mine["data"]] == [(number, "create"),
                                                              (number, "action")]
    assert int(mine["after"]) >= int(mine["data"][-1]["id"])
    anna.get("/api/v1/events", after="x").expect(422)


def test_live(server):
    """what happens is heard at once, by those who may see it"""
    anna, other = server.person("live-anna"), server.person("live-other")
    mine, theirs = anna.listen(), other.listen(timeout=3)
    assert mine.status == 200
    assert mine.answer.getheader("content-type") == "text/event-stream"
    number = incident(anna)
    began = time.monotonic()
    ident, kind, data = mine.next()
    assert time.monotonic() - began < 2
    assert kind == "create" and data["number"] == number and data["id"] == ident
    own = incident(other)
    assert theirs.next()[2]["number"] == own  # not the one of anna
    mine.close(), theirs.close()


def test_resume(server):
    """a listener goes on after the last event it knows, without gaps or doubles"""
    anna = server.person("resume-anna")
    numbers = [incident(anna) for _ in range(300)]
    first = anna.listen(after=0)
    seen = [first.next() for _ in range(100)]
    first.close()
    second = anna.listen(after=seen[-1][0])
    more = [incident(anna) for _ in range(20)]
    seen += [second.next() for _ in range(220)]
    second.close()
    assert [data["number"] for _, _, data in seen] == numbers + more
    anna.get("/api/v1/events/stream", {"Last-Event-ID": "x"}).expect(422)


def test_revoked(server):
    """who is signed out hears no more within seconds"""
    anna = server.person("revoked-anna")
    tokens = anna.get("/api/v1/people/me/tokens").expect(200)["data"]
    listener = anna.listen(timeout=10)
    server.operator().delete(f"/api/v1/people/{anna.id}/tokens/{tokens[0]['id']}").expect(204)
    assert listener.next() is None


def test_nobody(server):
    """nobody listens without being signed in"""
    assert server.nobody().listen().status == 401
