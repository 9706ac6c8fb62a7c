#!python
"""Says whether a process that keeps syncing is well, by its status file: exit code 0, or 1.

Installed as `zendesk-healthy`. It imports nothing of the package, as containers run it every minute.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

GRACE = 10.0
"""Minutes that a pass may be late."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line, and return 0 where all is well."""
    parser = argparse.ArgumentParser(prog="zendesk-healthy", description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, metavar="FILE", help="what --status-file names")
    parser.add_argument(
        "--within",
        type=float,
        metavar="MINUTES",
        help="a pass must have ended since, and its rows have been loaded (10 more than --every has)",
    )
    options = parser.parse_args(arguments)
    try:
        told = json.loads(options.file.read_text())
        wrong = why_not(told, options.within, datetime.now(timezone.utc))
    except (OSError, ValueError, LookupError, TypeError) as error:
        wrong = f"{options.file} cannot be read: {error}"
    print(f"not well: {wrong}" if wrong else "well")
    return 1 if wrong else 0


def why_not(told: dict[str, Any], within: float | None, at: datetime) -> str | None:
    """What is wrong with a process that tells this of itself; None where nothing is."""
    minutes = within if within is not None else told["every"] / 60 + GRACE
    if told["pass"] is None:
        return "no pass has ended"
    if (ago := minutes_since(told["pass"]["ended"], at)) > minutes:
        return f"the last pass ended {ago:.0f} minutes ago"
    loaded = [stream["last_success"] for stream in told["streams"].values() if stream["last_success"]]
    if told["pass"]["error"] and all(minutes_since(time, at) > minutes for time in loaded):
        return f"nothing was loaded for {minutes:.0f} minutes: {told['pass']['error']}"
    return None


def minutes_since(time: str, at: datetime) -> float:
    """How long ago a time is."""
    return (at - datetime.fromisoformat(time)).total_seconds() / 60


if __name__ == "__main__":
    sys.exit(main())
