"""Prints the tables of docs/scale.md, computed from measured figures: python benchmarks/scale.py

What an account of so many tickets costs in requests, days, bytes and CPU time. Rows a ticket and bytes a row are those
of a simulated account (`--measure` counts them anew), CPU times those of the other benchmarks, limits those that
Zendesk documents.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from draw import newest

from zendesk_support.api.limits import ACCOUNT, EXPORTS, HELP_CENTER, USERS_EXPORT
from zendesk_support.groups import by_limit
from zendesk_support.reading.below import Below
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.streams import CATALOGUE

RESULTS = Path(__file__).resolve().parent / "results"
SIZES, POSTGRES = "2026-11-26-sizes.json", "2026-11-23-f69010e-20000-postgres.json"
ACCOUNTS = {"1M": 10**6, "100M": 10**8, "1B": 10**9}
MEASURED = 3000
"""Tickets of the account that is measured."""
FIXED = 5000
"""Articles, and posts: their number does not follow that of the tickets."""
CHANGED = 0.002
"""Part of the tickets, with what hangs on them, that is new or changes in a day."""
SYNCS = 24
"""A day."""
RECENT = 0.1
"""Part of the tickets that is not archived: Zendesk lists what hangs on the others no longer."""
LISTED_WHILE_RECENT = ("ticket_audits", "ticket_skips", "ticket_activities", "deleted_tickets")
GROWING = (
    *by_limit()["incremental_exports"],
    *by_limit()["users_export"],
    "satisfaction_ratings",
    "audit_logs",
    "organization_memberships",
)
"""Streams whose rows grow with the tickets."""
LONGEST = ("organization_memberships", "ticket_skips")
"""Lists that every sync reads whole, and that grow."""


@dataclass(frozen=True)
class Plan:
    """Requests a minute."""

    account: int
    exports: int = EXPORTS.requests
    users: int = USERS_EXPORT.requests

    def minutes(self, requests: Mapping[str, int]) -> dict[str, float]:
        """How long each limit needs."""
        limits = {ACCOUNT: self.account, HELP_CENTER: self.account, EXPORTS: self.exports, USERS_EXPORT: self.users}
        return {bucket.name: requests.get(bucket.name, 0) / limit for bucket, limit in limits.items()}


OWN = (EXPORTS, USERS_EXPORT, HELP_CENTER)
"""Limits that count the requests of one group."""
PLANS = {
    "Team": Plan(200),
    "Growth, Professional": Plan(400),
    "Enterprise": Plan(700),
    "High Volume": Plan(2500, EXPORTS.high_volume, USERS_EXPORT.high_volume),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", type=Path, metavar="JSON", help="count rows and bytes of a simulated account")
    options = parser.parse_args()
    if options.measure:
        options.measure.write_text(json.dumps(measure(), indent=2) + "\n")
    else:
        print(tables())
    return 0


def measure() -> dict[str, Any]:
    """Rows, and JSON bytes a row, of each stream of a simulated account."""
    import msgspec
    from tickets import circumstances

    from zendesk_support.simulator import Simulator

    streams = {}
    with Simulator(seed=1, tickets=MEASURED, articles=100, posts=100) as account:
        for name in CATALOGUE:
            rows = account.truth(name)
            size = sum(len(msgspec.json.encode(row)) for row in rows)
            streams[name] = {"rows": len(rows), "bytes_per_row": round(size / len(rows)) if rows else 0}
    command = f"python benchmarks/scale.py --measure benchmarks/results/{SIZES}"
    sizes = {"tickets": MEASURED, "articles": 100, "posts": 100}
    return {"command": command, **circumstances(), **sizes, "streams": streams}


def result(name: str) -> dict[str, Any]:
    """A report of this or another benchmark."""
    found: dict[str, Any] = json.loads((RESULTS / name).read_text())
    return found


def rows_of(tickets: int) -> dict[str, int]:
    """Rows of each stream in an account of so many tickets."""
    measured = result(SIZES)
    found = {}
    for name, sizes in measured["streams"].items():
        stream, rows = CATALOGUE[name], sizes["rows"]
        if isinstance(stream.feeds[0].endpoint, Below):
            found[name] = rows * FIXED // measured["articles"]
        elif name in GROWING:
            part = RECENT if name in LISTED_WHILE_RECENT else 1
            found[name] = math.ceil(rows * tickets / measured["tickets"] * part)
        else:
            found[name] = rows
    return found


def requests_of(rows: Mapping[str, int], first: bool = True) -> dict[str, dict[str, int]]:
    """Requests by group and limit.

    Args:
        rows: to read, by stream.
        first: nothing was loaded before, so that votes are read too.
    """
    found: dict[str, dict[str, int]] = {}
    for group, names in by_limit().items():
        counted: dict[str, int] = defaultdict(int)
        passes: list[object] = []
        for name in (name for name in names if name in rows):
            endpoint = CATALOGUE[name].feeds[0].endpoint
            if isinstance(endpoint, Below) and not endpoint.is_long:
                parents = endpoint.parents.path
                above = next(n for n in names if getattr(CATALOGUE[n].feeds[0].endpoint, "path", "") == parents)
                needed = rows[above] if first or not endpoint.counted else 0
            else:
                needed = math.ceil(rows[name] / (1000 if isinstance(endpoint, CursorExport | TimeExport) else 100)) or 1
            if endpoint not in passes:
                passes.append(endpoint)
                for bucket in endpoint.limits:
                    counted[bucket.name] += needed
        found[group] = dict(counted)
    return found


def total(requests: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Requests by limit, of all groups together."""
    found: dict[str, int] = defaultdict(int)
    for counted in requests.values():
        for limit, number in counted.items():
            found[limit] += number
    return dict(found)


