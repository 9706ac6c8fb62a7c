"""Access logs, tokens, revisions, invocations, merges and approvals: envelopes of their own, and what is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso, unix

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
DAY = 86_400


def test_access_logs_come_oldest_first_in_long_pages_since_a_time(make: Make) -> None:
    sim, client = make(access_logs=1200)
    first = client.get("/api/v2/access_logs").json
    assert len(first["access_logs"]) == 1000
    assert first["meta"]["has_more"] is True
    rest = client.get(first["links"]["next"]).json
    assert (rest["meta"]["has_more"], rest["meta"]["has_before"], rest["links"]["next"]) == (False, True, None)
    times = [row["timestamp"] for row in [*first["access_logs"], *rest["access_logs"]]]
    assert len(times) == 1200
    assert times == sorted(times)
    assert max(times.count(time) for time in times) == 3
    meant = client.get("/api/v2/access_logs?filter[graphql]=true&page[size]=2500").json["access_logs"]
    assert meant == sim.truth("access_logs")
    since, until = times[300], times[600]
    some = client.get(f"/api/v2/access_logs?filter[start]={since}&filter[end]={until}").json["access_logs"]
    assert [row["timestamp"] for row in some] == [time for time in times if since <= time <= until]
    newest = client.get("/api/v2/access_logs?sort=-created_at&page[size]=1").json["access_logs"]
    assert newest[0]["timestamp"] == times[-1]
    assert client.get("/api/v2/access_logs?page[size]=2501").status == 400
    assert client.get("/api/v2/access_logs?filter[start]=yesterday").status == 400
    sim.advance(91 * DAY)
    assert client.get("/api/v2/access_logs").json["access_logs"] == []


def test_a_refusal_over_the_limit_of_access_logs_tells_a_time_and_no_seconds(make: Make) -> None:
    sim, client = make()
    sim.use_quota("access_logs", 50)
    answer = client.get("/api/v2/access_logs")
    if answer.status == 200:  # a new minute has begun
        sim.use_quota("access_logs", 49)
        answer = client.get("/api/v2/access_logs")
    assert answer.status == 429
    assert "retry-after" not in answer.headers
    assert 0 < unix(answer.headers["ratelimit-reset"]) - sim.now() <= 61
    assert [name for name in answer.headers if name.startswith("x-rate-limit")] == []


def test_only_admins_of_accounts_with_the_add_on_read_access_logs(make: Make) -> None:
    body = {"errors": [{"detail": "You must have administrator privileges", "title": "Authorization failed"}]}
    for options in ({"role": "agent"}, {"plan": "team"}):
        answer = make(**options)[1].get("/api/v2/access_logs")
        assert (answer.status, answer.json) == (403, body)


def test_tokens_are_the_callers_own_unless_all_are_asked_for(account: Account) -> None:
    sim, client = account
    everybody = client.get("/api/v2/oauth/tokens?all=true").json["tokens"]
    own = client.get("/api/v2/oauth/tokens").json["tokens"]
    assert len(everybody) == len(sim.truth("oauth_tokens")) > len(own)
    assert all(row["token"].startswith("planted-") for row in everybody)
    assert client.get("/api/v2/oauth/clients").json["clients"][0]["secret"].startswith("planted-")


def test_revisions_come_newest_first_and_follow_from_their_trigger(account: Account) -> None:
    sim, client = account
    trigger = sim.truth("triggers")[2]
    for _ in range(3):
        sim.mutate("update_rows", stream="triggers", count=12)
    url, rows = f"/api/v2/triggers/{trigger['id']}/revisions?limit=2", []
    while url:
        page = client.get(url).json
        rows += page["trigger_revisions"]
        url = page["before_url"]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert len(rows) == 5
    now = next(row for row in sim.truth("triggers") if row["id"] == trigger["id"])
    assert (rows[0]["snapshot"]["title"], rows[0]["created_at"]) == (now["title"], now["updated_at"])
    for newer, older in pairwise(rows):
        assert newer["diff"]["source_id"] == older["id"]
        assert [part["content"] for part in newer["diff"]["title"]] == [
            older["snapshot"]["title"],
            newer["snapshot"]["title"],
        ]


def test_invocations_come_newest_first_and_are_forgotten(account: Account) -> None:
    sim, client = account
    hooks = [row["id"] for row in sim.truth("webhooks")]
    found = [row for hook in hooks for row in client.get(f"/api/v2/webhooks/{hook}/invocations").json["invocations"]]
    assert {row["id"] for row in found} == {row["id"] for row in sim.truth("webhook_invocations")}
    assert any("status_code" not in row for row in found)
    url = f"/api/v2/webhooks/{hooks[0]}/invocations?page[size]=2"
    pages: list[list[dict[str, Any]]] = []
    while url:
        page = client.get(quote(url, safe=":/?&=%")).json
        pages.append(page["invocations"])
        url = (page.get("links") or {}).get("next")
    times = [row["latest_completed_at"] for rows in pages for row in rows]
    assert len(pages) > 1
    assert times == sorted(times, reverse=True)
    assert client.get(f"/api/v2/webhooks/{hooks[-1]}/invocations").json["invocations"] == []
    assert client.get("/api/v2/webhooks/01HANAHF77W3MWXQGFPKBA5WN9/invocations").status == 404
    sim.advance(8 * DAY)
    assert client.get(f"/api/v2/webhooks/{hooks[0]}/invocations").json["invocations"] == []
    assert len(sim.truth("webhook_invocations")) == len(found)


def test_merges_are_listed_by_both_organizations(account: Account) -> None:
    sim, client = account
    under_way = next(row for row in sim.truth("organization_merges") if row["status"] == "in_progress")
    for name in ("winner_id", "loser_id"):
        found = client.get(f"/api/v2/organizations/{under_way[name]}/merges").json["organization_merges"]
        assert under_way in found
    assert client.get("/api/v2/organizations/7/merges").status == 404


def test_approvals_come_in_pages_of_a_size_that_nobody_can_change(account: Account) -> None:
    sim, client = account
    first = client.get("/api/v2/approval_requests?page[size]=100").json
    assert len(first["approval_requests"]) == 5
    rest = client.get(f"/api/v2/approval_requests?after_cursor={quote(first['meta']['after_cursor'])}").json
    assert rest["meta"] == {"has_more": False, "after_cursor": None, "before_cursor": None}
    assert [*first["approval_requests"], *rest["approval_requests"]] == sim.truth("approval_requests")
    assert client.get("/api/v2/approval_requests?after_cursor=x").status == 400


@pytest.mark.parametrize("stream", ["sessions", "itam_assets"])
def test_lists_by_cursor_only_page_by_cursor(account: Account, stream: str) -> None:
    sim, client = account
    path = {"itam_assets": "it_asset_management/assets"}.get(stream, stream)
    key = {"itam_assets": "assets"}.get(stream, stream)
    page = client.get(f"/api/v2/{path}?page[size]=2").json
    assert (len(page[key]), page["meta"]["has_more"]) == (2, True)
    assert iso(int(sim.now())) > "2026"
