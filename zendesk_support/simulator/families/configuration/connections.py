"""What an account is connected to: targets, webhooks, apps, their resources, Jira, and other accounts."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.configuration.secrets import planted
from zendesk_support.simulator.families.tickets.facts import created_at, is_deleted

_TARGETS: tuple[tuple[str, dict[str, str], tuple[str, ...]], ...] = (
    ("email_target", {"email": "ops@example.com", "subject": "News of {{ticket.id}} & more"}, ()),
    (
        "http_target",
        {"target_url": "https://hooks.example.com/in?a=1&b=2", "method": "post", "content_type": "application/json"},
        ("username", "password"),
    ),
    (
        "basecamp_target",
        {"target_url": "https://example.com/basecamp", "project_id": "17", "resource": "todo"},
        ("token", "username", "password"),
    ),
    (
        "url_target_v2",
        {"target_url": "https://hooks.example.com/{{ticket.id}}", "method": "get", "attribute": "value"},
        ("username", "password"),
    ),
    ("twitter_target", {}, ("token", "secret")),
    ("flowdock_target", {}, ("api_token",)),
)
"""Types, what they have besides, and which of it is secret."""


def target(world: World, rid: int) -> Row:
    """Make a target; what it has depends on its type."""
    number, value, row = world.setting("targets", rid, "targets")
    del row["updated_at"]
    kind, more, _ = _TARGETS[number % len(_TARGETS)]
    return {**row, "type": kind, "title": f"{world.words(number, 79, 2)} {number}", "active": value % 4 != 0, **more}


def target_with_secrets(store: Store, rid: int) -> Row:
    """Return a target as it is listed."""
    row, number = store.tables["targets"].get(rid), store.world.number("targets", rid)
    names = next(names for kind, _, names in _TARGETS if kind == row["type"])
    return {**row, **{name: planted(f"target-{name}", number) for name in names}}


def webhook(world: World, rid: int) -> Row:
    """Make a webhook; its id is a ULID, and who made it is a text."""
    number, value, row = world.setting("webhooks", rid, "webhooks")
    by_app, changed = value % 5 == 0, value % 3 == 0
    made: Row = {
        "id": world.ulid(rid, unix(row["created_at"])),
        "name": f"Hook {world.words(number, 80, 2)} {number}",
        "status": "active" if value % 4 else "inactive",
        "subscriptions": ["conditional_ticket_events"] if number % 2 else ["zen:event-type:user.created"],
        "created_at": row["created_at"],
        "created_by": str(world.rid("users", 0)),
        "endpoint": f"https://hooks.example.com/{number}?a=1&b=2",
        "http_method": "POST" if number % 2 == 0 else "PUT",
        "request_format": "json",
    }
    if value % 2:
        made["description"] = world.words(number, 81, 4)
    if number % 3 != 2:
        kind = ("basic_auth", "bearer_token", "api_key")[number // 3 % 3]
        made["authentication"] = {"type": kind, "add_position": "header"}
    if by_app:
        made["external_source"] = {"type": "zis", "data": {"app_id": str(number)}}
    return {**made, **({"updated_at": row["updated_at"], "updated_by": made["created_by"]} if changed else {})}


def webhook_with_secrets(store: Store, rid: int) -> Row:
    """Return a webhook as it is listed."""
    row, number = store.tables["webhooks"].get(rid), store.world.number("webhooks", rid)
    secret = planted("webhook", number)
    more: Row = {"custom_headers": {"X-Key": secret}} if number % 2 == 0 else {}
    if number % 4 == 1:
        more["signing_secret"] = {"algorithm": "SHA256", "secret": secret}
    if "authentication" in row:
        kind = row["authentication"]["type"]
        data = {"basic_auth": {"username": secret}, "api_key": {"name": "X-Key", "value": secret}}
        more["authentication"] = {**row["authentication"], "data": data.get(kind, {"token": secret})}
    return {**row, **more}


def edit_webhook(change: Change, row: Row) -> None:
    """Alter a webhook, which then tells who did it."""
    change.alter_text(row)
    row |= {"updated_at": iso(change.now), "updated_by": row["created_by"]}


def app_installation(world: World, rid: int) -> Row:
    """Make an installed app."""
    number, value, row = world.setting("app_installations", rid, "apps/installations")
    del row["url"]
    return {
        **row,
        "app_id": 100 + number * 17,
        "product": "support",
        "enabled": value % 4 != 0,
        "updated": _digits(row["updated_at"]),
        "role_restrictions": None if value % 3 else [world.rid("custom_roles", 0)],
        "group_restrictions": [] if value % 2 else [world.pick(number, 82, "groups")],
        "recurring_payment": False,
        "collapsible": True,
        "plan_information": {"name": None},
        "paid": False,
        "has_unpaid_subscription": False,
        "has_incomplete_subscription": False,
        "stripe_publishable_key": None,
        "stripe_account": None,
    }


def _digits(time: str) -> str:
    return "".join(each for each in time if each.isdigit())


def installation_with_settings(store: Store, rid: int) -> Row:
    """Return an installed app as it is listed."""
    number = store.world.number("app_installations", rid)
    values = {"title": f"App {number}", "name": f"App {number}", "api_key": planted("app", number)}
    objects = [{"name": name, "value": value} for name, value in values.items()]
    return {**store.tables["app_installations"].get(rid), "settings": values, "settings_objects": objects}


def switch(change: Change, row: Row) -> None:
    """Enable or disable an installed app."""
    row |= {"enabled": not row["enabled"], "updated": _digits(iso(change.now))}


def resource_collection(world: World, rid: int) -> Row:
    """Make the resources that an app has brought along."""
    number, value, row = world.setting("resource_collections", rid, "resource_collections")
    del row["url"]
    kinds = ("triggers", "targets", "ticket_fields")[: 1 + value % 3]
    return {
        **row,
        "resources": [
            {
                "identifier": f"{kind.removesuffix('s')}_{number}",
                "resource_id": world.pick(number, 83, kind),
                "type": kind,
                "deleted": False,
            }
            for kind in kinds
        ],
    }


def delete_resource(change: Change, row: Row) -> None:
    """Have one of the resources deleted, or back."""
    row["resources"][0]["deleted"] = not row["resources"][0]["deleted"]


def jira_link(world: World, rid: int) -> Row:
    """Make the link of a ticket to a Jira issue; both ids are texts."""
    number = world.number("jira_links", rid)
    ticket, issue = _linked(world, number), 10_000 + number // 2
    created = min(created_at(world, ticket) + 600 + world.mix(number, 84) % 86_400, world.start - 300)
    return {
        "id": rid,
        "ticket_id": str(ticket),
        "issue_id": str(issue),
        "issue_key": f"{('DEV', 'OPS')[issue % 2]}-{issue % 1000}",
        "url": f"{HOST}/api/services/jira/links/{rid}",
        **world.stamps(created, world.later(number, created, 30 * 86400)),
    }


def _linked(world: World, number: int) -> int:
    """The ticket of a link: the first ones that are not deleted, spread over all."""
    first = number * world.tickets // max(1, world.sizes["jira_links"])
    tickets = ((first + more) % world.tickets + 1 for more in range(world.tickets))
    return next((ticket for ticket in tickets if not is_deleted(world, ticket)), 1)


def link_with_milliseconds(store: Store, rid: int) -> Row:
    """Return a Jira link as it is listed: its times have milliseconds."""
    row = store.tables["jira_links"].get(rid)
    return {**row, **{name: f"{row[name][:-1]}.000Z" for name in ("created_at", "updated_at")}}


def new_link(change: Change, row: Row) -> None:
    """Complete a link that is added: some ticket, and an issue of its own."""
    tickets = change.store.tables["tickets"]
    chosen = change.sample(tickets.rids, 1, lambda rid: tickets.get(rid)["status"] != "deleted")
    issue = row["id"] % 1_000_000
    row |= {"ticket_id": str(chosen[0]), "issue_id": str(issue), "issue_key": f"DEV-{issue}"}


def move_issue(change: Change, row: Row) -> None:
    """Have an issue go to another project, where it has another key."""
    row["issue_key"] = f"MOVED-{change.number}"


def sharing_agreement(world: World, rid: int) -> Row:
    """Make an agreement to share tickets with another account."""
    number, value, row = world.setting("sharing_agreements", rid, "agreements")
    state = ("accepted", "pending", "inactive", "declined")[number % 4]
    with_jira = number % 4 == 1
    facts: dict[str, Any] = {"partner_name": "jira" if with_jira else None}
    facts["remote_subdomain"] = None if with_jira else f"partner{number}"
    kind = "inbound" if value % 2 else "outbound"
    return {**row, "name": f"Partner & {number} @ Zendesk", "type": kind, "status": state, **facts}
