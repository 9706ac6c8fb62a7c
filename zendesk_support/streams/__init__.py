"""The catalogue: every stream, by name."""

from __future__ import annotations

from zendesk_support.streams import (
    account,
    audit,
    chat,
    configuration,
    conversations,
    custom_objects,
    guide,
    help_center,
    integrations,
    omnichannel,
    people,
    talk,
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
    guide,
    conversations,
    custom_objects,
    audit,
    chat,
    omnichannel,
    talk,
)
CATALOGUE: dict[str, Stream] = {stream.name: stream for module in MODULES for stream in module.STREAMS}
