"""What the command line does: load, check or verify, and the exit codes of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import dlt
from dlt.pipeline.exceptions import CannotRestorePipelineException, PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from rich.markup import escape
from rich.table import Table

from zendesk_support.command.console import (
    console,
    errors,
    fail,
    list_streams,
    show,
    show_end,
    show_reasons,
    show_verification,
    warn,
)
from zendesk_support.command.destinations import Warehouse
from zendesk_support.command.display import Display
from zendesk_support.command.keep_syncing import keep_syncing
from zendesk_support.command.options import apart, select
from zendesk_support.command.tracked_secrets import tracked_secrets
from zendesk_support.dlt_internals import DestinationException, LogCollector, TqdmCollector
from zendesk_support.error_messages import causes, explain, holder_of
from zendesk_support.errors import (
    UnavailableError,
)
from zendesk_support.loading.cadence import shown_cadence
from zendesk_support.loading.destination_state import connected
from zendesk_support.report import Report
from zendesk_support.running.probe import check_streams, explain_losses, loss
from zendesk_support.running.runner import as_asked, sync
from zendesk_support.source import ZendeskSource, zendesk_support_source
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import costs_of, trials_left_out
from zendesk_support.verification.verifier import verify
from zendesk_support.wide.definitions import OF_OBJECT, VIEWS
from zendesk_support.wide.views import make_views

LOADED, INCOMPLETE, WRONG_USE, OUT_OF_TIME = 0, 1, 2, 3
NAMED = 5
MADE_OF = [view.stream for view in (*VIEWS, OF_OBJECT)]


def run(options: argparse.Namespace, make_pipeline: Any) -> int:
    """Do what the options say with the account that is configured without a name."""
    if options.list_streams:
        list_streams(select(apart(options.streams), apart(options.exclude)))
        return LOADED
    warn_of_secrets()
    return do(options, make_pipeline, make_source(options))


def warn_of_secrets() -> None:
    """Name the files that publish credentials."""
    for file in tracked_secrets():
        warn(
            f"{file} holds credentials and is tracked by git: a push publishes them. Move them to the environment or "
            "~/.dlt/secrets.toml, and clear them there. Replace those that were ever committed."
        )


def do(options: argparse.Namespace, make_pipeline: Any, source: ZendeskSource) -> int:
    """Load, check or verify one account, or make its views, as the options say."""
    if options.check:
        return check(as_begun(options.pipeline_name, source), options.strict, options.quiet)
    of_loaded = options.verify or options.verify_keys or options.views
    if of_loaded and options.file_of is not None and not (file := options.file_of(options)).exists():
        fail(f"There is no {file}: nothing has been loaded.")
        return INCOMPLETE
    if options.verify or options.verify_keys:
        how = {"keys": options.verify_keys, "since": options.since}
        return compare(make_pipeline(options), source, options.strict, options.quiet, **how)
    if options.views:
        return remake_views(make_pipeline(options), source, options.quiet)
    if options.every is not None:
        options.progress = options.progress or "off"
        return outcome(keep_syncing(options, make_pipeline(options), source), options.strict)
    pipeline, began = make_pipeline(options), time.monotonic()
    with watching(pipeline, source):
        named = apart(options.streams)  # by its own name, not by a family's
        limits = {"full_refresh": options.full_refresh, "max_minutes": options.max_minutes}
        report = load(pipeline, source, due=named, **limits)
    lost = explain_losses(source.account, report)  # an address that is no account's is told alone
    if not report.broken:
        show(report, options.verbose, options.quiet)
        if not options.quiet:
            show_end(pipeline, report, time.monotonic() - began)
    if lost is not None:
        fail(lost)
    return outcome(report, options.strict)


def make_source(
    options: argparse.Namespace, make: Callable[..., ZendeskSource] | None = None, **settings: Any
) -> ZendeskSource:
    """Build the source from options and configuration.

    Args:
        options: what was asked for.
        make: makes the source; by default of the account without a name.
        settings: of the source.
    """
    streams, exclude = apart(options.streams), apart(options.exclude)
    select(streams, exclude)  # a misspelt name is told before anything else
    if options.start_date:
        settings["start_date"] = options.start_date
    if options.end_date:
        settings["end_date"] = options.end_date
    source = (make or zendesk_support_source)(**settings)
    if not (streams or exclude):
        return source
    chosen: ZendeskSource = source.with_resources(*select(streams, exclude, source.selected_streams))
    chosen.by_default = source.by_default and not streams
    return chosen


def open_pipeline(warehouse: Warehouse, options: argparse.Namespace) -> Pipeline:
    """A pipeline into a destination that answers, with the progress display that was asked for."""
    return warehouse.pipeline(options, progress(options.progress))


def progress(wanted: str | None) -> Any:
    """The progress display that was asked for."""
    if wanted == "off":
        return None
    if wanted == "tqdm":
        return TqdmCollector()
    return LogCollector(10, dump_system_stats=False) if wanted == "log" else Display(errors)


@contextmanager
def watching(pipeline: Pipeline, source: ZendeskSource) -> Iterator[None]:
    """Show the run, if the pipeline has our own display."""
    display: Any = pipeline.collector
    with display.watching(source.account) if isinstance(display, Display) else nullcontext():
        yield


def load(pipeline: Pipeline, source: ZendeskSource, **options: Any) -> Report:
    """Run the pipeline and print what happened."""
    try:
        report = sync(pipeline, source, **options)
    except (PipelineStepFailed, OSError) as error:
        if any(isinstance(cause, KeyboardInterrupt) for cause in causes(error)):
            raise KeyboardInterrupt from error
        report = Report()
        errors.print(f"[red]{getattr(error, 'step', 'load')} failed:[/red] {escape(explain(error))}", highlight=False)
        errors.print("What earlier checkpoints have loaded stays; the next run goes on from there.", highlight=False)
        if holder_of(error) and pipeline.has_pending_data:
            errors.print("What was read since is kept, and loaded first by the next run.", highlight=False)
        report.broken = True
    return report


def outcome(report: Report, strict: bool) -> int:
    """The exit code of a run; as the shell has it for a process that a signal has ended."""
    if report.signal is not None:
        return 128 + report.signal
    if report.broken or report.failed or report.lost or (strict and report.unavailable):
        return INCOMPLETE
    return OUT_OF_TIME if report.stopped else LOADED


def remake_views(pipeline: Pipeline, source: ZendeskSource, quiet: bool) -> int:
    """Make the views anew and print what they are called."""
    with connected(pipeline, source.account.settings.database_wait):
        made = make_views(pipeline, source)
    if not made:
        fail(f"No view was made in {pipeline.dataset_name}: it has none of the tables {', '.join(MADE_OF)}.")
        return INCOMPLETE
    if not quiet:
        for name, columns in made.items():
            custom = sum(column.startswith("custom_") for column in columns)
            console.print(f"{pipeline.dataset_name}.{name}: {len(columns)} columns, {custom} of them of custom fields")
    return LOADED


def of_every_plan(names: Sequence[str]) -> list[str]:
    """Those of some streams that no plan lacks; a stream under another name is not known to be."""
    return [name for name in names if name in CATALOGUE and CATALOGUE[name].is_of_every_plan]


def compare(pipeline: Pipeline, source: ZendeskSource, strict: bool, quiet: bool, **options: Any) -> int:
    """Verify the selected streams and print what was found."""
    try:
        results = verify(pipeline, source, **options)
    except (PipelineStepFailed, DestinationException) as error:
        errors.print(f"[red]not compared:[/red] {escape(explain(error))}", highlight=False)
        return INCOMPLETE
    if shown := [result for result in results if not (quiet and result.passed)]:
        show_verification(shown)
    unavailable = [result.stream for result in results if result.verdict == "unavailable"]
    if lost := of_every_plan(unavailable):
        fail(loss(lost, None))
    refused = bool(lost) or (strict and bool(unavailable))
    if nothing := [result.stream for result in results if result.verdict == "not loaded"]:
        named = ", ".join(nothing[:NAMED]) + (", …" if len(nothing) > NAMED else "")
        told = f"{len(nothing)} of {len(results)} streams have no table: {named}. Load them, or name others: --streams."
        fail(told)
    return INCOMPLETE if nothing or refused or not all(result.passed for result in results) else LOADED


def as_begun(name: str, source: ZendeskSource) -> ZendeskSource:
    """The source with the default set of the pipeline that this machine has by that name, if it has one."""
    with suppress(CannotRestorePipelineException):
        return as_asked(dlt.attach(name), source)
    return source


def check(source: ZendeskSource, strict: bool, quiet: bool) -> int:
    """Print whether each stream answers, and what it costs; only those that do not answer where `quiet`."""
    identity, found = check_streams(source.account, list(source.selected_streams))
    costs = costs_of(found)
    if not quiet:
        console.print(str(identity), highlight=False, markup=False)
    table = Table(box=None, pad_edge=False)
    for title in ("stream", "", "family", "every"):
        table.add_column(title, no_wrap=True)
    table.add_column("requests a sync")
    for name, error in found.items():
        if error is not None or not quiet:
            every = shown_cadence(CATALOGUE[name], source.account.settings)
            answer = "[green]ok[/green]" if error is None else "[red]no[/red]"
            table.add_row(name, answer, CATALOGUE[name].family, every, costs[name])
    if table.rows:
        console.print(table)
    if not quiet and (trials := trials_left_out(found)):
        told = f"{', '.join(trials)}: a trial, loaded only where it is named itself"
        console.print(told, highlight=False, markup=False)
    refused = {name: error for name, error in found.items() if error is not None}
    show_reasons({name: str(error) for name, error in refused.items()})
    unavailable = [name for name, error in refused.items() if isinstance(error, UnavailableError)]
    if lost := of_every_plan(unavailable):
        fail(loss(lost, identity))
    return INCOMPLETE if lost or len(unavailable) < len(refused) or (refused and strict) else LOADED
