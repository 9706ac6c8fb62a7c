"""Pages of an answer as rows of undecoded JSON values."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any, Protocol, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Row = dict[str, msgspec.Raw]
Rows = list[Row]

NULL = msgspec.Raw(b"null")
HASH_SIZE = 9


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
    next_page: str | None
    side: Rows | None


@cache
def page_decoder(key: str, side: str | None = None) -> Callable[[bytes], Page]:
    """A decoder of answers whose rows stand under `key`, and side-loaded rows under `side`."""
    fields: list[Any] = [
        ("rows", Rows),
        ("meta", Meta | None, None),
        ("links", Links | None, None),
        ("after_cursor", str | None, None),
        ("end_of_stream", bool | None, None),
        ("end_time", int | None, None),
        ("next_page", str | None, None),
        ("side", Rows | None, None),
    ]
    rename = {"rows": key, "side": side or "__no_side_load__"}
    decoder: Any = msgspec.json.Decoder(msgspec.defstruct("Page", fields, rename=rename))

    def decode(body: bytes) -> Page:
        body = utf8(body)
        try:
            return cast(Page, decoder.decode(body))
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            return cast(Page, decoder.decode(repaired(body)))

    return decode


def utf8(body: bytes) -> bytes:
    """The body as it is, or with U+FFFD for bytes that are not UTF-8, which msgspec leaves unnoticed within values."""
    try:
        body.decode()
        return body
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode()


def repaired(body: bytes) -> bytes:
    """Re-encode JSON that is only nearly valid: NaN becomes null, lone surrogates become U+FFFD.

    Raises:
        msgspec.DecodeError: it is not JSON at all.
    """
    try:
        value = json.loads(body.decode(), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error
    return without_lone_surrogates(json.dumps(value, ensure_ascii=False)).encode()


def without_lone_surrogates(text: str) -> str:
    """Replace what UTF-8 cannot hold by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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
    """A time column as Unix seconds: integers as they are, ISO date-times converted, null as 0."""
    texts = tokens(rows, name)
    if any(text[:1] == b'"' for text in texts):
        values = pa.array([None if text == b"null" else text[1:-1] for text in texts], pa.binary())
        stamps = pc.cast(values.cast(pa.string()), pa.timestamp("s", "UTC"), safe=False)
        return np.asarray(pc.fill_null(stamps.cast(pa.int64()), 0))
    return np.array([0 if text == b"null" else int(float(text)) for text in texts], np.int64)


def number(row: Row, name: str) -> int | None:
    """An integer of a row, or None."""
    text = bytes(row.get(name, NULL))
    return None if text == b"null" else int(text)


def raw(value: Any) -> msgspec.Raw:
    """A Python value as JSON."""
    return msgspec.Raw(msgspec.json.encode(value))
