"""Counts requests by stream: a first sync and one with nothing changed, beside the fewest possible.

python benchmarks/count_requests.py                # prints the table of docs/requests.md
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt
from fewest import Needed

from zendesk_support import sync, zendesk_support_source
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import default_streams

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
            base_url=account.base_url, credentials=known, start_date="2015-01-01", clock_scale=SCALE, streams="all"
        )
        destination = dlt.destinations.duckdb(str(folder / "requests.duckdb"))
        pipeline = dlt.pipeline("requests", destination=destination, dataset_name="warehouse")
        first = sync(pipeline, source)
        again = sync(pipeline, source)
        for stream in (*first.failed, *again.failed):
            raise SystemExit(f"{stream.stream}: {stream.message}")
        refused = [request for request in account.requests() if request["status"] == 429]
        whole = Needed.of(account, "enterprise", streams=CATALOGUE)
        nothing = Needed.of(account, "enterprise", whole, since=account.now(), streams=CATALOGUE)
    rows = {name: by_brand.total() for name, by_brand in whole.rows.items()}
    print(f"Account: {options.tickets:,} tickets, {rows['articles']:,} articles. Answers of 429: {len(refused)}.\n")
    print("| stream | rows | first sync | fewest | nothing changed | fewest |")
    print("|---|---:|---:|---:|---:|---:|")
    by_default = default_streams()
    totals, of_default = [0, 0, 0, 0], [0, 0, 0, 0]
    for name in CATALOGUE:
        counts = (
            first.streams[name].requests,
            whole.requests(name),
            again.streams[name].requests,
            nothing.requests(name),
        )
        totals = [total + count for total, count in zip(totals, counts)]
        if name in by_default:
            of_default = [total + count for total, count in zip(of_default, counts)]
        print(f"| {name}{'' if name in by_default else ' *'} | {rows[name]:,} | {' | '.join(map(str, counts))} |")
    print(f"| **default set** | | {' | '.join(f'**{total}**' for total in of_default)} |")
    print(f"| **all** | {sum(rows.values()):,} | {' | '.join(f'**{total}**' for total in totals)} |")


if __name__ == "__main__":
    main()
