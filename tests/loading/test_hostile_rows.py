"""Rows with any names and values: every load succeeds, every value stays in its column, and nothing else moves."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from documented import says
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import assert_whole, load, pipeline, plain, source, table, written

from zendesk_support import sync
from zendesk_support.loading import subscription
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.api import Api
from zendesk_support.warehouse.loaded_table import KEY_HINT

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


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
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


def answer(account: Simulator, edits: dict[str, Callable[[bytes], bytes]]) -> None:
    """Change the bodies of some routes' answers."""

    def edited(request: Any) -> Any:
        reply = Api.handle(account.api, request)
        if request.route in edits and reply.status == 200:
            body = edits[request.route](reply.body)
            assert body != reply.body
            reply.body = body
        return reply

    account.api.handle = edited  # type: ignore[method-assign]


def test_numbers_and_nesting_without_measure_are_kept_as_text(tmp_path: Path, account: Simulator) -> None:
    """L14, L41."""
    odd = {
        "description": "1e400",
        "default": "-1E+400",
        "created_at": "9" * 400,
        "number": "9" * 400,
        "fraction": "1e400",
        "list": "[1e400, -1E+400, 1.10]",
        "deep": "[" * 900 + "]" * 900,
        "object": '{"a":1,"a":2, "":{"":[]}}',
    }

    def edit(body: bytes) -> bytes:
        for key, token in odd.items():
            place = f'"{key}":' if f'"{key}":'.encode() in body else '"id":'
            odd_first = f'"{key}":{token},{place}' if place == '"id":' else f'"{key}":{token},"was {key}":'
            body = body.replace(place.encode(), odd_first.encode(), 1)
        return body

    answer(account, {"groups": edit})
    target = pipeline(tmp_path)
    load(target, account, "groups")
    columns = target.default_schema.tables["groups"]["columns"]
    found = []
    for key in odd:
        held = [name for name in (key, f"{key}__v_text") if name in columns]
        texts_held = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in held)
        with target.sql_client() as client, client.execute_query(f"SELECT {texts_held} FROM groups") as cursor:
            found.append({cell for row in cursor.fetchall() for cell in row})
    assert [key for key, cells in zip(odd, found) if odd[key] not in cells] == []


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sets(texts, min_size=3, max_size=12))
@example(set(NASTY_TEXTS))
def test_any_texts_are_keys_that_are_looked_up_and_marked(
    tmp_path_factory: pytest.TempPathFactory, account: Simulator, tags: set[str]
) -> None:
    """L15. The keys of tags are texts that people write."""
    folder = tmp_path_factory.mktemp("tags")
    target = pipeline(folder, f"tags_{folder.name}")
    expected = {mended(tag) for tag in tags}
    listed: Rows = [{"name": tag, "count": 1} for tag in sorted(tags)]
    body = json.dumps({"tags": listed, "meta": {"has_more": False}}).encode()
    answer(account, {"tags": lambda _: body})

    def names_marked() -> tuple[set[str], set[str]]:
        with target.sql_client() as client, client.execute_query("SELECT name, _deleted_at FROM tags") as cursor:
            rows = cursor.fetchall()
        assert len(rows) == len({name for name, _ in rows})
        return {name for name, at in rows if at is None}, {name for name, at in rows if at is not None}

    load(target, account, "tags", deletes="mark")
    assert names_marked() == (expected, set())
    assert written(load(target, account, "tags", deletes="mark")) == {}
    answer(account, {"tags": lambda _: b'{"tags": [{"name": "left", "count": 1}], "meta": {"has_more": false}}'})
    load(target, account, "tags", deletes="mark")
    assert names_marked() == ({"left"}, expected - {"left"})


ID, NAME = b'"id":', b'"name":'
UNUSABLE: dict[str, list[tuple[bytes, bytes, str]]] = {
    "groups": [(ID, b'"id":null,"was":', "id of a row is null, no integer")],
    "macros": [(ID, b'"id":"1; DROP TABLE groups","was":', 'id of a row is "1; DROP TABLE groups"')],
    "triggers": [(ID, b'"id":9223372036854775808,"was":', "id of a row is 9223372036854775808")],
    "automations": [(ID, b'"id":1.5,"was":', "id of a row is 1.5, no integer")],
    "brands": [(ID, b'"id":[1],"was":', "id of a row is [1], no integer")],
    "views": [(ID, b'"was":', "id of a row is null, no integer")],
    "tags": [
        (NAME, b'"name":7,"was":', "name of a row is 7, no text"),
        (NAME, b'"name":null,"was":', "name of a row is null, no text"),
    ],
    "tickets": [
        (ID, b'"id":"../..","was":', 'id of a row is "../..", no integer'),
        (ID, b'"id":true,"was":', "id of a row is true, no integer"),
    ],
}
"""By stream, what its rows have for a key in one sync after the other, and what is told of it."""


