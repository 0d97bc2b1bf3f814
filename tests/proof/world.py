"""Two tenants on one server, alike in everything, with a canary in every text of each.

A canary is a word of 20 letters and digits that exists nowhere else. Whatever a tenant's people
get to see must hold none of the other's.
"""
import random
import string

import fettle

ROLES = {  # actors of a tenant by session; None: no role
    "caller": None, "bystander": None, "member": None, "agent": "agent",
    "manager": "incident_manager", "auditor": "auditor", "owner": "process_owner",
    "admin": "administrator",
}
SCOPES = {"reads": "read", "writes": "write", "reads_incidents": "incident:read",
          "writes_tasks": "task:write"}


class Actor:
    """Somebody, and what the policy has to know of them."""

    def __init__(self, name, client, tenant=None, role=None, scopes=None, is_good=True):
        self.name, self.client, self.tenant, self.role = name, client, tenant, role
        self.scopes = scopes.split() if scopes else None
        self.is_good = is_good  # signed in, and not disabled
        self.is_everywhere = tenant is None and is_good
        self.id = client.id
        self.by_session = client.cookie is not None

    def __repr__(self):
        return f"{self.tenant.name if self.tenant else 'all'}/{self.name}"


class Tenant:
    def __init__(self, world, name):
        self.world, self.name = world, name
        self.server, self.root = world.server, world.server.admin()
        self.canaries = {}  # word -> where it is
        self.actors = []
        self.make_people()
        self.make_records()

    def canary(self, where):
        word = "zq" + "".join(self.world.dice.choices(string.ascii_lowercase + string.digits, k=18))
        self.canaries[word] = where
        return word

    # ---- people ------------------------------------------------------------------------------

    def make_person(self, name, password=None):
        word = self.canary(f"login of {name}")
        made = self.root.post("/api/v1/people", {
            "login": word, "name": "N " + self.canary(f"name of {name}"),
            "email": self.canary(f"email of {name}") + "@example.org",
            "phone": self.canary(f"phone of {name}"), "organisation": self.org,
            "password": password}).expect(201)
        return made["id"], word

    def sign_in(self, name, role):
        person, login = self.make_person(name, fettle.PASSWORD)
        if role:
            self.root.post("/api/v1/role-grants", {"role": role, "person": person,
                                                   "organisation": self.org}).expect(201)
        client = self.server.nobody()
        client.headers_more = {"User-Agent": self.canary(f"browser of {name}")}
        reply = client.post("/api/v1/session", {"login": login, "password": fettle.PASSWORD},
                            client.headers_more).expect(200)
        client.cookie = reply.headers["set-cookie"].split(";")[0]
        client.csrf, client.id = reply["csrf_token"], person
        self.actors.append(Actor(name, client, self, role))
        return client

    def token(self, person, scopes, name):
        made = self.server.operator().post(f"/api/v1/people/{person}/tokens", {
            "name": self.canary(f"token {name}"), "scopes": scopes}).expect(201)
        client = fettle.Client(self.server, made["token"])
        client.id, client.token_id = person, made["id"]
        return client

    def make_people(self):
        self.org = self.root.post("/api/v1/organisations", {
            "name": "O " + self.canary("organisation")}).expect(201)["id"]
        self.group = self.root.post("/api/v1/groups", {
            "name": "G " + self.canary("group"), "organisation": self.org,
            "email": self.canary("email of group") + "@example.org"}).expect(201)["id"]
        for name, role in ROLES.items():
            setattr(self, name, self.sign_in(name, role))
        self.root.put(f"/api/v1/groups/{self.group}/members/{self.member.id}").expect(204)
        self.grant = self.root.get("/api/v1/role-grants", person=self.agent.id)["data"][0]["id"]
        for name, scopes in SCOPES.items():
            client = self.token(self.agent.id, scopes, name)
            self.actors.append(Actor(name, client, self, "agent", scopes))
            self.a_token = client.token_id
        self.make_disabled()
        self.session = self.server.operator().get(
            f"/api/v1/people/{self.agent.id}/sessions").expect(200)["data"][0]["id"]

    def make_disabled(self):
        person, _ = self.make_person("disabled")
        client = self.token(person, "write", "disabled")
        self.root.post(f"/api/v1/people/{person}/disable").expect(200)
        self.actors.append(Actor("disabled", client, self, is_good=False))

    # ---- records -----------------------------------------------------------------------------

    def incident(self, **more):
        """A new one of this tenant's caller, with canaries, in its group."""
        made = self.caller.create("incident", title="T " + self.canary("title"), impact="minor",
                                  description="D " + self.canary("description"), urgency="low",
                                  **more)
        return made["number"]

    def attach(self, who, number, is_internal):
        kind = "internal file" if is_internal else "file"
        path = f"/api/v1/incident/{number}/attachments"
        return who.request(
            "POST", f"{path}?name={self.canary('name of ' + kind)}.txt"
            + ("&internal=true" if is_internal else ""),
            self.canary(f"bytes of {kind}").encode(),
            {"Content-Type": "text/plain"}).expect(201)["id"]

    def make_records(self):
        agent, manager = self.agent, self.manager
        self.number = number = self.incident()
        path = f"/api/v1/incident/{number}"
        agent.patch(path, {name: self.canary(name) for name in
                           ("service", "external_reference", "vendor", "workaround")} |
                    {"group": self.group}).expect(200)
        agent.post(f"{path}/replies", {"text": self.canary("reply")}).expect(201)
        agent.post(f"{path}/notes", {"text": self.canary("note")}).expect(201)
        self.file = self.attach(agent, number, False)
        self.internal_file = self.attach(agent, number, True)
        self.other = self.incident()
        agent.post(f"{path}/links", {"kind": "relates_to", "record": self.other}).expect(201)
        self.task = agent.create("task", title=self.canary("title of task"), parent=number,
                                 description=self.canary("description of task"))["number"]
        agent.act("incident", number, "open_problem").expect(409)  # not in state new
        agent.act("incident", number, "ask_user", comment=self.canary("question")).expect(200)
        reviewed = self.incident()
        agent.act("incident", reviewed, "resolve", closure_code="solved",
                  resolution=self.canary("resolution")).expect(200)
        manager.act("incident", reviewed, "select_for_review").expect(200)
        manager.act("incident", reviewed, "record_review", review_result="followed",
                    review_notes=self.canary("review notes")).expect(200)
        self.problem = agent.create("problem", title=self.canary("title of problem"),
                                    impact="minor", urgency="low")["number"]
        self.request = self.caller.create("request", title=self.canary("title of request"),
                                          item="account")["number"]
        self.records = {"incident": number, "task": self.task, "problem": self.problem,
                        "request": self.request}
        self.notice = self.caller.get("/api/v1/me/notices").expect(200)["data"][0]["id"]


class World:
    """tenants[0] is the one that asks, tenants[1] the one that is not to be seen."""

    def __init__(self, server, seed=1):
        self.server, self.dice = server, random.Random(seed)
        self.tenants = [Tenant(self, "ours"), Tenant(self, "theirs")]
        self.ours, self.theirs = self.tenants
        self.over_all = [
            Actor("administrator", server.admin(), role="administrator"),
            Actor("auditor", server.person("over-all", "auditor"), role="auditor"),
            Actor("nobody", server.nobody(), is_good=False),
        ]
