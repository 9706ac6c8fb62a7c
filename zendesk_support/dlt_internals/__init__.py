"""What this library uses of dlt beyond its documented interface, each with the reason; nothing else reaches for it."""

# A dlt that moves one of these fails tests/test_dlt_internals.py, which says what is missing and what it was for.

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, ParamSpec, TypeVar

import dlt
import duckdb

# Looks up the pipeline and the sections of the source under way, at no cost: `dlt.current.pipeline()` resolves anew.
from dlt.common.configuration.container import Container

# Finds misspelt settings: the providers' documents are the only list of what somebody wrote.
from dlt.common.configuration.providers.doc import BaseDocProvider

# Carries the section and name that `with_args` gave a source.
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext

# Takes a connection string apart, to name what it lacks: dlt says only that there are no credentials.
from dlt.common.configuration.specs.connection_string_credentials import ConnectionStringCredentials

# Lets a task of Airflow read configuration from its own folder.
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext

# Lets go of the log of resolved settings, which grows with each dlt run where no trace of them is kept.
from dlt.common.configuration.utils import get_resolved_traces

# Types the casts that the normalizer allows.
from dlt.common.data_types.typing import TDataType

# Tells whether texts may hold NUL, which merge strategies there are, and which file format is preferred.
from dlt.common.destination import DestinationCapabilitiesContext

# Remove deleted rows from Iceberg tables; empties the staging dataset.
from dlt.common.destination.client import SupportsOpenTables, WithStagingDataset

# Tell a destination that cannot be reached, and tables of dlt's that are not there yet.
from dlt.common.destination.exceptions import DestinationException, DestinationUndefinedEntity

# Types tables as a destination is given them.
from dlt.common.destination.typing import PreparedTableSchema

# Tells how the destination will merge: some strategies take a key only once in a package.
from dlt.common.destination.utils import resolve_merge_strategy

# Names the environment variable of dlt's folder.
from dlt.common.known_env import DLT_DATA_DIR

# Is subclassed so that no cast changes a value in child tables.
from dlt.common.normalizers.json import relational

# Makes ids of rows as dlt does.
from dlt.common.normalizers.utils import generate_dlt_id

# Types what a load has done; finds the active pipeline, and its state while a run changes it.
from dlt.common.pipeline import LoadInfo, PipelineContext, pipeline_state

# Is subclassed by our display; the others are those that `--progress` chooses from.
from dlt.common.runtime.collector import LogCollector, TqdmCollector
from dlt.common.runtime.collector_base import Collector

# Recognises times as dlt does.
from dlt.common.schema.detections import is_iso_timestamp

# Tell a table that has been loaded, and the table that a child belongs to.
from dlt.common.schema.utils import get_root_table, has_table_seen_data

# Tells that a resource is iterated without a pipeline.
from dlt.common.storages.exceptions import CurrentLoadPackageStateNotAvailable

# Reads the state that a waiting package follows on.
from dlt.common.versioned_state import decompress_state, json_decode_state

# Tell a table that is not there, and errors of a database that will not pass.
from dlt.destinations.exceptions import DatabaseException, DatabaseTerminalException, DatabaseUndefinedRelation

# Lay large tables out by month: dlt's adapter takes a resource only before it has hints of other tables.
from dlt.destinations.impl.bigquery.bigquery_adapter import CLUSTER_COLUMNS_HINT, PARTITION_HINT

# Names the DuckDB file that is locked, and its memory.
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

# Is repaired below.
from dlt.destinations.impl.duckdb.sql_client import DuckDBDBApiCursorImpl

# Asks a database for its tables.
from dlt.destinations.job_client_impl import SqlJobClientBase

# Read tables back.
from dlt.destinations.sql_client import SqlClientBase, WithSqlClient
from dlt.extract import DltResource, DltSource

# Tell dlt's own steps in a pipe from those of users.
from dlt.extract.incremental import Incremental, IncrementalResourceWrapper
from dlt.extract.items_transform import FilterItem, ItemTransform, LimitItem, MapItem

# Types what `dlt.source` makes.
from dlt.extract.reference import SourceFactory

# Is subclassed so that a refresh leaves the reports of other streams alone.
from dlt.extract.source import DltResourceDict

# Tells a package that can never be loaded.
from dlt.load.exceptions import LoadClientJobException

# Drops the streams whose tables have been lost.
from dlt.pipeline.helpers import pipeline_drop

# Reads the newest state at the destination.
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

P = ParamSpec("P")
S = TypeVar("S", bound=DltSource)


def source_of_kind(kind: type[S], **options: Any) -> Callable[[Callable[P, Any]], SourceFactory[P, S]]:
    """`dlt.source`, whose sources are of a class of ours: dlt has no documented way to subclass them."""
    return dlt.source(_impl_cls=kind, **options)


