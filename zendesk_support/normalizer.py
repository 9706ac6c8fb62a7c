"""dlt's own way to spread rows over tables, less its casts that change a value.

dlt would load the text "007" into a column of integers as 7, and false into one of texts as "False". Here a value that
its column cannot hold as it is goes to the column that dlt makes for it, such as `value__v_bool`.

It stays in this place, as stored schemas name it by its path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zendesk_support.dlt_internals import TDataType, is_iso_timestamp, relational

LARGEST_WHOLE_DOUBLE = 2**53


class DataItemNormalizer(relational.DataItemNormalizer):
    """The class that dlt looks for in this module."""

    def can_coerce_type(self, to_type: TDataType, from_type: TDataType) -> bool:
        """Whether some value of a type may stand in a column of another."""
        return to_type == from_type or (to_type, from_type) in KEEPING

    def coerce_type(self, to_type: TDataType, from_type: TDataType, value: Any) -> Any:
        """The value as its column has it.

        Raises:
            ValueError: the column cannot hold the value as it is.
        """
        if to_type != from_type and not KEEPING.get((to_type, from_type), never)(value):
            raise ValueError(value)
        return super().coerce_type(to_type, from_type, value)


def never(value: Any) -> bool:
    """No value of the type keeps its meaning."""
    return False


KEEPING: dict[tuple[TDataType, TDataType], Callable[[Any], bool]] = {
    ("timestamp", "text"): lambda value: is_iso_timestamp(str, value) is not None,
    ("double", "bigint"): lambda value: abs(value) <= LARGEST_WHOLE_DOUBLE,
    ("bigint", "double"): float.is_integer,
}
"""Casts that change no value, by the column's type and the value's, and which values of the type they take."""
