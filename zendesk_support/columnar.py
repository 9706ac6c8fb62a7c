"""Arrow arrays of Python values.

pyarrow's own `array`, `scalar` and `to_numpy` import pandas wherever it is installed. That takes a second that nothing
here needs; and while a reader's thread is at it, dlt stumbles over the half-made module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def strings(values: Sequence[bytes | None]) -> pa.StringArray:
    """UTF-8 texts."""
    there = [value or b"" for value in values]
    ends = np.zeros(len(there) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, there), np.int32, len(there)), out=ends[1:])
    data = pa.py_buffer(b"".join(there))
    return pa.StringArray.from_buffers(len(there), pa.py_buffer(ends), data, _validity(values))


def integers(values: Sequence[int | None]) -> pa.Int64Array:
    """Integers.

    Raises:
        OverflowError: one has more than 64 bits.
    """
    return _numbers(values, np.int64, pa.int64())


def floats(values: Sequence[float | None]) -> pa.DoubleArray:
    """Floating-point numbers."""
    return _numbers(values, np.float64, pa.float64())


def booleans(values: Sequence[bool | None]) -> pa.BooleanArray:
    """Truth values."""
    bits = np.packbits(np.fromiter(map(bool, values), np.bool_, len(values)), bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [_validity(values), pa.py_buffer(bits)])


def moments(values: Sequence[datetime | None]) -> pa.TimestampArray:
    """Times, to the microsecond."""
    counts = [None if value is None else (value - EPOCH) // timedelta(microseconds=1) for value in values]
    return integers(counts).cast(pa.timestamp("us", "UTC"))


def typed(data_type: str, values: Sequence[Any]) -> pa.Array:
    """Values of a dlt data type: text, timestamp, bigint, double or bool."""
    return _MAKERS[data_type](values)


def texts(values: Sequence[str | None]) -> pa.StringArray:
    """Texts."""
    return strings([value if value is None else value.encode() for value in values])


def to_numpy(column: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """64-bit integers without a null."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    found = [
        np.frombuffer(chunk.buffers()[1], np.int64, len(chunk), chunk.offset * 8) for chunk in chunks if len(chunk)
    ]
    return np.concatenate([np.zeros(0, np.int64), *found])


def guessed(values: Sequence[Any]) -> pa.Array:
    """Values of one type, whichever it is."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int}:
        return integers(values)
    if kinds == {str}:
        return texts(values)
    return pa.array(values) if kinds else pa.nulls(len(values))


_MAKERS: dict[str, Callable[[Sequence[Any]], pa.Array]] = {
    "text": texts,
    "timestamp": moments,
    "bigint": integers,
    "double": floats,
    "bool": booleans,
}


def _numbers(values: Sequence[Any], kind: Any, arrow: pa.DataType) -> pa.Array:
    validity = _validity(values)
    data = np.array(values if validity is None else [0 if value is None else value for value in values], kind)
    return pa.Array.from_buffers(arrow, len(values), [validity, pa.py_buffer(data)])


def _validity(values: Sequence[Any]) -> pa.Buffer | None:
    """A bit for each value, set where there is one; None where no value is missing."""
    if None not in values:
        return None
    is_there = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return pa.py_buffer(np.packbits(is_there, bitorder="little"))
