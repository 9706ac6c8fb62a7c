"""Envelopes: how an answer holds its rows, and how it says what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import msgspec

from zendesk_support.errors import ContractError
from zendesk_support.records.json_rows import Page, Row, Rows, number, page_decoder, raw

Params = Mapping[str, str | int | list[str]]
PAGE = 100


class Envelope(Protocol):
    """How a list is asked for, and what its answers look like."""

    @property
    def params(self) -> Params:
        """What the first request asks for besides the list's own parameters."""

    @property
    def smallest(self) -> Params:
        """The same for one row, or as few as the list gives."""

    @property
    def cost(self) -> str:
        """How many requests a whole list takes, in a few words."""

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of answers whose rows stand under a key."""

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """What leads to the next page: a link or a cursor; None at the end.

        Raises:
            ContractError: there is more, but not where; or a page does not say whether there is.
        """


@dataclass(frozen=True)
class Pages:
    """Pages of `size` rows by a cursor, with `meta` and `links`; older lists have `next_page`."""

    size: int = PAGE

    @property
    def params(self) -> Params:
        """The size of a page."""
        return {"page[size]": self.size}

    @property
    def cost(self) -> str:
        """One a page."""
        return f"1 for {self.size:,} rows"

    @property
    def smallest(self) -> Params:
        """A page of one row."""
        return {"page[size]": 1}

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such pages."""
        return page_decoder(rows)

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """The next link, or the cursor."""
        return following(page, path, may_be_silent=False)


@dataclass(frozen=True)
class OneAnswer:
    """All rows in one answer, which need not say that it is the last; it is followed where it says that it is not."""

    params: ClassVar[Params] = {}
    smallest = params
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer."""
        return page_decoder(rows)

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """The next link, where there is one all the same."""
        return following(page, path, may_be_silent=is_first)


@dataclass(frozen=True)
class SeveralLists:
    """One answer that holds an object of several lists; a column tells which list a row stands in.

    Attributes:
        lists: by the key of a list, what the column holds for its rows.
        column: what tells them apart.
    """

    lists: Mapping[str, str]
    column: str
    params: ClassVar[Params] = {}
    smallest = params
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer, with the rows of all its lists."""
        inner = msgspec.defstruct("Lists", [(name, Rows) for name in self.lists])
        decode = msgspec.json.Decoder(msgspec.defstruct("Answer", [("lists", inner)], rename={"lists": rows})).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            return page_of([self._told_apart(row, name) for name in self.lists for row in getattr(found.lists, name)])

        return read

    def _told_apart(self, row: Row, name: str) -> Row:
        return {self.column: raw(self.lists[name]), **row}

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """Nothing."""
        return None


@dataclass(frozen=True)
class OneObject:
    """One answer that holds one object: a row with `id` 1, and its members as columns."""

    params: ClassVar[Params] = {}
    smallest = params
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer."""
        decode = msgspec.json.Decoder(msgspec.defstruct("Answer", [("row", Row)], rename={"row": rows})).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            return page_of([{"id": raw(1), **{name: value for name, value in found.row.items() if name != "id"}}])

        return read

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """Nothing."""
        return None


@dataclass(frozen=True)
class AfterLastRow(Pages):
    """Pages of `size` rows in the order of their ids, each asked for by the last id of the one before it."""

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """The last id, while there is more."""
        if page.meta is None or page.meta.has_more is None:
            raise silent(page, path)
        if not page.meta.has_more:
            return None
        last = number(page.rows[-1], "id") if page.rows else None
        if last is None:
            raise nowhere(path)
        return str(last)


def page_of(rows: Rows) -> Page:
    """A page of rows that nothing follows."""
    page = page_decoder("rows")(b'{"rows":[]}')
    page.rows = rows
    return page


def following(page: Page, path: str, *, may_be_silent: bool) -> str | None:
    """What leads to the next page; None at the end.

    The end is `meta.has_more`, then the missing link: Support never nulls the link, Help Center leaves it out.

    Args:
        page: the last one.
        path: of the list, for messages.
        may_be_silent: the page need not say whether there is more.

    Raises:
        ContractError: there is more, but not where; or the page says nothing of what follows.
    """
    more = page.meta.has_more if page.meta else None
    link = page.links.next if page.links else (page.next_page or page.before_url or None)
    after = page.meta.after_cursor if page.meta else None
    if more is False or (more is None and not link):
        is_silent = page.meta is None and page.links is None and page.next_page is msgspec.UNSET
        if is_silent and not may_be_silent:
            raise silent(page, path)
        return None
    if not (link or after):
        raise nowhere(path)
    return link or after


def silent(page: Page, path: str) -> ContractError:
    """The error of a page that does not say whether it is the last."""
    return ContractError(
        f"{path}: a page of {len(page.rows)} rows does not say whether there is more; nothing was skipped."
    )


def nowhere(path: str) -> ContractError:
    """The error of a page after which there is more, but not where."""
    return ContractError(f"{path}: Zendesk says there is more but not where; nothing was skipped.")


PAGES = Pages()
ONE_ANSWER = OneAnswer()
