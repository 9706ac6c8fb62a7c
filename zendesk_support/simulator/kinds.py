"""What a family says of its streams: their rows, sizes, routes, gates, truth and changes, in one value each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import Change
from zendesk_support.simulator.data.help_center import Content
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row, Table
from zendesk_support.simulator.data.world import FIRST_ID, STEP, World, make_stamp
from zendesk_support.simulator.server.exports import Export
from zendesk_support.simulator.server.limits import EXPORTS, Limit
from zendesk_support.simulator.server.lists import Form, Listing
from zendesk_support.simulator.server.messages import Request, not_found
from zendesk_support.simulator.server.routes import Args, Route, Show
from zendesk_support.simulator.server.sideloads import Sideload

PLANS = ("team", "growth", "professional", "enterprise", "enterprise_plus")
COUNTED_AT_ONCE = 100_000
DAY = 86_400
Sizes = Mapping[str, int]
Size = int | Callable[[Sizes], int]
"""The number of rows, or how it follows from other numbers."""
Rids = Callable[[Store, Request, Args], Sequence[int]]
ShowRow = Callable[[Store, Request, int], Row]
Mutation = Callable[..., dict[str, Any]]
"""Makes a change, with parameters by name, and tells what it has struck."""


@dataclass(frozen=True)
class Gate:
    """The lowest plan that has a stream, and the status with which lower ones are refused."""

    since: str
    status: int = 403

    @property
    def lacking(self) -> tuple[str, ...]:
        """The plans that are refused."""
        return PLANS[: PLANS.index(self.since)]


def alter_text(change: Change, row: Row) -> None:
    """Alter the text that people read first."""
    change.alter_text(row)


def leave(change: Change, row: Row) -> None:
    """Leave a new row as it is."""


@dataclass(frozen=True)
class Kind:
    """One stream: everything the simulator knows of it.

    Attributes:
        name: Of the stream, its table, and its size.
        row: Makes a row of a table from its id.
        content: Makes rows of help centers, in place of `row`.
        size: The number of rows.
        rids: Their ids, where they are not consecutive.
        stamp: When a row was last updated, where that is not spread over the account's life.
        times: The times of all first rows in the order of their ids, where they are found faster together.
        base: The number below which no id lies, if it is not that of the name.
        step: The least distance of two ids.
        routes: Where it is read.
        gate: Which plans have it.
        parent: The stream whose rows its rows go with, and the column that names them.
        truth: The rows of a complete load, where they are not the table's.
        cloned: Completes a copy that `create_rows` has made.
        altered: Alters a row for `update_rows`.
        removed: Is told of a row before `remove_rows` takes it out.
        kept: The number of first rows that `remove_rows` never takes.
        grows_only: Whether rows never change and never go.
        create: Stands in for `create_rows`,
        update: for `update_rows`,
        remove: and for `remove_rows`.
    """

    name: str
    row: Callable[[World, int], Row] | None = None
    content: Content | None = None
    size: Size | None = None
    rids: Callable[[World], Iterable[int]] | None = None
    stamp: Callable[[World, int], int] | None = None
    times: Callable[[World], Iterable[int]] | None = None
    base: int | None = None
    step: int = STEP
    routes: tuple[Route, ...] = ()
    gate: Gate | None = None
    parent: tuple[str, str] | None = None
    truth: Callable[[Store], Iterable[Row]] | None = None
    cloned: Callable[[Change, Row], None] = leave
    altered: Callable[[Change, Row], None] = alter_text
    removed: Callable[[Change, Row], None] = leave
    kept: Callable[[Store], int] | None = None
    grows_only: bool = False
    create: Mutation | None = None
    update: Mutation | None = None
    remove: Mutation | None = None

    def table(self, world: World) -> Table:
        """Return its table."""
        assert self.row is not None
        stamp = _bound(world, self.stamp) if self.stamp else make_stamp(world, self.name)
        rids = partial(self.rids, world) if self.rids else world.rids(self.name)
        times = partial(self.times, world) if self.times else None
        base = FIRST_ID[self.name] if self.base is None else self.base
        return Table(self.name, rids, _bound(world, self.row), stamp=stamp, times=times, base=base, step=self.step)

    def rows(self, store: Store) -> Iterable[Row]:
        """Return the rows of a complete load made now."""
        if self.truth is not None:
            return self.truth(store)
        return self._contents(store) if self.content else iter(store.tables[self.name])

    def _contents(self, store: Store) -> Iterator[Row]:
        for center in store.help_centers:
            for rid in center.tables[self.name].rids:
                yield {**center.present(self.name, rid), "brand_id": center.brand_id}


def _bound(world: World, make: Callable[[World, int], Any]) -> Callable[[int], Any]:
    return partial(make, world)


@dataclass(frozen=True)
class Family:
    """Streams that belong together.

    Attributes:
        name: What `Simulator(without=...)` calls it.
        kinds: Its streams.
        routes: Paths that belong to none of them.
        sizes: Numbers that are no stream's, by the name under which they can be given.
        ids: Names of objects with ids of their own that are in no table.
        mutations: Changes by name, besides those of the streams.
    """

    name: str
    kinds: tuple[Kind, ...]
    routes: tuple[Route, ...] = ()
    sizes: Mapping[str, Size] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    mutations: Mapping[str, Mutation] = field(default_factory=dict)

    def all_routes(self) -> Iterator[Route]:
        """Yield the routes of its streams and its own."""
        for kind in self.kinds:
            yield from kind.routes
        yield from self.routes


def listed(
    stream: str,
    path: str = "",
    key: str = "",
    *,
    rids: Rids | None = None,
    row: ShowRow | None = None,
    order: str = "id",
    paging: str = "both",
    sorts: tuple[str, ...] = (),
    sideloads: Mapping[str, Sideload] | None = None,
    lasting: bool = True,
    empty_end: bool = False,
    links: str = "full",
    most: int | None = None,
    form: Form | None = None,
    params: tuple[str, ...] = (),
    limits: tuple[Limit, ...] = (),
    **more: Any,
) -> Route:
    """Return the route of a list; path and key are the stream's name unless they are given.

    Args:
        stream: Its name.
        path: Below /api/v2.
        key: Name of the array in the reply.
        rids: The rows it shows, if not the whole table.
        row: A row as it shows it, if not the table's.
        order: As in `Listing`, and so are
        paging: this,
        sorts: this,
        sideloads: this,
        lasting: this,
        empty_end: this,
        links: this,
        most: this,
        form: and this.
        params: What it may be asked besides.
        limits: What counts its requests besides the general limit.
        more: Anything else of the route.
    """
    listing = Listing(
        key or stream,
        rids or (lambda store, request, args: store.tables[stream].rids),
        row or (lambda store, request, rid: store.tables[stream].get(rid)),
        order=order,
        paging=paging,
        sorts=sorts,
        sideloads=sideloads or {},
        lasting=lasting,
        empty_end=empty_end,
        links=links,
        most=most,
        form=form,
    )
    given = {"name": stream, "stream": stream, **more}
    return Route(path=f"/api/v2/{path or stream}", listing=listing, params=params, limits=limits, **given)


def plain(
    name: str,
    make: Callable[[World, int], Row],
    size: Size,
    path: str = "",
    key: str = "",
    *,
    gate: Gate | None = None,
    count: bool = False,
    more: Mapping[str, Any] | None = None,
    **listing: Any,
) -> Kind:
    """Return a stream with one list that shows its whole table.

    Args:
        name: The stream's.
        make: Makes a row from its id.
        size: The number of rows.
        path: Below /api/v2, if it is not the name.
        key: Name of the array in the reply, if it is not the name.
        gate: Which plans have it.
        count: Whether there is a path that counts the rows.
        more: Anything else of the `Kind`.
        listing: Anything else of the list, as in `listed`.
    """
    routes = [listed(name, path, key, **listing)]
    if count:
        routes.append(counted(name, path or name, lambda store, _: len(store.tables[name])))
    return Kind(name, row=make, size=size, gate=gate, routes=tuple(routes), **(more or {}))


def below(
    name: str,
    make: Callable[[World, int], Row],
    size: Size,
    path: str,
    key: str,
    *,
    parent: tuple[str, str],
    gate: Gate | None = None,
    more: Mapping[str, Any] | None = None,
    **listing: Any,
) -> Kind:
    """Return a stream with one list for each row of another stream, whose rows do not say which it is.

    Args:
        name: The stream's.
        make: Makes a row from its id.
        size: The number of rows.
        path: Below /api/v2; the parent's id is what it names first.
        key: Name of the array in the reply.
        parent: The other stream, and the column that a complete load adds.
        gate: Which plans have it.
        more: Anything else of the `Kind`.
        listing: Anything else of the list, as in `listed`.
    """
    parents, column = parent

    def rids(store: Store, request: Request, args: Args) -> Sequence[int]:
        rid = int(args[0]) if args[0].isdigit() else 0
        if rid not in store.tables[parents]:
            raise not_found()
        rows = store.tables[name]
        return store.listing((name, rid), lambda: (each for each in rows.rids if rows.get(each)[column] == rid))

    def row(store: Store, request: Request, rid: int) -> Row:
        return {key: value for key, value in store.tables[name].get(rid).items() if key != column}

    route = listed(name, path, key, rids=rids, row=row, **listing)
    return Kind(name, row=make, size=size, gate=gate, parent=parent, routes=(route,), **(more or {}))


def counted(
    stream: str, path: str, count: Callable[[Store, Request], int], params: tuple[str, ...] = (), **more: Any
) -> Route:
    """Return the route that counts a list's rows."""
    given = {"name": f"{stream}_count", "stream": stream, **more}
    return Route(path=f"/api/v2/{path}/count", show=_counter(count), kind="count", params=params, **given)


