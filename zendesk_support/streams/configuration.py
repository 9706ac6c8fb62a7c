"""How the account is set up, and who changed it."""

from __future__ import annotations

from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import ONE_ANSWER, SeveralLists
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.since import FilteredListing, iso_range
from zendesk_support.streams.base import HOURLY, LISTED, Stream, columns, feed
from zendesk_support.streams.routing import ATTRIBUTE_LIST

AUDIT_LOG_LIST = FilteredListing(
    "audit_logs", "audit_logs", time="created_at", window=iso_range("filter[created_at][]", sort="created_at")
)
CONDITION_LISTS = SeveralLists({"conditions_all": "all", "conditions_any": "any"}, column="condition")

SCHEDULE_LIST = Listing("business_hours/schedules", "schedules", envelope=ONE_ANSWER, names=("id",))
HOLIDAY_LIST = Listing("business_hours/schedules/{id}/holidays", "holidays", envelope=ONE_ANSWER)

CUSTOM_FIELD_COLUMNS = columns(
    bigint="id position",
    text="""
        description key raw_description raw_title regexp_for_validation relationship_target_type tag title type url
    """,
    timestamp="created_at updated_at",
    bool="active system",
    json="custom_field_options relationship_filter",
)
FIELD_NOTES = {
    "relationship_filter": "which records a lookup field offers",
    "relationship_target_type": "what a lookup field points to, such as zen:user",
    "tag": "tag that a ticked checkbox adds",
}
CUSTOM_FIELD_NOTES = {
    **FIELD_NOTES,
    "custom_field_options": "list of {id, name, raw_name, value}; dropdown fields only",
}
SWITCH_NOTES = {"active": "false means switched off, not deleted"}
RULE_NOTES = {
    **SWITCH_NOTES,
    "actions": "list of {field, value}",
}
ACTION_VALUES = ("actions.value",)
CONDITION_VALUES = ("conditions.all.value", "conditions.any.value")
CONDITION_NOTES = {"conditions": "{all, any}, lists of {field, operator, value}"}


BRANDS = Stream(
    name="brands",
    doc="A brand of the account, with its own host and maybe a help center.",
    feeds=feed(Listing("brands", "brands", params={"include_deleted": "true"})),
    columns=columns(
        bigint="id",
        text="brand_url help_center_state host_mapping name signature_template subdomain url user_separation",
        timestamp="created_at updated_at",
        bool="active default has_help_center is_deleted",
        json="logo ticket_form_ids",
    ),
    notes={
        "help_center_state": "enabled, disabled or restricted",
        "host_mapping": "own domain name; shown to admins only",
        "is_deleted": "true once the brand is deleted",
        "logo": "attachment object",
        "user_separation": "brand: its users stay with it; account: users are shared",
    },
    deletes=LISTED,
    family="configuration",
)

TAGS = Stream(
    name="tags",
    doc="A popular ticket tag of the last 60 days.",
    feeds=feed(Listing("tags", "tags")),
    columns=columns(
        bigint="count",
        text="name",
    ),
    key=("name",),
    notes={"name": "only the 20,000 most popular are listed"},
    deletes=LISTED,
    family="configuration",
    every=HOURLY,
)

TICKET_FIELDS = Stream(
    name="ticket_fields",
    doc="A field of tickets, built in or custom.",
    feeds=feed(Listing("ticket_fields", "ticket_fields", params={"creator": "true"})),
    columns=columns(
        bigint="id creator_user_id position sub_type_id",
        text="""
            agent_description creator_app_name description key raw_agent_description raw_description raw_title
            raw_title_in_portal
            regexp_for_validation relationship_target_type tag title title_in_portal type url
        """,
        timestamp="created_at updated_at",
        bool="""
            active agent_can_edit collapsed_for_agents editable_in_portal removable required required_in_portal
            visible_in_portal
        """,
        json="custom_field_options custom_statuses relationship_filter system_field_options",
    ),
    notes={
        "id": "the id used in tickets.custom_fields",
        "creator_app_name": "app that made the field; null otherwise",
        "creator_user_id": "-1 means an app made the field",
        "custom_field_options": "list of {id, name, raw_name, value, default}; multiselect and tagger only",
        "custom_statuses": "custom ticket statuses; only on the custom_status field",
        "key": "often null",
        "removable": "false: built in, on every ticket",
        "required": "needed to solve a ticket",
        "sub_type_id": "1: priority lacks Low and Urgent, status has On-hold",
        "system_field_options": "choices of built-in type, priority and status",
        **FIELD_NOTES,
    },
    deletes=LISTED,
    family="configuration",
)

