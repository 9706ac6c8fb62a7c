"""A sync keeps to its part of the quota, and wastes none of it on waiting for itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
from support import load, pipeline, source
from traffic import most_in_a_minute

from zendesk_support import sync
from zendesk_support.loading.batches import Batches
from zendesk_support.loading.encoders import Encoder
from zendesk_support.loading.subscription import Subscription
from zendesk_support.loading.target import Target
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.limits import State
from zendesk_support.streams import CATALOGUE
from zendesk_support.warehouse.loaded_table import LoadedTable

Simulate = Callable[..., Simulator]
LISTS = ("ticket_audits", "organization_memberships", "audit_logs", "tags", "macros")


def counted(account: Simulator, bucket: str) -> list[float]:
    """When the requests of a limit came."""
    return [request["time"] for request in account.requests() if bucket in request["buckets"]]


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_half_a_share_of_the_account_leaves_half_of_every_minute(
    tmp_path: Path, simulate: Simulate, window: str
) -> None:
    account = simulate(tickets=2000, window=window, limits={"account": 40}, clock_scale=120)
    load(pipeline(tmp_path), account, *LISTS, quota_share=0.5, clock_scale=120)
    times = counted(account, "account")
    assert len(times) > 60
    assert most_in_a_minute(times) <= 20
    assert max(Counter(int(at // 60) for at in times).values()) <= 20
    assert all(request["status"] == 200 for request in account.requests())


def test_what_another_client_uses_first_in_every_minute_is_left_to_it(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=2000, limits={"account": 40}, clock_scale=120)
    buckets, busy = account.api.buckets, set[int]()
    take = buckets.take

    def taken(bucket: str, now: float, count: int = 1) -> State:
        if bucket == "account" and (minute := int(now // 60)) not in busy:
            busy.add(minute)
            buckets.burn(bucket, now, 30)
        return take(bucket, now, count)

    buckets.take = taken  # type: ignore[method-assign]
    load(pipeline(tmp_path), account, *LISTS, clock_scale=120)
    minutes = Counter(int(at // 60) for at in counted(account, "account"))
    assert len(minutes) > 4
    assert max(minutes.values()) <= 10
    assert all(request["status"] == 200 for request in account.requests())


def test_a_fan_out_keeps_its_connections(tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    account = simulate(articles=200)
    opened: list[object] = []
    connect = urllib3.connection.HTTPConnection.connect

    def noted(self: Any) -> None:
        opened.append(self)
        connect(self)

    monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", noted)
    load(pipeline(tmp_path), account, "article_comments")
    assert len(account.requests()) > 300
    assert len(opened) < 60


def test_no_stream_is_waited_for_while_another_has_rows(account: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    session = source(account).account.enter()
    shape: Any = Encoder
    target = Target("any", "any", "incremental", session.account.settings)
    idle, busy = (
        Subscription(CATALOGUE[name], CATALOGUE[name].feeds[0], {}, 0, target, LoadedTable(), session.batches(), shape)
        for name in ("groups", "tags")
    )
    busy.emit([], {"at": 1})
    monkeypatch.setattr(session.news._changed, "wait", lambda seconds: pytest.fail("waited"))
    assert idle.batches.take() is None
    batch = busy.batches.take()
    assert batch is not None
    assert batch.position == {"at": 1}
    session.account.leave(session)


def test_every_stream_begins_before_any_is_waited_for(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, begun = Batches.take, []
    built = source(account)

    def noted(self: Batches) -> Any:
        begun.append([progress.begun for progress in built.account.progress()])
        return take(self)

    monkeypatch.setattr(Batches, "take", noted)
    sync(pipeline(tmp_path), built)
    assert len(begun[0]) > 30
    assert all(begun[0])
