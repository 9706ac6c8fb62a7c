"""How the account is set up."""

from __future__ import annotations

from zendesk_support.kinds import Listing
from zendesk_support.streams.base import LISTED, Stream, columns, feed

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
    deletes="The row stays: `is_deleted` turns true.",
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
    notes={
        "name": "only the 20,000 most popular are listed",
    },
    deletes=LISTED,
)

TICKET_FIELDS = Stream(
    name="ticket_fields",
    doc="A field of tickets, built in or custom.",
    feeds=feed(Listing("ticket_fields", "ticket_fields")),
    columns=columns(
        bigint="id creator_user_id position sub_type_id",
        text="""
            agent_description creator_app_name description key raw_description raw_title raw_title_in_portal
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
        "relationship_filter": "which records a lookup field offers",
        "relationship_target_type": "what a lookup field points to, such as zen:user",
        "removable": "false: built in, on every ticket",
        "required": "needed to solve a ticket",
        "sub_type_id": "1: priority lacks Low and Urgent, status has On-hold",
        "system_field_options": "choices of built-in type, priority and status",
        "tag": "tag that a ticked checkbox adds",
    },
    deletes=LISTED,
)

TICKET_FORMS = Stream(
    name="ticket_forms",
    doc="A form that decides which fields a ticket shows.",
    feeds=feed(Listing("ticket_forms", "ticket_forms", paged=False)),
    columns=columns(
        bigint="id position",
        text="display_name form_type name raw_display_name raw_name url",
        timestamp="created_at deleted_at updated_at",
        bool="active default end_user_visible in_all_brands",
        json="agent_conditions end_user_conditions restricted_brand_ids ticket_field_ids",
    ),
    plan="Growth, Professional and above",
    notes={
        "active": "false means switched off, not deleted",
        "agent_conditions": "which fields agents see, by value of another field",
        "deleted_at": "set once the form is deleted",
        "end_user_conditions": "which fields end users see, by value of another field",
        "form_type": "such as standard",
        "restricted_brand_ids": "brands that may use it, unless in_all_brands",
        "ticket_field_ids": "in the order of display",
    },
    deletes=LISTED,
)

USER_FIELDS = Stream(
    name="user_fields",
    doc="A custom field of users.",
    feeds=feed(Listing("user_fields", "user_fields")),
    columns=columns(
        bigint="id position",
        text="""
            description key raw_description raw_title regexp_for_validation relationship_target_type tag title type url
        """,
        timestamp="created_at updated_at",
        bool="active system",
        json="custom_field_options relationship_filter",
    ),
    notes={
        "custom_field_options": "list of {id, name, raw_name, value}; dropdown fields only",
        "key": "name of the field in users.user_fields",
        "relationship_filter": "which records a lookup field offers",
        "relationship_target_type": "what a lookup field points to, such as zen:user",
        "tag": "tag that a ticked checkbox adds",
    },
    deletes=LISTED,
)

SLA_POLICIES = Stream(
    name="sla_policies",
    doc="A service level policy and its targets.",
    feeds=feed(Listing("slas/policies", "sla_policies", paged=False)),
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
)

SCHEDULES = Stream(
    name="schedules",
    doc="A schedule of business hours.",
    feeds=feed(Listing("business_hours/schedules", "schedules", paged=False)),
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
)

STREAMS = (
    BRANDS,
    TAGS,
    TICKET_FIELDS,
    TICKET_FORMS,
    USER_FIELDS,
    SLA_POLICIES,
    SCHEDULES,
)
