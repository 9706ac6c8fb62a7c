"""What is measured of a ticket's life: its metric set and its metric events, by Zendesk's documented rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import FIRST_ID, HOST, STEP, World
from zendesk_support.simulator.families.agreements import Goal, policies_of, policy_for
from zendesk_support.simulator.families.schedules import NEVER, Hours, hours_of
from zendesk_support.simulator.families.tickets.life import HIDDEN, PUBLIC, SOLVED, UNSOLVED, Life, is_agent

Mark = tuple[int, str, int, str, Any]
"""A metric event: when, metric, instance, type, and the goal or the minutes on both clocks."""
Span = tuple[int, int, str]
"""A time in which a metric runs, and the type of the event that ends it, if there is one."""
_STATUS_METRICS = {
    "requester_wait_time": ("requester_wait_time", ("new", "open", "hold"), "pause"),
    "agent_work_time": ("agent_work_time", ("new", "open"), "pause"),
    "resolution_time": ("total_resolution_time", UNSOLVED, "pause"),
}
"""What a policy calls a metric, in which status it runs, and what stops it before the ticket is solved."""
_WAITS = ("new", "open", "hold", "pending")
_TRIGGERS = ("type", "priority", "group_id")
Promises = dict[str, Goal]
"""Goals by what a policy calls a metric."""


def statuses(life: Life) -> list[tuple[int, str]]:
    """Return the statuses of a ticket and since when it had them."""
    changed = [(at, new) for at, _, _, changes in life.steps for name, new, _ in changes if name == "status"]
    return [(life.created, life.first["status"]), *changed]


# The metric set


def metric_set(world: World, life: Life, ticket: Row) -> Row:
    """Make the metric set of a ticket."""
    hours, created = world.part(hours_of)[life.schedule], life.created
    since = statuses(life)
    clocks = _Clocks(hours, created)
    spent = dict.fromkeys(_WAITS, (0, 0))
    for (start, status), (end, _) in pairwise(since):
        if status in spent:
            calendar, business = spent[status]
            spent[status] = (calendar + end - start, business + clocks.worked(end) - clocks.worked(start))
    replies = [at for at, who, comment, _ in life.steps if comment == PUBLIC and is_agent(world, who)]
    first, last, reopens = _solutions(since)
    moved, rid = len(since) > 1, FIRST_ID["ticket_metrics"] + life.rid * STEP
    waits = (spent[status] for status in ("new", "open", "hold"))
    return {
        "url": f"{HOST}/api/v2/ticket_metrics/{rid}.json",
        "id": rid,
        "ticket_id": life.rid,
        "created_at": iso(created),
        "updated_at": ticket["updated_at"],
        **_stations(life),
        "reopens": reopens,
        "replies": len(replies),
        **_updates(life),
        "status_updated_at": iso(since[-1][0]),
        "solved_at": iso(last) if last else None,
        "reply_time_in_minutes": clocks.until(replies[0] if replies else None),
        "first_resolution_time_in_minutes": clocks.until(first),
        "full_resolution_time_in_minutes": clocks.until(last),
        "agent_wait_time_in_minutes": _minutes(spent["pending"], moved),
        "requester_wait_time_in_minutes": _minutes(map(sum, zip(*waits)), moved),
        "on_hold_time_in_minutes": _minutes(spent["hold"], True),
        "reply_time_in_seconds": {"calendar": replies[0] - created if replies else None},
        "custom_status_updated_at": iso(since[-1][0]),
    }


class _Clocks:
    """The time since a ticket's creation, on the calendar and in business time; no moment is looked up twice."""

    def __init__(self, hours: Hours, created: int) -> None:
        self.hours, self.created = hours, created
        self._known: dict[int, int] = {}

    def worked(self, moment: int) -> int:
        if moment not in self._known:
            self._known[moment] = self.hours.worked(moment)
        return self._known[moment]

    def until(self, moment: int | None) -> dict[str, int | None]:
        if moment is None:
            return {"calendar": None, "business": None}
        return _minutes((moment - self.created, self.worked(moment) - self.worked(self.created)), True)


