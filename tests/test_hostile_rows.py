"""Rows with any names and values: every load succeeds, every value stays in its column, and nothing else moves."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import load, pipeline, plain, written

from zendesk_support.shapes import KEY_HINT
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.api import Api

Simulate = Callable[..., Simulator]
Rows = list[dict[str, Any]]
OWN = ("_dlt_id", "_dlt_load_id", "_deleted_at")

NASTY_TEXTS = [
    "",
    " ",
    "'",
    '"',
    "\\",
    "\\'; DROP TABLE groups; --",
    "'; DROP TABLE groups; --",
    '"; DROP TABLE groups; --',
    "${jndi:x} {{7*7}} %s %(id)s ?",
    "../../etc/passwd",
    "a\x00b",
    "\x00",
    "\x01\x1f\x7f\x85",
    "\u2028\u2029\ufeff",
    "half \ud800",
    "\udfff half",
    "🎉 ünïcödé 中文 עברית",
    "null",
    "NaN",
    "2024-13-45T99:00:00Z",
    "x" * 400,
]
NASTY_NAMES = [
    *NASTY_TEXTS[:-1],
    "n" * 301,
    "n" * 300 + "a",
    "n" * 300 + "b",
    "_dlt_id",
    "_DLT_ID",
    "_dlt_load_id",
    "_dlt_parent_id",
    "_dlt_list_idx",
    "_dlt_valid_from",
    "_dlt_valid_to",
    "_deleted_at",
    "_deletedAt",
    "name__v_text",
    "value__v_text",
    "value",
    "Value",
    "VALUE",
    "va-lue",
    "Name",
    "createdAt",
    "select",
    "1",
    "\ud800",
    "\ud801",
    "🎉",
    "🎉🎉",
]
NUMBERS = [2**63 - 1, 2**63, -(2**63) - 1, 10**40, 2**53 + 1, 0.1, -0.0, 1e308, 1e-320, math.nan, math.inf, -math.inf]

texts = st.sampled_from(NASTY_TEXTS) | st.text(st.characters(), max_size=12)
names = st.sampled_from(NASTY_NAMES) | st.text(st.characters(), max_size=8)
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=5
)
some_rows = st.lists(
    st.fixed_dictionaries({"name": values, "created_at": values}, optional={"value": values}).flatmap(
        lambda known: st.dictionaries(names, values, max_size=6).map(lambda more: {**more, **known})
    ),
    min_size=3,
    max_size=3,
)
ALL_NAMES: Rows = [{name: f"value of {i}" for i, name in enumerate(NASTY_NAMES)}] * 3
ALL_VALUES: Rows = [
    {f"text {i}": text for i, text in enumerate(NASTY_TEXTS)},
    {f"n{i}": number for i, number in enumerate(NUMBERS)},
    {"json": [*NASTY_TEXTS, *NUMBERS, dict.fromkeys(NASTY_NAMES, 1)]},
]


def mended(value: Any, is_name: bool = False) -> Any:
    """A value as it must read at the destination: what JSON or UTF-8 cannot hold is replaced as documented."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", lambda c: "\ufffd" + (f"{ord(c[0]):04x}" if is_name else ""), value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {mended(key, True): mended(item) for key, item in value.items()}
    return [mended(item) for item in value] if isinstance(value, list) else value


def serve(account: Simulator, rows: dict[str, Rows]) -> dict[int, dict[str, Any]]:
    """Answer with these rows, by route, each over the simulator's own of its place; returns them by id."""
    served: dict[int, dict[str, Any]] = {}

    def edited(request: Any) -> Any:
        reply = Api.handle(account.api, request)
        if request.route in rows and reply.status == 200:
            body = json.loads(reply.body)
            key = next(name for name, found in body.items() if isinstance(found, list))
            for row, changed in zip(body[key], rows[request.route]):
                served[row["id"]] = changed
                row |= changed
            reply.body = json.dumps(body).encode()
        return reply

    account.api.handle = edited  # type: ignore[method-assign]
    return served


def cells(target: Pipeline, name: str) -> dict[Any, dict[str, Any]]:
    """The cells that are not null, by id and key of the API; a misfit counts for its key."""
    columns: dict[str, Any] = target.default_schema.tables[name]["columns"]
    with target.sql_client() as client, client.execute_query(f"SELECT * FROM {name}") as cursor:
        found = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(found, row)) for row in cursor.fetchall()]
    by_id: dict[Any, dict[str, Any]] = {}
    for row in rows:
        there: dict[str, Any] = {}
        for column, cell in row.items():
            if cell is None or column in OWN:
                continue
            base = column.removesuffix("__v_text")
            key = columns[base].get(KEY_HINT, base)
            assert key not in there, f"{key} stands in two columns"
            there[key] = plain(cell, columns[column].get("data_type"))
        by_id[row["id"]] = there
    return by_id


def reads(cell: Any, value: Any) -> bool:
    """Whether a cell holds a value: as it is, or as its JSON text."""
    if type(cell) is type(value) and cell == value:
        return True
    if isinstance(cell, str) and not isinstance(value, str):
        return bool(json.loads(cell) == value)
    return isinstance(cell, float) and isinstance(value, int | float) and cell == value and not isinstance(value, bool)


def assert_held(target: Pipeline, name: str, rows: dict[int, dict[str, Any]]) -> None:
    """Compare all cells of some rows with what was served."""
    found = cells(target, name)
    for id, row in rows.items():
        wanted = {f"zendesk{key}" if key in OWN else mended(key, True): mended(value) for key, value in row.items()}
        wanted = {key: value for key, value in wanted.items() if value is not None}
        there = {key: found[id].get(key) for key in wanted}
        assert {key: value for key, value in wanted.items() if not reads(there[key], value)} == {}, there


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(some_rows, some_rows)
@example(ALL_NAMES, ALL_NAMES[::-1])
@example(ALL_VALUES, ALL_VALUES[::-1])
def test_any_rows_load_and_load_again(
    tmp_path_factory: pytest.TempPathFactory, account: Simulator, first: Rows, second: Rows
) -> None:
    """L12, L13, L14, L38, L41."""
    folder = tmp_path_factory.mktemp("hostile")
    target = pipeline(folder, f"hostile_{folder.name}")
    for rows in (first, second):
        served = serve(account, {"groups": rows})
        load(target, account, "groups")
        assert set(cells(target, "groups")) == {row["id"] for row in account.truth("groups")}
        assert len(served) == len(rows)
        assert_held(target, "groups", served)
    assert written(load(target, account, "groups")) == {}
