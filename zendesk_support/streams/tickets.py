"""Tickets and what hangs on them."""

from __future__ import annotations

from zendesk_support.api.limits import ACCOUNT, DELETED_TICKETS_LIST
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.since import FilteredListing, iso_since, unix_window
from zendesk_support.streams.base import HOURLY, Feed, Stream, columns, feed, no_rows
from zendesk_support.streams.ticket_events import (
    EVENT_EXPORT,
    TICKET_AUDITS,
    TICKET_CHANGES,
    TICKET_COMMENTS,
    TICKET_EVENTS,
    TICKET_METRIC_EVENTS,
)
from zendesk_support.streams.ticket_exports import SCRUBS, TICKET_EXPORT
from zendesk_support.streams.transforms import (
    REMOVE_DELETED,
    REWRITE_ACTIVITIES,
    activities,
    ticket_metrics,
)

DELETION_LIST = FilteredListing(
    "deleted_tickets", "deleted_tickets", time="deleted_at", limits=(ACCOUNT, DELETED_TICKETS_LIST)
)
RATING_LIST = FilteredListing(
    "satisfaction_ratings", "satisfaction_ratings", time="updated_at", window=unix_window("start_time", "end_time")
)
CLOCKS = "{calendar, business}, minutes"


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
    every=HOURLY,
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

SUSPENDED_TICKETS = Stream(
    name="suspended_tickets",
    doc="A mail or message that has not become a ticket, as it looks like spam or cannot be trusted.",
    feeds=feed(Listing("suspended_tickets", "suspended_tickets")),
    columns=columns(
        bigint="id brand_id cause_id ticket_id",
        text="cause content message_id recipient subject url",
        timestamp="created_at updated_at",
        json="attachments author error_messages via",
    ),
    notes={
        "attachments": "list of attachment objects",
        "author": "{id, name, email}; id is null for who is no user",
        "cause": "why it was suspended, in words; cause_id is the number of that",
        "content": "body of the mail",
        "error_messages": "list of what went wrong when it was to be recovered",
        "message_id": "of the mail, from its headers",
        "recipient": "address it was sent to",
        "ticket_id": "ticket that it answers; null if none",
        "via": "{channel, source}",
    },
    deletes="Removed after a complete pass once it is recovered, deleted, or 14 days old.",
    default_set=None,
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
    SUSPENDED_TICKETS,
)
