"""Calls: who rang about which ticket, the legs of each call, and what is told of them as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, STEP, World
from zendesk_support.simulator.families.tickets.facts import CHANNELS
from zendesk_support.simulator.families.tickets.happen import live
from zendesk_support.simulator.families.tickets.plot import lives_of

LEGS = 4
"""How many legs a call has at most."""
DAY = 86_400
AGENTS = 30
"""How many agents answer calls."""
_STATES = ("online", "away", "offline", "transfers_only")


def is_called(world: World, ticket: int) -> bool:
    """Tell whether there was a call about one of the first tickets: it came by phone, or an agent rang back."""
    return _came_by_phone(world, ticket) or ticket % 5 == 1


def _came_by_phone(world: World, ticket: int) -> bool:
    return CHANNELS[world.mix(ticket, 22) % len(CHANNELS)][0] == "voice"


def call_rids(world: World) -> Iterator[int]:
    """Yield the ids of all first calls."""
    return (FIRST_ID["calls"] + rid * STEP for rid in range(1, world.tickets + 1) if is_called(world, rid))


def leg_rids(world: World) -> Iterator[int]:
    """Yield the ids of all legs of the first calls."""
    for rid in call_rids(world):
        ticket = _ticket_of(rid)
        first = FIRST_ID["call_legs"] + ticket * LEGS * STEP
        yield from range(first, first + (2 + world.mix(ticket, 151) % 3) * STEP, STEP)


def _ticket_of(call: int) -> int:
    return (call - FIRST_ID["calls"]) // STEP


def _ticket_of_leg(leg: int) -> int:
    return (leg - FIRST_ID["call_legs"]) // STEP // LEGS


def call_time(world: World, rid: int) -> int:
    """Return when one of the first calls was last updated: 40 minutes to 3 hours after it."""
    return _times(world, _ticket_of(rid))[1]


def leg_time(world: World, rid: int) -> int:
    """Return when a leg was last updated: together with its call."""
    return _times(world, _ticket_of_leg(rid))[1]


def _times(world: World, ticket: int) -> tuple[int, int]:
    life = world.part(lives_of)(ticket)
    begun = life.created if _came_by_phone(world, ticket) else min(life.created + 900, world.start - 3600)
    settled = begun + 2400 + world.mix(ticket, 152) % 8400
    return begun, max(begun, min(settled, world.start - 300))


def call(world: World, rid: int) -> Row:
    """Make one of the first calls."""
    ticket = _ticket_of(rid)
    life, times = world.part(lives_of)(ticket), _times(world, ticket)
    agent = life.now["assignee_id"] or world.agent(rid, 153)
    row = make_call(world, rid, times, (ticket, life.requester, agent))
    inbound = _came_by_phone(world, ticket)
    return {**row, "direction": "inbound" if inbound else "outbound", "call_group_id": life.now["group_id"]}


def make_call(world: World, rid: int, times: tuple[int, int], of: tuple[int, int, int]) -> Row:
    """Make a call that began and was updated at some times, of a ticket, a customer and an agent."""
    value, (begun, updated), (ticket, customer, agent) = world.mix(rid, 154), times, of
    voicemail = value % 7 == 0
    talk, wait, hold, wrap = (0 if voicemail else value % 600), value % 90, value % 40, value % 120
    line = world.pick(rid, 155, "phone_numbers")
    number = f"+1555010{world.number('phone_numbers', line) % 1000:04}"
    recorded = 0 if voicemail else talk
    return {
        "id": rid,
        **world.stamps(begun, updated),
        "agent_id": None if voicemail else agent,
        "customer_id": customer,
        "ticket_id": ticket,
        "direction": "inbound",
        "completion_status": "completed",
        "call_channel": "phone",
        "call_charge": f"0.{value % 900 + 3:03}",
        "minutes_billed": 1 + talk // 60,
        "duration": talk + wait + hold,
        "talk_time": talk,
        "hold_time": hold,
        "wait_time": wait,
        "wrap_up_time": wrap,
        "time_to_answer": None if voicemail else wait + 5,
        "consultation_time": 0,
        "recording_time": recorded,
        "not_recording_time": 0,
        "recording_control_interactions": 0,
        "call_recording_consent": ("always", "opt_in", "opt_out")[value % 3],
        "call_recording_consent_action": None,
        "call_recording_consent_keypress": None,
        **_way(value, wait),
        "voicemail": voicemail,
        "customer_requested_voicemail": voicemail and value % 2 == 0,
        "phone_number_id": line,
        "phone_number": number,
        "line": number,
        "line_id": line,
        "line_type": "phone",
        "quality_issues": ["none"] if value % 5 else ["silence", "high_jitter"],
        "copilot_suggestions_generated_total": value % 3,
        "copilot_suggestions_generated_successful": value % 2,
        "post_call_summary": None,
        "post_call_summary_created": None,
        "post_call_transcription": None,
        "post_call_transcription_created": None,
        "real_time_transcription": None,
        "transcription_language": None,
    }


def _way(value: int, wait: int) -> Row:
    """Make what a call says of its way to an agent."""
    by_menu = value % 4 == 0
    return {
        "callback": value % 11 == 0,
        "callback_source": "queue" if value % 11 == 0 else None,
        "default_group": value % 3 == 0,
        "exceeded_queue_wait_time": wait > 80,
        "outside_business_hours": value % 13 == 0,
        "overflowed": value % 17 == 0,
        "overflowed_to": "+15550199" if value % 17 == 0 else None,
        "ivr_action": "menu" if by_menu else None,
        "ivr_hops": 1 if by_menu else None,
        "ivr_time_spent": value % 20 if by_menu else None,
        "ivr_routed_to": None,
        "ivr_destination_group_name": "Support" if by_menu else None,
    }


def leg(world: World, rid: int) -> Row:
    """Make a leg of one of the first calls."""
    ticket = _ticket_of_leg(rid)
    place = (rid - FIRST_ID["call_legs"]) // STEP % LEGS
    return make_leg(world, rid, place, call(world, FIRST_ID["calls"] + ticket * STEP))


def make_leg(world: World, rid: int, place: int, of: Row) -> Row:
    """Make a leg of a call by its place: the customer's, the agent's, those of others who joined."""
    kind = ("customer", "agent", "agent", "external")[place]
    agent = (of["agent_id"] if place == 1 else world.agent(rid, 156)) if kind == "agent" else None
    forwarded = f"+1555020{rid // STEP % 10_000:04}" if kind == "external" else None
    return {
        "id": rid,
        "call_id": of["id"],
        "type": kind,
        "agent_id": (agent or 0) if kind == "agent" else 0,
        "user_id": of["customer_id"] if kind == "customer" else 0 if place % 2 else None,
        "created_at": of["created_at"],
        "updated_at": of["updated_at"],
        "duration": of["duration"],
        "talk_time": of["talk_time"],
        "hold_time": of["hold_time"] if kind == "agent" else 0,
        "wrap_up_time": of["wrap_up_time"] if kind == "agent" else None,
        "available_via": ("browser", "phone")[place % 2] if kind == "agent" else None,
        "call_charge": f"0.{rid // STEP % 90 + 3:03}",
        "minutes_billed": of["minutes_billed"],
        "completion_status": "completed" if of["agent_id"] or kind != "agent" else "missed",
        "forwarded_to": forwarded,
        "transferred_from": of["agent_id"] if place == 2 else None,
        "transferred_to": agent if place == 2 else None,
        "consultation_from": None,
        "consultation_to": None,
        "consultation_time": None,
        "conference_from": None,
        "conference_to": None,
        "conference_time": None,
        "quality_issues": of["quality_issues"],
    }


# Changes


def create_calls(change: Change, count: int = 1, age: int = 0) -> dict[str, Any]:
    """Have customers call about tickets, each call with three legs; with `age`, so long before the newest call."""
    store, world, moment = change.store, change.store.world, change.now
    calls, legs = store.tables["calls"], store.tables["call_legs"]
    if age and calls.index:
        moment = calls.split(calls.index[-1])[0] - age
    made: list[int] = []
    told: list[int] = []
    tickets = live(change, count) or [1]
    for at in range(count):
        ticket = store.tables["tickets"].get(tickets[at % len(tickets)])
        rid = calls.new_rid()
        of = (ticket["id"], ticket["requester_id"], ticket["assignee_id"] or world.agent(rid, 153))
        row = make_call(world, rid, (moment, moment), of)
        calls.add({**row, "call_group_id": ticket["group_id"]}, moment, rid)
        for place in range(3):
            of_leg = legs.new_rid()
            legs.add(make_leg(world, of_leg, place, row), moment, of_leg)
            told.append(of_leg)
        made.append(rid)
    return {"ids": made, "leg_ids": told}


def create_legs(change: Change, count: int = 1) -> dict[str, Any]:
    """Have customers call, for the legs of their calls."""
    return {"ids": create_calls(change, count)["leg_ids"]}


def transcribe_calls(change: Change, count: int = 1) -> dict[str, Any]:
    """Have calls of any age get a summary and a transcript."""
    table, at = change.store.tables["calls"], iso(change.now)
    chosen = change.sample(table.rids, count)
    for rid in chosen:
        table.change(rid, change.now).update(
            updated_at=at,
            post_call_summary=f"A customer asked, call {change.number}.",
            post_call_summary_created=at,
            post_call_transcription=f"Agent: Hello. Customer: Call {change.number}.",
            post_call_transcription_created=at,
            transcription_language="en",
        )
    return {"ids": chosen}


def rate_legs(change: Change, count: int = 1) -> dict[str, Any]:
    """Have legs of any age get other marks of their quality."""
    table = change.store.tables["call_legs"]
    chosen = change.sample(table.rids, count)
    for rid in chosen:
        table.change(rid, change.now).update(
            updated_at=iso(change.now), quality_issues=["information_not_available", f"issue_{change.number}"]
        )
    return {"ids": chosen}


# What is told of all of them


def of_the_day(store: Store) -> list[Row]:
    """Return the calls of the day of the newest one, which stands for today, newest first."""
    table = store.tables["calls"]

    def find() -> list[Row]:
        if not table.index:
            return []
        newest, found = table.split(table.index[-1])[0], []
        midnight = newest // DAY * DAY
        for key in reversed(table.index):
            stamp, rid = table.split(key)
            if stamp < midnight:
                break
            if unix(table.get(rid)["created_at"]) >= midnight:
                found.append(table.get(rid))
        return found

    calls: list[Row] = store.remember("talk of the day", find)
    return calls


def agents_of(store: Store) -> list[int]:
    """Return the agents that answer calls."""
    world = store.world
    first = (world.rid("users", number) for number in range(min(AGENTS, world.sizes["agents"])))
    return [rid for rid in first if rid in store.tables["users"]]


def agent_activity(store: Store, rid: int) -> Row:
    """Return what an agent has done today."""
    value, user = store.world.mix(rid, 157), store.tables["users"].get(rid)
    own = [row for row in of_the_day(store) if row["agent_id"] == rid]
    state = _STATES[value % len(_STATES)]
    by_phone = value % 3 == 0
    return {
        "name": user["name"],
        "agent_id": rid,
        "avatar_url": f"https://example.com/avatars/{rid}.png",
        "via": "phone" if by_phone else "client",
        "forwarding_number": f"+1555030{value % 10_000:04}" if by_phone else None,
        "agent_state": state,
        "call_status": None if state == "offline" else "wrap_up",
        "calls_accepted": len(own),
        "calls_denied": value % 2,
        "calls_missed": value % 3,
        "calls_put_on_hold": sum(row["hold_time"] > 0 for row in own),
        "accepted_transfers": 0,
        "started_transfers": 0,
        "accepted_third_party_conferences": 0,
        "started_third_party_conferences": 0,
        "online_time": value % 20_000,
        "available_time": value % 10_000,
        "away_time": value % 3000,
        "transfers_only_time": 0,
        **{f"total_{name}": sum(row[name] for row in own) for name in ("hold_time", "talk_time", "wrap_up_time")},
        **{f"average_{name}": mean(own, name) for name in ("hold_time", "talk_time", "wrap_up_time")},
        "total_call_duration": sum(row["duration"] for row in own),
    }


def mean(calls: list[Row], name: str) -> int:
    """Return the mean of a number over calls; 0 where there are none."""
    return sum(row[name] or 0 for row in calls) // max(1, len(calls))


def queue_activity(store: Store) -> Row:
    """Return how many wait now: those of the day's calls that ended in a voicemail stand for them."""
    calls = of_the_day(store)
    waiting = [row for row in calls if row["voicemail"]]
    online = [rid for rid in agents_of(store) if agent_activity(store, rid)["agent_state"] == "online"]
    return {
        "agents_online": len(online),
        "calls_waiting": len(waiting),
        "callbacks_waiting": sum(row["callback"] for row in calls),
        "embeddable_callbacks_waiting": 0,
        "average_wait_time": mean(calls, "wait_time"),
        "longest_wait_time": max((row["wait_time"] for row in calls), default=0),
    }


