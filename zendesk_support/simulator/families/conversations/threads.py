"""The first side conversations: what agents ask others about a ticket, and what these answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from typing import Any

from zendesk_support.simulator.clock import iso_ms
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World
from zendesk_support.simulator.families.people import rows as people
from zendesk_support.simulator.families.tickets.facts import created_at, is_ai, is_deleted, is_scrubbed
from zendesk_support.simulator.families.tickets.plot import lives_of, steps_of

THREADS, EVENTS = 4, 8
"""How many side conversations a ticket can begin with, and how many events one of them."""
KINDS = ("email", "ticket", "slack", "msteams")
_PLANS = ("crr", "cr", "crx", "curx", "c", "crrrx", "cx", "crur")
"""How a side conversation goes: created, replied to, its subject updated, closed."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One of the first side conversations.

    Attributes:
        number: Its place among those of all tickets.
        ticket: The ticket it is about.
        plan: What happens, a letter for each event.
        moments: And when, in milliseconds.
        agent: Who began it.
        kind: How the others are reached.
        child: The ticket that it is answered on, 0 if it is none.
    """

    number: int
    ticket: int
    plan: str
    moments: tuple[int, ...]
    agent: int
    kind: str
    child: int


def numbers_of(world: World, ticket: int) -> range:
    """Return the numbers of the side conversations that a ticket begins with."""
    special = 0 < ticket <= world.tickets and (ticket - 1) % 20 == 11
    if not special or is_scrubbed(world, ticket) or is_ai(world, ticket) or len(steps_of(world, ticket)) < 2:
        return range(0)
    return range(ticket * THREADS, ticket * THREADS + 1 + world.mix(ticket, 101) % 3)


def all_numbers(world: World) -> Iterator[int]:
    """Yield the numbers of all first side conversations."""
    return (number for ticket in range(12, world.tickets + 1, 20) for number in numbers_of(world, ticket))


def thread_rid(number: int) -> int:
    """Return the rid of the n-th side conversation."""
    return FIRST_ID["side_conversations"] + number * STEP


def number_of(rid: int) -> int:
    """Return the number of a side conversation from its rid."""
    return (rid - FIRST_ID["side_conversations"]) // STEP


def thread_rids(world: World) -> Iterator[int]:
    """Yield the rids of all first side conversations."""
    return map(thread_rid, all_numbers(world))


def event_rids(world: World) -> Iterator[int]:
    """Yield the rids of all first events."""
    for number in all_numbers(world):
        first = FIRST_ID["side_conversation_events"] + number * EVENTS * STEP
        yield from range(first, first + len(_plan(world, number)) * STEP, STEP)


def place_of(event: int) -> tuple[int, int]:
    """Return the side conversation of one of the first events, and its place in it."""
    return divmod((event - FIRST_ID["side_conversation_events"]) // STEP, EVENTS)


def event_time(world: World, rid: int) -> int:
    """Return the second in which one of the first events happened."""
    number, place = place_of(rid)
    return world.part(threads_of)(number).moments[place] // 1000


def thread_time(world: World, rid: int) -> int:
    """Return the second in which something last happened in one of the first side conversations."""
    return world.part(threads_of)(number_of(rid)).moments[-1] // 1000


def threads_of(world: World) -> Callable[[int], Thread]:
    """Return what tells of one of the first side conversations, and remembers the last ones."""
    return lru_cache(maxsize=1024)(partial(_thread, world))


def _plan(world: World, number: int) -> str:
    return _PLANS[world.mix(number, 102) % len(_PLANS)]


def _thread(world: World, number: int) -> Thread:
    """Tell of one side conversation: it lies within its ticket's life."""
    ticket, place = divmod(number, THREADS)
    life, plan, value = world.part(lives_of)(ticket), _plan(world, number), world.mix(number, 103)
    span = life.updated - life.created
    low = span * (value % 40) // 100
    seconds = (life.created + low + (span - low) * (at + 1) // (len(plan) + 1) for at in range(len(plan)))
    moments = tuple(second * 1000 + 100 * at + value % 100 for at, second in enumerate(seconds))
    kind = KINDS[(ticket // 20 + place) % len(KINDS)]
    child = _child(world, ticket, moments[0] // 1000) if kind == "ticket" else 0
    agent = life.now["assignee_id"] or world.agent(number, 104)
    return Thread(number, ticket, plan, moments, agent, kind if child or kind != "ticket" else "email", child)


def _child(world: World, ticket: int, since: int) -> int:
    """Return the first ticket that was written since a moment and is still there, or 0."""
    later = range(ticket + 1, world.tickets + 1)
    return next((rid for rid in later if created_at(world, rid) > since and not is_deleted(world, rid)), 0)


def uuid_of(world: World, rid: int) -> str:
    """Return the id of a side conversation or of one of its events."""
    return f"{world.mix(rid, 105) % (1 << 32):08x}-4ae1-11f1-9738-{rid:012x}"


def rid_of(row: Row) -> int:
    """Return the rid of a side conversation or an event."""
    return int(row["id"][-12:], 16)


def agent_of(world: World, rid: int) -> Row:
    """Return an agent as a participant."""
    user = people.user(world, rid)
    return {"user_id": rid, "name": user["name"], "email": user["email"]}


def other_of(world: World, number: int, kind: str) -> Row:
    """Return whoever an agent asks, as a participant; only those asked by mail have an address."""
    value = world.mix(number, 106)
    other: Row = {"user_id": None, "name": world.words(number, 107, 2).title(), "email": None}
    if kind == "email":
        return {**other, "email": f"supplier{value % 97}@example.net"}
    if kind == "ticket":
        return {**other, "support_group_id": str(world.pick(number, 108, "groups"))}
    team = {"slack": ("slack_workspace_id", "slack_channel_id"), "msteams": ("msteams_team_id", "msteams_channel_id")}
    return {**other, **dict(zip(team[kind], (f"T{value % 36**4:08X}", f"C{value % 36**5:08X}")))}


def event(world: World, rid: int) -> Row:
    """Make one of the first events."""
    number, place = place_of(rid)
    thread = world.part(threads_of)(number)
    agent, other = agent_of(world, thread.agent), other_of(world, number, thread.kind)
    told = {"ticket_id": thread.ticket, "id": uuid_of(world, thread_rid(number))}
    letter, ms = thread.plan[place], thread.moments[place]
    if letter in "ux":
        changed = {"state": "closed"} if letter == "x" else {"subject": f"{subject_of(world, number)} (again)"}
        return make_event(world, rid, told, "update", ms, agent, updates=changed)
    asked = thread.plan[:place].count("r") % 2 == 0 and letter == "r"
    parties = (other, agent) if asked else (agent, other)
    text = world.notes[world.mix(rid, 109) % len(world.notes)]
    reference = {"targetTicketId": str(thread.child)} if thread.child else {}
    message = make_message(subject_of(world, number), text, parties, reference)
    return make_event(world, rid, told, "create" if letter == "c" else "reply", ms, parties[0], message=message)


def subject_of(world: World, number: int) -> str:
    """Return what a side conversation is first called."""
    return world.subjects[world.mix(number, 110) % len(world.subjects)]


def make_message(subject: str, text: str, parties: tuple[Row, Row], external_ids: dict[str, str]) -> Row:
    """Make a message from one participant to another."""
    return {
        "subject": subject,
        "preview_text": text[:80],
        "body": text,
        "html_body": f"<p>{escape(text)}</p>",
        "from": parties[0],
        "to": [parties[1]],
        "external_ids": external_ids,
        "attachments": [],
    }


def make_event(world: World, rid: int, of: Row, kind: str, ms: int, actor: Row, **said: Any) -> Row:
    """Make an event of a side conversation, which is given by its id and ticket."""
    row: Row = {
        "id": uuid_of(world, rid),
        "url": f"{_url(of)}/events/{uuid_of(world, rid)}",
        "side_conversation_id": of["id"],
        "ticket_id": of["ticket_id"],
        "type": kind,
        "via": "support" if actor["user_id"] else "email" if actor["email"] else "api",
        "created_at": iso_ms(ms),
        "actor": actor,
        "updates": said.get("updates", {}),
    }
    return {**row, "message": said["message"]} if "message" in said else row


def _url(of: Row) -> str:
    return f"{HOST}/api/v2/tickets/{of['ticket_id']}/side_conversations/{of['id']}"


def side_conversation(world: World, rid: int) -> Row:
    """Make one of the first side conversations: what its events say of it."""
    number = number_of(rid)
    first = FIRST_ID["side_conversation_events"] + number * EVENTS * STEP
    events = [event(world, first + place * STEP) for place in range(len(_plan(world, number)))]
    row = begun(events[0])
    for each in events[1:]:
        go_on(row, each)
    return row


def begun(event: Row) -> Row:
    """Return a side conversation as the event that created it leaves it."""
    message, at = event["message"], event["created_at"]
    of = {"ticket_id": event["ticket_id"], "id": event["side_conversation_id"]}
    return {
        "url": _url(of),
        "id": of["id"],
        "ticket_id": of["ticket_id"],
        "subject": message["subject"],
        "preview_text": message["preview_text"],
        "state": "open",
        "participants": [message["from"], *message["to"]],
        "created_at": at,
        "updated_at": at,
        "message_added_at": at,
        "state_updated_at": at,
        "external_ids": message["external_ids"],
    }


def go_on(row: Row, event: Row) -> None:
    """Have a side conversation say what an event has made of it; a reply opens it again."""
    row["updated_at"] = at = event["created_at"]
    changed = dict(event["updates"])
    if "message" in event:
        row |= {"message_added_at": at, "preview_text": event["message"]["preview_text"]}
        changed["state"] = "open"
    if changed.get("state", row["state"]) != row["state"]:
        row["state_updated_at"] = at
    row |= changed
