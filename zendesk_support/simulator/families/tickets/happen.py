"""How a change goes on with a ticket's life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change, any_row
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.events import audit, child, comment, told
from zendesk_support.simulator.families.tickets.life import PRIVATE, PUBLIC
from zendesk_support.simulator.families.tickets.measures import so_far
from zendesk_support.simulator.families.tickets.rows import custom_status

Part = tuple[str, dict[str, Any]]
"""A child event that sets no field: its type and what it says."""


def live(change: Change, count: int, fits: Callable[[int], bool] = any_row) -> list[int]:
    """Choose tickets that lists show."""
    is_listed = change.store.part(Tickets).is_listed
    return change.sample(change.store.tables["tickets"].rids, count, lambda rid: is_listed(rid) and fits(rid))


def deleted(change: Change, count: int) -> list[int]:
    """Choose deleted tickets that are not scrubbed."""
    tickets = change.store.part(Tickets)
    return change.sample(
        change.store.tables["tickets"].rids,
        count,
        lambda rid: tickets.is_deleted(rid) and not tickets.is_scrubbed(rid),
    )


def touch(change: Change, rid: int, *, generated_only: bool = False) -> Row:
    """Return a ticket's row that may be altered, exported anew and, if nothing else is said, updated now."""
    row = change.store.tables["tickets"].change(rid, change.now)
    row["generated_timestamp"] = change.now
    if not generated_only:
        row["updated_at"] = iso(change.now)
    return row


def happen(
    change: Change,
    rid: int,
    values: dict[str | int, Any],
    text: str = "",
    *,
    actor: int | None = None,
    public: bool = True,
    part: Part | None = None,
    moment: int | None = None,
) -> Row:
    """Go on with a ticket's life: one event, by some agent unless it is said who, from which all else follows."""
    store, tickets = change.store, change.store.part(Tickets)
    world, moment = store.world, change.now if moment is None else moment
    life, event = tickets.kept_life(rid), store.tables["ticket_events"].new_rid()
    who = world.agent(event, 34) if actor is None else actor
    changes = tuple((name, new, life.now.get(name)) for name, new in values.items() if life.now.get(name) != new)
    children = [comment(world, event, event + 1, who, text, moment, public)] if text else []
    children += told(event + 1 + len(children), "Web form", changes)
    if part:
        children.append(child(event + 1 + len(children), "Web form", *part))
    row = audit(event, rid, moment, who, "Web form", children, world.mix(event, 33))
    store.tables["ticket_events"].add(row, moment)
    tickets.own_event(rid, event)
    life.add((moment, who, (PUBLIC if public else PRIVATE) if text else 0, changes), event)
    tickets.measure(rid)
    return row


def set_fields(change: Change, rid: int, values: dict[str | int, Any], text: str = "", **how: Any) -> Row:
    """Change fields of a ticket, and its row with them."""
    row = touch(change, rid)
    life = change.store.part(Tickets).kept_life(rid)
    life.now |= {str(name): row[name] for name in values if name in row}
    event = happen(change, rid, values, text, **how)
    row |= {str(name): new for name, new in values.items() if name in row}
    if text:
        row["is_public"] = row["is_public"] or how.get("public", True)
    if "status" in values:
        row["custom_status_id"] = custom_status(change.store.world, str(values["status"]))
    return event


def wait(change: Change, rid: int) -> int:
    """Tell by a metric event how long the requester of a ticket has waited."""
    tickets = change.store.part(Tickets)
    life = tickets.kept_life(rid)
    minutes = so_far(change.store.world, life, change.now)
    about = (minutes["calendar"], minutes["business"])
    return tickets.mark(rid, (change.now, "requester_wait_time", 1, "update_status", about))
