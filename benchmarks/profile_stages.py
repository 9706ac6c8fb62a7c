"""Measures where the CPU time of loading tickets into DuckDB goes: python benchmarks/profile_stages.py

Each stage is a function, timed where it runs. Stages of reading run in threads of their own, each timed by its thread's
clock and without the stages within it; steps of loading are timed by the process's clock, as DuckDB has threads of its
own. What none of them has is start-up (the imports) or the rest: dlt's bookkeeping, the waiting, the timing itself.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from compare import account, environments, interpreter_of, measure, median
from contestants import CONTESTANTS
from tickets import RESULTS, beginning, finish

STAGES = {
    "start-up": "imports",
    "download": "HTTP, compressed bytes",
    "inflate": "gzip",
    "split": "rows and values of a page, nested ones left as they are",
    "pick": "digests, positions, keys",
    "columns": "Arrow tables with types",
    "parquet": "dlt's writer",
    "staging": "DuckDB reads parquet into its staging table",
    "merge": "DuckDB deletes and inserts by key",
    "rest": "dlt, threads, checkpoints of the file",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000, metavar="N", help="tickets (50000)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="measured runs (3)")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    parser.add_argument("job", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(profiled(json.loads(options.job.read_text()))))
        return 0
    report = {**beginning(), "stages": STAGES}
    python = interpreter_of(CONTESTANTS["ours"], environments())
    with account("tickets", options.rows) as job:
        runs = [measure([python, __file__], job) for _ in range(options.runs + 1)][1:]
    for run in runs:
        stages = {name: round(spent / run["rows"] * 1e6, 2) for name, spent in run.pop("stages").items()}
        run |= {**stages, "rest": round(run["cpu_us_per_row"] - sum(stages.values()), 2)}
    report |= {"rows": job["rows"], "median": median(runs), "runs": runs}
    for name, note in STAGES.items():
        print(f"{name:10}{report['median'][name]:8.1f} µs/row  {note}")
    finish(report, options.results, "stages")
    return 0


class Stopwatch:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._local = threading.local()
        self._lock = threading.Lock()

    def time(self, stage: str, owner: Any, name: str, clock: Callable[[], float] = time.thread_time) -> None:
        """Count the calls of a function or method to a stage, without the stages within them."""
        function = getattr(owner, name)

        def timed(*args: Any, **options: Any) -> Any:
            stack: list[float] = self._local.__dict__.setdefault("stack", [])
            stack.append(0.0)
            began = clock()
            try:
                return function(*args, **options)
            finally:
                spent = clock() - began
                within = stack.pop()
                if stack:
                    stack[-1] += spent
                with self._lock:
                    self.seconds[stage] += spent - within

        setattr(owner, name, timed)


def profiled(job: dict[str, Any]) -> dict[str, Any]:
    """Load the tickets as the command line does, timed."""
    from contestants import ours, peak_mb
    from dlt.common.data_writers.writers import ArrowToParquetWriter
    from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
    from dlt.destinations.job_client_impl import SqlLoadJob
    from urllib3.response import GzipDecoder

    from zendesk_support.api.sender import Sender
    from zendesk_support.loading.subscription import Subscription
    from zendesk_support.reading import exports
    from zendesk_support.records.arrow import Converter

    watch = Stopwatch()
    watch.seconds["start-up"] = time.process_time()
    watch.time("download", Sender, "send")
    watch.time("inflate", GzipDecoder, "decompress")
    watch.time("inflate", GzipDecoder, "flush")
    watch.time("pick", Subscription, "accept")
    watch.time("columns", Converter, "table")
    watch.time("parquet", ArrowToParquetWriter, "write_data")
    watch.time("staging", DuckDbCopyJob, "run", time.process_time)
    watch.time("merge", SqlLoadJob, "run", time.process_time)
    decoder = exports.page_decoder

    def timed_decoder(*args: Any) -> Callable[[bytes], Any]:
        holder = argparse.Namespace(decode=decoder(*args))
        watch.time("split", holder, "decode")
        decode: Callable[[bytes], Any] = holder.decode
        return decode

    exports.page_decoder = timed_decoder
    return {"rows": ours(job), "stages": dict(watch.seconds), "peak_mb": peak_mb()}


if __name__ == "__main__":
    sys.exit(main())
