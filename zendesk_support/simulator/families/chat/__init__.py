"""Chat: its exports, its lists, and a login of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World
from zendesk_support.simulator.families.chat import rows
from zendesk_support.simulator.families.chat.exports import MICRO, ChatExport, Order, stood, updated
from zendesk_support.simulator.families.configuration.secrets import planted
from zendesk_support.simulator.kinds import Family, Gate, Kind, Size
from zendesk_support.simulator.server.limits import Limit
from zendesk_support.simulator.server.messages import Request
from zendesk_support.simulator.server.routes import Args, Route, Show

_CHAT = Limit(200, name="chat")
_GATE = Gate("growth", 404)
_SHORT = 10
_LONGEST = 1000


def _route(name: str, path: str, show: Show, *params: str) -> Route:
    kind = "incremental" if path.startswith("incremental/") else "list"
    return Route(
        name, f"/api/v2/chat/{path}", show=show, params=params, general=_CHAT, stream=name, kind=kind, admins=True
    )


def _whole(stream: str) -> Show:
    """Return the answer of a list that is an array and nothing else."""
    return lambda store, request, args: list(store.tables[stream])


def _from_id(store: Store, stream: str, request: Request) -> list[Row]:
    """Return the rows from an id on, in the order of their ids: all of them where nothing is asked for, else a page."""
    since = request.params.get("since_id", "0")
    low = int(since) if since.isdigit() else 0
    rows = sorted((row for row in store.tables[stream] if row["id"] >= low), key=lambda row: int(row["id"]))
    text = request.params.get("limit", str(_SHORT) if "since_id" in request.params else "")
    return rows[: min(int(text) if text.isdigit() and int(text) else _LONGEST, _LONGEST)]


def _agents(store: Store, request: Request, args: Args) -> list[Row]:
    return _from_id(store, "chat_agents", request)


def _bans(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer with the rows of a page, in a list for each type."""
    found = _from_id(store, "chat_bans", request)
    return {kind: [row for row in found if row["type"] == kind] for kind in ("ip_address", "visitor")}


def _account(store: Store, request: Request, args: Args) -> dict[str, Any]:
    row = store.tables["chat_account"].get(store.tables["chat_account"].rids[0])
    return {**row, "billing": planted("billing", 1), "plan": {**row["plan"], "price": planted("price", 1)}}


def _account_row(world: World, rid: int) -> Row:
    plan = {"name": "Professional", "max_agents": world.sizes["agents"], "triggers": True}
    return {"account_key": "chat-account", "status": "active", "create_date": iso(world.first), "plan": plan}


# Changes


def _chat(change: Change, count: int = 1) -> dict[str, Any]:
    """Have visitors write."""
    table, made = change.store.tables["chats"], []
    for place in range(count):
        rid = table.new_rid()
        row = rows.make_chat(change.store.world, place, rid, change.now - 300, change.now)
        table.add(row, change.now, rid)
        made.append(row["id"])
    return {"ids": made}


def _alter_chats(change: Change, count: int, altered: Callable[[Row], Any]) -> dict[str, Any]:
    table, chosen = change.store.tables["chats"], []
    for rid in change.sample(table.rids, count, lambda rid: not table.get(rid)["deleted"]):
        row = table.change(rid, change.now)
        altered(row)
        row["update_timestamp"] = iso(change.now)
        chosen.append(row["id"])
    return {"ids": chosen}


def _tag_chats(change: Change, count: int = 1) -> dict[str, Any]:
    """Tag chats."""
    return _alter_chats(change, count, lambda row: row.update(tags=[*row["tags"], f"tag{change.number}"]))


def _delete_chats(change: Change, count: int = 1) -> dict[str, Any]:
    """Delete chats, whose rows say so."""
    return _alter_chats(change, count, lambda row: row.update(deleted=True))


def _be_online(change: Change, count: int = 1) -> dict[str, Any]:
    """Have agents begin spans of time."""
    return _end_spans(change, count, 0)


def _end_spans(change: Change, count: int = 1, lasted: int = 14_400) -> dict[str, Any]:
    """Have agents end spans that have lasted for so many seconds, and are told only now."""
    table, made = change.store.tables["chat_agent_timeline"], []
    for place in range(count):
        rid = table.new_rid()
        agent = change.store.world.rid("users", place)
        row = rows.make_span(change.store.world, agent, change.now - lasted, change.store.world.mix(rid, 189))
        row["duration"] = float(lasted)
        table.add(row, change.now, rid)
        made.append(row["start_time"])
    return {"ids": made}


