"""What the command line does with `--every`: pass after pass, each told in a line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path

from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.command.console import console, errors, fail, show_reasons
from zendesk_support.command.health import Metrics, StatusFile
from zendesk_support.error_messages import explain, first_of
from zendesk_support.loading.account import Account
from zendesk_support.report import Report, now
from zendesk_support.running.continuous import sync_every
from zendesk_support.running.probe import explain_losses
from zendesk_support.settings import duration, spelled
from zendesk_support.source import ZendeskSource

NAMED = 4


def keep_syncing(options: argparse.Namespace, pipeline: Pipeline, source: ZendeskSource) -> Report:
    """Sync until a signal comes; what a pass brought is one line, and one without news none unless `verbose`.

    Returns:
        The last report.
    """
    every, report = duration("--every", options.every), Report()
    with ExitStack() as stack:
        watchers = list(started(stack, options, every, source.account))
        if not options.quiet:
            console.print(f"Syncing every {spelled(every)}.", highlight=False)
        failing: set[str] = set()
        began, is_first = now(), True
        try:
            for report in stack.enter_context(closing(sync_every(pipeline, source, every))):
                for watcher in watchers:
                    watcher.add(report, began)
                tell(report, began, failing, options)
                if is_first and (lost := explain_losses(source.account, report)) is not None:
                    fail(lost)
                is_first = False
                began = now()
        except PipelineStepFailed as error:
            fail(explain(error))
            report.broken = True
    return report


def started(
    stack: ExitStack, options: argparse.Namespace, every: float, account: Account
) -> Iterator[StatusFile | Metrics]:
    """What tells others of the passes, as the options ask for it."""
    if options.status_file:
        yield StatusFile(Path(options.status_file), every)
    if options.metrics_port is not None:
        metrics = Metrics(options.metrics_port, account)
        stack.callback(metrics.close)
        if not options.quiet:
            console.print(f"Metrics: http://127.0.0.1:{metrics.port}/metrics", highlight=False)
        yield metrics


def tell(report: Report, began: datetime, failing: set[str], options: argparse.Namespace) -> None:
    """Print what a pass brought, and what fails that did not before."""
    if report.error is not None:
        errors.print(f"{began:%H:%M:%S} failed, is tried again: {explain(report.error)}", highlight=False, markup=False)
    told = [stream for stream in report.streams.values() if stream.status != "not due"]
    new = {stream.stream: str(stream.message) for stream in report.failed if stream.stream not in failing}
    failing.difference_update(stream.stream for stream in told)
    failing.update(stream.stream for stream in report.failed)
    if new:
        show_reasons(new)
    rows = sorted(((stream.rows, stream.stream) for stream in told if stream.rows), reverse=True)
    if report.error is not None or options.quiet or not (rows or options.verbose):
        return
    listed = first_of([f"{name} {count:,}" for count, name in rows], NAMED)
    requests = sum(stream.requests for stream in told)
    total = sum(count for count, _ in rows)
    what = f"{total:,} rows ({listed})" if rows else "nothing new"
    seconds = (now() - began).total_seconds()
    console.print(f"{began:%H:%M:%S} {what}, {requests:,} requests, {seconds:.1f} s", highlight=False, markup=False)
    console.file.flush()
