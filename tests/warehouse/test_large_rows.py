"""Rows larger than DuckDB's grant of memory: loaded with more of it, or refused in words that name the row."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from support import load, source, table, truth

from zendesk_support import sync
from zendesk_support.command.destinations import WAREHOUSES
from zendesk_support.error_messages import explain
from zendesk_support.simulator import Simulator
from zendesk_support.warehouse import duckdb_memory

Simulate = Callable[..., Simulator]
TICKETS = 60
LARGE = 1 << 20


@pytest.fixture
def account(simulate: Simulate) -> Simulator:
    """An account whose tickets have a megabyte of text each."""
    account = simulate(tickets=TICKETS)
    tickets = account.account.tables["tickets"]
    for rid in tickets.rids:
        tickets.change(rid)["description"] = f"{rid}" * (LARGE // len(str(rid)))
    account.account.changed()
    return account


def as_the_command_does(tmp_path: Path) -> Pipeline:
    """A pipeline into DuckDB with the memory that the command line grants."""
    options = argparse.Namespace(pipeline_name="large", dataset="large_rows", database=tmp_path / "large.duckdb")
    return WAREHOUSES["duckdb"].pipeline(options)


def test_rows_too_large_for_the_grant_are_loaded_with_a_larger_one(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(duckdb_memory.LIMITS, "memory_limit", "24MB")
    monkeypatch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
    target = as_the_command_does(tmp_path)
    load(target, account, "tickets")
    assert table(target, "tickets").keys() == truth(account, "tickets").keys()
    account.mutate("update_tickets", count=3)
    load(as_the_command_does(tmp_path), account, "tickets")


@pytest.mark.parametrize("is_own", [True, False], ids=["a limit of the user", "all memory there is"])
def test_rows_too_large_for_any_grant_are_named_and_come_once_there_is_more(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch, is_own: bool
) -> None:
    selected: Any = source(account).with_resources("tickets")
    with monkeypatch.context() as little:
        little.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
        if is_own:
            limits = '{"memory_limit": "24MB", "threads": 1}'
            little.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", limits)
        else:
            little.setitem(duckdb_memory.LIMITS, "memory_limit", "24MB")
            little.setattr(duckdb_memory, "machine_memory", lambda: 50 << 20)
        with pytest.raises(PipelineStepFailed) as failed:
            sync(as_the_command_does(tmp_path), selected)
    told = explain(failed.value)
    assert "DuckDB ran out of memory. The largest value read is `description` of the row id = " in told
    target = as_the_command_does(tmp_path)
    load(target, account, "tickets")
    assert table(target, "tickets").keys() == truth(account, "tickets").keys()
