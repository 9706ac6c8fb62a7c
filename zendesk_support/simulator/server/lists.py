"""The list endpoints' paging: Support cursors, Help Center cursors, offsets, everything at once."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.server.messages import Refusal, Request, error, invalid_value
from zendesk_support.simulator.server.sideloads import Sideload, siblings

MAX_SIZE = 100
DEEPEST = 10_000
LAST_PAGE = "bGFzdF9wYWdl"
_PAGE_PARAMS = ("page", "per_page", "page[size]", "page[after]", "page[before]", "include")
Form = Callable[[Request, str, Sequence[int], Callable[[int], Row]], dict[str, Any]]
"""Answers with rows under a key, in an envelope of its own."""
_DEPTH = "Pagination requests using Offset Pagination are limited to page 100 or up to 10000 records (page * per_page)"


@dataclass(frozen=True)
class Listing:
    """What one list endpoint gives.

    Attributes:
        key: Name of the array in the reply.
        rids: The rows it shows, in the order of their ids.
        row: A row as it shows it.
        order: Columns of the default order, each with "-" for descending; "id" stands for the row's number,
            "given" for the order of `rids`.
        sorts: What `sort` (and, with offsets, `sort_by`) may name.
        paging: "both", "cursor", "offset", "optional" (all rows at once unless a page is asked for), "none" (all rows
            at once, and links that lead nowhere) or "bare" (all rows at once and nothing else).
        guide: Whether it answers in the Help Center's form.
        empty_end: Whether the last page carries empty strings where others repeat a link.
        lasting: Whether a page stays the same until some row changes.
        table: The table whose time stamps the order "stamp" goes by.
        sideloads: What may come along, by the name that `include` calls it.
        links: Links of pages by cursor: "full" ones, "unsized" ones that forget `page[size]`, or "none".
        most: The largest page, where larger ones are refused and not cut.
        form: How it answers where it pages in a way of its own, in the order of the ids.
    """

    key: str
    rids: Callable[[Store, Request, tuple[str, ...]], Sequence[int]]
    row: Callable[[Store, Request, int], Row]
    order: str = "id"
    sorts: tuple[str, ...] = ()
    paging: str = "both"
    guide: bool = False
    empty_end: bool = False
    lasting: bool = True
    table: str = ""
    sideloads: Mapping[str, Sideload] = field(default_factory=dict)
    links: str = "full"
    most: int | None = None
    form: Form | None = None


class _Order:
    """Rows in one order, and positions in it."""

    def __init__(
        self, rids: Sequence[int], order: str, row: Callable[[int], Row], stamp: Callable[[int], int] | None
    ) -> None:
        self.columns = order
        self.rids: Sequence[int] = rids
        self._keys: list[list[Any]] | None = None
        self._rank: Callable[[int], Any] = lambda rid: rid
        if order == "-id":
            self.rids = rids[::-1]
            self._rank = lambda rid: -rid
        elif order == "stamp" and stamp:
            self.columns = "created_at,id"
            self._rank = lambda rid: (stamp(rid), rid)
            self.rids = sorted(rids, key=self._rank)
        elif order == "given":
            self._keys = [[rid] for rid in rids]
        elif order != "id":
            self._keys = _sorted_keys(rids, [name for name in order.split(",") if name != "id"], row)
            self.rids = [key[-1] for key in self._keys]

    def key(self, at: int) -> list[Any]:
        """Return what a cursor says about a row."""
        return [self.rids[at]] if self._keys is None else self._keys[at]

    def after(self, key: list[Any]) -> int:
        """Return the position behind the row a cursor names, or behind where it stood."""
        if self._keys is None:
            return bisect_right(self.rids, self._rank(key[-1]), key=self._rank)
        if key in self._keys:
            return self._keys.index(key) + 1
        descending = [column.startswith("-") for column in self.columns.split(",")]
        for at, each in enumerate(self._keys):
            if _precedes(key, each, descending):
                return at
        return len(self._keys)


def _sorted_keys(rids: Sequence[int], columns: list[str], row: Callable[[int], Row]) -> list[list[Any]]:
    """Return the columns' values and the rid of every row, in order."""
    keys = []
    for rid in rids:
        values = row(rid)
        keys.append([*(values.get(column.lstrip("-")) for column in columns), rid])
    for place in range(len(columns) - 1, -1, -1):
        keys.sort(key=_column_of(place), reverse=columns[place].startswith("-"))
    return keys


