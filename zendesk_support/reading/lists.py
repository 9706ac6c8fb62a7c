"""Lists that are read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.api.request import Request
from zendesk_support.errors import (
    ContractError,
    CursorExpiredError,
)
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.envelopes import PAGES, Envelope, Params
from zendesk_support.reading.lookback import Walk
from zendesk_support.reading.parallel import Prefetch
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import Page, without


@dataclass(frozen=True)
class Listing(Endpoint):
    """A list read whole.

    Attributes:
        rows: the key of an answer that holds them.
        envelope: how it is paged.
        names: columns that what hangs below its rows takes of them.
        secrets: members of its rows that nobody may see, such as `token` or `authentication.data`: they are taken out
            of an answer before anything is made of it.
    """

    path: str
    rows: str
    envelope: Envelope = PAGES
    params: Params = field(default_factory=dict)
    limits: tuple[Limit, ...] = (ACCOUNT,)
    names: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    snapshot = True
    title = "whole list, differences written"

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return self.envelope.cost

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self), type(self.envelope))

    @cached_property
    def _decode(self) -> Callable[[bytes], Page]:
        return without(self.secrets, self.envelope.decoder(self.rows))

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield every page, and show its rows to what hangs below them."""
        if not self.names:
            yield from self.chunks(job, self.path)
            return
        with job.shared.parents(self.path) as shown:
            for chunk in self.chunks(job, self.path):
                shown.add([Parent.of(row, self.names) for row in chunk.rows], job.now())
                yield chunk

    def chunks(self, job: Job, path: str) -> Iterator[Chunk]:
        """Yield every page; a list that comes empty although the table has rows is asked for once more."""
        for attempt in range(2):
            count = 0
            for page, following in self.pages(job, path):
                count += len(page.rows)
                if count or attempt or not job.held:
                    yield Chunk(page.rows, complete=following is None)
            if count or attempt or not job.held:
                break
        if not count and job.held:
            job.note(f"{self.path}: Zendesk lists none any more, asked twice; the table had {job.held:,} rows")

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        params = {**self.params, **self.envelope.smallest}
        request = Request(f"{job.base}/api/v2/{self.path}", params, self.limits, self.path)
        job.page(request, self._decode)

    def pages(
        self,
        job: Job,
        path: str,
        params: Params | None = None,
        following: str | None = None,
        enough: Callable[[Page], bool] = lambda page: False,
        confirm_refusal: bool = False,
    ) -> Iterator[tuple[Page, str | None]]:
        """Walk the pages of a path, on the account's host or a brand's.

        Args:
            job: what to work with.
            path: below /api/v2.
            params: besides those of the list.
            following: what an earlier walk was to ask for next.
            enough: whether a page is the last one wanted, so that the next is not asked for.
            confirm_refusal: a refusal of the first page is asked about once more, as those of later pages are.

        Yields:
            A page, and what to ask for next: a link or a cursor, None at the end.
        """
        first = {**self.params, **(params or {}), **self.envelope.params}
        url = f"{job.base}/api/v2/{path}"

        def request(following: str | None) -> Request:
            if following is None:
                return Request(
                    url, first, self.limits, self.path, confirm_refusal=confirm_refusal, priority=job.priority
                )
            is_link = following.startswith("/") or "://" in following
            where, params = (following, {}) if is_link else (url, {**first, "page[after]": following})
            return Request(where, params, self.limits, self.path, confirm_refusal=True, priority=job.priority)

        with Prefetch(job.pools) as prefetch:
            walk, kept = Walk(self.path), following
            pending = prefetch(job.page, request(following), self._decode)
            while True:
                try:
                    page = pending.result()
                except ContractError as error:
                    if kept is not None and following == kept:
                        raise CursorExpiredError(str(error)) from error
                    raise
                following = self.envelope.following(page, self.path, is_first=following is None)
                if not walk.new(page.rows):
                    page.rows = []
                is_last_wanted = enough(page)
                if following is None or is_last_wanted:
                    yield page, None
                    return
                walk.goes_to(following)
                pending = prefetch(job.page, request(following), self._decode)
                yield page, following
