"""Pages of an answer as rows of undecoded JSON values."""

from __future__ import annotations

import base64
from collections.abc import Callable, Container, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, Protocol, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zendesk_support.errors import ContractError

Row = dict[str, msgspec.Raw]
Rows = list[Row]

NULL = msgspec.Raw(b"null")
TOO_FINE = r"(:\d\d\.\d{6})\d+"
"""A time's parts of a second down to the microsecond, and what is finer."""
HASH_SIZE = 9
FAR_FUTURE = 4_102_444_800


class Meta(msgspec.Struct):
    """`meta` of a cursor-paginated answer."""

    has_more: bool | None = None
    after_cursor: str | None = None


class Links(msgspec.Struct):
    """`links` of a cursor-paginated answer."""

    next: str | None = None


class Page(Protocol):
    """One decoded answer; what the endpoint does not send is None."""

    rows: Rows
    meta: Meta | None
    links: Links | None
    after_cursor: str | None
    end_of_stream: bool | None
    end_time: int | None
    next_page: str | msgspec.UnsetType | None
    before_url: str | msgspec.UnsetType | None
    side: Rows | None


@cache
def page_decoder(key: str, side: str | None = None) -> Callable[[bytes], Page]:
    """A decoder of answers whose rows stand under `key`, and side-loaded rows under `side`.

    Rows may stand under a key that leads on in other answers, as `links` does.
    """
    fields: list[Any] = [
        ("rows", Rows),
        ("meta", Meta | None, None),
        ("links", Links | None, None),
        ("after_cursor", str | None, None),
        ("end_of_stream", bool | None, None),
        ("end_time", int | None, None),
        ("next_page", str | None | msgspec.UnsetType, msgspec.UNSET),
        ("before_url", str | None | msgspec.UnsetType, msgspec.UNSET),
        ("side", Rows | None, None),
    ]
    rename = {key: "__rows__", "rows": key, "side": side or "__no_side_load__"}
    return cast(
        "Callable[[bytes], Page]", msgspec.json.Decoder(msgspec.defstruct("Page", fields, rename=rename)).decode
    )


def without(secrets: Sequence[str], decode: Callable[[bytes], Page]) -> Callable[[bytes], Page]:
    """A decoder whose rows, side-loaded ones too, lack some members.

    Args:
        secrets: names, or paths such as `authentication.data`, which lead through objects and lists; capitals or not.
        decode: the decoder of the whole page; it is given back where there are no secrets.
    """
    if not secrets:
        return decode

    whole = frozenset(secret.lower() for secret in secrets)
    within = [secret.lower().split(".") for secret in secrets if "." in secret]

    def read(body: bytes) -> Page:
        page = decode(body)
        for row in (*page.rows, *(getattr(page, "side", None) or ())):
            for key in [key for key in row if key.lower() in whole]:
                del row[key]
            for name, *rest in within:
                for key in [key for key in row if key.lower() == name]:
                    row[key] = raw(pruned(msgspec.json.decode(row[key]), rest))
        return page

    return read


def pruned(value: Any, path: Sequence[str]) -> Any:
    """A decoded value without the member that a path leads to; the items of a list have the list's own path.

    A text in place of an object is left out whole.
    """
    if isinstance(value, list):
        return [pruned(item, path) for item in value]
    if isinstance(value, str):
        return None  # it may hold the member in a form of its own
    if not isinstance(value, dict):
        return value
    name, *rest = path
    if not rest:
        return {key: item for key, item in value.items() if key.lower() != name}
    return {key: pruned(item, rest) if key.lower() == name else item for key, item in value.items()}


def row_hash(row: Row) -> bytes:
    """A digest of a row's content: equal for byte-equal rows."""
    digest = blake2b(digest_size=HASH_SIZE)
    for name, value in row.items():
        digest.update(name.encode())
        digest.update(value)
    return digest.digest()


def pack(hashes: Iterable[bytes]) -> str:
    """Digests as one short text, for the pipeline's state."""
    return base64.b85encode(b"".join(sorted(hashes))).decode()


def unpack(text: str | None) -> set[bytes]:
    """The digests that `pack` wrote."""
    joined = base64.b85decode(text or "")
    return {joined[i : i + HASH_SIZE] for i in range(0, len(joined), HASH_SIZE)}


def tokens(rows: Sequence[Row], name: str) -> list[bytes]:
    """The JSON texts of one column."""
    return [bytes(row.get(name, NULL)) for row in rows]


def seconds(rows: Sequence[Row], name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A time column as Unix seconds: integers as they are, ISO date-times converted; 0 for null and what is no time."""
    texts = tokens(rows, name)
    try:
        found = _seconds(texts)
    except (ValueError, OverflowError):
        found = np.array([_second(text) for text in texts], np.int64)
    found[(found < 0) | (found > FAR_FUTURE)] = 0
    return found


def _seconds(texts: list[bytes]) -> np.ndarray[Any, np.dtype[np.int64]]:
    if any(text[:1] == b'"' for text in texts):
        values = pa.array([None if text == b"null" else text[1:-1] for text in texts], pa.binary())
        stamps = pc.floor_temporal(instants(values.cast(pa.string())), unit="second").cast(pa.timestamp("s", "UTC"))
        return np.array(pc.fill_null(stamps.cast(pa.int64()), 0))
    return np.array([0 if text == b"null" else int(float(text)) for text in texts], np.int64)


def _second(text: bytes) -> int:
    try:
        return int(_seconds([text])[0])
    except (ValueError, OverflowError):
        return 0


def instants(texts: pa.Array) -> pa.Array:
    """Times with a zone as UTC; what is finer than a microsecond is cut off.

    Raises:
        ArrowInvalid: one of them is no such time.
    """
    try:
        return pc.cast(texts, pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        return pc.cast(pc.replace_substring_regex(texts, TOO_FINE, r"\1"), pa.timestamp("us", "UTC"))


def number(row: Row, name: str) -> int | None:
    """An integer of a row, or None.

    Raises:
        ContractError: it is something else.
    """
    text = bytes(row.get(name, NULL))
    if text == b"null":
        return None
    if not is_id(text):
        raise ContractError(f"{name} is {quoted(text)}, no integer; nothing of its page was loaded.")
    return int(text)


def quoted(text: bytes) -> str:
    """The beginning of a JSON text, for a message."""
    return text[:40].decode(errors="replace")


def count(row: Row, name: str) -> int:
    """A whole number of a row; 0 where there is none."""
    text = bytes(row.get(name, NULL))
    return int(text) if is_id(text) else 0


def with_texts(value: Any, varying: Container[tuple[str, ...]], path: tuple[str, ...] = ()) -> Any:
    """A decoded value whose members at some paths are texts, whatever they are: JSON where they are none.

    Args:
        value: JSON, decoded.
        varying: paths of keys; the items of a list have the list's own.
        path: of the value itself.
    """
    if path in varying:
        return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()
    if isinstance(value, dict):
        return {key: with_texts(item, varying, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, varying, path) for item in value]
    return value


def is_id(text: bytes) -> bool:
    """Whether a JSON text is an integer of 64 bits."""
    digits = text.removeprefix(b"-")
    return digits.isdigit() and len(digits) < 20 and -(2**63) <= int(text) < 2**63


def raw(value: Any) -> msgspec.Raw:
    """A Python value as JSON."""
    return msgspec.Raw(msgspec.json.encode(value))
