"""How each database says what a view needs: values in JSON, typed; labels of options; lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from zendesk_support.warehouse.after_load import dialect, quoted

INTEGER = r"^\s*([+-]?(?:0*[0-9]{1,18}|[1-8][0-9]{18}|9[01][0-9]{17}))(?:\.0+)?\s*$"
DECIMAL = r"^\s*([+-]?[0-9]{0,100}[.,]?[0-9]{1,100}(?:[eE][+-]?[0-9]{1,2})?)\s*$"
_LEAP = "[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00"
DATE = (
    "^([1-9][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:{_LEAP})-02-29)"
)
LIST_OF_TEXTS = r'^\[\s*("([^"\\]|\\.)*"(\s*,\s*"([^"\\]|\\.)*")*)?\s*\]$'
LIST_OF_INTEGERS = r"^\[[-0-9, ]*\]$"
"""What a text has to look like to be cast: Postgres and BigQuery have no cast for all types that gives null."""

ROW = "t"
LABELS = "l"


class Dialect(ABC):
    """SQL expressions over a row `t` of a table; each gives null where there is no such value.

    Attributes:
        types: of the columns, by our names for them.
        has_transactions: whether several statements are made good or none, and primary keys refuse a second row.
        names_file: whether a qualified name has that of a file in it.
        json_is_text: whether nested values are kept in columns for texts.
    """

    types: ClassVar[dict[str, str]]
    has_transactions = True
    names_file = False
    json_is_text = False

    def __init__(self, table: str, listed: str | None = None, values: str | None = None) -> None:
        """Speak of one table.

        Args:
            table: its qualified name, or a query for its rows.
            listed: the JSON column with a list of {id, value}, where there is one.
            values: the qualified name of the child table that such a list was spread over.
        """
        self.table = table
        self.listed = listed
        self.values = values

    def rows(self) -> str:
        """What stands after FROM, so that a row is `t`."""
        return f"{self.table} AS {ROW}"

    @abstractmethod
    def by_id(self, id: int) -> str:
        """The text of one value in a list of {id, value}."""

    @abstractmethod
    def by_key(self, column: str, key: str) -> str:
        """The text of one value in an object."""

    @abstractmethod
    def extracted(self, text: str, pattern: str) -> str:
        """The group of a pattern in a text."""

    @abstractmethod
    def texts(self, text: str) -> str:
        """The list of texts that a JSON text is."""

    @abstractmethod
    def ids(self, text: str) -> str:
        """The list of integers that a JSON text is."""

    @abstractmethod
    def as_text(self, column: str) -> str:
        """A JSON column as text."""

    @abstractmethod
    def children(self, table: str, type_: str) -> str:
        """The values of a child table that are this row's, in their order."""

    @abstractmethod
    def labels(self, table: str, fields: Sequence[int]) -> str:
        """The query of one row with the labels of some fields, each a column `f<id>`."""

    @abstractmethod
    def label(self, field: int, value: str) -> str:
        """The label of a value, or the value where it has none."""

    @abstractmethod
    def label_each(self, field: int, values: str) -> str:
        """The labels of a list of values."""

    def cast(self, text: str, kind: str) -> str:
        """A text as another type, null where it is none."""
        if kind == "boolean":
            words = " ".join(
                f"WHEN {quoted(word)} THEN {sense}"
                for sense, several in (("TRUE", ("true", "1", "yes")), ("FALSE", ("false", "0", "no")))
                for word in several
            )
            return f"CASE lower({text}) {words} END"
        found = self.extracted(text, {"bigint": INTEGER, "double": DECIMAL, "date": DATE}[kind])
        if kind == "double":
            found = f"replace({found}, ',', '.')"
        return f"CAST({found} AS {self.types[kind]})"


