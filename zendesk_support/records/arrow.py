"""Rows of undecoded JSON to Arrow tables with stable column types.

A column keeps its type for good: the destination's, else the declared one, else that of its first values. A value that
does not fit goes to the column that dlt's own schema evolution would use for it, `<column>__v_text`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec
import pyarrow as pa

from zendesk_support.records.json_rows import NULL, Rows, instants

DataType = Literal["bigint", "text", "timestamp", "bool", "double", "json"]
Identifier = Callable[[str], str]

ARROW_TYPES: dict[str, pa.DataType] = {
    "bigint": pa.int64(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "bool": pa.bool_(),
    "double": pa.float64(),
    "json": pa.string(),
}
JSON_FIELD = {b"data_type": b"json"}
"""The metadata of a field whose texts are JSON."""
OWN_COLUMNS = frozenset({"_dlt_id", "_dlt_load_id", "_deleted_at"})
UNNAMED = "unnamed"
RESERVED = ("_dlt_", "_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier", "_change_")
"""How columns begin that are dlt's own, or that BigQuery refuses."""
VARIANT = "__v_text"
EXACT_DIGITS = 15

_NULL = b"null"
_STRING, _NUMBER, _BOOL, _NESTED = "string", "number", "bool", "nested"
_KINDS = {ord('"'): _STRING, ord("{"): _NESTED, ord("["): _NESTED, ord("t"): _BOOL, ord("f"): _BOOL}
_FITS = {("text", _STRING), ("timestamp", _STRING), ("bigint", _NUMBER), ("double", _NUMBER), ("bool", _BOOL)}
_decode_strings = msgspec.json.Decoder(list[str | None]).decode
_decode_ints = msgspec.json.Decoder(list[int | None]).decode
_decode_floats = msgspec.json.Decoder(list[float | None]).decode
_decode_bools = msgspec.json.Decoder(list[bool | None]).decode
_MISFIT = (pa.ArrowInvalid, msgspec.DecodeError, OverflowError, UnicodeDecodeError, ValueError)


class Names:
    """Gives each key of the API a column of its own, whatever other keys are called."""

    def __init__(
        self,
        declared: Iterable[str],
        found: Iterable[str],
        identifier: Identifier,
        keys: Mapping[str, str] | None = None,
        taken: Iterable[str] = (),
    ) -> None:
        """Start from known columns.

        Args:
            declared: columns that belong to the keys of their names.
            found: columns at the destination, which do so too unless they hold misfits.
            identifier: the destination's naming of columns.
            keys: columns by key, where an earlier run gave a key a column of another name.
            taken: columns that no key may have.
        """
        self._identifier = identifier
        declared = set(declared)
        known = declared | set(found)
        self._names: dict[str, str] = dict(keys or {})
        own = known - set(self._names.values())
        self._names |= {name: name for name in own if name in declared or not name.endswith(VARIANT)}
        self._taken = known | OWN_COLUMNS | set(taken)
        self._copies: dict[str, int] = {}

    def __getitem__(self, key: str) -> str:
        return self._names[key]

    @property
    def renamed(self) -> dict[str, str]:
        """Keys by column, where the names differ."""
        return {name: key for key, name in self._names.items() if name != key}

    def add(self, keys: Iterable[str]) -> None:
        """Name the new ones among some keys; a key that is its own identifier goes first."""
        new = [(key, self._wanted(key)) for key in keys if key not in self._names]
        for key, wanted in sorted(new, key=lambda pair: pair[0] != pair[1]):
            name, copies = wanted, self._copies.get(wanted, 1)
            while name in self._taken or name.endswith(VARIANT):
                copies += 1
                name = self._identifier(f"{wanted}_{copies}")
            self._taken.add(name)
            self._copies[wanted] = copies
            self._names[key] = name

    def _wanted(self, key: str) -> str:
        """The column a key would have if there were no other; none that is reserved, such as `_dlt_valid_to`."""
        name = self._identifier(key if key.strip() else UNNAMED)
        return self._identifier(f"zendesk{name}") if name.startswith(RESERVED) else name


