"""Which rows a list shows, and as what, where that is more than a table's own rows."""

from __future__ import annotations

from collections.abc import Sequence

from zendesk_support.simulator.account import Account
from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.guide import HelpCenter
from zendesk_support.simulator.messages import Request, error, no_page, not_found
from zendesk_support.simulator.table import Row
from zendesk_support.simulator.tickets import COMMENT_ONLY_IN_EXPORT, as_audit

Args = tuple[str, ...]
_VOTES = ("article_votes", "article_comment_votes", "post_votes", "post_comment_votes")


def groups(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return the groups, without the deleted ones unless they are asked for."""
    table = account.tables["groups"]
    if request.params.get("exclude_deleted", "true") == "false":
        return table.rids
    return [rid for rid in table.rids if not table.get(rid)["deleted"]]


def brands(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return the brands, without the deleted ones unless they are asked for."""
    table = account.tables["brands"]
    if request.params.get("include_deleted") == "true":
        return table.rids
    return [rid for rid in table.rids if not table.get(rid)["is_deleted"]]


def tickets(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return the tickets of the list, in the scope asked for."""
    scope = request.params.get("support_type_scope", "agent")
    listed = account.listed_tickets()
    return account.listing(("scope", scope), lambda: (rid for rid in listed if account.in_scope(rid, scope)))


def ratings(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return the satisfaction ratings of a time span and score."""
    table = account.tables["satisfaction_ratings"]
    start, end = request.params.get("start_time"), request.params.get("end_time")
    score = request.params.get("score")
    if end and int(end) > account.clock.now() - 60:
        raise error("EndTimeTooRecent", "end_time must be more than 60 seconds ago")
    low, high = int(start or 0), int(end or 1 << 40)
    scores = {"received": ("good", "bad"), None: None}.get(score, (str(score),))
    if scores is None and not start and not end:
        return table.rids

    def fits(rid: int) -> bool:
        return low <= table.stamp(rid) <= high and (scores is None or table.get(rid)["score"] in scores)

    return account.listing(("ratings", low, high, score), lambda: filter(fits, table.rids))


def activities(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return the activities since a time."""
    table = account.tables["ticket_activities"]
    since = request.params.get("since")
    try:
        low = iso(unix(since)) if since else ""
    except ValueError:
        raise error("InvalidValue", "since must be an ISO 8601 time") from None
    return [rid for rid in account.recent_activities() if table.get(rid)["created_at"] >= low]


def audit_logs(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return the audit log entries of a time span."""
    table = account.tables["audit_logs"]
    wanted = [*request.many("filter[created_at][]"), *request.many("filter[created_at]")]
    if not wanted:
        return table.rids
    try:
        times = [unix(text.replace(" ", "+")) for text in wanted]
    except ValueError:
        raise error("InvalidValue", "filter[created_at] must hold ISO 8601 times") from None
    low, high = times[0], times[1] if len(times) > 1 else account.now + 1
    return [rid for rid in table.rids if low <= table.stamp(rid) <= high]


def ticket(account: Account, text: str) -> int:
    """Return the id in a path if it is a ticket that can be shown."""
    rid = int(text) if text.isdigit() else 0
    if rid not in account.tables["tickets"] or account.is_deleted(rid):
        raise not_found()
    return rid


def comments(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return a ticket's comments."""
    found = [row["id"] for row in account.comments(ticket(account, args[0]))]
    return found[::-1] if request.params.get("sort_order") == "desc" else found


def comment(account: Account, request: Request, rid: int) -> Row:
    """Return a comment as its own endpoint gives it."""
    ticket = int(request.path.split("/")[4])
    row = next(row for row in account.comments(ticket) if row["id"] == rid)
    return {key: value for key, value in row.items() if key not in COMMENT_ONLY_IN_EXPORT}


def identities(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return a user's identities."""
    user = int(args[0]) if args[0].isdigit() else 0
    if user not in account.tables["users"]:
        raise not_found()
    return account.identity_rids(user)


def event_audit(account: Account, request: Request, rid: int) -> Row:
    """Return an event as an audit."""
    return as_audit(account.tables["ticket_events"].get(rid))


def metric_row(account: Account, request: Request, rid: int) -> Row:
    """Return the metric set of a ticket."""
    row = account.metric(rid)
    assert row is not None
    return row


def center(account: Account, request: Request) -> HelpCenter:
    """Return the help center of the brand that was asked."""
    if request.brand >= len(account.help_centers):
        raise no_page()
    return account.help_centers[request.brand]


def all_votes(account: Account, request: Request, args: Args) -> Sequence[int]:
    """Return every vote in a help center."""
    brand = center(account, request)
    return sorted(rid for kind in _VOTES for rid in brand.tables[kind].rids)


def any_vote(account: Account, request: Request, rid: int) -> Row:
    """Return a vote of any kind."""
    brand = center(account, request)
    return next(brand.tables[kind].get(rid) for kind in _VOTES if rid in brand.tables[kind])
