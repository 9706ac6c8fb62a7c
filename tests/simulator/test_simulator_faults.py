"""What goes wrong does so on the request it was set for, in the form it was asked for."""

from __future__ import annotations

import http.client
import json
import socket
import time
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from repository import ROOT
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.faults import KINDS

DOCUMENTATION = (ROOT / "docs" / "simulator.md").read_text()
Account = tuple[Simulator, Client]
Make = Callable[..., Account]
GROUPS = "/api/v2/groups"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 500, 502, 503, 504])
def test_status(account: Account, status: int) -> None:
    sim, client = account
    sim.fault("status", route="groups", status=status)
    assert [client.get(GROUPS).status for _ in range(2)] == [status, 200]


def test_status_with_body_and_headers(account: Account) -> None:
    sim, client = account
    sim.fault("status", status=503, body="down", retry_after="7", headers={"X-Why": "maintenance"})
    answer = client.get(GROUPS)
    assert (answer.status, answer.raw) == (503, b"down")
    assert (answer.headers["retry-after"], answer.headers["x-why"]) == ("7", "maintenance")
    sim.fault("status", status=504)
    assert client.get(GROUPS).raw == b"upstream request timeout"


def test_routes_are_patterns_for_names_or_paths(account: Account) -> None:
    sim, client = account
    sim.fault("status", route="incremental_*", status=500)
    assert client.get(GROUPS).status == 200
    assert client.get("/api/v2/incremental/organizations?start_time=0").status == 500
    sim.fault("status", route="/api/v2/tickets/*/comments", status=500)
    assert client.get("/api/v2/tickets/1/comments").status == 500


def test_nth_every_and_times(account: Account) -> None:
    sim, client = account
    sim.fault("status", route="groups", nth=3, times=2)
    assert [client.get(GROUPS).status for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    sim.clear_faults()
    sim.fault("status", route="groups", every=2, times=None)
    assert [client.get(GROUPS).status for _ in range(4)] == [200, 500, 200, 500]
    sim.clear_faults()
    assert [client.get(GROUPS).status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(("retry_after", "expected"), [("2", "2"), ("1.5", "1.5"), ("missing", None)])
def test_429_with_several_kinds_of_retry_after(account: Account, retry_after: str, expected: str | None) -> None:
    sim, client = account
    sim.fault("status_429", retry_after=retry_after)
    answer = client.get(GROUPS)
    assert (answer.status, answer.headers.get("retry-after")) == (429, expected)
    assert answer.raw.startswith(b"Number of allowed")


def test_429_with_a_date_and_json(account: Account) -> None:
    sim, client = account
    sim.fault("status_429", retry_after="date", seconds=9, json=True)
    answer = client.get(GROUPS)
    assert answer.json["error"] == "APIRateLimitExceeded"
    assert 7 <= parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - sim.now() <= 9


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", (ConnectionError, http.client.HTTPException)),
        ("truncate", http.client.IncompleteRead),
        ("cut_chunk", http.client.IncompleteRead),
        ("bad_gzip", (zlib.error, OSError, EOFError)),
    ],
)
def test_broken_transport(account: Account, kind: str, error: Any) -> None:
    sim, client = account
    sim.fault(kind, route="groups")
    with pytest.raises(error):
        client.get(GROUPS)
    client.close()
    assert client.get(GROUPS).status == 200


@pytest.mark.parametrize("kind", ["truncated_json", "html", "empty"])
def test_a_good_status_with_a_bad_body(account: Account, kind: str) -> None:
    sim, client = account
    sim.fault(kind)
    answer = client.get(GROUPS)
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


def test_slow(account: Account) -> None:
    sim, client = account
    sim.fault("slow", delay=0.2)
    before = time.monotonic()
    assert client.get(GROUPS).status == 200
    assert time.monotonic() - before > 0.19


def test_a_body_in_small_pieces(account: Account) -> None:
    sim, client = account
    expected = client.get(GROUPS).json
    sim.fault("trickle", pause=1)
    host, port = sim.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f"GET {GROUPS} HTTP/1.0\r\nAuthorization: {client.basic()}\r\n\r\n".encode())
        received = [connection.recv(1 << 20) for _ in range(3)]
    assert b"200 OK" in received[0]
    assert max(map(len, received[1:])) < len(json.dumps(expected)) / 10
    sim.clear_faults()
    sim.fault("trickle", pause=0)
    assert client.get(GROUPS).json == expected


def test_headers_of_ones_own(account: Account) -> None:
    sim, client = account
    date = "Mon, 01 Jan 2001 00:00:00 GMT"
    sim.fault("headers", headers={"Date": date, "X-Why": "a test", "Content-Type": None})
    answer = client.get(GROUPS)
    assert (answer.status, answer.headers["date"], answer.headers["x-why"]) == (200, date, "a test")
    assert "content-type" not in answer.headers
    assert client.get(GROUPS).headers["date"] != date


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_is_described(kind: str) -> None:
    rows = [line.split("|")[1] for line in DOCUMENTATION.splitlines() if line.startswith("| `")]
    assert any(f"`{kind}`" in names for names in rows)


