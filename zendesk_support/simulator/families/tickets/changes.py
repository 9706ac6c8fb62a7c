"""Changes of tickets and of what hangs on them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import SETTLE, Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.people import new_organization
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.events import (
    audit,
    bodies,
    changed_field,
    child,
    comment,
    is_comment,
    metric_event,
)
from zendesk_support.simulator.families.tickets.rows import ticket

REDACTED = "▇"
_DRIFTS: dict[str, Callable[[Row], None]] = {
    "int_to_string": lambda row: row.update(brand_id=str(row["brand_id"])),
    "new_column": lambda row: row.update(drift_new_column=17),
    "new_object": lambda row: row.update(drift_new_object={"a": 1, "b": {"c": [1, "two", None]}}),
    "object_to_string": lambda row: row.update(via="web"),
    "bad_date": lambda row: row.update(due_at="0001-13-45T99:00:00Z"),
    "big_int": lambda row: row.update(problem_id=2**70),
    "hostile_name": lambda row: row.update(
        {'Select "x"; DROP TABLE--é 🎉': 1, "": 2, "_dlt_id": "mine", "Status": "x"}
    ),
}
Part = Callable[[int, int], Row]
"""Makes a child event from the event's id and its own."""


def _part(kind: str, values: dict[str, Any]) -> Part:
    return lambda event, rid: child(rid, "Web form", kind, values)


def _changed(field: str, new: Any, old: Any) -> Part:
    return lambda event, rid: changed_field(rid, "Web form", field, new, old)


def _commented(change: Change, text: str, moment: int | None = None) -> Part:
    world, at = change.store.world, change.now if moment is None else moment
    return lambda event, rid: comment(world, event, rid, world.agent(event, 34), text, at)


def _live(change: Change, count: int) -> list[int]:
    return change.sample(change.store.tables["tickets"].rids, count, change.store.part(Tickets).is_listed)


def _deleted(change: Change, count: int) -> list[int]:
    tickets = change.store.part(Tickets)
    return change.sample(
        change.store.tables["tickets"].rids,
        count,
        lambda rid: tickets.is_deleted(rid) and not tickets.is_scrubbed(rid),
    )


def _touch(change: Change, rid: int, *, generated_only: bool = False) -> Row:
    row = change.store.tables["tickets"].change(rid, change.now)
    row["generated_timestamp"] = change.now
    if not generated_only:
        row["updated_at"] = iso(change.now)
    return row


def _add_event(change: Change, ticket: int, *parts: Part, moment: int | None = None) -> Row:
    store = change.store
    moment = change.now if moment is None else moment
    events = store.tables["ticket_events"]
    rid = events.new_rid()
    agent = store.world.agent(rid, 34)
    children = [part(rid, rid + number) for number, part in enumerate(parts, 1)]
    row = audit(rid, ticket, moment, agent, "Web form", children, store.world.mix(rid, 33))
    events.add(row, moment)
    store.part(Tickets).own_event(ticket, rid)
    return row


def _add_metric_event(change: Change, ticket: int, kind: str) -> None:
    events = change.store.tables["ticket_metric_events"]
    event = events.new_rid()
    events.add(metric_event(event, ticket, change.now, "reply_time", kind), change.now)
    change.store.part(Tickets).own_metric_event(ticket, event)


def _bump_metric(change: Change, rid: int) -> None:
    tickets = change.store.part(Tickets)
    metric = tickets.metric(rid)
    if metric is not None:
        tickets.metrics[rid] = {**metric, "updated_at": iso(change.now), "replies": metric["replies"] + 1}
    _add_metric_event(change, rid, "update_status")


def own_metric_event(change: Change, row: Row) -> None:
    """Note whose a new metric event is."""
    change.store.part(Tickets).own_metric_event(row["ticket_id"], row["id"])


def create_tickets(change: Change, count: int = 1) -> dict[str, Any]:
    """Create tickets."""
    return {"ids": [_create(change) for _ in range(count)]}


