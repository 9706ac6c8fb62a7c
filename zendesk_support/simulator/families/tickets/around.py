"""What stands around tickets: satisfaction ratings, skips and activities."""

from __future__ import annotations

from collections.abc import Sequence

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.tickets.events import event_rids, event_ticket, event_time
from zendesk_support.simulator.families.tickets.facts import (
    created_at,
    is_ai,
    is_archived,
    is_deleted,
    rated_ticket,
    ratings_of,
)
from zendesk_support.simulator.families.tickets.life import Life
from zendesk_support.simulator.families.tickets.plot import lives_of
from zendesk_support.simulator.families.tickets.reasons import reason_of
from zendesk_support.simulator.families.tickets.rows import subject_of

NEWEST = 2000
"""How many of the newest tickets activities tell of."""


def rating_stamp(world: World, rid: int) -> int:
    """Return when a satisfaction rating was last updated."""
    return _rating_times(world, rid)[1]


def _rating_times(world: World, rid: int) -> tuple[int, int]:
    """Return when a rating was offered, and answered if it was; earlier ones of a ticket come before its own."""
    number = world.number("satisfaction_ratings", rid)
    life = world.part(lives_of)(rated_ticket(world, number))
    told = [at for at, _, _, changes in life.steps if any(name == "satisfaction_score" for name, _, _ in changes)]
    numbers = ratings_of(world, life.rid)
    if number != numbers[-1]:
        earlier = life.created + (told[0] - life.created) * numbers.index(number) // len(numbers)
        return earlier, earlier
    return told[0], told[-1]


def rating(world: World, rid: int) -> Row:
    """Make a satisfaction rating: what its ticket says, unless the ticket has a later one."""
    number = world.number("satisfaction_ratings", rid)
    life = world.part(lives_of)(rated_ticket(world, number))
    offered, answered = _rating_times(world, rid)
    own = number == ratings_of(world, life.rid)[-1]
    score = life.now["satisfaction_score"] if own else ("good", "good", "bad")[number % 3]
    said = life.now.get("satisfaction_comment") if own else None
    return rating_row(world, rid, life, score, said, (offered, answered))


def rating_row(world: World, rid: int, life: Life, score: str, comment: str | None, times: tuple[int, int]) -> Row:
    """Make a satisfaction rating that was offered and answered at some times."""
    return {
        "url": f"{HOST}/api/v2/satisfaction_ratings/{rid}.json",
        "id": rid,
        "assignee_id": life.now["assignee_id"],
        "group_id": life.now["group_id"],
        "requester_id": life.requester,
        "ticket_id": life.rid,
        "score": score,
        "created_at": iso(times[0]),
        "updated_at": iso(times[1]),
        "comment": comment,
        **reason_of(world, rid, score),
    }


def skip(world: World, rid: int) -> Row:
    """Make a skip; the ticket is put in when the row is served."""
    number = world.number("ticket_skips", rid)
    ticket = 1 + world.mix(number, 37) % world.tickets
    while is_archived(world, ticket) or is_deleted(world, ticket) or is_ai(world, ticket):
        ticket = 1 + ticket % world.tickets
    created = max(world.spread(number, world.sizes["ticket_skips"]), created_at(world, ticket) + 60)
    return {
        "id": rid,
        "ticket_id": ticket,
        "user_id": world.agent(number, 38),
        "reason": world.words(number, 39, 4),
        **world.stamps(created, created),
    }


def recent_events(world: World) -> list[tuple[int, int]]:
    """Return what people did on the newest tickets within 29 days: when, and which events."""
    lives, since = world.part(lives_of), world.start - 29 * 86400
    found = [
        (step[0], event)
        for rid in range(max(1, world.tickets - NEWEST), world.tickets + 1)
        for step, event in zip(lives(rid).steps, event_rids(world, rid))
        if step[0] > since and step[1] != -1
    ]
    return sorted(found)


def activity_rids(world: World) -> Sequence[int]:
    """Return the ids of the activities: none where nothing has happened lately."""
    return world.rids("ticket_activities") if world.part(recent_events) else ()


def activity_event(world: World, rid: int) -> int:
    """Return the event that an activity tells of."""
    events, count = world.part(recent_events), world.sizes["ticket_activities"]
    return events[world.number("ticket_activities", rid) % count * len(events) // count][1]


def activity(world: World, rid: int) -> Row:
    """Make an activity of the last 30 days."""
    event = activity_event(world, rid)
    ticket, moment = event_ticket(world, event), event_time(world, event)
    _, actor, comment, changes = world.part(lives_of)(ticket).steps[event_rids(world, ticket).index(event)]
    assigned = any(name == "assignee_id" for name, _, _ in changes) or not comment
    return activity_row(world, rid, moment, (ticket, subject_of(world, ticket)), actor, assigned)


def activity_row(world: World, rid: int, moment: int, on: tuple[int, str], actor: int, assigned: bool) -> Row:
    """Make an activity: what somebody did on a ticket, given by its id and subject."""
    user, name = world.rid("users", 0), world.person(world.number("users", actor))
    ticket = {"id": on[0], "subject": on[1]}
    return {
        "url": f"{HOST}/api/v2/activities/{rid}.json",
        "id": rid,
        "title": f"{name} {'assigned' if assigned else 'commented on'} ticket #{on[0]}.",
        "verb": "tickets.assignment" if assigned else "tickets.comment",
        "user_id": user,
        "actor_id": actor,
        **world.stamps(moment, moment),
        "object": {"ticket": ticket},
        "target": {"ticket": ticket},
        "user": {"id": user, "name": world.person(0)},
        "actor": {"id": actor, "name": name},
    }
