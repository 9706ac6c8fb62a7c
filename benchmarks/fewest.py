"""The fewest requests that a sync of a simulated account can do with, counted in the account's rows."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from zendesk_support.reading.base import Endpoint
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import AfterLastRow, Pages
from zendesk_support.reading.exports import CursorExport
from zendesk_support.reading.lists import Listing
from zendesk_support.reading.log import LogListing
from zendesk_support.reading.reread import RereadListing
from zendesk_support.reading.time_export import TimeExport
from zendesk_support.reading.token_export import TokenExport
from zendesk_support.simulator.account import PLAN_GATES
from zendesk_support.simulator.clock import unix
from zendesk_support.streams import CATALOGUE
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
}
"""The simulator's names of our buckets."""
SHORT_PAGES = {"side_conversation_events": 100}
"""Exports whose pages the simulator ends after so many rows."""
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
        asked: requests of streams that ask for what hangs below each row of another, but for help centers.
        streams: that are read.
    """

    first: bool
    lacking: frozenset[str]
    rows: dict[str, Counter[int]]
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
            since: when it did: exports and filtered lists leave out what is older.
            streams: those that are read.
        """
        streams = tuple(streams)
        lacking = frozenset(name for name, (_, plans) in PLAN_GATES.items() if plan in plans)
        rows: dict[str, Counter[int]] = {}
        votes: dict[str, Votes] = {}
        for name in streams:
            stream = CATALOGUE[name]
            columns = ["brand_id", "item_id", "value", "expires_at", str(stream.cursor)]
            listed = [] if name in lacking else account.truth(name, columns)
            endpoint, in_guide = stream.feeds[0].endpoint, stream.key[0] == "brand_id"
            is_filtered = isinstance(endpoint, CursorExport | TimeExport | LogListing) or getattr(
                endpoint, "window", None
            )
            rows[name] = Counter(
                row["brand_id"] if in_guide else 0
                for row in listed
                if not is_filtered or moment(row[str(stream.cursor)] or row["expires_at"]) >= since
            )
            if name.endswith("_votes"):
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

    def pages(self, name: str) -> dict[int, int]:
        """Pages of a list or export by brand, of which each must be known before the next can be asked for."""
        endpoint, rows = CATALOGUE[name].feeds[0].endpoint, self.rows[name]
        if isinstance(endpoint, CursorExport):
            return {0: math.ceil(rows[0] / 1000) or 1}
        if isinstance(endpoint, TimeExport):
            # A page begins with the last row of the one before; without `end_of_stream` an answer that brings
            # nothing else is the end.
            most = SHORT_PAGES.get(name, 1000)
            return {0: max(1, math.ceil((rows[0] - 1) / (most - 1))) + (0 if endpoint.ends or not rows[0] else 1)}
        if is_of_brand(endpoint):
            return {brand: math.ceil(rows[brand] / 100) or 1 for brand in self.rows["articles"]}
        if isinstance(endpoint, TokenExport):
            return {0: 1 + (math.ceil(rows[0] / 100) if self.first else 1)}
        if isinstance(endpoint, RereadListing | Listing):
            size = endpoint.envelope.size if isinstance(endpoint.envelope, Pages | AfterLastRow) else math.inf
            return {0: math.ceil(rows[0] / size) or 1}
        # A feed without a filter ends with the first row that is known.
        known = isinstance(endpoint, LogListing) and not self.first
        return {0: math.ceil((rows[0] + known) / 100) or 1}

    def chain(self, name: str, latency: Mapping[str, float]) -> float:
        """Seconds that a stream's requests take one after the other, where each needs what the last one brought."""
        if name in self.lacking or not self.requests(name):
            return 0.0
        endpoint = CATALOGUE[name].feeds[0].endpoint
        if is_below(endpoint):
            read = (other for other in self.streams if CATALOGUE[other].feeds[0].endpoint == endpoint.parents)
            above = next(read, None)
            return (self.chain(above, latency) if above else latency["list"]) + latency["list"]
        page = latency["incremental" if isinstance(endpoint, CursorExport | TimeExport) else "list"]
        brands = latency["list"] if is_of_brand(endpoint) else 0.0
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
    if isinstance(endpoint, Below) and endpoint.path.startswith(("help_center", "community")):
        return ["help_center"]
    return [BUCKETS[spec.name] for spec in getattr(endpoint, "limits", ())] or ["account"]


