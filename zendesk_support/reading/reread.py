"""Lists of rows that still change for some time after the time that the list goes by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job
from zendesk_support.reading.envelopes import PAGES, Envelope, Params
from zendesk_support.reading.exports import tell_undated
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import DAY
from zendesk_support.reading.since import finished_and_renewed, within
from zendesk_support.records.json_rows import Rows
from zendesk_support.warehouse.keys import Array


@dataclass(frozen=True)
class RereadListing(Endpoint):
    """A list since a time whose rows change for so many `days`: each sync reads those days before its position again.

    Rows of that time are compared with the table's: those that differ are written, those that are not listed any more
    are removed. The position moves to the time that a pass began at, where it brought a row
    with a time. A pass that was cut short goes on from its cursor, then what is new since is read.

    Attributes:
        times: the time of each row that the list goes by, Unix seconds; 0 where it has none.
        column: the table's column of that time.
        days: for how long after it a row changes, or comes late.
        kept_days: for how long after it Zendesk keeps a row; None where it keeps all. What is older is not asked for,
            and stays in the table.
        window: parameters that let Zendesk leave out older rows.
    """

    path: str
    rows: str
    times: Callable[[Rows], Array]
    column: str
    days: int
    window: Callable[[int, int | None], Params]
    envelope: Envelope = PAGES
    params: Params = field(default_factory=dict)
    limits: tuple[Limit, ...] = (ACCOUNT,)
    secrets: tuple[str, ...] = ()
    kept_days: int | None = None
    lists_period = True
    digested = True
    title = "list since a time, some days read again"

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return f"{self.envelope.cost} of {f'{self.days} days' if self.days > 1 else 'a day'}"

    @property
    def _listing(self) -> Listing:
        return Listing(self.path, self.rows, self.envelope, self.params, self.limits, secrets=self.secrets)

    @property
    def is_shared(self) -> bool:
        """Not, since it goes by one stream's table."""
        return False

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self._listing.probe(job)

    def compared_since(self, job: Job) -> tuple[str, int]:
        """The column, and the second from which on a pass reads: never before `start_date`.

        After a pass that was cut short, that is where the one after it begins. What Zendesk may drop while a pass is
        under way is read, and compared with nothing.
        """
        position = job.position
        at = max(position.at, position.began or 0) if position.cursor is not None else position.at
        return self.column, max(self._start(job, at), self.kept_since(job.now()))

    def kept_since(self, now: int) -> int:
        """The second from which on Zendesk surely keeps every row, at a time of its own; 0 where it keeps all."""
        return 0 if self.kept_days is None else now - (self.kept_days - 1) * DAY

    def _start(self, job: Job, at: int) -> int:
        """The second that a pass begins at, from a position on."""
        kept = 0 if self.kept_days is None else job.now() - (self.kept_days + 1) * DAY
        return max(job.settings.start, at - self.days * DAY, kept)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield every page of the days before the position and of what came since."""
        yield from finished_and_renewed(self._pass, job)

    def _pass(self, job: Job) -> Iterator[Chunk]:
        position, end, began = job.position, job.settings.end, job.position.began
        start = self._start(job, position.at)
        if end is not None and start >= end:
            yield Chunk([], complete=True)
            return
        moves = position.cursor is not None
        for page, following in self._listing.pages(job, self.path, self.window(start, end), position.cursor):
            if began is None:
                began = job.now() - ANSWERED_WITHIN
            times = self.times(page.rows)
            wanted = np.flatnonzero(within(times, start, end))
            tell_undated(job, self.path, self.column, times)
            moves |= bool(times.any())
            if ((times > job.settings.start) & (times < start - 1)).any():
                job.note(f"{self.path}: rows came from before the time that was asked for, and are left out")
            rows = [page.rows[i] for i in wanted]
            if following is not None:
                yield Chunk(rows, position.at, following, began=began)
            else:
                if job.diff is not None:  # before the first answer, this machine's clock was all that was known
                    job.diff.keep_before(self.column, self.kept_since(job.now()))
                yield Chunk(rows, max(position.at, began) if moves else position.at, complete=True)


def second_window(since: str, until: str) -> Callable[[int, int | None], Params]:
    """A filter by Unix seconds; it begins one early, as Zendesk does not say whether its bound is within."""
    return lambda start, end: {since: max(0, start - 1)} | ({until: end} if end is not None else {})


def millisecond_window(since: str, until: str) -> Callable[[int, int | None], Params]:
    """A filter by Unix milliseconds; it begins one early, as Zendesk does not say whether its bound is within."""
    return lambda start, end: {since: start * 1000 - 1} | ({until: end * 1000} if end is not None else {})
