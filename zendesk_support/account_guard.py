"""Keeps accounts apart: ids of two Zendesk accounts collide, so that neither may read or write the other's tables."""

from __future__ import annotations

from typing import Any

from dlt.pipeline.pipeline import Pipeline

from zendesk_support.dlt_internals import SqlJobClientBase
from zendesk_support.errors import ConfigurationError
from zendesk_support.report import TABLE as REPORT_TABLE

STATE_KEY = "account"
"""In the source's state: the account that its positions are of."""


def check_account(pipeline: Pipeline, schema_name: str, account: str) -> None:
    """Refuse to go on from another account's positions, or beside its tables.

    Args:
        pipeline: where to.
        schema_name: of the source.
        account: the account's name, as `Settings.account` has it.

    Raises:
        ConfigurationError: pipeline or dataset belong to another account.
    """
    loaded = pipeline.state.get("sources", {}).get(schema_name, {}).get(STATE_KEY)
    if loaded not in (None, account):
        raise another(f"the pipeline {pipeline.pipeline_name}", loaded, account)
    for loaded in accounts_in(pipeline, schema_name):
        if loaded != account:
            raise another(f"the dataset {pipeline.dataset_name}", loaded, account)


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
    client: Any
    with pipeline.destination_client(*([schema_name] if known else [])) as client:
        if not isinstance(client, SqlJobClientBase):
            return []
        stored = dict(client.get_storage_tables([REPORT_TABLE]))
        if STATE_KEY not in stored.get(REPORT_TABLE, {}):
            return []
        report = client.sql_client.make_qualified_table_name(REPORT_TABLE)
        query = f"SELECT DISTINCT {STATE_KEY} FROM {report} WHERE {STATE_KEY} IS NOT NULL"
        return [account for (account,) in client.sql_client.execute_sql(query) or ()]
