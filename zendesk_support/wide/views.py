"""Makes the views, and what they need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from dlt.common import logger
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.dlt_internals import DatabaseException, SqlClientBase, SqlJobClientBase
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.destination_state import connected
from zendesk_support.source import ZendeskSource
from zendesk_support.warehouse.after_load import is_marked
from zendesk_support.warehouse.loaded_table import DESTINATION_LOCK
from zendesk_support.wide.definitions import OF_OBJECT, VIEWS, WideView
from zendesk_support.wide.dialects import Dialect, Postgres, dialect_of
from zendesk_support.wide.fields import name_columns, remembered
from zendesk_support.wide.postgres_view import after, columns_of, replace_view, wait_for_others
from zendesk_support.wide.select import Selection
from zendesk_support.wide.store import Known, Store, qualified
from zendesk_support.wide.tables import OPTIONS, Table, Tables

LISTING = frozenset(view.custom.stream for view in (*VIEWS, OF_OBJECT) if view.custom)
"""The streams that list custom fields: with a new row of theirs, views have other columns."""


def keep_views(pipeline: Pipeline, source: ZendeskSource, loaded: Collection[str]) -> None:
    """Make the views where a load may have changed their columns. It never fails a run: the rows are loaded.

    Args:
        pipeline: it has loaded the source.
        source: its setting `views` says whether there are to be any.
        loaded: streams that had rows.
    """
    settings = source.account.settings
    if settings.views == "off" or settings.shares is not None or source.name not in pipeline.schemas:
        return
    mark, version = f"views_{source.name}", pipeline.schemas[source.name].version_hash
    if is_marked(pipeline, mark, version) and LISTING.isdisjoint(loaded):
        return
    try:
        with DESTINATION_LOCK.for_loading(), connected(pipeline, source.account.settings.database_wait):
            make_views(pipeline, source)
        pipeline.set_local_state_val(mark, version)
    except Exception as error:  # the destination's own kinds among them
        logger.warning(f"the rows are loaded; views for custom fields could not be made: {str(error).strip()}")


def make_views(pipeline: Pipeline, source: ZendeskSource) -> dict[str, list[str]]:
    """Make the views of the tables that are there, or make them anew: no rows, and no request.

    Args:
        pipeline: where the tables are.
        source: its resources name the tables; views are made of the selected ones only.

    Returns:
        The columns of each view, by its name; nothing where the destination is none of DuckDB, Postgres and BigQuery.

    Raises:
        ConfigurationError: several accounts share the tables: a view's columns are those of one account's fields.
        DatabaseException: the destination refuses one of them; the others are made.
    """
    if source.account.settings.shares is not None:
        raise ConfigurationError(
            'into = "one": a view has a column for each custom field, and each account has its own. Join ticket_fields '
            "by account and id; docs/accounts.md has a query."
        )
    client: Any = pipeline.destination_client(source.name) if source.name in pipeline.schemas else None
    dialect = dialect_of(client) if isinstance(client, SqlJobClientBase) else None
    if dialect is None:
        return {}
    selected = {resource.stream.name for resource in source.selected_streams.values()}
    made, refused = {}, []
    with client:
        tables = Tables(client, dialect, source.resources.values())
        found = tables.read((*VIEWS, OF_OBJECT))
        of_objects = (replace(OF_OBJECT, of=key) for key in tables.objects(found["custom_object_fields"]))
        for view in (*VIEWS, *of_objects):
            if found[view.stream].columns and not selected.isdisjoint(view.made_of):
                try:
                    name, columns = _make(view, tables, found, client.sql_client, dialect)
                    made[name] = columns
                except DatabaseException as error:
                    refused.append(error)
    if refused:
        raise refused[0]
    return made


def _make(
    view: WideView, tables: Tables, found: Mapping[str, Table], sql: SqlClientBase[Any], dialect: type[Dialect]
) -> tuple[str, list[str]]:
    """Make one view; its name and its columns."""
    table = found[view.stream]
    with sql.begin_transaction() if dialect.has_transactions else nullcontext():
        if dialect is Postgres:
            wait_for_others(sql)
        known = _fields(view, tables, found, Store(sql, dialect), dialect) if view.custom else Known({}, {})
        selection = Selection(view, tables, table, dialect, known)
        name, columns = view.name(table.name), selection.columns()
        if dialect is Postgres:
            columns = after(columns_of(sql, name), columns)
            replace_view(sql, name, list(columns), selection.query(columns, sql.escape_column_name))
        else:
            query = selection.query(columns, sql.escape_column_name)
            sql.execute_sql(f"CREATE OR REPLACE VIEW {qualified(sql, dialect, name)} AS {query}")
    return name, list(columns)


def _fields(view: WideView, tables: Tables, found: Mapping[str, Table], store: Store, dialect: type[Dialect]) -> Known:
    """What is known of a view's custom fields, kept for the next time."""
    assert view.custom is not None
    table, listing = found[view.stream], found[view.custom.stream]
    store.make_tables()
    before = store.known(view.kept_as)
    fields = before.fields
    if listing.columns:
        has_options = listing.has_json(OPTIONS) or OPTIONS in listing.children
        fields = remembered(fields, tables.fields(listing, view.custom, view.of), has_options)
        if not has_options:
            store.forget_labels(view.kept_as)
    taken = Selection(view, tables, table, dialect, Known({}, {})).plain()
    now = Known(fields, name_columns(fields.values(), before.names, {*taken, *table.columns}))
    store.keep(view.kept_as, before, now)
    return now
