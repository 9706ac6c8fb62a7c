"""Who signs in and with what, who has changed which rule, and what was sent elsewhere or approved."""

from __future__ import annotations

from functools import partial

from zendesk_support.api.limits import ACCESS_LOGS as ACCESS_LOGS_LIMIT
from zendesk_support.api.limits import WEBHOOKS as WEBHOOKS_LIMIT
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import Pages
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.since import FilteredListing, iso_window
from zendesk_support.streams.base import HOURLY, LISTED, TOKENS, Stream, columns, feed
from zendesk_support.streams.configuration import TRIGGERS
from zendesk_support.streams.integrations import WEBHOOKS

ACCESS_PAGE = Pages(2500)
REVISION_PAGE = Pages(1000, sized_by="limit")
APPROVAL_PAGE = Pages(sized_by="", after="after_cursor")
ORGANIZATION_LIST = Listing("organizations", "organizations", names=("id",))
on_demand = partial(Stream, family="audit", default_set=None)
"""A stream of this family, which is loaded only where somebody asks for it."""

ACCESS_LOGS = on_demand(
    name="access_logs",
    doc="A request that an agent, an app or a program has made to the account: very many rows.",
    feeds=feed(
        FilteredListing(
            "access_logs",
            "access_logs",
            time="timestamp",
            window=iso_window("filter[start]", "filter[end]"),
            limits=(ACCESS_LOGS_LIMIT,),
            envelope=ACCESS_PAGE,
            params={"filter[graphql]": "true"},
        )
    ),
    columns=columns(
        bigint="bytes_sent status user_id",
        text="id authorization_type category client ip_address method referer summary url",
        timestamp="timestamp",
        json="graphql",
    ),
    cursor="timestamp",
    version="timestamp",
    fact=True,
    immutable=True,
    plan="Advanced Data Privacy and Protection add-on",
    notes={
        "authorization_type": "how it was signed in, such as session or oauth",
        "bytes_sent": "length of the answer, bytes",
        "client": "browser or program",
        "graphql": "{operation_name, operation_type and others}; Zendesk leaves out requests that nobody meant",
        "status": "HTTP status of the answer",
        "url": "path that was asked for",
    },
    deletes="Zendesk forgets them after 90 days; rows stay.",
    forgotten=True,
    appears_by="timestamp",
    months_of="timestamp",
)

OAUTH_CLIENTS = on_demand(
    name="oauth_clients",
    doc="A program that may ask for OAuth tokens of the account; its secret is left out.",
    feeds=feed(Listing("oauth/clients", "clients", secrets=TOKENS)),
    columns=columns(
        bigint="id user_id",
        text="company description identifier kind logo_url name url",
        timestamp="created_at updated_at",
        bool="global",
        json="redirect_uri",
    ),
    notes={
        "global": "it may be used with other accounts",
        "identifier": "what the program calls itself: client_id of its requests",
        "kind": "public or confidential",
        "redirect_uri": "list of the URLs that a sign-in may lead to",
        "user_id": "the admin who made it",
    },
    deletes=LISTED,
)

OAUTH_TOKENS = on_demand(
    name="oauth_tokens",
    doc="An OAuth token of somebody in the account, and when it was last used; the token itself is left out.",
    feeds=feed(Listing("oauth/tokens", "tokens", params={"all": "true"}, secrets=TOKENS)),
    columns=columns(
        bigint="id client_id user_id",
        text="url",
        timestamp="created_at expires_at refresh_token_expires_at used_at",
        json="scopes",
    ),
    notes={
        "expires_at": "null means never",
        "scopes": "list such as read, or tickets:read",
        "used_at": "when it was last used",
        "user_id": "whose it is",
    },
    links={"client_id": "oauth_clients"},
    deletes=LISTED,
    every=HOURLY,
)

SESSIONS = on_demand(
    name="sessions",
    doc="A sign-in that has not ended.",
    feeds=feed(Listing("sessions", "sessions")),
    columns=columns(
        bigint="id user_id",
        text="url",
        timestamp="authenticated_at last_seen_at",
    ),
    notes={
        "authenticated_at": "when it began",
        "last_seen_at": "about; not every request moves it",
    },
    deletes=LISTED,
    appears_by="authenticated_at",
)

