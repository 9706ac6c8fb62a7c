"""The resources of the source: dlt's, with what pages of rows ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, wraps
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from zendesk_support.dlt_internals import (
    DltResourceDict,
    FilterItem,
    KeepsAttributes,
    MapItem,
    function_of,
    resource_of_kind,
)
from zendesk_support.errors import ConfigurationError
from zendesk_support.loading.account import Account
from zendesk_support.loading.row_functions import PageStep, RowStep, by_row, name_of, rows, takes_meta
from zendesk_support.loading.sync_modes import DEFAULT, Mode
from zendesk_support.report import COLUMNS as REPORT_COLUMNS
from zendesk_support.report import TABLE as REPORT_TABLE
from zendesk_support.streams.base import Stream

PATIENCE = 100
"""Turns in a row without any of a stream after which the report waits no longer: dlt drains resources one by one."""


class StreamResource(KeepsAttributes):
    """A stream's resource: it yields pages, `pyarrow.Table`, or rows with `nested="tables"`.

    Attributes:
        stream: what it reads.
        account: where.
        asked_disposition: the write disposition that was set on it or by `pipeline.run`, None where none was.
        mode: the sync mode whose hints it has.
    """

    kept = ("stream", "account", "asked_disposition", "mode")
    stream: Stream
    account: Account
    asked_disposition: Any = None
    mode: Mode = DEFAULT

    def apply_hints(self, *args: Any, **hints: Any) -> StreamResource:
        """dlt's own, with `write_disposition` remembered: the sync mode follows it."""
        super().apply_hints(*args, **hints)
        if asked := hints.get("write_disposition", args[2] if len(args) > 2 else None):
            self.asked_disposition = asked
        return self

    def add_map(self, item_map: Callable[..., Any], insert_at: int | None = None) -> StreamResource:
        """Add a function of pages; one of rows goes in by `add_map(by_row(function))`.

        Raises:
            ConfigurationError: when called: it failed, or gave no page.
        """
        if getattr(item_map, "of_rows", False):
            return super().add_step(RowStep(item_map), insert_at)  # type: ignore[arg-type]
        return super().add_step(PageStep(of_pages(item_map, self.name)), insert_at)  # type: ignore[arg-type]

    def add_filter(self, item_filter: Callable[..., Any], insert_at: int | None = None) -> StreamResource:
        """Add a filter of rows: it takes a dictionary, and says whether the row stays.

        Rows that say that something was deleted always stay.
        """
        decide = partial(item_filter, meta=None) if takes_meta(item_filter) else item_filter
        return self.add_map(by_row(lambda row: bool(decide(row))), insert_at)

    def add_yield_map(self, item_map: Callable[..., Any], insert_at: int | None = None) -> StreamResource:
        """Add a generator function of pages; one of rows goes through `zendesk_support.rows(page)`.

        Raises:
            ConfigurationError: when called: it failed.
        """
        return super().add_yield_map(yielding(item_map, self.name), insert_at)  # type: ignore[arg-type]

    def add_step(self, item_transform: Any, insert_at: int | None = None) -> StreamResource:
        """Add a step; dlt's own for maps and filters are taken as `add_map` and `add_filter` take their functions."""
        if type(item_transform) is FilterItem:
            return self.add_filter(function_of(item_transform), insert_at)
        if type(item_transform) is MapItem:
            return self.add_map(function_of(item_transform), insert_at)
        return super().add_step(item_transform, insert_at)  # type: ignore[arg-type]

    def __or__(self, transform: Any) -> DltResource:
        """Pipe pages into a transformer, or a function.

        Raises:
            ConfigurationError: when called: a transformer makes a row of a whole page.
        """
        if not isinstance(transform, DltResource):
            return super().__or__(transform)
        transform.pipe_data_from(self)
        return transform.add_map(partial(refuse_columns, self.name))

    def parallelize(self) -> StreamResource:
        """Leave it as it is: its readers have threads of their own, and it never blocks."""
        return self


class ReportResource(DltResource):
    """The resource that loads `sync_report`; hints and limits for all resources pass it by."""

    def apply_hints(self, *args: Any, **hints: Any) -> ReportResource:
        """Keep its own hints, but for the format that all tables of the destination have."""
        if table_format := hints.get("table_format"):
            super().apply_hints(table_format=table_format)
        return self

    def add_limit(self, *args: Any, **limits: Any) -> ReportResource:
        """Have no limit."""
        return self

    def parallelize(self) -> ReportResource:
        """Stay in dlt's own thread."""
        return self


