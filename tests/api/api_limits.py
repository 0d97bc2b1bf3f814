"""How often one may ask."""
import fettle

SETTINGS = {"rate_limit": "30"}


@fettle.direct
def test_rate(server):
    """too many requests are refused for a while; others are served"""
    one, other = server.operator(), server.operator()
    people = [one.post("/api/v1/people", {"login": login, "name": login, "organisation": home})
              .expect(201)["id"] for home in [server.home()] for login in ("fast", "slow")]
    fast, slow = (server.token_client(p) for p in people)
    replies = [fast.get("/api/v1/me") for _ in range(40)]
    assert [r.status for r in replies[:30]] == [200] * 30, [r.status for r in replies]
    refused = [r for r in replies if r.status == 429]
    assert refused
    last = refused[-1]
    assert last["code"] == "rate_limited" and 1 <= int(last.headers["retry-after"]) <= 60
    assert last.headers["ratelimit-policy"] == '"default";q=30;w=60'
    assert last.headers["ratelimit"].startswith('"default";r=0;t=')
    slow.get("/api/v1/me").expect(200)
    other.get("/api/v1/me").expect(200)
    fast.get("/healthz").expect(200)


@fettle.direct
def test_guessing(server):
    """wrong tokens count against who sends them"""
    codes = [server.nobody().get("/api/v1/me", {"Authorization": "Bearer x"}).status
             for _ in range(40)]
    assert codes[0] == 401 and codes[-1] == 429, codes
