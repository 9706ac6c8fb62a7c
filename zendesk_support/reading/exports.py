"""Incremental exports: what they share, and those with a cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from zendesk_support.api.limits import ACCOUNT, EXPORTS, Limit
from zendesk_support.api.request import Request
from zendesk_support.errors import (
    ContractError,
    CursorExpiredError,
    PageTooHeavyError,
    StartTimeTooRecentError,
)
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.envelopes import Params
from zendesk_support.reading.lookback import Walk, dated, in_order
from zendesk_support.reading.parallel import Prefetch
from zendesk_support.records.json_rows import (
    Page,
    page_decoder,
    seconds,
    without,
)
from zendesk_support.settings import Settings
from zendesk_support.warehouse.keys import Array


@dataclass(frozen=True)
class CursorExport(Endpoint):
    """An incremental export with an opaque cursor, ordered by (`time`, id).

    A sync starts some minutes before the saved second, since a row may become visible after that time was read; within
    a pass the cursor leads from page to page. See
    https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/

    Attributes:
        ends_by_meta: the last page is told by `meta.has_more`, not by `end_of_stream`.
    """

    path: str
    rows: str
    time: str
    params: Params = field(default_factory=dict)
    limits: tuple[Limit, ...] = (ACCOUNT, EXPORTS)
    side: str | None = None
    names: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    ends_by_meta: bool = False
    is_export = True
    title = "export (cursor)"
    cost = "1 for 1,000 changes"

    @property
    def marks_end(self) -> bool:
        """Whether `end_of_stream` tells the last page."""
        return not self.ends_by_meta

    @cached_property
    def _decode(self) -> Callable[[bytes], Page]:
        return without(self.secrets, page_decoder(self.rows, self.side))

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield pages until Zendesk says `end_of_stream`.

        Where rows do not come in the order of their time, the position stays until the pass is complete.
        """
        start, cursor = job.position, job.position.cursor
        lookback, walk = job.lookback(), Walk(self.path)
        if cursor is not None:
            lookback.go_on(start.edge)
        at, top, ordered = start.since, start.at, True
        before = start.since if cursor is None else start.at
        with Prefetch(job.pools) as prefetch:
            pending = prefetch(self._fetch, job, start.since, cursor)
            while True:
                found = pending.result()
                if found is None:
                    yield Chunk([], complete=True)
                    return
                page = found.page
                if self.side is not None and page.side is None and page.rows:
                    raise ContractError(
                        f"{self.path}: an answer lacks `{self.side}`, which was asked for beside its rows."
                    )
                rows = page.rows if walk.new(page.rows) else []
                if found.anew:
                    rows = [row for row in rows if not lookback.has(row)]
                times, now = seconds(rows, self.time), job.now()
                tell_undated(job, self.path, self.time, times)
                ordered = ordered and in_order(times, at if found.anew else before, now)
                if not ordered:
                    job.note(f"{self.path}: rows did not come in the order of `{self.time}`; all were read")
                is_over = over_end(job.settings, times) or is_past(job.until, times, now)
                complete = self._is_end(page, cursor) or (ordered and is_over)
                before = int(dated(times, now).max(initial=before))
                top = int(times.max(initial=top))
                at = lookback.position(top)
                lookback.add(rows, times, at)
                if not complete:
                    cursor = str(page.after_cursor)
                    walk.goes_to(cursor)
                    if not job.single:
                        pending = prefetch(self._fetch, job, at, cursor)
                known = lookback.reread(complete=complete)
                reached, reread = (at, known) if ordered or complete else (start.at, start.reread)
                following = None if complete else cursor
                yield Chunk(rows, reached, following, times, reread, complete=complete, side=page.side or [])
                if complete or job.single:
                    return

    def _is_end(self, page: Page, cursor: str | None) -> bool:
        """Whether this is the last page, as its mark says.

        Raises:
            ContractError: there is no mark; or there is more, but not where.
        """
        if self.ends_by_meta:
            if page.meta is None or page.meta.has_more is None:
                raise ContractError(f"{self.path}: a page does not say whether there is more; nothing was skipped.")
            page.end_of_stream = not page.meta.has_more
        check_mark(page, self.path)
        if not page.end_of_stream and page.after_cursor in (None, "", cursor):
            raise ContractError(f"{self.path}: the export neither ends nor moves on; nothing was skipped.")
        return bool(page.end_of_stream)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        probe_export(job, self.path, self.params, self.limits, self._decode)

    def _fetch(self, job: Job, at: int, cursor: str | None) -> SizedPage | None:
        anew = False
        while True:
            where: Params = {"cursor": cursor} if cursor else {"start_time": at}
            doubted = cursor is not None
            try:
                params = {**self.params, **where}
                found = fetch_export_page(job, self.path, params, self.limits, self._decode, at, doubted)
                return replace(found, anew=anew)
            except StartTimeTooRecentError:
                return None
            except CursorExpiredError:
                if cursor is None:
                    raise
                cursor, anew = None, True


def check_mark(page: Page, path: str) -> None:
    """Insist that a page of an export says whether it is the last.

    Raises:
        ContractError: it does not.
    """
    if page.end_of_stream is None:
        raise ContractError(
            f"{path}: a page does not say whether it is the last (end_of_stream); the position stays where rows were "
            "read."
        )


def tell_undated(job: Job, path: str, name: str | None, times: Array) -> None:
    """Have the report say it where rows came and none has a time: no position can move."""
    if len(times) and not len(dated(times, job.now())):
        job.note(f"{path}: no row of a page has a time in `{name}`; the position stays")


@dataclass(frozen=True)
class SizedPage:
    """A page, the number of rows that was asked for, and whether it was asked for by time since the cursor was lost."""

    page: Page
    asked: int
    anew: bool = False


def fetch_export_page(
    job: Job,
    path: str,
    params: Params,
    limits: tuple[Limit, ...],
    decode: Callable[[bytes], Page],
    at: int,
    confirm_refusal: bool = False,
) -> SizedPage:
    """Fetch an export page, of a size that Zendesk can build in time."""
    size = job.page_size
    while True:
        asked = size.rows
        sized = {**params, "per_page": asked}
        url, priority = f"{job.base}/api/v2/{path}", job.export_priority
        request = Request(url, sized, limits, path, size.shrinkable, confirm_refusal, priority, at)
        try:
            page = job.page(request, decode)
        except PageTooHeavyError:
            size.shrink()
        else:
            size.settle()
            return SizedPage(page, asked)


def probe_export(
    job: Job, path: str, params: Params, limits: tuple[Limit, ...], decode: Callable[[bytes], Page]
) -> None:
    """Ask an export for one row."""
    where = {**params, "start_time": job.position.at, "per_page": 1}
    job.page(Request(f"{job.base}/api/v2/{path}", where, limits, path), decode)


def over_end(settings: Settings, times: Array) -> bool:
    """Whether an ordered export has passed the end of the period asked for."""
    return settings.end is not None and len(times) > 0 and int(times.min()) >= settings.end


def is_past(until: int | None, times: Array, now: int) -> bool:
    """Whether an ordered export has come to the end of a window."""
    return until is not None and int(dated(times, now).max(initial=0)) >= until
