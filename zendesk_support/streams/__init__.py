"""The catalogue: every stream, by name."""

from __future__ import annotations

from zendesk_support.streams import (
    account,
    configuration,
    conversations,
    custom_objects,
    help_center,
    integrations,
    people,
    ticket_parts,
    ticket_setup,
    tickets,
)
from zendesk_support.streams.base import Stream

MODULES = (
    tickets,
    people,
    configuration,
    ticket_parts,
    ticket_setup,
    account,
    integrations,
    help_center,
    conversations,
    custom_objects,
)
CATALOGUE: dict[str, Stream] = {stream.name: stream for module in MODULES for stream in module.STREAMS}
