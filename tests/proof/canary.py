"""What leaves the server, searched for texts that whoever asked must not see; and what can be
concluded from answers although no text is in them."""
import json
import re
import threading
import urllib.parse

import access
import fettle

RECORD = ("title", "description", "service", "external_reference", "vendor", "workaround", "reply",
          "question", "resolution", "name of file", "bytes of file", "title of task",
          "description of task", "title of problem", "title of request")
INTERNAL = ("note", "review notes", "name of internal file", "bytes of internal file")
# Who of the own tenant does not see what, by beginnings of the place.
HIDDEN = {
    "caller": INTERNAL + ("title of task", "description of task", "title of problem"),
    "member": INTERNAL + ("title of task", "description of task", "title of problem"),
    "bystander": INTERNAL + RECORD, "owner": INTERNAL, "admin": INTERNAL,
    "reads_incidents": ("title of task", "description of task", "title of problem",
                        "title of request"),
}
LOOKS_UP_NOBODY = ("caller", "member", "bystander", "reads_incidents", "writes_tasks")
QUERIES = ("", "?limit=500", "?q=fire+OR+t", "?q=title+starts+with+%22T%22&count=capped",
           "?q=caller+is+not+empty+ORDER+BY+updated", "?sort=-created&limit=1", "?sort=caller",
           "?sort=group,-priority", "?q=review_notes+is+not+empty", "?q=watchers+is+empty",
           "?q=parent+is+empty&fields=title,caller,group")


def forbidden(actor):
    """word -> where, for this actor."""
    ours, theirs = actor.tenant.world.tenants
    assert actor.tenant is ours
    words = dict(theirs.canaries)
    for word, where in ours.canaries.items():
        hidden = where in HIDDEN.get(actor.name, ())
        if actor.name in LOOKS_UP_NOBODY and where.startswith(("email of", "phone of", "browser of")):
            hidden = where.split(" of ")[1] not in (actor.name, "agent" if actor.scopes else "")
        if hidden or where.startswith("token") and actor.name in LOOKS_UP_NOBODY:
            words[word] = where
    return words


WORD = re.compile(rb"zq[a-z0-9]{18}")


def leaks(reply, words, sent):
    """Canaries in an answer that were not in the question."""
    everything = reply.body + str(reply.all_headers).encode()
    found = {w.decode() for w in WORD.findall(everything)}
    return sorted(f"{w} ({words[w]})" for w in found if w in words and w not in sent)


# ---- reading everything --------------------------------------------------------------------------

def parts_of(t):
    """Whatever may stand in the braces of a path."""
    people = [a.id for a in t.actors]
    return {"process+number": list(t.records.items()) + [("incident", t.other)],
            "person": people, "people": people, "groups": [t.group], "organisations": [t.org],
            "attachments": [t.file, t.internal_file], "jobs": [str(n) for n in range(1, 12)],
            "name": ["incident"], "version": ["1", "2"]}


def paths(route, tenants):
    """Every address of the route that the things of these tenants give."""
    template, found = route["path"], []
    for t in tenants:
        parts = parts_of(t)
        if "{process}/{number}" in template:
            some = [template.replace("{process}", p).replace("{number}", n)
                    for p, n in parts["process+number"]]
        elif "{process}" in template:
            some = [template.replace("{process}", p) for p in t.records]
        else:
            some = [template]
        for name in re.findall(r"\{(\w+)\}", some[0]):
            kind = name if name != "id" else template.split("/")[3]
            some = [s.replace("{" + name + "}", value) for s in some for value in parts[kind]]
        found += some
    return sorted(set(found))


LISTS = ("listAllRecords", "listRecords")
OTHERS = {"search": ("?q=fire", "?q=t", "?q=active+%3D+true"), "tally": ("?process=incident",),
          "listEvents": ("?after=0&limit=500",), "listPeople": ("", "?limit=500", "?words=n"),
          "listGroups": ("", "?words=g"), "listOrganisations": ("", "?words=o"),
          "readRecord": ("", "?include=actions")}


def queries(route, tenants):
    if route["name"] in LISTS:
        return QUERIES
    found = list(OTHERS.get(route["name"], ("",)))
    for t in tenants:
        if route["name"] == "search":
            found += [f"?q={word}" for word in t.canaries]
        if route["name"] == "listRoleGrants":
            found += [f"?person={a.id}" for a in t.actors] + [f"?group={t.group}"]
        if route["name"] in ("listPeople", "listGroups"):
            found += [f"?organisation={t.org}"]
        if route["name"] == "listPeople":
            found += [f"?words={word[:n]}" for word in t.canaries for n in (3, 20)]
    return found


def crawl(actor, routes):
    """(how many answers, faults)."""
    world, words, faults, count = actor.tenant.world, forbidden(actor), [], 0
    for route in routes:
        if route["method"] != "GET" or route["is_stream"]:
            continue
        for path in paths(route, world.tenants):
            for query in queries(route, world.tenants):
                reply = actor.client.get(path + query)
                count += 1
                if reply.status >= 500:
                    faults.append(f"{actor!r} {path}{query}: {reply!r}"[:300])
                for leak in leaks(reply, words, path + query):
                    faults.append(f"{actor!r} {path}{query}: {leak}")
    return count, faults


