"""What tickets and ticket fields list, one row an item: worked out from what is read anyway."""

from __future__ import annotations

from zendesk_support.streams.base import LISTED, Stream, columns, feed
from zendesk_support.streams.configuration import TICKET_FIELDS
from zendesk_support.streams.derived import REMOVE_OUTDATED, collaborators, field_options, of_tickets, tags
from zendesk_support.streams.ticket_exports import TICKET_EXPORT

VERSION_NOTE = {"generated_timestamp": "Unix seconds, UTC: version of the ticket this row was read with"}

TICKET_TAGS = Stream(
    name="ticket_tags",
    doc="A tag that a ticket has.",
    feeds=feed(TICKET_EXPORT, of_tickets(tags), REMOVE_OUTDATED),
    columns=columns(bigint="ticket_id generated_timestamp", text="tag"),
    key=("ticket_id", "tag"),
    cursor="generated_timestamp",
    version="generated_timestamp",
    fact=True,
    notes=VERSION_NOTE,
    deletes="Removed once the ticket no longer has it, or is deleted.",
    default_set=None,
)

TICKET_COLLABORATORS = Stream(
    name="ticket_collaborators",
    doc="A user who takes part in a ticket besides its requester and assignee, once a kind.",
    feeds=feed(TICKET_EXPORT, of_tickets(collaborators), REMOVE_OUTDATED),
    columns=columns(bigint="ticket_id user_id generated_timestamp", text="kind"),
    key=("ticket_id", "user_id", "kind"),
    cursor="generated_timestamp",
    version="generated_timestamp",
    fact=True,
    notes={
        **VERSION_NOTE,
        "kind": "collaborator (in CC, the older form), follower (an agent) or email_cc",
    },
    deletes="Removed once the user no longer takes part, or the ticket is deleted.",
    default_set=None,
)

TICKET_FIELD_OPTIONS = Stream(
    name="ticket_field_options",
    doc="A choice that a dropdown or multiselect ticket field offers.",
    feeds=feed(TICKET_FIELDS.feeds[0].endpoint, field_options),
    columns=columns(
        bigint="ticket_field_id id position",
        text="name raw_name value",
        bool="allow_solving default",
    ),
    key=("ticket_field_id", "id"),
    notes={
        "allow_solving": "a ticket with it may be solved; only on some fields",
        "default": "what a new ticket begins with",
        "name": "as agents see it, in their language",
        "position": "order among the field's choices, from 0",
        "raw_name": "as it was written, with placeholders such as {{dc.name}}",
        "value": "what tickets.custom_fields holds, and the tag that a ticket gets",
    },
    links={"ticket_field_id": "ticket_fields"},
    deletes=LISTED,
    family="configuration",
    default_set=2,
)

STREAMS = (TICKET_TAGS, TICKET_COLLABORATORS, TICKET_FIELD_OPTIONS)
