"""One process keeps syncing: what is new arrives, and a pass without news costs no package."""

from __future__ import annotations

import gc
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bigquery_server import BigQueryServer
from changes import CHANGES
from dlt.common.schema import Schema
from dlt.pipeline.pipeline import Pipeline
from postgres_server import PostgresServer
from support import assert_whole, pipeline, source, table, truth, written

from zendesk_support import Report, sync, sync_every
from zendesk_support.errors import AlreadyRunningError, ConfigurationError
from zendesk_support.running import continuous, runner
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
STREAMS = ("tickets", "ticket_metrics", "ticket_comments", "ticket_events", "users", "groups", "macros")
ALWAYS = {"streams": {name: {"every": "1s"} for name in CATALOGUE}}


def asked(account: Simulator) -> Counter[str]:
    return Counter(request["route"] for request in account.requests() if request["route"] != "oauth_tokens")


def packages(target: Pipeline) -> int:
    with target.sql_client() as client:
        rows = client.execute_sql("SELECT count(*) FROM _dlt_loads")
    return int((rows or [(0,)])[0][0])


def keep_syncing(target: Pipeline, account: Simulator, *streams: str, every: str = "10m", **settings: Any) -> Any:
    """Passes over streams; whoever takes the next report waits for the next pass."""
    built = source(account, **{**ALWAYS, **settings}).with_resources(*(streams or CATALOGUE))
    return closing(sync_every(target, built, every))


def settled(passes: Iterator[Report], streams: int = 0) -> Counter[str]:
    """Go on until a pass has nothing to write and none of so many streams is at work or to be tried again."""
    found: Counter[str] = Counter()
    for report in passes:
        found.update(written(report))
        waiting = any("tried again" in (told.message or "") for told in report.streams.values())
        if not written(report) and len(report.streams) >= streams and not waiting:
            return found
    raise AssertionError(f"ended after {found}")


