"""What benchmarks/compare.py measures, one function each; run as contestants.py NAME JOB by the contestant's Python.

A job has the account's `url` and `credentials`, the `stream`, its `pages` and column `types`, and a `folder` for files.
Each function returns how many rows it had; the process then prints them, its peak memory and its packages' versions.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import math
import os
import resource
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Job = dict[str, Any]
STREAMS = ("tickets", "users", "ticket_events")
START = "2000-01-01"
MAX_PAGE = 256 * 1024 * 1024
MIB = 2**20


@dataclass(frozen=True)
class Contestant:
    """One way to read or load a stream.

    Attributes:
        title: as tables and pictures name it.
        does: what it gets done.
        run: does it.
        packages: whose versions count.
        client: key of the peer's environment in tests/foreign; None for ours.
        streams: that it has.
        share: of the rows that are asked for, where all of them would take too long.
    """

    title: str
    does: str
    run: Callable[[Job], int]
    packages: tuple[str, ...]
    client: str | None = None
    streams: tuple[str, ...] = STREAMS
    share: float = 1.0


def ours(job: Job) -> int:
    """Load into a new DuckDB file with merge, as the command line does."""
    from zendesk_support.command.destinations import WAREHOUSES
    from zendesk_support.command.options import make_parser
    from zendesk_support.command.runs import make_source
    from zendesk_support.running.runner import sync

    options = make_parser(WAREHOUSES["duckdb"]).parse_args(["--start-date", START, "--streams", job["stream"]])
    options.database = Path(job["folder"]) / "ours.duckdb"
    pipeline = WAREHOUSES["duckdb"].pipeline(options)
    known = {name: job["credentials"][name] for name in ("client_id", "client_secret")}
    source = make_source(options, base_url=job["url"], credentials=known)
    report = sync(pipeline, source).streams[job["stream"]]
    if report.status != "loaded":
        raise RuntimeError(report.message)
    return report.rows


def airbyte(job: Job) -> int:
    """Read with Airbyte's source; its messages are counted, not written."""
    import drive_airbyte

    told = {"client": "airbyte", "only": [job["stream"]], "result": str(Path(job["folder"]) / "result")}
    result = drive_airbyte.main({**job, **told}, keep=lambda row: None)
    if result["errors"]:
        raise RuntimeError(str(result["errors"])[-2000:])
    return len(result["reads"][job["stream"]]["rows"])


class Records(io.StringIO):
    """Counts a tap's records, and forgets them."""

    count = 0

    def write(self, text: str) -> int:
        self.count += text.startswith('{"type": "RECORD"')
        return len(text)


def tap_zendesk(job: Job) -> int:
    """Read with the tap, which writes its records as JSON, and not wait as it does after each 450 tickets."""
    import drive_tap_zendesk
    import tap_zendesk.streams

    tap_zendesk.streams.AUDITS_REQUEST_PER_MINUTE = math.inf
    records = Records()
    if errors := drive_tap_zendesk.sync({**job, "only": [job["stream"]]}, records):
        raise RuntimeError(str(errors)[-2000:])
    return records.count


def zenpy(job: Job) -> int:
    """Read with zenpy into its objects."""
    import drive_zenpy

    reads = drive_zenpy.reads(drive_zenpy.connect(job))
    labels = {"tickets": "tickets by cursor", "users": "users by cursor", "ticket_events": "ticket events"}
    _, read = reads[labels[job["stream"]]]
    return sum(1 for _ in read())


def dlt_rows(job: Job, nesting: int | None, file_format: Any) -> int:
    """Load lists of dictionaries with dlt's own means into a new DuckDB file with merge."""
    import dlt
    from dlt.sources.helpers import requests

    name = job["stream"]
    count = 0

    @dlt.resource(name=name, primary_key="id", write_disposition="merge", max_table_nesting=nesting)
    def rows() -> Iterator[Any]:
        nonlocal count
        headers = {"Authorization": f"Bearer {job['credentials']['access_token']}"}
        address, ended = job["pages"][0], False
        while not ended:
            page = requests.get(address, headers=headers).json()
            count += len(page[name])
            yield page[name]
            address, ended = page.get("after_url") or page["next_page"], page["end_of_stream"]

    database = str(Path(job["folder"]) / "rows.duckdb")
    pipeline = dlt.pipeline("rows", destination=dlt.destinations.duckdb(database), dataset_name="loaded")
    pipeline.run(rows(), loader_file_format=file_format)
    return count


def dlt_usual(job: Job) -> int:
    """dlt without a setting."""
    return dlt_rows(job, None, None)


def dlt_flat(job: Job) -> int:
    """dlt with nested values as JSON, by way of parquet."""
    return dlt_rows(job, 0, "parquet")


def bodies(job: Job, inflated: bool = True) -> Iterator[bytes]:
    """The answers of a stream, one after the other."""
    import urllib3

    headers = {"Authorization": f"Bearer {job['credentials']['access_token']}", "Accept-Encoding": "gzip"}
    pool = urllib3.PoolManager()
    for address in job["pages"]:
        answer = pool.request("GET", address, headers=headers, decode_content=inflated)
        if answer.status != 200:
            raise RuntimeError(f"{address}: {answer.status}")
        yield answer.data


