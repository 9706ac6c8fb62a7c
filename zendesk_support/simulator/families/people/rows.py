"""The first users, organizations, groups, memberships and identities."""

from __future__ import annotations

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.attachment import attachment
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World

_ZONES = (
    ("Eastern Time (US & Canada)", "America/New_York"),
    ("Copenhagen", "Europe/Copenhagen"),
    ("Tokyo", "Asia/Tokyo"),
    ("Pacific Time (US & Canada)", "America/Los_Angeles"),
)
_GROUPS = ("Support", "Billing", "Returns", "Escalations", "Vertrieb & Service", "サポート", "VIP", "Night shift")
_IDENTITIES_PER_USER = 4


def user(world: World, rid: int) -> Row:
    """Make a user; number 0 is the admin whose credentials the simulator hands out."""
    number = world.number("users", rid)
    value = world.mix(number, 4)
    role = role_of(world, rid)
    staff = role != "end-user"
    bare = not staff and value % 9 == 0
    return {
        "id": rid,
        "url": f"{HOST}/api/v2/users/{rid}.json",
        **_identity(world, rid, number, value, bare),
        "organization_id": organization_of(world, rid),
        "role": role,
        "verified": value % 5 != 0,
        "external_id": None if bare or value % 2 else f"crm-{value % 1_000_000}",
        "tags": [] if bare else [f"segment_{value % 7}", *(["vip"] if value % 13 == 0 else [])],
        "alias": None if bare else world.words(number, 6, 1).title() if staff else "",
        "active": is_active(world, rid),
        "shared": False,
        "shared_agent": False,
        **_habits(world, number, value, staff, bare),
        **_rights(world, number, value, role),
        "user_fields": {
            "customer_tier": None if bare else ("gold", "silver", "bronze")[value % 3],
            "lifetime_value": None if bare else round(value % 100_000 / 7, 2),
            "birthday": None if value % 2 else f"19{50 + value % 50}-0{1 + value % 9}-1{value % 9}T00:00:00+00:00",
            "newsletter": value % 2 == 0,
            "loyalty_no": None if bare else value % 100_000,
        },
    }


def role_of(world: World, rid: int) -> str:
    """Return the role of one of the first users."""
    number = world.number("users", rid)
    return "admin" if number == 0 else "agent" if number < world.sizes["agents"] else "end-user"


def organization_of(world: World, rid: int) -> int | None:
    """Return the organization of one of the first users."""
    number = world.number("users", rid)
    value = world.mix(number, 4)
    bare = number >= world.sizes["agents"] and value % 9 == 0
    return None if bare or value % 4 == 1 else world.pick(number, 5, "organizations")


def group_of(world: World, agent: int) -> int:
    """Return the group that one of the first agents is in by default."""
    return world.rid("groups", world.number("users", agent) % world.sizes["groups"])


def _email(world: World, number: int) -> str:
    """Return the address of one of the first users."""
    return (
        "admin@example.com" if number == 0 else f"user{number}@example.{('com', 'org', 'de')[world.mix(number, 4) % 3]}"
    )


def _identity(world: World, rid: int, number: int, value: int, bare: bool) -> Row:
    """Who somebody is, and where."""
    zone, iana = _ZONES[value % 4]
    email = _email(world, number)
    photo = None
    if value % 11 == 3:
        photo = attachment(world, number, f"photo{number}.png", "image/png", 1000 + value % 90_000)
    return {
        "name": world.person(number),
        "email": None if bare else email,
        "created_at": iso(world.joined("users", rid)),
        "updated_at": iso(world.changed("users", rid)),
        "time_zone": zone,
        "iana_time_zone": iana,
        "phone": None if value % 3 else f"+1555{value % 10_000_000:07}",
        "shared_phone_number": None if value % 3 else False,
        "photo": photo,
        "locale_id": 1,
        "locale": "en-US",
    }


def _habits(world: World, number: int, value: int, staff: bool, bare: bool) -> Row:
    """When somebody was last there, and what is noted of them."""
    seen = world.later(number, world.spread(number, world.sizes["users"]), 30 * 86400)
    return {
        "last_login_at": None if bare else iso(seen),
        "last_active": None if bare else iso(seen),
        "two_factor_auth_enabled": True if staff else None,
        "signature": f"Best regards,\n{world.person(number)}" if staff else None,
        "details": None if bare else world.words(number, 7, 4),
        "notes": None if bare else world.notes[value % len(world.notes)] if value % 6 == 0 else "",
    }


def _rights(world: World, number: int, value: int, role: str) -> Row:
    """What somebody may do."""
    staff = role != "end-user"
    return {
        "role_type": 4 if role == "admin" else 0 if staff else None,
        "custom_role_id": world.pick(number, 8, "custom_roles") if role == "agent" else None,
        "moderator": role == "admin",
        "ticket_restriction": None if staff else "requested",
        "only_private_comments": False,
        "restricted_agent": not staff,
        "suspended": value % 211 == 9,
        "suspension_details": None,
        "default_group_id": world.pick(number, 9, "groups") if staff else None,
        "report_csv": role == "admin",
        "chat_only": False,
        "agent_brand_ids": [],
    }


