"""Keeps accounts apart: ids of two Zendesk accounts collide, so that neither may read or write the other's tables."""

from __future__ import annotations

import json
from typing import Any

from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.dlt_internals import (
    SqlClientBase,
    SqlJobClientBase,
    WithSqlClient,
    decompress_state,
    running_state,
)
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.destination_state import client_of
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.settings import Settings

STATE_KEY = "account"
"""In the source's state: the account that its positions are of."""
STATES = "_dlt_pipeline_state"
REPORTED = f"SELECT DISTINCT {STATE_KEY} FROM {{}} WHERE {STATE_KEY} IS NOT NULL"


def check_account(pipeline: Pipeline, schema_name: str, settings: Settings) -> None:
    """Refuse to go on from another account's positions, or beside its tables.

    Tables that accounts share take others, but none of them twice.

    Args:
        pipeline: where to.
        schema_name: of the source.
        settings: of the source.

    Raises:
        ConfigurationError: pipeline or dataset belong to another account.
    """
    account = settings.account
    shares = pipeline.config.use_single_dataset
    for name, state in running_state(pipeline).get("sources", {}).items():
        loaded = state.get(STATE_KEY) if shares or name == schema_name else None
        if loaded not in (None, account):
            raise another(f"the pipeline {pipeline.pipeline_name}", loaded, account)
    if settings.shares is not None:
        return check_once(pipeline, schema_name, account)
    for loaded in accounts_in(pipeline, schema_name):
        if loaded != account:
            raise another(f"the dataset {pipeline.dataset_name}", loaded, account)


def check_once(pipeline: Pipeline, schema_name: str, account: str) -> None:
    """Refuse to load an account into tables that another pipeline loads it into.

    Raises:
        ConfigurationError: one does.
    """
    with client_of(pipeline, schema_name) as client:
        there = isinstance(client, SqlJobClientBase) and dict(client.get_storage_tables([STATES])).get(STATES)
        if there and account in in_other_pipelines(pipeline, client.sql_client):
            raise ConfigurationError(
                f"the dataset {pipeline.dataset_name} has rows of {account} from another pipeline than "
                f"{pipeline.pipeline_name}, which would go on from other positions. Use that one's --pipeline-name."
            )


def another(what: str, loaded: str, account: str) -> ConfigurationError:
    """The refusal."""
    return ConfigurationError(
        f"{what} holds the account {loaded}, and this is {account}, whose ids mean other rows. Give it another "
        f'--pipeline-name and --dataset. If both names are one account, set same_account_as = "{loaded}".'
    )


def accounts_in(pipeline: Pipeline, schema_name: str) -> list[str]:
    """The accounts that the source's dataset has reports of; none where the destination knows no SQL."""
    known = schema_name in pipeline.schema_names
    if not known and pipeline.default_schema_name and not pipeline.config.use_single_dataset:
        return []  # a dataset of its own, to be made
    with client_of(pipeline, schema_name) as client:
        if not isinstance(client, SqlJobClientBase):
            return reported_in_files(pipeline, client, schema_name)
        sql = client.sql_client
        stored = dict(client.get_storage_tables([REPORT_TABLE, STATES]))
        found = reported(sql) if STATE_KEY in stored.get(REPORT_TABLE, {}) else []
        return [*found, *(in_other_pipelines(pipeline, sql) if stored.get(STATES) else [])]


def reported(sql: SqlClientBase[Any]) -> list[str]:
    """The accounts that a dataset has reports of."""
    rows = sql.execute_sql(REPORTED.format(sql.make_qualified_table_name(REPORT_TABLE)))
    return [account for (account,) in rows or ()]


def reported_in_files(pipeline: Pipeline, client: Any, schema_name: str) -> list[str]:
    """The accounts that a dataset of files has reports of; none where they cannot be read."""
    reads_sql = isinstance(client, WithSqlClient)
    stored = client.get_stored_schema(schema_name) if reads_sql else None
    if stored is None:
        return []
    schema = Schema.from_stored_schema(json.loads(stored.schema))
    if STATE_KEY not in schema.tables.get(REPORT_TABLE, {}).get("columns", {}):
        return []
    try:
        return [account for (account,) in pipeline.dataset(schema=schema)(REPORTED.format(REPORT_TABLE)).fetchall()]
    except Exception as error:
        if "extension" in str(error):  # which dlt reads Delta and Iceberg by
            return []
        raise


def in_other_pipelines(pipeline: Pipeline, sql: SqlClientBase[Any]) -> list[str]:
    """The accounts that other pipelines have loaded into a dataset: a resource run alone leaves no report."""
    states = sql.make_qualified_table_name(STATES)
    newest = f"SELECT max(version) FROM {states} AS n WHERE n.pipeline_name = s.pipeline_name"
    query = f"SELECT state FROM {states} AS s WHERE pipeline_name <> %s AND version = ({newest})"
    rows = sql.execute_sql(query, pipeline.pipeline_name) or ()
    sources = [source for (state,) in rows for source in decompress_state(state).get("sources", {}).values()]
    return list({source[STATE_KEY] for source in sources if source.get(STATE_KEY)})
