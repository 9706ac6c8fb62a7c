"""The incremental exports: by cursor and by time."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from zendesk_support.simulator.account import Account
from zendesk_support.simulator.messages import (
    Refusal,
    Request,
    error,
    invalid_cursor,
    invalid_value,
    too_recent,
)
from zendesk_support.simulator.sideloads import siblings
from zendesk_support.simulator.table import Table
from zendesk_support.simulator.tickets import comment_stub, is_comment

MAX_PAGE = 1000
_CURSOR = re.compile(r"(\d+)\.0\|\|(\d+)\|")


@dataclass(frozen=True)
class Export:
    """What one export gives and by which rules."""

    key: str
    table: Callable[[Account, Request], Table]
    quiet: int = 0
    scoped: bool = False
    ends: bool = True
    shuffled: bool = False
    null_end: bool = False
    refuses_recent: bool = True
    needs_start: bool = True


@dataclass(frozen=True)
class Page:
    """A page: the rows' name in the cache, how to make them, and what stands behind them in the reply."""

    key: Hashable
    make: Callable[[], dict[str, Any]]
    rest: dict[str, Any]


TICKETS = Export("tickets", lambda account, _: account.tables["tickets"], quiet=60, scoped=True, shuffled=True)
USERS = Export("users", lambda account, _: account.tables["users"])
ORGANIZATIONS = Export("organizations", lambda account, _: account.tables["organizations"])
TICKET_EVENTS = Export("ticket_events", lambda account, _: account.tables["ticket_events"], quiet=60, scoped=True)
METRIC_EVENTS = Export(
    "ticket_metric_events",
    lambda account, _: account.tables["ticket_metric_events"],
    ends=False,
    refuses_recent=False,
)
ARTICLES = Export(
    "articles",
    lambda account, request: account.help_centers[request.brand].tables["articles"],
    ends=False,
    null_end=True,
    refuses_recent=False,
    needs_start=False,
)


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


def by_cursor(account: Account, request: Request, export: Export, growth: bool) -> Page:
    """Answer a cursor-based export."""
    table = export.table(account, request)
    per_page = _per_page(request)
    cursor = request.params.get("cursor")
    if cursor:
        stamp, rid = read_cursor(cursor)
        low = _after(table, stamp, rid)
    else:
        stamp, rid = _start_time(account, request, export), 0
        low = table.first_at(stamp)
    chosen, more, _ = _collect(account, request, export, table, low, per_page, whole_seconds=False)
    after = cursor or make_cursor(stamp, rid)
    if chosen:
        after = make_cursor(table.stamp(chosen[-1]), chosen[-1])

    rest = {
        "after_url": request.link(("start_time",), {"cursor": after}),
        "after_cursor": after,
        "before_url": None,
        "before_cursor": None,
        "end_of_stream": not more,
    }
    return _page(account, request, export, "cursor", chosen, rest)


def by_time(account: Account, request: Request, export: Export, growth: bool) -> Page:
    """Answer a time-based export."""
    table = export.table(account, request)
    per_page = _per_page(request)
    start = _start_time(account, request, export)
    low = table.first_at(start)
    chosen, more, whole = _collect(account, request, export, table, low, per_page, whole_seconds=growth)
    end: int | None = None if export.null_end else start
    if chosen:
        end = table.stamp(chosen[-1]) + (1 if whole else 0)
    if export.shuffled:
        chosen = sorted(chosen, key=lambda rid: (table.stamp(rid), account.world.mix(rid, 90)))

    rest: dict[str, Any] = {
        "count": len(chosen),
        "end_time": end,
        "next_page": None
        if export.null_end and not more
        else request.link((), {"start_time": start if end is None else end}),
    }
    if export.ends:
        rest["end_of_stream"] = not more
    return _page(account, request, export, "time", chosen, rest)


def _page(
    account: Account, request: Request, export: Export, form: str, chosen: list[int], rest: dict[str, Any]
) -> Page:
    filters = (request.params.get("support_type_scope"), request.params.get("exclude_deleted"))
    ends = (chosen[0], chosen[-1]) if chosen else ()
    key = (export.key, request.brand, form, len(chosen), ends, request.includes, filters, account.version)
    return Page(key, lambda: _render(account, request, export, chosen), rest)


def metric_events_by_page(account: Account, request: Request) -> list[int]:
    """Return the metric events from a start time, in the order of their ids."""
    table = METRIC_EVENTS.table(account, request)
    start = _start_time(account, request, METRIC_EVENTS)
    return account.listing(("metric events", start), lambda: (rid for rid in table.rids if table.stamp(rid) >= start))


def _per_page(request: Request) -> int:
    text = request.params.get("per_page", str(MAX_PAGE))
    if not text.isdigit() or int(text) < 1:
        raise invalid_value("per_page", f"per_page must be an integer from {request.path.lstrip('/')}")
    return min(int(text), MAX_PAGE)


def _start_time(account: Account, request: Request, export: Export) -> int:
    text = request.params.get("start_time")
    if text is None:
        if not export.needs_start:
            return 0
        raise Refusal(400, {"error": "MissingParameter", "description": "Required parameter start_time is missing"})
    number = re.match(r"\s*-?\d+", text)
    if number is None:
        raise error("InvalidValue", "start_time must be an integer")
    start = int(number[0])
    if export.refuses_recent and start > account.clock.now() - 60:
        raise too_recent()
    return max(0, start)


def _after(table: Table, stamp: int, rid: int) -> int:
    if rid - table.base > 0xFFFFFFFF:
        return table.first_after(stamp)
    return bisect_right(table.index, table.key(stamp, rid))


def _collect(
    account: Account,
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
    high = table.first_after(account.now - export.quiet)
    keep = _filter(account, request, export)
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


def _filter(account: Account, request: Request, export: Export) -> Callable[[int], bool] | None:
    drop_deleted = request.params.get("exclude_deleted") == "true"
    if not export.scoped:
        if drop_deleted and export.key == "ticket_metric_events":
            events = account.tables["ticket_metric_events"]
            return lambda rid: not account.is_deleted(events.get(rid)["ticket_id"])
        return None
    scope = request.params.get("support_type_scope", "agent")
    if scope not in ("all", "agent", "ai_agent"):
        raise error("InvalidValue", "support_type_scope must be one of all, agent, ai_agent")
    if scope == "all" and not drop_deleted:
        return None
    ticket_of: Callable[[int], int] = account.event_ticket if export.key == "ticket_events" else lambda rid: rid

    def keep(rid: int) -> bool:
        ticket = ticket_of(rid)
        return account.in_scope(ticket, scope) and not (drop_deleted and account.is_deleted(ticket))

    return keep


def _render(account: Account, request: Request, export: Export, rids: list[int]) -> dict[str, Any]:
    table = export.table(account, request)
    includes = request.includes
    rows = [table.get(rid) for rid in rids]
    if export.key == "tickets":
        if "metric_sets" in includes:
            rows = [{**row, "metric_set": account.metric(row["id"], row)} for row in rows]
        if "comment_count" in includes:
            rows = [{**row, "comment_count": len(account.comments(row["id"]))} for row in rows]
    elif export.key == "ticket_events" and "comment_events" not in includes:
        rows = [
            {**row, "child_events": [comment_stub(c) if is_comment(c) else c for c in row["child_events"]]}
            for row in rows
        ]
    elif export.key == "articles":
        center = account.help_centers[request.brand]
        rows = [center.present("articles", rid) for rid in rids]
    return {export.key: rows, **siblings(account, request, export.key, rows, includes)}
