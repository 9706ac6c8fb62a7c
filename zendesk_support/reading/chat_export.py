"""Incremental exports of Chat: by time and id, and never of the last five minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np

from zendesk_support.api.limits import CHAT, Limit
from zendesk_support.api.rate_limiter import Priority
from zendesk_support.api.request import Request
from zendesk_support.errors import ContractError
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.envelopes import Params
from zendesk_support.reading.lookback import MOST_EMPTY_PAGES, dated, in_order
from zendesk_support.reading.page_size import EXPORT_PAGE, SMALLEST_PAGE
from zendesk_support.reading.parents import text_of
from zendesk_support.records.json_rows import FAR_FUTURE, NULL, Row, Rows, raw, seconds
from zendesk_support.warehouse.keys import Array

BEHIND = 330
"""Seconds before now at which a request begins at the latest: five minutes (documentation), and clocks that differ."""


class Place(NamedTuple):
    """Where a request begins: a time in the export's own unit, and the id of the last row that came."""

    time: int
    id: str | int | None = None


class ChatPage(msgspec.Struct, kw_only=True):
    """An answer of an export."""

    rows: Rows
    count: int | None = None
    end_time: int | float | None = None
    end_id: str | int | None = None
    side: Rows | None = None


@dataclass(frozen=True)
class ChatExport(Endpoint):
    """An incremental export of Chat: rows in the order of a time and of their ids, from one of each on.

    The end is a page that brings nothing new, whatever `count` says, or one that reaches into the last five minutes,
    in which Chat lets no request begin: the next sync goes on there.

    Attributes:
        time: the rows' field that it is ordered by.
        per_second: the unit of `start_time` and `end_time`, in parts of a second.
        also: another name under which that field was seen.
        blanks: members in which an empty text stands for null.
        identified_by: members that together are the id of a row that has none.
        lasts: the field that says for how many seconds a row lasts. Rows are then ordered by their end or by `time`,
            nobody knows which, and the position is `end_time`, no later than a row ends.
        lookback: seconds before its end from which on the next pass reads again, where `lookback_minutes` are fewer.
    """

    path: str
    rows: str
    time: str
    per_second: int = 1
    also: str = ""
    blanks: tuple[str, ...] = ()
    identified_by: tuple[str, ...] = ()
    lasts: str = ""
    lookback: int = 0
    limits: tuple[Limit, ...] = (CHAT,)
    is_export = True
    marks_end = False
    title = "export (Chat)"
    cost = "1 for 1,000 changes, and 1 for the end"

    @property
    def is_ordered(self) -> bool:
        """Whether rows come in the order of `time`."""
        return not self.lasts

    @cached_property
    def _decode(self) -> Callable[[bytes], ChatPage]:
        names = {"rows": self.rows}
        page = msgspec.defstruct("Answer", [("rows", Rows)], bases=(ChatPage,), rename=names, kw_only=True)
        decode = msgspec.json.Decoder(page).decode

        def read(body: bytes) -> ChatPage:
            found = cast("ChatPage", decode(body))
            found.rows = [self._repaired(row) for row in found.rows]
            return found

        return read

    def _repaired(self, row: Row) -> Row:
        """A row with an id, with its time under one name, and without empty texts that stand for nothing."""
        if self.also in row:
            time = row.pop(self.also)
            row.setdefault(self.time, time)
        for name in self.blanks:
            if bytes(row.get(name, NULL)) == b'""':
                row[name] = NULL
        if self.identified_by and "id" not in row and row.keys() >= {*self.identified_by}:
            return {"id": raw(" ".join(text_of(row[name]) for name in self.identified_by)), **row}
        return row

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        at = max(0, min(job.position.at, job.now() - BEHIND))
        self._fetch(job, Place(at * self.per_second), 1)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield pages until the end, each row once.

        Raises:
            ContractError: a page has ids alone, is out of order, or does not move on.
        """
        walk = ChatWalk(self, job)
        page = self._first(job, walk)
        while True:
            ended = walk.take(page) or job.single
            ended |= self._is_over(job.settings.end, walk.asked.time // self.per_second)
            yield walk.chunk(ended)
            if ended:
                return
            page = self._fetch(job, walk.asked, EXPORT_PAGE)

    def _is_over(self, until: int | None, at: int) -> bool:
        """Whether all rows of a bounded period have come: where their own time is not the order, some come late."""
        return until is not None and at >= until + (0 if self.is_ordered else self.lookback)

    def _first(self, job: Job, walk: ChatWalk) -> ChatPage:
        """The first page; asked for from earlier on where a refusal has told that this machine's clock is ahead."""
        asked = walk.asked
        try:
            return self._fetch(job, asked, EXPORT_PAGE)
        except ContractError:
            walk.begin()
            if walk.asked == asked:
                raise
            return self._fetch(job, walk.asked, EXPORT_PAGE)

    def _fetch(self, job: Job, place: Place, size: int) -> ChatPage:
        params: dict[str, Any] = {"start_time": place.time, "limit": size, "fields": f"{self.rows}(*)"}
        if place.id is not None:
            params["start_id"] = place.id
        given: Params = params
        priority = min(job.priority, Priority.EXPORT)
        at = place.time // self.per_second
        request = Request(f"{job.base}/api/v2/{self.path}", given, self.limits, self.path, False, False, priority, at)
        return job.page(request, self._decode)  # type: ignore[arg-type, return-value]


