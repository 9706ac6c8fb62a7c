"""The exports of Chat: by time and id, of rows that were updated more than nothing ago."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from zendesk_support.simulator.clock import unix
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row
from zendesk_support.simulator.families.chat.place import address
from zendesk_support.simulator.server.messages import Refusal, Request
from zendesk_support.simulator.server.routes import Args

_LONGEST = 1000
_FIVE_MINUTES = 300
MICRO = 10**6
Key = tuple[int, str]


class Order:
    """What the export of agents' times goes by: when a span was updated, as documented, or when it began."""

    def __init__(self, store: Store) -> None:
        self.by_start = False


@dataclass(frozen=True)
class ChatExport:
    """One export.

    Attributes:
        stream: Whose rows it gives.
        key: Name of the array in the reply.
        time: The time that it goes by, in parts of a second.
        unit: How many of those parts a second has.
        name: Names a row among those of one time.
        goes_by_id: Whether a page begins after a row of its time; if not, it has all rows of that time again.
    """

    stream: str
    key: str
    time: Callable[[Store, Row], int]
    unit: int
    name: Callable[[Row], str]
    goes_by_id: bool = True

    def __call__(self, store: Store, request: Request, args: Args) -> dict[str, Any]:
        """Answer with what was updated at a time or later, and after a row of that time where one is named."""
        start, size = self._whole(request, "start_time", 0), self._whole(request, "limit", _LONGEST)
        if start > (store.now - _FIVE_MINUTES) * self.unit:
            raise _refused("start_time must be more than 5 minutes in the past")
        named = request.params.get("start_id", "") if self.goes_by_id else ""
        after, size = (start, named), min(size, _LONGEST)
        rows = [each for each in self._ordered(store) if each[0] > after or (not after[1] and each[0][0] == start)]
        shown = rows[:size]
        end, last = shown[-1][0] if shown else (start, named or None)
        whole = f"{self.key}(*)" in request.params.get("fields", "")
        query: dict[str, Any] = {"start_time": end, "limit": size}
        if self.goes_by_id:
            query["start_id"] = last or ""
        if "fields" in request.params:
            query["fields"] = request.params["fields"]
        return {
            self.key: [row if whole else {name: row[name] for name in ("id",) if name in row} for _, row in shown],
            "count": len(shown),
            "end_time": end,
            **({"end_id": last} if self.goes_by_id else {}),
            "next_page": f"{address(request)}?{urlencode(query)}",
        }

    def _ordered(self, store: Store) -> list[tuple[Key, Row]]:
        """Return all rows with what they are ordered by."""

        def make() -> list[tuple[Key, Row]]:
            return sorted(((self._key(store, row), row) for row in store.tables[self.stream]), key=lambda each: each[0])

        found: list[tuple[Key, Row]] = store.remember(("chat export", self.stream, store.part(Order).by_start), make)
        return found

    def _key(self, store: Store, row: Row) -> Key:
        return self.time(store, row), self.name(row)

    @staticmethod
    def _whole(request: Request, name: str, default: int) -> int:
        text = request.params.get(name, str(default))
        if not text.isdigit():
            raise _refused(f"{name} must be a number")
        return int(text)


def updated(store: Store, row: Row) -> int:
    """Return when a chat was updated, in seconds."""
    return unix(row["update_timestamp"])


def stood(store: Store, row: Row) -> int:
    """Return the end so far of a span of time, in microseconds, or its beginning where the account goes by that."""
    began, _, part = row["start_time"].removesuffix("Z").partition(".")
    at = unix(f"{began}Z") * MICRO + int(part)
    return at if store.part(Order).by_start else at + round(row["duration"] * MICRO)


def _refused(message: str) -> Refusal:
    return Refusal(400, {"error": "Bad Request", "message": message})
