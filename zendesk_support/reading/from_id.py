"""Lists of Chat: arrays without an envelope, whole or from an id on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from zendesk_support.api.request import Request
from zendesk_support.errors import ContractError
from zendesk_support.reading.base import Job
from zendesk_support.reading.envelopes import AFTER, Params, page_of
from zendesk_support.reading.lists import Listing
from zendesk_support.records.json_rows import Page, Rows, number, raw

SINCE_ID = "since_id"
BEFORE_ALL = -1


@dataclass(frozen=True)
class BareRows:
    """An answer that is an array of rows, or an object of several arrays, and says nothing else.

    Attributes:
        lists: by the key of an array, what `column` holds for its rows; empty where the answer is the array.
        column: what tells the arrays' rows apart.
    """

    lists: Mapping[str, str] = field(default_factory=dict)
    column: str = ""
    params: ClassVar[Params] = {}
    smallest = params
    after: ClassVar[str] = AFTER
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer."""
        if not self.lists:
            plain = msgspec.json.Decoder(Rows).decode
            return lambda body: page_of(plain(body))
        decode = msgspec.json.Decoder(msgspec.defstruct("Answer", [(name, Rows) for name in self.lists])).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            told = {name: raw(value) for name, value in self.lists.items()}
            return page_of([{**row, self.column: told[name]} for name in self.lists for row in getattr(found, name)])

        return read

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """Nothing."""
        return None


@dataclass(frozen=True)
class ListingFromId(Listing):
    """A list whose pages begin at an id, `since_id`, which is in the page itself or is not: both are read rightly.

    Its end is not told: it is a page without a later id. Of several lists in an answer each begins at that id, and may
    end at another one; rows are taken up to the id that all lists have reached.

    Attributes:
        size: rows of a page.
    """

    envelope: BareRows = field(default_factory=BareRows)
    size: int = 100

    @property
    def kinds(self) -> tuple[type, ...]:
        """What it is made of."""
        return (type(self),)

    @property
    def cost(self) -> str:
        """How many requests a sync takes, in a few words."""
        return f"1 for {self.size} rows, and {len(self.envelope.lists) or 1} for the end"

    def probe(self, job: Job) -> None:
        """Ask for one row."""
        self._asked(job, self.path, {"limit": 1}, None)

    def pages(
        self,
        job: Job,
        path: str,
        params: Params | None = None,
        following: str | None = None,
        enough: Callable[[Page], bool] = lambda page: False,
        confirm_refusal: bool = False,
    ) -> Iterator[tuple[Page, str | None]]:
        """Walk the pages; as `Listing.pages`.

        Raises:
            ContractError: ids are missing, out of order, or from before the one that was asked for.
        """
        asked = int(following) if following is not None else BEFORE_ALL
        while True:
            page = self._asked(job, path, {"limit": self.size, **(params or {})}, asked)
            reached = self._reached(page.rows, asked)
            page.rows = [row for row in page.rows if asked < self._id(row) <= reached]
            if reached == asked or enough(page):
                yield page, None
                return
            yield page, str(reached)
            asked = reached

    def _asked(self, job: Job, path: str, params: Params, since: int | None) -> Page:
        where = {} if since in (None, BEFORE_ALL) else {SINCE_ID: since}
        url, is_later = f"{job.base}/api/v2/{path}", bool(where)
        given: dict[str, Any] = {**self.params, **params, **where}
        return job.page(
            Request(url, given, self.limits, self.path, confirm_refusal=is_later, priority=job.priority), self._decode
        )

    def _reached(self, rows: Rows, asked: int) -> int:
        """The id up to which a page has all rows; the one that was asked for where there is none after it."""
        by_list: dict[bytes, list[int]] = {}
        for row in rows:
            by_list.setdefault(bytes(row.get(self.envelope.column, b"")), []).append(self._id(row))
        for ids in by_list.values():
            if ids != sorted(ids) or ids[0] < asked:
                raise ContractError(
                    f"{self.path}: rows from {SINCE_ID}={asked} on came from before it, or in no order; others may be "
                    "missing, so nothing is removed."
                )
        return min((ids[-1] for ids in by_list.values() if ids[-1] > asked), default=asked)

    def _id(self, row: Mapping[str, msgspec.Raw]) -> int:
        found = number(dict(row), "id")
        if found is None:
            raise ContractError(f"{self.path}: a row without an id; what follows it cannot be asked for.")
        return found