@pytest.fixture
def unstored(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not loaded is not stored within this test."""
    monkeypatch.setattr(continuous, "STORED_EVERY", 1e9)


def test_a_pass_without_news_costs_no_package(tmp_path: Path, account: Simulator, unstored: None) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS) as passes:
        first = next(passes)
        assert set(written(first)) == set(STREAMS)
        settled(passes, len(STREAMS))
        loaded = packages(target)
        for _ in range(3):
            report = next(passes)
            assert (written(report), report.failed, report.error) == ({}, [], None)
        assert packages(target) == loaded
    assert_whole(target, account, *STREAMS)


def test_what_changes_between_passes_arrives(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS) as passes:
        settled(passes, len(STREAMS))
        for round in range(3):
            account.mutate("update_tickets", count=3)
            account.mutate("update_rows", stream="macros", count=1)
            if round == 1:
                account.mutate("delete_tickets", count=2)
                account.mutate("delete_groups")
            account.advance(120)
            found = settled(passes, len(STREAMS))
            assert {"tickets", "ticket_comments", "macros"} <= set(found)
            assert "users" not in found
            assert_whole(target, account, *STREAMS)


def test_every_table_is_whole_after_changes_of_all_kinds(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=40, articles=8, posts=5)
    target = pipeline(tmp_path)
    with keep_syncing(target, account, every="1h") as passes:
        settled(passes, len(CATALOGUE))
        assert_whole(target, account)
        for kind, parameters in CHANGES:
            account.mutate(kind, **parameters)
        account.advance(180)
        settled(passes, len(CATALOGUE))
        account.advance(86_400)
        settled(passes, len(CATALOGUE))
        assert_whole(target, account)


def test_an_hour_without_news_is_stored_and_a_restart_reads_little(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS, every="1h") as passes:
        settled(passes, len(STREAMS))
        loaded = packages(target)
        for _ in range(4):
            next(passes)
        assert packages(target) > loaded
    with target.sql_client() as client:
        rows = client.execute_sql("SELECT stream, count(*) FROM sync_report GROUP BY stream") or []
    assert {stream for stream, count in rows if count > 1} == set(STREAMS)
    again = sync(pipeline(tmp_path), source(account).with_resources(*STREAMS))
    assert written(again) == {}
    assert again.streams["tickets"].requests == 1


def test_a_table_that_was_emptied_is_loaded_anew_within_hours(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS, every="1h") as passes:
        settled(passes, len(STREAMS))
        with target.sql_client() as client:
            client.execute_sql("DELETE FROM tickets")
        assert any("tickets" in written(next(passes)) for _ in range(8))
        settled(passes, len(STREAMS))
    assert_whole(target, account, *STREAMS)


def test_a_stream_has_its_own_cadence_and_keeps_it_over_a_restart(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    rare = {"streams": {**ALWAYS["streams"], "macros": {"every": "100d"}}}
    for _ in range(2):
        with keep_syncing(target, account, *STREAMS, **rare) as passes:
            reports = [next(passes) for _ in range(3)]
    assert {report.streams["macros"].status for report in reports} == {"not due"}
    assert {report.streams["groups"].status for report in reports} == {"loaded"}
    assert asked(account)["macros"] == 1


def test_modes_that_read_all_replace_and_append_in_each_pass(tmp_path: Path, account: Simulator) -> None:
    for mode in ("overwrite", "append", "history"):
        target = pipeline(tmp_path, mode)
        with keep_syncing(target, account, "macros", "tickets", sync_mode=mode) as passes:
            reports = [next(passes) for _ in range(3)]
        assert all(not report.failed and report.error is None for report in reports)
        assert table(target, "macros") == truth(account, "macros") if mode != "append" else True


def test_a_stream_that_fails_waits_longer_and_longer_and_costs_no_other(
    tmp_path: Path, account: Simulator, unstored: None
) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS, every="1m") as passes:
        settled(passes, len(STREAMS))
        account.fault("status", status=400, body="{}", route="macros", times=None)
        account.reset_requests()
        failed: list[float] = []
        for report in passes:
            failed += [request["time"] for request in account.requests() if request["route"] == "macros"]
            account.reset_requests()
            assert report.streams["tickets"].status == "loaded" if "tickets" in report.streams else True
            if len(failed) == 4:
                break
        waits = [later - earlier for earlier, later in pairwise(failed)]
        assert all(wait > every for wait, every in zip(waits, (60 * 1.6, 60 * 3.2, 60 * 6.4)))
        account.clear_faults()
        account.mutate("update_rows", stream="macros", count=1)
        assert any("macros" in written(next(passes)) for _ in range(400))
    assert_whole(target, account, *STREAMS)


def test_a_stream_that_is_refused_is_asked_for_no_more_within_the_hour(tmp_path: Path, account: Simulator) -> None:
    account.fault("status", status=403, route="macros", times=None)
    with keep_syncing(pipeline(tmp_path), account, *STREAMS, every="1m") as passes:
        assert next(passes).streams["macros"].status == "unavailable"
        account.reset_requests()
        seen = [next(passes).streams["macros"].status for _ in range(4)]
    assert seen == ["not due"] * 4
    assert [request for request in account.requests() if request["route"] == "macros"] == []


def test_a_load_that_fails_is_told_and_made_good(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS) as passes:
        settled(passes, len(STREAMS))
        account.mutate("update_tickets", count=3)
        account.advance(120)

        def refuse(*arguments: Any, **options: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(continuous, "load_once", refuse)
            report = next(passes)
            assert isinstance(report.error, OSError)
        settled(passes, len(STREAMS))
    assert_whole(target, account, *STREAMS)


def test_credentials_that_are_refused_end_it(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS) as passes:
        settled(passes, len(STREAMS))
        account.fault("status", status=401, body='{"error": "invalid_token"}', route="*", times=None)
        with pytest.raises(ConfigurationError, match="refused"):
            settled(passes, len(CATALOGUE))


def test_no_other_run_may_begin_beside_it(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, "groups") as passes:
        next(passes)
        with pytest.raises(AlreadyRunningError):
            sync(pipeline(tmp_path), source(account).with_resources("groups"))
    sync(pipeline(tmp_path), source(account).with_resources("groups"))


def test_a_bounded_period_is_refused(tmp_path: Path, account: Simulator) -> None:
    with (
        pytest.raises(ConfigurationError, match="end_date bounds a single run"),
        keep_syncing(pipeline(tmp_path), account, "groups", end_date="2026-01-01") as passes,
    ):
        next(passes)


def test_child_tables_are_whole_too(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS, nested="tables") as passes:
        settled(passes, len(STREAMS))
        account.mutate("update_tickets", count=5)
        account.mutate("update_rows", stream="macros", count=2)
        account.advance(180)
        settled(passes, len(STREAMS))
    assert_whole(target, account, *STREAMS)


def test_a_long_pass_over_a_stream_holds_up_no_other(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(articles=60, token_lifetime=864_000)  # no token ends while a request waits
    account.fault("slow", delay=3600, route="article_comments", times=None)
    streams = ("tickets", "articles", "article_comments")
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *streams, every="10m", request_timeout=7200, retry_deadline=86_400) as passes:
        seen: list[set[str]] = []
        for report in passes:
            if written(report):
                account.mutate("update_tickets", count=1)
            seen.append(set(written(report)))
            if "article_comments" in report.streams:
                break
        assert sum("tickets" in found for found in seen[:-1]) > 1
        account.clear_faults()
        settled(passes, len(streams))
    assert_whole(target, account, *streams)


def test_a_rotated_token_is_at_the_destination_although_nothing_was_loaded(
    tmp_path: Path, home: Path, account: Simulator, unstored: None
) -> None:
    names = ("client_id", "client_secret", "refresh_token")
    first = {name: account.credentials[name] for name in names}
    target = pipeline(tmp_path)
    with keep_syncing(target, account, "groups", credentials=first) as passes:
        settled(passes, 1)
        account.advance(8000)
        settled(passes, 1)
        loaded = packages(target)
        settled(passes, 1)
        assert packages(target) == loaded
    assert account.credentials["refresh_token"] != first["refresh_token"]
    shutil.rmtree(home / "dlt")
    report = sync(pipeline(tmp_path), source(account, credentials=first).with_resources("groups"))
    assert report.failed == []


def test_passes_leave_nothing_behind(tmp_path: Path, account: Simulator, unstored: None) -> None:
    """Readers, schemas and threads are as many after many passes as after a few."""
    built = source(account, **ALWAYS).with_resources(*STREAMS)
    of_others = {*threading.enumerate()}

    def held() -> tuple[int, ...]:
        gc.collect()
        schemas = sum(isinstance(found, Schema) for found in gc.get_objects()) // 10
        [session] = built.account._sessions.values()
        return len(session._readers), len(session.resource_runs), len(built.account.carried.rows), schemas

    def change_and_sync(passes: Iterator[Report], times: int) -> tuple[int, ...]:
        for _ in range(times):
            account.mutate("update_tickets", count=1)
            settled(passes, len(STREAMS))
        return held()

    with closing(sync_every(pipeline(tmp_path), built, "10m")) as passes:
        settled(passes, len(STREAMS))
        before = change_and_sync(passes, 2)
        after = change_and_sync(passes, 12)
        assert all(later <= earlier + 2 for earlier, later in zip(before, after)), (before, after)
        assert len({*threading.enumerate()} - of_others) < 80
    assert built.account._sessions == {}


def test_what_dlt_keeps_of_loaded_packages_does_not_grow(
    tmp_path: Path, account: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PACKAGES_KEPT", 2)
    target = pipeline(tmp_path)
    with keep_syncing(target, account, *STREAMS) as passes:
        settled(passes, len(STREAMS))
        for _ in range(3):
            account.mutate("update_tickets", count=1)
            settled(passes, len(STREAMS))
    with target.sql_client() as client:
        rows = client.execute_sql("SELECT load_id FROM _dlt_loads ORDER BY load_id") or []
    loaded = [load_id for (load_id,) in rows]
    assert len(loaded) > 3
    kept = [path.name for path in (Path(target.working_dir) / "load" / "loaded").iterdir()]
    assert sorted(kept) == loaded[-2:]


def test_it_keeps_syncing_into_postgres(tmp_path: Path, account: Simulator, postgres: PostgresServer) -> None:
    target = pipeline(tmp_path, server=postgres)
    with keep_syncing(target, account, *STREAMS) as passes:
        settled(passes, len(STREAMS))
        account.mutate("update_tickets", count=5)
        account.mutate("update_rows", stream="macros", count=2)
        account.advance(180)
        settled(passes, len(STREAMS))
    assert_whole(target, account, *STREAMS)


@pytest.mark.bigquery
def test_it_keeps_syncing_into_bigquery(
    tmp_path: Path, account: Simulator, bigquery: BigQueryServer, unstored: None
) -> None:
    target = pipeline(tmp_path, server=bigquery)
    with keep_syncing(target, account, *STREAMS) as passes:
        settled(passes, len(STREAMS))
        for _ in range(2):
            account.mutate("update_tickets", count=5)
            account.mutate("delete_tickets", count=1)
            account.mutate("update_rows", stream="macros", count=2)
            account.mutate("remove_rows", stream="macros", count=1)
            account.advance(180)
            assert {"tickets", "ticket_comments", "macros"} <= set(settled(passes, len(STREAMS)))
            assert_whole(target, account, *STREAMS)
        loaded = packages(target)
        assert written(next(passes)) == {}
        assert packages(target) == loaded


@pytest.mark.parametrize("every", [0, -1.0, "0s", "soon"])
def test_a_time_between_passes_that_is_none_is_refused(tmp_path: Path, account: Simulator, every: Any) -> None:
    passes = sync_every(pipeline(tmp_path), source(account).with_resources("groups"), every)
    with pytest.raises(ConfigurationError, match="every = "):
        next(passes)
