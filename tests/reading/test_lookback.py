"""What a sync reads again before its position, however many rows that is."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import Answers, Script, chunks, ids

from zendesk_support.reading.base import Position
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lookback import MOST_DIGESTS, Overlap
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.records.json_rows import raw, row_hash, seconds

NOW = 1_790_000_000
HOUR = 3600
LEGS = TimeExport("legs", "rows", time="at", dated="at", ends=False, sized=False, lookback=3 * HOUR)
USERS = CursorExport("users", "rows", time="at")


def answers(rows: list[dict[str, int]]) -> Answers:
    """An export by time, or by a cursor, in pages of 1,000."""

    def answer(path: str, params: dict[str, str]) -> dict[str, Any]:
        start = int(params.get("cursor") or params["start_time"])
        ordered = sorted((row for row in rows if row["at"] >= start), key=lambda row: row["at"])
        page, rest = ordered[:1000], ordered[1000:]
        end = page[-1]["at"] if page else start
        body = {"rows": page, "end_time": end}
        if path == "users":
            body |= {"end_of_stream": not rest, "after_cursor": str(rest[0]["at"] if rest else end + 1)}
        return body

    return answer


@pytest.mark.parametrize("export", [LEGS, USERS])
@pytest.mark.parametrize("count", [2000, 4000, 6000])
def test_a_row_that_comes_late_is_found_however_many_rows_the_lookback_has(
    export: TimeExport | CursorExport, count: int
) -> None:
    rows = [{"id": id, "at": NOW - 3 * HOUR + id * 3 * HOUR // count} for id in range(count)]
    script = Script(answers(rows), server_time=NOW)
    last = chunks(export, script, lookback=3 * HOUR)[-1]
    assert len(last.saved["edge"]) <= 34_000
    rows.append({"id": 9001, "at": NOW - 2 * HOUR})
    position = Position.of(last.saved, 0)
    again = chunks(export, script, lookback=3 * HOUR, position=position)
    new = [row for page in again for row in page.rows if row_hash(row) not in position.edge]
    assert 9001 in ids(again)
    assert 0 <= len(new) - 1 - max(0, count - MOST_DIGESTS) <= 1  # those of one second are kept, or none


def test_the_newest_second_is_told_whole_however_many_rows_it_has() -> None:
    older, newest = ([{"id": raw(id), "at": raw(at)} for id in range(4500)] for at in (NOW - 60, NOW - 50))
    overlap = Overlap(0, 0, 3 * HOUR, lambda: NOW)
    for rows in (older, newest):
        times = seconds(rows, "at")
        overlap.add(rows, times, int(times.max()))
    assert [overlap.has(row) for row in newest] == [True] * 4500
    assert [row for row in older if overlap.has(row)] == []
    assert overlap.reread().since == NOW - 50 - 3 * HOUR
