"""What a view selects: each column's name and expression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zendesk_support.warehouse.after_load import quoted
from zendesk_support.wide.definitions import WideView
from zendesk_support.wide.dialects import LABELS, ROW, Dialect
from zendesk_support.wide.fields import VALUE, Field
from zendesk_support.wide.store import LABELS_TABLE, Known
from zendesk_support.wide.tables import Table, Tables

TYPES = {"checkbox": "boolean", "integer": "bigint", "decimal": "double", "date": "date"}


class Selection:
    """The columns of one view, and the query for them."""

    def __init__(self, view: WideView, tables: Tables, table: Table, dialect: type[Dialect], known: Known) -> None:
        self._view = view
        self._table = table
        self._tables = tables
        self._known = known
        custom, listed, values = view.custom, None, None
        if custom is not None and custom.by_id:
            listed = custom.column if table.has_json(custom.column) else None
            values = tables.qualified(f"{table.name}__{custom.column}") if custom.column in table.children else None
        self._dialect = dialect(tables.current(table, view.of), listed, values)
        self._has_values = custom is not None and (not custom.by_id or bool(listed or values))

    def plain(self) -> dict[str, str]:
        """The columns that are no custom field's, with their expressions."""
        found = {
            name: f"{ROW}.{self._tables.escaped(name)}"
            for name, kind in self._table.columns.items()
            if kind != "json" and not name.startswith(("_", f"{self._of_custom}__"))
        }
        for name, scalar in self._view.scalars.items():
            text = self._nested(scalar.column, scalar.key)
            if text is not None:
                found[name] = self._dialect.cast(text, "bigint") if scalar.is_integer else text
        for name, of_ids in self._view.lists.items():
            if self._table.has_json(name):
                text = self._dialect.as_text(name)
                found[name] = self._dialect.ids(text) if of_ids else self._dialect.texts(text)
            elif name in self._table.children:
                child = self._tables.qualified(f"{self._table.name}__{name}")
                found[name] = self._dialect.children(child, "bigint" if of_ids else "text")
        return found

    @property
    def _of_custom(self) -> str:
        return self._view.custom.column if self._view.custom else "_"

    def _nested(self, column: str, key: str) -> str | None:
        """The text of a value inside a column, or in the column that it was spread to; None where there is neither."""
        if self._table.has_json(column):
            return self._dialect.by_key(column, key)
        spread = self._tables.spread(column, key)
        return (
            f"CAST({ROW}.{self._tables.escaped(spread)} AS {self._dialect.types['text']})"
            if spread in self._table.columns
            else None
        )

    def columns(self) -> dict[str, str]:
        """All columns, with their expressions."""
        names = set(self._known.names.values())
        plain = {f"{name}__plain" if name in names else name: found for name, found in self.plain().items()}
        if not self._has_values:
            return plain
        custom = (self._custom(one) for one in self._known.fields.values())
        return {**plain, **{name: found for pairs in custom for name, found in pairs}}

    def _custom(self, one: Field) -> Iterator[tuple[str, str]]:
        """The columns of a custom field."""
        custom, name = self._view.custom, self._known.names[one.id]
        assert custom is not None
        if custom.by_id:
            text = self._dialect.by_id(one.id)
        else:
            text = self._nested(custom.column, one.key) or f"CAST(NULL AS {self._dialect.types['text']})"
        if one.is_list:
            values = self._dialect.texts(text)
            yield name, self._dialect.label_each(one.id, values)
            yield name + VALUE, values
        elif one.has_options:
            yield name, self._dialect.label(one.id, text)
            yield name + VALUE, text
        else:
            kind = "bigint" if one.is_reference else TYPES.get(one.type, "text")
            yield name, text if kind == "text" else self._dialect.cast(text, kind)

    def query(self, columns: Mapping[str, str], escaped: Any) -> str:
        """The query for some columns."""
        listed = ",\n  ".join(f"{found} AS {escaped(name)}" for name, found in columns.items())
        with_options = [one.id for one in self._known.fields.values() if one.has_options]
        labels = ""
        if with_options and self._has_values:
            kept = self._tables.qualified(LABELS_TABLE)
            own = f"(SELECT * FROM {kept} WHERE stream = {quoted(self._view.kept_as)}) AS o"
            labels = f"\nCROSS JOIN ({self._dialect.labels(own, with_options)}) AS {LABELS}"
        return f"SELECT\n  {listed}\nFROM {self._dialect.rows()}{labels}"
