"""Every sync mode, for every kind of stream that can have it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from kinds import REPRESENTATIVES
from support import (
    STAYING,
    MakePipeline,
    assert_rows,
    assert_whole,
    is_reading,
    load,
    pipeline,
    rows_of,
    source,
    standing,
    truth,
    written,
)

from zendesk_support import ConfigurationError, sync
from zendesk_support.loading.sync_modes import MODES
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

STREAMS = (*REPRESENTATIVES, "macros", "users")
LASTING = tuple(name for name in STREAMS if not CATALOGUE[name].immutable)
IMMUTABLE = sorted(name for name, stream in CATALOGUE.items() if stream.immutable)
CHANGES = (
    ("update_tickets", {"count": 3}),
    ("update_users", {"count": 2}),
    ("update_organizations", {}),
    ("remove_rows", {"stream": "group_memberships"}),
    ("update_rows", {"stream": "macros"}),
    ("archive_articles", {}),
)
FEW = ("tickets", "group_memberships", "macros")


def databases(streams: Iterable[str]) -> pytest.MarkDecorator:
    """Into DuckDB with these streams, into Postgres with a few."""
    return pytest.mark.parametrize(
        ("make_pipeline", "streams"),
        [("duckdb", tuple(streams)), ("postgres", FEW)],
        indirect=["make_pipeline"],
        ids=["duckdb", "postgres"],
    )


IN_BIGQUERY = pytest.param("bigquery", "history", marks=pytest.mark.bigquery)


def count(target: Pipeline, query: str) -> int:
    with target.sql_client() as client:
        rows = client.execute_sql(query)
    assert rows is not None
    return int(rows[0][0] or 0)


def keys(name: str) -> str:
    return ", ".join(CATALOGUE[name].key)


def change(account: Simulator) -> None:
    for kind, parameters in CHANGES:
        account.mutate(kind, **parameters)


@databases(STREAMS)
def test_overwrite_replaces_every_table(
    make_pipeline: MakePipeline, account: Simulator, streams: tuple[str, ...]
) -> None:
    target = make_pipeline()
    load(target, account, *streams, sync_mode="overwrite")
    change(account)
    load(target, account, *streams, sync_mode="overwrite")
    assert_whole(target, account, *streams)
    for name in set(streams) - STAYING:
        assert count(target, f"SELECT count(*) FROM {name}") == len(truth(account, name)), name


def test_overwrite_keeps_the_table_of_a_stream_that_was_not_read_whole(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    streams = ("groups", "organization_memberships", "tags")
    load(target, account, *streams, sync_mode="overwrite")
    account.fault("status", route="organization_memberships", status=500, times=None)
    account.mutate("remove_rows", stream="tags", count=2)
    report = sync(target, source(account, sync_mode="overwrite", retry_deadline=5).with_resources(*streams))
    assert [stream.stream for stream in report.failed] == ["organization_memberships"]
    account.clear_faults()
    assert_whole(target, account, *streams)


@databases(STREAMS)
def test_append_adds_all_rows_at_each_sync(
    make_pipeline: MakePipeline, account: Simulator, streams: tuple[str, ...]
) -> None:
    target = make_pipeline()
    first = load(target, account, *streams, sync_mode="append")
    before = rows_of(target, *streams)
    assert_rows(target, account, before)
    second = load(target, account, *streams, sync_mode="append")
    assert written(second) == written(first)
    first_load = {row["_dlt_load_id"] for listed in before.values() for row in listed}
    after = rows_of(target, *streams)
    added = {name: [row for row in listed if row["_dlt_load_id"] not in first_load] for name, listed in after.items()}
    assert_rows(target, account, added)
    for name in set(streams) - STAYING:
        assert count(target, f"SELECT count(*) FROM {name}") == 2 * len(truth(account, name)), name


@databases(STREAMS)
def test_incremental_append_adds_the_rows_that_changed(
    make_pipeline: MakePipeline, account: Simulator, streams: tuple[str, ...]
) -> None:
    """L03."""
    target = make_pipeline()
    before = {name: len(truth(account, name)) for name in streams}
    load(target, account, *streams, sync_mode="incremental_append")
    assert written(load(target, account, *streams, sync_mode="incremental_append")) == {}
    change(account)
    added = written(load(target, account, *streams, sync_mode="incremental_append"))
    assert added["tickets"] == 3
    assert added["macros"] == 1
    assert added["group_memberships"] == 1
    for name in streams:
        rows = 3 * before[name] if is_reading(name) else before[name] + added.get(name, 0)
        assert count(target, f"SELECT count(*) FROM {name}") == rows, name
    after = rows_of(target, *streams)
    assert_rows(target, account, {name: standing(name, listed) for name, listed in after.items()})
    assert count(target, "SELECT count(*) FROM group_memberships WHERE _deleted_at IS NOT NULL") == 1


@databases(LASTING)
def test_history_keeps_every_version_and_one_current_row_a_key(
    make_pipeline: MakePipeline, account: Simulator, streams: tuple[str, ...]
) -> None:
    target = make_pipeline()
    load(target, account, *streams, sync_mode="history")
    before = {name: count(target, f"SELECT count(*) FROM {name}") for name in streams}
    assert written(load(target, account, *streams, sync_mode="history")) == {}
    change(account)
    added = written(load(target, account, *streams, sync_mode="history"))
    for name in streams:
        current = f"FROM {name} WHERE _dlt_valid_to IS NULL"
        assert before[name] <= count(target, f"SELECT count(*) FROM {name}") <= before[name] + added.get(name, 0), name
        assert (
            count(target, f"SELECT max(n) FROM (SELECT count(*) AS n {current} GROUP BY {keys(name)}) AS versions") == 1
        ), name
        live = count(
            target, f"SELECT count(*) {current} AND {'TRUE' if not CATALOGUE[name].removes else '_deleted_at IS NULL'}"
        )
        assert live >= len(truth(account, name)), name
    after = rows_of(target, *streams)
    assert_rows(target, account, {name: standing(name, listed) for name, listed in after.items()})
    assert count(target, "SELECT count(*) FROM tickets WHERE _dlt_valid_to IS NOT NULL") == 3


def test_two_versions_of_a_ticket_in_one_sync_leave_one_current_row(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    account.on_request(2, "update_tickets", count=20)
    account.on_request(4, "update_tickets", count=20)
    loaded = source(account, sync_mode="history").with_resources("tickets", "ticket_comments")
    for _ in range(2):
        sync(target, loaded)
    for name in ("tickets", "ticket_comments"):
        current = f"SELECT count(*) AS n FROM {name} WHERE _dlt_valid_to IS NULL GROUP BY id"
        assert count(target, f"SELECT max(n) FROM ({current}) AS versions") == 1


@pytest.mark.parametrize("name", IMMUTABLE)
def test_history_is_refused_by_name_where_rows_never_change(account: Simulator, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"not for {name}"):
        source(account, streams={name: {"sync_mode": "history"}})


def test_an_unknown_mode_or_stream_is_refused_with_an_example(account: Simulator) -> None:
    with pytest.raises(ConfigurationError, match='sync_mode = "upsert" of tickets is not one of'):
        source(account, sync_mode="upsert")
    with pytest.raises(ConfigurationError, match='streams = "tikets"'):
        source(account, streams={"tikets": {"sync_mode": "append"}})


def test_a_stream_takes_its_own_mode_from_the_configuration(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__STREAMS__TICKETS__SYNC_MODE", "history")
    target = pipeline(tmp_path)
    load(target, account, "tickets", "groups")
    assert "_dlt_valid_to" in target.default_schema.tables["tickets"]["columns"]
    assert "_dlt_valid_to" not in target.default_schema.tables["groups"]["columns"]


def test_another_mode_for_an_existing_table_is_refused_with_the_command_that_reloads_it(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "users")
    with pytest.raises(PipelineStepFailed, match="--full-refresh --streams users"):
        target.run(source(account, sync_mode="history").with_resources("users"))
    with pytest.raises(
        ConfigurationError, match='sync_mode = "history", but the table users was made with sync_mode = "incremental"'
    ):
        sync(target, source(account, sync_mode="history").with_resources("users"))
    sync(target, source(account, sync_mode="history").with_resources("users"), full_refresh=True)
    assert count(target, "SELECT count(*) FROM users WHERE _dlt_valid_to IS NULL") == len(truth(account, "users"))


@pytest.mark.parametrize(
    ("make_pipeline", "mode"),
    [*(("duckdb", mode) for mode in sorted(set(MODES) - {"incremental"})), ("postgres", "append"), IN_BIGQUERY],
    indirect=["make_pipeline"],
)
def test_every_mode_loads_child_tables_too(make_pipeline: MakePipeline, account: Simulator, mode: str) -> None:
    target = make_pipeline()
    for _ in range(2):
        load(target, account, "tickets", "groups", sync_mode=mode, nested="tables")
    times = 2 if mode == "append" else 1
    assert count(target, "SELECT count(*) FROM tickets") == times * len(truth(account, "tickets"))
    assert count(target, "SELECT count(*) FROM tickets__tags") == times * sum(
        len(row["tags"]) for row in truth(account, "tickets").values()
    )


def test_marked_rows_keep_their_values(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    streams = ("group_memberships", "user_identities", "articles", "ticket_metrics", "ticket_comments")
    load(target, account, *streams, deletes="mark")
    whole = {name: len(truth(account, name)) for name in streams}
    account.mutate("remove_rows", stream="group_memberships")
    account.mutate("remove_rows", stream="user_identities")
    account.mutate("archive_articles")
    account.mutate("delete_tickets")
    assert written(load(target, account, *streams, deletes="mark")).keys() == set(streams[:4])
    for name in streams[:4]:
        assert count(target, f"SELECT count(*) FROM {name}") == whole[name]
        assert count(target, f"SELECT count(*) FROM {name} WHERE _deleted_at IS NOT NULL") == 1
    assert count(target, "SELECT count(*) FROM group_memberships WHERE _deleted_at IS NOT NULL AND user_id > 0") == 1
    assert written(load(target, account, *streams, deletes="mark")) == {}


def test_a_scrubbed_ticket_leaves_no_text_even_where_rows_are_only_marked(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    streams = ("ticket_comments", "ticket_events", "ticket_audits")
    load(target, account, *streams, deletes="mark")
    (ticket,) = account.mutate("delete_tickets")["ids"]
    load(target, account, *streams, deletes="mark")
    account.mutate("scrub_tickets", ids=[ticket])
    load(target, account, *streams, deletes="mark")
    assert count(target, f"SELECT count(body) FROM ticket_comments WHERE ticket_id = {ticket}") == 0
    assert count(target, f"SELECT count(child_events) FROM ticket_events WHERE ticket_id = {ticket}") == 0
    assert count(target, f"SELECT count(*) FROM ticket_comments WHERE ticket_id = {ticket}") > 0
