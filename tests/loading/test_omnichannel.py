"""Work, agents and skills: what comes late, what Zendesk drops, and lists in forms of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import assert_whole, load, pipeline, rows, source, table, truth, written

from zendesk_support import sync
from zendesk_support.reading.envelopes import NextUrlPages
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.messages import Reply, Request, json_reply
from zendesk_support.streams.selection import family
from zendesk_support.verification.verifier import verify

Simulate = Callable[..., Simulator]
DAY = 86_400
WORK, QUEUES = "engagements", "queue_events"
SKILLS, OF_AGENTS, CHANGES = "attribute_values", "agent_attribute_values", "routing_instance_value_events"
STATES = "agent_availabilities"
FAMILY = family("omnichannel")


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three rows, where the next one has a whole address."""
    monkeypatch.setattr(NextUrlPages, "params", property(lambda _: {"page_size": 3}))


def asked(account: Simulator, route: str) -> int:
    """Requests of a route since this was asked last."""
    found = [request["route"] for request in account.requests()].count(route)
    account.reset_requests()
    return found


# Work


def test_an_engagement_that_began_before_the_last_sync_and_ended_after_it_arrives(
    tmp_path: Path, simulate: Simulate, short_pages: None
) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    load(target, account, WORK)
    before = set(table(target, WORK))
    new = account.mutate("finish_engagements", count=4)["ids"]
    assert written(load(target, account, WORK)) == {WORK: 4}
    assert_whole(target, account, WORK)
    assert set(table(target, WORK)) - before == {(id,) for id in new}
    began = sorted(truth(account, WORK)[(id,)]["engagement_start_time"] for id in new)
    assert began[0][:10] < began[-1][:10], "some began weeks ago"
    assert written(load(target, account, WORK)) == {}


def test_only_engagements_that_differ_are_written_and_those_that_are_gone_are_removed(
    tmp_path: Path, simulate: Simulate, short_pages: None
) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    account.mutate("finish_engagements", count=6)
    load(target, account, WORK)
    account.mutate("update_rows", stream=WORK, count=2)
    account.mutate("remove_rows", stream=WORK, count=1)
    assert written(load(target, account, WORK)) in ({WORK: 2}, {WORK: 3})
    assert_whole(target, account, WORK)
    assert written(load(target, account, WORK)) == {}


@pytest.mark.parametrize("gap", [20, 120], ids=lambda days: f"{days} days apart")
@pytest.mark.parametrize("stream", [WORK, QUEUES])
def test_what_zendesk_keeps_no_longer_stays_in_the_table(
    tmp_path: Path, simulate: Simulate, stream: str, gap: int
) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    account.mutate("create_rows", stream=stream, count=3)
    load(target, account, stream)
    for _ in range(3):
        account.advance(gap * DAY)
        account.mutate("create_rows", stream=stream, count=2)
        load(target, account, stream)
        assert_whole(target, account, stream)
        assert written(load(target, account, stream)) == {}
        assert_whole(target, account, stream)
    (result,) = verify(target, source(account).with_resources(stream), keys=True)
    assert result.verdict == "ok"


def test_a_first_sync_asks_for_what_zendesk_keeps_and_a_period_before_that_for_nothing(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=60)
    load(pipeline(tmp_path), account, WORK)
    (query,) = [request["query"] for request in account.requests() if request["route"] == WORK]
    begun = int(query.partition("start_time=")[2].partition("&")[0])
    assert 90 * DAY < account.now() - begun < 92 * DAY
    account.reset_requests()
    load(pipeline(tmp_path, "bounded"), account, WORK, start_date="2020-01-01", end_date="2021-01-01")
    assert asked(account, WORK) == 0


def test_an_event_of_a_queue_that_shows_an_hour_late_arrives_and_one_without_a_queue_has_an_id(
    tmp_path: Path, simulate: Simulate, short_pages: None
) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    load(target, account, QUEUES)
    account.mutate("enqueue_work", count=2, age=3600)
    assert written(load(target, account, QUEUES)) == {QUEUES: 2}
    assert_whole(target, account, QUEUES)
    assert {"queue_id" in row for row in table(target, QUEUES).values()} == {True, False}
    assert written(load(target, account, QUEUES)) == {}


@pytest.mark.parametrize("stream", [WORK, QUEUES])
def test_a_pass_that_was_cut_short_loses_and_removes_nothing(
    tmp_path: Path, simulate: Simulate, short_pages: None, stream: str
) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    account.fault("status", route=stream, nth=2, times=None, status=400)
    sync(target, source(account).with_resources(stream))
    assert len(table(target, stream)) == 3
    account.clear_faults()
    account.mutate("create_rows", stream=stream, count=2)
    load(target, account, stream)
    assert_whole(target, account, stream)
    assert written(load(target, account, stream)) == {}


