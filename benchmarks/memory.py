"""Measures memory and CPU of loading tickets into DuckDB as accounts grow: python benchmarks/memory.py

A simulated account of the smallest size is made once. Larger ones are its tickets again and again, from a process that
gives them other ids and, within the same years, other times of export.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import http.server
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compare import Job, account, environments, interpreter_of, measure, median, show
from contestants import CONTESTANTS
from tickets import RESULTS, ROOT, beginning, finish

EXPORT = "/api/v2/incremental/tickets/cursor"
HOP = ("content-length", "content-encoding", "connection", "vary", "transfer-encoding")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000, metavar="N", help="tickets of the smallest account (50000)")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 6, 20], metavar="N", help="larger ones (1 6 20)")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="runs of each size (1)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("--serve", nargs=3, metavar=("URL", "TOKEN", "TIMES"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        url, token, times = options.serve
        serve(url, token, int(times))
        return 0
    report = {**beginning(), "sizes": []}
    command = [interpreter_of(CONTESTANTS["ours"], environments()), ROOT / "benchmarks" / "contestants.py", "ours"]
    with account("tickets", options.rows) as job:
        for times in options.times:
            with repeated(job, times) as larger:
                runs = [measure(command, larger) for _ in range(options.runs)]
            for run in runs:
                del run["versions"]
                if run["rows"] != larger["rows"]:
                    raise SystemExit(f"{run['rows']} of {larger['rows']} rows were loaded")
                show(f"{larger['rows']:,}", run)
            report["sizes"].append({"rows": larger["rows"], "median": median(runs), "runs": runs})
    finish(report, options.results, "memory")
    return 0


@contextlib.contextmanager
def repeated(job: Job, times: int) -> Iterator[Job]:
    """A larger account; yields the job of reading it."""
    command = [sys.executable, __file__, "--serve", job["url"], job["credentials"]["access_token"], str(times)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield {**job, "pages": [], "url": server.stdout.readline().strip(), "rows": job["rows"] * times}
        finally:
            server.terminate()


def serve(url: str, token: str, times: int) -> None:
    """Serve an account's tickets repeatedly, and all else as it is."""
    import msgspec

    pages: list[bytes] = []
    headers: dict[str, str] = {}
    address, ended = f"{url}{EXPORT}?start_time=0&support_type_scope=all&include=metric_sets", False
    while not ended:
        request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            headers = {name: answer.headers[name] for name in answer.headers if name.lower() not in HOP}
            body = answer.read()
        page = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        pages.append(bytes(page["tickets"]))
        address, ended = msgspec.json.decode(page["after_url"]), bytes(page["end_of_stream"]) == b"true"
    decode = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
    firsts, lasts = decode(pages[0])[0], decode(pages[-1])[-1]
    begins, ends = int(bytes(firsts["generated_timestamp"])), int(bytes(lasts["generated_timestamp"]))
    span = ends - begins + 1
    highest = max(int(bytes(row["id"])) for page in pages for row in decode(page))

    def page_at(number: int) -> bytes:
        turn, place = divmod(number, len(pages))
        rows = decode(pages[place])
        for row in rows:
            at = int(bytes(row["generated_timestamp"])) - begins
            row["id"] = msgspec.Raw(b"%d" % (int(bytes(row["id"])) + turn * highest))
            row["generated_timestamp"] = msgspec.Raw(b"%d" % (begins + (turn * span + at) // times))
        cursor = str(number + 1)
        rest = {
            "after_cursor": cursor,
            "after_url": f"{EXPORT}?cursor={cursor}",
            "end_of_stream": number + 1 == times * len(pages),
        }
        return msgspec.json.encode({"tickets": rows, **rest})

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path.removesuffix(".json") != EXPORT:
                self.pass_on(None)
                return
            cursor = dict(part.split("=") for part in query.split("&")).get("cursor", "0")
            self.reply(200, gzip.compress(page_at(int(cursor)), 1), {**headers, "Content-Encoding": "gzip"})

        def do_POST(self) -> None:
            self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def pass_on(self, body: bytes | None) -> None:
            request = urllib.request.Request(url + self.path, body, method=self.command)
            for name in ("Authorization", "Content-Type"):
                if name in self.headers:
                    request.add_header(name, self.headers[name])
            with urllib.request.urlopen(request) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
                self.reply(answer.status, answer.read(), kept)

        def reply(self, status: int, body: bytes, kept: dict[str, str]) -> None:
            self.send_response_only(status)
            for name, value in kept.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
