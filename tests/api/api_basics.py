"""What holds for every address: methods, media types, problems, headers, limits."""
import json

import fettle


def test_health(server):
    """health and readiness answer to anybody"""
    nobody = server.nobody()
    assert nobody.get("/healthz").expect(200).json == {"status": "ok"}
    assert nobody.get("/readyz").expect(200).json == {"status": "ok"}
    nobody.get("/metrics").expect(401)
    metrics = server.admin().get("/metrics").expect(200).body.decode()
    assert "fettle_http_requests_total{" in metrics and "fettle_db_commits_total " in metrics


def test_security_headers(server):
    """every answer carries the headers that keep browsers safe"""
    for path in ("/", "/healthz", "/api/v1/me", "/nowhere"):
        headers = server.nobody().get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["content-security-policy"].startswith("default-src 'none'"), path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["cache-control"] == "no-store", path
        assert len(headers["x-request-id"]) >= 8, path


def test_request_id(server):
    """a sender's own request id is kept when it is harmless"""
    nobody = server.nobody()
    assert nobody.get("/healthz", {"X-Request-Id": "abc-123.xyz"}).headers["x-request-id"] == \
        "abc-123.xyz"
    assert nobody.get("/healthz", {"X-Request-Id": "a b"}).headers["x-request-id"] != "a b"


def test_unknown_address(server):
    """an address that is not there is 404 with a problem"""
    reply = server.admin().get("/api/v1/incident/INC-1/nonsense").expect(404, "not_found")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply["status"] == 404 and reply["request_id"] == reply.headers["x-request-id"]
    server.admin().get("/api/v1/incident/").expect(404)
    server.admin().get("/api/v1/nosuchprocess").expect(404)
    server.admin().post("/api/v1/nosuchprocess", {}).expect(404)


@fettle.direct
def test_methods(server):
    """a method that an address does not know is 405 and names those it knows"""
    admin = server.admin()
    reply = admin.delete("/api/v1/incident").expect(405, "method")
    assert reply.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    reply = admin.request("OPTIONS", "/api/v1/people/1").expect(204)
    assert reply.headers["allow"] == "GET, HEAD, PATCH, OPTIONS"
    reply = admin.request("HEAD", "/api/v1/incident").expect(200)
    assert reply.body == b""
    admin.put("/healthz").expect(405)


def test_who(server):
    """without a proof there is 401 and a hint how"""
    reply = server.nobody().get("/api/v1/me").expect(401, "unauthenticated")
    assert reply.headers["www-authenticate"].startswith("Bearer")
    for proof in ("Bearer fettle_pat_1_x", "Basic YTpi", "Bearer", "bearer \u00e9".encode().decode("latin1")):
        server.nobody().get("/api/v1/me", {"Authorization": proof}).expect(401)
    server.nobody().get("/api/v1/me", {"Cookie": "fettle_session=nonsense"}).expect(401)
    # a bad proof is none where nobody needs one
    server.nobody().get("/healthz", {"Authorization": "Bearer x"}).expect(200)


def test_media_type(server):
    """a body of another media type is 415"""
    admin = server.admin()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                 "application/merge-patch+json"):
        admin.post("/api/v1/incident", b"{}", {"Content-Type": kind}).expect(415, "media_type")
    admin.post("/api/v1/incident", b"{}", {"Content-Type": "application/json; charset=utf-8"}) \
        .expect(422)


@fettle.direct
def test_malformed(server):
    """a body that is not JSON is 400"""
    admin = server.admin()
    for body in (b"{", b"{'a': 1}", b'{"a": 1, "a": 2}', b"\xff\xfe", b'{"a": "\\u0000"}',
                 b"[" * 100, b"1e", b"nul"):
        admin.post("/api/v1/incident", body,
                   {"Content-Type": "application/json"}).expect(400, "malformed")
    admin.post("/api/v1/incident", b"[]", {"Content-Type": "application/json"}).expect(422)
    admin.request("DELETE", "/api/v1/session", {"a": 1}).expect(400)


@fettle.direct
def test_too_large(server):
    """a body beyond the limit is 413 before it is read"""
    body = json.dumps({"title": "x" * (1 << 20)}).encode()
    reply = server.admin().post("/api/v1/incident", body, {"Content-Type": "application/json"})
    assert reply.status == 413


def test_unknown_members(server):
    """unknown members and parameters are refused with a suggestion"""
    admin = server.admin()
    reply = admin.post("/api/v1/people", {"logn": "x", "name": "X", "organisation": "1"})
    errors = {e["pointer"]: e for e in reply.expect(422)["errors"]}
    assert errors["#/logn"]["code"] == "unknown_field"
    assert "login?" in errors["#/logn"]["detail"]
    assert errors["#/login"]["code"] == "required"
    reply = admin.get("/api/v1/incident", lmit=5).expect(422)
    assert reply["errors"][0]["parameter"] == "lmit" and "limit?" in reply["errors"][0]["detail"]
    admin.get("/api/v1/incident?limit=5&limit=6").expect(422)
    admin.get("/api/v1/incident", limit=0).expect(422)
    admin.get("/api/v1/incident", limit=501).expect(422)
    admin.get("/api/v1/incident", limit="many").expect(422)
    admin.get("/api/v1/incident", count="all").expect(422)
    reply = admin.post("/api/v1/incident", {"title": "x", "impact": "minr", "urgncy": "low"})
    codes = {e["pointer"]: e["code"] for e in reply.expect(422)["errors"]}
    assert codes["#/urgncy"] == "unknown_field" and "#/impact" in codes


def test_wrong_types(server):
    """each member is checked for its type"""
    cases = [({"login": 1}, "#/login"), ({"organisation": 1}, "#/organisation"),
             ({"organisation": "abc"}, "#/organisation"), ({"service": "yes"}, "#/service"),
             ({"name": None}, "#/name"), ({"login": "x" * 300}, "#/login")]
    for body, pointer in cases:
        reply = server.admin().post("/api/v1/people",
                                    {"login": "a", "name": "b", "organisation": "1", **body})
        assert pointer in [e["pointer"] for e in reply.expect(422)["errors"]], (body, reply)


def test_operator(server):
    """who runs the server may do everything on the local socket"""
    me = server.operator().get("/api/v1/me").expect(200)
    assert me["id"] is None and "system.manage" in me["rights"]


def test_pages(server):
    """a plain page says where the description of the API is"""
    page = server.nobody().get("/").expect(200)
    assert page.headers["content-type"].startswith("text/html")
    assert b"/api/v1/openapi.json" in page.body
    server.nobody().get("/robots.txt").expect(200)
