"""Measures DuckDB's merge alone, in variants: python benchmarks/merges.py

The rows are a simulated account's tickets, in the tables that our readers make of them. Each variant loads them in a
process of its own with dlt into a new DuckDB file, and then half of them again; what is measured is dlt's load step, in
which DuckDB copies a parquet file into the staging table and merges that into the table.

A chunk is one load package, such as a checkpoint makes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compare import account, measure, median
from tickets import RESULTS, beginning, finish

ROWS = 1000


@dataclass(frozen=True)
class Variant:
    """How the rows get into the table.

    Attributes:
        title: for the table.
        strategy: dlt's; None appends.
        deduplicated: whether dlt is told that no key comes twice.
        chunk: rows a load package; 0 for all in one.
        memory: DuckDB's limit.
        threads: DuckDB's.
    """

    title: str
    strategy: str | None = "delete-insert"
    deduplicated: bool = False
    chunk: int = 0
    memory: str = "192MB"
    threads: int = 1


VARIANTS = (
    Variant("delete-insert, as shipped"),
    Variant("deduplicated", deduplicated=True),
    Variant("upsert (MERGE)", "upsert"),
    Variant("append, as a floor", None),
    Variant("chunks of 10,000", chunk=10_000),
    Variant("chunks of 25,000", chunk=25_000),
    Variant("128 MB", memory="128MB"),
    Variant("256 MB, 1 thread", memory="256MB"),
    Variant("256 MB, 2 threads", memory="256MB", threads=2),
    Variant("1 GB, 2 threads", memory="1GB", threads=2),
    Variant("1 GB, 4 threads", memory="1GB", threads=4),
)
FIGURES = ("first_cpu_us", "first_seconds", "again_cpu_us", "again_seconds", "peak_mb", "file_mb")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000, metavar="N", help="tickets (50000)")
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="measured runs (1)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("job", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(load(json.loads(options.job.read_text()))))
        return 0
    report = {**beginning(), "rows": options.rows, "variants": []}
    found: dict[str, list[dict[str, Any]]] = {variant.title: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory(prefix="zendesk-benchmark-") as folder, account("tickets", options.rows) as job:
        made = measure([sys.executable, __file__], {**job, "arrow": folder, "make": True})
        report["rows"] = made["rows"]
        for turn in range(options.runs + 1):
            # The warm-up only fills the disk cache.
            for variant in VARIANTS[: None if turn else 1]:
                figures = tried({"arrow": folder, "variant": asdict(variant)})
                if turn:
                    found[variant.title].append(figures)
                    print(variant.title.ljust(36), {name: figures.get(name) for name in FIGURES}, flush=True)
    report["variants"] = [
        {**asdict(variant), "median": None if {} in runs else median(runs), "runs": runs}
        for variant in VARIANTS
        if (runs := found[variant.title])
    ]
    finish(report, options.results, "merges")
    return 0


def tried(job: dict[str, Any]) -> dict[str, Any]:
    """What a variant took; nothing if DuckDB's memory did not suffice."""
    try:
        return measure([sys.executable, __file__], job)
    except SystemExit as error:
        if "Out of Memory Error" not in str(error):
            raise
        return {}


def load(job: dict[str, Any]) -> dict[str, Any]:
    """Make the tables, or load them."""
    return make(job) if job.get("make") else run(Path(job["arrow"]), Variant(**job["variant"]), Path(job["folder"]))


def make(job: dict[str, Any]) -> dict[str, Any]:
    """Keep the account's tickets as files of Arrow."""
    import pyarrow as pa
    from contestants import bodies

    from zendesk_support.records.arrow import Converter
    from zendesk_support.records.json_rows import page_decoder
    from zendesk_support.streams import CATALOGUE

    stream = CATALOGUE["tickets"]
    converter = Converter(stream.columns, None, stream.key, stream.dropped)
    decode, count = page_decoder("tickets"), 0
    for number, body in enumerate(bodies(job)):
        table = converter.table(decode(body).rows)
        count += len(table)
        with pa.OSFile(f"{job['arrow']}/{number:06}.arrow", "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table)
    return {"rows": count}


def run(folder: Path, variant: Variant, place: Path) -> dict[str, Any]:
    """Load the tables into a new file, then every second of them again."""
    import dlt
    import pyarrow as pa
    from contestants import peak_mb
    from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

    from zendesk_support.running.runner import set_defaults
    from zendesk_support.streams import CATALOGUE

    stream = CATALOGUE["tickets"]
    set_defaults()
    files = sorted(folder.glob("*.arrow"))
    hints: Any = {name: {"name": name, "data_type": kind} for name, kind in stream.columns.items()}
    if variant.strategy == "delete-insert" and not variant.deduplicated:
        hints[stream.version]["dedup_sort"] = "desc"
    merge: Any = {"disposition": "merge", "strategy": variant.strategy}
    if variant.deduplicated:
        merge["deduplicated"] = True

    def pages(chosen: list[Path]) -> Any:
        @dlt.resource(
            name="tickets",
            primary_key=stream.key,
            columns=hints,
            write_disposition=merge if variant.strategy else "append",
            file_format="parquet",
        )
        def rows() -> Any:
            for path in chosen:
                with pa.OSFile(str(path)) as file:
                    yield pa.ipc.open_file(file).read_all()

        return rows

    credentials = DuckDbCredentials(str(place / "merge.duckdb"))
    credentials.global_config = {
        "memory_limit": variant.memory,
        "threads": variant.threads,
        "preserve_insertion_order": False,
    }
    destination = dlt.destinations.duckdb(credentials, max_parallel_load_jobs=2)
    pipeline = dlt.pipeline("merges", destination=destination, dataset_name="loaded")

    def measured(chosen: list[Path]) -> tuple[float, float]:
        step = max(1, variant.chunk // ROWS) if variant.chunk else len(chosen)
        cpu = wall = 0.0
        for start in range(0, len(chosen), step):
            pipeline.extract(pages(chosen[start : start + step])())
            pipeline.normalize()
            before = time.process_time(), time.monotonic()
            pipeline.load()
            cpu += time.process_time() - before[0]
            wall += time.monotonic() - before[1]
        return cpu, wall

    first, again = measured(files), measured(files[::2])
    with pipeline.sql_client() as client:
        [(rows,)] = client.execute_sql("SELECT count(*) FROM tickets")
    loaded, repeated = len(files) * ROWS, len(files[::2]) * ROWS
    return {
        "rows": rows,
        "first_cpu_us": round(first[0] / loaded * 1e6, 1),
        "first_seconds": round(first[1], 2),
        "again_cpu_us": round(again[0] / repeated * 1e6, 1),
        "again_seconds": round(again[1], 2),
        "peak_mb": peak_mb(),
        "file_mb": round((place / "merge.duckdb").stat().st_size / 2**20, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
