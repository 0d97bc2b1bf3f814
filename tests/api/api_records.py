"""Records: create, read, list, edit, act."""
from concurrent.futures import ThreadPoolExecutor

import fettle


def incident(who, title="Printer on fire", **more):
    return who.create("incident", title=title, impact="minor", urgency="low", **more)


def agent(server, name="agent"):
    """An agent of this file's tests; made once."""
    agents = server.__dict__.setdefault("agents", {})
    if name not in agents:
        agents[name] = server.person(name, "agent")
    return agents[name]


def caller(server, name="caller"):
    callers = server.__dict__.setdefault("callers", {})
    if name not in callers:
        callers[name] = server.person(name)
    return callers[name]


def test_create(server):
    """a new record answers with 201, its address and its revision"""
    anna = caller(server)
    made = incident(anna, description="It **burns**")
    number = made["number"]
    assert number.startswith("INC-")
    assert made.headers["location"] == f"/api/v1/incident/{number}"
    assert made.etag == '"1"' and made["revision"] == 1
    assert made["state"] == "new" and made["status"] == "new" and made["active"] is True
    assert made["caller"] == {"id": anna.id, "name": "Caller", "login": "caller"}
    assert made["priority"] and made["created"].endswith("Z")
    read = anna.record("incident", number)
    assert read.json == made.json and read.etag == made.etag


def test_required(server):
    """what is missing is named, all of it"""
    reply = caller(server).post("/api/v1/incident", {}).expect(422, "invalid")
    pointers = {e["pointer"]: e["code"] for e in reply["errors"]}
    assert pointers["#/title"] == pointers["#/impact"] == pointers["#/urgency"] == "required"


def test_edit(server):
    """a merge patch changes what it names; null empties; absent stays"""
    bob = agent(server)
    number = incident(bob, service="Mail", description="before")["number"]
    path = f"/api/v1/incident/{number}"
    changed = bob.patch(path, {"service": None, "title": "Mail is slow"}, '"1"').expect(200)
    assert changed["service"] is None and changed["title"] == "Mail is slow"
    assert changed["description"] == "before" and changed.etag == '"2"'
    same = bob.patch(path, {"title": "Mail is slow"}, '"2"').expect(200)
    assert same.etag == '"2"'  # nothing changed, nothing happened
    bob.patch(path, {"state": "closed"}).expect(422)
    bob.patch(path, {"number": "INC-7"}).expect(422)
    bob.patch(path, {"priority": "critical"}).expect(422)
    bob.patch(path, {"title": ""}).expect(422)


def test_preconditions(server):
    """If-Match: 428 without, 412 when the same field moved, merged when another did"""
    bob = agent(server)
    number = incident(bob)["number"]
    path = f"/api/v1/incident/{number}"
    bob.patch(path, {"title": "x"}, None).expect(428)
    bob.patch(path, {"title": "One"}, '"1"').expect(200)
    bob.patch(path, {"service": "Mail"}, '"1"').expect(200)
    stale = bob.patch(path, {"title": "Two"}, '"1"').expect(412, "stale")
    error = stale["errors"][0]
    assert error["pointer"] == "#/title" and error["code"] == "changed_meanwhile"
    assert error["current"] == "One" and error["yours"] == "Two"
    for tag in ('W/"3"', "3", '"x"', '"0"', '"-1"', '"99"'):
        bob.patch(path, {"title": "x"}, tag).expect(412)
    bob.patch(path, {"title": "Three"}, "*").expect(200)


def test_one_wins(server):
    """of many who change the same field at once one wins"""
    bob = agent(server)
    number = incident(bob)["number"]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda i: bob.patch(
            f"/api/v1/incident/{number}", {"title": f"title {i}"}, '"1"').status, range(16)))
    assert sorted(replies) == [200] + [412] * 15, replies


