"""One client's requests and Zendesk's counting of them, in simulated time and one thread."""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

from zendesk_support.api.clock import Clock
from zendesk_support.api.limits import Limit
from zendesk_support.api.rate_limiter import Permit, RateLimiter
from zendesk_support.simulator.limits import AsEndpoint, Buckets, default_limits, headers
from zendesk_support.simulator.limits import Limit as ServerLimit

START = 1_000_000.0
LONG = ServerLimit(30, 600, name="long", tell=AsEndpoint("per-ticket-updates"))
COUNTED = {
    "account": "account",
    "help center": "help_center",
    "incremental exports": "incremental_exports",
    "users export": "incremental_exports_cursor",
    "deleted tickets": "deleted_tickets",
}


class Traffic(Clock):
    """A rate limiter whose requests are counted by the simulator's own limits.

    Args:
        limits: requests a minute by bucket of the simulator, or requests and seconds.
        window: "fixed" or "sliding".
        style: spelling of the headers.
        share: the part of each limit to use.
        latency: seconds a request takes, more or less.
        phase: seconds between the start of a fixed window and the first request.
        also: buckets that count each request though only answers tell of them.
    """

    def __init__(
        self,
        limits: dict[str, int | tuple[int, int]],
        window: str = "fixed",
        style: str = "new",
        share: float = 1.0,
        latency: float = 0.2,
        phase: float = 0.0,
        also: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.time = START - START % 60 + phase
        self.started = self.time
        self.latency = latency
        self.style = style
        self.limiter = RateLimiter(self, share)
        given = {name: limit if isinstance(limit, tuple) else (limit, 60) for name, limit in limits.items()}
        known = {**default_limits("enterprise"), "long": LONG}
        counted = {
            name: replace(known.get(name, ServerLimit(0, name=name)), total=total, period=seconds)
            for name, (total, seconds) in given.items()
        }
        self.server = Buckets(counted, window)
        self.also, self.route = also, "route"
        self.counted: list[float] = []
        self.refused = 0
        self.in_flight = 0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._dice = random.Random(1)
        self._stop = threading.Event()

    def now(self) -> float:
        return self.time

    def real(self, seconds: float) -> float:
        """Let the time pass, or the part of it up to the next event."""
        until = self.time + seconds
        if self._due and self._due[0][0] <= until:
            self.time, _, happen = heapq.heappop(self._due)
            happen()
        else:
            assert until < float("inf"), "waits for an answer that nobody will give"
            self.time = until
        return 0.0

    def send(self, *specs: Limit, times: int = 1, workers: int = 1) -> None:
        """Send requests, up to `workers` at a time, and wait for their answers."""
        for _ in range(times):
            while self.in_flight >= workers:
                self.real(float("inf"))
            permit = self.limiter.acquire(self.route, specs, self._stop)
            self.in_flight += 1
            self._at(self._way(), lambda permit=permit: self._count(permit, specs))
        while self.in_flight:
            self.real(float("inf"))

    def at(self, second: float, happen: Callable[[], object]) -> None:
        """Let something happen some seconds after the start."""
        heapq.heappush(self._due, (self.started + second, next(self._order), happen))

    def pass_time(self, seconds: float) -> None:
        """Send nothing for a while."""
        self.time += seconds

    @property
    def elapsed(self) -> float:
        return self.time - self.started

    def _way(self) -> float:
        return self.latency / 2 * self._dice.uniform(0.8, 1.2)

    def _at(self, seconds: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.time + seconds, next(self._order), happen))

    def _count(self, permit: Permit, specs: Iterable[Limit]) -> None:
        states = []
        for name in (
            *(name for spec in specs if (name := COUNTED.get(spec.name, spec.name)) in self.server.limits),
            *self.also,
        ):
            states.append(self.server.take(name, self.time))
            if not states[-1].allowed:
                break
        self.counted.append(self.time)
        allowed = states[-1].allowed
        self._at(self._way(), lambda: self._answer(permit, dict(headers(states, self.style)), allowed, states))

    def _answer(self, permit: Permit, given: dict[str, str], allowed: bool, states: list) -> None:
        self.in_flight -= 1
        self.limiter.settle(permit, given)
        if not allowed:
            self.refused += 1
            body = b"incremental export" if states[-1].bucket.startswith("incremental") else b""
            self.limiter.pause(permit, states[-1].resets, given, body=body)


def most_in_a_minute(times: list[float]) -> int:
    """The largest number of requests counted within any 60 seconds."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 60:
            first += 1
        most = max(most, last - first + 1)
    return most
