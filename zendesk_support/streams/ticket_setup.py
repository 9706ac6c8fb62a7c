"""What tickets can be, and what happens to them by rule: statuses, categories, workspaces, texts, ends."""

from __future__ import annotations

from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.lists import Listing
from zendesk_support.streams.base import LISTED, Stream, columns, feed
from zendesk_support.streams.configuration import CONDITION_NOTES, CONDITION_VALUES, SWITCH_NOTES

RAW = "as it was entered, maybe with a placeholder such as {{dc.name}}"


CUSTOM_STATUSES = Stream(
    name="custom_statuses",
    doc="A status that a ticket can have, within one of the categories that every account has.",
    feeds=feed(Listing("custom_statuses", "custom_statuses", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id",
        text="""
            agent_label description end_user_description end_user_label raw_agent_label raw_description
            raw_end_user_description raw_end_user_label status_category url
        """,
        timestamp="created_at updated_at",
        bool="active default",
    ),
    plan="custom statuses",
    notes={
        **SWITCH_NOTES,
        "agent_label": "what agents call it",
        "default": "the default one of its category",
        "description": "tells agents when to choose it",
        "end_user_label": "what end users call it",
        **dict.fromkeys(("raw_agent_label", "raw_description", "raw_end_user_description", "raw_end_user_label"), RAW),
        "status_category": "new, open, pending, hold or solved",
    },
    deletes=LISTED,
    family="configuration",
    default_set=2,
)

TICKET_FORM_STATUSES = Stream(
    name="ticket_form_statuses",
    doc="A status that tickets of a form can have.",
    feeds=feed(Listing("ticket_form_statuses", "ticket_form_statuses", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="custom_status_id ticket_form_id",
        text="id",
    ),
    plan="custom statuses",
    notes={
        "id": "ULID",
    },
    deletes=LISTED,
    family="configuration",
    default_set=2,
)

SATISFACTION_REASONS = Stream(
    name="satisfaction_reasons",
    doc="A reason that requesters can give for a bad satisfaction rating.",
    feeds=feed(Listing("satisfaction_reasons", "reasons", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id reason_code",
        text="raw_value url value",
        timestamp="created_at deleted_at updated_at",
    ),
    plan="Professional and above",
    notes={
        "deleted_at": "set once the reason is deleted",
        "raw_value": RAW,
        "reason_code": "number within the account; 1000 and above for reasons of its own",
        "value": "the reason, in the account's language",
    },
    deletes="The row stays with `deleted_at` filled, as long as Zendesk lists it.",
    family="configuration",
    default_set=2,
)

DELETION_SCHEDULES = Stream(
    name="deletion_schedules",
    doc="A rule by which Zendesk deletes what has become old.",
    feeds=feed(Listing("deletion_schedules", "deletion_schedules", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id",
        text="description object title url",
        timestamp="created_at updated_at",
        bool="active default",
        json="conditions",
    ),
    plan="Suite Growth and above, or an add-on for data privacy",
    notes={
        **SWITCH_NOTES,
        **CONDITION_NOTES,
        "default": "the account's default one",
        "object": "what it deletes, such as zen:ticket, zen:user or zen:attachment",
    },
    deletes=LISTED,
    varying=CONDITION_VALUES,
    family="configuration",
    default_set=None,
)

GROUP_SLA_POLICIES = Stream(
    name="group_sla_policies",
    doc="A policy of how long a group may keep a ticket, and its targets.",
    feeds=feed(Listing("group_slas/policies", "group_sla_policies", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="position",
        text="id description title url",
        timestamp="created_at updated_at",
        json="filter policy_metrics",
    ),
    plan="Professional and above",
    notes={
        "id": "ULID",
        "filter": "{all}, a list of {field, operator, value}",
        "policy_metrics": "list of {priority, metric, target, business_hours}; target in seconds",
        "position": "order in which policies are tried",
    },
    deletes=LISTED,
    varying=("filter.all.value", "filter.any.value"),
    family="configuration",
    default_set=2,
)

TRIGGER_CATEGORIES = Stream(
    name="trigger_categories",
    doc="A category that triggers are kept in.",
    feeds=feed(Listing("trigger_categories", "trigger_categories", params={"include": "rule_counts"})),
    columns=columns(
        bigint="active_count inactive_count position",
        text="id name url",
        timestamp="created_at updated_at",
    ),
    notes={
        "id": "a string in Zendesk, as triggers.category_id is",
        "active_count": "triggers in it that are switched on",
        "inactive_count": "triggers in it that are switched off",
        "position": "order in which the triggers of categories are run",
    },
    deletes=LISTED,
    family="configuration",
    default_set=2,
)

DYNAMIC_CONTENT_ITEMS = Stream(
    name="dynamic_content_items",
    doc="A text with one variant per language, for use in other texts.",
    feeds=feed(Listing("dynamic_content/items", "items")),
    columns=columns(
        bigint="id default_locale_id",
        text="name placeholder url",
        timestamp="created_at updated_at",
        bool="outdated",
        json="variants",
    ),
    plan="Suite Growth, Support Professional and above",
    notes={
        "outdated": "some variant is older than the default one",
        "placeholder": "stands for the text elsewhere, such as {{dc.name}}",
        "variants": "list of {id, content, locale_id, active, default, outdated and others}",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

WORKSPACES = Stream(
    name="workspaces",
    doc="A set of apps, macros and a form that agents see on tickets of some kind.",
    feeds=feed(Listing("workspaces", "workspaces")),
    columns=columns(
        bigint="id position ticket_form_id",
        text="description title url",
        timestamp="created_at updated_at",
        bool="activated prefer_workspace_app_order",
        json="apps conditions macro_ids",
    ),
    dropped=frozenset({"selected_macros"}),
    plan="Enterprise",
    notes={
        **CONDITION_NOTES,
        "activated": "false means switched off, not deleted",
        "apps": "list of {id, expand, position}",
        "macro_ids": "macros that agents see",
        "position": "order in which workspaces are tried",
        "prefer_workspace_app_order": "its order of apps counts, not the account's",
    },
    deletes=LISTED,
    varying=CONDITION_VALUES,
    family="configuration",
    default_set=None,
)

STREAMS = (
    CUSTOM_STATUSES,
    TICKET_FORM_STATUSES,
    SATISFACTION_REASONS,
    DELETION_SCHEDULES,
    GROUP_SLA_POLICIES,
    TRIGGER_CATEGORIES,
    DYNAMIC_CONTENT_ITEMS,
    WORKSPACES,
)
