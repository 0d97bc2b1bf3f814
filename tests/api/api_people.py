"""People, groups, roles; sessions, tokens, and what a browser must send."""
import fettle


def test_setup_once(server):
    """the link of the first start is good once"""
    server.admin()
    body = {"secret": server.setup_secret, "organisation": "Other", "name": "Other",
            "login": "other-admin", "password": fettle.PASSWORD}
    server.nobody().post("/api/v1/setup", body).expect(404)
    server.nobody().post("/api/v1/setup", {**body, "secret": "guess"}).expect(404)


def test_session(server):
    """signing in sets a cookie that scripts cannot read; signing out ends it"""
    server.person("sess", password=fettle.PASSWORD)
    client = server.nobody()
    reply = client.post("/api/v1/session", {"login": "sess", "password": fettle.PASSWORD})
    cookie = reply.expect(200).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert reply["csrf_token"] and reply["login"] == "sess"
    client.sign_in("SESS@example.org")
    assert client.get("/api/v1/me").expect(200)["login"] == "sess"
    assert client.delete("/api/v1/session", {"X-CSRF-Token": None}).expect(403, "csrf")
    gone = client.delete("/api/v1/session").expect(204)
    assert "Max-Age=0" in gone.headers["set-cookie"]
    client.get("/api/v1/me").expect(401)


def test_wrong_password(server):
    """a wrong password and an unknown name answer alike, and soon with 429"""
    server.person("guessed", password=fettle.PASSWORD)
    first = server.nobody().post("/api/v1/session", {"login": "guessed", "password": "x" * 12})
    second = server.nobody().post("/api/v1/session", {"login": "unknown", "password": "x" * 12})
    assert first.expect(401)["detail"] == second.expect(401)["detail"]
    codes = [server.nobody().post("/api/v1/session",
                                  {"login": "guessed", "password": "x" * 12}).status
             for _ in range(6)]
    assert codes[-1] == 429, codes
    server.nobody().post("/api/v1/session",
                         {"login": "guessed", "password": fettle.PASSWORD}).expect(429)


@fettle.direct
def test_csrf(server):
    """with a cookie, what changes something needs the token and our own page"""
    server.person("csrf", password=fettle.PASSWORD)
    client = server.nobody().sign_in("csrf")
    body = {"title": "x", "impact": "minor", "urgency": "low"}
    client.post("/api/v1/incident", body, {"X-CSRF-Token": None}).expect(403, "csrf")
    client.post("/api/v1/incident", body, {"X-CSRF-Token": "wrong"}).expect(403, "csrf")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"},
                    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        client.post("/api/v1/incident", body, headers).expect(403, "cross_site")
        server.nobody().post("/api/v1/session", {"login": "csrf", "password": fettle.PASSWORD},
                             headers).expect(403, "cross_site")
    own = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
    made = client.post("/api/v1/incident", body, own).expect(201)
    history = client.get(f"/api/v1/incident/{made['number']}/history").expect(200)["data"]
    assert history[0]["via"] == "console"


def test_sessions_listed(server):
    """sessions are listed and ended one by one"""
    server.person("many", password=fettle.PASSWORD)
    one, two = server.nobody().sign_in("many"), server.nobody().sign_in("many")
    sessions = one.get("/api/v1/people/me/sessions").expect(200)["data"]
    assert len(sessions) == 2 and sum(s["current"] for s in sessions) == 1
    other = next(s for s in sessions if not s["current"])
    one.delete(f"/api/v1/people/me/sessions/{other['id']}").expect(204)
    two.get("/api/v1/me").expect(401)
    server.person("foreign").delete(f"/api/v1/people/me/sessions/{sessions[0]['id']}").expect(404)


def test_password(server):
    """a password is changed with the present one, and ends other sessions"""
    server.person("changing", password=fettle.PASSWORD)
    one, two = server.nobody().sign_in("changing"), server.nobody().sign_in("changing")
    path = "/api/v1/people/me/password"
    one.put(path, {"password": "another fine password"}).expect(422)
    one.put(path, {"password": "another fine password", "own_password": "wrong-wrong-wrong"}) \
        .expect(403)
    one.put(path, {"password": "short", "own_password": fettle.PASSWORD}).expect(422)
    one.put(path, {"password": "another fine password",
                   "own_password": fettle.PASSWORD}).expect(204)
    one.get("/api/v1/me").expect(200)
    two.get("/api/v1/me").expect(401)
    server.nobody().sign_in("changing", "another fine password")


def test_tokens(server):
    """a token is shown once, holds what its scopes say, and can be revoked"""
    person = server.person("tokens", "agent", password=fettle.PASSWORD)
    session = server.nobody().sign_in("tokens")
    path = "/api/v1/people/me/tokens"
    body = {"name": "script", "scopes": "read"}
    session.post(path, body).expect(422)
    made = session.post(path, {**body, "own_password": fettle.PASSWORD}).expect(201)
    token = made["token"]
    assert token.startswith(f"fettle_pat_{made['id']}_")
    listed = session.get(path).expect(200)
    assert token not in listed.body.decode()
    reader = fettle.Client(server, token)
    assert reader.get("/api/v1/me").expect(200)["scopes"] == "read"
    reader.post("/api/v1/incident", {"title": "x", "impact": "minor", "urgency": "low"}).expect(403)
    reader.post(path, body).expect(403)
    person.post(path, body).expect(403)
    session.delete(f"{path}/{made['id']}").expect(204)
    reader.get("/api/v1/me").expect(401)
    expires = server.operator().post(f"/api/v1/people/{person.id}/tokens", {
        "name": "x", "scopes": "read", "expires": "2001-01-01T00:00:00Z"})
    expires.expect(422)


