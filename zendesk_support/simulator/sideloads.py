"""Side-loads: the sibling arrays that `include=` adds to a reply."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zendesk_support.simulator.account import Account
from zendesk_support.simulator.messages import Request
from zendesk_support.simulator.table import Row

_LINKS: dict[str, dict[str, tuple[str, tuple[str, ...]]]] = {
    "tickets": {
        "users": ("users", ("requester_id", "submitter_id", "assignee_id")),
        "groups": ("groups", ("group_id",)),
        "organizations": ("organizations", ("organization_id",)),
        "ticket_forms": ("ticket_forms", ("ticket_form_id",)),
        "custom_statuses": ("custom_statuses", ("custom_status_id",)),
    },
    "users": {
        "organizations": ("organizations", ("organization_id",)),
        "groups": ("groups", ("default_group_id",)),
        "roles": ("custom_roles", ("custom_role_id",)),
    },
    "group_memberships": {"users": ("users", ("user_id",)), "groups": ("groups", ("group_id",))},
    "organization_memberships": {
        "users": ("users", ("user_id",)),
        "organizations": ("organizations", ("organization_id",)),
    },
    "comments": {"users": ("users", ("author_id",))},
}
_GUIDE_LINKS: dict[str, dict[str, tuple[str, str]]] = {
    "articles": {"sections": ("sections", "section_id")},
    "sections": {"categories": ("categories", "category_id")},
    "posts": {"topics": ("topics", "topic_id")},
}


def siblings(
    account: Account, request: Request, resource: str, rows: Iterable[Row], includes: tuple[str, ...]
) -> dict[str, Any]:
    """Return the sibling arrays of a page."""
    page = list(rows)
    made: dict[str, Any] = {}
    for name in includes:
        link = _LINKS.get(resource, {}).get(name)
        if link:
            table = account.tables[link[0]]
            wanted = sorted({row[column] for row in page for column in link[1] if row.get(column) is not None})
            made[name] = [table.get(rid) for rid in wanted if rid in table]
        elif resource == "users" and name == "identities":
            identities = account.tables["user_identities"]
            made[name] = [identities.get(rid) for row in page for rid in account.identity_rids(row["id"])]
        elif name in ("users", "sections", "categories", "topics") and resource in _GUIDE_LINKS:
            made[name] = _guide(account, request, resource, page, name)
    return made


def _guide(account: Account, request: Request, resource: str, page: list[Row], name: str) -> list[Row]:
    center = account.help_centers[request.brand]
    if name == "users":
        users = account.tables["users"]
        return [
            users.get(rid) for rid in sorted({row["author_id"] for row in page if "author_id" in row}) if rid in users
        ]
    if name == "categories" and resource == "articles":
        sections = [center.tables["sections"].find(row["section_id"]) for row in page]
        wanted = {section["category_id"] for section in sections if section}
        return [center.tables["categories"].get(rid) for rid in sorted(wanted) if rid in center.tables["categories"]]
    link = _GUIDE_LINKS[resource].get(name)
    if link is None:
        return []
    table = center.tables[link[0]]
    return [table.get(rid) for rid in sorted({row[link[1]] for row in page}) if rid in table]
