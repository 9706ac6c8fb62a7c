"""dlt's own levers on the source: each does what it does with any source, or is refused with the right call.

docs/dlt_tools.md has a row for each case.
"""

from __future__ import annotations

import gc
import gzip
import json
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.common.configuration.providers.doc import BaseDocProvider
from dlt.pipeline.pipeline import Pipeline
from documented import says
from levers import ask, count, refused
from support import SCALE, pipeline, simulated, source

from zendesk_support import ConfigurationError, by_row, rows, sync, zendesk_support_source
from zendesk_support.simulator import Simulator

GROUPS, TICKETS, USERS = 5, 60, 30
BOUNDS = {
    "initial_value": int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp()),
    "end_value": int(datetime(2026, 7, 1, tzinfo=timezone.utc).timestamp()),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    """An account that no test changes."""
    account = simulated().start()
    yield account
    account.stop()


@pytest.fixture
def into(tmp_path: Path) -> Pipeline:
    """A pipeline into a DuckDB file of the test's own."""
    return pipeline(tmp_path)


def statuses(pipeline: Pipeline) -> list[tuple[Any, ...]]:
    """Stream and status of every report, by stream."""
    return ask(pipeline, "SELECT stream, status FROM sync_report ORDER BY stream, started_at")


@pytest.mark.parametrize("lever", ["argument", "hint", "sync"])
def test_replace_leaves_tables_whole_after_every_run(shared: Simulator, into: Pipeline, lever: str) -> None:
    into.run(source(shared).with_resources("groups", "tickets"))
    for _ in range(2):
        chosen = source(shared).with_resources("groups", "tickets")
        if lever != "argument":
            chosen.groups.apply_hints(write_disposition="replace")
            chosen.tickets.write_disposition = "replace"
        if lever == "sync":
            sync(into, chosen)
        else:
            into.run(chosen, **({"write_disposition": "replace"} if lever == "argument" else {}))
        assert (count(into, "groups"), count(into, "tickets")) == ((GROUPS, GROUPS), (TICKETS, TICKETS))
    into.run(source(shared).with_resources("groups", "tickets"))
    assert (count(into, "groups"), count(into, "tickets")) == ((GROUPS, GROUPS), (TICKETS, TICKETS))
    assert len(statuses(into)) == 8


@pytest.mark.parametrize("refresh", ["drop_data", "drop_resources", "drop_sources"])
def test_a_refresh_loads_anew_and_takes_no_other_streams_reports(
    shared: Simulator, into: Pipeline, refresh: Any
) -> None:
    into.run(source(shared).with_resources("groups", "macros", "tickets"))
    macros = count(into, "macros")
    into.run(source(shared).with_resources("groups", "tickets"), refresh=refresh)
    assert (count(into, "groups"), count(into, "tickets")) == ((GROUPS, GROUPS), (TICKETS, TICKETS))
    if refresh != "drop_sources":
        assert count(into, "macros") == macros
        assert len(statuses(into)) == 5


@pytest.mark.parametrize("strategy", ["upsert", "scd2", "delete-insert"])
def test_merge_strategies(simulate: Callable[..., Simulator], into: Pipeline, strategy: str) -> None:
    account, names = simulate(), ("macros", "tickets", "ticket_comments")
    hint: Any = {"disposition": "merge", "strategy": strategy}
    for _ in range(2):
        chosen = source(account).with_resources(*names)
        chosen.macros.apply_hints(write_disposition=hint)
        chosen.tickets.apply_hints(write_disposition=hint)
        if strategy != "scd2":
            chosen.ticket_comments.apply_hints(write_disposition=hint)
        into.run(chosen)
        now = "WHERE _dlt_valid_to IS NULL" if strategy == "scd2" else ""
        found = ask(into, f"SELECT count(*), count(DISTINCT id), max(updated_at) FROM tickets {now}")[0]
        assert found[0] == found[1] == TICKETS
        assert len(set(count(into, "ticket_comments"))) == 1
        for kind in ("update_tickets", "redact_comments"):
            account.mutate(kind, count=1)
        account.mutate("remove_rows", stream="macros", count=1)
        account.advance(120)
    standing = f"SELECT count(*) FROM macros {now} {'AND' if now else 'WHERE'} _deleted_at IS NULL"
    macros = ask(into, standing)[0][0]
    into.run(chosen)
    assert ask(into, standing)[0][0] == macros - 1