class DuckDb(Dialect):
    """DuckDB and MotherDuck."""

    types: ClassVar[dict[str, str]] = {
        "bigint": "BIGINT",
        "double": "DOUBLE",
        "date": "DATE",
        "text": "VARCHAR",
        "boolean": "BOOLEAN",
    }
    names_file = True

    def rows(self) -> str:
        """The rows, each with the ids and values of its list beside it: looked up by id, not searched in JSON."""
        if self.values is None:
            return super().rows()
        listed = "SELECT _dlt_parent_id, list(id) AS ids, list(value) AS texts"
        return (
            f"{self.table} AS {ROW} LEFT JOIN ({listed} FROM {self.values} GROUP BY 1) AS v "
            f"ON v._dlt_parent_id = {ROW}._dlt_id"
        )

    def by_id(self, id: int) -> str:
        """The text of one value in a list of {id, value}."""
        if self.values is not None:
            return f"v.texts[list_position(v.ids, {id})]"
        parsed = f"""from_json({ROW}.{self.listed}, '[{{"id":"BIGINT","value":"JSON"}}]')"""
        position = f"list_position(list_transform({parsed}, lambda e: e.id), {id})"
        return f"({parsed}[{position}].value ->> '$')"

    def by_key(self, column: str, key: str) -> str:
        """The text of one value in an object."""
        return f"""({ROW}.{column} ->> {quoted(f'$."{key}"')})"""

    def extracted(self, text: str, pattern: str) -> str:
        """The group of a pattern in a text."""
        return f"nullif(regexp_extract({text}, {quoted(pattern)}, 1), '')"

    def texts(self, text: str) -> str:
        """The list of texts that a JSON text is."""
        return f"""CASE WHEN json_valid({text}) THEN from_json({text}, '["VARCHAR"]') END"""

    def ids(self, text: str) -> str:
        """The list of integers that a JSON text is."""
        return f"""CASE WHEN json_valid({text}) THEN from_json({text}, '["BIGINT"]') END"""

    def as_text(self, column: str) -> str:
        """A JSON column as text."""
        return f"CAST({ROW}.{column} AS VARCHAR)"

    def children(self, table: str, type_: str) -> str:
        """The values of a child table that are this row's, in their order."""
        listed = f"SELECT list(CAST(value AS {self.types[type_]}) ORDER BY _dlt_list_idx)"
        return f"coalesce(({listed} FROM {table} AS c WHERE c._dlt_parent_id = {ROW}._dlt_id), [])"

    def labels(self, table: str, fields: Sequence[int]) -> str:
        """The query of one row with the labels of some fields, each a column `f<id>`."""
        columns = (
            f"map(coalesce(list(value) FILTER (WHERE field_id = {id}), []), "
            f"coalesce(list(label) FILTER (WHERE field_id = {id}), [])) AS f{id}"
            for id in fields
        )
        return f"SELECT {', '.join(columns)} FROM {table}"

    def label(self, field: int, value: str) -> str:
        """The label of a value, or the value where it has none."""
        return f"coalesce({LABELS}.f{field}[{value}], {value})"

    def label_each(self, field: int, values: str) -> str:
        """The labels of a list of values."""
        return f"list_transform({values}, lambda e: coalesce({LABELS}.f{field}[e], e))"


class Postgres(Dialect):
    """PostgreSQL."""

    types: ClassVar[dict[str, str]] = {
        "bigint": "bigint",
        "double": "double precision",
        "date": "date",
        "text": "text",
        "boolean": "boolean",
    }

    def rows(self) -> str:
        """The rows, each with an object of its values by id beside it; Postgres leaves it out where nobody reads it."""
        if self.values is not None:
            found = "jsonb_object_agg(CAST(c.id AS text), c.value)"
            listed = f"{self.values} AS c WHERE c._dlt_parent_id = {ROW}._dlt_id AND c.id IS NOT NULL"
        elif self.listed is not None:
            found = "jsonb_object_agg(e ->> 'id', e -> 'value')"
            json = self._json(self.listed)
            array = f"CASE WHEN jsonb_typeof({json}) = 'array' THEN {json} END"
            listed = f"jsonb_array_elements({array}) AS e WHERE e ->> 'id' IS NOT NULL"
        else:
            return super().rows()
        return f"{super().rows()} LEFT JOIN LATERAL (SELECT {found} AS found FROM {listed}) AS v ON TRUE"

    def _json(self, column: str) -> str:
        """A nested column; dlt's own destination has them as `json`."""
        return f"CAST({ROW}.{column} AS jsonb)"

    def by_id(self, id: int) -> str:
        """The text of one value in a list of {id, value}."""
        return f"(v.found ->> '{id}')"

    def by_key(self, column: str, key: str) -> str:
        """The text of one value in an object."""
        return f"({self._json(column)} ->> {quoted(key)})"

    def extracted(self, text: str, pattern: str) -> str:
        """The group of a pattern in a text."""
        return f"substring({text} FROM {quoted(pattern)})"

    def _listed(self, text: str, pattern: str) -> str:
        return f"CAST(CASE WHEN {text} ~ {quoted(pattern)} THEN {text} END AS jsonb)"

    def texts(self, text: str) -> str:
        """The list of texts that a JSON text is."""
        return self._array(self._listed(text, LIST_OF_TEXTS), "e")

    def _array(self, listed: str, item: str) -> str:
        rows = f"jsonb_array_elements_text({listed}) WITH ORDINALITY AS a(e, n)"
        return f"CASE WHEN {listed} IS NOT NULL THEN ARRAY(SELECT {item} FROM {rows} ORDER BY n) END"

    def ids(self, text: str) -> str:
        """The list of integers that a JSON text is."""
        listed = self._listed(text, LIST_OF_INTEGERS)
        return self._array(listed, f"CAST({self.extracted('e', INTEGER)} AS bigint)")

    def as_text(self, column: str) -> str:
        """A JSON column as text."""
        return f"({self._json(column)} #>> '{{}}')"

    def children(self, table: str, type_: str) -> str:
        """The values of a child table that are this row's, in their order."""
        value = f"CAST(c.value AS {self.types[type_]})"
        return (
            f"ARRAY(SELECT {value} FROM {table} AS c WHERE c._dlt_parent_id = {ROW}._dlt_id ORDER BY c._dlt_list_idx)"
        )

    def labels(self, table: str, fields: Sequence[int]) -> str:
        """The query of one row with the labels of some fields, each a column `f<id>`."""
        columns = (f"jsonb_object_agg(value, label) FILTER (WHERE field_id = {id}) AS f{id}" for id in fields)
        return f"SELECT {', '.join(columns)} FROM {table}"

    def label(self, field: int, value: str) -> str:
        """The label of a value, or the value where it has none."""
        return f"coalesce({LABELS}.f{field} ->> {value}, {value})"

    def label_each(self, field: int, values: str) -> str:
        """The labels of a list of values."""
        rows = f"unnest({values}) WITH ORDINALITY AS a(e, n)"
        item = f"coalesce({LABELS}.f{field} ->> e, e)"
        return f"CASE WHEN {values} IS NOT NULL THEN ARRAY(SELECT {item} FROM {rows} ORDER BY n) END"


