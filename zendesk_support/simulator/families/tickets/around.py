"""What stands around tickets: satisfaction ratings, skips and activities."""

from __future__ import annotations

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.tickets import rows


def rating_stamp(world: World, rid: int) -> int:
    """Return when a satisfaction rating was last updated."""
    number = world.number("satisfaction_ratings", rid)
    return world.later(number, world.spread(number, world.sizes["satisfaction_ratings"]), 5 * 86400)


def rating(world: World, rid: int) -> Row:
    """Make a satisfaction rating."""
    number = world.number("satisfaction_ratings", rid)
    value = world.mix(number, 36)
    ticket = 1 + number * 8 % world.tickets
    score = "offered" if value % 6 < 3 else "bad" if value // 6 % 9 == 0 else "good"
    return {
        "url": f"{HOST}/api/v2/satisfaction_ratings/{rid}.json",
        "id": rid,
        "assignee_id": world.agent(ticket, 24),
        "group_id": world.pick(ticket, 26, "groups"),
        "requester_id": world.end_user(ticket, 23),
        "ticket_id": ticket,
        "score": score,
        "created_at": iso(world.spread(number, world.sizes["satisfaction_ratings"])),
        "updated_at": iso(rating_stamp(world, rid)),
        "comment": None if score == "offered" else world.notes[value % len(world.notes)],
        "reason": "No reason provided" if score == "bad" else None,
        "reason_id": 0 if score == "bad" else None,
    }


def skip(world: World, rid: int) -> Row:
    """Make a skip; the ticket is put in when the row is served."""
    number = world.number("ticket_skips", rid)
    created = world.spread(number, world.sizes["ticket_skips"])
    ticket = 1 + world.mix(number, 37) % world.tickets
    while rows.is_archived(world, ticket) or rows.is_deleted(world, ticket) or rows.is_ai(world, ticket):
        ticket = 1 + ticket % world.tickets
    return {
        "id": rid,
        "ticket_id": ticket,
        "user_id": world.agent(number, 38),
        "reason": world.words(number, 39, 4),
        **world.stamps(created, created),
    }


def activity(world: World, rid: int) -> Row:
    """Make an activity of the last 30 days."""
    number = world.number("ticket_activities", rid)
    count = max(1, world.sizes["ticket_activities"])
    moment = world.start - 3600 - (count - number) * (29 * 86400) // count
    ticket = 1 + world.mix(number, 60) % world.sizes["tickets"]
    actor, user = world.agent(number, 61), world.rid("users", 0)
    comments = world.mix(number, 62) % 3 == 0
    title = f"{world.person(1)} {'commented on' if comments else 'assigned'} ticket #{ticket}."
    return {
        "url": f"{HOST}/api/v2/activities/{rid}.json",
        "id": rid,
        "title": title,
        "verb": "tickets.comment" if comments else "tickets.assignment",
        "user_id": user,
        "actor_id": actor,
        **world.stamps(moment, moment),
        "object": {"ticket": {"id": ticket, "subject": "test <1>"}},
        "target": {"ticket": {"id": ticket, "subject": "test <1>"}},
        "user": {"id": user, "name": world.person(0)},
        "actor": {"id": actor, "name": world.person(1)},
    }
