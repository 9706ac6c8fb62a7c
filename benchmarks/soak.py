"""Kills, faults and changes at random until told to stop, whole tables compared: python benchmarks/soak.py --kills 200

Every sync runs the DuckDB script in a process of its own against a simulated account. Between two comparisons syncs
are killed, answers fail and the account changes, also in the middle of a sync; then faults end, the account is synced
to the end, and every table is compared with what the account holds. The first difference ends it with exit code 1.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

from chaos import FAULTS, MUTATIONS, STAGES, Syncs, is_expected  # noqa: E402

from zendesk_support.simulator import Simulator  # noqa: E402
from zendesk_support.streams import CATALOGUE  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
ROUND = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="go on until N syncs were killed")
    parser.add_argument("--minutes", type=float, default=0, metavar="N", help="go on for N minutes")
    parser.add_argument("--tickets", type=int, default=150, metavar="N", help="size of the account (150)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), metavar="N", help="repeat its choices")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the JSON summary goes")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        Simulator(seed=options.seed % 1000, tickets=options.tickets, clock_scale=600.0) as account,
    ):
        soak = Soak(Syncs(account, Path(folder), RETRY_DEADLINE="60"), random.Random(options.seed))
        began = time.monotonic()
        lost = None
        while soak.done["kills"] < options.kills or time.monotonic() - began < options.minutes * 60:
            try:
                soak.round(kill=bool(options.kills))
            except AssertionError as error:
                lost = str(error)
                break
            print(f"{time.monotonic() - began:6.0f} s {dict(soak.done)}", flush=True)
    summary = {
        "command": f"python benchmarks/soak.py {'--kills' if options.kills else '--minutes'} "
        f"{options.kills or f'{options.minutes:g}'}",
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True).strip(),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "seed": options.seed,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "streams": len(CATALOGUE),
        **soak.done,
        "difference": lost,
    }
    options.results.mkdir(exist_ok=True)
    name = "soak-kills.json" if options.kills else "soak-faults.json"
    (options.results / name).write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary, indent=2))
    return 1 if lost else 0


class Soak:
    """What was done so far, and what comes next."""

    def __init__(self, syncs: Syncs, chance: random.Random) -> None:
        self.syncs = syncs
        self.chance = chance
        self.done: Counter[str] = Counter(kills=0, syncs=0, faults=0, mutations=0, comparisons=0, rows_compared=0)

    def round(self, kill: bool) -> None:
        """Some trouble, then the comparison."""
        for _ in range(ROUND):
            self.trouble()
            if kill or self.chance.random() < 0.2:
                self.sync_killed()
            else:
                self.sync()
        self.compare()

    def trouble(self) -> None:
        """Change the account, now or in the middle of the next sync, and let answers fail."""
        account, chance = self.syncs.account, self.chance
        for _ in range(chance.randint(0, 3)):
            kind, parameters = chance.choice(MUTATIONS)
            if chance.random() < 0.5:
                account.mutate(kind, **parameters)
            else:
                account.on_request(chance.randint(1, 150), kind, **parameters)
            self.done["mutations"] += 1
        for _ in range(chance.randint(0, 2)):
            kind, details = chance.choice(FAULTS)
            timing: dict[str, Any] = {"nth": chance.randint(1, 150), "times": chance.choice((1, 1, 2, 5))}
            account.fault(kind, **{**timing, **details})
            self.done["faults"] += 1

    def sync(self) -> None:
        """A sync, which may fail but must say so."""
        self.ended(*self.syncs.run())

    def sync_killed(self) -> None:
        """A sync that is killed at some moment, unless it is quicker."""
        self.ended(*self.syncs.stop(self.syncs.moment(self.chance.choice(STAGES), self.chance)))

    def ended(self, code: int, printed: str) -> None:
        """Count a sync; it was killed, or said what it did."""
        self.done["syncs"] += 1
        self.done["kills"] += code == -9
        assert is_expected(code, printed), f"exit {code}:\n{printed}"
        assert "Traceback" not in printed, printed

    def compare(self) -> None:
        """Sync to the end and compare every table with the account."""
        self.syncs.account.clear_faults()
        self.syncs.complete()
        self.syncs.complete()
        self.syncs.assert_whole()
        self.done["syncs"] += 2
        self.done["comparisons"] += 1
        self.done["rows_compared"] += sum(len(self.syncs.account.truth(name)) for name in CATALOGUE)


if __name__ == "__main__":
    raise SystemExit(main())
