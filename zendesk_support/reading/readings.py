"""How things stand now: what Zendesk tells of the moment, and forgets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zendesk_support.api.limits import Limit
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.since import iso
from zendesk_support.records.json_rows import raw

READ_AT = "read_at"
"""The column that holds when a row was read; it is part of the key."""


@dataclass(frozen=True)
class Readings(Endpoint):
    """A list, or one object, of how things stand now. Zendesk keeps no past of it, so each sync adds what it reads.

    All pages are read before the first row goes on, and all rows get the time of the last answer, by the server's
    clock to the second. So a reading stands in the table whole or not at all, and rows of one time belong together.

    Attributes:
        listing: what is read.
    """

    listing: Listing
    title = "state of now, added by each sync"

    @property
    def path(self) -> str:  # type: ignore[override]
        """That of the list."""
        return self.listing.path

    @property
    def rows(self) -> str:
        """The key of an answer that holds them."""
        return self.listing.rows

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return self.listing.cost

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that count its requests."""
        return self.listing.limits

    @property
    def secrets(self) -> tuple[str, ...]:
        """Members of its rows that nobody may see."""
        return self.listing.secrets

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self.listing.probe(job)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield one reading; none where the period that is asked for is over."""
        if job.settings.end is not None and job.now() >= job.settings.end:
            job.note(f"{self.path}: how things stand now is no part of a period that is over; no reading was added")
            yield Chunk([], complete=True)
            return
        rows = [row for page, _ in self.listing.pages(job, self.path) for row in page.rows]
        at = job.now()
        yield Chunk([{READ_AT: raw(iso(at)), **row} for row in rows], at, complete=True)
