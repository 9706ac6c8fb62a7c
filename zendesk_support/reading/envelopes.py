"""Envelopes: how an answer holds its rows, and how it says what comes next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec

from zendesk_support.errors import ContractError
from zendesk_support.records.json_rows import Links, Meta, Page, Row, Rows, number, page_decoder, raw

Params = Mapping[str, str | int | list[str]]
PAGE = 100
SIZE, AFTER = "page[size]", "page[after]"


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

    @property
    def after(self) -> str:
        """The parameter that takes a cursor, where a page names one and has no link."""

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of answers whose rows stand under a key."""

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """What leads to the next page: a link or a cursor; None at the end.

        Raises:
            ContractError: there is more, but not where; or a page does not say whether there is.
        """


@dataclass(frozen=True)
class Pages:
    """Pages of `size` rows by a cursor, with `meta` and `links`; older lists have `next_page`, or `before_url`.

    Attributes:
        sized_by: the parameter that takes the size of a page; empty where Zendesk alone says how long a page is.
        after: the parameter that takes a cursor, where a page names one and has no link.
        side: the key of rows that stand beside them.
    """

    size: int = PAGE
    sized_by: str = SIZE
    after: str = AFTER
    side: str | None = None

    @property
    def params(self) -> Params:
        """The size of a page."""
        return {self.sized_by: self.size} if self.sized_by else {}

    @property
    def cost(self) -> str:
        """One a page."""
        return f"1 for {self.size:,} rows" if self.sized_by else "1 for each page of Zendesk's own length"

    @property
    def smallest(self) -> Params:
        """A page of one row."""
        return {self.sized_by: 1} if self.sized_by else {}

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such pages."""
        return page_decoder(rows, self.side)

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """The next link, or the cursor."""
        return following(page, path, may_be_silent=False)


@dataclass(frozen=True)
class NumberedPages(Pages):
    """Pages of `size` rows by their number; each says with `next_page` what follows, null at the end."""

    sized_by: str = "per_page"


@dataclass(frozen=True)
class OneAnswer:
    """All rows in one answer, which need not say that it is the last; it is followed where it says that it is not.

    Attributes:
        side: the key of rows that stand beside them.
        may_be_bare: the answer may be the array of its rows, without a key.
    """

    side: str | None = None
    may_be_bare: bool = False
    params: ClassVar[Params] = {}
    smallest = params
    after: ClassVar[str] = AFTER
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer."""
        keyed = page_decoder(rows, self.side)
        bare = msgspec.json.Decoder(Rows).decode

        def read(body: bytes) -> Page:
            is_bare = self.may_be_bare and body.lstrip().startswith(b"[")
            return page_of(bare(body)) if is_bare else keyed(body)

        return read

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
    after: ClassVar[str] = AFTER
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
    """One answer that holds one object, or is it where no key is named: a row with `id` 1, its members as columns."""

    params: ClassVar[Params] = {}
    smallest = params
    after: ClassVar[str] = AFTER
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer."""
        answer: Any = msgspec.defstruct("Answer", [("row", Row)], rename={"row": rows}) if rows else Row
        decode = msgspec.json.Decoder(answer).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            row = found.row if rows else found
            return page_of([{"id": raw(1), **{name: value for name, value in row.items() if name != "id"}}])

        return read

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """Nothing."""
        return None


@dataclass(frozen=True)
class Words:
    """One answer that holds a list of texts, and names one of them, or null: each is a row.

    Attributes:
        column: of the row, that holds the text.
        chosen: the key of the answer that names one, and
        flag: the column that says which it is.
    """

    column: str
    chosen: str
    flag: str
    params: ClassVar[Params] = {}
    smallest = params
    after: ClassVar[str] = AFTER
    cost: ClassVar[str] = "1"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such an answer."""
        fields = [("texts", list[str]), ("chosen", str | None)]
        rename = {"texts": rows, "chosen": self.chosen}
        decode = msgspec.json.Decoder(msgspec.defstruct("Answer", fields, rename=rename)).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            return page_of(
                [{self.column: raw(text), self.flag: raw(text == found.chosen)} for text in dict.fromkeys(found.texts)]
            )

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


@dataclass(frozen=True)
class NextUrlPages(Pages):
    """Pages of `page_size` rows, with `has_more` and the whole URL of the next page in `next_page_url`."""

    sized_by: str = "page_size"

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such pages; one with more rows than the size that it gives itself is refused."""
        fields: list[Any] = [
            ("rows", Rows),
            ("has_more", bool | None, None),
            ("next_page_url", str | None | msgspec.UnsetType, msgspec.UNSET),
            ("page_size", int | None, None),
        ]
        decode = msgspec.json.Decoder(msgspec.defstruct("Answer", fields, rename={"rows": rows})).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            if found.page_size is not None and len(found.rows) > found.page_size:
                raise ContractError(f"a page of {rows} has {len(found.rows)} rows and calls them {found.page_size}.")
            page = page_of(found.rows)
            page.meta = Meta(found.has_more) if found.has_more is not None else None
            page.next_page = found.next_page_url
            return page

        return read


@dataclass(frozen=True)
class PagedLists(Pages):
    """Pages that hold several lists side by side; the first has all of them, and a column tells them apart.

    Attributes:
        lists: by the key of a list, what the column holds for its rows.
        column: what tells them apart.
        older: the key that an older answer has in place of another one.
    """

    lists: Mapping[str, Any] = field(default_factory=dict)
    column: str = ""
    older: Mapping[str, str] = field(default_factory=dict)

    def decoder(self, rows: str) -> Callable[[bytes], Page]:
        """A decoder of such pages, with the rows of all their lists."""
        keys = [*self.lists, *self.older.values()]
        fields: list[Any] = [("meta", Meta | None, None), ("links", Links | None, None)]
        lists: list[Any] = [(key, Rows | None, None) for key in keys]
        decode = msgspec.json.Decoder(msgspec.defstruct("Answer", [*fields, *lists])).decode

        def read(body: bytes) -> Page:
            found: Any = decode(body)
            of_lists = {name: self._list(found, name) for name in self.lists}
            page = page_of([{self.column: raw(self.lists[k]), **row} for k, of in of_lists.items() for row in of or ()])
            page.meta, page.links = found.meta, found.links
            page.side = [{"lacks": raw(name)} for name, of in of_lists.items() if of is None]
            return page

        return read

    def _list(self, answer: Any, name: str) -> Rows | None:
        rows: Rows | None = getattr(answer, name)
        return rows if rows is not None or name not in self.older else getattr(answer, self.older[name])

    def following(self, page: Page, path: str, *, is_first: bool) -> str | None:
        """The next link, or the cursor; a first page without one of the lists is refused, and any without all."""
        lacking = page.side or []
        page.side = None
        if lacking and (is_first or len(lacking) == len(self.lists)):
            raise ContractError(f"{path}: a page lacks {bytes(lacking[0]['lacks']).decode()}, which Zendesk promises.")
        return super().following(page, path, is_first=is_first)


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
        is_older = page.next_page is not msgspec.UNSET or page.before_url is not msgspec.UNSET
        is_silent = page.meta is None and page.links is None and not is_older
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
NUMBERED_PAGES = NumberedPages()
ONE_ANSWER = OneAnswer()
