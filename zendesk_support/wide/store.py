"""The tables that hold what custom fields are called: columns by field, labels by option."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zendesk_support.dlt_internals import SqlClientBase
from zendesk_support.wide.dialects import Dialect
from zendesk_support.wide.fields import Field

COLUMNS_TABLE = "custom_field_columns"
LABELS_TABLE = "custom_field_labels"
_OF_A_FIELD = {
    "stream": "text",
    "field_id": "bigint",
    "field_key": "text",
    "column_name": "text",
    "title": "text",
    "type": "text",
    "target": "text",
    "active": "boolean",
    "deleted": "boolean",
}
_OF_A_LABEL = {"stream": "text", "field_id": "bigint", "value": "text", "label": "text"}
_AT_ONCE = 200
"""Rows in one statement."""


@dataclass(frozen=True)
class Known:
    """What the tables say of a stream's custom fields.

    Attributes:
        fields: by id.
        names: of their columns, by id.
    """

    fields: Mapping[int, Field]
    names: Mapping[int, str]


class Store:
    """Reads and writes the two tables, in the dataset of the views."""

    def __init__(self, sql: SqlClientBase[Any], dialect: type[Dialect]) -> None:
        self._sql = sql
        self._dialect = dialect

    def make_tables(self) -> None:
        """Make the tables where they are missing."""
        self._make(COLUMNS_TABLE, _OF_A_FIELD, ("stream", "field_id"))
        self._make(LABELS_TABLE, _OF_A_LABEL, ("stream", "field_id", "value"))

    def known(self, stream: str) -> Known:
        """What is kept of a stream's fields."""
        labels: dict[int, dict[str, str]] = {}
        for id, value, label in self._rows(LABELS_TABLE, "field_id, value, label", stream):
            labels.setdefault(id, {})[value] = label
        fields, names = {}, {}
        columns = "field_id, column_name, field_key, title, type, active, deleted, target"
        for id, name, key, title, type_, active, deleted, target in self._rows(COLUMNS_TABLE, columns, stream):
            if id not in fields:
                fields[id] = Field(id, key, title, type_, active, deleted, target, labels.get(id, {}))
                names[id] = name
        return Known(fields, names)

    def keep(self, stream: str, before: Known, now: Known) -> None:
        """Write what has changed of a stream's fields; a name that was given stays."""
        known = {id: one for id, one in now.fields.items() if id in before.fields}
        for id, one in known.items():
            if one != before.fields[id]:
                self._update(
                    COLUMNS_TABLE,
                    {"title": one.title, "type": one.type, "active": one.active, "deleted": one.deleted},
                    {"stream": stream, "field_id": id},
                )
            for value, label in one.options.items():
                if before.fields[id].options.get(value, label) != label:
                    self._update(LABELS_TABLE, {"label": label}, {"stream": stream, "field_id": id, "value": value})
        self._insert(
            LABELS_TABLE,
            _OF_A_LABEL,
            (
                (stream, id, value, label)
                for id, one in now.fields.items()
                for value, label in one.options.items()
                if id not in known or value not in before.fields[id].options
            ),
        )
        self._insert(
            COLUMNS_TABLE,
            _OF_A_FIELD,
            (
                (stream, id, one.key, now.names[id], one.title, one.type, one.target, one.active, one.deleted)
                for id, one in now.fields.items()
                if id not in known
            ),
        )

    def forget_labels(self, stream: str) -> None:
        """Remove the labels of a stream's fields."""
        self._sql.execute_sql(f"DELETE FROM {self.qualified(LABELS_TABLE)} WHERE stream = %s", stream)

    def _make(self, table: str, columns: Mapping[str, str], key: Sequence[str]) -> None:
        listed = [f"{name} {self._dialect.types[kind]}" for name, kind in columns.items()]
        if self._dialect.has_transactions:
            listed.append(f"PRIMARY KEY ({', '.join(key)})")
        self._sql.execute_sql(f"CREATE TABLE IF NOT EXISTS {self.qualified(table)} ({', '.join(listed)})")

    def qualified(self, table: str) -> str:
        """A table's name with that of its dataset."""
        return qualified(self._sql, self._dialect, table)

    def _rows(self, table: str, columns: str, stream: str) -> Sequence[Any]:
        query = f"SELECT {columns} FROM {self.qualified(table)} WHERE stream = %s ORDER BY field_id"
        return self._sql.execute_sql(query, stream) or ()

    def _update(self, table: str, values: Mapping[str, Any], key: Mapping[str, Any]) -> None:
        values_set = ", ".join(f"{name} = %s" for name in values)
        where = " AND ".join(f"{name} = %s" for name in key)
        statement = f"UPDATE {self.qualified(table)} SET {values_set} WHERE {where}"
        self._sql.execute_sql(statement, *values.values(), *key.values())

    def _insert(self, table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
        once = " ON CONFLICT DO NOTHING" if self._dialect.has_transactions else ""
        one = f"({', '.join(['%s'] * len(columns))})"
        for some in in_parts(list(rows)):
            values = ", ".join([one] * len(some))
            statement = f"INSERT INTO {self.qualified(table)} ({', '.join(columns)}) VALUES {values}{once}"
            self._sql.execute_sql(statement, *(value for row in some for value in row))


def qualified(sql: SqlClientBase[Any], dialect: type[Dialect], table: str) -> str:
    """A table's name with that of its dataset; without that of a DuckDB file, which people rename."""
    if dialect.names_file:
        return f"{sql.escape_column_name(sql.dataset_name)}.{sql.escape_column_name(table)}"
    return sql.make_qualified_table_name(table)


def in_parts(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Rows, as many at a time as go into one statement."""
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
