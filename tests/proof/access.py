"""Every row of the route table, asked by everybody about the things of both tenants.

cases() makes what is asked: for each route the things that it can be about, and the request. Where
asking changes something, the thing is made anew for each request.
"""
import json
import subprocess

import fettle
import policy
from policy import Thing

# In a body a thing that is not to be seen is an invalid reference.
BY_REFERENCE = ("createRecord", "createPerson", "createGroup", "giveRole", "addLink")


def routes():
    done = subprocess.run([fettle.BUILD / "tests/proof/proof_routes"], check=True,
                          stdout=subprocess.PIPE)
    return json.loads(done.stdout)


class Case:
    """thing; parts: what stands in the path's braces; body, query, headers of the request."""

    def __init__(self, thing, parts=None, body=None, query="", headers=None):
        self.thing, self.parts, self.body = thing, parts or {}, body
        self.query, self.headers = query, headers or {}


def things_of_records(t):
    """One record of each process, and how the policy sees it."""
    return [(Thing(t, "incident", t.caller.id, t.group), t.number),
            (Thing(t, "task", None, None), t.task),
            (Thing(t, "problem", None, None), t.problem),
            (Thing(t, "request", t.caller.id, None), t.request)]


def each_record(body=None, query="", **parts):
    return lambda t, actor: [
        Case(thing, {"process": thing.process, "number": number, **parts}, body, query)
        for thing, number in things_of_records(t)]


def fresh_incident(t):
    number = t.incident()
    t.agent.patch(f"/api/v1/incident/{number}", {"group": t.group}).expect(200)
    return Thing(t, "incident", t.caller.id, t.group), number


def on_fresh(body=None, **parts):
    def make(t, actor):
        thing, number = fresh_incident(t)
        return [Case(thing, {"process": "incident", "number": number, **parts}, body)]
    return make


def linked(t, actor):
    return [Case(Thing(t, "incident", t.caller.id, t.group,
                       second=Thing(t, "incident", t.caller.id)),
                 {"process": "incident", "number": t.number},
                 {"kind": "relates_to", "record": t.other})]


def unlinked(t, actor):
    return [Case(thing, {"process": thing.process, "number": number, "kind": "duplicates",
                         "other": number}) for thing, number in things_of_records(t)]


def files(t, actor):
    thing = Thing(t, "incident", t.caller.id, t.group)
    inner = Thing(t, "incident", t.caller.id, t.group, is_internal=True)
    return [Case(thing, {"id": t.file}), Case(inner, {"id": t.internal_file})]


def fresh_file(t, actor):
    thing = Thing(t, "incident", t.caller.id, t.group)
    return [Case(thing, {"id": t.attach(t.agent, t.number, False)})]


def explained(t, actor):
    """Ours and theirs crossed as well: a record of one tenant, somebody of the other."""
    return [Case(Thing(t, "incident", t.caller.id, t.group,
                       second=Thing(other, person=other.caller.id)),
                 {"process": "incident", "number": t.number, "person": other.caller.id})
            for other in t.world.tenants]


def made(t, actor):
    body = {"title": "x", "impact": "minor", "urgency": "low"}
    if actor.tenant not in (t, None):
        body["caller"] = t.caller.id
    return [Case(Thing(t, "incident"), {"process": "incident"}, body)]


def in_bulk(t, actor):
    return [Case(thing, {}, {"process": thing.process, "numbers": [number],
                             "input": {"description": "bulk"}})
            for thing, number in things_of_records(t)]


def fresh_person(t):
    return t.make_person("passer-by")[0]


def person(body=None, is_self=True):
    """Somebody new, and who asks."""
    def make(t, actor):
        other = fresh_person(t)
        cases = [Case(Thing(t, person=other), {"id": other}, body, headers={"If-Match": "*"})]
        if is_self and actor.tenant is t and actor.is_good:
            cases.append(Case(Thing(t, person=actor.id), {"id": actor.id}, body,
                              headers={"If-Match": "*"}))
        return cases
    return make


def of_group(body=None):
    return lambda t, actor: [Case(Thing(t), {"id": t.group}, body, headers={"If-Match": "*"})]


def of_organisation(body=None):
    return lambda t, actor: [Case(Thing(t), {"id": t.org}, body, headers={"If-Match": "*"})]


def member(t, actor):
    someone = fresh_person(t)
    return [Case(Thing(t, person=someone), {"id": t.group, "person": someone})]


def granted(t, actor):
    someone = fresh_person(t)
    return [Case(Thing(t, person=someone), {}, {"role": "agent", "person": someone,
                                                "organisation": t.org})]


def fresh_grant(t, actor):
    body = granted(t, actor)[0].body
    grant = t.root.post("/api/v1/role-grants", body).expect(201)["id"]
    return [Case(Thing(t), {"id": grant})]


def session(t, actor):
    """Of somebody who signs in again whenever it was ended."""
    if not hasattr(t, "passer_by"):
        t.passer_by = t.make_person("passer-by", fettle.PASSWORD)
    someone, login = t.passer_by
    path = f"/api/v1/people/{someone}/sessions"
    operator = t.server.operator()
    if not operator.get(path).expect(200)["data"]:
        t.server.move_clock(seconds=10)
        t.server.nobody().post("/api/v1/session", {"login": login, "password": fettle.PASSWORD}
                               ).expect(200)
    cases = [Case(Thing(t, person=someone),
                  {"id": someone, "session": operator.get(path)["data"][0]["id"]})]
    if actor.tenant is t and actor.scopes and actor.name != "writes":
        cases.append(Case(Thing(t, person=actor.id), {"id": actor.id, "session": t.session}))
    return cases