def _minutes(seconds: Iterable[int], known: bool) -> dict[str, int | None]:
    calendar, business = seconds
    return {"calendar": calendar // 60 if known else None, "business": business // 60 if known else None}


def _solutions(since: list[tuple[int, str]]) -> tuple[int | None, int | None, int]:
    """Return when a ticket was first solved and when last, None if it is not solved now, and how often it came back."""
    first = last = None
    reopens = 0
    before = "new"
    for at, status in since:
        if status in SOLVED and last is None:
            last = at
            first = first or at
        elif status in UNSOLVED:
            last = None
            reopens += before == "solved"
        before = status
    return first, last, reopens


def _stations(life: Life) -> Row:
    """How often a ticket was given to a group or to somebody, and when."""
    groups = [(life.created, life.first["group_id"])]
    assignees = [(life.created, life.first["assignee_id"])]
    for at, _, _, changes in life.steps:
        for name, new, _ in changes:
            if name == "group_id":
                groups.append((at, new))
            elif name == "assignee_id":
                assignees.append((at, new))
    assigned = [at for at, who in assignees if who is not None]
    return {
        "group_stations": sum(group is not None for _, group in groups),
        "assignee_stations": len(assigned),
        "initially_assigned_at": iso(assigned[0]) if assigned else None,
        "assigned_at": iso(assigned[-1]) if assigned else None,
    }


def _updates(life: Life) -> Row:
    """When the assignee and the requester last did something, and when something was last written."""
    assignee = life.now["assignee_id"]
    by_assignee = [at for at, who, _, _ in life.steps if who == assignee]
    by_requester = [at for at, who, _, _ in life.steps if who == life.requester]
    written = [at for at, _, comment, _ in life.steps if comment]
    return {
        "assignee_updated_at": iso(by_assignee[-1]) if by_assignee else None,
        "requester_updated_at": iso(by_requester[-1] if by_requester else life.created),
        "latest_comment_added_at": iso(written[-1]) if written else None,
    }


# Metric events


def marks_of(world: World, life: Life) -> list[Mark]:
    """Return the metric events of a ticket in the order of their times.

    The first reply is always measured, what hangs on the status from the moment that something is promised for it.
    """
    if life.marks is not None:
        return life.marks
    marks: list[Mark] = []
    hours = world.part(hours_of)[life.schedule]
    promises = _goals(world, life)
    since = statuses(life)
    for instance, span in enumerate(_reply_spans(world, life), 1):
        name = "first_reply_time" if instance == 1 else "next_reply_time"
        _track(
            marks, world.start, hours, "reply_time", instance, [span], [(at, goals.get(name)) for at, goals in promises]
        )
    for metric, (name, running, pause) in _STATUS_METRICS.items():
        promised = next((at for at, goals in promises if name in goals), None)
        if promised != life.created and metric != "resolution_time":
            marks.append((life.created, metric, 0, "measure", None))
        if promised is not None:
            spans = _status_spans(since, running, pause)
            spans = [(max(start, promised), end, ending) for start, end, ending in spans if end >= promised]
            goals_of = [(at, goals.get(name)) for at, goals in promises]
            _track(marks, world.start, hours, metric, 1, spans, goals_of)
    life.marks = sorted(marks, key=itemgetter(0))
    return life.marks


def so_far(world: World, life: Life, moment: int) -> dict[str, int | None]:
    """Return the minutes that a requester has waited up to a moment."""
    hours = world.part(hours_of)[life.schedule]
    calendar = business = 0
    for start, end, _ in _status_spans(statuses(life), ("new", "open", "hold"), "pause"):
        if start < moment:
            end = min(end, moment)
            calendar += end - start
            business += hours.worked(end) - hours.worked(start)
    return _minutes((calendar, business), True)


def _promises(world: World) -> Callable[[str | None, str | None, int | None], Promises]:
    """Return what tells the goals by metric of a ticket with some type, priority and group."""

    @lru_cache(maxsize=4096)
    def promised(kind: str | None, priority: str | None, group: int | None) -> Promises:
        policy = policy_for(world, {"type": kind, "priority": priority, "group_id": group})
        return {name: goal for (name, of), goal in policy.goals.items() if of == priority} if policy else {}

    return promised


def _goals(world: World, life: Life) -> list[tuple[int, Promises]]:
    """Return what a ticket was promised since when."""
    promised, values = world.part(_promises), {name: life.first[name] for name in _TRIGGERS}
    found = [(life.created, promised(*values.values()))]
    for at, _, _, changes in life.steps:
        changed = {name: new for name, new, _ in changes if name in values}
        if changed:
            values |= changed
            found.append((at, promised(*values.values())))
    return found


def _reply_spans(world: World, life: Life) -> list[Span]:
    """Return when requesters waited for a public reply: from their first comment, and from each after a reply."""
    spans: list[Span] = []
    waiting, replied = None, False
    for at, who, comment, changes in life.steps:
        if comment in (PUBLIC, HIDDEN):
            if is_agent(world, who):
                if waiting is not None:
                    spans.append((waiting, at, "fulfill"))
                waiting, replied = None, True
            elif waiting is None and (replied or at == life.created):
                waiting = at
        ended = next((new for name, new, _ in changes if name == "status" and new not in UNSOLVED), None)
        if ended and waiting is not None:
            spans.append((waiting, at, "" if ended == "deleted" else "fulfill"))
            waiting = None
    return spans if waiting is None else [*spans, (waiting, NEVER, "")]


def _status_spans(since: list[tuple[int, str]], running: tuple[str, ...], pause: str) -> list[Span]:
    """Return when a ticket was in one of some statuses; one that is solved while the metric rests is fulfilled too."""
    spans: list[Span] = []
    start, done = None, False
    for at, status in since:
        if status in running:
            start, done = (at if start is None else start), False
        elif status in SOLVED and not done:
            spans.append((at if start is None else start, at, "fulfill"))
            start, done = None, True
        elif start is not None:
            spans.append((start, at, pause))
            start = None
    return spans if start is None else [*spans, (start, NEVER, "")]


def _track(
    marks: list[Mark],
    present: int,
    hours: Hours,
    metric: str,
    instance: int,
    spans: list[Span],
    goals: list[tuple[int, Goal | None]],
) -> None:
    """Add the events of one instance of a metric: how it runs, what it is promised, and when the promise is broken.

    After the account's start nothing comes by itself: a promise is broken only where something happens on the ticket.
    """
    calendar = business = 0
    applied, broken = None, False
    for start, end, ending in spans:
        if start < end:
            marks.append((start, metric, instance, "activate", None))
        for place, (at, goal) in enumerate(goals, 1):
            if goal is None:
                continue
            low, high = max(start, at), end if place == len(goals) else min(end, goals[place][0])
            if low >= high:
                continue
            if goal != applied:
                marks.append((low, metric, instance, "apply_sla", goal))
                applied = goal
            if not broken:
                passed = business + hours.worked(low) - hours.worked(start) if goal[2] else calendar + low - start
                left = goal[1] * 60 - passed
                moment = max(low, hours.when(hours.worked(low) + left) if goal[2] and left > 0 else low + left)
                broken = moment < high and (moment == low or moment <= present)
                if broken:
                    marks.append((moment, metric, instance, "breach", None))
        if ending:
            calendar, business = calendar + end - start, business + hours.worked(end) - hours.worked(start)
            marks.append((end, metric, instance, ending, None))
            if metric != "reply_time":
                marks.append((end, metric, instance, "update_status", (calendar // 60, business // 60)))


def metric_event(world: World, rid: int, ticket: int, mark: Mark) -> Row:
    """Make a metric event."""
    moment, metric, instance, kind, about = mark
    row: Row = {
        "id": rid,
        "ticket_id": ticket,
        "metric": metric,
        "instance_id": instance,
        "type": kind,
        "time": iso(moment),
    }
    if kind == "apply_sla":
        number, target, business = about
        policy = world.part(policies_of)[number]
        row["sla"] = {
            "target": target,
            "business_hours": business,
            "policy": {
                "id": world.rid("sla_policies", number),
                "title": policy.title,
                "description": policy.description,
            },
        }
    elif kind == "update_status":
        row["status"] = {"calendar": about[0], "business": about[1]}
    return row
