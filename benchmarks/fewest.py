"""The fewest requests that a sync of a simulated account can do with, counted in the account's rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from zendesk_support.reading.kinds import (
    CursorExport,
    HelpCenterChildren,
    HelpCenterListing,
    LogListing,
    TimeExport,
)
from zendesk_support.simulator.account import PLAN_GATES
from zendesk_support.simulator.clock import unix
from zendesk_support.streams import CATALOGUE

BUCKETS = {
    "account": "account",
    "help center": "help_center",
    "incremental exports": "incremental_exports",
    "users export": "incremental_exports_cursor",
    "deleted tickets": "deleted_tickets",
}
"""The simulator's names of our buckets."""
Votes = dict[tuple[int, int], tuple[int, int]]


class Simulated(Protocol):
    """A simulated account, in this process or in another."""

    def truth(self, stream: str, columns: list[str] | None = None) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Needed:
    """What a sync has to read.

    Attributes:
        first: nothing was loaded before.
        lacking: streams that the plan refuses.
        rows: rows that the requests of a stream must bring, by stream and brand (0 outside of help centers).
        votes: number and sum of votes by stream and parent.
        voted: parents whose votes must be read, by stream.
    """

    first: bool
    lacking: frozenset[str]
    rows: dict[str, Counter[int]]
    votes: dict[str, Votes]
    voted: dict[str, int]

    @classmethod
    def of(cls, account: Simulated, plan: str, before: Needed | None = None, since: float = 0) -> Needed:
        """Look at an account.

        Args:
            account: as it is now.
            plan: what it can do.
            before: what the last sync has read, and
            since: when it did: exports and filtered lists leave out what is older.
        """
        lacking = frozenset(name for name, (_, plans) in PLAN_GATES.items() if plan in plans)
        rows: dict[str, Counter[int]] = {}
        votes: dict[str, Votes] = {}
        for name, stream in CATALOGUE.items():
            columns = ["brand_id", "item_id", "value", str(stream.cursor)]
            listed = [] if name in lacking else account.truth(name, columns)
            reader, in_guide = stream.feeds[0].reader, stream.key[0] == "brand_id"
            is_filtered = isinstance(reader, CursorExport | TimeExport | LogListing) or getattr(reader, "window", None)
            rows[name] = Counter(
                row["brand_id"] if in_guide else 0
                for row in listed
                if not is_filtered or moment(row[str(stream.cursor)]) >= since
            )
            if name.endswith("_votes"):
                votes[name] = tally(listed)
        old = before.votes if before else {}
        voted = {
            name: sum(old.get(name, {}).get(parent) != found for parent, found in by_parent.items())
            for name, by_parent in votes.items()
        }
        return cls(before is None, lacking, rows, votes, voted)

    def requests(self, name: str) -> int:
        """Pages that the rows fill; a pass that streams share counts for its first stream."""
        reader = CATALOGUE[name].feeds[0].reader
        sharing = next(other for other, stream in CATALOGUE.items() if stream.feeds[0].reader == reader)
        if sharing != name:
            return 0
        if isinstance(reader, HelpCenterChildren):
            if name in self.lacking:
                return 0
            if reader.counted:
                return self.voted[name]
            return self.rows["articles" if "articles" in reader.path else "posts"].total()
        if name in self.lacking:
            return 1
        return sum(self.pages(name).values())

    def pages(self, name: str) -> dict[int, int]:
        """Pages of a list or export by brand, of which each must be known before the next can be asked for."""
        reader, rows = CATALOGUE[name].feeds[0].reader, self.rows[name]
        if isinstance(reader, CursorExport):
            return {0: math.ceil(rows[0] / 1000) or 1}
        if isinstance(reader, TimeExport):
            # A page begins with the last row of the one before; without `end_of_stream` an answer that brings
            # nothing else is the end.
            return {0: max(1, math.ceil((rows[0] - 1) / 999)) + (0 if reader.ends or not rows[0] else 1)}
        if isinstance(reader, HelpCenterListing):
            return {brand: math.ceil(rows[brand] / 100) or 1 for brand in self.rows["articles"]}
        if not getattr(reader, "paged", True):
            return {0: 1}
        # A feed without a filter ends with the first row that is known.
        known = isinstance(reader, LogListing) and not self.first
        return {0: math.ceil((rows[0] + known) / 100) or 1}

    def chain(self, name: str, latency: Mapping[str, float]) -> float:
        """Seconds that a stream's requests take one after the other, where each needs what the last one brought."""
        if name in self.lacking or not self.requests(name):
            return 0.0
        reader = CATALOGUE[name].feeds[0].reader
        if isinstance(reader, HelpCenterChildren):
            above = next(other for other, stream in CATALOGUE.items() if stream.feeds[0].reader == reader.parents)
            return self.chain(above, latency) + latency["list"]
        page = latency["incremental" if isinstance(reader, CursorExport | TimeExport) else "list"]
        brands = latency["list"] if isinstance(reader, HelpCenterListing) else 0.0
        return brands + max(self.pages(name).values()) * page

    def side_by_side(self, name: str) -> int:
        """How many of a stream's requests can be under way at a time."""
        requests = self.requests(name)
        if isinstance(CATALOGUE[name].feeds[0].reader, HelpCenterChildren) or name in self.lacking:
            return requests
        return len(self.pages(name)) if requests else 0


def buckets(name: str) -> list[str]:
    """The limits that count a stream's requests, as the simulator calls them."""
    reader = CATALOGUE[name].feeds[0].reader
    if isinstance(reader, HelpCenterListing | HelpCenterChildren):
        return ["help_center"]
    return [BUCKETS[spec.name] for spec in getattr(reader, "buckets", ())] or ["account"]


def moment(value: Any) -> float:
    """A time column as Unix seconds; a row without one counts always."""
    return unix(value) if isinstance(value, str) else math.inf if value is None else value


def tally(votes: list[dict[str, Any]]) -> Votes:
    """Number and sum of votes by parent."""
    by_parent: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in votes:
        by_parent[row["brand_id"], row["item_id"]].append(row["value"])
    return {parent: (len(values), sum(values)) for parent, values in by_parent.items()}