def is_below(endpoint: Endpoint) -> bool:
    """Whether it sends a request for each article, post or comment."""
    return isinstance(endpoint, Below) and not endpoint.is_long


def is_of_brand(endpoint: Endpoint) -> bool:
    """Whether it is a list of each brand's help center."""
    return isinstance(endpoint, Below) and endpoint.is_long


def rows_of(account: Simulated, since: float, stream: str) -> int:
    """How many rows a list has."""
    return len(account.truth(stream, ["id"]))


def tickets_with_news(account: Simulated, since: float) -> int:
    """Tickets of which the export of side conversations has an event."""
    events = account.truth("side_conversation_events", ["ticket_id", "created_at"])
    return len({event["ticket_id"] for event in events if moment(event["created_at"]) >= since})


def message_pages(account: Simulated, since: float) -> int:
    """Pages of the conversations of messaging tickets that have changed."""
    messages = Counter(row["ticket_id"] for row in account.truth("conversation_log_events", ["ticket_id"]))
    tickets = account.truth("tickets", ["id", "from_messaging_channel", "generated_timestamp", "status"])
    changed = [row for row in tickets if row["generated_timestamp"] >= since and row["status"] != "deleted"]
    return sum(math.ceil(messages[row["id"]] / 100) or 1 for row in changed if row["from_messaging_channel"])


def record_pages(account: Simulated, since: float) -> int:
    """Pages of the exports of all custom objects."""
    changed = Counter(
        row["custom_object_key"]
        for row in account.truth("custom_object_records", ["custom_object_key", "updated_at"])
        if moment(row["updated_at"]) >= since
    )
    keys = [row["key"] for row in account.truth("custom_objects", ["key"])]
    return sum(math.ceil(changed[key] / 1000) or 1 for key in keys)


def skill_pages(account: Simulated, since: float) -> int:
    """Pages of agents, and of the skills of each batch of them."""
    agents = [row["id"] for row in account.truth("users", ["id", "role", "active"]) if is_agent(row)]
    skills = Counter(row["agent_id"] for row in account.truth("agent_attribute_values", ["agent_id"]))
    batches = [agents[low : low + 100] for low in range(0, len(agents), 100)]
    return len(batches) + sum(math.ceil(sum(skills[agent] for agent in batch) / 100) or 1 for batch in batches)


def is_agent(user: Mapping[str, Any]) -> bool:
    """Whether the list of agents has a user."""
    return bool(user["active"]) and user["role"] != "end-user"


ASKED = {
    "schedule_holidays": partial(rows_of, stream="schedules"),
    "custom_object_fields": partial(rows_of, stream="custom_objects"),
    "csat_surveys": lambda account, since: 2,  # the account's language, and the list in it
    "side_conversations": tickets_with_news,
    "conversation_log_events": message_pages,
    "custom_object_records": record_pages,
    "agent_attribute_values": skill_pages,
}
"""Streams that ask below each row of another, and how many requests they need."""


def moment(value: Any) -> float:
    """A time column as Unix seconds; a row without one counts always."""
    return unix(value) if isinstance(value, str) else math.inf if value is None else value


def tally(votes: list[dict[str, Any]]) -> Votes:
    """Number and sum of votes by parent."""
    by_parent: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in votes:
        by_parent[row["brand_id"], row["item_id"]].append(row["value"])
    return {parent: (len(values), sum(values)) for parent, values in by_parent.items()}
