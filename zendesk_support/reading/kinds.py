"""Kinds of endpoint: how each is paged, where it stops, and what its position means.

A reader runs in a thread of its own and knows nothing of dlt. It yields chunks: rows, and the position that holds once
those rows are loaded.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec
import numpy as np
from dlt.common import logger

from zendesk_support.api.rate_limiter import ACCOUNT, EXPORTS, HELP_CENTER, BucketSpec, Rank
from zendesk_support.api.transport import Request, Transport, Usage
from zendesk_support.errors import (
    Cancelled,
    ContractError,
    CursorExpiredError,
    PageTooHeavyError,
    StartTimeTooRecentError,
    UnavailableError,
)
from zendesk_support.reading.lookback import Lookback, Reread, Walk, dated, in_order
from zendesk_support.records.json_rows import (
    FAR_FUTURE,
    NULL,
    Page,
    Row,
    Rows,
    count,
    number,
    pack,
    page_decoder,
    raw,
    row_hash,
    seconds,
    tokens,
    unpack,
)
from zendesk_support.settings import Settings
from zendesk_support.warehouse.snapshot import Array, Known

PAGE = 100
EXPORT_PAGE = 1000
SMALLEST_PAGE = 50
SHORT = 20
GROWS_AFTER = 8
ANSWERED_WITHIN = 120
DAY = 86400
LATE_WITHIN = 7 * DAY
REREAD_DAYS = 30
MOST_REFUSED = 1000
NAMED = 3
DELETED = b'"deleted"'

T = TypeVar("T")
Params = Mapping[str, str | int | list[str]]


@dataclass
class Chunk:
    """Rows of one answer and the position after them.

    Attributes:
        rows: the rows, as sent.
        at: position in Unix seconds; None leaves it where it was.
        cursor: opaque token to go on from, while the pass is not complete.
        times: each row's position, where the endpoint is ordered by it.
        reread: which of the rows before `at` the next sync will read again.
        resume: opaque token from which the next pass may go on, some rows before the end of this one.
        again: parents that were refused, to be asked for by the next pass.
        top: time of the newest row of an unfinished pass, which `at` becomes when it is complete.
        began: when an unfinished pass began, by the server's clock.
        complete: the pass ends with this chunk.
        side: side-loaded rows.
    """

    rows: Rows
    at: int | None = None
    cursor: str | None = None
    times: Array | None = None
    reread: Reread | None = None
    resume: str | None = None
    again: tuple[int, ...] = ()
    top: int | None = None
    began: int | None = None
    complete: bool = False
    side: Rows = field(default_factory=list)

    @cached_property
    def saved(self) -> dict[str, Any]:
        """The position as the pipeline's state keeps it; empty values are left out."""
        again = self.reread or Reread(self.at or 0, 0, frozenset())
        position = {
            "at": self.at,
            "since": again.since if again.since != self.at else None,
            "until": again.until if again.until != self.at else None,
            "cursor": self.cursor,
            "resume": self.resume,
            "edge": pack(again.edge),
            "top": self.top,
            "began": self.began,
            "again": list(self.again),
        }
        return {name: value for name, value in position.items() if value}


@dataclass
class Position:
    """Where reading goes on: a second (Unix, inclusive), or a cursor within an unfinished pass.

    Attributes:
        since: the second that reading begins at, somewhat before `at`, so that late rows are found.
        until: time of the newest row in `edge`.
        edge: digests of rows from `since` on that were loaded before.
        resume: cursor from which a complete pass may be followed by the next.
        again: parents that were refused.
        top: time of the newest row of the unfinished pass.
        began: when that pass began.
    """

    at: int
    cursor: str | None = None
    edge: frozenset[bytes] = frozenset()
    top: int | None = None
    began: int | None = None
    since: int = -1
    until: int = -1
    resume: str | None = None
    again: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.since = self.at if self.since < 0 else min(self.since, self.at)
        self.until = self.at if self.until < 0 else self.until

    @property
    def reread(self) -> Reread:
        """What is read again from here."""
        return Reread(self.since, self.until, self.edge)

    @classmethod
    def of(cls, saved: Mapping[str, Any], start: int) -> Position:
        """The position that `Chunk.saved` wrote; `start` where there is none."""
        edge = frozenset(unpack(saved.get("edge")))
        return cls(
            saved.get("at", start),
            saved.get("cursor"),
            edge,
            saved.get("top"),
            saved.get("began"),
            saved.get("since", -1),
            saved.get("until", -1),
            saved.get("resume"),
            tuple(saved.get("again", ())),
        )


