"""What hangs below webhooks and organizations: invocations and merges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, World
from zendesk_support.simulator.families.audit.rows import DAY
from zendesk_support.simulator.families.people import People
from zendesk_support.simulator.server.messages import Request, not_found
from zendesk_support.simulator.server.routes import Args

REMEMBERED = 7 * DAY
_OUTCOMES = (("success", 200), ("failed", 500), ("terminated", 403), ("circuit broken", None), ("throttled", None))


# Invocations


def invoked_at(world: World, rid: int) -> int:
    """Return when one of the first invocations came to its end: in the last three days."""
    number = world.number("webhook_invocations", rid)
    return world.start - 3 * DAY + number * (3 * DAY - 3600) // max(1, world.sizes["webhook_invocations"])


def webhook_invocation(world: World, rid: int) -> Row:
    """Make one of the first invocations; the last webhook was never sent."""
    number, moment = world.number("webhook_invocations", rid), invoked_at(world, rid)
    hooks = world.sizes["webhooks"]
    hook = world.part(_hooks)[number % max(1, hooks - 1)]
    return make_invocation(world, rid, hook, moment, world.mix(rid, 170))


def make_invocation(world: World, rid: int, hook: str, moment: int, value: int) -> Row:
    """Make an invocation of a webhook; one without an answer has no status code."""
    status, code = _OUTCOMES[value % len(_OUTCOMES)]
    row = {"webhook_id": hook, "id": world.ulid(rid, moment), "status": status, "latest_completed_at": iso(moment)}
    return row if code is None else {**row, "status_code": code}


def _hooks(world: World) -> list[str]:
    return [world.ulid(rid, world.first + DAY + number * 7200) for number, rid in enumerate(world.rids("webhooks"))]


def invocations(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the invocations of a webhook that are remembered, the newest first: as negative numbers."""
    if all(row["id"] != args[0] for row in store.tables["webhooks"]):
        raise not_found()
    table, since = store.tables["webhook_invocations"], store.now - REMEMBERED
    own = [rid for rid in table.rids if table.get(rid)["webhook_id"] == args[0] and table.stamp(rid) > since]
    return sorted(-rid for rid in own)


def shown_invocation(store: Store, request: Request, place: int) -> Row:
    """Return an invocation as it is listed."""
    row = store.tables["webhook_invocations"].get(-place)
    return {name: value for name, value in row.items() if name != "webhook_id"}


def invoke(change: Change, count: int = 1) -> dict[str, Any]:
    """Send webhooks that are there."""
    store, table, made = change.store, change.store.tables["webhook_invocations"], []
    hooks = store.tables["webhooks"]
    for hook in change.sample(hooks.rids, count):
        rid = table.new_rid()
        row = make_invocation(store.world, rid, hooks.get(hook)["id"], change.now, rid)
        table.add(row, change.now, rid)
        made.append(row["id"])
    return {"ids": made}


def invoke_again(change: Change, count: int = 1) -> dict[str, Any]:
    """Try failed invocations once more, with success."""
    table = change.store.tables["webhook_invocations"]
    hooks = {row["id"] for row in change.store.tables["webhooks"]}
    since = change.now - DAY

    def fits(rid: int) -> bool:
        row = table.get(rid)
        return row["status"] != "success" and row["webhook_id"] in hooks and table.stamp(rid) > since

    chosen = change.sample(table.rids, count, fits)
    for rid in chosen:
        row = table.change(rid, change.now)
        row |= {"status": "success", "status_code": 200, "latest_completed_at": iso(change.now)}
    return {"ids": [table.get(rid)["id"] for rid in chosen]}


# Merges


def merges(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the merges that an organization has won or lost."""
    rid = int(args[0]) if args[0].isdigit() else 0
    if rid not in store.part(People).live_organizations():
        raise not_found()
    table = store.tables["organization_merges"]
    return [each for each in table.rids if rid in (table.get(each)["winner_id"], table.get(each)["loser_id"])]


def merge(change: Change, count: int = 1) -> dict[str, Any]:
    """Merge an organization that is there with one that nobody has heard of since."""
    store, table, made = change.store, change.store.tables["organization_merges"], []
    for winner in change.sample(store.part(People).live_organizations(), count):
        rid = table.new_rid()
        ident = store.world.ulid(rid, change.now)
        row = {"id": ident, "url": f"{HOST}/api/v2/organization_merges/{ident}.json", "winner_id": winner}
        table.add({**row, "loser_id": winner + 7, "status": "new"}, change.now, rid)
        made.append(ident)
    return {"ids": made}


def complete_merges(change: Change, count: int = 1) -> dict[str, Any]:
    """Bring merges to their end."""
    table, live = change.store.tables["organization_merges"], change.store.part(People).live_organizations()
    chosen = change.sample(
        table.rids, count, lambda rid: table.get(rid)["status"] != "complete" and table.get(rid)["winner_id"] in live
    )
    for rid in chosen:
        table.change(rid, change.now)["status"] = "complete"
    return {"ids": [table.get(rid)["id"] for rid in chosen]}
