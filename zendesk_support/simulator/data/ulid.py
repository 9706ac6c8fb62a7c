"""ULIDs: ids that are texts and order as their times do."""

from __future__ import annotations

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(ms: int, number: int) -> str:
    """Return the ULID of a time in milliseconds and 80 more bits, in Crockford's base 32."""
    value = (ms << 80) | (number & ((1 << 80) - 1))
    return "".join(_DIGITS[value >> shift & 31] for shift in range(125, -1, -5))