def read_bytes(job: Job) -> int:
    """Download, and leave the answers compressed."""
    for _ in bodies(job, inflated=False):
        pass
    return int(job["rows"])


def parsed(job: Job, parse: Callable[[bytes], Any]) -> int:
    """Download, inflate and parse into Python's own values."""
    return sum(len(parse(body)[job["stream"]]) for body in bodies(job))


def msgspec_parse(job: Job) -> int:
    """Parse with msgspec."""
    import msgspec

    return parsed(job, msgspec.json.Decoder().decode)


def orjson_parse(job: Job) -> int:
    """Parse with orjson."""
    import orjson

    return parsed(job, orjson.loads)


def duckdb_reads(job: Job, columns: str) -> int:
    """Download to disk, then have DuckDB read the JSON into a table of a new file."""
    import duckdb

    folder = Path(job["folder"])
    for number, body in enumerate(bodies(job, inflated=False)):
        (folder / f"{number:06}.json.gz").write_bytes(body)
    with duckdb.connect(str(folder / "read.duckdb")) as connection:
        key = job["stream"]
        read = f"read_json('{folder}/*.json.gz', maximum_object_size={MAX_PAGE}{columns})"
        connection.execute(f"CREATE TABLE loaded AS SELECT unnest(row) FROM (SELECT unnest({key}) AS row FROM {read})")
        connection.execute("CHECKPOINT")
        return int(connection.execute("SELECT count(*) FROM loaded").fetchall()[0][0])


def duckdb_guessed(job: Job) -> int:
    """DuckDB finds the types itself."""
    return duckdb_reads(job, "")


def duckdb_typed(job: Job) -> int:
    """DuckDB is told the types that our table has."""
    types = {"text": "VARCHAR", "timestamp": "TIMESTAMPTZ", "bool": "BOOLEAN"}
    declared = job["types"]
    fields = ", ".join(f'"{name}" {types.get(kind, kind)}' for name, kind in declared.items() if name[0] != "_")
    return duckdb_reads(job, f", columns={{{job['stream']}: 'STRUCT({fields})[]'}}")


SMALL = 0.2
"""The peers need minutes for what takes others seconds."""
OURS = ("dlt", "duckdb", "pyarrow", "msgspec")
CONTESTANTS = {
    "ours": Contestant("this package", "into DuckDB, merged", ours, OURS),
    "ours_small": Contestant("this package, smaller account", "into DuckDB, merged", ours, OURS, share=SMALL),
    "airbyte": Contestant(
        "Airbyte",
        "extract only",
        airbyte,
        ("airbyte-source-zendesk-support", "airbyte-cdk"),
        "airbyte",
        ("tickets", "users"),
        SMALL,
    ),
    "tap_zendesk": Contestant(
        "tap-zendesk", "extract only", tap_zendesk, ("tap-zendesk",), "tap_zendesk", ("tickets", "users"), SMALL
    ),
    "zenpy": Contestant("zenpy", "parse only", zenpy, ("zenpy",), "zenpy", share=SMALL),
    "dlt_usual": Contestant("dlt, rows as dicts", "into DuckDB, merged", dlt_usual, ("dlt", "duckdb"), share=0.02),
    "dlt_flat": Contestant(
        "dlt, rows as dicts, no child tables, parquet", "into DuckDB, merged", dlt_flat, ("dlt", "duckdb"), share=SMALL
    ),
    "read_bytes": Contestant("bytes read", "floor", read_bytes, ("urllib3",)),
    "msgspec_parse": Contestant("msgspec", "floor: read and parse", msgspec_parse, ("urllib3", "msgspec")),
    "orjson_parse": Contestant("orjson", "floor: read and parse", orjson_parse, ("urllib3", "orjson")),
    "duckdb_guessed": Contestant("DuckDB read_json", "floor: into DuckDB", duckdb_guessed, ("duckdb",)),
    "duckdb_typed": Contestant("DuckDB read_json, types given", "floor: into DuckDB", duckdb_typed, ("duckdb",)),
}


def peak_mb() -> float:
    """Most memory this process had at a time, in MiB."""
    try:
        # Unlike getrusage's, not inherited from the process that started this one.
        status = Path("/proc/self/status").read_text()
        kilobytes = int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError):
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes * 1024 / MIB, 1)


def main(name: str, job: Job) -> None:
    contestant = CONTESTANTS[name]
    if contestant.client:
        sys.path.insert(0, str(ROOT / "tests" / "foreign"))
    rows = contestant.run(job)
    versions = {package: importlib.metadata.version(package) for package in contestant.packages}
    print(json.dumps({"rows": rows, "peak_mb": peak_mb(), "versions": versions}), flush=True)
    if contestant.client:
        # Threads of the client's that wait for more work would keep the process.
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))
