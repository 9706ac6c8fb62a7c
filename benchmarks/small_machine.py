"""Measures the memory of a first load on a small machine: python benchmarks/small_machine.py --memory 512

The command runs in a control group of version 1 with that much memory, which takes root; `--memory 0` leaves it
unbounded. The account stands outside of the group, without limits of requests, and so does Postgres, which
DESTINATION__POSTGRES__CREDENTIALS names; the dataset is left there.

- anonymous: the most memory that the process had of its own, which nothing can take from it;
- group: the most that the group was charged with, caches of files included, which count only until they are in the way.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tickets import DESTINATIONS, RESULTS, beginning, credentials, finish, simulator

from zendesk_support.simulator.limits import default_limits
from zendesk_support.simulator.remote import RemoteSimulator

GROUPS = Path("/sys/fs/cgroup/memory")
LOOK = 0.25
SCALE = 60
"""Seconds of the account's clock in one of ours, for what a sync waits for."""
COMMAND = "import sys; from zendesk_support.cli import main; sys.exit(main(sys.argv[1], sys.argv[2:]))"
SETTING = "SOURCES__ZENDESK_SUPPORT__"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, default=512, metavar="MB", help="of the group (512); 0: unbounded")
    parser.add_argument("--tickets", type=int, nargs="+", default=[6000], metavar="N", help="sizes of accounts (6000)")
    parser.add_argument("--streams", nargs="+", default=["all"], metavar="NAME", help="what is loaded (all)")
    parser.add_argument("--destination", choices=DESTINATIONS, default="duckdb", help="where to (duckdb)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    options = parser.parse_args()
    report: dict[str, Any] = {**beginning(), "runs": []}
    for tickets in options.tickets:
        with account(tickets) as url, tempfile.TemporaryDirectory(prefix="zendesk-small-") as folder:
            figures = {"tickets": tickets, **measured(url, Path(folder), options)}
        print(*(f"{name} {value}" for name, value in figures.items()), sep=", ", flush=True)
        report["runs"].append(figures)
    finish(report, options.results, f"small-{options.destination}-{options.memory}")
    return 0 if all(run["exit_code"] == 0 for run in report["runs"]) else 1


@contextmanager
def account(tickets: int) -> Iterator[str]:
    """An account with little of what is read by one request a row, and without limits."""
    lifted = [word for name in default_limits("enterprise") for word in ("--limit", f"{name}=10000000")]
    sizes = ["--size", "articles=30", "--size", "posts=20"]
    with simulator(
        "--tickets", tickets, "--clock-scale", SCALE, "--chat-login", "own", "--chat-host", *sizes, *lifted
    ) as url:
        yield url


def environment_of(url: str, folder: Path) -> dict[str, str]:
    """The settings of a sync of that account."""
    chat = RemoteSimulator(url)
    own = {f"CREDENTIALS__{name.upper()}": value for name, value in credentials(url).items()}
    own |= {"BASE_URL": url, "START_DATE": "2000-01-01", "CLOCK_SCALE": str(SCALE)}
    own |= {"REQUEST_TIMEOUT": str(90 * SCALE), "RETRY_DEADLINE": str(900 * SCALE)}
    own |= {"CHAT__ACCESS_TOKEN": chat.credentials["chat_access_token"], "CHAT__BASE_URL": chat.chat_url}
    apart = {"DLT_DATA_DIR": str(folder / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return {**os.environ, **apart, **{f"{SETTING}{name}": value for name, value in own.items()}}


def measured(url: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One sync by the command, and what it took."""
    words = [options.destination, "--progress", "off", "--quiet", "--streams", *options.streams]
    words += ["--database", str(folder / "small.duckdb")] if options.destination == "duckdb" else []
    words += ["--dataset", folder.name.replace("-", "_").lower()]
    began, before = time.monotonic(), children_cpu()
    with group(options.memory) as place:
        enter = f"echo $$ > {place}/cgroup.procs && " if place is not None else ""
        command = ["sh", "-c", f'{enter}exec "$@"', "sh", sys.executable, "-c", COMMAND, *words]
        process = subprocess.Popen(command, cwd=folder, env=environment_of(url, folder))
        peaks = {"RssAnon": 0, "Threads": 0}
        watcher = threading.Thread(target=watch, args=(process, peaks))
        watcher.start()
        code = process.wait()
        watcher.join()
        return {
            "exit_code": code,
            "seconds": round(time.monotonic() - began, 1),
            "cpu_seconds": round(children_cpu() - before, 1),
            "anonymous_mb": peaks["RssAnon"] >> 10,
            "threads": peaks["Threads"],
            **(told(place) if place is not None else {}),
        }


def children_cpu() -> float:
    """CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def watch(process: subprocess.Popen[bytes], peaks: dict[str, int]) -> None:
    """Keep the highest figures that the system tells of a process."""
    while process.poll() is None:
        with suppress(OSError):
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in peaks:
                    peaks[name] = max(peaks[name], int(value.split()[0]))
        time.sleep(LOOK)


@contextmanager
def group(megabytes: int) -> Iterator[Path | None]:
    """A control group with so much memory, and no swap beside it; None where it is unbounded."""
    if not megabytes:
        yield None
        return
    place = GROUPS / f"zendesk_{os.getpid()}"
    place.mkdir()
    try:
        (place / "memory.limit_in_bytes").write_text(str(megabytes << 20))
        with suppress(OSError):  # where the kernel does not count swap
            (place / "memory.memsw.limit_in_bytes").write_text(str(megabytes << 20))
        yield place
    finally:
        place.rmdir()


def told(place: Path) -> dict[str, int]:
    """What the group says: its peak, how often it was full, and whether something was killed for it."""
    killed = dict(line.split() for line in (place / "memory.oom_control").read_text().splitlines())
    return {
        "group_mb": int((place / "memory.max_usage_in_bytes").read_text()) >> 20,
        "times_full": int((place / "memory.failcnt").read_text()),
        "killed": int(killed.get("oom_kill", 0)),
    }


if __name__ == "__main__":
    sys.exit(main())
