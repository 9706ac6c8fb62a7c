"""The demo: a simulated account, loaded, changed, and loaded again."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from dlt.pipeline.pipeline import Pipeline
from rich.table import Table

from zendesk_support import cli
from zendesk_support.report import Report
from zendesk_support.simulator import Simulator

TICKETS = 500
CLOCK_SCALE = 60.0

CHANGES = (("update_tickets", 12), ("create_tickets", 5), ("delete_tickets", 2), ("update_users", 4))

QUERIES = (
    (
        "Tickets by status",
        "SELECT status, count(*) AS tickets FROM {d}.tickets GROUP BY ALL ORDER BY tickets DESC",
    ),
    (
        "First reply, minutes (calendar): median and 90th percentile by priority",
        """SELECT coalesce(t.priority, '-') AS priority,
               round(median(minutes)) AS median, round(quantile_cont(minutes, 0.9)) AS p90
        FROM {d}.tickets AS t
        JOIN (SELECT ticket_id, CAST(reply_time_in_minutes ->> '$.calendar' AS DOUBLE) AS minutes
              FROM {d}.ticket_metrics) AS m ON m.ticket_id = t.id
        GROUP BY ALL ORDER BY median""",
    ),
    (
        "Organizations with the most comments",
        """SELECT o.name, count(*) AS comments
        FROM {d}.ticket_comments AS c
        JOIN {d}.tickets AS t ON t.id = c.ticket_id
        JOIN {d}.organizations AS o ON o.id = t.organization_id
        GROUP BY ALL ORDER BY comments DESC, o.name LIMIT 3""",
    ),
)


def demo(options: argparse.Namespace, make_pipeline: Callable[[argparse.Namespace], Pipeline]) -> int:
    """Load a simulated account, change it, load it again, and query the result."""
    selected = cli.select(options.streams, options.exclude)
    options.pipeline_name = "zendesk_demo"
    options.database = options.database or Path("zendesk_demo.duckdb")
    options.progress = options.progress or "off"
    options.database.unlink(missing_ok=True)
    make_pipeline(options).drop()
    with Simulator(seed=1, tickets=TICKETS, clock_scale=CLOCK_SCALE) as account:
        names = ("client_id", "client_secret")
        settings = {
            "base_url": account.base_url,
            "credentials": {name: account.credentials[name] for name in names},
            "clock_scale": CLOCK_SCALE,
        }
        source = cli.make_source(options, selected, **settings)
        cli.console.print(f"A simulated account with {TICKETS} tickets answers at {account.base_url}.")
        pipeline = make_pipeline(options)
        first = cli.load(pipeline, source)
        for kind, count in CHANGES:
            account.mutate(kind, count=count)
        done = ", ".join(f"{kind} {count}" for kind, count in CHANGES)
        cli.console.print(f"\nThe account changes ({done}) and is loaded again:")
        second = cli.load(pipeline, source)
    show_changes(second)
    for title, query in QUERIES:
        show_query(pipeline, title, query)
    cli.console.print(f"\nThe tables are in {options.database}, schema {pipeline.dataset_name}.")
    return max(cli.outcome(report, options.strict) for report in (first, second))


def show_changes(report: Report) -> None:
    """Say which streams had changed rows."""
    changed = {stream.stream: stream.rows for stream in report.streams.values() if stream.rows}
    listed = ", ".join(f"{name} {rows}" for name, rows in changed.items()) or "none"
    cli.console.print(f"\nRows changed in the second run: {listed}; of every other stream none.")


def show_query(pipeline: Pipeline, title: str, query: str) -> None:
    """Run a query and print its answer."""
    with pipeline.sql_client() as client, client.execute_query(query.format(d=pipeline.dataset_name)) as cursor:
        table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
        for column in cursor.description or ():
            table.add_column(column[0])
        for row in cursor.fetchall():
            table.add_row(*map(str, row))
    cli.console.print(table)
