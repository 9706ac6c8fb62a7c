"""A run that finds the lock taken waits until its holder is done, or forgotten."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from postgres_server import PostgresServer
from support import assert_whole, load, pipeline, source

from zendesk_support import sync
from zendesk_support.errors import AlreadyRunningError
from zendesk_support.running.run_lock import FORGOTTEN_AFTER, TABLE
from zendesk_support.running.turns import PATIENCE, in_turn
from zendesk_support.simulator import Simulator


@pytest.fixture
def target(tmp_path: Path, postgres: PostgresServer, account: Simulator) -> Pipeline:
    """A table was loaded."""
    target = pipeline(tmp_path, server=postgres)
    load(target, account, "groups")
    account.mutate("create_rows", stream="groups", count=2)
    return target


def leave(target: Pipeline, postgres: PostgresServer, seen: str) -> None:
    """The lock of a run on another machine, of which nothing was seen since then."""
    values = f"'t', 'zendesk', 'groups', 'h', {os.getpid()}, 'another', now(), {seen}"
    postgres.query(f"INSERT INTO {target.dataset_name}.{TABLE} VALUES ({values})")


def test_a_run_loads_once_one_that_was_killed_elsewhere_is_forgotten(
    target: Pipeline, postgres: PostgresServer, account: Simulator
) -> None:
    leave(target, postgres, f"now() - interval '{FORGOTTEN_AFTER.seconds - 2} seconds'")
    tries: list[Any] = []

    def tried() -> Any:
        tries.append(None)
        return sync(target, source(account).with_resources("groups"))

    assert in_turn(tried, every=0.5).streams["groups"].rows == 2
    assert len(tries) > 1
    assert_whole(target, account, "groups")


def test_a_run_that_goes_on_is_waited_for_no_longer_than_a_killed_one_is_remembered(
    target: Pipeline, postgres: PostgresServer, account: Simulator
) -> None:
    leave(target, postgres, "now()")
    with pytest.raises(AlreadyRunningError):
        in_turn(lambda: sync(target, source(account).with_resources("groups")), patience=1, every=0.3)
    assert FORGOTTEN_AFTER.total_seconds() < PATIENCE
