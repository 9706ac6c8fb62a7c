"""Tickets, and what hangs on them: events, comments, audits, metrics, ratings, skips and activities."""

from __future__ import annotations

from zendesk_support.simulator.families.tickets import (
    answers,
    around,
    around_changes,
    changes,
    events,
    parts,
    reasons,
    rows,
    suspended,
)
from zendesk_support.simulator.families.tickets.book import Tickets
from zendesk_support.simulator.families.tickets.events import as_audit
from zendesk_support.simulator.kinds import Family, Gate, Kind, counted, exported, listed, plain, shown
from zendesk_support.simulator.server.limits import EXPORTS, AsEndpoint, Limit
from zendesk_support.simulator.server.lists import Listing
from zendesk_support.simulator.server.routes import Route
from zendesk_support.simulator.server.sideloads import named_by

LIST = Limit(100, name="tickets_index", tell=AsEndpoint("tickets-index"))
LIST_DEEP = Limit(50, name="tickets_index_deep", tell=AsEndpoint("tickets-index-deep"))
DELETED = Limit(10, name="deleted_tickets", tell=AsEndpoint("deleted-tickets-index"))
DELETED_DEEP = Limit(5, name="deleted_tickets_deep", tell=AsEndpoint("deleted-tickets-index-deep"))
AUDITS = Limit(500, name="ticket_audits", tell=AsEndpoint("ticket-audits-index"))