@pytest.mark.parametrize("nested", ["json", "tables"])
def test_a_row_without_a_usable_key_fails_its_stream_alone(tmp_path: Path, account: Simulator, nested: str) -> None:
    """L20."""
    target = pipeline(tmp_path)
    for turn in range(2):
        cases = {name: edits[turn] for name, edits in UNUSABLE.items() if turn < len(edits)}
        edits = {"incremental_tickets_cursor" if name == "tickets" else name: case[:2] for name, case in cases.items()}
        answer(account, {route: lambda body, edit=edit: body.replace(*edit, 1) for route, edit in edits.items()})
        report = sync(target, source(account, nested=nested).with_resources(*cases, "user_fields"))
        assert {failed.stream for failed in report.failed} == set(cases)
        for name, (_, _, told) in cases.items():
            assert str(report.streams[name].message).startswith(f"{name}: {told}")
    account.api.handle = lambda request: Api.handle(account.api, request)  # type: ignore[method-assign]
    load(target, account, *UNUSABLE, nested=nested)
    assert {name: len(table(target, name)) for name in (*UNUSABLE, "user_fields")} == {
        name: len(account.truth(name)) for name in (*UNUSABLE, "user_fields")
    }


def test_no_id_leads_out_of_its_path(tmp_path: Path, simulate: Simulate) -> None:
    """L35."""
    account = simulate(tickets=12)
    hostile = [b'"../../oauth/tokens?x="', b'"1/../../../users/me"', b"1e3", b'"{id}"', b"-1"]
    for token in hostile:
        edit = partial(re.sub, rb'"id":', b'"id":%s,"was":' % token, count=1)
        answer(account, {"incremental_tickets_cursor": lambda body, edit=edit: edit(body)})  # type: ignore[misc]
        report = sync(pipeline(tmp_path), source(account, ticket_audits="per_ticket").with_resources("ticket_audits"))
        assert [str(stream.message).partition(";")[0] for stream in report.failed] == (
            [f"id is {token.decode()}, no id"] if token != b"-1" else []
        )
    paths = {request["path"] for request in account.requests()}
    allowed = re.compile(r"/oauth/tokens|/api/v2/incremental/tickets/cursor|/api/v2/tickets/-?\d+/audits")
    assert {path for path in paths if not allowed.fullmatch(path)} == set()
    assert "/api/v2/tickets/-1/audits" in paths


EVENTS, TICKETS = "incremental_ticket_events", "incremental_tickets_cursor"


def without(body: bytes, key: str, name: str, part: Any = None) -> bytes:
    """An answer whose first row with something in `part` (any row by default) lacks a name."""
    found = json.loads(body)
    del next(row for row in found[key] if part is None or row[part])[name]
    return json.dumps(found).encode()


def replaced(body: bytes, key: str, name: str, value: Any) -> bytes:
    """An answer whose first row has another value."""
    found = json.loads(body)
    found[key][0][name] = value
    return json.dumps(found).encode()


LACKING: list[tuple[str, str, Callable[[bytes], bytes], str]] = [
    ("ticket_comments", EVENTS, lambda body: without(body, "ticket_events", "created_at"), "no created_at"),
    ("ticket_comments", EVENTS, lambda body: without(body, "ticket_events", "ticket_id"), "no ticket_id"),
    ("ticket_comments", EVENTS, lambda body: without(body, "ticket_events", "timestamp"), "no timestamp"),
    (
        "ticket_comments",
        EVENTS,
        lambda body: replaced(body, "ticket_events", "child_events", [None]),
        "child_events = [null], no list of objects (Expected `object`, got `null` - at `$[0][0]`)",
    ),
    (
        "ticket_comments",
        EVENTS,
        lambda body: replaced(body, "ticket_events", "child_events", "none"),
        'child_events = "none", no list of objects (Expected `array | null`, got `str` - at `$[0]`)',
    ),
    (
        "ticket_metrics",
        TICKETS,
        lambda body: without(body, "tickets", "generated_timestamp", "metric_set"),
        "no generated_timestamp",
    ),
    (
        "ticket_metrics",
        TICKETS,
        lambda body: replaced(body, "tickets", "metric_set", 7),
        "metric_set = 7, no object (Expected `object | null`, got `int` - at `$[0]`)",
    ),
    (
        "user_identities",
        "incremental_users_cursor",
        lambda body: without(body, "identities", "user_id"),
        "no user_id",
    ),
    (
        "user_identities",
        "incremental_users_cursor",
        lambda body: replaced(body, "identities", "user_id", "5"),
        'user_id = "5", no integer',
    ),
]
SHARED = {"ticket_comments": "ticket_events", "ticket_metrics": "tickets", "user_identities": "users"}


