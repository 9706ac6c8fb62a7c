"""Families: how the simulator's parts lean on each other, and what every stream has."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from simulator_client import Client

from zendesk_support import simulator
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.data.world import BLOCK, FIRST_ID, check_disjoint
from zendesk_support.simulator.families import FAMILIES
from zendesk_support.simulator.limits import AsEndpoint, Buckets, Limit, default_limits, headers
from zendesk_support.simulator.server.messages import Request
from zendesk_support.simulator.server.routes import Route, Routes

Make = Callable[..., tuple[Simulator, Client]]
NAME, FOLDER = simulator.__name__, Path(simulator.__file__).parent
LAYERS = ("clock", "data", "server", "kinds", "families", "")
KINDS = [kind for family in FAMILIES for kind in family.kinds]


def imports() -> dict[str, set[str]]:
    """The simulator's modules that each of its modules imports, `data.table` for one."""
    names = {".".join(file.relative_to(FOLDER).with_suffix("").parts): file for file in FOLDER.rglob("*.py")}
    modules = {name.removesuffix("__init__").rstrip("."): file for name, file in names.items()}
    found: dict[str, set[str]] = {module: set() for module in modules}
    for module, file in modules.items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(NAME):
                place = (node.module or "").removeprefix(NAME).lstrip(".")
                inner = {f"{place}.{alias.name}".lstrip(".") for alias in node.names} & set(modules)
                found[module] |= inner or {place}
    return found


def layer(module: str) -> int:
    return LAYERS.index(module.split(".")[0]) if module.split(".")[0] in LAYERS else LAYERS.index("")


def test_imports_within_the_simulator_point_one_way() -> None:
    found = imports()
    assert list(TopologicalSorter(found).static_order())
    above = {(one, other) for one, others in found.items() for other in others if layer(other) > layer(one)}
    assert above == set()


def test_ids_follow_from_the_names_of_tables_alone() -> None:
    names = [kind.name for kind in KINDS] + [name for family in FAMILIES for name in family.ids]
    assert FIRST_ID["macros"] == 57_936_000_000_000
    assert {len(str(FIRST_ID[name])) for name in names} == {len(str(FIRST_ID[name] + BLOCK - 1)) for name in names}
    assert {len(str(FIRST_ID[name])) for name in names} == {14}
    check_disjoint(names)
    FIRST_ID["other"] = FIRST_ID["macros"]
    try:
        with pytest.raises(ValueError, match="macros"):
            check_disjoint([*names, "other"])
    finally:
        del FIRST_ID["other"]


def test_ids_of_a_running_account_lie_in_the_blocks_of_their_tables(make: Make) -> None:
    sim, _ = make()
    account = sim.account
    tables = [table for center in account.help_centers for table in center.tables.values()]
    for table in [*account.tables.values(), *tables]:
        first = 0 if table.name == "tickets" else FIRST_ID[table.name]
        assert all(first < rid < first + BLOCK for rid in table.rids), table.name


def test_an_account_can_lack_families(make: Make) -> None:
    sim, client = make(without=("help_center", "search"))
    assert client.get("/api/v2/help_center/articles").status == 404
    assert client.get("/api/v2/search/export?filter[type]=ticket&query=*").status == 404
    assert client.get("/api/v2/community/posts").status == 200
    assert "articles" not in sim.streams()
    assert "update_articles" not in sim.mutations()
    with pytest.raises(ValueError, match="the families are tickets, people"):
        Simulator(without=("sell",))


def test_a_limit_says_its_seconds_and_its_headers() -> None:
    limits = (
        Limit(600, 600, "slow", AsEndpoint("slow-index")),
        Limit(15_000, 300, "custom_objects", AsEndpoint("custom-objects")),
        Limit(300, 60, "chat"),
    )
    buckets = Buckets({limit.name: limit for limit in limits}, "fixed")
    states = [buckets.take(limit.name, 1200.5) for limit in limits]
    assert [(state.total, state.resets) for state in states] == [(600, 600), (15_000, 300), (300, 60)]
    assert headers(states, "new") == [
        ("zendesk-ratelimit-slow-index", "total=600; remaining=599; resets=600"),
        ("zendesk-ratelimit-custom-objects", "total=15000; remaining=14999; resets=300"),
    ]
    assert headers(states, "old")[0][0] == "zendesk-rate-limit-slow-index"
    assert headers(states, "none") == []


def test_a_route_can_count_against_a_limit_of_its_own_in_place_of_the_accounts() -> None:
    chat = Limit(200, name="chat")
    request = Request("GET", "/api/v2/chats", "page=3", {}, b"", 0, "")
    own = Route(
        "chats", "/api/v2/chats", general=chat, limits=(Limit(5, 300, "slow"),), deep=(2, Limit(1, name="deep"))
    )
    assert [limit.name for limit in own.counted_by(request)] == ["chat", "slow", "deep"]
    assert [limit.name for limit in Route("chats", "/api/v2/chats").counted_by(request)] == ["account"]
    assert {"account", "help_center", "chat", "slow", "deep"} == {limit.name for limit in Routes([own]).limits()}


def test_limits_are_known_by_one_name_and_depend_on_the_plan() -> None:
    named = [limit for family in FAMILIES for route in family.all_routes() for limit in route.limits]
    assert {limit.name for limit in named} <= set(default_limits("team"))
    assert all(limit == other for limit in named for other in named if limit.name == other.name)
    totals = [default_limits(plan)["incremental_exports"].total for plan in ("team", "enterprise", "enterprise_plus")]
    assert totals == [10, 10, 30]
    assert replace(default_limits("team")["account"], total=5).total == 5
