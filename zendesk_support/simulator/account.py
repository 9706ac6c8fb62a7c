"""The account: all families together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from zendesk_support.simulator.clock import Clock
from zendesk_support.simulator.data.help_center import MOST, HelpCenter
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row, copy_row
from zendesk_support.simulator.data.world import World, check_disjoint
from zendesk_support.simulator.families import FAMILIES
from zendesk_support.simulator.kinds import PLANS, Family, SizesOf
from zendesk_support.simulator.server.routes import Routes

__all__ = ["FAMILIES", "PLANS", "PLAN_GATES", "Account", "sizes_of"]

PLAN_GATES: dict[str, tuple[int, tuple[str, ...]]] = {
    kind.name: (kind.gate.status, kind.gate.lacking) for family in FAMILIES for kind in family.kinds if kind.gate
}
"""Which streams a plan lacks, and with which status Zendesk says so."""


class Account(Store):
    """All data of one Zendesk account, and the paths it is read by.

    Args:
        clock: Its time.
        seed: Decides its content together with the sizes and the time.
        plan: What it may use.
        tickets: Number of tickets.
        sizes: Other numbers, in place of those that follow.
        role: Who asks.
        gates: Status by stream or route, besides what the plan lacks.
        without: Names of families whose paths it has not.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int,
        plan: str,
        tickets: int,
        sizes: dict[str, int],
        role: str = "admin",
        gates: dict[str, int] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        if plan not in PLANS:
            raise ValueError(f"unknown plan {plan!r}; the plans are {', '.join(PLANS)}")
        if role not in ("admin", "agent"):
            raise ValueError(f"role must be 'admin' or 'agent', got {role!r}")
        unknown = set(without) - {family.name for family in FAMILIES}
        if unknown:
            known = ", ".join(family.name for family in FAMILIES)
            raise ValueError(f"unknown family {sorted(unknown)}; the families are {known}")
        super().__init__(clock, World(seed, int(clock.now()), sizes_of(tickets, sizes), plan), role)
        plan_gates = {name: status for name, (status, plans) in PLAN_GATES.items() if plan in plans}
        self.gates = {**plan_gates, **(gates or {})}
        self.families = tuple(family for family in FAMILIES if family.name not in without)
        self.routes = Routes(chain.from_iterable(family.all_routes() for family in self.families))
        self._kinds = {kind.name: kind for family in self.families for kind in family.kinds}
        kinds = [kind for family in FAMILIES for kind in family.kinds]
        check_disjoint([*(kind.name for kind in kinds), *(name for family in FAMILIES for name in family.ids)])
        self.tables = {kind.name: kind.table(self.world) for kind in kinds if kind.row}
        contents = [kind.content for kind in kinds if kind.content]
        centers = range(self.sizes["help_centers"])
        self.help_centers = [HelpCenter(self.world, number, contents) for number in centers]

    def streams(self) -> list[str]:
        """Return the names `truth` knows."""
        return sorted(self._kinds)

    def truth(self, stream: str) -> Iterator[Row]:
        """Yield every row a complete load has now."""
        if stream not in self._kinds:
            raise ValueError(f"unknown stream {stream!r}; the streams are {', '.join(self.streams())}")
        return (copy_row(row) for row in self._kinds[stream].rows(self))


def sizes_of(tickets: int, given: dict[str, int], families: tuple[Family, ...] = FAMILIES) -> dict[str, int]:
    """Return the number of rows of every kind, scaled from the number of tickets."""
    if not 1 <= tickets <= 1_000_000:
        raise ValueError(f"tickets must lie between 1 and 1,000,000, got {tickets}")
    rules = {"tickets": tickets, **{name: size for family in families for name, size in family.sizes.items()}}
    rules |= {kind.name: kind.size for family in families for kind in family.kinds if kind.size is not None}
    unknown = set(given) - set(rules)
    if unknown:
        raise ValueError(f"unknown size {sorted(unknown)}; the sizes are {', '.join(rules)}")
    sizes = dict(SizesOf(rules, given))
    if sizes["agents"] >= sizes["users"]:
        raise ValueError("an account needs more users than agents")
    if sizes["events_per_ticket"] > 8:
        raise ValueError("events_per_ticket goes up to 8")
    if sizes["help_centers"] > MOST:
        raise ValueError(f"help_centers goes up to {MOST}")
    return sizes
