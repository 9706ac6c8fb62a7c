"""Sync modes: what a run reads of a stream, and how it reaches the table."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from zendesk_support.errors import ConfigurationError
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.keys import Array, compact, ids_of

Mode = Literal["overwrite", "append", "incremental_append", "incremental", "history"]

MODES: dict[Mode, str] = {
    "overwrite": "reads all, replaces the table once all is read",
    "append": "reads all, adds it to the table",
    "incremental_append": "reads what has changed, adds it to the table",
    "incremental": "reads what has changed, keeps one row a key",
    "history": "reads what has changed, keeps every version of a row with its validity",
}
DEFAULT: Mode = "incremental"
FULL = frozenset({"overwrite", "append"})
APPENDING = frozenset({"append", "incremental_append"})
SPOOLED = frozenset({"overwrite", "append", "history"})
MODE_HINT = "x-sync-mode"
NESTED_HINT = "x-nested"

DISPOSITIONS: dict[str, Any] = {
    "overwrite": "replace",
    "append": "append",
    "incremental_append": "append",
    "incremental": "merge",
    "history": {"disposition": "merge", "strategy": "scd2"},
}


def check_mode(stream: Stream, mode: Any) -> Mode:
    """Accept a mode that a stream can have.

    Raises:
        ConfigurationError: there is no such mode, or the stream cannot have it.
    """
    if mode not in MODES:
        options = ", ".join(f'"{name}"' for name in MODES)
        raise ConfigurationError(
            f'sync_mode = "{mode}" of {stream.name} is not one of {options}. Example: sync_mode = "{DEFAULT}".'
        )
    if mode == "history" and stream.immutable:
        raise ConfigurationError(
            f'sync_mode = "history" is not for {stream.name}: its rows never change. Example: sync_mode = "{DEFAULT}".'
        )
    return mode  # type: ignore[no-any-return]


def check_table(stream: Stream, mode: Mode, nested: str, table: Any) -> None:
    """Refuse to load into a table that was made in another mode, or with another form of nested values.

    Raises:
        ConfigurationError: they differ; the message has the command that reloads the stream.
    """
    for setting, wanted, hint in (("sync_mode", mode, MODE_HINT), ("nested", nested, NESTED_HINT)):
        found = table.get(hint, wanted)
        if found != wanted:
            raise ConfigurationError(
                f'{setting} = "{wanted}", but the table {stream.name} was made with {setting} = "{found}". '
                f"Load it anew with `--full-refresh --streams {stream.name}`, "
                f'in code `refresh="drop_resources"`{stream.loses}, or set it back.'
            )


class Spool:
    """Batches kept on disk until a stream has been read whole."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="zendesk-spool-")  # noqa: SIM115
        self._ids: list[Array] = []
        self._batches = 0

    def add(self, data: Any, key: Sequence[str] | None) -> None:
        """Keep a batch; with `key`, remember whose rows it has."""
        pickle.dump(data, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self._batches += 1
        if key is not None:
            is_table = isinstance(data, pa.Table)
            self._ids.append(ids_of(data, key) if is_table else compact([[row[name] for row in data] for name in key]))

    def batches(self) -> Iterator[Any]:
        """The batches in order; with keys, only the last row of each key."""
        last = self._last()
        self._file.seek(0)
        for i in range(self._batches):
            data = pickle.load(self._file)  # our own file, written above
            if last is not None:
                kept = last[i]
                is_table = isinstance(data, pa.Table)
                data = data.take(pa.array(kept)) if is_table else type(data)(data[row] for row in kept)
            if len(data):
                yield data

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def _last(self) -> list[Array] | None:
        """By batch, the places of rows whose key does not come again."""
        if not self._ids:
            return None
        ids = np.concatenate(self._ids)
        _, from_end = np.unique(ids[::-1], return_index=True)
        places = np.sort(len(ids) - 1 - from_end)
        edges = np.cumsum([0, *map(len, self._ids)])
        return [places[(places >= a) & (places < b)] - a for a, b in pairwise(edges.tolist())]
