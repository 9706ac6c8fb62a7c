"""Rows of one kind: made on demand from their number, kept once somebody changes them."""

from __future__ import annotations

import copy
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from typing import Any

Row = dict[str, Any]
MEMO_LIMIT = 20_000
_LOW = 0xFFFFFFFF
_PART = 1 << 16


def copy_row(row: Row) -> Row:
    """Return a copy that shares nothing with the original."""
    return copy.deepcopy(row)


class Table:
    """Rows by an internal number (`rid`, Zendesk's id wherever the id is an integer).

    Rows that nobody changed are made again each time they are asked for: a million of them cost 8 bytes each.
    `index` orders the rows by time and rid for the exports: each entry is ``time << 32 | rid - base``.
    """

    def __init__(
        self,
        name: str,
        rids: Iterable[int] | Callable[[], Iterable[int]],
        make: Callable[[int], Row],
        *,
        stamp: Callable[[int], int] | None = None,
        times: Callable[[], Iterable[int]] | None = None,
        base: int = 0,
        step: int = 16,
    ) -> None:
        self.name = name
        self._first = rids
        self.base = base
        self.step = step
        self.rows: dict[int, Row] = {}
        self._changed: set[int] = set()
        self._make = make
        self._stamp = stamp
        self._times = times
        self._stamps: dict[int, int] = {}
        self._index: array[int] | None = None
        self._top = 0

    @cached_property
    def rids(self) -> array[int]:
        """The rows' numbers in order, found when they are first asked for."""
        found = self._first() if callable(self._first) else self._first
        return found if isinstance(found, array) else array("q", found)

    @cached_property
    def _memo(self) -> bool:
        return len(self.rids) <= MEMO_LIMIT

    def __len__(self) -> int:
        return len(self.rids)

    def __contains__(self, rid: object) -> bool:
        if not isinstance(rid, int):
            return False
        at = bisect_left(self.rids, rid)
        return at < len(self.rids) and self.rids[at] == rid

    def __iter__(self) -> Iterator[Row]:
        return (self.get(rid) for rid in self.rids)

    def get(self, rid: int) -> Row:
        """Return a row; it is shared, so only `change` may alter it."""
        row = self.rows.get(rid)
        if row is None:
            row = self._make(rid)
            if self._memo:
                self.rows[rid] = row
        return row

    def find(self, rid: int) -> Row | None:
        """Return a row, or None where there is none."""
        return self.get(rid) if rid in self else None

    def touched(self, rid: int) -> bool:
        """Tell whether a mutation has written this row."""
        return rid in self._changed

    def new_rid(self) -> int:
        """Return the next unused rid."""
        self._top = max(self._top, self.rids[-1] if self.rids else self.base) + self.step
        return self._top

    def stamp(self, rid: int) -> int:
        """Return the time by which the exports order this row."""
        known = self._stamps.get(rid)
        if known is not None:
            return known
        return self._stamp(rid) if self._stamp else 0

    @property
    def index(self) -> array[int]:
        """The rows' export keys in order."""
        if self._index is None:
            base = self.base
            times = map(self.stamp, self.rids) if self._times is None else self._times()
            self._index = _in_order(array("q", ((time << 32) | (rid - base) for time, rid in zip(times, self.rids))))
        return self._index

    def key(self, stamp: int, rid: int) -> int:
        """Return the export key of a row."""
        return (stamp << 32) | max(0, rid - self.base)

    def split(self, key: int) -> tuple[int, int]:
        """Return the time and the rid of an export key."""
        return key >> 32, (key & _LOW) + self.base

    def first_at(self, stamp: int) -> int:
        """Return the position in `index` of the first row at or after a time."""
        return bisect_left(self.index, stamp << 32)

    def first_after(self, stamp: int) -> int:
        """Return the position in `index` of the first row later than a time."""
        return bisect_right(self.index, (stamp << 32) | _LOW)

    def change(self, rid: int, stamp: int | None = None) -> Row:
        """Return a row that may be altered, and move it to a new export time."""
        row = self.rows.get(rid)
        if row is None or rid not in self._changed:
            row = copy_row(row if row is not None else self._make(rid))
            self.rows[rid] = row
            self._changed.add(rid)
        if stamp is not None:
            self._move(rid, stamp)
        return row

    def change_many(self, rids: Iterable[int], stamp: int) -> list[Row]:
        """Do `change` for many rows at one time, with one pass over the index."""
        chosen = list(rids)
        index = self.index
        old = {self.key(self.stamp(rid), rid) for rid in chosen}
        rows = [self.change(rid) for rid in chosen]
        self._stamps.update(dict.fromkeys(chosen, stamp))
        kept = [key for key in index if key not in old]
        kept.extend(self.key(stamp, rid) for rid in chosen)
        self._index = array("q", sorted(kept))
        return rows

    def add(self, row: Row, stamp: int, rid: int | None = None) -> int:
        """Add a row and return its rid."""
        if rid is None:
            rid = int(row["id"])
        self._top = max(self._top, rid)
        self._times = None
        self.rows[rid] = row
        self._changed.add(rid)
        self._stamps[rid] = stamp
        if not self.rids or rid > self.rids[-1]:
            self.rids.append(rid)
        else:
            insort(self.rids, rid)
        if self._index is not None:
            insort(self._index, self.key(stamp, rid))
        return rid

    def remove(self, rid: int) -> None:
        """Take a row out."""
        at = bisect_left(self.rids, rid)
        if at >= len(self.rids) or self.rids[at] != rid:
            raise KeyError(f"{self.name} has no row {rid}")
        self._top = max(self._top, rid)
        if self._index is not None:
            self._unindex(rid)
        self._times = None
        del self.rids[at]
        self.rows.pop(rid, None)
        self._changed.discard(rid)
        self._stamps.pop(rid, None)

    def _unindex(self, rid: int) -> None:
        index = self.index
        key = self.key(self.stamp(rid), rid)
        del index[bisect_left(index, key)]

    def _move(self, rid: int, stamp: int) -> None:
        if self._index is not None:
            self._unindex(rid)
            insort(self._index, self.key(stamp, rid))
        self._times = None
        self._stamps[rid] = stamp


def _in_order(keys: array[int]) -> array[int]:
    """Return keys in order; as they nearly are, only those that later parts may overtake are held as a list."""
    starts = range(0, len(keys), _PART)
    lows = [min(keys[start : start + _PART]) for start in starts]
    later = list(accumulate(reversed(lows[1:]), min, initial=1 << 63))[::-1]
    done = array("q")
    waiting: list[int] = []
    for start, low in zip(starts, later):
        waiting = sorted([*waiting, *keys[start : start + _PART]])
        ripe = bisect_left(waiting, low)
        done.extend(waiting[:ripe])
        waiting = waiting[ripe:]
    return done
