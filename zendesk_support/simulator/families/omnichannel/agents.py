"""Agents at this moment: the statuses that they can be in, and what each is available for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World
from zendesk_support.simulator.families.omnichannel.skills import agent_value
from zendesk_support.simulator.families.omnichannel.work import recent, work_item
from zendesk_support.simulator.families.people.rows import group_of
from zendesk_support.simulator.server.lists import decode_cursor, encode_cursor, size_of
from zendesk_support.simulator.server.messages import Request

BUILT_IN = ((2, "Offline"), (3, "Online"), (4, "Away"), (5, "Transfers only"))
CHANNELS = ("messaging", "support", "talk")
_STATUS_PAGE, _AGENTS_PAGE, _MOST = 25, 25, 100


def status(world: World, rid: int) -> Row:
    """Make a status, Zendesk's own first, as a complete load has it."""
    number, value, row = world.setting("agent_statuses", rid, "")
    if number < len(BUILT_IN):
        ident, name = BUILT_IN[number]
        return {"id": ident, "name": name, "description": f"{name} on every channel", "custom": False}
    return {
        "id": rid,
        "name": ("In a meeting", "Lunch", "Back office")[number % 3] + (f" {number}" if number > 6 else ""),
        "description": world.words(number, 170, 3),
        "channels": {channel: ("away", "online", "offline")[(value + at) % 3] for at, channel in enumerate(CHANNELS)},
        "group_ids": [world.pick(number, 171, "groups")] if value % 2 else [],
        "updated_at": row["updated_at"],
        "custom": True,
    }


def new_status(change: Change, row: Row) -> None:
    """Complete a copy: it is the account's own."""
    row |= {"custom": True, "updated_at": iso(change.now), "channels": dict.fromkeys(CHANNELS, "away"), "group_ids": []}