# ---- what is told live ---------------------------------------------------------------------------

class Ear(threading.Thread):
    """Listens from the beginning of time until it is closed."""

    def __init__(self, actor, after):
        super().__init__(daemon=True)
        self.actor, self.heard = actor, []
        self.listener = actor.client.listen(after=after, timeout=2)
        self.start()

    def run(self):
        try:
            while self.listener.status == 200 and (event := self.listener.next()):
                self.heard.append(json.dumps(event))
        except OSError:  # nothing came for two seconds, or it was closed
            pass


def overhear(world):
    """What both tenants do is told to listeners of ours; theirs must not be in it."""
    ears = [Ear(a, 0) for a in world.ours.actors if a.is_good]
    for t in world.tenants:
        number = t.incident()
        t.agent.post(f"/api/v1/incident/{number}/replies", {"text": t.canary("reply")}).expect(201)
        t.agent.post(f"/api/v1/incident/{number}/notes", {"text": t.canary("note")}).expect(201)
    for ear in ears:
        ear.join(20)
    faults = []
    for ear in ears:
        words, heard = forbidden(ear.actor), "".join(ear.heard)
        faults += [f"{ear.actor!r} heard {word} ({where})" for word, where in words.items()
                   if word in heard]
    by_name = {ear.actor.name: len(ear.heard) for ear in ears}
    assert by_name["agent"] > 10 and by_name["caller"] > 2, by_name
    return faults


# ---- what can be concluded -----------------------------------------------------------------------

TEXT_FIELDS = ("title", "service", "external_reference", "vendor")


def masked(reply, *words):
    """An answer without what differs in any case, and with these words made alike."""
    text = re.sub(r'"request_id":"[^"]*"|"status":[0-9]+', "", reply.body.decode())
    for word in words:
        text = re.sub(rf"\b{re.escape(word)}\b", "WORD", text)
    return reply.status, text


def bisect(actor):
    """Questions about their words are answered like questions about words that nobody wrote."""
    world, faults = actor.tenant.world, []
    theirs = {where: word for word, where in world.theirs.canaries.items()}
    nothing = "zq" + "0" * 18
    probes = [(f"{f} starts with \"{{}}\"", theirs[f], n) for f in TEXT_FIELDS
              for n in range(3, 21)]
    probes += [(f"{f} contains \"{{}}\"", theirs[f], n) for f in TEXT_FIELDS for n in (4, 12, 20)]
    unseen = [word for word, where in forbidden(actor).items() if where in RECORD + INTERNAL]
    probes += [("{}", word, 20) for word in unseen] + [("{}*", word, 5) for word in unseen]
    for field, where in (("caller", "login of caller"), ("assignee", "login of agent"),
                         ("group", "group"), ("organisation", "organisation"),
                         ("watchers", "login of caller")):
        probes += [(f"{field} = \"{{}}\"", theirs[where], 20),
                   (f"{field} != \"{{}}\"", theirs[where], 20)]
    for template, word, n in probes:
        got, wanted = [masked(actor.client.get(
            "/api/v1/incident?count=capped&q=" + urllib.parse.quote(template.format(w[:n]))), w[:n])
            for w in (word, nothing)]
        if got != wanted:
            faults.append(f"{actor!r} {template} {word[:n]}: {got} and not {wanted}"[:600])
    return faults + internals(actor)


def internals(actor):
    """Conditions on fields that one may not see hold for no record."""
    faults = []
    if actor.name in HIDDEN and actor.role is None:
        for condition in ("review = true", "review_notes is not empty", "review_result = followed",
                          "not (review = false)", "review_result in (followed, deviated)"):
            reply = actor.client.get("/api/v1/incident", q=condition, count="capped")
            if reply.status == 200 and reply["count"]:
                faults.append(f"{actor!r} {condition}: {reply['count']} records")
    return faults


