"""The source in dlt's own hands: no command line, no `sync`, maybe no pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from support import assert_whole, pipeline, source, table

from zendesk_support import ContractError
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]


def ids(items: list[Any]) -> list[int]:
    return [id for item in items if isinstance(item, pa.Table) for id in item.column("id").to_pylist()]


def test_a_pipeline_runs_selected_streams_twice(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    target.run(source(account).with_resources("tickets", "users"))
    assert_whole(target, account, "tickets", "users")
    account.mutate("update_tickets", count=3)
    target.run(source(account).with_resources("tickets", "users"))
    assert_whole(target, account, "tickets", "users")
    assert "groups" not in {name for name in target.default_schema.tables if table_has_data(target, name)}


def table_has_data(target: Any, name: str) -> bool:
    return bool((target.default_schema.tables[name].get("x-normalizer") or {}).get("seen-data"))


@pytest.mark.parametrize("name", ["groups", "tickets", "article_votes"])
def test_a_resource_is_iterated_without_a_pipeline_as_often_as_one_likes(simulate: Simulate, name: str) -> None:
    """L36."""
    account = simulate(tickets=20)
    built = source(account)
    expected = sorted(row["id"] for row in account.truth(name))
    for _ in range(2):
        assert sorted(ids(list(built.resources[name]))) == expected


def test_one_source_object_serves_two_runs(tmp_path: Path, simulate: Simulate) -> None:
    """L36."""
    account = simulate(tickets=20)
    built = source(account).with_resources("tickets")
    target = pipeline(tmp_path)
    target.run(built)
    account.mutate("update_tickets", count=3)
    target.run(built)
    assert_whole(target, account, "tickets")


@pytest.mark.parametrize("name", ["tickets", "users", "organization_memberships"])
def test_a_limit_loses_nothing_in_the_full_run_after_it(tmp_path: Path, simulate: Simulate, name: str) -> None:
    """L21."""
    account = simulate(tickets=1200, users=1200, organization_memberships=120)
    target = pipeline(tmp_path)
    limited = source(account).with_resources(name)
    limited.resources[name].add_limit(1)
    target.run(limited)
    assert len(table(target, name)) < len(list(account.truth(name))) if name in target.default_schema.tables else True
    target.run(source(account).with_resources(name))
    assert_whole(target, account, name)


def test_a_failing_stream_stops_a_run_without_a_report_and_moves_nothing(tmp_path: Path, simulate: Simulate) -> None:
    """L38."""
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    account.fault("status", route="incremental_ticket_events", times=None, status=400)
    with pytest.raises(PipelineStepFailed) as failure:
        target.run(source(account).with_resources("tickets", "ticket_events"))
    causes = [failure.value]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    assert any(isinstance(cause, ContractError) for cause in causes)
    account.clear_faults()
    target.run(source(account).with_resources("tickets", "ticket_events"))
    assert_whole(target, account, "tickets", "ticket_events")
