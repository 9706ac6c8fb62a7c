"""Lists of facts since a time, in no dependable order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

import numpy as np

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.errors import (
    CursorExpiredError,
)
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job, Position
from zendesk_support.reading.envelopes import PAGES, Pages, Params
from zendesk_support.reading.lists import Listing
from zendesk_support.records.json_rows import (
    FAR_FUTURE,
    row_hash,
    seconds,
)
from zendesk_support.warehouse.keys import Array


@dataclass(frozen=True)
class FilteredListing(Endpoint):
    """A list of facts by time in no dependable order: the position moves when the pass is complete.

    It moves to the newest row, yet not past the time the pass began at: a row that changed behind the reader's back
    comes with the next pass. A pass that was cut short goes on from its cursor, then what is new since is read.

    Attributes:
        time: the rows' field that the position is.
        window: parameters that let Zendesk leave out older rows; without it they are left out here.
        envelope: how it is paged.
        params: what else it is asked for.
    """

    path: str
    rows: str
    time: str
    window: Callable[[int, int | None], Params] | None = None
    limits: tuple[Limit, ...] = (ACCOUNT,)
    secrets: tuple[str, ...] = ()
    envelope: Pages = PAGES
    params: Params = field(default_factory=dict)
    title = "list since a time"

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return f"1 for {self.envelope.size:,} new rows"

    @property
    def _listing(self) -> Listing:
        return Listing(self.path, self.rows, self.envelope, self.params, self.limits, secrets=self.secrets)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self._listing.probe(job)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield every page from the position on."""
        yield from finished_and_renewed(self._pass, job)

    def _pass(self, job: Job) -> Iterator[Chunk]:
        position, end = job.position, job.settings.end
        start, began = position.since, position.began
        lookback = job.lookback()
        newest = max(position.at, position.top or 0)
        params = self.window(start, end) if self.window else {}
        for page, following in self._listing.pages(job, self.path, params, position.cursor):
            if began is None:
                # The answer is older than its Date header, or than that of another thread's answer.
                began = int(job.transport.server_time or position.at) - ANSWERED_WITHIN
            times = seconds(page.rows, self.time)
            wanted = np.flatnonzero(within(times, start, end))
            newest = max(newest, int(times[wanted].max(initial=0)))
            at = max(position.at, min(newest, began))
            rows = [page.rows[i] for i in wanted]
            lookback.add(rows, times[wanted], at)
            again = lookback.reread()
            rows = [row for row in rows if row_hash(row) not in position.edge]
            if following is not None:
                again = replace(position.reread, edge=again.edge | position.edge)
                yield Chunk(rows, position.at, following, reread=again, top=newest, began=began)
            else:
                if position.cursor is not None:  # what the first part of the pass has loaded is in no page of this one
                    again = replace(again, edge=again.edge | position.edge)
                yield Chunk(rows, at, reread=again, complete=True)


def unix_window(since: str, until: str) -> Callable[[int, int | None], Params]:
    """A filter by Unix seconds."""
    return lambda start, end: {since: start} | ({until: end} if end is not None else {})


def iso_since(name: str) -> Callable[[int, int | None], Params]:
    """A filter by the ISO time of the oldest row."""
    return lambda start, end: {name: iso(start)}


def iso_window(since: str, until: str) -> Callable[[int, int | None], Params]:
    """A filter by ISO times in two parameters."""
    return lambda start, end: {since: iso(start)} | ({until: iso(end)} if end is not None else {})


def iso_range(name: str, **params: str) -> Callable[[int, int | None], Params]:
    """A filter by ISO times, given as two values of one parameter."""
    return lambda start, end: {name: [iso(start), iso(end if end is not None else FAR_FUTURE)], **params}


def iso(at: int) -> str:
    """Unix seconds as Zendesk writes times."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def finished_and_renewed(read: Callable[[Job], Iterator[Chunk]], job: Job) -> Iterator[Chunk]:
    """Read a pass; where it is the rest of one that was cut short, or whose cursor is lost, another one after it."""
    position = job.position
    if position.cursor is not None:
        try:
            for chunk in read(job):
                position = Position.of(chunk.saved, position.at)
                yield replace(chunk, complete=False)
        except CursorExpiredError:
            pass
    yield from read(replace(job, position=replace(position, cursor=None, top=None, began=None)))


def within(times: Array, start: int, end: int | None) -> Array:
    """Which times lie in a period; a row of unknown time belongs to every one."""
    return np.asarray(((times >= start) | (times == 0)) & (end is None or times < end))