def overview(store: Store) -> Row:
    """Return what today's calls were, as a whole."""
    calls = of_the_day(store)

    def count(name: str) -> int:
        return sum(bool(row[name]) for row in calls)

    inbound = sum(row["direction"] == "inbound" for row in calls)
    return {
        "average_call_duration": mean(calls, "duration"),
        "average_callback_wait_time": 0,
        "average_hold_time": mean(calls, "hold_time"),
        "average_queue_wait_time": mean(calls, "wait_time"),
        "average_time_to_answer": mean(calls, "time_to_answer"),
        "average_wrap_up_time": mean(calls, "wrap_up_time"),
        "max_calls_waiting": min(3, len(calls)),
        "max_queue_wait_time": max((row["wait_time"] for row in calls), default=0),
        "total_call_duration": sum(row["duration"] for row in calls),
        "total_callback_calls": count("callback"),
        "total_calls": len(calls),
        "total_calls_abandoned_in_queue": 0,
        "total_calls_outside_business_hours": count("outside_business_hours"),
        "total_calls_with_exceeded_queue_wait_time": count("exceeded_queue_wait_time"),
        "total_calls_with_requested_voicemail": count("customer_requested_voicemail"),
        "total_embeddable_callback_calls": 0,
        "total_hold_time": sum(row["hold_time"] for row in calls),
        "total_inbound_calls": inbound,
        "total_outbound_calls": len(calls) - inbound,
        "total_textback_requests": 0,
        "total_voicemails": count("voicemail"),
        "total_wrap_up_time": sum(row["wrap_up_time"] for row in calls),
    }
