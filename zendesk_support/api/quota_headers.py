"""What an answer's headers say of rate limits, in every spelling seen."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_WINDOW = 600.0
"""Seconds of the longest window that a header can tell of."""
PLAIN_FIELDS = {
    "ratelimit": "limit",
    "ratelimitlimit": "limit",
    "ratelimitremaining": "remaining",
    "ratelimitreset": "reset",
}
NAMED = "zendeskratelimit"

_NO_LETTER = re.compile(r"[^a-z]")
_FIELD = re.compile(r"(?<!\w)(\w{1,20}) ?= ?([\d.]{1,20})")


@dataclass(frozen=True)
class Quota:
    """What headers say of one window.

    Attributes:
        limit: requests in a window.
        remaining: of them.
        resets_in: seconds to the next window.
    """

    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None


NOTHING = Quota()


def read_quota(headers: Mapping[str, str]) -> tuple[Quota, dict[str, Quota]]:
    """Read the counter of the answer's host and the counters that have headers of their own.

    Returns:
        What the plain headers say, and what each `zendesk-ratelimit-<name>` says, by its name in letters only.
    """
    plain: dict[str, float] = {}
    named: dict[str, Quota] = {}
    for raw, value in headers.items():
        name = _NO_LETTER.sub("", raw.lower())
        if name.startswith(NAMED):
            if (quota := _read_fields(value)) is not None:
                named[name.removeprefix(NAMED)] = quota
            continue
        key, number = PLAIN_FIELDS.get(name.removeprefix("x")), finite(value)
        if key is None or number is None:
            continue
        # Where both spellings tell what is left, the lower number counts.
        plain[key] = min(number, plain[key]) if key == "remaining" and key in plain else number
    return _quota(plain, "limit", "reset"), named


def _read_fields(value: str) -> Quota | None:
    """Read `total=10; remaining=9; resets=43`; None where it does not say what is left."""
    fields = {key: number for key, text in _FIELD.findall(value) if (number := finite(text)) is not None}
    return _quota(fields, "total", "resets") if "remaining" in fields else None


def _quota(fields: Mapping[str, float], limit: str, reset: str) -> Quota:
    return Quota(
        int(fields[limit]) if limit in fields else None,
        int(fields["remaining"]) if "remaining" in fields else None,
        soon(fields.get(reset)),
    )


def finite(text: str) -> float | None:
    """A number, or None where the text is none or has no end."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def soon(seconds: float | None) -> float | None:
    """Seconds to a reset, unless it is farther than any window of Zendesk's: then it is a date, or a slip."""
    return None if seconds is None or seconds > LONGEST_WINDOW else max(seconds, 0)
