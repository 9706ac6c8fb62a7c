"""Skills: attributes, their values, which agents have them, and when agents and tickets got or lost them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World
from zendesk_support.simulator.families.omnichannel.work import recent, solving
from zendesk_support.simulator.families.tickets.plot import lives_of
from zendesk_support.simulator.server.messages import Request, invalid_cursor, invalid_value, not_found
from zendesk_support.simulator.server.routes import Args

NAMES = ("Danish", "French", "Returns", "Billing", "Green", "Gold", "Japanese", "Hardware")
PAGE = 100
"""Changes a page of the export."""
MOST_AGENTS = 100
SKILLS = 2
"""How many an agent begins with."""
_PLACES = 4
"""Changes that a ticket can begin with, by their rids."""


def attribute(world: World, rid: int) -> Row:
    """Make a routing attribute; its id is a UUID."""
    number, value, row = world.setting("account_attributes", rid, "routing/attributes")
    ident = str(uuid.UUID(int=(value << 80 | number + 1) & ((1 << 128) - 1), version=1))
    return {
        **row,
        "url": f"{HOST}/api/v2/routing/attributes/{ident}.json",
        "id": ident,
        "name": ("Language", "Product", "Colour", "Tier")[number % 4] + (f" {number}" if number > 3 else ""),
    }


def uuid_of(world: World, rid: int) -> str:
    """Return the id of a skill, of an agent's skill, or of a change."""
    return f"{world.mix(rid, 150) % (1 << 32):08x}-7326-11e8-b07e-{rid % (1 << 48):012x}"


def attribute_value(world: World, rid: int) -> Row:
    """Make a value of an attribute: a skill."""
    number, _, row = world.setting("attribute_values", rid, "")
    of = attribute(world, world.rid("account_attributes", number % max(1, world.sizes["account_attributes"])))["id"]
    ident = uuid_of(world, rid)
    return {
        **row,
        "url": f"{HOST}/api/v2/routing/attributes/{of}/values/{ident}.json",
        "id": ident,
        "attribute_id": of,
        "name": NAMES[number % len(NAMES)] + (f" {number}" if number >= len(NAMES) else ""),
    }


def agent_value(world: World, rid: int) -> Row:
    """Make a skill of an agent."""
    number, value = world.number("agent_attribute_values", rid), world.mix(rid, 152)
    created = world.spread(number, world.sizes["agent_attribute_values"])
    agent, place = divmod(number, SKILLS)
    skill = attribute_value(world, world.rid("attribute_values", (agent + 3 * place) % world.sizes["attribute_values"]))
    return {
        "id": uuid_of(world, rid),
        "agent_id": world.rid("users", agent % world.sizes["agents"]),
        "attribute_id": skill["attribute_id"],
        "attribute_value_id": skill["id"],
        "agent_skill_priority": "HIGH" if value % 4 == 0 else "NORMAL",
        "name": skill["name"],
        "url": skill["url"],
        **world.stamps(created, world.later(number, created, 90 * 86_400)),
    }


# Changes of skills, agents' first, then those of the newest tickets, by the ticket and its place


def event_rids(world: World) -> list[int]:
    """Return the rids of the first changes."""
    first = FIRST_ID["routing_instance_value_events"]
    agents = [first + (number + 1) * STEP for number in range(world.sizes["agent_attribute_values"])]
    after = first + (world.sizes["agent_attribute_values"] + 1) * STEP
    tickets = [
        after + ticket * _PLACES + place
        for ticket in world.part(recent)
        for place in range(1 + (solving(world, ticket) is not None))
    ]
    return [*agents, *tickets]


def event(world: World, rid: int) -> Row:
    """Make one of the first changes: a ticket gets a skill once it is created, and loses it once it is solved."""
    number = (rid - FIRST_ID["routing_instance_value_events"]) // STEP - 1
    if number < world.sizes["agent_attribute_values"]:
        return associated(agent_value(world, world.rid("agent_attribute_values", number)))
    after = FIRST_ID["routing_instance_value_events"] + (world.sizes["agent_attribute_values"] + 1) * STEP
    ticket, place = divmod(rid - after, _PLACES)
    moment = solving(world, ticket) if place else world.part(lives_of)(ticket).created
    skill = attribute_value(world, world.rid("attribute_values", ticket % world.sizes["attribute_values"]))
    of = {"id": uuid_of(world, ticket), "attribute_value_id": skill["id"], "instance_id": str(ticket)}
    return {**of, "type": "unassociate_ticket" if place else "associate_ticket", "time": iso(moment or 0)}


