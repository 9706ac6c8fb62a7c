"""Answers of lists that page in a way of their own."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.server.lists import MAX_SIZE, decode_cursor, encode_cursor, size_of
from zendesk_support.simulator.server.messages import Request, error

LONGEST = 1000


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
