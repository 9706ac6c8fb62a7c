"""Compares a list with the table that was loaded of it: what has changed, and what is not listed any more.

Keys cost 8 bytes and digests 18 bytes a row, so that a table of a million memberships fits in 30 MB, and in no state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zendesk_support.warehouse.keys import ROW_ID, Array, compact, holds, ids_of


class SnapshotDiff:
    """Keys and digests of a table, with which a complete pass is compared.

    Each row that is listed marks its key; keys without a mark after the last page are gone. Where the table is stale,
    every row counts as changed.
    """

    def __init__(
        self, table: pa.Table | None, key: Sequence[str], extra: Sequence[str] = (), *, is_stale: bool = False
    ) -> None:
        self._key = list(key)
        if table is None:
            table = pa.table({name: pa.array([], pa.int64()) for name in (*key, *extra, ROW_ID)})
        self._table = table
        ids = ids_of(self._table, key)
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]
        digests = np.array(["" if is_stale else value or "" for value in self._table.column(ROW_ID).to_pylist()], "S12")
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

    def parents(self, columns: Sequence[str]) -> Array:
        """The parents, named by `columns`, that rows hang below, in order."""
        return np.unique(ids_of(self._table, columns))

    def count(self, columns: Sequence[str], parent: tuple[Any, ...]) -> int:
        """How many rows hang below a parent, named by `columns`."""
        return int((ids_of(self._table, columns) == compact([[value] for value in parent])).sum())

    def keep(self, columns: Sequence[str], parents: Iterable[tuple[Any, ...]]) -> None:
        """Count rows as still listed whose parent, named by `columns`, was not read in this pass."""
        wanted = compact(list(zip(*parents)))
        self._seen |= np.isin(ids_of(self._table, columns), wanted)[self._order]

    def keep_all_but(self, columns: Sequence[str], parents: Iterable[tuple[Any, ...]]) -> None:
        """Count rows as still listed whose parent is none of those."""
        wanted = compact(list(zip(*parents)))
        self._seen |= ~np.isin(ids_of(self._table, columns), wanted)[self._order]

    def keep_before(self, column: str, at: int) -> None:
        """Count rows as still listed whose time lies before a second (Unix)."""
        times = self._table.column(column)
        if at > 0 and pa.types.is_timestamp(times.type):
            bound = pa.scalar(at, pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "UTC"))
            older = pc.less(times.cast(pa.timestamp("us", "UTC")), bound)
            self._seen |= np.asarray(pc.fill_null(older, False))[self._order]

    def sums(self, columns: Sequence[str], value: str) -> dict[tuple[Any, ...], tuple[int, int]]:
        """Rows and sum of `value` for each parent named by `columns`."""
        grouped = self._table.group_by(list(columns)).aggregate([(value, "count"), (value, "sum")])
        keys = zip(*(grouped.column(name).to_pylist() for name in columns))
        counts = zip(grouped.column(f"{value}_count").to_pylist(), grouped.column(f"{value}_sum").to_pylist())
        return dict(zip(keys, counts))

    def gone(self) -> pa.Table:
        """The keys that were not listed in this pass."""
        return self._table.select(self._key).take(pa.array(self._order[~self._seen]))
