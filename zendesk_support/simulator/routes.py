"""Every path of the API: which rows it shows, which buckets it counts against, what it may be asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zendesk_support.simulator import exports, replies, selections
from zendesk_support.simulator.account import Account
from zendesk_support.simulator.exports import Export
from zendesk_support.simulator.lists import Listing
from zendesk_support.simulator.messages import Request, not_found
from zendesk_support.simulator.table import Row

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
    stream: str,
    path: str,
    key: str = "",
    *,
    order: str = "id",
    paging: str = "both",
    sorts: tuple[str, ...] = (),
    params: tuple[str, ...] = (),
    rids: Rids | None = None,
    row: Callable[[Account, Request, int], Row] | None = None,
    lasting: bool = True,
    empty_end: bool = False,
    **more: Any,
) -> Route:
    every, get = _table(stream)
    listing = Listing(
        key or stream,
        rids or every,
        row or get,
        order=order,
        paging=paging,
        sorts=sorts,
        lasting=lasting,
        empty_end=empty_end,
    )
    return Route(stream, f"/api/v2/{path}", listing=listing, params=params, stream=stream, **more)


def _ticket_field(account: Account, request: Request, rid: int) -> Row:
    """A ticket field; who made it, only where that is asked for."""
    row = account.tables["ticket_fields"].get(rid)
    if request.params.get("creator") == "true":
        return row
    return {name: value for name, value in row.items() if not name.startswith("creator_")}


def _count_route(
    stream: str, path: str, count: Callable[[Account, Request], int], params: tuple[str, ...] = ()
) -> Route:
    return Route(
        f"{stream}_count",
        f"/api/v2/{path}/count",
        show=replies.counted(count),
        stream=stream,
        kind="count",
        params=params,
    )


def _guide(
    kind: str, path: str, key: str, parent: tuple[str, int] | None = None, order: str = "id", **more: Any
) -> Route:
    def rids(account: Account, request: Request, args: Args) -> Sequence[int]:
        center = selections.center(account, request)
        if parent is None:
            return center.tables[kind].rids
        text = args[parent[1]]
        if not text.isdigit() or int(text) not in center.tables[parent[0]]:
            raise not_found()
        return sorted(center.children(kind, int(text)))

    def row(account: Account, request: Request, rid: int) -> Row:
        return selections.center(account, request).present(kind, rid)

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
        name,
        f"/api/v2/{path}",
        export=export,
        by_cursor=cursor,
        buckets=() if help_center else (bucket,),
        stream=export.key,
        kind="incremental",
        admins=not help_center,
    )


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
    Route(
        "incremental_ticket_metric_events",
        "/api/v2/incremental/ticket_metric_events",
        listing=_METRIC_EVENT_PAGES,
        export=exports.METRIC_EVENTS,
        buckets=("incremental_exports",),
        stream="ticket_metric_events",
        kind="incremental",
        admins=True,
    ),
    _incremental("incremental_articles", "help_center/incremental/articles", exports.ARTICLES),
    Route("users_me", "/api/v2/users/me", show=replies.me, kind="show"),
    Route("account_settings", "/api/v2/account/settings", show=replies.settings, kind="show"),
    Route(
        "ticket_comments",
        "/api/v2/tickets/{id}/comments",
        listing=Listing("comments", selections.comments, selections.comment, order="given", sorts=("created_at",)),
        params=("include_inline_images",),
        stream="ticket_comments",
    ),
    Route(
        "ticket_audits_of_ticket",
        "/api/v2/tickets/{id}/audits",
        stream="ticket_audits",
        listing=Listing(
            "audits",
            lambda account, _, args: account.event_rids(selections.ticket(account, args[0])),
            selections.event_audit,
            order="given",
        ),
        buckets=("ticket_audits",),
    ),
    Route("ticket_metrics_of_ticket", "/api/v2/tickets/{id}/metrics", show=replies.show_metric, kind="show"),
    _count_route("tickets", "tickets", lambda account, request: len(account.listed_tickets())),
    Route("ticket", "/api/v2/tickets/{id}", show=replies.show_ticket, kind="show"),
    _plain(
        "tickets",
        "tickets",
        rids=selections.tickets,
        sorts=("updated_at", "status"),
        params=("support_type_scope", "external_id"),
        buckets=("tickets_index",),
    ),
    _plain("users", "users", rids=lambda account, _, args: account.active_users(), params=("role", "role[]")),
    _count_route(
        "users",
        "users",
        lambda account, _: len(account.active_users()),
        ("brand_id", "role", "role[]", "permission_set"),
    ),
    Route(
        "user_identities",
        "/api/v2/users/{id}/identities",
        listing=Listing(
            "identities",
            selections.identities,
            lambda account, _, rid: account.tables["user_identities"].get(rid),
        ),
        stream="user_identities",
    ),
    _plain("organizations", "organizations", rids=lambda account, _, args: account.live_organizations()),
    _count_route("organizations", "organizations", lambda account, _: len(account.live_organizations())),
    _plain("groups", "groups", order="name,id", rids=selections.groups, params=("exclude_deleted",)),
    _count_route("groups", "groups", lambda account, request: len(selections.groups(account, request, ()))),
    _plain("group_memberships", "group_memberships"),
    _plain("organization_memberships", "organization_memberships"),
    _plain(
        "brands",
        "brands",
        paging="cursor",
        rids=selections.brands,
        params=("include_deleted",),
        row=lambda account, _, rid: account.brand(rid),
    ),
    _plain("tags", "tags", order="-count,id", buckets=("tags_index",)),
    _count_route("tags", "tags", lambda account, _: len(account.tables["tags"])),
    _plain(
        "ticket_fields",
        "ticket_fields",
        paging="optional",
        params=("creator", "locale"),
        row=_ticket_field,
        buckets=("ticket_fields_index",),
    ),
    _count_route("ticket_fields", "ticket_fields", lambda account, _: len(account.tables["ticket_fields"])),
    _plain("ticket_forms", "ticket_forms", paging="none", params=("active", "form_type", "locale")),
    _plain("user_fields", "user_fields", order="position,id"),
    _plain("organization_fields", "organization_fields", order="position,id"),
    _plain("sla_policies", "slas/policies", paging="none", order="position,id"),
    _plain("schedules", "business_hours/schedules", paging="none"),
    _plain(
        "satisfaction_ratings",
        "satisfaction_ratings",
        rids=selections.ratings,
        sorts=("created_at",),
        params=("start_time", "end_time", "score"),
    ),
    _count_route(
        "satisfaction_ratings",
        "satisfaction_ratings",
        lambda account, _: len(account.tables["satisfaction_ratings"]),
    ),
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
    Route(
        "help_center_votes",
        "/api/v2/help_center/votes",
        listing=Listing("votes", selections.all_votes, selections.any_vote, guide=True),
    ),
    _guide("topics", "community/topics", "topics", order="position,id"),
    _guide("post_comment_votes", "community/posts/{id}/comments/{id}/votes", "votes", ("post_comments", 1)),
    _guide("post_comments", "community/posts/{id}/comments", "comments", ("posts", 0)),
    _guide("post_votes", "community/posts/{id}/votes", "votes", ("posts", 0)),
    _guide("posts", "community/posts", "posts", order="-created_at,id"),
    _plain("account_attributes", "routing/attributes", "attributes", paging="none"),
    Route(
        "attribute_definitions",
        "/api/v2/routing/attributes/definitions",
        show=replies.definitions,
        stream="attribute_definitions",
    ),
    _plain(
        "audit_logs",
        "audit_logs",
        order="-created_at,id",
        sorts=("created_at",),
        rids=selections.audit_logs,
        empty_end=True,
        params=(
            "filter[created_at]",
            "filter[created_at][]",
            "filter[source_type]",
            "filter[source_id]",
            "filter[actor_id]",
            "filter[ip_address]",
            "filter[action]",
        ),
    ),
    _plain("automations", "automations", order="position,id", sorts=_RULE_SORTS),
    _plain("custom_roles", "custom_roles", paging="none"),
    _plain("custom_statuses", "custom_statuses", paging="none"),
    _plain("macros", "macros", order="title,id", sorts=_RULE_SORTS, params=("access", "active", "only_viewable")),
    _plain("triggers", "triggers", order="position,title,id", sorts=_RULE_SORTS, params=("active",)),
    _plain(
        "ticket_activities",
        "activities",
        "activities",
        order="-created_at,id",
        sorts=("created_at",),
        rids=selections.activities,
        row=lambda account, _, rid: account.activity(rid),
        params=("since",),
        lasting=False,
    ),
    Route(
        "ticket_activities_count",
        "/api/v2/activities/count",
        kind="count",
        stream="ticket_activities",
        show=replies.counted(lambda account, _: len(account.recent_activities())),
    ),
    Route("ticket_activity", "/api/v2/activities/{id}", kind="show", show=replies.show_activity),
    Route(
        "ticket_audits",
        "/api/v2/ticket_audits",
        show=replies.audit_feed,
        stream="ticket_audits",
        kind="list",
        admins=True,
        params=("cursor", "limit", "page[size]", "page[after]", "page[before]"),
    ),
    Route(
        "ticket_metrics",
        "/api/v2/ticket_metrics",
        stream="ticket_metrics",
        listing=Listing(
            "ticket_metrics",
            lambda account, _, args: account.listed_tickets(),
            selections.metric_row,
            order="-id",
        ),
    ),
    Route(
        "ticket_skips",
        "/api/v2/skips",
        stream="ticket_skips",
        listing=Listing(
            "skips",
            lambda account, _, args: account.listed_skips(),
            lambda account, _, rid: account.skip(rid),
        ),
    ),
    Route(
        "deleted_tickets",
        "/api/v2/deleted_tickets",
        stream="deleted_tickets",
        buckets=("deleted_tickets",),
        params=("support_type_scope",),
        listing=Listing(
            "deleted_tickets",
            lambda account, _, args: account.recently_deleted(),
            lambda account, _, rid: account.deleted_ticket(rid),
            lasting=False,
        ),
    ),
    Route(
        "deleted_users",
        "/api/v2/deleted_users",
        listing=Listing(
            "deleted_users",
            lambda account, _, args: account.inactive_users(),
            lambda account, _, rid: account.tables["users"].get(rid),
        ),
    ),
    _count_route("deleted_users", "deleted_users", lambda account, _: len(account.inactive_users())),
    Route(
        "ticket_comments_count",
        "/api/v2/tickets/{id}/comments/count",
        kind="count",
        show=replies.count_comments,
    ),
    Route(
        "ticket_audits_of_ticket_count",
        "/api/v2/tickets/{id}/audits/count",
        kind="count",
        show=replies.count_audits,
    ),
    Route(
        "search_export",
        "/api/v2/search/export",
        show=replies.search_export,
        kind="list",
        buckets=("search_export",),
        params=("query", "filter[type]", "page[size]", "page[after]"),
    ),
)
