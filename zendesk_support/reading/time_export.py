"""Incremental exports that are paged by time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from zendesk_support.api.limits import ACCOUNT, EXPORTS, Limit
from zendesk_support.api.request import Request
from zendesk_support.errors import (
    ContractError,
    StartTimeTooRecentError,
)
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.envelopes import Params
from zendesk_support.reading.exports import SizedPage, check_mark, fetch_export_page, probe_export, tell_undated
from zendesk_support.reading.lookback import CLOCKS_DIFFER, Walk, dated, in_order
from zendesk_support.reading.page_size import EXPORT_PAGE, SMALLEST_PAGE
from zendesk_support.reading.parallel import Prefetch
from zendesk_support.reading.parents import DAY
from zendesk_support.records.json_rows import (
    FAR_FUTURE,
    Page,
    Rows,
    page_decoder,
    row_hash,
    seconds,
    tokens,
    without,
)
from zendesk_support.warehouse.keys import Array

SHORT = 20
LATE_WITHIN = 7 * DAY


@dataclass(frozen=True)
class TimeExport(Endpoint):
    """An incremental export paged by time: the last second of a page comes again with the next.

    Attributes:
        time: the rows' field that the export is ordered by, None where it cannot be relied on.
        dated: a field that tells rows of different seconds apart, where the end carries no mark.
        ends: whether the answers carry `end_of_stream`. Without it the end is an answer that does not move on.
        sized: whether `per_page` says how long a page is; else it is as long as Zendesk makes it.
        lookback: seconds before its end from which on the next pass reads again, where `lookback_minutes` are fewer.
    """

    path: str
    rows: str
    time: str | None
    ends: bool = True
    dated: str | None = None
    sized: bool = True
    lookback: int = 0
    params: Params = field(default_factory=dict)
    limits: tuple[Limit, ...] = (ACCOUNT, EXPORTS)
    names: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    is_export = True
    title = "export (time)"

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return "1 for 1,000 changes" + ("" if self.ends else ", and 1 for the end")

    @property
    def marks_end(self) -> bool:
        """Whether `end_of_stream` tells the last page."""
        return self.ends

    @cached_property
    def _decode(self) -> Callable[[bytes], Page]:
        return without(self.secrets, page_decoder(self.rows))

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield pages until the end, each row once."""
        progress = TimePages(self, job)
        with Prefetch(job.pools) as prefetch:
            pending = prefetch(self._fetch, job, progress.asked)
            while True:
                found = pending.result()
                if found is None:
                    yield Chunk([], complete=True)
                    return
                ended = progress.take(found) or self._is_over(job.settings.end, progress.asked)
                ended = ended or (job.until is not None and progress.asked >= job.until)
                if not (ended or job.single):
                    pending = prefetch(self._fetch, job, progress.asked, True)
                yield progress.chunk(ended)
                if ended or job.single:
                    return

    def _is_over(self, until: int | None, end: int) -> bool:
        """Whether all rows of a bounded period have come: where their own time is not the order, some come late."""
        return until is not None and end >= until + (0 if self.time else LATE_WITHIN)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        if self.sized:
            probe_export(job, self.path, self.params, self.limits, self._decode)
        else:
            job.page(self._request(job, job.position.at), self._decode)

    def _fetch(self, job: Job, at: int, confirm_refusal: bool = False) -> SizedPage | None:
        try:
            if not self.sized:
                return SizedPage(job.page(self._request(job, at, confirm_refusal), self._decode), EXPORT_PAGE)
            params = {**self.params, "start_time": at}
            return fetch_export_page(
                job, self.path, params, self.limits, self._decode, at, confirm_refusal=confirm_refusal
            )
        except StartTimeTooRecentError:
            return None

    def _request(self, job: Job, at: int, confirm_refusal: bool = False) -> Request:
        """A request for a page of Zendesk's own length."""
        return Request(
            f"{job.base}/api/v2/{self.path}",
            {**self.params, "start_time": at},
            self.limits,
            self.path,
            confirm_refusal=confirm_refusal,
            priority=job.export_priority,
            reached=at,
        )


