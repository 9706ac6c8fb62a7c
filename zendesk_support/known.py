"""What the destination already holds of a stream: keys and row digests, read with the pipeline's own client.

Keys cost 8 bytes and digests 18 bytes a row, so that a table of a million memberships fits in 30 MB, and in no state.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.sql_client import SqlClientBase

from zendesk_support.pages import Rows, raw

DIGEST = "_dlt_id"
DELETED_AT = "_deleted_at"
VALID_TO = "_dlt_valid_to"
LOAD_ID = "_dlt_load_id"
FETCHED = 50_000
IN_USE = threading.Lock()
"""Held to read the destination, and to load: DuckDB cannot open a file in one thread while another closes it."""
Array = np.ndarray[Any, Any]
Condition = tuple[str, str, list[Any]]
"""A column, what is asked of it in SQL, and the values for that."""
Chunk = Sequence[tuple[Any, ...]]
T = TypeVar("T")


class Destination:
    """Reads tables back; reads nothing where no pipeline runs.

    Made in the pipeline's own thread, used in any: dlt's live schema and its client factory are not thread-safe.
    """

    def __init__(
        self,
        client: SqlClientBase[Any] | None = None,
        columns: Mapping[str, Any] | None = None,
        versions_of: Sequence[str] = (),
    ) -> None:
        """Read one table.

        Args:
            client: the pipeline's client.
            columns: the table's columns, as dlt's schema has them.
            versions_of: the key, where the table holds several versions of a row: the last one counts.
        """
        self._client = client
        self._columns = dict(columns or {})
        self._versions_of = versions_of

    def rows(self, table: str, columns: Sequence[str], since: tuple[str, int] | None = None) -> pa.Table | None:
        """Columns of all rows not marked as deleted, or of those not older than a time column and Unix seconds.

        Returns:
            An Arrow table, or None where there is no such table or row (yet).
        """

        def table_of(chunk: Chunk) -> pa.Table:
            return pa.table([pa.array(column) for column in zip(*chunk)], names=list(columns))

        conditions = [self.bound(since[0], ">=", since[1])] if since is not None else []
        chunks = self._fetch(table, columns, conditions, table_of)
        return pa.concat_tables(chunks) if chunks else None

    def records(self, table: str, column: str, values: Iterable[Any], columns: Sequence[str] = ()) -> Rows:
        """Rows not marked as deleted that have one of `values` in `column`, as the API would send them.

        Args:
            table: the stream's table.
            column: an integer or text column.
            values: what to look for.
            columns: the columns wanted; all of the API's by default.
        """
        known = self._columns
        wanted = [name for name in columns or known if not name.startswith("_")]
        types = [known.get(name, {}).get("data_type") for name in wanted]

        def rows_of(chunk: Chunk) -> Rows:
            return [
                {name: as_json(value, kind) for name, value, kind in zip(wanted, record, types) if value is not None}
                for record in chunk
            ]

        sought = list(values)
        places = ", ".join(["%s"] * len(sought))
        chunks = self._fetch(table, wanted, [(column, f"IN ({places})", sought)], rows_of) if sought else []
        return [row for chunk in chunks for row in chunk]

    def ids(self, table: str, key: Sequence[str], conditions: Sequence[Condition] = ()) -> Array:
        """The keys of all rows not marked as deleted, as `compact` makes them, in order; repeated keys stay."""
        chunks = self._fetch(table, key, conditions, lambda chunk: compact(list(zip(*chunk))))
        ids = np.concatenate([*chunks, np.array([], np.int64)])
        ids.sort()
        return ids

    def newest(self, table: str, column: str, conditions: Sequence[Condition] = ()) -> Any:
        """The greatest value of a column; None where there is none."""
        found = self._fetch(table, [column], conditions, lambda chunk: chunk[0][0], "max({})")
        return found[0] if found else None

    def bound(self, column: str, sign: str, at: int) -> Condition:
        """The condition that a time column lies before or after some Unix seconds."""
        is_number = self._columns.get(column, {}).get("data_type") == "bigint"
        return column, f"{sign} %s", [at if is_number else datetime.fromtimestamp(at, timezone.utc)]

    def _fetch(
        self,
        table: str,
        columns: Sequence[str],
        conditions: Sequence[Condition],
        made: Callable[[Chunk], T],
        selected: str = "{}",
    ) -> list[T]:
        """What is made of the rows not marked as deleted that meet the conditions, some thousand rows at a time."""
        known = self._columns
        if not columns or not all(name in known for name in columns):
            return []
        assert self._client is not None
        with IN_USE, self._client as client:
            name_of = client.escape_column_name
            source = client.make_qualified_table_name(table)
            wheres = [f"{name_of(column)} {asked}" for column, asked, _ in conditions]
            if self._versions_of:
                key = ", ".join(map(name_of, self._versions_of))
                newest = f"row_number() OVER (PARTITION BY {key} ORDER BY {name_of(LOAD_ID)} DESC) AS version_from_last"
                source = f"(SELECT *, {newest} FROM {source}) AS versions"
                wheres.append("version_from_last = 1")
            wheres += [f"{name_of(ended)} IS NULL" for ended in (DELETED_AT, VALID_TO) if ended in known]
            listed = ", ".join(
                # Some clients decode JSON, which leaves no difference between a text and a JSON text.
                f"CAST({name_of(name)} AS VARCHAR)" if known[name].get("data_type") == "json" else name_of(name)
                for name in columns
            )
            query = f"SELECT {selected.format(listed)} FROM {source}"
            if wheres:
                query += " WHERE " + " AND ".join(wheres)
            given = [value for _, _, values in conditions for value in values]
            try:
                with client.execute_query(query, *given) as cursor:
                    return [made(chunk) for chunk in iter(lambda: cursor.fetchmany(FETCHED), [])]
            except DatabaseUndefinedRelation:
                return []


def as_json(value: Any, data_type: str | None) -> msgspec.Raw:
    """A database value as JSON."""
    if data_type == "json":
        return msgspec.Raw(value.encode())
    if isinstance(value, datetime):
        return raw(value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return raw(value)


def digest_text(digest: bytes) -> str:
    """A row digest as it stands in the `_dlt_id` column: 12 characters."""
    return base64.urlsafe_b64encode(digest).decode()


def compact(columns: Sequence[Sequence[Any]]) -> Array:
    """Keys as 64-bit numbers: a single integer column as it is, all else by digest."""
    if len(columns) == 1 and all(isinstance(value, int) for value in columns[0]):
        return np.array(columns[0], np.int64)
    joined = ("\x1f".join(map(str, key)).encode() for key in zip(*columns))
    digests = [int.from_bytes(blake2b(key, digest_size=8).digest(), "big", signed=True) for key in joined]
    return np.array(digests, np.int64)


def ids_of(table: pa.Table, key: Sequence[str]) -> Array:
    """The keys of a table as `compact` makes them."""
    columns = [table.column(name) for name in key]
    if len(columns) == 1 and pa.types.is_integer(columns[0].type):
        return np.asarray(columns[0].to_numpy(), np.int64)
    return compact([column.to_pylist() for column in columns])


def holds(ordered: Array, ids: Array) -> Array:
    """Whether each key is among some in order."""
    if not len(ordered):
        return np.zeros(len(ids), bool)
    places = np.minimum(np.searchsorted(ordered, ids), len(ordered) - 1)
    return np.asarray(ordered[places] == ids)


def keys_digest(ids: Array) -> str:
    """Number and digest of keys in any order: equal for equal keys."""
    return f"{len(ids)}-{blake2b(np.sort(ids).tobytes(), digest_size=12).hexdigest()}"


class Known:
    """The rows a complete pass compares with: which are unchanged, and which Zendesk no longer lists."""

    def __init__(self, table: pa.Table | None, key: Sequence[str], extra: Sequence[str] = ()) -> None:
        self._key = list(key)
        if table is None:
            table = pa.table({name: pa.array([], pa.int64()) for name in (*key, *extra, DIGEST)})
        self._table = table
        ids = ids_of(self._table, key)
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]
        digests = np.array([value or "" for value in self._table.column(DIGEST).to_pylist()], "S12")
        self._digests = digests[self._order]
        self._seen = np.zeros(len(ids), bool)

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> Array:
        """The keys, in order."""
        return self._ids

    @property
    def listed(self) -> Array:
        """The keys that were listed in this pass, or that it was not to list."""
        return self._ids[self._seen]

    def changed(self, ids: Array, digests: Sequence[str]) -> Array:
        """Mark keys as still listed; True for each row that is new or differs."""
        if not len(self._ids):
            return np.ones(len(ids), bool)
        found = holds(self._ids, ids)
        places = np.searchsorted(self._ids, ids[found])
        self._seen[places] = True
        same = found.copy()
        same[found] = self._digests[places] == np.array(digests, "S12")[found]
        return ~same

    def keep(self, columns: Sequence[str], parents: Iterable[tuple[Any, ...]]) -> None:
        """Count rows as still listed whose parent, named by `columns`, was not read in this pass."""
        wanted = compact(list(zip(*parents)))
        self._seen |= np.isin(ids_of(self._table, columns), wanted)[self._order]

    def keep_all_but(self, columns: Sequence[str], parents: Iterable[tuple[Any, ...]]) -> None:
        """Count rows as still listed whose parent is none of those."""
        wanted = compact(list(zip(*parents)))
        self._seen |= ~np.isin(ids_of(self._table, columns), wanted)[self._order]

    def sums(self, columns: Sequence[str], value: str) -> dict[tuple[Any, ...], tuple[int, int]]:
        """Rows and sum of `value` for each parent named by `columns`."""
        grouped = self._table.group_by(list(columns)).aggregate([(value, "count"), (value, "sum")])
        keys = zip(*(grouped.column(name).to_pylist() for name in columns))
        counts = zip(grouped.column(f"{value}_count").to_pylist(), grouped.column(f"{value}_sum").to_pylist())
        return dict(zip(keys, counts))

    def gone(self) -> pa.Table:
        """The keys that were not listed in this pass."""
        return self._table.select(self._key).take(pa.array(self._order[~self._seen]))
