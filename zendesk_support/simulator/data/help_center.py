"""Help centers: one per brand that has one, each with its own rows of every kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zendesk_support.simulator.data.table import Row, Table
from zendesk_support.simulator.data.world import BLOCK, FIRST_ID, HOST, STEP, World

MOST = 10
"""How many help centers an account may have: each has its part of a table's ids."""


@dataclass(frozen=True)
class Content:
    """One kind of row in a help center.

    Attributes:
        name: Of its table.
        row: Makes a row from the help center and its id.
        parent: The kind that its parents are of, and the column that names the parent.
        votes: The kind that its votes are of.
        comments: The kind that its comments are of, where a row says how many it has.
        early: Whether its rows are as old as the help center.
        told: A row as it is told, where that follows from its parent.
        shared: The number of first rows whose ids all help centers have in common.
    """

    name: str
    row: Callable[[HelpCenter, int], Row]
    parent: tuple[str, str] | None = None
    votes: str = ""
    comments: str = ""
    early: bool = False
    shared: int = 0
    told: Callable[[HelpCenter, Row], Row] | None = None


class HelpCenter:
    """One brand's help center."""

    def __init__(self, world: World, brand_number: int, contents: Sequence[Content]) -> None:
        self.world = world
        self.brand_number = brand_number
        self.brand_id = world.rid("brands", brand_number)
        self.offset = brand_number * (BLOCK // MOST)
        self.contents = {content.name: content for content in contents}
        self.sizes = {name: max(1, world.sizes[name] // (1 + brand_number)) for name in self.contents}
        self.tables = {name: self._table(content) for name, content in self.contents.items()}
        self._children: dict[str, dict[int, list[int]]] = {}

    def parent(self, kind: str, row: Row) -> int:
        """Return the parent's id of a row."""
        place = self.contents[kind].parent
        assert place is not None
        return int(row[place[1]])

    def parents_of(self, kind: str) -> str:
        """Return the kind that a kind's parents are of."""
        place = self.contents[kind].parent
        assert place is not None
        return place[0]

    def children(self, kind: str, parent: int) -> list[int]:
        """Return the ids of a parent's rows."""
        known = self._children.get(kind)
        if known is None:
            known = {}
            for rid in self.tables[kind].rids:
                known.setdefault(self.parent(kind, self.tables[kind].get(rid)), []).append(rid)
            self._children[kind] = known
        return known.get(parent, [])

    def forget_children(self, kind: str) -> None:
        """Have the children of a kind looked up again."""
        self._children.pop(kind, None)

    def remove(self, kind: str, rid: int) -> None:
        """Take out a row and what hangs on it."""
        for each, content in self.contents.items():
            if content.parent and content.parent[0] == kind:
                for row in list(self.children(each, rid)):
                    self.remove(each, row)
        self.tables[kind].remove(rid)
        self.forget_children(kind)

    def rid(self, kind: str, number: int) -> int:
        """Return the id of the n-th row."""
        is_shared = number < self.contents[kind].shared
        return FIRST_ID[kind] + (0 if is_shared else self.offset) + (number + 1) * STEP

    def number(self, kind: str, rid: int) -> int:
        """Return the position of a row from its id."""
        number = (rid - FIRST_ID[kind]) // STEP - 1
        return number if number < self.contents[kind].shared else (rid - FIRST_ID[kind] - self.offset) // STEP - 1

    def _table(self, content: Content) -> Table:
        kind = content.name
        rids = [self.rid(kind, number) for number in range(self.sizes[kind])]
        return Table(
            kind,
            rids,
            lambda rid: content.row(self, rid),
            stamp=lambda rid: self.times(kind, rid)[1],
            base=FIRST_ID[kind],
        )

    def seed(self, rid: int) -> int:
        """Return the bits from which a row is made."""
        return self.world.mix(rid + self.brand_number * 7_777_777, 70)

    def times(self, kind: str, rid: int) -> tuple[int, int]:
        """Return when a row was created and last updated."""
        number = self.number(kind, rid)
        if self.contents[kind].early:
            created = self.world.first + number * 600
        else:
            created = self.world.spread(number + self.brand_number * 13, self.sizes[kind] + 26)
        return created, self.world.later(number + self.brand_number * 1009, created, 60 * 86400)

    def base(self, kind: str, rid: int, path: str) -> tuple[int, int, Row]:
        """Return a row's position, its bits, and the columns that nearly all kinds have."""
        created, updated = self.times(kind, rid)
        row: Row = {
            "id": rid,
            "url": f"{HOST}/api/v2/{path}/{rid}.json",
            "html_url": f"{HOST}/hc/en-us/{path.rsplit('/', 1)[-1]}/{rid}",
            **self.world.stamps(created, updated),
        }
        return self.number(kind, rid), self.seed(rid), row

    def present(self, kind: str, rid: int) -> Row:
        """Return a row as the API gives it, with its votes and comments counted."""
        row, content = self.tables[kind].get(rid), self.contents[kind]
        counted: dict[str, Any] = {}
        if content.told:
            return content.told(self, row)
        if content.votes:
            votes = self.tables[content.votes]
            values = [votes.get(vote)["value"] for vote in self.children(content.votes, rid)]
            counted = {"vote_sum": sum(values), "vote_count": len(values)}
        if content.comments:
            counted["comment_count"] = len(self.children(content.comments, rid))
        return {**row, **counted} if counted else row
