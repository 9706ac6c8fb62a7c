"""What the command line prints: tables of streams, warnings and failures."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

import dlt
from dlt.pipeline.pipeline import Pipeline
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zendesk_support.command.destinations import place
from zendesk_support.error_messages import untraced
from zendesk_support.loading.destination_state import duckdb_file
from zendesk_support.report import Report, StreamReport
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import DEFAULT
from zendesk_support.verification.result import Verification

LONGEST_LINE = 500
COLOURS = {"loaded": "green", "unavailable": "yellow", "stopped": "yellow", "failed": "red", "not due": "bright_black"}
TIME = "%Y-%m-%d %H:%M:%S"
ROUTE = re.compile(r"^Zendesk refused `[^`]*` \(")

label: ContextVar[str | None] = ContextVar("label", default=None)
"""The account that a thread works for, where several have their turn at a time."""


class Labelled(io.TextIOBase):
    """A stream whose lines begin with the name of an account; what is printed at once stays together."""

    def __init__(self, stream: IO[str], name: str) -> None:
        self._stream, self._name = stream, name

    def write(self, text: str) -> int:
        """Write lines."""
        self._stream.write("".join(f"{self._name}: {line}" for line in text.splitlines(keepends=True)))
        return len(text)

    def flush(self) -> None:
        """Bring them out."""
        self._stream.flush()


class AccountConsole(Console):
    """A console that names the account in each line, where several have their turn; no display is live there."""

    @property
    def file(self) -> IO[str]:
        """Where it prints to."""
        name = label.get()
        return Labelled(super().file, name) if name is not None else super().file  # type: ignore[return-value]

    @file.setter
    def file(self, new: IO[str]) -> None:
        self._file = new

    @property
    def is_terminal(self) -> bool:
        """Whether it prints to somebody who looks on: a console has room for one live display."""
        return label.get() is None and super().is_terminal


console = AccountConsole(soft_wrap=not sys.stdout.isatty())
errors = AccountConsole(stderr=True, soft_wrap=True)


class PlainWarnings(logging.Filter):
    """Prints dlt's and our warnings, each once and in one line, in place of log records with process ids.

    Why a load ended is told in words, without stack traces. Somebody who sets a format of dlt's log gets that log.
    """

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self._quiet = quiet
        self._told: set[tuple[str | None, str]] = set()
        self._as_log = dlt.config.get("runtime.log_format") is not None

    def filter(self, record: logging.LogRecord) -> bool:
        """Let lines pass that are no warnings."""
        record.exc_info = record.exc_text = None
        record.msg, record.args = "".join(untraced(record.getMessage())), None
        if self._as_log or record.levelno < logging.WARNING:
            return True
        line = " ".join(record.msg.split())
        if (label.get(), line) not in self._told and not (self._quiet and record.levelno < logging.ERROR):
            self._told.add((label.get(), line))
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


def fail(text: str) -> None:
    """Print what stands in the way."""
    errors.print(f"[red]error:[/red] {escape(text)}", highlight=False)


def warn(text: str) -> None:
    """Print a warning, in one line."""
    errors.print(f"[yellow]warning:[/yellow] {escape(text)}", highlight=False)


def show(report: Report, verbose: bool = True, quiet: bool = False) -> None:
    """Print a table of the streams: by default those with news, all where `verbose`, only failures where `quiet`."""
    loaded = [stream for stream in report.streams.values() if stream.status == "loaded"]
    folded = [] if verbose else [stream for stream in loaded if not (stream.rows or stream.message)]
    waiting = [] if verbose else report.not_due
    shown = [stream for stream in report.streams.values() if stream not in folded and stream not in waiting]
    shown = report.failed if quiet else shown
    if shown:
        show_streams(shown)
    if folded and not quiet:
        what = "more" if shown else "stream" if len(folded) == 1 else "streams"
        console.print(f"{len(folded)} {what}: nothing new (-v lists them)", highlight=False)
    if waiting and not quiet:
        what = "stream" if len(waiting) == 1 else "streams"
        console.print(f"{len(waiting)} {what}: not due (-v lists them)", highlight=False)


def show_streams(streams: Sequence[StreamReport]) -> None:
    """Print streams, and what is to be said of them."""
    table = Table(box=None, pad_edge=False)
    table.add_column("stream", no_wrap=True)
    for name in ("rows", "requests", "waited (s)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for stream in streams:
        colour = COLOURS[stream.status]
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
    console.print("What the tables hold: docs/streams.md; queries that people ask for: docs/queries.md", **plain)


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
    for name in ("stream", "family", "a row is", "plan"):
        table.add_column(name, no_wrap=name in ("stream", "family"))
    asked = False
    for name in selected:
        stream = CATALOGUE[name]
        asked |= stream.default_set is None
        table.add_row(name + ("" if stream.default_set else " *"), stream.family, stream.doc, stream.plan)
    console.print(table)
    if asked:
        console.print(f"* loaded only where it is named: --streams {DEFAULT} NAME", highlight=False, markup=False)


def first_paragraph(error: BaseException) -> str:
    """An error's message without a trace."""
    return str(error).strip()
