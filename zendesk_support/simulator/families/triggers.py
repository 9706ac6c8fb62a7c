"""Triggers, and the revisions that each change of one leaves."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import HOST, STEP, World

PER_TRIGGER = 2
"""Revisions of each of the first triggers: as it was made, and as it is."""
_SAID = ("title", "active", "description", "conditions", "actions")


def trigger(world: World, rid: int) -> Row:
    """Make a trigger."""
    number, value, row = world.setting("triggers", rid, "triggers")
    title = f"Notify {world.words(number, 56, 2)} {number}"
    return {
        **row,
        "title": title,
        "raw_title": title,
        "active": value % 5 != 0,
        "default": number < 3,
        "position": (number * 17) % 499,
        "description": None,
        "category_id": str(world.rid("trigger_categories", number % max(1, world.sizes["trigger_categories"]))),
        "conditions": {"all": [{"field": "update_type", "operator": "is", "value": "Create"}], "any": []},
        "actions": [{"field": "notification_user", "value": ["requester_id", "Subject <b>", "Body & more"]}],
    }


def trigger_revision(world: World, rid: int) -> Row:
    """Make a revision of one of the first triggers."""
    number = world.number("trigger_revisions", rid)
    of = trigger(world, world.rid("triggers", number // PER_TRIGGER))
    is_first = number % PER_TRIGGER == 0
    moment = of["created_at"] if is_first else of["updated_at"]
    before = {**of, "title": f"{of['title']} as it was"}
    return make_revision(rid, before if is_first else of, None if is_first else (rid - STEP, before), moment, world)


def make_revision(rid: int, of: Row, before: tuple[int, Row] | None, moment: str, world: World) -> Row:
    """Make a revision that leaves a trigger as it is `of`, after another revision and what the trigger was then."""
    title = []
    if before is not None and before[1]["title"] != of["title"]:
        title = [{"change": "-", "content": before[1]["title"]}, {"change": "+", "content": of["title"]}]
    return {
        "id": rid,
        "url": f"{HOST}/api/v2/trigger/{of['id']}/revisions/{rid}",
        "trigger_id": of["id"],
        "author_id": world.rid("users", 0),
        "created_at": moment,
        "snapshot": {name: of[name] for name in _SAID},
        "diff": {
            "source_id": before[0] if before else None,
            "target_id": rid,
            "title": title,
            "active": [],
            "description": [],
            "actions": [],
            "conditions": {"all": [], "any": []},
        },
    }


def revise(change: Change, row: Row, before: Row | None = None) -> int:
    """Note a revision of a trigger that was made, or altered, now."""
    table = change.store.tables["trigger_revisions"]
    known = [rid for rid in table.rids if table.get(rid)["trigger_id"] == row["id"]]
    rid = table.new_rid()
    last = (known[-1], before) if known and before is not None else None
    table.add(make_revision(rid, row, last, iso(change.now), change.store.world), change.now, rid)
    return rid


def made_trigger(change: Change, row: Row) -> None:
    """Note the first revision of a new trigger."""
    revise(change, row)


def altered_trigger(change: Change, row: Row) -> None:
    """Alter a trigger, which makes a revision."""
    before = dict(row)
    change.alter_text(row)
    revise(change, row, before)


def revise_triggers(change: Change, count: int = 1) -> dict[str, Any]:
    """Alter triggers, so that they have more revisions."""
    made = []
    for rid in change.sample(change.store.tables["triggers"].rids, count):
        row = change.touch("triggers", rid)
        before = dict(row)
        change.alter_text(row)
        made.append(revise(change, row, before))
    return {"ids": made}


def remove_triggers(change: Change, count: int = 1) -> dict[str, Any]:
    """Take out triggers with their revisions: only so can these go."""
    tables, gone = change.store.tables, []
    for trigger_id in change.sample(tables["triggers"].rids, count):
        below = [rid for rid in tables["trigger_revisions"].rids if _trigger_of(change.store, rid) == trigger_id]
        for rid in below:
            tables["trigger_revisions"].remove(rid)
        tables["triggers"].remove(trigger_id)
        gone += below
    return {"ids": gone}


def _trigger_of(store: Store, rid: int) -> int:
    found: int = store.tables["trigger_revisions"].get(rid)["trigger_id"]
    return found
