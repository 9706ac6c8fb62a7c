"""The catalogue: every stream, by name."""

from __future__ import annotations

from zendesk_support.streams import configuration, conversations, help_center, people, ticket_parts, tickets
from zendesk_support.streams.base import Stream

MODULES = (tickets, ticket_parts, people, configuration, help_center, conversations)
CATALOGUE: dict[str, Stream] = {stream.name: stream for module in MODULES for stream in module.STREAMS}
