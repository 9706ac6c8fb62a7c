"""The search export."""

from __future__ import annotations

import base64
import binascii
import operator
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import msgspec

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row, Table
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.kinds import Family, shown
from zendesk_support.simulator.server.limits import AsEndpoint, Limit
from zendesk_support.simulator.server.messages import Request, error, invalid_cursor
from zendesk_support.simulator.server.routes import Args

_SEARCHED = {"ticket": "tickets", "user": "users", "organization": "organizations", "group": "groups"}
_TERM = re.compile(r"(created|updated)(>=|<=|>|<)(\S+)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
SESSION = 3600


def search_export(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer search/export; a query may compare `created` and `updated`, and ask for a `status:`."""
    kind = request.params.get("filter[type]", "")
    if kind not in _SEARCHED:
        raise error("InvalidValue", "filter[type] must be one of ticket, user, organization, group")
    if "query" not in request.params:
        raise error("MissingParameter", "query is required")
    text = request.params.get("page[size]", "100")
    size = min(int(text) if text.isdigit() and int(text) else 100, 1000)
    table = store.tables[_SEARCHED[kind]]
    session, after = _place(store, request)
    query = request.params["query"]
    found = store.listing(("search", kind, query), lambda: _search(store, kind, table, query))
    low = bisect_right(found, -after, key=lambda rid: -rid)
    page = found[low : low + size]
    next_cursor = base64.b64encode(msgspec.json.encode((session, page[-1]))).decode() if page else None
    link = request.link(("page[after]",), {"page[after]": next_cursor}) if next_cursor else None
    return {
        "results": [{**table.get(rid), "result_type": kind} for rid in page],
        "facets": None,
        "meta": {"has_more": low + size < len(found), "after_cursor": next_cursor, "before_cursor": None},
        "links": {"prev": None, "next": link},
    }


def _place(store: Store, request: Request) -> tuple[int, int]:
    """When the walk began, and the id it has come to."""
    cursor = request.params.get("page[after]")
    if not cursor:
        return store.now, 1 << 62
    try:
        session, after = msgspec.json.decode(base64.b64decode(cursor), type=tuple[int, int])
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise invalid_cursor() from None
    if store.now - session > SESSION:
        raise invalid_cursor()
    return session, after


def _search(store: Store, kind: str, table: Table, query: str) -> list[int]:
    terms = [(f"{name}_at", sign, value) for name, sign, value in _TERM.findall(query)]
    status = re.search(r"status:(\w+)", query)
    tickets = store.part(Tickets)

    def fits(rid: int) -> bool:
        if kind == "ticket" and tickets.is_deleted(rid):
            return False
        if not terms and not status:
            return True
        row: Row = table.get(rid)
        return all(_COMPARE[sign](row[name][: len(value)], value) for name, sign, value in terms) and (
            status is None or row.get("status") == status[1]
        )

    return [rid for rid in reversed(table.rids) if fits(rid)]


FAMILY = Family(
    "search",
    (),
    routes=(
        shown(
            "search_export",
            "search/export",
            search_export,
            kind="list",
            limits=(Limit(100, name="search_export", tell=AsEndpoint("search-export")),),
            params=("query", "filter[type]", "page[size]", "page[after]"),
        ),
    ),
)
