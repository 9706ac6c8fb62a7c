"""Users, organizations, groups and who belongs where."""

from __future__ import annotations

from zendesk_support.api.limits import ACCOUNT, USERS_EXPORT
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.streams.base import HOURLY, LISTED, Stream, columns, feed
from zendesk_support.streams.transforms import REMOVE_IDENTITIES, identities

USER_EXPORT = CursorExport(
    "incremental/users/cursor",
    "users",
    time="updated_at",
    params={"include": "identities"},
    limits=(ACCOUNT, USERS_EXPORT),
    side="identities",
)
ROLE_NOTES = {"role_type": "0 custom, 1 light, 2 chat, 3 contributor, 4 admin, 5 billing"}


USERS = Stream(
    name="users",
    doc="An end user, agent or admin, deleted ones included.",
    feeds=feed(USER_EXPORT),
    columns=columns(
        bigint="id custom_role_id default_group_id locale_id organization_id role_type",
        text="""
            alias details email external_id iana_time_zone locale name notes phone role signature ticket_restriction
            time_zone url
        """,
        timestamp="created_at last_active last_login_at updated_at",
        bool="""
            active chat_only is_billing_admin moderator only_private_comments permanently_deleted report_csv
            restricted_agent shared shared_agent shared_phone_number suspended two_factor_auth_enabled verified
        """,
        json="photo separation suspension_details tags user_fields",
    ),
    cursor="updated_at",
    version="updated_at",
    notes={
        "active": "false once the user is deleted",
        "external_id": "id in your own system; upper and lower case are equal",
        "last_active": "last time of activity; in recorded answers, not in the documentation",
        "last_login_at": "last sign-in or API token use; moves updated_at too",
        "organization_id": "the default one of the user's organizations",
        "permanently_deleted": "true once the personal data is erased",
        "phone": "primary number",
        "photo": "attachment object",
        "report_csv": "no effect; may be deprecated",
        "restricted_agent": "agent without access to everything",
        **ROLE_NOTES,
        "separation": "{scope, brand_id}; only where users are separated by brand",
        "shared": "comes from another Zendesk account",
        "suspension_details": "{channels} the user is suspended on",
        "ticket_restriction": "tickets within reach: organization, groups, assigned, requested; null is all",
        "time_zone": "may be Zendesk's own name; iana_time_zone is the standard one",
        "user_fields": "custom field values by key",
        "verified": "at least one identity is verified",
    },
    deletes="The row stays: `active` turns false; a permanent deletion blanks name, e-mail and phone.",
    counts=("users/count?brand_id=all", "deleted_users/count"),
    months_of="created_at",
)

USER_IDENTITIES = Stream(
    name="user_identities",
    doc="An email address, phone number or account by which a user is known.",
    feeds=feed(USER_EXPORT, identities, REMOVE_IDENTITIES),
    columns=columns(
        bigint="id brand_id undeliverable_count user_id",
        text="deliverable_state type url value verification_method",
        timestamp="created_at updated_at verified_at",
        bool="primary verified",
    ),
    cursor="updated_at",
    version="updated_at",
    notes={
        "brand_id": "only where users are separated by brand",
        "deliverable_state": "whether email reaches it; email identities only",
        "type": "email, phone_number, google, twitter and others",
        "undeliverable_count": "soft bounces so far",
        "value": "the address, number or account itself",
        "verified": "deprecated in favour of verification_method",
    },
    deletes="Removed once the user no longer has it.",
    months_of="created_at",
)

ORGANIZATIONS = Stream(
    name="organizations",
    doc="An organization that end users belong to.",
    feeds=feed(TimeExport("incremental/organizations", "organizations", time="updated_at")),
    columns=columns(
        bigint="id group_id",
        text="details external_id name notes url",
        timestamp="created_at deleted_at updated_at",
        bool="shared_comments shared_tickets",
        json="domain_names organization_fields tags",
    ),
    cursor="updated_at",
    version="updated_at",
    notes={
        "deleted_at": "set once the organization is deleted",
        "external_id": "id in your own system; upper and lower case are equal",
        "group_id": "group that new tickets of its users go to",
        "organization_fields": "custom field values by key",
    },
    deletes="The row stays with `deleted_at` filled.",
    counts=("organizations/count",),
    uncounted="deleted_at",
    months_of="created_at",
    every="5m",
)

