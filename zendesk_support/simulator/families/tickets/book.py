"""The tickets as they are now: the first ones, and what has become of them and been added since."""

from __future__ import annotations

from collections.abc import Iterator

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.tickets import events, rows
from zendesk_support.simulator.families.tickets.events import as_audit, is_comment
from zendesk_support.simulator.families.tickets.facts import (
    MONTH,
    is_ai,
    is_archived,
    is_deleted,
    is_measured,
    is_scrubbed,
    ratings_of,
)
from zendesk_support.simulator.families.tickets.life import Life
from zendesk_support.simulator.families.tickets.measures import Mark, marks_of, metric_event, metric_set, statuses
from zendesk_support.simulator.families.tickets.plot import lives_of


class Tickets:
    """What the tables of tickets do not say, `store.part(Tickets)`.

    Attributes:
        archived: Tickets archived since the start.
        scrubbed: Deleted tickets that have lost their content since.
        deleted_at: When tickets were deleted since.
        lives: The lives of tickets that have changed since.
        marks: Their metric events, by id.
        ratings: The satisfaction ratings that tickets have got or changed since.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.world = store.world
        self.archived: set[int] = set()
        self.scrubbed: set[int] = set()
        self.deleted_at: dict[int, int] = {}
        self.lives: dict[int, Life] = {}
        self.marks: dict[int, dict[int, Mark]] = {}
        self.ratings: dict[int, int] = {}
        self._events: dict[int, list[int]] = {}

    def _is_first(self, rid: int) -> bool:
        return rid <= self.world.tickets

    def is_deleted(self, rid: int) -> bool:
        """Tell whether a ticket is deleted."""
        tickets = self.store.tables["tickets"]
        if tickets.touched(rid):
            return bool(tickets.get(rid)["status"] == "deleted")
        return self._is_first(rid) and is_deleted(self.world, rid)

    def is_scrubbed(self, rid: int) -> bool:
        """Tell whether a deleted ticket has lost its content."""
        if rid in self.scrubbed:
            return True
        return self._is_first(rid) and is_scrubbed(self.world, rid) and self.is_deleted(rid)

    def is_archived(self, rid: int) -> bool:
        """Tell whether a ticket is archived."""
        return rid in self.archived or (self._is_first(rid) and is_archived(self.world, rid))

    def is_ai(self, rid: int) -> bool:
        """Tell whether only an AI agent handled a ticket."""
        tickets = self.store.tables["tickets"]
        if tickets.touched(rid):
            return bool(tickets.get(rid)["support_type"] == "ai_agent")
        return self._is_first(rid) and is_ai(self.world, rid)

    def in_scope(self, rid: int, scope: str) -> bool:
        """Tell whether a ticket is in a `support_type_scope`."""
        return scope == "all" or self.is_ai(rid) == (scope == "ai_agent")

    def is_listed(self, rid: int) -> bool:
        """Tell whether the lists of tickets and their children show a ticket."""
        return not self.is_archived(rid) and not self.is_deleted(rid)

    def deletion_time(self, rid: int) -> int:
        """Return when a deleted ticket was deleted."""
        known = self.deleted_at.get(rid)
        return known if known is not None else rows.updated_at(self.world, rid)

    # A ticket's rows elsewhere

    def metric(self, rid: int, ticket: Row | None = None) -> Row | None:
        """Return a ticket's metric set, or None for a deleted ticket."""
        if self.is_deleted(rid):
            return None
        return metric_set(self.world, self.life(rid), ticket or self.store.tables["tickets"].get(rid))

    def life(self, rid: int) -> Life:
        """Return what has happened on a ticket."""
        known = self.lives.get(rid)
        return known if known is not None else self.world.part(lives_of)(rid)

    def kept_life(self, rid: int) -> Life:
        """Return a ticket's life that more may be added to."""
        if rid not in self.lives:
            self.marks[rid] = events.first_marks(self.world, rid)
            life = self.lives[rid] = self.world.part(lives_of)(rid).copy()
            life.ids = events.event_rids(self.world, rid)
        return self.lives[rid]

    def is_measured(self, rid: int) -> bool:
        """Tell whether a ticket has metric events."""
        return not self._is_first(rid) or is_measured(self.world, rid)

    def measure(self, rid: int) -> None:
        """Bring a ticket's metric events up to its life."""
        if self.is_measured(rid):
            there = set(self.marks[rid].values())
            for mark in marks_of(self.world, self.lives[rid]):
                if mark not in there:
                    self.mark(rid, mark)

    def mark(self, rid: int, mark: Mark) -> int:
        """Add a metric event to a ticket."""
        table = self.store.tables["ticket_metric_events"]
        event = table.new_rid()
        self.marks[rid][event] = mark
        return table.add(metric_event(self.world, event, rid, mark), mark[0])

    def own_rating(self, rid: int) -> int | None:
        """Return the satisfaction rating that a ticket names, its last."""
        numbers = ratings_of(self.world, rid) if self._is_first(rid) else range(0)
        first = self.world.rid("satisfaction_ratings", numbers[-1]) if numbers else None
        return self.ratings.get(rid, first)

    def event_rids(self, ticket: int) -> list[int]:
        """Return the ids of a ticket's events, oldest first."""
        table = self.store.tables["ticket_events"]
        chosen = [*events.event_rids(self.world, ticket), *self._events.get(ticket, ())]
        return sorted((rid for rid in chosen if rid in table), key=lambda rid: (table.stamp(rid), rid))

    def comments(self, ticket: int) -> list[Row]:
        """Return a ticket's comments as the export gives them, oldest first."""
        table = self.store.tables["ticket_events"]
        found = (table.get(rid) for rid in self.event_rids(ticket))
        return [row for event in found for row in event["child_events"] if is_comment(row)]

    def event_ticket(self, rid: int) -> int:
        """Return the ticket of an event."""
        table = self.store.tables["ticket_events"]
        return int(table.get(rid)["ticket_id"]) if table.touched(rid) else events.event_ticket(self.world, rid)

    def own_event(self, ticket: int, event: int) -> None:
        """Note a new event of a ticket."""
        self._events.setdefault(ticket, []).append(event)

    def forget_events(self, ticket: int) -> None:
        """Take out a ticket's events."""
        for event in self.event_rids(ticket):
            self.store.tables["ticket_events"].remove(event)
        self._events.pop(ticket, None)

    # What lists show

    def listed(self) -> list[int]:
        """Return the tickets that are neither archived nor deleted."""
        store = self.store
        return store.listing("listed", lambda: (rid for rid in store.tables["tickets"].rids if self.is_listed(rid)))

    def listed_skips(self) -> list[int]:
        """Return the skips of listed tickets."""
        table = self.store.tables["ticket_skips"]
        return self.store.listing(
            "skips", lambda: (rid for rid in table.rids if self.is_listed(table.get(rid)["ticket_id"]))
        )

    def recently_deleted(self) -> list[int]:
        """Return the deleted tickets that are neither archived nor scrubbed, of the last 30 days."""
        store, since = self.store, self.store.now - MONTH
        deleted = store.listing("deleted", lambda: (r for r in store.tables["tickets"].rids if self.is_deleted(r)))
        return [
            rid
            for rid in deleted
            if not self.is_scrubbed(rid) and not self.is_archived(rid) and self.deletion_time(rid) >= since
        ]

    def recent_activities(self) -> list[int]:
        """Return the activities of the last 30 days, without those on scrubbed tickets."""
        table, since = self.store.tables["ticket_activities"], iso(self.store.now - MONTH)
        found = ((rid, table.get(rid)) for rid in table.rids)
        return [
            rid
            for rid, row in found
            if row["created_at"] >= since and not self.is_scrubbed(row["target"]["ticket"]["id"])
        ]

    def feed_events(self) -> list[int]:
        """Return the events behind the list of all audits."""
        table = self.store.tables["ticket_events"]
        return self.store.listing("feed", lambda: (r for r in table.rids if self.is_listed(self.event_ticket(r))))

    # Rows as an endpoint shows them

    def skip(self, rid: int) -> Row:
        """Return a skip with its ticket."""
        row = self.store.tables["ticket_skips"].get(rid)
        return {**row, "ticket": self.store.tables["tickets"].get(row["ticket_id"])}

    def activity(self, rid: int) -> Row:
        """Return an activity; what a comment said as it reads now."""
        row = self.store.tables["ticket_activities"].get(rid)
        if row["verb"] != "tickets.comment":
            return row
        comments = self.comments(row["target"]["ticket"]["id"])
        written = [each for each in comments if each["created_at"] == row["created_at"]] or comments[-1:]
        if not written:
            return row
        return {**row, "object": {"comment": {"public": written[0]["public"], "value": written[0]["body"]}}}

    def deleted_ticket(self, rid: int) -> Row:
        """Return a ticket as the list of deleted tickets shows it."""
        return {
            "id": rid,
            "subject": self.store.tables["tickets"].get(rid)["subject"],
            "actor": {"id": self.world.rid("users", 0), "name": self.world.person(0)},
            "deleted_at": iso(self.deletion_time(rid)),
            "previous_state": self._status_before(rid),
        }

    def _status_before(self, rid: int) -> str:
        return str(([(0, "open"), *statuses(self.life(rid))])[-2][1])

    # What complete loads hold

    def all_metrics(self) -> Iterator[Row]:
        """Yield the metric sets of all tickets that are not deleted."""
        for rid in self.store.tables["tickets"].rids:
            metric = self.metric(rid)
            if metric is not None:
                yield metric

    def all_comments(self) -> Iterator[Row]:
        """Yield every comment with its ticket."""
        for event in self.store.tables["ticket_events"]:
            for row in event["child_events"]:
                if is_comment(row):
                    yield {**row, "ticket_id": event["ticket_id"]}

    def all_changes(self) -> Iterator[Row]:
        """Yield every field that an event has set, a custom one by its id."""
        for event in self.store.tables["ticket_events"]:
            position = 0
            for part in event["child_events"]:
                if part["event_type"] not in ("Create", "Change"):
                    continue
                fields = {name: value for name, value in part.items() if name not in events.BESIDE_FIELDS}
                fields |= fields.pop("custom_ticket_fields", {})
                for name, value in fields.items():
                    yield {
                        "id": part["id"],
                        "field": name,
                        "position": position,
                        "value": value,
                        "previous_value": part.get("previous_value", [] if name == "tags" else None),
                        "via": part["via"],
                        "event_type": part["event_type"],
                        "event_id": event["id"],
                        "event_timestamp": event["timestamp"],
                        **{key: event[key] for key in ("ticket_id", "updater_id", "created_at")},
                    }
                    position += 1

    def all_audits(self) -> Iterator[Row]:
        """Yield the list of all audits."""
        table = self.store.tables["ticket_events"]
        return (as_audit(table.get(rid)) for rid in self.feed_events())