class Converter:
    """Turns one stream's rows into Arrow tables of one growing schema."""

    def __init__(
        self,
        types: Mapping[str, DataType],
        found: Mapping[str, DataType] | None = None,
        required: Sequence[str] = (),
        dropped: frozenset[str] = frozenset(),
        identifier: Identifier = lambda name: name,
        variant: Identifier = lambda name: f"{name}__v_text",
        strip_nul: bool = False,
        keys: Mapping[str, str] | None = None,
        taken: Iterable[str] = (),
    ) -> None:
        """Start from known column types.

        Args:
            types: data types of declared columns, each of which belongs to the key of its name.
            found: data types of the columns at the destination.
            required: columns that are never null (the primary key).
            dropped: keys of the API left out.
            identifier: the destination's naming of columns.
            variant: the name of the column for values that do not fit.
            strip_nul: leave out NUL characters, for destinations whose text cannot hold them.
            keys: columns by key, where an earlier run gave a key a column of another name.
            taken: columns that no key of the API may have.
        """
        self.types: dict[str, DataType] = {**types, **(found or {})}
        self._lock = threading.Lock()
        self._required = frozenset(required)
        self._dropped = dropped
        self._variant = variant
        self._strip_nul = strip_nul
        self._names = Names(types, found or {}, identifier, keys or {}, taken)

    def table(self, rows: Rows) -> pa.Table:
        """Convert rows, one thread at a time; columns they lack are null."""
        with self._lock:
            return self._table(rows)

    def _table(self, rows: Rows) -> pa.Table:
        count = len(rows)
        columns: dict[str, pa.Array] = {}
        texts_by_key = self._transpose(rows)
        self._names.add(texts_by_key)
        for key, texts in texts_by_key.items():
            self._add(columns, self._names[key], texts)
        fields, arrays = [], []
        for name, data_type in self.types.items():
            metadata = JSON_FIELD if data_type == "json" else None
            nullable = name not in self._required
            fields.append(pa.field(name, ARROW_TYPES[data_type], nullable, metadata))
            arrays.append(columns.get(name) if name in columns else pa.nulls(count, ARROW_TYPES[data_type]))
        return pa.table(arrays, schema=pa.schema(fields))

    @property
    def renamed(self) -> dict[str, str]:
        """Keys by column, where the names differ."""
        return self._names.renamed

    def _transpose(self, rows: Rows) -> dict[str, list[bytes]]:
        if not rows:
            return {}
        first = tuple(rows[0])
        if all(tuple(row) == first for row in rows):
            columns = zip(first, zip(*map(dict.values, rows)))
            return {key: list(map(bytes, values)) for key, values in columns if key not in self._dropped}
        keys = dict.fromkeys(key for row in rows for key in row if key not in self._dropped)
        return {key: [bytes(row.get(key, NULL)) for row in rows] for key in keys}

    def _add(self, columns: dict[str, pa.Array], name: str, texts: list[bytes]) -> None:
        observed = kinds_of(texts)
        if not observed:
            return
        if name not in self.types:
            self.types[name] = self._guess(name, texts, observed)
        data_type = self.types[name]
        if data_type == "json":
            columns[name] = self._text(texts)
        elif data_type == "text" and observed != {_STRING}:
            columns[name] = self._strings(quoted(texts))
        else:
            fitting, misfits = texts, None
            if any((data_type, kind) not in _FITS for kind in observed):
                fitting, misfits = self._split(texts, data_type)
            try:
                columns[name] = self._build(fitting, data_type)
            except _MISFIT:
                fitting, misfits = self._split(texts, data_type)
                columns[name] = self._build(fitting, data_type)
            if misfits is not None:
                variant = self._variant(name)
                self.types.setdefault(variant, "text")
                columns[variant] = self._strings(quoted(misfits))

    def _guess(self, name: str, texts: list[bytes], observed: set[str]) -> DataType:
        """The type of a column nobody declared, from its first values."""
        if _NESTED in observed:
            return "json"
        if len(observed) > 1:
            return "text"
        if observed == {_BOOL}:
            return "bool"
        if observed == {_STRING}:
            return "timestamp" if name.endswith("_at") and self._fits(texts, "timestamp") else "text"
        whole = not any(set(text) & set(b".eE") for text in texts if text != _NULL)
        guess: DataType = "bigint" if whole else "double"
        return guess if self._fits(texts, guess) else "text"

    def _fits(self, texts: list[bytes], data_type: DataType) -> bool:
        try:
            self._build(texts, data_type)
        except _MISFIT:
            return False
        return True

    def _split(self, texts: list[bytes], data_type: DataType) -> tuple[list[bytes], list[bytes]]:
        """Values that fit the type, and those that do not; null where the other has the value."""
        fitting, misfits = [], []
        for text in texts:
            fits = text == _NULL or (
                all((data_type, kind) in _FITS for kind in kinds_of([text])) and self._fits([text], data_type)
            )
            fitting.append(text if fits else _NULL)
            misfits.append(_NULL if fits else text)
        return fitting, misfits

    def _build(self, texts: list[bytes], data_type: DataType) -> pa.Array:
        if data_type == "text":
            return self._strings(texts)
        if data_type == "timestamp":
            return instants(self._strings(texts))
        joined = json_list(texts)
        if data_type == "bigint":
            return pa.array(_decode_ints(joined), pa.int64())
        if data_type == "double":
            if any(len(text) > EXACT_DIGITS and text.lstrip(b"-").isdigit() for text in texts):
                raise ValueError("an integer that a double may round")
            return pa.array(_decode_floats(joined), pa.float64())
        return pa.array(_decode_bools(joined), pa.bool_())

    def _strings(self, texts: list[bytes]) -> pa.Array:
        values = _decode_strings(json_list(texts))
        if self._strip_nul:
            values = [value if value is None else value.replace("\0", "") for value in values]
        return pa.array(values, pa.string())

    def _text(self, texts: list[bytes]) -> pa.Array:
        if self._strip_nul:
            texts = [without_nul(text) for text in texts]
        return pa.array([None if text == _NULL else text for text in texts], pa.binary()).cast(pa.string())


def json_list(texts: list[bytes]) -> bytes:
    """JSON values as one JSON list."""
    return b"[" + b",".join(texts) + b"]"


def kinds_of(texts: list[bytes]) -> set[str]:
    """The JSON kinds that occur, null aside."""
    firsts = {text[0] for text in texts}
    firsts.discard(ord("n"))
    return {_KINDS.get(first, _NUMBER) for first in firsts}


def quoted(texts: list[bytes]) -> list[bytes]:
    """JSON values as JSON strings: strings and null as they are, all else as its text."""
    return [text if text[:1] in (b'"', b"n") else msgspec.json.encode(text.decode()) for text in texts]


def without_nul(text: bytes) -> bytes:
    """Drop escaped NUL characters from a JSON text, leaving escaped backslashes before a plain `u0000` alone."""
    if b"\\u0000" not in text:
        return text
    parts = text.split(b"\\\\")
    return b"\\\\".join(part.replace(b"\\u0000", b"") for part in parts)
