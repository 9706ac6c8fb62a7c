"""The form in which rows reach dlt: Arrow tables, or plain rows for dlt's own normalizer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Protocol

import dlt
import msgspec
import pyarrow as pa

from zendesk_support.dlt_internals import generate_dlt_id
from zendesk_support.loading.row_functions import LoadedRows, is_held, is_json, rows
from zendesk_support.records.arrow import Converter, Identifier, Names, without_nul
from zendesk_support.records.json_repair import repaired
from zendesk_support.records.json_rows import Rows, with_texts
from zendesk_support.warehouse.keys import ROW_ID
from zendesk_support.warehouse.loaded_table import ACCOUNT, KEY_HINT, LOAD_ID


class Encoder(Protocol):
    """Turns a stream's rows into what dlt extracts."""

    def begin(self, load_id: str | None) -> None:
        """Make items for a dlt run, given its load package."""

    def encode(self, rows: Rows) -> Any:
        """Rows as an item."""

    def annotate(self, item: Any) -> Any:
        """The item as a resource may yield it, with the hints of columns that the run meets for the first time."""

    def empty(self) -> Any:
        """An item that makes the table without rows."""


class ArrowEncoder:
    """Arrow tables: nested values are JSON columns, byte for byte as sent."""

    def __init__(self, converter: Converter, account: str | None = None) -> None:
        """Encode a stream's rows.

        Args:
            converter: makes the tables.
            account: whose they are, where several accounts share the table.
        """
        self._converter = converter
        self._account = account

    def begin(self, load_id: str | None) -> None:
        """Every run hints its columns anew: dlt would turn JSON columns to text."""
        self._load_id = load_id
        self._hinted = set[str]()

    def encode(self, rows: Rows) -> pa.Table:
        """Rows as an Arrow table."""
        return self._converter.table(rows)

    def annotate(self, item: pa.Table) -> Any:
        """The table with its load id, marked with what dlt cannot tell: JSON, and keys of other names."""
        item = self._owned(item)
        if self._load_id is not None:
            ids = pa.repeat(pa.scalar(self._load_id), len(item))
            item = item.append_column(pa.field(LOAD_ID, pa.string(), nullable=False), ids)
        types, renamed = self._converter.types, self._converter.renamed
        columns: Any = {}
        for name in set(item.column_names) - self._hinted:
            hints = {"data_type": "json"} if types.get(name) == "json" else {}
            hints |= {KEY_HINT: renamed[name]} if name in renamed else {}
            if hints:
                columns[name] = {"name": name, **hints}
        if not columns:
            return item
        self._hinted |= set(columns)
        return dlt.mark.with_hints(item, dlt.mark.make_hints(columns=columns))

    def _owned(self, item: pa.Table) -> pa.Table:
        """The table with the account before all other columns, where others share it."""
        if self._account is None:
            return item
        whose = pa.repeat(pa.scalar(self._account), len(item))
        return item.add_column(0, pa.field(ACCOUNT, pa.string(), nullable=False), whose)

    def empty(self) -> Any:
        """A table with every known column and no row."""
        return self.annotate(self.encode([]))


class RowEncoder(ArrowEncoder):
    """Rows with nested values as they are, for destinations that take a text in a JSON column for a JSON string."""

    def annotate(self, item: pa.Table) -> Any:
        """The table's rows, in the hints that dlt would give an Arrow table."""
        columns: Any = {
            field.name: {"name": field.name, "data_type": "json"} for field in item.schema if is_json(field)
        }
        kept = self._owned(item.drop_columns([LOAD_ID]) if LOAD_ID in item.column_names else item)
        new: Any = {name: hints for name, hints in columns.items() if name not in self._hinted}
        self._hinted |= set(new)
        listed = LoadedRows(rows(kept)) if is_held(item) else list(rows(kept))
        if not listed:
            return dlt.mark.materialize_table_schema()
        return dlt.mark.with_hints(listed, dlt.mark.make_hints(columns=new)) if new else listed

    def empty(self) -> Any:
        """dlt's own way to make a table without rows."""
        return dlt.mark.materialize_table_schema()


class NestedTablesEncoder:
    """Plain rows, which dlt's normalizer spreads over child tables."""

    def __init__(
        self,
        names: Names,
        dropped: frozenset[str],
        identifier: Identifier,
        strip_nul: bool = False,
        versions: bool = False,
        varying: frozenset[tuple[str, ...]] = frozenset(),
    ) -> None:
        """Shape one stream's rows.

        Args:
            names: of the stream's own columns.
            dropped: keys of the API left out.
            identifier: the destination's naming of columns.
            strip_nul: leave out NUL characters, for destinations whose text cannot hold them.
            versions: the table takes a row more than once, so that its digest alone does not identify it.
            varying: paths of nested values whose types vary, which become texts.
        """
        self._varying = varying
        self._dropped = dropped
        self._strip_nul = strip_nul
        self._versions = versions
        self._names: defaultdict[tuple[str, ...], Names] = defaultdict(lambda: Names((), (), identifier))
        self._names[()] = names

    def begin(self, load_id: str | None) -> None:
        """dlt adds the load id itself, and forgets from run to run that values are texts."""
        self._hinted = set[str]()
        if load_id is not None:
            hint_texts(self._varying)

    def encode(self, rows: Rows) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        text = msgspec.json.encode([{key: row[key] for key in row if key not in self._dropped} for row in rows])
        if self._strip_nul and b"\\u0000" in text:
            text = without_nul(text)
        try:
            decoded = msgspec.json.decode(text)
        except msgspec.DecodeError:
            decoded = msgspec.json.decode(repaired(text))
        shaped = [self._named(row, ()) for row in decoded]
        if self._versions:
            for row in shaped:
                if ROW_ID in row:
                    row[ROW_ID] += generate_dlt_id()
        return shaped

    def _named(self, value: Any, path: tuple[str, ...]) -> Any:
        """A value with a name of its own for each key, and integers beyond 64 bits as text."""
        if path in self._varying:
            return with_texts(value, self._varying, path)
        if isinstance(value, dict):
            names = self._names[path]
            names.add(value)
            return {names[key]: self._named(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._named(item, path) for item in value]
        return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value

    def annotate(self, item: list[dict[str, Any]]) -> Any:
        """The rows, marked with the keys of columns that have other names."""
        renamed = self._names[()].renamed
        new = renamed.keys() - self._hinted
        if not new:
            return item
        self._hinted |= new
        columns: Any = {name: {"name": name, KEY_HINT: renamed[name]} for name in new}
        return dlt.mark.with_hints(item, dlt.mark.make_hints(columns=columns))

    def empty(self) -> Any:
        """dlt's own way to make a table without rows."""
        return dlt.mark.materialize_table_schema()


def hint_texts(varying: Iterable[tuple[str, ...]]) -> None:
    """Tell dlt that child tables hold texts there: it would take the first text that is a time for a time.

    dlt has no such hints for lists within objects, such as `conditions.all`.
    """
    found: dict[tuple[str, ...], Any] = {}
    for *above, leaf in varying:
        if len(above) == 1:
            columns = found.setdefault(tuple(above), {})
            columns[leaf] = {"name": leaf, "data_type": "text", "nullable": True}
    if found:
        hints: Any = {path: dlt.mark.make_nested_hints(columns=columns) for path, columns in found.items()}
        dlt.current.resource().apply_hints(nested_hints=hints)
