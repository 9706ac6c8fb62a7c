"""Request budgets: one bucket per limit Zendesk counts, paced so that a lone client meets no 429.

A bucket trusts the server's own count (`remaining`, `reset`) where an answer carries it. Where it does not, the bucket
keeps a log of the last minute's requests, which is safe for fixed and for sliding windows alike.
See https://developer.zendesk.com/api-reference/introduction/rate-limits/
"""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zendesk_support.clock import Clock
from zendesk_support.errors import Cancelled

WINDOW = 60.0
HIGH_VOLUME = 2500


@dataclass(frozen=True)
class BucketSpec:
    """A limit that Zendesk documents, in requests a minute."""

    name: str
    limit: int
    high_volume: int
    header: str | None = None


ACCOUNT = BucketSpec("account", 200, HIGH_VOLUME)
HELP_CENTER = BucketSpec("help center", 200, HIGH_VOLUME)
EXPORTS = BucketSpec("incremental exports", 10, 30, "incrementalexports")
USERS_EXPORT = BucketSpec("users export", 20, 60, "incrementalexportscursor")
DELETED_TICKETS_LIST = BucketSpec("deleted tickets", 10, 10, "deletedtickets")
TICKET_AUDITS_LIST = BucketSpec("ticket audits", 500, 500, "ticketaudits")


@dataclass(frozen=True)
class Quota:
    """What an answer's headers say of one window."""

    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None


class Bucket:
    """One limit's window. Not thread-safe: `Budget` holds the lock."""

    def __init__(self, name: str, limit: int, share: float, *, probing: bool) -> None:
        self.name = name
        self.limit = limit
        self.share = share
        self.probing = probing
        self.in_flight = 0
        self.paused_until = 0.0
        self.taken: deque[float] = deque()
        self.remaining: int | None = None
        self.resets_at: float | None = None
        self.window_started = -math.inf
        self.fixed_window = False

    @property
    def allowance(self) -> int:
        """Requests a minute that this client may use."""
        return max(1, math.floor(self.limit * self.share))

    def ready_at(self, now: float) -> float:
        """The time at which one more request may go; `inf` while an answer must come first."""
        if now < self.paused_until:
            return self.paused_until
        if self.resets_at is not None and now >= self.resets_at:
            self._start_window(now)
        while self.taken and self.taken[0] <= now - WINDOW:
            self.taken.popleft()
        if self.probing and self.in_flight:
            return math.inf
        if self.remaining is not None and self.remaining <= 0:
            if self.resets_at is not None:
                return self.resets_at
            self.remaining = None
            return self.taken[0] + WINDOW if self.taken else now + 1
        server_counts = self.fixed_window or (self.remaining is not None and self.resets_at is not None)
        if len(self.taken) >= self.allowance and not (self.share == 1 and (server_counts or self.probing)):
            return self.taken[0] + WINDOW
        return now

    def _start_window(self, now: float) -> None:
        """The server's window is over: a fixed one starts full, of any other kind one answer must tell."""
        self.window_started = now
        self.resets_at = None
        if self.fixed_window:
            self.remaining = self.limit - self.in_flight
            self.taken.clear()
        else:
            self.remaining = None
            self.probing = True

    def take(self, now: float) -> None:
        """Count one request as sent."""
        self.taken.append(now)
        self.in_flight += 1
        if self.remaining is not None:
            self.remaining -= 1

    def give_back(self) -> None:
        """A request came back without an answer."""
        self.in_flight -= 1

    def learn(self, quota: Quota, sent: float, now: float) -> None:
        """Correct the count by what the server said."""
        self.in_flight -= 1
        self._counted_late(sent, now)
        if quota.limit:
            self.limit = quota.limit
        if sent < self.window_started:
            return
        if quota.remaining is not None and quota.resets_in is not None:
            self._learn_window(quota.remaining, quota.resets_in, now)
        elif quota.remaining is not None:
            self.remaining = quota.remaining
        if quota.limit:
            self.probing = False

    def _learn_window(self, remaining: int, resets_in: float, now: float) -> None:
        if self.probing and self.window_started > 0:
            self.fixed_window = remaining >= self.limit - 2
        # Whole seconds, rounded either way: one more is always past the reset.
        resets_at = now + resets_in + 1
        self.resets_at = resets_at if self.resets_at is None else min(self.resets_at, resets_at)
        known = remaining if self.probing or self.remaining is None else self.remaining
        self.remaining = min(known, remaining)

    def _counted_late(self, sent: float, now: float) -> None:
        """Let the log hold the latest time at which the server can have counted the request."""
        if sent in self.taken:
            self.taken.remove(sent)
            self.taken.append(now)

    def pause(self, until: float) -> None:
        """Zendesk said 429: nobody uses this bucket before `until`."""
        self.paused_until = max(self.paused_until, until)
        self.remaining = self.resets_at = None
        self.fixed_window = False
        self.probing = True


