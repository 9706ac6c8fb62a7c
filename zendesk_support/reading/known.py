"""Which parents the last pass has listed: one that appears again with an old time must be read all the same."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from zendesk_support.warehouse.keys import Array, compact, holds
from zendesk_support.warehouse.snapshot import SnapshotDiff

SIZE = 4
MOST_KNOWN = 20_000
"""Parents that a position keeps, 100 KB of state."""
ALL = "*"
"""What a position keeps in place of more: every parent counts as known."""


class KnownParents:
    """Parents that were listed: by the rows that the table has below them, the others by digests in the position."""

    def __init__(self, saved: str | None, diff: SnapshotDiff | None, columns: Sequence[str]) -> None:
        """Begin a pass.

        Args:
            saved: what the last pass has left.
            diff: what the table has of the children.
            columns: theirs, that name a parent.
        """
        self._are_all = saved == ALL
        self._saved = digests_of(saved)
        self._with_rows: Array = diff.parents(columns) if diff is not None else np.array([], np.int64)
        self._listed: set[bytes] = set()

    def take(self, parent: tuple[Any, ...]) -> bool:
        """Note that a parent is listed; whether the last pass has listed it."""
        if holds(self._with_rows, compact([[value] for value in parent]))[0]:
            return True
        digest = blake2b("\x1f".join(map(str, parent)).encode(), digest_size=SIZE).digest()
        if len(self._listed) <= MOST_KNOWN:
            self._listed.add(digest)
        return self._are_all or digest in self._saved

    def keep(self) -> None:
        """Let those stay known that were listed before: this pass did not list all."""
        self._listed |= self._saved

    @property
    def saved(self) -> str:
        """What the next pass begins with."""
        too_many = len(self._listed) > MOST_KNOWN
        return ALL if too_many else base64.b85encode(b"".join(sorted(self._listed))).decode()


def digests_of(saved: str | None) -> frozenset[bytes]:
    """The digests that `saved` wrote."""
    joined = base64.b85decode("" if saved is None or saved == ALL else saved)
    return frozenset(joined[i : i + SIZE] for i in range(0, len(joined), SIZE))
