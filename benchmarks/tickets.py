"""Measures how fast the tickets stream loads: python benchmarks/tickets.py --tickets 50000 --runs 3

`--destination postgres` loads into the server that DESTINATION__POSTGRES__CREDENTIALS names, into a schema of its own.
A simulated account answers from a process of its own, from pages made beforehand and without rate limits. Every sync is
a fresh process, as in production: `load` into a new file, then `repeat`, which finds nothing new.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PACKAGES = ("dlt", "duckdb", "adbc-driver-postgresql", "pyarrow", "msgspec", "numpy")
DESTINATIONS = ("duckdb", "postgres")
LIFTED = ("account", "incremental_exports")
FIGURES = {
    "rows_per_second": "rows/s",
    "cpu_us_per_row": "CPU us/row",
    "extract_cpu_us": "extract",
    "normalize_cpu_us": "normalize",
    "load_cpu_us": "load",
    "seconds": "s",
    "peak_mb": "peak MB",
    "table_mb": "table MB",
    "repeat_seconds": "repeat s",
    "repeat_cpu_seconds": "repeat CPU s",
    "repeat_rows": "repeat rows",
    "repeat_requests": "repeat requests",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tickets", type=int, default=50_000, metavar="N", help="size of the account (50000)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="measured runs (3)")
    parser.add_argument("--warm-ups", type=int, default=1, metavar="N", help="runs before, not counted (1)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("--destination", choices=DESTINATIONS, default="duckdb", help="where to (duckdb)")
    parser.add_argument("--sync", nargs=2, metavar=("URL", "DIR"), help=argparse.SUPPRESS)
    parser.add_argument("--drop", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sync:
        print(json.dumps(sync(options.destination, options.sync[0], Path(options.sync[1]), options.drop)))
        return 0
    report: dict[str, Any] = {**beginning(), "runs": []}
    with account(options.tickets) as url:
        report["json_bytes_per_ticket"] = bytes_per_ticket(url)
        print(f"{options.tickets} tickets of {report['json_bytes_per_ticket']} bytes\n")
        print("run".ljust(8), *(name.rjust(max(9, len(name))) for name in FIGURES.values()))
        for number in range(options.warm_ups + options.runs):
            figures = run(options.destination, url)
            counted = number >= options.warm_ups
            show(str(number - options.warm_ups + 1) if counted else "warm-up", figures)
            if counted:
                report["runs"].append(figures)
    report["median"] = {name: statistics.median(figures[name] for figures in report["runs"]) for name in FIGURES}
    show("median", report["median"])
    name = "" if options.destination == "duckdb" else f"-{options.destination}"
    finish(report, options.results, f"{options.tickets}{name}")
    return 0


def show(title: str, figures: dict[str, float]) -> None:
    print(title.ljust(8), *(f"{figures[key]:,.6g}".rjust(max(9, len(name))) for key, name in FIGURES.items()))


def run(destination: str, url: str) -> dict[str, float]:
    """Load into a new file, then sync again; each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="zendesk-benchmark-") as directory:
        first, second = (child(destination, url, directory, *last) for last in ((), ("--drop",)))
    rows = first["rows"]
    return {
        "rows": rows,
        "rows_per_second": round(rows / first["seconds"], 1),
        "cpu_us_per_row": round(first["cpu_seconds"] / rows * 1e6, 1),
        **{f"{step}_cpu_us": round(first[step] / rows * 1e6, 1) for step in ("extract", "normalize", "load")},
        "seconds": first["seconds"],
        "peak_mb": first["peak_mb"],
        "table_mb": first["table_mb"],
        "repeat_seconds": second["seconds"],
        "repeat_cpu_seconds": second["cpu_seconds"],
        "repeat_rows": second["rows"],
        "repeat_requests": second["requests"],
    }


