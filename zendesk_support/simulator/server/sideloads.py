"""Side-loads: the sibling arrays that `include=` adds to a reply."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.server.messages import Request

Sideload = Callable[[Store, Request, list[Row]], list[Row]]
"""Finds the rows that belong to a page of rows."""


def siblings(
    store: Store, request: Request, sideloads: Mapping[str, Sideload], rows: Iterable[Row]
) -> dict[str, list[Row]]:
    """Return the sibling arrays of a page."""
    page = list(rows)
    return {name: sideloads[name](store, request, page) for name in request.includes if name in sideloads}


def named_by(table: str, *columns: str) -> Sideload:
    """Return the side-load of the rows of a table that columns of a page name."""

    def find(store: Store, request: Request, page: list[Row]) -> list[Row]:
        rows = store.tables[table]
        wanted = sorted({row[column] for row in page for column in columns if row.get(column) is not None})
        return [rows.get(rid) for rid in wanted if rid in rows]

    return find