def references(actor):
    """What names a thing of theirs is refused like what names nothing."""
    world = actor.tenant.world
    ours, theirs = world.tenants
    login = {where: word for word, where in theirs.canaries.items()}["login of caller"]
    body = {"title": "x", "impact": "minor", "urgency": "low"}
    none = "987654"
    path = f"/api/v1/incident/{ours.number}"
    probes = [("POST", "/api/v1/incident", lambda v: {**body, "caller": v}, theirs.caller.id, none),
              ("POST", "/api/v1/incident", lambda v: {**body, "caller": v}, login, "zq" + "0" * 18),
              ("POST", "/api/v1/incident", lambda v: {**body, "organisation": v}, theirs.org, none),
              ("POST", "/api/v1/incident", lambda v: {**body, "parent": v}, theirs.number, "INC-" + none),
              ("PATCH", path, lambda v: {"group": v}, theirs.group, none),
              ("PATCH", path, lambda v: {"assignee": v}, theirs.agent.id, none),
              ("PATCH", path, lambda v: {"parent": v}, theirs.number, "INC-" + none),
              ("PATCH", path, lambda v: {"problem": v}, theirs.problem, "PRB-" + none),
              ("POST", path + "/links", lambda v: {"kind": "relates_to", "record": v},
               theirs.number, "INC-" + none),
              ("POST", path + "/watchers", lambda v: {"person": v}, theirs.caller.id, none),
              ("POST", path + "/watchers", lambda v: {"person": v}, login, "zq" + "0" * 18),
              ("DELETE", path + "/watchers/{}", None, theirs.caller.id, none),
              ("DELETE", path + "/links/relates_to/{}", None, theirs.number, "INC-" + none),
              ("GET", path + "/access/{}", None, theirs.caller.id, none),
              ("GET", "/api/v1/incident/{}", None, theirs.number, "INC-" + none),
              ("GET", "/api/v1/people/{}", None, theirs.caller.id, none),
              ("GET", "/api/v1/groups/{}", None, theirs.group, none),
              ("GET", "/api/v1/groups/{}/members", None, theirs.group, none),
              ("GET", "/api/v1/organisations/{}", None, theirs.org, none),
              ("GET", "/api/v1/attachments/{}", None, theirs.file, "A" * 22),
              ("PATCH", "/api/v1/people/{}", lambda v: {"phone": "1"}, theirs.caller.id, none),
              ("POST", "/api/v1/people/{}/disable", None, theirs.caller.id, none),
              ("PATCH", "/api/v1/groups/{}", lambda v: {"tier": 1}, theirs.group, none),
              ("PUT", "/api/v1/groups/{}/members/" + ours.caller.id, None, theirs.group, none),
              ("PUT", f"/api/v1/groups/{ours.group}/members/{{}}", None, theirs.caller.id, none),
              ("POST", "/api/v1/role-grants", lambda v: {"role": "agent", "person": v,
                                                         "organisation": ours.org},
               theirs.caller.id, none),
              ("POST", "/api/v1/role-grants", lambda v: {"role": "agent", "organisation": v,
                                                         "person": ours.caller.id}, theirs.org, none),
              ("DELETE", "/api/v1/role-grants/{}", None, theirs.grant, none),
              ("DELETE", f"/api/v1/people/{theirs.agent.id}/sessions/{{}}", None, theirs.session, none),
              ("DELETE", f"/api/v1/people/{theirs.agent.id}/tokens/{{}}", None, theirs.a_token, none),
              ("POST", "/api/v1/me/notices/{}/read", None, theirs.notice, none),
              ("POST", "/api/v1/groups", lambda v: {"name": "G", "organisation": v}, theirs.org, none),
              ("POST", "/api/v1/groups", lambda v: {"name": "G", "organisation": ours.org,
                                                    "manager": v}, theirs.agent.id, none),
              ("POST", "/api/v1/bulk", lambda v: {"process": "incident", "numbers": [v],
                                                  "input": {"service": "x"}}, theirs.number, "INC-" + none)]
    faults = []
    for method, where, make, theirs_value, no_value in probes:
        answers = [masked(actor.client.request(method, where.format(v), make(v) if make else None,
                                               {"If-Match": "*"}), v)
                   for v in (theirs_value, no_value)]
        is_done = answers[0][0] < 300 and "bulk" not in where and "watchers/" not in where
        if answers[0] != answers[1] or is_done:
            faults.append(f"{actor!r} {method} {where} {theirs_value}: {answers[0]} and {answers[1]}"
                          [:700])
    return faults


def views(actor):
    """Everything that this actor sees in lists, without the ids of events and the cursors."""
    found = {}
    for path in ("/api/v1/records?limit=500&count=capped", "/api/v1/incident?sort=-updated",
                 "/api/v1/search?q=fire", "/api/v1/tally?process=incident", "/api/v1/people",
                 "/api/v1/groups", "/api/v1/organisations", "/api/v1/role-grants",
                 "/api/v1/me/notices", "/api/v1/me/notices/count", "/api/v1/events?after=0"):
        reply = actor.client.get(path)
        found[path] = (reply.status, reply.json.get("data"), reply.json.get("count"))
    return found


def undisturbed(world):
    """What they do, and much of it, changes nothing that ours see."""
    words = "Wildfire near the fire station"
    world.ours.caller.create("incident", title=words, impact="minor", urgency="low")
    actors = [a for a in world.ours.actors if a.is_good]
    before = {a.name: views(a) for a in actors}
    assert any(r["title"] == words for r in before["agent"]["/api/v1/search?q=fire"][1])

    def flood():
        client = fettle.Client(world.server, world.theirs.writer.token)
        for _ in range(300):
            client.create("incident", title=words, impact="minor", urgency="low")
    world.theirs.writer = next(a.client for a in world.theirs.actors if a.name == "writes")
    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    faults = []
    for a in actors:
        after = views(a)
        faults += [f"{a!r} {path}: {str(before[a.name][path])[:300]} became {str(after[path])[:300]}"
                   for path in after if before[a.name][path] != after[path]]
    return faults
