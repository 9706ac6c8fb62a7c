"""The time in a ULID: its first ten characters are milliseconds, in Crockford's base 32."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from zendesk_support.records.json_rows import Row, tokens

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PLACES = {letter: place for place, letter in enumerate(ALPHABET)}
ULID = re.compile(rb'"([0-7][0-9A-HJKMNP-TV-Z]{9})[0-9A-HJKMNP-TV-Z]{16}"')


def ulid_milliseconds(rows: Sequence[Row], name: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """When the ULIDs of a column were made, Unix milliseconds; 0 for what is none."""
    return np.array([milliseconds(text) for text in tokens(rows, name)], np.int64)


def milliseconds(text: bytes) -> int:
    """When a ULID, as JSON, was made."""
    found = ULID.fullmatch(text)
    if found is None:
        return 0
    made = 0
    for letter in found[1].decode():
        made = made * 32 + PLACES[letter]
    return made
