"""A path of the API: how it answers, what it may be asked, and which limits count it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.server.auth import resource_of
from zendesk_support.simulator.server.exports import Export
from zendesk_support.simulator.server.limits import ACCOUNT, HELP_CENTER, Limit
from zendesk_support.simulator.server.lists import Listing
from zendesk_support.simulator.server.messages import Refusal, Request

Args = tuple[str, ...]
Show = Callable[[Store, Request, Args], dict[str, Any] | list[Any]]
_GUIDE = ("/api/v2/help_center", "/api/v2/community")
_PLACE = re.compile(r"\{[a-z_]+\}")
_PAGING = ("page", "per_page", "page[size]", "page[after]", "page[before]", "sort", "sort_by", "sort_order")
_EXPORT = (
    "start_time",
    "cursor",
    "per_page",
    "exclude_deleted",
    "support_type_scope",
    "include_changes",
)


@dataclass(frozen=True)
class Route:
    """One path. One of `listing`, `export` and `show` says how it answers.

    Attributes:
        name: What requests, faults and gates call it.
        path: A regular expression, with `{name}` for a part that names something.
        listing: The list it gives.
        export: The export it gives,
        by_cursor: and whether it is the one by cursor.
        show: Any other answer.
        limits: What counts its requests besides the general limit.
        deep: What else counts requests for pages beyond a number.
        general: The general limit, where it is not that of the account or of its help centers.
        params: What it may be asked, besides what all lists or exports may.
        stream: The stream whose gate it shares.
        kind: Its class for `latency`: incremental, list, show or count.
        admins: Whether only admins may ask.
        anonymous: Whether it answers also without good credentials.
        scope: What a token's scope calls it, where its path does not say so.
        refused: What is said where the plan or the role lacks it, from the status, if not what most say.
    """

    name: str
    path: str
    listing: Listing | None = None
    export: Export | None = None
    by_cursor: bool = False
    show: Show | None = None
    limits: tuple[Limit, ...] = ()
    deep: tuple[int, Limit] | None = None
    general: Limit | None = None
    params: tuple[str, ...] = ()
    stream: str = ""
    kind: str = "list"
    admins: bool = False
    anonymous: bool = False
    scope: str = ""
    refused: Callable[[int], Refusal] | None = None
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(_PLACE.sub(r"([^/]+)", self.path)))

    @property
    def help_center(self) -> bool:
        """Whether the path belongs to a brand's help center."""
        return self.path.startswith(_GUIDE)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The parameters it knows."""
        return (*(_EXPORT if self.export else ()), *(_PAGING if self.listing else ()), "include", *self.params)

    def counted_by(self, request: Request) -> tuple[Limit, ...]:
        """Return the limits that count a request."""
        page = request.params.get("page", "0")
        is_deep = self.deep is not None and page.isdigit() and int(page) > self.deep[0]
        deep = (self.deep[1],) if self.deep and is_deep else ()
        return (self.general or general_limit(request.path), *self.limits, *deep)

    def scope_of(self, request: Request) -> str:
        """Return the resource that a token's scope must hold."""
        return self.scope or resource_of(request.path)


def general_limit(path: str) -> Limit:
    """Return the limit that counts any request for a path."""
    return HELP_CENTER if path.startswith(_GUIDE) else ACCOUNT


class Routes:
    """All paths of an account."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.all = tuple(routes)
        self._exact = {route.path: route for route in reversed(self.all) if route.path == re.escape(route.path)}
        self._others = [route for route in self.all if route.path not in self._exact]

    def find(self, path: str) -> tuple[Route | None, Args]:
        """Return the route of a path, and what the path names; a path without a name comes first."""
        path = path.removesuffix(".json")
        route = self._exact.get(path)
        if route is not None:
            return route, ()
        for other in self._others:
            found = other.pattern.fullmatch(path)
            if found:
                return other, found.groups()
        return None, ()

    def limits(self) -> list[Limit]:
        """Return every limit that some route names."""
        named = [limit for route in self.all for limit in (route.general, *route.limits, *(route.deep or ())[1:])]
        return [ACCOUNT, HELP_CENTER, *(limit for limit in named if isinstance(limit, Limit))]
