"""Incremental exports whose only position is a token inside the address of the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

import msgspec
import numpy as np

from zendesk_support.api.limits import ACCOUNT, EXPORTS, Limit
from zendesk_support.api.rate_limiter import Priority
from zendesk_support.api.request import Request
from zendesk_support.errors import ContractError, CursorExpiredError
from zendesk_support.reading.base import ANSWERED_WITHIN, Chunk, Endpoint, Job, Position
from zendesk_support.reading.lookback import MOST_DIGESTS, Reread, Walk
from zendesk_support.reading.parallel import Prefetch
from zendesk_support.reading.since import within
from zendesk_support.records.json_rows import Page, Rows, page_decoder, row_hash, seconds, without


@dataclass(frozen=True)
class TokenExport(Endpoint):
    """An incremental export of facts by a token alone: it takes no start time, and its rows are in no order of theirs.

    The token is the `cursor` of `next_page`. The end is an empty page, a token that was asked for before, or a
    `next_page` of null; an empty page that leads on is followed once, lest rows stand behind it. The next sync begins
    with the last page that had rows, and must find one of these again: else the token is not what it was, and all is
    read anew. Rows of that page that were loaded are known by their digests.

    Attributes:
        time: the rows' own time, which bounds a period.
    """

    path: str
    rows: str
    time: str
    limits: tuple[Limit, ...] = (ACCOUNT, EXPORTS)
    secrets: tuple[str, ...] = ()
    title = "export (token)"
    cost = "2, and 1 for each further page of changes"

    @cached_property
    def _decode(self) -> Callable[[bytes], Page]:
        return without(self.secrets, page_decoder(self.rows))

    def probe(self, job: Job) -> None:
        """Ask for the first page."""
        self._fetch(job, None)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield every page from the kept token on; all of them where that leads elsewhere."""
        position = job.position
        token = position.cursor or position.resume
        try:
            yield from self._pass(job, token)
        except CursorExpiredError:
            job.note(f"{self.path}: the token that was kept leads elsewhere; all was read anew")
            yield from self._pass(replace(job, position=Position(position.at)), None)

    def _pass(self, job: Job, token: str | None) -> Iterator[Chunk]:
        """Yield the pages from a token on.

        Raises:
            CursorExpiredError: none of the rows that it led to before is there; or it is refused.
        """
        position, kept, began = job.position, token, 0
        walk, edge, resume = Walk(self.path), position.edge, token
        is_doubted, is_beyond = bool(position.edge), False
        if token is not None:
            walk.goes_to(token)
        with Prefetch(job.pools) as prefetch:
            pending = prefetch(self._fetch, job, token)
            while True:
                try:
                    page = pending.result()
                except ContractError as error:
                    if token is not None and token == kept:
                        raise CursorExpiredError(str(error)) from error
                    raise
                began = began or job.now() - ANSWERED_WITHIN
                known = [row_hash(row) in position.edge for row in page.rows]
                if is_doubted and not any(known):
                    raise CursorExpiredError(f"{self.path}: no row that was loaded from here is there")
                is_doubted = False
                if page.rows:
                    edge, resume = frozenset(map(row_hash, page.rows[-MOST_DIGESTS:])), token
                following = self._following(page, token)
                is_over = following is None or (not page.rows and is_beyond)
                is_beyond = not page.rows
                if following is not None and not is_over:
                    walk.new(page.rows)
                    walk.goes_to(following)
                    pending = prefetch(self._fetch, job, following)
                rows = self._wanted(job, [row for row, is_known in zip(page.rows, known) if not is_known])
                reread = Reread(position.at, position.at, edge)
                if is_over:
                    at = max(position.at, began)
                    yield Chunk(rows, at, reread=replace(reread, since=at, until=at), resume=resume, complete=True)
                    return
                yield Chunk(rows, position.at, resume, reread=reread)
                token = following

    def _wanted(self, job: Job, rows: Rows) -> Rows:
        """The rows of the period in question."""
        times = seconds(rows, self.time)
        return [rows[i] for i in np.flatnonzero(within(times, job.settings.start, job.settings.end))]

    def _fetch(self, job: Job, token: str | None) -> Page:
        params = {"cursor": token} if token is not None else {}
        priority = min(job.priority, Priority.EXPORT)
        confirm = token is not None
        url = f"{job.base}/api/v2/{self.path}"
        return job.page(Request(url, params, self.limits, self.path, False, confirm, priority), self._decode)

    def _following(self, page: Page, token: str | None) -> str | None:
        """The token of the next page; None at the end.

        Raises:
            ContractError: a page does not say what follows it, or leads where no token is.
        """
        link = page.next_page
        if link is msgspec.UNSET and page.rows:
            raise ContractError(f"{self.path}: a page does not say what follows it; nothing was skipped.")
        if link is msgspec.UNSET or link is None:
            return None
        found = parse_qs(urlsplit(str(link)).query).get("cursor", [""])[-1]
        if not found:
            raise ContractError(f"{self.path}: the address of the next page has no cursor; nothing was skipped.")
        return None if found == token else found
