"""Requests that people made, programs that may sign in, approvals, assets and merges: how their rows are made."""

from __future__ import annotations

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.configuration.secrets import planted

DAY = 86_400
KEPT = 90 * DAY
"""Seconds for which the account remembers a request."""
_PATHS = ("/agent/tickets", "/api/v2/tickets.json", "/admin/people/team", "/graphql", "/api/v2/users/me.json")
_NOISE = 3
"""The path of requests that nobody meant."""
UNKNOWN = 100_000
"""A number beyond those of the organizations that are there."""


def logged_at(world: World, rid: int) -> int:
    """Return when one of the first requests was made: in the last 80 days, several in some seconds."""
    number, count = world.number("access_logs", rid), max(1, world.sizes["access_logs"])
    return world.start - 80 * DAY + number // 3 * (80 * DAY - 3600) // max(1, (count + 2) // 3)


def access_log(world: World, rid: int) -> Row:
    """Make one of the first requests."""
    return make_access_log(world, rid, logged_at(world, rid))


def make_access_log(world: World, rid: int, moment: int) -> Row:
    """Make a request of an agent."""
    value = world.mix(rid, 150)
    path = value % len(_PATHS)
    made = {"operation_name": "poll", "operation_type": "query"} if path == _NOISE else None
    return {
        "id": world.ulid(rid, moment),
        "user_id": world.agent(rid, 151),
        "timestamp": iso(moment),
        "method": "POST" if path == _NOISE else "GET",
        "url": _PATHS[path],
        "status": (200, 200, 200, 304, 404)[value // 7 % 5],
        "bytes_sent": value // 35 % 90_000,
        "ip_address": f"192.0.2.{value % 250 + 1}",
        "client": "Mozilla/5.0 (X11; Linux x86_64)" if value % 3 else "program/1.0",
        "authorization_type": "session" if value % 3 else "oauth",
        "category": "graphql" if path == _NOISE else "api",
        "referer": None if value % 4 else "https://simulator.zendesk.com/agent?a=1&b=2",
        "summary": f"Looked at {world.words(rid, 152, 2)}",
        "graphql": made,
    }


def is_meant(row: Row) -> bool:
    """Tell whether somebody meant a request."""
    return row["graphql"] is None


def oauth_client(world: World, rid: int) -> Row:
    """Make a program that may ask for tokens."""
    number, value, row = world.setting("oauth_clients", rid, "oauth/clients")
    return {
        **row,
        "url": f"{HOST}/api/v2/oauth/clients/{rid}.json",
        "user_id": world.rid("users", 0),
        "name": f"Program {world.words(number, 153, 1)} & {number}",
        "identifier": f"program_{number}",
        "company": "Example",
        "description": "" if value % 2 else world.words(number, 154, 4),
        "kind": "public" if value % 3 == 0 else "confidential",
        "logo_url": None,
        "global": False,
        "redirect_uri": [f"https://example.com/callback?n={number}"][: value % 2],
    }


def client_with_secret(store: Store, rid: int) -> Row:
    """Return a program as it is listed."""
    secret = planted("client-secret", store.world.number("oauth_clients", rid))
    return {**store.tables["oauth_clients"].get(rid), "secret": secret}


def oauth_token(world: World, rid: int) -> Row:
    """Make a token; most of them end, and some were never used."""
    number, value, row = world.setting("oauth_tokens", rid, "oauth/tokens")
    created, used = unix(row["created_at"]), unix(row["updated_at"])
    del row["updated_at"]
    return {
        **row,
        "client_id": world.pick(number, 155, "oauth_clients"),
        "user_id": world.agent(number, 156),
        "expires_at": None if value % 4 == 0 else iso(created + 700 * DAY),
        "refresh_token_expires_at": None if value % 2 else iso(created + 790 * DAY),
        "used_at": None if value % 5 == 0 else iso(used),
        "scopes": ["read"] if value % 3 else ["tickets:read", "users:read"],
    }


def token_with_secrets(store: Store, rid: int) -> Row:
    """Return a token as it is listed: with its beginning."""
    number = store.world.number("oauth_tokens", rid)
    row = {**store.tables["oauth_tokens"].get(rid), "token": planted("token", number)}
    return {**row, "refresh_token": planted("refresh-token", number)} if number % 2 else row


def session(world: World, rid: int) -> Row:
    """Make a sign-in of an agent that has not ended."""
    number = world.number("sessions", rid)
    user, value = world.agent(number, 157), world.mix(rid, 158)
    began = world.start - value % (14 * DAY) - 3600
    return {
        "id": rid,
        "url": f"{HOST}/api/v2/users/{user}/sessions/{rid}.json",
        "user_id": user,
        "authenticated_at": iso(began),
        "last_seen_at": iso(min(began + value % DAY, world.start - 600)),
    }


def organization_merge(world: World, rid: int) -> Row:
    """Make a merge of two organizations; the loser of one that is under way is still there."""
    number = world.number("organization_merges", rid)
    winner, under_way = number * 3 % max(1, world.sizes["organizations"]), number % 4 == 1
    loser = (winner + 1) % max(1, world.sizes["organizations"]) if under_way else UNKNOWN + number
    ident = world.ulid(rid, world.start - (number + 1) * DAY)
    return {
        "id": ident,
        "url": f"{HOST}/api/v2/organization_merges/{ident}.json",
        "winner_id": world.rid("organizations", winner),
        "loser_id": world.rid("organizations", loser),
        "status": "in_progress" if under_way else "complete",
    }


def approval_request(world: World, rid: int) -> Row:
    """Make a request to approve what a ticket asks for, of one user or of a group."""
    number, value = world.number("approval_requests", rid), world.mix(rid, 159)
    created = world.start - (number + 1) * 5 * 3600
    decided = iso(created + 1800 + value % 3000) if value % 3 == 0 else None
    asker, asked = (world.agent(number, salt) for salt in (160, 161))
    of_user = {"assignee_user": {"id": asked, "name": f"Agent {asked % 1000}"}}
    of_group = {"assignee_group": {"id": world.pick(number, 162, "groups"), "name": "Approvers"}}
    decision = {
        "decided_at": decided,
        "decided_by_user": {"id": asked, "name": f"Agent {asked % 1000}", "photo": {"content_url": None}},
        "decision_notes": None,
        "origination_type": "UI_ORIGINATION",
        "status": "approved",
    }
    return {
        "id": world.ulid(rid, created),
        "ticket_id": 1 + value % max(1, world.tickets),
        "subject": f"Purchase of {world.words(number, 163, 2)}",
        "message": world.words(number, 164, 6),
        "status": "approved" if decided else "active",
        "origination_type": "API_ORIGINATION",
        "withdrawn_reason": None,
        "created_at": iso(created),
        "decided_at": decided,
        "created_by_user": {"id": asker, "name": f"Agent {asker % 1000}", "photo": {"content_url": None}},
        "decisions": [decision] if decided else [],
        "clarification_flow_messages": [],
        **(of_user if number % 2 else of_group),
    }


def itam_asset(world: World, rid: int) -> Row:
    """Make an asset that an agent has, or nobody."""
    number, value, row = world.setting("itam_assets", rid, "it_asset_management/assets")
    ident = world.ulid(rid, unix(row["created_at"]))
    return {
        **row,
        "url": f"{HOST}/api/v2/it_asset_management/assets/{ident}.json",
        "id": ident,
        "name": f"Laptop {number} of <{world.words(number, 165, 1)}>",
        "asset_tag": f"A-{number:04}" if value % 2 else None,
        "asset_type_id": world.ulid(world.rid("itam_assets", 0), world.first),
        "status_id": world.ulid(world.rid("itam_assets", 1), world.first),
        "location_id": None,
        "external_id": None,
        "manufacturer": "Example",
        "model": f"X{value % 9}",
        "vendor": None,
        "serial_number": f"{value:X}"[:10],
        "notes": None if value % 3 else world.words(number, 166, 4),
        "purchase_cost": None if value % 4 == 0 else value % 200_000 / 100,
        "purchase_date": "2025-03-14",
        "warranty_expiration": None if value % 2 else "2028-03-14",
        "organization_id": None,
        "user_id": world.agent(number, 167) if value % 3 else None,
        "custom_field_values": {"color": "black", "screens": value % 3, "leased": value % 2 == 0},
    }
