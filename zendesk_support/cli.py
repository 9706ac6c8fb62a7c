"""The command line that the scripts in `pipelines/` share."""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich_argparse import RichHelpFormatter

import zendesk_support
from zendesk_support.check import check_streams, explain_losses, loss
from zendesk_support.destination_state import duckdb_file
from zendesk_support.destinations import WAREHOUSES, Warehouse, place
from zendesk_support.display import Display
from zendesk_support.dlt_internals import DestinationException, LogCollector, TqdmCollector
from zendesk_support.errors import (
    AlreadyRunningError,
    ConfigurationError,
    DestinationError,
    UnavailableError,
    ZendeskError,
)
from zendesk_support.explain import causes, explain, holder_of, untraced
from zendesk_support.report import Report, StreamReport
from zendesk_support.runner import sync
from zendesk_support.source import ZendeskSource, zendesk_support_source
from zendesk_support.streams import CATALOGUE
from zendesk_support.tracked_secrets import tracked_secrets
from zendesk_support.verify import Verification, verify

LOADED, INCOMPLETE, WRONG_USE, OUT_OF_TIME = 0, 1, 2, 3
ALONE = ("demo", "list_streams", "check", "verify", "verify_keys", "full_refresh")
"""Options of which one run takes one."""
PROGRESS = ("auto", "tqdm", "log", "off")
LONGEST_LINE = 500
TIME = "%Y-%m-%d %H:%M:%S"
NAMED = 5
ROUTE = re.compile(r"^Zendesk refused `[^`]*` \(")

console = Console(soft_wrap=not sys.stdout.isatty())
errors = Console(stderr=True, soft_wrap=True)


def main(destination: str, arguments: Sequence[str] | None = None) -> int:
    """Run the pipeline into a destination of `WAREHOUSES`.

    Returns:
        0: every selected stream is loaded, or not part of this account's plan; 1: a stream failed, the credentials may
        not read one that every plan has, or a table is found to differ from Zendesk; 2: wrong use: a setting,
        credentials, an address; 3: stopped by `--max-minutes`, with more to read; 128 and its number: by a signal.
    """
    warehouse = WAREHOUSES[destination]
    try:
        options = make_parser(warehouse).parse_args(arguments)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # as Python has it: the scripts have taken it away
        with plain_warnings(options.quiet):
            return carry_out(options, warehouse)
    except AlreadyRunningError as error:
        fail(str(error))
        return INCOMPLETE
    except (ZendeskError, ConfigurationException) as error:
        fail(first_paragraph(error))
        told = "" if isinstance(error, DestinationError) else str(error)
        if "credentials" in told or "subdomain is not set" in told:
            errors.print("\nWithout a Zendesk account, try --demo.", highlight=False)
        return WRONG_USE
    except (OSError, DestinationException) as error:
        fail(explain(error))
        return INCOMPLETE
    except KeyboardInterrupt:
        errors.print("stopped: what was read since the last load is dropped; the next run reads it again.")
        return 128 + signal.SIGINT


def carry_out(options: argparse.Namespace, warehouse: Warehouse) -> int:
    """Do what the options say."""
    make_pipeline = partial(open_pipeline, warehouse)
    check_options(options)
    if options.demo:
        from zendesk_support.demo import demo

        return demo(options, make_pipeline, warehouse.demo)
    return run(options, make_pipeline)