def _stay_online(change: Change, count: int = 1) -> dict[str, Any]:
    """Have the spans that began last go on until now."""
    table = change.store.tables["chat_agent_timeline"]
    chosen = sorted(table.rids, key=lambda rid: str(table.get(rid)["start_time"]))[-count:]
    for rid in chosen:
        row = table.change(rid, change.now)
        row["duration"] = float(change.now - unix(row["start_time"].partition(".")[0] + "Z"))
    return {"ids": [table.get(rid)["start_time"] for rid in chosen]}


def _order_spans(change: Change, by_start: bool = True) -> dict[str, Any]:
    """Have the export of agents' times go by when a span began, or again by when it was updated."""
    change.store.part(Order).by_start = by_start
    return {"ids": []}


def _next_id(stream: str, step: int) -> Callable[[Change, Row], None]:
    """Return what gives a new row the id after the last one."""

    def cloned(change: Change, row: Row) -> None:
        row["id"] = max(each["id"] for each in change.store.tables[stream] if each is not row) + step

    return cloned


def _hire(change: Change, row: Row) -> None:
    """Give a new agent the id after the last one, and a time of its own."""
    _next_id("chat_agents", 16)(change, row)
    row["create_date"] = iso(change.now)


def _rename(change: Change, row: Row) -> None:
    row["name"] = row["id"] = f"shortcut_{change.number}_{len(change.store.tables['chat_shortcuts'])}"


def _reword(change: Change, row: Row) -> None:
    row["message"] = f"Changed {change.number}"


def _give_reason(change: Change, row: Row) -> None:
    row["reason"] = f"Spam, changed {change.number}"


def _log_in(change: Change, row: Row) -> None:
    row |= {"last_login": iso(change.now), "login_count": row["login_count"] + 1}


def _renew(change: Change, row: Row) -> None:
    row["plan"] = {**row["plan"], "name": f"Plan {change.number}"}


def _change_account(change: Change, count: int = 1) -> dict[str, Any]:
    table = change.store.tables["chat_account"]
    _renew(change, table.change(table.rids[0]))
    return {"ids": [1]}


def _setting(
    name: str, make: Callable[[World, int], Row], size: Size, show: Show | None = None, *params: str, **more: Any
) -> Kind:
    path = name.removeprefix("chat_")
    routes = (_route(name, path, show or _whole(name), *params),)
    return Kind(name, row=make, size=size, gate=_GATE, routes=routes, **more)


_CHATS = ChatExport("chats", "chats", updated, 1, lambda row: str(row["id"]))
_TIMELINE = ChatExport(
    "chat_agent_timeline", "agent_timeline", stood, MICRO, lambda row: str(row["agent_id"]), goes_by_id=False
)
_ASKED = ("start_time", "start_id", "limit", "fields")
FAMILY = Family(
    "chat",
    (
        Kind(
            "chats",
            row=rows.chat,
            size=lambda of: max(40, min(5000, of["tickets"] // 4)),
            stamp=rows.updated_at,
            gate=_GATE,
            routes=(_route("chats", "incremental/chats", _CHATS, *_ASKED),),
            truth=lambda store: (
                {**row, "department_id": row["department_id"] or None} for row in store.tables["chats"]
            ),
            create=_chat,
            update=_tag_chats,
            remove=_delete_chats,
        ),
        Kind(
            "chat_agent_timeline",
            row=rows.span,
            size=30,
            stamp=rows.began_at,
            gate=_GATE,
            routes=(_route("chat_agent_timeline", "incremental/agent_timeline", _TIMELINE, *_ASKED),),
            grows_only=True,
            create=_be_online,
        ),
        _setting(
            "chat_agents",
            rows.agent,
            lambda of: of["agents"],
            _agents,
            "since_id",
            "limit",
            cloned=_hire,
            altered=_log_in,
        ),
        _setting("chat_departments", rows.department, 4),
        _setting("chat_shortcuts", rows.shortcut, 6, cloned=_rename, altered=_reword),
        _setting("chat_triggers", rows.rule, 5),
        _setting(
            "chat_bans",
            rows.ban,
            9,
            _bans,
            "since_id",
            "limit",
            cloned=_next_id("chat_bans", 3),
            altered=_give_reason,
        ),
        _setting("chat_goals", rows.goal, 3),
        _setting("chat_skills", rows.skill, 3),
        _setting("chat_roles", rows.role, 3),
        _setting(
            "chat_account",
            _account_row,
            1,
            _account,
            create=_change_account,
            update=_change_account,
            remove=_change_account,
            truth=lambda store: ({"id": 1, **row} for row in store.tables["chat_account"]),
        ),
    ),
    mutations={"end_spans": _end_spans, "stay_online": _stay_online, "order_spans": _order_spans},
)
