"""How the first tickets' lives go: which steps they take, drawn from their number, and when, in office hours."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from zendesk_support.simulator.data.world import HOUR, World
from zendesk_support.simulator.families.fields import product_area
from zendesk_support.simulator.families.people.rows import group_of
from zendesk_support.simulator.families.schedules import Hours, hours_of
from zendesk_support.simulator.families.tickets.facts import (
    created_at,
    is_archived,
    is_deleted,
    is_internal,
    lately,
    priority_of,
    ratings_of,
    shared_second,
    shares_its_second,
    type_of,
)
from zendesk_support.simulator.families.tickets.life import PRIVATE, PUBLIC, Change, Fields, Life, Step

KEPT = 16384
DAY = 86400
_DEEDS: dict[str, tuple[str, int, str | None]] = {
    "C": ("requester", PUBLIC, None),
    "R": ("agent", PUBLIC, "pending"),
    "S": ("agent", PUBLIC, "solved"),
    "s": ("agent", 0, "solved"),
    "H": ("agent", PRIVATE, "hold"),
    "N": ("agent", PRIVATE, None),
    "E": ("agent", PRIVATE, "open"),
    "M": ("agent", PRIVATE, "closed"),
    "D": ("agent", 0, "deleted"),
    "Q": ("requester", PUBLIC, "open"),
    "G": ("requester", 0, None),
    "O": ("rule", 0, None),
    "P": ("rule", 0, None),
    "B": ("rule", 0, None),
    "W": ("rule", 0, None),
    "X": ("rule", 0, "closed"),
}
"""What a letter stands for: who acts, with which comment, and the status that follows.

