"""Chats, the times of agents, and how Chat is set up: how their rows are made."""

from __future__ import annotations

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World

HOUR = 3600
DAY = 24 * HOUR
_STATUSES = ("invisible", "online", "away", "offline")


def updated_at(world: World, rid: int) -> int:
    """Return when one of the first chats was last updated: three of four share their second with another."""
    number, count = world.number("chats", rid), world.sizes["chats"]
    return world.spread(number // 4 * 4, count) + HOUR


def chat(world: World, rid: int) -> Row:
    """Make one of the first chats."""
    number, value = world.number("chats", rid), world.mix(rid, 180)
    ended = updated_at(world, rid)
    began = ended - 120 - value % 2400
    return make_chat(world, number, rid, began, ended)


def make_chat(world: World, number: int, rid: int, began: int, updated: int) -> Row:
    """Make a chat, or a message that somebody left."""
    value, at = world.mix(rid, 181), iso(began)
    path = {"from": "", "to": "https://example.com/?a=1&b=2", "title": "Shop <1>", "timestamp": at}
    row: Row = {
        "id": chat_id(rid, began),
        "timestamp": at,
        "update_timestamp": iso(updated),
        "unread": False,
        "deleted": False,
        "tags": ["vip"] if value % 5 == 0 else [],
        "webpath": [path],
        "department_id": "" if value % 3 == 0 else world.pick(number, 190, "chat_departments"),
        "department_name": None if value % 3 == 0 else "Support",
        "zendesk_ticket_id": 1 + value % world.tickets if value % 2 else None,
        **_who(world, rid, began, updated),
    }
    if number % 6 == 5:
        return {**row, "type": "offline_msg", "message": f"Hello & {world.words(rid, 182, 4)}"}
    return {**row, **_talk(world, number, rid, began, updated)}


def _who(world: World, rid: int, began: int, updated: int) -> Row:
    """Make what a chat says of the visitor."""
    value = world.mix(rid, 181)
    session = {"id": f"s.{rid}", "ip": f"192.0.2.{value % 250 + 1}", "city": "Orlando", "country_code": "US"}
    times = {"start_date": iso(began - 60), "end_date": iso(updated)}
    name, email = world.person(value % 1000), f"visitor{value % 1000}@example.net"
    return {
        "session": {**session, "browser": "Safari", "platform": "Mac OS", **times},
        "visitor": {"id": f"3.{value % 10_000}", "name": name, "email": email, "phone": "", "notes": ""},
    }


def _talk(world: World, number: int, rid: int, began: int, updated: int) -> Row:
    """Make what a chat says of what was said."""
    value, at, agent = world.mix(rid, 181), iso(began), str(world.agent(number, 183))
    name, said = world.person(value % 1000), world.words(rid, 184, 4)
    return {
        "type": "chat",
        "agent_ids": [agent],
        "agent_names": ["Agent"],
        "started_by": "visitor",
        "duration": max(0, updated - began - 60),
        "rating": ("good", "bad", None)[value % 3],
        "comment": None if value % 4 else "Quick & kind",
        "missed": value % 7 == 0,
        "triggered": False,
        "triggered_response": None,
        "end_timestamp": iso(updated - 30),
        "count": {"visitor": 3, "agent": 2, "total": 5},
        "response_time": {"first": 6 + value % 30, "avg": 10.5, "max": 60},
        "history": [{"type": "chat.msg", "name": name, "msg": said, "timestamp": at, "channel": "#1"}],
        "conversions": [],
        "engagements": [{"id": f"{rid}.e", "agent_id": agent, "started_by": "visitor", "timestamp": at}],
    }


def chat_id(rid: int, began: int) -> str:
    """Return the id of a chat, which says when it began."""
    return f"{iso(began)[2:4]}{iso(began)[5:7]}.{rid // 16 % 10_000_000}.S{rid % 977:03}hDCJ9flq"


def began_at(world: World, rid: int) -> int:
    """Return the second in which one of the first spans of an agent's time began."""
    number, count = world.number("chat_agent_timeline", rid), world.sizes["chat_agent_timeline"]
    return world.spread(number // 2 * 2, count)


def span(world: World, rid: int) -> Row:
    """Make a span of an agent's time; two agents have spans that begin in one microsecond."""
    number = world.number("chat_agent_timeline", rid)
    return make_span(world, world.rid("users", number % 2), began_at(world, rid), world.mix(number // 2, 185))


def make_span(world: World, agent: int, began: int, value: int) -> Row:
    """Make a span of an agent's time; Chat gives it no id."""
    return {
        "agent_id": agent,
        "start_time": f"{iso(began)[:-1]}.{value % 999_999 + 1:06}Z",
        "duration": value % 7_000_000 / 1000,
        "status": _STATUSES[value % 4],
        "engagement_count": value % 3,
    }


def agent(world: World, rid: int) -> Row:
    """Make an agent, whose id is that of the user."""
    number, value = world.number("chat_agents", rid), world.mix(rid, 186)
    name = world.person(number)
    return {
        "id": world.rid("users", number),
        "first_name": name.split()[0],
        "last_name": name.split()[-1],
        "display_name": name,
        "email": f"agent{number}@example.com",
        "enabled": value % 5 != 0,
        "scope": "all",
        "role_id": world.rid("chat_roles", value % world.sizes["chat_roles"]),
        "roles": {"owner": number == 0, "administrator": number < 2},
        "departments": [world.rid("chat_departments", 0)],
        "enabled_departments": [world.rid("chat_departments", 0)],
        "skills": [],
        "login_count": value % 900,
        "create_date": iso(world.first + number * DAY),
        "last_login": iso(world.start - 600 - value % DAY),
    }


def department(world: World, rid: int) -> Row:
    """Make a department."""
    number = world.number("chat_departments", rid)
    settings = {"chat_enabled": True, "support_group_id": world.rid("groups", number % world.sizes["groups"])}
    members = [world.rid("users", place) for place in range(number % 3)]
    return {**_named(number, rid, "Department"), "members": members, "settings": settings}


def shortcut(world: World, rid: int) -> Row:
    """Make a shortcut, whose id is its name."""
    number = world.number("chat_shortcuts", rid)
    name = f"hello_{number}"
    text = f"Hello & <b>{world.words(number, 187, 2)}</b>"
    return {"id": name, "name": name, "message": text, "options": "", "scope": "all", "tags": [], "departments": []}


def rule(world: World, rid: int) -> Row:
    """Make a trigger; what it does is told in lists of lists and texts."""
    number = world.number("chat_triggers", rid)
    asked = ["and", ["stillOnPage", number + 5], ["eq", "@visitor_requesting_chat", False]]
    actions = [["sendMessageToVisitor", "Support", f"May I help with {world.words(number, 188, 2)}?"]]
    definition = {"event": "chat_requested", "condition": asked, "actions": actions, "version": 1}
    return {**_named(number, rid, "Rule"), "definition": definition}


def ban(world: World, rid: int) -> Row:
    """Make a ban, of an address or of a visitor; of the oldest nobody knows when it was made."""
    number = world.number("chat_bans", rid)
    of_address = {"type": "ip_address", "ip_address": f"198.51.100.{number % 250}"}
    of_visitor = {"type": "visitor", "visitor_id": f"3.{number}", "visitor_name": f"Visitor {number}"}
    created = iso(world.first + number * HOUR) if number else None
    made = {"id": 700 + 3 * number, "reason": f"Spam {number}", "created_at": created}
    return {**made, **(of_address if number % 3 == 0 else of_visitor)}


def goal(world: World, rid: int) -> Row:
    """Make a goal."""
    number = world.number("chat_goals", rid)
    settings = {"conditions": [{"type": "url", "operator": "contains", "value": f"/thanks/{number}"}]}
    more = {"attribution_model": "last_touch", "attribution_period": 30, "settings": settings}
    return {**_named(number, rid, "Goal"), **more}


def skill(world: World, rid: int) -> Row:
    """Make a skill."""
    number = world.number("chat_skills", rid)
    return {**_named(number, rid, "Skill"), "members": [world.rid("users", number % 2)]}


def role(world: World, rid: int) -> Row:
    """Make a role."""
    number = world.number("chat_roles", rid)
    rights = {"visitors_seen": "all", "edit_triggers": number == 0}
    return {**_named(number, rid, "Role"), "permissions": rights, "members_count": number + 1}


def _named(number: int, rid: int, kind: str) -> Row:
    return {"id": rid, "name": f"{kind} {number}", "description": "" if number % 2 else "As & when", "enabled": True}
