"""Work: queues, how tickets of the last months went through them, and what agents did on them until it was done."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World
from zendesk_support.simulator.families.conversations.messages import is_messaging
from zendesk_support.simulator.families.people.rows import group
from zendesk_support.simulator.families.tickets.facts import created_at, is_deleted
from zendesk_support.simulator.families.tickets.happen import live, set_fields
from zendesk_support.simulator.families.tickets.life import SOLVED, is_agent
from zendesk_support.simulator.families.tickets.plot import lives_of
from zendesk_support.simulator.server.messages import Request, error
from zendesk_support.simulator.server.routes import Args

DAY = 86_400
KEPT = 90 * DAY
"""How long Zendesk keeps what it lists here."""
SINCE = 80 * DAY
"""How long before the account's start the first rows begin."""
ALTERED = 29 * DAY


def recent(world: World) -> list[int]:
    """Return the tickets of the last months that are not deleted, oldest first."""
    found: list[int] = []
    for ticket in range(world.tickets, 0, -1):
        if created_at(world, ticket) < world.start - SINCE:
            break
        if not is_deleted(world, ticket):
            found.append(ticket)
    return found[::-1]


def solving(world: World, ticket: int) -> int | None:
    """Return when one of the first tickets was first solved."""
    steps = world.part(lives_of)(ticket).steps
    return next((when for when, _, _, set_to in steps if any(new in SOLVED for _, new, _ in set_to)), None)


def zoneless(moment: int) -> str:
    """Return a time as these lists write it: UTC, and it does not say so."""
    return iso(moment).removesuffix("Z")


def channel_of(world: World, ticket: int) -> str:
    """Return the channel of a ticket's work."""
    return "MESSAGING" if 0 < ticket <= world.tickets and is_messaging(world, ticket) else "SUPPORT"


# Queues


def queue(world: World, rid: int) -> Row:
    """Make a queue; the second shares its work out to others."""
    number, value, row = world.setting("queues", rid, "queues")
    ident = world.ulid(rid, unix(row["created_at"]))
    first, other = (group(world, world.rid("groups", (number + more) % world.sizes["groups"])) for more in (0, 1))
    groups = {"primary_groups": _groups(first), "secondary_groups": _groups(*([other] if value % 2 else []))}
    share = {"subqueues": [{"id": f"{ident}-1", "percentage": 60, "primary_groups": _groups(first)}]}
    return {
        **row,
        "id": ident,
        "url": f"{HOST}/api/v2/queues/{ident}.json",
        "name": ("Urgent work", "Shared by percent", "Messages & calls", "Rest")[number % 4]
        + (f" {number}" if number > 3 else ""),
        "description": None if value % 3 == 0 else world.words(number, 160, 4),
        "priority": number + 1,
        "order": number + 1,
        "definition": {
            "all": [{"field": "priority", "operator": "is", "value": ("urgent", "high", None, 4)[number % 4]}],
            "any": [],
        },
        **(share if number == 1 else groups),
    }


def _groups(*groups: Row) -> Row:
    return {"count": len(groups), "groups": [{"id": each["id"], "name": each["name"]} for each in groups]}


def queue_of(world: World, ticket: int) -> str | None:
    """Return the queue that a ticket's work waits in; a third of the work waits in none of the account's own."""
    if ticket % 3 == 0 or not world.sizes["queues"]:
        return None
    return str(queue(world, world.rid("queues", ticket % world.sizes["queues"]))["id"])


def work_item(world: World, ticket: int) -> str:
    """Return the id of a ticket's piece of work."""
    return f"{world.mix(ticket, 161) % (1 << 32):08x}-0c11-4f0e-8000-{ticket:012x}"


def queue_event_rids(world: World) -> list[int]:
    """Return the rids of the first events: work comes in, and most of it is taken by an agent."""
    first = FIRST_ID["queue_events"]
    return [
        first + ticket * STEP + place
        for ticket in world.part(recent)
        for place in range(1 + (_taken(world, ticket) is not None))
    ]


