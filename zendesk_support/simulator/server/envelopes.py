"""Answers of lists that page in a way of their own."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import unix
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.server.lists import MAX_SIZE, decode_cursor, encode_cursor, size_of
from zendesk_support.simulator.server.messages import Request, error

LONGEST = 1000
LONGEST_OF_LOGS = 2500
FIXED = 5
SHORT = 10


def after_the_last_id(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer with `meta` alone, whose cursor is the address of the next page; `page[after]` is the last row's id."""
    size = size_of(request, "page[size]", LONGEST, most=LONGEST)
    after = request.params.get("page[after]", "0")
    if not after.isdigit():
        raise error("InvalidPaginationParameter", "page[after] is not valid")
    low = bisect_right(rids, int(after))
    shown = rids[low : low + size]
    meta: dict[str, Any] = {"has_more": low + size < len(rids)}
    if shown:
        meta["after_cursor"] = request.plain_link({"page[after]": shown[-1]})
    return {key: [row(rid) for rid in shown], "meta": meta}


def links_if_more(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer with `meta`, and with `links` only where other pages are; these name the port and keep their brackets.

    The simulator's own address always names a port, as Zendesk's does here alone.
    """
    size = size_of(request, "page[size]", MAX_SIZE)
    after, before = (request.params.get(name) for name in ("page[after]", "page[before]"))
    low = bisect_right(rids, decode_cursor(after, "id")[-1]) if after else 0
    if before:
        low = max(0, bisect_right(rids, decode_cursor(before, "id")[-1]) - 1 - size)
    shown = rids[low : low + size]
    more = low + size < len(rids)
    body: dict[str, Any] = {"meta": {"has_more": low > 0 if before else more}, key: [row(rid) for rid in shown]}
    if shown and (low or more):
        cursors = {"before": encode_cursor("id", [shown[0]]), "after": encode_cursor("id", [shown[-1]])}
        body["meta"] |= {f"{way}_cursor": cursor for way, cursor in cursors.items()}
        led = {"before": low > 0, "after": more}
        body["links"] = {
            name: request.plain_link({f"page[{way}]": cursors[way]}) if led[way] else None
            for name, way in (("prev", "before"), ("next", "after"))
        }
    return body


def in_order_of_time(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer with `meta` that tells whether there are pages before and after, and `links.next`; longer pages fail."""
    name = "page[size]"
    size = size_of(request, name, LONGEST, most=LONGEST_OF_LOGS, refuses=True)
    order = rids[::-1] if request.params.get("sort") == "-created_at" else rids
    after = request.params.get("page[after]")
    low = order.index(decode_cursor(after, "time")[-1]) + 1 if after else 0
    shown = order[low : low + size]
    more = low + size < len(order)
    cursor = encode_cursor("time", [shown[-1]]) if shown else None
    link = request.link(("page[after]",), {"page[after]": cursor, name: size}) if more and cursor else None
    meta = {"has_more": more, "has_before": low > 0, "after_cursor": cursor}
    return {key: [row(rid) for rid in shown], "meta": meta, "links": {"next": link}}


def newest_first(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer with `before_url`, which leads to older rows, and `after_url`; null where there are none.

    The rows stand in the order of their ids, which is that of their time.
    """
    size = size_of(request, "limit", LONGEST, most=LONGEST)
    cursor = request.params.get("cursor")
    high = bisect_right(rids, decode_cursor(cursor, "older")[-1] - 1) if cursor else len(rids)
    shown = rids[max(0, high - size) : high][::-1]
    more = high - size > 0
    before = encode_cursor("older", [shown[-1]]) if more else None
    return {
        key: [row(rid) for rid in shown],
        "count": len(shown),
        "before_cursor": before,
        "before_url": request.link((), {"cursor": before, "limit": size}) if before else None,
        "after_cursor": None,
        "after_url": None,
    }


def plain_cursor(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer in pages of a fixed size, asked for by `after_cursor`; nobody may name another size."""
    after = request.params.get("after_cursor")
    low = bisect_right(rids, decode_cursor(after, "plain")[-1]) if after else 0
    shown = rids[low : low + FIXED]
    more = low + FIXED < len(rids)
    cursor = encode_cursor("plain", [shown[-1]]) if more else None
    link = request.link((), {"after_cursor": cursor}) if cursor else None
    meta = {"has_more": more, "after_cursor": cursor, "before_cursor": None}
    return {key: [row(rid) for rid in shown], "meta": meta, "links": {"prev": None, "next": link}}


def by_next_page(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer to `page[size]` and `page[after]` as lists by number do: with `count`, `next_page` and `previous_page`."""
    size = size_of(request, "page[size]", MAX_SIZE)
    after = request.params.get("page[after]")
    low = bisect_right(rids, decode_cursor(after, "id")[-1]) if after else 0
    shown = rids[low : low + size]
    is_last = low + size >= len(rids)
    link = None if is_last else request.link(("page[after]",), {"page[after]": encode_cursor("id", [shown[-1]])})
    return {key: [row(rid) for rid in shown], "count": len(shown), "next_page": link, "previous_page": None}


def by_next_url(time: str, ident: str) -> Callable[[Request, str, Sequence[int], Callable[[int], Row]], dict[str, Any]]:
    """Return what answers in pages of `page_size` with the whole address of the next, in the order that is given.

    Args:
        time: the column that the address names a row by,
        ident: and the other one.
    """
    names = ("start_time_cursor", f"{ident}_cursor")

    def behind(rids: Sequence[int], row: Callable[[int], Row], at: str | None, name: str | None) -> int:
        if at is None:
            return 0
        first = bisect_left(rids, int(at) if at.isdigit() else 0, key=lambda rid: unix(f"{row(rid)[time]}Z"))
        for place in range(first, len(rids)):
            if str(row(rids[place])[ident]) == name:
                return place + 1
        raise error("InvalidCursor", f"{names[0]} is not valid")

    def answer(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
        size = size_of(request, "page_size", SHORT, most=MAX_SIZE)
        low = behind(rids, row, *(request.params.get(name) for name in names))
        shown = rids[low : low + size]
        more = low + size < len(rids)
        given = [(name, value) for name, value in request.pairs if name not in (*names, "page_size")]
        last = row(shown[-1]) if more else {}
        cursor = (unix(f"{last[time]}Z"), last[ident]) if more else ()
        query = "&".join(f"{name}={value}" for name, value in (*given, *zip(names, cursor), ("page_size", size)))
        following = f"{request.base_url}{request.path}?{query}" if more else None
        return {key: [row(rid) for rid in shown], "has_more": more, "next_page_url": following, "page_size": size}

    return answer
