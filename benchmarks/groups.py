"""Measures ways to spread a sync over tasks: python benchmarks/groups.py

One task for all streams, or one for each group of `zendesk_support.groups`: one after the other, side by side, or side
by side with a `quota_share` that keeps their sum within the account's limit. Each task is a process with a budget and
a database of its own, as on workers of a scheduler; the simulated account answers from another one, whose clock runs
faster than real time. Loaded once, then again after 1 % of the rows have changed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import quota
from tickets import RESULTS, beginning, credentials, finish

from zendesk_support.groups import by_limit
from zendesk_support.simulator.remote import RemoteSimulator
from zendesk_support.streams.selection import default_streams

SIZES = {"tickets": 3000, "articles": 30, "posts": 20, "organization_memberships": 30000}
SCALE = 3.0
WAYS = ("one task", "in sequence", "side by side", "side by side, shares")
HEAD = "| plan | tasks | sync | requests | incremental exports | 429 | wall (s) |\n|---|---|---|---:|---:|---:|---:|"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", nargs="*", default=["team", "enterprise"], metavar="PLAN")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("--table", type=Path, metavar="JSON", help="print the table of an earlier report, and no more")
    parser.add_argument("--sync", nargs=4, metavar=("URL", "DIR", "GROUP", "SHARE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sync:
        sync(*options.sync)
        return 0
    if options.table:
        print("\n".join([HEAD, *map(row, json.loads(options.table.read_text())["syncs"])]))
        return 0
    report: dict[str, Any] = {**beginning(), "sizes": SIZES, "clock_scale": SCALE, "syncs": []}
    print(HEAD, flush=True)
    for plan in options.plans:
        for way in WAYS:
            for figures in run(plan, way):
                report["syncs"].append(figures)
                print(row(figures), flush=True)
    finish(report, options.results, "groups")
    return 0


def run(plan: str, way: str) -> Iterator[dict[str, Any]]:
    """The first sync and one with changes."""
    case = quota.Case(plan, "support", SIZES, SCALE, SCALE)
    groups = ["all"] if way == "one task" else list(by_limit())
    # The help center has a limit of its own.
    share = 1 / (len(groups) - 1) if way.endswith("shares") else 1.0
    with (
        tempfile.TemporaryDirectory(prefix="zendesk-groups-") as directory,
        quota.account(case, SCALE, quota.free_port()) as simulator,
    ):
        for again in (False, True):
            if again:
                simulator.advance(quota.PAUSE)
                quota.change(simulator, case)
            simulator.reset_requests()
            tasks(simulator.base_url, directory, groups, share, at_once=way.startswith("side"))
            yield {"plan": plan, "way": way, "sync": "1 % changed" if again else "first", **measured(simulator)}


def tasks(url: str, directory: str, groups: Sequence[str], share: float, at_once: bool) -> None:
    """Run a process for each group."""
    running = []
    for group in groups:
        environment = {**os.environ, "DLT_DATA_DIR": f"{directory}/{group}", "RUNTIME__DLTHUB_TELEMETRY": "false"}
        command = [sys.executable, __file__, "--sync", url, directory, group, str(share)]
        running.append(subprocess.Popen(command, env=environment, cwd=directory, stdout=subprocess.DEVNULL))
        if not at_once:
            running[-1].wait()
    if any(process.wait() for process in running):
        raise SystemExit("a task failed")


def measured(simulator: RemoteSimulator) -> dict[str, Any]:
    """What the account saw."""
    requests = simulator.requests()
    counted = [bucket for request in requests for bucket in request["buckets"]]
    return {
        "requests": sum(bucket in ("account", "help_center") for bucket in counted),
        "exports": counted.count("incremental_exports"),
        "refused": sum(request["status"] == 429 for request in requests),
        "wall": round(
            max(request["time"] + quota.latency(request) for request in requests)
            - min(request["time"] for request in requests),
            1,
        ),
    }


def row(figures: dict[str, Any]) -> str:
    """A sync as a line of the table."""
    names = ("plan", "way", "sync", "requests", "exports", "refused", "wall")
    plan, *cells = (f"{figures[name]:,}" if isinstance(figures[name], int) else str(figures[name]) for name in names)
    return f"| {' | '.join([plan.replace('_', ' ').title(), *cells])} |"


def sync(url: str, directory: str, group: str, share: str) -> None:
    """One task, as the command line runs it."""
    from zendesk_support.command.destinations import WAREHOUSES
    from zendesk_support.command.options import make_parser
    from zendesk_support.command.runs import make_source
    from zendesk_support.running.runner import sync

    warehouse = WAREHOUSES["duckdb"]
    options = make_parser(warehouse).parse_args(["--start-date", "2015-01-01"])
    options.database = Path(directory) / f"{group}.duckdb"
    options.streams = list(by_limit().get(group, default_streams()))
    source = make_source(
        options,
        base_url=url,
        credentials=credentials(url),
        clock_scale=SCALE,
        quota_share=float(share),
    )
    report = sync(warehouse.pipeline(options), source)
    if report.failed:
        raise SystemExit("\n".join(f"{stream.stream}: {stream.message}" for stream in report.failed))


if __name__ == "__main__":
    sys.exit(main())
