"""An export is read once for its own streams and for those that ask for what hangs below its rows."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from math import ceil
from pathlib import Path

import msgspec
import pytest
from support import assert_whole, load, pipeline, source, written

from zendesk_support import sync
from zendesk_support.errors import Cancelled
from zendesk_support.reading import shown_pass
from zendesk_support.reading.base import Chunk, Position
from zendesk_support.reading.shown_pass import ShownPass, Wanted
from zendesk_support.records.json_rows import Row, raw, row_hash
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]
TICKETS, EVENTS = "incremental_tickets_cursor", "side_conversation_events"
BELOW = ("conversation_log_events", "side_conversations")
STREAMS = ("tickets", "side_conversation_events", *BELOW)


def asked(account: Simulator) -> Counter[str]:
    """Answers of the two exports since the last look."""
    answered = [request["route"] for request in account.requests() if request["status"] == 200]
    found = Counter(route for route in answered if route in (TICKETS, EVENTS))
    account.reset_requests()
    return found


def test_an_export_is_read_once_whoever_wants_what_hangs_below_its_rows(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1500)
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    assert asked(account) == {TICKETS: 2, EVENTS: ceil((len(account.truth(EVENTS)) - 1) / 99) + 1}
    assert_whole(target, account, *STREAMS)
    for step in range(2):
        for name in ("create_rows", "update_rows"):
            account.mutate(name, stream=BELOW[step], count=3)
        load(target, account, *STREAMS)
        assert asked(account)[TICKETS] == 1
        assert_whole(target, account, *STREAMS)
    assert written(load(target, account, *STREAMS)) == {}


def test_a_stream_that_is_behind_reads_the_export_by_itself(tmp_path: Path, account: Simulator) -> None:
    """The others do not read again what they have."""
    target = pipeline(tmp_path)
    load(target, account, "tickets", "side_conversation_events")
    asked(account)
    report = load(target, account, *STREAMS)
    assert set(written(report)) == set(BELOW)
    assert_whole(target, account, *STREAMS)
    asked(account)
    load(target, account, *STREAMS)
    assert asked(account)[TICKETS] == 1


@pytest.mark.parametrize("nth", [1, 2])
def test_where_the_pass_of_the_export_fails_nothing_below_it_is_lost(
    tmp_path: Path, simulate: Simulate, nth: int
) -> None:
    account = simulate(tickets=1500)
    account.fault("without", route=TICKETS, nth=nth, key="end_of_stream")
    target = pipeline(tmp_path)
    report = sync(target, source(account).with_resources(*STREAMS))
    assert report.streams["tickets"].status == "failed"
    load(target, account, *STREAMS)
    assert_whole(target, account, *STREAMS)


def test_a_reader_that_is_too_far_behind_goes_on_by_itself(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_pass, "MOST_WAITING", 0)
    account = simulate(tickets=2500)
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    assert asked(account)[TICKETS] == 5
    assert_whole(target, account, *STREAMS)
    assert written(load(target, account, *STREAMS)) == {}


# The pass itself


def row(id: int, *, is_asked: bool = True) -> Row:
    return {"id": raw(id), "messages": raw(is_asked), "text": raw("long")}


def wanted(*again: int, edge: frozenset[bytes] = frozenset()) -> Wanted:
    return Wanted("id", "", lambda found: bytes(found["messages"]) == b"true", edge, again)


def ids(rows: list[Row]) -> list[int]:
    assert all(found.keys() == {"id"} for found in rows)
    return [msgspec.json.decode(found["id"]) for found in rows]


def test_of_a_chunk_the_names_of_new_rows_are_wanted_and_of_those_that_were_refused() -> None:
    rows = [row(1), row(2, is_asked=False), row(3, is_asked=False), row(4)]
    found = wanted(3, edge=frozenset({row_hash(rows[0])}))(Chunk(rows, at=5), 7)
    assert (ids(found.rows), ids(found.side), found.at, found.began) == ([4], [3], 5, 7)


def alone(position: Position) -> Iterator[Chunk]:
    yield Chunk([row(position.at)], complete=True)


def test_what_is_not_shown_is_read_from_the_last_position_on() -> None:
    shown = ShownPass(wanted())
    shown.add(Chunk([row(1)], at=10), None)
    shown.end(is_whole=False)
    shown.add(Chunk([row(2)], at=20), None)
    found = list(shown.chunks(Position(0, again=(8,)), alone, threading.Event()))
    assert [ids([{"id": each["id"]} for each in chunk.rows]) for chunk in found] == [[1], [10]]


def test_a_pass_that_is_shown_whole_is_not_read_and_one_that_is_stopped_ends() -> None:
    shown = ShownPass(wanted())
    shown.add(Chunk([row(1)], at=10, complete=True), None)
    shown.end(is_whole=True)
    assert len(list(shown.chunks(Position(0), alone, threading.Event()))) == 1
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Cancelled):
        list(ShownPass(wanted()).chunks(Position(0), alone, stopped))


def test_a_chunk_that_cannot_be_understood_is_left_to_who_reads_below() -> None:
    shown = ShownPass(wanted())
    shown.add(Chunk([{"id": raw(1)}], at=10), None)
    assert [chunk.rows for chunk in shown.chunks(Position(3), alone, threading.Event())] == [[row(3)]]
