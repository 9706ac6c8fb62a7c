"""Keys of rows as numbers, and digests of rows: 8 and 18 bytes a row, so that a million rows fit in 30 MB."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

ROW_ID = "_dlt_id"
Array = np.ndarray[Any, Any]


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