def _taken(world: World, ticket: int) -> int | None:
    """When an agent first did something on a ticket."""
    return next((when for when, who, *_ in world.part(lives_of)(ticket).steps[1:] if is_agent(world, who)), None)


def queue_event_time(world: World, rid: int) -> int:
    """Return when one of the first events of queues occurred."""
    ticket, place = divmod(rid - FIRST_ID["queue_events"], STEP)
    return (_taken(world, ticket) or 0) if place else world.part(lives_of)(ticket).created + 5


def queue_event(world: World, rid: int) -> Row:
    """Make one of the first events of queues."""
    ticket, place = divmod(rid - FIRST_ID["queue_events"], STEP)
    began = world.part(lives_of)(ticket).created + 5
    return make_queue_event(world, ticket, began, queue_event_time(world, rid) if place else None)


def make_queue_event(world: World, ticket: int, began: int, ended: int | None = None) -> Row:
    """Make the event by which a ticket's work came into its queue, or has left it."""
    channel = channel_of(world, ticket)
    waiting = world.mix(ticket, 162) % 7 if channel != "SUPPORT" else 0
    return {
        "channel": channel,
        "event_type": "INBOUND" if ended is None else "OUTBOUND",
        "inbound_reason": "NEW_WORK" if ended is None else None,
        "outbound_reason": None if ended is None else "ACCEPTED",
        "queue_id": queue_of(world, ticket),
        "work_item_id": work_item(world, ticket),
        "call_id": None,
        "ticket_id": ticket,
        "event_occurred_at": zoneless(began if ended is None else ended),
        "start_queue_time": zoneless(began),
        "end_queue_time": None if ended is None else zoneless(ended),
        "current_channel_queue_size": waiting,
        "hourly_channel_queue_size_seconds": -waiting * 600,
    }


def enqueue(change: Change, count: int = 1, age: int = 0) -> dict[str, Any]:
    """Let work come into queues, some seconds ago if it shows only now."""
    table, made = change.store.tables["queue_events"], []
    for ticket in live(change, count):
        rid, moment = table.new_rid(), change.now - age
        table.add(make_queue_event(change.store.world, ticket, moment), moment, rid)
        made.append(rid)
    return {"ids": made}


# Engagements


def engagement_rids(world: World) -> list[int]:
    """Return the rids of the first engagements: of tickets that were solved by somebody."""
    return [FIRST_ID["engagements"] + ticket * STEP for ticket in world.part(recent) if _worked(world, ticket)]


def _worked(world: World, ticket: int) -> bool:
    return solving(world, ticket) is not None and world.part(lives_of)(ticket).now["assignee_id"] is not None


def engagement_time(world: World, rid: int) -> int:
    """Return when one of the first engagements began."""
    ticket = (rid - FIRST_ID["engagements"]) // STEP
    return min(world.part(lives_of)(ticket).created + 30 + ticket % 600, solving(world, ticket) or 0)


def engagement(world: World, rid: int) -> Row:
    """Make one of the first engagements: from a ticket's assignment to its first solution."""
    ticket = (rid - FIRST_ID["engagements"]) // STEP
    life = world.part(lives_of)(ticket)
    of = {"ticket_id": ticket, "requester_id": life.requester, "channel": channel_of(world, ticket)}
    who = {"agent_id": life.now["assignee_id"], "group_id": life.now["group_id"]}
    return make_engagement(world, rid, {**of, **who}, engagement_time(world, rid), solving(world, ticket) or 0)


