"""Measures how soon changes are in the warehouse while one process keeps syncing: python benchmarks/continuous.py

A simulated account answers from a process of its own, whose clock runs faster than real time. Another process changes
its tickets at random moments, each time with a comment. After each pass that wrote rows, the tables are asked which of
the changes are there: the ticket, its comment, its metrics. Seconds are those of the account's clock; CPU is that of
the process that syncs. Then nothing changes for some passes, whose CPU is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

from tickets import RESULTS, beginning, credentials, finish, simulator

EVERY = 60
KINDS = ("stored", "lists", "idle")
TABLES = ("tickets", "ticket_comments", "ticket_metrics")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=500, metavar="N", help="changes of a ticket (500)")
    parser.add_argument("--minutes", type=float, default=30, metavar="N", help="of the account, for all of them (30)")
    parser.add_argument("--scale", type=float, default=2, metavar="N", help="account seconds in a real one (2)")
    parser.add_argument("--tickets", type=int, default=5000, metavar="N", help="size of the account (5000)")
    parser.add_argument("--streams", nargs="+", metavar="NAME", help="streams or families (the default set)")
    parser.add_argument("--quiet", type=int, default=20, metavar="N", help="passes without a change, afterwards (20)")
    parser.add_argument("--name", default="continuous", metavar="NAME", help="of the report's file (continuous)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="repeat the moments of the changes")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("--change", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.change:
        return change(options)
    report: dict[str, Any] = beginning()
    account = ("--tickets", options.tickets, "--clock-scale", options.scale, "--warm")
    with simulator(*account) as url:
        report |= {"every": EVERY, "scale": options.scale, **measured(url, options)}
    finish(report, options.results, options.name)
    return 0


def change(options: argparse.Namespace) -> int:
    """Change a ticket at random moments; print the ids and the moment of each."""
    from zendesk_support.simulator.remote import RemoteSimulator

    account, dice = RemoteSimulator(options.change), random.Random(options.seed)
    begin = account.now()
    for at in sorted(dice.uniform(0, options.minutes * 60) for _ in range(options.changes)):
        time.sleep(max(0.0, (begin + at - account.now()) / options.scale))
        before = account.now()
        made = account.mutate("update_tickets", count=1, at_once=True)
        print(json.dumps({"at": before, "ticket": made["ids"][0], "comment": made["comment_ids"][0]}), flush=True)
    return 0


def measured(url: str, options: argparse.Namespace) -> dict[str, Any]:
    """Sync until every change is there, and for some passes more."""
    import dlt

    from zendesk_support import sync_every, zendesk_support_source
    from zendesk_support.command.options import select
    from zendesk_support.simulator.limits import default_limits
    from zendesk_support.simulator.remote import RemoteSimulator

    account, limits = RemoteSimulator(url), default_limits("enterprise")
    with tempfile.TemporaryDirectory(prefix="zendesk-benchmark-") as folder:
        os.environ["DLT_DATA_DIR"] = f"{folder}/dlt"
        destination = dlt.destinations.duckdb(f"{folder}/zendesk.duckdb")
        pipeline = dlt.pipeline("continuous", destination=destination, dataset_name="warehouse")
        known = {"credentials": credentials(url), "start_date": "2015-01-01"}
        source = zendesk_support_source(base_url=url, clock_scale=options.scale, **known)
        if options.streams:
            source = source.with_resources(*select(options.streams, ()))
        passes = sync_every(pipeline, source, EVERY)
        while sum(stream.rows for stream in next(passes).streams.values()):
            pass
        account.reset_requests()
        changes, began, cpu = Changes(pipeline, account), account.now(), []
        with changes.coming(options):
            while not changes.are_there(options.changes):
                used, report, _ = measured_pass(passes, pipeline)
                if changes.look(report):
                    cpu.append(used)
        minutes = (account.now() - began) / 60
        sent = Counter(bucket for request in account.requests() for bucket in request["buckets"])
        quiet = [measured_pass(passes, pipeline) for _ in range(options.quiet)]
        passes.close()
    if failed := [stream for _, report, _ in quiet for stream in report.failed]:
        raise SystemExit(f"{failed[0].stream}: {failed[0].message}")
    return {
        "streams": sorted(source.selected_streams),
        "changes": options.changes,
        "minutes": round(minutes, 1),
        "latency": {table: spread(found) for table, found in changes.seconds.items()},
        "quota": options.changes
        and {
            name: round(count / minutes * limits[name].period / 60 / limits[name].total, 3)
            for name, count in sent.items()
        },
        "news_cpu": spread(cpu),
        **{
            f"{kind}_cpu": spread([used for used, _, of in quiet if of == kind]) for kind in ("stored", "lists", "idle")
        },
    }


def measured_pass(passes: Iterator[Any], pipeline: Any) -> tuple[float, Any, str]:
    """CPU seconds of this process in the next pass and the wait before it, its report, and what kind of pass it was."""
    packages, before = loads(pipeline), sum(os.times()[:2])
    report = next(passes)
    used = sum(os.times()[:2]) - before
    read = [name for name, stream in report.streams.items() if stream.status != "not due"]
    kind = "stored" if loads(pipeline) > packages else "lists" if "groups" in read else "idle"
    return used, report, kind


def loads(pipeline: Any) -> int:
    """How many packages were loaded."""
    with pipeline.sql_client() as client:
        [(count,)] = client.execute_sql("SELECT count(*) FROM _dlt_loads")
    return int(count)


def spread(values: list[float]) -> dict[str, float]:
    """How many there are, their median, 99th percentile and maximum."""
    if not values:
        return {"count": 0}
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
    found = {"median": statistics.median(ordered), "p99": p99, "max": ordered[-1]}
    return {"count": len(ordered), **{name: round(value, 3) for name, value in found.items()}}


class Changes:
    """The changes that were made, and how many seconds later each of them was in a table."""

    def __init__(self, pipeline: Any, account: Any) -> None:
        self.seconds: dict[str, list[float]] = {table: [] for table in TABLES}
        self._pipeline, self._account = pipeline, account
        self._made = 0
        self._waiting: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
        self._lock = threading.Lock()

    @contextmanager
    def coming(self, options: argparse.Namespace) -> Iterator[None]:
        """Have another process make them."""
        given = {"--change": self._account.base_url, "--changes": options.changes, "--minutes": options.minutes}
        given |= {"--scale": options.scale, "--seed": options.seed}
        words = [str(word) for pair in given.items() for word in pair]
        with subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True) as process:
            reading = threading.Thread(target=self._read, args=(process.stdout,))
            reading.start()
            yield
            reading.join()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            with self._lock:
                self._made += 1
                for table in TABLES:
                    self._waiting[table].append(json.loads(line))

    def are_there(self, count: int) -> bool:
        """Whether so many were made, and are in every table."""
        with self._lock:
            return self._made == count and not any(self._waiting.values())

    def look(self, report: Any) -> bool:
        """See which have come in a pass; whether it wrote rows of tickets."""
        if report.error is not None:
            raise SystemExit(f"a pass failed: {report.error}")
        if not any(name in report.streams and report.streams[name].rows for name in TABLES):
            return False
        now = self._account.now()
        with self._pipeline.sql_client() as client, self._lock:
            for table, found in self._waiting.items():
                column = "id" if table == "ticket_comments" else "generated_timestamp"
                key = "id" if table != "ticket_metrics" else "ticket_id"
                there = dict(client.execute_sql(f"SELECT {key}, {column} FROM {table}") or [])
                come = [made for made in found if is_there(made, table, there)]
                self.seconds[table] += [now - made["at"] for made in come]
                self._waiting[table] = [made for made in found if made not in come]
        return True


def is_there(made: dict[str, Any], table: str, there: dict[int, int]) -> bool:
    """Whether a change is in a table, as its comment, or as a version of the ticket that is no older."""
    if table == "ticket_comments":
        return made["comment"] in there
    return there.get(made["ticket"], 0) >= int(made["at"])


if __name__ == "__main__":
    sys.exit(main())