def test_the_address_of_a_next_page_on_another_host_gets_no_credentials(
    tmp_path: Path, simulate: Simulate, short_pages: None
) -> None:
    account, other = simulate(tickets=60), simulate(tickets=1)
    target = pipeline(tmp_path)
    account.fault("foreign_next", route=WORK, to=other.base_url.replace("127.0.0.1", "localhost"))
    report = sync(target, source(account).with_resources(WORK, "queues"))
    assert report.streams[WORK].status == "failed"
    assert "credentials go nowhere else" in (report.streams[WORK].message or "")
    assert report.streams["queues"].status == "loaded"
    assert other.requests() == []
    account.clear_faults()
    load(target, account, WORK)
    assert_whole(target, account, WORK)


# Agents


def test_history_keeps_each_state_of_an_agent_that_a_sync_has_met(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, STATES, sync_mode="history")
    assert written(load(target, account, STATES, sync_mode="history")) == {}
    first = len(rows(target, STATES))
    for turn in range(2):
        account.mutate("update_rows", stream=STATES, count=2)
        load(target, account, STATES, sync_mode="history")
        found = rows(target, STATES)
        assert len(found) == first + 2 * (turn + 1)
    assert len({(row["agent_id"], row["version"]) for row in found}) == len(found)
    standing = {row["agent_id"]: row["version"] for row in found if "_dlt_valid_to" not in row}
    assert standing == {row["agent_id"]: row["version"] for row in account.truth(STATES)}


def test_channels_that_an_answer_names_and_does_not_include_are_told_of(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    account.fault("without", route=STATES, times=None, key="included")
    report = load(target, account, STATES)
    assert "do not include channels" in (report.streams[STATES].message or "")
    assert {tuple(channel) for row in table(target, STATES).values() for channel in row["channels"]} == {("id",)}
    account.clear_faults()
    load(target, account, STATES)
    assert_whole(target, account, STATES)


def test_agents_come_in_pages(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5, agents=120, users=300, agent_statuses=230)
    target = pipeline(tmp_path)
    load(target, account, STATES, "agent_statuses", OF_AGENTS)
    assert_whole(target, account, STATES, "agent_statuses", OF_AGENTS)
    assert asked(account, OF_AGENTS) == 3, "two batches of agents, of which one has two pages of skills"
    assert written(load(target, account, STATES, "agent_statuses", OF_AGENTS)) == {}


@pytest.mark.parametrize("missing", ["default", "custom"])
def test_statuses_stay_where_an_answer_lacks_a_list(tmp_path: Path, simulate: Simulate, missing: str) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, "agent_statuses")
    account.fault("without", route="agent_statuses", times=None, key=missing)
    report = sync(target, source(account).with_resources("agent_statuses"))
    assert report.streams["agent_statuses"].status == "failed"
    assert_whole(target, account, "agent_statuses")


# Skills


def test_values_come_beside_the_attributes_at_no_request_more(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    for streams in ((SKILLS, "account_attributes"), (SKILLS,)):
        load(target, account, *streams)
        assert asked(account, "account_attributes") == 1
        assert asked(account, SKILLS) == 0
        assert_whole(target, account, *streams)


class Unsaid:
    """Answers whose values beside the attributes do not say whose they are."""

    def __init__(self, account: Simulator) -> None:
        self._handle = account.api.handle
        account.api.handle = self.answer  # type: ignore[method-assign]

    def answer(self, request: Request) -> Reply:
        """What the account answers, without the attributes of values."""
        reply = self._handle(request)
        if request.path != "/api/v2/routing/attributes":
            return reply
        body = json.loads(reply.body)
        for value in body["attribute_values"]:
            del value["attribute_id"]
        return json_reply(200, body)


@pytest.mark.parametrize("lacks", ["values", "attributes of values"])
def test_values_are_asked_for_by_attribute_where_they_do_not_come_beside(
    tmp_path: Path, simulate: Simulate, lacks: str
) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, SKILLS)
    account.reset_requests()
    if lacks == "values":
        account.fault("without", route="account_attributes", times=None, key=SKILLS)
    else:
        Unsaid(account)
    report = load(target, account, SKILLS, "account_attributes")
    assert asked(account, SKILLS) == len(account.truth("account_attributes"))
    assert set(written(report)) <= {"account_attributes", SKILLS}
    assert_whole(target, account, SKILLS, "account_attributes")
    assert written(load(target, account, SKILLS, "account_attributes")) == {}


