"""The dbt package's marts, reckoned in Python from a simulated account's rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from zendesk_support.simulator import Simulator

Rows = list[dict[str, Any]]
UNSOLVED = ("new", "open", "pending", "hold")
NO_FIELD = {"id", "via", "via_reference_id", "event_type", "created_at", "previous_value", "added_tags", "removed_tags"}
TIMES = {
    "reply_time_in_minutes": "first_reply",
    "first_resolution_time_in_minutes": "first_resolution",
    "full_resolution_time_in_minutes": "full_resolution",
    "agent_wait_time_in_minutes": "agent_wait",
    "requester_wait_time_in_minutes": "requester_wait",
    "on_hold_time_in_minutes": "on_hold",
}
SLA_FIELDS = {"sla_policy", *(f"{name}_time" for name in ("first_reply", "next_reply", "agent_work", "requester_wait"))}
SLA_FIELDS |= {f"{name}_time" for name in ("pausable_update", "periodic_update", "total_resolution", "group_ownership")}
KEYS = {
    "ticket_facts": ("ticket_id",),
    "ticket_statuses": ("ticket_id", "nth"),
    "sla_targets": ("ticket_id", "metric", "instance_id"),
    "backlog_daily": ("day", "group_id", "priority"),
    "agent_daily": ("day", "agent_id"),
    "satisfaction_daily": ("day", "group_id"),
}


@dataclass(frozen=True, order=True)
class Set:
    """A value that a field of a ticket was given."""

    at: datetime
    event: int
    position: int
    value: str | None
    before: str | None
    by: int | None
    kind: str


class Account:
    """What is true of an account."""

    def __init__(self, account: Simulator, brands: Rows | None = None) -> None:
        """Take what does not change.

        Args:
            account: the account.
            brands: those that it has or had, where that is another.
        """
        self._account = account
        self._brands = {row["id"]: row for row in brands or account.truth("brands")}
        self.tickets = self._by_id("tickets")
        self.groups, self.users = self._by_id("groups"), self._by_id("users")
        self.events = account.truth("ticket_events")
        self.sets: dict[tuple[int, str], list[Set]] = defaultdict(list)
        for event in self.events:
            for position, (kind, field, value, before) in enumerate(fields_set(event)):
                at, values = time(event["created_at"]), (text(value), text(before))
                told = Set(at, event["id"], position, *values, event["updater_id"], kind)
                self.sets[event["ticket_id"], field].append(told)

    def _by_id(self, stream: str) -> dict[int, dict[str, Any]]:
        return {row["id"]: row for row in self._account.truth(stream)}

    def _name(self, rows: dict[int, dict[str, Any]], id: int | None) -> Any:
        return rows[id]["name"] if id in rows else None

    def marts(self) -> dict[str, Rows]:
        """Every mart's rows."""
        return {name: getattr(self, name)() for name in KEYS}

    def values(self, ticket: dict[str, Any], field: str) -> list[tuple[datetime, str | None, int | None, bool]]:
        """When a ticket's field got which value by whom, and whether that is assumed."""
        known = sorted(self.sets[ticket["id"], field])
        listed = [(one.at, one.value, one.by, False) for one in known]
        created = time(ticket["created_at"])
        if not known:
            return [(created, text(ticket[field]), None, True)]
        if known[0].kind == "Change" and known[0].at >= created:
            return [(created, known[0].before, None, True), *listed]
        return listed

    def field_history(self) -> dict[tuple[Any, ...], Any]:
        """What each field of a ticket was set to at a time: of two within a second, the last; SLA fields left out."""
        found = {}
        for event in sorted(self.events, key=lambda event: event["id"]):
            for _, field, value, _ in fields_set(event):
                found[event["ticket_id"], field, time(event["created_at"]).replace(tzinfo=None)] = value
        return {key: value for key, value in found.items() if key[1] not in SLA_FIELDS}

    def schedules(self) -> dict[tuple[Any, ...], Any]:
        """The schedules that tickets were given; of two within a second, the last."""
        return {
            (event["ticket_id"], time(event["created_at"]).replace(tzinfo=None)): child["new_schedule_id"]
            for event in sorted(self.events, key=lambda event: event["id"])
            for child in event["child_events"]
            if child["event_type"] == "ScheduleAssignment"
        }

    def ticket_facts(self) -> Rows:
        """One row a ticket."""
        forms, organizations = self._by_id("ticket_forms"), self._by_id("organizations")
        metrics = {row["ticket_id"]: row for row in self._account.truth("ticket_metrics")}
        targets = defaultdict(list)
        for target in self.sla_targets():
            targets[target["ticket_id"]].append(target["status"] == "breached")
        rows = []
        for id, ticket in self.tickets.items():
            measured = metrics.get(id, {})
            requester = self.users.get(ticket["requester_id"], {})
            closed = [one.at for one in self.sets[id, "status"] if one.value == "closed"]
            row = {name: ticket[name] for name in ("subject", "status", "priority", "type")}
            row |= {name: ticket[f"{name}"] for name in ("group_id", "assignee_id", "requester_id", "organization_id")}
            row |= {"ticket_id": id, "channel": ticket["via"]["channel"]}
            row |= {"created_at": time(ticket["created_at"]), "updated_at": time(ticket["updated_at"])}
            row["solved_at"] = time(measured.get("solved_at"))
            row["closed_at"] = max(closed) if closed and ticket["status"] == "closed" else None
            row["group_name"] = self._name(self.groups, ticket["group_id"])
            row["assignee_name"] = self._name(self.users, ticket["assignee_id"])
            row["requester_name"] = requester.get("name")
            row["requester_organization_id"] = requester.get("organization_id")
            row["requester_organization_name"] = self._name(organizations, requester.get("organization_id"))
            row["organization_name"] = self._name(organizations, ticket["organization_id"])
            row |= {"brand_id": ticket["brand_id"], "brand_name": self._name(self._brands, ticket["brand_id"])}
            row["ticket_form_id"] = ticket["ticket_form_id"]
            row["ticket_form_name"] = self._name(forms, ticket["ticket_form_id"])
            for column, name in TIMES.items():
                for clock in ("calendar", "business"):
                    row[f"{name}_{clock}_minutes"] = (measured.get(column) or {}).get(clock)
            row |= {name: measured.get(name) for name in ("replies", "reopens", "group_stations", "assignee_stations")}
            row["satisfaction_score"] = (ticket["satisfaction_rating"] or {}).get("score")
            row["sla_breached"] = any(targets[id]) if targets[id] else None
            rows.append(row)
        return rows

    def ticket_statuses(self) -> Rows:
        """One row a spell."""
        rows: Rows = []
        for id, ticket in self.tickets.items():
            spells: Rows = []
            status = None
            for at, value, by, assumed in self.values(ticket, "status"):
                if value == status:
                    continue
                if spells:
                    minutes = (at - spells[-1]["started_at"]).total_seconds() / 60
                    spells[-1] |= {"ended_at": at, "minutes": minutes}
                spells.append({"ticket_id": id, "nth": len(spells) + 1, "status": value, "started_at": at})
                spells[-1] |= {"ended_at": None, "minutes": None, "started_by_id": by, "is_assumed": assumed}
                status = value
            rows += spells
        return rows

    def sla_targets(self) -> Rows:
        """One row for each ticket, metric and instance with a target."""
        found: dict[tuple[Any, ...], Rows] = defaultdict(list)
        for event in self._account.truth("ticket_metric_events"):
            if not event.get("deleted"):
                found[event["ticket_id"], event["metric"], event["instance_id"]].append(event)
        rows = []
        for key, events in found.items():
            events.sort(key=lambda event: (event["time"], event["id"]))
            applied = [event for event in events if event["type"] in ("apply_sla", "apply_group_sla")]
            sla = (applied[-1].get("sla") or applied[-1].get("group_sla") or {}) if applied else {}
            if sla.get("target") is None:
                continue
            breaches = [event["time"] for event in events if event["type"] == "breach"]
            ends = [event["time"] for event in events if event["type"] == "fulfill"]
            row = dict(zip(("ticket_id", "metric", "instance_id"), key))
            row |= {"policy_id": str(sla["policy"]["id"]), "policy_title": sla["policy"]["title"]}
            row |= {"target_minutes": sla["target"], "in_business_hours": sla["business_hours"]}
            row |= {"applied_at": time(applied[-1]["time"]), "fulfilled_at": time(ends[-1] if ends else None)}
            row["breached_at"] = time(breaches[0] if breaches else None)
            row["status"] = "breached" if breaches else "met" if ends else "active"
            rows.append(row)
        return rows

    def backlog_daily(self) -> Rows:
        """Unsolved tickets by day, group and priority: each ticket is looked at on each day."""
        histories = {
            id: {field: self.values(ticket, field) for field in ("status", "group_id", "priority")}
            for id, ticket in self.tickets.items()
        }
        moments = [at for fields in histories.values() for listed in fields.values() for at, *_ in listed]
        moments += [time(ticket[name]) for ticket in self.tickets.values() for name in ("created_at", "updated_at")]
        counts: dict[tuple[date, str | None, str | None], int] = defaultdict(int)
        day, queues = min(moments).date(), set()
        while day <= max(moments).date():
            for queue in queues:
                counts[(day, *queue)] += 0
            for fields in histories.values():
                status, group, priority = (at_end_of(day, fields[name]) for name in ("status", "group_id", "priority"))
                if status in UNSOLVED:
                    queues.add((group, priority))
                    counts[day, group, priority] += 1
            day += timedelta(days=1)
        rows = []
        for (day, group, priority), tickets in counts.items():
            id = None if group is None else int(group)
            row = {"day": day, "group_id": id, "group_name": self._name(self.groups, id), "priority": priority}
            rows.append({**row, "tickets": tickets})
        return rows

    def agent_daily(self) -> Rows:
        """What agents did on each day."""
        done: dict[tuple[date, int], dict[str, Any]] = defaultdict(
            lambda: {"public_replies": 0, "internal_notes": 0, "touched": set(), "solved": set()}
        )
        for comment in self._account.truth("ticket_comments"):
            of_day = done[time(comment["created_at"]).date(), comment["author_id"]]
            of_day["public_replies" if comment["public"] else "internal_notes"] += 1
            of_day["touched"].add(comment["ticket_id"])
        for (ticket, field), listed in self.sets.items():
            for one in listed:
                of_day = done[one.at.date(), one.by or 0]
                of_day["touched"].add(ticket)
                if field == "status" and one.value == "solved":
                    of_day["solved"].add(ticket)
        rows = []
        for (day, id), of_day in done.items():
            if id in self.users and self.users[id]["role"] in ("agent", "admin"):
                row = {"day": day, "agent_id": id, "agent_name": self.users[id]["name"]}
                row |= {name: of_day[name] for name in ("public_replies", "internal_notes")}
                rows.append({**row, **{f"tickets_{name}": len(of_day[name]) for name in ("touched", "solved")}})
        return rows

    def satisfaction_daily(self) -> Rows:
        """Ratings by day and group."""
        scores = defaultdict(list)
        for rating in self._account.truth("satisfaction_ratings"):
            if rating["score"] != "unoffered":
                scores[time(rating["created_at"]).date(), rating["group_id"]].append(rating["score"])
        rows = []
        for (day, group), given in scores.items():
            good, bad = given.count("good"), given.count("bad")
            row = {"day": day, "group_id": group, "group_name": self._name(self.groups, group), "offered": len(given)}
            rows.append({**row, "good": good, "bad": bad, "score": good / (good + bad) if good + bad else None})
        return rows


def fields_set(event: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """The fields that an event has set, in its order: kind of change, field, value, value before."""
    for child in event["child_events"]:
        if child["event_type"] in ("Create", "Change"):
            for name, value in child.items():
                if name == "custom_ticket_fields":
                    yield from ((child["event_type"], id, of_field, None) for id, of_field in value.items())
                elif name not in NO_FIELD:
                    yield child["event_type"], name, value, child.get("previous_value")


def at_end_of(day: date, listed: list[tuple[datetime, str | None, int | None, bool]]) -> str | None:
    """The value that holds at the end of a day."""
    return next((value for at, value, *_ in reversed(listed) if at.date() <= day), None)


def time(written: Any) -> Any:
    """A time of the API; none for none."""
    return datetime.fromisoformat(written.replace("Z", "+00:00")) if written else None


def text(value: Any) -> str | None:
    """A value as the marts hold it: none for an empty one."""
    return None if value in (None, "") else str(value)
