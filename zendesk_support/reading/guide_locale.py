"""The account's own language, in which lists of the guide family are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from zendesk_support.reading.base import Job
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.few import FewParents
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.parents import Parent
from zendesk_support.records.json_rows import NULL, Rows, raw


@dataclass(frozen=True)
class GuideLocale(FewParents):
    """The default one of the account's languages, as paths of the guide family name it, such as en-us."""

    path = "the account's default language"
    title = "language"
    each = "the account's language, and 1 to learn it"
    names = ("locale",)

    def listed_by(self, job: Job) -> Iterator[list[Parent]]:
        """Yield the one language."""
        rows: Rows = []
        for chunk in Listing("locales", "locales", envelope=ONE_ANSWER).read(replace(job, base="")):
            rows += chunk.rows
        default = [row for row in rows if bytes(row.get("default", NULL)) == b"true"]
        for row in (default or rows)[:1]:
            name = str(msgspec.json.decode(row.get("locale", NULL))).lower()
            yield [Parent("", {"locale": raw(name)}, name)]


GUIDE_LOCALE = GuideLocale()