class TimePages:
    """How far a pass over a `TimeExport` has come.

    Zendesk promises that a page holds what comes next from `start_time` on, that `end_time` is the time of its last
    row, and that a second with more rows than a page is not cut. What the answers contradict ends the pass with an
    error. Where rows are not ordered by their own time, `end_time` alone is the position.

    Attributes:
        asked: the second that the next request begins at.
    """

    def __init__(self, export: TimeExport, job: Job) -> None:
        self.asked = job.position.since
        self._export, self._job = export, job
        self._lookback, self._walk = job.lookback(export.lookback), Walk(export.path)
        self._probes_end = False
        self._by_time = export.time is not None
        self._top = self._at = job.position.at
        self._length = 0
        self._page_size = EXPORT_PAGE
        self._rows: Rows = []
        self._times: Array = np.array([], np.int64)

    def take(self, found: SizedPage) -> bool:
        """Take a page; True if it is the last.

        Raises:
            ContractError: the page does not lead on, or rows may be missing before it.
        """
        page, asked = found.page, self.asked
        end = page.end_time if page.end_time is not None else self._last_of(page)
        times = self._times_of(page, end)
        if self._export.ends:
            check_mark(page, self._export.path)
        is_new = self._walk.new(page.rows)
        doubted = np.flatnonzero(times <= asked) if self._by_time else range(len(times))
        known = {i for i in doubted if self._lookback.has(page.rows[i])}
        fresh = [i for i in range(len(page.rows)) if i not in known]
        ended = page.end_of_stream is True or (page.end_of_stream is None and end <= asked)
        if not (page.rows or self._export.ends or ended):
            # Nothing comes up to now: what such an export answers where nothing has happened since.
            ended = end >= self._job.now() - CLOCKS_DIFFER
        if page.end_of_stream is None and not ended:
            # All of it was loaded before, up to the position: nothing has come since. A page as short was not cut,
            # where a longer one was asked for.
            ended = self._export.sized and end >= self._at and len(page.rows) < SHORT and self._is_loaded(page.rows)
        if end <= asked and page.end_of_stream is not True:
            self._check_stand(page, found.asked, bool(fresh), ended)
        if page.rows:
            # A page that grew to hold a whole second ends behind it, yet that second may still gain rows.
            grown = len(page.rows) >= found.asked
            self._top = max(self._top, min(end, int(times.max())) if self._by_time else end - grown)
        self._at = self._lookback.position(self._top)
        self._rows, self._times = [page.rows[i] for i in fresh], times[fresh]
        self._lookback.add(self._rows, self._times, self._at)
        self._length, self.asked = len(page.rows), max(asked, end)
        return ended and not self._doubts_end(page, known=bool(known), is_new=is_new)

    def _last_of(self, page: Page) -> int:
        """Where a page ends that does not say it: with its newest row."""
        name = self._export.time or self._export.dated
        times = dated(seconds(page.rows, name), self._job.now()) if name else np.array([], np.int64)
        return max(self.asked, int(times.max(initial=0)))

    def _doubts_end(self, page: Page, *, known: bool, is_new: bool) -> bool:
        """Whether to ask for the second after the last, since the same rows of several seconds came twice.

        Raises:
            ContractError: they come again: the server does not heed `start_time`.
        """
        if self._probes_end and known:
            raise ContractError(f"{self._export.path}: rows of every time come, whatever start_time asks for.")
        name = self._export.dated
        if is_new or self._probes_end or name is None or len(set(tokens(page.rows, name))) < 2:
            return False
        self._probes_end = True
        self.asked += 1
        return True

    def _is_loaded(self, rows: Rows) -> bool:
        """Whether there are rows, all of which were loaded by earlier passes."""
        return bool(rows) and all(row_hash(row) in self._job.position.edge for row in rows)

    def chunk(self, complete: bool) -> Chunk:
        """The rows of the page that had not come before, and the position after them."""
        times = self._times if self._by_time else None
        return Chunk(self._rows, self._at, None, times, self._lookback.reread(complete=complete), complete=complete)

    def _times_of(self, page: Page, end: int) -> Array:
        """The times that the rows are ordered by: their own, else the end of the page."""
        path = self._export.path
        if end > FAR_FUTURE:
            raise ContractError(f"{path}: end_time={end} is no time; the position stays.")
        name, now = self._export.time or self._export.dated, self._job.now()
        times = seconds(page.rows, name) if name else np.full(len(page.rows), end)
        tell_undated(self._job, path, name, times)
        if self._by_time and not in_order(times, self.asked, now):
            self._by_time = False
            self._job.note(f"{path}: rows did not come in the order of `{name}`; the position follows `end_time`")
        is_beyond = int(dated(times, now).max(initial=0)) > end
        if len(times) and page.end_of_stream is not True and (end < self.asked or is_beyond):
            raise ContractError(
                f"{path}: a page from start_time={self.asked} to end_time={end} has rows of another time, or in "
                "another order; others may be missing, so the position stays."
            )
        return times if self._by_time else np.full(len(page.rows), end)

    def _check_stand(self, page: Page, wanted: int, has_news: bool, ended: bool) -> None:
        """Refuse a page that does not move on although there is, or may be, more of its second."""
        if has_news and self._length:
            # The page before was not the last: pages of this server are no longer.
            self._page_size = min(self._page_size, max(self._length, SMALLEST_PAGE))
        is_full = len(page.rows) >= wanted or (has_news and len(page.rows) >= self._page_size)
        if not ended or is_full:
            raise ContractError(
                f"{self._export.path}: a page of {len(page.rows)} rows from start_time={self.asked} does not move on; "
                "rows of that second may be missing, so the position stays."
            )