TRIGGER_REVISIONS = on_demand(
    name="trigger_revisions",
    doc="A version of a trigger, and who made it.",
    feeds=feed(
        Below(
            TRIGGERS.feeds[0].endpoint,
            Listing("triggers/{id}/revisions", "trigger_revisions", envelope=REVISION_PAGE),
            {"trigger_id": "id"},
            is_fixed=True,
        )
    ),
    columns=columns(
        bigint="trigger_id id author_id",
        text="url",
        timestamp="created_at",
        json="diff snapshot",
    ),
    key=("trigger_id", "id"),
    plan="Enterprise",
    notes={
        "author_id": "who made this version; -1 means Zendesk itself",
        "diff": "{title, active, description, actions, conditions} of what it has changed, {source_id, target_id}",
        "snapshot": "{title, active, description, actions, conditions} as they were then",
    },
    links={"trigger_id": "triggers"},
    deletes="Removed with its trigger.",
    varying=(
        "snapshot.actions.value",
        "snapshot.conditions.all.value",
        "snapshot.conditions.any.value",
        *(f"diff.{name}" for name in ("actions", "active", "conditions", "description", "title")),
    ),
)

WEBHOOK_INVOCATIONS = on_demand(
    name="webhook_invocations",
    doc="A time that a webhook was sent, with its latest outcome.",
    feeds=feed(
        Below(
            WEBHOOKS.feeds[0].endpoint,
            Listing("webhooks/{id}/invocations", "invocations", limits=(WEBHOOKS_LIMIT,)),
            {"webhook_id": "id"},
        )
    ),
    columns=columns(
        bigint="status_code",
        text="webhook_id id status",
        timestamp="latest_completed_at",
    ),
    key=("webhook_id", "id"),
    notes={
        "id": "ULID",
        "latest_completed_at": "end of the last attempt",
        "status": "success, failed, terminated, circuit broken, throttled and others",
        "status_code": "HTTP status of the last answer; null where there was none",
        "webhook_id": "webhooks.id",
    },
    links={"webhook_id": "webhooks"},
    deletes="Zendesk forgets them after some days; rows stay.",
    keeps=True,
    appears_by="latest_completed_at",
)

ORGANIZATION_MERGES = on_demand(
    name="organization_merges",
    doc="A merge of an organization into another. Each sync asks every organization: not for accounts with many.",
    feeds=feed(
        Below(
            ORGANIZATION_LIST,
            Listing("organizations/{id}/merges", "organization_merges"),
            {"winner_id": "id"},
            is_shared_out=True,
        )
    ),
    columns=columns(
        bigint="loser_id winner_id",
        text="id status url",
    ),
    notes={
        "id": "ULID",
        "loser_id": "the organization that is gone",
        "status": "new, in_progress, error or complete",
        "winner_id": "the organization that has all of it now",
    },
    links={"winner_id": "organizations"},
    deletes="Not listed once the winner is deleted; rows stay.",
    keeps=True,
)

APPROVAL_REQUESTS = on_demand(
    name="approval_requests",
    doc="A request to somebody to approve what a ticket asks for.",
    feeds=feed(Listing("approval_requests", "approval_requests", envelope=APPROVAL_PAGE)),
    columns=columns(
        bigint="ticket_id",
        text="id message origination_type status subject withdrawn_reason",
        timestamp="created_at decided_at",
        json="assignee_group assignee_user clarification_flow_messages created_by_user decisions",
    ),
    plan="approvals",
    notes={
        "assignee_group": "{id, name}; null where one user is asked",
        "assignee_user": "{id, name}; null where a group is asked",
        "clarification_flow_messages": "list of {id, message, author, created_at}",
        "decisions": "list of {status, decision_notes, decided_by_user, decided_at, origination_type}",
        "id": "ULID",
        "origination_type": "where it was made, such as UI_ORIGINATION",
        "status": "active, approved, rejected or withdrawn",
    },
    deletes=LISTED,
    every=HOURLY,
)

ITAM_ASSETS = on_demand(
    name="itam_assets",
    doc="A device or another asset that the company keeps account of.",
    feeds=feed(Listing("it_asset_management/assets", "assets")),
    columns=columns(
        bigint="organization_id user_id",
        text="""
            id asset_tag asset_type_id external_id location_id manufacturer model name notes purchase_date serial_number
            status_id url vendor warranty_expiration
        """,
        timestamp="created_at updated_at",
        double="purchase_cost",
        json="custom_field_values",
    ),
    plan="IT asset management",
    notes={
        "asset_type_id": "type of asset, such as laptop; types are not loaded",
        "custom_field_values": "{key of a field: value}",
        "external_id": "id in your own system",
        "id": "ULID",
        "purchase_date": "as 2026-12-24",
        "user_id": "who has it",
        "warranty_expiration": "as 2026-12-24",
    },
    deletes=LISTED,
    every=HOURLY,
)

STREAMS = (
    ACCESS_LOGS,
    OAUTH_CLIENTS,
    OAUTH_TOKENS,
    SESSIONS,
    TRIGGER_REVISIONS,
    WEBHOOK_INVOCATIONS,
    ORGANIZATION_MERGES,
    APPROVAL_REQUESTS,
    ITAM_ASSETS,
)
