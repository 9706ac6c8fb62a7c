"""Measures this package beside others on the same simulated accounts: python benchmarks/compare.py

The contestants are the functions of benchmarks/contestants.py. They run in turns (A B C A B C …), each run a fresh
process that starts with nothing; the first turn is not counted. All get environments of their own, which are made if
they are not there; ours has what `pip install -e .` installs. The accounts answer from processes of their own, from
pages made beforehand and without rate limits.

rows/s counts the whole life of the process, imports included; CPU is the process's user and system time, children
included; the peak is the most memory that it had at a time. `share` in the report is the part of `--rows` that a slow
contestant gets, from a smaller account.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contestants import CONTESTANTS, STREAMS, Contestant
from tickets import RESULTS, ROOT, beginning, finish, simulator

sys.path[:0] = [str(ROOT / "tests" / "helpers"), str(ROOT / "tests" / "foreign")]

BUCKETS = ("account", "incremental_exports", "incremental_exports_cursor")
UNLIMITED = 1_000_000
SMALLEST = 100
SIZES = {
    "tickets": lambda rows: ["--tickets", rows, "--warm", "metric_sets"],
    "users": lambda rows: ["--tickets", 1, "--size", "agents=20", "--size", f"users={rows}", "--warm", "users"],
    "ticket_events": lambda rows: ["--tickets", max(1, round(rows / EVENTS_PER_TICKET)), "--warm", "ticket_events"],
}
EVENTS_PER_TICKET = 3.66
OURS = ("orjson", "--editable", str(ROOT))
PAGES = {
    "tickets": "/api/v2/incremental/tickets/cursor?start_time=0&support_type_scope=all&include=metric_sets",
    "users": "/api/v2/incremental/users/cursor?start_time=0",
    "ticket_events": "/api/v2/incremental/ticket_events?start_time=0&support_type_scope=all&include=comment_events",
}
FIGURES = {"rows": "rows", "rows_per_second": "rows/s", "cpu_us_per_row": "CPU µs/row", "peak_mb": "peak MB"}
Job = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000, metavar="N", help="rows of each stream, about (50000)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="measured runs (3)")
    parser.add_argument("--streams", nargs="+", choices=STREAMS, default=STREAMS, metavar="STREAM")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), metavar="CONTESTANT")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("--environments", type=Path, default=environments(), metavar="DIR", help="where they go")
    options = parser.parse_args()
    pythons = {name: interpreter_of(CONTESTANTS[name], options.environments) for name in options.only}
    report = {**beginning(), "runs_counted": options.runs, "streams": {}}
    for stream in options.streams:
        report["streams"][stream] = compare(stream, pythons, options.rows, options.runs)
    finish(report, options.results, "compare")
    return 0


def compare(stream: str, pythons: dict[str, str], rows: int, runs: int) -> dict[str, Any]:
    """Let the contestants read one stream in turns."""
    names = [name for name in pythons if stream in CONTESTANTS[name].streams]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    versions: dict[str, dict[str, str]] = {}
    with contextlib.ExitStack() as accounts:
        shares = {CONTESTANTS[name].share for name in names}
        jobs = {share: accounts.enter_context(account(stream, max(SMALLEST, round(rows * share)))) for share in shares}
        counts = ", ".join(f"{job['rows']:,}" for job in jobs.values())
        print(f"\n{stream}: {counts} rows", flush=True)
        for turn in range(runs + 1):
            for name in names:
                figures = measure(
                    [pythons[name], ROOT / "benchmarks" / "contestants.py", name], jobs[CONTESTANTS[name].share]
                )
                versions[name] = figures.pop("versions")
                show(name if turn else f"{name}, warm-up", figures)
                if turn:
                    found[name].append(figures)
        account_of = {share: {"rows": job["rows"], "json_bytes": job["json_bytes"]} for share, job in jobs.items()}
    return {
        name: {
            "title": CONTESTANTS[name].title,
            "does": CONTESTANTS[name].does,
            "peer": CONTESTANTS[name].client is not None,
            "share": CONTESTANTS[name].share,
            "account": account_of[CONTESTANTS[name].share],
            "versions": versions[name],
            "median": median(figures),
            "runs": figures,
        }
        for name, figures in found.items()
    }


def measure(command: list[Any], job: Job) -> dict[str, Any]:
    """Run a process and say what it took; it prints what else there is to say as JSON."""
    with tempfile.TemporaryDirectory(prefix="zendesk-benchmark-") as folder:
        given = Path(folder) / "job.json"
        given.write_text(json.dumps({**job, "folder": folder}))
        environment = {**os.environ, "DLT_DATA_DIR": f"{folder}/dlt", "RUNTIME__DLTHUB_TELEMETRY": "false"}
        log = Path(folder) / "log"
        with log.open("w") as errors:
            began = time.monotonic()
            process = subprocess.Popen(
                [*map(str, command), str(given)], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors
            )
            assert process.stdout is not None
            printed = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            process.stdout.close()
        if process.returncode:
            raise SystemExit(
                f"{shlex.join(map(str, command))}: exit code {process.returncode}\n{log.read_text()[-4000:]}"
            )
    figures = json.loads(printed.splitlines()[-1])
    rows, cpu = figures["rows"], usage.ru_utime + usage.ru_stime
    return {
        **figures,
        "rows_per_second": round(rows / seconds, 1),
        "cpu_us_per_row": round(cpu / rows * 1e6, 1),
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
    }


@contextlib.contextmanager
def account(stream: str, rows: int) -> Iterator[Job]:
    """A simulated account with its pages made; yields the job of reading it."""
    from zendesk_support.streams import CATALOGUE

    options = ["--token-lifetime", UNLIMITED, *SIZES[stream](rows)]
    options += [word for name in BUCKETS for word in ("--limit", f"{name}={UNLIMITED}")]
    with simulator(*options) as url:
        with urllib.request.urlopen(f"{url}/_simulator/credentials") as answer:
            known = json.load(answer)["result"]
        yield {
            "url": url,
            "credentials": known,
            "stream": stream,
            "types": dict(CATALOGUE[stream].columns),
            **walk(url + PAGES[stream], stream, known["access_token"]),
        }


def walk(address: str, stream: str, token: str) -> dict[str, Any]:
    """The addresses of a stream's pages, its rows, and the size of its JSON."""
    pages, rows, size, ended = [], 0, 0, False
    while not ended:
        request = urllib.request.Request(address)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Accept-Encoding", "gzip")
        with urllib.request.urlopen(request) as answer:
            body = gzip.decompress(answer.read())
        page = json.loads(body)
        pages.append(address)
        rows += len(page[stream])
        size += len(body)
        address, ended = page.get("after_url") or page["next_page"], page["end_of_stream"]
    return {"pages": pages, "rows": rows, "json_bytes": size}


def interpreter_of(contestant: Contestant, folder: Path) -> str:
    """The Python of a contestant's environment; made if it is not there."""
    from environments import environment
    from foreign_clients import CLIENTS, interpreter

    if contestant.client is None:
        return str(environment(folder / "ours", OURS))
    return str(environment(folder / contestant.client, CLIENTS[contestant.client].packages, interpreter()))


def environments() -> Path:
    """Where the tests of foreign clients keep them, if they were told."""
    given = os.environ.get("ZENDESK_FOREIGN_CLIENTS")
    return Path(given) if given else Path(tempfile.gettempdir()) / "zendesk-foreign-clients"


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def show(title: str, figures: dict[str, Any]) -> None:
    print(title.ljust(28), *(f"{figures[key]:,.6g} {name}".rjust(20) for key, name in FIGURES.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
