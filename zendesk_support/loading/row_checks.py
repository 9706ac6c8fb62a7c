"""What every row must have, and how an error about rows is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import msgspec
import pyarrow as pa

from zendesk_support.api.answers import plain
from zendesk_support.dlt_internals import DatabaseException
from zendesk_support.errors import ConfigurationError, ContractError, ZendeskError
from zendesk_support.records.arrow import OWN_COLUMNS
from zendesk_support.records.json_rows import NULL, Row, Rows, is_id, quoted, tokens
from zendesk_support.streams.base import Stream

UNEXPECTED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    pa.ArrowException,
)
"""What a row can cause that nobody has thought of."""


def key_text(row: Row, key: Sequence[str]) -> tuple[bytes, ...]:
    """A row's key, comparable."""
    return tuple(bytes(row[name]) for name in key)


def in_words(stream: Stream, error: BaseException) -> BaseException:
    """An error that says by itself what it is about; one that nobody expected rarely does."""
    if "extension" in str(error) and (isinstance(error, DatabaseException) or "duckdb" in type(error).__module__):
        why = "to find what Zendesk has deleted" if stream.snapshot else "to redact and remove rows"
        return ConfigurationError(
            f"{stream.name}: its table cannot be read back, which is needed {why}: "
            f"{plain(str(error), ())} dlt reads tables of this format by an extension of DuckDB: install it where this "
            f'runs, or set streams.{stream.name}.sync_mode = "overwrite".'
        )
    if isinstance(error, ZendeskError) or not isinstance(error, UNEXPECTED):
        return error
    told = ContractError(
        f"{stream.name}: what came in could not be taken in ({type(error).__name__}: {plain(str(error), ())}). Nothing "
        "of that page was loaded, the position stays; report it."
    )
    told.__cause__ = error
    return told


def check_keys(rows: Rows, stream: Stream) -> None:
    """Refuse a page with a row that its key does not tell apart.

    Raises:
        ContractError: a key is missing, or of another type.
    """
    for name in stream.key:
        is_valid = is_id if stream.columns[name] == "bigint" else is_text
        for row in rows:
            if not is_valid(text := bytes(row.get(name, NULL))):
                kind = "integer" if is_valid is is_id else "text"
                raise ContractError(
                    f"{stream.name}: {name} of a row is {quoted(text)}, no {kind}; nothing of its page was loaded."
                )


def is_text(text: bytes) -> bool:
    """Whether a JSON text is a string."""
    return text.startswith(b'"')


def foreign(rows: Rows) -> Rows:
    """Rows of the API, whose keys never mean a column of ours: `_deleted_at` would remove the row."""
    if not any(name in row for row in rows for name in OWN_COLUMNS):
        return rows
    return [{own_name(key, row) if key in OWN_COLUMNS else key: value for key, value in row.items()} for row in rows]


def own_name(key: str, row: Row) -> str:
    """Another name for a key of the API, `zendesk_dlt_id` for `_dlt_id`."""
    while key in OWN_COLUMNS or key in row:
        key = f"zendesk{key}"
    return key


def values(rows: Rows, name: str) -> list[Any]:
    """A column as Python values."""
    return list(msgspec.json.decode(b"[" + b",".join(tokens(rows, name)) + b"]"))


def time_value(stream: Stream, column: str, at: int) -> Any:
    """Unix seconds in the type of a stream's column."""
    return datetime.fromtimestamp(at, timezone.utc) if stream.columns[column] == "timestamp" else at
