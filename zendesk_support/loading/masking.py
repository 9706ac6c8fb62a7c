"""Keeps a table to one mask: what an earlier load has brought stays in rows that are not written again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dlt.extract import DltResource

from zendesk_support.dlt_internals import has_table_seen_data
from zendesk_support.errors import ConfigurationError
from zendesk_support.records.masks import EXCLUDED, HASHED
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.loaded_table import LoadedTable

MASK_HINT = "x-mask"
"""What a table's schema keeps of the mask that it was loaded with."""
OpenTable = Callable[[], LoadedTable | None]


def check_mask(stream: Stream, name: str, tables: Mapping[str, Any], open_table: OpenTable) -> None:
    """Refuse to load beside values that another mask has left in the table.

    A value that is not left out any more is no reason: it comes as rows are written again.

    Args:
        stream: with its mask.
        name: of its table.
        tables: by name, as they are stored.
        open_table: for reading back; None where that is not possible.

    Raises:
        ConfigurationError: there are, or may be, such values; the message says how to be rid of them.
    """
    found = json.loads(tables[name].get(MASK_HINT, "{}"))
    wanted = json.loads(stream.mask.stored)
    if found == wanted or not has_table_seen_data(tables[name]):
        return
    reload = f'`--full-refresh --streams {stream.name}`, in code `refresh="drop_resources"`{stream.loses}'
    if found.get(HASHED) != wanted.get(HASHED):
        raise ConfigurationError(
            f"streams.{stream.name}.hash = {wanted.get(HASHED, [])}, but the table {name} was loaded with hash = "
            f"{found.get(HASHED, [])}: its rows keep what they have. Load it anew with {reload}, or set it back."
        )
    if found.get("salt") != wanted.get("salt"):
        raise ConfigurationError(
            f"hash_salt is not the one that the table {name} was loaded with: its rows keep their hashes, which match "
            f"no new one. Load every stream that has hashes anew with `--full-refresh`, this one with {reload}, or set "
            "it back."
        )
    new = [path for path in wanted.get(EXCLUDED, []) if path not in found.get(EXCLUDED, [])]
    if held := [path for path in new if may_hold(path.partition(".")[0], name, tables, open_table)]:
        emptied = [path for path in held if path in tables[name]["columns"]]
        by_hand = f", or empty it yourself (`UPDATE {name} SET {emptied[0]} = NULL`)" if emptied == held else ""
        rest = f"and rows that are not written again keep it. Load it anew with {reload}{by_hand}"
        if withheld := [path for path in held if path in CATALOGUE[stream.name].withheld]:
            raise ConfigurationError(
                f"streams.{stream.name}.include no longer has {', '.join(withheld)}, but the table {name} was loaded "
                f"with it, {rest}, or include it again: streams.{stream.name}.include = {json.dumps(withheld)}."
            )
        raise ConfigurationError(
            f"streams.{stream.name}.exclude = {wanted[EXCLUDED]}, but the table {name} was loaded with "
            f"{', '.join(held)}, {rest}."
        )


def may_hold(column: str, name: str, tables: Mapping[str, Any], open_table: OpenTable) -> bool:
    """Whether a table, or what was spread of it over columns and child tables, may have a value of a column."""
    spread = f"{name}__{column}"
    if any(has_table_seen_data(table) for child, table in tables.items() if f"{child}__".startswith(f"{spread}__")):
        return True
    made = [known for known, hints in tables[name]["columns"].items() if "data_type" in hints]
    columns = [known for known in made if f"{known}__".startswith(f"{column}__")]
    if not columns:
        return False
    table = open_table()
    return table is None or table.has_values(columns)


def keep_mask(resource: DltResource, stream: Stream, stored: Mapping[str, Any]) -> None:
    """Have the schema forget a mask that the stream has no longer."""
    if not stream.mask and stored.get(MASK_HINT, "{}") != "{}":
        DltResource.apply_hints(resource, additional_table_hints={MASK_HINT: stream.mask.stored})