def test_people(server):
    """people are made, listed by pages, changed and disabled"""
    admin = server.admin()
    home = server.home()
    made = admin.post("/api/v1/people", {"login": "petra", "name": "Petra", "organisation": home,
                                         "email": "Petra@example.org"}).expect(201)
    path = f"/api/v1/people/{made['id']}"
    assert made.headers["location"] == path and made["organisation"]["id"] == home
    admin.post("/api/v1/people", {"login": "PETRA", "name": "P", "organisation": home}).expect(422)
    admin.patch(path, {"phone": "123"}, None).expect(428)
    changed = admin.patch(path, {"phone": "123"}, made.etag).expect(200)
    assert changed["phone"] == "123" and changed["email"] == "Petra@example.org"
    admin.patch(path, {"phone": None}, made.etag).expect(412)
    assert admin.patch(path, {"phone": None}, changed.etag).expect(200)["phone"] is None
    for i in range(5):
        admin.post("/api/v1/people", {"login": f"row{i}", "name": f"Row {i}",
                                      "organisation": home}).expect(201)
    names, cursor = [], None
    while True:
        query = {"words": "row", "limit": 2, **({"cursor": cursor} if cursor else {})}
        page = admin.get("/api/v1/people", **query).expect(200)
        names += [p["name"] for p in page["data"]]
        cursor = page["page"]["next_cursor"]
        if not cursor:
            break
    assert names == [f"Row {i}" for i in range(5)]
    client = server.token_client(made["id"])
    admin.post(path + "/disable").expect(200)
    client.get("/api/v1/me").expect(401)
    admin.post(path + "/enable").expect(200)
    admin.get("/api/v1/people/99999").expect(404)
    admin.get("/api/v1/people/x").expect(404)


def test_rights_over_people(server):
    """people are changed by who may; others see names only"""
    plain = server.person("plain")
    plain.post("/api/v1/people", {"login": "x", "name": "X", "organisation": "1"}).expect(403)
    plain.post("/api/v1/groups", {"name": "x", "organisation": "1"}).expect(403)
    plain.post("/api/v1/role-grants", {"person": plain.id, "role": "administrator"}).expect(403)
    seen = plain.get("/api/v1/people", words="plain").expect(200)["data"]
    other = server.person("other-one", email="secret@example.org")
    assert b"secret@" not in plain.get(f"/api/v1/people/{other.id}").body
    assert seen


def test_groups(server):
    """groups have members, and members their roles"""
    admin = server.admin()
    group = server.group("Desk")
    member = server.person("member")
    admin.put(f"/api/v1/groups/{group}/members/{member.id}").expect(204)
    members = admin.get(f"/api/v1/groups/{group}/members").expect(200)["data"]
    assert [m["id"] for m in members] == [member.id]
    grant = admin.post("/api/v1/role-grants", {"group": group, "role": "agent"}).expect(201)
    assert {r["role"] for r in member.get("/api/v1/me")["roles"]} == {"agent"}
    assert [g["id"] for g in admin.get("/api/v1/role-grants", group=group)["data"]] == [grant["id"]]
    admin.delete(f"/api/v1/role-grants/{grant['id']}").expect(204)
    assert member.get("/api/v1/me")["roles"] == []
    admin.delete(f"/api/v1/groups/{group}/members/{member.id}").expect(204)
    read = admin.get(f"/api/v1/groups/{group}").expect(200)
    changed = admin.patch(f"/api/v1/groups/{group}", {"tier": 2, "retired": True}, read.etag)
    assert changed.expect(200)["tier"] == 2 and changed["retired"]
    admin.post("/api/v1/role-grants", {"role": "agent"}).expect(422)
    admin.post("/api/v1/role-grants", {"role": "nonsense", "person": member.id}).expect(422)
    assert "agent" in {r["name"] for r in member.get("/api/v1/roles").expect(200)["data"]}


def test_last_administrator(server):
    """the last administrator keeps the role"""
    admin = server.admin()
    grants = admin.get("/api/v1/role-grants", person=admin.id).expect(200)["data"]
    admin.delete(f"/api/v1/role-grants/{grants[0]['id']}").expect(409)
    admin.post(f"/api/v1/people/{admin.id}/disable").expect(409)


def test_organisations(server):
    """who is of one organisation does not see another's people and records"""
    other = server.organisation("Elsewhere")
    stranger = server.person("elsewhere", organisation=other)
    home = server.person("at-home")
    number = home.create("incident", title="ours", impact="minor", urgency="low")["number"]
    stranger.get(f"/api/v1/incident/{number}").expect(404)
    stranger.get(f"/api/v1/people/{home.id}").expect(404)
    assert home.id not in {p["id"] for p in stranger.get("/api/v1/people")["data"]}
    read = server.admin().get(f"/api/v1/organisations/{other}").expect(200)
    changed = server.admin().patch(f"/api/v1/organisations/{other}", {"language": "fr"}, read.etag)
    assert changed.expect(200)["language"] == "fr"
