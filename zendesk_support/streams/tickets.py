"""Tickets and what hangs on them."""

from __future__ import annotations

from zendesk_support.api.limits import ACCOUNT, DELETED_TICKETS_LIST, TICKET_AUDITS_LIST
from zendesk_support.reading.below import Below
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.since import FilteredListing, iso_since, unix_window
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.streams.base import Feed, Stream, columns, feed, no_rows
from zendesk_support.streams.transforms import (
    AUDIT_VALUES,
    AUDITS_OF_TICKET,
    REMOVE_DELETED,
    REMOVE_SCRUBBED,
    REWRITE_ACTIVITIES,
    REWRITE_AUDITS,
    REWRITE_COMMENTS,
    activities,
    changes,
    comments,
    is_not_deleted,
    ticket_metrics,
)

SCOPE = {"support_type_scope": "all"}

TICKET_EXPORT = CursorExport(
    "incremental/tickets/cursor",
    "tickets",
    time="generated_timestamp",
    params={**SCOPE, "include": "metric_sets"},
    names=("id",),
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
DELETION_LIST = FilteredListing(
    "deleted_tickets", "deleted_tickets", time="deleted_at", limits=(ACCOUNT, DELETED_TICKETS_LIST)
)
RATING_LIST = FilteredListing(
    "satisfaction_ratings", "satisfaction_ratings", time="updated_at", window=unix_window("start_time", "end_time")
)
CLOCKS = "{calendar, business}, minutes"
SCRUBS = Feed(TICKET_EXPORT, no_rows, REMOVE_SCRUBBED, name="scrubs")


TICKETS = Stream(
    name="tickets",
    doc="A ticket in its latest version.",
    feeds=feed(TICKET_EXPORT),
    columns=columns(
        bigint="""
            id assignee_id brand_id custom_status_id deleted_ticket_form_id forum_topic_id generated_timestamp group_id
            organization_id problem_id requester_id submitter_id ticket_form_id
        """,
        text="""
            description encoded_id external_id priority raw_subject recipient status subject support_type type url
        """,
        timestamp="created_at due_at updated_at",
        bool="allow_attachments allow_channelback from_messaging_channel has_incidents is_public",
        double="satisfaction_probability",
        json="""
            collaborator_ids custom_fields email_cc_ids follower_ids followup_ids satisfaction_rating
            sharing_agreement_ids tags via
        """,
    ),
    cursor="generated_timestamp",
    version="generated_timestamp",
    fact=True,
    dropped=frozenset({"fields", "metric_set"}),
    notes={
        "allow_channelback": "replies can go back through the channel it came from",
        "collaborator_ids": "users in CC",
        "custom_fields": "list of {id, value}; the type of value varies",
        "deleted_ticket_form_id": "form it had before that form was deleted",
        "description": "text of the first comment",
        "due_at": "tickets of type task only",
        "encoded_id": "reference used in notification emails",
        "followup_ids": "later tickets opened from this one once closed",
        "forum_topic_id": "deprecated",
        "generated_timestamp": "Unix seconds, UTC; moves with system updates too",
        "is_public": "at least one comment is public",
        "problem_id": "tickets of type incident only",
        "recipient": "address the ticket was first sent to",
        "satisfaction_probability": "predicted score",
        "satisfaction_rating": "{score, id, comment and others}, or null",
        "status": "deleted means deleted; category of any custom status",
        "support_type": "agent or ai_agent: who handled it",
        "updated_at": "moves only with ticket events, not with system updates",
        "via": "{channel, source}",
    },
    deletes="The row stays: `status` turns to deleted, and 30 days later Zendesk scrubs its texts, which arrives too.",
    months_of="created_at",
    varying=("custom_fields.value",),
)

TICKET_METRICS = Stream(
    name="ticket_metrics",
    doc="The times and counts of one ticket, as they stood when the ticket was exported.",
    feeds=feed(TICKET_EXPORT, ticket_metrics, REMOVE_DELETED),
    columns=columns(
        bigint="generated_timestamp id assignee_stations group_stations reopens replies ticket_id",
        text="url",
        timestamp="""
            assigned_at assignee_updated_at created_at custom_status_updated_at initially_assigned_at
            latest_comment_added_at requester_updated_at solved_at status_updated_at updated_at
        """,
        json="""
            agent_wait_time_in_minutes first_resolution_time_in_minutes full_resolution_time_in_minutes
            on_hold_time_in_minutes reply_time_in_minutes reply_time_in_seconds requester_wait_time_in_minutes
        """,
    ),
    cursor="generated_timestamp",
    version="generated_timestamp",
    fact=True,
    notes={
        "generated_timestamp": "Unix seconds, UTC: version of the ticket this row was read with",
        "agent_wait_time_in_minutes": CLOCKS,
        "assigned_at": "last time of assignment",
        "assignee_stations": "number of assignees so far",
        "assignee_updated_at": "last update by the assignee",
        "first_resolution_time_in_minutes": CLOCKS,
        "full_resolution_time_in_minutes": CLOCKS,
        "group_stations": "number of groups so far",
        "initially_assigned_at": "first time of assignment",
        "on_hold_time_in_minutes": CLOCKS,
        "replies": "public replies by agents",
        "reply_time_in_minutes": "{calendar, business}, minutes to the first reply",
        "reply_time_in_seconds": "{calendar}, seconds to the first reply; messaging tickets only",
        "requester_updated_at": "last update by the requester",
        "requester_wait_time_in_minutes": CLOCKS,
    },
    deletes="Removed once the ticket is deleted.",
    months_of="created_at",
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

TICKET_SKIPS = Stream(
    name="ticket_skips",
    doc="An agent's skipping of a ticket that is not archived, with the reason.",
    feeds=(Feed(Listing("skips", "skips")), SCRUBS),
    columns=columns(
        bigint="id ticket_id user_id",
        text="reason",
        timestamp="created_at updated_at",
        json="ticket",
    ),
    version="updated_at",
    fact=True,
    keeps=True,
    notes={
        "ticket": "the whole ticket, as it is now",
        "user_id": "the agent who skipped",
    },
    varying=("ticket.custom_fields.value", "ticket.fields.value"),
    deletes="Rows stay though Zendesk lists none of archived or deleted tickets; removed once the ticket is scrubbed.",
)

TICKET_ACTIVITIES = Stream(
    name="ticket_activities",
    doc="A ticket event of the last 30 days that concerned the signed-in agent.",
    feeds=(
        Feed(FilteredListing("activities", "activities", time="updated_at", window=iso_since("since")), activities),
        SCRUBS,
        Feed(EVENT_EXPORT, no_rows, REWRITE_ACTIVITIES, name="redactions"),
    ),
    columns=columns(
        bigint="id actor_id ticket_id user_id",
        text="title url verb",
        timestamp="created_at updated_at",
        json="actor object target user",
    ),
    cursor="updated_at",
    version="updated_at",
    fact=True,
    notes={
        "actor": "user record of who acted",
        "actor_id": "-1 means Zendesk itself, such as an automation",
        "object": "the ticket, comment or change concerned",
        "target": "{ticket: {id, subject}}",
        "ticket_id": "the id in target",
        "user": "user record of the signed-in agent",
        "verb": "tickets.assignment, tickets.comment or tickets.priority_increase",
    },
    deletes="Rows stay until the ticket is scrubbed; a redaction rewrites the `object` that held the comment.",
    keeps=True,
)

DELETED_TICKETS = Stream(
    name="deleted_tickets",
    doc="A ticket deleted within the last 30 days and not yet scrubbed or archived.",
    feeds=(Feed(DELETION_LIST), SCRUBS),
    columns=columns(
        bigint="id",
        text="previous_state subject",
        timestamp="deleted_at",
        json="actor",
    ),
    cursor="deleted_at",
    version="deleted_at",
    fact=True,
    immutable=True,
    notes={
        "id": "the ticket's id",
        "actor": "{id, name} of who deleted it",
        "previous_state": "status before the deletion",
    },
    deletes="Zendesk lists the last 30 days; rows stay until the ticket is scrubbed.",
    keeps=True,
)

SATISFACTION_RATINGS = Stream(
    name="satisfaction_ratings",
    doc="A satisfaction rating that was offered to, or given by, a requester.",
    feeds=feed(RATING_LIST),
    columns=columns(
        bigint="id assignee_id group_id reason_id requester_id ticket_id",
        text="comment reason score url",
        timestamp="created_at updated_at",
    ),
    cursor="updated_at",
    version="updated_at",
    fact=True,
    plan="Professional and above",
    notes={
        "assignee_id": "agent at the time of the rating",
        "group_id": "group at the time of the rating",
        "reason": "why the rating was bad",
        "score": "offered or unoffered (no answer yet), good or bad",
    },
    deletes="Zendesk deletes none.",
    months_of="created_at",
)

STREAMS = (
    TICKETS,
    TICKET_METRICS,
    TICKET_EVENTS,
    TICKET_COMMENTS,
    TICKET_CHANGES,
    TICKET_AUDITS,
    TICKET_METRIC_EVENTS,
    TICKET_SKIPS,
    TICKET_ACTIVITIES,
    DELETED_TICKETS,
    SATISFACTION_RATINGS,
)
