"""What an account holds: its tables, its help centers, and what was found in them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from zendesk_support.simulator.clock import Clock
from zendesk_support.simulator.data.help_center import HelpCenter
from zendesk_support.simulator.data.table import Table
from zendesk_support.simulator.data.world import World

LARGE = 5000
Part = TypeVar("Part")


class Store:
    """All data of one Zendesk account, at every moment of its clock.

    Attributes:
        lock: Held while rows are read or changed.
        version: Moves on with every change.
        plan: What the account may use.
        role: Who asks: "admin" or "agent".
        gates: The status with which a stream or route is refused.
        brand_urls: Where a brand's help center answers, by the brand's id.
        counts: Counts made in the background, and when, by path.
    """

    def __init__(self, clock: Clock, world: World, role: str = "admin") -> None:
        self.clock = clock
        self.world = world
        self.plan = world.plan
        self.sizes = world.sizes
        self.role = role
        self.lock = threading.RLock()
        self.version = 0
        self.gates: dict[str, int] = {}
        self.tables: dict[str, Table] = {}
        self.help_centers: list[HelpCenter] = []
        self.brand_urls: dict[int, str] = {}
        self.counts: dict[str, tuple[int, int]] = {}
        self._listings: dict[object, list[int]] = {}
        self._found: dict[object, Any] = {}
        self._parts: dict[object, Any] = {}

    @property
    def now(self) -> int:
        """The account's time in whole seconds."""
        return int(self.clock.now())

    @property
    def is_small(self) -> bool:
        """Whether pages are made faster than they are looked up."""
        return self.sizes["tickets"] < LARGE and self.sizes["users"] < LARGE

    def part(self, made_from: Callable[[Store], Part]) -> Part:
        """Return what a family keeps beside its tables, made when it is first asked for."""
        if made_from not in self._parts:
            self._parts[made_from] = made_from(self)
        found: Part = self._parts[made_from]
        return found

    def changed(self) -> None:
        """Note that rows have changed."""
        self.version += 1
        self._listings.clear()
        self._found.clear()

    def listing(self, key: object, choose: Callable[[], Iterable[int]]) -> list[int]:
        """Return the rows a list shows, found again only after a change."""
        found = self._listings.get(key)
        if found is None:
            found = self._listings[key] = list(choose())
        return found

    def remember(self, key: object, make: Callable[[], Any]) -> Any:
        """Return anything found from the rows, found again only after a change."""
        if key not in self._found:
            self._found[key] = make()
        return self._found[key]
