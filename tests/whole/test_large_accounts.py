"""A quarter of a million users and organizations arrive whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import load, pipeline

from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.families.people import People

COUNT = 250_000


@pytest.mark.parametrize("name", ["users", "organizations"])
def test_a_quarter_of_a_million_rows_load_whole(tmp_path: Path, simulate: Callable[..., Simulator], name: str) -> None:
    """L07."""
    account = simulate(tickets=1, agents=20, auth="any", clock_scale=6000, **{"users": 40, name: COUNT})
    rows = account.account.tables[name]
    rows._make = lambda rid: {"id": rid, "name": f"Row {rid}", "updated_at": iso(rows.stamp(rid))}
    account.account.part(People).identity_rids = lambda user: []  # type: ignore[method-assign]
    target = pipeline(tmp_path)
    report = load(target, account, name, clock_scale=6000)
    with target.sql_client() as client, client.execute_query(f"SELECT id FROM {name} ORDER BY id") as cursor:
        found = np.array(cursor.fetchall(), np.int64)[:, 0]
    assert np.array_equal(found, np.array(account.account.tables[name].rids, np.int64))
    assert report.streams[name].rows == COUNT
    assert report.streams[name].requests in (COUNT // 1000, COUNT // 1000 + 1)
