"""Tables that several accounts share (`into = "one"`): a column tells whose row it is, and is part of every key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import dlt
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.errors import ConfigurationError
from zendesk_support.settings import Settings
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.loaded_table import ACCOUNT

NO_NAME = re.compile(r"[^a-z0-9]+")
APART: set[str] = set()
"""Pipelines of this process that had such a staging dataset, and may be loaded without one next."""
REFUSED_MODES = ("history", "overwrite")
"""Sync modes that cannot tell the rows of one account from equal ones of another."""
DESCRIPTION = "the account's host, or `same_account_as`"


def check_shared(settings: Settings) -> None:
    """Refuse settings that do not hold where several accounts share tables.

    Raises:
        ConfigurationError: there is one.
    """
    if settings.shares is None:
        return
    if settings.nested == "tables":
        raise ConfigurationError(
            'into = "one" and nested = "tables": child tables have no column for the account. Example: nested = "json".'
        )
    for stream, mode in settings.sync_modes.items():
        check_shared_mode(settings, stream, mode)


def check_shared_mode(settings: Settings, stream: str, mode: str) -> None:
    """Refuse a sync mode that would take rows of other accounts for this one's.

    Raises:
        ConfigurationError: it would.
    """
    if settings.shares is not None and mode in REFUSED_MODES:
        raise ConfigurationError(
            f'into = "one" and the sync mode {mode} of {stream}: it goes by what the whole table holds, which has rows '
            'of other accounts. Example: sync_mode = "incremental", or into = "each".'
        )


def check_emptied(settings: Settings, stream: str, is_emptied: bool) -> None:
    """Refuse to drop or empty a table for the sake of one account.

    Raises:
        ConfigurationError: this run would.
    """
    if settings.shares is not None and is_emptied:
        raise ConfigurationError(
            f'into = "one": to load {stream} anew would drop the table, with the rows of all accounts. Load all of '
            "them into another --dataset, with another --pipeline-name."
        )


def check_layout(settings: Settings, table: str, columns: Mapping[str, Any]) -> None:
    """Refuse a table that was made for one account, where it is to hold several, or the other way round.

    Raises:
        ConfigurationError: it was.
    """
    found = "one" if ACCOUNT in columns else "each"
    if found != settings.into:
        raise ConfigurationError(
            f'into = "{settings.into}", but the table {table} was made with into = "{found}". Set it back, or load '
            "into another --dataset with another --pipeline-name."
        )


def key_of(stream: Stream, settings: Settings) -> Any:
    """The columns that tell rows of a stream's table apart."""
    return (ACCOUNT, *stream.key) if settings.shares is not None else stream.key


def account_column(settings: Settings) -> dict[str, Any]:
    """The hints of the column that tells whose row it is; none where a table has the rows of one account."""
    if settings.shares is None:
        return {}
    return {ACCOUNT: {"name": ACCOUNT, "data_type": "text", "nullable": False, "description": DESCRIPTION}}


def keep_staging_apart(pipeline: Pipeline, settings: Settings) -> None:
    """Let each account have a staging dataset of its own, where several share tables: each load empties it first."""
    name = pipeline.pipeline_name
    if settings.shares is None and name not in APART:
        return
    pipeline.activate()  # by whose name dlt finds the setting
    layout = f"%s_staging_{NO_NAME.sub('_', settings.shares)}" if settings.shares is not None else None
    dlt.config[f"{name}.destination.staging_dataset_name_layout"] = layout
    APART.add(name)


def joined_by(column: str, settings: Settings) -> tuple[Sequence[str], Sequence[str]]:
    """The columns of a reference, and those that they name in the other table."""
    shared = (ACCOUNT,) if settings.shares is not None else ()
    return [*shared, column], [*shared, "id"]
