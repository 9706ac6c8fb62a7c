"""Replies that are no plain lists: single objects, counts, the feed of audits, the search export."""

from __future__ import annotations

import base64
import binascii
import operator
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from zendesk_support.simulator import exports, selections
from zendesk_support.simulator.account import Account
from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.lists import Listing, make_page
from zendesk_support.simulator.messages import Request, error, invalid_cursor, not_found
from zendesk_support.simulator.selections import Args
from zendesk_support.simulator.table import Row, Table
from zendesk_support.simulator.tickets import as_audit

if TYPE_CHECKING:
    from zendesk_support.simulator.api import Api

Show = Callable[["Api", Request, Args], dict[str, Any]]
COUNTED_AT_ONCE = 100_000
DAY = 86_400


def me(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer who is asking; wrong credentials make an anonymous user."""
    if request.anonymous:
        return {
            "user": {
                "id": None,
                "url": None,
                "name": "Anonymous user",
                "email": "invalid@example.com",
                "created_at": None,
                "updated_at": None,
                "role": "end-user",
                "active": None,
                "verified": False,
                "user_fields": {},
            }
        }
    user = api.account.tables["users"].get(api.account.world.rid("users", 0))
    return {"user": {**user, "role": api.role, "authenticity_token": "simulator"}}


def settings(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer the account's settings."""
    gated = api.gates
    return {
        "settings": {
            "active_features": {
                "business_hours": "schedules" not in gated,
                "customer_satisfaction": "satisfaction_ratings" not in gated,
                "ticket_forms": "ticket_forms" not in gated,
                "user_tagging": True,
                "user_org_fields": True,
                "voice": False,
                "light_agents": api.account.plan.startswith("enterprise"),
            },
            "agents": {"agent_workspace": True},
            "api": {"accepted_api_agreement": True, "api_token_access": "true"},
            "brands": {
                "default_brand_id": api.account.world.rid("brands", 0),
                "require_brand_on_new_tickets": False,
            },
            "branding": {"header_color": "78A300"},
            "side_conversations": {"email_channel": False},
            "localization": {"locale_ids": [1]},
            "tickets": {"comments_public_by_default": True, "is_first_comment_private_enabled": True},
        }
    }


def show_ticket(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer one ticket, archived ones too."""
    return {"ticket": api.account.tables["tickets"].get(selections.ticket(api.account, args[0]))}


def show_metric(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer one ticket's metric set."""
    return {"ticket_metric": api.account.metric(selections.ticket(api.account, args[0]))}


def show_activity(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer one activity that is still listed."""
    listed = {str(rid): rid for rid in api.account.recent_activities()}
    if args[0] not in listed:
        raise not_found()
    return {"activity": api.account.activity(listed[args[0]])}


def definitions(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer the routing attribute definitions."""
    rows = list(api.account.tables["attribute_definitions"])
    lists: dict[str, list[Row]] = {"conditions_all": [], "conditions_any": []}
    for row in rows:
        lists[row["list"]].append({key: value for key, value in row.items() if key != "list"})
    return {"definitions": lists}


def counted(count: Callable[[Account, Request], int]) -> Show:
    """Return a reply that counts rows; beyond 100,000 a count is made in the background and holds for a day."""

    def show(api: Api, request: Request, args: Args) -> dict[str, Any]:
        account = api.account
        value, at = count(account, request), account.now
        if value > COUNTED_AT_ONCE:
            path = request.path.removesuffix(".json")
            known = account.counts.get(path)
            if known is None or at - known[1] > DAY:
                account.counts[path] = (value, at)
                return {"count": {"value": COUNTED_AT_ONCE, "refreshed_at": None}}
            value, at = known
        return {"count": {"value": value, "refreshed_at": iso(at)}}

    return show


def count_comments(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer the number of a ticket's comments."""
    value = len(api.account.comments(selections.ticket(api.account, args[0])))
    return {"count": {"value": value, "refreshed_at": iso(api.account.now)}}


def count_audits(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer the number of a ticket's audits."""
    value = len(api.account.event_rids(selections.ticket(api.account, args[0])))
    return {"count": {"value": value, "refreshed_at": iso(api.account.now)}}


_AUDITS = Listing(
    "audits",
    lambda account, request, args: account.feed_events(),
    selections.event_audit,
    order="stamp",
    resource="ticket_events",
)


def audit_feed(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer all audits: with `page[...]` as other lists do, oldest first, else with older cursors, newest first."""
    account = api.account
    if any(name.startswith("page[") for name in request.params):
        return make_page(account, request, _AUDITS, args, "ticket_audits")
    table = account.tables["ticket_events"]
    feed = account.listing("newest", lambda: sorted(account.feed_events(), key=lambda rid: (-table.stamp(rid), -rid)))
    text = request.params.get("limit", "1000")
    limit = min(int(text) if text.isdigit() and int(text) else 1000, 1000)
    cursor = request.params.get("cursor", "")
    low = 0
    if cursor:
        stamp, rid = exports.read_cursor(cursor.lstrip("|"))
        low = bisect_right(feed, (-stamp, -rid), key=lambda each: (-table.stamp(each), -each))
    page = feed[low : low + limit]

    def older() -> str | None:
        return exports.make_cursor(table.stamp(page[-1]), page[-1]) if low + limit < len(feed) else None

    newest = exports.make_cursor(table.stamp(page[0]), page[0]) if page else None
    before = older()
    return {
        "audits": [as_audit(table.get(rid)) for rid in page],
        "before_url": request.link((), {"cursor": before, "limit": limit}) if before else None,
        "before_cursor": before,
        "after_url": request.link((), {"cursor": newest, "limit": limit}) if newest else None,
        "after_cursor": newest,
    }


_SEARCHED = {"ticket": "tickets", "user": "users", "organization": "organizations", "group": "groups"}
_TERM = re.compile(r"(created|updated)(>=|<=|>|<)(\S+)")


def search_export(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer search/export; a query may compare `created` and `updated`, and ask for a `status:`."""
    account = api.account
    kind = request.params.get("filter[type]", "")
    if kind not in _SEARCHED:
        raise error("InvalidValue", "filter[type] must be one of ticket, user, organization, group")
    if "query" not in request.params:
        raise error("MissingParameter", "query is required")
    text = request.params.get("page[size]", "100")
    size = min(int(text) if text.isdigit() and int(text) else 100, 1000)
    table = account.tables[_SEARCHED[kind]]
    cursor = request.params.get("page[after]")
    session, after = account.now, 1 << 62
    if cursor:
        try:
            session, after = msgspec.json.decode(base64.b64decode(cursor), type=tuple[int, int])
        except (binascii.Error, msgspec.MsgspecError, ValueError):
            raise invalid_cursor() from None
        if account.now - session > 3600:
            raise invalid_cursor()
    query = request.params["query"]
    found = account.listing(("search", kind, query), lambda: _search(account, kind, table, query))
    low = bisect_right(found, -after, key=lambda rid: -rid)
    page = found[low : low + size]
    more = low + size < len(found)
    next_cursor = base64.b64encode(msgspec.json.encode((session, page[-1]))).decode() if page else None
    link = request.link(("page[after]",), {"page[after]": next_cursor}) if next_cursor else None
    return {
        "results": [{**table.get(rid), "result_type": kind} for rid in page],
        "facets": None,
        "meta": {"has_more": more, "after_cursor": next_cursor, "before_cursor": None},
        "links": {"prev": None, "next": link},
    }


def _search(account: Account, kind: str, table: Table, query: str) -> list[int]:
    terms = [(f"{name}_at", sign, value) for name, sign, value in _TERM.findall(query)]
    status = re.search(r"status:(\w+)", query)
    compare = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}

    def fits(rid: int) -> bool:
        if kind == "ticket" and account.is_deleted(rid):
            return False
        if not terms and not status:
            return True
        row = table.get(rid)
        return all(compare[sign](row[name][: len(value)], value) for name, sign, value in terms) and (
            status is None or row.get("status") == status[1]
        )

    return [rid for rid in reversed(table.rids) if fits(rid)]