Created, replied, solved with a reply or without, held, noted, escalated, merged, deleted; asked again, rated; offered a
rating, sorted by rules, tagged by rules, given another schedule, closed.
"""
_CLOSED = tuple(
    plan
    for plan, times in (
        ("CSX", 40),
        ("CRSX", 8),
        ("CRQSX", 15),
        ("CSQSX", 5),
        ("CPSX", 8),
        ("CHSX", 4),
        ("CESX", 4),
        ("CNSX", 3),
        ("CsX", 6),
        ("CM", 3),
        ("CPRQHSX", 1),
        ("CWSX", 1),
        ("CNERQSX", 1),
        ("CWRQSX", 1),
    )
    for _ in range(times)
)
_SOLVED = ("CS", "CS", "CRQS", "CS", "CPS", "CRS", "Cs", "CS")
_OPEN = ("C", "CR", "CRQ", "CP", "CN", "CH", "CRQ", "C", "CE", "CSQ")
_RATED = ("CSOGX", "CSOX", "CSOGX", "CRQSOGX", "CSOGX", "CSOX", "CSOGQSX", "CPSOX")
_RATED_LATELY = (("C", "SO"), ("C", "SO", "G"), ("C", "R", "Q", "SO"), ("C", "SO"))
_DELETED = ("CD", "CD", "CND", "CSD")
_USUAL_REPLY = {"urgent": 12, "high": 35, "normal": 90, "low": 200, None: 140}
"""The median of the office minutes to the first reply."""
_USUAL_STEP = {"N": 60, "H": 90, "E": 80, "M": 60, "D": 120, "R": 120, "S": 140, "s": 400}


def steps_of(world: World, rid: int) -> tuple[str, ...]:
    """Return the steps of one of the first tickets, as many whenever the account starts."""
    plan = tuple(_plan(world, rid))
    if is_archived(world, rid) and plan[-1] not in "XM":
        plan = (*plan[:-1], plan[-1] + "X")
    wanted = world.sizes["events_per_ticket"]
    if not wanted or len(plan) == wanted:
        return plan
    if len(plan) > wanted:
        rest = "".join(letter for step in plan[wanted:] for letter in step if letter in "OGDXM")
        return (*plan[: wanted - 1], plan[wanted - 1] + rest)
    return (plan[0], *("PN" * 4)[: wanted - len(plan)], *plan[1:])


def _plan(world: World, rid: int) -> str | tuple[str, ...]:
    value, number, rated = world.mix(rid, 21), rid - 1, bool(ratings_of(world, rid))
    if is_deleted(world, rid):
        return ("C", "O", "D") if rated else _DELETED[value % len(_DELETED)]
    if shares_its_second(rid):
        return ("C", "SO", "B") if rated else "CSB"
    place = world.part(lately).get(rid)
    if place is not None:
        return ("C", "SO", "Q") if rated else "CRQE" if place % 2 else "CRQ"
    age = (world.tickets - number) * 548 * 2 // (3 * world.tickets)
    if rated:
        return _RATED[value % len(_RATED)] if age > 12 else _RATED_LATELY[value % len(_RATED_LATELY)]
    if is_archived(world, rid):
        return _CLOSED[value % 100]
    forgotten = value % (20 if number * 4 > world.tickets * 3 else 160) == 0
    if forgotten or (age < 8 and value // 160 % 9 >= age):
        return _OPEN[value // 1440 % len(_OPEN)]
    if age < 9 or value // 160 % 11 == 0:
        return _SOLVED[value // 1760 % len(_SOLVED)]
    return _CLOSED[value % 100]


def lives_of(world: World) -> Callable[[int], Life]:
    """Return what tells the life of one of the first tickets, and remembers the last ones that it was asked for."""
    return lru_cache(maxsize=KEPT)(partial(live, world))


def moments_of(world: World, rid: int) -> list[int]:
    """Return when the steps of one of the first tickets are taken."""
    steps, value = steps_of(world, rid), world.mix(rid, 22)
    hours = world.part(hours_of)[_schedule(world, value, "W" in "".join(steps))]
    return _moments(world, hours, rid, steps)


def live(world: World, rid: int) -> Life:
    """Tell the life of one of the first tickets."""
    steps, value = steps_of(world, rid), world.mix(rid, 22)
    first = _beginning(world, rid, value, steps)
    schedule = _schedule(world, value, "W" in "".join(steps))
    moments = _moments(world, world.part(hours_of)[schedule], rid, steps)
    requester, now = world.end_user(rid, 23), dict(first)
    told = [_happen(world, rid, step, moment, now, requester) for step, moment in zip(steps, moments)]
    if is_internal(world, rid):
        told = [(at, who, PRIVATE if said else 0, changes) for at, who, said, changes in told]
        told[0] = (told[0][0], world.agent(rid, 24), *told[0][2:])
    return Life(rid, requester, first, now, told, schedule)


def _schedule(world: World, value: int, moved: bool) -> int:
    """Return the schedule that counts in the end; a ticket that is moved gets the next one."""
    count = max(1, world.sizes["schedules"])
    given = (0, 0, 0, 1, 0, 2, 0, 3)[value // 19 % 8] % count
    return (given + 1) % count if moved else given


def _beginning(world: World, rid: int, value: int, steps: tuple[str, ...]) -> Fields:
    """Return the fields that a ticket is created with."""
    assigned = value // 13 % 5 == 0
    field, options = world.part(product_area)
    schedule = _schedule(world, value, moved=False)
    return {
        "status": "open" if assigned else "new",
        "type": type_of(world, rid),
        "priority": None if "P" in "".join(steps) and value // 23 % 3 == 0 else priority_of(world, rid),
        "group_id": group_of(world, world.agent(rid, 24)) if assigned or value // 17 % 4 else None,
        "assignee_id": world.agent(rid, 24) if assigned else None,
        "tags": [f"topic_{value % 23}", f"lang_{value % 5}", *(["vip"] if value % 12 == 0 else [])],
        "satisfaction_score": "unoffered",
        field: options[value // 29 % len(options)],
        "schedule": world.rid("schedules", schedule) if schedule else None,
    }


def _happen(world: World, rid: int, step: str, moment: int, now: Fields, requester: int) -> Step:
    """Take one step; a step of several letters is one event all the same."""
    changes: list[Change] = []
    for letter in step:
        who, _, status = _DEEDS[letter]
        if letter in "EPBMWOG":
            changed = _changed(world, rid, letter, now)
            changes += [(name, new, now.get(name)) for name, new in changed.items() if now.get(name) != new]
            now |= changed
        if who == "agent" and now["assignee_id"] is None:
            now["assignee_id"] = agent = world.agent(rid, 24)
            changes.append(("assignee_id", agent, None))
            if now["group_id"] is None:
                now["group_id"] = group = group_of(world, agent)
                changes.append(("group_id", group, None))
            if status is None and now["status"] == "new":
                status = "open"
        if status is not None and status != now["status"]:
            changes.append(("status", status, now["status"]))
            now["status"] = status
    who, said, _ = _DEEDS[step[0]]
    actor = -1 if who == "rule" else requester if who == "requester" else now["assignee_id"]
    return moment, actor, said, tuple(changes)


def _changed(world: World, rid: int, letter: str, now: Fields) -> Fields:
    """Return the fields that a step sets besides the status."""
    if letter == "E":
        agent = world.agent(rid, 46)
        return {"group_id": group_of(world, agent), "assignee_id": agent}
    if letter == "O":
        return {"satisfaction_score": "offered"}
    if letter == "W":
        return {"schedule": world.rid("schedules", _schedule(world, world.mix(rid, 22), moved=True))}
    if letter == "G":
        value = world.mix(rid, 36)
        changed: Fields = {"satisfaction_score": "bad" if value % 7 == 0 else "good"}
        if value % 3:
            changed["satisfaction_comment"] = world.notes[value % len(world.notes)]
        return changed
    tag = {"P": "triaged", "B": "mailing", "M": "closed_by_merge"}[letter]
    changed = {} if tag in now["tags"] else {"tags": [*now["tags"], tag]}
    if letter == "P":
        field, options = world.part(product_area)
        changed |= {"priority": priority_of(world, rid), field: options[world.mix(rid, 47) % len(options)]}
    return changed


def _moments(world: World, hours: Hours, rid: int, steps: tuple[str, ...]) -> list[int]:
    """Return when the steps are taken: those of agents in office hours, those of Zendesk's clockwork on the hour."""
    moment = created_at(world, rid)
    moments, replied = [moment], False
    for place, step in enumerate(steps[1:], 1):
        value, letter = world.mix(rid * 8 + place, 44), step[0]
        if letter in _USUAL_STEP:
            usual = _USUAL_STEP[letter] if replied or letter not in "RS" else _USUAL_REPLY[priority_of(world, rid)]
            if letter == "S" and steps[place - 1] == "R":
                usual = 900
            moment = hours.when(hours.worked(moment) + _patience(value, usual))
            replied = replied or letter in "RS"
        elif letter in "QG":
            moment += 600 + 2 * DAY * (value % 1000) ** 2 // 1000**2 + value // 1000 % 60
        elif letter in "OX":
            moment += (DAY if letter == "O" else 4 * DAY) + HOUR - moment % HOUR + value % 50
        else:
            moment += 20 + value % 400
        moments.append(moment)
    return _within(world, hours, rid, moments)


