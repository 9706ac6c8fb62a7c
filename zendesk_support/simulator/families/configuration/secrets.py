"""What answers carry and nobody should keep."""

from __future__ import annotations

PLANTED = "planted-"
"""Begins every secret that the simulator makes up, so that it can be looked for wherever rows go."""


def planted(thing: str, number: int) -> str:
    """Return a secret of the n-th thing."""
    return f"{PLANTED}{thing}-{number}"