def test_skills_whose_agent_is_named_by_a_text_arrive(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    target, handle = pipeline(tmp_path), account.api.handle

    def answer(request: Request) -> Reply:
        reply = handle(request)
        if request.path.endswith("/instance_values"):
            reply.body = re.sub(rb'"agent_id":\s*(\d+)', rb'"agent_id":"\1"', reply.body)
        return reply

    account.api.handle = answer  # type: ignore[method-assign]
    load(target, account, OF_AGENTS)
    assert_whole(target, account, OF_AGENTS)
    assert written(load(target, account, OF_AGENTS)) == {}


@pytest.mark.parametrize("status", [400, 403, 500])
def test_attributes_that_refuse_to_bring_their_values_are_loaded_and_each_is_asked_for_its_own(
    tmp_path: Path, simulate: Simulate, status: int
) -> None:
    account = simulate(tickets=5)
    target, handle, queries = pipeline(tmp_path), account.api.handle, []

    def answer(request: Request) -> Reply:
        if request.path == "/api/v2/routing/attributes":
            queries.append("include" in request.params)
            if queries[-1]:
                return json_reply(status, {"error": "no"})
        return handle(request)

    account.api.handle = answer  # type: ignore[method-assign]
    load(target, account, "account_attributes")
    assert queries == [False]
    report = load(target, account, SKILLS, "account_attributes", retry_deadline=2)
    assert_whole(target, account, SKILLS, "account_attributes")
    assert report.streams["account_attributes"].message is None
    assert "asked without include=attribute_values" in str(report.streams[SKILLS].message)


def test_values_stay_where_those_of_an_attribute_are_refused(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, SKILLS)
    before = table(target, SKILLS)
    account.fault("without", route="account_attributes", times=None, key=SKILLS)
    account.fault("status", route=SKILLS, nth=3, times=2, status=403)
    report = sync(target, source(account).with_resources(SKILLS, "account_attributes"))
    assert (report.streams[SKILLS].status, report.streams["account_attributes"].status) == ("failed", "loaded")
    assert table(target, SKILLS) == before
    account.clear_faults()
    load(target, account, SKILLS)
    assert_whole(target, account, SKILLS)


def test_skills_of_agents_stay_where_their_batch_is_refused(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5, agents=120, users=300)
    target = pipeline(tmp_path)
    load(target, account, OF_AGENTS)
    before = table(target, OF_AGENTS)
    last = max(row["agent_id"] for row in before.values())
    account.mutate("update_rows", stream=OF_AGENTS, count=40)
    handle = account.api.handle

    def refusing(request: Request) -> Reply:
        is_last = str(last) in request.params.get("filter[agent_ids]", "")
        return json_reply(403, {"error": "Forbidden"}) if is_last else handle(request)

    account.api.handle = refusing  # type: ignore[method-assign]
    report = load(target, account, OF_AGENTS)
    assert "their rows stay as they are" in (report.streams[OF_AGENTS].message or "")
    assert table(target, OF_AGENTS).keys() == before.keys()
    account.api.handle = handle  # type: ignore[method-assign]
    load(target, account, OF_AGENTS)
    assert_whole(target, account, OF_AGENTS)


def test_changes_of_skills_go_on_from_their_token_at_two_requests(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5, agents=120, users=300)
    target = pipeline(tmp_path)
    load(target, account, CHANGES)
    assert len(truth(account, CHANGES)) > 200
    assert asked(account, CHANGES) == 4, "pages of 100, and an empty one"
    new = account.mutate("train_agents", count=2)["ids"]
    account.mutate("remove_rows", stream=OF_AGENTS, count=1)
    assert written(load(target, account, CHANGES)) == {CHANGES: 3}
    assert {(id, "associate_agent") for id in new} <= table(target, CHANGES).keys()
    assert_whole(target, account, CHANGES)
    account.reset_requests()
    assert written(load(target, account, CHANGES)) == {}
    assert asked(account, CHANGES) == 2


def test_changes_of_skills_are_read_anew_where_their_token_is_known_no_more(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5, agents=120, users=300)
    target = pipeline(tmp_path)
    load(target, account, CHANGES)
    account.mutate("train_agents", count=2)
    account.fault("invalid_cursor", route=CHANGES)
    report = load(target, account, CHANGES)
    assert "all was read anew" in (report.streams[CHANGES].message or "")
    assert_whole(target, account, CHANGES)
    assert written(load(target, account, CHANGES)) == {}


def test_changes_of_skills_that_were_cut_short_go_on(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5, agents=120, users=300)
    target = pipeline(tmp_path)
    account.fault("status", route=CHANGES, nth=3, times=None, status=400)
    sync(target, source(account).with_resources(CHANGES))
    assert len(table(target, CHANGES)) == 200
    account.clear_faults()
    account.reset_requests()
    load(target, account, CHANGES)
    assert asked(account, CHANGES) == 3, "the second page once more"
    assert_whole(target, account, CHANGES)


# Refusals


@pytest.mark.parametrize("status", [403, 404])
def test_what_an_account_lacks_is_unavailable_and_costs_no_other_stream(
    tmp_path: Path, simulate: Simulate, status: int
) -> None:
    account = simulate(tickets=5, gates=dict.fromkeys((*FAMILY, "account_attributes"), status))
    target = pipeline(tmp_path)
    report = sync(target, source(account).with_resources(*FAMILY, "groups"))
    found: dict[str, Any] = {name: stream.status for name, stream in report.streams.items()}
    assert found == {**dict.fromkeys(FAMILY, "unavailable"), "groups": "loaded"}