TICKET_FORMS = Stream(
    name="ticket_forms",
    doc="A form that decides which fields a ticket shows.",
    feeds=feed(Listing("ticket_forms", "ticket_forms", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id position",
        text="display_name form_type name raw_display_name raw_name url",
        timestamp="created_at deleted_at updated_at",
        bool="active default end_user_visible in_all_brands",
        json="agent_conditions end_user_conditions restricted_brand_ids ticket_field_ids",
    ),
    plan="Growth, Professional and above",
    notes={
        **SWITCH_NOTES,
        "agent_conditions": "which fields agents see, by value of another field",
        "deleted_at": "set once the form is deleted",
        "end_user_conditions": "which fields end users see, by value of another field",
        "form_type": "such as standard",
        "restricted_brand_ids": "brands that may use it, unless in_all_brands",
        "ticket_field_ids": "in the order of display",
    },
    deletes=LISTED,
    varying=("agent_conditions.value", "end_user_conditions.value"),
    family="configuration",
)

USER_FIELDS = Stream(
    name="user_fields",
    doc="A custom field of users.",
    feeds=feed(Listing("user_fields", "user_fields")),
    columns=CUSTOM_FIELD_COLUMNS,
    notes={
        **CUSTOM_FIELD_NOTES,
        "key": "name of the field in users.user_fields",
    },
    deletes=LISTED,
    family="configuration",
)

ORGANIZATION_FIELDS = Stream(
    name="organization_fields",
    doc="A custom field of organizations.",
    feeds=feed(Listing("organization_fields", "organization_fields")),
    columns=CUSTOM_FIELD_COLUMNS,
    notes={
        **CUSTOM_FIELD_NOTES,
        "key": "name of the field in organizations.organization_fields",
    },
    deletes=LISTED,
    family="configuration",
)

VIEWS = Stream(
    name="views",
    doc="A saved list of tickets: which it shows, and how. Views that only others may see are not listed.",
    feeds=feed(Listing("views", "views")),
    columns=columns(
        bigint="id position",
        text="description raw_title title url",
        timestamp="created_at updated_at",
        bool="active default",
        json="conditions execution restriction",
    ),
    notes={
        **SWITCH_NOTES,
        **CONDITION_NOTES,
        "default": "one of those that every account begins with",
        "execution": "{columns, group, sort, fields, custom_fields}: how the list is shown",
        "position": "order in the list of views",
        "restriction": "{type, id, ids} of who may use it; null means every agent",
    },
    deletes=LISTED,
    varying=(*CONDITION_VALUES, "execution.columns.id"),
    family="configuration",
)

MACROS = Stream(
    name="macros",
    doc="A prepared set of changes that an agent applies to a ticket.",
    feeds=feed(Listing("macros", "macros")),
    columns=columns(
        bigint="id position",
        text="description raw_title title url",
        timestamp="created_at updated_at",
        bool="active default",
        json="actions attachments restriction",
    ),
    notes={
        **RULE_NOTES,
        "attachments": "list of ids of attached files",
        "restriction": "{type, id, ids} of who may use it; null means everyone",
    },
    deletes=LISTED,
    varying=ACTION_VALUES,
    family="configuration",
)

TRIGGERS = Stream(
    name="triggers",
    doc="A business rule that runs when a ticket is created or updated.",
    feeds=feed(Listing("triggers", "triggers", names=("id",))),
    columns=columns(
        bigint="id brand_id position",
        text="category_id description raw_title title url",
        timestamp="created_at updated_at",
        bool="active default",
        json="actions conditions restriction",
    ),
    notes={
        **RULE_NOTES,
        "category_id": "a string in Zendesk, unlike other ids",
        **CONDITION_NOTES,
        "position": "order of execution within its category",
        "restriction": "who it is limited to; null means no limit",
    },
    links={"category_id": "trigger_categories"},
    deletes=LISTED,
    varying=ACTION_VALUES + CONDITION_VALUES,
    family="configuration",
)

AUTOMATIONS = Stream(
    name="automations",
    doc="A time-based business rule on tickets.",
    feeds=feed(Listing("automations", "automations")),
    columns=columns(
        bigint="id position",
        text="raw_title title url",
        timestamp="created_at updated_at",
        bool="active default",
        json="actions conditions",
    ),
    notes={
        **RULE_NOTES,
        **CONDITION_NOTES,
        "position": "order of execution",
    },
    deletes=LISTED,
    varying=ACTION_VALUES + CONDITION_VALUES,
    family="configuration",
)

SLA_POLICIES = Stream(
    name="sla_policies",
    doc="A service level policy and its targets.",
    feeds=feed(Listing("slas/policies", "sla_policies", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id position",
        text="description title url",
        timestamp="created_at updated_at",
        json="filter metric_settings policy_metrics",
    ),
    plan="Professional and above",
    notes={
        "filter": "{all, any}, lists of {field, operator, value}",
        "metric_settings": "when each metric starts and ends; null unless changed",
        "policy_metrics": "list of {priority, metric, target, business_hours and others}; target in minutes",
        "position": "order in which policies are tried",
    },
    deletes=LISTED,
    varying=("filter.all.value", "filter.any.value"),
    family="configuration",
)

SCHEDULES = Stream(
    name="schedules",
    doc="A schedule of business hours.",
    feeds=feed(SCHEDULE_LIST),
    columns=columns(
        bigint="id",
        text="name time_zone",
        timestamp="created_at updated_at",
        json="intervals",
    ),
    plan="Professional and above",
    notes={
        "intervals": "list of {start_time, end_time}, minutes since Sunday 00:00 local time",
        "time_zone": "Zendesk's name of the zone, not IANA",
    },
    deletes=LISTED,
    family="configuration",
)

SCHEDULE_HOLIDAYS = Stream(
    name="schedule_holidays",
    doc="A holiday of a schedule, on which its business hours do not count.",
    feeds=feed(Below(SCHEDULE_LIST, HOLIDAY_LIST, {"schedule_id": "id"})),
    columns=columns(bigint="schedule_id id", text="name start_date end_date"),
    key=("schedule_id", "id"),
    plan="Professional and above",
    notes={
        "start_date": "first day, as 2026-12-24, in the schedule's time zone",
        "end_date": "last day, itself a holiday",
    },
    links={"schedule_id": "schedules"},
    deletes=LISTED,
    family="configuration",
)

ACCOUNT_ATTRIBUTES = Stream(
    name="account_attributes",
    doc="A skill attribute that routing can match tickets and agents on.",
    feeds=feed(ATTRIBUTE_LIST),
    columns=columns(
        text="id name url",
        timestamp="created_at updated_at",
    ),
    plan="Enterprise",
    notes={
        "id": "UUID",
    },
    deletes=LISTED,
    family="configuration",
)

ATTRIBUTE_DEFINITIONS = Stream(
    name="attribute_definitions",
    doc="A condition that routing rules of the account can use, once per list it stands in.",
    feeds=feed(Listing("routing/attributes/definitions", "definitions", envelope=CONDITION_LISTS)),
    columns=columns(
        text="condition subject title type group",
        bool="nullable repeatable",
        json="operators values",
    ),
    key=("condition", "subject"),
    plan="Enterprise",
    notes={
        "condition": "list the definition stands in: all or any",
        "subject": "what is compared; unique within one condition list",
        "operators": "list of {value, title, terminal}",
        "values": "list of {value, title, enabled}; missing for free input",
    },
    deletes=LISTED,
    varying=("values.value",),
    family="configuration",
)

AUDIT_LOGS = Stream(
    name="audit_logs",
    doc="A change that somebody made to the account or its settings.",
    feeds=feed(AUDIT_LOG_LIST),
    columns=columns(
        bigint="id actor_id source_id",
        text="action action_label actor_name change_description ip_address source_label source_type url",
        timestamp="created_at",
    ),
    cursor="created_at",
    version="created_at",
    fact=True,
    immutable=True,
    plan="Enterprise",
    notes={
        "action": "create, destroy, exported, login or update",
        "action_label": "action in the language of the reader",
        "actor_id": "-1 means Zendesk itself",
        "source_id": "what was changed; source_type says of which kind",
    },
    deletes="Zendesk deletes none.",
    months_of="created_at",
    family="configuration",
)

STREAMS = (
    BRANDS,
    TAGS,
    TICKET_FIELDS,
    TICKET_FORMS,
    USER_FIELDS,
    ORGANIZATION_FIELDS,
    VIEWS,
    MACROS,
    TRIGGERS,
    AUTOMATIONS,
    SLA_POLICIES,
    SCHEDULES,
    SCHEDULE_HOLIDAYS,
    ACCOUNT_ATTRIBUTES,
    ATTRIBUTE_DEFINITIONS,
    AUDIT_LOGS,
)
