"""Lists of which some days are read again: what their answers must show before a position moves."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import BASE, Script

from zendesk_support.api.request import Usage
from zendesk_support.reading.base import Chunk, Job, Position
from zendesk_support.reading.envelopes import NextUrlPages
from zendesk_support.reading.parents import DAY
from zendesk_support.reading.reread import RereadListing, second_window
from zendesk_support.reading.shared import Shared
from zendesk_support.records.json_rows import number, seconds
from zendesk_support.settings import Settings

NOW = 1_800_000_000
WORK = RereadListing(
    "work",
    "rows",
    times=lambda rows: seconds(rows, "at"),
    column="at",
    days=1,
    window=second_window("since", "until"),
    envelope=NextUrlPages(),
)


def read(rows: list[dict[str, Any]], position: Position) -> tuple[list[int | None], Chunk, list[str]]:
    """The ids that come of one page, the last chunk, and what is said."""
    script: Any = Script(lambda *_: {"rows": rows, "has_more": False, "next_page_url": None}, NOW)
    job = Job(script, Settings(base_url=BASE, start=0), Usage(), Shared(), position)
    found = list(WORK.read(job))
    return [number(row, "id") for chunk in found for row in chunk.rows], found[-1], job.notes


def test_the_position_moves_with_rows_and_stays_where_none_came() -> None:
    """An answer that is empty by mistake would else leave out all that is older than the days read again."""
    old, new = {"id": 1, "at": NOW - 9 * DAY}, {"id": 2, "at": NOW - DAY}
    _, last, notes = read([], Position(100))
    assert (last.at, last.complete, notes) == (100, True, [])
    found, last, notes = read([old, new], Position.of(last.saved, 0))
    assert (found, last.at, notes) == ([1, 2], NOW - 120, [])


@pytest.mark.parametrize("at", [None, "soon", (NOW - DAY) * 1000, (NOW - DAY) * 1_000_000])
def test_rows_without_a_time_are_loaded_and_the_position_stays(at: Any) -> None:
    found, last, notes = read([{"id": 1, "at": at}], Position(100))
    assert (found, last.at) == ([1], 100)
    assert notes == ["work: no row of a page has a time in `at`; the position stays"]


def test_rows_from_before_the_time_that_was_asked_for_are_left_out_and_said() -> None:
    position = Position(NOW - DAY)
    found, last, notes = read([{"id": 1, "at": NOW - 9 * DAY}, {"id": 2, "at": NOW - DAY}], position)
    assert (found, last.at) == ([2], NOW - 120)
    assert notes == ["work: rows came from before the time that was asked for, and are left out"]
