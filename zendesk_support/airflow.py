"""What pipelines/airflow_dag.py is made of: a sync as a task of dlt's `PipelineTasksGroup`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dlt
from airflow.sdk import Connection, get_current_context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.api.credentials import ZendeskRefreshToken
from zendesk_support.command.console import show
from zendesk_support.dlt_internals import DLT_DATA_DIR, Container, PluggableRunContext
from zendesk_support.errors import ConfigurationError
from zendesk_support.groups import by_limit, is_dated
from zendesk_support.loading.named_accounts import configured_accounts
from zendesk_support.loading.setting_names import ACCOUNTS
from zendesk_support.running.accounts import account_named, source_of_account
from zendesk_support.running.runner import sync
from zendesk_support.running.turns import in_turn
from zendesk_support.source import SECTION, ZendeskSource, zendesk_support_source
from zendesk_support.streams import CATALOGUE

ZENDESK, WAREHOUSE = "zendesk_support", "zendesk_warehouse"
"""Airflow connections that are used where they exist."""
ASKS_AIRFLOW = "PROVIDERS__ENABLE_AIRFLOW_SECRETS"
ASKS_FOR_SECTIONS = "PROVIDERS__AIRFLOW_SECRETS__ONLY_TOML_FRAGMENTS"


class SyncPipeline(Pipeline):
    """A pipeline whose `run` loads the source of this library by `sync`: checkpoints, no stream stops another."""

    def activate(self) -> None:
        """Make it the one in use."""
        # Its folder is gone after the file was parsed, and after a first try in the same process (`airflow dags test`).
        Path(self.working_dir, "schemas").mkdir(parents=True, exist_ok=True)
        super().activate()

    def run(self, data: Any = None, **arguments: Any) -> Any:
        """Load data as a task of Airflow.

        Args:
            data: a `ZendeskSource`; anything else goes the usual way.
            arguments: of `Pipeline.run`, for anything else.

        Returns:
            The last load.

        Raises:
            AirflowException: a stream failed or was stopped, which another try of the task takes up from there.
            AlreadyRunningError: another run has loaded the same tables for minutes.
            AirflowFailException: a setting is wrong, which no other try would change.
        """
        if not isinstance(data, ZendeskSource):
            return super().run(data, **arguments)
        try:
            report = in_turn(lambda: sync(self, data))
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from None
        show(report)
        if missing := (*report.failed, *report.stopped):
            told = "; ".join(f"{stream.stream}: {stream.message}" for stream in missing)
            raise AirflowException(f"{told}. All else is loaded, and the next try goes on from here.")
        trace = self.last_trace
        return trace.last_load_info if trace else None


@contextmanager
def parsing() -> Iterator[None]:
    """While Airflow parses a file, dlt asks it for no variable, and leaves no folder behind."""
    before, folder = os.environ.get(ASKS_AIRFLOW), os.environ.get(DLT_DATA_DIR)
    os.environ[ASKS_AIRFLOW] = "false"
    try:
        yield
    finally:
        del os.environ[ASKS_AIRFLOW]
        if before is not None:
            os.environ[ASKS_AIRFLOW] = before
        # The group has made one, under a new name at each parse.
        if (made := os.environ.get(DLT_DATA_DIR)) and made != folder:
            shutil.rmtree(made, ignore_errors=True)


def places(name: str, dataset: str) -> list[tuple[str | None, str, str]]:
    """The accounts that are configured where Airflow parses the file, or the one without a name.

    Args:
        name: what the names of task groups and pipelines begin with.
        dataset: what those of the datasets begin with.

    Returns:
        Of each its name, that of its task group, and its dataset.
    """
    section = f"sources.{SECTION}.{ACCOUNTS}"
    return [
        (account, f"{name}_{account}", dlt.config.get(f"{section}.{account}.dataset") or f"{dataset}_{account}")
        for account in configured_accounts()
    ] or [(None, name, dataset)]


def read_secrets(account: str | None = None) -> None:
    """Let dlt find Airflow's variables, and put the connections of this library where it looks.

    Args:
        account: whose, for one that is configured by name: the connection's name ends with it.
    """
    # dlt would else ask for a variable of every setting in every section, over a thousand a task.
    os.environ.setdefault(ASKS_FOR_SECTIONS, "true")
    Container()[PluggableRunContext].reload_providers()
    own = f".{ACCOUNTS}.{account}" if account is not None else ""
    if zendesk := connection(f"{ZENDESK}_{account}" if account is not None else ZENDESK):
        dlt.config[f"sources.{SECTION}{own}.subdomain"] = zendesk.host
        dlt.secrets[f"sources.{SECTION}{own}.credentials"] = {
            "client_id": zendesk.login,
            "client_secret": zendesk.password,
        }
    if warehouse := connection(WAREHOUSE):
        dlt.secrets["destination.credentials"] = warehouse.get_uri().replace("postgres://", "postgresql://", 1)


def connection(name: str) -> Any:
    """A connection of Airflow; None where there is none of that name."""
    try:
        return Connection.get(name)
    except AirflowNotFoundException:
        return None


def source(words: Collection[str] | None, group: str, name: str, account: str | None = None) -> ZendeskSource:
    """The source of a task: what has changed of a group's streams, or in a bounded run those of a period.

    Args:
        words: the streams and families that the DAG loads, as `zendesk_support.groups.by_limit` was given them.
        group: of those that it made.
        name: of the schema, one for each pipeline: dlt restores the newest of a name, whichever pipeline it is from.
        account: whose streams, for one that is configured by name.

    Raises:
        AirflowFailException: a setting is wrong.
        AirflowSkipException: the run is bounded, and all of the group loads whole anyway.
    """
    bounds = period(get_current_context())
    streams = [stream for stream in by_limit(words)[group] if "end_date" not in bounds or is_dated(CATALOGUE[stream])]
    if not streams:
        raise AirflowSkipException("Every scheduled run loads these streams whole: a bounded one leaves them out.")
    try:
        made = partial(source_of_account, account_named(account)) if account is not None else zendesk_support_source
        found = made(**bounds)
        if found.account.settings.shares is not None:
            raise ConfigurationError(
                'into = "one" is not for tasks of their own: each has its own positions for the same account. Use '
                'into = "each", a dataset for each account, or one task that runs the command line.'
            )
        if isinstance(found.account.credentials, ZendeskRefreshToken):
            raise ConfigurationError(
                "credentials with a refresh_token are not for tasks side by side: each use ends the token that the "
                "others have. Use client credentials: client_id and client_secret, without refresh_token."
            )
        if words is None and not found.by_default:
            raise ConfigurationError(
                "streams.load is set, but a DAG makes a task for each group of streams while Airflow parses it: name "
                'them there. Example: STREAMS = ["default", "custom_objects"].'
            )
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from None
    whole: ZendeskSource = found.clone(with_name=name)
    chosen: ZendeskSource = whole.with_resources(*streams)
    chosen.by_default = words is None
    return chosen


def period(context: Mapping[str, Any]) -> dict[str, Any]:
    """The bounds of a run: its data interval for one of `airflow backfill`, else what its parameters say.

    Args:
        context: of the task.

    Returns:
        Settings of the source; `end_date` makes it a bounded one.
    """
    if context["dag_run"].run_type == "backfill":
        return {"start_date": context["data_interval_start"], "end_date": context["data_interval_end"]}
    return {name: given for name in ("start_date", "end_date") if (given := context["params"].get(name))}
