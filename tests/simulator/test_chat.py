"""Chat: exports that give ids alone unless asked, ties, lists without an envelope, two hosts and a login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator

Account = tuple[Simulator, Client]
Make = Callable[..., Account]
ARRAYS = ("departments", "shortcuts", "triggers", "goals", "skills", "roles")


def read(client: Client, name: str, key: str, limit: int) -> list[dict[str, Any]]:
    """All pages of an export."""
    path, rows = f"/api/v2/chat/incremental/{name}?start_time=0&limit={limit}&fields={key}(*)", []
    while True:
        page = client.get(path).json
        assert page["count"] == len(page[key])
        rows += page[key]
        if page["count"] < limit:
            return rows
        path = page["next_page"]


@pytest.mark.parametrize("limit", [7, 1000])
def test_chats_come_in_the_order_of_time_and_id_with_ties_across_pages(account: Account, limit: int) -> None:
    sim, client = account
    rows = read(client, "chats", "chats", limit)
    order = [(row["update_timestamp"], row["id"]) for row in rows]
    assert order == sorted(set(order))
    assert len({time for time, _ in order}) < len(order) / 3
    assert [{**row, "department_id": row["department_id"] or None} for row in rows] == sorted(
        sim.truth("chats"), key=lambda row: (row["update_timestamp"], row["id"])
    )
    assert {"", None} & {row["department_id"] for row in rows} == {""}
    assert {row["type"] for row in rows} == {"chat", "offline_msg"}


def test_spans_of_agents_are_told_in_microseconds(account: Account) -> None:
    sim, client = account
    rows = read(client, "agent_timeline", "agent_timeline", 1000)
    key = [(row["agent_id"], row["start_time"]) for row in rows]
    assert len(set(key)) == len(key) == len(sim.truth("chat_agent_timeline"))
    assert len({start for _, start in key}) < len(key)
    assert all("id" not in row for row in rows)
    end = client.get("/api/v2/chat/incremental/agent_timeline?start_time=0&fields=agent_timeline(*)").json["end_time"]
    assert len(str(end)) == 16


def test_spans_of_agents_have_no_ids_and_so_the_last_microsecond_comes_again(account: Account) -> None:
    sim, client = account
    key = ("agent_id", "start_time")
    rows = read(client, "agent_timeline", "agent_timeline", 5)
    told = [tuple(row[name] for name in key) for row in rows]
    assert len(told) > len(set(told)) == len(sim.truth("chat_agent_timeline"))
    page = client.get("/api/v2/chat/incremental/agent_timeline?start_time=0").json
    assert {*page} == {"agent_timeline", "count", "end_time", "next_page"}
    assert "start_id" not in page["next_page"]
    again = client.get(page["next_page"]).json
    assert again["count"] == 2
    assert again["next_page"] == page["next_page"]


def test_without_fields_only_ids_come(account: Account) -> None:
    _, client = account
    rows = client.get("/api/v2/chat/incremental/chats?start_time=0").json["chats"]
    assert {tuple(row) for row in rows} == {("id",)}


@pytest.mark.parametrize(("ago", "status"), [(240, 400), (310, 200)])
def test_nothing_is_told_of_the_last_five_minutes(account: Account, ago: int, status: int) -> None:
    sim, client = account
    for name, unit in (("chats", 1), ("agent_timeline", 10**6)):
        start = (int(sim.now()) - ago) * unit
        assert client.get(f"/api/v2/chat/incremental/{name}?start_time={start}").status == status
    assert client.get("/api/v2/chat/incremental/chats?start_time=now").status == 400


def test_an_export_begins_at_the_first_row_unless_told_otherwise(account: Account) -> None:
    _, client = account
    for name in ("chats", "agent_timeline"):
        path = f"/api/v2/chat/incremental/{name}"
        assert client.get(path).json == client.get(f"{path}?start_time=0").json


def test_a_deleted_chat_says_so(account: Account) -> None:
    sim, client = account
    (gone,) = sim.mutate("remove_rows", stream="chats")["ids"]
    assert [row["id"] for row in read(client, "chats", "chats", 100) if row["deleted"]] == [gone]


@pytest.mark.parametrize("name", ARRAYS)
def test_lists_are_arrays_and_nothing_else(account: Account, name: str) -> None:
    sim, client = account
    assert client.get(f"/api/v2/chat/{name}").json == sim.truth(f"chat_{name}")


def test_agents_come_from_an_id_on(make: Make) -> None:
    sim, client = make(users=40, agents=12)
    agents = client.get("/api/v2/chat/agents?limit=2").json
    assert len(agents) == 2
    assert client.get(f"/api/v2/chat/agents?limit=1&since_id={agents[-1]['id']}").json == [agents[-1]]
    assert client.get("/api/v2/chat/agents?since_id=99999999999999").json == []
    assert {row["id"] for row in sim.truth("chat_agents")} <= {row["id"] for row in sim.truth("users")}
    sizes = [len(client.get(f"/api/v2/chat/agents{asked}").json) for asked in ("", "?since_id=0", "?limit=3000")]
    assert sizes == [12, 10, 12]


def test_a_page_of_bans_is_shared_by_two_lists(account: Account) -> None:
    sim, client = account
    bans = client.get("/api/v2/chat/bans").json
    told = sorted((row for rows in bans.values() for row in rows), key=lambda row: row["id"])
    assert told == sorted(sim.truth("chat_bans"), key=lambda row: row["id"])
    assert {kind: {row["type"] for row in rows} for kind, rows in bans.items()} == {kind: {kind} for kind in bans}
    assert [row["created_at"] is None for row in told] == [True] + [False] * 8
    page = client.get(f"/api/v2/chat/bans?since_id={told[2]['id']}&limit=2").json
    assert page == {"ip_address": [told[3]], "visitor": [told[2]]}
    assert client.get("/api/v2/chat/bans?since_id=99999").json == {"ip_address": [], "visitor": []}


def test_the_account_is_an_object_with_what_nobody_should_keep(account: Account) -> None:
    sim, client = account
    found = client.get("/api/v2/chat/account").json
    assert found.pop("billing").startswith("planted-")
    assert found["plan"].pop("price").startswith("planted-")
    assert [{"id": 1, **found}] == sim.truth("chat_account")


def test_chat_may_have_a_login_and_a_host_of_its_own(make: Make) -> None:
    sim, client = make(chat_login="own", chat_host=True)
    own = f"Bearer {sim.credentials['chat_access_token']}"
    assert client.get("/api/v2/chat/roles").status == 401
    assert client.get("/api/v2/chat/roles", auth=own).status == 200
    assert client.get("/api/v2/groups", auth=own).status == 401
    assert client.get(f"{sim.chat_url}/roles").status == 401
    assert client.get(f"{sim.chat_url}/roles", auth=own).json == sim.truth("chat_roles")
    page = client.get(f"{sim.chat_url}/incremental/chats?start_time=0&limit=5", auth=own).json
    assert page["next_page"].startswith(f"{sim.chat_url}/incremental/chats?")
    with pytest.raises(ValueError, match="chat_login"):
        Simulator(chat_login="some")
    with pytest.raises(RuntimeError, match="chat_host"):
        _ = make()[0].chat_url


def test_chat_is_counted_apart_and_lower_plans_have_none(make: Make) -> None:
    sim, client = make()
    client.get("/api/v2/chat/roles")
    assert sim.requests()[-1]["buckets"] == ["chat"]
    answer = make(plan="team")[1].get("/api/v2/chat/roles")
    assert (answer.status, answer.json["error"]) == (404, "InvalidEndpoint")
