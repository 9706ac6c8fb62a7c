"""The export of tickets, which streams of two families read."""

from __future__ import annotations

from zendesk_support.reading.exports import CursorExport
from zendesk_support.streams.base import Feed, no_rows
from zendesk_support.streams.transforms import (
    REMOVE_SCRUBBED,
)

SCOPE = {"support_type_scope": "all"}

TICKET_EXPORT = CursorExport(
    "incremental/tickets/cursor",
    "tickets",
    time="generated_timestamp",
    params={**SCOPE, "include": "metric_sets"},
    names=("id",),
)
SCRUBS = Feed(TICKET_EXPORT, no_rows, REMOVE_SCRUBBED, name="scrubs")
