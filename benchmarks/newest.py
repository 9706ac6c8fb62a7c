"""Counts what `order = "newest"` costs: the requests of a first load, beside one that begins with the oldest rows.

python benchmarks/newest.py                        # prints the table of docs/performance.md

The exports of tickets, events and metric events are those of a thin server: rows of a few columns, evenly spread over
two years, that do not change. Its clock moves by six seconds a request, as ten exports a minute do. What is read is
extracted, not loaded.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt

from zendesk_support import zendesk_support_source

DAY = 86400
DAYS = 730
PAGE = 1000
A_REQUEST = 6
SCALE = 20_000.0
ROWS = {"tickets": 1, "ticket_events": 1, "ticket_metric_events": 1}
"""Rows of each export by ticket: fewer than an account has, since the fewer pages the more windows weigh."""
PATHS = {"tickets/cursor": "tickets", "ticket_events": "ticket_events", "ticket_metric_events": "ticket_metric_events"}


class Exports:
    """What the server has: rows of three exports, the last of them an hour old."""

    def __init__(self, tickets: int) -> None:
        self.end = int(time.time()) - 3600
        self.start = self.end - DAYS * DAY
        self.counts = {name: tickets * times for name, times in ROWS.items()}
        self.asked: Counter[str] = Counter()
        self.recent: dict[str, set[int]] = {name: set() for name in ROWS}
        self.whole_after: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def now(self) -> int:
        return self.end + 3600 + A_REQUEST * self.asked.total()

    def time_of(self, name: str, place: int) -> int:
        return self.start + (place * DAYS * DAY) // self.counts[name]

    def first_at(self, name: str, at: int) -> int:
        """The place of the first row from a second on."""
        place = max(0, (at - self.start) * self.counts[name] // (DAYS * DAY))
        while place < self.counts[name] and self.time_of(name, place) < at:
            place += 1
        return min(place, self.counts[name])

    def page(self, name: str, query: dict[str, list[str]]) -> dict[str, Any]:
        """A page from a cursor or a time on."""
        begin = int(query["cursor"][0]) if "cursor" in query else self.first_at(name, int(query["start_time"][0]))
        end = min(begin + PAGE, self.counts[name])
        places = range(begin, end)
        with self._lock:
            self.asked[name] += 1
            self._note(name, places)
        at = self.time_of(name, end - 1) if places else int(query.get("start_time", ["0"])[0])
        found: dict[str, Any] = {name: [self.row(name, place) for place in places], "count": len(places)}
        if name == "tickets":
            return {**found, "after_cursor": str(end), "end_of_stream": end == self.counts[name]}
        marks = {"end_of_stream": end == self.counts[name]} if name == "ticket_events" else {}
        return {**found, "end_time": at, **marks}

    def _note(self, name: str, places: range) -> None:
        """Remember after how many requests the last thirty days had been given."""
        first = self.first_at(name, self.end - 30 * DAY + 3600)
        self.recent[name].update(place for place in places if place >= first)
        if name not in self.whole_after and len(self.recent[name]) == self.counts[name] - first:
            self.whole_after[name] = self.asked[name]

    def row(self, name: str, place: int) -> dict[str, Any]:
        at = self.time_of(name, place)
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
        if name == "tickets":
            return {"id": place + 1, "generated_timestamp": at, "updated_at": text, "status": "open"}
        own = {"id": place + 1, "ticket_id": place // ROWS[name] + 1}
        if name == "ticket_events":
            return {**own, "timestamp": at, "created_at": text, "child_events": []}
        return {**own, "time": text, "type": "activate", "metric": "reply_time", "instance_id": 1, "deleted": False}


def served(exports: Exports) -> ThreadingHTTPServer:
    """A server of the exports on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/api/v2/incremental/").removesuffix(".json")
            body = dlt.common.json.dumpb(exports.page(PATHS[path], parse_qs(parts.query)))
            self.send_response_only(200)
            self.send_header("Date", formatdate(exports.now, usegmt=True))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def counted(tickets: int, order: str) -> Exports:
    """The requests of a first load."""
    exports = Exports(tickets)
    server = served(exports)
    with tempfile.TemporaryDirectory() as folder:
        source = zendesk_support_source(
            base_url=f"http://127.0.0.1:{server.server_port}",
            credentials={"access_token": "of-no-account"},
            clock_scale=SCALE,
            retry_deadline=3600 * SCALE,
            request_timeout=3600,
            streams=list(ROWS),
            order=order,
        )
        pipeline = dlt.pipeline("newest", pipelines_dir=folder, destination="duckdb", dataset_name="warehouse")
        pipeline.extract(source)
    server.shutdown()
    return exports


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    options = parser.parse_args()
    oldest, newest = (counted(options.tickets, order) for order in ("oldest", "newest"))
    print("| export | rows | pages of the last 30 days | whole after | all, oldest first | newest first | more |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in ROWS:
        recent = -(-len(newest.recent[name]) // PAGE)
        before, after = oldest.asked[name], newest.asked[name]
        print(
            f"| {name} | {newest.counts[name]:,} | {recent} | {newest.whole_after[name]} | {before:,} | {after:,} | "
            f"{after / before - 1:.1%} |"
        )
    before, after = oldest.asked.total(), newest.asked.total()
    print(f"| **all** | | | | **{before:,}** | **{after:,}** | **{after / before - 1:.1%}** |")


if __name__ == "__main__":
    main()
