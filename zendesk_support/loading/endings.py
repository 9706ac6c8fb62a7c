"""What a report says of how reading a stream ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

from zendesk_support.loading.subscription import Subscription
from zendesk_support.loading.sync_modes import FULL, Mode
from zendesk_support.loading.target import Target
from zendesk_support.streams.base import Stream

UNREADABLE = (
    "the destination cannot be read back: lists are sent whole, rows that Zendesk deletes stay, and earlier rows are "
    "not redacted"
)


def stopped_message(stream: Stream, mode: Mode, why: str, complete_since: datetime | None = None) -> str:
    """What becomes of a stream that was stopped before its end."""
    if mode in FULL:
        return f"stopped by {why}; sync_mode {mode} loads a stream only once it is read whole"
    if stream.snapshot:
        return f"stopped by {why}; the next run reads this list from its start and writes what differs"
    older = f"; what is older than {complete_since:%Y-%m-%d} is still to be read" if complete_since is not None else ""
    return f"stopped by {why}; the next run goes on from here{older}"


def notes_of(subscriptions: Iterable[Subscription], target: Target) -> list[str]:
    """What the readers have to say of passes that came to their end."""
    begun = (each for each in subscriptions if hasattr(each, "job"))
    notes = [note for each in begun for note in (*each.job.notes, *each.included.notes)]
    if target.is_loaded and not target.has_sql and target.mode not in FULL:
        notes.append(UNREADABLE)
    return list(dict.fromkeys(notes))


def moment(at: int | None) -> datetime | None:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(at, timezone.utc) if at is not None else None
