"""Request budgets: one bucket per limit Zendesk counts, paced so that a lone client meets no 429.

A bucket keeps a log of the last minute's requests, which is safe for fixed and for sliding windows alike, and corrects
it by the server's own count (`remaining`, `reset`) where an answer carries one.
See https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

from __future__ import annotations

import math
import re
import threading
from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from typing import Literal

from zendesk_support.api.clock import Clock
from zendesk_support.errors import Cancelled

WINDOW = 60.0
LONGEST_WINDOW = 600.0
LATE = 5.0
LOOKOUTS = 12
LOOKS_AGAIN = 5.0
GRACE = 0.5
SET_ASIDE = 0.25
HIGH_VOLUME = 2500


class Rank(IntEnum):
    """Who goes first where a bucket has room for some: those on whom most has to wait."""

    PARENTS = 0
    EXPORT = 1
    LIST = 2
    CHILDREN = 3


@dataclass(frozen=True)
class BucketSpec:
    """A limit that Zendesk documents, in requests a minute.

    Attributes:
        header: the bare name of the header that tells of it.
        is_guess: that name stands in no documentation and no recorded answer: the limit holds for a route until an
            answer names another.
    """

    name: str
    limit: int
    high_volume: int
    header: str | None = None
    is_guess: bool = False


ACCOUNT = BucketSpec("account", 200, HIGH_VOLUME)
HELP_CENTER = BucketSpec("help center", 200, HIGH_VOLUME)
EXPORTS = BucketSpec("incremental exports", 10, 30, "incrementalexports")
USERS_EXPORT = BucketSpec("users export", 20, 60, "incrementalexportscursor")
GENERAL = frozenset({ACCOUNT.name, HELP_CENTER.name})
DELETED_TICKETS_LIST = BucketSpec("deleted tickets", 10, 10, "deletedtickets", is_guess=True)
TICKET_AUDITS_LIST = BucketSpec("ticket audits", 500, 500, "ticketaudits", is_guess=True)
MOST_LEARNED = 64
PERIODS = (WINDOW, 300.0, LONGEST_WINDOW)


@dataclass(frozen=True)
class Quota:
    """What an answer's headers say of one window."""

    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None


class Overdue(Exception):
    """A bucket was refused, or got no answer, for longer than its user has patience; the text is what it met last."""

    def __init__(self, trouble: str, waited: float) -> None:
        super().__init__(trouble)
        self.waited = waited


