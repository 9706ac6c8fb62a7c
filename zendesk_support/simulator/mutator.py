"""Changes to the account by name, each at its own moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.change import SETTLE, Change, name_of
from zendesk_support.simulator.data.help_center import HelpCenter
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Table
from zendesk_support.simulator.kinds import Family, Kind, Mutation


class Mutator:
    """Applies mutations by name: those of the families, and three for the rows of any stream."""

    def __init__(self, store: Store, families: Iterable[Family]) -> None:
        self.store = store
        self._count = 0
        self._streams: dict[str, Kind] = {}
        self._mutations: dict[str, Mutation] = {
            "create_rows": self._create_rows,
            "update_rows": self._update_rows,
            "remove_rows": self._remove_rows,
        }
        for family in families:
            changing = [kind for kind in family.kinds if kind.row or kind.content or kind.create]
            self._streams.update({kind.name: kind for kind in changing})
            self._mutations.update(family.mutations)

    def kinds(self) -> list[str]:
        """Return the names of all mutations."""
        return sorted(self._mutations)

    def check(self, kind: str) -> None:
        """Fail for a mutation that does not exist."""
        if kind not in self._mutations:
            raise ValueError(f"unknown mutation {kind!r}; the mutations are {', '.join(self.kinds())}")

    def mutate(self, kind: str, params: dict[str, Any]) -> dict[str, Any]:
        """Move the clock, change the account, and move the clock again so that exports show the change.

        With `at_once` the clock stays as it is.
        """
        self.check(kind)
        options = dict(params)
        at_once = bool(options.pop("at_once", False))
        settle = bool(options.pop("settle", not at_once))
        store = self.store
        with store.lock:
            self._count += 1
            if not at_once:
                store.clock.advance(SETTLE)
            try:
                result = self._mutations[kind](Change(store, self._count), **options)
            finally:
                store.changed()
            if settle:
                store.clock.advance(SETTLE)
        return result

    def _stream(self, name: str) -> Kind:
        if name not in self._streams:
            raise ValueError(f"unknown stream {name!r}")
        return self._streams[name]

    def _place(self, kind: Kind, brand: int) -> tuple[Table, HelpCenter | None]:
        if kind.content is None:
            return self.store.tables[kind.name], None
        center = self.store.help_centers[brand]
        return center.tables[kind.name], center

    def _create_rows(self, change: Change, stream: str, count: int = 1, brand: int = 0) -> dict[str, Any]:
        kind = self._stream(stream)
        if kind.create:
            return kind.create(change, count=count)
        table, center = self._place(kind, brand)
        made = []
        for _ in range(count):
            row = change.clone(table)
            kind.cloned(change, row)
            made.append(name_of(row))
        if center:
            center.forget_children(stream)
        return {"ids": made}

    def _update_rows(self, change: Change, stream: str, count: int = 1, brand: int = 0) -> dict[str, Any]:
        kind = self._stream(stream)
        if kind.update:
            return kind.update(change, count=count)
        if kind.grows_only:
            raise ValueError(f"rows of {stream} never change; use create_rows")
        table, _ = self._place(kind, brand)
        chosen = change.sample(table.rids, count)
        for rid in chosen:
            row = table.change(rid, change.now)
            kind.altered(change, row)
            for column in ("updated_at", "edited_at"):
                if column in row:
                    row[column] = iso(change.now)
        return {"ids": [name_of(table.get(rid)) for rid in chosen]}

    def _remove_rows(
        self, change: Change, stream: str, count: int = 1, brand: int = 0, ids: Sequence[int] | None = None
    ) -> dict[str, Any]:
        kind = self._stream(stream)
        if kind.remove:
            return kind.remove(change, count=count)
        if kind.grows_only:
            raise ValueError(f"rows of {stream} never go")
        table, center = self._place(kind, brand)
        kept = kind.kept(self.store) if kind.kept else 0
        chosen = list(ids) if ids is not None else change.sample(table.rids[kept:], count)
        names = [name_of(table.get(rid)) for rid in chosen]
        for rid in chosen:
            kind.removed(change, table.get(rid))
            if center:
                center.remove(stream, rid)
            else:
                self._remove(stream, rid)
        return {"ids": names}

    def _remove(self, stream: str, rid: int) -> None:
        """Take out a row and those that go with it."""
        for each in self._streams.values():
            if each.parent and each.parent[0] == stream:
                rows = self.store.tables[each.name]
                for child in [other for other in rows.rids if rows.get(other)[each.parent[1]] == rid]:
                    self._remove(each.name, child)
        self.store.tables[stream].remove(rid)
