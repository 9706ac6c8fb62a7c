"""The first tickets as the exports give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.fields import product_field
from zendesk_support.simulator.families.people import rows as people
from zendesk_support.simulator.families.tickets.facts import (
    CHANNELS,
    MONTH,
    has_incidents,
    is_ai,
    is_internal,
    is_scrubbed,
    problem_of,
    ratings_of,
    shared_second,
    shares_its_second,
)
from zendesk_support.simulator.families.tickets.life import Life
from zendesk_support.simulator.families.tickets.plot import lives_of, moments_of
from zendesk_support.simulator.families.tickets.reasons import reason_of

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")


def updated_at(world: World, rid: int) -> int:
    """Return when one of the first tickets was last updated; some share their second."""
    return _updated(world, world.part(lives_of)(rid))


def _updated(world: World, life: Life) -> int:
    return shared_second(world, life.rid) if shares_its_second(life.rid) else life.updated


def generated_at(world: World, rid: int) -> int:
    """Return the export time of one of the first tickets."""
    shared = shares_its_second(rid)
    return _generated(world, rid, shared_second(world, rid) if shared else moments_of(world, rid)[-1])


def all_times(world: World) -> Iterator[int]:
    """Yield the export times of all first tickets."""
    return (generated_at(world, rid) for rid in range(1, world.tickets + 1))


def _generated(world: World, rid: int, updated: int) -> int:
    if is_scrubbed(world, rid):
        return updated + MONTH + world.mix(rid - 1, 20) % 3
    if shares_its_second(rid):
        return updated
    value = world.mix(rid - 1, 20)
    if value % 13 == 0:
        return max(updated, min(updated + 86400 * (1 + value % 40), world.start - 200))
    return updated + value % 4


def custom_status(world: World, status: str) -> int:
    """Return the custom status of a category; a deleted ticket keeps that of solved ones."""
    return world.rid("custom_statuses", STATUSES.index(status) if status in STATUSES else 4)


def ticket(world: World, rid: int) -> Row:
    """Make a ticket."""
    value, life = world.mix(rid, 22), world.part(lives_of)(rid)
    scrubbed, now, updated = is_scrubbed(world, rid), life.now, _updated(world, life)
    subject = "SCRUBBED" if scrubbed else subject_of(world, rid)
    fields = [] if scrubbed else custom_fields(world, value, now[product_field(world)])
    return {
        "url": f"{HOST}/api/v2/tickets/{rid}.json",
        "id": rid,
        "external_id": None if value % 4 else f"ext-{value % 100_000}",
        "via": _via(CHANNELS[value % len(CHANNELS)][0], value),
        "created_at": iso(life.created),
        "updated_at": iso(updated),
        "generated_timestamp": _generated(world, rid, updated),
        "type": now["type"],
        "subject": subject,
        "raw_subject": subject,
        "description": "X" if scrubbed else world.texts[value % len(world.texts)],
        "priority": now["priority"],
        "status": now["status"],
        **_handling(world, rid, value, life),
        **_kind(world, value, life),
        "tags": [] if scrubbed else now["tags"],
        "custom_fields": fields,
        "satisfaction_rating": rating_of(world, life),
        "sharing_agreement_ids": [],
        "custom_status_id": custom_status(world, now["status"]),
        "encoded_id": f"{value % 36**5:06X}-{rid:04X}",
        "fields": fields,
        "followup_ids": [],
        "ticket_form_id": form_of(world, rid),
        "brand_id": brand_of(world, rid),
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": CHANNELS[value % len(CHANNELS)][0] == "messaging",
        "support_type": "ai_agent" if is_ai(world, rid) else "agent",
    }


def _handling(world: World, rid: int, value: int, life: Life) -> Row:
    """Who asked, who answers, and who listens."""
    return {
        "recipient": "support@example.com" if CHANNELS[value % len(CHANNELS)][0] == "email" else None,
        "requester_id": life.requester,
        "submitter_id": life.steps[0][1],
        "assignee_id": life.now["assignee_id"],
        "organization_id": organization_of(world, rid),
        "group_id": life.now["group_id"],
        "collaborator_ids": [] if value % 9 else [world.end_user(rid, 27)],
        "follower_ids": [] if value % 15 else [world.agent(rid, 28)],
        "email_cc_ids": [] if value % 9 else [world.end_user(rid, 27)],
        "forum_topic_id": None,
    }


def _kind(world: World, value: int, life: Life) -> Row:
    """What follows from a ticket's type."""
    kind = life.now["type"]
    return {
        "problem_id": problem_of(world, life.rid) if kind == "incident" else None,
        "has_incidents": kind == "problem" and has_incidents(world, life.rid),
        "is_public": not is_internal(world, life.rid),
        "due_at": iso(life.created + 7 * 86400) if kind == "task" else None,
    }