def test_credentials_that_end(account: Account) -> None:
    sim, client = account
    bearer = f"Bearer {sim.credentials['access_token']}"
    assert client.get(GROUPS, auth=bearer).status == 200
    sim.fault("expire_token", route="groups", nth=2)
    assert [client.get(GROUPS, auth=bearer).status for _ in range(3)] == [200, 401, 401]
    sim.fault("anonymous")
    assert client.get("/api/v2/users/me").json["user"]["name"] == "Anonymous user"


def test_other_hosts(account: Account) -> None:
    sim, client = account
    sim.fault("redirect", to="http://127.0.0.1:1")
    answer = client.get(GROUPS + "?page[size]=1")
    assert (answer.status, answer.headers["location"]) == (
        302,
        "http://127.0.0.1:1/api/v2/groups?page[size]=1",
    )
    sim.fault("foreign_next", to="http://127.0.0.1:1")
    assert (
        client.get(GROUPS + "?page[size]=1").json["links"]["next"].startswith("http://127.0.0.1:1/api/v2/groups.json")
    )


def test_refused_cursors_and_start_times(account: Account) -> None:
    sim, client = account
    sim.fault("invalid_cursor", route="incremental_tickets_cursor")
    sim.fault("start_time_too_recent", route="incremental_users_cursor", status=422)
    answer = client.get("/api/v2/incremental/tickets/cursor?start_time=0")
    assert (answer.status, answer.json["errors"][0]["code"]) == (400, "InvalidCursor")
    answer = client.get("/api/v2/incremental/users/cursor?start_time=0")
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "StartTimeTooRecent")


def test_heavy_pages(account: Account) -> None:
    sim, client = account
    sim.fault("heavy_page", route="incremental_tickets_cursor", per_page=250, times=None)
    sizes = ["", "&per_page=1000", "&per_page=500", "&per_page=250"]
    found = [client.get("/api/v2/incremental/tickets/cursor?start_time=0" + size).status for size in sizes]
    assert found == [504, 504, 504, 200]


def test_bodies_that_are_too_much(account: Account) -> None:
    sim, client = account
    sim.fault("bomb", size=20_000_000)
    connection = http.client.HTTPConnection(sim.base_url.removeprefix("http://"), timeout=10)
    connection.request("GET", GROUPS, headers={"Authorization": client.basic()})
    packed = connection.getresponse().read()
    assert len(packed) < 100_000
    assert len(zlib.decompress(packed, 31)) > 20_000_000
    connection.close()
    sim.fault("endless")
    connection.request("GET", GROUPS, headers={"Authorization": client.basic()})
    reply = connection.getresponse()
    assert len(reply.read(5_000_000)) == 5_000_000
    assert isinstance(connection.sock, socket.socket | None)
    connection.close()


def test_faults_strike_the_token_endpoint_too(account: Account) -> None:
    sim, client = account
    sim.fault("status", route="oauth_tokens", status=503)
    assert client.send("POST", "/oauth/tokens", auth=None, body=b"{}").status == 503
    sim.fault("truncated_json", route="oauth_tokens")
    answer = client.send("POST", "/oauth/tokens", auth=None, body=b"{}")
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


def test_unknown_names_are_refused(account: Account) -> None:
    sim, _ = account
    with pytest.raises(ValueError, match="unknown fault"):
        sim.fault("nonsense")
    with pytest.raises(ValueError, match="unknown mutation"):
        sim.mutate("nonsense")
    with pytest.raises(ValueError, match="unknown mutation"):
        sim.on_request(1, "nonsense")
    with pytest.raises(ValueError, match="unknown size"):
        Simulator(nonsense=1)
    with pytest.raises(ValueError, match="unknown bucket"):
        Simulator(limits={"nonsense": 1})


def test_pages_can_be_made_before_the_first_request(make: Make) -> None:
    sim, client = make(tickets=5000, users=60, warm="metric_sets")
    path = "/api/v2/incremental/tickets/cursor?start_time=1&include=metric_sets&support_type_scope=all"
    made = len(sim.api.cache)
    pages = list(client.export(path))
    assert len(pages) == made == len(sim.api.cache) == 5
    assert len({row["id"] for page in pages for row in page["tickets"]}) == 5000


def test_faults_work_where_pages_are_kept(make: Make) -> None:
    sim, client = make(tickets=5000)
    path = "/api/v2/incremental/tickets/cursor?start_time=0&per_page=50"
    good = client.get(path)
    sim.fault("truncated_json")
    assert good.raw.startswith(client.get(path).raw)
    packed = client.get(path, **{"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json == good.json
    assert len(good.json["tickets"]) == 50
