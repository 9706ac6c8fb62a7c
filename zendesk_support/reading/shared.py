"""What several readers of one run need of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from zendesk_support.reading.parents import Parents


class Shared:
    """Answers that several readers of one run need: read once, kept for the run.

    Attributes:
        before: the server's time before the run, if that is known.
        plain: paths of lists that refuse to be asked for more than their own rows.
    """

    def __init__(self, before: float | None = None) -> None:
        self.before = before
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._values: dict[str, Any] = {}
        self._parents: dict[str, Parents] = {}
        self.plain: set[str] = set()

    def parents(self, path: str) -> Parents:
        """The rows that the list at `path` has shown so far to those that hang below it."""
        with self._lock:
            return self._parents.setdefault(path, Parents(path))

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The value of `make`, which only the first caller runs."""
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._values:
                self._values[name] = make()
            return self._values[name]
