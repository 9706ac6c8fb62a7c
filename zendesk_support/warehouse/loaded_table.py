"""Reads a table back with the pipeline's own client."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa

from zendesk_support.dlt_internals import DatabaseUndefinedRelation, SqlClientBase, has_table_seen_data
from zendesk_support.records.json_rows import Row, Rows, raw
from zendesk_support.warehouse.keys import ROW_ID, Array, compact
from zendesk_support.warehouse.patience import patiently

ACCOUNT = "account"
"""The column that tells whose row it is, where several accounts share a table."""
DELETED_AT = "_deleted_at"
VALID_TO = "_dlt_valid_to"
LOAD_ID = "_dlt_load_id"
KEY_HINT = "x-key"
PARENT_ID = "_dlt_parent_id"
LIST_INDEX = "_dlt_list_idx"
FETCHED = 50_000
MISFIT = re.compile(r"__v_[a-z]+$")
Chunk = Sequence[tuple[Any, ...]]
T = TypeVar("T")


class DestinationLock:
    """Lets one thread at a time read or load the destination.

    DuckDB cannot open a file in one thread while another closes it. To open a file takes longer than most queries, so
    that the connection stays open as long as other readers wait for their turn.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._readers = 0
        self._open: SqlClientBase[Any] | None = None

    @contextmanager
    def for_reading(self, client: SqlClientBase[Any] | None, wait: float = 0.0) -> Iterator[None]:
        """Wait for a turn, and have the client connected; for `wait` seconds where another program has the file."""
        with self._counting:
            self._readers += 1
        with self._turn:
            try:
                if client is not None and client is not self._open:
                    self._close()
                    patiently(client.open_connection, wait)
                    self._open = client
                yield
            except BaseException:
                self._close()
                raise
            finally:
                with self._counting:
                    self._readers -= 1
                    is_last = self._readers == 0
                if is_last:
                    self._close()

    @contextmanager
    def for_loading(self) -> Iterator[None]:
        """Wait for a turn without any connection of readers."""
        with self._turn:
            self._close()
            yield

    def _close(self) -> None:
        client, self._open = self._open, None
        if client is not None:
            client.close_connection()


DESTINATION_LOCK = DestinationLock()


@dataclass(frozen=True)
class Condition:
    """A test of one column, with a `%s` for each of the values."""

    column: str
    test: str
    values: Sequence[Any]


def one_of(column: str, values: Sequence[Any]) -> Condition:
    """The condition that a column has one of some values."""
    return Condition(column, f"IN ({', '.join(['%s'] * len(values))})", values)


@dataclass(frozen=True)
class TableLayout:
    """A table at the destination, with the child tables that nested values were spread over.

    Attributes:
        name: its name.
        columns: as dlt's schema has them.
        children: by the name of the list in a row, the table of its items.
    """

    name: str
    columns: Mapping[str, Any]
    children: Mapping[str, TableLayout] = field(default_factory=dict)

    def row(self, names: Sequence[str], values: Sequence[Any]) -> Row:
        """Values of the columns as the API would send them, without those that are null."""
        return {
            self._key(name): as_json(value, self.columns[name]["data_type"])
            for name, value in zip(names, values)
            if value is not None
        }

    def _key(self, name: str) -> str:
        """The key of the API that a column holds values of: a misfit's is that of the column it does not fit."""
        meant = MISFIT.sub("", name)
        meant = meant if meant in self.columns else name
        return str(self.columns[meant].get(KEY_HINT, meant))


def table_layout(tables: Mapping[str, Any], name: str) -> TableLayout:
    """A table of a dlt schema, with those of its child tables that have had rows."""
    below = [child for child, table in tables.items() if table.get("parent") == name and has_table_seen_data(table)]
    children = {child.removeprefix(f"{name}__"): table_layout(tables, child) for child in below}
    columns = {column: hints for column, hints in tables[name]["columns"].items() if "data_type" in hints}
    return TableLayout(name, columns, children)


