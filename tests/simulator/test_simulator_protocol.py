"""Envelopes, headers, limits and credentials, against the facts about Zendesk."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
EXPORT = "/api/v2/incremental/"


def decoded(cursor: str) -> str:
    """Read an export's cursor."""
    return base64.b64decode(cursor).decode()


def test_support_cursor_pages_carry_links_on_the_last_page_too(account: Account) -> None:
    _, client = account
    pages = list(client.pages("/api/v2/macros?only_viewable=false"))
    assert [page["meta"]["has_more"] for page in pages] == [True] * (len(pages) - 1) + [False]
    last = pages[-1]
    assert last["meta"]["after_cursor"]
    assert last["links"]["next"]
    assert "/api/v2/macros.json?only_viewable=false&page%5Bafter%5D=" in last["links"]["next"]
    assert json.loads(base64.b64decode(last["meta"]["after_cursor"]))["o"] == "title,id"
    beyond = client.get(last["links"]["next"]).json
    assert (beyond["macros"], beyond["meta"]["has_more"], beyond["links"]["next"]) == ([], False, None)


@pytest.mark.parametrize("path", ["tickets/1", "tickets/1/comments", "groups", "activities/{id}"])
def test_a_path_may_end_with_json(account: Account, path: str) -> None:
    sim, client = account
    path = f"/api/v2/{path}".format(id=sim.truth("ticket_activities")[0]["id"])
    plain = client.get(path)
    assert plain.status == 200
    assert client.get(f"{path}.json").json == plain.json


def test_a_page_can_be_walked_backwards(account: Account) -> None:
    _, client = account
    first, second = list(client.pages("/api/v2/macros"))[:2]
    assert client.get(second["links"]["prev"]).json["macros"] == first["macros"]


def test_a_row_that_goes_between_two_pages_shifts_nothing(account: Account) -> None:
    sim, client = account
    first = client.get("/api/v2/macros?page[size]=4").json
    expected = [row["id"] for row in client.get(first["links"]["next"]).json["macros"]]
    sim.account.tables["macros"].remove(first["macros"][-1]["id"])
    sim.account.changed()
    assert [row["id"] for row in client.get(first["links"]["next"]).json["macros"]] == expected


def test_help_center_pages_omit_the_next_link_at_the_end(account: Account) -> None:
    _, client = account
    pages = list(client.pages("/api/v2/help_center/articles"))
    assert set(pages[0]["links"]) == {"first", "last", "next"}
    assert set(pages[-1]["links"]) == {"first", "last", "prev"}
    assert "page%5Bbefore%5D=bGFzdF9wYWdl" in pages[0]["links"]["last"]
    assert client.get(pages[0]["links"]["last"]).json["articles"][-1] == pages[-1]["articles"][-1]


def test_audit_logs_end_with_empty_strings(account: Account) -> None:
    sim, client = account
    last = list(client.pages("/api/v2/audit_logs?sort=created_at"))[-1]
    assert (last["meta"]["after_cursor"], last["links"]["next"]) == ("", "")
    rows = sorted(sim.truth("audit_logs"), key=lambda row: row["created_at"])
    low, high = rows[3]["created_at"], rows[8]["created_at"]
    query = urlencode([("filter[created_at][]", low), ("filter[created_at][]", high), ("page[size]", 100)])
    found = client.get(f"/api/v2/audit_logs?{query}").json["audit_logs"]
    assert sorted(row["id"] for row in found) == sorted(row["id"] for row in rows[3:9])


def test_page_size_is_clamped_and_sort_is_checked(make: Make) -> None:
    _, client = make(tickets=150)
    assert len(client.get("/api/v2/tickets?page[size]=1000").json["tickets"]) == 100
    assert client.get("/api/v2/tickets?page[size]=5&sort_by=nonsense").status == 200
    refused = client.get("/api/v2/tickets?page[size]=5&sort=nonsense")
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "InvalidPaginationParameter")
    times = [row["updated_at"] for row in client.get("/api/v2/tickets?page[size]=50&sort=-updated_at").json["tickets"]]
    assert times == sorted(times, reverse=True)
    plain = [row["updated_at"] for row in client.get("/api/v2/tickets?page[size]=50").json["tickets"]]
    assert plain != sorted(plain)


def test_offset_pages_stop_at_ten_thousand_rows(make: Make) -> None:
    _, client = make(users=10_500)
    page = client.get("/api/v2/users?page=100&per_page=100").json
    assert page["next_page"]
    assert page["count"] > 10_000
    assert len(page["users"]) == 100
    refused = client.get("/api/v2/users?page=101&per_page=100")
    assert (refused.status, refused.json["errors"][0]["code"]) == (400, "InvalidPaginationDepth")
    assert client.get("/api/v2/users?page=x").json["error"]["title"] == "Invalid attribute"
    guide = client.get("/api/v2/help_center/articles").json
    assert (guide["per_page"], guide["page"], len(guide["articles"])) == (30, 1, 24)


