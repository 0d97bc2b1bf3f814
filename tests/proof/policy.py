"""Who may do what, said once more and independently of the server: verdict(route, actor, thing).

A verdict is 200 (it is done, or refused for a reason that has nothing to do with who asks), 401, 403
or 404. What roles may do with records is read from the process files; the rest is this page.
"""
from pathlib import Path

import yaml

import fettle

FILES = {name: yaml.load((fettle.SOURCE / f"process/{name}.yaml").read_text(), yaml.CSafeLoader)
         for name in ("incident", "task", "problem", "request", "roles")}
SCOPED_RIGHTS = ("people.view", "people.manage", "process.view")  # mean something in a tenant


class Thing:
    """What a request is about."""

    def __init__(self, tenant, process=None, caller=None, group=None, person=None,
                 is_internal=False, second=None):
        self.tenant, self.process, self.caller, self.group = tenant, process, caller, group
        self.person = person            # id; whose it is, or who it is
        self.is_internal = is_internal
        self.second = second            # another thing that has to be seen as well


def is_there(actor, tenant):
    """Whether the actor's role counts in the tenant."""
    return actor.is_everywhere or actor.tenant is tenant


def words(actor, thing):
    found = {"anyone"}
    if actor.role and is_there(actor, thing.tenant):
        found.add(actor.role)
    if actor.id == thing.caller:
        found |= {"caller", "opened_by"}
    if actor.name == "member" and actor.tenant is thing.tenant and thing.group:
        found.add("group")
    return found


def scope(actor, use, process=None):
    uses = ("read", "write") if use == "read" else ("write",)
    return actor.scopes is None or any(
        s in uses or (process and s in [f"{process}:{u}" for u in uses]) for s in actor.scopes)


def may(actor, thing, right):
    allowed = FILES[thing.process]["rights"][right]
    if not scope(actor, "read" if right in ("view", "internal") else "write", thing.process):
        return False
    return bool(words(actor, thing) & set(allowed))


def holds(actor, right, tenant=None):
    """A right beyond records; in this tenant, or anywhere."""
    rights = FILES["roles"]["roles"].get(actor.role or "", {}).get("rights", [])
    if "*" not in rights and right not in rights:
        return False
    return actor.is_everywhere or (right in SCOPED_RIGHTS and tenant in (None, actor.tenant))


def sees(actor, thing):
    """People, groups and organisations: at least the name."""
    return holds(actor, "people.view", thing.tenant) or actor.tenant is thing.tenant


# ---- the rules: each gives a verdict for an actor and a thing -------------------------------------

def record(right):
    def rule(actor, thing):
        if not may(actor, thing, "view") or (thing.is_internal and not may(actor, thing, "internal")):
            return 404
        if thing.second and not (sees if thing.second.person else
                                 lambda a, t: may(a, t, "view"))(actor, thing.second):
            return 404
        return 200 if may(actor, thing, right) else 403
    return rule


def action(actor, thing):
    """Of incidents: take."""
    seen = record("view")(actor, thing)
    allowed = FILES["incident"]["actions"]["take"]["allow"]
    if seen == 200 and not (words(actor, thing) & set(allowed)
                            and scope(actor, "write", "incident")):
        return 403
    return seen


def everybody(actor, thing):
    return 200


def seen(actor, thing):
    return 200 if sees(actor, thing) else 404


def managed(actor, thing):
    if holds(actor, "people.manage", thing.tenant):
        return 200
    return 403 if sees(actor, thing) else 404


def own_or_managed(actor, thing):
    return 200 if actor.id == thing.person and scope(actor, thing.use) else managed(actor, thing)


def never_by_token(actor, thing):
    return own_or_managed(actor, thing) if actor.by_session else 403


def own(actor, thing):
    return 200 if actor.id == thing.person else 404


def create_top(actor, thing):
    return 200 if holds(actor, "people.manage") and actor.is_everywhere else 403


def create_record(actor, thing):
    """For somebody else: who has to be seen."""
    if not may(actor, thing, "create"):
        return 403
    return 200 if sees(actor, thing) else 404


RULES = {
    **dict.fromkeys(("readRecord", "listActions", "readHistory", "listLinks", "listWatchers",
                     "listTimers", "explainOwnAccess", "explainAccess", "listAttachments",
                     "readAttachment", "watch", "unwatch"), record("view")),
    "editRecord": record("edit"), "convertRecord": record("edit"), "bulk": record("edit"), "reply": record("reply"),
    "addNote": record("note"), "addLink": record("link"), "removeLink": record("link"),
    "attach": record("attach"), "runAction": action,
    "removeAttachment": record("edit"),  # of files that somebody else attached
    "createRecord": create_record,
    **dict.fromkeys(("readPerson", "readGroup", "listMembers", "readOrganisation"), seen),
    **dict.fromkeys(("editPerson", "endSession", "listSessions", "listTokens"),
                    own_or_managed),
    **dict.fromkeys(("disablePerson", "enablePerson", "createPerson", "createGroup", "editGroup",
                     "editOrganisation", "addMember", "removeMember", "giveRole", "takeRole"),
                    managed),
    **dict.fromkeys(("createToken", "revokeToken", "setPassword"), never_by_token),
    "createOrganisation": create_top, "readNotice": own,
    # Lists show what one may see; whether they do is a matter of canaries.
    **dict.fromkeys(("readMe", "signOut", "listPeople", "listOrganisations", "listGroups",
                     "listRoles", "listRoleGrants", "listAllRecords", "search", "tally",
                     "listRecords", "listEvents", "streamEvents", "listNotices", "countNotices",
                     "readNotices", "listProcesses", "readProcess", "listVersions",
                     "readProcessFiles", "checkProcesses", "activateProcesses", "listJobs",
                     "readJob", "retryJob", "dropJob", "readMetrics", "readSystem"), everybody),
    **dict.fromkeys(("signIn", "setUp", "readHealth", "readReadiness", "moveClock", "home",
                     "readOpenapi", "security", "robots"), everybody),
}


def verdict(route, actor, thing):
    if route["allow"] == "public":
        return 200
    if not actor.is_good:
        return 401
    is_write = route["method"] not in ("GET", "HEAD")
    use = "write" if is_write else "read"
    if route["allow"] != "user" and not (scope(actor, use) and holds(actor, route["allow"])):
        return 403
    if is_write and not any(s.split(":")[-1] == "write" for s in actor.scopes or ["write"]):
        return 403
    thing.use = use
    return RULES[route["name"]](actor, thing)