class PlainWarnings(logging.Filter):
    """Prints dlt's and our warnings, each once and in one line, in place of log records with process ids.

    Why a load ended is told in words, without stack traces. Somebody who sets a format of dlt's log gets that log.
    """

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self._quiet = quiet
        self._told: set[str] = set()
        self._as_log = dlt.config.get("runtime.log_format") is not None

    def filter(self, record: logging.LogRecord) -> bool:
        """Let lines pass that are no warnings."""
        record.exc_info = record.exc_text = None
        record.msg, record.args = "".join(untraced(record.getMessage())), None
        if self._as_log or record.levelno < logging.WARNING:
            return True
        line = " ".join(record.msg.split())
        if line not in self._told and not (self._quiet and record.levelno < logging.ERROR):
            self._told.add(line)
            warn(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…")
        return False


@contextmanager
def plain_warnings(quiet: bool) -> Iterator[None]:
    """Print warnings as people read them; none where only failures are wanted."""
    log, plain = logging.getLogger("dlt"), PlainWarnings(quiet)
    log.addFilter(plain)
    try:
        yield
    finally:
        log.removeFilter(plain)


duckdb = partial(main, "duckdb")
postgres = partial(main, "postgres")
bigquery = partial(main, "bigquery")


def make_parser(warehouse: Warehouse) -> argparse.ArgumentParser:
    """The options that every destination has, and its own."""
    parser = argparse.ArgumentParser(
        description=f"Load Zendesk Support and Help Center into {warehouse.title}.",
        formatter_class=RichHelpFormatter,
        epilog="Settings and credentials come from .dlt/config.toml, ~/.dlt/secrets.toml, SOURCES__ZENDESK_SUPPORT__*.",
    )
    add = parser.add_argument
    add("-v", "--verbose", action="store_true", help="list streams without news, too")
    add("-q", "--quiet", action="store_true", help="print failures only")
    add("--version", action="version", version=f"zendesk-support-dlt {zendesk_support.__version__}")
    add("--streams", nargs="+", default=[], metavar="NAME", help="load these streams (all)")
    add("--exclude", nargs="+", default=[], metavar="NAME", help="load all streams but these")
    add("--start-date", metavar="DATE", help="leave out facts older than this (two years back)")
    add("--end-date", metavar="DATE", help="load a bounded period, without touching the saved positions")
    add("--max-minutes", type=float, metavar="N", help="stop reading after N minutes; the next run goes on from there")
    add("--full-refresh", action="store_true", help="drop the selected streams' tables and load them anew")
    add("--dataset", metavar="NAME", help="dataset (schema) of the tables (zendesk_support)")
    add("--pipeline-name", default="zendesk_support", metavar="NAME", help="name the saved positions belong to")
    add("--progress", choices=PROGRESS, help="what is shown of a run: our own display (auto), or one of dlt's")
    add("--strict", action="store_true", help="exit with 1 if a stream is unavailable on this plan")
    add("--check", action="store_true", help="try every selected stream with one small request, load nothing")
    add("--verify", action="store_true", help="compare the selected streams' tables with Zendesk, load nothing")
    add("--verify-keys", action="store_true", help="as --verify, reading every key: as many requests as a first load")
    add("--since", metavar="DATE", help="with --verify: compare every key and version from this date on, nothing older")
    add("--list-streams", action="store_true", help="list the streams")
    add("--demo", action="store_true", help="load a simulated account, twice: no credentials needed")
    parser.set_defaults(file_of=None)
    warehouse.add_options(parser)
    return parser


def run(options: argparse.Namespace, make_pipeline: Any, **settings: Any) -> int:
    """Do what the options say."""
    selected = select(apart(options.streams), apart(options.exclude))
    if options.list_streams:
        list_streams(selected)
        return LOADED
    for file in tracked_secrets():
        warn(
            f"{file} holds credentials and is tracked by git: a push publishes them. Move them to the environment or "
            "~/.dlt/secrets.toml, and clear them there. Replace those that were ever committed."
        )
    source = make_source(options, selected, **settings)
    if options.check:
        return check(source, selected, options.strict, options.quiet)
    if options.verify or options.verify_keys:
        if options.file_of is not None and not (file := options.file_of(options)).exists():
            fail(f"There is no {file}: nothing has been loaded.")
            return INCOMPLETE
        how = {"keys": options.verify_keys, "since": options.since}
        return compare(make_pipeline(options), source, options.strict, options.quiet, **how)
    pipeline, began = make_pipeline(options), time.monotonic()
    with watching(pipeline, source):
        report = load(pipeline, source, full_refresh=options.full_refresh, max_minutes=options.max_minutes)
    lost = explain_losses(source.account, report)  # an address that is no account's is told alone
    if not report.broken:
        show(report, options.verbose, options.quiet)
        if not options.quiet:
            show_end(pipeline, report, time.monotonic() - began)
    if lost is not None:
        fail(lost)
    return outcome(report, options.strict)


def fail(text: str) -> None:
    """Print what stands in the way."""
    errors.print(f"[red]error:[/red] {escape(text)}", highlight=False)


def warn(text: str) -> None:
    """Print a warning, in one line."""
    errors.print(f"[yellow]warning:[/yellow] {escape(text)}", highlight=False)


def check_options(options: argparse.Namespace) -> None:
    """Refuse options that contradict each other, or name nothing.

    Raises:
        ConfigurationError: two of them do not go together.
    """
    asked = [f"--{name.replace('_', '-')}" for name in ALONE if getattr(options, name)]
    if len(asked) > 1:
        raise ConfigurationError(f"{asked[0]} and {asked[1]} do not go together. Example: {asked[0]} --streams tickets")
    if options.since and not (options.verify or options.verify_keys):
        raise ConfigurationError("--since is for --verify. Example: --verify --since 2024-01-31")
    for option in ("streams", "exclude"):
        if getattr(options, option) and not apart(getattr(options, option)):
            raise ConfigurationError(f"--{option} names no stream. Example: --{option} tickets users")


def make_source(options: argparse.Namespace, selected: list[str], **settings: Any) -> ZendeskSource:
    """Build the source from options and configuration."""
    if options.start_date:
        settings["start_date"] = options.start_date
    if options.end_date:
        settings["end_date"] = options.end_date
    return zendesk_support_source(**settings).with_resources(*selected)


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


def apart(given: Sequence[str]) -> list[str]:
    """Names as people write them: apart, or with commas between them."""
    return [name for text in given for name in text.replace(",", " ").split()]


def select(streams: Sequence[str], exclude: Sequence[str]) -> list[str]:
    """The streams to load.

    Raises:
        ConfigurationError: a name is no stream, or none is left.
    """
    for option, names in (("--streams", streams), ("--exclude", exclude)):
        for name in names:
            if name not in CATALOGUE:
                raise ConfigurationError(
                    f"{option} {name}: there is no such stream; --list-streams shows all. "
                    f"Example: {option} tickets users"
                )
    selected = [name for name in (streams or CATALOGUE) if name not in exclude]
    if not selected:
        raise ConfigurationError("--exclude leaves no stream to load. Example: --streams tickets users --exclude users")
    return list(dict.fromkeys(selected))


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


def show(report: Report, verbose: bool = True, quiet: bool = False) -> None:
    """Print a table of the streams: by default those with news, all where `verbose`, only failures where `quiet`."""
    loaded = [stream for stream in report.streams.values() if stream.status == "loaded"]
    folded = [] if verbose else [stream for stream in loaded if not (stream.rows or stream.message)]
    shown = report.failed if quiet else [stream for stream in report.streams.values() if stream not in folded]
    if shown:
        show_streams(shown)
    if folded and not quiet:
        what = "more" if shown else "stream" if len(folded) == 1 else "streams"
        console.print(f"{len(folded)} {what}: nothing new (-v lists them)", highlight=False)


def show_streams(streams: Sequence[StreamReport]) -> None:
    """Print streams, and what is to be said of them."""
    table = Table(box=None, pad_edge=False)
    table.add_column("stream", no_wrap=True)
    for name in ("rows", "requests", "waited (s)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for stream in streams:
        colour = {"loaded": "green", "unavailable": "yellow", "stopped": "yellow", "failed": "red"}[stream.status]
        table.add_row(
            stream.stream,
            f"{stream.rows:,}",
            f"{stream.requests:,}",
            f"{stream.seconds_waited:.1f}",
            f"[{colour}]{stream.status}[/{colour}]",
        )
    console.print(table)
    show_reasons({stream.stream: stream.message for stream in streams if stream.message})


def show_reasons(reasons: Mapping[str, str]) -> None:
    """Print what is to be said of streams, equal refusals once."""
    told: dict[str, list[str]] = {}
    for name, message in reasons.items():
        told.setdefault(ROUTE.sub("Zendesk refused them (", message), []).append(name)
    for message, streams in told.items():
        shown = reasons[streams[0]] if len(streams) == 1 else message
        console.print(f"{', '.join(streams)}: {shown}", highlight=False, markup=False)


def show_end(pipeline: Pipeline, report: Report, seconds: float) -> None:
    """Print how much was loaded, where it is, and what to try there."""
    rows = sum(stream.rows for stream in report.streams.values())
    requests = sum(stream.requests for stream in report.streams.values())
    file = duckdb_file(pipeline.destination_client())
    if file is not None and file.is_relative_to(Path.cwd()):
        file = file.relative_to(Path.cwd())
    where = f"{file or place(pipeline)}, schema {pipeline.dataset_name}"
    plain: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}  # to be copied from the screen
    console.print(f"{rows:,} rows in {seconds:.0f} s, {requests:,} requests, to {where}", **plain)
    query = f"SELECT status, count(*) FROM {pipeline.dataset_name}.tickets GROUP BY status"
    if "tickets" in report.streams:
        console.print(f'Try: duckdb {file} "{query}"' if file else f"Try: {query}", **plain)
    console.print("What the tables hold: docs/streams.md", **plain)


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


def show_verification(results: Sequence[Verification]) -> None:
    """Print what a verification found."""
    table = Table(box=None, pad_edge=False)
    table.add_column("stream", no_wrap=True)
    for name in ("Zendesk", "table", "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for result in results:
        colour = "red" if not result.passed else "green" if result.verdict == "ok" else "yellow"
        numbers = (result.expected, result.found, result.difference)
        shown = ("" if number is None else f"{number:,}" for number in numbers)
        table.add_row(result.stream, *shown, f"[{colour}]{result.verdict or 'failed'}[/{colour}]")
    console.print(table)
    for result in results:
        newest = ""
        if result.newest_expected and result.newest_found and result.newest_expected != result.newest_found:
            newest = (
                f"newest row of {result.newest_expected:{TIME}} in Zendesk, {result.newest_found:{TIME}} in the table"
            )
        if told := "; ".join(filter(None, (result.why, result.examples, newest))):
            console.print(f"{result.stream}: {told}", highlight=False, markup=False)


def list_streams(selected: list[str]) -> None:
    """Print the catalogue."""
    table = Table(box=None, pad_edge=False)
    for name in ("stream", "a row is", "plan"):
        table.add_column(name)
    for name in selected:
        stream = CATALOGUE[name]
        table.add_row(name, stream.doc, stream.plan)
    console.print(table)


def check(source: ZendeskSource, selected: list[str], strict: bool, quiet: bool) -> int:
    """Print whether each stream answers; only those that do not where `quiet`."""
    identity, found = check_streams(source.account, selected)
    if not quiet:
        console.print(str(identity), highlight=False, markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column("stream", no_wrap=True)
    table.add_column("", no_wrap=True)
    for name, error in found.items():
        if error is not None or not quiet:
            table.add_row(name, "[green]ok[/green]" if error is None else "[red]no[/red]")
    if table.rows:
        console.print(table)
    refused = {name: error for name, error in found.items() if error is not None}
    show_reasons({name: str(error) for name, error in refused.items()})
    unavailable = [name for name, error in refused.items() if isinstance(error, UnavailableError)]
    if lost := of_every_plan(unavailable):
        fail(loss(lost, identity))
    return INCOMPLETE if lost or len(unavailable) < len(refused) or (refused and strict) else LOADED


def first_paragraph(error: BaseException) -> str:
    """An error's message without a trace."""
    return str(error).strip()
