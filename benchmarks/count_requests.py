"""Counts requests by stream: a first sync and one with nothing changed, beside the fewest possible.

python benchmarks/count_requests.py                # prints the table of docs/requests.md
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from pathlib import Path

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt

from zendesk_support import sync, zendesk_support_source
from zendesk_support.kinds import CursorExport, FilteredListing, HelpCenterChildren, RecentFirst, TimeExport
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

SCALE = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=5000)
    parser.add_argument("--articles", type=int, default=300)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    os.environ["DLT_DATA_DIR"] = str(folder)
    with Simulator(seed=1, tickets=options.tickets, articles=options.articles, clock_scale=SCALE) as account:
        known = {name: account.credentials[name] for name in ("client_id", "client_secret")}
        source = zendesk_support_source(
            base_url=account.base_url, credentials=known, start_date="2015-01-01", clock_scale=SCALE
        )
        destination = dlt.destinations.duckdb(str(folder / "requests.duckdb"))
        pipeline = dlt.pipeline("requests", destination=destination, dataset_name="warehouse")
        first = sync(pipeline, source)
        again = sync(pipeline, source)
        for stream in (*first.failed, *again.failed):
            raise SystemExit(f"{stream.stream}: {stream.message}")
        refused = [request for request in account.requests() if request["status"] == 429]
        rows = {name: len(account.truth(name)) for name in CATALOGUE}
        voted = {name: parents(account, name) for name in CATALOGUE if name.endswith("_votes")}
    print(f"Account: {options.tickets:,} tickets, {rows['articles']:,} articles. Answers of 429: {len(refused)}.\n")
    print("| stream | rows | first sync | fewest | nothing changed | fewest |")
    print("|---|---:|---:|---:|---:|---:|")
    totals = [0, 0, 0, 0]
    for name in CATALOGUE:
        least = [fewest(name, rows, voted, whole) for whole in (True, False)]
        counts = (first.streams[name].requests, least[0], again.streams[name].requests, least[1])
        totals = [total + count for total, count in zip(totals, counts)]
        print(f"| {name} | {rows[name]:,} | {' | '.join(map(str, counts))} |")
    print(f"| **all** | {sum(rows.values()):,} | {' | '.join(f'**{total}**' for total in totals)} |")


def parents(account: Simulator, name: str) -> int:
    return len({(row["brand_id"], row["item_id"]) for row in account.truth(name)})


def fewest(name: str, rows: dict[str, int], voted: dict[str, int], first: bool) -> int:
    """Pages that the rows fill; a pass that streams share counts for its first stream."""
    reader = CATALOGUE[name].feeds[0].reader
    sharing = next(other for other, stream in CATALOGUE.items() if stream.feeds[0].reader == reader)
    if sharing != name:
        return 0
    if isinstance(reader, CursorExport | TimeExport):
        ends = getattr(reader, "ends", True)
        return (math.ceil(rows[name] / 1000) if first else 1) + (0 if ends or not first else 1)
    if isinstance(reader, FilteredListing | RecentFirst) and not first:
        return 1
    if isinstance(reader, HelpCenterChildren):
        if reader.counted:
            return voted[name] if first else 0
        return rows["articles" if "articles" in reader.path else "posts"]
    listing = getattr(reader, "listing", reader)
    pages = math.ceil(rows[name] / 100) if getattr(listing, "paged", True) else 1
    return max(pages, 2 if listing is not reader else 1)


if __name__ == "__main__":
    main()