class Bucket:
    """One limit's window. Not thread-safe: `Budget` holds the lock.

    Until an answer proves that the server counts in fixed windows, the log of the last minute decides, and what the
    server has counted beyond it is other clients' use.
    """

    def __init__(self, name: str, limit: int, share: float) -> None:
        self.name = name
        self.limit = limit
        self.is_told = False  # by an answer's headers
        self.share = share
        self.period = WINDOW  # of its windows, in seconds; longer where an answer tells of a later reset
        self.probing_since: float | None = -math.inf  # until a request sent since then is answered, one goes at a time
        self.in_flight = 0
        self.paused_until = 0.0
        self.trouble = "no answer"
        self.taken: deque[float] = deque()
        self.forgot = False
        self.remaining: int | None = None
        self.lowest: int | None = None  # what the server said was left of this fixed window
        self.resets_at: float | None = None
        self.window_started = -math.inf
        self.window: Literal["fixed", "sliding"] | None = None

    @property
    def allowance(self) -> int:
        """Requests a minute that this client may use."""
        return max(1, math.floor(self.limit * self.share))

    @property
    def is_unproven(self) -> bool:
        """Whether no answer has told yet what is left of it."""
        return self.probing_since == -math.inf

    def room(self, now: float) -> int:
        """How many more may go in this minute, as far as is known."""
        self._forget(now)
        left = self.allowance - len(self.taken)
        if self.remaining is None:
            return left
        return self.remaining if self.share == 1 else min(left, self.remaining)

    def is_busy(self, now: float) -> bool:
        """Whether somebody is at work with it."""
        return self.in_flight > 0 or bool(self.taken and now < self.taken[-1] + LATE)

    def ready_at(self, now: float) -> float:
        """The time at which one more request may go; `inf` while an answer must come first."""
        if now < self.paused_until:
            return self.paused_until
        self._forget(now)
        if self.resets_at is not None and now >= self.resets_at:
            self._start_window(now)
        probing = self.probing_since is not None
        if probing and self.in_flight:
            return math.inf
        whole = self.share == 1
        if probing and whole:
            return now
        if self.remaining is not None and self.remaining <= 0 and self.resets_at is not None:
            return self.resets_at
        room = self.allowance - len(self.taken)
        if room > 0 or (whole and self.window == "fixed"):
            is_spread = whole and self._is_watching and room <= LOOKOUTS <= self.limit // 10
            return max(now, self.taken[-1] + self.period / LOOKOUTS) if is_spread else now
        room_at = self.taken[0] + self.period
        return min(room_at, self.resets_at) if whole and self.resets_at is not None else room_at

    @property
    def _is_watching(self) -> bool:
        """Whether no header says when the first window ends: its last requests are spread, so that one sees the end."""
        return self.window is None and self.resets_at is None and not self.forgot

    def _forget(self, now: float) -> None:
        while self.taken and self.taken[0] <= now - self.period:
            self.taken.popleft()
            self.forgot = True

    def _start_window(self, now: float) -> None:
        """The server's window is over: a fixed one starts full; of any other kind one answer must tell, if need be."""
        self.window_started, self.lowest = now, None
        if self.window == "fixed" and self.resets_at is not None:
            self.resets_at += self.period * (1 + (now - self.resets_at) // self.period)
            self.remaining = self.limit - self.in_flight
            return
        full = len(self.taken) >= self.limit and not self.in_flight
        if full or (self.remaining is not None and self.remaining <= 0):
            self.probing_since = now
        self.remaining = self.resets_at = None

    def take(self, now: float) -> None:
        """Count one request as sent."""
        self.taken.append(now)
        self.in_flight += 1
        if self.remaining is not None:
            self.remaining -= 1

    def give_back(self) -> None:
        """A request came back without an answer; it may have been counted since the last one."""
        self.in_flight -= 1
        if self.lowest is not None:
            self.lowest -= 1

    def learn(self, quota: Quota, sent: float, now: float) -> None:
        """Correct the count by what the server said."""
        self.in_flight -= 1
        self._counted_late(sent, now)
        self._forget(now)
        if quota.limit:
            self.limit, self.is_told = quota.limit, True
        if quota.resets_in is not None and quota.resets_in > self.period + 1:
            self.period = next((period for period in PERIODS if quota.resets_in <= period + 1), LONGEST_WINDOW)
        if self.probing_since is not None and sent >= self.probing_since:
            self.probing_since = None
        if quota.remaining is None or sent < self.window_started:
            return
        others = self.limit - quota.remaining > len(self.taken)
        is_new = self.window is None and self._recognize(self.limit - quota.remaining, sent, now)
        # Whole seconds, rounded either way: one more is always past the reset.
        resets_at = now + (quota.resets_in + 1 if quota.resets_in is not None else self.period)
        if self.window == "fixed" and self.resets_at is not None and quota.resets_in is not None:
            # Counted from when it was sent, as a late answer looks like one of the next window.
            is_new |= sent + quota.resets_in - 1 > self.resets_at
        if is_new:
            self.window_started, self.remaining, self.lowest = now, quota.remaining - self.in_flight, quota.remaining
            if quota.resets_in is None and 0 < (used := self.limit - quota.remaining) <= len(self.taken):
                self.window_started = self.taken[-used]  # the first that the server counts in it, or a later one
                resets_at = self.window_started + self.period
            self.resets_at = resets_at
        elif self.window == "fixed":
            self._lower(quota.remaining)
            # No more can be uncounted than is under way: what was counted in the window before comes back to this one.
            self.lowest = quota.remaining if self.lowest is None else min(quota.remaining, self.lowest)
            self.remaining = max(self.remaining or 0, self.lowest - self.in_flight)
            self.resets_at = min(resets_at, resets_at if self.resets_at is None else self.resets_at)
        elif others:
            self._lower(quota.remaining)
            self.resets_at = resets_at if quota.resets_in is not None else self.taken[0] + self.period
        elif self.window is None and quota.resets_in is not None:
            self.resets_at = resets_at

    def _lower(self, remaining: int) -> None:
        """Take the server's count where it is lower than ours, which has the requests under way."""
        known = remaining - self.in_flight if self.remaining is None else self.remaining
        self.remaining = min(known, remaining)

    def _recognize(self, used: int, sent: float, now: float) -> bool:
        """Tell a fixed window from a sliding one: whether the server still counts what was sent before a reset.

        Returns:
            Whether a fixed window has just begun.
        """
        recent = [at for at in self.taken if now - self.period + LATE < at < sent]
        if used < len(recent) - self.in_flight:
            self.window = "fixed"
            self.probing_since = now if self.in_flight else None
        elif recent and recent[0] < self.window_started and used > sum(at >= self.window_started for at in self.taken):
            self.window = "sliding"
            self.resets_at = None
        return self.window == "fixed"

    def _counted_late(self, sent: float, now: float) -> None:
        """Let the log hold the latest time at which the server can have counted the request."""
        if sent in self.taken:
            self.taken.remove(sent)
        insort(self.taken, now)

    def pause(self, until: float) -> None:
        """Zendesk said 429: nobody uses this bucket before `until`."""
        self.paused_until = max(self.paused_until, until)
        self.remaining = self.lowest = self.resets_at = None
        self.window = None
        self.probing_since = self.paused_until


@dataclass(eq=False)
class Waiter:
    """A request that waits for its buckets.

    Attributes:
        turn: rank, time reached, order of arrival.
        since: when it came.
        granted: the buckets it may take from, and
        at: since when.
        behind: another waits before it for a full bucket; who looks next will wake it.
    """

    turn: tuple[int, int, int]
    since: float
    route: str
    buckets: list[Bucket]
    changed: threading.Condition
    granted: tuple[Bucket, ...] | None = None
    at: float = 0.0
    behind: bool = False


class Budget:
    """All buckets of one account, shared by every thread that sends requests."""

    def __init__(self, clock: Clock, share: float) -> None:
        self._clock = clock
        self._share = share
        self._buckets: dict[str, Bucket] = {}
        self._by_route: dict[str, dict[str, Bucket]] = {}
        self._superseded: dict[str, set[Bucket]] = defaultdict(set)
        self._guessed: set[Bucket] = set()
        self._lock = threading.RLock()
        self._arrivals = count()
        self._waiting: list[Waiter] = []
        self._exports: set[Bucket] = set()
        self._waited: dict[str, float] = defaultdict(float)

    def acquire(
        self,
        route: str,
        specs: Iterable[BucketSpec],
        stop: threading.Event,
        patience: float = math.inf,
        rank: Rank = Rank.LIST,
        at: int = 0,
    ) -> Ticket:
        """Wait until every bucket of the request has room, then take one from each.

        Args:
            route: what is asked.
            specs: the buckets that count it.
            stop: ends the waiting.
            patience: seconds to wait at most while Zendesk refuses the bucket or does not answer it; waiting for the
                next window is not counted.
            rank: who goes first of those that wait for one bucket, and
            at: among those of one rank the time reached, Unix seconds: who is furthest behind goes first.

        Returns:
            The permit; its times are in seconds of the account's clock.

        Raises:
            Cancelled: the run ended while waiting.
            Overdue: the patience is, or will be, over.
        """
        started = self._clock.now()
        blocked = 0.0
        with self._lock:
            buckets = [self._bucket(spec) for spec in specs]
            waiter = Waiter((rank, at, next(self._arrivals)), started, route, buckets, threading.Condition(self._lock))
            insort(self._waiting, waiter, key=lambda known: known.turn)
            try:
                while True:
                    now = self._clock.now()
                    self._grant(now)
                    if waiter.granted is not None:
                        waited = waiter.at - started
                        return Ticket(route, waiter.granted, waiter.at, waited, waited - blocked)
                    if stop.is_set():
                        raise Cancelled
                    ready_at = {bucket: self._ready_at(waiter, bucket, now) for bucket in self._wanted(waiter)}
                    slowest = max(ready_at, key=ready_at.__getitem__)
                    is_blocked = ready_at[slowest] == math.inf or now < slowest.paused_until
                    if is_blocked and blocked + max(0.0, slowest.paused_until - now) > patience:
                        raise Overdue(slowest.trouble, now - started)
                    waiter.changed.wait(self._nap(waiter, ready_at.values(), now))
                    passed = self._clock.now() - now
                    blocked += passed if is_blocked else 0.0
                    self._waited[slowest.name] += passed
            finally:
                if waiter.granted is None:
                    self._waiting.remove(waiter)
                    self._wake_first()

    def _nap(self, waiter: Waiter, times: Iterable[float], now: float) -> float:
        """Real seconds until a waiter looks again: who is in front looks for all, once any of its buckets has room."""
        if waiter.behind:
            return self._clock.real(LOOKS_AGAIN)
        ready = min((at for at in times if at > now), default=now)
        return min(self._clock.real(min(ready - now, LOOKS_AGAIN)), 0.5)

    def _grant(self, now: float) -> None:
        """Let those go for whom there is room, in their turn; a bucket without room holds up its own users only."""
        full: set[Bucket] = set()
        granted: list[Waiter] = []
        for waiter in self._waiting:
            wanted = self._wanted(waiter)
            was_behind, waiter.behind = waiter.behind, not full.isdisjoint(wanted)
            if waiter.behind:
                continue
            if was_behind:
                waiter.changed.notify()
            waits_for = {bucket for bucket in wanted if self._ready_at(waiter, bucket, now) > now}
            if waits_for:
                full |= {bucket for bucket in waits_for if not self._gives_way(waiter, bucket, now)}
                continue
            for bucket in wanted:
                bucket.take(now)
            if waiter.turn[0] <= Rank.EXPORT:
                self._exports |= {bucket for bucket in wanted if bucket.name not in GENERAL}
            waiter.granted, waiter.at = wanted, now
            granted.append(waiter)
            waiter.changed.notify()
        for waiter in granted:
            self._waiting.remove(waiter)

    def _ready_at(self, waiter: Waiter, bucket: Bucket, now: float) -> float:
        """When a bucket has room for a waiter: exports leave lists the first request, lists leave exports some room."""
        ready = bucket.ready_at(now)
        if self._gives_way(waiter, bucket, now):
            return max(ready, waiter.since + GRACE)
        if ready <= now and waiter.turn[0] > Rank.EXPORT and bucket.name == ACCOUNT.name:
            unused = sum(max(0, export.room(now)) for export in self._exports if export.is_busy(now))
            set_aside = min(unused, int(bucket.allowance * SET_ASIDE))
            if set_aside and bucket.probing_since is None and bucket.room(now) <= set_aside:
                return now + GRACE
        return ready

    def _gives_way(self, waiter: Waiter, bucket: Bucket, now: float) -> bool:
        """Whether an export lets a list be first to ask what is left, as the answer comes sooner."""
        is_slow = waiter.turn[0] <= Rank.EXPORT and bucket.name == ACCOUNT.name
        return is_slow and bucket.is_unproven and now < waiter.since + GRACE

    def _wake_first(self) -> None:
        """Let the first of each bucket look again: it lets the others go."""
        seen: set[Bucket] = set()
        for waiter in self._waiting:
            if not seen.issuperset(wanted := self._wanted(waiter)):
                seen.update(wanted)
                waiter.changed.notify()

    def _wanted(self, waiter: Waiter) -> tuple[Bucket, ...]:
        learned = self._by_route.get(waiter.route, {}).values()
        stale = self._superseded.get(waiter.route, ())
        assumed = (bucket for bucket in waiter.buckets if bucket not in stale)
        return (*assumed, *(bucket for bucket in learned if bucket not in waiter.buckets))

    def waited(self) -> dict[str, float]:
        """Seconds that requests have waited, by the limit they waited for."""
        with self._lock:
            return dict(self._waited)

    def waits(self) -> dict[str, float]:
        """The limits that requests wait for now, and the seconds until each has room; 0 where that is not known."""
        with self._lock:
            now, found = self._clock.now(), dict[str, float]()
            for waiter in self._waiting:
                for bucket in self._wanted(waiter):
                    ready_at = bucket.ready_at(now)
                    if ready_at > now:
                        found[bucket.name] = ready_at - now if ready_at < math.inf else 0.0
            return found

    def told_limit(self, spec: BucketSpec) -> int | None:
        """Requests a minute that answers say a limit allows; None where none has said it."""
        with self._lock:
            bucket = self._bucket(spec)
            return bucket.limit if bucket.is_told else None

    def limit(self, spec: BucketSpec) -> int:
        """Requests a minute that a limit allows, as far as answers have told."""
        with self._lock:
            return self._bucket(spec).limit

    def _bucket(self, spec: BucketSpec) -> Bucket:
        name = spec.header or spec.name
        if name not in self._buckets:
            self._buckets[name] = Bucket(spec.name, self._documented(spec), self._share)
            if spec.is_guess:
                self._guessed.add(self._buckets[name])
        return self._buckets[name]

    def _documented(self, spec: BucketSpec) -> int:
        account = self._buckets.get(ACCOUNT.name)
        high_volume = account is not None and account.limit >= HIGH_VOLUME
        return spec.high_volume if high_volume and spec.header else spec.limit

    def settle(self, ticket: Ticket, headers: Mapping[str, str], at: float | None = None) -> None:
        """Give the permit back with what the answer's headers say, which came at some time before its body."""
        account, endpoints = read_quota(headers)
        with self._lock:
            now = at if at is not None else self._clock.now()
            for name, quota in endpoints.items():
                bucket = self._named(name, quota)
                if bucket is not None and bucket not in ticket.buckets:
                    bucket.take(ticket.sent)
                    self._by_route.setdefault(ticket.route, {})[name] = bucket
                    bucket.learn(quota, ticket.sent, now)
            for name, bucket in self._buckets.items():
                if bucket in ticket.buckets:
                    if bucket in self._guessed and endpoints and name not in endpoints:
                        self._superseded[ticket.route].add(bucket)
                    general = bucket.name in GENERAL
                    quota = account if general else endpoints.get(name, Quota())
                    if quota == Quota():
                        quota = Quota(limit=self._inferred(name, bucket, account))
                    bucket.learn(quota, ticket.sent, now)
            self._wake_first()

    def _named(self, name: str, quota: Quota) -> Bucket | None:
        """The bucket that a header names; None where answers have named more than any account has."""
        if name not in self._buckets:
            if len(self._buckets) >= MOST_LEARNED:
                return None
            self._buckets[name] = Bucket(name, quota.limit or ACCOUNT.limit, self._share)
        return self._buckets[name]

    def _inferred(self, name: str, bucket: Bucket, account: Quota) -> int:
        """The limit of an export whose answer names only the account's: the add-on raises both."""
        if (account.limit or 0) >= HIGH_VOLUME:
            for spec in (EXPORTS, USERS_EXPORT):
                if spec.header == name:
                    return spec.high_volume
        return bucket.limit

    def abandon(self, ticket: Ticket, trouble: str | None = None) -> None:
        """Give the permit back without an answer; tell those that wait what happened."""
        with self._lock:
            for bucket in ticket.buckets:
                bucket.give_back()
                bucket.trouble = trouble or bucket.trouble
            self._wake_first()

    def pause(
        self,
        ticket: Ticket,
        seconds: float,
        headers: Mapping[str, str],
        trouble: str = "429",
        *,
        is_export: bool = False,
    ) -> None:
        """Stop the bucket that a 429 is about for `seconds`, and no other.

        Args:
            ticket: the permit of the request that was refused.
            seconds: of the account's clock.
            headers: the answer's; a limit that it says nothing is left of is the one.
            trouble: what it said.
            is_export: its body speaks of the exports' limit.
        """
        _, endpoints = read_quota(headers)
        spent = [name for name, quota in endpoints.items() if quota.remaining == 0]
        with self._lock:
            named = [bucket for name in spent if (bucket := self._named(name, endpoints[name])) is not None]
            general = [bucket for bucket in ticket.buckets if bucket.name in GENERAL]
            own = [bucket for bucket in ticket.buckets if bucket.name not in GENERAL]
            for bucket in named or (own[-1:] if is_export else general[:1]) or ticket.buckets[:1]:
                bucket.trouble = trouble
                bucket.pause(self._clock.now() + seconds)
            self._wake_all()

    def wake(self) -> None:
        """Let waiting threads look at the stop flag."""
        with self._lock:
            self._wake_all()

    def _wake_all(self) -> None:
        for waiter in self._waiting:
            waiter.changed.notify()


@dataclass(frozen=True, eq=False)
class Ticket:
    """The right to send one request.

    Attributes:
        waited: seconds waited for it, and
        queued: those of them spent waiting for a window.
    """

    route: str
    buckets: tuple[Bucket, ...]
    sent: float
    waited: float
    queued: float


_WORDS = re.compile(r"[^a-z]")
_FIELD = re.compile(r"(?<!\w)(\w{1,20}) ?= ?([\d.]{1,20})")


def read_quota(headers: Mapping[str, str]) -> tuple[Quota, dict[str, Quota]]:
    """Read the account's window and the endpoints' own from an answer's headers, in every spelling seen.

    Returns:
        The account's (or help center's) quota, and a quota per endpoint bucket by its bare name.
    """
    general: dict[str, float] = {}
    endpoints: dict[str, Quota] = {}
    for raw, value in headers.items():
        name = _WORDS.sub("", raw.lower())
        if name.startswith("zendeskratelimit"):
            fields = {key: number for key, text in _FIELD.findall(value) if (number := finite(text)) is not None}
            if "remaining" in fields:
                endpoints[name.removeprefix("zendeskratelimit")] = Quota(
                    int(fields["total"]) if "total" in fields else None,
                    int(fields["remaining"]),
                    soon(fields.get("resets")),
                )
            continue
        bare = name.removeprefix("x")
        key = {
            "ratelimit": "limit",
            "ratelimitlimit": "limit",
            "ratelimitremaining": "remaining",
            "ratelimitreset": "reset",
        }.get(bare)
        number = finite(value)
        if key is None or number is None:
            continue
        general[key] = min(number, general[key]) if key == "remaining" and key in general else number
    account = Quota(
        int(general["limit"]) if "limit" in general else None,
        int(general["remaining"]) if "remaining" in general else None,
        soon(general.get("reset")),
    )
    return account, endpoints


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
