"""Runs the simulator in its own process."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import Any

from zendesk_support.simulator.account import PLANS
from zendesk_support.simulator.families import FAMILIES
from zendesk_support.simulator.simulator import Simulator


def main(argv: list[str] | None = None) -> int:
    """Serve until interrupted; prints one line when ready."""
    parser = _parser()
    options = vars(parser.parse_args(argv))
    without = tuple(options.pop("without").replace(",", " ").split())
    known = [family.name for family in FAMILIES]
    if unknown := sorted(set(without) - set(known)):
        parser.error(f"--without: unknown family {unknown[0]!r}; the families are {', '.join(known)}")
    simulator = Simulator(
        options.pop("seed"),
        options.pop("tickets"),
        limits=_pairs(options.pop("limit")),
        gates=_pairs(options.pop("gate")),
        latency=_latency(options.pop("latency")),
        without=without,
        **_pairs(options.pop("size")),
        **options,
    )
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    simulator.on_shutdown(lambda: threading.Timer(0.2, ended.set).start())
    with simulator:
        print(f"simulator ready at {simulator.base_url}", flush=True)
        while not ended.wait(0.5):
            pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m zendesk_support.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tickets", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", choices=PLANS, default="enterprise")
    parser.add_argument("--clock-scale", type=float, default=1.0)
    parser.add_argument("--window", choices=("fixed", "sliding"), default="fixed")
    parser.add_argument("--auth", choices=("strict", "any"), default="strict")
    parser.add_argument("--latency", default="0", help='account seconds, or by class: "incremental=1.4,list=0.1"')
    parser.add_argument("--now", type=float, help="account time at the start, unix seconds")
    parser.add_argument("--role", choices=("admin", "agent"), default="admin")
    parser.add_argument("--header-style", choices=("new", "old", "none"), default="new")
    parser.add_argument("--token-lifetime", type=int, default=1800)
    parser.add_argument(
        "--warm",
        nargs="?",
        const=True,
        default=False,
        metavar="EXPORTS",
        help="make the pages of the ticket export, or of these exports, first",
    )
    parser.add_argument("--chat-login", choices=("any", "own"), default="any")
    parser.add_argument("--chat-host", action="store_true", help="have Chat on a host of its own, too")
    parser.add_argument("--limit", action="append", default=[], metavar="BUCKET=N")
    parser.add_argument("--gate", action="append", default=[], metavar="STREAM=STATUS")
    parser.add_argument("--without", default="", metavar="FAMILY,...", help="families of streams to leave out")
    parser.add_argument("--size", action="append", default=[], metavar="STREAM=N")
    return parser


def _latency(text: str) -> float | dict[str, float]:
    if "=" not in text:
        return float(text)
    return {name: float(value) for name, value in (part.split("=") for part in text.split(","))}


def _pairs(texts: list[str]) -> dict[str, Any]:
    return {name: int(value) for name, _, value in (text.partition("=") for text in texts)}


if __name__ == "__main__":
    sys.exit(main())