def is_active(world: World, rid: int) -> bool:
    """Tell whether one of the first users is active."""
    number = world.number("users", rid)
    return number < world.sizes["agents"] or world.mix(number, 4) % 53 != 7


def organization(world: World, rid: int) -> Row:
    """Make an organization."""
    number = world.number("organizations", rid)
    value = world.mix(number, 10)
    form = ("GmbH", "Inc.", "Ltd & Co", "株式会社")[value % 4]
    name = f"{world.words(number, 11, 2).title()} {form} {number}"
    return {
        "url": f"{HOST}/api/v2/organizations/{rid}.json",
        "id": rid,
        "name": name,
        "shared_tickets": value % 5 == 0,
        "shared_comments": value % 5 == 0,
        "external_id": None if value % 3 else f"acc-{value % 1_000_000}",
        "created_at": iso(world.joined("organizations", rid)),
        "updated_at": iso(world.changed("organizations", rid)),
        "domain_names": [] if value % 4 == 0 else [f"org{number}.example.com"],
        "details": None if value % 2 else world.words(number, 12, 6),
        "notes": "" if value % 3 else world.notes[value % len(world.notes)],
        "group_id": world.pick(number, 13, "groups") if value % 6 == 0 else None,
        "tags": [] if value % 2 else [f"industry_{value % 11}"],
        "organization_fields": {
            "contract_end": None if value % 3 else f"202{6 + value % 3}-0{1 + value % 9}-01T00:00:00+00:00",
            "seats": None if value % 5 == 0 else value % 500,
            "plan": ("basic", "plus", None)[value % 3],
            "discount": round(value % 40 / 3, 2),
        },
        "deleted_at": None,
    }


def group(world: World, rid: int) -> Row:
    """Make a group; one in eleven has been deleted."""
    number = world.number("groups", rid)
    created = world.first + number * 3600
    return {
        "url": f"{HOST}/api/v2/groups/{rid}.json",
        "id": rid,
        "is_public": number % 4 != 3,
        "name": _GROUPS[number % len(_GROUPS)] + (f" {number // len(_GROUPS)}" if number >= len(_GROUPS) else ""),
        "description": "" if number % 2 else world.words(number, 14, 5),
        "default": number == 0,
        "deleted": number % 11 == 4,
        **world.stamps(created, world.later(number, created, 200 * 86400)),
    }


def group_membership(world: World, rid: int) -> Row:
    """Make a group membership; some have no `updated_at`."""
    number = world.number("group_memberships", rid)
    agents = world.sizes["agents"]
    created = world.spread(number, world.sizes["group_memberships"])
    row: Row = {
        "url": f"{HOST}/api/v2/group_memberships/{rid}.json",
        "id": rid,
        "user_id": world.rid("users", number % agents),
        "group_id": world.rid("groups", (number // agents + number) % world.sizes["groups"]),
        "default": number < agents,
        **world.stamps(created, world.later(number, created, 100 * 86400)),
    }
    if number % 7 == 3:
        row["updated_at"] = None
    return row


def organization_membership(world: World, rid: int) -> Row:
    """Make an organization membership."""
    number = world.number("organization_memberships", rid)
    of = world.pick(number, 5, "organizations")
    created = world.spread(number, world.sizes["organization_memberships"])
    return {
        "url": f"{HOST}/api/v2/organization_memberships/{rid}.json",
        "id": rid,
        "user_id": world.rid("users", number % world.sizes["users"]),
        "organization_id": of,
        "organization_name": organization(world, of)["name"],
        "default": number < world.sizes["users"],
        "view_tickets": number % 3 == 0,
        **world.stamps(created, world.later(number, created, 100 * 86400)),
    }


def organization_subscription(world: World, rid: int) -> Row:
    """Make the subscription of somebody to an organization's tickets."""
    number = world.number("organization_subscriptions", rid)
    return {
        "id": rid,
        "user_id": world.agent(number, 76) if number % 3 else world.end_user(number, 76),
        "organization_id": world.pick(number, 77, "organizations"),
        "created_at": iso(world.spread(number, world.sizes["organization_subscriptions"])),
    }


def identity_rids(world: World, user: int) -> list[int]:
    """Return the ids of a user's first identities."""
    number = world.number("users", user)
    first = FIRST_ID["user_identities"] + (number * _IDENTITIES_PER_USER + 1) * STEP
    return [first + part * STEP for part in range(1 + (world.mix(number, 15) % 3 == 0))]


def identity(world: World, rid: int) -> Row:
    """Make an identity."""
    place = (rid - FIRST_ID["user_identities"]) // STEP - 1
    number, part = divmod(place, _IDENTITIES_PER_USER)
    user = world.rid("users", number)
    created = world.joined("users", user)
    kind = "email" if part == 0 else "phone_number"
    return {
        "url": f"{HOST}/api/v2/users/{user}/identities/{rid}.json",
        "id": rid,
        "user_id": user,
        "type": kind,
        "value": _email(world, number) if part == 0 else f"+1555{number:07}",
        "verified": part == 0,
        "verified_at": iso(created + 60) if part == 0 else None,
        "verification_method": "low",
        "primary": part == 0,
        "brand_id": None,
        **world.stamps(created, created + 60),
        **({"undeliverable_count": 0, "deliverable_state": "deliverable"} if part == 0 else {}),
    }
