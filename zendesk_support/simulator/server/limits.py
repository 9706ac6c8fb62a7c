"""Rate limits: what one allows, how requests are counted against it, and the headers that tell of it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

Headers = list[tuple[str, str]]
Tell = Callable[["State", str], Headers]


def in_silence(state: State, style: str) -> Headers:
    """Tell nothing."""
    return []


def in_old_headers(state: State, style: str) -> Headers:
    """Tell as a help center does, in `X-Rate-Limit` alone."""
    return [("X-Rate-Limit", str(state.total)), ("X-Rate-Limit-Remaining", str(state.remaining))]


def in_one_header(state: State, style: str) -> Headers:
    """Tell in `X-Rate-Limit` how many requests there may be, and not how many are left."""
    return [("X-Rate-Limit", str(state.total))]


def in_all_headers(state: State, style: str) -> Headers:
    """Tell as the account does, in `X-Rate-Limit` and `ratelimit-…`."""
    made = in_old_headers(state, style)
    if style == "none":
        return made
    name, prefix = ("ratelimit-limit", "ratelimit") if style == "new" else ("rate-limit", "rate-limit")
    made.append((name, str(state.total)))
    made.append((f"{prefix}-remaining", str(state.remaining)))
    made.append((f"{prefix}-reset", str(state.resets)))
    return made


@dataclass(frozen=True)
class AsEndpoint:
    """Tells as an endpoint with a limit of its own does, in `zendesk-ratelimit-{name}`."""

    name: str

    def __call__(self, state: State, style: str) -> Headers:
        """Return the header."""
        if style == "none":
            return []
        spelling = "zendesk-ratelimit" if style == "new" else "zendesk-rate-limit"
        value = f"total={state.total}; remaining={state.remaining}; resets={state.resets}"
        return [(f"{spelling}-{self.name}", value)]


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds.

    Attributes:
        total: Requests.
        period: Seconds.
        name: Its name in the record of requests, and for `limits` and `use_quota`.
        tell: What headers say of it, from its state and the spelling of headers.
        plans: Requests by plan, where a plan has other ones.
        in_json: Whether a refusal is JSON, as the exports', and not plain text.
        tells_when: Whether a refusal tells the time at which there is more, in `ratelimit-reset`, in place of
            `Retry-After`.
    """

    total: int
    period: int = 60
    name: str = ""
    tell: Tell = in_silence
    plans: Mapping[str, int] = field(default_factory=dict, hash=False)
    in_json: bool = False
    tells_when: bool = False

    def of(self, plan: str) -> Limit:
        """Return what it is in a plan."""
        return replace(self, total=self.plans.get(plan, self.total), plans={})


_PLANS = {"team": 200, "growth": 400, "professional": 400, "enterprise": 700, "enterprise_plus": 2500}
"""Enterprise Plus has the High Volume add-on built in."""
ACCOUNT = Limit(700, name="account", tell=in_all_headers, plans=_PLANS)
HELP_CENTER = Limit(700, name="help_center", tell=in_old_headers, plans=_PLANS)
GUIDE = Limit(700, name="guide", tell=in_old_headers, plans=_PLANS)
"""What the account's part of the guide is counted by, apart from the account and its help centers."""
EXPORTS = Limit(
    10,
    name="incremental_exports",
    tell=AsEndpoint("incremental-exports"),
    plans={"enterprise_plus": 30},
    in_json=True,
)
"""What all exports share but the one of users by cursor."""


def limits_of(plan: str, limits: Iterable[Limit]) -> dict[str, Limit]:
    """Return limits by name, as they are in a plan."""
    return {limit.name: limit.of(plan) for limit in limits}


@dataclass(frozen=True)
class State:
    """What a bucket has left after a request."""

    bucket: str
    total: int
    remaining: int
    resets: int
    allowed: bool
    limit: Limit


class Buckets:
    """Counts requests in fixed windows, or over the seconds before each."""

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
        return State(bucket, limit.total, max(0, limit.total - used), resets, allowed, limit)

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


def headers(states: Iterable[State], style: str) -> Headers:
    """Return the rate limit headers of a reply."""
    return [header for state in states for header in state.limit.tell(state, style)]
