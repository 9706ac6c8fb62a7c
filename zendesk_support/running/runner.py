"""Runs a source to its end, checkpoint by checkpoint, so that one failing stream does not cost the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dlt
from dlt.common import logger
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.checkpoints import Checkpoints, current_sync
from zendesk_support.dlt_internals import LoadClientJobException, LoadInfo, forget_loaded, pipeline_drop
from zendesk_support.error_messages import causes
from zendesk_support.errors import AlreadyRunningError, ConfigurationError
from zendesk_support.loading.account_guard import check_account
from zendesk_support.loading.cadence import not_due, tell
from zendesk_support.loading.default_set import set_of
from zendesk_support.loading.destination_state import (
    connected,
    follow_destination,
    lost_streams,
    make_again,
    state_of,
    tables_of,
)
from zendesk_support.loading.shared_columns import adopt_columns, check_losses
from zendesk_support.loading.shared_tables import keep_staging_apart
from zendesk_support.loading.stream_resource import StreamResource
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.report import Report
from zendesk_support.running.probe import demand_product
from zendesk_support.running.run_lock import check_lock, only_run
from zendesk_support.settings import positive
from zendesk_support.source import ZendeskSource, source_of
from zendesk_support.streams.base import Stream
from zendesk_support.warehouse.after_load import tidy
from zendesk_support.warehouse.duckdb_memory import advice, grant_more, is_out_of_memory
from zendesk_support.warehouse.loaded_table import DESTINATION_LOCK
from zendesk_support.warehouse.process_memory import give_back
from zendesk_support.wide.views import keep_views

DEFAULTS = {
    "load.auto_abort_on_terminal_error": True,
    # dlt would keep every row on disk for good, redacted ones too.
    "load.delete_completed_jobs": True,
    "data_writer.arrow_concat_promote_options": "default",
    # A page of an export at a time: a row group of more has DuckDB hold more of wide rows at once.
    "data_writer.buffer_max_items": 1000,
}
PACKAGES_KEPT = 20
"""Loaded packages of which dlt's working folder keeps schema and lists, up to a megabyte each, for `dlt pipeline`."""


def sync(
    pipeline: Pipeline,
    source: ZendeskSource | StreamResource | Sequence[StreamResource],
    *,
    full_refresh: bool = False,
    max_minutes: float | None = None,
    due: Collection[str] = (),
) -> Report:
    """Load a source, each stream as far as it gets.

    What was read is loaded every `checkpoint_minutes` (a setting of the source), while reading goes on; a run that is
    killed loses no more than that. A package left by a crashed run is loaded first, or dropped if it never can be. A
    stream the plan or role refuses is skipped; a stream that fails keeps the pages it has read, and the next run goes
    on from there. In the main thread, the first SIGINT or SIGTERM ends the sync at the next page: loaded, resumable.

    Args:
        pipeline: where to.
        source: what, as `zendesk_support_source()` makes it, or some resources of it.
        full_refresh: drop the selected streams' tables and positions, and load them anew.
        max_minutes: stop reading after this many minutes; the next run goes on from there.
        due: streams that are read even if less time than their `every` has passed since they were.

    Returns:
        A report of every selected stream; `failed`, `unavailable` and `stopped` tell what is missing, `signal` what
        stopped it.

    Raises:
        AlreadyRunningError: another run of this pipeline, or of these streams into this dataset, is under way.
        ConfigurationError: Zendesk refuses the credentials, the account has no active Support product, a stream's table
            was made with other settings, or pipeline or dataset hold another account.
        PipelineStepFailed: nothing more could be loaded: the destination refuses, the disk is full.
    """
    until = positive("max_minutes", max_minutes, "30") * 60 if max_minutes is not None else None
    source = source_from(source).clone()  # a schema of its own: another thread may load the same source elsewhere
    settings = source.account.settings
    checkpoints = Checkpoints(Report(), settings.checkpoint_minutes * 60, until, settings.every)
    set_defaults()
    with (
        only_run(pipeline, source.selected_streams, apart=settings.shares),
        checkpoints.stop.heeding_signals(),
        own_signals(pipeline),
        in_force(checkpoints),
        source.account.held_open(),
    ):
        refresh = "drop_resources" if full_refresh else pipeline.refresh
        begin(pipeline, source, is_dropped=refresh in ("drop_resources", "drop_sources"))
        source = as_asked(pipeline, source)
        if not (refresh or settings.end is not None):
            source = less_those_not_due(pipeline, source, checkpoints.report, due)
        if source.selected_resources.keys() != {REPORT_TABLE}:
            load_all(pipeline, source, checkpoints, refresh)
        keep_views(pipeline, source, [name for name, told in checkpoints.report.streams.items() if told.rows])
    demand_product([told.error for told in checkpoints.report.streams.values() if told.status != "not due"])
    checkpoints.report.signal = checkpoints.received
    return checkpoints.report


