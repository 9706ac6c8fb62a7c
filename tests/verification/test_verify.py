"""Tables compared with Zendesk: what is lacking or too much is found, and nothing else is called a difference."""

from __future__ import annotations

import shutil
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import dlt
import duckdb
import pytest
from dlt.pipeline.pipeline import Pipeline
from support import (
    SCALE,
    Loaded,
    MakePipeline,
    assert_whole,
    is_reading,
    load,
    pipeline,
    simulated,
    source,
    table,
    truth,
    written,
)

from zendesk_support import ConfigurationError, Verification, cli, sync, verify
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.clock import unix
from zendesk_support.streams import CATALOGUE

Simulate = Callable[..., Simulator]
COUNTED = ("users", "organizations", "custom_object_records")
EVERY_OTHER = "id IN (SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM {}) WHERE n % 2 = 0)"
TICKET_CHANGES = (
    ("update_tickets", {"count": 3}),
    ("create_tickets", {"count": 2}),
    ("delete_tickets", {"count": 2}),
    ("scrub_tickets", {}),
    ("redact_comments", {}),
    ("archive_tickets", {}),
    ("system_update_tickets", {}),
    ("restore_tickets", {}),
)
OTHER_CHANGES = (
    ("update_users", {"count": 4}),
    ("create_users", {"count": 2}),
    ("deactivate_users", {}),
    ("permanently_delete_users", {}),
    ("update_organizations", {"count": 2}),
    ("create_organizations", {}),
    ("delete_organizations", {}),
    ("vote_articles", {"count": 2}),
    ("unvote_posts", {}),
    ("late_row", {"stream": "organizations"}),
    ("create_rows", {"stream": "user_identities"}),
    ("remove_rows", {"stream": "user_identities"}),
    ("create_rows", {"stream": "satisfaction_ratings"}),
    ("create_rows", {"stream": "ticket_activities"}),
    ("log_audits", {}),
)


COMPARED = tuple(name for name in CATALOGUE if not is_reading(name))
"""All streams but those of which Zendesk tells no past."""
FIXED = {name for name in COMPARED if getattr(CATALOGUE[name].feeds[0].endpoint, "is_fixed", False)}
"""Those that ask only parents that have changed: their own rows are compared where all keys are."""
SMALL = {"tickets": 30, "articles": 5, "posts": 5}
"""An account with rows of every stream, and few requests to read them all."""


