"""When a request is sent again, and when it is given up."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from zendesk_support.api.clock import Clock
from zendesk_support.api.request import Trouble, Usage
from zendesk_support.errors import Cancelled, TransientError

MAX_BACKOFF = 60.0
"""Seconds between two tries at most, where Zendesk does not ask for more."""
LONGEST_PAUSE = 300.0
"""Seconds for which a 429 stops a limit for all streams; what it asks for beyond, its own request waits alone."""
SHAPE_TRIES = 4
"""So often is asked for an answer whose fault will most likely come again."""
TOKEN_TRIES = 5
"""So often is asked again when another thread's renewal has ended a token under way."""


class Retry(Exception):
    """The request is to be sent again.

    Attributes:
        pause: seconds to wait before.
        ready_in: seconds until it can go: if that is after the deadline, it is given up; None for at once.
        is_failure: it counts as a retry and is shown as trouble; limits and tokens are not the request's fault.
    """

    def __init__(self, pause: float = 0.0, ready_in: float | None = None, *, is_failure: bool = False) -> None:
        super().__init__()
        self.pause = pause
        self.ready_in = ready_in
        self.is_failure = is_failure


@dataclass
class Attempts:
    """How often one request was sent in vain, and until when it is tried.

    Attributes:
        route: for messages.
        usage: counts what it costs.
        lasts: seconds for which it is tried (`retry_deadline`); waiting for a window is not counted.
        stop: ends all waiting.
        said: why the last try was in vain.
    """

    route: str
    usage: Usage
    lasts: float
    clock: Clock
    stop: threading.Event
    said: str | None = None
    _deadline: float | None = None
    _failures: int = 0
    _refusals: int = 0
    _ended_tokens: int = 0
    _has_renewed: bool = False
    _has_confirmed: bool = False

    def begin(self) -> None:
        """Let the time run, from the first call on."""
        if self._deadline is None:
            self._deadline = self.clock.now() + self.lasts

    @property
    def deadline(self) -> float:
        """When it is given up, in seconds of the clock."""
        self.begin()
        assert self._deadline is not None
        return self._deadline

    @property
    def patience(self) -> float:
        """Seconds that are left."""
        return self.deadline - self.clock.now()

    def extend(self, seconds: float) -> None:
        """Waiting for a window of a limit is not counted."""
        self._deadline = self.deadline + seconds

    def failed(self, reason: str, pause: float | None = None) -> Retry:
        """It went wrong in a way that may pass: wait as asked, or longer with each failure."""
        self._failures += 1
        return self._after(reason, backoff(self._failures) if pause is None else pause)

    @property
    def is_enough(self) -> bool:
        """Whether one more fault is enough, if it is of those that will most likely come again."""
        return self._failures + 1 >= SHAPE_TRIES

    def limited(self, reason: str, asked: float) -> Retry:
        """A limit refused it; one that is refused again lets others go first."""
        self.said = reason
        self._refusals += 1
        longer = backoff(self._refusals - 1) if self._refusals > 1 else 0.0
        return Retry(max(0.0, asked - LONGEST_PAUSE) + longer, asked + longer)

    def confirm(self, reason: str) -> Retry | None:
        """Ask about a refusal once more; None where that was done."""
        if self._has_confirmed:
            return None
        self._has_confirmed = True
        return self._after(reason, backoff(1))

    def token_ended(self) -> Retry | None:
        """Another thread's renewal ended its token under way; None where that happened too often."""
        self._ended_tokens += 1
        return Retry() if self._ended_tokens <= TOKEN_TRIES else None

    def renew(self, renew: Callable[[], bool]) -> Retry | None:
        """Get a new token, once; None where there is none to get."""
        if self._has_renewed or not renew():
            return None
        self._has_renewed = True
        return Retry()

    def wait(self, retry: Retry, longest: float) -> None:
        """Wait before the next try; a failure is waited for `longest` seconds at most.

        Raises:
            TransientError: the next try would begin after the deadline.
            Cancelled: the run is over.
        """
        pause, ready_in = retry.pause, retry.ready_in
        if retry.is_failure:
            pause = ready_in = min(pause, longest)
        if ready_in is None:
            return
        if self.clock.now() + ready_in > self.deadline:
            raise self.gave_up(self.said or "no answer")
        if retry.is_failure:
            self.usage.retries += 1
            since = self.usage.trouble.since if self.usage.trouble is not None else self.clock.now()
            self.usage.trouble = Trouble(self.said or "", since, self.deadline)
        self.usage.waited += pause
        self.clock.sleep(pause, self.stop)
        if self.stop.is_set():
            raise Cancelled

    def gave_up(self, reason: str) -> TransientError:
        """The error of a request that was tried for long enough."""
        return TransientError(
            f"{self.route}: no usable answer within retry_deadline = {self.lasts:g} s; "
            f'the last was "{reason}". What was loaded is kept: run again, or raise retry_deadline.'
        )

    def _after(self, reason: str, pause: float) -> Retry:
        self.said = reason
        return Retry(pause, pause, is_failure=True)


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(2.0 ** (failures - 1), MAX_BACKOFF) * random.uniform(0.5, 1)
