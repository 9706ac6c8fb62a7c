"""Whether comments in a table still read as they do in Zendesk: a sync learns of a redaction from an event alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np

from zendesk_support.api.limits import ACCOUNT
from zendesk_support.errors import UnavailableError
from zendesk_support.loading.account import Session
from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.lists import Listing
from zendesk_support.records.json_rows import NULL, Row, Rows, number, raw
from zendesk_support.streams.base import Feed
from zendesk_support.verification.loaded import Loaded
from zendesk_support.verification.observers import Observer
from zendesk_support.warehouse.keys import Array

REDACTED = "▇"
"""What Zendesk puts in place of each redacted character."""
PATH = "tickets/{id}/comments"


@dataclass(frozen=True)
class CommentsNow(Endpoint):
    """The comments of some tickets as Zendesk has them now, one request a ticket."""

    tickets: tuple[int, ...]
    path = PATH
    limits = (ACCOUNT,)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Yield each ticket's comments; a ticket that has gone has none."""
        for ticket in self.tickets:
            try:
                pages = Listing(PATH, "comments").pages(job, PATH.format(id=ticket))
                rows = [{"ticket_id": raw(ticket), **row} for page, _ in pages for row in page.rows]
            except UnavailableError:
                rows = []
            yield Chunk(rows)

    def probe(self, job: Job) -> None:
        """Ask for the first ticket's."""
        next(self.read(job), None)


class Texts(Observer):
    """Finds comments whose text is redacted in Zendesk, or that are private there, and not so in the table."""

    def __init__(self, session: Session, loaded: Loaded, tickets: tuple[int, ...]) -> None:
        super().__init__(session, loaded, Feed(CommentsNow(tickets)), {}, loaded.destination)
        self._stale: list[int] = []

    def look(self, rows: Rows) -> None:
        """Compare rows with the table's."""
        ids = [id for row in rows if (id := number(row, "id")) is not None]
        held = {number(row, "id"): row for row in self.table.records("id", ids, ("id", "body", "public"))}
        for row in rows:
            id = number(row, "id")
            if id is not None and id in held and reads_otherwise(row, held[id]):
                self._stale.append(id)

    @property
    def stale(self) -> Array:
        """Keys of comments that read otherwise in the table."""
        return np.unique(np.array(self._stale, np.int64))


def reads_otherwise(now: Row, held: Row) -> bool:
    """Whether a comment has lost text, or its public, that the table still has."""
    hidden = bytes(now.get("public", NULL)) == b"false" and bytes(held.get("public", NULL)) == b"true"
    return hidden or redactions(now) > redactions(held)


def redactions(row: Row) -> int:
    """How many characters of a comment are redacted."""
    text = msgspec.json.decode(row.get("body", NULL))
    return text.count(REDACTED) if isinstance(text, str) else 0