def test_unknown_paths_and_parameters(account: Account) -> None:
    _, client = account
    answer = client.get("/api/v2/no_such_thing")
    assert (answer.status, answer.json) == (404, {"error": "InvalidEndpoint", "description": "Not found"})
    assert client.get("/api/v2/tickets/999999").json == {
        "error": "RecordNotFound",
        "description": "Not found",
    }
    assert '"nonsense"' in client.get("/api/v2/groups?nonsense=1").headers["x-zendesk-api-warn"]


def test_bodies_escape_markup_and_come_compressed(account: Account) -> None:
    _, client = account
    plain = client.get(EXPORT + "tickets/cursor?start_time=0")
    assert b"\\u003c" in plain.raw
    assert not re.search(rb"[<>&]", plain.raw)
    packed = client.get(EXPORT + "tickets/cursor?start_time=0", **{"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json["tickets"] == plain.json["tickets"]
    assert abs(time.mktime(time.strptime(plain.headers["date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone) > 0


# Exports


def test_cursor_export(account: Account) -> None:
    _, client = account
    pages = list(client.export(EXPORT + "tickets/cursor?start_time=0&per_page=10"))
    keys = [(row["generated_timestamp"], row["id"]) for page in pages for row in page["tickets"]]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    last = pages[-1]
    assert (last["before_url"], last["before_cursor"], last["end_of_stream"]) == (None, None, True)
    assert decoded(last["after_cursor"]) == f"{keys[-1][0]}.0||{keys[-1][1]}|"
    again = client.get(last["after_url"]).json
    assert (again["tickets"], again["after_cursor"]) == ([], last["after_cursor"])
    assert client.get(EXPORT + "tickets/cursor?cursor=nonsense").json["errors"][0]["code"] == "InvalidCursor"


def test_time_export_repeats_the_boundary_second(account: Account) -> None:
    _, client = account
    first = client.get(EXPORT + "tickets?start_time=0&per_page=10").json
    assert (first["count"], len(first["tickets"])) == (10, 10)
    assert first["end_time"] == max(row["generated_timestamp"] for row in first["tickets"])
    second = client.get(first["next_page"]).json
    assert {row["id"] for row in first["tickets"]} & {row["id"] for row in second["tickets"]}
    end = list(client.export(EXPORT + "tickets?start_time=0&per_page=10"))[-1]
    assert end["end_of_stream"]
    assert end["next_page"]


def test_a_page_within_one_second_grows_and_moves_on(account: Account) -> None:
    sim, client = account
    made = sim.mutate("bulk_update", count=30)["ids"]
    second = next(row["generated_timestamp"] for row in sim.truth("tickets") if row["id"] == made[0])
    page = client.get(f"{EXPORT}tickets?start_time={second}&per_page=7").json
    assert {row["id"] for row in page["tickets"]} == set(made) - {
        row["id"] for row in sim.truth("tickets") if row["support_type"] == "ai_agent"
    }
    assert page["end_time"] == second + 1
    ids = [row["id"] for row in page["tickets"]]
    assert ids != sorted(ids), "inside one second the time export is in no order"


def test_a_page_that_does_not_grow_stays_where_it_is(make: Make) -> None:
    sim, client = make(page_growth=False)
    sim.mutate("bulk_update", count=30)
    second = max(row["generated_timestamp"] for row in sim.truth("tickets"))
    page = client.get(f"{EXPORT}tickets?start_time={second}&per_page=7").json
    assert (page["count"], page["end_time"]) == (7, second)


def test_the_latest_minute_is_held_back(account: Account) -> None:
    sim, client = account
    made = sim.mutate("create_tickets", count=1, settle=False)["ids"]
    path = EXPORT + "tickets/cursor?start_time={}"
    start = int(sim.now()) - 130
    made += sim.mutate("create_tickets", count=1, settle=False)["ids"]
    assert [row["id"] for row in client.get(path.format(start)).json["tickets"]] == made[:1]
    sim.advance(61)
    assert [row["id"] for row in client.get(path.format(start)).json["tickets"]] == made


def test_start_times_within_a_minute_are_refused(account: Account) -> None:
    sim, client = account
    answer = client.get(f"{EXPORT}users/cursor?start_time={int(sim.now()) - 30}")
    assert (answer.status, answer.json["errors"][0]["code"]) == (400, "StartTimeTooRecent")
    assert client.get(EXPORT + "users/cursor").status == 400


def test_group_memberships_without_a_change_have_no_time_of_it(account: Account) -> None:
    _, client = account
    found = client.get("/api/v2/group_memberships").json["group_memberships"]
    assert {row["updated_at"] is None for row in found} == {True, False}


def test_activities_can_be_sorted_by_creation(account: Account) -> None:
    _, client = account
    found = client.get("/api/v2/activities?page[size]=100&sort=created_at").json["activities"]
    times = [row["created_at"] for row in found]
    assert times == sorted(times)
    assert len(times) > 1


def test_the_export_of_articles_ends_without_a_next_page(account: Account) -> None:
    _, client = account
    path = "/api/v2/help_center/incremental/articles?start_time=0"
    page = client.get(path + "&per_page=5").json
    assert len(page["articles"]) == 5
    assert page["next_page"] is not None
    last = client.get(path).json
    assert last["count"] == len(last["articles"]) > 5
    assert last["next_page"] is None


def test_start_times_are_read_up_to_their_first_odd_character(account: Account) -> None:
    _, client = account
    path = EXPORT + "tickets/cursor?start_time="
    whole = client.get(f"{path}946684800").json["tickets"]
    assert client.get(f"{path}946684800.0").json["tickets"] == whole
    assert client.get(f"{path}2000-01-01T00:00:00Z").json["tickets"] == whole
    assert client.get(f"{path}yesterday").status == 400


def test_metric_events_take_any_start_time(account: Account) -> None:
    sim, client = account
    answer = client.get(f"{EXPORT}ticket_metric_events?start_time={int(sim.now())}")
    assert (answer.status, answer.json["count"]) == (200, 0)
    assert client.get(EXPORT + "ticket_metric_events").status == 400


def test_exports_without_an_end_mark(account: Account) -> None:
    sim, client = account
    articles = client.get(f"/api/v2/help_center/incremental/articles?start_time={int(sim.now())}").json
    assert (articles["count"], articles["end_time"]) == (0, None)
    assert "end_of_stream" not in articles
    start = int(sim.now()) - 100
    events = client.get(f"{EXPORT}ticket_metric_events?start_time={start}").json
    assert (events["count"], events["end_time"]) == (0, start)
    assert "end_of_stream" not in events
    pages = list(client.pages(EXPORT + "ticket_metric_events?start_time=0"))
    times = [row["time"] for page in pages for row in page["ticket_metric_events"]]
    assert len(times) == len(sim.truth("ticket_metric_events"))
    assert times != sorted(times)


def test_comments_are_stubs_unless_asked_for(account: Account) -> None:
    _, client = account
    events = client.get(EXPORT + "ticket_events?start_time=0").json["ticket_events"]
    stub = next(row for row in events[0]["child_events"] if row["event_type"].endswith("Comment"))
    assert stub["comment_present"] is True
    assert "body" not in stub


def test_agents_may_not_export(make: Make) -> None:
    _, client = make(role="agent")
    assert client.get(EXPORT + "tickets/cursor?start_time=0").status == 403
    assert client.get("/api/v2/users/me").json["user"]["role"] == "agent"


# Headers and limits


@pytest.mark.parametrize(
    ("style", "present", "absent"),
    [
        (
            "new",
            {
                "x-rate-limit",
                "ratelimit-limit",
                "ratelimit-remaining",
                "ratelimit-reset",
                "zendesk-ratelimit-incremental-exports",
            },
            set(),
        ),
        (
            "old",
            {
                "x-rate-limit",
                "rate-limit",
                "rate-limit-remaining",
                "rate-limit-reset",
                "zendesk-rate-limit-incremental-exports",
            },
            {"ratelimit-limit"},
        ),
        ("none", {"x-rate-limit", "x-rate-limit-remaining"}, {"ratelimit-limit", "rate-limit"}),
    ],
)
def test_limit_headers(make: Make, style: str, present: set[str], absent: set[str]) -> None:
    _, client = make(header_style=style, limits={})
    headers = client.get(EXPORT + "tickets/cursor?start_time=0").headers
    assert present <= set(headers)
    assert not absent & set(headers)
    assert (headers["x-rate-limit"], headers["x-rate-limit-remaining"]) == ("700", "699")
    if style == "new":
        endpoint = headers["zendesk-ratelimit-incremental-exports"]
        assert re.fullmatch(r"total=10; remaining=9; resets=\d+", endpoint)
    guide = client.get("/api/v2/help_center/articles").headers
    assert guide["x-rate-limit-remaining"] == "699"
    assert "ratelimit-limit" not in guide


def test_users_by_cursor_have_a_bucket_of_their_own(make: Make) -> None:
    _, client = make(limits={})
    headers = client.get(EXPORT + "users/cursor?start_time=0").headers
    assert headers["zendesk-ratelimit-incremental-exports-cursor"].startswith("total=20; remaining=19")


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_the_eleventh_export_of_a_minute_is_refused(make: Make, window: str) -> None:
    sim, client = make(window=window, limits={}, now=1_790_000_040)
    path = EXPORT + "organizations?start_time=0"
    for _ in range(5):
        assert client.get(path).status == 200
    sim.advance(30)
    for _ in range(5):
        assert client.get(path).status == 200
    refused = client.get(path)
    wait = int(refused.headers["retry-after"])
    assert refused.status == 429
    assert refused.json["error"] == "APIRateLimitExceeded"
    assert refused.headers["zendesk-ratelimit-incremental-exports"].startswith("total=10; remaining=0")
    assert 28 <= wait <= 31
    assert client.get("/api/v2/groups").status == 200, "other buckets are not touched"
    sim.advance(wait)
    allowed = [client.get(path).status for _ in range(6)]
    assert allowed == ([200] * 6 if window == "fixed" else [200] * 5 + [429])


def test_the_general_limit_answers_in_plain_text_and_others_use_it_too(make: Make) -> None:
    sim, client = make(limits={"account": 5})
    assert sim.use_quota("account", 4) == 1
    assert client.get("/api/v2/groups").status == 200
    refused = client.get("/api/v2/groups")
    assert (refused.status, refused.raw) == (429, b"Number of allowed API requests per minute exceeded")
    assert client.get("/api/v2/help_center/articles").status == 200
    assert [entry["status"] for entry in sim.requests()] == [200, 429, 200]


def test_the_clock_can_run_faster(make: Make) -> None:
    sim, client = make(clock_scale=600, latency={"list": 30})
    before, real = sim.now(), time.monotonic()
    assert client.get("/api/v2/groups").status == 200
    assert 0.04 < time.monotonic() - real < 1
    assert sim.now() - before >= 30


# Credentials


def test_wrong_credentials(account: Account) -> None:
    sim, client = account
    wrong = "Basic " + base64.b64encode(b"admin@example.com/token:wrong").decode()
    for auth in (wrong, None):
        refused = client.get("/api/v2/groups", auth=auth)
        assert (refused.status, refused.json) == (401, {"error": "Couldn't authenticate you"})
        me = client.get("/api/v2/users/me", auth=auth)
        assert (me.status, me.json["user"]["name"], me.json["user"]["id"]) == (200, "Anonymous user", None)
    refused = client.get("/api/v2/groups", auth="Bearer wrong")
    assert (refused.status, refused.json["error"]) == (401, "invalid_token")
    assert client.get("/api/v2/users/me").json["user"]["role"] == "admin"
    assert [entry["had_authorization"] for entry in sim.requests()][:3] == [True, True, False]


def post_token(client: Client, form: bool = False, **fields: str) -> tuple[int, dict[str, Any]]:
    """Ask for a token."""
    known = client.sim.credentials
    body = {"client_id": known["client_id"], "client_secret": known["client_secret"], **fields}
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    data = (urlencode(body) if form else json.dumps(body)).encode()
    answer = client.send("POST", "/oauth/tokens", auth=None, body=data, headers={"Content-Type": kind})
    return answer.status, answer.json


@pytest.mark.parametrize("form", [False, True])
def test_client_credentials(make: Make, form: bool) -> None:
    sim, client = make(token_lifetime=300)
    status, body = post_token(client, form, grant_type="client_credentials", scope="read")
    assert (status, body["expires_in"]) == (200, 300)
    assert "refresh_token" not in body
    bearer = f"Bearer {body['access_token']}"
    assert client.get("/api/v2/groups", auth=bearer).status == 200
    sim.advance(301)
    assert client.get("/api/v2/groups", auth=bearer).status == 401
    assert post_token(client, form, grant_type="client_credentials", client_secret="wrong") == (
        401,
        post_token(client, form, client_id="wrong")[1],
    )


def test_refreshing_kills_the_old_pair(account: Account) -> None:
    sim, client = account
    old = sim.credentials
    assert client.get("/api/v2/groups", auth=f"Bearer {old['access_token']}").status == 200
    status, body = post_token(client, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert status == 200
    assert body["refresh_token"] == sim.credentials["refresh_token"] != old["refresh_token"]
    assert body["refresh_token_expires_in"] == 2_592_000
    assert client.get("/api/v2/groups", auth=f"Bearer {old['access_token']}").status == 401
    assert client.get("/api/v2/groups", auth=f"Bearer {body['access_token']}").status == 200
    status, body = post_token(client, grant_type="refresh_token", refresh_token=old["refresh_token"])
    assert (status, body["error"]) == (400, "invalid_grant")


def test_authentication_can_be_off(make: Make) -> None:
    _, client = make(auth="any")
    assert client.get("/api/v2/groups", auth=None).status == 200


def test_route_names_are_words(account: Account) -> None:
    sim, _ = account
    assert all(re.fullmatch("[a-z_]+", name) for name in sim.routes())
    assert {"groups", "groups_count", "incremental_tickets_cursor", "oauth_tokens"} <= set(sim.routes())
