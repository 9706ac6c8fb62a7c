"""Who sends next: permits for requests, given in turn as far as every limit that counts them has room.

Paced so that a lone client meets no 429. See https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

from __future__ import annotations

import math
import threading
from bisect import insort
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import count

from zendesk_support.api.bucket import Bucket
from zendesk_support.api.clock import Clock
from zendesk_support.api.limits import ACCOUNT, HIGH_VOLUME, Limit, named_limit
from zendesk_support.api.quota_headers import NOTHING, Quota, read_quota
from zendesk_support.errors import Cancelled

LOOKS_AGAIN = 5.0
"""Seconds after which a waiting request looks for room at the latest, if nobody wakes it."""
LONGEST_NAP = 0.5
"""Real seconds after which the first in the line looks whether the run is over."""
GRACE = 0.5
"""Seconds that an export waits for a list to ask first what is left of a shared limit."""
SET_ASIDE = 0.25
"""The part of a shared limit that lists leave to exports at work."""
MOST_LEARNED = 64
"""More limits than any account has; a server that names more is not followed."""


class Priority(IntEnum):
    """Who goes first where a limit has room for some: those on whom most has to wait."""

    PARENTS = 0
    EXPORT = 1
    LIST = 2
    CHILDREN = 3


class Overdue(Exception):
    """A limit was refused, or got no answer, for longer than a request has patience; the text is what it met last."""

    def __init__(self, trouble: str, waited: float) -> None:
        super().__init__(trouble)
        self.waited = waited


@dataclass(frozen=True, eq=False)
class Permit:
    """The right to send one request; times are in seconds of the account's clock.

    Attributes:
        route: what is asked.
        buckets: that count it.
        sent: when it may go.
        waited: seconds waited for it, and
        queued: those of them spent waiting for a window.
    """

    route: str
    buckets: tuple[Bucket, ...]
    sent: float
    waited: float
    queued: float


@dataclass(eq=False)
class Waiter:
    """A request that waits for its permit.

    Attributes:
        turn: priority, time reached, order of arrival: the lowest goes first.
        since: when it came.
        buckets: that are known to count it.
        changed: wakes its thread.
        permit: once it has one.
        blocked: seconds waited for a limit that was refused or silent.
        behind: another waits before it for a full bucket; who looks next will wake it.
    """

    turn: tuple[int, int, int]
    since: float
    route: str
    buckets: list[Bucket]
    changed: threading.Condition
    permit: Permit | None = None
    blocked: float = 0.0
    behind: bool = False

    @property
    def is_export(self) -> bool:
        """Whether it asks for a page of an export, which takes long."""
        return self.turn[0] <= Priority.EXPORT


class RateLimiter:
    """All limits of one account, shared by every thread that sends requests."""

    def __init__(self, clock: Clock, share: float) -> None:
        self._clock = clock
        self._share = share
        self._buckets: dict[str, Bucket] = {}
        self._by_route: dict[str, dict[str, Bucket]] = {}
        self._superseded: dict[str, set[Bucket]] = defaultdict(set)
        self._lock = threading.RLock()
        self._arrivals = count()
        self._waiting: list[Waiter] = []
        self._exports: set[Bucket] = set()
        self._waited: dict[str, float] = defaultdict(float)

    # Before a request

    def acquire(
        self,
        route: str,
        limits: Iterable[Limit],
        stop: threading.Event,
        patience: float = math.inf,
        priority: Priority = Priority.LIST,
        reached: int = 0,
    ) -> Permit:
        """Wait until every limit of the request has room, then take one from each.

        Args:
            route: what is asked.
            limits: that count it.
            stop: ends the waiting.
            patience: seconds to wait at most while Zendesk refuses a limit or does not answer it; waiting for the
                next window is not counted.
            priority: who goes first of those that wait for one limit.
            reached: among those of one priority, who is furthest behind goes first; Unix seconds.

        Raises:
            Cancelled: the run ended while waiting.
            Overdue: the patience is, or will be, over.
        """
        since = self._clock.now()
        with self._lock:
            buckets = [self._bucket(limit) for limit in limits]
            turn = (priority, reached, next(self._arrivals))
            waiter = Waiter(turn, since, route, buckets, threading.Condition(self._lock))
            insort(self._waiting, waiter, key=lambda known: known.turn)
            try:
                while True:
                    now = self._clock.now()
                    self._grant(now)
                    if waiter.permit is not None:
                        return waiter.permit
                    if stop.is_set():
                        raise Cancelled
                    self._wait(waiter, now, patience)
            finally:
                if waiter.permit is None:
                    self._waiting.remove(waiter)
                    self._wake_first()

    def _wait(self, waiter: Waiter, now: float, patience: float) -> None:
        """Wait until there may be room.

        Raises:
            Overdue: the slowest limit is refused or silent, and the patience is, or will be, over.
        """
        ready_at = {bucket: self._ready_at(waiter, bucket, now) for bucket in self._wanted(waiter)}
        slowest = max(ready_at, key=ready_at.__getitem__)
        is_blocked = ready_at[slowest] == math.inf or now < slowest.paused_until
        if is_blocked and waiter.blocked + max(0.0, slowest.paused_until - now) > patience:
            raise Overdue(slowest.trouble, now - waiter.since)
        waiter.changed.wait(self._nap(waiter, ready_at.values(), now))
        passed = self._clock.now() - now
        waiter.blocked += passed if is_blocked else 0.0
        self._waited[slowest.name] += passed

    def _nap(self, waiter: Waiter, times: Iterable[float], now: float) -> float:
        """Real seconds until a waiter looks again: who is in front looks for all, once any of its buckets has room."""
        if waiter.behind:
            return self._clock.real(LOOKS_AGAIN)
        ready = min((at for at in times if at > now), default=now)
        return min(self._clock.real(min(ready - now, LOOKS_AGAIN)), LONGEST_NAP)

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
            self._let_go(waiter, wanted, now)
            granted.append(waiter)
        for waiter in granted:
            self._waiting.remove(waiter)

    def _let_go(self, waiter: Waiter, wanted: tuple[Bucket, ...], now: float) -> None:
        for bucket in wanted:
            bucket.take(now)
        if waiter.is_export:
            self._exports |= {bucket for bucket in wanted if not bucket.limit.is_plain}
        waited = now - waiter.since
        waiter.permit = Permit(waiter.route, wanted, now, waited, waited - waiter.blocked)
        waiter.changed.notify()

    def _ready_at(self, waiter: Waiter, bucket: Bucket, now: float) -> float:
        """When a bucket has room for a waiter.

        In a shared limit exports leave the first request to lists, and lists leave some room to exports.
        """
        ready = bucket.ready_at(now)
        if self._gives_way(waiter, bucket, now):
            return max(ready, waiter.since + GRACE)
        if ready <= now and not waiter.is_export and bucket.limit.is_shared:
            unused = sum(max(0, export.room(now)) for export in self._exports if export.is_busy(now))
            set_aside = min(unused, int(bucket.allowance * SET_ASIDE))
            if set_aside and bucket.probing_since is None and bucket.room(now) <= set_aside:
                return now + GRACE
        return ready

    def _gives_way(self, waiter: Waiter, bucket: Bucket, now: float) -> bool:
        """Whether an export lets a list be first to ask what is left, as the answer comes sooner."""
        is_slow = waiter.is_export and bucket.limit.is_shared
        return is_slow and bucket.is_unproven and now < waiter.since + GRACE

    def _wanted(self, waiter: Waiter) -> tuple[Bucket, ...]:
        """The buckets that count a request: those assumed, but for wrong guesses, and those that answers named."""
        learned = self._by_route.get(waiter.route, {}).values()
        stale = self._superseded.get(waiter.route, ())
        assumed = (bucket for bucket in waiter.buckets if bucket not in stale)
        return (*assumed, *(bucket for bucket in learned if bucket not in waiter.buckets))

    # After a request

    def settle(self, permit: Permit, headers: Mapping[str, str], at: float | None = None) -> None:
        """Give the permit back with what the answer's headers say, which came at some time before its body."""
        plain, named = read_quota(headers)
        with self._lock:
            now = at if at is not None else self._clock.now()
            for name, quota in named.items():
                bucket = self._named(name, quota)
                if bucket is not None and bucket not in permit.buckets:
                    bucket.take(permit.sent)
                    self._by_route.setdefault(permit.route, {})[name] = bucket
                    bucket.learn(quota, permit.sent, now)
            for name, bucket in self._buckets.items():
                if bucket in permit.buckets:
                    if bucket.limit.is_guess and named and name not in named:
                        self._superseded[permit.route].add(bucket)
                    bucket.learn(_told_of(bucket.limit, plain, named), permit.sent, now)
            self._wake_first()

    def abandon(self, permit: Permit, trouble: str | None = None) -> None:
        """Give the permit back without an answer; tell those that wait what happened."""
        with self._lock:
            for bucket in permit.buckets:
                bucket.give_back()
                bucket.trouble = trouble or bucket.trouble
            self._wake_first()

    def pause(
        self, permit: Permit, seconds: float, headers: Mapping[str, str], trouble: str = "429", body: bytes = b""
    ) -> None:
        """Stop the limit that a 429 is about for `seconds`, and no other.

        That is the one whose header says that nothing is left, else the one that its text speaks of, else that of the
        host's counter.

        Args:
            permit: of the request that was refused.
            seconds: of the account's clock.
            headers: the answer's.
            trouble: what those that wait are told.
            body: the answer's.
        """
        _, named = read_quota(headers)
        spent = [(name, quota) for name, quota in named.items() if quota.remaining == 0]
        own = permit.buckets
        with self._lock:
            found = [bucket for name, quota in spent if (bucket := self._named(name, quota)) is not None]
            worded = [bucket for bucket in own if (word := bucket.limit.refused_as) and word.encode() in body]
            plain = [bucket for bucket in own if bucket.limit.is_plain]
            for bucket in found or worded[-1:] or plain[:1] or own[:1]:
                bucket.trouble = trouble
                bucket.pause(self._clock.now() + seconds)
            self._wake_all()

    def _wake_first(self) -> None:
        """Let the first of each bucket look again: it lets the others go."""
        seen: set[Bucket] = set()
        for waiter in self._waiting:
            if not seen.issuperset(wanted := self._wanted(waiter)):
                seen.update(wanted)
                waiter.changed.notify()

    def wake(self) -> None:
        """Let waiting threads look at the stop flag."""
        with self._lock:
            self._wake_all()

    def _wake_all(self) -> None:
        for waiter in self._waiting:
            waiter.changed.notify()

    # The buckets

    def _bucket(self, limit: Limit) -> Bucket:
        if limit.key not in self._buckets:
            account = self._buckets.get(ACCOUNT.key)
            has_add_on = account is not None and account.requests >= HIGH_VOLUME
            requests = limit.high_volume if has_add_on else None
            self._buckets[limit.key] = Bucket(limit, self._share, requests)
        return self._buckets[limit.key]

    def _named(self, name: str, quota: Quota) -> Bucket | None:
        """The bucket that a header names; None where answers have named more than any account has."""
        if name not in self._buckets:
            if len(self._buckets) >= MOST_LEARNED:
                return None
            self._buckets[name] = Bucket(named_limit(name, quota.limit), self._share)
        return self._buckets[name]

    # What others ask

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

    def told_limit(self, limit: Limit) -> int | None:
        """Requests in a window that answers say a limit allows; None where none has said it."""
        with self._lock:
            bucket = self._bucket(limit)
            return bucket.requests if bucket.is_told else None

    def allowed(self, limit: Limit) -> int:
        """Requests in a window that a limit allows, as far as answers have told."""
        with self._lock:
            return self._bucket(limit).requests


def _told_of(limit: Limit, plain: Quota, named: Mapping[str, Quota]) -> Quota:
    """What an answer says of a limit; the add-on, which raises several, shows in the account's alone, too."""
    quota = plain if limit.is_plain else named.get(limit.told_by or "", NOTHING)
    if quota == NOTHING and limit.high_volume is not None and (plain.limit or 0) >= HIGH_VOLUME:
        return Quota(limit.high_volume)
    return quota
