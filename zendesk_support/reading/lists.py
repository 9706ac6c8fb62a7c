"""Lists that are read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import parse_qsl, urlencode, urlsplit

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.api.request import Request
from zendesk_support.errors import (
    ConfigurationError,
    ContractError,
    CursorExpiredError,
    PageTooHeavyError,
    TransientError,
    UnavailableError,
)
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.embedded import Embedded, Pass
from zendesk_support.reading.envelopes import PAGES, Envelope, Params
from zendesk_support.reading.included import Included
from zendesk_support.reading.lookback import Walk
from zendesk_support.reading.parallel import Prefetch
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import Page, without

SIZE = "page[size]"
SMALLEST = 5
"""Rows of the smallest page that is asked for where larger ones are too heavy."""


@dataclass(frozen=True)
class Listing(Endpoint):
    """A list read whole.

    Attributes:
        rows: the key of an answer that holds them.
        envelope: how it is paged.
        names: columns that what hangs below its rows takes of them.
        secrets: members of its rows that nobody may see, such as `token` or `authentication.data`: they are taken out
            of an answer before anything is made of it.
        embeds: what its rows hold where it is asked for, as it is where a stream takes it; no row keeps it.
        beside: what stands beside its rows where that is asked for, as it is where a stream takes it.
    """

    path: str
    rows: str
    envelope: Envelope = PAGES
    params: Params = field(default_factory=dict)
    limits: tuple[Limit, ...] = (ACCOUNT,)
    names: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    embeds: Embedded | None = None
    beside: str = ""
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
        with job.shared.parents(self.path).from_here() as shown:
            for chunk in self.chunks(job, self.path):
                shown.add([Parent.of(row, self.names, path=self.path) for row in chunk.rows], job.now())
                yield chunk

    def chunks(self, job: Job, path: str) -> Iterator[Chunk]:
        """Yield every page; a list that comes empty although the table has rows is asked for once more."""
        embeds = self.embeds
        within = None
        if embeds is not None:
            own = replace(self, path=embeds.path, rows=embeds.name, embeds=None, names=())
            within = Pass(embeds, job, own.pages, self.limits[-1].name)
        for attempt in range(2):
            count = 0
            for page, following in self._including(job, path):
                count += len(page.rows)
                if count or attempt or not job.held:
                    side = within.of(page.rows) if within is not None else page.side or []
                    yield Chunk(page.rows, complete=following is None, side=side)
            if count or attempt or not job.held:
                break
        if not count and job.held:
            job.note(f"{self.path}: Zendesk lists none any more, asked twice; the table had {job.held:,} rows")

    def _including(self, job: Job, path: str) -> Iterator[tuple[Page, str | None]]:
        """Walk the pages, with what a stream takes besides their rows; without it, where that is refused."""
        name = self.embeds.name if self.embeds is not None else self.beside
        if name not in job.embedded or self.path in job.shared.plain:
            yield from self.pages(job, path)
            return
        has_answered = False
        try:
            for page in self.pages(job, path, {"include": name}):
                has_answered = True
                yield page
        except (UnavailableError, ContractError, TransientError) as error:
            if has_answered:
                raise
            refusal = error
        else:
            return
        for page in self.pages(job, path):
            job.shared.plain.add(self.path)
            told = job.included.setdefault(name, Included())
            told.note(f"{self.path}: asked without include={name}, which is refused: {refusal}")
            yield page

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self.first(job)

    def first(self, job: Job, path: str = "", above: Parent | None = None) -> Parent | None:
        """As `probe`; its first row, as a parent of what hangs below."""
        params = {**self.params, **self.envelope.smallest}
        request = Request(f"{job.base}/api/v2/{path or self.path}", params, self.limits, self.path)
        rows = job.page(request, self._decode).rows
        return Parent.of(rows[0], self.names, above, self.path) if rows and self.names else None

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
        asking = Asking(self, job, f"{job.base}/api/v2/{path}", first, confirm_refusal)
        with Prefetch(job.pools) as prefetch:
            walk, kept = Walk(self.path), following
            pending = prefetch(job.page, asking.request(following), self._decode)
            while True:
                try:
                    page = pending.result()
                except PageTooHeavyError:
                    asking.shrink()
                    pending = prefetch(job.page, asking.request(following), self._decode)
                    continue
                except (ContractError, ConfigurationError) as error:  # such as a link that was kept to another host
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
                pending = prefetch(job.page, asking.request(following), self._decode)
                yield page, following


class Asking:
    """The requests of one walk; its pages become smaller where Zendesk cannot build what they embed in time."""

    def __init__(self, listing: Listing, job: Job, url: str, first: Params, confirm_refusal: bool) -> None:
        self._listing, self._job, self._url, self._first = listing, job, url, first
        self._confirm_refusal = confirm_refusal
        self._size = int(str(first.get(SIZE, 0))) if listing.embeds is not None and "include" in first else 0
        self._is_smaller = False

    def shrink(self) -> None:
        """The page was too heavy."""
        self._size, self._is_smaller = self._size // 2, True

    def request(self, following: str | None) -> Request:
        """The request for the first page, or for what follows: a link or a cursor."""
        is_link = following is not None and (following.startswith("/") or "://" in following)
        where, params = (str(following), {}) if is_link else (self._url, dict(self._first))
        if following is not None and not is_link:
            params[self._listing.envelope.after] = following
        if self._is_smaller:
            where, params = (resized(where, self._size), params) if is_link else (where, {**params, SIZE: self._size})
        return Request(
            where,
            params,
            self._listing.limits,
            self._listing.path,
            shrinkable=self._size >= 2 * SMALLEST,
            confirm_refusal=following is not None or self._confirm_refusal,
            priority=self._job.priority,
        )


def resized(link: str, size: int) -> str:
    """A link to a page of another size."""
    parts = urlsplit(link)
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != SIZE]
    return parts._replace(query=urlencode([*query, (SIZE, str(size))])).geturl()
