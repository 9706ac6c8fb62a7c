"""One limit's window: how many requests may go, and when the next one may."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from typing import Literal

from zendesk_support.api.limits import Limit
from zendesk_support.api.quota_headers import LONGEST_WINDOW, Quota

LATE = 5.0
"""Seconds that an answer may be late: what was sent so close to the end of a window proves nothing of it."""
SPREAD = 12
"""So many last requests are spread over the first window, so that one of them sees the server count anew."""
WINDOWS = (60.0, 300.0, LONGEST_WINDOW)
"""Seconds that Zendesk's windows last; a reset told farther away is of the next longer one."""


class Bucket:
    """One limit's window. Not thread-safe: `RateLimiter` holds the lock.

    Our own log of the last window is the base: it holds, for each request, the latest time at which the server can have
    counted it. By the log alone no more than the limit is sent in any window's length, which is safe for every way of
    counting. Servers count in one of two ways: in fixed windows, at whose end the whole count begins anew, or in a
    sliding window, which each request leaves one window's length after it came. Which of the two it is, answers show:

    | believed so far | the answer says | believed from then on |
    |---|---|---|
    | any | nothing of what is left | the log |
    | unknown | fewer are used than we sent in this window | fixed; a window has begun |
    | unknown | requests from before the reset that was told still count | sliding |
    | unknown | a reset, and no more used than we sent | unknown: at the reset a new window may begin |
    | unknown or sliding | more are used than we sent | others use it too: what is left is the server's number |
    | fixed | a reset after the known one | fixed; a window has begun |
    | fixed | any other reset | fixed; the lowest number told in this window is left, less what is under way |
    | any | 429 | unknown; after the pause one request goes alone |

    Attributes:
        limit: as documented.
        requests: in a window, as far as answers have told.
        is_told: an answer has told it.
        share: the part of it that this client may use.
        period: seconds of a window.
        log: times of the requests of the last window, in order.
        in_flight: requests without an answer yet.
        window: how the server counts.
        remaining: requests left, the server's number less what was sent since; None where the log decides.
        lowest: the lowest number that the server has told in this fixed window.
        resets_at: when the window ends, if that is known.
        window_started: since when the server counts; answers to what was sent before tell nothing.
        probing_since: until a request sent since then is answered, one goes at a time; None where that is over.
        paused_until: the end of the pause that a 429 asked for.
        trouble: what its requests met last.
    """

    def __init__(self, limit: Limit, share: float, requests: int | None = None) -> None:
        self.limit = limit
        self.requests = requests or limit.requests
        self.is_told = False
        self.share = share
        self.period = limit.seconds
        self.log: list[float] = []
        self.forgot = False
        self.in_flight = 0
        self.window: Literal["unknown", "fixed", "sliding"] = "unknown"
        self.remaining: int | None = None
        self.lowest: int | None = None
        self.resets_at: float | None = None
        self.window_started = -math.inf
        self.probing_since: float | None = None if limit.told_by is None else -math.inf
        self.paused_until = 0.0
        self.trouble = "no answer"

    @property
    def name(self) -> str:
        """The limit's name."""
        return self.limit.name

    @property
    def allowance(self) -> int:
        """Requests in a window that this client may use."""
        return max(1, math.floor(self.requests * self.share))

    @property
    def is_unproven(self) -> bool:
        """Whether no answer has come yet that could tell what is left of it."""
        return self.probing_since == -math.inf

    # What may go

    def room(self, now: float) -> int:
        """How many more may go in this window, as far as is known."""
        self._forget(now)
        left = self.allowance - len(self.log)
        if self.remaining is None:
            return left
        return self.remaining if self.share == 1 else min(left, self.remaining)

    def is_busy(self, now: float) -> bool:
        """Whether somebody is at work with it."""
        return self.in_flight > 0 or bool(self.log and now < self.log[-1] + LATE)

    def ready_at(self, now: float) -> float:
        """The time at which one more request may go; `inf` while an answer must come first."""
        if now < self.paused_until:
            return self.paused_until
        self._forget(now)
        if self.resets_at is not None and now >= self.resets_at:
            self._pass_reset(now)
        if self.probing_since is not None and self.in_flight:
            return math.inf
        if self.probing_since is not None and self.share == 1:
            return now
        if self.remaining is not None and self.remaining <= 0 and self.resets_at is not None:
            return self.resets_at
        return self._ready_by_log(now)

    def _ready_by_log(self, now: float) -> float:
        is_whole = self.share == 1
        room = self.allowance - len(self.log)
        if room > 0 or (is_whole and self.window == "fixed"):
            is_spread = is_whole and self._awaits_end and room <= SPREAD <= self.requests // 10
            return max(now, self.log[-1] + self.period / SPREAD) if is_spread else now
        room_at = self.log[0] + self.period
        return min(room_at, self.resets_at) if is_whole and self.resets_at is not None else room_at

    @property
    def _awaits_end(self) -> bool:
        """Whether answers tell what is left, but not when the first window ends."""
        is_first = self.window == "unknown" and not self.forgot
        return is_first and self.resets_at is None and self.limit.told_by is not None

    def _forget(self, now: float) -> None:
        """Drop from the log what no window can still count."""
        if old := bisect_right(self.log, now - self.period):
            del self.log[:old]
            self.forgot = True

    def _pass_reset(self, now: float) -> None:
        """The known window is over: a fixed one begins full; otherwise one request asks first, if all was used."""
        self.window_started, self.lowest = now, None
        if self.window == "fixed" and self.resets_at is not None:
            self.resets_at += self.period * (1 + (now - self.resets_at) // self.period)
            self.remaining = self.requests - self.in_flight
            return
        is_full = len(self.log) >= self.requests and not self.in_flight
        if is_full or (self.remaining is not None and self.remaining <= 0):
            self.probing_since = now
        self.remaining = self.resets_at = None

    # What was sent

    def take(self, now: float) -> None:
        """Count one request as sent."""
        insort(self.log, now)
        self.in_flight += 1
        if self.remaining is not None:
            self.remaining -= 1

    def give_back(self) -> None:
        """A request has ended without an answer; the server may have counted it since it last told what is left."""
        self.in_flight -= 1
        if self.lowest is not None:
            self.lowest -= 1

    def pause(self, until: float) -> None:
        """Zendesk said 429: nobody uses this bucket before `until`, and what was known of the window is forgotten."""
        self.paused_until = max(self.paused_until, until)
        self.remaining = self.lowest = self.resets_at = None
        self.window = "unknown"
        self.probing_since = self.paused_until

    # What answers tell

    def learn(self, quota: Quota, sent: float, now: float) -> None:
        """Take in an answer that came `now`; the table above says what it changes.

        Args:
            quota: what its headers say of this limit.
            sent: when its request went.
            now: when its headers came.
        """
        self.in_flight -= 1
        self._date_latest(sent, now)
        self._forget(now)
        self._resize(quota)
        if self.probing_since is not None and sent >= self.probing_since:
            self.probing_since = None
        if quota.remaining is None or sent < self.window_started:
            return
        used, resets_at = self.requests - quota.remaining, self._reset_told(quota, now)
        is_more_than_ours = used > len(self.log)
        if self._has_begun_anew(used, quota, sent, now):
            self._begin_window(quota.remaining, quota, now)
        elif self.window == "fixed":
            self._correct_window(quota.remaining, resets_at)
        elif is_more_than_ours:
            self._lower(quota.remaining)
            self.resets_at = resets_at if quota.resets_in is not None else self.log[0] + self.period
        elif self.window == "unknown" and quota.resets_in is not None:
            self.resets_at = resets_at

    def _date_latest(self, sent: float, now: float) -> None:
        """Let the log hold the latest time at which the server can have counted the request."""
        at = bisect_left(self.log, sent)
        if at < len(self.log) and self.log[at] == sent:
            del self.log[at]
        insort(self.log, now)

    def _resize(self, quota: Quota) -> None:
        """Take over the number of requests and the length of a window that were told."""
        if quota.limit:
            self.requests, self.is_told = quota.limit, True
        if quota.resets_in is not None and quota.resets_in > self.period + 1:
            longer = (seconds for seconds in WINDOWS if quota.resets_in <= seconds + 1)
            self.period = next(longer, LONGEST_WINDOW)

    def _reset_told(self, quota: Quota, now: float) -> float:
        """When the window ends at the latest: Zendesk rounds to whole seconds, so one more is always past the reset."""
        return now + (quota.resets_in + 1 if quota.resets_in is not None else self.period)

    def _has_begun_anew(self, used: int, quota: Quota, sent: float, now: float) -> bool:
        """Whether the answer is the first that tells of a new fixed window; finds out how the server counts."""
        if self.window == "unknown":
            return self._proves_fixed(used, sent, now)
        if self.window == "fixed" and self.resets_at is not None and quota.resets_in is not None:
            # Counted from when it was sent, as a late answer looks like one of the next window.
            return sent + quota.resets_in - 1 > self.resets_at
        return False

    def _proves_fixed(self, used: int, sent: float, now: float) -> bool:
        """Tell a fixed window from a sliding one by whether the server still counts what was sent before a reset."""
        first, last = bisect_right(self.log, now - self.period + LATE), bisect_left(self.log, sent)
        recent = max(0, last - first)
        since_reset = len(self.log) - bisect_left(self.log, self.window_started)
        if used < recent - self.in_flight:
            self.window = "fixed"
            self.probing_since = now if self.in_flight else None
            return True
        if recent and self.log[first] < self.window_started and used > since_reset:
            self.window = "sliding"
            self.resets_at = None
        return False

    def _begin_window(self, remaining: int, quota: Quota, now: float) -> None:
        """Believe the first answer of a fixed window; without a told reset it begins with the first of ours."""
        self.window_started, self.remaining, self.lowest = now, remaining - self.in_flight, remaining
        self.resets_at = self._reset_told(quota, now)
        used = self.requests - remaining
        if quota.resets_in is None and 0 < used <= len(self.log):
            self.window_started = self.log[-used]
            self.resets_at = self.window_started + self.period

    def _correct_window(self, remaining: int, resets_at: float) -> None:
        """Believe the lowest number told in a fixed window.

        Only what is under way can be uncounted in it. What was sent before the window and counted there is given back.
        """
        self._lower(remaining)
        self.lowest = remaining if self.lowest is None else min(remaining, self.lowest)
        self.remaining = max(self.remaining or 0, self.lowest - self.in_flight)
        self.resets_at = resets_at if self.resets_at is None else min(resets_at, self.resets_at)

    def _lower(self, remaining: int) -> None:
        """Take the server's number where it is lower than ours, which has the requests under way."""
        known = remaining - self.in_flight if self.remaining is None else self.remaining
        self.remaining = min(known, remaining)