def statuses(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer with Zendesk's own statuses on the first page, and those of the account in pages."""
    rows = [(rid, row(rid)) for rid in rids]
    own = [rid for rid, each in rows if each["custom"]]
    low, high, links = _page(request, own, _STATUS_PAGE)
    body: dict[str, Any] = {"custom": [_resource(row(rid)) for rid in own[low:high]], **links}
    if low == 0:
        body["default"] = [_resource(each) for _, each in rows if not each["custom"]]
    return body


def _resource(row: Row) -> Row:
    """A status in the form of JSON:API."""
    outside = ("id", "updated_at", "custom")
    attributes = {name: value for name, value in row.items() if name not in outside}
    times = {"updated_at": row["updated_at"]} if "updated_at" in row else {}
    return {"id": row["id"], "type": "agent_status", **times, "attributes": attributes}


def _page(request: Request, rids: Sequence[int], size: int) -> tuple[int, int, dict[str, Any]]:
    size = size_of(request, "page[size]", size, most=_MOST)
    after = request.params.get("page[after]")
    low = sum(1 for rid in rids if rid <= decode_cursor(after, "id")[-1]) if after else 0
    high = min(len(rids), low + size)
    more = high < len(rids)
    places = ("page[after]", "page[before]", "page[size]")
    cursor: dict[str, str | int] = (
        {"page[after]": encode_cursor("id", [rids[high - 1]]), "page[size]": size} if more else {}
    )
    following = request.link(places, cursor) if more else None
    return low, high, {"links": {"next": following, "prev": None}, "meta": {"has_more": more}}


def availability(world: World, rid: int) -> Row:
    """Make an agent at this moment, as a complete load has it."""
    number, value, row = world.setting("agent_availabilities", rid, "")
    agent = world.rid("users", number % world.sizes["agents"])
    ident, name = BUILT_IN[value % 3]
    count = world.sizes["agent_attribute_values"]
    skills = [agent_value(world, world.rid("agent_attribute_values", number % count))] if count else []
    return {
        "agent_id": agent,
        "version": 1 + value % 500,
        "group_ids": [group_of(world, agent)],
        "skills": [{"id": skill["attribute_value_id"]} for skill in skills],
        "agent_status_id": ident,
        "agent_status_name": name.lower(),
        "agent_status_reason": "AGENT_STATUS_SWITCHER",
        "agent_status_updated_at": row["updated_at"].replace("Z", f".{value % 1_000_000:06}Z"),
        "channels": [_channel(world, agent, number, channel) for channel in CHANNELS],
    }


def _channel(world: World, agent: int, number: int, channel: str) -> Row:
    """What an agent can do on a channel, and what there is of it."""
    tickets = world.part(recent)
    mine = [tickets[-1 - number]] if channel == "messaging" and number < len(tickets) else []
    added = iso(world.start - 600)
    work = [{"id": work_item(world, ticket), "added_at": added, "reason": "accepted"} for ticket in mine]
    return {
        "id": f"agent_availabilities|{agent}|channels|{channel}",
        "name": channel,
        "status": "online" if number % 2 else "away",
        "max_capacity": 3 + number % 4,
        "work_item_count": len(work),
        "work_items": work,
    }


def promote(change: Change, row: Row) -> None:
    """Complete a copy: an end user has become an agent."""
    store = change.store
    users, known = store.tables["users"], {each["agent_id"] for each in store.tables["agent_availabilities"]}
    first = store.world.rid("users", store.sizes["agents"])
    fitting = [rid for rid in users.rids if rid >= first and rid not in known and users.get(rid)["active"]]
    agent = change.sample(fitting, 1)[0]
    change.touch("users", agent)["role"] = "agent"
    old = row["agent_id"]
    row |= {"agent_id": agent, "version": 1}
    for channel in row["channels"]:
        channel |= {"id": channel["id"].replace(str(old), str(agent)), "work_items": [], "work_item_count": 0}


def switch(change: Change, row: Row) -> None:
    """Have an agent take another status."""
    ident, name = next(each for each in BUILT_IN if each[0] != row["agent_status_id"])
    row |= {"agent_status_id": ident, "agent_status_name": name.lower(), "version": row["version"] + 1}
    row["agent_status_updated_at"] = iso(change.now).replace("Z", ".000001Z")
    for channel in row["channels"]:
        channel["status"] = name.lower()


def availabilities(request: Request, key: str, rids: Sequence[int], row: Callable[[int], Row]) -> dict[str, Any]:
    """Answer in the form of JSON:API: agents, and beside them their channels and their work."""
    low, high, links = _page(request, rids, _AGENTS_PAGE)
    data: list[Row] = []
    included: list[Row] = []
    for rid in rids[low:high]:
        each = row(rid)
        ident = f"agent_availabilities|{each['agent_id']}"
        attributes = {name: each[name] for name in ("agent_id", "version", "group_ids", "skills")}
        names = ("id", "name", "reason", "updated_at")
        attributes["agent_status"] = {name: each[f"agent_status_{name}"] for name in names}
        below = [{"id": channel["id"], "type": "channels"} for channel in each["channels"]]
        relations = {"channels": {"data": below}}
        data.append({"id": ident, "type": "agent_availabilities", "attributes": attributes, "relationships": relations})
        for channel in each["channels"]:
            work = channel["work_items"]
            of = {name: value for name, value in channel.items() if name not in ("id", "work_items")}
            items = {"work_items": {"data": [{"id": item["id"], "type": "work_items"} for item in work]}}
            included.append({"id": channel["id"], "type": "channels", "attributes": of, "relationships": items})
            included += [
                {"id": item["id"], "type": "work_items"}
                | {"attributes": {name: item[name] for name in ("added_at", "reason")}}
                for item in work
            ]
    return {"data": data, "included": included, **links}


def capacity_rule(world: World, rid: int) -> Row:
    """Make a rule of capacities; its id is a text."""
    number, value, row = world.setting("capacity_rules", rid, "")
    return {
        "id": world.ulid(rid, unix(row["created_at"])),
        "name": ("Usual", "New agents", "Experts")[number % 3] + (f" {number}" if number > 2 else ""),
        "description": None if value % 2 else world.words(number, 172, 4),
        "default": number == 0,
        "capacities": {channel: 1 + (value + at) % 5 for at, channel in enumerate(CHANNELS)},
        "assignees": [] if number == 0 else [world.rid("users", number % world.sizes["agents"])],
        "created_at": row["created_at"],
        "last_updated_at": row["updated_at"],
    }


def refit(change: Change, row: Row) -> None:
    """Alter what a rule allows."""
    row["capacities"]["messaging"] += 1
    row["last_updated_at"] = iso(change.now)