class Budget:
    """All buckets of one account, shared by every thread that sends requests."""

    def __init__(self, clock: Clock, share: float) -> None:
        self._clock = clock
        self._share = share
        self._buckets: dict[str, Bucket] = {}
        self._by_route: dict[str, dict[str, Bucket]] = {}
        self._changed = threading.Condition()
        self.waited: dict[str, float] = defaultdict(float)

    def acquire(self, route: str, specs: Iterable[BucketSpec], stop: threading.Event) -> Ticket:
        """Wait until every bucket of the request has room, then take one from each.

        Returns:
            The permit; its `waited` is in seconds of the account's clock.

        Raises:
            Cancelled: the run ended while waiting.
        """
        started = self._clock.now()
        with self._changed:
            buckets = [self._bucket(spec) for spec in specs]
            while True:
                if stop.is_set():
                    raise Cancelled
                now = self._clock.now()
                learned = [b for b in self._by_route.get(route, {}).values() if b not in buckets]
                wanted = (*buckets, *learned)
                ready, last = max((bucket.ready_at(now), i) for i, bucket in enumerate(wanted))
                if ready <= now:
                    for bucket in wanted:
                        bucket.take(now)
                    return Ticket(route, wanted, now, now - started)
                self._changed.wait(min(self._clock.real(ready - now), 0.5))
                self.waited[wanted[last].name] += self._clock.now() - now

    def _bucket(self, spec: BucketSpec) -> Bucket:
        name = spec.header or spec.name
        if name not in self._buckets:
            probing = spec.header is None
            self._buckets[name] = Bucket(spec.name, self._documented(spec), self._share, probing=probing)
        return self._buckets[name]

    def _documented(self, spec: BucketSpec) -> int:
        account = self._buckets.get(ACCOUNT.name)
        high_volume = account is not None and account.limit >= HIGH_VOLUME
        return spec.high_volume if high_volume and spec.header else spec.limit

    def settle(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        """Give the permit back with what the answer's headers say."""
        account, endpoints = read_quota(headers)
        with self._changed:
            now = self._clock.now()
            for name, quota in endpoints.items():
                if name not in self._buckets:
                    limit = quota.limit or ACCOUNT.limit
                    self._buckets[name] = Bucket(name, limit, self._share, probing=False)
                bucket = self._buckets[name]
                if bucket not in ticket.buckets:
                    bucket.in_flight += 1
                    self._by_route.setdefault(ticket.route, {})[name] = bucket
                    bucket.learn(quota, ticket.sent, now)
            for name, bucket in self._buckets.items():
                if bucket in ticket.buckets:
                    general = bucket.name in (ACCOUNT.name, HELP_CENTER.name)
                    quota = account if general else endpoints.get(name, Quota())
                    if quota == Quota():
                        quota = Quota(limit=self._inferred(name, bucket, account))
                    bucket.learn(quota, ticket.sent, now)
            self._changed.notify_all()

    def _inferred(self, name: str, bucket: Bucket, account: Quota) -> int:
        """The limit of an export whose answer names only the account's: the add-on raises both."""
        if (account.limit or 0) >= HIGH_VOLUME:
            for spec in (EXPORTS, USERS_EXPORT):
                if spec.header == name:
                    return spec.high_volume
        return bucket.limit

    def abandon(self, ticket: Ticket) -> None:
        """Give the permit back without an answer."""
        with self._changed:
            for bucket in ticket.buckets:
                bucket.give_back()
            self._changed.notify_all()

    def pause(self, ticket: Ticket, seconds: float, *, account_wide: bool) -> None:
        """Stop the bucket that said 429 for `seconds`, and no other."""
        bucket = ticket.buckets[0] if account_wide else ticket.buckets[-1]
        with self._changed:
            bucket.pause(self._clock.now() + seconds)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let waiting threads look at the stop flag."""
        with self._changed:
            self._changed.notify_all()


@dataclass(frozen=True, eq=False)
class Ticket:
    """The right to send one request."""

    route: str
    buckets: tuple[Bucket, ...]
    sent: float
    waited: float


_WORDS = re.compile(r"[^a-z]")
_FIELD = re.compile(r"(\w+)\s*=\s*([\d.]+)")


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
            fields = {key: float(number) for key, number in _FIELD.findall(value)}
            if "remaining" in fields:
                endpoints[name.removeprefix("zendeskratelimit")] = Quota(
                    int(fields["total"]) if "total" in fields else None,
                    int(fields["remaining"]),
                    fields.get("resets"),
                )
            continue
        bare = name.removeprefix("x")
        key = {
            "ratelimit": "limit",
            "ratelimitlimit": "limit",
            "ratelimitremaining": "remaining",
            "ratelimitreset": "reset",
        }.get(bare)
        if key is None:
            continue
        try:
            number = float(value)
        except ValueError:
            continue
        general[key] = min(number, general[key]) if key == "remaining" and key in general else number
    account = Quota(
        int(general["limit"]) if "limit" in general else None,
        int(general["remaining"]) if "remaining" in general else None,
        general.get("reset"),
    )
    return account, endpoints