def exported(name: str, path: str, export: Export, *, by_cursor: bool = False, limit: Limit = EXPORTS) -> Route:
    """Return the route of an incremental export."""
    return Route(
        name,
        f"/api/v2/incremental/{path}",
        export=export,
        by_cursor=by_cursor,
        limits=(limit,),
        stream=export.key,
        kind="incremental",
        admins=True,
    )


def shown(name: str, path: str, show: Show, **more: Any) -> Route:
    """Return the route of an answer that is neither a list nor an export."""
    return Route(name, f"/api/v2/{path}", show=show, **{"kind": "show", **more})


def count_of(store: Store, value: int) -> dict[str, Any]:
    """Return the reply that tells a number counted now."""
    return {"count": {"value": value, "refreshed_at": iso(store.now)}}


def _counter(count: Callable[[Store, Request], int]) -> Show:
    """Return a reply that counts rows; beyond 100,000 a count is made in the background and holds for a day."""

    def show(store: Store, request: Request, args: Args) -> dict[str, Any]:
        value, at = count(store, request), store.now
        if value > COUNTED_AT_ONCE:
            path = request.path.removesuffix(".json")
            known = store.counts.get(path)
            if known is None or at - known[1] > DAY:
                store.counts[path] = (value, at)
                return {"count": {"value": COUNTED_AT_ONCE, "refreshed_at": None}}
            value, at = known
        return {"count": {"value": value, "refreshed_at": iso(at)}}

    return show


class SizesOf(Mapping[str, int]):
    """Numbers of rows: those that are given, and the others as they follow from them."""

    def __init__(self, rules: Mapping[str, Size], given: Sizes) -> None:
        self._rules = rules
        self._known = dict(given)

    def __getitem__(self, name: str) -> int:
        if name not in self._known:
            rule = self._rules[name]
            self._known[name] = rule if isinstance(rule, int) else rule(self)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)
