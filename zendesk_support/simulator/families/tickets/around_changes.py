"""Changes of what stands around tickets: ratings, activities and metric events."""

from __future__ import annotations

from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.families.tickets.around import activity_row, rating_row
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.happen import happen, live, set_fields, touch, wait
from zendesk_support.simulator.families.tickets.life import Fields
from zendesk_support.simulator.families.tickets.reasons import reason_of
from zendesk_support.simulator.families.tickets.rows import answer


def create_metric_events(change: Change, count: int = 1) -> dict[str, Any]:
    """Create metric events: how long requesters have waited so far."""
    chosen = live(change, count, change.store.part(Tickets).is_measured) or live(change, count)
    return {"ids": [wait(change, rid) for rid in chosen]}


def create_activities(change: Change, count: int = 1) -> dict[str, Any]:
    """Create activities: agents write notes on tickets."""
    table, made = change.store.tables["ticket_activities"], []
    for ticket in live(change, count):
        event = happen(change, ticket, {}, f"Note {change.number}", public=False)
        rid, subject = table.new_rid(), touch(change, ticket)["subject"]
        row = activity_row(change.store.world, rid, change.now, (ticket, subject), event["updater_id"], False)
        made.append(table.add(row, change.now))
    return {"ids": made}


def offer_ratings(change: Change, count: int = 1) -> dict[str, Any]:
    """Offer requesters satisfaction ratings, of tickets that have none if there are any."""
    table, tickets = change.store.tables["satisfaction_ratings"], change.store.part(Tickets)
    chosen = live(change, count, lambda rid: tickets.life(rid).now["satisfaction_score"] == "unoffered")
    made, others = [], live(change, count) if len(chosen) < count else []
    while others and len(chosen) < count:
        chosen += others[: count - len(chosen)]
    for ticket in chosen:
        rid = table.new_rid()
        _score(change, ticket, rid, {"satisfaction_score": "offered"}, -1)
        row = rating_row(change.store.world, rid, tickets.life(ticket), "offered", None, (change.now, change.now))
        made.append(table.add(row, change.now))
    return {"ids": made}


def rate_anew(change: Change, count: int = 1) -> dict[str, Any]:
    """Have requesters change their satisfaction ratings, and their tickets say so."""
    table, tickets = change.store.tables["satisfaction_ratings"], change.store.part(Tickets)
    chosen = change.sample(table.rids, count, lambda rid: not tickets.is_deleted(table.get(rid)["ticket_id"]))
    for rid in chosen:
        row = table.change(rid, change.now)
        score, text = "good" if row["score"] != "good" else "bad", f"Changed {change.number}"
        row |= {"score": score, "comment": text, "updated_at": iso(change.now)}
        row |= reason_of(change.store.world, rid, score)
        if tickets.own_rating(row["ticket_id"]) == rid:
            values: Fields = {"satisfaction_score": score, "satisfaction_comment": text}
            _score(change, row["ticket_id"], rid, values, row["requester_id"])
    return {"ids": chosen}


def _score(change: Change, ticket: int, rating: int, values: Fields, actor: int) -> None:
    tickets = change.store.part(Tickets)
    set_fields(change, ticket, values, actor=actor)
    tickets.ratings[ticket] = rating
    said = answer(change.store.world, tickets.life(ticket), rating)
    change.store.tables["tickets"].change(ticket)["satisfaction_rating"] = said
