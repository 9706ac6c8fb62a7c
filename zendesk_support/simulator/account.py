"""The account: its tables, which of its rows an endpoint shows, and the complete truth about them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from zendesk_support.simulator.clock import Clock, iso, unix
from zendesk_support.simulator.guide import KINDS as GUIDE_KINDS
from zendesk_support.simulator.guide import HelpCenter
from zendesk_support.simulator.people import People
from zendesk_support.simulator.settings_rows import SYSTEM_FIELDS, Settings
from zendesk_support.simulator.table import Row, Table, copy_row
from zendesk_support.simulator.tickets import MONTH, Tickets, as_audit, is_comment
from zendesk_support.simulator.world import FIRST_ID, STEP, World, make_stamp

PLANS = ("team", "growth", "professional", "enterprise", "enterprise_plus")
ENTERPRISE = ("enterprise", "enterprise_plus")
PLAN_GATES: dict[str, tuple[int, tuple[str, ...]]] = {
    "audit_logs": (403, ("team", "growth", "professional")),
    "custom_roles": (403, ("team", "growth", "professional")),
    "account_attributes": (403, ("team", "growth")),
    "attribute_definitions": (403, ("team", "growth")),
    "ticket_forms": (403, ("team",)),
    "sla_policies": (404, ("team",)),
    "schedules": (404, ("team",)),
    "satisfaction_ratings": (403, ("team",)),
    "topics": (404, ("team", "growth")),
    "posts": (404, ("team", "growth")),
    "post_comments": (404, ("team", "growth")),
    "post_votes": (404, ("team", "growth")),
    "post_comment_votes": (404, ("team", "growth")),
}
"""Which streams a plan lacks, and with which status Zendesk says so."""


def default_sizes(tickets: int, overrides: dict[str, int]) -> dict[str, int]:
    """Return the number of rows of every kind, scaled from the number of tickets."""
    if not 1 <= tickets <= 1_000_000:
        raise ValueError(f"tickets must lie between 1 and 1,000,000, got {tickets}")
    users = overrides.get("users", max(20, tickets // 2))
    agents = overrides.get("agents", max(3, min(200, users // 20)))
    groups = overrides.get("groups", max(5, min(60, tickets // 100)))
    brands = overrides.get("brands", 3)
    articles = overrides.get("articles", max(24, min(2000, tickets // 10)))
    posts = overrides.get("posts", max(16, min(1000, tickets // 20)))
    sizes = {
        "tickets": tickets,
        "events_per_ticket": 0,
        "users": users,
        "agents": agents,
        "organizations": max(5, tickets // 20),
        "groups": groups,
        "group_memberships": min(2000, agents * min(2, groups)),
        "organization_memberships": max(10, min(users, tickets)),
        "brands": brands,
        "help_centers": 1 if brands == 1 else 2,
        "tags": max(40, min(3000, tickets // 5)),
        "ticket_fields": 40,
        "ticket_forms": 6,
        "user_fields": 6,
        "organization_fields": 5,
        "sla_policies": 4,
        "schedules": 3,
        "satisfaction_ratings": max(10, tickets // 8),
        "ticket_skips": max(6, min(2000, tickets // 20)),
        "macros": max(12, min(600, tickets // 20)),
        "triggers": max(12, min(300, tickets // 30)),
        "automations": 9,
        "custom_roles": 4,
        "custom_statuses": 6,
        "account_attributes": 5,
        "attribute_definitions": 6,
        "audit_logs": max(30, min(5000, tickets // 3)),
        "ticket_activities": max(12, min(500, tickets // 10)),
        "categories": 4,
        "sections": 8,
        "articles": articles,
        "article_comments": 2 * articles,
        "article_votes": 3 * articles,
        "article_comment_votes": articles,
        "article_attachments": max(4, articles // 2),
        "topics": 5,
        "posts": posts,
        "post_comments": 2 * posts,
        "post_votes": 2 * posts,
        "post_comment_votes": posts,
    }
    unknown = set(overrides) - set(sizes)
    if unknown:
        raise ValueError(f"unknown size {sorted(unknown)}; the sizes are {', '.join(sizes)}")
    sizes.update(overrides)
    if sizes["agents"] >= sizes["users"]:
        raise ValueError("an account needs more users than agents")
    if sizes["events_per_ticket"] > 8:
        raise ValueError("events_per_ticket goes up to 8")
    return sizes


class Account:
    """All data of one Zendesk account, at every moment of its clock."""

    def __init__(self, clock: Clock, *, seed: int, plan: str, tickets: int, sizes: dict[str, int]) -> None:
        if plan not in PLANS:
            raise ValueError(f"unknown plan {plan!r}; the plans are {', '.join(PLANS)}")
        self.clock = clock
        self.lock = threading.RLock()
        self.version = 0
        self.plan = plan
        self.sizes = default_sizes(tickets, sizes)
        self.world = world = World(seed, int(clock.now()), self.sizes, plan)
        self.people = People(world)
        self.source = Tickets(world)
        self.settings = Settings(world)
        self.archived: set[int] = set()
        self.scrubbed: set[int] = set()
        self.deleted_at: dict[int, int] = {}
        self.ticket_events_added: dict[int, list[int]] = {}
        self.metric_events_added: dict[int, list[int]] = {}
        self.identities_added: dict[int, list[int]] = {}
        self.metrics: dict[int, Row] = {}
        self.brand_urls: dict[int, str] = {}
        self.counts: dict[str, tuple[int, int]] = {}
        self._listings: dict[object, list[int]] = {}
        self._orders: dict[object, Any] = {}
        self.tables = self._tables()
        self.help_centers = [HelpCenter(world, number) for number in range(self.sizes["help_centers"])]

    def _tables(self) -> dict[str, Table]:
        world, people, source, settings = self.world, self.people, self.source, self.settings
        sizes = {**self.sizes, "ticket_fields": self.sizes["ticket_fields"] + len(SYSTEM_FIELDS)}

        def rids(kind: str) -> range:
            first = FIRST_ID[kind] + STEP
            return range(first, first + sizes[kind] * STEP, STEP)

        def plain(kind: str, make: Callable[[int], Row]) -> Table:
            return Table(kind, rids(kind), make, stamp=make_stamp(world, kind), base=FIRST_ID[kind])

        identities = (rid for user in world.rids("users") for rid in people.identity_rids(user))
        return {
            "tickets": Table(
                "tickets", range(1, self.sizes["tickets"] + 1), source.ticket, stamp=source.generated, step=1
            ),
            "users": plain("users", people.user),
            "organizations": plain("organizations", people.organization),
            "groups": plain("groups", people.group),
            "group_memberships": plain("group_memberships", people.group_membership),
            "organization_memberships": plain("organization_memberships", people.organization_membership),
            "user_identities": Table("user_identities", identities, people.identity, base=FIRST_ID["user_identities"]),
            "ticket_events": Table(
                "ticket_events",
                source.all_event_rids(),
                source.event,
                stamp=source.event_time,
                base=FIRST_ID["ticket_events"],
                step=32,
            ),
            "ticket_metric_events": Table(
                "ticket_metric_events",
                source.all_metric_event_rids(),
                source.metric_event,
                stamp=source.metric_event_time,
                base=FIRST_ID["ticket_metric_events"],
            ),
            "satisfaction_ratings": Table(
                "satisfaction_ratings",
                rids("satisfaction_ratings"),
                source.rating,
                stamp=source.rating_stamp,
                base=FIRST_ID["satisfaction_ratings"],
            ),
            "ticket_skips": plain("ticket_skips", source.skip),
            "brands": plain("brands", settings.brand),
            "tags": plain("tags", settings.tag),
            "ticket_fields": plain("ticket_fields", settings.ticket_field),
            "ticket_forms": plain("ticket_forms", settings.ticket_form),
            "user_fields": plain("user_fields", settings.user_field),
            "organization_fields": plain("organization_fields", settings.organization_field),
            "sla_policies": plain("sla_policies", settings.sla_policy),
            "schedules": plain("schedules", settings.schedule),
            "macros": plain("macros", settings.macro),
            "triggers": plain("triggers", settings.trigger),
            "automations": plain("automations", settings.automation),
            "custom_roles": plain("custom_roles", settings.custom_role),
            "custom_statuses": plain("custom_statuses", settings.custom_status),
            "account_attributes": plain("account_attributes", settings.attribute),
            "attribute_definitions": plain("attribute_definitions", settings.attribute_definition),
            "audit_logs": Table(
                "audit_logs",
                rids("audit_logs"),
                settings.audit_log,
                stamp=settings.audit_log_stamp,
                base=FIRST_ID["audit_logs"],
            ),
            "ticket_activities": plain("ticket_activities", settings.activity),
        }

    @property
    def now(self) -> int:
        """The account's time in whole seconds."""
        return int(self.clock.now())

    def changed(self) -> None:
        """Note that rows have changed."""
        self.version += 1
        self._listings.clear()
        self._orders.clear()

    # What is special about a ticket

    def _first(self, rid: int) -> bool:
        return rid <= self.sizes["tickets"]

    def is_deleted(self, rid: int) -> bool:
        """Tell whether a ticket is deleted."""
        tickets = self.tables["tickets"]
        if tickets.touched(rid):
            return bool(tickets.get(rid)["status"] == "deleted")
        return self._first(rid) and self.source.is_deleted(rid)

    def is_scrubbed(self, rid: int) -> bool:
        """Tell whether a deleted ticket has lost its content."""
        if rid in self.scrubbed:
            return True
        return self._first(rid) and self.source.is_scrubbed(rid) and self.is_deleted(rid)

    def is_archived(self, rid: int) -> bool:
        """Tell whether a ticket is archived."""
        return rid in self.archived or (self._first(rid) and self.source.is_archived(rid))

    def is_ai(self, rid: int) -> bool:
        """Tell whether only an AI agent handled a ticket."""
        tickets = self.tables["tickets"]
        if tickets.touched(rid):
            return bool(tickets.get(rid)["support_type"] == "ai_agent")
        return self._first(rid) and self.source.is_ai(rid)

    def in_scope(self, rid: int, scope: str) -> bool:
        """Tell whether a ticket is in a `support_type_scope`."""
        return scope == "all" or self.is_ai(rid) == (scope == "ai_agent")

    def is_listed(self, rid: int) -> bool:
        """Tell whether the lists of tickets and their children show a ticket."""
        return not self.is_archived(rid) and not self.is_deleted(rid)

    def deletion_time(self, rid: int) -> int:
        """Return when a deleted ticket was deleted."""
        known = self.deleted_at.get(rid)
        return known if known is not None else self.source.updated(rid)

    def metric(self, rid: int, ticket: Row | None = None) -> Row | None:
        """Return a ticket's metric set, or None for a deleted ticket."""
        if self.is_deleted(rid):
            return None
        known = self.metrics.get(rid)
        return known if known is not None else self.source.metric(ticket or self.tables["tickets"].get(rid))

    def event_rids(self, ticket: int) -> list[int]:
        """Return the ids of a ticket's events, oldest first."""
        events = self.tables["ticket_events"]
        chosen = [*self.source.event_rids(ticket), *self.ticket_events_added.get(ticket, ())]
        return sorted((rid for rid in chosen if rid in events), key=lambda rid: (events.stamp(rid), rid))

    def events(self, ticket: int) -> list[Row]:
        """Return a ticket's events, oldest first."""
        return [self.tables["ticket_events"].get(rid) for rid in self.event_rids(ticket)]

    def comments(self, ticket: int) -> list[Row]:
        """Return a ticket's comments as the export gives them, oldest first."""
        return [row for event in self.events(ticket) for row in event["child_events"] if is_comment(row)]

    def metric_event_rids(self, ticket: int) -> list[int]:
        """Return the ids of a ticket's metric events."""
        events = self.tables["ticket_metric_events"]
        chosen = [*self.source.metric_event_rids(ticket), *self.metric_events_added.get(ticket, ())]
        return [rid for rid in chosen if rid in events]

    def event_ticket(self, rid: int) -> int:
        """Return the ticket of an event."""
        events = self.tables["ticket_events"]
        return int(events.get(rid)["ticket_id"]) if events.touched(rid) else self.source.event_ticket(rid)

    def identity_rids(self, user: int) -> list[int]:
        """Return the ids of a user's identities."""
        identities = self.tables["user_identities"]
        first = user <= self.world.rid("users", self.sizes["users"] - 1)
        chosen = [*(self.people.identity_rids(user) if first else ()), *self.identities_added.get(user, ())]
        return [rid for rid in chosen if rid in identities]

    # Rows as an endpoint shows them

    def brand(self, rid: int) -> Row:
        """Return a brand with its address."""
        row = self.tables["brands"].get(rid)
        return {**row, "brand_url": self.brand_urls.get(rid, f"https://{row['subdomain']}.zendesk.com")}

    def skip(self, rid: int) -> Row:
        """Return a skip with its ticket."""
        row = self.tables["ticket_skips"].get(rid)
        return {**row, "ticket": self.tables["tickets"].get(row["ticket_id"])}

    def activity(self, rid: int) -> Row:
        """Return an activity; what a comment said as it reads now."""
        row = self.tables["ticket_activities"].get(rid)
        comments = self.comments(row["target"]["ticket"]["id"]) if row["verb"] == "tickets.comment" else []
        if not comments:
            return row
        return {**row, "object": {"comment": {"public": True, "value": comments[0]["body"]}}}

    def deleted_ticket(self, rid: int) -> Row:
        """Return a ticket as the list of deleted tickets shows it."""
        actor = self.world.rid("users", 0)
        return {
            "id": rid,
            "subject": self.tables["tickets"].get(rid)["subject"],
            "actor": {"id": actor, "name": self.world.person(0)},
            "deleted_at": iso(self.deletion_time(rid)),
            "previous_state": "open",
        }

    def listing(self, key: object, choose: Callable[[], Iterable[int]]) -> list[int]:
        """Return the rows a list shows, found again only after a change."""
        found = self._listings.get(key)
        if found is None:
            found = self._listings[key] = list(choose())
        return found

    def remember(self, key: object, make: Callable[[], Any]) -> Any:
        """Return anything found from the rows, found again only after a change."""
        if key not in self._orders:
            self._orders[key] = make()
        return self._orders[key]

    def listed_tickets(self) -> list[int]:
        """Return the tickets that are neither archived nor deleted."""
        return self.listing("listed", lambda: (rid for rid in self.tables["tickets"].rids if self.is_listed(rid)))

    def listed_skips(self) -> list[int]:
        """Return the skips of listed tickets."""
        table = self.tables["ticket_skips"]
        return self.listing("skips", lambda: (rid for rid in table.rids if self.is_listed(table.get(rid)["ticket_id"])))

    def live_organizations(self) -> list[int]:
        """Return the organizations that are not deleted."""
        table = self.tables["organizations"]
        return self.listing("organizations", lambda: (rid for rid in table.rids if not self._is_gone(table, rid)))

    @staticmethod
    def _is_gone(organizations: Table, rid: int) -> bool:
        return organizations.touched(rid) and organizations.get(rid)["deleted_at"] is not None

    def active_users(self) -> list[int]:
        """Return the users the list shows: those that are active."""
        return self.listing("users", lambda: (rid for rid in self.tables["users"].rids if self.is_active(rid)))

    def inactive_users(self) -> list[int]:
        """Return the users the list of deleted users shows."""
        return self.listing("inactive", lambda: (rid for rid in self.tables["users"].rids if not self.is_active(rid)))

    def is_active(self, rid: int) -> bool:
        """Tell whether a user is active."""
        users = self.tables["users"]
        return bool(users.get(rid)["active"]) if users.touched(rid) else self.people.is_active(rid)

    def recently_deleted(self) -> list[int]:
        """Return the deleted tickets that are neither archived nor scrubbed, of the last 30 days."""
        since = self.now - MONTH
        return [
            rid
            for rid in self.listing("deleted", lambda: (r for r in self.tables["tickets"].rids if self.is_deleted(r)))
            if not self.is_scrubbed(rid) and not self.is_archived(rid) and self.deletion_time(rid) >= since
        ]

    def recent_activities(self) -> list[int]:
        """Return the activities of the last 30 days, without those on scrubbed tickets."""
        table, since = self.tables["ticket_activities"], iso(self.now - MONTH)
        rows = ((rid, table.get(rid)) for rid in table.rids)
        return [
            rid
            for rid, row in rows
            if row["created_at"] >= since and not self.is_scrubbed(row["target"]["ticket"]["id"])
        ]

    def feed_events(self) -> list[int]:
        """Return the events behind the list of all audits."""
        table = self.tables["ticket_events"]
        return self.listing("feed", lambda: (rid for rid in table.rids if self.is_listed(self.event_ticket(rid))))

    # The truth

    def streams(self) -> list[str]:
        """Return the names `truth` knows."""
        return sorted(self._truths())

    def truth(self, stream: str) -> Iterator[Row]:
        """Yield every row a complete load has now."""
        sources = self._truths()
        if stream not in sources:
            raise ValueError(f"unknown stream {stream!r}; the streams are {', '.join(sorted(sources))}")
        return (copy_row(row) for row in sources[stream]())

    def _truths(self) -> dict[str, Callable[[], Iterable[Row]]]:
        tables = self.tables
        truths: dict[str, Callable[[], Iterable[Row]]] = {
            name: tables[name].__iter__ for name in tables if name not in ("brands", "ticket_skips")
        }
        truths |= {
            "brands": lambda: (self.brand(rid) for rid in tables["brands"].rids),
            "ticket_skips": lambda: (self.skip(rid) for rid in self.listed_skips()),
            "ticket_metrics": self._metric_truth,
            "ticket_comments": self._comment_truth,
            "ticket_audits": lambda: (as_audit(tables["ticket_events"].get(rid)) for rid in self.feed_events()),
            "ticket_audits_all": lambda: (as_audit(row) for row in tables["ticket_events"]),
            "deleted_tickets": lambda: (self.deleted_ticket(rid) for rid in self.recently_deleted()),
            "ticket_activities": lambda: (self.activity(rid) for rid in self.recent_activities()),
        }
        for kind in GUIDE_KINDS:
            truths[kind] = lambda kind=kind: self._guide_truth(kind)  # type: ignore[misc]
        return truths

    def _metric_truth(self) -> Iterator[Row]:
        for rid in self.tables["tickets"].rids:
            metric = self.metric(rid)
            if metric is not None:
                yield metric

    def _comment_truth(self) -> Iterator[Row]:
        for event in self.tables["ticket_events"]:
            for row in event["child_events"]:
                if is_comment(row):
                    yield {**row, "ticket_id": event["ticket_id"]}

    def _guide_truth(self, kind: str) -> Iterator[Row]:
        for center in self.help_centers:
            for rid in center.tables[kind].rids:
                yield {**center.present(kind, rid), "brand_id": center.brand_id}


def seconds_of(row: Row, column: str) -> int:
    """Return a time column of a row in unix seconds."""
    return unix(row[column])
