"""The demo: a simulated account, loaded, changed, and loaded again."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from dlt.pipeline.pipeline import Pipeline
from rich.table import Table

from zendesk_support.command.console import console, show
from zendesk_support.command.destinations import place
from zendesk_support.command.options import apart, select
from zendesk_support.command.runs import load, make_source, outcome
from zendesk_support.dlt_internals import DatabaseUndefinedRelation, SqlClientBase
from zendesk_support.errors import ConfigurationError
from zendesk_support.report import Report
from zendesk_support.simulator import Simulator

PIPELINE = "zendesk_demo"
TICKETS = 500
CLOCK_SCALE = 60.0

CHANGES = (("update_tickets", 12), ("create_tickets", 5), ("delete_tickets", 2), ("update_users", 4))

FIRST_REPLY = "First reply, minutes of business hours: median and 90th percentile by priority"
QUERIES = (
    (
        "Tickets by status",
        ("tickets",),
        "SELECT status, count(*) AS tickets FROM tickets GROUP BY status ORDER BY tickets DESC",
    ),
    (
        "Tickets by product area, a custom field",
        ("tickets", "ticket_fields"),
        """SELECT custom_product_area AS product_area, count(*) AS tickets FROM tickets_wide
        WHERE custom_product_area IS NOT NULL GROUP BY custom_product_area ORDER BY tickets DESC LIMIT 3""",
    ),
    (
        FIRST_REPLY,
        ("tickets", "ticket_metrics"),
        """SELECT coalesce(t.priority, '-') AS priority,
               round(percentile_cont(0.5) WITHIN GROUP (ORDER BY reply_time_in_minutes__business)) AS median,
               round(percentile_cont(0.9) WITHIN GROUP (ORDER BY reply_time_in_minutes__business)) AS p90
        FROM tickets AS t JOIN ticket_metrics_wide AS m ON m.ticket_id = t.id
        GROUP BY 1 ORDER BY 2""",
    ),
    (
        "Organizations with the most comments",
        ("ticket_comments", "tickets", "organizations"),
        """SELECT o.name, count(*) AS comments
        FROM ticket_comments AS c
        JOIN tickets AS t ON t.id = c.ticket_id
        JOIN organizations AS o ON o.id = t.organization_id
        GROUP BY o.name ORDER BY comments DESC, o.name LIMIT 3""",
    ),
)
IN_BIGQUERY = {
    FIRST_REPLY: """SELECT coalesce(t.priority, '-') AS priority,
               round(approx_quantiles(reply_time_in_minutes__business, 100)[OFFSET(50)]) AS median,
               round(approx_quantiles(reply_time_in_minutes__business, 100)[OFFSET(90)]) AS p90
        FROM tickets AS t JOIN ticket_metrics_wide AS m ON m.ticket_id = t.id
        GROUP BY 1 ORDER BY 2"""
}


def demo(
    options: argparse.Namespace, make_pipeline: Callable[[argparse.Namespace], Pipeline], defaults: Mapping[str, Any]
) -> int:
    """Load a simulated account, change it, load it again, and query the result."""
    select(apart(options.streams), apart(options.exclude))
    options.pipeline_name = PIPELINE
    options.progress = options.progress or "off"
    for name, value in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    clear(make_pipeline(options))
    with Simulator(seed=1, tickets=TICKETS, clock_scale=CLOCK_SCALE) as account:
        names = ("client_id", "client_secret")
        settings: dict[str, Any] = {
            "base_url": account.base_url,
            "credentials": {name: account.credentials[name] for name in names},
            "clock_scale": CLOCK_SCALE,
            "views": "on",
        }
        source = make_source(options, **settings)
        console.print(f"A simulated account with {TICKETS} tickets answers at {account.base_url}.")
        pipeline = make_pipeline(options)
        first = load(pipeline, source)
        show(first)
        for kind, count in CHANGES:
            account.mutate(kind, count=count)
        done = ", ".join(f"{kind} {count}" for kind, count in CHANGES)
        console.print(f"\nThe account changes ({done}) and is loaded again:")
        second = load(pipeline, source)
        show(second)
    show_changes(second)
    in_bigquery = pipeline.destination.capabilities().sqlglot_dialect == "bigquery"
    for title, streams, query in QUERIES:
        if set(streams) <= set(source.selected_streams):
            show_query(pipeline, title, IN_BIGQUERY.get(title, query) if in_bigquery else query)
    console.print(f"\nThe tables are in {place(pipeline)}, schema {pipeline.dataset_name}.", highlight=False)
    return max(outcome(report, options.strict) for report in (first, second))


def clear(pipeline: Pipeline) -> None:
    """Remove what an earlier demo left, here and at the destination.

    Raises:
        ConfigurationError: the dataset is not a demo's.
    """
    with pipeline.sql_client() as client:
        if client.has_dataset():
            if not made_by_demo(client):
                raise ConfigurationError(
                    f"--demo begins with an empty dataset, but {client.dataset_name} in "
                    f"{place(pipeline)} has other tables. "
                    "Example: --dataset demo"
                )
            client.drop_dataset()
        with client.with_staging_dataset():
            if client.has_dataset():
                client.drop_dataset()
    pipeline.drop()


def made_by_demo(client: SqlClientBase[Any]) -> bool:
    """Whether no pipeline but the demo's has loaded into the dataset."""
    try:
        names = client.execute_sql("SELECT DISTINCT pipeline_name FROM _dlt_pipeline_state")
    except DatabaseUndefinedRelation:
        return False
    return all(name == PIPELINE for (name,) in names or ())


def show_changes(report: Report) -> None:
    """Say which streams had changed rows."""
    changed = {stream.stream: stream.rows for stream in report.streams.values() if stream.rows}
    listed = ", ".join(f"{name} {rows}" for name, rows in changed.items()) or "none"
    console.print(f"\nRows changed in the second run: {listed}; of every other stream none.")


def show_query(pipeline: Pipeline, title: str, query: str) -> None:
    """Run a query and print its answer."""
    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    with pipeline.sql_client() as client, client.execute_query(query) as cursor:
        for column in cursor.description or ():
            table.add_column(column[0])
        for row in cursor.fetchall():
            table.add_row(*map(str, row))
    console.print(table)
