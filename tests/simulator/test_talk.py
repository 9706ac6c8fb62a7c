"""Calls and legs, lists of Talk, what is told of now: envelopes, limits, refusals, and one story with tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
VOICE = "/api/v2/channels/voice"
INCREMENTS = f"{VOICE}/stats/incremental"


def increments(client: Client, key: str, start: int = 0) -> list[dict[str, Any]]:
    """Pages of an export of Talk up to the one that does not move on."""
    pages: list[dict[str, Any]] = []
    path: str | None = f"{INCREMENTS}/{key}?start_time={start}"
    while path:
        page = client.get(path).json
        ended = page["end_time"] == start
        start = page["end_time"]
        path = None if ended else page["next_page"]
        pages.append(page)
    return pages


def numbered(client: Client, name: str) -> list[dict[str, Any]]:
    """Pages of a list of Talk, by their `next_page`."""
    pages = [client.get(f"{VOICE}/{name}").json]
    while pages[-1]["next_page"] is not None:
        pages.append(client.get(pages[-1]["next_page"]).json)
    return pages


@pytest.mark.parametrize(("stream", "key"), [("calls", "calls"), ("call_legs", "legs")])
def test_increments_hold_all_rows_and_end_where_the_end_stands_still(account: Account, stream: str, key: str) -> None:
    sim, client = account
    sim.mutate("create_calls")
    pages = increments(client, key)
    rows = {row["id"]: row for page in pages for row in page[key]}
    assert rows == {row["id"]: row for row in sim.truth(stream)}
    *_, last = pages
    assert len(last[key]) == last["count"] == (3 if key == "legs" else 1)
    assert last["next_page"].endswith(f"start_time={last['end_time']}")
    assert {"end_of_stream", "after_cursor", "meta"}.isdisjoint(last)
    assert client.get(last["next_page"]).json == last
    assert client.get(f"{INCREMENTS}/{key}?start_time=0&per_page=1").json["count"] == len(rows)
    later = client.get(f"{INCREMENTS}/{key}?start_time={last['end_time'] + 1}").json
    assert (later["count"], later["end_time"]) == (0, last["end_time"] + 1)


def test_a_second_of_more_than_a_page_is_cut(account: Account) -> None:
    sim, client = account
    sim.mutate("create_calls", count=340)
    *_, last = increments(client, "legs")
    assert last["count"] == 1000 < len(sim.truth("call_legs"))
    assert len({leg["updated_at"] for leg in last["legs"]}) == 1


def test_calls_are_of_tickets_and_legs_of_calls(account: Account) -> None:
    sim, _ = account
    sim.mutate("create_calls", count=2)
    tickets = {row["id"]: row for row in sim.truth("tickets")}
    calls = {row["id"]: row for row in sim.truth("calls")}
    assert {row["customer_id"] == tickets[row["ticket_id"]]["requester_id"] for row in calls.values()} == {True}
    by_phone = {id for id, row in tickets.items() if row["via"]["channel"] == "voice"}
    inbound = {row["ticket_id"] for row in calls.values() if row["direction"] == "inbound"}
    assert by_phone <= inbound
    legs = sim.truth("call_legs")
    of_calls = Counter(row["call_id"] for row in legs)
    assert of_calls.keys() == calls.keys()
    assert set(of_calls.values()) <= {2, 3, 4}
    assert {row["updated_at"] == calls[row["call_id"]]["updated_at"] for row in legs} == {True}


def test_a_call_gets_a_transcript_and_moves_and_a_late_one_comes_behind(account: Account) -> None:
    sim, client = account
    newest = increments(client, "calls")[-1]["end_time"]
    [moved] = sim.mutate("transcribe_calls")["ids"]
    found = client.get(f"{INCREMENTS}/calls?start_time={newest + 1}").json["calls"]
    assert [(row["id"], row["post_call_transcription"] is None) for row in found] == [(moved, False)]
    newest = increments(client, "calls")[-1]["end_time"]
    [late] = sim.mutate("create_calls", age=60)["ids"]
    assert late in {row["id"] for row in sim.truth("calls")}
    assert client.get(f"{INCREMENTS}/calls?start_time={newest + 1}").json["count"] == 0


def test_today_is_told_of_the_calls_of_the_newest_day(account: Account) -> None:
    sim, client = account
    sim.mutate("create_calls", count=3)
    day = max(row["created_at"] for row in sim.truth("calls"))[:10]
    calls = [row for row in sim.truth("calls") if row["created_at"][:10] == day]
    told = client.get(f"{VOICE}/stats/account_overview").json["account_overview"]
    assert told["total_calls"] == len(calls) >= 3
    assert told["total_call_duration"] == sum(row["duration"] for row in calls)
    assert told["current_timestamp"] <= sim.now()
    queue = client.get(f"{VOICE}/stats/current_queue_activity").json["current_queue_activity"]
    assert queue["longest_wait_time"] == max(row["wait_time"] for row in calls)
    activity = client.get(f"{VOICE}/stats/agents_activity").json
    accepted = Counter(row["agent_id"] for row in calls)
    assert {row["agent_id"]: row["calls_accepted"] for row in activity["agents_activity"]} == {
        row["agent_id"]: accepted[row["agent_id"]] for row in activity["agents_activity"]
    }
    assert (activity["next_page"], activity["count"]) == (None, len(activity["agents_activity"]))


def test_one_agent_is_told_of_as_in_the_list_of_all(account: Account) -> None:
    sim, client = account
    for row in sim.truth("agents_activity"):
        told = client.get(f"{VOICE}/availabilities/{row['agent_id']}.json").json
        assert told == {"availability": {name: row[name] for name in ("agent_state", "call_status", "via")}}
    assert client.get(f"{VOICE}/availabilities/1").status == 404


def test_lists_of_talk_come_in_pages_by_number(make: Make) -> None:
    _, client = make(phone_numbers=250)
    pages = numbered(client, "phone_numbers")
    assert [(len(page["phone_numbers"]), page["count"]) for page in pages] == [(100, 250), (100, 250), (50, 250)]
    assert len(client.get(f"{VOICE}/phone_numbers?page[size]=7").json["phone_numbers"]) == 100
    lines = [row for page in numbered(client, "lines") for row in page["lines"]]
    assert Counter(row["line_type"] for row in lines) == {"phone": 250, "digital": 2}
    greetings = client.get(f"{VOICE}/greetings").json["greetings"]
    assert {type(row["id"]) for row in greetings} == {str}
    assert {row["id"].isdigit() for row in greetings} == {True, False}


def test_talk_has_limits_of_its_own_that_no_header_tells_of(account: Account) -> None:
    sim, client = account
    for key in ("calls", "legs") * 5:
        answer = client.get(f"{INCREMENTS}/{key}?start_time=0")
        assert answer.status == 200
        assert not {name for name in answer.headers if "talk" in name or name.startswith("zendesk-ratelimit")}
    refused = client.get(f"{INCREMENTS}/calls?start_time=0")
    assert refused.status == 429
    assert client.get("/api/v2/incremental/organizations?start_time=0").status == 200
    sim.use_quota("talk_queue", 2500)
    assert client.get(f"{VOICE}/stats/current_queue_activity").status == 429
    assert client.get(f"{VOICE}/stats/account_overview").status == 200
    sim.use_quota("talk", 15_000)
    assert {client.get(f"{VOICE}/{path}").status for path in ("lines", "ivr", "greeting_categories")} == {429}


@pytest.mark.parametrize(
    ("options", "lists", "exports"),
    [
        ({"plan": "team"}, 404, 403),
        ({"plan": "growth"}, 200, 403),
        ({"without": ("talk",)}, 404, 404),
        ({"gates": {"greetings": 403, "calls": 404}}, 403, 404),
    ],
    ids=str,
)
def test_accounts_without_talk_refuse(make: Make, options: dict[str, Any], lists: int, exports: int) -> None:
    _, client = make(**options)
    assert client.get(f"{VOICE}/greetings").status == lists
    assert client.get(f"{INCREMENTS}/calls?start_time=0").status == exports
