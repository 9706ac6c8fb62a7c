"""How often each stream is read: a stream that is not due is left out of a sync, and costs nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from zendesk_support.loading.stream_resource import StreamResource
from zendesk_support.report import Report, StreamReport, now
from zendesk_support.settings import Settings, duration, spelled
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream

COMPLETED = "completed"
"""In a stream's state: when its last pass that came to its end began, Unix seconds by this machine's clock."""
EARLY = 0.05
"""The part of its time that a stream may be early: a job that runs once a day does not begin at the same second."""


def with_defaults(every: Mapping[str, float]) -> dict[str, float]:
    """The cadences that were set, and those of the catalogue for all other streams that have one."""
    catalogue = {name: duration(name, stream.cadence) for name, stream in CATALOGUE.items() if stream.cadence}
    return {**catalogue, **every}


def is_due(every: float, completed: float, at: float, scale: float) -> bool:
    """Whether a stream is to be read again; times are Unix seconds, of a clock of which `scale` seconds pass in one."""
    return not 0 <= (at - completed) * scale < every * (1 - EARLY)


def not_due(
    states: Mapping[str, Mapping[str, Any]],
    streams: Mapping[str, StreamResource],
    every: Mapping[str, float],
    regardless: Collection[str] = (),
) -> dict[str, str]:
    """Streams whose time has not come, and what is to be said of each.

    A stream that failed or was stopped since has come to no end, and is due at once: its mark is taken away.

    Args:
        states: what dlt keeps of each, by the name of the resource.
        streams: by that name, too.
        every: seconds by stream.
        regardless: streams that are due whatever is set.
    """
    found: dict[str, str] = {}
    for name, resource in streams.items():
        seconds, completed = every.get(resource.stream.name), states.get(name, {}).get(COMPLETED)
        if seconds is None or completed is None or not {name, resource.stream.name}.isdisjoint(regardless):
            continue
        if not is_due(seconds, completed, now().timestamp(), resource.account.settings.clock_scale):
            found[name] = f"read every {spelled(seconds)}"
    return found


def tell(report: Report, waiting: Mapping[str, str], account: str) -> None:
    """Put streams that are not due into a report."""
    for name, why in waiting.items():
        report.streams[name] = StreamReport(name, finished_at=now(), status="not due", message=why, account=account)


def shown_cadence(stream: Stream, settings: Settings) -> str:
    """How often a stream is read, for people: as it is set, or by default in a process that keeps syncing."""
    set_to = settings.every.get(stream.name)
    return spelled(set_to) if set_to is not None else f"({stream.cadence})" if stream.cadence else ""
