"""The tables below the views: their columns as they are at the destination, and the rows that hold now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from dlt.extract import DltResource

from zendesk_support.dlt_internals import SqlClientBase
from zendesk_support.loading.stream_resource import StreamResource
from zendesk_support.loading.sync_modes import APPENDING, MODE_HINT
from zendesk_support.streams import CATALOGUE
from zendesk_support.warehouse.after_load import quoted
from zendesk_support.warehouse.loaded_table import DELETED_AT, LOAD_ID, VALID_TO
from zendesk_support.wide.definitions import CustomFields, WideView
from zendesk_support.wide.dialects import Dialect
from zendesk_support.wide.fields import Field
from zendesk_support.wide.store import qualified

OPTIONS = "custom_field_options"
OBJECT_KEY = "custom_object_key"
SYSTEM_TYPES = frozenset(
    "assignee basic_priority custom_status description group priority status subject tickettype".split()
)
"""The types of built-in fields, whose values are columns of tickets; `removable` is true of some of them."""


@dataclass(frozen=True)
class Table:
    """A stream's table at the destination.

    Attributes:
        name: of the table.
        columns: types by column, as dlt names types; empty where there is no such table.
        children: columns by child table, named after the list in a row.
        keeps_versions: whether it holds several rows of a key, the newest of which holds.
    """

    stream: str
    name: str
    columns: Mapping[str, str]
    children: Mapping[str, Collection[str]]
    keeps_versions: bool = False

    def has_json(self, column: str) -> bool:
        """Whether there is a column, and nested values are in it; hashed ones are not."""
        return self.columns.get(column) == "json"


class Tables:
    """Reads what views are made from."""

    def __init__(self, client: Any, dialect: type[Dialect], resources: Iterable[DltResource]) -> None:
        self._sql: SqlClientBase[Any] = client.sql_client
        self._dialect = dialect
        self._schema = client.schema
        self._names: dict[str, str] = {}
        for resource in resources:
            if isinstance(resource, StreamResource):
                self._names.setdefault(resource.stream.name, self._table_of(resource.name))
        self._client = client

    def _table_of(self, resource: str) -> str:
        """The table of a resource."""
        found = (
            name
            for name, table in self._schema.tables.items()
            if table.get("resource") == resource and "parent" not in table
        )
        return str(next(found, self._schema.naming.normalize_table_identifier(resource)))

    def read(self, views: Sequence[WideView]) -> dict[str, Table]:
        """The tables of some views and of their custom fields, by stream."""
        lists: dict[str, Collection[str]] = {}
        for view in views:
            lists[view.stream] = view.lists
            if view.custom is not None:
                lists[view.stream] = {**view.lists, **({view.custom.column: False} if view.custom.by_id else {})}
                lists[view.custom.stream] = (OPTIONS,)
        names = {stream: self._names.get(stream, stream) for stream in lists}
        wanted = [*names.values(), *(f"{names[stream]}__{name}" for stream in lists for name in lists[stream])]
        there = dict(self._client.get_storage_tables(wanted))
        return {stream: self._table(stream, names[stream], there, lists[stream]) for stream in lists}

    def _table(self, stream: str, name: str, there: Mapping[str, Any], lists: Collection[str]) -> Table:
        told = self._schema.tables.get(name, {}).get("columns", {})
        columns = {}
        for column, hints in there[name].items():
            kind = hints.get("data_type", "text")
            if self._dialect.json_is_text and kind == "text":
                kind = told.get(column, {}).get("data_type") or CATALOGUE[stream].columns.get(column, kind)
            columns[column] = kind
        children = {key: there[f"{name}__{key}"] for key in lists if there[f"{name}__{key}"]}
        return Table(stream, name, columns, children, bool(columns) and self._mode_of(name) in APPENDING)

    def _mode_of(self, table: str) -> Any:
        """The sync mode of a table; of another pipeline's, as the schema that is kept at the destination has it."""
        if table in self._schema.tables:
            return self._schema.tables[table].get(MODE_HINT)
        for stored in self._stored_schemas:
            if table in stored:
                return stored[table].get(MODE_HINT)
        return None

    @cached_property
    def _stored_schemas(self) -> list[Mapping[str, Any]]:
        """The tables of every schema that pipelines keep in the dataset."""
        versions = self.qualified(self._schema.version_table_name)
        names = self._rows(f"SELECT DISTINCT schema_name FROM {versions}")
        found = [self._client.get_stored_schema(name) for (name,) in names]
        return [msgspec.json.decode(one.schema)["tables"] for one in found if one is not None]

    def qualified(self, table: str) -> str:
        """A table's name with that of its dataset."""
        return qualified(self._sql, self._dialect, table)

    def escaped(self, name: str) -> str:
        """A column's name as the database takes it, whatever is in it."""
        return self._sql.escape_column_name(name)

    def spread(self, column: str, key: str) -> str:
        """The column that a value of an object was spread to."""
        return f"{column}__{self._schema.naming.normalize_identifier(key)}"

    def objects(self, table: Table) -> list[str]:
        """The keys of the custom objects that a table has rows of."""
        if OBJECT_KEY not in table.columns:
            return []
        return [
            key for (key,) in self._rows(f"SELECT DISTINCT {OBJECT_KEY} FROM {self.current(table)} AS t ORDER BY 1")
        ]

    def current(self, table: Table, of: str = "") -> str:
        """What stands after FROM for the rows of a table that hold now, or for those of one custom object."""
        source = self.qualified(table.name)
        wheres = [f"{name} IS NULL" for name in (VALID_TO, DELETED_AT) if name in table.columns]
        wheres += [f"{OBJECT_KEY} = {quoted(of)}"] if of else []
        if table.keeps_versions:
            key = ", ".join(CATALOGUE[table.stream].key)
            version = CATALOGUE[table.stream].version
            order = ", ".join(f"{name} DESC" for name in (LOAD_ID, version) if name in table.columns)
            newest = f"row_number() OVER (PARTITION BY {key} ORDER BY {order})"
            source = f"(SELECT *, {newest} AS version_from_last FROM {source}) AS versions"
            wheres.append("version_from_last = 1")
        return f"(SELECT * FROM {source} WHERE {' AND '.join(wheres)})" if wheres else source

    def fields(self, table: Table, custom: CustomFields, of: str = "") -> dict[int, Field]:
        """The custom fields that a table lists now, by id; or those of one custom object."""
        wanted = ("id", "key", "title", "type", "active", "relationship_target_type")
        options = self._options(table)
        dialect = self._dialect(self.current(table, of))
        as_text = dialect.as_text(OPTIONS) if table.has_json(OPTIONS) else "NULL"
        listed = ", ".join(name if name in table.columns else "NULL" for name in wanted)
        found = {}
        for id, key, title, type_, active, target, own in self._rows(
            f"SELECT {listed}, {as_text} FROM {dialect.rows()}"
        ):
            if custom.by_id and type_ in SYSTEM_TYPES:
                continue
            found[id] = Field(
                id=id,
                key="" if custom.by_id else str(key),
                title=title or "",
                type=type_ or "text",
                active=active is not False,
                target=target or "",
                options=dict(options_in(own)) if own else options.get(id, {}),
            )
        return found

    def _options(self, table: Table) -> dict[int, dict[str, str]]:
        """Labels by field and value, where they stand in a child table."""
        found: dict[int, dict[str, str]] = {}
        if OPTIONS in table.children:
            child = self.qualified(f"{table.name}__{OPTIONS}")
            own = "c._dlt_parent_id = t._dlt_id"
            query = f"SELECT t.id, c.value, c.name FROM {self.current(table)} AS t JOIN {child} AS c ON {own}"
            for id, value, label in self._rows(query):
                found.setdefault(id, {})[value] = label
        return found

    def _rows(self, query: str) -> Sequence[Any]:
        return self._sql.execute_sql(query) or ()


def options_in(text: str) -> Iterator[tuple[str, str]]:
    """Values and labels of a field's options."""
    for option in msgspec.json.decode(text) or ():
        if isinstance(option, dict) and option.get("value") is not None:
            yield str(option["value"]), str(option.get("name", option["value"]))