class Resources(DltResourceDict):
    """The resources of the source by name."""

    @property
    def extracted(self) -> list[DltResource]:
        """Those whose tables a refresh drops: not the reports, which are of all streams, loaded or not."""
        return [resource for resource in super().extracted if not isinstance(resource, ReportResource)]


def report_resource(account: Account) -> ReportResource:
    """The resource that waits for the streams of its run, and loads how they ended."""

    def reports() -> Iterator[Any]:
        yield from report_rows(account)

    columns: Any = {
        name: {"name": name, "data_type": data_type, "description": note}
        for name, (data_type, note) in REPORT_COLUMNS.items()
    }
    resource = resource_of_kind(
        ReportResource,
        reports,
        name=REPORT_TABLE,
        write_disposition="append",
        columns=columns,
        file_format="parquet",
    )
    DltResource.apply_hints(resource, additional_table_hints={"description": "One row a stream and run."})
    return resource  # type: ignore[no-any-return]


def report_rows(account: Account) -> Iterator[Any]:
    """None until every stream of the run has ended, then their reports."""
    run = account.runs.current()
    if run is None:
        return
    resources = dlt.current.source().selected_resources.values()
    streams = {resource.name for resource in resources if isinstance(resource, StreamResource)}
    reports, idle, turns = account.reports(), 0, -1
    while not streams <= reports.ended and idle < PATIENCE:
        idle = idle + 1 if reports.turns == turns else 0
        turns = reports.turns
        yield None
    carried = account.carried.take()
    if carried.of_source or carried.states:
        dlt.current.source_state().update(carried.of_source)
    for name, state in carried.states.items():
        dlt.current.source_state().setdefault("resources", {}).setdefault(name, {}).update(state)
    if not (found := [*reports.rows, *carried.rows.values()]):
        return
    page, resource = pa.concat_tables(found), dlt.current.resource()
    if run.takes_rows(resource):
        DltResource.apply_hints(resource, file_format="")  # type: ignore[arg-type]
        yield list(rows(page))
    else:
        yield page


def is_row_of_columns(made: Any) -> bool:
    """Whether something is a row whose values are columns: made of a whole page by a function of rows."""
    return isinstance(made, dict) and any(isinstance(value, pa.ChunkedArray) for value in made.values())


def refuse_columns(resource: str, made: Any) -> Any:
    """Refuse a row that a transformer has made of a whole page; its values are columns."""
    if is_row_of_columns(made):
        raise ConfigurationError(
            f"a transformer made a row of a whole page of {resource}, which yields pages (pyarrow.Table): go through "
            "the rows of a page by zendesk_support.rows(page)."
        )
    return made


def of_pages(function: Callable[..., Any], resource: str) -> Callable[..., Any]:
    """A function of pages that says what is amiss where it was written for rows."""
    advice = f"{resource} yields pages (pyarrow.Table). A function of a row goes in by add_map(by_row(function))."
    as_rows = f"Into this destination, {resource} yields rows (dictionaries): the function gets one of them."

    def checked(made: Any) -> Any:
        if made is None:
            raise ConfigurationError(
                f"{name_of(function)} returned None for a page, which would leave out all its rows. {advice} To choose "
                "rows, add_filter(function)."
            )
        if is_row_of_columns(made):
            raise ConfigurationError(f"{name_of(function)} made a row of a whole page. {advice}")
        return made

    @wraps(function)  # by which dlt still sees whether the function takes what is known of an item
    def call(item: Any, *meta: Any) -> Any:
        is_page = isinstance(item, pa.Table)
        try:
            made = function(item, *meta)
            return checked(made) if is_page and len(item) else made
        except ConfigurationError:
            raise
        except Exception as error:
            told = f"{name_of(function)} failed: {type(error).__name__}: {error}. {advice if is_page else as_rows}"
            raise ConfigurationError(told) from error

    return call


def yielding(function: Callable[..., Any], resource: str) -> Callable[..., Any]:
    """A generator function of pages that says what is amiss where it was written for rows."""

    @wraps(function)
    def call(item: Any, *meta: Any) -> Iterator[Any]:
        try:
            for made in function(item, *meta):
                if is_row_of_columns(made):
                    raise TypeError("it made a row of a whole page")
                yield made
        except ConfigurationError:
            raise
        except Exception as error:
            raise ConfigurationError(
                f"{name_of(function)} failed: {type(error).__name__}: {error}. {resource} yields pages "
                "(pyarrow.Table): take the rows of one by zendesk_support.rows(page)."
            ) from error

    return call
