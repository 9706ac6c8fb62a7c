"""Every path of the API: which rows it shows, which buckets it counts against, what it may be asked."""

from __future__ import annotations

import base64
import binascii
import operator
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from zendesk_support.simulator import exports
from zendesk_support.simulator.account import Account
from zendesk_support.simulator.clock import iso, unix
from zendesk_support.simulator.exports import Export
from zendesk_support.simulator.guide import HelpCenter
from zendesk_support.simulator.lists import Listing, make_page
from zendesk_support.simulator.messages import Request, error, invalid_cursor, no_page, not_found
from zendesk_support.simulator.table import Row, Table
from zendesk_support.simulator.tickets import COMMENT_ONLY_IN_EXPORT, as_audit

if TYPE_CHECKING:
    from zendesk_support.simulator.api import Api

Args = tuple[str, ...]
Rids = Callable[[Account, Request, Args], Sequence[int]]
_PAGING = (
    "page",
    "per_page",
    "page[size]",
    "page[after]",
    "page[before]",
    "sort",
    "sort_by",
    "sort_order",
    "include",
)
_EXPORT = (
    "start_time",
    "cursor",
    "per_page",
    "include",
    "exclude_deleted",
    "support_type_scope",
    "include_changes",
)


@dataclass(frozen=True)
class Route:
    """One path. Exactly one of `listing`, `export` and `show` says how it answers."""

    name: str
    path: str
    listing: Listing | None = None
    export: Export | None = None
    by_cursor: bool = False
    show: Callable[[Api, Request, Args], dict[str, Any]] | None = None
    buckets: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    stream: str = ""
    kind: str = "list"
    admins: bool = False
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        expression = re.sub(r"\{[a-z_]+\}", r"([^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(expression + r"(?:\.json)?"))

    @property
    def help_center(self) -> bool:
        """Whether the path belongs to a brand's help center."""
        return self.path.startswith(("/api/v2/help_center", "/api/v2/community"))

    @property
    def allowed(self) -> tuple[str, ...]:
        """The parameters it knows."""
        return (
            *(_EXPORT if self.export else ()),
            *(_PAGING if self.listing else ()),
            "include",
            *self.params,
        )


def _table(name: str) -> tuple[Rids, Callable[[Account, Request, int], Row]]:
    return (
        lambda account, request, args: account.tables[name].rids,
        lambda account, request, rid: account.tables[name].get(rid),
    )


def _plain(
    stream: str, path: str, key: str = "", *, order: str = "id", paging: str = "both", sorts: tuple[str, ...] = (),
    params: tuple[str, ...] = (), rids: Rids | None = None, row: Callable[[Account, Request, int], Row] | None = None,
    lasting: bool = True, empty_end: bool = False, **more: Any,
) -> Route:  # fmt: skip
    every, get = _table(stream)
    listing = Listing(
        key or stream, rids or every, row or get, order=order, paging=paging, sorts=sorts,
        lasting=lasting, empty_end=empty_end,
    )  # fmt: skip
    return Route(stream, f"/api/v2/{path}", listing=listing, params=params, stream=stream, **more)


# Which rows a list shows


def _groups(account: Account, request: Request, args: Args) -> Sequence[int]:
    table = account.tables["groups"]
    if request.params.get("exclude_deleted", "true") == "false":
        return table.rids
    return [rid for rid in table.rids if not table.get(rid)["deleted"]]


def _brands(account: Account, request: Request, args: Args) -> Sequence[int]:
    table = account.tables["brands"]
    if request.params.get("include_deleted") == "true":
        return table.rids
    return [rid for rid in table.rids if not table.get(rid)["is_deleted"]]


def _tickets(account: Account, request: Request, args: Args) -> Sequence[int]:
    scope = request.params.get("support_type_scope", "agent")
    listed = account.listed_tickets()
    return account.listing(("scope", scope), lambda: (rid for rid in listed if account.in_scope(rid, scope)))


def _ratings(account: Account, request: Request, args: Args) -> Sequence[int]:
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


def _activities(account: Account, request: Request, args: Args) -> Sequence[int]:
    table = account.tables["ticket_activities"]
    since = request.params.get("since")
    try:
        low = iso(unix(since)) if since else ""
    except ValueError:
        raise error("InvalidValue", "since must be an ISO 8601 time") from None
    return [rid for rid in account.recent_activities() if table.get(rid)["created_at"] >= low]


def _audit_logs(account: Account, request: Request, args: Args) -> Sequence[int]:
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


def _ticket(account: Account, text: str) -> int:
    rid = int(text) if text.isdigit() else 0
    if rid not in account.tables["tickets"] or account.is_deleted(rid):
        raise not_found()
    return rid


def _comments(account: Account, request: Request, args: Args) -> Sequence[int]:
    found = [row["id"] for row in account.comments(_ticket(account, args[0]))]
    return found[::-1] if request.params.get("sort_order") == "desc" else found


def _comment(account: Account, request: Request, rid: int) -> Row:
    ticket = int(request.path.split("/")[4])
    row = next(row for row in account.comments(ticket) if row["id"] == rid)
    return {key: value for key, value in row.items() if key not in COMMENT_ONLY_IN_EXPORT}


def _identities(account: Account, request: Request, args: Args) -> Sequence[int]:
    user = int(args[0]) if args[0].isdigit() else 0
    if user not in account.tables["users"]:
        raise not_found()
    return account.identity_rids(user)


def _event_audit(account: Account, request: Request, rid: int) -> Row:
    return as_audit(account.tables["ticket_events"].get(rid))


def _metric_row(account: Account, request: Request, rid: int) -> Row:
    row = account.metric(rid)
    assert row is not None
    return row


# Single replies


def _me(api: Api, request: Request, args: Args) -> dict[str, Any]:
    if request.anonymous:
        return {"user": {"id": None, "url": None, "name": "Anonymous user", "email": "invalid@example.com",
                         "created_at": None, "updated_at": None, "role": "end-user", "active": None,
                         "verified": False, "user_fields": {}}}  # fmt: skip
    user = api.account.tables["users"].get(api.account.world.rid("users", 0))
    return {"user": {**user, "role": api.role, "authenticity_token": "simulator"}}


def _settings(api: Api, request: Request, args: Args) -> dict[str, Any]:
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


def _show_ticket(api: Api, request: Request, args: Args) -> dict[str, Any]:
    return {"ticket": api.account.tables["tickets"].get(_ticket(api.account, args[0]))}


def _show_metric(api: Api, request: Request, args: Args) -> dict[str, Any]:
    return {"ticket_metric": api.account.metric(_ticket(api.account, args[0]))}


def _definitions(api: Api, request: Request, args: Args) -> dict[str, Any]:
    rows = list(api.account.tables["attribute_definitions"])
    lists: dict[str, list[Row]] = {"conditions_all": [], "conditions_any": []}
    for row in rows:
        lists[row["list"]].append({key: value for key, value in row.items() if key != "list"})
    return {"definitions": lists}


def _count(count: Callable[[Account, Request], int]) -> Callable[[Api, Request, Args], dict[str, Any]]:
    def show(api: Api, request: Request, args: Args) -> dict[str, Any]:
        value = count(api.account, request)
        age = 3600 if value > 100_000 else 0
        return {"count": {"value": value, "refreshed_at": iso(api.account.now - age)}}

    return show


def _count_comments(api: Api, request: Request, args: Args) -> dict[str, Any]:
    value = len(api.account.comments(_ticket(api.account, args[0])))
    return {"count": {"value": value, "refreshed_at": iso(api.account.now)}}


def _count_audits(api: Api, request: Request, args: Args) -> dict[str, Any]:
    value = len(api.account.event_rids(_ticket(api.account, args[0])))
    return {"count": {"value": value, "refreshed_at": iso(api.account.now)}}


def _count_route(stream: str, path: str, count: Callable[[Account, Request], int]) -> Route:
    return Route(f"{stream}_count", f"/api/v2/{path}/count", show=_count(count), stream=stream, kind="count")


# Help centers


def _center(account: Account, request: Request) -> HelpCenter:
    if request.brand >= len(account.help_centers):
        raise no_page()
    return account.help_centers[request.brand]


def _guide(
    kind: str, path: str, key: str, parent: tuple[str, int] | None = None, order: str = "id", **more: Any
) -> Route:
    def rids(account: Account, request: Request, args: Args) -> Sequence[int]:
        center = _center(account, request)
        if parent is None:
            return center.tables[kind].rids
        text = args[parent[1]]
        if not text.isdigit() or int(text) not in center.tables[parent[0]]:
            raise not_found()
        return sorted(center.children(kind, int(text)))

    def row(account: Account, request: Request, rid: int) -> Row:
        return _center(account, request).present(kind, rid)

    sorts = ("created_at", "updated_at", "edited_at", "position", "title")
    listing = Listing(key, rids, row, order=order, sorts=sorts, guide=True, resource=kind)
    params = ("label_names", "start_time", "filter_by") if parent is None else ()
    return Route(kind, f"/api/v2/{path}", listing=listing, params=params, stream=kind, **more)


_HC = "help_center"
_RULE_SORTS = ("created_at", "updated_at", "position", "title")
_LOCALE = r"help_center/[a-z]{2}(?:-[a-z]{2})?"


def _incremental(name: str, path: str, export: Export, *, cursor: bool = False) -> Route:
    bucket = "incremental_exports_cursor" if name == "incremental_users_cursor" else "incremental_exports"
    help_center = path.startswith("help_center")
    return Route(
        name, f"/api/v2/{path}", export=export, by_cursor=cursor, buckets=() if help_center else (bucket,),
        stream=export.key, kind="incremental", admins=not help_center,
    )  # fmt: skip


def _all_votes(account: Account, request: Request, args: Args) -> Sequence[int]:
    center = _center(account, request)
    return sorted(rid for kind in _VOTES for rid in center.tables[kind].rids)


def _any_vote(account: Account, request: Request, rid: int) -> Row:
    center = _center(account, request)
    return next(center.tables[kind].get(rid) for kind in _VOTES if rid in center.tables[kind])


_VOTES = ("article_votes", "article_comment_votes", "post_votes", "post_comment_votes")
_AUDITS = Listing(
    "audits",
    lambda account, request, args: account.feed_events(),
    _event_audit,
    order="-stamp",
    resource="ticket_events",
)


def _audit_feed(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer the list of all audits: with `page[...]` as other lists, else with its own older cursors, newest first."""
    account = api.account
    if any(name.startswith("page[") for name in request.params):
        return make_page(account, request, _AUDITS, args, "ticket_audits")
    table = account.tables["ticket_events"]
    feed = account.listing(
        "newest", lambda: sorted(account.feed_events(), key=lambda rid: (-table.stamp(rid), -rid))
    )
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


def _search_export(api: Api, request: Request, args: Args) -> dict[str, Any]:
    """Answer search/export; of the query it understands comparisons of `created` and `updated`, and `status:`."""
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


_METRIC_EVENT_PAGES = Listing(
    "ticket_metric_events",
    lambda account, request, args: exports.metric_events_by_page(account, request),
    lambda account, request, rid: account.tables["ticket_metric_events"].get(rid),
)

ROUTES: tuple[Route, ...] = (
    _incremental("incremental_tickets_cursor", "incremental/tickets/cursor", exports.TICKETS, cursor=True),
    _incremental("incremental_tickets", "incremental/tickets", exports.TICKETS),
    _incremental("incremental_users_cursor", "incremental/users/cursor", exports.USERS, cursor=True),
    _incremental("incremental_users", "incremental/users", exports.USERS),
    _incremental("incremental_organizations", "incremental/organizations", exports.ORGANIZATIONS),
    _incremental("incremental_ticket_events", "incremental/ticket_events", exports.TICKET_EVENTS),
    Route("incremental_ticket_metric_events", "/api/v2/incremental/ticket_metric_events", listing=_METRIC_EVENT_PAGES,
          export=exports.METRIC_EVENTS, buckets=("incremental_exports",), stream="ticket_metric_events",
          kind="incremental", admins=True),
    _incremental("incremental_articles", "help_center/incremental/articles", exports.ARTICLES),
    Route("users_me", "/api/v2/users/me", show=_me, kind="show"),
    Route("account_settings", "/api/v2/account/settings", show=_settings, kind="show"),
    Route("ticket_comments", "/api/v2/tickets/{id}/comments",
          listing=Listing("comments", _comments, _comment, order="given", sorts=("created_at",)),
          params=("include_inline_images",), stream="ticket_comments"),
    Route("ticket_audits_of_ticket", "/api/v2/tickets/{id}/audits", stream="ticket_audits",
          listing=Listing("audits", lambda account, _, args: account.event_rids(_ticket(account, args[0])),
                          _event_audit, order="given"), buckets=("ticket_audits",)),
    Route("ticket_metrics_of_ticket", "/api/v2/tickets/{id}/metrics", show=_show_metric, kind="show"),
    _count_route("tickets", "tickets", lambda account, request: len(account.listed_tickets())),
    Route("ticket", "/api/v2/tickets/{id}", show=_show_ticket, kind="show"),
    _plain("tickets", "tickets", rids=_tickets, sorts=("updated_at", "status"),
           params=("support_type_scope", "external_id"), buckets=("tickets_index",)),
    _plain("users", "users", rids=lambda account, _, args: account.active_users(), params=("role", "role[]")),
    _count_route("users", "users", lambda account, _: len(account.active_users())),
    Route("user_identities", "/api/v2/users/{id}/identities",
          listing=Listing("identities", _identities, lambda account, _, rid: account.tables["user_identities"].get(rid)),
          stream="user_identities"),
    _plain("organizations", "organizations", rids=lambda account, _, args: account.live_organizations()),
    _count_route("organizations", "organizations", lambda account, _: len(account.live_organizations())),
    _plain("groups", "groups", order="name,id", rids=_groups, params=("exclude_deleted",)),
    _count_route("groups", "groups", lambda account, request: len(_groups(account, request, ()))),
    _plain("group_memberships", "group_memberships"),
    _plain("organization_memberships", "organization_memberships"),
    _plain("brands", "brands", paging="cursor", rids=_brands, params=("include_deleted",),
           row=lambda account, _, rid: account.brand(rid)),
    _plain("tags", "tags", order="-count,id"),
    _count_route("tags", "tags", lambda account, _: len(account.tables["tags"])),
    _plain("ticket_fields", "ticket_fields", paging="optional", params=("creator", "locale")),
    _count_route("ticket_fields", "ticket_fields", lambda account, _: len(account.tables["ticket_fields"])),
    _plain("ticket_forms", "ticket_forms", paging="none", params=("active", "form_type", "locale")),
    _plain("user_fields", "user_fields", order="position,id"),
    _plain("organization_fields", "organization_fields", order="position,id"),
    _plain("sla_policies", "slas/policies", paging="none", order="position,id"),
    _plain("schedules", "business_hours/schedules", paging="none"),
    _plain("satisfaction_ratings", "satisfaction_ratings", rids=_ratings, sorts=("created_at",),
           params=("start_time", "end_time", "score")),
    _count_route("satisfaction_ratings", "satisfaction_ratings", lambda account, _: len(account.tables["satisfaction_ratings"])),
    _guide("article_comment_votes", _HC + "/articles/{id}/comments/{id}/votes", "votes", ("article_comments", 1)),
    _guide("article_comments", _HC + "/articles/{id}/comments", "comments", ("articles", 0)),
    _guide("article_votes", _HC + "/articles/{id}/votes", "votes", ("articles", 0)),
    _guide("article_attachments", _HC + "/articles/{id}/attachments", "article_attachments", ("articles", 0)),
    _guide("articles", _HC + "/articles", "articles", order="position,title,id"),
    _guide("articles", _LOCALE + "/articles", "articles", order="position,title,id"),
    *(
        _guide(kind, f"{place}/{kind}", kind, order="position,id")
        for kind in ("categories", "sections")
        for place in (_HC, _LOCALE)
    ),
    Route("help_center_votes", "/api/v2/help_center/votes", listing=Listing("votes", _all_votes, _any_vote, guide=True)),
    _guide("topics", "community/topics", "topics", order="position,id"),
    _guide("post_comment_votes", "community/posts/{id}/comments/{id}/votes", "votes", ("post_comments", 1)),
    _guide("post_comments", "community/posts/{id}/comments", "comments", ("posts", 0)),
    _guide("post_votes", "community/posts/{id}/votes", "votes", ("posts", 0)),
    _guide("posts", "community/posts", "posts", order="-created_at,id"),
    _plain("account_attributes", "routing/attributes", "attributes", paging="none"),
    Route("attribute_definitions", "/api/v2/routing/attributes/definitions", show=_definitions,
          stream="attribute_definitions"),
    _plain("audit_logs", "audit_logs", order="-created_at,id", sorts=("created_at",), rids=_audit_logs, empty_end=True,
           params=("filter[created_at]", "filter[created_at][]", "filter[source_type]", "filter[source_id]",
                   "filter[actor_id]", "filter[ip_address]", "filter[action]")),
    _plain("automations", "automations", order="position,id", sorts=_RULE_SORTS),
    _plain("custom_roles", "custom_roles", paging="none"),
    _plain("custom_statuses", "custom_statuses", paging="none"),
    _plain("macros", "macros", order="title,id", sorts=_RULE_SORTS, params=("access", "active", "only_viewable")),
    _plain("triggers", "triggers", order="position,title,id", sorts=_RULE_SORTS, params=("active",)),
    _plain("ticket_activities", "activities", "activities", order="-created_at,id", rids=_activities,
           params=("since",), lasting=False),
    Route("ticket_activities_count", "/api/v2/activities/count", kind="count", stream="ticket_activities",
          show=_count(lambda account, _: len(account.recent_activities()))),
    Route("ticket_audits", "/api/v2/ticket_audits", show=_audit_feed, stream="ticket_audits", kind="list", admins=True,
          params=("cursor", "limit", "page[size]", "page[after]", "page[before]")),
    Route("ticket_metrics", "/api/v2/ticket_metrics", stream="ticket_metrics",
          listing=Listing("ticket_metrics", lambda account, _, args: account.listed_tickets(), _metric_row, order="-id")),
    Route("ticket_skips", "/api/v2/skips", stream="ticket_skips",
          listing=Listing("skips", lambda account, _, args: account.listed_skips(), lambda account, _, rid: account.skip(rid))),
    Route("deleted_tickets", "/api/v2/deleted_tickets", stream="deleted_tickets", buckets=("deleted_tickets",),
          params=("support_type_scope",),
          listing=Listing("deleted_tickets", lambda account, _, args: account.recently_deleted(),
                          lambda account, _, rid: account.deleted_ticket(rid), lasting=False)),
    Route("deleted_users", "/api/v2/deleted_users",
          listing=Listing("deleted_users", lambda account, _, args: account.inactive_users(),
                          lambda account, _, rid: account.tables["users"].get(rid))),
    _count_route("deleted_users", "deleted_users", lambda account, _: len(account.inactive_users())),
    Route("ticket_comments_count", "/api/v2/tickets/{id}/comments/count", kind="count", show=_count_comments),
    Route("ticket_audits_of_ticket_count", "/api/v2/tickets/{id}/audits/count", kind="count", show=_count_audits),
    Route("search_export", "/api/v2/search/export", show=_search_export, kind="list", buckets=("search_export",),
          params=("query", "filter[type]", "page[size]", "page[after]")),
)  # fmt: skip