class ChatWalk:
    """How far a pass over a `ChatExport` has come.

    Attributes:
        asked: where the next request begins.
    """

    def __init__(self, export: ChatExport, job: Job) -> None:
        self._export, self._job = export, job
        self._lookback = job.lookback(export.lookback)
        self.asked = Place(0)
        self.begin()
        self._top = self._at = job.position.at
        self._longest, self._most, self._empty = SMALLEST_PAGE, 0, 0
        self._rows: Rows = []
        self._times: Array = np.array([], np.int64)

    def begin(self) -> None:
        """Begin at the position, and five minutes back at the latest."""
        at = max(0, min(self._job.position.since, self._job.now() - BEHIND))
        self.asked = Place(at * self._export.per_second)

    def take(self, page: ChatPage) -> bool:
        """Take a page; True if it is the last."""
        self._check_fields(page.rows)
        times = self._times_of(page)
        fresh = [place for place, row in enumerate(page.rows) if not self._lookback.has(row)]
        self._rows, self._times = [page.rows[place] for place in fresh], times[fresh]
        following = self._following(page, times)
        moves = following.time > self.asked.time
        if not (fresh or moves) and len(page.rows) < self._longest:
            if len(page.rows) > 1:  # one is the row at which the page before has ended
                self._doubt(len(page.rows))
            return True
        self._empty = 0 if fresh else self._empty + 1
        if following == self.asked or not (fresh or moves) or self._empty > MOST_EMPTY_PAGES:
            raise ContractError(
                f"{self._export.path}: a page of {len(page.rows)} rows from start_time={self.asked.time} does not "
                "move on; rows may be missing, so the position stays."
            )
        self._longest, self._most = max(self._longest, len(page.rows)), max(self._most, len(page.rows))
        by_rows = int(dated(times, self._job.now()).max(initial=0))
        by_end = min(following.time // self._export.per_second, self._job.now() - BEHIND)
        follows_end = bool(page.rows) and not (by_rows and self._export.is_ordered)
        self._top = max(self._top, by_end if follows_end else by_rows)
        self._at = self._lookback.position(self._top)
        placed = np.full(len(fresh), max(by_end, 1)) if follows_end else self._times
        self._lookback.add(self._rows, placed, self._at)
        self.asked = following
        return following.time > (self._job.now() - BEHIND) * self._export.per_second

    def _doubt(self, repeated: int) -> None:
        """Have the report say that a last page, which only repeats rows, may hide others."""
        if self.asked.id is not None:
            self._job.note(f"{self._export.path}: start_id is not heeded; rows of a full second may be missing")
        elif repeated >= self._most:
            self._job.note(f"{self._export.path}: the last page repeats as many rows as any had; others may be missing")

    def chunk(self, complete: bool) -> Chunk:
        """The rows of the page that had not come before, and the position after them."""
        times = self._times if self._export.is_ordered else None
        return Chunk(self._rows, self._at, None, times, self._lookback.reread(complete=complete), complete=complete)

    def _following(self, page: ChatPage, times: Array) -> Place:
        """Where the next request begins: where this page ends, by its own word, else by its last row."""
        unit = self._export.per_second
        end = int(page.end_time) if page.end_time is not None else int(times.max(initial=0)) * unit
        if end > FAR_FUTURE * unit:
            raise ContractError(f"{self._export.path}: end_time={end} is no time; the position stays.")
        if page.rows and end // unit < int(dated(times, self._job.now()).max(initial=0)):
            raise ContractError(
                f"{self._export.path}: a page ends at {end}, before its last row; others may be missing, so the "
                "position stays."
            )
        reached = int(self._ends_of(page.rows, times).max()) * unit if page.rows and self._export.lasts else end
        if reached < end:
            self._job.note(f"{self._export.path}: end_time lies beyond the rows of a page; some may be missing")
            end = reached
        return Place(max(end, self.asked.time), page.end_id)

    def _times_of(self, page: ChatPage) -> Array:
        export, now = self._export, self._job.now()
        times = seconds(page.rows, export.time)
        if export.time in export.identified_by and not times.all():
            raise ContractError(f"{export.path}: {export.time} of a row is no time, and a part of its id.")
        if len(times) and not len(dated(times, now)):
            self._job.note(
                f"{export.path}: no row of a page has a time in `{export.time}`; the position follows `end_time`"
            )
        if export.is_ordered and not in_order(times, self.asked.time // export.per_second, now):
            raise ContractError(
                f"{export.path}: rows from start_time={self.asked.time} are older, or did not come in the order of "
                f"`{export.time}`; others may be missing, so the position stays."
            )
        ends = self._ends_of(page.rows, times) if export.lasts else times
        is_mixed = not in_order(times, 0, now) and bool((ends[1:] + 1 < ends[:-1]).any())
        if export.lasts and (is_mixed or (ends < self.asked.time // export.per_second).any()):
            raise ContractError(
                f"{export.path}: rows from start_time={self.asked.time} are older, or in the order neither of their "
                "starts nor of their ends; others may be missing, so the position stays."
            )
        return times

    def _ends_of(self, rows: Rows, times: Array) -> Array:
        """When rows end, as far as is known, to the second after it."""
        return np.asarray(times + seconds(rows, self._export.lasts) + 2)

    def _check_fields(self, rows: Rows) -> None:
        """Refuse rows that are ids alone: `fields` was not heeded."""
        if any(row.keys() <= {"id"} for row in rows):
            raise ContractError(f"{self._export.path}: rows came as ids alone, whatever `fields` asks for.")