def _create(change: Change) -> int:
    world, now = change.store.world, change.now
    tickets = change.store.tables["tickets"]
    rid = tickets.new_rid()
    row = copy.deepcopy(ticket(world, 1 + rid % world.tickets))
    fields = row["custom_fields"] or copy.deepcopy(ticket(world, 2)["custom_fields"])
    row |= {
        "id": rid,
        "url": row["url"].replace(f"/{row['id']}.json", f"/{rid}.json"),
        **world.stamps(now, now),
        "generated_timestamp": now,
        "subject": f"New ticket #{rid}",
        "raw_subject": f"New ticket #{rid}",
        "description": world.texts[rid % len(world.texts)],
        "status": "new",
        "assignee_id": None,
        "satisfaction_rating": {"score": "unoffered"},
        "encoded_id": f"NEW{rid:X}",
        "custom_fields": fields,
        "fields": fields,
        "support_type": "agent",
    }
    tickets.add(row, now)
    _add_event(change, rid, _commented(change, row["description"]), _part("Create", {"status": "new"}))
    _add_metric_event(change, rid, "activate")
    return rid


def update_tickets(change: Change, count: int = 1, ids: Sequence[int] = (), comment: bool = True) -> dict[str, Any]:
    """Change the priority and subject of tickets, with a comment."""
    chosen = list(ids) or _live(change, count)
    comments = []
    notes = change.store.world.notes
    for rid in chosen:
        row = _touch(change, rid)
        old = row["priority"]
        row["priority"] = "urgent" if old != "urgent" else "low"
        row["subject"] = row["raw_subject"] = f"{row['subject'][:60]} (updated {change.number})"
        text = f"Update {change.number}: {notes[rid % len(notes)]}"
        parts = [_commented(change, text)] if comment else []
        event = _add_event(change, rid, *parts, _changed("priority", row["priority"], old))
        comments += [row["id"] for row in event["child_events"] if is_comment(row)]
        _bump_metric(change, rid)
    return {"ids": chosen, "comment_ids": comments}


def create_events(change: Change, count: int = 1) -> dict[str, Any]:
    """Create events, by updates of as many tickets."""
    return {"ids": [update_tickets(change, 1)["ids"][0] for _ in range(count)]}


def system_update_tickets(change: Change, count: int = 1) -> dict[str, Any]:
    """Change tickets so that only their export time moves."""
    chosen = _live(change, count)
    for rid in chosen:
        row = _touch(change, rid, generated_only=True)
        row["external_id"] = f"system-{change.number}-{rid}"
    return {"ids": chosen}


