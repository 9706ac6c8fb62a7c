"""What dlt is told of a stream's table: types, keys, descriptions, and how a package reaches it."""

from __future__ import annotations

from typing import Any

from dlt.extract import DltResource

from zendesk_support.dlt_internals import CLUSTER_COLUMNS_HINT, PARTITION_HINT
from zendesk_support.loading.shared_tables import account_column, joined_by
from zendesk_support.loading.sync_modes import DEFAULT, DISPOSITIONS, MODE_HINT, Mode
from zendesk_support.loading.target import Target
from zendesk_support.settings import Settings
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.keys import ROW_ID
from zendesk_support.warehouse.loaded_table import DELETED_AT

MOST_CLUSTERED = 4
"""Columns by which BigQuery clusters a table at most."""
BY_MONTH = "TIMESTAMP_TRUNC({column_name}, MONTH)"
OF_MODES = ("dedup_sort", "hard_delete")
"""Column hints that only one sync mode has."""


def columns_of(stream: Stream, settings: Settings, mode: Mode) -> dict[str, Any]:
    """Column hints: types, descriptions, and which row of a key is the newest."""
    as_json = settings.nested == "json"
    hints = account_column(settings)
    for name, data_type in stream.columns.items():
        if data_type == "json" and not as_json:
            if name not in stream.varying:
                continue
            data_type = "text"
        hints[name] = {"name": name, "data_type": data_type, "nullable": name not in stream.key}
        if name in stream.notes:
            hints[name]["description"] = stream.notes[name]
    if stream.version and mode == DEFAULT:
        hints[stream.version]["dedup_sort"] = "desc"
    if stream.removes:
        description = "when the row was found to be deleted in Zendesk, UTC"
        hints[DELETED_AT] = {
            "name": DELETED_AT,
            "data_type": "timestamp",
            "nullable": True,
            "hard_delete": settings.deletes == "remove" and mode == DEFAULT,
            "description": description,
        }
    if (stream.digested or mode == "history") and as_json:
        hints[ROW_ID] = {
            "name": ROW_ID,
            "data_type": "text",
            "nullable": False,
            "description": "digest of the row's content",
        }
    return hints


def references_of(stream: Stream, settings: Settings) -> Any:
    """What columns point to, as dlt's diagrams draw it."""
    ends = {column: joined_by(column, settings) for column in stream.references}
    return [
        {
            "columns": ends[column][0],
            "referenced_table": table,
            "referenced_columns": ends[column][1],
            "cardinality": "many_to_one",
            "label": column,
        }
        for column, table in stream.references.items()
    ]


def bigquery_layout(stream: Stream, settings: Settings) -> dict[str, Any]:
    """The table hints that partition and cluster a large table on BigQuery; empty for a small one."""
    if stream.months_of is None:
        return {}
    near = [name for name in ("ticket_id", "user_id") if name in stream.columns]
    clustered = dict.fromkeys((*account_column(settings), *near, *stream.key))
    return {PARTITION_HINT: {stream.months_of: BY_MONTH}, CLUSTER_COLUMNS_HINT: list(clustered)[:MOST_CLUSTERED]}


def apply_mode(resource: DltResource, stream: Stream, target: Target) -> None:
    """Give a resource the hints of the sync mode that its write disposition stands for."""
    if getattr(resource, "mode", None) != target.mode:
        hinted_columns: Any = resource.columns or {}
        kept: Any = {name: dict(hints) for name, hints in hinted_columns.items()}
        for name, hints in columns_of(stream, target.settings, target.mode).items():
            before = {key: value for key, value in kept.get(name, {}).items() if key not in OF_MODES}
            kept[name] = {**before, **hints}
        DltResource.apply_hints(resource, columns={})
        DltResource.apply_hints(
            resource,
            columns=kept,
            merge_key=stream.key if target.mode == "history" else "",
            additional_table_hints={MODE_HINT: target.mode},
        )
        if getattr(resource, "asked_disposition", None) is None:
            DltResource.apply_hints(resource, write_disposition=DISPOSITIONS[target.mode])
        resource.mode = target.mode  # type: ignore[attr-defined]
    if target.as_rows and resource.compute_table_schema().get("file_format") == "parquet":
        DltResource.apply_hints(resource, file_format="")  # type: ignore[arg-type]