def _column_of(place: int) -> Callable[[list[Any]], Any]:
    return lambda key: _sortable(key[place])


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, "") if value is None else (1, value)


def _precedes(left: list[Any], right: list[Any], descending: list[bool]) -> bool:
    for one, other, down in zip(left, right, descending, strict=False):
        if one != other:
            return (_sortable(one) < _sortable(other)) != down
    return False


def make_page(store: Store, request: Request, listing: Listing, args: tuple[str, ...], name: str) -> dict[str, Any]:
    """Answer a list request in the form it was asked for."""
    by_place = any(key in request.params for key in ("page[size]", "page[after]", "page[before]"))
    cursor = by_place and listing.paging != "offset"
    rids = listing.rids(store, request, args)

    def row(rid: int) -> Row:
        return listing.row(store, request, rid)

    if listing.form:
        return listing.form(request, listing.key, rids, row)
    at_once = listing.paging == "optional" and not cursor and "page" not in request.params
    if listing.paging in ("none", "bare") or at_once:
        rows = [row(rid) for rid in _ordered(store, request, listing, rids, row, name, args, "").rids]
        extra = siblings(store, request, listing.sideloads, rows)
        links = {} if listing.paging == "bare" else {"next_page": None, "previous_page": None, "count": len(rows)}
        return {listing.key: rows, **extra, **links}
    if cursor or listing.paging == "cursor":
        sort = _cursor_sort(request, listing)
        order = _ordered(store, request, listing, rids, row, name, args, sort)
        return _by_cursor(store, request, listing, order, row)
    return _by_offset(
        store,
        request,
        listing,
        _ordered(store, request, listing, rids, row, name, args, _offset_sort(request, listing)),
        row,
    )


def _ordered(
    store: Store,
    request: Request,
    listing: Listing,
    rids: Sequence[int],
    row: Callable[[int], Row],
    name: str,
    args: tuple[str, ...],
    sort: str,
) -> _Order:
    order = f"{sort},id" if sort and sort.lstrip("-") != "id" else sort or listing.order
    table = store.tables.get(listing.table)
    stamp = table.stamp if table else None
    if order in ("id", "-id") or not listing.lasting:
        return _Order(rids, order, row, stamp)
    filters = tuple(pair for pair in request.pairs if pair[0] not in _PAGE_PARAMS)
    key = ("order", name, request.brand, args, order, filters)
    made: _Order = store.remember(key, lambda: _Order(rids, order, row, stamp))
    return made


def _cursor_sort(request: Request, listing: Listing) -> str:
    sort = request.params.get("sort", "")
    if sort and sort.lstrip("-") not in (*listing.sorts, "id"):
        raise error("InvalidPaginationParameter", f"sort is not valid: {sort}")
    return sort


def _offset_sort(request: Request, listing: Listing) -> str:
    sort = request.params.get("sort_by", "")
    if sort not in listing.sorts:
        return ""
    default = "desc" if listing.guide else "asc"
    return f"-{sort}" if request.params.get("sort_order", default) == "desc" else sort


def size_of(request: Request, name: str, default: int, most: int = MAX_SIZE, *, refuses: bool = False) -> int:
    """Return how many rows a page has; more than the most are cut, or refused."""
    text = request.params.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        if name == "page[size]":
            raise error("InvalidPaginationParameter", "page[size] must be a positive integer")
        raise invalid_value("per_page", f"per_page must be an integer from {request.path.lstrip('/')}")
    if refuses and int(text) > most:
        raise error("InvalidPaginationParameter", f"{name} must be at most {most}")
    return min(int(text), most)


def encode_cursor(order: str, key: list[Any]) -> str:
    """Return a Support cursor: the order's columns and the values of one row."""
    values = base64.b64encode(msgspec.json.encode(key)).decode()
    return base64.b64encode(msgspec.json.encode({"o": order, "v": values})).decode()


