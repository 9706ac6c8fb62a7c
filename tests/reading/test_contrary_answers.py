"""Servers that break what Zendesk promises: the next sync has all rows, or the stream failed with words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from dlt.pipeline.pipeline import Pipeline
from support import assert_whole, load, pipeline, source, table, told, truth, written

from zendesk_support import sync
from zendesk_support.errors import ContractError
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.contrary import HOWS

Simulate = Callable[..., Simulator]

UNLIMITED = dict.fromkeys(
    ("account", "help_center", "incremental_exports", "incremental_exports_cursor", "deleted_tickets"), 100_000
)
STREAMS = (
    "tickets",
    "ticket_metrics",
    "users",
    "organizations",
    "ticket_events",
    "ticket_comments",
    "ticket_metric_events",
    "ticket_audits",
    "satisfaction_ratings",
    "audit_logs",
    "deleted_tickets",
    "groups",
    "macros",
    "custom_roles",
    "articles",
    "article_comments",
    "article_votes",
)
"""Streams of every way of reading."""
WHOLE = {
    "small": set(STREAMS),
    "shuffle": set(STREAMS),
    "hollow": set(STREAMS),
    "ahead": set(STREAMS),
    "reverse": set(STREAMS) - {"ticket_events", "ticket_comments", "ticket_metric_events"},
    "ignore": set(STREAMS) - {"ticket_events", "ticket_comments", "ticket_metric_events"},
}
"""The streams that are whole all the same; of the other ways, all of which end no pass rightly, none need be."""
LAGS = ("early", "ticket_metric_events")
"""Metric events carry no mark of their end, so that an early one is not seen; the next sync goes on from there."""
OUT_OF_ORDER = ("reverse", "shuffle")
CHANGES = ("update_tickets", "create_tickets", "update_users", "update_organizations", "log_audits")


@pytest.mark.parametrize("how", HOWS)
def test_a_contrary_server_costs_no_row(tmp_path: Path, simulate: Simulate, how: str) -> None:
    account = simulate(tickets=45, audit_logs=60, macros=50, limits=UNLIMITED)
    target = pipeline(tmp_path)
    account.fault("contrary", times=None, how=how)
    for step in range(2):
        if step:
            for kind in CHANGES:
                account.mutate(kind)
            account.mutate("remove_rows", stream="macros")
        report = sync(target, source(account, retry_deadline=1_000_000).with_resources(*STREAMS))
        failed = {name: stream.error for name, stream in report.streams.items() if stream.status != "loaded"}
        assert {name: error for name, error in failed.items() if not isinstance(error, ContractError)} == {}
        loaded = [name for name in STREAMS if name not in failed and (how, name) != LAGS]
        assert WHOLE.get(how, set()) <= set(loaded)
        if how in OUT_OF_ORDER and "tickets" in loaded:
            assert "did not come in the order of `generated_timestamp`" in (report.streams["tickets"].message or "")
        compare(target, account, how, *loaded)
    account.clear_faults()
    load(target, account, *STREAMS)
    compare(target, account, how, *STREAMS)
    assert written(load(target, account, *STREAMS)) == {}


def compare(target: Pipeline, account: Simulator, how: str, *streams: str) -> None:
    """Compare tables with the account; only their keys where the answers had other values."""
    if how != "ahead":
        assert_whole(target, account, *streams)
        return
    for name in streams:
        assert set(table(target, name)) >= set(truth(account, name)), name


LATE = ("tickets", "users", "organizations", "ticket_events")
DERIVED = ("ticket_metrics", "ticket_comments", "ticket_audits")


def test_a_row_that_becomes_visible_behind_the_position_arrives_at_no_request_more(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=36)
    target, streams = pipeline(tmp_path), (*LATE, *DERIVED)
    load(target, account, *streams)
    assert asked(account)
    load(target, account, *streams)
    idle = asked(account)
    for age in (30, 90, 300):
        for stream in LATE:
            account.mutate("late_row", stream=stream, age=age)
        report = load(target, account, *streams)
        more = asked(account) - idle
        with told(f"{age} seconds"):
            assert set(written(report)) == set(streams)
            assert more == Counter()
            assert_whole(target, account, *streams)
            assert written(load(target, account, *streams)) == {}
        account.reset_requests()


def asked(account: Simulator) -> Counter[str]:
    """Requests by route since this was asked last."""
    requests = Counter(request["route"] for request in account.requests())
    account.reset_requests()
    return requests


def test_a_lookback_of_nothing_reads_from_the_position_on(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=30)
    target = pipeline(tmp_path)
    load(target, account, "users", lookback_minutes=0)
    account.mutate("late_row", stream="users", age=30)
    assert written(load(target, account, "users", lookback_minutes=0)) == {}


def test_a_row_stamped_in_the_future_does_not_hold_up_later_ones(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=30)
    target = pipeline(tmp_path)
    account.fault("contrary", times=None, how="ahead", size=1000, route="incremental_*")
    load(target, account, "tickets", "users", "organizations", "ticket_events")
    account.mutate("create_tickets", count=2)
    assert written(load(target, account, "tickets", "ticket_events")).keys() == {"tickets", "ticket_events"}
    assert set(table(target, "tickets")) == set(truth(account, "tickets"))


@pytest.mark.parametrize("size", [1, 4, 19])
def test_short_pages_of_side_conversations_hide_nothing_that_comes_after_them(
    tmp_path: Path, simulate: Simulate, size: int
) -> None:
    """No page size is documented: a short page of known events need not be the last."""
    account = simulate(tickets=60)
    account.fault("contrary", route="side_conversation_events", how="small", size=size, times=None)
    target = pipeline(tmp_path)
    for _ in range(3):
        load(target, account, "side_conversation_events")
        assert_whole(target, account, "side_conversation_events")
        account.mutate("reply_side_conversations", count=5)