def test_actions(server):
    """actions are offered by state and person, and refused with a reason"""
    bob, anna = agent(server), caller(server)
    number = incident(anna)["number"]
    path = f"/api/v1/incident/{number}/actions"
    offers = {o["name"]: o for o in bob.get(path).expect(200)["data"]}
    assert "take" in offers and offers["take"]["to"] == "in_progress"
    asked = {a["field"]: a["required"] for a in offers["assign"]["asks"]}
    assert asked["group"] is True and asked["assignee"] is False
    assert "take" not in {o["name"] for o in anna.get(path).expect(200)["data"]}
    with_actions = bob.record("incident", number, include="actions", fields="state")
    assert {o["name"] for o in with_actions["actions"]} == set(offers)
    assert set(with_actions.json) == {"number", "process", "version", "revision", "state",
                                      "actions"}

    bob.post(path + "/take", {}).expect(428)
    taken = bob.act("incident", number, "take", '"1"').expect(200)
    assert taken["state"] == "in_progress" and taken["assignee"]["id"] == bob.id
    bob.act("incident", number, "take", '"2"').expect(409, "not_offered")
    bob.act("incident", number, "nonsense").expect(404, "unknown_action")
    anna.act("incident", number, "call_manager").expect(403, "not_allowed")
    refused = bob.act("incident", number, "resolve").expect(422)
    pointers = {e["pointer"] for e in refused["errors"]}
    assert "#/closure_code" in pointers and "#/resolution" in pointers
    bob.act("incident", number, "resolve", closure_code="solved",
            resolution="Extinguished").expect(200)


def test_action_race(server):
    """of many who take a record at once one gets it"""
    bob = agent(server)
    number = incident(bob)["number"]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: bob.act("incident", number, "take", '"1"').status,
                                range(16)))
    assert replies.count(200) == 1 and set(replies) <= {200, 409, 412}, replies


def test_idempotency(server):
    """a request repeated with its key is done once; other content is refused"""
    anna = caller(server)
    body = {"title": "Once", "impact": "minor", "urgency": "low"}
    headers = {"Idempotency-Key": "key-1"}
    first = anna.post("/api/v1/incident", body, headers).expect(201)
    again = anna.post("/api/v1/incident", body, headers).expect(201)
    assert again.body == first.body and again.headers["location"] == first.headers["location"]
    assert again.headers["idempotency-replayed"] == "true" and again.etag == first.etag
    anna.post("/api/v1/incident", {**body, "title": "Twice"}, headers) \
        .expect(422, "idempotency_key_reused")
    other = caller(server, "other").post("/api/v1/incident", body, headers).expect(201)
    assert other["number"] != first["number"]
    # what failed is not kept
    headers = {"Idempotency-Key": "key-2"}
    anna.post("/api/v1/incident", {"title": "x"}, headers).expect(422)
    anna.post("/api/v1/incident", body, headers).expect(201)
    anna.post("/api/v1/incident", body, {"Idempotency-Key": "x" * 300}).expect(400)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: anna.post(
            "/api/v1/incident", body, {"Idempotency-Key": "key-3"}).expect(201)["number"],
            range(16)))
    assert len(set(replies)) == 1, replies
    number = replies[0]
    for _ in range(2):
        anna.post(f"/api/v1/incident/{number}/replies", {"text": "hello"},
                  {"Idempotency-Key": "key-4"}).expect(201)
    history = anna.get(f"/api/v1/incident/{number}/history").expect(200)["data"]
    assert [e["kind"] for e in history] == ["create", "reply"]


def test_numbers(server):
    """numbers have no gaps and no doubles under concurrency, also around failures"""
    agent(server)

    def one(i):
        if i % 5 == 4:
            return agent(server).post("/api/v1/task", {"nonsense": 1}).expect(422) and None
        return agent(server).create("task", title=f"task {i}")["number"]

    with ThreadPoolExecutor(8) as pool:
        numbers = [n for n in pool.map(one, range(60)) if n]
    ids = sorted(int(n.split("-")[1]) for n in numbers)
    assert ids == list(range(ids[0], ids[0] + len(ids))), ids


def test_lists(server):
    """lists are filtered, sorted, cut to fields and counted"""
    bob = agent(server)
    for i, urgency in enumerate(("low", "critical", "medium")):
        bob.create("incident", title=f"listed {i}", impact="minor", urgency=urgency, service="L")
    page = bob.get("/api/v1/incident", q='service = "L"', sort="-urgency,title",
                   fields="title,urgency", count="capped").expect(200)
    assert [r["urgency"] for r in page["data"]] == ["low", "medium", "critical"], page.json
    assert page["count"] == 3 and page["count_is_capped"] is False
    assert set(page["data"][0]) == {"number", "process", "version", "revision", "title", "urgency"}
    assert page["page"] == {"next_cursor": None, "has_more": False}
    page = bob.get("/api/v1/incident", q='service = "L" ORDER BY title DESC').expect(200)
    assert [r["title"] for r in page["data"]] == ["listed 2", "listed 1", "listed 0"]
    wrong = bob.get("/api/v1/incident", q='servce = "L"').expect(422)
    assert wrong["errors"][0]["parameter"] == "q" and "service" in wrong["errors"][0]["detail"]
    bob.get("/api/v1/incident", sort="nonsense").expect(422)
    bob.get("/api/v1/incident", cursor="nonsense").expect(422)
    assert "count" not in page.json


