"""A list of facts that only grows, in the order of their time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.errors import (
    CursorExpiredError,
)
from zendesk_support.reading.base import Chunk, Endpoint, Job, Position
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.lookback import dated
from zendesk_support.reading.since import finished_and_renewed, within
from zendesk_support.records.json_rows import (
    Page,
    row_hash,
    seconds,
)
from zendesk_support.warehouse.keys import Array


@dataclass(frozen=True)
class LogListing(Endpoint):
    """A list of facts that only grows, in the order of their time: which way round, its first page tells.

    Oldest first, the next sync goes on from a cursor some rows before the end. Newest first, it reads back to the
    position. In no order at all, it reads the whole list. Zendesk's documentation of `ticket_audits` has both orders,
    by the cursor that is used; recorded answers to `page[size]` are oldest first.
    """

    path: str
    rows: str
    time: str
    limits: tuple[Limit, ...] = (ACCOUNT,)
    secrets: tuple[str, ...] = ()
    title = "list that only grows"
    cost = "1 for 100 new rows"

    @property
    def _listing(self) -> Listing:
        return Listing(self.path, self.rows, limits=self.limits, secrets=self.secrets)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self._listing.probe(job)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield pages from the position on; the whole list anew where a kept cursor no longer leads through it."""
        position = job.position
        kept = None if position.top is not None else position.cursor or position.resume
        if kept is not None:
            try:
                for chunk in self._pass(replace(job, position=replace(position, cursor=kept))):
                    position = Position.of(chunk.saved, position.at)
                    yield chunk
                return
            except CursorExpiredError:
                job = replace(job, position=replace(position, cursor=None, resume=None))
            except OutOfOrder:
                job = replace(job, position=replace(job.position, cursor=None, resume=None))
        yield from finished_and_renewed(self._pass, job)

    def _pass(self, job: Job) -> Iterator[Chunk]:
        position, end, lookback = job.position, job.settings.end, job.lookback()
        since, top, resume = position.since, max(position.at, position.top or 0), position.resume
        order = Order(goes_on=position.cursor is not None and position.top is None)

        def is_past(page: Page) -> bool:
            times = dated(seconds(page.rows, self.time), job.now())
            order.take(times)
            if not len(times):
                return False
            is_before = order.newest_first and int(times.max()) < since
            return is_before or (end is not None and order.oldest_first and int(times.min()) >= end)

        boundaries = deque[tuple[int, str]]()
        for page, following in self._listing.pages(job, self.path, following=position.cursor, enough=is_past):
            times = seconds(page.rows, self.time)
            top = max(top, int(times.max(initial=0)))
            at = lookback.position(top)
            wanted = np.flatnonzero(within(times, since, end))
            rows = [page.rows[i] for i in wanted]
            lookback.add(rows, times[wanted], at)
            again = lookback.reread()
            rows = [row for row in rows if row_hash(row) not in position.edge]
            if order.oldest_first and following is not None:
                boundaries.append((top, following))
            while boundaries and boundaries[0][0] < again.since:
                resume = boundaries.popleft()[1]
            if following is None:
                yield Chunk(rows, at, reread=again, resume=resume if order.oldest_first else None, complete=True)
            elif order.oldest_first:
                yield Chunk(rows, at, following, reread=again, resume=resume)
            else:
                yield Chunk(rows, position.at, following, reread=position.reread, top=top)


class OutOfOrder(Exception):
    """After a kept cursor, a list does not go on in the order that it had before."""


class Order:
    """Whether a list's times rise or fall from page to page; unknown as long as they are all equal."""

    def __init__(self, *, goes_on: bool) -> None:
        """Begin; `goes_on` from a cursor of a list that was seen to be oldest first."""
        self._goes_on = goes_on
        self._last: int | None = None
        self._ascends = self._descends = True

    @property
    def oldest_first(self) -> bool:
        """Whether times have only risen."""
        return self._ascends and (self._goes_on or not self._descends)

    @property
    def newest_first(self) -> bool:
        """Whether times have only fallen."""
        return self._descends and not self._ascends

    def take(self, times: Array) -> None:
        """Look at the times of the next page.

        Raises:
            OutOfOrder: they do not go on as they should, or the rows before the cursor's end are not there.
        """
        if len(times):
            steps = np.diff(times, prepend=times[0] if self._last is None else self._last)
            self._ascends &= bool((steps >= 0).all())
            self._descends &= bool((steps <= 0).all())
        if self._goes_on and (not self._ascends or (self._last is None and not len(times))):
            raise OutOfOrder
        self._last = int(times[-1]) if len(times) else self._last
