"""Processes as data: described, checked, put into force; jobs; settings of the server."""
from pathlib import Path

import fettle


def files(**changed):
    texts = {p.name: p.read_text() for p in (fettle.SOURCE / "process").glob("*.yaml")}
    return {**texts, **changed}


def test_list(server):
    """processes are listed with what one may do"""
    anna = server.person("list-anna")
    data = {p["name"]: p for p in anna.get("/api/v1/processes").expect(200)["data"]}
    assert {"incident", "problem", "request", "task"} <= set(data)
    assert data["incident"]["may_create"] is True and data["incident"]["number_prefix"] == "INC-"
    anna.get("/api/v1/processes/nonsense").expect(404)


def test_describe(server):
    """a process describes itself in the reader's language"""
    anna = server.person("describe-anna")
    english = anna.get("/api/v1/processes/incident").expect(200)
    french = anna.get("/api/v1/processes/incident", {"Accept-Language": "fr-CA, en;q=0.5"})
    fields = {f["name"]: f for f in english["fields"]}
    assert fields["impact"]["type"] == "choice" and fields["impact"]["required"] is True
    assert fields["impact"]["choices"][0]["name"] == "extensive"
    assert fields["priority"]["computed"] is True and fields["number"]["system"] is True
    assert english["label"] == "Incident" and french["plural"] == "Incidents"
    states = {s["name"]: s["label"] for s in french["states"]}
    assert states["new"] == "Nouveau"
    rights = {r["name"]: r["mine"] for r in english["rights"]}
    assert rights["create"] is True and rights["override"] is False
    anna.get("/api/v1/processes/incident/versions").expect(403)
    server.admin().get("/api/v1/processes/incident/versions/99/files").expect(404)
    kept = server.admin().get("/api/v1/processes/incident/versions/1/files").expect(200)["files"]
    assert kept == files()


def test_check(server):
    """files with errors are refused with places and suggestions; nothing changes"""
    admin = server.admin()
    wrong = files()["incident.yaml"].replace("to: assigned", "to: asigned", 1)
    body = {"files": files(**{"incident.yaml": wrong})}
    for address in ("check", "activate"):
        reply = admin.post(f"/api/v1/processes/{address}", body).expect(200)
        assert reply["valid"] is False and reply["activated"] is False
        error = next(f for f in reply["findings"] if f["level"] == "error")
        assert error["file"] == "incident.yaml" and error["line"] > 1
        assert "assigned" in error["text"]
    reply = admin.post("/api/v1/processes/check", {"files": files()}).expect(200)
    assert reply["valid"] is True
    server.person("check-anna").post("/api/v1/processes/activate", body).expect(403)
    admin.post("/api/v1/processes/check", {"files": {"x": 1}}).expect(422)


def test_reserved(server):
    """a process cannot take a name that the API has"""
    text = files()["task.yaml"].replace("process: task", "process: people", 1)
    text = text.replace("number: ", "number: X", 1)
    reply = server.admin().post("/api/v1/processes/check",
                                {"files": files(**{"people.yaml": text})}).expect(200)
    assert "reserved-name" in {f["rule"] for f in reply["findings"]}, reply.json


def test_activate(server):
    """a new version comes into force at once; records keep theirs; the change survives a restart"""
    admin, bob = server.admin(), server.person("activate-bob", "agent")
    old = bob.create("task", title="before")
    changed = files()["task.yaml"] + "\n"
    extra = changed.replace("fields:\n", "fields:\n  colour:\n    is: text\n"
                            "    label: {en: Colour, fr: Couleur}\n", 1)
    assert extra != changed
    reply = admin.post("/api/v1/processes/activate",
                       {"files": files(**{"task.yaml": extra})}).expect(200)
    assert reply["activated"] is True, reply.json
    new = bob.create("task", title="after", colour="red")
    assert new["colour"] == "red" and new["version"] == old["version"] + 1
    assert "colour" not in bob.record("task", old["number"]).json
    versions = admin.get("/api/v1/processes/task/versions").expect(200)["data"]
    assert [v["version"] for v in versions] == [2, 1]
    server.restart()
    assert bob.create("task", title="later", colour="blue")["colour"] == "blue"
    bob.create("incident", title="x", impact="minor", urgency="low")
    admin.post("/api/v1/processes/activate", {"files": files()}).expect(200)
    assert "colour" not in bob.create("task", title="back").json
    assert bob.record("task", new["number"])["colour"] == "red"


def test_jobs(server):
    """jobs are listed to who may see them"""
    admin = server.admin()
    jobs = admin.get("/api/v1/jobs").expect(200)["data"]
    house = next(j for j in jobs if j["kind"] == "housekeeping")
    assert admin.get(f"/api/v1/jobs/{house['id']}").expect(200)["state"] in ("ready", "running")
    admin.delete(f"/api/v1/jobs/{house['id']}").expect(409)
    admin.post(f"/api/v1/jobs/{house['id']}/retry").expect(409)
    admin.get("/api/v1/jobs/999999").expect(404)
    server.person("jobs-anna").get("/api/v1/jobs").expect(403)


def test_system(server):
    """the server tells who may know how it is set and how it is"""
    system = server.admin().get("/api/v1/system").expect(200)
    settings = {s["name"]: s for s in system["settings"]}
    assert settings["http.listen"]["value"] == "127.0.0.1:0"
    assert settings["database"]["value"] is None
    assert "postgresql://" not in str(system.json)
    assert system["version"] and system["engine"] == server.engine
    server.person("system-anna").get("/api/v1/system").expect(403)
    text = server.nobody().get("/.well-known/security.txt").expect(200).body.decode()
    assert "Contact:" in text and "Expires:" in text


def test_stop_and_start(server):
    """what was answered is there after a kill"""
    bob = server.person("kill-bob", "agent")
    numbers = [bob.create("task", title=f"t{i}")["number"] for i in range(5)]
    server.restart(9)
    for number in numbers:
        bob.record("task", number)
