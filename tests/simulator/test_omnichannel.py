"""Omnichannel routing and skills, as the simulator serves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator

Make = Callable[..., tuple[Simulator, Client]]
Account = tuple[Simulator, Client]
DAY = 86_400
WORK = "/api/v2/engagements"


def pages_by_address(client: Client, path: str) -> list[dict[str, Any]]:
    """All pages of a list that tells the whole address of the next."""
    found, url = [], path
    while url:
        page = client.get(url).json
        assert page["has_more"] == (page["next_page_url"] is not None)
        found.append(page)
        url = page["next_page_url"]
    return found


@pytest.mark.parametrize(
    ("stream", "key", "time"),
    [
        ("engagements", "agent_engagement_data", "engagement_start_time"),
        ("queue_events", "queue_data", "event_occurred_at"),
    ],
)
def test_work_comes_ten_a_page_unless_more_are_asked_for_in_the_order_of_its_times(
    make: Make, stream: str, key: str, time: str
) -> None:
    sim, client = make(tickets=200)
    found = pages_by_address(client, f"/api/v2/{stream}")
    assert [page["page_size"] for page in found] == [10] * len(found)
    rows = [row for page in found for row in page[key]]
    assert len(found) > 1
    assert len(rows) == len(sim.truth(stream))
    times = [row[time] for row in rows]
    assert times == sorted(times)
    assert not any(text.endswith("Z") for text in times)
    assert {f"{text}Z" for text in times} == {row[time] for row in sim.truth(stream)}
    assert [len(page[key]) for page in pages_by_address(client, f"/api/v2/{stream}?page_size=4")][:-1].count(4) > 2


def test_an_engagement_lies_within_its_tickets_life_and_is_its_assignees(make: Make) -> None:
    sim, _ = make(tickets=200)
    tickets = {row["id"]: row for row in sim.truth("tickets")}
    agents = {row["id"] for row in sim.truth("users") if row["role"] != "end-user"}
    rows = sim.truth("engagements")
    assert len({row["engagement_id"] for row in rows}) == len(rows) > 10
    for row in rows:
        ticket = tickets[row["ticket_id"]]
        assert ticket["created_at"] <= row["engagement_start_time"] <= row["engagement_end_time"]
        assert row["requester_id"] == ticket["requester_id"]
        assert row["agent_id"] in agents
    assert {row["channel"] for row in rows} == {"MESSAGING", "SUPPORT"}


def test_what_ends_now_may_have_begun_weeks_ago_and_all_of_90_days_is_listed(account: Account) -> None:
    sim, client = account
    new = sim.mutate("finish_engagements", count=4)["ids"]
    rows = {row["engagement_id"]: row for row in sim.truth("engagements")}
    spans = sorted(rows[id]["engagement_start_time"] for id in new)
    assert spans[0][:10] < spans[-1][:10]
    sim.advance(95 * DAY)
    assert client.get(WORK).json == {
        "agent_engagement_data": [],
        "has_more": False,
        "next_page_url": None,
        "page_size": 10,
    }
    assert len(sim.truth("engagements")) == len(rows)


def test_statuses_come_in_two_lists_of_which_the_accounts_own_goes_on(make: Make) -> None:
    sim, client = make(agent_statuses=30)
    first = client.get("/api/v2/agent_availabilities/agent_statuses?page[size]=20").json
    second = client.get(first["links"]["next"]).json
    assert [row["id"] for row in first["default"]] == [2, 3, 4, 5]
    assert "default" not in second
    assert (first["meta"], second["meta"]) == ({"has_more": True}, {"has_more": False})
    rows = [*first["default"], *first["custom"], *second["custom"]]
    assert {row["id"] for row in rows} == {row["id"] for row in sim.truth("agent_statuses")}
    assert {row["type"] for row in rows} == {"agent_status"}


def test_agents_come_with_channels_and_work_beside_them(account: Account) -> None:
    sim, client = account
    answer = client.get("/api/v2/agent_availabilities").json
    included = {(row["type"], row["id"]): row for row in answer["included"]}
    users = {row["id"] for row in sim.truth("users") if row["role"] != "end-user"}
    assert {row["attributes"]["agent_id"] for row in answer["data"]} == users
    work = 0
    for row in answer["data"]:
        for channel in row["relationships"]["channels"]["data"]:
            found = included[("channels", channel["id"])]
            below = found["relationships"]["work_items"]["data"]
            assert found["attributes"]["work_item_count"] == len(below)
            work += len([included[("work_items", each["id"])] for each in below])
    assert work
    assert len(sim.truth("agent_availabilities")) == len(users)


def test_values_of_an_attribute_alone_do_not_name_it(account: Account) -> None:
    sim, client = account
    beside = client.get("/api/v2/routing/attributes?include=attribute_values").json["attribute_values"]
    assert beside == sim.truth("attribute_values")
    for attribute in sim.truth("account_attributes"):
        found = client.get(f"/api/v2/routing/attributes/{attribute['id']}/values").json["attribute_values"]
        own = [row for row in beside if row["attribute_id"] == attribute["id"]]
        assert [{**row, "attribute_id": attribute["id"]} for row in found] == own
    assert client.get("/api/v2/routing/attributes/none/values").status == 404


def test_skills_of_agents_must_be_told_whose_they_are(account: Account) -> None:
    sim, client = account
    path = "/api/v2/routing/agents/instance_values"
    assert client.get(path).status == 400
    assert client.get(f"{path}?filter[agent_ids]={','.join(map(str, range(101)))}").status == 400
    agents = client.get("/api/v2/users?role[]=agent&role[]=admin&page[size]=100").json["users"]
    assert {row["role"] for row in agents} == {"agent", "admin"}
    found = client.get(f"{path}?filter[agent_ids]={','.join(str(row['id']) for row in agents)}").json
    assert (found["count"], found["next_page"]) == (len(sim.truth("agent_attribute_values")), None)
    assert found["instance_values"] == sim.truth("agent_attribute_values")


def test_changes_of_skills_come_by_token_and_end_with_an_empty_page(make: Make) -> None:
    sim, client = make(tickets=20, agents=60, users=200)
    path, rows, asked = "/api/v2/incremental/routing/instance_values", [], []
    while path not in asked:
        asked.append(path)
        page = client.get(path).json
        assert page["count"] == len(page["instance_values"]) <= 100
        rows += page["instance_values"]
        path = page["next_page"]
    assert page["count"] == 0
    assert sorted(map(str, rows)) == sorted(map(str, sim.truth("routing_instance_value_events")))
    assert [row["time"] for row in rows] != sorted(row["time"] for row in rows)
    new = sim.mutate("train_agents", count=2)["ids"]
    assert [row["id"] for row in client.get(path).json["instance_values"]] == new
    assert client.get("/api/v2/incremental/routing/instance_values?cursor=none").status == 400


def test_an_attribute_takes_its_values_and_these_the_skills_of_agents_along(account: Account) -> None:
    sim, _ = account
    sim.mutate("remove_rows", stream="account_attributes", count=2)
    attributes = {row["id"] for row in sim.truth("account_attributes")}
    values = {row["id"]: row for row in sim.truth("attribute_values")}
    assert {row["attribute_id"] for row in values.values()} <= attributes
    assert {row["attribute_value_id"] for row in sim.truth("agent_attribute_values")} <= values.keys()


@pytest.mark.parametrize("path", ["queues", "engagements", "agent_availabilities", "capacity/rules"])
def test_omnichannel_routing_is_not_found_below_professional(make: Make, path: str) -> None:
    _, client = make(plan="growth")
    answer = client.get(f"/api/v2/{path}")
    assert (answer.status, answer.json["error"]) == (404, "InvalidEndpoint")
