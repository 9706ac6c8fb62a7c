"""The messages that docs/faults.md promises."""

from __future__ import annotations

import re

from repository import ROOT

PATH = ROOT / "docs" / "faults.md"


def faults() -> dict[str, str]:
    """What the user sees, by fault."""
    rows = [line.strip("| \n").split(" | ") for line in PATH.read_text().splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1] for cells in rows if len(cells) == 4 and cells[0] != "fault"}


def quotes(fault: str) -> list[str]:
    """The quoted messages of a fault."""
    return [quote.replace("``", "`") for quote in re.findall(r"`((?:[^`]|``)+)`", faults()[fault])]


def says(fault: str, message: str | None) -> bool:
    """Whether a message reads as documented: … stands for any text."""
    told = " ".join(str(message).split())
    patterns = (".*".join(map(re.escape, quote.split("…"))) for quote in quotes(fault))
    return any(re.fullmatch(pattern, told) for pattern in patterns)
