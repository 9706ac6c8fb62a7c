"""Suspended tickets: mail that has become no ticket yet, and is kept for 14 days."""

from __future__ import annotations

from zendesk_support.simulator.data.attachment import attachment
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.people import rows as people
from zendesk_support.simulator.families.tickets.facts import is_deleted

_DAY = 86_400
_LIFE = 14 * _DAY
_CAUSES = (
    ("Detected as spam", 0),
    ("Automated response mail, such as out of office", 4),
    ("Permission denied due to unauthenticated email update", 17),
    ("Email is from a blocklisted domain or address", 9),
    ("Received from support address", 12),
)
_FIRST_ATTACHMENT = 1 << 25


def suspended_at(world: World, rid: int) -> int:
    """Return when a mail came."""
    number, room = world.number("suspended_tickets", rid), _LIFE - 7 * _DAY
    return world.start - room + number * (room - 3600) // max(1, world.sizes["suspended_tickets"])


def suspended_ticket(world: World, rid: int) -> Row:
    """Make a suspended ticket; some are replies to tickets."""
    number = world.number("suspended_tickets", rid)
    value, moment = world.mix(number, 70), suspended_at(world, rid)
    cause, cause_id = _CAUSES[value % len(_CAUSES)]
    author = people.user(world, world.end_user(number, 71)) if value % 3 == 0 else None
    name = author["name"] if author else f"Sender <{number}>"
    address = (author or {}).get("email") or f"sender{number}@example.net"
    files = [attachment(world, _FIRST_ATTACHMENT + number, f"part{number}.eml", "message/rfc822", 400 + value % 90_000)]
    return {
        "url": f"{HOST}/api/v2/suspended_tickets/{rid}.json",
        "id": rid,
        "author": {"id": author["id"] if author else None, "name": name, "email": address},
        "subject": world.subjects[value % len(world.subjects)],
        "content": world.texts[value % len(world.texts)],
        "cause": cause,
        "cause_id": cause_id,
        "error_messages": None if value % 5 else [{"description": "The address has been blocked"}],
        "message_id": f"<{value:x}@mail.example.net>",
        "ticket_id": _answered(world, number) if cause_id == 17 else None,
        "recipient": "support@example.com",
        "brand_id": world.pick(number, 72, "brands"),
        **world.stamps(moment, moment),
        "via": {
            "channel": "email",
            "source": {
                "from": {"address": address, "name": name},
                "to": {"address": "support@example.com", "name": "Support"},
                "rel": None,
            },
        },
        "attachments": files if value % 4 == 0 else [],
    }


def _answered(world: World, number: int) -> int | None:
    """The ticket that a mail answers."""
    first = world.mix(number, 73) % world.tickets
    tickets = ((first + more) % world.tickets + 1 for more in range(world.tickets))
    return next((ticket for ticket in tickets if not is_deleted(world, ticket)), None)


def kept(store: Store) -> list[int]:
    """Return the suspended tickets that are not 14 days old."""
    table = store.tables["suspended_tickets"]
    return [rid for rid in table.rids if table.stamp(rid) > store.now - _LIFE]
