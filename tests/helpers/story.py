"""An account's rows, its tickets as their events tell of them, and business time counted by other means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from zendesk_support.simulator import Simulator

Row = dict[str, Any]
Span = tuple[int, int]
ZONES = {
    "Copenhagen": "Europe/Copenhagen",
    "Sydney": "Australia/Sydney",
    "New Delhi": "Asia/Kolkata",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
}


class Story:
    """One account's rows, and its tickets as their events tell of them."""

    def __init__(self, sim: Simulator) -> None:
        self.sim, self.now, self.start = sim, int(sim.now()), sim.account.world.start
        self.tickets = {row["id"]: row for row in sim.truth("tickets")}
        self.metrics = {row["ticket_id"]: row for row in sim.truth("ticket_metrics")}
        self.agents = {row["id"] for row in sim.truth("users", ["id", "role"]) if row["role"] != "end-user"}
        self.events: dict[int, list[Row]] = defaultdict(list)
        for row in sorted(sim.truth("ticket_events"), key=lambda row: (row["timestamp"], row["id"])):
            self.events[row["ticket_id"]].append(row)
        self.marks: dict[int, list[Row]] = defaultdict(list)
        for row in sim.truth("ticket_metric_events"):
            self.marks[row["ticket_id"]].append(row)
        self.schedules = {row["id"]: Business(sim, row) for row in sim.truth("schedules")}
        self.default = min(sim.truth("schedules"), key=lambda row: row["created_at"])["id"]

    def told(self) -> Iterator[tuple[Row, list[Row]]]:
        """Every ticket that still has its events, with them."""
        return ((self.tickets[rid], events) for rid, events in self.events.items())

    def values(self, rid: int, field: str) -> list[tuple[int, Any]]:
        """Each value that a field was given, and when."""
        parts = ((event["timestamp"], part) for event in self.events[rid] for part in event["child_events"])
        return [(at, part[field]) for at, part in parts if field in part and part["event_type"] in ("Create", "Change")]

    def comments(self, rid: int, public: bool | None = None, by_agents: bool = False) -> list[tuple[int, Row]]:
        parts = ((event["timestamp"], part) for event in self.events[rid] for part in event["child_events"])
        found = [(at, part) for at, part in parts if part["event_type"].endswith("Comment")]
        found = [each for each in found if public is None or each[1]["public"] == public]
        return [each for each in found if not by_agents or each[1]["author_id"] in self.agents]

    def business(self, rid: int) -> Business:
        """The business time of a ticket's last schedule."""
        parts = [part for event in self.events[rid] for part in event["child_events"]]
        given = [part["new_schedule_id"] for part in parts if part["event_type"] == "ScheduleAssignment"]
        return self.schedules[given[-1] if given else self.default]


class Business:
    """A schedule's open time, counted span by span with zoneinfo from the rows of the API."""

    def __init__(self, sim: Simulator, schedule: Row) -> None:
        self.zone = ZoneInfo(ZONES[schedule["time_zone"]])
        self.intervals = [(each["start_time"], each["end_time"]) for each in schedule["intervals"]]
        self.closed: set[date] = set()
        for row in sim.truth("schedule_holidays"):
            if row["schedule_id"] == schedule["id"]:
                day, last = date.fromisoformat(row["start_date"]), date.fromisoformat(row["end_date"])
                while day <= last:
                    self.closed.add(day)
                    day += timedelta(days=1)
        self.known: dict[date, list[Span]] = {}

    def is_open(self, moment: int) -> bool:
        local = datetime.fromtimestamp(moment, self.zone)
        minute = local.isoweekday() % 7 * 1440 + local.hour * 60 + local.minute
        return local.date() not in self.closed and any(start <= minute < end for start, end in self.intervals)

    def spans(self, day: date) -> list[Span]:
        if day not in self.known:
            midnight, offset = datetime(day.year, day.month, day.day), day.isoweekday() % 7 * 1440
            wall = [
                [midnight + timedelta(minutes=minute - offset) for minute in span]
                for span in self.intervals
                if day not in self.closed and span[0] // 1440 == day.isoweekday() % 7
            ]
            self.known[day] = [tuple(int(t.replace(tzinfo=self.zone).timestamp()) for t in pair) for pair in wall]  # type: ignore[misc]
        return self.known[day]

    def seconds(self, start: int, end: int) -> int:
        day = datetime.fromtimestamp(start, self.zone).date()
        total = 0
        while day <= datetime.fromtimestamp(end, self.zone).date():
            total += sum(max(0, min(end, last) - max(start, first)) for first, last in self.spans(day))
            day += timedelta(days=1)
        return total
