"""Files: attached, found again, handed out only to be saved."""
import hashlib
from urllib.parse import quote

import fettle

SETTINGS = {"http.max_upload": "1 MiB"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def incident(who):
    return who.create("incident", title="x", impact="minor", urgency="low")["number"]


def attach(who, number, body, headers=None, query=""):
    return who.request("POST", f"/api/v1/incident/{number}/attachments{query}", body, headers)


@fettle.direct
def test_attach(server):
    """a file is attached, listed, fetched and removed"""
    anna = server.person("up-anna")
    number = incident(anna)
    made = attach(anna, number, PNG, {"Content-Disposition": 'attachment; filename="shot.png"'})
    made.expect(201)
    assert made["name"] == "shot.png" and made["type"] == "image/png"
    assert made["size"] == len(PNG) and made["sha256"] == hashlib.sha256(PNG).hexdigest()
    path = f"/api/v1/attachments/{made['id']}"
    assert made.headers["location"] == path
    listed = anna.get(f"/api/v1/incident/{number}/attachments").expect(200)["data"]
    assert [a["id"] for a in listed] == [made["id"]]
    got = anna.get(path).expect(200)
    assert got.body == PNG and got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-security-policy"].startswith("sandbox")
    assert got.headers["x-content-type-options"] == "nosniff"
    kept = server.data / "blobs" / made["sha256"][:2] / made["sha256"]
    assert kept.read_bytes() == PNG and kept.stat().st_mode & 0o077 == 0
    history = anna.get(f"/api/v1/incident/{number}/history")["data"]
    assert history[-1]["kind"] == "attach" and history[-1]["attached"] == "shot.png"
    again = attach(anna, number, PNG, query="?name=again.png").expect(201)
    assert again["sha256"] == made["sha256"] and again["id"] != made["id"]
    anna.delete(path).expect(204)
    anna.get(path).expect(404)
    anna.get(f"/api/v1/attachments/{again['id']}").expect(200)


@fettle.direct
def test_types(server):
    """the type is what the content says, never something that a browser would run"""
    anna = server.person("up-types")
    number = incident(anna)
    for body, want in ((b"<html><script>alert(1)</script>", "text/plain"),
                       (b"<svg onload=alert(1)>", "text/plain"), (b"%PDF-1.7 x", "application/pdf"),
                       (b"PK\x03\x04x", "application/zip"), (b"\x00\x01", "application/octet-stream"),
                       ("é".encode(), "text/plain"), (b"GIF89a<script>", "image/gif"),
                       (b"\xff\xfe<\x00", "application/octet-stream")):
        made = attach(anna, number, body, {"Content-Type": "text/html"}).expect(201)
        assert made["type"] == want, (body, made.json)
        got = anna.get(f"/api/v1/attachments/{made['id']}").expect(200)
        assert got.headers["content-type"] == want and got.body == body


def test_names(server):
    """hostile names become harmless ones"""
    anna = server.person("up-names")
    number = incident(anna)
    cases = [("../../etc/passwd", "passwd"), ("..\\..\\boot.ini", "boot.ini"),
             (".htaccess", "htaccess"), ("a%00b.txt", "a%00b.txt"), ("CON:", "CON_"),
             ("x\u202egpj.exe", "xgpj.exe"), ("\u200bhidden", "hidden"), ("", "attachment"),
             ("...", "attachment"), ("a<b>|c?.txt", "a_b__c_.txt"), ("na\u00efve.txt", "na\u00efve.txt"),
             ("x" * 500 + ".txt", "x" * 200), ("\u00e9" * 150, "\u00e9" * 100), ("a/", "attachment"),
             ("a\tb\nc", "abc")]
    for name, want in cases:
        made = attach(anna, number, b"x", query="?name=" + quote(name, safe="")).expect(201)
        assert made["name"] == want, (name, made["name"])
        got = anna.get(f"/api/v1/attachments/{made['id']}").expect(200)
        header = got.headers["content-disposition"]
        assert "\n" not in header and header.count('"') == 2
        assert header.endswith("filename*=UTF-8''" + quote(want, safe="-._~")), header
    made = attach(anna, number, b"x", {
        "Content-Disposition": "attachment; filename=\"a.txt\"; filename*=UTF-8''%e2%82%ac.txt"})
    assert made.expect(201)["name"] == "\u20ac.txt"
    made = attach(anna, number, b"x", {"Content-Disposition": 'attachment; filename="a\\"b;c.txt"'})
    assert made.expect(201)["name"] == "a_b;c.txt"


@fettle.direct
def test_limits(server):
    """an empty file and one beyond the limit are refused"""
    anna = server.person("up-limits")
    number = incident(anna)
    attach(anna, number, b"").expect(422)
    assert attach(anna, number, b"x" * ((1 << 20) + 1)).status == 413
    attach(anna, number, b"x" * (1 << 20)).expect(201)


def test_who(server):
    """files are seen and sent by who may"""
    bob, anna = server.person("up-bob", "agent"), server.person("up-caller")
    stranger = server.person("up-stranger")
    number = incident(anna)
    attach(stranger, number, b"x").expect(404)
    attach(server.nobody(), number, b"x").expect(401)
    internal = attach(bob, number, b"CANARY", query="?internal=true").expect(201)
    attach(anna, number, b"x", query="?internal=true").expect(403)
    anna.get(f"/api/v1/attachments/{internal['id']}").expect(404)
    assert anna.get(f"/api/v1/incident/{number}/attachments")["data"] == []
    public = attach(bob, number, b"x").expect(201)
    anna.get(f"/api/v1/attachments/{public['id']}").expect(200)
    stranger.get(f"/api/v1/attachments/{public['id']}").expect(404)
    server.nobody().get(f"/api/v1/attachments/{public['id']}").expect(401)
    anna.get("/api/v1/attachments/nonsense").expect(404)
