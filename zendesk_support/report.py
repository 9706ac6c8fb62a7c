"""What a run did, stream by stream: the `sync_report` table."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

import pyarrow as pa

TABLE = "sync_report"
Status = Literal["loaded", "unavailable", "stopped", "failed", "not due"]

COLUMNS: dict[str, tuple[str, str]] = {
    "stream": ("text", "the stream"),
    "started_at": ("timestamp", "UTC"),
    "finished_at": ("timestamp", "UTC; reading ended, loading may have taken longer"),
    "rows": ("bigint", "rows handed to the destination, deletions included"),
    "requests": ("bigint", "requests sent; those of a shared pass count for its first stream"),
    "seconds_waited": ("double", "seconds spent waiting for quota and retries"),
    "status": ("text", "loaded, unavailable (plan or role), stopped (by a signal or max_minutes), or failed"),
    "message": ("text", "why it was not loaded, or what was left out or came otherwise than Zendesk promises"),
    "cursor": ("text", "position after the run, UTC; empty where every sync reads the whole list"),
    "asked_at": ("timestamp", "Zendesk's time at the first answer, UTC"),
    "table_keys": ("text", "lists only: number and digest of the keys that the table then has"),
    "complete_since": (
        "timestamp",
        "UTC; while older rows are still to be read: all from here to `cursor` is loaded",
    ),
    "account": ("text", "the account's host, or `same_account_as`"),
}

_ARROW = pa.schema(
    [
        ("stream", pa.string()),
        ("started_at", pa.timestamp("us", "UTC")),
        ("finished_at", pa.timestamp("us", "UTC")),
        ("rows", pa.int64()),
        ("requests", pa.int64()),
        ("seconds_waited", pa.float64()),
        ("status", pa.string()),
        ("message", pa.string()),
        ("cursor", pa.string()),
        ("asked_at", pa.timestamp("us", "UTC")),
        ("table_keys", pa.string()),
        ("complete_since", pa.timestamp("us", "UTC")),
        ("account", pa.string()),
    ]
)


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(timezone.utc)


@dataclass
class StreamReport:
    """One stream's part of a run."""

    stream: str
    started_at: datetime = field(default_factory=now)
    finished_at: datetime | None = None
    rows: int = 0
    requests: int = 0
    seconds_waited: float = 0.0
    status: Status = "loaded"
    message: str | None = None
    cursor: str | None = None
    asked_at: datetime | None = None
    table_keys: str | None = None
    complete_since: datetime | None = None
    account: str | None = None
    error: Exception | None = None
    of_every_plan: bool = False
    largest: tuple[int, str] | None = None
    """Size in bytes of the largest value of large pages, and where it stands."""

    def row(self) -> pa.Table:
        """The report as a row of the `sync_report` table."""
        values: dict[str, Any] = {name: [getattr(self, name)] for name in _ARROW.names}
        return pa.table(values, schema=_ARROW)


@dataclass
class Reports:
    """How the streams of a run have ended, until the resource of the reports loads it.

    Attributes:
        ended: the resources that yield no more.
        rows: the reports of those that came to their end.
        turns: how often the resources were asked for a page.
    """

    ended: set[str] = field(default_factory=set)
    rows: list[pa.Table] = field(default_factory=list)
    turns: int = 0


@dataclass
class Carried:
    """What passes that loaded nothing have left for the next package.

    Attributes:
        rows: reports, by resource, and
        states: where each resource goes on.
        of_source: what the source's state is to hold besides.
    """

    rows: dict[str, pa.Table] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    of_source: dict[str, Any] = field(default_factory=dict)

    def take(self) -> Carried:
        """All of it, which is then somebody else's to load."""
        taken = Carried(self.rows, self.states, self.of_source)
        self.rows, self.states, self.of_source = {}, {}, {}
        return taken


class Report:
    """What a sync did, stream by stream.

    Attributes:
        streams: by name.
        signal: the signal that ended the sync early, if one did.
        error: why a pass of a process that keeps syncing, or one of several accounts, could not load what it read.
    """

    def __init__(self) -> None:
        self.streams: dict[str, StreamReport] = {}
        self.signal: signal.Signals | None = None
        self.broken = False
        self.error: Exception | None = None

    @property
    def failed(self) -> list[StreamReport]:
        """Streams that did not load whole."""
        return [stream for stream in self.streams.values() if stream.status == "failed"]

    @property
    def stopped(self) -> list[StreamReport]:
        """Streams that have more to read."""
        return [stream for stream in self.streams.values() if stream.status == "stopped"]

    @property
    def not_due(self) -> list[StreamReport]:
        """Streams that were left out, since less time than their `every` has passed."""
        return [stream for stream in self.streams.values() if stream.status == "not due"]

    @property
    def unavailable(self) -> list[StreamReport]:
        """Streams that the plan or role refuses."""
        return [stream for stream in self.streams.values() if stream.status == "unavailable"]

    @property
    def lost(self) -> list[StreamReport]:
        """Streams that every plan has, and that are refused all the same: to these credentials."""
        return [stream for stream in self.unavailable if stream.of_every_plan]