def test_cursors(server):
    """pages stay right while records come"""
    bob = agent(server)
    for i in range(7):
        bob.create("incident", title=f"paged {i}", impact="minor", urgency="low", service="P")
    seen, path = [], "/api/v1/incident?q=service%20%3D%20%22P%22&limit=2&fields=title&sort=-created"
    for round_ in range(10):
        page = bob.get(path).expect(200)
        seen += [r["title"] for r in page["data"]]
        bob.create("incident", title=f"late {round_}", impact="minor", urgency="low", service="P")
        if not page["page"]["has_more"]:
            assert "link" not in page.headers
            break
        link = page.headers["link"]
        assert link.endswith('>; rel="next"')
        path = link[1:link.index(">")]
    assert seen == [f"paged {i}" for i in reversed(range(7))], seen


def test_over_all(server):
    """lists and searches go over all processes"""
    bob = agent(server)
    bob.create("incident", title="zebra crossing", impact="minor", urgency="low")
    bob.create("problem", title="zebras cross", impact="minor", urgency="low")
    page = bob.get("/api/v1/records", q="title contains zebra", fields="title").expect(200)
    assert {r["process"] for r in page["data"]} == {"incident", "problem"}
    page = bob.get("/api/v1/search", q="zebra").expect(200)
    assert len(page["data"]) == 2, page.json
    assert bob.get("/api/v1/search", q="zebra", process="problem").expect(200)["data"][0][
        "title"] == "zebras cross"
    bob.get("/api/v1/search").expect(422)
    bob.get("/api/v1/search", q="zebra", process="nonsense").expect(404)
    assert bob.get("/api/v1/search", q="quagga").expect(200)["data"] == []


def test_tally(server):
    """counts are kept by state, group and priority"""
    bob = agent(server)
    before = sum(t["count"] for t in bob.get("/api/v1/tally", process="incident")["data"])
    incident(bob)
    after = bob.get("/api/v1/tally", process="incident").expect(200)["data"]
    assert sum(t["count"] for t in after) == before + 1
    total = bob.get("/api/v1/incident", count="capped", limit=1)["count"]
    assert total == before + 1


def test_invisible(server):
    """what one may not see is not there, whatever one asks of it"""
    number = incident(caller(server))["number"]
    other = caller(server, "stranger")
    path = f"/api/v1/incident/{number}"
    for method, where, body in (
            ("GET", path, None), ("PATCH", path, {"title": "x"}),
            ("GET", path + "/history", None), ("GET", path + "/actions", None),
            ("POST", path + "/actions/take", {}), ("POST", path + "/replies", {"text": "x"}),
            ("POST", path + "/notes", {"text": "x"}), ("GET", path + "/links", None),
            ("POST", path + "/links", {"kind": "causes", "record": number}),
            ("GET", path + "/watchers", None), ("POST", path + "/watchers", {}),
            ("GET", path + "/timers", None), ("GET", path + "/access", None),
            ("GET", path + "/attachments", None), ("DELETE", path + "/watchers/me", None)):
        reply = other.request(method, where, body, {"If-Match": "*"})
        assert reply.status in (404, 422 if where.endswith("links") and body else 404), \
            (method, where, reply)
        assert number not in reply.body.decode() or reply.status == 422
    assert other.get("/api/v1/incident")["data"] == []


def test_internals(server):
    """internal fields and notes stay with those who see internals"""
    bob, anna = agent(server), caller(server)
    number = incident(anna)["number"]
    bob.patch(f"/api/v1/incident/{number}", {"vendor": "CANARY"}).expect(200)
    bob.post(f"/api/v1/incident/{number}/notes", {"text": "CANARY"}).expect(201)
    bob.post(f"/api/v1/incident/{number}/replies", {"text": "hello"}).expect(201)
    assert bob.record("incident", number)["vendor"] == "CANARY"
    assert "vendor" not in anna.record("incident", number).json
    for path in (f"/api/v1/incident/{number}", f"/api/v1/incident/{number}/history",
                 "/api/v1/incident", "/api/v1/search?q=CANARY", "/api/v1/events"):
        assert b"CANARY" not in anna.get(path).expect(200).body, path
    anna.get("/api/v1/incident", q='vendor = "CANARY"').expect(422)
    texts = [e.get("text") for e in anna.get(f"/api/v1/incident/{number}/history")["data"]]
    assert "hello" in texts
    anna.post(f"/api/v1/incident/{number}/notes", {"text": "x"}).expect(403)


