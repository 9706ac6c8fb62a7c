"""The form of a stream's rows, with the columns that the destination already has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dlt
from dlt.common.schema import Schema

from zendesk_support.loading.encoders import ArrowEncoder, Encoder, NestedTablesEncoder, RowEncoder
from zendesk_support.loading.shared_tables import account_column
from zendesk_support.loading.sync_modes import APPENDING
from zendesk_support.loading.target import Target
from zendesk_support.records.arrow import Converter, DataType, Names
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.keys import ROW_ID
from zendesk_support.warehouse.loaded_table import DELETED_AT, KEY_HINT


def make_encoder(stream: Stream, target: Target, without_nul: bool) -> Encoder:
    """The form of a stream's rows, with the columns the destination already has."""
    schema, mode = dlt.current.source_schema(), target.mode
    naming = schema.naming
    columns: dict[str, Any] = dict(schema.tables.get(target.table, {}).get("columns", {}))
    keys = {column[KEY_HINT]: name for name, column in columns.items() if KEY_HINT in column}
    found: dict[str, DataType] = {}
    for name in account_column(target.settings):
        columns.pop(name, None)
    for name, column in columns.items():
        data_type = column.get("data_type")
        if data_type in ("bigint", "text", "timestamp", "bool", "double", "json") and not name.startswith("_dlt"):
            found[name] = data_type
    if target.settings.nested == "tables":
        names = Names({*stream.columns, ROW_ID, DELETED_AT}, found, naming.normalize_path, keys)
        varying = held_as_texts(stream, target.table, schema)
        return NestedTablesEncoder(
            names, stream.dropped, naming.normalize_path, without_nul, mode in APPENDING, varying
        )
    types: dict[str, DataType] = dict(stream.columns)
    for name, hints in hinted_columns().items():
        if types.get(name) == "json" and hints.get("data_type") == "text":
            types[name] = "text"  # the user's own hint
    required = list(stream.key)
    if stream.removes:
        types[DELETED_AT] = "timestamp"
    if stream.digested or mode == "history":
        types[ROW_ID] = "text"
        required.append(ROW_ID)
    converter = Converter(
        types,
        found,
        required,
        stream.dropped,
        naming.normalize_identifier,
        lambda n: naming.shorten_fragments(n, "v_text"),
        without_nul,
        keys,
        account_column(target.settings),
    )
    account = target.settings.shares
    return RowEncoder(converter, account) if target.as_rows else ArrowEncoder(converter, account)


def hinted_columns() -> Mapping[str, Any]:
    """What the resource under way says of its columns."""
    hinted: Any = dlt.current.resource().columns
    return hinted if isinstance(hinted, Mapping) else {}


def held_as_texts(stream: Stream, root: str, schema: Schema) -> frozenset[tuple[str, ...]]:
    """The paths of values whose types vary, less those that a child table already holds as another type."""

    def held(path: tuple[str, ...]) -> str | None:
        *above, leaf = path
        table: Any = schema.tables.get(schema.naming.shorten_fragments(root, *above), {})
        return (table.get("columns") or {}).get(leaf, {}).get("data_type")  # type: ignore[no-any-return]

    return frozenset(path for path in stream.varying_paths if held(path) in (None, "text"))