class BigQuery(Dialect):
    """BigQuery, whose JSON columns are texts."""

    types: ClassVar[dict[str, str]] = {
        "bigint": "INT64",
        "double": "FLOAT64",
        "date": "DATE",
        "text": "STRING",
        "boolean": "BOOL",
    }
    has_transactions = False
    json_is_text = True

    def by_id(self, id: int) -> str:
        """The text of one value in a list of {id, value}."""
        if self.values is not None:
            own = f"c._dlt_parent_id = {ROW}._dlt_id AND c.id = {id}"
            return f"(SELECT ANY_VALUE(CAST(c.value AS STRING)) FROM {self.values} AS c WHERE {own})"
        rows = f"UNNEST(JSON_QUERY_ARRAY({ROW}.{self.listed})) AS e"
        return f"(SELECT ANY_VALUE({self._text('e', 'value')}) FROM {rows} WHERE JSON_VALUE(e, '$.id') = '{id}')"

    def _text(self, json: str, key: str) -> str:
        path = quoted(f'$."{key}"')
        return f"IFNULL(JSON_VALUE({json}, {path}), NULLIF(CAST(JSON_QUERY({json}, {path}) AS STRING), 'null'))"

    def by_key(self, column: str, key: str) -> str:
        """The text of one value in an object."""
        return self._text(f"{ROW}.{column}", key)

    def extracted(self, text: str, pattern: str) -> str:
        """The group of a pattern in a text."""
        return f"REGEXP_EXTRACT({text}, r{quoted(pattern)})"

    def texts(self, text: str) -> str:
        """The list of texts that a JSON text is."""
        return self._listed(text, LIST_OF_TEXTS)

    def _listed(self, text: str, pattern: str) -> str:
        return f"JSON_VALUE_ARRAY(IF(REGEXP_CONTAINS({text}, r{quoted(pattern)}), {text}, NULL))"

    def ids(self, text: str) -> str:
        """The list of integers that a JSON text is."""
        listed = self._listed(text, LIST_OF_INTEGERS)
        return f"ARRAY(SELECT SAFE_CAST(e AS INT64) FROM UNNEST({listed}) AS e WITH OFFSET AS n ORDER BY n)"

    def as_text(self, column: str) -> str:
        """A JSON column as text."""
        return f"{ROW}.{column}"

    def children(self, table: str, type_: str) -> str:
        """The values of a child table that are this row's, in their order."""
        value = f"CAST(c.value AS {self.types[type_]})"
        return (
            f"(SELECT ARRAY_AGG({value} IGNORE NULLS ORDER BY c._dlt_list_idx) FROM {table} AS c "
            f"WHERE c._dlt_parent_id = {ROW}._dlt_id)"
        )

    def labels(self, table: str, fields: Sequence[int]) -> str:
        """The query of one row with the labels of some fields, each a column `f<id>`."""
        pair = "STRUCT(value AS value, label AS label)"
        columns = (f"ARRAY_AGG(IF(field_id = {id}, {pair}, NULL) IGNORE NULLS) AS f{id}" for id in fields)
        return f"SELECT {', '.join(columns)} FROM {table}"

    def label(self, field: int, value: str) -> str:
        """The label of a value, or the value where it has none."""
        found = f"SELECT ANY_VALUE(o.label) FROM UNNEST({LABELS}.f{field}) AS o WHERE o.value = {value}"
        return f"IFNULL(({found}), {value})"

    def label_each(self, field: int, values: str) -> str:
        """The labels of a list of values."""
        return f"ARRAY(SELECT {self.label(field, 'e')} FROM UNNEST({values}) AS e WITH OFFSET AS n ORDER BY n)"


class DuckLake(DuckDb):
    """DuckDB's SQL on a lake, which has no keys."""

    has_transactions = False


DIALECTS: dict[str, type[Dialect]] = {"duckdb": DuckDb, "postgres": Postgres, "bigquery": BigQuery}


def dialect_of(client: Any) -> type[Dialect] | None:
    """The dialect of a client's database; None where no views are made."""
    if client.config.destination_type.rpartition(".")[2] == "ducklake":
        return DuckLake
    return DIALECTS.get(dialect(client))