def child(destination: str, url: str, directory: str, *options: str) -> dict[str, Any]:
    """One sync in a fresh process; seconds are its whole life, imports included."""
    environment = {**os.environ, "DLT_DATA_DIR": f"{directory}/dlt", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = [sys.executable, __file__, "--destination", destination, "--sync", url, directory, *options]
    started = datetime.now()
    done = subprocess.run(command, env=environment, cwd=directory, stdout=subprocess.PIPE, check=True)
    seconds = (datetime.now() - started).total_seconds()
    return {"seconds": round(seconds, 3), **json.loads(done.stdout.splitlines()[-1])}


def sync(destination: str, url: str, directory: Path, drop: bool) -> dict[str, Any]:
    """Sync the tickets as the command line does, and say what it took."""
    import resource
    import time
    from collections import defaultdict

    from dlt.common.runtime.collector import NullCollector

    from zendesk_support.command.destinations import WAREHOUSES
    from zendesk_support.command.options import make_parser
    from zendesk_support.command.runs import make_source
    from zendesk_support.running.runner import sync

    class Steps(NullCollector):
        """CPU seconds of the whole process by step of the pipeline."""

        def __init__(self) -> None:
            self.seconds: dict[str, float] = defaultdict(float)

        def _start(self, step: str) -> None:
            self.current = step.split()[0].lower()
            self.seconds[self.current] -= time.process_time()

        def _stop(self) -> None:
            self.seconds[self.current] += time.process_time()

    warehouse = WAREHOUSES[destination]
    dataset = f"benchmark_{directory.name.lower().replace('-', '_')}"
    options = make_parser(warehouse).parse_args(["--start-date", "2000-01-01", "--dataset", dataset])
    options.database = directory / "tickets.duckdb"
    pipeline = warehouse.pipeline(options)
    steps = pipeline.collector = Steps()
    options.streams = ["tickets"]
    source = make_source(options, base_url=url, credentials=credentials(url))
    stream = sync(pipeline, source).streams["tickets"]
    if stream.status != "loaded":
        raise SystemExit(stream.message)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "rows": stream.rows,
        "requests": stream.requests,
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        **{step: round(steps.seconds[step], 3) for step in ("extract", "normalize", "load")},
        "peak_mb": round(usage.ru_maxrss / 1024),
        "table_mb": table_mb(pipeline, options.database),
    }
    if drop:
        drop_dataset(pipeline)
    return figures


def drop_dataset(pipeline: Any) -> None:
    """Leave nothing at the destination."""
    with pipeline.sql_client() as client:
        client.drop_dataset()
        with client.with_staging_dataset():
            client.drop_dataset()


def table_mb(pipeline: Any, database: Path) -> float:
    """Size of the DuckDB file, or of the table and its indexes at the server."""
    if database.exists():
        return round(database.stat().st_size / 2**20, 1)
    with pipeline.sql_client() as client:
        table = client.make_qualified_table_name("tickets")
        [(size,)] = client.execute_sql(f"SELECT pg_total_relation_size('{table}')")
    return round(size / 2**20, 1)


@contextlib.contextmanager
def account(tickets: int) -> Iterator[str]:
    """A simulated account with its pages made; yields its address."""
    options = [word for bucket in LIFTED for word in ("--limit", f"{bucket}=1000000")]
    with simulator("--tickets", tickets, "--warm", "metric_sets", *options) as url:
        yield url


@contextlib.contextmanager
def simulator(*options: Any) -> Iterator[str]:
    """A simulated account in a process of its own; yields its address."""
    command = [sys.executable, "-m", "zendesk_support.simulator", *map(str, options)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = process.stdout.readline()
            if "ready at " not in ready:
                raise SystemExit("the simulator did not start")
            yield ready.split()[-1]
        finally:
            process.terminate()


def credentials(url: str) -> dict[str, str]:
    """OAuth client credentials of a simulated account."""
    with urllib.request.urlopen(f"{url}/_simulator/credentials") as answer:
        known = json.load(answer)["result"]
    return {name: known[name] for name in ("client_id", "client_secret")}


def bytes_per_ticket(url: str) -> int:
    """Size of a ticket as it arrives: the mean over one page."""
    payload = {"grant_type": "client_credentials", "scope": "read", **credentials(url)}
    request = urllib.request.Request(f"{url}/oauth/tokens", json.dumps(payload).encode(), method="POST")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["access_token"]
    page = f"{url}/api/v2/incremental/tickets/cursor?start_time=0&support_type_scope=all&include=metric_sets"
    request = urllib.request.Request(page, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        body = answer.read()
    return len(body) // len(json.loads(body)["tickets"])


def circumstances() -> dict[str, Any]:
    """Machine, time, commit and versions."""
    model, memory = platform.processor(), 0
    with contextlib.suppress(OSError):
        model = Path("/proc/cpuinfo").read_text().split("model name\t: ")[1].split("\n")[0]
    with contextlib.suppress(ValueError, OSError):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": f"{model}, {os.cpu_count()} cores, {memory} GB, {platform.system()}",
        "commit": git("rev-parse", "--short", "HEAD") + ("-changed" if git("status", "--porcelain", "-uno") else ""),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def command() -> str:
    """What was called, without the folders of this machine."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *words])


def beginning() -> dict[str, Any]:
    """The head of a report, printed; the processes started after it keep compiled modules, as they do by default."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    report = {"command": command(), **circumstances(), "load": round(os.getloadavg()[0], 1)}
    print(*(f"{name}: {value}" for name, value in report.items()), sep="\n", flush=True)
    return report


def finish(report: dict[str, Any], folder: Path, name: str) -> None:
    """Write a report."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report['date'][:10]}-{report['commit']}-{name}.json"
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print(f"\n{path}")


def git(*arguments: str) -> str:
    """What git answers; empty outside a clone."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return ""


if __name__ == "__main__":
    sys.exit(main())
