"""Measures the dbt package's marts: python benchmarks/marts.py --dbt path/of/its/python

A simulated account is loaded into a DuckDB file and into a Postgres server of the benchmark's own; then `dbt build`
makes the marts in each, with their tests, and is measured as a whole process. The server's memory is what its processes
have besides the buffers that they share.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tickets import RESULTS, ROOT, beginning, credentials, finish, simulator

sys.path.insert(0, str(ROOT / "tests" / "helpers"))

import dlt
from dbt_project import Dbt
from postgres_server import PostgresServer, binaries

from zendesk_support import sync, zendesk_support_source
from zendesk_support.postgres import postgres

STREAMS = (
    "tickets ticket_metrics ticket_comments ticket_changes ticket_metric_events satisfaction_ratings users "
    "organizations groups brands ticket_forms"
).split()
DATASET = "zendesk_support"
HEAD = "| tickets | database | rows made | seconds | of these building | dbt, MB | server, MB |\n"
HEAD += "|---:|---|---:|---:|---:|---:|---:|"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbt", type=Path, required=True, metavar="PYTHON", help="of an environment that has dbt")
    parser.add_argument("--tickets", type=int, nargs="+", default=[2_000, 20_000], metavar="N")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    options = parser.parse_args()
    report: dict[str, Any] = {**beginning(), "builds": []}
    print(HEAD, flush=True)
    for tickets in options.tickets:
        with loaded(tickets) as databases:
            for name, database in databases.items():
                with tempfile.TemporaryDirectory(prefix="zendesk-marts-") as folder:
                    figures = build(Dbt(options.dbt, Path(folder), database), name == "postgres")
                report["builds"].append({"tickets": tickets, "database": name, **figures})
                cells = (f"{tickets:,}", name, f"{figures['rows']:,}", *(list(figures.values())[1:5]))
                print(f"| {' | '.join(map(str, cells))} |", flush=True)
    finish(report, options.results, "marts")
    return 0


@contextmanager
def loaded(tickets: int) -> Iterator[dict[str, str]]:
    """Load an account into both databases."""
    programs = binaries()
    if programs is None:
        raise SystemExit("no Postgres server is installed here")
    server = PostgresServer(programs)
    try:
        with tempfile.TemporaryDirectory(prefix="zendesk-marts-") as folder:
            os.environ["DLT_DATA_DIR"], os.environ["RUNTIME__DLTHUB_TELEMETRY"] = f"{folder}/dlt", "false"
            file = f"{folder}/zendesk.duckdb"
            with simulator("--tickets", tickets, "--clock-scale", 600) as url:
                given = {"base_url": url, "credentials": credentials(url), "start_date": "2015-01-01"}
                for name, destination in (("file", dlt.destinations.duckdb(file)), ("served", postgres(server.url))):
                    source = zendesk_support_source(**given, clock_scale=600.0).with_resources(*STREAMS)
                    sync(dlt.pipeline(name, destination=destination, dataset_name=DATASET), source)
            server.query("ANALYZE")
            yield {"duckdb": file, "postgres": server.url}
    finally:
        server.close()


def build(dbt: Dbt, served: bool) -> dict[str, Any]:
    """Make the marts once."""
    began = time.monotonic()
    process = dbt.start("build", zendesk_support_schema=DATASET)
    peak = {"dbt_mb": 0.0, "server_mb": 0.0}
    while process.poll() is None:
        with suppress(OSError):  # it has just ended
            peak["dbt_mb"] = max(peak["dbt_mb"], memory(process.pid, "status", "VmHWM"))
        if served:
            peak["server_mb"] = max(peak["server_mb"], round(sum(map(own_memory, backends())), 1))
        time.sleep(0.1)
    seconds = time.monotonic() - began
    assert process.stdout is not None
    if process.returncode:
        raise SystemExit(process.stdout.read())
    results = json.loads((dbt.folder / "target" / "run_results.json").read_text())
    models = {
        result["unique_id"].rpartition(".")[2]: round(result["execution_time"], 2)
        for result in results["results"]
        if result["unique_id"].startswith("model.")
    }
    rows = sum(len(dbt.rows(name)) for name in models)
    building = round(results["elapsed_time"], 1)
    return {"rows": rows, "seconds": round(seconds, 1), "building": building, **peak, "models": models}


def backends() -> list[int]:
    """The processes that serve connections to Postgres."""
    found = subprocess.run(["pgrep", "-f", "^postgres: loader"], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found]


def own_memory(pid: int) -> float:
    """A server process's memory that it does not share."""
    with suppress(OSError):
        return memory(pid, "smaps_rollup", "Private_Dirty")
    return 0.0


def memory(pid: int, file: str, name: str) -> float:
    """A figure of /proc, in MB."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return round(next((int(line.split()[1]) for line in lines if line.startswith(name)), 0) / 1024, 1)


if __name__ == "__main__":
    sys.exit(main())
