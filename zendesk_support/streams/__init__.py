"""The catalogue: every stream, by name."""

from __future__ import annotations

from zendesk_support.streams import configuration, help_center, people, tickets
from zendesk_support.streams.base import Stream

CATALOGUE: dict[str, Stream] = {
    stream.name: stream for stream in (*tickets.STREAMS, *people.STREAMS, *configuration.STREAMS, *help_center.STREAMS)
}
