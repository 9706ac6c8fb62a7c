"""What the endpoints of tickets answer, where that is more than a table's own rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.events import (
    COMMENT_ONLY_IN_EXPORT,
    as_audit,
    comment_stub,
    is_comment,
)
from zendesk_support.simulator.kinds import count_of
from zendesk_support.simulator.server import exports
from zendesk_support.simulator.server.exports import Export, Keep
from zendesk_support.simulator.server.lists import Listing, make_page
from zendesk_support.simulator.server.messages import Request, error, not_found
from zendesk_support.simulator.server.routes import Args
from zendesk_support.simulator.server.sideloads import named_by

SIDELOADS = {
    "users": named_by("users", "requester_id", "submitter_id", "assignee_id"),
    "groups": named_by("groups", "group_id"),
    "organizations": named_by("organizations", "organization_id"),
    "ticket_forms": named_by("ticket_forms", "ticket_form_id"),
    "custom_statuses": named_by("custom_statuses", "custom_status_id"),
}


# One ticket


def named(store: Store, text: str) -> int:
    """Return the id in a path if it is a ticket that can be shown."""
    rid = int(text) if text.isdigit() else 0
    if rid not in store.tables["tickets"] or store.part(Tickets).is_deleted(rid):
        raise not_found()
    return rid


def ticket(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer one ticket, archived ones too."""
    return {"ticket": store.tables["tickets"].get(named(store, args[0]))}