def token(t, actor):
    someone = fresh_person(t)
    return [Case(Thing(t, person=someone),
                 {"id": someone, "token": t.token(someone, "read", "passer-by").token_id})]


def new_person(t, actor):
    word = t.canary("login of passer-by")
    return [Case(Thing(t), {}, {"login": word, "name": "N " + word, "organisation": t.org})]


def new_group(t, actor):
    return [Case(Thing(t), {}, {"name": "G " + t.canary("group"), "organisation": t.org})]


def job(t, actor):
    at = t.root.get("/api/v1/jobs").expect(200)["data"][0]["id"]
    return [Case(Thing(t), {"id": at})]


def notice(t, actor):
    return [Case(Thing(t, person=t.caller.id), {"id": t.notice})]


def plain(body=None, query="", **parts):
    return lambda t, actor: [Case(Thing(t), parts, body, query)]


TEXT = {"text": "a text"}
CASES = {
    "readRecord": each_record(), "listActions": each_record(), "readHistory": each_record(),
    "listLinks": each_record(), "listWatchers": each_record(), "listTimers": each_record(),
    "explainOwnAccess": each_record(), "listAttachments": each_record(),
    "editRecord": each_record({"description": "edited"}), "reply": each_record(TEXT),
    "addNote": each_record(TEXT), "attach": each_record(b"a file", "?name=a.txt"),
    "addLink": linked, "removeLink": unlinked,
    "convertRecord": on_fresh({"process": "incident"}),
    "watch": on_fresh({}), "unwatch": on_fresh(person="me"), "runAction": on_fresh({}, action="take"),
    "readAttachment": files, "removeAttachment": fresh_file, "explainAccess": explained,
    "createRecord": made, "bulk": in_bulk,
    "readPerson": person(), "editPerson": person({"phone": "1"}),
    "disablePerson": person(is_self=False), "enablePerson": person(is_self=False),
    "setPassword": person({"password": "one more good one", "own_password": fettle.PASSWORD},
                          is_self=False),
    "listSessions": person(), "listTokens": person(),
    "createToken": person({"name": "t", "scopes": "read", "own_password": fettle.PASSWORD}),
    "endSession": session, "revokeToken": token, "createPerson": new_person,
    "readGroup": of_group(), "listMembers": of_group(), "editGroup": of_group({"tier": 1}),
    "createGroup": new_group, "addMember": member, "removeMember": member,
    "readOrganisation": of_organisation(), "editOrganisation": of_organisation({"language": "fr"}),
    "createOrganisation": lambda t, actor: [Case(Thing(t), {}, {"name": t.canary("organisation")})],
    "giveRole": granted, "takeRole": fresh_grant, "readNotice": notice, "readNotices": plain({}),
    "readJob": job, "retryJob": job, "dropJob": job,
    "search": plain(query="?q=fire"), "tally": plain(query="?process=incident"),
    "listRecords": plain(process="incident"), "readProcess": plain(name="incident"),
    "listVersions": plain(name="incident"), "readProcessFiles": plain(name="incident", version="1"),
    "checkProcesses": plain({"files": {"x.yaml": "a: b"}}),
    "activateProcesses": plain({"files": {"x.yaml": "a: b"}}),
    "signIn": plain({"login": "unknown", "password": "no such password"}),
    "setUp": plain({"secret": "s", "organisation": "o", "name": "n", "login": "l",
                    "password": "no such password"}),
    "moveClock": plain({"by_seconds": 1}),
}
NOT_ASKED = ("signOut",)  # asked last, as it ends everything


def ask(actor, route, case):
    """The status as the policy knows it."""
    path = route["path"]
    for name, value in case.parts.items():
        path = path.replace("{" + name + "}", value)
    assert "{" not in path, path
    if route["is_stream"]:
        stream = actor.client.listen(timeout=5)
        stream.close()
        return stream.status, None
    headers = {"If-Match": "*", **case.headers}
    if isinstance(case.body, bytes):
        headers["Content-Type"] = "text/plain"
    reply = actor.client.request(route["method"], path + case.query, case.body, headers)
    status = reply.status
    if route["name"] == "bulk" and status == 200:
        status = reply["data"][0]["status"]
    if status == 422 and route["name"] in BY_REFERENCE:
        status = 404
    return status, reply


def judge(route, actor, case):
    """A sentence when the server and the policy differ."""
    wanted = policy.verdict(route, actor, case.thing)
    status, reply = ask(actor, route, case)
    if route["allow"] == "public":
        is_good = status not in (403, 405) and status < 500
    elif wanted == 200:
        is_good = status < 300 or status in (400, 409, 412, 422) or (
            status == 404 and route["name"] in ("retryJob", "dropJob"))
    else:
        is_good = status == wanted
    if not is_good:
        return (f"{actor!r} {route['name']} {case.parts} of {case.thing.tenant.name}: wanted "
                f"{wanted}, got {status} {reply!r}"[:400])
    return None