TURNS = [
    [cases[turn] for stream in SHARED if turn < len(cases := [case for case in LACKING if case[0] == stream])]
    for turn in range(5)
]
"""The cases in turns, of each stream one at most."""


@pytest.mark.parametrize("cases", TURNS, ids=lambda cases: ", ".join(f"{case[0]}: {case[3][:30]}" for case in cases))
def test_a_row_that_lacks_what_a_stream_needs_is_named_and_costs_no_other_stream(
    tmp_path: Path, simulate: Simulate, cases: list[tuple[str, str, Callable[[bytes], bytes], str]]
) -> None:
    """L20. The streams read the same export; both need the child events, and only one of them anything else."""
    account = simulate(tickets=10)
    answer(account, {route: edit for _, route, edit, _ in cases})
    target = pipeline(tmp_path)
    lacking = {stream: told for stream, _, _, told in cases}
    report = sync(target, source(account).with_resources(*lacking, *(SHARED[stream] for stream in lacking)))
    failing = {*lacking, *(SHARED[stream] for stream, told in lacking.items() if "child_events" in told)}
    assert {failed.stream for failed in report.failed} == failing
    for stream, told in lacking.items():
        failed = report.streams[stream]
        found = re.fullmatch(
            rf"{stream}: the row with id (\d+) of an answer has {re.escape(told)}; nothing of its page was loaded\.",
            str(failed.message),
        )
        assert found, failed.message
        assert says("a row that nothing can be made of", failed.message)
        if SHARED[stream] not in failing:
            assert len(table(target, SHARED[stream])) == len(account.truth(SHARED[stream]))
    account.api.handle = lambda request: Api.handle(account.api, request)  # type: ignore[method-assign]
    load(target, account, *lacking)
    assert_whole(target, account, *lacking)


def test_an_error_nobody_expected_reaches_the_report_in_words(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L20."""

    def fail(rows: Rows, stream: Any) -> None:
        raise KeyError("created_at")

    monkeypatch.setattr(subscription, "check_keys", fail)
    report = sync(pipeline(tmp_path), source(account).with_resources("groups"))
    [failed] = report.failed
    assert str(failed.message).startswith("groups: what came in could not be taken in (KeyError: 'created_at').")
    assert says("a row that nothing can be made of", failed.message)


TIMES = {
    "no times": (b'"soon"', b'"2024-02-30T00:00:00Z"', b'""', b"null", b'{"at": 1}', b"[]", b"true"),
    "early": (b"-5",),
    "beyond numbers": (b"1e400",),
    "beyond times": (b"9" * 30,),
    "last": (b'"9999-12-31T23:59:59Z"',),
}
"""Those that could lead a position astray stand alone; the others each in a row of one answer."""


@pytest.mark.parametrize("kind", TIMES)
def test_a_time_that_is_none_costs_no_row_and_leads_no_position_astray(
    tmp_path: Path, simulate: Simulate, kind: str
) -> None:
    """L05, L06, L14."""
    account = simulate(tickets=20, groups=8, satisfaction_ratings=10)
    columns = {
        "incremental_tickets_cursor": ("tickets", b"generated_timestamp"),
        "incremental_ticket_events": ("ticket_events", b"timestamp"),
        "satisfaction_ratings": ("satisfaction_ratings", b"updated_at"),
        "groups": ("groups", b"updated_at"),
        "articles": ("articles", b"updated_at"),
    }

    def edit(name: bytes) -> Callable[[bytes], bytes]:
        def edited(body: bytes) -> bytes:
            times = [b'"%s":%s,"was":' % (name, time) for time in TIMES[kind]]
            first, *others = body.split(b'"%s":' % name)
            assert len(others) >= len(times)
            times += [b'"%s":' % name] * (len(others) - len(times))
            return first + b"".join(b"".join(pair) for pair in zip(times, others))

        return edited

    edits = {route: edit(name) for route, (_, name) in columns.items()}
    answer(account, edits)
    target = pipeline(tmp_path)
    streams = [stream for stream, _ in columns.values()]
    load(target, account, *streams)
    assert {name: len(table(target, name)) for name in streams} == {name: len(account.truth(name)) for name in streams}
    account.api.handle = lambda request: Api.handle(account.api, request)  # type: ignore[method-assign]
    account.mutate("update_tickets", count=20)
    load(target, account, "tickets", "groups")
    assert_whole(target, account, "groups")
    assert len(table(target, "tickets")) == len(account.truth("tickets"))
