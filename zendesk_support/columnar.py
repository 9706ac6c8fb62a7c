"""Arrow arrays of Python values.

pyarrow's own `pa.array` and `pa.scalar` import pandas wherever it is installed: a second, and some ten megabytes, which
nothing here needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def strings(values: Sequence[bytes | None]) -> pa.StringArray:
    """UTF-8 texts."""
    texts = [value or b"" for value in values]
    ends = np.zeros(len(texts) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, texts), np.int32, len(texts)), out=ends[1:])
    data = pa.py_buffer(b"".join(texts))
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), data, _validity(values))


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


def guessed(values: Sequence[Any]) -> pa.Array:
    """Values of one type, whichever it is."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {int}:
        return integers(values)
    if kinds == {str}:
        return strings([value if value is None else value.encode() for value in values])
    return pa.array(values) if kinds else pa.nulls(len(values))


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
