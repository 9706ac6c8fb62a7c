"""Omnichannel routing and skills: queues, what agents do and can, and how work reaches them."""

from __future__ import annotations

from functools import partial

from zendesk_support.api.limits import ACCOUNT, AVAILABILITIES
from zendesk_support.reading.batches import InBatches
from zendesk_support.reading.envelopes import ONE_ANSWER, NextUrlPages, OneAnswer, PagedLists, Pages
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.reread import RereadListing, second_window
from zendesk_support.reading.token_export import TokenExport
from zendesk_support.streams.base import HOURLY, LISTED, Feed, Stream, columns, feed
from zendesk_support.streams.configuration import CONDITION_VALUES
from zendesk_support.streams.routing import (
    ATTRIBUTE_LIST,
    VALUES_BESIDE,
    agent_statuses,
    attribute_values,
    availabilities,
    began_at,
    engagements,
    occurred_at,
    queue_events,
)

OMNICHANNEL = "omnichannel routing, Professional and above"
SKILLS = "Enterprise"
LONGEST_WORK = 30
"""Days that an engagement is waited for: it is listed by its start, and only once it has ended."""
KEPT_DAYS = 90
"""Days for which Zendesk keeps engagements and events of queues."""
ROLLED_OUT = f"Zendesk keeps {KEPT_DAYS} days, and older rows stay."
on_demand = partial(Stream, family="omnichannel", default_set=None)
"""A stream of this family, which is loaded only where somebody asks for it."""

