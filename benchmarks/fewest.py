"""The fewest requests that a sync of a simulated account can do with, counted in the account's rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from zendesk_support.reading.base import Endpoint
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.time_export import TimeExport
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
            endpoint, in_guide = stream.feeds[0].endpoint, stream.key[0] == "brand_id"
            is_filtered = isinstance(endpoint, CursorExport | TimeExport | LogListing) or getattr(
                endpoint, "window", None
            )
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
        endpoint = CATALOGUE[name].feeds[0].endpoint
        sharing = next(other for other, stream in CATALOGUE.items() if stream.feeds[0].endpoint == endpoint)
        if sharing != name:
            return 0
        if is_below(endpoint):
            if name in self.lacking:
                return 0
            if endpoint.counted:
                return self.voted[name]
            return self.rows["articles" if "articles" in endpoint.path else "posts"].total()
        if name in self.lacking:
            return 1
        return sum(self.pages(name).values())

    def pages(self, name: str) -> dict[int, int]:
        """Pages of a list or export by brand, of which each must be known before the next can be asked for."""
        endpoint, rows = CATALOGUE[name].feeds[0].endpoint, self.rows[name]
        if isinstance(endpoint, CursorExport):
            return {0: math.ceil(rows[0] / 1000) or 1}
        if isinstance(endpoint, TimeExport):
            # A page begins with the last row of the one before; without `end_of_stream` an answer that brings
            # nothing else is the end.
            return {0: max(1, math.ceil((rows[0] - 1) / 999)) + (0 if endpoint.ends or not rows[0] else 1)}
        if is_of_brand(endpoint):
            return {brand: math.ceil(rows[brand] / 100) or 1 for brand in self.rows["articles"]}
        if getattr(endpoint, "envelope", None) == ONE_ANSWER:
            return {0: 1}
        # A feed without a filter ends with the first row that is known.
        known = isinstance(endpoint, LogListing) and not self.first
        return {0: math.ceil((rows[0] + known) / 100) or 1}

    def chain(self, name: str, latency: Mapping[str, float]) -> float:
        """Seconds that a stream's requests take one after the other, where each needs what the last one brought."""
        if name in self.lacking or not self.requests(name):
            return 0.0
        endpoint = CATALOGUE[name].feeds[0].endpoint
        if is_below(endpoint):
            above = next(other for other, stream in CATALOGUE.items() if stream.feeds[0].endpoint == endpoint.parents)
            return self.chain(above, latency) + latency["list"]
        page = latency["incremental" if isinstance(endpoint, CursorExport | TimeExport) else "list"]
        brands = latency["list"] if is_of_brand(endpoint) else 0.0
        return brands + max(self.pages(name).values()) * page

    def side_by_side(self, name: str) -> int:
        """How many of a stream's requests can be under way at a time."""
        requests = self.requests(name)
        if is_below(CATALOGUE[name].feeds[0].endpoint) or name in self.lacking:
            return requests
        return len(self.pages(name)) if requests else 0


def buckets(name: str) -> list[str]:
    """The limits that count a stream's requests, as the simulator calls them."""
    endpoint = CATALOGUE[name].feeds[0].endpoint
    if isinstance(endpoint, Below):
        return ["help_center"]
    return [BUCKETS[spec.name] for spec in getattr(endpoint, "limits", ())] or ["account"]


def is_below(endpoint: Endpoint) -> bool:
    """Whether it sends a request for each article, post or comment."""
    return isinstance(endpoint, Below) and not endpoint.is_long


def is_of_brand(endpoint: Endpoint) -> bool:
    """Whether it is a list of each brand's help center."""
    return isinstance(endpoint, Below) and endpoint.is_long


def moment(value: Any) -> float:
    """A time column as Unix seconds; a row without one counts always."""
    return unix(value) if isinstance(value, str) else math.inf if value is None else value


def tally(votes: list[dict[str, Any]]) -> Votes:
    """Number and sum of votes by parent."""
    by_parent: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in votes:
        by_parent[row["brand_id"], row["item_id"]].append(row["value"])
    return {parent: (len(values), sum(values)) for parent, values in by_parent.items()}
