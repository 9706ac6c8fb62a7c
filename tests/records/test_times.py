"""Times as Zendesk writes them: whole seconds, milliseconds, microseconds, numbers; and in ULIDs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from zendesk_support.records.json_rows import raw, seconds
from zendesk_support.records.ulid import ulid_milliseconds
from zendesk_support.warehouse.loaded_table import as_json

AT = 1_760_631_396


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2025-10-16T16:16:36Z", AT),
        ("2025-10-16T16:16:36.077Z", AT),
        ("2025-10-16T16:16:36.999999+00:00", AT),
        ("2025-10-16T16:16:36.077123456Z", AT),
        ("2025-10-16T18:16:36.5+02:00", AT),
        (AT, AT),
        (f"{AT}", 0),
        ("1969-12-31T23:59:59.9Z", 0),
        ("soon", 0),
        (None, 0),
    ],
)
def test_a_time_is_read_to_the_second_however_exactly_it_is_written(value: Any, found: int) -> None:
    rows = [{"at": raw(value)}]
    assert seconds(rows, "at").tolist() == [found]
    beside = [*rows, {"at": raw("2025-10-16T16:16:37Z")}, {}]
    if not isinstance(value, int):
        assert seconds(beside, "at").tolist() == [found, AT + 1, 0]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("01M4FMZGKXZY6T2TJTER5PJWV7", 1_791_526_683_261),
        ("7ZZZZZZZZZ0000000000000000", 2**48 - 1),
        ("8ZZZZZZZZZ0000000000000000", 0),
        ("01M4FMZGKXZY6T2TJTER5PJWVU", 0),
        ("01ad1c9e-4ae1-11f1-9738-000000000001", 0),
        (7, 0),
        (None, 0),
    ],
)
def test_a_ulid_tells_when_it_was_made(value: Any, found: int) -> None:
    assert ulid_milliseconds([{"id": raw(value)}], "id").tolist() == [found]


@pytest.mark.parametrize(
    ("microsecond", "text"), [(0, b'"2026-01-18T15:10:16Z"'), (914_600, b'"2026-01-18T15:10:16.914600Z"')]
)
def test_a_time_read_back_from_a_table_keeps_its_fractions(microsecond: int, text: bytes) -> None:
    """Rows that are marked as deleted are written with it once more."""
    value = datetime(2026, 1, 18, 15, 10, 16, microsecond, timezone.utc)
    assert bytes(as_json(value, "timestamp")) == text
