"""Zendesk's rate limits: buckets per minute of account time, and the headers that tell of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

ACCOUNT_LIMITS = {"team": 200, "growth": 400, "professional": 400, "enterprise": 700, "enterprise_plus": 2500}


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds."""

    total: int
    period: int = 60


def default_limits(plan: str) -> dict[str, Limit]:
    """Return the buckets of a plan; Enterprise Plus has the High Volume add-on built in."""
    account = ACCOUNT_LIMITS[plan]
    high_volume = plan == "enterprise_plus"
    return {
        "account": Limit(account),
        "help_center": Limit(account),
        "incremental_exports": Limit(30 if high_volume else 10),
        "incremental_exports_cursor": Limit(60 if high_volume else 20),
        "deleted_tickets": Limit(10),
        "deleted_tickets_deep": Limit(5),
        "search_export": Limit(100),
        "tickets_index": Limit(100),
        "ticket_fields_index": Limit(20),
        "tags_index": Limit(100),
        "tickets_index_deep": Limit(50),
        "ticket_audits": Limit(500),
        "access_logs": Limit(50),
    }


@dataclass(frozen=True)
class State:
    """What a bucket has left after a request."""

    bucket: str
    total: int
    remaining: int
    resets: int
    allowed: bool


class Buckets:
    """Counts requests in fixed minutes or over the last minute."""

    def __init__(self, limits: dict[str, Limit], window: str) -> None:
        if window not in ("fixed", "sliding"):
            raise ValueError(f"window must be 'fixed' or 'sliding', got {window!r}")
        self.limits = limits
        self._sliding = window == "sliding"
        self._fixed: dict[str, tuple[int, int]] = {}
        self._times: dict[str, deque[float]] = {}

    def take(self, bucket: str, now: float, count: int = 1) -> State:
        """Count requests against a bucket, or refuse them."""
        limit = self.limits[bucket]
        used, resets = self._used(bucket, limit, now)
        allowed = used + count <= limit.total
        if allowed:
            self._add(bucket, limit, now, count)
            used += count
            resets = self._used(bucket, limit, now)[1]
        return State(bucket, limit.total, max(0, limit.total - used), resets, allowed)

    def burn(self, bucket: str, now: float, count: int) -> int:
        """Use up requests of a bucket as another client would; return what is left."""
        if bucket not in self.limits:
            raise ValueError(f"unknown bucket {bucket!r}; the buckets are {', '.join(self.limits)}")
        limit = self.limits[bucket]
        used, _ = self._used(bucket, limit, now)
        count = min(count, limit.total - used)
        self._add(bucket, limit, now, count)
        return limit.total - used - count

    def _used(self, bucket: str, limit: Limit, now: float) -> tuple[int, int]:
        if not self._sliding:
            window = int(now // limit.period)
            known, used = self._fixed.get(bucket, (window, 0))
            left = max(1, math.ceil((window + 1) * limit.period - now))
            return (used if known == window else 0), left
        times = self._times.setdefault(bucket, deque())
        expired = bisect_right(times, now - limit.period)
        for _ in range(expired):
            times.popleft()
        left = math.ceil(times[0] + limit.period - now) if times else limit.period
        return len(times), max(1, left)

    def _add(self, bucket: str, limit: Limit, now: float, count: int) -> None:
        if self._sliding:
            self._times.setdefault(bucket, deque()).extend([now] * count)
            return
        window = int(now // limit.period)
        known, used = self._fixed.get(bucket, (window, 0))
        self._fixed[bucket] = (window, (used if known == window else 0) + count)


_ENDPOINT_NAMES = {
    "incremental_exports": "incremental-exports",
    "incremental_exports_cursor": "incremental-exports-cursor",
    "deleted_tickets": "deleted-tickets-index",
    "deleted_tickets_deep": "deleted-tickets-index-deep",
    "search_export": "search-export",
    "tickets_index": "tickets-index",
    "ticket_fields_index": "ticket-fields-index",
    "tags_index": "tags-index",
    "tickets_index_deep": "tickets-index-deep",
    "long": "per-ticket-updates",
    "ticket_audits": "ticket-audits-index",
}


def headers(states: list[State], style: str) -> list[tuple[str, str]]:
    """Return the rate limit headers of a reply."""
    made: list[tuple[str, str]] = []
    for state in states:
        if state.bucket in ("account", "help_center"):
            made.append(("X-Rate-Limit", str(state.total)))
            made.append(("X-Rate-Limit-Remaining", str(state.remaining)))
            if state.bucket == "help_center" or style == "none":
                continue
            name = "ratelimit" if style == "new" else "rate-limit"
            prefix = "ratelimit" if style == "new" else "rate-limit"
            made.append(("ratelimit-limit" if style == "new" else name, str(state.total)))
            made.append((f"{prefix}-remaining", str(state.remaining)))
            made.append((f"{prefix}-reset", str(state.resets)))
        elif style != "none" and state.bucket in _ENDPOINT_NAMES:
            spelling = "zendesk-ratelimit" if style == "new" else "zendesk-rate-limit"
            value = f"total={state.total}; remaining={state.remaining}; resets={state.resets}"
            made.append((f"{spelling}-{_ENDPOINT_NAMES[state.bucket]}", value))
    return made
