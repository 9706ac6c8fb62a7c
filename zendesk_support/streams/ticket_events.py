"""What happened on tickets: events, comments, changes, audits and measurements."""

from __future__ import annotations

from zendesk_support.api.limits import ACCOUNT, TICKET_AUDITS_LIST
from zendesk_support.reading.below import Below
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.streams.base import Feed, Stream, columns, feed
from zendesk_support.streams.ticket_exports import SCOPE, SCRUBS, TICKET_EXPORT
from zendesk_support.streams.transforms import (
    AUDIT_VALUES,
    AUDITS_OF_TICKET,
    REWRITE_AUDITS,
    REWRITE_COMMENTS,
    changes,
    comments,
    is_not_deleted,
)

EVENT_EXPORT = TimeExport(
    "incremental/ticket_events", "ticket_events", time="timestamp", params={**SCOPE, "include": "comment_events"}
)
METRIC_EVENT_EXPORT = TimeExport(
    "incremental/ticket_metric_events", "ticket_metric_events", time=None, ends=False, dated="time"
)
AUDITS_PER_TICKET = Below(
    TICKET_EXPORT,
    Listing(AUDITS_OF_TICKET, "audits", limits=(ACCOUNT, TICKET_AUDITS_LIST)),
    {"ticket_id": "id"},
    asked=is_not_deleted,
)

TICKET_EVENTS = Stream(
    name="ticket_events",
    doc="One update of a ticket with the changes it made.",
    feeds=(Feed(EVENT_EXPORT, refresh=REWRITE_COMMENTS), SCRUBS),
    columns=columns(
        bigint="id ticket_id timestamp updater_id via_reference_id",
        text="via event_type",
        timestamp="created_at",
        json="system metadata child_events",
    ),
    cursor="timestamp",
    version="timestamp",
    fact=True,
    immutable=True,
    notes={
        "timestamp": "Unix seconds, UTC; what the export is ordered by",
        "updater_id": "-1 means Zendesk itself",
        "via": "name of the channel, such as Web form",
        "event_type": "such as Audit",
        "system": "{client, location, latitude, longitude}",
        "child_events": "list of changes and comments; keys depend on event_type",
    },
    varying=("child_events.previous_value", "child_events.value"),
    deletes="Removed once the ticket is scrubbed; a redaction rewrites the event that held the comment.",
    months_of="created_at",
)

TICKET_COMMENTS = Stream(
    name="ticket_comments",
    doc="A comment of any kind on a ticket, taken from the ticket's events.",
    feeds=(Feed(EVENT_EXPORT, comments), SCRUBS),
    columns=columns(
        bigint="id ticket_id event_timestamp author_id audit_id via_reference_id",
        text="type event_type body html_body plain_body formatted_from formatted_to graph_object_id",
        timestamp="created_at",
        bool="public transcription_visible trusted",
        json="attachments data metadata via",
    ),
    cursor="event_timestamp",
    version="event_timestamp",
    fact=True,
    notes={
        "ticket_id": "the ticket of the event that holds the comment",
        "event_timestamp": "Unix seconds, UTC: the event this version of the comment was read with",
        "type": "Comment, VoiceComment, FacebookComment and others",
        "event_type": "kind of ticket event; usually equal to type",
        "public": "false: internal note",
        "body": "text, lightly marked up",
        "attachments": "list of attachment objects",
        "audit_id": "the audit that holds the comment",
        "data": "details of the call or post, not for plain comments",
        "formatted_from": "caller's number; voice comments only",
        "formatted_to": "called number; voice comments only",
        "graph_object_id": "Facebook's id; Facebook comments only",
        "transcription_visible": "voice comments only",
        "trusted": "false: the author may not be who it seems",
        "metadata": "client, place and flags; the event export may omit it",
        "via": "{channel, source}; a string in some events",
    },
    deletes="Removed once the ticket is scrubbed; read again when redacted or made private.",
    months_of="created_at",
)

TICKET_CHANGES = Stream(
    name="ticket_changes",
    doc="A field that an event of a ticket has set, with its value before.",
    feeds=(Feed(EVENT_EXPORT, changes), SCRUBS),
    columns=columns(
        bigint="id ticket_id event_id event_timestamp updater_id position",
        text="field event_type",
        timestamp="created_at",
        json="value previous_value via",
    ),
    key=("id", "field"),
    cursor="event_timestamp",
    version="event_timestamp",
    fact=True,
    immutable=True,
    notes={
        "id": "of the event's part that set the field",
        "event_id": "ticket_events.id",
        "event_timestamp": "Unix seconds, UTC: when the event was exported",
        "updater_id": "-1 means Zendesk itself",
        "position": "place among the changes of its event, from 0",
        "field": "such as status; the id of a custom field as text",
        "event_type": "Create: set when the ticket was made; Change: later",
        "value": "as JSON; numbers may come as texts",
        "previous_value": "as JSON; null for Create",
        "via": "name of the channel, or {channel, source}",
    },
    varying=("value", "previous_value", "via"),
    deletes="Removed once the ticket is scrubbed.",
    months_of="created_at",
)

TICKET_AUDITS = Stream(
    name="ticket_audits",
    doc="One update of a ticket that is not archived, with all its events.",
    feeds=(Feed(LogListing("ticket_audits", "audits", time="created_at"), refresh=REWRITE_AUDITS), SCRUBS),
    columns=columns(
        bigint="id author_id ticket_id",
        timestamp="created_at",
        json="events metadata via",
    ),
    cursor="created_at",
    fact=True,
    immutable=True,
    option="ticket_audits",
    variants={"per_ticket": (Feed(AUDITS_PER_TICKET, name="per_ticket"), SCRUBS)},
    notes={
        "author_id": "-1 means Zendesk itself",
        "events": "list of events; their keys depend on type",
        "metadata": "{system, custom}: client, place, values set by apps",
        "via": "{channel, source}",
    },
    varying=AUDIT_VALUES,
    deletes="Removed once the ticket is scrubbed; a redaction rewrites the audit that held the comment.",
    keeps=True,
    months_of="created_at",
)

TICKET_METRIC_EVENTS = Stream(
    name="ticket_metric_events",
    doc="One step in the measuring of a ticket metric, such as its start, pause or breach.",
    feeds=feed(METRIC_EVENT_EXPORT),
    columns=columns(
        bigint="id instance_id ticket_id",
        text="metric type",
        timestamp="time",
        bool="deleted",
        json="sla group_sla status",
    ),
    cursor="time",
    fact=True,
    immutable=True,
    notes={
        "deleted": "true: the event no longer counts",
        "group_sla": "policy and target; only for apply_group_sla",
        "instance_id": "counts the times the metric ran on the ticket",
        "sla": "policy and target; only for apply_sla",
        "status": "{calendar, business}, minutes; only for update_status",
        "type": "activate, pause, fulfill, breach, update_status, apply_sla, apply_group_sla, measure",
    },
    deletes="The row stays: `deleted` turns true.",
    months_of="time",
)