GROUPS = Stream(
    name="groups",
    doc="A group of agents.",
    feeds=feed(Listing("groups", "groups", params={"exclude_deleted": "false"})),
    columns=columns(
        bigint="id",
        text="description name url",
        timestamp="created_at updated_at",
        bool="default deleted is_public",
    ),
    notes={
        "deleted": "true once the group is deleted",
        "is_public": "false: private group",
    },
    deletes="The row stays: `deleted` turns true.",
)

GROUP_MEMBERSHIPS = Stream(
    name="group_memberships",
    doc="An agent's place in a group.",
    feeds=feed(Listing("group_memberships", "group_memberships")),
    columns=columns(
        bigint="id group_id user_id",
        text="url",
        timestamp="created_at updated_at",
        bool="default",
    ),
    notes={
        "default": "the agent's default group",
    },
    deletes=LISTED,
    every=HOURLY,
)

ORGANIZATION_MEMBERSHIPS = Stream(
    name="organization_memberships",
    doc="A user's place in an organization.",
    feeds=feed(Listing("organization_memberships", "organization_memberships")),
    columns=columns(
        bigint="id organization_id user_id",
        text="organization_name url",
        timestamp="created_at updated_at",
        bool="default view_tickets",
    ),
    notes={
        "default": "the user's default organization; otherwise null or false",
        "view_tickets": "the user may see all tickets of the organization",
    },
    deletes=LISTED,
    months_of="created_at",
    every=HOURLY,
)

CUSTOM_ROLES = Stream(
    name="custom_roles",
    doc="A role that agents of the account can have.",
    feeds=feed(Listing("custom_roles", "custom_roles", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id role_type team_member_count",
        text="description name",
        timestamp="created_at updated_at",
        json="configuration",
    ),
    plan="Enterprise",
    notes={
        "configuration": "permissions by name",
        **ROLE_NOTES,
    },
    deletes=LISTED,
)

BRAND_AGENTS = Stream(
    name="brand_agents",
    doc="An agent's place in a brand.",
    feeds=feed(Listing("brand_agents", "brand_agents")),
    columns=columns(
        bigint="brand_id user_id",
        text="id url",
        timestamp="created_at updated_at",
    ),
    plan="several brands",
    notes={
        "id": "a string in Zendesk",
    },
    deletes=LISTED,
    default_set=None,
    every=HOURLY,
)

ORGANIZATION_SUBSCRIPTIONS = Stream(
    name="organization_subscriptions",
    doc="A user's wish to be told of all tickets of an organization.",
    feeds=feed(Listing("organization_subscriptions", "organization_subscriptions")),
    columns=columns(
        bigint="id organization_id user_id",
        timestamp="created_at",
    ),
    deletes=LISTED,
    default_set=None,
    every=HOURLY,
)

DELETED_USERS = Stream(
    name="deleted_users",
    doc="A user that was deleted, or whose personal data was erased after that.",
    feeds=feed(Listing("deleted_users", "deleted_users")),
    columns=columns(
        bigint="id locale_id organization_id",
        text="email locale name phone role time_zone url",
        timestamp="created_at updated_at",
        bool="active shared_phone_number",
        json="photo separation",
    ),
    notes={
        "active": "always false",
        "email": "null once the personal data is erased, as phone is",
        "name": "Permanently Deleted User once the personal data is erased",
        "photo": "attachment object",
        "separation": "{scope, brand_id}; only where users are separated by brand",
        "shared_phone_number": "as on users, where it is a boolean; documented as a string",
        "time_zone": "Zendesk's own name of it",
    },
    deletes=LISTED,
    counts=("deleted_users/count",),
    appears_by="updated_at",
    months_of="created_at",
    default_set=None,
    every=HOURLY,
)

STREAMS = (
    USERS,
    USER_IDENTITIES,
    ORGANIZATIONS,
    GROUPS,
    GROUP_MEMBERSHIPS,
    ORGANIZATION_MEMBERSHIPS,
    CUSTOM_ROLES,
    BRAND_AGENTS,
    ORGANIZATION_SUBSCRIPTIONS,
    DELETED_USERS,
)
