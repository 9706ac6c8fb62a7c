"""Time as the server counts it."""

from __future__ import annotations

import threading
import time


class Clock:
    """Monotonic seconds, optionally faster than real time so that a simulated minute can be short."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def now(self) -> float:
        """Seconds since an arbitrary instant."""
        return time.monotonic() * self.scale

    def real(self, seconds: float) -> float:
        """Real seconds that `seconds` of this clock last."""
        return max(0.0, seconds) / self.scale

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        """Wait `seconds` of this clock, or until `stop` is set."""
        stop.wait(self.real(seconds))
