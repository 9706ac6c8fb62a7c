"""What was loaded and is no longer at the destination comes again: positions follow the destination."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.pipeline.pipeline import Pipeline
from documented import says
from support import MakePipeline, assert_whole, load, pipeline, rows_of, source, written

from zendesk_support import sync
from zendesk_support.api.tokens import TokenVault
from zendesk_support.error_messages import causes
from zendesk_support.errors import ConfigurationError
from zendesk_support.simulator import Simulator

Simulate = Callable[..., Simulator]
STREAMS = ("tickets", "ticket_events", "groups")


class Told(logging.Handler):
    """Keeps what is logged, in words."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """What the library has logged."""
    log, told = logging.getLogger("dlt"), Told()
    log.addHandler(told)
    yield told.messages
    log.removeHandler(told)


def change(account: Simulator) -> None:
    """Something new for every stream of `STREAMS`."""
    account.mutate("update_tickets", count=5)
    account.mutate("create_tickets", count=2)
    account.mutate("update_rows", stream="groups")


def run_sql(target: Pipeline, *statements: str) -> list[Any]:
    """The rows of the last of some statements at the destination, in which <…> is a table."""
    with target.sql_client() as client:

        def named(found: re.Match[str]) -> str:
            return str(client.make_qualified_table_name(found[1]))

        found = [client.execute_sql(re.sub(r"<(\w+)>", named, statement)) for statement in statements][-1]
    return [tuple(row) for row in found or ()]


def put_back(target: Pipeline, version: int) -> None:
    """Take out of the dataset what was loaded after a state of the pipeline, as a backup would."""
    [(at,)] = run_sql(target, f"SELECT max(_dlt_load_id) FROM <_dlt_pipeline_state> WHERE version <= {version}")
    for name in (*STREAMS, "_dlt_pipeline_state"):
        run_sql(target, f"DELETE FROM <{name}> WHERE _dlt_load_id > '{at}'")
    run_sql(target, f"DELETE FROM <_dlt_loads> WHERE load_id > '{at}'")


def test_rows_that_a_restored_backup_lacks_come_again(
    make_pipeline: MakePipeline, account: Simulator, warnings: list[str]
) -> None:
    target = make_pipeline()
    load(target, account, *STREAMS)
    version = target.state["_state_version"]
    account.mutate("create_tickets", count=4)
    load(target, account, *STREAMS)
    put_back(target, version)
    account.mutate("create_tickets", count=3)
    load(target, account, *STREAMS)
    assert [line for line in warnings if says("the destination was put back to an older state", line)]
    assert_whole(target, account, *STREAMS)
    warnings.clear()
    assert written(load(target, account, *STREAMS)) == {}
    assert warnings == []


def test_a_database_file_put_back_is_filled_up_again(tmp_path: Path, account: Simulator, warnings: list[str]) -> None:
    target = pipeline(tmp_path)
    file = tmp_path / "zendesk.duckdb"
    load(target, account, *STREAMS)
    shutil.copy(file, tmp_path / "backup")
    for _ in range(2):
        change(account)
        load(target, account, *STREAMS)
    with target.managed_state() as state:
        state["sources"]["zendesk_support"][TokenVault.STATE_KEY] = "the newest pair"
    shutil.copy(tmp_path / "backup", file)
    load(target, account, *STREAMS)
    assert len(warnings) == 1
    assert_whole(target, account, *STREAMS)
    assert target.state["sources"]["zendesk_support"][TokenVault.STATE_KEY] == "the newest pair"


def test_a_waiting_package_is_not_loaded_over_a_gap(tmp_path: Path, account: Simulator, warnings: list[str]) -> None:
    target = pipeline(tmp_path)
    file = tmp_path / "zendesk.duckdb"
    load(target, account, *STREAMS)
    shutil.copy(file, tmp_path / "backup")
    change(account)
    load(target, account, *STREAMS)
    change(account)
    target.extract(source(account).with_resources(*STREAMS))
    shutil.copy(tmp_path / "backup", file)
    load(target, account, *STREAMS)
    assert [line for line in warnings if says("a package that does not follow on the destination", line)]
    assert_whole(target, account, *STREAMS)


def test_a_waiting_package_is_loaded_where_nothing_came_between(
    tmp_path: Path, account: Simulator, warnings: list[str]
) -> None:
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    change(account)
    target.extract(source(account).with_resources(*STREAMS))
    target.normalize()
    asked = len(account.requests())
    load(target, account, "groups")
    assert {request["route"] for request in account.requests()[asked:]} == {"oauth_tokens", "groups"}
    assert_whole(target, account, *STREAMS)
    assert warnings == []


@pytest.mark.parametrize("restart", [False, True], ids=["the same objects", "new ones"])
def test_a_file_or_table_that_was_deleted_is_made_anew(tmp_path: Path, account: Simulator, restart: bool) -> None:
    target, data = pipeline(tmp_path), source(account).with_resources(*STREAMS)
    for loss in (None, "file", "tables"):
        if restart:
            target, data = pipeline(tmp_path), source(account).with_resources(*STREAMS)
        if loss == "file":
            (tmp_path / "zendesk.duckdb").unlink()
        elif loss:
            run_sql(target, "DROP TABLE <tickets>", "DROP TABLE <groups>")
        assert sync(target, data).failed == []
        assert_whole(target, account, *STREAMS)


def test_old_entries_of_loads_may_be_cleared_away(tmp_path: Path, account: Simulator, warnings: list[str]) -> None:
    target = pipeline(tmp_path)
    load(target, account, *STREAMS)
    load(target, account, *STREAMS)
    newest = "SELECT max(load_id) FROM <_dlt_loads>"
    run_sql(target, f"DELETE FROM <_dlt_loads> WHERE load_id < ({newest})")
    assert written(load(target, account, *STREAMS)) == {}
    assert warnings == []


def test_a_run_without_sync_refuses_to_go_on_from_positions_ahead_of_the_destination(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    file = tmp_path / "zendesk.duckdb"
    target.run(source(account).with_resources(*STREAMS))
    shutil.copy(file, tmp_path / "backup")
    change(account)
    target.run(source(account).with_resources(*STREAMS))
    shutil.copy(tmp_path / "backup", file)
    with pytest.raises(PipelineStepFailed, match="The destination is older") as refused:
        target.run(source(account).with_resources(*STREAMS))
    assert any(isinstance(cause, ConfigurationError) for cause in causes(refused.value))
    load(target, account, *STREAMS)
    target.run(source(account).with_resources(*STREAMS))
    assert_whole(target, account, *STREAMS)


def test_streams_whose_rows_are_gone_are_loaded_anew_and_the_others_are_not(
    make_pipeline: MakePipeline, account: Simulator, warnings: list[str]
) -> None:
    streams = ("tickets", "ticket_events", "groups", "users", "organizations")
    target = make_pipeline()
    load(target, account, *streams)
    run_sql(
        target,
        "DROP TABLE <tickets>",
        "DELETE FROM <ticket_events> WHERE true",
        "DROP TABLE <groups>",
        "ALTER TABLE <users> DROP COLUMN email",
    )
    change(account)
    report = load(target, account, *streams)
    assert report.streams["organizations"].rows == 0
    assert_whole(target, account, *streams)
    assert len(warnings) == 4
    assert sum(says("a table was dropped", line) for line in warnings) == 2
    assert sum(says("a table was emptied", line) for line in warnings) == 1
    assert sum(says("a column was dropped", line) for line in warnings) == 1
    warnings.clear()
    assert written(load(target, account, *streams)) == {}
    assert warnings == []
    assert run_sql(target, "SELECT count(DISTINCT started_at) FROM <sync_report> WHERE stream = 'groups'") == [(3,)]


def test_a_child_table_that_is_gone_loads_its_stream_anew(
    tmp_path: Path, account: Simulator, warnings: list[str]
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "tickets", nested="tables")
    run_sql(target, "DROP TABLE <tickets__tags>")
    load(target, account, "tickets", nested="tables")
    assert warnings == ["The table tickets__tags is gone: the stream tickets is loaded anew."]
    assert_whole(target, account, "tickets")


@pytest.mark.parametrize("mode", ["history", "incremental_append", "append", "overwrite"])
def test_a_table_of_any_mode_that_is_gone_is_made_again(tmp_path: Path, account: Simulator, mode: str) -> None:
    target = pipeline(tmp_path)
    load(target, account, "tickets", sync_mode=mode)
    run_sql(target, "DROP TABLE <tickets>")
    load(target, account, "tickets", sync_mode=mode)
    assert len(rows_of(target, "tickets")["tickets"]) == 60


def test_an_appended_table_may_be_emptied_by_whoever_takes_its_rows(
    tmp_path: Path, account: Simulator, warnings: list[str]
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "tickets", sync_mode="incremental_append")
    run_sql(target, "DELETE FROM <tickets> WHERE true")
    assert written(load(target, account, "tickets", sync_mode="incremental_append")) == {}
    assert warnings == []


def test_a_table_that_zendesk_has_emptied_is_not_loaded_anew_each_time(
    tmp_path: Path, simulate: Simulate, warnings: list[str]
) -> None:
    account = simulate(tickets=1)
    target = pipeline(tmp_path)
    load(target, account, "ticket_events")
    account.mutate("delete_tickets", count=1)
    account.mutate("scrub_tickets", count=1)
    told = []
    for _ in range(4):
        load(target, account, "ticket_events")
        told.append(len(warnings))
    assert run_sql(target, "SELECT count(*) FROM <ticket_events>") == [(0,)]
    assert told == [0, 1, 1, 1]


OUTLASTING = {
    "agents_activity": "name",
    "webhook_invocations": "status",
    "engagements": "channel",
    "access_logs": "method",
    "deleted_tickets": "subject",
}


def test_a_dropped_column_costs_no_row_that_zendesk_has_no_longer(
    make_pipeline: MakePipeline, account: Simulator, warnings: list[str]
) -> None:
    target = make_pipeline()
    account.mutate("delete_tickets", count=3)
    load(target, account, *OUTLASTING)
    account.mutate("remove_rows", stream="webhook_invocations", count=1)
    run_sql(
        target,
        "UPDATE <access_logs> SET id = 'old' WHERE id = (SELECT min(id) FROM <access_logs>)",
        "UPDATE <engagements> SET engagement_id = 'old', engagement_start_time = TIMESTAMP '2020-01-01 00:00:00' "
        "WHERE engagement_id = (SELECT min(engagement_id) FROM <engagements>)",
    )
    load(target, account, *OUTLASTING)
    before = {name: rows_of(target, name)[name] for name in OUTLASTING}
    run_sql(target, *(f"ALTER TABLE <{name}> DROP COLUMN {column}" for name, column in OUTLASTING.items()))
    warnings.clear()
    load(target, account, *OUTLASTING)
    assert (
        sum(says("a column of a table whose rows Zendesk may have no longer was dropped", it) for it in warnings) == 5
    )
    assert run_sql(target, "SELECT count(*) FROM <access_logs> WHERE id = 'old'") == [(1,)]
    assert run_sql(target, "SELECT count(*) FROM <engagements> WHERE engagement_id = 'old'") == [(1,)]
    for name, column in OUTLASTING.items():
        found = rows_of(target, name)[name]
        assert len(found) >= len(before[name]), name
        filled = sum(row.get(column) is not None for row in found)
        now = len(account.truth(name))
        assert filled >= now if name != "agents_activity" else filled == len(found) - len(before[name]), name
    warnings.clear()
    written_next = written(load(target, account, *OUTLASTING))
    assert set(written_next) <= {"agents_activity"}
    assert warnings == []


def test_a_dropped_child_table_costs_no_row_that_zendesk_has_no_longer(
    tmp_path: Path, account: Simulator, warnings: list[str]
) -> None:
    target, name = pipeline(tmp_path), "webhook_invocations"
    audits = "ticket_audits"
    load(target, account, name, audits, nested="tables")
    account.mutate("remove_rows", stream=name, count=1)
    count = run_sql(target, f"SELECT count(*) FROM <{name}>")
    run_sql(target, f"DROP TABLE <{audits}__events>", f"ALTER TABLE <{name}> DROP COLUMN status")
    warnings.clear()
    load(target, account, name, audits, nested="tables")
    assert sum("keeps its rows" in line for line in warnings) == 2
    assert run_sql(target, f"SELECT count(*) FROM <{name}>") == count
    assert run_sql(target, f"SELECT count(*) FROM <{name}> WHERE status IS NULL") == [(1,)]
    assert_whole(target, account, audits)
    assert written(load(target, account, name, audits, nested="tables")) == {}


def test_a_message_that_advises_to_load_anew_says_what_is_lost(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "agents_activity", "groups")
    masks = {"agents_activity": {"exclude": ["name"]}, "groups": {"exclude": ["name"]}}
    lost = " (rows that Zendesk no longer has are lost then)"
    for name, says_so in (("agents_activity", True), ("groups", False)):
        with pytest.raises((ConfigurationError, PipelineStepFailed)) as refused:
            load(target, account, name, streams={name: masks[name]})
        assert f"--full-refresh --streams {name}" in str(refused.value)
        assert (lost in str(refused.value)) == says_so


def test_a_dropped_key_stops_a_stream_whose_rows_zendesk_may_have_no_longer(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, account, "engagements")
    count = run_sql(target, "SELECT count(*) FROM <engagements>")
    run_sql(target, "ALTER TABLE <engagements> DROP COLUMN engagement_id")
    with pytest.raises(ConfigurationError) as refused:
        load(target, account, "engagements")
    assert says("a column was dropped that rows cannot be loaded without", str(refused.value))
    assert run_sql(target, "SELECT count(*) FROM <engagements>") == count
    sync(target, source(account).with_resources("engagements"), full_refresh=True)
    assert_whole(target, account, "engagements")


def test_a_full_refresh_names_the_streams_that_lose_rows(
    tmp_path: Path, account: Simulator, warnings: list[str]
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "groups", "agents_activity")
    sync(target, source(account).with_resources("groups", "agents_activity"), full_refresh=True)
    assert warnings == ["agents_activity: loaded anew, and rows that Zendesk no longer has are lost with their tables."]


def test_a_run_without_sync_refuses_to_load_beside_a_table_that_is_gone(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    target.run(source(account).with_resources("tickets"))
    run_sql(target, "DROP TABLE <tickets>")
    with pytest.raises(PipelineStepFailed, match="The table tickets is gone"):
        target.run(source(account).with_resources("tickets"))
    target.run(source(account).with_resources("tickets"), refresh="drop_resources")
    assert_whole(target, account, "tickets")
