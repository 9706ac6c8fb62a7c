"""Below parents that changed: one that appears with an old time is read all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from scripted import Script, chunks, ids

from zendesk_support.reading import known
from zendesk_support.reading.base import Position
from zendesk_support.reading.below import Below
from zendesk_support.reading.envelopes import ONE_ANSWER
from zendesk_support.reading.lists import Listing
from zendesk_support.warehouse.snapshot import SnapshotDiff

NOW = 1_800_000_000
RULES = Listing("rules", "rules", ONE_ANSWER, names=("id",))
FIXED = Below(RULES, Listing("rules/{id}/versions", "versions", ONE_ANSWER), {"rule_id": "id"}, is_fixed=True)
DATED = replace(FIXED, is_fixed=False, is_dated=True)
KINDS = pytest.mark.parametrize("kind", [FIXED, DATED], ids=["is_fixed", "is_dated"])


class Rules:
    """Rules that changed long ago, each with a version but the first, and what the table has of them."""

    def __init__(self, *listed: int) -> None:
        self.listed = listed
        self.position: Position | None = None
        self.table: list[int] = []

    def __call__(self, path: str, params: dict[str, str]) -> Any:
        if path == "rules":
            return {"rules": [{"id": id, "updated_at": "2020-01-01T00:00:00Z"} for id in self.listed]}
        id = int(path.split("/")[1])
        return {"versions": [{"id": 10 * id}] if id > 1 else []}

    def asked(self, kind: Below) -> list[int]:
        """The rules that a pass asks for; their versions are loaded, and those of rules that are gone removed."""
        owners = [id // 10 for id in self.table]
        held = pa.table({"rule_id": pa.array(owners, pa.int64()), "id": self.table, "_dlt_id": [""] * len(owners)})
        script, diff = Script(self, NOW), SnapshotDiff(held, ("id",), ("rule_id",))
        found = chunks(kind, script, position=self.position, diff=diff, help_center_children="changed")
        gone = diff.gone().column("id").to_pylist()
        self.table = [*(id for id in self.table if id not in gone), *filter(None, ids(found))]
        self.position = Position.of(found[-1].saved, 0)
        return sorted(int(path.split("/")[1]) for path, _ in script.asked if path != "rules")


@KINDS
def test_a_parent_that_the_last_pass_did_not_list_is_read_however_old_it_is(kind: Below) -> None:
    rules = Rules(1, 2)
    assert rules.asked(kind) == [1, 2]
    assert rules.asked(kind) == []
    rules.listed = (1, 2, 3)
    assert rules.asked(kind) == [3]
    assert rules.table == [20, 30]
    assert rules.asked(kind) == []


@KINDS
@pytest.mark.parametrize("returning", [1, 2])
def test_a_parent_that_comes_back_is_read_again(kind: Below, returning: int) -> None:
    """Whether it has rows or none."""
    rules = Rules(1, 2)
    rules.asked(kind)
    rules.listed = tuple({1, 2} - {returning})
    assert rules.asked(kind) == []
    rules.listed = (1, 2)
    assert rules.asked(kind) == [returning]
    assert rules.table == [20]


@KINDS
def test_the_position_keeps_those_of_which_the_table_has_no_rows(kind: Below) -> None:
    rules = Rules(1, 2, 3)
    rules.asked(kind)
    rules.asked(kind)
    assert rules.position is not None
    assert rules.position.known is not None
    assert len(rules.position.known) == 5
    rules.listed = (2, 3)
    rules.asked(kind)
    assert rules.position.known is None


@KINDS
def test_parents_of_a_position_that_names_none_are_read_once(kind: Below) -> None:
    """As an earlier version has written it."""
    rules = Rules(1, 2)
    rules.asked(kind)
    assert rules.position is not None
    rules.position.known = None
    assert rules.asked(kind) == [1]
    assert rules.asked(kind) == []


def test_too_many_parents_without_rows_all_count_as_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST_KNOWN", 1)
    rules = Rules(1, 2)
    rules.asked(FIXED)
    assert rules.position is not None
    assert rules.position.known == known.ALL
    assert rules.asked(FIXED) == []
    assert rules.position.known != known.ALL