def test_history(server):
    """history tells who changed what, and the record as it was"""
    bob = agent(server)
    number = incident(bob, title="before")["number"]
    bob.patch(f"/api/v1/incident/{number}", {"title": "after"}).expect(200)
    bob.act("incident", number, "take").expect(200)
    history = bob.get(f"/api/v1/incident/{number}/history").expect(200)["data"]
    assert [e["kind"] for e in history] == ["create", "edit", "action"]
    edit = history[1]
    assert edit["changes"] == [{"field": "title", "before": "before", "after": "after"}]
    assert edit["actor"]["id"] == bob.id and edit["via"] == "api"
    assert history[2]["from_state"] == "new" and history[2]["to_state"] == "in_progress"
    then = bob.record("incident", number, as_of=history[0]["id"])
    assert then["title"] == "before" and then["state"] == "new" and then["revision"] == 1
    assert bob.record("incident", number, as_of=history[1]["id"])["title"] == "after"
    bob.get(f"/api/v1/incident/{number}", as_of=999999).expect(404)
    more = bob.get(f"/api/v1/incident/{number}/history", after=history[0]["id"], limit=1)
    assert [e["kind"] for e in more["data"]] == ["edit"]


def test_links(server):
    """records are linked both ways, once"""
    bob = agent(server)
    one, two = incident(bob)["number"], bob.create("problem", title="Root", impact="minor", urgency="low")["number"]
    kinds = bob.get("/api/v1/processes/incident").expect(200)["links"]
    kind = next(k for k in kinds if k["name"] != "child")
    path = f"/api/v1/incident/{one}/links"
    bob.post(path, {"kind": kind["name"], "record": two}).expect(201)
    bob.post(path, {"kind": kind["name"], "record": two}).expect(201)
    links = bob.get(path).expect(200)["data"]
    assert [(x["kind"], x["number"]) for x in links] == [(kind["name"], two)]
    other = bob.get(f"/api/v1/problem/{two}/links").expect(200)["data"]
    assert [(x["kind"], x["number"]) for x in other] == [(kind["inverse"], one)]
    bob.post(path, {"kind": "nonsense", "record": two}).expect(422)
    bob.post(path, {"kind": kind["name"], "record": "INC-99999"}).expect(422)
    bob.post(path, {"kind": kind["name"], "record": one}).expect(422)
    bob.delete(f"{path}/{kind['name']}/{two}").expect(204)
    assert bob.get(path)["data"] == []


def test_parents(server):
    """a child names its parent; circles are refused"""
    bob = agent(server)
    parent, child = incident(bob)["number"], incident(bob)["number"]
    bob.patch(f"/api/v1/incident/{child}", {"parent": parent}).expect(200)
    read = bob.record("incident", child)["parent"]
    assert read == {"number": parent, "process": "incident", "title": "Printer on fire"}
    assert bob.record("incident", parent)["open_children"] == 1
    bob.patch(f"/api/v1/incident/{parent}", {"parent": child}).expect(422)
    bob.patch(f"/api/v1/incident/{parent}", {"parent": parent}).expect(422)


def test_watchers(server):
    """one may watch what one sees, and see what one watches"""
    bob, anna = agent(server), caller(server, "watching")
    number = incident(bob)["number"]
    path = f"/api/v1/incident/{number}/watchers"
    anna.get(f"/api/v1/incident/{number}").expect(404)
    bob.post(path, {"person": "watching"}).expect(201)
    anna.get(f"/api/v1/incident/{number}").expect(200)
    assert [p["id"] for p in bob.get(path).expect(200)["data"]] == [anna.id]
    bob.post(path, {}).expect(201)
    bob.delete(path + "/me").expect(204)
    bob.post(path, {"person": "nobody-at-all"}).expect(422)
    anna.delete(path + "/me").expect(204)
    anna.get(f"/api/v1/incident/{number}").expect(404)


