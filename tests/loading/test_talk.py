"""Talk: exports whose end no mark tells, pages by number, readings of now, and what is left out unless asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documented import says
from levers import ask, refused
from support import assert_whole, load, pipeline, rows, source, table, truth, written

from zendesk_support import sync, verify, zendesk_support_source
from zendesk_support.errors import ConfigurationError, ContractError
from zendesk_support.reading import lookback
from zendesk_support.reading.readings import READ_AT
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.messages import Reply, Request, json_reply
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
CALLS = ("calls", "call_legs")
READINGS = ("agents_activity", "current_queue_activity", "account_overview")
TALK = tuple(name for name, stream in CATALOGUE.items() if stream.family == "talk")
TRANSCRIPTS = ("post_call_summary", "post_call_transcription")
HOUR = 3600


@pytest.fixture
def talking(simulate: Simulate) -> Simulator:
    """A small account with calls, the last of which was just made."""
    account = simulate(tickets=20)
    account.mutate("create_calls")
    return account


def asked(account: Simulator, route: str) -> list[str]:
    """The queries that a route was asked with, since this was asked last."""
    found = [request["query"] for request in account.requests() if request["route"] == route]
    account.reset_requests()
    return found


def replaced(account: Simulator, answer: Callable[[Request, Reply], Reply]) -> None:
    """Have an account answer otherwise."""
    handle = account.api.handle
    account.api.handle = lambda request: answer(request, handle(request))  # type: ignore[method-assign]


# Calls and legs


def test_an_export_without_an_end_ends_and_a_sync_without_changes_writes_nothing(
    tmp_path: Path, talking: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, talking, *CALLS)
    assert_whole(target, talking, *CALLS)
    assert len(asked(talking, "call_legs")) == 2
    assert written(load(target, talking, *CALLS)) == {}
    assert all("per_page" not in query for query in asked(talking, "call_legs"))


def test_a_call_that_changes_hours_later_is_the_only_row_written(tmp_path: Path, talking: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, talking, *CALLS)
    talking.advance(30 * HOUR)
    talking.mutate("transcribe_calls", count=2)
    assert written(load(target, talking, *CALLS)) == {"calls": 2}
    assert_whole(target, talking, *CALLS)
    assert written(load(target, talking, *CALLS)) == {}


def test_calls_that_come_within_three_hours_of_their_stamp_arrive(tmp_path: Path, talking: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, talking, *CALLS)
    asked(talking, "calls")
    for age in (300, 2 * HOUR):
        talking.mutate("create_calls", age=age)
        assert written(load(target, talking, *CALLS)) == {"calls": 1, "call_legs": 3}
        assert_whole(target, talking, *CALLS)
        assert written(load(target, talking, *CALLS)) == {}
    talking.mutate("create_calls", age=6 * HOUR)
    assert written(load(target, talking, *CALLS)) == {}


@pytest.mark.parametrize("mode", ["incremental", "history"])
def test_calls_that_come_late_arrive_where_three_hours_have_more_rows_than_digests(
    tmp_path: Path, talking: Simulator, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(lookback, "MOST_DIGESTS", 3)
    target = pipeline(tmp_path)
    talking.mutate("create_calls", count=4, age=HOUR)
    load(target, talking, *CALLS, sync_mode=mode)
    talking.mutate("create_calls", age=2 * HOUR)
    load(target, talking, *CALLS, sync_mode=mode)
    assert_whole(target, talking, *CALLS)
    assert {name: len(rows(target, name)) for name in CALLS} == {name: len(truth(talking, name)) for name in CALLS}


def test_a_second_with_a_page_of_rows_fails_with_words_and_the_position_stays(
    tmp_path: Path, talking: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, talking, *CALLS)
    talking.advance(6 * HOUR)
    talking.mutate("create_calls", count=340)
    for _ in range(2):
        report = sync(target, source(talking).with_resources(*CALLS))
        assert [stream.stream for stream in report.failed] == ["call_legs"]
        error = report.streams["call_legs"].error
        assert isinstance(error, ContractError)
        assert "a page of 1000 rows" in str(error)
        assert "does not move on; rows of that second may be missing" in str(error)
    assert_whole(target, talking, "calls")


@pytest.mark.parametrize("how", ["reverse", "shuffle", "ignore", "repeat", "hollow", "endless", "early", "ahead"])
def test_a_contrary_export_of_talk_costs_no_row(tmp_path: Path, talking: Simulator, how: str) -> None:
    target = pipeline(tmp_path)
    talking.fault("contrary", times=None, how=how, size=5)
    quick = {"retry_deadline": 1_000_000}
    for step in range(2):
        if step:
            talking.mutate("transcribe_calls", count=2)
        report = sync(target, source(talking, **quick).with_resources(*CALLS))
        errors = {name: stream.error for name, stream in report.streams.items() if stream.status != "loaded"}
        assert {name: error for name, error in errors.items() if not isinstance(error, ContractError)} == {}
    talking.clear_faults()
    load(target, talking, *CALLS)
    if how == "ahead":
        assert {name: set(table(target, name)) >= set(truth(talking, name)) for name in CALLS} == dict.fromkeys(
            CALLS, True
        )
    else:
        assert_whole(target, talking, *CALLS)
    assert written(load(target, talking, *CALLS)) == {}


@pytest.mark.parametrize("end", ["now", "missing", "null"])
def test_an_answer_without_rows_ends_whatever_it_says_of_its_end(tmp_path: Path, talking: Simulator, end: str) -> None:
    def answer(request: Request, reply: Reply) -> Reply:
        if "/incremental/" not in request.path:
            return reply
        told: dict[str, Any] = {"now": {"end_time": int(talking.now())}, "missing": {}, "null": {"end_time": None}}[end]
        key = request.path.removesuffix(".json").rpartition("/")[2]
        return json_reply(200, {key: [], "count": 0, "next_page": f"{talking.base_url}{request.path}", **told})

    target = pipeline(tmp_path)
    replaced(talking, answer)
    report = load(target, talking, *CALLS)
    assert {stream.requests for stream in report.streams.values()} == {1}


@pytest.mark.parametrize("status", [403, 404])
def test_an_account_without_talk_loads_the_rest(tmp_path: Path, simulate: Simulate, status: int) -> None:
    account = simulate(tickets=1, gates=dict.fromkeys(TALK, status))
    report = sync(pipeline(tmp_path), source(account).with_resources(*TALK, "groups"))
    assert {stream.stream for stream in report.unavailable} == set(TALK)
    assert report.failed == []
    assert written(report).keys() == {"groups"}


# Lists


def test_pages_by_number_are_read_to_their_end(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, phone_numbers=250)
    target = pipeline(tmp_path)
    report = load(target, account, "phone_numbers", "lines")
    assert [stream.requests for stream in report.streams.values()] == [3, 3]
    assert_whole(target, account, "phone_numbers", "lines")


def test_a_page_by_number_that_does_not_say_whether_there_is_more_removes_nothing(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, "phone_numbers")
    account.fault("without", route="phone_numbers", key="next_page", times=None)
    account.mutate("remove_rows", stream="phone_numbers")
    report = sync(target, source(account).with_resources("phone_numbers"))
    assert "does not say whether there is more" in str(report.streams["phone_numbers"].error)
    assert ask(target, "SELECT count(*) FROM phone_numbers") == [(3,)]


# Readings


def readings(target: Any, name: str) -> int:
    return len({row[READ_AT] for row in rows(target, name)})


def test_each_sync_adds_a_reading(tmp_path: Path, talking: Simulator) -> None:
    target = pipeline(tmp_path)
    for count in (1, 2):
        report = load(target, talking, *READINGS)
        talking.advance(60)
        for name in READINGS:
            assert report.streams[name].rows == len(truth(talking, name)), name
            assert readings(target, name) == count
            assert len(rows(target, name)) == count * len(truth(talking, name))
    assert_whole(target, talking, *READINGS)


def test_a_run_of_a_period_that_is_over_adds_no_reading_and_says_so(tmp_path: Path, talking: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, talking, *READINGS)
    talking.advance(60)
    asked(talking, "agents_activity")
    report = load(target, talking, *READINGS, end_date="2026-01-01", start_date="2025-01-01")
    assert written(report) == {}
    assert {"no reading was added" in str(stream.message) for stream in report.streams.values()} == {True}
    assert asked(talking, "agents_activity") == []
    load(target, talking, *READINGS, end_date="2050-01-01")
    assert {readings(target, name) for name in READINGS} == {2}


@pytest.mark.parametrize(("mode", "kept"), [("overwrite", 1), ("append", 2), ("incremental_append", 2), ("history", 2)])
def test_readings_in_other_sync_modes(tmp_path: Path, talking: Simulator, mode: str, kept: int) -> None:
    target = pipeline(tmp_path)
    for _ in range(2):
        load(target, talking, *READINGS, sync_mode=mode)
        talking.advance(60)
    assert {readings(target, name) for name in READINGS} == {kept}
    assert_whole(target, talking, *READINGS)


def test_a_reading_is_added_whole_or_not_at_all(tmp_path: Path, talking: Simulator) -> None:
    target = pipeline(tmp_path)
    talking.fault("paged", route="agents_activity", size=1, times=None)
    load(target, talking, "agents_activity")
    assert readings(target, "agents_activity") == 1
    assert_whole(target, talking, "agents_activity")
    talking.advance(60)
    talking.clear_faults()
    talking.fault("status", route="agents_activity", status=400, nth=2, times=None)
    talking.fault("paged", route="agents_activity", size=1, times=None)
    report = sync(target, source(talking).with_resources("agents_activity"))
    assert [stream.stream for stream in report.failed] == ["agents_activity"]
    assert readings(target, "agents_activity") == 1


def test_a_verification_says_that_nothing_tells_of_earlier_readings(tmp_path: Path, talking: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, talking, *TALK)
    for keys in (False, True):
        results = {result.stream: result for result in verify(target, source(talking, streams="talk"), keys=keys)}
        assert {name: result.verdict for name, result in results.items()} == {
            name: "explained" if name in READINGS else "ok" for name in TALK
        }
        assert "which Zendesk does not tell again" in results["account_overview"].why


# What is left out unless somebody asks for it


def test_transcripts_and_numbers_of_people_come_only_where_they_are_asked_for(
    tmp_path: Path, talking: Simulator
) -> None:
    target, streams = pipeline(tmp_path), (*CALLS, "agents_activity")
    talking.mutate("transcribe_calls", count=2)
    load(target, talking, *streams)
    for name in streams:
        assert set(CATALOGUE[name].withheld).isdisjoint(target.default_schema.tables[name]["columns"]), name
    talking.advance(6 * HOUR)
    again = talking.mutate("transcribe_calls", count=2)["ids"]
    wanted = {"calls": {"include": list(TRANSCRIPTS)}}
    assert written(load(target, talking, *streams, streams=wanted)) == {"calls": 2}
    found = {row["id"]: row for row in rows(target, "calls") if "post_call_summary" in row}
    assert set(found) == set(again)
    assert {"real_time_transcription" in row for row in found.values()} == {False}
    message = refused(lambda: load(target, talking, "calls"))
    assert says("a column that is no longer included", message)
    assert "include no longer has post_call_summary, post_call_transcription, but" in message
    assert "exclude" not in message


def test_what_is_hashed_or_included_is_not_withheld() -> None:
    def mask(**settings: Any) -> Any:
        credentials: Any = {"access_token": "word"}
        made = zendesk_support_source(
            subdomain="acme", credentials=credentials, streams={"calls": settings}, hash_salt="s" * 32
        )
        return made.resources["calls"].stream.mask

    withheld = CATALOGUE["calls"].withheld
    assert (mask().exclude, mask().hash) == (withheld, ())
    assert mask(exclude=["line"]).exclude == ("line", *withheld)
    assert mask(hash=["post_call_summary"]).exclude == withheld[1:]
    assert mask(include=list(withheld)).exclude == ()
    with pytest.raises(
        ConfigurationError, match=r"calls withholds post_call_summary, .* Example: streams\.calls\.include"
    ):
        mask(include=["line"])
    with pytest.raises(
        ConfigurationError, match=r"calls\.include = .* and .*calls\.exclude = .*: a column is included or"
    ):
        mask(include=["post_call_summary"], exclude=["post_call_summary"])