def resource_of_kind(kind: type, data: Any, **options: Any) -> Any:
    """`dlt.resource` of a class of ours."""
    return dlt.resource(data, _impl_cls=kind, **options)


class KeepsAttributes(DltResource):
    """A resource whose copies have attributes of ours: dlt copies one at `with_name`, calls and pipes."""

    kept: ClassVar[tuple[str, ...]] = ()

    def _clone(self, **names: Any) -> Any:
        copy = super()._clone(**names)
        for name in self.kept:
            setattr(copy, name, getattr(self, name))
        return copy


def iter_arrow(self: Any, chunk_size: int) -> Any:
    """What dlt's `iter_arrow` yields; whole tables by the name that DuckDB has for them since version 2."""
    if chunk_size:
        yield from dlt_iter_arrow(self, chunk_size)
    else:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
            yield self.native_cursor.to_arrow_table()


dlt_iter_arrow = DuckDBDBApiCursorImpl.iter_arrow
if not hasattr(duckdb.DuckDBPyConnection, "fetch_arrow_table"):
    # `.arrow()` of a dataset fails without: dlt 1.31 calls what DuckDB 2 has dropped.
    DuckDBDBApiCursorImpl.iter_arrow = iter_arrow  # type: ignore[method-assign]


def waiting_packages(pipeline: Any) -> list[tuple[Any, Sequence[str]]]:
    """The packages that wait to be loaded, then those that wait to be normalized, each kind with its storage."""
    return [
        (pipeline._get_load_storage().normalized_packages, pipeline.list_normalized_load_packages()),
        (pipeline._get_normalize_storage().extracted_packages, pipeline.list_extracted_load_packages()),
    ]


def forget_loaded(pipeline: Any, kept: int) -> None:
    """Remove what dlt keeps of packages that were loaded, each with a schema of its own, but for the newest."""
    storage = pipeline._get_load_storage()
    for load_id in storage.list_loaded_packages()[:-kept]:
        storage.delete_loaded_package(load_id)


def last_extracted_hash(state: Any) -> str | None:
    """The hash of the state that was extracted last, as a pipeline's state keeps it for this machine alone."""
    return state["_local"].get("_last_extracted_hash")  # type: ignore[no-any-return]


def root_of(resource: Any) -> str:
    """The name of the resource that a transformer's rows come from, through others if need be; else its own."""
    pipe = resource._pipe
    while pipe.parent is not None:
        pipe = pipe.parent
    return pipe.name  # type: ignore[no-any-return]


def function_of(step: Any) -> Any:
    """What a step of a resource's pipe does."""
    return step._f or step._f_meta


def running_state(pipeline: Any) -> Any:
    """A pipeline's state: within a run, with what the run has put into it so far."""
    state, is_managed = pipeline_state(Container())
    return state if is_managed else pipeline.state


def steps_of(resource: Any) -> Sequence[Any]:
    """The steps of a resource's pipe."""
    return resource._pipe.steps  # type: ignore[no-any-return]


__all__ = [
    "CLUSTER_COLUMNS_HINT",
    "DLT_DATA_DIR",
    "PARTITION_HINT",
    "BaseDocProvider",
    "Collector",
    "ConfigSectionContext",
    "ConnectionStringCredentials",
    "Container",
    "CurrentLoadPackageStateNotAvailable",
    "DatabaseException",
    "DatabaseTerminalException",
    "DatabaseUndefinedRelation",
    "DestinationCapabilitiesContext",
    "DestinationException",
    "DestinationUndefinedEntity",
    "DltResourceDict",
    "DuckDbCredentials",
    "FilterItem",
    "Incremental",
    "IncrementalResourceWrapper",
    "ItemTransform",
    "KeepsAttributes",
    "LimitItem",
    "LoadClientJobException",
    "LoadInfo",
    "LogCollector",
    "MapItem",
    "PipelineContext",
    "PluggableRunContext",
    "PreparedTableSchema",
    "SqlClientBase",
    "SqlJobClientBase",
    "SupportsOpenTables",
    "TDataType",
    "TqdmCollector",
    "WithSqlClient",
    "WithStagingDataset",
    "decompress_state",
    "function_of",
    "generate_dlt_id",
    "get_resolved_traces",
    "get_root_table",
    "has_table_seen_data",
    "is_iso_timestamp",
    "json_decode_state",
    "last_extracted_hash",
    "load_pipeline_state_from_destination",
    "pipeline_drop",
    "relational",
    "resolve_merge_strategy",
    "resource_of_kind",
    "root_of",
    "running_state",
    "source_of_kind",
    "steps_of",
    "waiting_packages",
]