def test_timers(server):
    """what will happen by itself is listed, and happens"""
    bob, anna = agent(server), caller(server)
    number = incident(anna)["number"]
    bob.act("incident", number, "take").expect(200)
    bob.act("incident", number, "resolve", closure_code="solved", resolution="Done").expect(200)
    timers = bob.get(f"/api/v1/incident/{number}/timers").expect(200)["data"]
    assert timers, "resolving starts the wait for closure"
    server.move_clock(days=15)
    closed = bob.record("incident", number)
    assert closed["status"] == "closed", closed.json
    history = bob.get(f"/api/v1/incident/{number}/history")["data"]
    assert history[-1]["via"] == "timer" and history[-1]["actor"] is None
    assert bob.get(f"/api/v1/incident/{number}/timers")["data"] == []


def test_access(server):
    """it can be asked who may do what, and why"""
    bob, anna = agent(server), caller(server)
    number = incident(anna)["number"]
    own = anna.get(f"/api/v1/incident/{number}/access").expect(200)
    rights = {r["what"]: r for r in own["data"]}
    assert rights["view"]["allowed"] and not rights["note"]["allowed"]
    assert rights["view"]["because"] and "action:take" in rights
    assert not rights["action:take"]["allowed"]
    anna.get(f"/api/v1/incident/{number}/access/{bob.id}").expect(403)
    other = server.operator().get(f"/api/v1/incident/{number}/access/{bob.id}").expect(200)
    assert {r["what"]: r["allowed"] for r in other["data"]}["action:take"] is True


@fettle.direct
def test_moved(server):
    """a record under the address of another process answers where it is"""
    bob = agent(server)
    number = incident(bob)["number"]
    reply = bob.get(f"/api/v1/problem/{number}/history").expect(308)
    assert reply.headers["location"] == f"/api/v1/incident/{number}/history"
    assert bob.record("incident", number.lower())["number"] == number


def test_bulk(server):
    """many records at once: each its own result, or all or none"""
    bob = agent(server)
    numbers = [incident(bob, service="B")["number"] for _ in range(3)]
    bob.act("incident", numbers[1], "take").expect(200)
    body = {"process": "incident", "action": "take", "numbers": numbers}
    atomic = bob.post("/api/v1/bulk", {**body, "atomic": True}).expect(409)
    assert atomic["errors"][0]["pointer"] == "#/numbers/1"
    assert bob.record("incident", numbers[0])["state"] == "new"
    reply = bob.post("/api/v1/bulk", body).expect(200)
    assert [i["status"] for i in reply["data"]] == [200, 409, 200]
    assert reply["succeeded"] == 2 and reply["failed"] == 1
    assert reply["data"][1]["code"] == "not_offered"
    reply = bob.post("/api/v1/bulk", {"process": "incident", "q": 'service = "B"',
                                      "input": {"service": "C"}, "atomic": True}).expect(200)
    assert reply["succeeded"] == 3
    assert bob.get("/api/v1/incident", q='service = "C"', count="capped")["count"] == 3
    reply = bob.post("/api/v1/bulk", {**body, "numbers": ["INC-99999"]}).expect(200)
    assert reply["data"][0]["status"] == 404
    bob.post("/api/v1/bulk", {"process": "incident", "action": "take"}).expect(422)
    bob.post("/api/v1/bulk", {**body, "numbers": ["x"] * 501}).expect(422)


def test_notices(server):
    """people are told in their own language, and only of what they may see"""
    bob = agent(server)
    anna = server.person("told", language="fr")
    number = incident(anna, title="Plus de café")["number"]
    bob.act("incident", number, "take").expect(200)
    bob.act("incident", number, "resolve", closure_code="solved", resolution="Rempli").expect(200)
    notices = anna.get("/api/v1/me/notices").expect(200)["data"]
    assert notices and notices[0]["number"] == number and number in notices[0]["subject"]
    assert "{{" not in notices[0]["body"] and "Told" in notices[0]["body"], notices[0]
    assert f"/incident/{number}" in notices[0]["body"]
    count = anna.get("/api/v1/me/notices/count").expect(200)["unread"]
    assert count == len(notices)
    anna.post(f"/api/v1/me/notices/{notices[0]['id']}/read").expect(204)
    assert anna.get("/api/v1/me/notices/count")["unread"] == count - 1
    bob.post(f"/api/v1/me/notices/{notices[0]['id']}/read").expect(404)
    anna.post("/api/v1/me/notices/read", {"up_to": notices[0]["id"]}).expect(204)
    assert anna.get("/api/v1/me/notices", unread="true")["data"] == []
