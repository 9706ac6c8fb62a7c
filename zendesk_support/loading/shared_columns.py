"""What the pipelines of several accounts know of the tables that they share: columns that another one has made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlt.extract import DltSource
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.dlt_internals import SqlJobClientBase
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.destination_state import Loss, client_of
from zendesk_support.loading.shared_tables import check_layout
from zendesk_support.settings import Settings

OF_A_COLUMN = ("name", "data_type", "nullable", "precision", "scale")


def adopt_columns(pipeline: Pipeline, source: Any) -> None:
    """Let a source know the types of columns that other accounts have brought: the first value made each of them.

    Args:
        pipeline: where to.
        source: what is to be loaded; nothing is looked up unless its account shares tables.

    Raises:
        ConfigurationError: a table is there that has no column for the account.
    """
    settings: Settings = source.account.settings
    if settings.shares is None:
        return
    known = pipeline.schemas[source.name] if source.name in pipeline.schema_names else source.schema
    normalize = source.schema.naming.normalize_tables_path
    names = [normalize(str(found.table_name)) for found in source.selected_streams.values()]
    with client_of(pipeline, source.name) as client:
        if not isinstance(client, SqlJobClientBase) or not client.is_storage_initialized():
            return
        stored = {name: columns for name, columns in client.get_storage_tables(names) if columns}
    for name, columns in stored.items():
        check_layout(settings, name, columns)
        if new := missing(columns, known.tables.get(name, {}).get("columns", {})):
            add(source, name, new)


def missing(stored: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a table that are not known, with their types; dlt has its own."""
    return {
        name: {key: hints[key] for key in OF_A_COLUMN if key in hints}
        for name, hints in stored.items()
        if "data_type" not in known.get(name, {}) and not name.startswith("_dlt_") and "data_type" in hints
    }


def add(source: DltSource, name: str, columns: dict[str, Any]) -> None:
    """Put columns into the schema of a source."""
    table: Any = {"name": name, "columns": columns}
    source.schema.update_table(table)


def check_losses(lost: Mapping[str, Loss], settings: Settings) -> None:
    """Refuse to load a stream anew whose table others share: it would be dropped with their rows.

    Raises:
        ConfigurationError: a table has lost what was loaded.
    """
    if settings.shares is not None:
        for stream, loss in lost.items():
            raise ConfigurationError(
                f'{loss.how}, and into = "one": to load {stream} anew would drop what other accounts have there. Put '
                "it back from a backup, or load all accounts into another --dataset, with another --pipeline-name."
            )