@pytest.fixture
def small(simulate: Simulate) -> Simulator:
    """A small account of the test's own."""
    return simulate(**SMALL)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Another, loaded whole."""
    with simulated(**SMALL) as account:
        yield Loaded.make(tmp_path_factory.mktemp("loaded"), account)


def check(
    target: Pipeline, account: Simulator, *streams: str, keys: bool = False, since: Any = None, **settings: Any
) -> dict[str, Verification]:
    """Verify streams (all by default)."""
    selected = source(account, **settings).with_resources(*(streams or COMPARED))
    return {result.stream: result for result in verify(target, selected, keys=keys, since=since)}


def verdicts(results: dict[str, Verification]) -> dict[str, str | None]:
    return {name: result.verdict for name, result in results.items()}


def execute(target: Pipeline, *queries: str) -> None:
    with target.sql_client() as client:
        for query in queries:
            client.execute_sql(query)


def select(target: Pipeline, query: str) -> list[tuple[Any, ...]]:
    with target.sql_client() as client, client.execute_query(query) as cursor:
        return [tuple(row) for row in cursor.fetchall()]


def first_key(target: Pipeline, name: str) -> tuple[Any, ...]:
    """The key of a row that the table has held for long."""
    key = ", ".join(CATALOGUE[name].key)
    return select(target, f"SELECT {key} FROM {name} ORDER BY {key} LIMIT 1")[0]


def where(name: str, key: tuple[Any, ...]) -> str:
    return " AND ".join(f"{column} = '{value}'" for column, value in zip(CATALOGUE[name].key, key))


def as_text(key: tuple[Any, ...]) -> str:
    return "/".join(map(str, key))


def change(account: Simulator) -> None:
    """Change something of every stream."""
    for kind, parameters in TICKET_CHANGES + OTHER_CHANGES:
        account.mutate(kind, **parameters)
    for name, stream in CATALOGUE.items():
        if stream.snapshot:
            # A vote that comes as another goes is a case of its own.
            for kind in ("create_rows", "update_rows", "remove_rows")[: 1 if name.endswith("votes") else 3]:
                account.mutate(kind, stream=name)


def positions(target: Pipeline) -> Any:
    return target.state["sources"]["zendesk_support"]["resources"]


def test_every_table_is_whole_after_a_sync_and_verifying_leaves_no_trace_but_its_result(
    tmp_path: Path, loaded: Loaded
) -> None:
    """L42."""
    target, small = loaded.copy(tmp_path), loaded.account
    before = positions(target)
    for keys in (False, True):
        results = check(target, small, keys=keys)
        assert verdicts(results) == dict.fromkeys(COMPARED, "ok")
        for name, result in results.items():
            there = len(truth(small, name))
            assert (result.expected, result.found, result.difference) == (there, there, 0), name
            assert result.newest_expected == result.newest_found, name
            assert ("count" in result.why) == (name in COUNTED and not keys), name
    assert positions(target) == before
    assert written(load(target, small)) == {}
    assert select(target, "SELECT verdict, count(*) FROM sync_verification GROUP BY 1") == [("ok", 2 * len(COMPARED))]


def test_what_changed_since_the_sync_is_innocent(tmp_path: Path, small: Simulator) -> None:
    """L42."""
    target = pipeline(tmp_path)
    load(target, small)
    change(small)
    for keys in (False, True):
        results = check(target, small, keys=keys)
        assert {name: result.examples for name, result in results.items() if not result.passed} == {}
        assert {name for name, result in results.items() if result.difference} != set()
        for name, result in results.items():
            if result.difference:
                assert result.verdict == "explained", name
                assert "changed in Zendesk since the sync" in result.why or "no longer lists" in result.why, name
    load(target, small)
    results = check(target, small, keys=True)
    rolling = {"ticket_audits", "ticket_skips", "ticket_activities", "deleted_tickets", "csat_surveys"}
    rolling |= {"organization_merges", "webhook_invocations"}  # listed for a time, or below a parent that goes
    assert {name for name, result in results.items() if result.verdict != "ok"} <= rolling
    assert {result.passed for result in results.values()} == {True}


def test_a_vote_exchanged_for_its_like_escapes_a_sync_and_is_found_by_key(tmp_path: Path, small: Simulator) -> None:
    target = pipeline(tmp_path)
    load(target, small, "article_votes")
    center = small.account.help_centers[0]
    votes = center.tables["article_votes"]
    old = votes.get(votes.rids[0])
    new = votes.new_rid()
    votes.add({**old, "id": new}, int(small.now()))
    votes.remove(old["id"])
    center.forget_children("article_votes")
    small.account.changed()
    assert written(load(target, small, "article_votes")) == {}
    assert check(target, small, "article_votes")["article_votes"].verdict == "ok"
    result = check(target, small, "article_votes", keys=True)["article_votes"]
    assert result.verdict == "missing"
    assert result.missing == (f"{center.brand_id}/{new}",)
    assert result.surplus == (f"{center.brand_id}/{old['id']}",)


def test_a_row_lost_from_any_table_is_named(tmp_path: Path, loaded: Loaded) -> None:
    """L42."""
    target, small = loaded.copy(tmp_path), loaded.account
    lost = {name: first_key(target, name) for name in COMPARED}
    execute(target, *(f"DELETE FROM {name} WHERE {where(name, key)}" for name, key in lost.items()))
    for keys in (False, True):
        results = check(target, small, keys=keys)
        seen = [name for name in COMPARED if keys or name not in FIXED]
        assert verdicts(results) == {**dict.fromkeys(COMPARED, "ok"), **dict.fromkeys(seen, "missing")}
        named = {name: results[name].missing for name in seen}
        assert named == {name: (as_text(lost[name]),) for name in seen}
        assert {(results[name].difference, results[name].surplus) for name in seen} == {(1, ())}


def test_a_row_that_zendesk_never_had_is_named(tmp_path: Path, loaded: Loaded) -> None:
    """L42."""
    target, small = loaded.copy(tmp_path), loaded.account
    judged = [name for name in COMPARED if not CATALOGUE[name].keeps]
    for name in judged:
        column = CATALOGUE[name].key[-1]
        execute(target, f"INSERT INTO {name} SELECT * REPLACE ('7' AS {column}) FROM {name} LIMIT 1")
    for keys in (False, True):
        results = check(target, small, *judged, keys=keys)
        seen = [name for name in judged if keys or name not in FIXED]
        assert verdicts(results) == {**dict.fromkeys(judged, "ok"), **dict.fromkeys(seen, "surplus")}
        assert {results[name].surplus[0].split("/")[-1] for name in seen} == {"7"}
        assert {(results[name].difference, results[name].missing) for name in seen} == {(-1, ())}


def test_a_row_without_any_time_is_compared_too(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=5)
    target = pipeline(tmp_path)
    load(target, account, "tickets")
    execute(target, "INSERT INTO tickets (id, _dlt_load_id) VALUES (999, 'x')")
    assert check(target, account, "tickets")["tickets"].surplus == ("999",)


def test_a_redaction_that_no_event_told_of_is_found_in_the_texts(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=20)
    target = pipeline(tmp_path)
    load(target, account, "ticket_comments")
    redacted = account.mutate("redact_comments")
    load(target, account, "ticket_comments")
    assert check(target, account, "ticket_comments")["ticket_comments"].verdict == "ok"
    [comment] = redacted["comment_ids"]
    execute(target, f"UPDATE ticket_comments SET body = 'As it was' WHERE id = {comment}")
    result = check(target, account, "ticket_comments")["ticket_comments"]
    assert (result.verdict, result.examples) == ("stale", f"stale {comment}")


@pytest.mark.parametrize(
    ("stream", "verdict"), [("tickets", "stale"), ("users", "stale"), ("organizations", "missing")]
)
def test_a_row_that_became_visible_too_late_for_any_sync_is_found_from_a_date_on(
    tmp_path: Path, simulate: Simulate, stream: str, verdict: str
) -> None:
    account = simulate(tickets=30)
    target = pipeline(tmp_path)
    load(target, account, stream)
    late = account.mutate("late_row", stream=stream, age=3 * 3600)
    assert written(load(target, account, stream)) == {}
    since = datetime.fromtimestamp(late["timestamp"] - 60, timezone.utc)
    result = check(target, account, stream, since=since)[stream]
    assert (result.verdict, result.examples) == (verdict, f"{verdict} {late['ids'][0]}")
    assert result.found < len(truth(account, stream))
    assert check(target, account, stream, since=datetime.fromtimestamp(late["timestamp"] + 1, timezone.utc))[
        stream
    ].passed


def test_a_key_that_is_there_twice_is_surplus(tmp_path: Path, simulate: Simulate) -> None:
    """L03."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    streams = ("tickets", "groups")
    load(target, account, *streams)
    twice = {name: first_key(target, name) for name in streams}
    for name, key in twice.items():
        execute(target, f"INSERT INTO {name} SELECT * FROM {name} WHERE {where(name, key)}")
    results = check(target, account, *streams)
    assert verdicts(results) == dict.fromkeys(streams, "surplus")
    assert {name: result.surplus for name, result in results.items()} == {
        name: (as_text(key),) for name, key in twice.items()
    }


