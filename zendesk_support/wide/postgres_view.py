"""A view in Postgres that keeps nobody from dropping the tables below it.

Postgres drops no table that a view stands on, so that a plain view would keep dlt from every refresh. It does not look
into the text of a function, and puts a function of one query in the place where it is read: such a view costs what a
plain one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from zendesk_support.dlt_internals import DatabaseException, SqlClientBase


def columns_of(sql: SqlClientBase[Any], view: str) -> list[str]:
    """The columns of a view as it is, in their order."""
    query = (
        "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
        "ORDER BY ordinal_position"
    )
    return [name for (name,) in sql.execute_sql(query, sql.dataset_name, view) or ()]


def replace_view(sql: SqlClientBase[Any], view: str, columns: Sequence[str], query: str) -> None:
    """Make a view that reads a function, which has the query in it; old functions of the view are dropped."""
    function = f"{view}_{hashlib.sha256(query.encode()).hexdigest()[:8]}"
    dataset, names = sql.escape_column_name(sql.dataset_name), list(map(sql.escape_column_name, columns))
    made = f"{dataset}.{sql.escape_column_name(function)}"
    shown = f"{dataset}.{sql.escape_column_name(view)}"
    types = ", ".join(f"{name} {kind}" for name, kind in zip(names, types_of(sql, query)))
    make_function = (
        f"CREATE OR REPLACE FUNCTION {made}() RETURNS TABLE ({types}) LANGUAGE sql STABLE AS $wide${query}$wide$"
    )
    select = f"SELECT {', '.join(names)} FROM {made}()"
    try:
        sql.execute_many([make_function, f"CREATE OR REPLACE VIEW {shown} AS {select}"])
    except DatabaseException:  # columns have gone, or have other types: what stands on the view keeps Postgres from it
        sql.execute_many([f"DROP VIEW IF EXISTS {shown}", make_function, f"CREATE VIEW {shown} AS {select}"])
    like = f"{view}\\_________"
    query = (
        "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
        "WHERE n.nspname = %s AND p.proname LIKE %s AND p.proname <> %s"
    )
    for (old,) in sql.execute_sql(query, sql.dataset_name, like, function) or ():
        sql.execute_sql(f"DROP FUNCTION {dataset}.{sql.escape_column_name(old)}()")


def types_of(sql: SqlClientBase[Any], query: str) -> list[str]:
    """The types of a query's columns, as Postgres writes them."""
    with sql.execute_query(f"SELECT * FROM ({query}) AS q LIMIT 0") as cursor:
        codes = [int(column[1]) for column in cursor.native_cursor.description]
    listed = ", ".join(f"({number}, {code})" for number, code in enumerate(codes))
    found = sql.execute_sql(f"SELECT format_type(c::oid, NULL) FROM (VALUES {listed}) AS a(n, c) ORDER BY n")
    return [kind for (kind,) in found or ()]