def associated(skill: Row, moment: int | None = None) -> Row:
    """Make the change by which an agent got a skill, or has lost it at a moment."""
    return {
        "id": skill["id"],
        "attribute_value_id": skill["attribute_value_id"],
        "instance_id": str(skill["agent_id"]),
        "type": "associate_agent" if moment is None else "unassociate_agent",
        "time": skill["created_at"] if moment is None else iso(moment),
    }


def event_time(world: World, rid: int) -> int:
    """Return nothing: the export goes by no time."""
    return 0


def export(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer with what follows a token; the last page is empty, and leads to itself."""
    table = store.tables["routing_instance_value_events"]
    told = _in_turn(store)
    token = request.params.get("cursor")
    low = 0
    if token is not None:
        places = store.remember("places of changes", lambda: {_token(store, rid): at for at, rid in enumerate(told)})
        if token not in places:
            raise invalid_cursor()
        low = places[token] + 1
    shown = told[low : low + PAGE]
    last = _token(store, shown[-1]) if shown else token
    rows = [table.get(rid) for rid in shown]
    leads = None if last is None else f"{request.base_url}{request.path}?cursor={last}"
    return {"instance_values": rows, "count": len(rows), "end_time": store.now, "next_page": leads}


def _in_turn(store: Store) -> Sequence[int]:
    """The changes as they are told: the first ones by skill, later ones as they come."""
    table = store.tables["routing_instance_value_events"]

    def choose() -> list[int]:
        new = [rid for rid in table.rids if table.touched(rid)]
        first = [rid for rid in table.rids if not table.touched(rid)]
        return [*sorted(first, key=lambda rid: table.get(rid)["attribute_value_id"]), *new]

    return store.listing("changes of skills", choose)


def _token(store: Store, rid: int) -> str:
    return f"{store.world.mix(rid, 151) % (1 << 32):08x}-7326-11e8-b07e-{rid:012x}"


# Answers


def beside(store: Store, request: Request, page: list[Row]) -> list[Row]:
    """Return the values of all attributes."""
    return list(store.tables["attribute_values"])


def values_of(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the values of an attribute."""
    if all(row["id"] != args[0] for row in store.tables["account_attributes"]):
        raise not_found()
    table = store.tables["attribute_values"]
    return [rid for rid in table.rids if table.get(rid)["attribute_id"] == args[0]]


def own_value(store: Store, request: Request, rid: int) -> Row:
    """Return a value as the list of its attribute shows it: without the attribute."""
    return {name: value for name, value in store.tables["attribute_values"].get(rid).items() if name != "attribute_id"}


def values_of_agents(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the skills of the agents that a request names."""
    where = "from api/v2/routing/instance_values/show_many_agent_instance_values"
    named = [part.strip() for part in request.params.get("filter[agent_ids]", "").split(",") if part.strip()]
    if not named:
        raise invalid_value("filter", f"filter must be present {where}")
    if len(named) > MOST_AGENTS:
        raise invalid_value("filter", f"filter must name at most {MOST_AGENTS} agents {where}")
    table = store.tables["agent_attribute_values"]
    return [rid for rid in table.rids if str(table.get(rid)["agent_id"]) in named]


# What changes


def give(change: Change, row: Row) -> None:
    """Note that an agent has got a new skill."""
    _tell(change, associated(row))


def take(change: Change, row: Row) -> None:
    """Note that an agent has lost a skill."""
    _tell(change, associated(row, change.now))


def _tell(change: Change, row: Row) -> None:
    table = change.store.tables["routing_instance_value_events"]
    table.add(row, change.now, table.new_rid())


def prefer(change: Change, row: Row) -> None:
    """Alter how much an agent's skill counts."""
    row["agent_skill_priority"] = "NORMAL" if row["agent_skill_priority"] == "HIGH" else "HIGH"


def drop_attribute(change: Change, row: Row) -> None:
    """Take out the values of an attribute."""
    _drop(change, "attribute_values", "attribute_id", row["id"])


def drop_value(change: Change, row: Row) -> None:
    """Take a value from the agents that have it."""
    _drop(change, "agent_attribute_values", "attribute_value_id", row["id"])


def _drop(change: Change, stream: str, column: str, ident: str) -> None:
    table = change.store.tables[stream]
    for rid in [rid for rid in table.rids if table.get(rid)[column] == ident]:
        row = table.get(rid)
        (take if stream == "agent_attribute_values" else drop_value)(change, row)
        table.remove(rid)


def train(change: Change, count: int = 1) -> dict[str, Any]:
    """Give agents skills, and so make changes."""
    made = []
    for _ in range(count):
        row = change.clone(change.store.tables["agent_attribute_values"])
        give(change, row)
        made.append(row["id"])
    return {"ids": made}