def day_of(rows: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Requests of a day of syncs: exports and feeds bring what has changed, lists come whole each time."""
    changed = {}
    for name, count in rows.items():
        endpoint = CATALOGUE[name].feeds[0].endpoint
        changed[name] = count if endpoint.snapshot else math.ceil(count * CHANGED / SYNCS)
    once = requests_of(changed, first=False)
    return {group: {limit: n * SYNCS for limit, n in counted.items()} for group, counted in once.items()}


def tables() -> str:
    """Every table, as Markdown."""
    parts = {"Rows and bytes": sizes, "First load": first_load, "Machine": machine, "A day of hourly syncs": every_day}
    return "\n\n".join("\n".join([f"**{title}**", "", *part()]) for title, part in parts.items())


def sizes() -> Iterator[str]:
    measured = result(SIZES)
    yield "| stream | rows a ticket | JSON bytes a row |"
    yield "|---|---:|---:|"
    for name in (name for name in GROWING if name in measured["streams"]):
        found = measured["streams"][name]
        size = f"{bytes_of(name):,}" if bytes_of(name) else f"{found['bytes_per_row']:,}, within another row"
        yield f"| {name} | {found['rows'] / measured['tickets']:.2f} | {size} |"


def first_load() -> Iterator[str]:
    yield f"| tickets | group | counted by | requests | {' | '.join(PLANS)} |"
    yield "|---|---|---|---:|" + "---:|" * len(PLANS)
    for size, tickets in ACCOUNTS.items():
        requests = requests_of(rows_of(tickets))
        for group, counted in requests.items():
            own = {limit.name: counted[limit.name] for limit in OWN if limit.name in counted}
            for limit, number in own.items():
                yield line(size, group, limit, {limit: number})
            rest = counted.get(ACCOUNT.name, 0) - sum(n for limit, n in own.items() if limit != HELP_CENTER.name)
            if rest:
                yield line(size, group, ACCOUNT.name, {ACCOUNT.name: rest})
        together = total(requests)
        whole = " | ".join(span(max(plan.minutes(together).values())) for plan in PLANS.values())
        everything = together[ACCOUNT.name] + together[HELP_CENTER.name]
        yield f"| **{size}** | **all, side by side** | | **{everything:,}** | {whole} |"


def line(size: str, group: str, limit: str, requests: Mapping[str, int]) -> str:
    spans = " | ".join(span(plan.minutes(requests)[limit]) for plan in PLANS.values())
    return f"| {size} | {group} | {limit} | {requests[limit]:,} | {spans} |"


def span(minutes: float) -> str:
    """Minutes in a unit that suits."""
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    return f"{minutes / 60:,.1f} h" if minutes < 36 * 60 else f"{minutes / 1440:,.1f} days"


def bytes_of(name: str) -> int:
    """JSON bytes that a row adds to an answer: none where it is part of another stream's row."""
    if name == "tickets":
        account = newest("compare")["streams"]["tickets"]["ours"]["account"]
        return round(account["json_bytes"] / account["rows"])
    if name in ("ticket_metrics", "ticket_comments"):
        return 0
    return int(result(SIZES)["streams"][name]["bytes_per_row"])


def machine() -> Iterator[str]:
    """Bytes and CPU time of a first load, beside the time that quota takes."""
    tickets, server = newest("memory")["sizes"][-1]["median"], result(POSTGRES)["median"]
    firsts = (sync for sync in newest("quota")["syncs"] if sync["sync"] == "first")
    largest = max(firsts, key=lambda sync: sync["rows"])
    cpu = largest["cpu"] / largest["rows"]
    yield (
        "| tickets | rows | JSON | CPU time, all streams | of a core while quota lasts, Enterprise | High Volume | "
        "`tickets` into DuckDB | into Postgres |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for size, count in ACCOUNTS.items():
        rows = rows_of(count)
        volume = sum(n * bytes_of(name) for name, n in rows.items())
        seconds = sum(rows.values()) * cpu
        requests = total(requests_of(rows))
        shares = [seconds / 60 / max(PLANS[plan].minutes(requests).values()) for plan in ("Enterprise", "High Volume")]
        yield (
            f"| {size} | {sum(rows.values()):,} | {volume / 1e12:,.2f} TB | {span(seconds / 60)} | "
            f"{shares[0]:.0%} | {shares[1]:.0%} | {span(count / tickets['rows_per_second'] / 60)} | "
            f"{span(count / server['rows_per_second'] / 60)} |"
        )


def every_day() -> Iterator[str]:
    """What hourly syncs cost once all is loaded, as a part of what a day's quota allows."""
    yield f"| tickets | changed a day | counted by | requests a day | {' | '.join(PLANS)} |"
    yield "|---|---:|---|---:|" + "---:|" * len(PLANS)
    for size, tickets in ACCOUNTS.items():
        rows = rows_of(tickets)
        requests = total(day_of(rows))
        lists = total(day_of({**rows, **dict.fromkeys(LONGEST, 0)}))
        for limit in (EXPORTS.name, USERS_EXPORT.name, ACCOUNT.name, HELP_CENTER.name):
            yield day_line(size, tickets, limit, requests[limit], limit)
        yield day_line(
            size, tickets, ACCOUNT.name, lists[ACCOUNT.name], f"{ACCOUNT.name}, without {' and '.join(LONGEST)}"
        )


def day_line(size: str, tickets: int, limit: str, requests: int, title: str) -> str:
    shares = " | ".join(f"{plan.minutes({limit: requests})[limit] / 1440:,.1%}" for plan in PLANS.values())
    return f"| {size} | {tickets * CHANGED:,.0f} | {title} | {requests:,} | {shares} |"


if __name__ == "__main__":
    sys.exit(main())