def test_at_most_five_keys_are_named(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load(target, account, "tickets", "tags")
    execute(target, "DELETE FROM tickets", "DELETE FROM tags")
    results = check(target, account, "tickets", "tags")
    assert {name: (len(result.missing), result.found) for name, result in results.items()} == {
        "tickets": (5, 0),
        "tags": (5, 0),
    }
    assert [results[name].difference for name in ("tickets", "tags")] == [10, len(truth(account, "tags"))]


@pytest.mark.parametrize("make_pipeline", ["duckdb", "postgres"], indirect=True)
def test_a_loss_is_not_excused_by_what_changed_since(make_pipeline: MakePipeline, simulate: Simulate) -> None:
    """L42."""
    account = simulate(tickets=30)
    target = make_pipeline()
    streams = ("tickets", "ticket_events", "users", "macros", "tags")
    load(target, account, *streams)
    lost = {name: first_key(target, name) for name in streams}
    execute(target, *(f"DELETE FROM {name} WHERE {where(name, key)}" for name, key in lost.items()))
    account.mutate("create_tickets", count=2)
    account.mutate("create_users", count=2)
    account.mutate("create_rows", stream="macros", count=2)
    results = check(target, account, *streams)
    assert {name: result.missing for name, result in results.items()} == {
        name: (as_text(key),) for name, key in lost.items()
    }
    assert [results[name].difference for name in ("tickets", "users", "macros")] == [3, 3, 3]


def test_a_list_row_that_the_last_sync_should_have_seen_is_missing_though_nobody_touched_the_table(
    tmp_path: Path, account: Simulator
) -> None:
    """L42: the table is as the sync left it, yet the row is older than the sync."""
    target = pipeline(tmp_path)
    macros = account.account.tables["macros"]
    hidden = macros.rids[3]
    row = macros.get(hidden)
    macros.remove(hidden)
    account.account.changed()
    load(target, account, "macros")
    macros.add(row, int(account.now()), hidden)
    account.account.changed()
    result = check(target, account, "macros")["macros"]
    assert (result.verdict, result.missing) == ("missing", (str(hidden),))
    assert "as the last sync left it" in result.why


def test_a_ticket_that_the_export_keeps_back_for_its_first_minute_is_not_surplus(
    tmp_path: Path, simulate: Simulate
) -> None:
    account = simulate(tickets=20, clock_scale=1.0)
    target = pipeline(tmp_path)
    load(target, account, "tickets", "ticket_metrics", clock_scale=1.0)
    account.mutate("update_tickets", count=3, settle=False)
    slow = source(account, clock_scale=SCALE).with_resources("tickets", "ticket_metrics")
    account.on_request(3, "log_audits", settle=False)
    results = {result.stream: result for result in verify(target, slow)}
    assert verdicts(results) == {"tickets": "explained", "ticket_metrics": "explained"}


def test_rows_that_change_while_they_are_compared_are_innocent(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1500, ticket_fields=230)
    target = pipeline(tmp_path)
    streams = ("tickets", "ticket_events", "ticket_fields", "groups")
    load(target, account, *streams)
    account.on_request(3, "update_tickets", count=200, settle=False)
    account.on_request(4, "remove_rows", stream="ticket_fields", count=3)
    account.on_request(5, "create_tickets", count=5, settle=False)
    results = check(target, account, *streams, keys=True)
    assert {name: result.examples for name, result in results.items() if not result.passed} == {}


def test_only_the_period_from_the_start_date_on_is_compared(tmp_path: Path, simulate: Simulate) -> None:
    """L39."""
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    streams = ("tickets", "ticket_comments", "satisfaction_ratings", "articles", "users")
    middle = sorted(row["generated_timestamp"] for row in account.truth("tickets"))[30]
    start = datetime.fromtimestamp(middle, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    load(target, account, *streams, start_date=start)
    for given, note in ((start, False), ("2015-01-01", True), (days_after(middle, 20), False)):
        results = check(target, account, *streams, keys=True, start_date=given)
        expected = dict.fromkeys(streams, "ok")
        if note:
            expected["articles"] = "missing"
        assert verdicts(results) == expected, given
        assert ("where the table begins" in results["tickets"].why) == note
    assert results["tickets"].expected == sum(
        row["generated_timestamp"] >= middle + 20 * 86400 for row in account.truth("tickets")
    )


def days_after(at: int, days: int) -> str:
    return datetime.fromtimestamp(at + days * 86400, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_bounded_period_is_compared_as_it_was_loaded(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=60)
    target = pipeline(tmp_path)
    streams = ("tickets", "ticket_events", "satisfaction_ratings")
    middle = sorted(row["generated_timestamp"] for row in account.truth("tickets"))[30]
    period = {"start_date": "2015-01-01", "end_date": days_after(middle, 0)}
    load(target, account, *streams, **period)
    account.mutate("update_tickets", count=10)
    for keys in (False, True):
        results = check(target, account, *streams, keys=keys, **period)
        assert {result.passed for result in results.values()} == {True}
        assert results["tickets"].found == 30
    execute(target, "DELETE FROM ticket_events WHERE id = (SELECT min(id) FROM ticket_events)")
    assert check(target, account, "ticket_events", **period)["ticket_events"].verdict == "missing"


def test_a_stream_that_the_plan_refuses_is_unavailable_and_one_without_a_table_is_not_loaded(
    tmp_path: Path, simulate: Simulate
) -> None:
    """L20."""
    account = simulate(tickets=5, gates={"ticket_forms": 403, "satisfaction_ratings": 404})
    target = pipeline(tmp_path)
    sync(target, source(account).with_resources("groups", "ticket_forms", "satisfaction_ratings"))
    results = check(target, account, "groups", "ticket_forms", "satisfaction_ratings", "users", "brands")
    assert verdicts(results) == {
        "groups": "ok",
        "ticket_forms": "unavailable",
        "satisfaction_ratings": "unavailable",
        "users": "not loaded",
        "brands": "not loaded",
    }
    assert "403" in results["ticket_forms"].why
    assert (results["users"].expected, results["users"].found) == (None, None)


def test_nothing_is_made_where_nothing_is_loaded(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    assert verdicts(check(target, account, "groups", "users")) == {"groups": "not loaded", "users": "not loaded"}
    assert account.requests() == []
    assert written(load(target, account, "groups")) == {"groups": len(truth(account, "groups"))}


@pytest.mark.parametrize("mode", ["history", "incremental_append", "append", "overwrite"])
def test_each_mode_is_compared_on_its_current_rows(tmp_path: Path, account: Simulator, mode: str) -> None:
    target = pipeline(tmp_path)
    streams = ("tickets", "ticket_comments", "users", "user_identities", "group_memberships", "macros", "articles")
    load(target, account, *streams, sync_mode=mode)
    for kind, parameters in (TICKET_CHANGES[0], OTHER_CHANGES[0], ("remove_rows", {"stream": "group_memberships"})):
        account.mutate(kind, **parameters)
    assert {r.passed for r in check(target, account, *streams, keys=True, sync_mode=mode).values()} == {True}
    load(target, account, *streams, sync_mode=mode)
    kept = {"group_memberships": "explained"} if mode == "append" else {}
    for keys in (False, True):
        results = check(target, account, *streams, keys=keys, sync_mode=mode)
        assert verdicts(results) == {**dict.fromkeys(streams, "ok"), **kept}
    lost = {name: first_key(target, name) for name in ("tickets", "users", "macros")}
    execute(target, *(f"DELETE FROM {name} WHERE {where(name, key)}" for name, key in lost.items()))
    results = check(target, account, *lost, sync_mode=mode)
    assert {name: result.missing for name, result in results.items()} == {
        name: (as_text(key),) for name, key in lost.items()
    }


def test_marked_rows_do_not_count(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    streams = ("group_memberships", "user_identities", "ticket_metrics", "articles")
    load(target, account, *streams, deletes="mark")
    account.mutate("remove_rows", stream="group_memberships")
    account.mutate("remove_rows", stream="user_identities")
    account.mutate("delete_tickets")
    account.mutate("archive_articles")
    load(target, account, *streams, deletes="mark")
    results = check(target, account, *streams, deletes="mark")
    assert verdicts(results) == dict.fromkeys(streams, "ok")
    assert {name: result.found for name, result in results.items()} == {
        name: len(truth(account, name)) for name in streams
    }


def test_tables_with_child_tables_are_compared_too(tmp_path: Path, account: Simulator) -> None:
    target = pipeline(tmp_path)
    streams = ("tickets", "users", "group_memberships", "articles", "article_votes", "ticket_fields")
    load(target, account, *streams, nested="tables")
    assert verdicts(check(target, account, *streams, nested="tables")) == dict.fromkeys(streams, "ok")
    lost = {name: first_key(target, name) for name in streams}
    execute(target, *(f"DELETE FROM {name} WHERE {where(name, key)}" for name, key in lost.items()))
    results = check(target, account, *streams, nested="tables")
    assert {name: result.missing for name, result in results.items()} == {
        name: (as_text(key),) for name, key in lost.items()
    }


def test_children_read_only_where_they_changed_lack_what_was_left_out_and_that_is_innocent(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    load(target, account, "article_comments", help_center_children="changed")
    account.mutate("create_rows", stream="article_comments", count=3)
    load(target, account, "article_comments", help_center_children="changed")
    result = check(target, account, "article_comments", help_center_children="changed")["article_comments"]
    assert (result.verdict, result.difference) == ("explained", 3)


@pytest.mark.parametrize("name", ["tags", "article_comments", "ticket_events", "users"])
def test_a_reading_that_breaks_off_is_an_error_and_no_verdict(tmp_path: Path, simulate: Simulate, name: str) -> None:
    """L38, L42."""
    routes = {"ticket_events": "incremental_ticket_events", "users": "users_count"}
    account = simulate(tickets=1, tags=250)
    target = pipeline(tmp_path)
    load(target, account, name, "groups")
    account.fault("status", route=routes.get(name, name), nth=2 if name == "tags" else 1, times=None, status=418)
    results = check(target, account, name, "groups")
    assert verdicts(results) == {name: None, "groups": "ok"}
    assert "418" in str(results[name].error)
    assert not results[name].passed
    rows = select(target, "SELECT stream, verdict FROM sync_verification WHERE why LIKE '%418%'")
    assert rows == [(name, None)]


@pytest.mark.parametrize("name", ["tags", "tickets"])
def test_a_stream_whose_last_sync_failed_lacks_what_it_did_not_reach(
    tmp_path: Path, simulate: Simulate, name: str
) -> None:
    """L42."""
    routes = {"tags": "tags", "tickets": "incremental_tickets_cursor"}
    account = simulate(tickets=400, tags=250)
    target = pipeline(tmp_path)
    account.fault("heavy_page", route="incremental_*", per_page=130, times=None)
    account.fault("status", route=routes[name], nth=2, times=None, status=418)
    assert [failed.stream for failed in sync(target, source(account).with_resources(name)).failed] == [name]
    account.clear_faults()
    result = check(target, account, name)[name]
    assert result.verdict == "missing"
    assert "its last sync did not reach the end" in result.why
    assert result.difference == len(truth(account, name)) - len(table(target, name))


def test_a_long_export_is_sampled_and_read_whole_on_demand(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1500)
    target = pipeline(tmp_path)
    load(target, account, "ticket_comments")
    rows = len(truth(account, "ticket_comments"))
    account.fault("heavy_page", route="incremental_*", per_page=130, times=None)
    account.reset_requests()
    result = check(target, account, "ticket_comments")["ticket_comments"]
    assert result.verdict == "ok"
    assert result.found == result.expected
    assert 0 < (result.found or 0) < rows
    assert f"a sample: the table has {rows:,} rows" in result.why
    assert (
        len([r for r in account.requests() if r["route"] == "incremental_ticket_events" and r["status"] == 200]) == 10
    )
    execute(target, f"DELETE FROM ticket_comments WHERE {EVERY_OTHER.format('ticket_comments')}")
    result = check(target, account, "ticket_comments")["ticket_comments"]
    assert (result.verdict, len(result.missing)) == ("missing", 5)
    result = check(target, account, "ticket_comments", keys=True)["ticket_comments"]
    assert (result.verdict, result.expected) == ("missing", rows)


def test_a_sample_is_spread_over_the_whole_time(tmp_path: Path, simulate: Simulate) -> None:
    """L42."""
    account = simulate(tickets=1, users=9500)
    target = pipeline(tmp_path)
    load(target, account, "user_identities")
    account.fault("heavy_page", route="incremental_*", per_page=130, times=None)
    account.reset_requests()
    assert check(target, account, "user_identities")["user_identities"].verdict == "ok"
    pages = [r for r in account.requests() if r["route"] == "incremental_users_cursor" and r["status"] == 200]
    assert len(pages) == 10
    execute(target, "DELETE FROM user_identities WHERE updated_at > (SELECT median(updated_at) FROM user_identities)")
    result = check(target, account, "user_identities")["user_identities"]
    assert (result.verdict, len(result.missing)) == ("missing", 5)


def never_shown(account: Simulator) -> int:
    """An organization on none of the pages that were asked for."""
    rows = sorted((unix(row["updated_at"]), row["id"]) for row in account.truth("organizations"))
    shown: set[int] = set()
    for request in account.requests():
        if request["route"] == "incremental_organizations" and request["status"] == 200:
            query = parse_qs(request["query"])
            first = bisect_left(rows, (int(query["start_time"][0]), 0))
            shown.update(id for _, id in rows[first : first + int(query["per_page"][0])])
    return next(id for _, id in rows if id not in shown)


@pytest.mark.parametrize(("lost", "verdict"), [(1, "missing"), (-1, "surplus")])
def test_a_count_that_differs_has_the_last_word_where_the_sample_finds_nothing(
    tmp_path: Path, simulate: Simulate, lost: int, verdict: str
) -> None:
    """L42."""
    account = simulate(tickets=1, organizations=2500)
    target = pipeline(tmp_path)
    load(target, account, "organizations")
    account.fault("heavy_page", route="incremental_*", per_page=130, times=None)
    account.reset_requests()
    execute(target, "INSERT INTO organizations SELECT * REPLACE (7 AS id) FROM organizations LIMIT 1")
    check(target, account, "organizations")
    unseen = never_shown(account)
    execute(target, "DELETE FROM organizations WHERE id = 7")
    if lost > 0:
        execute(target, f"DELETE FROM organizations WHERE id = {unseen}")
    else:
        execute(target, f"INSERT INTO organizations SELECT * REPLACE (7 AS id) FROM organizations WHERE id = {unseen}")
    result = check(target, account, "organizations")["organizations"]
    assert (result.verdict, result.difference, result.examples) == (verdict, lost, "")
    assert "--verify-keys names the keys" in result.why
    named = check(target, account, "organizations", keys=True)["organizations"]
    assert (named.verdict, named.missing + named.surplus) == (verdict, (str(unseen) if lost > 0 else "7",))


def test_a_count_that_zendesk_keeps_for_a_day_proves_nothing(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=1, users=40, organizations=5)
    target = pipeline(tmp_path)
    load(target, account, "users")
    account.fault(
        "status",
        route="users_count",
        status=200,
        body={"count": {"value": 100_000, "refreshed_at": None}},
        times=None,
    )
    result = check(target, account, "users")["users"]
    assert (result.verdict, result.expected) == ("ok", len(truth(account, "users")))


def test_audits_read_ticket_by_ticket_are_compared(tmp_path: Path, simulate: Simulate) -> None:
    account = simulate(tickets=30)
    target = pipeline(tmp_path)
    load(target, account, "ticket_audits", ticket_audits="per_ticket")
    for keys in (False, True):
        result = check(target, account, "ticket_audits", keys=keys, ticket_audits="per_ticket")["ticket_audits"]
        assert result.verdict == "ok"
    lost = first_key(target, "ticket_audits")
    execute(target, f"DELETE FROM ticket_audits WHERE {where('ticket_audits', lost)}")
    result = check(target, account, "ticket_audits", ticket_audits="per_ticket")["ticket_audits"]
    assert result.missing == (as_text(lost),)


def test_a_pending_package_stays_and_is_no_difference(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    streams = ("tickets", "macros")
    load(target, account, *streams)
    account.mutate("create_tickets", count=3)
    account.mutate("create_rows", stream="macros", count=2)
    target.extract(source(account).with_resources(*streams))
    packages = target.list_extracted_load_packages()
    results = check(target, account, *streams)
    assert {name: (result.verdict, result.difference) for name, result in results.items()} == {
        "tickets": ("explained", 3),
        "macros": ("explained", 2),
    }
    assert target.list_extracted_load_packages() == packages
    assert dlt.current.pipeline().pipeline_name == target.pipeline_name
    assert select(target, "SELECT count(*) FROM sync_verification") == [(2,)]
    load(target, account, *streams)
    assert_whole(target, account, *streams)
    assert verdicts(check(target, account, *streams)) == dict.fromkeys(streams, "ok")


def test_a_machine_that_never_synced_takes_the_positions_from_the_destination(
    tmp_path: Path, account: Simulator
) -> None:
    target = pipeline(tmp_path)
    streams = ("tickets", "macros", "users")
    load(target, account, *streams)
    account.mutate("create_tickets", count=3)
    shutil.rmtree(tmp_path / "dlt")
    results = check(pipeline(tmp_path), account, *streams, keys=True)
    assert verdicts(results) == {"tickets": "explained", "macros": "ok", "users": "ok"}


def test_a_refresh_token_that_a_verification_renews_is_kept_for_the_next_machine(
    tmp_path: Path, home: Path, account: Simulator
) -> None:
    """L33."""
    known = account.credentials
    first = {name: known[name] for name in ("client_id", "client_secret", "refresh_token")}
    load(pipeline(tmp_path), account, "groups", credentials=first)
    for _ in range(2):
        account.advance(4000)
        shutil.rmtree(home / "dlt")
        assert check(pipeline(tmp_path), account, "groups", credentials=first)["groups"].verdict == "ok"
    assert account.credentials["refresh_token"] != first["refresh_token"]


def test_the_results_are_kept_in_a_table(make_pipeline: MakePipeline, account: Simulator) -> None:
    target = make_pipeline()
    load(target, account, "tickets", "groups")
    execute(target, "DELETE FROM tickets WHERE id = 1")
    result = check(target, account, "tickets", "groups")["tickets"]
    query = """
        SELECT expected, found, difference, verdict, why, examples, newest_expected, newest_found, checked_at
        FROM sync_verification WHERE stream = 'tickets'
    """
    (row,) = select(target, query)
    assert row[:6] == (60, 59, 1, "missing", result.why, "missing 1")
    assert row[6:] == (result.newest_expected, result.newest_found, result.checked_at)


def test_wrong_credentials_are_no_verdict(tmp_path: Path, account: Simulator) -> None:
    """L32."""
    target = pipeline(tmp_path)
    load(target, account, "groups")
    with pytest.raises(ConfigurationError, match="refused the client_credentials grant"):
        check(target, account, "groups", credentials={"client_id": "simulator-client-id", "client_secret": "wrong"})


def test_the_command_exits_with_1_for_a_difference_and_prints_it(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """L42."""
    arguments = ["--streams", "tickets", "groups", "--progress", "off"]
    assert cli.duckdb(arguments) == 0
    for option in ("--verify", "--verify-keys"):
        assert cli.duckdb([*arguments, option]) == 0
        words = " ".join(capsys.readouterr().out.split())
        assert "tickets 60 60 0 ok groups 5 5 0 ok" in words
        assert "newest" not in words
    before = newest(configured)
    configured.mutate("create_tickets")
    assert cli.duckdb([*arguments, "--verify"]) == 0
    told = capsys.readouterr().out
    assert "tickets: 1 changed in Zendesk since the sync" in told
    assert f"newest row of {newest(configured)} in Zendesk, {before} in the table" in told
    with duckdb.connect("zendesk.duckdb") as connection:
        connection.execute("DELETE FROM zendesk_support.tickets WHERE id = 7")
    assert cli.duckdb([*arguments, "--verify"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "tickets: 1 changed in Zendesk since the sync; missing 7" in told
    assert "tickets 61 59 2 missing groups 5 5 0 ok" in told


def newest(account: Simulator) -> str:
    at = max(row["generated_timestamp"] for row in account.truth("tickets"))
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M:%S}"


def test_the_command_exits_with_1_where_it_cannot_compare(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--streams", "groups", "ticket_forms", "--progress", "off"]
    assert cli.duckdb(arguments) == 0
    configured.fault("status", route="ticket_forms", status=403, times=None)
    assert cli.duckdb([*arguments, "--verify"]) == 0
    assert cli.duckdb([*arguments, "--verify", "--strict"]) == 1
    configured.clear_faults()
    configured.fault("status", route="ticket_forms", status=418, times=None)
    capsys.readouterr()
    assert cli.duckdb([*arguments, "--verify"]) == 1
    assert "418" in capsys.readouterr().out


def test_a_database_that_another_process_holds_is_told_without_a_trace(
    configured: Simulator, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__DATABASE_WAIT_MINUTES", "0.01")
    arguments = ["--streams", "groups", "--progress", "off"]
    assert cli.duckdb(arguments) == 0
    hold = "import duckdb; held = duckdb.connect('zendesk.duckdb'); print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert cli.duckdb([*arguments, "--verify"]) == 1
        other.kill()
    told = capsys.readouterr().err
    assert "not compared:" in told
    assert "Traceback" not in told


def test_verifying_and_loading_anew_exclude_each_other(
    configured: Simulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.duckdb(["--verify", "--full-refresh", "--streams", "tickets"]) == 2
    assert "--full-refresh" in capsys.readouterr().err
    assert configured.requests() == []