QUEUES = on_demand(
    name="queues",
    doc="A queue that work waits in until an agent of its groups can take it.",
    feeds=feed(Listing("queues", "queues", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="order priority",
        text="id description name url",
        timestamp="created_at updated_at",
        json="definition primary_groups secondary_groups subqueues",
    ),
    plan=OMNICHANNEL,
    notes={
        "id": "ULID",
        "definition": "{all, any}, lists of {field, operator, value}: which work comes into it",
        "order": "order in which the definitions of queues are tried",
        "primary_groups": "{count, groups}: a list of {id, name}; these groups are asked first",
        "priority": "work of a queue with a lower number is given out first",
        "secondary_groups": "as primary_groups; these are asked where those have nobody",
        "subqueues": "in place of groups, where work is shared out by percentage",
    },
    deletes=LISTED,
    varying=tuple(f"definition.{path.removeprefix('conditions.')}" for path in CONDITION_VALUES),
)

QUEUE_EVENTS = on_demand(
    name="queue_events",
    doc="A piece of work that came into a queue or left it.",
    feeds=feed(
        RereadListing(
            "queue_events",
            "queue_data",
            times=occurred_at,
            column="event_occurred_at",
            days=1,
            kept_days=KEPT_DAYS,
            window=second_window("start_time", "end_time"),
            envelope=NextUrlPages(),
        ),
        queue_events,
    ),
    columns=columns(
        bigint="current_channel_queue_size hourly_channel_queue_size_seconds ticket_id",
        text="id call_id channel event_type inbound_reason outbound_reason queue_id work_item_id",
        timestamp="end_queue_time event_occurred_at start_queue_time",
    ),
    cursor="event_occurred_at",
    fact=True,
    plan=f"{OMNICHANNEL}, with custom queues",
    notes={
        "id": "digest of the event's values, as Zendesk gives it no id",
        "channel": "MESSAGING, TALK or SUPPORT",
        "current_channel_queue_size": "pieces of work of its channel that waited then; 0 for SUPPORT",
        "event_type": "INBOUND, OUTBOUND or ROUTING_STATE_CHANGE",
        "hourly_channel_queue_size_seconds": "change of the waiting of that hour in seconds; 0 for SUPPORT",
        "outbound_reason": "why it left, such as ACCEPTED",
        "queue_id": "queues.id; null outside of the account's own queues",
        "work_item_id": "UUID of the piece of work",
    },
    links={"queue_id": "queues"},
    deletes=f"Removed where a pass of the last day no longer lists it. {ROLLED_OUT}",
    months_of="event_occurred_at",
    appears_by="event_occurred_at",
)

ENGAGEMENTS = on_demand(
    name="engagements",
    doc="An agent's stretch of work on a ticket, listed once it has ended.",
    feeds=feed(
        RereadListing(
            "engagements",
            "agent_engagement_data",
            times=began_at,
            column="engagement_start_time",
            days=LONGEST_WORK,
            kept_days=KEPT_DAYS,
            window=second_window("start_time", "end_time"),
            envelope=NextUrlPages(),
        ),
        engagements,
    ),
    columns=columns(
        bigint="""
            agent_id agent_messages_count agent_replies_count assignment_to_first_reply_time_seconds
            average_requester_wait_time_seconds end_user_messages_count group_id longest_requester_wait_time_seconds
            offer_time_seconds requester_id ticket_id total_requester_wait_time_seconds
        """,
        text="""
            channel engagement_end_reason engagement_id engagement_start_reason ticket_status_end ticket_status_start
        """,
        timestamp="engagement_end_time engagement_start_time",
    ),
    key=("engagement_id",),
    cursor="engagement_start_time",
    fact=True,
    plan=OMNICHANNEL,
    notes={
        "engagement_id": "a text of 32 letters and digits",
        "channel": "MESSAGING, SUPPORT and others",
        "engagement_start_time": f"it is listed by this time: one of more than {LONGEST_WORK} days may be missed",
        "offer_time_seconds": "from the offer of the work to its acceptance",
    },
    links={"agent_id": "users"},
    deletes=f"Removed where a pass of the last {LONGEST_WORK} days no longer lists it. {ROLLED_OUT}",
    months_of="engagement_start_time",
    appears_by="engagement_end_time",
    every=HOURLY,
)

AGENT_STATUSES = on_demand(
    name="agent_statuses",
    doc="A status that agents can be in, Zendesk's own and the account's.",
    feeds=feed(
        Listing(
            "agent_availabilities/agent_statuses",
            "agent_statuses",
            envelope=PagedLists(
                lists={"default": False, "custom": True},
                column="custom",
                older={"default": "default_statuses", "custom": "custom_statuses"},
            ),
            limits=(ACCOUNT, AVAILABILITIES),
        ),
        agent_statuses,
    ),
    columns=columns(
        bigint="id",
        text="description name",
        timestamp="updated_at",
        bool="custom",
        json="channels group_ids",
    ),
    plan=OMNICHANNEL,
    notes={
        "channels": "{messaging, support, talk}: online, away, offline or transfers_only in each",
        "custom": "true for a status of the account's own",
        "group_ids": "groups whose agents may choose it",
    },
    deletes=LISTED,
)

AGENT_AVAILABILITIES = on_demand(
    name="agent_availabilities",
    doc="An agent as of the sync: status, capacity and work on each channel.",
    feeds=feed(
        Listing(
            "agent_availabilities",
            "data",
            envelope=Pages(side="included"),
            limits=(ACCOUNT, AVAILABILITIES),
        ),
        availabilities,
    ),
    columns=columns(
        bigint="agent_id agent_status_id version",
        text="agent_status_name agent_status_reason",
        timestamp="agent_status_updated_at",
        json="channels group_ids skills",
    ),
    key=("agent_id",),
    version="version",
    plan=OMNICHANNEL,
    notes={
        "agent_status_id": "agent_statuses.id",
        "agent_status_reason": "what changed the status, such as AGENT_STATUS_SWITCHER",
        "channels": "list of {name, status, max_capacity, work_item_count, work_items and others}",
        "skills": "list of {id}: attribute_values.id",
        "version": "counts changes of the agent's state: with sync_mode history, each sync adds what differs",
    },
    links={"agent_id": "users", "agent_status_id": "agent_statuses"},
    deletes=LISTED,
)

CAPACITY_RULES = on_demand(
    name="capacity_rules",
    doc="A rule of how much work agents may have at a time on each channel.",
    feeds=feed(Listing("capacity/rules", "data", envelope=OneAnswer(may_be_bare=True))),
    columns=columns(
        text="id description name",
        timestamp="created_at last_updated_at",
        bool="default",
        json="assignees capacities",
    ),
    plan=OMNICHANNEL,
    notes={
        "assignees": "agents that it holds for",
        "capacities": "the most work by channel",
        "default": "the rule of agents without another",
    },
    deletes=LISTED,
    varying=("assignees", "capacities"),
)

ATTRIBUTE_VALUES = on_demand(
    name="attribute_values",
    doc="A skill: one of the values that an attribute can have.",
    feeds=(Feed(ATTRIBUTE_LIST, attribute_values, embedded=VALUES_BESIDE),),
    columns=columns(
        text="id attribute_id name url",
        timestamp="created_at updated_at",
        json="conditions",
    ),
    plan=SKILLS,
    notes={
        "id": "UUID",
        "conditions": "{all, any}, lists of {subject, operator, value}: which tickets need it",
    },
    links={"attribute_id": "account_attributes"},
    deletes=LISTED,
    varying=CONDITION_VALUES,
)

AGENT_ATTRIBUTE_VALUES = on_demand(
    name="agent_attribute_values",
    doc="A skill that an agent has.",
    feeds=feed(
        InBatches(
            Listing("users", "users", params={"role[]": ["agent", "admin"]}),
            Listing("routing/agents/instance_values", "instance_values"),
            {"agent_id": "id"},
            told_by="filter[agent_ids]",
        )
    ),
    columns=columns(
        bigint="agent_id",
        text="id agent_skill_priority attribute_id attribute_value_id name url",
        timestamp="created_at updated_at",
    ),
    plan=SKILLS,
    notes={
        "id": "UUID",
        "agent_skill_priority": "NORMAL or HIGH",
        "name": "of the attribute's value",
    },
    links={
        "agent_id": "users",
        "attribute_id": "account_attributes",
        "attribute_value_id": "attribute_values",
    },
    deletes=LISTED,
)

ROUTING_INSTANCE_VALUE_EVENTS = on_demand(
    name="routing_instance_value_events",
    doc="A skill that was given to an agent or a ticket, or taken away again.",
    feeds=feed(TokenExport("incremental/routing/instance_values", "instance_values", time="time")),
    columns=columns(
        text="id attribute_value_id instance_id type",
        timestamp="time",
    ),
    key=("id", "type"),
    cursor="time",
    fact=True,
    immutable=True,
    plan=SKILLS,
    notes={
        "id": "UUID of what was given; the same where it is taken away",
        "instance_id": "the agent's or ticket's id, as text",
        "type": "associate_agent, unassociate_agent, associate_ticket or unassociate_ticket",
    },
    links={"attribute_value_id": "attribute_values"},
    deletes="Rows stay.",
    forgotten=True,
    months_of="time",
    appears_by="time",
)

STREAMS = (
    QUEUES,
    QUEUE_EVENTS,
    ENGAGEMENTS,
    AGENT_STATUSES,
    AGENT_AVAILABILITIES,
    CAPACITY_RULES,
    ATTRIBUTE_VALUES,
    AGENT_ATTRIBUTE_VALUES,
    ROUTING_INSTANCE_VALUE_EVENTS,
)
