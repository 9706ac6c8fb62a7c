"""The columns of a table: their types, and the order in which a new table has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zendesk_support.records.arrow import DataType

READ_FIRST = (
    "name",
    "title",
    "subject",
    "email",
    "key",
    "status",
    "state",
    "type",
    "event_type",
    "metric",
    "score",
    "priority",
    "role",
    "verb",
    "value",
    "comment",
    "body",
    "description",
)
"""What people look for in a row, in the order of the columns."""
TIMES_FIRST = ("created_at", "updated_at")
REFER = ("_id", "url", "_timestamp")
"""Ends of the names of columns that lead elsewhere, or count versions."""


def as_read(columns: Mapping[str, DataType], key: Sequence[str]) -> dict[str, DataType]:
    """Columns as a new table has them: key, what people read, times, other values, references, nested values."""

    def rank(name: str) -> tuple[int, int]:
        if name in key:
            return 0, key.index(name)
        if columns[name] == "json":
            return 5, 0
        if name in READ_FIRST:
            return 1, READ_FIRST.index(name)
        if columns[name] == "timestamp":
            return 2, TIMES_FIRST.index(name) if name in TIMES_FIRST else len(TIMES_FIRST)
        return (4 if name.endswith(REFER) else 3), 0

    return {name: columns[name] for name in sorted(columns, key=rank)}


def columns(**names: str) -> dict[str, DataType]:
    """Data types by column, from one text of column names a type."""
    return {name: data_type for data_type, listed in names.items() for name in listed.split()}  # type: ignore[misc]
