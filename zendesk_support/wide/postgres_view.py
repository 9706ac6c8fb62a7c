"""A view in Postgres that keeps nobody from dropping the tables below it.

Postgres drops no table that a view stands on, so that a plain view would keep dlt from every refresh. It does not look
into the text of a function, and puts a function of one query in the place where it is read: such a view costs what a
plain one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from zendesk_support.dlt_internals import SqlClientBase


def wait_for_others(sql: SqlClientBase[Any]) -> None:
    """Have one transaction at a time make views of a dataset."""
    sql.execute_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", f"zendesk views of {sql.dataset_name}")


def columns_of(sql: SqlClientBase[Any], view: str) -> dict[str, str]:
    """The columns of a view as it is, in their order, with their types."""
    query = (
        "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s AND c.relkind = 'v' ORDER BY a.attnum"
    )
    found: Any = sql.execute_sql(query, sql.dataset_name, view) or ()
    return dict(found)


def after(before: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """A view's columns behind those it had, so that what stands on it goes on; one that has gone holds nothing.

    Args:
        before: types of the columns that the view has, by name.
        columns: expressions of those that it is to have.
    """
    kept = {name: columns.get(name, f"CAST(NULL AS {kind})") for name, kind in before.items()}
    return {**kept, **columns}


def replace_view(sql: SqlClientBase[Any], view: str, columns: Sequence[str], query: str) -> None:
    """Make a view that reads a function, which has the query in it; old functions of the view are dropped."""
    function = f"{view}_{hashlib.sha256(query.encode()).hexdigest()[:8]}"
    dataset, names = sql.escape_column_name(sql.dataset_name), list(map(sql.escape_column_name, columns))
    made, shown = (f"{dataset}.{sql.escape_column_name(name)}" for name in (function, view))
    types = types_of(sql, query)
    listed = ", ".join(f"{name} {kind}" for name, kind in zip(names, types))
    before = list(columns_of(sql, view).items())
    if before != list(zip(columns, types))[: len(before)]:
        # Postgres replaces a view only where columns are added at its end.
        sql.execute_sql(f"DROP VIEW {shown}")
    sql.execute_sql(
        f"CREATE OR REPLACE FUNCTION {made}() RETURNS TABLE ({listed}) LANGUAGE sql STABLE AS $wide${query}$wide$"
    )
    sql.execute_sql(f"CREATE OR REPLACE VIEW {shown} AS SELECT {', '.join(names)} FROM {made}()")
    others = (
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = %s AND p.proname LIKE %s AND p.proname <> %s"
    )
    for (old,) in sql.execute_sql(others, sql.dataset_name, f"{view}\\_________", function) or ():
        sql.execute_sql(f"DROP FUNCTION {dataset}.{sql.escape_column_name(old)}()")


def types_of(sql: SqlClientBase[Any], query: str) -> list[str]:
    """The types of a query's columns, as Postgres writes them."""
    with sql.execute_query(f"SELECT * FROM ({query}) AS q LIMIT 0") as cursor:
        codes = [int(column[1]) for column in cursor.native_cursor.description]
    listed = ", ".join(f"({number}, {code})" for number, code in enumerate(codes))
    found = sql.execute_sql(f"SELECT format_type(c::oid, NULL) FROM (VALUES {listed}) AS a(n, c) ORDER BY n")
    return [kind for (kind,) in found or ()]