def _patience(value: int, usual: int) -> int:
    """Return the office seconds until somebody acts: mostly near the median, sometimes days."""
    chance = (value % 997 + 1) / 998
    return min(180_000, int(60 * usual * (chance / (1 - chance)) ** 0.75)) + 1 + value // 997 % 60


def _within(world: World, hours: Hours, rid: int, moments: list[int]) -> list[int]:
    """Draw the steps together so that they end before the account's present, and some at a given moment."""
    created, last = moments[0], moments[-1]
    limit = world.start - 300 - world.mix(rid, 2) % 3600
    if len(moments) == 1:
        return moments
    place = world.part(lately).get(rid)
    if shares_its_second(rid):
        limit = shared_second(world, rid)
    elif place is not None:
        pinned = limit - place * 4 * DAY
        pinned = hours.when(hours.worked(pinned)) if place % 2 else pinned
        if pinned > last:
            return [*moments[:-1], pinned]
    if is_deleted(world, rid):
        limit = min(limit, created + 8 * DAY)
    if last > limit:
        moments = [created + (moment - created) * (limit - created) // (last - created) for moment in moments]
        for at in range(1, len(moments)):
            moments[at] = max(moments[at], moments[at - 1] + 1)
    if shares_its_second(rid):
        moments[-1] = limit
    return moments