def test_append_adds_what_changed(simulate: Callable[..., Simulator], into: Pipeline) -> None:
    account = simulate()
    for _ in range(2):
        into.run(source(account).with_resources("tickets"), write_disposition="append")
        account.mutate("update_tickets", count=1)
        account.advance(120)
    assert count(into, "tickets") == (TICKETS + 1, TICKETS)


def test_insert_only_is_refused(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("groups")
    chosen.groups.apply_hints(write_disposition={"disposition": "merge", "strategy": "insert-only"})
    assert 'write_disposition="merge"' in refused(lambda: into.run(chosen))


def test_scd2_of_rows_that_never_change_is_refused(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("ticket_events")
    chosen.ticket_events.apply_hints(write_disposition={"disposition": "merge", "strategy": "scd2"})
    assert 'sync_mode = "history" is not for' in refused(lambda: into.run(chosen))


@pytest.mark.parametrize("lever", ["table_name", "with_name", "setter"])
def test_a_renamed_table_gets_deletions_and_redactions(
    simulate: Callable[..., Simulator], into: Pipeline, lever: str
) -> None:
    account = simulate()

    def run() -> None:
        chosen = source(account)
        if lever == "with_name":
            sync(into, [chosen.macros.with_name("agent_macros"), chosen.ticket_comments.with_name("replies")])
            return
        if lever == "setter":
            chosen.macros.table_name, chosen.ticket_comments.table_name = "agent_macros", "replies"
        else:
            chosen.macros.apply_hints(table_name="agent_macros")
            chosen.ticket_comments.apply_hints(table_name="replies")
        into.run(chosen.with_resources("macros", "ticket_comments"))

    run()
    macros = count(into, "agent_macros")[0]
    before = ask(into, "SELECT id, body FROM replies ORDER BY id")
    account.mutate("remove_rows", stream="macros", count=1)
    account.mutate("redact_comments", count=1)
    account.advance(120)
    run()
    assert count(into, "agent_macros") == (macros - 1, macros - 1)
    after = ask(into, "SELECT id, body FROM replies ORDER BY id")
    assert [id for id, _ in before] == [id for id, _ in after]
    assert sum(a != b for a, b in zip(before, after)) == 1
    assert "macros" not in into.default_schema.tables
    named = {"agent_macros", "replies"} if lever == "with_name" else {"macros", "ticket_comments"}
    assert {stream for stream, _ in statuses(into)} == named


def test_a_table_name_by_row_is_refused(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("groups")
    chosen.groups.apply_hints(table_name=lambda row: "x")
    assert "table_name is a function" in refused(lambda: into.run(chosen))


def test_an_incremental_from_outside_is_bounded_and_stateless(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("tickets")
    chosen.tickets.apply_hints(incremental=dlt.sources.incremental("generated_timestamp", **BOUNDS))
    into.run(chosen)
    low, high = ask(into, "SELECT min(generated_timestamp), max(generated_timestamp) FROM tickets")[0]
    assert BOUNDS["initial_value"] <= low <= high < BOUNDS["end_value"]
    assert "resources" not in into.state["sources"]["zendesk_support"]
    into.run(source(shared).with_resources("tickets"))
    assert count(into, "tickets") == (TICKETS, TICKETS)


def test_only_the_bounded_stream_is_bounded(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("tickets", "ticket_metrics", "ticket_comments")
    chosen.tickets.apply_hints(incremental=dlt.sources.incremental("generated_timestamp", **BOUNDS))
    into.run(chosen)
    assert 0 < count(into, "tickets")[0] < TICKETS
    assert count(into, "ticket_metrics", "ticket_id")[0] >= TICKETS - 2


def test_a_scheduler_sets_the_bounds(shared: Simulator, into: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLT_INTERVAL_START", "2026-01-01T00:00:00Z")
    monkeypatch.setenv("DLT_INTERVAL_END", "2026-07-01T00:00:00Z")
    chosen = source(shared).with_resources("tickets", "users")
    scheduled: Any = {"allow_external_schedulers": True}
    chosen.tickets.apply_hints(incremental=dlt.sources.incremental("generated_timestamp", initial_value=0, **scheduled))
    since = datetime(2015, 1, 1, tzinfo=timezone.utc)
    chosen.users.apply_hints(incremental=dlt.sources.incremental("updated_at", initial_value=since, **scheduled))
    into.run(chosen)
    low, high = ask(into, "SELECT min(generated_timestamp), max(generated_timestamp) FROM tickets")[0]
    assert BOUNDS["initial_value"] <= low <= high < BOUNDS["end_value"]
    low, high = ask(into, "SELECT min(epoch(updated_at)), max(epoch(updated_at)) FROM users")[0]
    assert BOUNDS["initial_value"] <= low <= high < BOUNDS["end_value"]
    assert "resources" not in into.state["sources"]["zendesk_support"]


@pytest.mark.parametrize(
    ("stream", "arguments", "words"),
    [
        ("tickets", {"cursor_path": "updated_at"}, 'Example: dlt.sources.incremental("generated_timestamp"'),
        ("tickets", {"cursor_path": "generated_timestamp", "lag": 60}, "lookback_minutes"),
        ("tickets", {"cursor_path": "generated_timestamp", "last_value_func": min}, "last_value_func"),
        ("tickets", {"cursor_path": "generated_timestamp", "range_start": "open"}, "range_start = 'open'"),
        ("users", {"cursor_path": "updated_at", "initial_value": "yesterday"}, 'initial_value = "yesterday"'),
        ("groups", {"cursor_path": "updated_at"}, "Leave the hint out"),
    ],
    ids=["column", "lag", "function", "open", "text", "list"],
)
def test_what_an_incremental_cannot_do_is_refused_before_a_request(
    shared: Simulator, into: Pipeline, stream: str, arguments: dict[str, Any], words: str
) -> None:
    chosen = source(shared).with_resources(stream)
    chosen.resources[stream].apply_hints(incremental=dlt.sources.incremental(**arguments))
    shared.reset_requests()
    assert words in refused(lambda: into.run(chosen))
    assert not shared.requests()


def test_dates_as_texts_bound_a_stream(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("users")
    dates: Any = {"initial_value": "2026-01-01T00:00:00Z", "end_value": "2026-07-01"}
    chosen.users.apply_hints(incremental=dlt.sources.incremental("updated_at", **dates))
    into.run(chosen)
    low, high = ask(into, "SELECT min(epoch(updated_at)), max(epoch(updated_at)) FROM users")[0]
    assert BOUNDS["initial_value"] <= low <= high < BOUNDS["end_value"]


def test_row_functions(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared).with_resources("tickets", "users", "groups")

    def masked(row: dict[str, Any]) -> dict[str, Any]:
        row["email"] = None
        del row["phone"]
        return {**row, "first_tag": (row["tags"] or [None])[0], "tags": sorted(row["tags"] or [])}

    chosen.users.add_map(by_row(masked))
    chosen.tickets.add_filter(lambda row: row["status"] == "closed")
    chosen.groups.add_map(lambda page: page.drop_columns(["description"]))
    for _ in range(2):
        sync(into, chosen)
        assert ask(into, "SELECT DISTINCT status FROM tickets") == [("closed",)]
        assert ask(into, "SELECT count(*), count(email), count(phone), any_value(json_type(tags)) FROM users") == [
            (USERS, 0, 0, "ARRAY")
        ]
        assert ask(into, "SELECT count(*), count(description) FROM groups") == [(GROUPS, 0)]


def test_row_functions_on_rows(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared, nested="tables").with_resources("users")
    chosen.users.add_filter(lambda row: row.get("role") == "agent").add_map(by_row(lambda row: {**row, "email": "x"}))
    into.run(chosen)
    assert ask(into, "SELECT DISTINCT role, email FROM users") == [("agent", "x")]


def test_a_filter_keeps_no_deletion_from_the_table(simulate: Callable[..., Simulator], into: Pipeline) -> None:
    account = simulate()
    left = []
    for _ in range(2):
        chosen = source(account).with_resources("macros")
        chosen.macros.add_filter(lambda row: row["title"] is not None)
        sync(into, chosen)
        left.append(count(into, "macros")[0])
        account.mutate("remove_rows", stream="macros", count=1)
    assert left[0] == left[1] + 1


def test_a_function_of_rows_that_meets_a_page_is_told_so(shared: Simulator, into: Pipeline) -> None:
    for function in (lambda row: row["subject"].upper(), lambda row: {"id": row["id"]}):
        chosen = source(shared).with_resources("tickets")
        chosen.tickets.add_map(function)
        assert "add_map(by_row(function))" in refused(lambda chosen=chosen: into.run(chosen))


def test_transformers(shared: Simulator, into: Pipeline) -> None:
    @dlt.transformer(primary_key="id")
    def subjects(page: Any) -> Iterator[Any]:
        yield [{"id": row["id"], "channel": row["via"]["channel"]} for row in rows(page)]

    chosen = source(shared).with_resources("tickets")
    chosen.resources.add(chosen.tickets | subjects)
    into.run(chosen)
    assert count(into, "subjects")[0] == count(into, "tickets")[0] == TICKETS
    assert statuses(into) == [("tickets", "loaded")]


def test_the_report_meets_no_step_and_no_limit(shared: Simulator, into: Pipeline) -> None:
    seen: list[Any] = []
    chosen = source(shared).with_resources("groups", "ticket_events")
    for resource in chosen.selected_resources.values():
        resource.add_map(lambda page: seen.append(page) or page)
    chosen.groups.add_filter(lambda row: False)
    chosen.ticket_events.add_limit(1)
    report = sync(into, chosen)
    assert all("started_at" not in page.column_names for page in seen[:-1])
    assert statuses(into) == [("groups", "loaded"), ("ticket_events", "stopped")]
    assert "a limit of the resource" in str(report.streams["ticket_events"].message)
    assert into.default_schema.tables["sync_report"]["resource"] == "sync_report"


def test_sync_of_resources(shared: Simulator, into: Pipeline) -> None:
    chosen = source(shared)
    for given in (chosen.groups, [chosen.groups, chosen.users], [chosen.with_resources("groups")]):
        assert sync(into, given).streams["groups"].status == "loaded"
    assert count(into, "users") == (USERS, USERS)
    assert "Load other data with pipeline.run()" in refused(lambda: sync(into, [{"id": 1}]))  # type: ignore[list-item]


def test_one_source_into_two_pipelines(shared: Simulator, tmp_path: Path) -> None:
    chosen = source(shared).with_resources("groups", "tickets")
    for name in ("one", "two"):
        target = pipeline(tmp_path, name)
        target.run(chosen)
        assert (count(target, "groups"), count(target, "tickets")) == ((GROUPS, GROUPS), (TICKETS, TICKETS))


def test_parallelize(shared: Simulator, tmp_path: Path) -> None:
    for i in range(3):
        target = pipeline(tmp_path, f"zendesk_{i}")
        target.run(source(shared).with_resources("groups", "tickets", "users").parallelize())
        assert count(target, "tickets") == (TICKETS, TICKETS)


@pytest.mark.parametrize("mode", ["fifo", "round_robin"])
def test_resources_one_after_the_other(
    shared: Simulator, into: Pipeline, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("EXTRACT__NEXT_ITEM_MODE", mode)
    into.run(source(shared).with_resources("groups", "tickets", "users"))
    assert len(statuses(into)) == 3


def test_decompose(shared: Simulator, into: Pipeline) -> None:
    parts = source(shared).with_resources("groups", "tickets").decompose("scc")
    assert len(parts) == 2
    for part in parts:
        into.run(part)
    assert statuses(into) == [("groups", "loaded"), ("tickets", "loaded")]


def test_sections(shared: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    made = zendesk_support_source.with_args(name="acme", section="gamma")
    monkeypatch.setenv("SOURCES__GAMMA__STREAMS__GROUPS__SYNC_MODE", "overwrite")
    monkeypatch.setenv("SOURCES__GAMMA__ACME__STREAMS__USERS__SYNC_MODE", "append")
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__STREAMS__TICKETS__SYNC_MODE", "overwrite")
    known = shared.credentials
    credentials = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
    modes = made(base_url=shared.base_url, credentials=credentials, clock_scale=SCALE).account.settings.sync_modes
    assert [modes[name] for name in ("groups", "users", "tickets")] == ["overwrite", "append", "incremental"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("TICKETS__SYNC_MODE", "[sources.zendesk_support.streams.tickets]"),
        ("START_DAT", "Did you mean start_date?"),
        ("SUBDOMIAN", "Did you mean subdomain?"),
        ("CREDENTIALS__CLIENT_SECRETT", "Did you mean credentials.client_secret?"),
        ("STREAMS__TIKETS__SYNC_MODE", "Did you mean streams.tickets?"),
        ("STREAMS__TICKETS__SYNC_MOD", "Did you mean streams.tickets.sync_mode?"),
        ("CREDENTIAL__CLIENT_ID", "Did you mean credentials?"),
    ],
)
def test_a_misspelt_setting_is_refused(
    shared: Simulator, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.setenv(f"SOURCES__ZENDESK_SUPPORT__{name}", "history")
    with pytest.raises(ConfigurationError, match="SOURCES__ZENDESK_SUPPORT__") as caught:
        source(shared)
    assert words in str(caught.value)
    if name == "TICKETS__SYNC_MODE":
        assert says("a stream's setting outside `streams`", str(caught.value))
    else:
        assert says("a misspelt setting", str(caught.value))


def test_a_misspelt_setting_in_a_file_is_refused(shared: Simulator) -> None:
    file = next(found for found in dlt.config.config_providers if isinstance(found, BaseDocProvider))
    with file.preserve():
        file.set_value("sync_mode", "history", None, "sources", "zendesk_support", "tickets")
        with pytest.raises(ConfigurationError, match=r"sources\.zendesk_support\.tickets\.sync_mode"):
            source(shared)


def test_dictionaries_reach_sinks(shared: Simulator, tmp_path: Path) -> None:
    taken: dict[str, list[Any]] = {}

    @dlt.destination(batch_size=1000)
    def sink(items: Any, table: Any) -> None:
        taken.setdefault(table["name"], []).extend(items)

    into = dlt.pipeline("sink", destination=sink, dataset_name="zd", pipelines_dir=str(tmp_path))
    for again in range(2):
        report = sync(into, source(shared).with_resources("groups", "tickets"))
        assert ("cannot be read back" in str(report.streams["groups"].message)) == bool(again)
    assert len(taken["tickets"]) == TICKETS
    assert isinstance(taken["tickets"][0]["via"], dict)
    assert len(taken["groups"]) == 2 * GROUPS


def test_json_is_json_in_sqlite(shared: Simulator, tmp_path: Path) -> None:
    to = dlt.destinations.sqlalchemy(f"sqlite:///{tmp_path}/zd.db")
    into = dlt.pipeline("sqlite", destination=to, dataset_name="zd", pipelines_dir=str(tmp_path))
    for _ in range(2):
        into.run(source(shared).with_resources("groups", "tickets"))
    assert ask(into, "SELECT json_type(via), count(*) FROM tickets GROUP BY 1") == [("object", TICKETS)]
    assert count(into, "groups") == (GROUPS, GROUPS)


def test_json_is_json_in_jsonl_files(shared: Simulator, tmp_path: Path) -> None:
    to = dlt.destinations.filesystem(f"file://{tmp_path}/files")
    into = dlt.pipeline("files", destination=to, dataset_name="zd", pipelines_dir=str(tmp_path))
    into.run(source(shared).with_resources("tickets"), loader_file_format="jsonl")
    texts = [gzip.decompress(file.read_bytes()) for file in (tmp_path / "files/zd/tickets").glob("*.jsonl*")]
    read = [json.loads(line) for text in texts for line in text.splitlines()]
    assert len(read) == TICKETS
    assert all(isinstance(row["via"], dict) for row in read)


def test_built_sources_are_let_go(shared: Simulator, into: Pipeline) -> None:
    alive = []
    for _ in range(100):
        made = source(shared)
        alive.append(weakref.ref(made.account))
        del made
    gc.collect()
    assert not [reference for reference in alive if reference() is not None]


def test_fifty_runs_hold_no_more_than_ten(shared: Simulator, into: Pipeline) -> None:
    def held() -> tuple[int, int, int]:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return threading.active_count(), len(os.listdir("/proc/self/fd")), pages * os.sysconf("SC_PAGE_SIZE")

    measured = {}
    for i in range(1, 51):
        into.run(source(shared).with_resources("groups"))
        if i in (10, 50):
            measured[i] = held()
    (threads, files, memory), (threads_then, files_then, memory_then) = measured[10], measured[50]
    assert threads_then <= threads
    assert files_then <= files + 3
    assert memory_then < memory + 16_000_000