@dataclass
class PageSize:
    """How many rows an export is asked for: half as many when Zendesk times out (504), twice after some good pages.

    Each time a page that had grown back is too heavy, it takes twice as many good ones until the next trial.
    """

    rows: int = EXPORT_PAGE
    _good: int = 0
    _wanted: int = GROWS_AFTER
    _on_trial: bool = False

    @property
    def shrinkable(self) -> bool:
        """Whether a smaller page makes sense."""
        return self.rows > SMALLEST_PAGE

    def shrink(self) -> None:
        """The page was too heavy."""
        self._wanted *= 2 if self._on_trial else 1
        self.rows = max(SMALLEST_PAGE, self.rows // 2)
        self._good, self._on_trial = 0, False

    def settle(self) -> None:
        """The page came."""
        self._good += 1
        if self._good >= self._wanted and self.rows < EXPORT_PAGE:
            self.rows = min(EXPORT_PAGE, self.rows * 2)
            self._good, self._on_trial = 0, True


@dataclass
class Job:
    """What a reader works with: the account, and the position to start from.

    Attributes:
        held: rows that the table has of the list that is read.
        single: read one page of an export, and no more.
        rank: who goes first of those that wait for quota.
        notes: what the report says of a pass that came to its end all the same.
    """

    transport: Transport
    settings: Settings
    usage: Usage
    shared: Shared
    position: Position
    known: Known | None = None
    base: str = ""
    page_size: PageSize = field(default_factory=PageSize)
    began: int | None = None
    held: int = 0
    single: bool = False
    rank: Rank = Rank.LIST
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Have the report say something, once."""
        if text not in self.notes:
            self.notes.append(text)

    def page(self, request: Request, key: str, side: str | None = None) -> Page:
        """Fetch one page."""
        page = self.transport.get(request, page_decoder(key, side), self.usage)
        if self.began is None:
            self.began = int(self.transport.server_time or 0)
        return page

    def now(self) -> int:
        """The server's time by its latest answer, Unix seconds; this machine's, where no answer tells."""
        return int(self.transport.server_time or time.time())

    def lookback(self) -> Lookback:
        """What the next pass will read again of this one."""
        return Lookback(self.position.at, self.position.since, self.settings.lookback, self.now)


class Shared:
    """Answers that several readers of one run need: read once, kept for the run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._values: dict[str, Any] = {}
        self._parents: dict[str, Parents] = {}

    def parents(self, path: str) -> Parents:
        """The parents that the list at `path` has shown so far."""
        with self._lock:
            return self._parents.setdefault(path, Parents())

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The value of `make`, which only the first caller runs."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._values:
                self._values[name] = make()
            return self._values[name]


class Parents:
    """Articles, posts or comments as they are listed: once, followed by the readers of all their children.

    Attributes:
        partial: some were left out of the list since they did not change.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._listed: list[Parent] = []
        self._promised = False
        self.partial = False
        self._ended = False
        self._error: BaseException | None = None

    def promise(self) -> None:
        """A stream of this run will list them."""
        self._promised = True

    def __enter__(self) -> Parents:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._end(error)

    def add(self, parents: list[Parent]) -> None:
        """Show a page of them."""
        with self._changed:
            self._listed += parents
            self._changed.notify_all()

    @property
    def newest(self) -> int:
        """The latest change of any shown so far, Unix seconds."""
        with self._changed:
            return max((parent.updated_at for parent in self._listed), default=0)

    def _end(self, error: BaseException | None) -> None:
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def each(self, listing: Callable[[], Iterator[Chunk]], stopped: threading.Event) -> Iterator[Parent]:
        """Follow the list to its end; without a stream that lists them, the first reader does."""
        with self._changed:
            ours = not self._promised
            self._promised = True
        if ours:
            for _ in listing():
                pass
        shown = 0
        while True:
            with self._changed:
                while shown == len(self._listed) and not self._ended:
                    if stopped.is_set():
                        raise Cancelled
                    self._changed.wait(0.5)
                page = self._listed[shown:]
                if not page and self._error is not None:
                    raise self._error
                if not page:
                    return
            shown += len(page)
            yield from page


class Reader(Protocol):
    """A kind of endpoint with its parameters filled in."""

    @property
    def snapshot(self) -> bool:
        """Whether a pass lists everything, so that what it lacks is gone."""

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns besides the key that a pass wants to know of the destination."""

    @property
    def buckets(self) -> tuple[BucketSpec, ...]:
        """The limits that count its requests."""

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the rows from the job's position on."""

    def probe(self, job: Job) -> None:
        """Send one small request, to see whether Zendesk answers it."""


@dataclass(frozen=True)
class CursorExport:
    """An incremental export with an opaque cursor, ordered by (`time`, id).

    A sync starts some minutes before the saved second, since a row may become visible after that time was read; within
    a pass the cursor leads from page to page. See
    https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
    """

    path: str
    rows: str
    time: str
    params: Params = field(default_factory=dict)
    buckets: tuple[BucketSpec, ...] = (ACCOUNT, EXPORTS)
    side: str | None = None
    snapshot: ClassVar[bool] = False
    compared: ClassVar[tuple[str, ...]] = ()

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield pages until Zendesk says `end_of_stream`.

        Where rows do not come in the order of their time, the position stays until the pass is complete.
        """
        start, cursor = job.position, job.position.cursor
        lookback, walk = job.lookback(), Walk(self.path)
        at, top, ordered = start.since, start.at, True
        before = start.since if cursor is None else start.at
        with Prefetch() as prefetch:
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
                ordered = ordered and in_order(times, at if found.anew else before, now)
                if not ordered:
                    job.note(f"{self.path}: rows did not come in the order of `{self.time}`; all were read")
                complete = self._is_end(page, cursor) or (ordered and over_end(job.settings, times))
                before = int(dated(times, now).max(initial=before))
                top = int(times.max(initial=top))
                at = lookback.position(top)
                lookback.add(rows, times, at)
                if not complete:
                    cursor = str(page.after_cursor)
                    walk.goes_to(cursor)
                    if not job.single:
                        pending = prefetch(self._fetch, job, at, cursor)
                reached, reread = (at, lookback.reread()) if ordered or complete else (start.at, start.reread)
                following = None if complete else cursor
                yield Chunk(rows, reached, following, times, reread, complete=complete, side=page.side or [])
                if complete or job.single:
                    return

    def _is_end(self, page: Page, cursor: str | None) -> bool:
        """Whether this is the last page, as its mark says.

        Raises:
            ContractError: there is no mark; or there is more, but not where.
        """
        check_mark(page, self.path)
        if not page.end_of_stream and page.after_cursor in (None, "", cursor):
            raise ContractError(f"{self.path}: the export neither ends nor moves on; nothing was skipped.")
        return bool(page.end_of_stream)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        probe_export(job, self.path, self.params, self.buckets, self.rows)

    def _fetch(self, job: Job, at: int, cursor: str | None) -> Sized | None:
        anew = False
        while True:
            where: Params = {"cursor": cursor} if cursor else {"start_time": at}
            doubted = cursor is not None
            try:
                params = {**self.params, **where}
                found = shrinking(job, self.path, params, self.buckets, self.rows, at, self.side, doubted)
                return replace(found, anew=anew)
            except StartTimeTooRecentError:
                return None
            except CursorExpiredError:
                if cursor is None:
                    raise
                cursor, anew = None, True


@dataclass(frozen=True)
class TimeExport:
    """An incremental export paged by time: the last second of a page comes again with the next.

    Attributes:
        time: the rows' field that the export is ordered by, None where it cannot be relied on.
        dated: a field that tells rows of different seconds apart, where the end carries no mark.
        ends: whether the answers carry `end_of_stream`. Without it the end is an answer that does not move on.
    """

    path: str
    rows: str
    time: str | None
    ends: bool = True
    dated: str | None = None
    params: Params = field(default_factory=dict)
    buckets: tuple[BucketSpec, ...] = (ACCOUNT, EXPORTS)
    snapshot: ClassVar[bool] = False
    compared: ClassVar[tuple[str, ...]] = ()

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield pages until the end, each row once."""
        progress = TimePages(self, job)
        with Prefetch() as prefetch:
            pending = prefetch(self._fetch, job, progress.asked)
            while True:
                found = pending.result()
                if found is None:
                    yield Chunk([], complete=True)
                    return
                ended = progress.take(found) or self._is_over(job.settings.end, progress.asked)
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
        probe_export(job, self.path, self.params, self.buckets, self.rows)

    def _fetch(self, job: Job, at: int, doubted: bool = False) -> Sized | None:
        try:
            params = {**self.params, "start_time": at}
            return shrinking(job, self.path, params, self.buckets, self.rows, at, doubted=doubted)
        except StartTimeTooRecentError:
            return None


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
        self._lookback, self._walk = job.lookback(), Walk(export.path)
        self._probes_end = False
        self._by_time = export.time is not None
        self._top = self._at = job.position.at
        self._length = 0
        self._page_size = EXPORT_PAGE
        self._rows: Rows = []
        self._times: Array = np.array([], np.int64)

    def take(self, found: Sized) -> bool:
        """Take a page; True if it is the last.

        Raises:
            ContractError: the page does not lead on, or rows may be missing before it.
        """
        page, asked = found.page, self.asked
        end = page.end_time if page.end_time is not None else asked
        times = self._times_of(page, end)
        if self._export.ends:
            check_mark(page, self._export.path)
        is_new = self._walk.new(page.rows)
        doubted = np.flatnonzero(times <= asked) if self._by_time else range(len(times))
        known = {i for i in doubted if self._lookback.has(page.rows[i])}
        fresh = [i for i in range(len(page.rows)) if i not in known]
        ended = page.end_of_stream is True or (page.end_of_stream is None and end <= asked)
        if page.end_of_stream is None and not ended:
            # All of it was loaded before, up to the position: nothing has come since. A page as short was not cut.
            ended = end >= self._at and len(page.rows) < SHORT and self._is_loaded(page.rows)
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
        return Chunk(self._rows, self._at, None, times, self._lookback.reread(), complete=complete)

    def _times_of(self, page: Page, end: int) -> Array:
        """The times that the rows are ordered by: their own, else the end of the page."""
        path = self._export.path
        if end > FAR_FUTURE:
            raise ContractError(f"{path}: end_time={end} is no time; the position stays.")
        name, now = self._export.time or self._export.dated, self._job.now()
        times = seconds(page.rows, name) if name else np.full(len(page.rows), end)
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


@dataclass(frozen=True)
class Listing:
    """A list read whole: cursor-paginated, or all rows in one answer.

    Attributes:
        paged: ask for pages of 100 and follow the cursor.
    """

    path: str
    rows: str
    paged: bool = True
    params: Params = field(default_factory=dict)
    buckets: tuple[BucketSpec, ...] = (ACCOUNT,)
    snapshot: ClassVar[bool] = True
    compared: ClassVar[tuple[str, ...]] = ()

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield every page; a list that comes empty although the table has rows is asked for once more."""
        for attempt in range(2):
            count = 0
            for page, following in self.pages(job, self.path):
                count += len(page.rows)
                if count or attempt or not job.held:
                    yield Chunk(page.rows, complete=following is None)
            if count or attempt or not job.held:
                break
        if not count and job.held:
            job.note(f"{self.path}: Zendesk lists none any more, asked twice; the table had {job.held:,} rows")

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        params = {**self.params, **({"page[size]": 1} if self.paged else {})}
        job.page(Request(f"{job.base}/api/v2/{self.path}", params, self.buckets, self.path), self.rows)

    def pages(
        self,
        job: Job,
        path: str,
        params: Params | None = None,
        following: str | None = None,
        enough: Callable[[Page], bool] = lambda page: False,
        doubted: bool = False,
    ) -> Iterator[tuple[Page, str | None]]:
        """Walk the pages of a path, on the account's host or a brand's.

        The end is `meta.has_more`, then the missing link: Support never nulls the link, Help Center leaves it out.

        Args:
            job: what to work with.
            path: below /api/v2.
            params: besides those of the list.
            following: what an earlier walk was to ask for next.
            enough: whether a page is the last one wanted, so that the next is not asked for.
            doubted: a refusal of the first page is asked about once more, as those of later pages are.

        Yields:
            A page, and what to ask for next: a link or a cursor, None at the end.
        """
        first = {**self.params, **(params or {}), **({"page[size]": PAGE} if self.paged else {})}
        url = f"{job.base}/api/v2/{path}"

        def request(following: str | None) -> Request:
            if following is None:
                return Request(url, first, self.buckets, self.path, doubted=doubted, rank=job.rank)
            is_link = following.startswith("/") or "://" in following
            where, params = (following, {}) if is_link else (url, {**first, "page[after]": following})
            return Request(where, params, self.buckets, self.path, doubted=True, rank=job.rank)

        with Prefetch() as prefetch:
            walk, kept = Walk(self.path), following
            pending = prefetch(job.page, request(following), self.rows)
            while True:
                try:
                    page = pending.result()
                except ContractError as error:
                    if kept is not None and following == kept:
                        raise CursorExpiredError(str(error)) from error
                    raise
                following = self._following(page, is_first=following is None)
                if not walk.new(page.rows):
                    page.rows = []
                is_last_wanted = enough(page)
                if following is None or is_last_wanted:
                    yield page, None
                    return
                walk.goes_to(following)
                pending = prefetch(job.page, request(following), self.rows)
                yield page, following

    def _following(self, page: Page, *, is_first: bool) -> str | None:
        """What leads to the next page, also of a list that is declared to come whole; None at the end.

        Raises:
            ContractError: there is more, but not where; or a page of a paged list says nothing of what follows.
        """
        more = page.meta.has_more if page.meta else None
        link = page.links.next if page.links else (page.next_page or page.before_url or None)
        after = page.meta.after_cursor if page.meta else None
        if more is False or (more is None and not link):
            is_silent = page.meta is None and page.links is None and page.next_page is msgspec.UNSET
            if is_silent and (self.paged or not is_first):
                raise ContractError(
                    f"{self.path}: a page of {len(page.rows)} rows does not say whether there is more; nothing was "
                    "skipped."
                )
            return None
        if not (link or after):
            raise ContractError(f"{self.path}: Zendesk says there is more but not where; nothing was skipped.")
        return link or after


@dataclass(frozen=True)
class FilteredListing:
    """A list of facts by time in no dependable order: the position moves when the pass is complete.

    It moves to the newest row, yet not past the time the pass began at: a row that changed behind the reader's back
    comes with the next pass. A pass that was cut short goes on from its cursor, then what is new since is read.

    Attributes:
        time: the rows' field that the position is.
        window: parameters that let Zendesk leave out older rows; without it they are left out here.
    """

    path: str
    rows: str
    time: str
    window: Callable[[int, int | None], Params] | None = None
    buckets: tuple[BucketSpec, ...] = (ACCOUNT,)
    snapshot: ClassVar[bool] = False
    compared: ClassVar[tuple[str, ...]] = ()

    @property
    def _listing(self) -> Listing:
        return Listing(self.path, self.rows, buckets=self.buckets)

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


def iso_range(name: str, **params: str) -> Callable[[int, int | None], Params]:
    """A filter by ISO times, given as two values of one parameter."""
    return lambda start, end: {name: [iso(start), iso(end if end is not None else FAR_FUTURE)], **params}


def iso(at: int) -> str:
    """Unix seconds as Zendesk writes times."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Conditions:
    """Routing's attribute definitions: two lists in one answer, told apart by `condition`."""

    path: str
    buckets: ClassVar[tuple[BucketSpec, ...]] = (ACCOUNT,)
    snapshot: ClassVar[bool] = True
    compared: ClassVar[tuple[str, ...]] = ()

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the rows of both lists."""
        decode = msgspec.json.Decoder(DefinitionsAnswer).decode
        found = job.transport.get(Request(f"/api/v2/{self.path}", route=self.path), decode, job.usage).definitions
        rows = [{"condition": raw("all"), **row} for row in found.conditions_all]
        rows += [{"condition": raw("any"), **row} for row in found.conditions_any]
        yield Chunk(rows, complete=True)

    def probe(self, job: Job) -> None:
        """Ask for the lists."""
        next(self.read(job))


class Definitions(msgspec.Struct):
    """The two lists of conditions."""

    conditions_all: Rows
    conditions_any: Rows


class DefinitionsAnswer(msgspec.Struct):
    """The answer of `routing/attributes/definitions`."""

    definitions: Definitions


@dataclass(frozen=True)
class LogListing:
    """A list of facts that only grows, in the order of their time: which way round, its first page tells.

    Oldest first, the next sync goes on from a cursor some rows before the end. Newest first, it reads back to the
    position. In no order at all, it reads the whole list. Zendesk's documentation of `ticket_audits` has both orders,
    by the cursor that is used; recorded answers to `page[size]` are oldest first.
    """

    path: str
    rows: str
    time: str
    buckets: tuple[BucketSpec, ...] = (ACCOUNT,)
    snapshot: ClassVar[bool] = False
    compared: ClassVar[tuple[str, ...]] = ()

    @property
    def _listing(self) -> Listing:
        return Listing(self.path, self.rows, buckets=self.buckets)

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
    """A list does not go on from a kept cursor as it was seen to."""


class Order:
    """Which way a list's times run, as far as its pages have shown; neither way while they are all the same."""

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


@dataclass(frozen=True)
class PerTicket:
    """A list below each ticket that an export shows as changed, one request a ticket.

    Attributes:
        per_ticket: the limits that count the requests for one ticket.
    """

    tickets: CursorExport
    path: str
    rows: str
    per_ticket: tuple[BucketSpec, ...]
    snapshot: ClassVar[bool] = False
    compared: ClassVar[tuple[str, ...]] = ()

    @property
    def buckets(self) -> tuple[BucketSpec, ...]:
        """The limits of the export and of what hangs below it."""
        return (*self.tickets.buckets, *self.per_ticket)

    def probe(self, job: Job) -> None:
        """Ask for one ticket."""
        self.tickets.probe(job)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the rows of every changed ticket that is not deleted; the position is the export's.

        A ticket that is refused while others are answered is asked for again by the next pass.
        """
        listing = Listing(self.path, self.rows, buckets=self.per_ticket)
        below = replace(job, rank=Rank.CHILDREN)

        def ask(ticket: int) -> Rows:
            return [row for page, _ in listing.pages(below, self.path.format(id=ticket)) for row in page.rows]

        again = dict.fromkeys(job.position.again)
        with FanOut(job) as pool:
            answers = Answers(pool, ask)
            for chunk in self.tickets.read(replace(job, rank=Rank.PARENTS)):
                changed = [row for row in chunk.rows if row_hash(row) not in job.position.edge]
                wanted = again | dict.fromkeys(number(row, "id") or 0 for row in changed)
                for row in changed:
                    if bytes(row.get("status", NULL)) == DELETED:
                        wanted.pop(number(row, "id") or 0, None)
                rows = [row for _, found in answers.of(wanted) for row in found]
                again = {}
                if len(answers.refused) > MOST_REFUSED:
                    raise ContractError(
                        f"{self.path}: Zendesk refused it for more than {MOST_REFUSED:,} tickets and answered for "
                        "others; the position stays."
                    )
                yield replace(chunk, rows=rows, times=None, again=tuple(answers.refused))
        if answers.refused:
            job.note(f"{self.path}: {answers.told()}; the next sync asks again")


@dataclass(frozen=True)
class HelpCenterListing:
    """A list of each brand's help center, on that brand's host."""

    listing: Listing
    snapshot: ClassVar[bool] = True
    compared: ClassVar[tuple[str, ...]] = ()

    @property
    def path(self) -> str:
        """The rows' path, with `{id}` for each of their ancestors."""
        return self.listing.path

    @property
    def buckets(self) -> tuple[BucketSpec, ...]:
        """The list's own; the brands are asked for besides."""
        return self.listing.buckets

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield every brand's rows, each with its `brand_id`, and tell the readers of their children.

        A help center that refuses the list is left out while others answer: its rows stay as they are.
        """
        refused: dict[HelpCenter, UnavailableError] = {}
        answered = False
        with job.shared.parents(self.path) as parents:
            for center in help_centers(job):
                try:
                    held = job.known.count("brand_id", center.brand_id) if job.known else 0
                    for chunk in self.listing.read(replace(job, base=center.base, held=held)):
                        rows = center.stamp(chunk.rows)
                        parents.add([Parent.of(center, self.path, row) for row in rows])
                        yield Chunk(rows)
                    answered = True
                except UnavailableError as error:
                    refused[center] = error
                    parents.partial = True
            missed = [refusal for center, refusal in refused.items() if center.is_certain]
            if missed and not answered:
                raise missed[0]
        for center, refusal in refused.items():
            if job.known:
                job.known.keep(("brand_id",), [(center.brand_id,)])
            if center.is_certain:
                job.note(
                    f"the help center of brand {center.brand_id} ({center.base}) is left out, its rows stay: {refusal}"
                )
        yield Chunk([], complete=True)

    def probe(self, job: Job) -> None:
        """Ask the first help center for one row."""
        for center in help_centers(job)[:1]:
            self.listing.probe(replace(job, base=center.base))


@dataclass(frozen=True)
class HelpCenterChildren:
    """Rows that hang below each article, post or comment, one request a parent.

    Attributes:
        parents: what lists the parents.
        leaf: the last part of the children's path, and the key of the answer unless `rows` says otherwise.
        parent: the child's column that holds its parent's id.
        counted: read only parents whose `vote_count` or `vote_sum` differs from the votes at the destination.
    """

    parents: HelpCenterListing | HelpCenterChildren
    leaf: str
    parent: str
    counted: bool = False
    rows: str = ""
    snapshot: ClassVar[bool] = True

    @property
    def path(self) -> str:
        """The rows' path, with `{id}` for each of their ancestors."""
        return f"{self.parents.path}/{{id}}/{self.leaf}"

    @property
    def buckets(self) -> tuple[BucketSpec, ...]:
        """Those of the parents."""
        return self.parents.buckets

    @property
    def compared(self) -> tuple[str, ...]:
        """The parent, and the vote to compare sums with."""
        return (self.parent, "value") if self.counted else (self.parent,)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the children of every parent that needs reading, and tell the readers of theirs."""
        gathered: Rows = []
        help_centers(job)
        now = job.now()
        with job.shared.parents(self.path) as ours, FanOut(job) as pool:
            answers = Answers[Parent](pool, lambda parent: self._below(job, parent))
            for parent, found in answers.of(self._moved(job, ours, now)):
                ours.add([Parent.of(parent.center, f"{parent.path}/{self.leaf}", row) for row in found])
                gathered += found
                if len(gathered) >= EXPORT_PAGE:
                    yield Chunk(gathered)
                    gathered = []
            ours.partial |= bool(answers.refused)
        if answers.refused:
            job.note(f"{self.path}: {answers.told()}; their rows stay as they are")
        if job.known:
            job.known.keep(("brand_id", self.parent), [parent.key for parent in answers.refused])
        # No later than the newest parent: a wrong Date header must not hide changes to come.
        reached = min(now - ANSWERED_WITHIN, job.shared.parents(self.parents.path).newest + 1)
        yield Chunk(gathered, max(job.position.at, reached), began=now, complete=True)

    def probe(self, job: Job) -> None:
        """Ask for one parent."""
        self.parents.probe(job)

    def _moved(self, job: Job, ours: Parents, now: int) -> Iterator[Parent]:
        """Parents to read; those left out keep the rows they have.

        Votes may change and leave their count and sum as they were: each parent with votes has its day of thirty on
        which they are read whatever it counts.
        """
        known = job.known
        loaded = known.sums(("brand_id", self.parent), "value") if known and self.counted else {}
        changed_only = not self.counted and job.settings.help_center_children == "changed"
        left: list[tuple[int, int]] = []
        shown: list[tuple[int, int]] = []
        above = job.shared.parents(self.parents.path)
        for parent in above.each(lambda: self.parents.read(replace(job, known=None, held=0)), job.transport.stopped):
            shown.append(parent.key)
            if self.counted:
                counts = (parent.vote_count, parent.vote_sum)
                due = parent.vote_count > 0 and parent.is_due(job.position.began, now)
                skip = loaded.get(parent.key, (0, 0)) == counts and not due
            else:
                skip = changed_only and 0 < parent.updated_at < job.position.at
            if skip or 0 < parent.updated_at < job.settings.start:
                left.append(parent.key)
            else:
                yield parent
        ours.partial = above.partial or bool(left)
        if known:
            known.keep(("brand_id", self.parent), left)
            if above.partial:
                known.keep_all_but(("brand_id", self.parent), shown)

    def _below(self, job: Job, parent: Parent) -> Rows:
        """The children of a parent."""
        listing = Listing(self.path, self.rows or self.leaf, buckets=(HELP_CENTER,))
        below = replace(job, base=parent.center.base, rank=Rank.CHILDREN)
        pages = listing.pages(below, f"{parent.path}/{self.leaf}")
        return [row for page, _ in pages for row in parent.center.stamp(page.rows)]


P = TypeVar("P")


class Answers(Generic[P]):
    """What stands below each of many parents, by the one rule for refusals (403, 404) there.

    A parent that is refused while others are answered is asked for once more, as a single wrong answer would cost its
    rows. If it is refused again, it may have gone, or be hidden: that is the caller's to keep or to say. If all are
    refused, the plan or role lacks what hangs below them.

    Attributes:
        refused: the parents that were refused twice.
    """

    def __init__(self, pool: FanOut, ask: Callable[[P], Rows]) -> None:
        self.refused: list[P] = []
        self._pool, self._ask = pool, ask
        self._answered = False
        self._refusal: UnavailableError | None = None

    def of(self, parents: Iterable[P]) -> Iterator[tuple[P, Rows]]:
        """Each parent that is answered, with its rows.

        Raises:
            UnavailableError: all are refused, and so were those before.
        """
        doubted: list[P] = []
        for parent, found in self._pool(self._asked, parents):
            if found is None:
                doubted.append(parent)
            else:
                self._answered = True
                yield parent, found
        if doubted and not self._answered and self._refusal is not None:
            raise self._refusal
        for parent, found in self._pool(self._asked, doubted):
            if found is None:
                self.refused.append(parent)
            else:
                yield parent, found

    def told(self) -> str:
        """Whom it was refused for, in words."""
        named = ", ".join(str(getattr(parent, "id", parent)) for parent in self.refused[:NAMED])
        more = f" and {len(self.refused) - NAMED:,} more" if len(self.refused) > NAMED else ""
        return f"refused for {named}{more} ({self._refusal})"

    def _asked(self, parent: P) -> tuple[P, Rows | None]:
        try:
            return parent, self._ask(parent)
        except UnavailableError as error:
            self._refusal = error
            return parent, None


@dataclass(frozen=True)
class HelpCenter:
    """One brand's help center and the host it answers on.

    Attributes:
        is_certain: Zendesk says that there is one; else a refusal means that there is none.
    """

    brand_id: int
    base: str
    is_certain: bool = True

    def stamp(self, rows: Rows) -> Rows:
        """Rows with the brand they were read from."""
        brand = raw(self.brand_id)
        return [{"brand_id": brand, **row} for row in rows]


@dataclass(frozen=True)
class Parent:
    """An article, post or comment: where it stands, when it changed, and the votes it counts."""

    center: HelpCenter
    path: str
    id: int
    updated_at: int
    vote_count: int
    vote_sum: int

    @classmethod
    def of(cls, center: HelpCenter, listed_at: str, row: Row) -> Parent:
        """The parent that a row of the list at a path is."""
        id = number(row, "id") or 0
        updated_at = int(seconds([row], "updated_at")[0])
        return cls(center, f"{listed_at}/{id}", id, updated_at, count(row, "vote_count"), count(row, "vote_sum"))

    @property
    def key(self) -> tuple[int, int]:
        """Brand and id: two help centers may share an id."""
        return self.center.brand_id, self.id

    def is_due(self, last: int | None, now: int) -> bool:
        """Whether its day of `REREAD_DAYS` has come since the last pass began; times are Unix seconds."""
        if last is None:
            return False
        days = range(last // DAY + 1, now // DAY + 1)
        return len(days) >= REREAD_DAYS or any((day - self.id) % REREAD_DAYS == 0 for day in days)


def help_centers(job: Job) -> list[HelpCenter]:
    """Every brand that has a help center; asked once a run."""

    def ask() -> list[HelpCenter]:
        centers = []
        for chunk in Listing("brands", "brands").read(replace(job, base="")):
            for row in chunk.rows:
                brand = msgspec.json.decode(msgspec.json.encode(row), type=Brand)
                if brand.has_help_center is False or brand.is_deleted is True or brand.active is False:
                    continue
                base = next(filter(None, map(job.transport.allow_host, brand.addresses)), None)
                if base is None:
                    logger.warning(
                        f"brand {brand.id}: none of {list(brand.addresses)} is a host of this account; it gets no "
                        "credentials, and its help center is left out"
                    )
                else:
                    centers.append(HelpCenter(brand.id, base, brand.has_help_center is True))
        return centers

    return job.shared.once("help centers", ask)  # type: ignore[no-any-return]


class Brand(msgspec.Struct):
    """What decides whether and where a brand's help center is read."""

    id: int
    brand_url: Any = None
    subdomain: Any = None
    has_help_center: Any = None
    active: Any = None
    is_deleted: Any = None

    @property
    def addresses(self) -> tuple[str, str]:
        """Where its help center may answer; `brand_url` may be a domain of the brand's own."""
        return str(self.brand_url), f"https://{self.subdomain}.zendesk.com"


class FanOut:
    """Requests of one stream side by side, as many as the account's limit is worth."""

    def __init__(self, job: Job) -> None:
        self._width = job.transport.at_once()
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="zendesk-children")

    def __enter__(self) -> FanOut:
        return self

    def __call__(self, call: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
        """Results of `call` in order, with a bounded number under way."""
        under_way: deque[Future[T]] = deque()
        try:
            for item in items:
                under_way.append(self._pool.submit(call, item))
                if len(under_way) >= 2 * self._width:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown()


class Prefetch:
    """One request ahead: the next page travels while the last one is converted."""

    def __enter__(self) -> Prefetch:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="zendesk-page")
        return self

    def __call__(self, call: Callable[..., Any], *args: Any) -> Future[Any]:
        """Start a call."""
        return self._pool.submit(call, *args)

    def __exit__(self, *exc: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class Sized:
    """A page, how many rows were asked for, and whether from a time, since the cursor was lost."""

    page: Page
    asked: int
    anew: bool = False


def shrinking(
    job: Job,
    path: str,
    params: Params,
    buckets: tuple[BucketSpec, ...],
    key: str,
    at: int,
    side: str | None = None,
    doubted: bool = False,
) -> Sized:
    """Fetch an export page, of a size that Zendesk can build in time."""
    size = job.page_size
    while True:
        asked = size.rows
        sized = {**params, "per_page": asked}
        rank = min(job.rank, Rank.EXPORT)
        request = Request(f"{job.base}/api/v2/{path}", sized, buckets, path, size.shrinkable, doubted, rank, at)
        try:
            page = job.page(request, key, side)
        except PageTooHeavyError:
            size.shrink()
        else:
            size.settle()
            return Sized(page, asked)


def probe_export(job: Job, path: str, params: Params, buckets: tuple[BucketSpec, ...], key: str) -> None:
    """Ask an export for one row."""
    where = {**params, "start_time": job.position.at, "per_page": 1}
    job.page(Request(f"{job.base}/api/v2/{path}", where, buckets, path), key)


def within(times: Array, start: int, end: int | None) -> Array:
    """Which times lie in a period; a row of unknown time belongs to every one."""
    return np.asarray(((times >= start) | (times == 0)) & (end is None or times < end))


def over_end(settings: Settings, times: Array) -> bool:
    """Whether an ordered export has passed the end of the period asked for."""
    return settings.end is not None and len(times) > 0 and int(times.min()) >= settings.end
