"""Omnichannel routing: queues and their events, engagements, agents' states, and skills."""

from __future__ import annotations

from zendesk_support.simulator.families.omnichannel import agents, skills, work
from zendesk_support.simulator.kinds import Family, Gate, Kind, listed, plain, shown
from zendesk_support.simulator.server.envelopes import by_next_page, by_next_url
from zendesk_support.simulator.server.limits import EXPORTS, Limit

AVAILABILITIES = Limit(300, name="agent_availabilities")
ROUTING = Gate("professional", 403)
_OMNICHANNEL = Gate("professional", 404)
_WINDOW = ("start_time", "end_time", "channel", "page_size", "start_time_cursor")

ATTRIBUTE_VALUES = Kind(
    "attribute_values",
    row=skills.attribute_value,
    size=lambda of: 3 * of["account_attributes"],
    gate=ROUTING,
    routes=(
        listed(
            "attribute_values",
            "routing/attributes/{attribute_id}/values",
            rids=skills.values_of,
            row=skills.own_value,
            paging="bare",
        ),
    ),
    removed=skills.drop_value,
)
AGENT_ATTRIBUTE_VALUES = Kind(
    "agent_attribute_values",
    row=skills.agent_value,
    size=lambda of: skills.SKILLS * of["agents"] if of["attribute_values"] else 0,
    gate=ROUTING,
    routes=(
        listed(
            "agent_attribute_values",
            "routing/agents/instance_values",
            "instance_values",
            rids=skills.values_of_agents,
            form=by_next_page,
            params=("filter[agent_ids]",),
            admins=True,
        ),
    ),
    cloned=skills.give,
    altered=skills.prefer,
    removed=skills.take,
)
ROUTING_INSTANCE_VALUE_EVENTS = Kind(
    "routing_instance_value_events",
    row=skills.event,
    rids=skills.event_rids,
    stamp=skills.event_time,
    gate=ROUTING,
    routes=(
        shown(
            "routing_instance_value_events",
            "incremental/routing/instance_values",
            skills.export,
            stream="routing_instance_value_events",
            kind="incremental",
            limits=(EXPORTS,),
            params=("cursor",),
            admins=True,
        ),
    ),
    grows_only=True,
    create=skills.train,
)
QUEUE_EVENTS = Kind(
    "queue_events",
    row=work.queue_event,
    rids=work.queue_event_rids,
    stamp=work.queue_event_time,
    gate=_OMNICHANNEL,
    routes=(
        listed(
            "queue_events",
            "queue_events",
            "queue_data",
            rids=work.kept("queue_events", "event_occurred_at"),
            form=by_next_url("event_occurred_at", "work_item_id"),
            lasting=False,
            params=(*_WINDOW, "queue_id", "event_type", "work_item_id_cursor"),
            admins=True,
        ),
    ),
    truth=lambda store: (
        work.in_utc(row, "event_occurred_at", "start_queue_time", "end_queue_time")
        for row in store.tables["queue_events"]
    ),
    grows_only=True,
    create=work.enqueue,
)
ENGAGEMENTS = Kind(
    "engagements",
    row=work.engagement,
    rids=work.engagement_rids,
    stamp=work.engagement_time,
    gate=_OMNICHANNEL,
    routes=(
        listed(
            "engagements",
            "engagements",
            "agent_engagement_data",
            rids=work.kept("engagements", "engagement_start_time"),
            form=by_next_url("engagement_start_time", "engagement_id"),
            lasting=False,
            params=(*_WINDOW, "agent_id", "ticket_id", "filter_by", "engagement_id_cursor"),
            admins=True,
        ),
    ),
    truth=lambda store: (
        work.in_utc(row, "engagement_start_time", "engagement_end_time") for row in store.tables["engagements"]
    ),
    create=work.finish,
    update=work.correct,
    remove=work.forget,
)
AGENT_STATUSES = plain(
    "agent_statuses",
    agents.status,
    7,
    "agent_availabilities/agent_statuses",
    form=agents.statuses,
    gate=_OMNICHANNEL,
    limits=(AVAILABILITIES,),
    admins=True,
    more={"cloned": agents.new_status, "kept": lambda store: len(agents.BUILT_IN)},
)
AGENT_AVAILABILITIES = plain(
    "agent_availabilities",
    agents.availability,
    lambda of: of["agents"],
    "agent_availabilities",
    form=agents.availabilities,
    gate=_OMNICHANNEL,
    limits=(AVAILABILITIES,),
    admins=True,
    more={"cloned": agents.promote, "altered": agents.switch},
)
CAPACITY_RULES = plain(
    "capacity_rules",
    agents.capacity_rule,
    3,
    "capacity/rules",
    "data",
    paging="bare",
    gate=_OMNICHANNEL,
    admins=True,
    more={"altered": agents.refit},
)
FAMILY = Family(
    "omnichannel",
    (
        plain("queues", work.queue, 4, paging="bare", gate=_OMNICHANNEL, admins=True),
        QUEUE_EVENTS,
        ENGAGEMENTS,
        AGENT_STATUSES,
        AGENT_AVAILABILITIES,
        CAPACITY_RULES,
        ATTRIBUTE_VALUES,
        AGENT_ATTRIBUTE_VALUES,
        ROUTING_INSTANCE_VALUE_EVENTS,
    ),
    mutations={
        "finish_engagements": work.finish,
        "enqueue_work": work.enqueue,
        "train_agents": skills.train,
    },
)
