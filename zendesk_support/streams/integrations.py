"""What connects the account with other systems."""

from __future__ import annotations

from zendesk_support.api.limits import WEBHOOKS as WEBHOOKS_LIST
from zendesk_support.reading.envelopes import ONE_ANSWER, AfterLastRow
from zendesk_support.reading.lists import Listing
from zendesk_support.streams.base import HOURLY, LISTED, Stream, columns, feed

LOGINS = ("token", "secret", "password", "username", "api_token")
"""What targets log in with; which of them a target has depends on its type."""
OF_WEBHOOKS = ("authentication.data", "custom_headers", "signing_secret")
AS_ENTERED = "as it was entered, with whatever key stands in it"


WEBHOOKS = Stream(
    name="webhooks",
    doc="A request that Zendesk sends elsewhere when something happens; what it logs in with is left out.",
    feeds=feed(Listing("webhooks", "webhooks", limits=(WEBHOOKS_LIST,), names=("id",), secrets=OF_WEBHOOKS)),
    columns=columns(
        text="id created_by description endpoint http_method name request_format status updated_by",
        timestamp="created_at updated_at",
        json="authentication external_source subscriptions",
    ),
    notes={
        "id": "ULID",
        "authentication": "{type, add_position}",
        "created_by": "user id as a string; -1 means Zendesk itself",
        "endpoint": f"URL it is sent to, {AS_ENTERED}",
        "external_source": "{type, data} of what made it, such as an app",
        "http_method": "GET, POST, PUT, PATCH or DELETE",
        "request_format": "json, xml or form_encoded",
        "status": "active or inactive",
        "subscriptions": "list of events; conditional_ticket_events where triggers and automations send it",
        "updated_by": "user id as a string; missing until the first change, as updated_at is",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

TARGETS = Stream(
    name="targets",
    doc="A place that triggers and automations can notify, older than webhooks; what it logs in with is left out.",
    feeds=feed(Listing("targets", "targets", envelope=ONE_ANSWER, secrets=LOGINS)),
    columns=columns(
        bigint="id",
        text="attribute content_type email method subject target_url title type url",
        timestamp="created_at",
        bool="active",
    ),
    notes={
        "active": "false means switched off, not deleted",
        "attribute": "parameter that has the message; url_target only",
        "content_type": "such as application/json; url_target_v2 and http_target only",
        "email": "address it writes to; email_target only",
        "method": "get, post, put, patch or delete",
        "subject": "of its mails; email_target only",
        "target_url": f"URL it is sent to, {AS_ENTERED}",
        "type": "email_target, url_target_v2, http_target and others; each has columns of its own",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

APP_INSTALLATIONS = Stream(
    name="app_installations",
    doc="An app that is installed in the account; its settings are left out.",
    feeds=feed(
        Listing("apps/installations", "installations", envelope=ONE_ANSWER, secrets=("settings", "settings_objects"))
    ),
    columns=columns(
        bigint="id app_id",
        text="product stripe_account stripe_publishable_key stripe_subscription_id updated",
        timestamp="created_at updated_at",
        bool="""
            collapsible enabled has_incomplete_subscription has_unpaid_subscription paid recurring_payment
        """,
        json="group_restrictions plan_information role_restrictions",
    ),
    notes={
        "app_id": "id in Zendesk's marketplace, or of an own app",
        "enabled": "false means switched off, not removed",
        "group_restrictions": "groups that may use it; an empty list means no limit",
        "plan_information": "{name} of the app's plan",
        "product": "where it runs, such as support",
        "role_restrictions": "custom roles that may use it; null means no limit",
        "stripe_publishable_key": "public by design",
        "updated": "such as 20240513225436; updated_at is a time",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

RESOURCE_COLLECTIONS = Stream(
    name="resource_collections",
    doc="Fields, triggers, targets and others that were made together, as by an app.",
    feeds=feed(Listing("resource_collections", "resource_collections")),
    columns=columns(
        bigint="id",
        timestamp="created_at updated_at",
        json="resources",
    ),
    notes={
        "resources": "list of {type, resource_id, identifier, deleted}",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
)

JIRA_LINKS = Stream(
    name="jira_links",
    doc="A link between a ticket and an issue in Jira.",
    feeds=feed(Listing("jira/links", "links", envelope=AfterLastRow(1000))),
    columns=columns(
        bigint="id",
        text="issue_id issue_key ticket_id url",
        timestamp="created_at updated_at",
    ),
    plan="integration with Jira",
    notes={
        "issue_id": "Jira's id of the issue, a string",
        "issue_key": "such as ABC-123",
        "ticket_id": "a string in Zendesk, unlike in other streams",
    },
    deletes=LISTED,
    family="configuration",
    default_set=None,
    every=HOURLY,
)

SHARING_AGREEMENTS = Stream(
    name="sharing_agreements",
    doc="An agreement with another account to share tickets.",
    feeds=feed(Listing("sharing_agreements", "sharing_agreements", envelope=ONE_ANSWER)),
    columns=columns(
        bigint="id",
        text="name partner_name remote_subdomain status type url",
        timestamp="created_at updated_at",
    ),
    notes={
        "partner_name": "jira, or null for another Zendesk account",
        "remote_subdomain": "of the other account; null where there is none",
        "status": "accepted, declined, pending, inactive, failed, ssl_error or configuration_error",
        "type": "inbound (the other account shares) or outbound",
    },
    deletes=LISTED,
    family="configuration",
    default_set=2,
)

STREAMS = (
    WEBHOOKS,
    TARGETS,
    APP_INSTALLATIONS,
    RESOURCE_COLLECTIONS,
    JIRA_LINKS,
    SHARING_AGREEMENTS,
)
