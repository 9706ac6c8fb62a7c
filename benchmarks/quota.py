"""Measures how close a sync of all streams comes to what Zendesk's quota allows: python benchmarks/quota.py

For each plan two simulated accounts are loaded, one of tickets and one of help centers, and loaded again after 1 % of
their rows have changed. Each account answers from a process of its own, whose clock runs faster than real time; each
sync is a fresh process. The table of docs/performance.md is made from the JSON that is written, by benchmarks/draw.py.

The bound of a sync is the largest, over the account's limits, of two times that no client can beat:

- quota: a limit of n requests a minute lets the k-th request pass in the floor((k - 1) / n)-th minute after the one the
  sync began in; those left for the last minute are spread over the lists of that limit that can be read side by side;
- chain: the pages of one list, each asked for with what the one before answered, below them one request for children
  and one for theirs.

k and the pages are counted in the account's rows, not in what was sent. The token's request comes before either. Every
sync begins in the middle of a minute.

The account `everything` has all streams of the catalogue, Chat on a host of its own; it is measured where it is named.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewest import ELSEWHERE, GENERAL, Needed, buckets
from tickets import RESULTS, beginning, credentials, finish, simulator

from zendesk_support.simulator.limits import default_limits
from zendesk_support.simulator.remote import RemoteSimulator
from zendesk_support.streams.selection import ALL, DEFAULT, selected

LATENCY = {"incremental": 1.4, "list": 0.3, "show": 0.3, "oauth": 0.3}
START = 1_760_000_000
PAUSE = 3600
HALFWAY = 30
EVERYTHING = "everything"
CHANGES = {
    "support": ("tickets", "users", "organizations", "organization_memberships", "satisfaction_ratings", "macros"),
    "help center": ("articles", "article_comments", "article_votes", "posts", "post_comments", "post_votes"),
}
CHANGES[EVERYTHING] = CHANGES["support"] + CHANGES["help center"]


@dataclass(frozen=True)
class Case:
    """One plan and account.

    Attributes:
        sizes: of the account.
        scale: account seconds per real second in the first sync, and
        again: in the second.
    """

    plan: str
    account: str
    sizes: dict[str, int]
    scale: float
    again: float

    @property
    def loads(self) -> str:
        """The streams that are loaded, in the word that the setting takes."""
        return ALL if self.account == EVERYTHING else DEFAULT


def support(tickets: int) -> dict[str, int]:
    return {"tickets": tickets, "articles": 30, "posts": 20}


def guide(articles: int, posts: int) -> dict[str, int]:
    return {"tickets": 100, "articles": articles, "posts": posts}


CASES = (
    Case("team", "support", support(6000), 4, 1),
    Case("professional", "support", support(6000), 4, 1),
    Case("enterprise", "support", support(6000), 4, 1),
    Case("enterprise_plus", "support", support(20000), 2, 1),
    Case("team", "help center", guide(700, 500), 4, 4),
    Case("professional", "help center", guide(700, 500), 4, 3),
    Case("enterprise", "help center", guide(700, 500), 3, 3),
    Case("enterprise_plus", "help center", guide(1400, 1000), 1, 1),
    Case("enterprise", EVERYTHING, {"tickets": 6000, "articles": 300, "posts": 200}, 2, 2),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", nargs="*", default=sorted({case.plan for case in CASES}), metavar="PLAN")
    parser.add_argument("--accounts", nargs="*", default=["help center", "support"], metavar="ACCOUNT")
    parser.add_argument("--first-only", action="store_true", help="leave out the second sync")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="accounts at a time (2)")
    parser.add_argument("--log", type=Path, help="where the requests of every sync go, for a closer look")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("--sync", nargs=4, metavar=("URL", "DIR", "SCALE", "STREAMS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sync:
        print(json.dumps(sync(*options.sync)))
        return 0
    report: dict[str, Any] = {**beginning(), "latency": LATENCY, "syncs": []}
    print(HEAD, flush=True)
    cases = [case for case in CASES if case.plan in options.plans and case.account in options.accounts]
    with ThreadPoolExecutor(options.jobs) as pool:
        for syncs in pool.map(lambda case: list(run(case, options)), cases):
            for figures in syncs:
                report["syncs"].append(figures)
                print(row(figures), flush=True)
    finish(report, options.results, EVERYTHING if options.accounts == [EVERYTHING] else "quota")
    return 0


def run(case: Case, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The first sync, then one with changes, of the same account with another clock."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="zendesk-quota-") as directory:
        for again in (False, True)[: 1 if options.first_only else 2]:
            scale = case.again if again else case.scale
            with account(case, scale, port) as simulator:
                streams = selected([case.loads])
                needed = Needed.of(simulator, case.plan, streams=streams)
                if again:
                    simulator.advance(PAUSE)
                    since = simulator.now()
                    change(simulator, case)
                    needed = Needed.of(simulator, case.plan, needed, since, streams)
                figures = measured(simulator, case, scale, directory, options.log, again)
                yield {**figures, **bound(needed, case.plan, figures.pop("first_at"))}


def change(simulator: RemoteSimulator, case: Case) -> None:
    """Change 1 % of the account's rows."""
    for stream in CHANGES[case.account]:
        count = len(simulator.truth(stream, ["id"]))
        simulator.mutate("update_rows", stream=stream, count=max(1, count // 100))


def measured(
    simulator: RemoteSimulator, case: Case, scale: float, directory: str, log: Path | None, again: bool
) -> dict[str, Any]:
    """One sync, as the account sees it."""
    simulator.advance((HALFWAY - simulator.now()) % 60)
    simulator.reset_requests()
    began = simulator.now()
    child = sync_apart(simulator.base_url, directory, scale, case.loads)
    ended = simulator.now()
    requests = simulator.requests()
    if log is not None:
        log.mkdir(parents=True, exist_ok=True)
        name = f"{case.plan}-{case.account.replace(' ', '-')}-{'second' if again else 'first'}.json"
        (log / name).write_text(json.dumps(requests))
    first = min(request["time"] for request in requests)
    last = max(request["time"] + latency(request) for request in requests)
    counted = Counter(bucket for request in requests for bucket in request["buckets"])
    return {
        "plan": case.plan,
        "account": case.account,
        "sync": "1 % changed" if again else "first",
        "clock_scale": scale,
        "rows": child["rows"],
        "requests": sum(counted[bucket] for bucket in GENERAL),
        "refused": sum(request["status"] == 429 for request in requests),
        "by_bucket": dict(counted),
        "wall": round(last - first, 1),
        "start_up": round((first - began) / scale, 1),
        "loading": round((ended - last) / scale, 1),
        "cpu": child["cpu"],
        "peak_mb": child["peak_mb"],
        "first_at": first,
    }


def latency(request: dict[str, Any]) -> float:
    kind = "incremental" if "/incremental/" in request["path"] else "oauth" if "/oauth/" in request["path"] else "list"
    return LATENCY[kind]


def bound(needed: Needed, plan: str, first_at: float) -> dict[str, Any]:
    """Seconds that no client can beat, counted from the first request on, and the requests it needs."""
    count, lists = Counter[str](), Counter[str]()
    for name in needed.streams:
        for bucket in buckets(name):
            count[bucket] += needed.requests(name)
            lists[bucket] += needed.side_by_side(name)
        if needed.requests(name) and (other := ELSEWHERE.get(name)):
            count[other] += 1
            count[buckets(name)[0]] -= 1
    began = first_at + LATENCY["oauth"]
    times = {"chain": max(needed.chain(name, LATENCY) for name in needed.streams)}
    for bucket, requests in count.items():
        if requests:
            limit = default_limits(plan)[bucket]
            page = LATENCY["incremental" if bucket.startswith("incremental") or bucket == "talk_exports" else "list"]
            ends = limit.period - began % limit.period
            times[bucket] = soonest(requests, limit.total, lists[bucket], page, ends, limit.period)
    decisive = max(times, key=lambda name: times[name])
    return {
        "fewest": sum(count[bucket] for bucket in GENERAL),
        "fewest_by_bucket": dict(count),
        "bounds": {name: round(seconds, 1) for name, seconds in times.items()},
        "bound": round(times[decisive] + LATENCY["oauth"], 1),
        "decided_by": decisive,
    }


def soonest(requests: int, limit: int, lists: int, page: float, ends: float, period: float = 60) -> float:
    """Seconds until the last request of a limit can be answered.

    Args:
        requests: how many there are.
        limit: how many pass in a window.
        lists: how many can be under way at a time.
        page: seconds until one is answered.
        ends: seconds to the end of the first window.
        period: seconds of a window.
    """
    begins, begun = 0.0, 0
    while requests > (room := min(limit, lists * (int((ends - begins) / page) + begun))):
        requests -= room
        # A request that was sent before may be the first to count.
        begins, ends, begun = ends, ends + period, 1
    return begins + (math.ceil(requests / lists) - begun) * page


HEAD = """\
| plan | account | sync | clock | requests | fewest | 429 | wall (s) | bound (s) | decided by | wall / bound | \
start-up and load (real s) | CPU (s) |
|---|---|---|---:|---:|---:|---:|---:|---:|---|---:|---:|---:|"""


def row(figures: dict[str, Any]) -> str:
    """A sync as a line of the table."""
    wall, bound = figures["wall"], figures["bound"]
    cells = [
        figures["plan"].replace("_", " ").title(),
        figures["account"],
        figures["sync"],
        f"x{figures['clock_scale']:g}",
        f"{figures['requests']:,}",
        f"{figures['fewest']:,}",
        str(figures["refused"]),
        f"{wall:,.0f}" if wall > 100 else f"{wall:.1f}",
        f"{bound:,.0f}" if bound > 100 else f"{bound:.1f}",
        figures["decided_by"].replace("_", " "),
        f"{wall / bound:.3f}",
        f"{figures['start_up'] + figures['loading']:.1f}",
        f"{figures['cpu']:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


@contextmanager
def account(case: Case, scale: float, port: int) -> Iterator[RemoteSimulator]:
    """A simulated account in a process of its own, the same one for the same case."""
    options = ["--port", port, "--plan", case.plan, "--now", START, "--clock-scale", scale]
    options += ["--chat-login", "own", "--chat-host"] if case.account == EVERYTHING else []
    options += ["--tickets", case.sizes["tickets"], "--warm", "metric_sets,ticket_events,users"]
    options += ["--latency", ",".join(f"{name}={seconds}" for name, seconds in LATENCY.items())]
    options += [word for name, n in case.sizes.items() if name != "tickets" for word in ("--size", f"{name}={n}")]
    with simulator(*options) as url:
        yield RemoteSimulator(url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sync_apart(url: str, directory: str, scale: float, streams: str) -> dict[str, Any]:
    """One sync in a fresh process."""
    environment = {**os.environ, "DLT_DATA_DIR": f"{directory}/dlt", "RUNTIME__DLTHUB_TELEMETRY": "false"}
    command = [sys.executable, __file__, "--sync", url, directory, str(scale), streams]
    done = subprocess.run(command, env=environment, cwd=directory, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def sync(url: str, directory: str, scale: str, streams: str) -> dict[str, Any]:
    """Sync streams as the command line does, and say what it took."""
    import resource

    from zendesk_support.command.destinations import WAREHOUSES
    from zendesk_support.command.options import make_parser
    from zendesk_support.command.runs import make_source
    from zendesk_support.running.runner import sync

    warehouse = WAREHOUSES["duckdb"]
    options = make_parser(warehouse).parse_args(["--start-date", "2015-01-01"])
    options.database = Path(directory) / "quota.duckdb"
    known = {"base_url": url, "credentials": credentials(url), "clock_scale": float(scale)}
    if streams == ALL:
        known["streams"] = ALL
        account = RemoteSimulator(url)
        known["chat"] = {"access_token": account.credentials["chat_access_token"], "base_url": account.chat_url}
    source = make_source(options, **known)
    report = sync(warehouse.pipeline(options), source)
    if report.failed:
        raise SystemExit("\n".join(f"{stream.stream}: {stream.message}" for stream in report.failed))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": sum(stream.rows for stream in report.streams.values()),
        "cpu": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


if __name__ == "__main__":
    sys.exit(main())