class LoadedTable:
    """Reads a table back; reads nothing where no pipeline runs.

    Made in the pipeline's own thread, used in any: dlt's live schema and its client factory are not thread-safe.
    """

    def __init__(
        self,
        client: SqlClientBase[Any] | None = None,
        table: TableLayout | None = None,
        versions_of: Sequence[str] = (),
        wait: float = 0.0,
        version: str | None = None,
        account: str | None = None,
    ) -> None:
        """Read one table.

        Args:
            client: the pipeline's client.
            table: what to read.
            versions_of: the key, where the table holds several versions of a row: the last one counts.
            wait: seconds to wait for a file that another program has open.
            version: the column that tells which of two versions of one load is the last.
            account: whose rows to read, where several accounts share the table.
        """
        self._wait = wait
        self._version = version
        self._client = client
        table = table or TableLayout("", {})
        if account is not None:  # the column is not the API's
            table = replace(table, columns={name: table.columns[name] for name in table.columns if name != ACCOUNT})
        self._table = table
        self._own = [Condition(ACCOUNT, "= %s", (account,))] if account is not None else []
        self._versions_of = versions_of

    def rows(
        self, columns: Sequence[str], since: tuple[str, int] | None = None, where: Sequence[Condition] = ()
    ) -> pa.Table | None:
        """Columns of all rows not marked as deleted, or of those not older than a time column and Unix seconds.

        Args:
            columns: their names.
            since: the time column, and Unix seconds.
            where: what the rows must meet besides.

        Returns:
            An Arrow table, or None where there is no such table or row (yet).
        """

        def table_of(chunk: Chunk) -> pa.Table:
            return pa.table([self._array(name, found) for name, found in zip(columns, zip(*chunk))], list(columns))

        conditions = [*where, *([self.bound(since[0], ">=", since[1])] if since is not None else [])]
        with DESTINATION_LOCK.for_reading(self._client, self._wait):
            chunks = self._fetch(columns, conditions, table_of)
        return pa.concat_tables(chunks) if chunks else None

    def records(self, column: str, values: Iterable[Any], columns: Sequence[str] = ()) -> Rows:
        """Rows not marked as deleted that have one of `values` in `column`, as the API would send them.

        Objects that were spread over columns stay so (`via__channel`): dlt puts such keys where they came from.

        Args:
            column: an integer or text column.
            values: what to look for.
            columns: the columns wanted; all of the API's by default.
        """
        sought = tuple(values)
        if not sought:
            return []
        conditions = [one_of(column, sought)]
        names = [name for name in columns or self._table.columns if not name.startswith("_")]
        nested = bool(self._table.children) and not columns
        with DESTINATION_LOCK.for_reading(self._client, self._wait):
            chunks = self._fetch([*names, ROW_ID] if nested else names, conditions, list)
            lists = self._lists(self._table, *self._selection(conditions)) if nested and chunks else {}
        return [
            self._table.row(names, record) | {key: raw(items) for key, items in lists.get(record[-1], {}).items()}
            for chunk in chunks
            for record in chunk
        ]

    def ids(self, key: Sequence[str], conditions: Sequence[Condition] = ()) -> Array:
        """The keys of all rows not marked as deleted, as `compact` makes them, in order; repeated keys stay."""
        with DESTINATION_LOCK.for_reading(self._client, self._wait):
            chunks = self._fetch(key, conditions, lambda chunk: compact(list(zip(*chunk))))
        ids = np.concatenate([*chunks, np.array([], np.int64)])
        ids.sort()
        return ids

    def newest(self, column: str, conditions: Sequence[Condition] = ()) -> Any:
        """The greatest value of a column; None where there is none."""
        with DESTINATION_LOCK.for_reading(self._client, self._wait):
            found = self._fetch([column], conditions, lambda chunk: chunk[0][0], "max({})")
        return as_typed(found[0], self._table.columns[column]["data_type"]) if found else None

    def has_values(self, columns: Sequence[str]) -> bool:
        """Whether any row, an ended or deleted one too, has a value in one of some columns."""
        counted = ", ".join(f"count({self._escaped(column)})" for column in columns)
        with DESTINATION_LOCK.for_reading(self._client, self._wait):
            where, values = self._where(self._own)
            found = self._query(f"SELECT {counted} FROM {self._named(self._table)}{where}", values, list)
        return any(count for chunk in found for row in chunk for count in row)

    def bound(self, column: str, sign: str, at: int) -> Condition:
        """The condition that a time column lies before or after some Unix seconds."""
        is_number = self._table.columns.get(column, {}).get("data_type") == "bigint"
        return Condition(column, f"{sign} %s", (at if is_number else datetime.fromtimestamp(at, timezone.utc),))

    def _lists(self, table: TableLayout, selection: str, values: Sequence[Any]) -> dict[Any, dict[str, list[Any]]]:
        """The lists of selected rows, by the row's `_dlt_id` and the list's name."""
        found: dict[Any, dict[str, list[Any]]] = {}
        for key, child in table.children.items():
            chosen = f"FROM {self._named(child)} WHERE {self._escaped(PARENT_ID)} IN "
            chosen += f"(SELECT {self._escaped(ROW_ID)} {selection})"
            names = [name for name in child.columns if not name.startswith("_dlt_")]
            wanted = ", ".join(map(self._escaped, [*names, ROW_ID, PARENT_ID]))
            deeper = self._lists(child, chosen, values)
            query = f"SELECT {wanted} {chosen} ORDER BY {self._escaped(LIST_INDEX)}"
            for chunk in self._query(query, values, list):
                for *item, id, parent in chunk:
                    found.setdefault(parent, {}).setdefault(key, []).append(child.row(names, item) | deeper.get(id, {}))
        return found

    def _fetch(
        self,
        columns: Sequence[str],
        conditions: Sequence[Condition],
        made: Callable[[Chunk], T],
        selected: str = "{}",
    ) -> list[T]:
        """What is made of the rows not marked as deleted that meet the conditions, some thousand rows at a time."""
        if not columns or not all(name in self._table.columns for name in columns):
            return []
        selection, values = self._selection(conditions)
        return self._query(f"SELECT {selected.format(', '.join(map(self._wanted, columns)))} {selection}", values, made)

    def _array(self, name: str, values: Sequence[Any]) -> pa.Array:
        """Values of a column; times with their zone, also from databases that have no such type."""
        if self._table.columns[name].get("data_type") != "timestamp":
            return pa.array(values)
        return pa.array([as_typed(value, "timestamp") for value in values], pa.timestamp("us", "UTC"))

    def _wanted(self, name: str) -> str:
        """A column in a query's list; JSON as text, since some clients decode it."""
        is_json = self._table.columns[name].get("data_type") == "json" and self._type("json") != self._type("text")
        return f"CAST({self._escaped(name)} AS {self._type('text')})" if is_json else self._escaped(name)

    def _type(self, data_type: str) -> str:
        """What the destination calls a type."""
        assert self._client is not None
        column: Any = {"name": "", "data_type": data_type}
        table: Any = {}
        return self._client.capabilities.get_type_mapper().to_destination_type(column, table)

    def _selection(self, conditions: Sequence[Condition]) -> tuple[str, Sequence[Any]]:
        """What stands after the columns of a query for rows of the table, and the values in it."""
        source, tests = self._named(self._table), []
        own, values = self._where(self._own)
        if self._versions_of:
            key = ", ".join(map(self._escaped, self._versions_of))
            told_by = [LOAD_ID, *([self._version] if self._version in self._table.columns else [])]
            order = ", ".join(f"{self._escaped(name)} DESC" for name in told_by if name)
            newest = f"row_number() OVER (PARTITION BY {key} ORDER BY {order})"
            source = f"(SELECT *, {newest} AS version_from_last FROM {source}{own}) AS versions"
            tests = ["version_from_last = 1"]
        else:
            conditions, values = [*self._own, *conditions], []
        tests += [f"{self._escaped(name)} IS NULL" for name in (DELETED_AT, VALID_TO) if name in self._table.columns]
        where, more = self._where(conditions, *tests)
        return f"FROM {source}{where}", [*values, *more]

    def _where(self, conditions: Sequence[Condition], *more: str) -> tuple[str, list[Any]]:
        """Conditions and more tests as SQL has them, and the values in them."""
        tests = [*(f"{self._escaped(condition.column)} {condition.test}" for condition in conditions), *more]
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        return where, [value for condition in conditions for value in condition.values]

    def _query(self, query: str, values: Sequence[Any], made: Callable[[Chunk], T]) -> list[T]:
        assert self._client is not None
        try:
            with self._client.execute_query(query, *values) as cursor:
                return [made(chunk) for chunk in iter(lambda: cursor.fetchmany(FETCHED), [])]
        except DatabaseUndefinedRelation:
            return []

    def _named(self, table: TableLayout) -> str:
        assert self._client is not None
        return self._client.make_qualified_table_name(table.name)

    def _escaped(self, name: str) -> str:
        assert self._client is not None
        return self._client.escape_column_name(name)


def as_typed(value: Any, data_type: str | None) -> Any:
    """A database value in Python's type for it: SQLite has neither times nor booleans, others no time zones."""
    if data_type == "bool" and isinstance(value, int):
        return bool(value)
    if data_type == "timestamp" and isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=timezone.utc)
    return value


def as_json(value: Any, data_type: str | None) -> msgspec.Raw:
    """A database value as JSON."""
    if data_type == "json":
        return msgspec.Raw(value.encode())
    value = as_typed(value, data_type)
    if isinstance(value, datetime):
        return raw(value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"))
    return raw(value)