def metric(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer one ticket's metric set."""
    return {"ticket_metric": store.part(Tickets).metric(named(store, args[0]))}


def comments(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return a ticket's comments."""
    found = [row["id"] for row in store.part(Tickets).comments(named(store, args[0]))]
    return found[::-1] if request.params.get("sort_order") == "desc" else found


def comment(store: Store, request: Request, rid: int) -> Row:
    """Return a comment as its own endpoint gives it."""
    ticket = int(request.path.split("/")[4])
    row = next(row for row in store.part(Tickets).comments(ticket) if row["id"] == rid)
    return {key: value for key, value in row.items() if key not in COMMENT_ONLY_IN_EXPORT}


def comment_count(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer the number of a ticket's comments."""
    return count_of(store, len(store.part(Tickets).comments(named(store, args[0]))))


def audits(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return a ticket's audits."""
    return store.part(Tickets).event_rids(named(store, args[0]))


def audit_count(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer the number of a ticket's audits."""
    return count_of(store, len(audits(store, request, args)))


def audit(store: Store, request: Request, rid: int) -> Row:
    """Return an event as an audit."""
    return as_audit(store.tables["ticket_events"].get(rid))


def activity(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer one activity that is still listed."""
    tickets = store.part(Tickets)
    listed = {str(rid): rid for rid in tickets.recent_activities()}
    if args[0] not in listed:
        raise not_found()
    return {"activity": tickets.activity(listed[args[0]])}


# Lists


def tickets(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the tickets of the list, in the scope asked for."""
    scope = request.params.get("support_type_scope", "agent")
    all_tickets = store.part(Tickets)
    listed = all_tickets.listed()
    return store.listing(("scope", scope), lambda: (rid for rid in listed if all_tickets.in_scope(rid, scope)))


def metric_row(store: Store, request: Request, rid: int) -> Row:
    """Return the metric set of a ticket."""
    row = store.part(Tickets).metric(rid)
    assert row is not None
    return row


def ratings(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the satisfaction ratings of a time span and score."""
    table = store.tables["satisfaction_ratings"]
    start, end = request.params.get("start_time"), request.params.get("end_time")
    score = request.params.get("score")
    if end and int(end) > store.clock.now() - 60:
        raise error("EndTimeTooRecent", "end_time must be more than 60 seconds ago")
    low, high = int(start or 0), int(end or 1 << 40)
    scores = {"received": ("good", "bad"), None: None}.get(score, (str(score),))
    if scores is None and not start and not end:
        return table.rids

    def fits(rid: int) -> bool:
        return low <= table.stamp(rid) <= high and (scores is None or table.get(rid)["score"] in scores)

    return store.listing(("ratings", low, high, score), lambda: filter(fits, table.rids))


def activities(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the activities since a time."""
    table = store.tables["ticket_activities"]
    since = request.params.get("since")
    try:
        low = iso(unix(since)) if since else ""
    except ValueError:
        raise error("InvalidValue", "since must be an ISO 8601 time") from None
    return [rid for rid in store.part(Tickets).recent_activities() if table.get(rid)["created_at"] >= low]


AUDITS = Listing(
    "audits",
    lambda store, request, args: store.part(Tickets).feed_events(),
    audit,
    order="stamp",
    table="ticket_events",
)


def audit_feed(store: Store, request: Request, args: Args) -> dict[str, Any]:
    """Answer all audits: with `page[...]` as other lists do, oldest first, else with older cursors, newest first."""
    if any(name.startswith("page[") for name in request.params):
        return make_page(store, request, AUDITS, args, "ticket_audits")
    table, tickets = store.tables["ticket_events"], store.part(Tickets)
    feed = store.listing("newest", lambda: sorted(tickets.feed_events(), key=lambda rid: (-table.stamp(rid), -rid)))
    text = request.params.get("limit", "1000")
    limit = min(int(text) if text.isdigit() and int(text) else 1000, 1000)
    cursor = request.params.get("cursor", "")
    low = 0
    if cursor:
        stamp, rid = exports.read_cursor(cursor.lstrip("|"))
        low = bisect_right(feed, (-stamp, -rid), key=lambda each: (-table.stamp(each), -each))
    page = feed[low : low + limit]
    newest = exports.make_cursor(table.stamp(page[0]), page[0]) if page else None
    before = exports.make_cursor(table.stamp(page[-1]), page[-1]) if low + limit < len(feed) else None
    return {
        "audits": [as_audit(table.get(rid)) for rid in page],
        "before_url": request.link((), {"cursor": before, "limit": limit}) if before else None,
        "before_cursor": before,
        "after_url": request.link((), {"cursor": newest, "limit": limit}) if newest else None,
        "after_cursor": newest,
    }


# Exports


def _keep(ticket_of: Callable[[Tickets, int], int]) -> Callable[[Store, Request], Keep | None]:
    """Return what leaves out rows of tickets that are out of scope, or deleted if that is asked for."""

    def keep(store: Store, request: Request) -> Keep | None:
        drop_deleted = request.params.get("exclude_deleted") == "true"
        scope = request.params.get("support_type_scope", "agent")
        if scope not in ("all", "agent", "ai_agent"):
            raise error("InvalidValue", "support_type_scope must be one of all, agent, ai_agent")
        if scope == "all" and not drop_deleted:
            return None
        tickets = store.part(Tickets)

        def keeps(rid: int) -> bool:
            ticket = ticket_of(tickets, rid)
            return tickets.in_scope(ticket, scope) and not (drop_deleted and tickets.is_deleted(ticket))

        return keeps

    return keep


def _keep_metric_events(store: Store, request: Request) -> Keep | None:
    if request.params.get("exclude_deleted") != "true":
        return None
    tickets, events = store.part(Tickets), store.tables["ticket_metric_events"]
    return lambda rid: not tickets.is_deleted(events.get(rid)["ticket_id"])


def _ticket_rows(store: Store, request: Request, rids: list[int]) -> list[Row]:
    tickets, table = store.part(Tickets), store.tables["tickets"]
    rows = [table.get(rid) for rid in rids]
    if "metric_sets" in request.includes:
        rows = [{**row, "metric_set": tickets.metric(row["id"], row)} for row in rows]
    if "comment_count" in request.includes:
        rows = [{**row, "comment_count": len(tickets.comments(row["id"]))} for row in rows]
    return rows


def _event_rows(store: Store, request: Request, rids: list[int]) -> list[Row]:
    rows = [store.tables["ticket_events"].get(rid) for rid in rids]
    if "comment_events" in request.includes:
        return rows
    return [
        {**row, "child_events": [comment_stub(c) if is_comment(c) else c for c in row["child_events"]]} for row in rows
    ]


TICKETS = Export(
    "tickets",
    lambda store, _: store.tables["tickets"],
    quiet=60,
    keep=_keep(lambda tickets, rid: rid),
    rows=_ticket_rows,
    sideloads=SIDELOADS,
    shuffled=True,
)
TICKET_EVENTS = Export(
    "ticket_events",
    lambda store, _: store.tables["ticket_events"],
    quiet=60,
    keep=_keep(lambda tickets, rid: tickets.event_ticket(rid)),
    rows=_event_rows,
)
METRIC_EVENTS = Export(
    "ticket_metric_events",
    lambda store, _: store.tables["ticket_metric_events"],
    keep=_keep_metric_events,
    ends=False,
    refuses_recent=False,
)


def metric_events(store: Store, request: Request, args: Args) -> Sequence[int]:
    """Return the metric events from a start time, in the order of their ids."""
    table, start = store.tables["ticket_metric_events"], exports.start_time(store, request, METRIC_EVENTS)
    return store.listing(("metric events", start), lambda: (rid for rid in table.rids if table.stamp(rid) >= start))
