"""Zendesk's own counts, and samples of an export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from zendesk_support.api.limits import ACCOUNT, Limit
from zendesk_support.api.request import Request
from zendesk_support.loading.account import Session
from zendesk_support.loading.row_checks import values
from zendesk_support.reading.base import Chunk, Endpoint, Job, Position
from zendesk_support.reading.page_size import PageSize
from zendesk_support.records.json_rows import Row, seconds
from zendesk_support.streams.base import Feed
from zendesk_support.verification.loaded import Loaded
from zendesk_support.verification.observers import Observer
from zendesk_support.warehouse.loaded_table import LoadedTable

PAGES = 10
TICKETS_A_PAGE = 10


class ServerCount(Observer):
    """Zendesk's own count of a stream's rows."""

    def __init__(self, session: Session, loaded: Loaded) -> None:
        super().__init__(session, loaded, Feed(Counts(loaded.counts)), {}, LoadedTable())
        self.total = 0
        self.refreshed: list[int] = []

    def accept(self, chunk: Chunk) -> None:
        """Add up the counts, whose rows are none of the stream's."""
        self.total += sum(values(chunk.rows, "value"))
        self.refreshed += seconds(chunk.rows, "refreshed_at").tolist()


@dataclass(frozen=True)
class Counts(Endpoint):
    """Count endpoints. Beyond 100,000 a count is a day old, or 100,000 without a time while Zendesk is counting."""

    paths: tuple[str, ...]
    path = "counts"
    cost = "1 a count"
    limits = (ACCOUNT,)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield each count as a row."""
        decode = msgspec.json.Decoder(CountAnswer).decode
        for path in self.paths:
            request = Request(f"/api/v2/{path}", route=path.partition("?")[0])
            yield Chunk([job.transport.get(request, decode, job.usage).count])

    def probe(self, job: Job) -> None:
        """Ask for the counts."""
        for _ in self.read(job):
            pass


class CountAnswer(msgspec.Struct):
    """The answer of a count endpoint."""

    count: Row


@dataclass(frozen=True)
class Sample(Endpoint):
    """Some pages of an export: one after the other if the table's rows fit in them, else spread over time.

    Attributes:
        rows: of the table.
        until: the time up to which the pages are spread, Unix seconds.
    """

    export: Endpoint
    rows: int = field(compare=False)
    until: int = field(compare=False)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The export's."""
        return self.export.limits

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield the pages; the last is complete if they join up from the start to the end."""
        job = replace(job, single=True)
        if self.export.fans_out:
            job.page_size = PageSize(TICKETS_A_PAGE)
        spots: list[int] = []
        unbroken = True
        for page in range(PAGES):
            at = job.position.at
            (chunk,) = self.export.read(job)
            yield replace(chunk, complete=chunk.complete and unbroken)
            if chunk.complete:
                return
            reached = max(at, chunk.at or 0)
            if page == 0:
                last = self.until if len(chunk.rows) * PAGES < self.rows else reached
                spots = np.linspace(reached, last, PAGES).astype(int).tolist()
            following = max(reached, spots[min(page + 1, PAGES - 1)])
            unbroken = unbroken and at < reached == following
            job.position = Position(following if following > at else at + 1)

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self.export.probe(job)
