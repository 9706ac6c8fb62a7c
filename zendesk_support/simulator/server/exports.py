"""The incremental exports: by cursor and by time."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row, Table
from zendesk_support.simulator.server.messages import (
    Refusal,
    Request,
    error,
    invalid_cursor,
    invalid_value,
    too_recent,
)
from zendesk_support.simulator.server.sideloads import Sideload, siblings

MAX_PAGE = 1000
_CURSOR = re.compile(r"(\d+)\.0\|\|(\d+)\|")


Keep = Callable[[int], bool]


def every_row(store: Store, request: Request) -> Keep | None:
    """Leave out no row."""
    return None


@dataclass(frozen=True)
class Export:
    """What one export gives and by which rules.

    Attributes:
        key: Name of the array in the reply.
        table: What it exports.
        quiet: Seconds for which a row is held back.
        keep: Says which rows a request is given, or None for all.
        rows: Rows as it gives them, where they are not the table's own.
        sideloads: What may come along, by the name that `include` calls it.
        ends: Whether it says `end_of_stream`.
        shuffled: Whether rows of one second come in no order by time.
        null_end: Whether an empty page has no `end_time`, and the last no `next_page`.
        refuses_recent: Whether it refuses a start time within the last minute.
        needs_start: Whether it refuses to start without a time.
        most: The largest page, and the page if no size is asked for.
        in_meta: Whether it says in `meta` if more follow, and the last page has no cursor.
        grows: Whether a page grows to hold a whole second.
        sized: Whether `per_page` says how long a page is.
        rid: The number of a row, where that is not its id.
    """

    key: str
    table: Callable[[Store, Request], Table]
    quiet: int = 0
    keep: Callable[[Store, Request], Keep | None] = every_row
    rows: Callable[[Store, Request, list[int]], list[Row]] | None = None
    sideloads: Mapping[str, Sideload] = field(default_factory=dict)
    ends: bool = True
    shuffled: bool = False
    null_end: bool = False
    refuses_recent: bool = True
    needs_start: bool = True
    most: int = MAX_PAGE
    in_meta: bool = False
    grows: bool = True
    sized: bool = True
    rid: Callable[[Row], int] = lambda row: int(row["id"])


@dataclass(frozen=True)
class Page:
    """A page: the rows' name in the cache, how to make them, and what stands behind them in the reply."""

    key: Hashable
    make: Callable[[], dict[str, Any]]
    rest: dict[str, Any]


def make_cursor(stamp: int, rid: int) -> str:
    """Return the cursor that stands behind a row."""
    return base64.b64encode(f"{stamp}.0||{rid}|".encode()).decode()


