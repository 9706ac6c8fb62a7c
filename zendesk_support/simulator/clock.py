"""The account's clock: wall time scaled, and moved by hand."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from functools import lru_cache


class Clock:
    """Account time in unix seconds: a start, the real time since then multiplied by a scale, and jumps."""

    def __init__(self, start: float, scale: float) -> None:
        if scale <= 0:
            raise ValueError(f"clock_scale must be above 0, got {scale}")
        self._start = start
        self._scale = scale
        self._jumps = 0.0
        self._origin = time.monotonic()
        self._stopped = threading.Event()

    def now(self) -> float:
        """Return the account's time."""
        return self._start + (time.monotonic() - self._origin) * self._scale + self._jumps

    def advance(self, seconds: float) -> None:
        """Move the account's time; back with a negative number, as a server whose clock is corrected."""
        self._jumps += seconds

    def sleep(self, seconds: float) -> None:
        """Block for a number of account seconds, or until the server stops."""
        if seconds > 0:
            self._stopped.wait(seconds / self._scale)

    def stop(self) -> None:
        """Wake every sleeper."""
        self._stopped.set()

    def resume(self) -> None:
        """Let sleepers sleep again."""
        self._stopped.clear()


@lru_cache(maxsize=4096)
def _day(number: int) -> str:
    return datetime.fromtimestamp(number * 86400, timezone.utc).strftime("%Y-%m-%dT")


@lru_cache(maxsize=8192)
def iso(seconds: float) -> str:
    """Return a time as Zendesk writes it, e.g. ``2026-01-31T08:00:00Z``."""
    day, rest = divmod(int(seconds), 86400)
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    return f"{_day(day)}{hour:02}:{minute:02}:{second:02}Z"


def iso_ms(ms: int) -> str:
    """Return a time in milliseconds as Zendesk writes it, e.g. ``2026-01-31T08:00:00.250Z``."""
    return f"{iso(ms // 1000)[:-1]}.{ms % 1000:03}Z"


def unix(text: str) -> int:
    """Return the unix seconds of a time written by `iso`, or of any ISO 8601 time with an offset."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())


def http_date(seconds: float) -> str:
    """Return a time as an HTTP date."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
