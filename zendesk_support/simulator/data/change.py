"""One change of an account at one moment: which rows it strikes, and how they are copied and altered."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.data.table import Row, Table

SETTLE = 120
"""Account seconds before and after a change."""
ULID_LENGTH = 26
_TEXT_COLUMNS = (
    "title",
    "name",
    "agent_label",
    "organization_name",
    "reason",
    "details",
    "body",
    "file_name",
    "value",
    "subject",
    "change_description",
    "notes",
)


def any_row(rid: int) -> bool:
    """Take every row."""
    return True


def name_of(row: Row) -> Any:
    """Return what a row is called: its id, or a name where it has none."""
    return row.get("id", row.get("name", row.get("subject")))


class Change:
    """The n-th change of an account.

    Attributes:
        now: When it happens, unix seconds.
        dice: Decides, from the account's seed and `number`, which rows it strikes.
    """

    def __init__(self, store: Store, number: int) -> None:
        self.store = store
        self.number = number
        self.now = store.now
        self.dice = random.Random(f"mutation {store.world.seed} {number}")

    def sample(self, rids: Sequence[int], count: int, fits: Callable[[int], bool] = any_row) -> list[int]:
        """Return some rows that fit, as many as there are up to a count."""
        if len(rids) > 50_000 and count * 20 < len(rids):
            found: dict[int, None] = {}
            for _ in range(count * 200):
                rid = rids[self.dice.randrange(len(rids))]
                if fits(rid):
                    found[rid] = None
                if len(found) == count:
                    return list(found)
            return list(found)
        fitting = [rid for rid in rids if fits(rid)]
        return self.dice.sample(fitting, min(count, len(fitting)))

    def touch(self, table: str, rid: int) -> Row:
        """Return a row that may be altered, updated now."""
        row = self.store.tables[table].change(rid, self.now)
        if "updated_at" in row:
            row["updated_at"] = iso(self.now)
        return row

    def clone(self, table: Table, moment: int | None = None) -> Row:
        """Add a copy of some row under a new id, made now or at another moment."""
        moment = self.now if moment is None else moment
        source = table.rids[self.dice.randrange(len(table.rids))]
        rid = table.new_rid()
        row = copy.deepcopy(table.get(source))
        old = row.get("id")
        if "id" in row:
            row["id"] = self._new_id(old, rid, moment)
        for column in ("url", "html_url"):
            if isinstance(row.get(column), str):
                row[column] = row[column].replace(str(old), str(row["id"]))
        for column in ("created_at", "updated_at", "time"):
            if column in row:
                row[column] = iso(moment)
        for column in ("title", "name", "organization_name", "subject"):
            if isinstance(row.get(column), str):
                row[column] = f"{row[column].split(' (new')[0]} (new {rid % 1_000_000})"
                break
        table.add(row, moment, rid)
        return row

    def _new_id(self, old: Any, rid: int, moment: int) -> int | str:
        """Return an id for a new row, of the sort that the copied one has."""
        if not isinstance(old, str):
            return rid
        if old.isdigit():
            return str(rid)
        return self.store.world.ulid(rid, moment) if len(old) == ULID_LENGTH else str(uuid.UUID(int=rid))

    def alter_text(self, row: Row) -> None:
        """Alter the text that people read first."""
        column = next(name for name in _TEXT_COLUMNS if isinstance(row.get(name), str))
        row[column] = f"{row[column].split(' [changed')[0]} [changed {self.number}]"
