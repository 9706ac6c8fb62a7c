"""The fewest requests that a sync of a simulated account can do with, counted in the account's rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asked import ASKED, EXPORT_PAGE, PAGE, Simulated, moment, pages_of

from zendesk_support.reading.base import Endpoint
from zendesk_support.reading.below import Below
from zendesk_support.reading.chat_export import ChatExport
from zendesk_support.reading.each_export import EachExport
from zendesk_support.reading.envelopes import Pages
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.from_id import ListingFromId
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.parents import DAY
from zendesk_support.reading.readings import Readings
from zendesk_support.reading.reread import RereadListing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.reading.token_export import TokenExport
from zendesk_support.simulator.account import PLAN_GATES
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Stream
from zendesk_support.streams.selection import default_streams

BUCKETS = {
    "account": "account",
    "help center": "help_center",
    "incremental exports": "incremental_exports",
    "users export": "incremental_exports_cursor",
    "deleted tickets": "deleted_tickets",
    "side conversations": "side_conversations",
    "webhooks": "webhooks",
    "agent availabilities": "agent_availabilities",
    "guide": "guide",
    "access logs": "access_logs",
    "chat": "chat",
    "talk": "talk",
    "talk exports": "talk_exports",
    "talk queue": "talk_queue",
}
"""The simulator's names of our buckets."""
GENERAL = ("account", "help_center", "guide", "chat", "webhooks", "access_logs")
"""Those of which one, and no other, counts any request."""
ELSEWHERE = {"csat_surveys": "account"}
"""Streams of whose requests another limit counts one: for the account's languages."""
SHORT_PAGES = {"side_conversation_events": 100, "approval_requests": 5, "routing_instance_value_events": 100}
"""Streams whose pages the simulator ends after so many rows, as no documentation says how long they are."""
ANSWERED_FOR = 28 * DAY
"""How long before `expires_at` a survey was sent."""
EXPORTS = (CursorExport, TimeExport, TokenExport, ChatExport, EachExport)
Votes = dict[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Needed:
    """What a sync has to read.

    Attributes:
        first: nothing was loaded before.
        lacking: streams that the plan refuses.
        rows: rows that the requests of a stream must bring, by stream, and by brand or by the list of an answer.
        votes: number and sum of votes by stream and parent.
        voted: parents whose votes must be read, by stream.
        asked: requests of streams that ask for what hangs below each row of another, but for help centers.
        streams: that are read.
    """

    first: bool
    lacking: frozenset[str]
    rows: dict[str, Counter[Any]]
    votes: dict[str, Votes]
    voted: dict[str, int]
    asked: dict[str, int]
    streams: tuple[str, ...]

    @classmethod
    def of(
        cls,
        account: Simulated,
        plan: str,
        before: Needed | None = None,
        since: float = 0,
        streams: Iterable[str] = default_streams(),
    ) -> Needed:
        """Look at an account.

        Args:
            account: as it is now.
            plan: what it can do.
            before: what the last sync has read, and
            since: when it did: exports and filtered lists leave out what is older, but for days that are read again.
            streams: those that are read.
        """
        streams = tuple(streams)
        lacking = frozenset(name for name, (_, plans) in PLAN_GATES.items() if plan in plans)
        rows: dict[str, Counter[Any]] = {}
        votes: dict[str, Votes] = {}
        for name in streams:
            stream = CATALOGUE[name]
            endpoint, part = stream.feeds[0].endpoint, part_column(stream)
            columns = ["brand_id", "item_id", "value", "expires_at", str(stream.cursor), part]
            listed = [] if name in lacking else account.truth(name, columns)
            oldest = since_of(endpoint, since)
            rows[name] = Counter(row[part] for row in listed if time_of(row, stream.cursor) >= oldest)
            if getattr(endpoint, "counted", False):
                votes[name] = tally(listed)
        old = before.votes if before else {}
        voted = {
            name: sum(old.get(name, {}).get(parent) != found for parent, found in by_parent.items())
            for name, by_parent in votes.items()
        }
        asked = {name: count(account, since) for name, count in ASKED.items() if name in streams}
        return cls(before is None, lacking, rows, votes, voted, asked, streams)

    def requests(self, name: str) -> int:
        """Pages that the rows fill; a pass that streams share counts for its first stream."""
        endpoint = CATALOGUE[name].feeds[0].endpoint
        sharing = next(other for other in self.streams if CATALOGUE[other].feeds[0].endpoint == endpoint)
        if sharing != name:
            return 0
        if name in self.asked:
            return 0 if name in self.lacking else self.asked[name]
        if is_below(endpoint):
            if name in self.lacking:
                return 0
            if endpoint.counted:
                return self.voted[name]
            return self.rows["articles" if "articles" in endpoint.path else "posts"].total()
        if name in self.lacking:
            return 1
        return sum(self.pages(name).values())

    def pages(self, name: str) -> dict[Any, int]:
        """Pages of a list or export by brand, of which each must be known before the next can be asked for."""
        endpoint, rows = CATALOGUE[name].feeds[0].endpoint, self.rows[name]
        if is_of_brand(endpoint):
            size = size_of(name)
            return {brand: pages_of(rows[brand] or rows[str(brand)], size) for brand in self.rows["articles"]}
        # Lists that stand side by side in one answer are as long as the longest of them.
        longest = max(rows.values(), default=0)
        # Without a mark, an answer that brings nothing else is the end.
        end = 1 if longest and is_unmarked(endpoint) else 0
        if isinstance(endpoint, TimeExport):  # a page begins with the last row of the one before
            return {0: max(1, math.ceil((longest - 1) / (size_of(name) - 1))) + end}
        if isinstance(endpoint, ChatExport):  # a page that is not full is the last
            return {0: longest // EXPORT_PAGE + 1}
        # A feed without a filter ends with the first row that is known.
        known = isinstance(endpoint, LogListing) and not self.first
        return {0: pages_of(longest + known, size_of(name)) + end}

    def chain(self, name: str, latency: Mapping[str, float]) -> float:
        """Seconds that a stream's requests take one after the other, where each needs what the last one brought."""
        if name in self.lacking or not self.requests(name):
            return 0.0
        endpoint = CATALOGUE[name].feeds[0].endpoint
        page = latency["incremental" if isinstance(endpoint, EXPORTS) else "list"]
        if name in self.asked or is_below(endpoint):
            parents = getattr(endpoint, "parents", None)
            read = (other for other in self.streams if CATALOGUE[other].feeds[0].endpoint == parents)
            above = next(read, None)
            return (self.chain(above, latency) if above else latency["list"]) + page
        brands = latency["list"] if isinstance(endpoint, Below) else 0.0
        return brands + max(self.pages(name).values()) * page

    def side_by_side(self, name: str) -> int:
        """How many of a stream's requests can be under way at a time."""
        requests = self.requests(name)
        if name in self.asked or is_below(CATALOGUE[name].feeds[0].endpoint) or name in self.lacking:
            return requests
        return len(self.pages(name)) if requests else 0


def buckets(name: str) -> list[str]:
    """The limits that count a stream's requests, as the simulator calls them."""
    endpoint = CATALOGUE[name].feeds[0].endpoint
    asked = endpoint.child if isinstance(endpoint, Below) else endpoint
    asked = endpoint.export if isinstance(endpoint, EachExport) else asked
    return [BUCKETS[limit.name] for limit in asked.limits]


def is_below(endpoint: Endpoint) -> bool:
    """Whether it sends a request for each article, post or comment."""
    return isinstance(endpoint, Below) and not endpoint.is_long and not endpoint.parents.is_few


def is_of_brand(endpoint: Endpoint) -> bool:
    """Whether it is a list of each brand's help center."""
    return isinstance(endpoint, Below) and endpoint.is_long


def is_unmarked(endpoint: Endpoint) -> bool:
    """Whether no answer says that it is the last."""
    return isinstance(endpoint, TokenExport | ListingFromId) or (isinstance(endpoint, TimeExport) and not endpoint.ends)


def listing_of(endpoint: Endpoint) -> Any:
    """What its pages are of."""
    if isinstance(endpoint, Below):
        return endpoint.child
    return endpoint.listing if isinstance(endpoint, Readings) else endpoint


def size_of(name: str) -> float:
    """Rows of a full page; an answer that holds all of them has no size."""
    endpoint = CATALOGUE[name].feeds[0].endpoint
    if name in SHORT_PAGES:
        return SHORT_PAGES[name]
    if isinstance(endpoint, EXPORTS):
        return EXPORT_PAGE
    listing = listing_of(endpoint)
    if isinstance(listing, ListingFromId):
        return listing.size
    envelope = getattr(listing, "envelope", Pages(PAGE))
    return envelope.size if isinstance(envelope, Pages) else math.inf


def part_column(stream: Stream) -> str:
    """The column that tells apart what is asked for apart: brands, or lists that stand side by side in an answer."""
    envelope = getattr(listing_of(stream.feeds[0].endpoint), "envelope", None)
    if is_of_brand(stream.feeds[0].endpoint) or stream.key[0] == "brand_id":
        return "brand_id"
    return getattr(envelope, "column", "") if getattr(envelope, "lists", None) else ""


def since_of(endpoint: Endpoint, since: float) -> float:
    """The second from which on a sync needs a stream's rows, where the last one was at another; 0 for all of them."""
    if isinstance(endpoint, RereadListing):
        return max(0.0, since - endpoint.days * DAY)
    is_filtered = isinstance(endpoint, (*EXPORTS, LogListing)) or getattr(endpoint, "window", None)
    return since if is_filtered else 0.0


def time_of(row: Mapping[str, Any], cursor: str | None) -> float:
    """When a row was changed, or sent where it is a survey."""
    sent = row["expires_at"]
    if row[str(cursor)] is None and sent is not None:
        return moment(sent) - ANSWERED_FOR
    return moment(row[str(cursor)])


def tally(votes: list[dict[str, Any]]) -> Votes:
    """Number and sum of votes by parent."""
    by_parent: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in votes:
        by_parent[row["brand_id"], row["item_id"]].append(row["value"])
    return {parent: (len(values), sum(values)) for parent, values in by_parent.items()}
