"""A running account for each test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from simulator_client import Client

from zendesk_support.simulator import Simulator

NOW = 1_790_000_000


@pytest.fixture
def make() -> Iterator[Callable[..., tuple[Simulator, Client]]]:
    """Start accounts that end with the test."""
    running: list[tuple[Simulator, Client]] = []

    def start(**options: Any) -> tuple[Simulator, Client]:
        options.setdefault("tickets", 60)
        options.setdefault("now", NOW)
        options.setdefault(
            "limits",
            {
                "incremental_exports": 10_000,
                "incremental_exports_cursor": 10_000,
                "account": 10_000,
                "help_center": 10_000,
                "deleted_tickets": 1000,
            },
        )
        sim = Simulator(**options).start()
        running.append((sim, Client(sim)))
        return running[-1]

    yield start
    for sim, client in running:
        client.close()
        sim.stop()


@pytest.fixture
def account(make: Callable[..., tuple[Simulator, Client]]) -> tuple[Simulator, Client]:
    """An account of 60 tickets without narrow limits."""
    return make()
