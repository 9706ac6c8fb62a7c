"""Writes the seeds of time zones: `python dbt/time_zones.py`.

A schedule names its zone as Rails does; zones.txt says which zone of the time zone database each name means. Every zone
has one standard offset, that outside summer time; every spell in which its clocks stood otherwise is a row of daylight
times. The database is that of the package tzdata, so that machines agree.
"""

from __future__ import annotations

import csv
import io
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent
FIRST, LAST = 2000, 2037
END = datetime(LAST + 1, 1, 1)
STEP, HOUR, MINUTE = timedelta(days=5), timedelta(hours=1), timedelta(minutes=1)
STANDARDS = ("time_zone", "standard_offset")
SPELLS = ("time_zone", "year", "daylight_offset", "daylight_start_utc", "daylight_end_utc")


def seeds() -> dict[str, str]:
    """The text of each seed by the name of its file."""
    standards, spells = [], []
    for name, zone in zones():
        standard = min(offset(zone, datetime(LAST, month, 1)) for month in range(1, 13))
        standards.append((name, written(standard)))
        for (start, value), (end, _) in pairwise([*changes(zone), (END, standard)]):
            if value != standard and not (value - standard) % HOUR:
                spells.append((name, start.year, (value - standard) // HOUR, start, end))
    return {
        "zendesk_time_zones.csv": table(STANDARDS, standards),
        "zendesk_daylight_times.csv": table(SPELLS, spells),
    }


def zones() -> Iterator[tuple[str, zoneinfo.ZoneInfo]]:
    """Each name that Zendesk has, with its zone."""
    zoneinfo.reset_tzpath(to=())
    for line in sorted((HERE / "zones.txt").read_text().splitlines()):
        name, _, key = line.rpartition("=")
        yield name, zoneinfo.ZoneInfo.no_cache(key)


def offset(zone: zoneinfo.ZoneInfo, moment: datetime) -> timedelta:
    """What a zone's clocks are ahead of UTC at a moment in UTC."""
    ahead = moment.replace(tzinfo=timezone.utc).astimezone(zone).utcoffset()
    assert ahead is not None
    return ahead


def changes(zone: zoneinfo.ZoneInfo) -> list[tuple[datetime, timedelta]]:
    """Each minute (UTC) at which the offset changes, with the new one."""
    day = datetime(FIRST, 1, 1)
    found = [(day, offset(zone, day))]
    while day < END:
        following = day + STEP
        if offset(zone, following) != found[-1][1]:
            low, high = day, following
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                low, high = (middle, high) if offset(zone, middle) == found[-1][1] else (low, middle)
            found.append((high, offset(zone, high)))
        day = following
    return found


def written(ahead: timedelta) -> str:
    """An offset such as -03:30."""
    hours, minutes = divmod(abs(ahead) // MINUTE, 60)
    return f"{'-' if ahead < timedelta() else '+'}{hours:02}:{minutes:02}"


def table(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


if __name__ == "__main__":
    for name, text in seeds().items():
        (HERE / "seeds" / name).write_text(text)
