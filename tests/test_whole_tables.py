"""Whole tables equal what the account holds, after every kind of change."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import assert_whole, load, pipeline, written

from zendesk_support.simulator import Simulator

MUTATIONS = (
    ("update_tickets", {"count": 5}),
    ("system_update_tickets", {"count": 4}),
    ("delete_tickets", {"count": 3}),
    ("scrub_tickets", {"count": 2}),
    ("redact_comments", {"count": 3}),
    ("bulk_update", {"count": 2500}),
    ("create_tickets", {"count": 4}),
    ("update_users", {"count": 4}),
    ("update_organizations", {"count": 2}),
)


def test_a_first_sync_loads_every_table_whole_and_a_second_writes_nothing(tmp_path: Path, account: Simulator) -> None:
    """L31, L40."""
    target = pipeline(tmp_path)
    load(target, account)
    assert_whole(target, account)
    assert written(load(target, account)) == {}
    assert_whole(target, account)


@pytest.mark.parametrize(("kind", "parameters"), MUTATIONS, ids=[kind for kind, _ in MUTATIONS])
def test_a_change_arrives_with_the_next_sync(
    tmp_path: Path, account: Simulator, kind: str, parameters: dict[str, int]
) -> None:
    """L01, L09, L11, L15."""
    target = pipeline(tmp_path)
    load(target, account)
    account.mutate(kind, **parameters)
    load(target, account)
    assert_whole(target, account)
    assert written(load(target, account)) == {}
