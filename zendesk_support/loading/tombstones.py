"""Tombstones: rows that remove what the destination holds, or mark it as deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

import msgspec

from zendesk_support.loading.row_checks import check_keys, key_text, time_value
from zendesk_support.loading.row_functions import LoadedRow
from zendesk_support.loading.sync_modes import DEFAULT, Mode
from zendesk_support.records.json_rows import Row, Rows, number, raw, row_hash
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.keys import ROW_ID, digest_text
from zendesk_support.warehouse.loaded_table import DELETED_AT, LoadedTable

LOOKED_UP = 1000


class Tombstones:
    """Makes the tombstones of one stream from what its table holds.

    A row that is only marked (`deletes = "mark"`, and in every sync mode but the default) keeps the values that it had;
    one that is removed needs no more than its key.
    """

    def __init__(self, stream: Stream, table: LoadedTable, mode: Mode, *, marks: bool) -> None:
        self._stream = stream
        self._mode = mode
        self._marks = marks or mode != DEFAULT
        self.table = table

    def of_parents(self, parents: Mapping[int, int]) -> Rows:
        """Tombstones without values of all that hangs below some tickets, with the tickets' versions."""
        column = "ticket_id" if "ticket_id" in self._stream.columns else "id"
        keys = self.table.records(column, parents, tuple({*self._stream.key, column}))
        return [self._of(key, parents[number(key, column) or 0]) for key in keys]

    def marks_of_parents(self, parents: Mapping[int, int]) -> Rows:
        """As `of_parents`, but a row that is only marked keeps its values."""
        rows = self.table.records("ticket_id", parents) if self._marks else []
        if not rows:
            return self.of_parents(parents)
        return [self._of(row, parents[number(row, "ticket_id") or 0]) for row in rows]

    def of_missing(self, column: str, parents: Iterable[int], listed: Rows) -> Rows:
        """Tombstones of what the table holds below some parents and a list of it lacks.

        Args:
            column: names the parent.
            parents: their ids.
            listed: all that Zendesk has below them.
        """
        columns = tuple(dict.fromkeys((*self._stream.key, column)))
        check_keys(listed, self._stream)
        there = {key_text(row, self._stream.key) for row in listed}
        keys = self.table.records(column, parents, columns)
        return self.of_keys([key for key in keys if key_text(key, self._stream.key) not in there])

    def of_keys(self, keys: Rows) -> Rows:
        """Tombstones for keys, which may have the version of the deletion beside them."""
        if not self._marks:
            return [self._of(key) for key in keys]
        wanted = {key_text(key, self._stream.key) for key in keys}
        # By the column that tells most of them apart: few rows have one ticket, many have one tag.
        values = {name: list({bytes(key[name]) for key in keys}) for name in self._stream.key}
        column = max(values, key=lambda name: len(values[name]))
        sought = [msgspec.json.decode(text) for text in values[column]]
        parts = (sought[at : at + LOOKED_UP] for at in range(0, len(sought), LOOKED_UP))
        held = (row for part in parts for row in self.table.records(column, part))
        return [self._of(row) for row in held if key_text(row, self._stream.key) in wanted]

    def _of(self, row: Row, version: int | None = None) -> Row:
        stone = LoadedRow({**row, DELETED_AT: raw(datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))})
        if self._stream.digested or self._mode == "history":
            stone[ROW_ID] = raw(digest_text(row_hash(stone)))
        if version is not None and self._stream.version:
            stone[self._stream.version] = raw(time_value(self._stream, self._stream.version, version))
        return stone
