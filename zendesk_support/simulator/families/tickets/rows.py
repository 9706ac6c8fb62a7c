"""The first tickets, their metrics, ratings and skips."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, HOUR, STEP, World

MONTH = 30 * 86400
_STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent", None)
_USUAL_REPLY = {"urgent": 12, "high": 35, "normal": 90, "low": 200, None: 140}
REPLY_TARGET = {"urgent": 60, "high": 240, "normal": 480, "low": 1440, None: 1440}
"""Minutes to the first reply by priority: the median, and what the service level agreement allows."""
_TYPES = ("question", "incident", "problem", "task", None)
CHANNELS = (
    ("web", "Web form"),
    ("email", "Mail"),
    ("api", "Web service"),
    ("voice", "Phone call (incoming)"),
    ("facebook", "Facebook Post"),
    ("messaging", "Messaging"),
)

# Which tickets are special is a matter of their number, so that small accounts have every kind.


def is_deleted(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets is deleted."""
    number = rid - 1
    return number % 97 == 5 or (world.tickets - number) % 89 == 2


def is_scrubbed(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets is deleted and, 30 days later, scrubbed."""
    return is_deleted(world, rid) and world.spread(rid - 1, world.tickets) + 2 * MONTH < world.start


def is_archived(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets is archived."""
    number = rid - 1
    return number * 100 < 35 * world.tickets and number % 5 == 2 and not is_deleted(world, rid)


def is_ai(world: World, rid: int) -> bool:
    """Tell whether one of the first tickets was handled by an AI agent only."""
    return (rid - 1) % 41 == 7


def created_at(world: World, rid: int) -> int:
    """Return when one of the first tickets was created."""
    return world.in_rhythm(world.spread(rid - 1, world.tickets))


def updated_at(world: World, rid: int) -> int:
    """Return when one of the first tickets was last updated; some share their second."""
    number = rid - 1
    place = number % 50
    if 20 <= place <= 23:
        leader = min(world.tickets, number - place + 24)
        return created_at(world, leader) + 1800
    return world.later(number, created_at(world, rid), _patience(world, number))


def generated_at(world: World, rid: int) -> int:
    """Return the export time of one of the first tickets."""
    number = rid - 1
    updated = updated_at(world, rid)
    if is_scrubbed(world, rid):
        return updated + MONTH + world.mix(number, 20) % 3
    if 20 <= number % 50 <= 23:
        return updated
    value = world.mix(number, 20)
    if value % 13 == 0:
        return max(updated, min(updated + 86400 * (1 + value % 40), world.start - 200))
    return updated + value % 4


def _patience(world: World, number: int) -> int:
    """Return within how many seconds a ticket was last updated: mostly hours, sometimes weeks."""
    return HOUR + 20 * 86400 * (world.mix(number, 43) % 1000) ** 2 // 1000**2


def status_of(world: World, rid: int) -> str:
    """Return the status of one of the first tickets."""
    if is_deleted(world, rid):
        return "deleted"
    if is_archived(world, rid):
        return "closed"
    value = world.mix(rid, 21)
    number = rid - 1
    under_way = created_at(world, rid) + world.mix(number, 2) % _patience(world, number) > world.start - 300
    forgotten = value % (16 if number * 4 > world.tickets * 3 else 160) == 0
    return _STATUSES[value // 160 % 4] if under_way or forgotten else _STATUSES[4 + value % 2]


def priority_of(world: World, rid: int) -> str | None:
    """Return the priority of one of the first tickets."""
    return PRIORITIES[world.mix(rid, 22) // 11 % 5]


def reply_minutes(world: World, rid: int, priority: str | None) -> int | None:
    """Return the minutes until an agent first replied; every sixth ticket has no reply."""
    value = world.mix(rid, 31)
    if value % 6 == 0:
        return None
    chance = (value // 6 % 997 + 1) / 998
    return 1 + int(_USUAL_REPLY[priority] * (chance / (1 - chance)) ** 0.75)


def ticket(world: World, rid: int) -> Row:
    """Make a ticket."""
    value = world.mix(rid, 22)
    scrubbed, status, created = is_scrubbed(world, rid), status_of(world, rid), created_at(world, rid)
    requester = world.end_user(rid, 23)
    subject = "SCRUBBED" if scrubbed else f"{world.subjects[value % len(world.subjects)]} #{rid}"
    fields = [] if scrubbed else _fields(world, value)
    return {
        "url": f"{HOST}/api/v2/tickets/{rid}.json",
        "id": rid,
        "external_id": None if value % 4 else f"ext-{value % 100_000}",
        "via": _via(CHANNELS[value % len(CHANNELS)][0], requester, value),
        "created_at": iso(created),
        "updated_at": iso(updated_at(world, rid)),
        "generated_timestamp": generated_at(world, rid),
        "type": _TYPES[value // 7 % 5],
        "subject": subject,
        "raw_subject": subject,
        "description": "X" if scrubbed else world.texts[value % len(world.texts)],
        "priority": priority_of(world, rid),
        "status": status,
        **_handling(world, rid, value, status, requester),
        **_kind(world, value, created),
        "tags": [] if scrubbed else [f"topic_{value % 23}", f"lang_{value % 5}", *(["vip"] if value % 12 == 0 else [])],
        "custom_fields": fields,
        "satisfaction_rating": _rating_of(world, rid, value),
        "sharing_agreement_ids": [],
        "custom_status_id": world.rid("custom_statuses", _STATUSES.index(status) if status in _STATUSES else 4),
        "encoded_id": f"{value % 36**5:06X}-{rid:04X}",
        "fields": fields,
        "followup_ids": [],
        "ticket_form_id": world.pick(rid, 29, "ticket_forms"),
        "brand_id": world.pick(rid, 30, "brands"),
        "allow_channelback": False,
        "allow_attachments": True,
        "from_messaging_channel": CHANNELS[value % len(CHANNELS)][0] == "messaging",
        "support_type": "ai_agent" if is_ai(world, rid) else "agent",
    }


def _handling(world: World, rid: int, value: int, status: str, requester: int) -> Row:
    """Who asked, who answers, and who listens."""
    return {
        "recipient": "support@example.com" if CHANNELS[value % len(CHANNELS)][0] == "email" else None,
        "requester_id": requester,
        "submitter_id": requester if value % 5 else world.agent(rid, 24),
        "assignee_id": None if status == "new" else world.agent(rid, 24),
        "organization_id": None if value % 3 == 0 else world.pick(rid, 25, "organizations"),
        "group_id": None if status == "new" and value % 2 else world.pick(rid, 26, "groups"),
        "collaborator_ids": [] if value % 9 else [world.end_user(rid, 27)],
        "follower_ids": [] if value % 15 else [world.agent(rid, 28)],
        "email_cc_ids": [] if value % 9 else [world.end_user(rid, 27)],
        "forum_topic_id": None,
    }


def _kind(world: World, value: int, created: int) -> Row:
    """What follows from a ticket's type."""
    kind = _TYPES[value // 7 % 5]
    return {
        "problem_id": 1 + value % world.tickets if kind == "incident" and value % 2 else None,
        "has_incidents": kind == "problem" and value % 2 == 0,
        "is_public": value % 20 != 0,
        "due_at": iso(created + 7 * 86400) if kind == "task" else None,
    }


def _rating_of(world: World, rid: int, value: int) -> Row:
    if value % 8 != 1:
        return {"score": ("unoffered", "offered", "unoffered")[value % 3]}
    return {
        "score": ("good", "bad")[value % 2],
        "id": world.rid("satisfaction_ratings", (rid - 1) // 8),
        "comment": world.notes[value % len(world.notes)] if value % 3 else None,
        "reason": "No reason provided",
        "reason_id": 0,
    }


def _fields(world: World, value: int) -> list[Row]:
    """The custom fields of a ticket: one of 61 sets, with an order number and a count of its own."""
    sets = world.part(_field_sets)
    fields = list(sets[value % len(sets)])
    fields[0] = {"id": fields[0]["id"], "value": f"ORD-{value % 10_000_000:07}"}
    fields[3] = {"id": fields[3]["id"], "value": value % 5000}
    return fields


def _field_sets(world: World) -> list[list[Row]]:
    numbers = range(max(4, world.sizes["ticket_fields"]))
    return [
        [
            {"id": world.rid("ticket_fields", 8 + number), "value": _field_value(world, number, variant)}
            for number in numbers
        ]
        for variant in range(61)
    ]


def metric(world: World, ticket: Row) -> Row:
    """Make the metric set of a ticket from the ticket itself."""
    number = int(ticket["id"])
    value = world.mix(number, 31)
    created, updated = ticket["created_at"], ticket["updated_at"]
    solved = ticket["status"] in ("solved", "closed")
    elapsed = (unix(updated) - unix(created)) // 60
    replied = reply_minutes(world, number, ticket["priority"])
    if replied is not None:
        replied = min(replied, elapsed)
    rid = FIRST_ID["ticket_metrics"] + number * STEP
    return {
        "url": f"{HOST}/api/v2/ticket_metrics/{rid}.json",
        "id": rid,
        "ticket_id": number,
        "created_at": created,
        "updated_at": updated,
        "group_stations": 1 + value % 4,
        "assignee_stations": 1 + value % 3,
        "reopens": (value % 17 == 0 and 1) or 0,
        "replies": value % 6,
        "assignee_updated_at": updated if value % 2 else None,
        "requester_updated_at": created,
        "status_updated_at": updated,
        "initially_assigned_at": None if ticket["status"] == "new" else created,
        "assigned_at": None if ticket["status"] == "new" else created,
        "solved_at": updated if solved else None,
        "latest_comment_added_at": updated,
        "reply_time_in_minutes": _clocks(replied),
        "first_resolution_time_in_minutes": _clocks(elapsed if solved else None),
        "full_resolution_time_in_minutes": _clocks(elapsed if solved else None),
        "agent_wait_time_in_minutes": _clocks(elapsed // 5),
        "requester_wait_time_in_minutes": _clocks(elapsed * 4 // 5),
        "on_hold_time_in_minutes": {"calendar": 0, "business": 0},
        "reply_time_in_seconds": {"calendar": None if replied is None else replied * 60},
        "custom_status_updated_at": updated,
    }


def _clocks(minutes: int | None) -> dict[str, int | None]:
    """A spell on both clocks: eight hours of each day are business hours."""
    return {"calendar": minutes, "business": None if minutes is None else min(minutes, 480 + minutes // 3)}


def _via(channel: str, requester: int, value: int) -> dict[str, Any]:
    source: dict[str, Any] = {"from": {}, "to": {}, "rel": None}
    if channel == "email":
        source["from"] = {"address": f"user{value % 9999}@example.com", "name": "Änne <VIP>"}
        source["to"] = {"address": "support@example.com", "name": "Support"}
    elif channel == "voice":
        source["rel"] = "voicemail" if value % 2 else "inbound"
    return {"channel": channel, "source": source}


def _field_value(world: World, number: int, variant: int) -> Any:
    value = world.mix(number * 1000 + variant, 40)
    if number == 7:
        return (7, "seven", None, True, ["7", "8"], 7.5, {"seven": 7})[variant % 7]
    if value % 3 == 0 and number > 3:
        return None
    kind = number % 10
    if kind in (0, 5):
        return world.words(value, 41, 2)
    if kind == 1:
        return f"option_{value % 9}"
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