def rating_of(world: World, life: Life) -> Row:
    """Return what a ticket says of its satisfaction rating."""
    numbers = ratings_of(world, life.rid)
    return answer(world, life, world.rid("satisfaction_ratings", numbers[-1]) if numbers else 0)


def answer(world: World, life: Life, rating: int) -> Row:
    """Return what a ticket says of a satisfaction rating."""
    score = life.now["satisfaction_score"]
    if score not in ("good", "bad"):
        return {"score": score}
    return {
        "score": score,
        "id": rating,
        "comment": life.now.get("satisfaction_comment"),
        **(reason_of(world, rating, score) if score == "bad" else {"reason": "No reason provided", "reason_id": 0}),
    }


def subject_of(world: World, rid: int) -> str:
    """Return what one of the first tickets is called."""
    return f"{world.subjects[world.mix(rid, 22) % len(world.subjects)]} #{rid}"


def form_of(world: World, rid: int) -> int:
    """Return the form of one of the first tickets."""
    return world.pick(rid, 29, "ticket_forms")


def brand_of(world: World, rid: int) -> int:
    """Return the brand of one of the first tickets."""
    return world.pick(rid, 30, "brands")


def organization_of(world: World, rid: int) -> int | None:
    """Return the organization of one of the first tickets."""
    return people.organization_of(world, world.end_user(rid, 23))


def custom_fields(world: World, value: int, product: str) -> list[Row]:
    """The custom fields of a ticket: one of 61 sets, with an order number, a count and a product of its own."""
    sets, place = world.part(_field_sets)
    fields = list(sets[value % len(sets)])
    fields[0] = {"id": fields[0]["id"], "value": f"ORD-{value % 10_000_000:07}"}
    fields[3] = {"id": fields[3]["id"], "value": value % 5000}
    fields[place] = {"id": fields[place]["id"], "value": product}
    return fields


def _field_sets(world: World) -> tuple[list[list[Row]], int]:
    """Return the sets of custom fields, and the place of the product in them."""
    numbers = range(max(4, world.sizes["ticket_fields"]))
    sets = [
        [{"id": world.rid("ticket_fields", 8 + number), "value": _value(world, number, variant)} for number in numbers]
        for variant in range(61)
    ]
    return sets, world.number("ticket_fields", product_field(world)) - 8


def _via(channel: str, value: int) -> dict[str, Any]:
    source: dict[str, Any] = {"from": {}, "to": {}, "rel": None}
    if channel == "email":
        source["from"] = {"address": f"user{value % 9999}@example.com", "name": "Änne <VIP>"}
        source["to"] = {"address": "support@example.com", "name": "Support"}
    elif channel == "voice":
        source["rel"] = "voicemail" if value % 2 else "inbound"
    return {"channel": channel, "source": source}


def _value(world: World, number: int, variant: int) -> Any:
    value = world.mix(number * 1000 + variant, 40)
    if number == 7:
        return (7, "seven", None, True, ["7", "8"], 7.5, {"seven": 7})[variant % 7]
    if value % 3 == 0 and number > 3:
        return None
    kind = number % 10
    if kind in (0, 5):
        return world.words(value, 41, 2)
    if kind == 1:
        return f"option_{value % 9}" if value % 19 else "option_retired"
    if kind == 2:
        return value % 2 == 0
    if kind == 3:
        return value % 5000
    if kind == 4:
        return f"20{20 + value % 8}-0{1 + value % 9}-1{value % 9}"
    if kind == 6:
        return [f"choice_{value % 5}", f"choice_{5 + value % 3}"] if value % 2 else []
    if kind == 8:
        return round(value % 100_000 / 9, 3)
    return str(value % 100_000)
