"""Changes of tickets and of what hangs on them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import SETTLE, Change
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.fields import product_field
from zendesk_support.simulator.families.people import new_organization
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.events import audit, births, bodies, comment, is_comment
from zendesk_support.simulator.families.tickets.happen import deleted, happen, live, set_fields, touch, wait
from zendesk_support.simulator.families.tickets.life import HIDDEN, PUBLIC, Fields, Life
from zendesk_support.simulator.families.tickets.rows import custom_status, ticket

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
        "custom_status_id": custom_status(world, "new"),
        "assignee_id": None,
        "satisfaction_rating": {"score": "unoffered"},
        "encoded_id": f"NEW{rid:X}",
        "custom_fields": fields,
        "fields": fields,
        "support_type": "agent",
    }
    tickets.add(row, now)
    fields_of = {field["id"]: field["value"] for field in fields}
    first: Fields = {name: row[name] for name in ("status", "type", "priority", "group_id", "assignee_id", "tags")}
    first |= {"satisfaction_score": "unoffered", "schedule": None}
    first[product_field(world)] = fields_of[product_field(world)]
    events, book = change.store.tables["ticket_events"], change.store.part(Tickets)
    event, requester = events.new_rid(), row["requester_id"]
    names = ("subject", "requester_id", "organization_id", "brand_id", "ticket_form_id")
    born: Fields = {**{name: row[name] for name in names}, **first}
    children = [comment(world, event, event + 1, requester, row["description"], now, True)]
    children += births(event + 2, ("web", "Web form"), born, requester)
    events.add(audit(event, rid, now, requester, "Web form", children, world.mix(event, 33)), now)
    book.own_event(rid, event)
    book.lives[rid] = Life(rid, requester, first, dict(first), [(now, requester, PUBLIC, ())], 0, [event])
    book.marks[rid] = {}
    book.measure(rid)
    return rid


def update_tickets(change: Change, count: int = 1, ids: Sequence[int] = (), comment: bool = True) -> dict[str, Any]:
    """Change the priority and subject of tickets, with a comment."""
    chosen = list(ids) or live(change, count)
    comments = []
    notes, table = change.store.world.notes, change.store.tables["tickets"]
    for rid in chosen:
        old = table.get(rid)
        subject = f"{old['subject'][:60]} (updated {change.number})"
        values: Fields = {"priority": "urgent" if old["priority"] != "urgent" else "low", "subject": subject}
        text = f"Update {change.number}: {notes[rid % len(notes)]}" if comment else ""
        event = set_fields(change, rid, values, text)
        table.change(rid)["raw_subject"] = subject
        comments += [row["id"] for row in event["child_events"] if is_comment(row)]
        if change.store.part(Tickets).is_measured(rid):
            wait(change, rid)
    return {"ids": chosen, "comment_ids": comments}


def create_events(change: Change, count: int = 1) -> dict[str, Any]:
    """Create events, by updates of as many tickets."""
    return {"ids": [update_tickets(change, 1)["ids"][0] for _ in range(count)]}


def system_update_tickets(change: Change, count: int = 1) -> dict[str, Any]:
    """Change tickets so that only their export time moves."""
    chosen = live(change, count)
    for rid in chosen:
        row = touch(change, rid, generated_only=True)
        row["external_id"] = f"system-{change.number}-{rid}"
    return {"ids": chosen}


def delete_tickets(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Delete tickets."""
    store = change.store
    chosen = list(ids) or live(change, count)
    for rid in chosen:
        set_fields(change, rid, {"status": "deleted"})
        store.part(Tickets).deleted_at[rid] = change.now
    return {"ids": chosen}


def scrub_tickets(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Take the content of deleted tickets."""
    chosen = list(ids) or deleted(change, count)
    if not chosen:
        chosen = delete_tickets(change, count)["ids"]
    tickets = change.store.part(Tickets)
    for rid in chosen:
        row = touch(change, rid, generated_only=True)
        row |= {"subject": "SCRUBBED", "raw_subject": "SCRUBBED", "description": "X", "tags": []}
        row["custom_fields"] = row["fields"] = []
        tickets.scrubbed.add(rid)
        tickets.forget_events(rid)
    return {"ids": chosen}


def restore_tickets(change: Change, count: int = 1, ids: Sequence[int] = ()) -> dict[str, Any]:
    """Restore deleted tickets."""
    chosen = list(ids) or deleted(change, count)
    for rid in chosen:
        set_fields(change, rid, {"status": "open"})
        change.store.part(Tickets).deleted_at.pop(rid, None)
    return {"ids": chosen}


def _comment_change(change: Change, count: int, kind: str, apply: Callable[[Row], None]) -> dict[str, Any]:
    events = change.store.tables["ticket_events"]
    tickets, comments = [], []
    for rid in live(change, count):
        found = [
            (event, number)
            for event in change.store.part(Tickets).event_rids(rid)
            for number, row in enumerate(events.get(event)["child_events"])
            if is_comment(row)
        ]
        event, number = found[change.dice.randrange(len(found))]
        row = events.change(event)["child_events"][number]
        apply(row)
        _say_of(change, rid, event, row)
        happen(change, rid, {}, part=(kind, {"comment_id": row["id"]}))
        touch(change, rid, generated_only=True)
        tickets.append(rid)
        comments.append(row["id"])
    return {"ids": tickets, "comment_ids": comments}


def _say_of(change: Change, rid: int, event: int, comment: Row) -> None:
    """Have a ticket's life know that a comment is no longer seen."""
    life = change.store.part(Tickets).kept_life(rid)
    at = life.ids.index(event)
    moment, who, said, changes = life.steps[at]
    if said == PUBLIC and not comment["public"]:
        life.steps[at] = (moment, who, HIDDEN, changes)


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
    chosen = live(change, count)
    for row in change.store.tables["tickets"].change_many(chosen, now):
        row["generated_timestamp"] = now
        row["updated_at"] = iso(now)
        row["tags"] = [*row["tags"], f"bulk_{change.number}"]
        happen(change, row["id"], {"tags": row["tags"]})
    return {"ids": chosen}


def archive_tickets(change: Change, count: int = 1) -> dict[str, Any]:
    """Archive tickets, closed ones if there are any."""
    table, tickets = change.store.tables["tickets"], change.store.part(Tickets)
    closed = change.sample(
        table.rids, count, lambda rid: tickets.is_listed(rid) and table.get(rid)["status"] == "closed"
    )
    chosen = closed or live(change, count)
    for rid in chosen:
        if table.get(rid)["status"] != "closed":
            set_fields(change, rid, {"status": "closed"}, actor=-1)
        touch(change, rid, generated_only=True)
        tickets.archived.add(rid)
    return {"ids": chosen}


def drift(change: Change, kind: str = "new_column", count: int = 3) -> dict[str, Any]:
    """Give tickets values of other types, or columns nobody knows."""
    if kind not in _DRIFTS:
        raise ValueError(f"unknown drift {kind!r}; the kinds are {', '.join(_DRIFTS)}")
    chosen = live(change, count)
    for rid in chosen:
        _DRIFTS[kind](touch(change, rid))
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
    tickets = change.store.part(Tickets)
    ticket = live(change, 1, lambda rid: tickets.life(rid).created < stamp)[0]
    event = happen(change, ticket, {}, "A late comment", public=False, moment=stamp)
    touch(change, ticket, generated_only=True)
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