def delete_tickets(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Delete tickets."""
    store = change.store
    chosen = list(ids) or _live(change, count)
    for rid in chosen:
        old = store.tables["tickets"].get(rid)["status"]
        _touch(change, rid)["status"] = "deleted"
        store.part(Tickets).deleted_at[rid] = change.now
        _add_event(change, rid, _changed("status", "deleted", old))
    return {"ids": chosen}


def scrub_tickets(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Take the content of deleted tickets."""
    chosen = list(ids) or _deleted(change, count)
    if not chosen:
        chosen = delete_tickets(change, count)["ids"]
    tickets = change.store.part(Tickets)
    for rid in chosen:
        row = _touch(change, rid, generated_only=True)
        row |= {"subject": "SCRUBBED", "raw_subject": "SCRUBBED", "description": "X", "tags": []}
        row["custom_fields"] = row["fields"] = []
        tickets.scrubbed.add(rid)
        tickets.forget_events(rid)
    return {"ids": chosen}


def restore_tickets(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Restore deleted tickets."""
    chosen = list(ids) or _deleted(change, count)
    for rid in chosen:
        _touch(change, rid)["status"] = "open"
        change.store.part(Tickets).deleted_at.pop(rid, None)
        _add_event(change, rid, _changed("status", "open", "deleted"))
    return {"ids": chosen}


def _comment_change(change: Change, count: int, kind: str, apply: Callable[[Row], None]) -> dict[str, Any]:
    events = change.store.tables["ticket_events"]
    tickets, comments = [], []
    for rid in _live(change, count):
        found = [
            (event, number)
            for event in change.store.part(Tickets).event_rids(rid)
            for number, row in enumerate(events.get(event)["child_events"])
            if is_comment(row)
        ]
        event, number = found[change.dice.randrange(len(found))]
        row = events.change(event)["child_events"][number]
        apply(row)
        comment_id = row["id"]
        _add_event(change, rid, _part(kind, {"comment_id": comment_id}))
        _touch(change, rid, generated_only=True)
        tickets.append(rid)
        comments.append(comment_id)
    return {"ids": tickets, "comment_ids": comments}


def redact_comments(change: Change, count: int = 1) -> dict[str, Any]:
    """Black out comments."""

    def apply(row: Row) -> None:
        text = "".join(letter if letter.isspace() else REDACTED for letter in row["body"])
        row.update(bodies(text))

    return _comment_change(change, count, "CommentRedactionEvent", apply)


def make_comments_private(change: Change, count: int = 1) -> dict[str, Any]:
    """Hide comments from requesters."""
    return _comment_change(change, count, "CommentPrivacyChange", lambda row: row.update(public=False))


def bulk_update(change: Change, count: int = 2500) -> dict[str, Any]:
    """Tag many tickets in one second."""
    now = change.now
    chosen = _live(change, count)
    for row in change.store.tables["tickets"].change_many(chosen, now):
        row["generated_timestamp"] = now
        row["updated_at"] = iso(now)
        tags = row["tags"]
        row["tags"] = [*tags, f"bulk_{change.number}"]
        _add_event(change, row["id"], _changed("tags", row["tags"], tags))
    return {"ids": chosen}


def archive_tickets(change: Change, count: int = 1) -> dict[str, Any]:
    """Archive tickets, closed ones if there are any."""
    table, tickets = change.store.tables["tickets"], change.store.part(Tickets)
    closed = change.sample(
        table.rids, count, lambda rid: tickets.is_listed(rid) and table.get(rid)["status"] == "closed"
    )
    chosen = closed or _live(change, count)
    for rid in chosen:
        _touch(change, rid, generated_only=True)["status"] = "closed"
        tickets.archived.add(rid)
    return {"ids": chosen}


def drift(change: Change, kind: str = "new_column", count: int = 3) -> dict[str, Any]:
    """Give tickets values of other types, or columns nobody knows."""
    if kind not in _DRIFTS:
        raise ValueError(f"unknown drift {kind!r}; the kinds are {', '.join(_DRIFTS)}")
    chosen = _live(change, count)
    for rid in chosen:
        _DRIFTS[kind](_touch(change, rid))
    return {"ids": chosen}


def late_row(change: Change, stream: str = "tickets", age: int = 0) -> dict[str, Any]:
    """Write a row whose export time is the newest second already exported, or `age` seconds before it."""
    late = {
        "tickets": _late_ticket,
        "users": _late_user,
        "organizations": _late_organization,
        "ticket_events": _late_event,
    }
    if stream not in late:
        raise ValueError("late_row knows the streams tickets, users, organizations and ticket_events")
    table = change.store.tables[stream]
    quiet = 60 if stream in ("tickets", "ticket_events") else 0
    at = table.first_after(change.now - SETTLE - quiet) or len(table.index)
    stamp, newest = table.split(table.index[at - 1])
    return {**late[stream](change, stamp - age, newest), "timestamp": stamp - age}


def _late_event(change: Change, stamp: int, newest: int) -> dict[str, Any]:
    ticket = _live(change, 1)[0]
    event = _add_event(change, ticket, _commented(change, "A late comment", stamp), moment=stamp)
    return {"ids": [event["id"]], "ticket_ids": [ticket]}


def _late_organization(change: Change, stamp: int, newest: int) -> dict[str, Any]:
    return {"ids": [new_organization(change, stamp)["id"]]}


def _late_ticket(change: Change, stamp: int, newest: int) -> dict[str, Any]:
    row = _lower(change, "tickets", stamp, newest, change.store.part(Tickets).is_listed)
    row["generated_timestamp"] = stamp
    row["subject"] = row["raw_subject"] = f"Late {change.number}"
    return {"ids": [row["id"]]}


def _late_user(change: Change, stamp: int, newest: int) -> dict[str, Any]:
    row = _lower(change, "users", stamp, newest, lambda rid: True)
    row["notes"] = f"Late {change.number}"
    return {"ids": [row["id"]]}


def _lower(change: Change, stream: str, stamp: int, newest: int, fits: Callable[[int], bool]) -> Row:
    """Return some row with a lower id and an earlier time than the newest, updated at a moment."""
    table = change.store.tables[stream]
    lower = change.sample(table.rids, 1, lambda rid: rid < newest and table.stamp(rid) < stamp and fits(rid))
    if not lower:
        raise ValueError(f"no row of {stream} has an id below {newest}")
    row = table.change(lower[0], stamp)
    row["updated_at"] = iso(stamp)
    return row


MUTATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "create_tickets": create_tickets,
    "update_tickets": update_tickets,
    "system_update_tickets": system_update_tickets,
    "delete_tickets": delete_tickets,
    "scrub_tickets": scrub_tickets,
    "restore_tickets": restore_tickets,
    "redact_comments": redact_comments,
    "make_comments_private": make_comments_private,
    "bulk_update": bulk_update,
    "archive_tickets": archive_tickets,
    "drift": drift,
    "late_row": late_row,
}
