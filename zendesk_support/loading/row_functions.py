"""Row functions over pages: a resource yields Arrow tables, functions that people write take rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from zendesk_support.dlt_internals import ItemTransform, MapItem
from zendesk_support.errors import ConfigurationError
from zendesk_support.records.arrow import JSON_FIELD
from zendesk_support.warehouse.loaded_table import DELETED_AT

Row = dict[str, Any]
OWN = "_"
"""What columns of ours and dlt's begin with."""
HELD = {b"zendesk": b"held"}
OF_A_TOMBSTONE = 2
"""How many values besides ids a row may have that only removes another."""


def rows(page: Any) -> Iterator[Row]:
    """The rows of what a resource yields, as dictionaries.

    Args:
        page: a `pyarrow.Table`, or rows already, as with `nested="tables"`.

    Yields:
        A row: times are `datetime` with UTC, nested values lists and dictionaries.
    """
    if isinstance(page, pa.RecordBatch):
        page = pa.Table.from_batches([page])
    if isinstance(page, pa.Table):
        nested = [field.name for field in page.schema if is_json(field)]
        for batch in page.to_batches():
            for row in batch.to_pylist():
                for name in nested:
                    if row[name] is not None:
                        row[name] = msgspec.json.decode(row[name])
                yield row
    elif isinstance(page, dict):
        yield page
    else:
        yield from page


def by_row(function: Callable[[Row], Any]) -> Callable[[Any], Any]:
    """Let a function of one row work on what a resource yields: `resource.add_map(by_row(function))`.

    The page that comes out has the types of the one that went in; a key that the function adds is a new column, one
    that it takes out of every row is left out. A row that says that something was deleted always stays; unless it has
    values besides (`deletes = "mark"`) the function does not see it.

    Args:
        function: takes a row, as `rows` gives it, and returns the row to load; None or False leaves it out, True keeps
            it as it is.

    Returns:
        A function of a page, or of a row where the resource yields rows.

    Raises:
        ConfigurationError: when called: the function returns something else, or a value that its column cannot hold.
    """

    def on_page(item: Any) -> Any:
        if not isinstance(item, (pa.Table, pa.RecordBatch)):
            return changed(function, item)
        taken = [row for row in (changed(function, row) for row in rows(item)) if row is not None]
        return page_of(taken, item.schema)

    on_page.of_rows = True  # type: ignore[attr-defined]
    return on_page


class RowStep(ItemTransform[Any, dict[str, Any]]):
    """A step of a resource's pipe for a function that `by_row` has made: in a list, too, rows can be left out."""

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """A page, or the rows that stay; None where none does."""
        if is_held(item):
            return item
        if not isinstance(item, list):
            return self._f(item)
        return [made for made in map(self._f, item) if made is not None] or (None if item else item)


class PageStep(MapItem):
    """A step of a resource's pipe for a function of pages."""

    def __call__(self, item: Any, meta: Any = None) -> Any:
        """What the function makes of a page."""
        return item if is_held(item) else super().__call__(item, meta)


class LoadedRow(dict[str, Any]):
    """A row that was read back from the destination: users' steps were applied when it was loaded, and pass it by."""


class LoadedRows(list[Any]):
    """Several of them, as one item for dlt."""


def loaded_page(table: pa.Table) -> pa.Table:
    """A page of such rows."""
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **HELD})


def is_held(item: Any) -> bool:
    """Whether an item holds rows that were read back."""
    if isinstance(item, pa.Table):
        return HELD.items() <= (item.schema.metadata or {}).items()
    return isinstance(item, LoadedRows)


def changed(function: Callable[[Row], Any], row: Row) -> Row | None:
    """What a function makes of a row; None where it leaves it out."""
    gone = row.get(DELETED_AT) is not None
    if gone and bare(row):
        return row
    result = function(dict(row) if gone else row)
    result = bool(result) if isinstance(result, np.bool_) else result
    if result is True or (gone and not isinstance(result, dict)):
        return row
    if result is None or result is False:
        return None
    if not isinstance(result, dict):
        raise ConfigurationError(
            f"{name_of(function)} returned {type(result).__name__} for a row. Return the row, None or False to leave "
            "it out, or True to keep it as it is."
        )
    return result


def bare(row: Row) -> bool:
    """Whether a row says no more than that something was deleted: ids, perhaps a name and a version."""
    values = (
        value for name, value in row.items() if not (name.startswith(OWN) or name == "id" or name.endswith("_id"))
    )
    return sum(value is not None for value in values) <= OF_A_TOMBSTONE


def page_of(taken: list[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table with the columns of a schema, and new ones."""
    names = dict.fromkeys(name for row in taken for name in row) if taken else dict.fromkeys(schema.names)
    for field in schema:
        if not field.nullable and field.name not in names:
            raise ConfigurationError(f"a row function took out {field.name}, which the table cannot be without.")
    fields, arrays = [], []
    for name in (*(n for n in schema.names if n in names), *(n for n in names if n not in schema.names)):
        values = [row.get(name) for row in taken]
        field = schema.field(name) if name in schema.names else None
        if is_json(field) if field is not None else any(isinstance(value, (dict, list)) for value in values):
            values = [None if value is None else msgspec.json.encode(value).decode() for value in values]
        try:
            array = pa.array(values, field.type if field is not None else None)
        except (pa.ArrowException, TypeError, OverflowError) as error:
            told = f"a row function gave column {name} a value that it cannot hold: {error}"
            raise ConfigurationError(told) from error
        fields.append(field if field is not None else pa.field(name, array.type))
        arrays.append(array)
    return pa.table(arrays, schema=pa.schema(fields))


def is_json(field: pa.Field) -> bool:
    """Whether the texts of a column are JSON."""
    return bool(field.metadata) and field.metadata.get(b"data_type") == JSON_FIELD[b"data_type"]


def name_of(function: Any) -> str:
    """What people call a function."""
    return str(getattr(function, "__qualname__", function))


def takes_meta(function: Any) -> bool:
    """Whether dlt would call a function with an item and what is known of it."""
    return len(inspect.signature(function).parameters) > 1