def make_engagement(world: World, rid: int, of: Row, began: int, ended: int) -> Row:
    """Make an engagement."""
    value = world.mix(rid, 163)
    replies, waits = 1 + value % 3, (ended - began) // 2
    return {
        "engagement_id": f"{world.mix(rid, 164) << 64 | rid:032X}"[-32:],
        **of,
        "offer_time_seconds": value % 9,
        "assignment_to_first_reply_time_seconds": min(ended - began, value % 900),
        "agent_messages_count": replies + value % 2,
        "agent_replies_count": replies,
        "end_user_messages_count": value % 4,
        "total_requester_wait_time_seconds": waits,
        "longest_requester_wait_time_seconds": waits,
        "average_requester_wait_time_seconds": waits // replies,
        "engagement_start_reason": "Assigned",
        "engagement_end_reason": "Ticket Status Changed",
        "engagement_start_time": zoneless(began),
        "engagement_end_time": zoneless(ended),
        "ticket_status_start": "OPEN",
        "ticket_status_end": "SOLVED",
    }


def finish(change: Change, count: int = 1) -> dict[str, Any]:
    """End engagements now: the first began within the hour, each second one up to 20 days ago."""
    world, table, made = change.store.world, change.store.tables["engagements"], []
    for number, ticket in enumerate(live(change, count)):
        row = change.store.tables["tickets"].get(ticket)
        if row["status"] not in SOLVED:
            set_fields(change, ticket, {"status": "solved"})
        began = max(unix(row["created_at"]), change.now - (20 * DAY if number % 2 else 3000))
        agent = row["assignee_id"] or world.agent(ticket, 165)
        of = {name: row[name] for name in ("requester_id", "group_id")}
        of |= {"ticket_id": ticket, "agent_id": agent, "channel": channel_of(world, ticket)}
        rid = table.new_rid()
        table.add(make_engagement(world, rid, of, began, change.now), began, rid)
        made.append(table.get(rid)["engagement_id"])
    return {"ids": made}


def _young(change: Change, count: int) -> list[int]:
    table = change.store.tables["engagements"]
    return change.sample(table.rids, count, lambda rid: table.stamp(rid) > change.now - ALTERED)


def correct(change: Change, count: int = 1) -> dict[str, Any]:
    """Count the waits of engagements anew, if they began within the last weeks."""
    table, chosen = change.store.tables["engagements"], _young(change, count)
    for rid in chosen:
        table.change(rid)["average_requester_wait_time_seconds"] += 1
    return {"ids": [table.get(rid)["engagement_id"] for rid in chosen]}


def forget(change: Change, count: int = 1) -> dict[str, Any]:
    """Take out engagements that began within the last weeks."""
    table, chosen = change.store.tables["engagements"], _young(change, count)
    gone = [table.get(rid)["engagement_id"] for rid in chosen]
    for rid in chosen:
        table.remove(rid)
    return {"ids": gone}


# Answers


def kept(stream: str, time: str) -> Callable[[Store, Request, Args], Sequence[int]]:
    """Return what chooses the rows of a list by start and end, in seconds, among those that are kept."""

    def in_order(store: Store) -> list[tuple[int, int]]:
        table = store.tables[stream]
        return sorted((unix(f"{table.get(rid)[time]}Z"), rid) for rid in table.rids)

    def rids(store: Store, request: Request, args: Args) -> Sequence[int]:
        low, high = (_second(request, name) for name in ("start_time", "end_time"))
        places = store.remember(f"{stream} in order", lambda: in_order(store))
        first = bisect_left(places, (max(low or 0, store.now - KEPT), 0))
        last = len(places) if high is None else bisect_left(places, (high + 1, 0))
        channel, table = request.params.get("channel"), store.tables[stream]
        return [rid for _, rid in places[first:last] if channel in (None, table.get(rid)["channel"])]

    return rids


def _second(request: Request, name: str) -> int | None:
    text = request.params.get(name)
    if text is not None and not text.isdigit():
        raise error("InvalidValue", f"{name} must be a time in seconds")
    return None if text is None else int(text)


def in_utc(row: Row, *names: str) -> Row:
    """Return a row as a complete load has it, with times that say that they are UTC."""
    return {**row, **{name: f"{row[name]}Z" for name in names if row[name] is not None}}
