"""Schedules, their holidays, and the business time that both make."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.data.world import World

NEVER = 1 << 40
_AHEAD, _BEFORE = timedelta(days=400), timedelta(days=8)
_DAYTIME = tuple((day * 1440 + 480, day * 1440 + 1200) for day in range(1, 6))
_OFFICE = tuple((day * 1440 + 540, day * 1440 + 1020) for day in range(1, 6))
_LONG = (*((day * 1440 + 480, day * 1440 + 1080) for day in range(1, 6)), (6 * 1440 + 600, 6 * 1440 + 840))
_SPLIT = tuple(
    (day * 1440 + start, day * 1440 + end) for day in range(1, 7) for start, end in ((570, 780), (840, 1110))
)
_SCHEDULES = (
    ("Europe", "Copenhagen", "Europe/Copenhagen", _DAYTIME),
    ("Sydney & Pacific", "Sydney", "Australia/Sydney", _LONG),
    ("Delhi", "New Delhi", "Asia/Kolkata", _SPLIT),
    ("West coast", "Pacific Time (US & Canada)", "America/Los_Angeles", _OFFICE),
)
"""Names, the zones as Rails and as IANA call them, and the hours in minutes since Sunday, local time."""
_HOLIDAYS = (
    ("New Year's Day", "01-01", "01-01"),
    ("Spring & Easter", "04-02", "04-06"),
    ("Summer outing", "07-24", "07-24"),
    ("Winter break", "12-24", "01-02"),
)


def schedule(world: World, rid: int) -> Row:
    """Make a business hours schedule; the first is the oldest, and that of tickets without another."""
    number, _, row = world.setting("schedules", rid, "business_hours/schedules")
    del row["url"]
    name, zone, _, hours = _SCHEDULES[number % len(_SCHEDULES)]
    return {
        **row,
        "name": name if number < len(_SCHEDULES) else f"{name} {number}",
        "time_zone": zone,
        "intervals": [{"start_time": start, "end_time": end} for start, end in hours],
    }


def schedule_holiday(world: World, rid: int) -> Row:
    """Make a holiday of a schedule; the year's last one ends in the next year."""
    turn, schedule = divmod(world.number("schedule_holidays", rid), world.sizes["schedules"])
    name, start, end = _HOLIDAYS[turn % len(_HOLIDAYS)]
    year = int(iso(world.start)[:4]) + turn // len(_HOLIDAYS)
    return {
        "id": rid,
        "schedule_id": world.rid("schedules", schedule),
        "name": name,
        "start_date": f"{year}-{start}",
        "end_date": f"{year + (end < start)}-{end}",
    }


class Hours:
    """The business time of one schedule, from before the account's first day to long after its last.

    `starts` and `ends` are its spans in unix seconds, `sums` the seconds worked before each of them.
    """

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        self.sums = [0]
        for start, end in spans:
            self.sums.append(self.sums[-1] + end - start)

    def worked(self, moment: int) -> int:
        """Return the business seconds up to a moment."""
        at = bisect_right(self.starts, moment) - 1
        if at < 0:
            return 0
        return self.sums[at] + min(moment, self.ends[at]) - self.starts[at]

    def when(self, seconds: int) -> int:
        """Return the first moment up to which so many business seconds have passed."""
        at = bisect_left(self.sums, seconds) - 1
        if at >= len(self.starts):
            return NEVER
        return self.starts[at] + seconds - self.sums[at] if at >= 0 else self.starts[0]


def hours_of(world: World) -> list[Hours]:
    """Return the business time of every first schedule; without schedules all time is business time."""
    count = world.sizes["schedules"]
    if not count:
        return [Hours([(0, NEVER)])]
    closed: list[set[date]] = [set() for _ in range(count)]
    for rid in world.rids("schedule_holidays"):
        row = schedule_holiday(world, rid)
        first, last = (date.fromisoformat(row[name]) for name in ("start_date", "end_date"))
        days = {first + timedelta(days=day) for day in range((last - first).days + 1)}
        closed[world.number("schedules", row["schedule_id"])] |= days
    return [
        _hours(number % len(_SCHEDULES), frozenset(closed[number]), *_bounds(world, number)) for number in range(count)
    ]


def _bounds(world: World, number: int) -> tuple[date, date]:
    """The first and the last day that a schedule is reckoned for."""
    local = ZoneInfo(_SCHEDULES[number][2])
    first, last = (datetime.fromtimestamp(moment, local).date() for moment in (world.first, world.start))
    return first - _BEFORE, last + _AHEAD


@lru_cache(maxsize=64)
def _hours(number: int, closed: frozenset[date], first: date, last: date) -> Hours:
    """The business time of a schedule from day to day; accounts that begin on one day share it."""
    return Hours(list(_spans(number, closed, first, last)))


def _spans(number: int, closed: frozenset[date], day: date, last: date) -> Iterator[tuple[int, int]]:
    _, _, zone, hours = _SCHEDULES[number]
    local = ZoneInfo(zone)
    while day <= last:
        midnight = datetime.combine(day, time())
        weekday = day.isoweekday() % 7
        for start, end in hours if day not in closed else ():
            if start // 1440 == weekday:
                span = (midnight + timedelta(minutes=minute - weekday * 1440) for minute in (start, end))
                first, second = (int(moment.replace(tzinfo=local).timestamp()) for moment in span)
                yield first, second
        day += timedelta(days=1)
