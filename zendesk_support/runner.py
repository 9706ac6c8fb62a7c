"""Runs a source so that one failing stream does not cost the others, and says what happened."""

from __future__ import annotations

from typing import Any

import dlt
from dlt.extract import DltSource
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline

from zendesk_support.errors import ConfigurationError
from zendesk_support.explain import causes
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.report import Report, current_report

DEFAULTS = {
    "load.auto_abort_on_terminal_error": True,
    "data_writer.arrow_concat_promote_options": "default",
}


def sync(pipeline: Pipeline, source: DltSource, *, full_refresh: bool = False) -> Report:
    """Load a source, each stream as far as it gets.

    A package left by a crashed run is loaded first. A stream the plan or role refuses is skipped; a stream that fails
    keeps the pages it has read, and the next run goes on from there.

    Args:
        pipeline: where to.
        source: what, as `zendesk_support_source()` makes it.
        full_refresh: drop the selected streams' tables and positions, and load them anew.

    Returns:
        A report of every selected stream; `report.failed` and `report.unavailable` tell what is missing.

    Raises:
        ConfigurationError: Zendesk refuses the credentials, or a stream's table was made with other settings.
        PipelineStepFailed: nothing could be loaded: the destination refuses, the disk is full.
    """
    set_defaults()
    if pipeline.has_pending_data:
        pipeline.run()
    report = Report()
    token = current_report.set(report)
    arguments: dict[str, Any] = {}
    if full_refresh:
        keep_reports(pipeline)
        arguments["refresh"] = "drop_resources"
    try:
        pipeline.run(source, **arguments)
    except PipelineStepFailed as error:
        for cause in causes(error):
            if isinstance(cause, ConfigurationError):
                raise cause from error
        raise
    finally:
        current_report.reset(token)
    return report


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