def decode_cursor(text: str, order: str) -> list[Any]:
    """Return the values in a cursor made for this order."""
    try:
        made = msgspec.json.decode(base64.b64decode(text))
        key = msgspec.json.decode(base64.b64decode(made["v"]))
        if made["o"] == order and isinstance(key, list) and key and isinstance(key[-1], int):
            return key
    except (binascii.Error, msgspec.MsgspecError, TypeError, KeyError, ValueError):
        pass
    raise error("InvalidPaginationParameter", "page[after] is not valid")


def _by_cursor(
    store: Store, request: Request, listing: Listing, order: _Order, row: Callable[[int], Row]
) -> dict[str, Any]:
    default = 30 if listing.guide or listing.most else MAX_SIZE
    size = size_of(request, "page[size]", default, listing.most or MAX_SIZE, refuses=listing.most is not None)
    after, before = request.params.get("page[after]"), request.params.get("page[before]")
    count = len(order.rids)
    if after:
        low = order.after(decode_cursor(after, order.columns))
        high = min(count, low + size)
    elif before:
        high = count if before == LAST_PAGE else order.after(decode_cursor(before, order.columns)) - 1
        low = max(0, high - size)
    else:
        low, high = 0, min(count, size)
    rows = [row(order.rids[at]) for at in range(low, high)]
    extra = siblings(store, request, listing.sideloads, rows)
    more = low > 0 if before else high < count
    pages = ("page[after]", "page[before]", "page[size]")
    sized: dict[str, str | int] = {} if listing.links == "unsized" else {"page[size]": size}

    def link(name: str, cursor: str | None) -> str:
        return request.link(pages, {**sized, **({name: cursor} if cursor else {})})

    first = encode_cursor(order.columns, order.key(low)) if rows else None
    last = encode_cursor(order.columns, order.key(high - 1)) if rows else None
    meta = {"has_more": more, "after_cursor": last, "before_cursor": first}
    if listing.links == "none":
        return {listing.key: rows, **extra, "meta": meta}
    if listing.guide:
        links = {"first": link("", None), "last": link("page[before]", LAST_PAGE)}
        if high < count and last:
            links["next"] = link("page[after]", last)
        if low > 0 and first:
            links["prev"] = link("page[before]", first)
        return {listing.key: rows, **extra, "meta": meta, "links": links}
    empty = "" if listing.empty_end else None
    ended = not rows or (listing.empty_end and not more)
    return {
        listing.key: rows,
        **extra,
        "meta": {
            "has_more": bool(rows) and more,
            "after_cursor": empty if ended else last,
            "before_cursor": first if rows else empty,
        },
        "links": {
            "prev": link("page[before]", first) if rows else empty,
            "next": empty if ended else link("page[after]", last),
        },
    }


def _by_offset(
    store: Store, request: Request, listing: Listing, order: _Order, row: Callable[[int], Row]
) -> dict[str, Any]:
    per_page = size_of(request, "per_page", 30 if listing.guide else MAX_SIZE)
    text = request.params.get("page", "1")
    if not text.isdigit() or int(text) < 1:
        raise invalid_value("page", f"page must be an integer from {request.path.lstrip('/')}")
    page = int(text)
    if page * per_page > DEEPEST or page > MAX_SIZE:
        detail = "There are limits to the page depth in Offset Pagination"
        raise Refusal(400, {"errors": [{"code": "InvalidPaginationDepth", "title": _DEPTH, "detail": detail}]})
    count = len(order.rids)
    low = (page - 1) * per_page
    rows = [row(order.rids[at]) for at in range(low, min(count, low + per_page))]
    extra = siblings(store, request, listing.sideloads, rows)

    def link(number: int) -> str:
        return request.link((), {"page": number, "per_page": per_page})

    body: dict[str, Any] = {
        listing.key: rows,
        **extra,
        "next_page": link(page + 1) if low + per_page < count else None,
        "previous_page": link(page - 1) if page > 1 else None,
        "count": count,
    }
    if listing.guide:
        body |= {
            "page": page,
            "per_page": per_page,
            "page_count": -(-count // per_page),
            "sort_by": request.params.get("sort_by", "position"),
            "sort_order": request.params.get("sort_order", "asc"),
        }
    return body