def read_cursor(text: str) -> tuple[int, int]:
    """Return the time and id in a cursor."""
    try:
        found = _CURSOR.fullmatch(base64.b64decode(text, validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        found = None
    if found is None:
        raise invalid_cursor()
    return int(found[1]), int(found[2])


def by_cursor(store: Store, request: Request, export: Export, growth: bool) -> Page:
    """Answer a cursor-based export."""
    table = export.table(store, request)
    per_page = _per_page(request, export.most)
    cursor = request.params.get("cursor")
    if cursor:
        stamp, rid = read_cursor(cursor)
        low = _after(table, stamp, rid)
    else:
        stamp, rid = start_time(store, request, export), 0
        low = table.first_at(stamp)
    chosen, more, _ = _collect(store, request, export, table, low, per_page, whole_seconds=False)
    after = cursor or make_cursor(stamp, rid)
    if chosen:
        after = make_cursor(table.stamp(chosen[-1]), chosen[-1])

    if export.in_meta:
        return _page(store, request, export, "cursor", chosen, _ended_in_meta(request, after, more))
    rest = {
        "after_url": request.link(("start_time",), {"cursor": after}),
        "after_cursor": after,
        "before_url": None,
        "before_cursor": None,
        "end_of_stream": not more,
    }
    return _page(store, request, export, "cursor", chosen, rest)


def _ended_in_meta(request: Request, after: str, more: bool) -> dict[str, Any]:
    """What stands behind the rows of an export that says in `meta` if more follow."""
    return {
        "after_url": request.link(("start_time",), {"cursor": after}) if more else None,
        "after_cursor": after if more else None,
        "before_url": None,
        "before_cursor": None,
        "filter": {"exclude_deleted": request.params.get("filter[exclude_deleted]") == "true"},
        "meta": {"has_more": more},
    }


def by_time(store: Store, request: Request, export: Export, growth: bool) -> Page:
    """Answer a time-based export."""
    table = export.table(store, request)
    per_page = _per_page(request, export.most) if export.sized else export.most
    start = start_time(store, request, export)
    low = table.first_at(start)
    chosen, more, whole = _collect(store, request, export, table, low, per_page, whole_seconds=growth and export.grows)
    end: int | None = None if export.null_end else start
    if chosen:
        end = table.stamp(chosen[-1]) + (1 if whole else 0)
    if export.shuffled:
        chosen = sorted(chosen, key=lambda rid: (table.stamp(rid), store.world.mix(rid, 90)))

    rest: dict[str, Any] = {
        "count": len(chosen),
        "end_time": end,
        "next_page": None
        if export.null_end and not more
        else request.link((), {"start_time": start if end is None else end}),
    }
    if export.ends:
        rest["end_of_stream"] = not more
    return _page(store, request, export, "time", chosen, rest)


def _page(store: Store, request: Request, export: Export, form: str, chosen: list[int], rest: dict[str, Any]) -> Page:
    filters = (request.params.get("support_type_scope"), request.params.get("exclude_deleted"))
    ends = (chosen[0], chosen[-1]) if chosen else ()
    key = (export.key, request.brand, form, len(chosen), ends, request.includes, filters, store.version)
    return Page(key, lambda: _render(store, request, export, chosen), rest)


def _per_page(request: Request, most: int) -> int:
    text = request.params.get("per_page", str(most))
    if not text.isdigit() or int(text) < 1:
        raise invalid_value("per_page", f"per_page must be an integer from {request.path.lstrip('/')}")
    return min(int(text), most)


def start_time(store: Store, request: Request, export: Export) -> int:
    """Return the start time asked for."""
    text = request.params.get("start_time")
    if text is None:
        if not export.needs_start:
            return 0
        raise Refusal(400, {"error": "MissingParameter", "description": "Required parameter start_time is missing"})
    number = re.match(r"\s*-?\d+", text)
    if number is None:
        raise error("InvalidValue", "start_time must be an integer")
    start = int(number[0])
    if export.refuses_recent and start > store.clock.now() - 60:
        raise too_recent()
    return max(0, start)


def _after(table: Table, stamp: int, rid: int) -> int:
    if rid - table.base > 0xFFFFFFFF:
        return table.first_after(stamp)
    return bisect_right(table.index, table.key(stamp, rid))


def _collect(
    store: Store,
    request: Request,
    export: Export,
    table: Table,
    low: int,
    per_page: int,
    *,
    whole_seconds: bool,
) -> tuple[list[int], bool, bool]:
    """Return the rows of a page, whether more follow, and whether the page is one whole second."""
    index = table.index
    high = table.first_after(store.now - export.quiet)
    keep = export.keep(store, request)
    chosen: list[int] = []
    at = low
    whole = False
    while at < high:
        stamp, rid = table.split(index[at])
        if keep is None or keep(rid):
            if len(chosen) >= per_page:
                whole = whole_seconds and table.stamp(chosen[0]) == table.stamp(chosen[-1])
                if not (whole and stamp == table.stamp(chosen[0])):
                    return chosen, True, whole
            chosen.append(rid)
        at += 1
    full = len(chosen) >= per_page
    whole = whole_seconds and full and table.stamp(chosen[0]) == table.stamp(chosen[-1])
    return chosen, False, whole


def _render(store: Store, request: Request, export: Export, rids: list[int]) -> dict[str, Any]:
    if export.rows is not None:
        rows = export.rows(store, request, rids)
    else:
        table = export.table(store, request)
        rows = [table.get(rid) for rid in rids]
    return {export.key: rows, **siblings(store, request, export.sideloads, rows)}
