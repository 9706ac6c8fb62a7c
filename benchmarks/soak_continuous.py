"""A day of a process that keeps syncing, in an account that changes and fails: python benchmarks/soak_continuous.py

The DuckDB script runs with `--every 1m` against a simulated account in a process of its own, whose clock runs faster
than real time. Rows of all kinds change at random moments, answers fail. In the first part of the time the process is
killed at random, or ended by SIGTERM, and started again at once, as a supervisor does it; after that one process goes
on to the end. After each part faults end, and whole tables are compared with what the account holds. Memory, threads,
open files and the files of dlt are looked at all along; the report has them for each hour of the account's clock. The
first difference, or a process that ends by itself, ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

from tickets import RESULTS, ROOT, beginning, finish, simulator

sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from chaos import BROKEN, MUTATIONS, SCRIPT
from support import assert_whole, environment_of

from zendesk_support.simulator.remote import RemoteSimulator
from zendesk_support.streams import CATALOGUE

TICK = 0.1
PATIENCE = 300.0
PASS = re.compile(r"^\d\d:\d\d:\d\d (nothing new|[\d,]+ rows|failed)", re.MULTILINE)
FIGURES = ("rss_mb", "threads", "open_files", "dlt_files", "dlt_mb", "database_mb")
FAULTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("status", {"status": 500}),
    ("status", {"status": 502}),
    ("status", {"status": 503, "retry_after": "20"}),
    ("status", {"status": 400, "route": "incremental_*"}),
    ("status_429", {"retry_after": "5"}),
    ("status_429", {"retry_after": "60"}),
    ("status_429", {"retry_after": "missing"}),
    ("status_429", {"retry_after": "date", "seconds": 30}),
    ("slow", {"delay": 20}),
    ("slow", {"delay": 90, "route": "incremental_*"}),
    *BROKEN,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24, metavar="N", help="of the account's clock, in all (24)")
    parser.add_argument("--rough", type=float, default=8, metavar="N", help="the first N of them with kills (8)")
    parser.add_argument("--scale", type=float, default=40, metavar="N", help="account seconds in a real one (40)")
    parser.add_argument("--tickets", type=int, default=150, metavar="N", help="size of the account (150)")
    parser.add_argument("--changes", type=float, default=15, metavar="N", help="in an hour (15)")
    parser.add_argument("--faults", type=float, default=10, metavar="N", help="in an hour (10)")
    parser.add_argument("--kills", type=float, default=3, metavar="N", help="in an hour (3); one SIGTERM for three")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), metavar="N", help="repeat its choices")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON report goes")
    options = parser.parse_args()
    report: dict[str, Any] = {**beginning(), "seed": options.seed, "hours": options.hours, "scale": options.scale}
    print(f"seed: {options.seed}", flush=True)
    account = ("--seed", options.seed % 1000, "--tickets", options.tickets, "--clock-scale", options.scale)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, simulator(*account) as url:
        soak = Soak(RemoteSimulator(url), Path(folder), options)
        lost = None
        try:
            soak.part("rough", options.rough, options.kills)
            soak.part("quiet", options.hours - options.rough, 0)
        except AssertionError as error:
            lost = str(error)
        finally:
            soak.kill()
    report |= {"streams": len(CATALOGUE), **soak.done, "hours_of": soak.hours, "difference": lost}
    finish(report, options.results, "keeping-soak")
    print(json.dumps({**soak.done, "difference": lost}, indent=2))
    return 1 if lost else 0


class Soak:
    """The process, what is done to it, and what was seen of it."""

    def __init__(self, account: RemoteSimulator, folder: Path, options: argparse.Namespace) -> None:
        self.done: Counter[str] = Counter(
            dict.fromkeys("passes kills terms changes faults comparisons rows_compared cpu_seconds".split(), 0)
        )
        self.hours: list[dict[str, Any]] = []
        self._account, self._folder, self._options = account, folder, options
        self._chance = random.Random(options.seed)
        self._process: subprocess.Popen[bytes] | None = None
        self._output, self._status = folder / "output", folder / "status.json"
        self._looked: dict[str, float] = {}

    def part(self, name: str, hours: float, kills: float) -> None:
        """Some hours of trouble, then the comparison."""
        if not hours:
            return
        begun = len(self.hours)
        self._start()
        for number in range(round(hours)):
            self.hours.append({"hour": begun + number + 1, "part": name})
            self._hour(self.hours[-1], kills)
            print(self.hours[-1], flush=True)
        self._end(signal.SIGTERM)
        self._compare()

    def _hour(self, seen: dict[str, Any], kills: float) -> None:
        """An hour of the account's clock, with changes, faults and signals at random moments."""
        rates = {
            self._change: self._options.changes,
            self._fault: self._options.faults,
            self._restart_killed: kills,
            self._restart_ended: kills / 3,
        }
        hour = 3600 / self._options.scale
        begin, passes, cpu = time.monotonic(), self.done["passes"] + self._passes(), self._cpu()
        coming = sorted(
            (
                (self._chance.random() * hour, number, do)
                for do, rate in rates.items()
                for number in range(self._often(rate))
            ),
            key=lambda each: each[:2],
        )
        most: dict[str, float] = {}
        while (now := time.monotonic() - begin) < hour:
            while coming and coming[0][0] <= now:
                coming.pop(0)[2]()
            self._check()
            most = {name: max(value, most.get(name, 0)) for name, value in self._look().items()}
            time.sleep(TICK)
        self._account.reset_requests()
        seen |= {"passes": self.done["passes"] + self._passes() - passes, **most, "at_the_end": self._looked}
        seen["cpu_seconds"] = round(self._cpu() - cpu, 1) if not kills else None

    def _often(self, rate: float) -> int:
        """How many of something there are in an hour that has so many of them on average."""
        return int(rate) + (self._chance.random() < rate % 1)

    def _change(self) -> None:
        kind, parameters = self._chance.choice(MUTATIONS)
        self._account.mutate(kind, **parameters, at_once=True)
        self.done["changes"] += 1

    def _fault(self) -> None:
        kind, details = self._chance.choice(FAULTS)
        # Tokens that end again and again are no fault but credentials that are refused, which end the process.
        times = 1 if kind == "expire_token" else self._chance.choice((1, 1, 2, 5))
        timing: dict[str, Any] = {"nth": self._chance.randint(1, 20), "times": times}
        self._account.fault(kind, **{**timing, **details})
        self.done["faults"] += 1

    def _restart_killed(self) -> None:
        """Kill it: at once, or while it normalizes or loads."""
        if self._chance.random() < 0.5:
            end = time.monotonic() + 600 / self._options.scale
            stage = self._chance.choice(("normalize/extracted/*", "load/normalized/*"))
            while time.monotonic() < end and not self._is_at(stage):
                time.sleep(0.002)
        self._end(signal.SIGKILL)
        self.done["kills"] += 1
        self._start()

    def _is_at(self, stage: str) -> bool:
        """Whether files of a stage are there now."""
        try:
            return any((self._folder / "dlt" / "pipelines" / "zendesk_support").glob(stage))
        except OSError:  # they are just being moved
            return False

    def _restart_ended(self) -> None:
        self._end(signal.SIGTERM)
        self.done["terms"] += 1
        self._start()

    def _start(self, **settings: str) -> None:
        scale = f"{self._options.scale:g}"
        command = [sys.executable, str(SCRIPT), "--every", "1m", "--verbose", "--status-file", str(self._status)]
        environment = {
            **os.environ,
            "DLT_DATA_DIR": str(self._folder / "dlt"),
            **environment_of(self._account, CLOCK_SCALE=scale, VIEWS="on", **settings),  # type: ignore[arg-type]
        }
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*command, "--streams", *CATALOGUE],
                cwd=self._folder,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Leave no process behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _end(self, number: signal.Signals) -> None:
        """Have it end by a signal, and see that it does so as it must."""
        assert self._process is not None
        self._check()
        cpu = self._cpu()
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE)
        printed = self._output.read_text(errors="replace")
        # Before it has looked for signals, one ends it as any Python.
        assert code in (-number, 128 + number), f"{number.name}: exit {code}:\n{printed}"
        assert "Traceback" not in printed, printed
        self.done["passes"] += self._passes()
        self.done["cpu_seconds"] += round(cpu)
        self._output.write_bytes(b"")

    def _check(self) -> None:
        """It is still at work."""
        assert self._process is not None
        code = self._process.poll()
        assert code is None, f"it ended by itself with {code}:\n{self._output.read_text(errors='replace')}"

    def _passes(self) -> int:
        """How many this process has told of."""
        return len(PASS.findall(self._output.read_text(errors="replace"))) if self._output.exists() else 0

    def _cpu(self) -> float:
        """CPU seconds of this process so far."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _look(self) -> dict[str, float]:
        """What the process has and holds now."""
        assert self._process is not None
        place = Path(f"/proc/{self._process.pid}")
        try:
            status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
            held = len(list((place / "fd").iterdir()))
        except OSError:
            return {}
        paths = (Path(place, name) for place, _, names in os.walk(self._folder / "dlt") for name in names)
        sizes = [size for path in paths if (size := size_of(path)) is not None]
        database = size_of(self._folder / "zendesk.duckdb") or 0
        found = (
            int(status.get("VmRSS", "0 kB").split()[0]) / 1024,
            int(status["Threads"]),
            held,
            len(sizes),
            sum(sizes) / 2**20,
            database / 2**20,
        )
        self._looked = {name: round(value, 1) for name, value in zip(FIGURES, found)}
        return self._looked

    def _compare(self) -> None:
        """Without faults, read each stream twice to its end; then every table must be what the account holds."""
        self._account.clear_faults()
        self._start(**{f"STREAMS__{name.upper()}__EVERY": "1s" for name in CATALOGUE})
        for _ in range(2):
            self._account.advance(180)
            self._wait_for_all(time.time())
        self._end(signal.SIGTERM)
        import dlt

        target = dlt.pipeline(
            "zendesk_support",
            pipelines_dir=str(self._folder / "dlt" / "pipelines"),
            destination=dlt.destinations.duckdb(str(self._folder / "zendesk.duckdb")),
            dataset_name="zendesk_support",
        )
        assert_whole(target, self._account)  # type: ignore[arg-type]
        self.done["comparisons"] += 1
        self.done["rows_compared"] += sum(len(self._account.truth(name)) for name in CATALOGUE)

    def _wait_for_all(self, since: float) -> None:
        """Until each stream was read to its end after a moment."""
        from datetime import datetime

        end, late = time.monotonic() + PATIENCE, set(CATALOGUE)
        while late:
            self._check()
            assert time.monotonic() < end, f"not read to their end: {sorted(late)}"
            time.sleep(TICK)
            told = json.loads(self._status.read_text())
            ended = {name: found["last_success"] for name, found in told["streams"].items() if found["last_success"]}
            late = {
                name for name in late if name not in ended or datetime.fromisoformat(ended[name]).timestamp() < since
            }


def size_of(path: Path) -> int | None:
    """Bytes of a file; None where there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