TICKETS = Kind(
    "tickets",
    row=rows.ticket,
    rids=lambda world: range(1, world.tickets + 1),
    stamp=rows.generated_at,
    times=rows.all_times,
    base=0,
    step=1,
    routes=(
        exported("incremental_tickets_cursor", "tickets/cursor", answers.TICKETS, by_cursor=True),
        exported("incremental_tickets", "tickets", answers.TICKETS),
        counted("tickets", "tickets", lambda store, _: len(store.part(Tickets).listed())),
        shown("ticket", "tickets/{id}", answers.ticket),
        listed(
            "tickets",
            rids=answers.tickets,
            sorts=("updated_at", "status"),
            sideloads=answers.SIDELOADS,
            params=("support_type_scope", "external_id"),
            limits=(LIST,),
            deep=(500, LIST_DEEP),
        ),
    ),
    create=changes.create_tickets,
    update=changes.update_tickets,
    remove=changes.delete_tickets,
)
DELETED_TICKETS = Kind(
    "deleted_tickets",
    routes=(
        listed(
            "deleted_tickets",
            rids=lambda store, _, args: store.part(Tickets).recently_deleted(),
            row=lambda store, _, rid: store.part(Tickets).deleted_ticket(rid),
            params=("support_type_scope",),
            limits=(DELETED,),
            deep=(100, DELETED_DEEP),
            lasting=False,
        ),
    ),
    truth=lambda store: map(store.part(Tickets).deleted_ticket, store.part(Tickets).recently_deleted()),
)
TICKET_EVENTS = Kind(
    "ticket_events",
    row=events.event,
    rids=events.all_event_rids,
    stamp=events.event_time,
    times=events.all_event_times,
    step=events.EVENT_STEP,
    routes=(exported("incremental_ticket_events", "ticket_events", answers.TICKET_EVENTS),),
    grows_only=True,
    create=changes.create_events,
)
TICKET_COMMENTS = Kind(
    "ticket_comments",
    routes=(
        listed(
            "ticket_comments",
            "tickets/{id}/comments",
            "comments",
            rids=answers.comments,
            row=answers.comment,
            order="given",
            sorts=("created_at",),
            sideloads={"users": named_by("users", "author_id")},
            params=("include_inline_images",),
        ),
        shown("ticket_comments_count", "tickets/{id}/comments/count", answers.comment_count, kind="count"),
    ),
    truth=lambda store: store.part(Tickets).all_comments(),
)
TICKET_CHANGES = Kind("ticket_changes", truth=lambda store: store.part(Tickets).all_changes())
TICKET_AUDITS = Kind(
    "ticket_audits",
    routes=(
        listed(
            "ticket_audits",
            "tickets/{id}/audits",
            "audits",
            rids=answers.audits,
            row=answers.audit,
            order="given",
            limits=(AUDITS,),
            name="ticket_audits_of_ticket",
        ),
        shown(
            "ticket_audits",
            "ticket_audits",
            answers.audit_feed,
            stream="ticket_audits",
            kind="list",
            admins=True,
            params=("cursor", "limit", "page[size]", "page[after]", "page[before]"),
        ),
        shown("ticket_audits_of_ticket_count", "tickets/{id}/audits/count", answers.audit_count, kind="count"),
    ),
    truth=lambda store: store.part(Tickets).all_audits(),
)
ALL_AUDITS = Kind("ticket_audits_all", truth=lambda store: map(as_audit, store.tables["ticket_events"]))
TICKET_METRICS = Kind(
    "ticket_metrics",
    routes=(
        shown("ticket_metrics_of_ticket", "tickets/{id}/metrics", answers.metric),
        listed(
            "ticket_metrics",
            rids=lambda store, _, args: store.part(Tickets).listed(),
            row=answers.metric_row,
            order="-id",
        ),
    ),
    truth=lambda store: store.part(Tickets).all_metrics(),
)
TICKET_METRIC_EVENTS = Kind(
    "ticket_metric_events",
    row=events.first_metric_event,
    rids=lambda world: world.part(events.MetricEvents).ids,
    stamp=events.metric_event_time,
    times=lambda world: world.part(events.MetricEvents).times,
    step=events.METRIC_EVENT_STEP,
    routes=(
        Route(
            "incremental_ticket_metric_events",
            "/api/v2/incremental/ticket_metric_events",
            listing=Listing(
                "ticket_metric_events",
                answers.metric_events,
                lambda store, request, rid: store.tables["ticket_metric_events"].get(rid),
            ),
            export=answers.METRIC_EVENTS,
            limits=(EXPORTS,),
            stream="ticket_metric_events",
            kind="incremental",
            admins=True,
        ),
    ),
    grows_only=True,
    create=around_changes.create_metric_events,
)
SATISFACTION_RATINGS = Kind(
    "satisfaction_ratings",
    row=around.rating,
    size=lambda of: max(10, of["tickets"] // 8),
    stamp=around.rating_stamp,
    gate=Gate("growth", 403),
    routes=(
        listed(
            "satisfaction_ratings",
            rids=answers.ratings,
            sorts=("created_at",),
            params=("start_time", "end_time", "score"),
        ),
        counted(
            "satisfaction_ratings",
            "satisfaction_ratings",
            lambda store, _: len(store.tables["satisfaction_ratings"]),
        ),
    ),
    create=around_changes.offer_ratings,
    update=around_changes.rate_anew,
)
TICKET_SKIPS = Kind(
    "ticket_skips",
    row=around.skip,
    size=lambda of: max(6, min(2000, of["tickets"] // 20)),
    routes=(
        listed(
            "ticket_skips",
            "skips",
            "skips",
            rids=lambda store, _, args: store.part(Tickets).listed_skips(),
            row=lambda store, _, rid: store.part(Tickets).skip(rid),
        ),
    ),
    truth=lambda store: map(store.part(Tickets).skip, store.part(Tickets).listed_skips()),
)
TICKET_ACTIVITIES = Kind(
    "ticket_activities",
    row=around.activity,
    rids=around.activity_rids,
    size=lambda of: max(12, min(500, of["tickets"] // 10)),
    routes=(
        listed(
            "ticket_activities",
            "activities",
            "activities",
            rids=answers.activities,
            row=lambda store, _, rid: store.part(Tickets).activity(rid),
            order="-created_at,id",
            sorts=("created_at",),
            params=("since",),
            lasting=False,
        ),
        counted("ticket_activities", "activities", lambda store, _: len(store.part(Tickets).recent_activities())),
        shown("ticket_activity", "activities/{id}", answers.activity),
    ),
    truth=lambda store: map(store.part(Tickets).activity, store.part(Tickets).recent_activities()),
    grows_only=True,
    create=around_changes.create_activities,
)
SUSPENDED_TICKETS = Kind(
    "suspended_tickets",
    row=suspended.suspended_ticket,
    size=lambda of: max(8, min(500, of["tickets"] // 20)),
    stamp=suspended.suspended_at,
    routes=(
        listed(
            "suspended_tickets",
            rids=lambda store, _, args: suspended.kept(store),
            paging="cursor",
            lasting=False,
        ),
    ),
    truth=lambda store: map(store.tables["suspended_tickets"].get, suspended.kept(store)),
)
SATISFACTION_REASONS = plain(
    "satisfaction_reasons",
    reasons.satisfaction_reason,
    7,
    key="reasons",
    gate=Gate("professional", 403),
    paging="bare",
    admins=True,
    more={"cloned": reasons.new_reason, "kept": lambda store: reasons.CHOSEN},
)
TICKET_TAGS = Kind(
    "ticket_tags", truth=parts.tags, create=parts.add_tags, update=parts.change_tags, remove=parts.remove_tags
)
TICKET_COLLABORATORS = Kind(
    "ticket_collaborators",
    truth=parts.collaborators,
    create=parts.add_followers,
    update=parts.change_followers,
    remove=parts.remove_followers,
)
FAMILY = Family(
    "tickets",
    (
        TICKETS,
        DELETED_TICKETS,
        TICKET_EVENTS,
        TICKET_COMMENTS,
        TICKET_CHANGES,
        TICKET_AUDITS,
        ALL_AUDITS,
        TICKET_METRICS,
        TICKET_METRIC_EVENTS,
        SATISFACTION_RATINGS,
        TICKET_SKIPS,
        TICKET_ACTIVITIES,
        SUSPENDED_TICKETS,
        SATISFACTION_REASONS,
        TICKET_TAGS,
        TICKET_COLLABORATORS,
    ),
    sizes={"events_per_ticket": 0},
    ids=("attachments",),
    mutations=changes.MUTATIONS,
)