def source_from(given: Any) -> ZendeskSource:
    """The source that somebody wants to have loaded.

    Raises:
        ConfigurationError: it is none of this package.
    """
    if isinstance(given, ZendeskSource):
        return given
    resources = list({id(item): item for item in given}.values()) if isinstance(given, Sequence) else [given]
    if len(resources) == 1 and isinstance(resources[0], ZendeskSource):
        return resources[0]
    if resources and all(isinstance(resource, StreamResource) for resource in resources):
        return source_of(*resources)
    raise ConfigurationError(
        f"sync() loads a source of this package, or its resources, not {type(given).__name__}. Example: "
        'sync(pipeline, zendesk_support_source().with_resources("tickets")). A transformer goes into the source first: '
        "source.resources.add(source.tickets | transformer). Load other data with pipeline.run()."
    )


def as_asked(pipeline: Pipeline, source: ZendeskSource) -> ZendeskSource:
    """The source with the streams that were asked for, else those of the default set that its pipeline began with."""
    if not source.by_default:
        return source
    state = state_of(pipeline, source.name)
    tables = pipeline.schemas[source.name].tables if source.name in pipeline.schema_names else {}
    return source.of_default_set(set_of(state, tables))


def less_those_not_due(
    pipeline: Pipeline, source: ZendeskSource, report: Report, regardless: Collection[str]
) -> ZendeskSource:
    """The source without streams that are not due, which the report names."""
    settings, states = source.account.settings, state_of(pipeline, source.name).get("resources", {})
    waiting = not_due(states, source.selected_streams, settings.every, regardless)
    tell(report, waiting, settings.account)
    if not waiting:
        return source
    return source.with_resources(*(name for name in source.selected_resources if name not in source.fed_by(waiting)))


def load_all(pipeline: Pipeline, source: ZendeskSource, checkpoints: Checkpoints, refresh: str | None) -> None:
    """One dlt run from each checkpoint to the next, over the streams that have more."""
    if refresh:
        keep_reports(pipeline)
    with told_in_words(checkpoints), without_refresh(pipeline):
        load_once(pipeline, source, refresh=refresh)
        while going_on := checkpoints.going_on:
            checkpoints.begin()
            load_once(pipeline, source.with_resources(*source.fed_by(going_on)))


@contextmanager
def told_in_words(checkpoints: Checkpoints) -> Iterator[None]:
    """Let a wrong setting that has ended a dlt run come out of it, and add advice where memory ran out."""
    try:
        yield
    except PipelineStepFailed as error:
        for cause in causes(error):
            if isinstance(cause, ConfigurationError):
                raise cause from cause.__cause__
        if is_out_of_memory(error):
            error.advice = advice(checkpoints.report)  # type: ignore[attr-defined]
        raise


@contextmanager
def without_refresh(pipeline: Pipeline) -> Iterator[None]:
    """Keep a pipeline's own `refresh` to the first of a sync's runs: at each checkpoint it would begin anew."""
    before, pipeline.refresh = pipeline.refresh, None
    try:
        yield
    finally:
        pipeline.refresh = before


def load_once(pipeline: Pipeline, source: ZendeskSource, **arguments: Any) -> None:
    """One dlt run; while it loads, no reader looks at the destination."""
    wait = source.account.settings.database_wait
    pipeline.extract(source, **arguments)
    pipeline.normalize()
    give_back()
    try:
        check_lock()
    except AlreadyRunningError:
        pipeline.abort_packages()
        raise
    with DESTINATION_LOCK.for_loading(), connected(pipeline, wait):
        with_room(pipeline, pipeline.load)
    forget_loaded(pipeline, PACKAGES_KEPT)
    give_back()


