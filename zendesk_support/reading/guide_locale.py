"""The account's own language, in which lists of the guide family are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from zendesk_support.reading.base import Chunk, Endpoint, Job
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import NULL, Rows, raw


@dataclass(frozen=True)
class GuideLocale(Endpoint):
    """The default one of the account's languages, as paths of the guide family name it, such as en-us."""

    path = "the account's default language"
    title = "language"
    each = "the account's language"
    cost = "1"
    limits = ()
    snapshot = True
    is_few = True
    names = ("locale",)

    def read(self, job: Job) -> Iterator[Chunk]:
        """Show it to what is asked for in it."""
        with job.shared.parents(self.path) as shown:
            rows: Rows = []
            for chunk in Listing("locales", "locales", envelope=ONE_ANSWER).read(replace(job, base="")):
                rows += chunk.rows
            default = [row for row in rows if bytes(row.get("default", NULL)) == b"true"]
            for row in (default or rows)[:1]:
                name = str(msgspec.json.decode(row.get("locale", NULL))).lower()
                shown.add([Parent("", {"locale": raw(name)}, name)], job.now())
        yield Chunk([], complete=True)

    def promise(self, shared: Any) -> None:
        """Nobody reads it but what is asked for in it."""

    def give_up(self, shared: Any, error: BaseException) -> None:
        """Nobody but that can give it up."""


GUIDE_LOCALE = GuideLocale()