def with_room(pipeline: Pipeline, step: Callable[[], LoadInfo | None]) -> None:
    """Load; once more with a larger grant, where DuckDB runs out of the memory that the command line grants it."""
    try:
        info = step()
    except PipelineStepFailed as error:
        grant = grant_more(pipeline) if is_out_of_memory(error) else None
        if grant is None:
            raise
        logger.warning(f"DuckDB ran out of the memory it is granted; loading once more with memory_limit = {grant}")
        info = step()
    if info is not None:
        tidy(pipeline, info)


def begin(pipeline: Pipeline, source: ZendeskSource, is_dropped: bool) -> None:
    """Make positions and destination agree, and load what a crashed run has left; the tables may be dropped next."""
    with DESTINATION_LOCK.for_loading():  # another account may be reading the file, or loading into it
        agree(pipeline, source, is_dropped)


def agree(pipeline: Pipeline, source: ZendeskSource, is_dropped: bool) -> None:
    """What `begin` does, alone at the destination."""
    keep_staging_apart(pipeline, source.account.settings)
    with connected(pipeline, source.account.settings.database_wait):
        follow_destination(pipeline, source)
        check_account(pipeline, source.name, source.account.settings)
        adopt_columns(pipeline, source)
    finish(pipeline)
    streams = {name: resource.stream for name, resource in source.selected_streams.items()}
    if is_dropped:
        tell_of_lost_rows(pipeline, source.name, streams)
        return
    lost = lost_streams(pipeline, source.name, streams)
    kept = {name: loss for name, loss in lost.items() if loss.leaves_rows and streams[name].outlasts}
    for stream, loss in lost.items():
        if stream in kept:
            what = "keeps its rows, of which Zendesk may have some no longer; what is gone fills as they are read again"
        else:
            what = "is loaded anew"
        logger.warning(f"{loss.how}: the stream {stream} {what}.")
    check_losses(lost, source.account.settings)
    if lost:
        keep_reports(pipeline)
    make_again(pipeline, source.name, kept)
    if anew := [name for name in lost if name not in kept]:
        pipeline_drop(pipeline, anew, source.name)()


def tell_of_lost_rows(pipeline: Pipeline, schema_name: str, streams: Mapping[str, Stream]) -> None:
    """Name the streams that lose rows for good as their tables are dropped."""
    schema = pipeline.schemas[schema_name] if schema_name in pipeline.schema_names else None
    if schema and (names := [name for name in tables_of(schema, streams, ()) if streams[name].outlasts]):
        logger.warning(
            f"{', '.join(names)}: loaded anew, and rows that Zendesk no longer has are lost with their tables."
        )


def finish(pipeline: Pipeline) -> None:
    """Load what a crashed run has left; drop what never can be, with its positions."""
    try:
        if pipeline.has_pending_data:
            with_room(pipeline, pipeline.run)
    except PipelineStepFailed as error:
        refused = isinstance(error.exception, LoadClientJobException)
        if error.step == "sync" or (error.step == "load" and not refused):
            raise
        logger.warning(f"a package of an earlier run cannot be loaded and is read anew: {error}")
        pipeline.abort_packages()


@contextmanager
def own_signals(pipeline: Pipeline) -> Iterator[None]:
    """Keep dlt from cutting short a load on a signal: it ends by itself, and completely."""
    config = pipeline.runtime_config
    before = config.intercept_signals
    config.intercept_signals = False
    try:
        yield
    finally:
        config.intercept_signals = before


@contextmanager
def in_force(checkpoints: Checkpoints) -> Iterator[None]:
    """Let the streams see the sync."""
    token = current_sync.set(checkpoints)
    try:
        yield
    finally:
        current_sync.reset(token)


def set_defaults() -> None:
    """Set what this library needs of dlt, where the user has not set it."""
    for key, value in DEFAULTS.items():
        if dlt.config.get(key) is None:
            dlt.config[key] = value


def keep_reports(pipeline: Pipeline) -> None:
    """Let a refresh of the streams leave the reports of earlier runs alone."""
    for name in pipeline.schemas:
        tables = pipeline.schemas[name].tables
        if REPORT_TABLE in tables:
            tables[REPORT_TABLE]["resource"] = REPORT_TABLE


__all__ = ["PipelineStepFailed", "sync"]
