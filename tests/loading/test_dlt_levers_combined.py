"""Levers pulled together: checkpoints, refreshes, threads, transformers, limits and maps lose and double nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dlt
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from levers import ask, count, refused
from support import pipeline, simulated, source

from zendesk_support import ConfigurationError, by_row, rows, sync
from zendesk_support.dlt_internals import FilterItem, MapItem
from zendesk_support.simulator import Simulator

TICKETS = 1500
OFTEN = 0.00001
"""Minutes from one checkpoint to the next: at each page."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    """An account of several pages that no test changes."""
    account = simulated(tickets=TICKETS).start()
    yield account
    account.stop()


@pytest.fixture
def into(tmp_path: Path) -> Any:
    return pipeline(tmp_path)


def at_another_host(account: Simulator) -> Any:
    """A source of what passes for another account."""
    return source(account, base_url=account.base_url.replace("127.0.0.1", "localhost"))


def test_a_transformer_runs_from_the_first_checkpoint_to_the_last(shared: Simulator, into: Any) -> None:
    chosen = source(shared, checkpoint_minutes=OFTEN).with_resources("tickets", "groups")

    @dlt.transformer(primary_key="id", write_disposition="merge")
    def titles(page: Any) -> Iterator[Any]:
        yield [{"id": row["id"], "subject": row["subject"]} for row in rows(page)]

    chosen.resources.add(chosen.tickets | titles)
    sync(into, chosen)
    assert count(into, "titles") == count(into, "tickets") == (TICKETS, TICKETS)


@pytest.mark.parametrize("refresh", ["drop_data", "drop_resources", "drop_sources"])
def test_a_pipelines_own_refresh_does_not_begin_anew_at_each_checkpoint(
    shared: Simulator, tmp_path: Path, refresh: Any
) -> None:
    into = pipeline(tmp_path)
    into.refresh = refresh
    for _ in range(2):
        sync(into, source(shared, checkpoint_minutes=OFTEN).with_resources("tickets", "groups"))
        assert count(into, "tickets") == (TICKETS, TICKETS)
        assert count(into, "groups")[0] == len(list(shared.truth("groups")))
    assert into.refresh == refresh


@pytest.mark.parametrize("run", ["run", "sync"])
def test_a_peek_at_a_resource_takes_no_row_from_a_run(shared: Simulator, into: Any, run: str) -> None:
    chosen = source(shared).with_resources("tickets")
    peeked = iter(chosen.tickets)
    assert len(next(peeked)) > 0
    into.run(chosen) if run == "run" else sync(into, chosen)
    assert count(into, "tickets") == (TICKETS, TICKETS)
    del peeked


@pytest.mark.parametrize("run", ["run", "sync"])
def test_one_source_into_two_pipelines_at_once(shared: Simulator, tmp_path: Path, run: str) -> None:
    chosen = source(shared).with_resources("tickets", "ticket_metrics", "groups")
    failures: list[BaseException] = []

    def load(into: Any) -> None:
        try:
            into.activate()
            into.run(chosen.clone()) if run == "run" else sync(into, chosen)
        except BaseException as error:
            failures.append(error)

    pipelines = [pipeline(tmp_path, name) for name in ("one", "two")]
    threads = [threading.Thread(target=load, args=(into,)) for into in pipelines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for into in pipelines:
        into.activate()
        assert count(into, "tickets") == (TICKETS, TICKETS)
        assert count(into, "groups")[0] == len(list(shared.truth("groups")))
        assert len(ask(into, "SELECT * FROM sync_report")) == 3


def test_plain_files_get_no_tombstone_for_a_row_that_lives(simulate: Callable[..., Simulator], tmp_path: Path) -> None:
    account = simulate()
    destination = dlt.destinations.filesystem(str(tmp_path / "files"))
    into = dlt.pipeline("files", destination=destination, dataset_name="warehouse")
    into.run(source(account).with_resources("macros"))
    account.mutate("update_rows", stream="macros", count=1)
    account.mutate("remove_rows", stream="macros", count=1)
    written = []
    for _ in range(4):
        into.run(source(account).with_resources("macros"))
        written.append(count(into, "macros")[0])
    assert written[0] == written[-1]
    assert len(ask(into, "SELECT * FROM macros WHERE _deleted_at IS NOT NULL")) == 1


def test_two_accounts_are_kept_apart_in_plain_files(shared: Simulator, tmp_path: Path) -> None:
    def into(name: str) -> Any:
        destination = dlt.destinations.filesystem(str(tmp_path / "files"))
        return dlt.pipeline(name, destination=destination, dataset_name="warehouse")

    sync(into("one"), source(shared).with_resources("groups"))
    assert "holds the account" in refused(lambda: sync(into("two"), at_another_host(shared).with_resources("groups")))


def test_two_accounts_are_kept_apart_where_a_resource_is_run_alone(shared: Simulator, tmp_path: Path) -> None:
    one, two = (
        dlt.pipeline(name, destination=pipeline(tmp_path).destination, dataset_name="warehouse")
        for name in ("one", "two")
    )
    one.run(source(shared).groups)
    assert "holds the account" in refused(lambda: two.run(at_another_host(shared).groups))


def test_two_accounts_are_kept_apart_within_a_run(shared: Simulator, into: Any) -> None:
    both = [source(shared).with_resources("groups"), at_another_host(shared).with_resources("groups")]
    assert "holds the account" in refused(lambda: into.run(both))
    told = refused(lambda: sync(into, [source(shared).groups, at_another_host(shared).macros]))
    assert "cannot be loaded together" in told


STEPS: dict[str, Callable[[Any], Any]] = {
    "a map that gives None": lambda tickets: tickets.add_map(lambda page: page if page["status"] == "open" else None),
    "a map step": lambda tickets: tickets.add_step(MapItem(lambda row: {"id": row["id"]})),
    "a row of a page": lambda tickets: tickets.add_yield_map(lambda row: [{"id": row["id"]}]),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_for_rows_that_would_drop_pages_is_refused(shared: Simulator, into: Any, step: str) -> None:
    chosen = source(shared).with_resources("tickets")
    STEPS[step](chosen.tickets)
    told = refused(lambda: into.run(chosen))
    assert "tickets yields pages (pyarrow.Table)" in told
    into.run(source(shared).with_resources("tickets"))
    assert count(into, "tickets") == (TICKETS, TICKETS)


@pytest.mark.parametrize("form", ["with what is known of an item", "as a step"])
def test_filters_in_every_form_of_dlts_take_rows(shared: Simulator, into: Any, form: str) -> None:
    chosen = source(shared).with_resources("tickets")
    if form == "as a step":
        chosen.tickets.add_step(FilterItem(lambda row: row["status"] == "open"))
    else:
        chosen.tickets.add_filter(lambda row, meta: row["status"] == "open")
    into.run(chosen)
    is_open = [row for row in shared.truth("tickets", ["status"]) if row["status"] == "open"]
    assert count(into, "tickets")[0] == len(is_open)


def test_a_limit_of_nothing_loses_nothing(shared: Simulator, into: Any) -> None:
    chosen = source(shared).with_resources("tickets", "groups")
    chosen.add_limit(0)
    into.run(chosen)
    into.run(source(shared).with_resources("tickets", "groups"))
    assert count(into, "tickets") == (TICKETS, TICKETS)


def test_two_streams_into_one_table_are_refused(shared: Simulator, into: Any) -> None:
    chosen = source(shared).with_resources("groups", "macros")
    for resource in (chosen.groups, chosen.macros):
        resource.apply_hints(table_name="one")
    assert "would both be loaded into the table one" in refused(lambda: into.run(chosen))


@pytest.mark.parametrize("nested", ["json", "tables"])
@pytest.mark.parametrize("how", [{"deletes": "mark"}, {"sync_mode": "history"}])
def test_a_mask_is_applied_to_a_row_once(
    simulate: Callable[..., Simulator], into: Any, how: dict[str, str], nested: str
) -> None:
    account = simulate()
    for _ in range(2):
        chosen = source(account, nested=nested, **how).with_resources("macros")
        chosen.macros.add_map(by_row(lambda row: {**row, "title": f"M({row['title']})"}))
        into.run(chosen)
        account.mutate("remove_rows", stream="macros", count=2)
        account.mutate("update_rows", stream="macros", count=1)
    titles = [title for (title,) in ask(into, "SELECT title FROM macros")]
    assert [title for title in titles if not title.startswith("M(") or title.startswith("M(M(")] == []
    assert len(ask(into, "SELECT id FROM macros WHERE _deleted_at IS NOT NULL")) == 2


def test_an_end_date_holds_beside_an_incremental_without_an_end(shared: Simulator, into: Any) -> None:
    chosen = source(shared, end_date="2026-07-01").with_resources("tickets")
    chosen.tickets.apply_hints(incremental=dlt.sources.incremental("generated_timestamp", initial_value=1767225600))
    sync(into, chosen)
    ((first, last),) = ask(into, "SELECT min(generated_timestamp), max(generated_timestamp) FROM tickets")
    assert 1767225600 <= first <= last < 1782864000
    sync(into, source(shared).with_resources("tickets"))
    assert count(into, "tickets") == (TICKETS, TICKETS)


def test_a_start_in_the_environment_may_be_seconds(
    shared: Simulator, into: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCES__ZENDESK_SUPPORT__TICKETS__CURSOR__INITIAL_VALUE", "1767225600")
    into.run(source(shared).with_resources("tickets"))
    assert ask(into, "SELECT min(generated_timestamp) FROM tickets")[0][0] >= 1767225600


@pytest.mark.parametrize(
    "name", ["ZENDESK__SOURCES__ZENDESK_SUPPORT__STREAMS__GROUPS__SYNC_MODE", "SOURCES__STREAMS__GROUPS__SYNC_MODE"]
)
def test_a_streams_setting_is_found_where_dlt_finds_others(
    shared: Simulator, into: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "overwrite")
    assert source(shared).account.settings.sync_modes["groups"] == "overwrite"
    assert source(shared).account.settings.sync_modes["macros"] == "incremental"


def test_a_type_that_somebody_hints_is_kept(shared: Simulator, into: Any) -> None:
    for _ in range(2):
        chosen = source(shared).with_resources("tickets")
        chosen.tickets.apply_hints(columns={"via": {"data_type": "text"}})
        into.run(chosen)
    assert ask(into, "SELECT DISTINCT typeof(via), typeof(tags) FROM tickets") == [("VARCHAR", "JSON")]
    assert ask(into, "SELECT count(*) FROM tickets WHERE via::JSON ->> 'channel' IS NOT NULL") == [(TICKETS,)]


def test_the_error_of_a_users_function_stays_the_cause(shared: Simulator, into: Any) -> None:
    chosen = source(shared).with_resources("groups")

    def fail(page: Any) -> Any:
        raise RuntimeError("boom")

    chosen.groups.add_map(fail)
    with pytest.raises(ConfigurationError) as caught:
        sync(into, chosen)
    chain: list[BaseException | None] = [caught.value]
    while chain[-1] is not None and len(chain) < 20:
        chain.append(chain[-1].__cause__)
    assert [str(error) for error in chain[:-1] if isinstance(error, RuntimeError)] == ["boom"]


def test_a_resource_that_is_named_twice_is_loaded_once(shared: Simulator, into: Any) -> None:
    chosen = source(shared)
    sync(into, [chosen.groups, chosen.groups])
    assert count(into, "groups")[0] == len(list(shared.truth("groups")))


def test_a_transformer_alone_is_refused_with_the_right_call(shared: Simulator, into: Any) -> None:
    piped = source(shared).tickets | dlt.transformer(lambda page: page, name="piped")
    assert "source.resources.add(source.tickets | transformer)" in refused(lambda: sync(into, piped))  # type: ignore


def test_a_transformer_for_rows_is_told_how_to_go_through_a_page(shared: Simulator, into: Any) -> None:
    chosen = source(shared).with_resources("tickets")
    chosen.resources.add(chosen.tickets | dlt.transformer(lambda row: {"id": row["id"]}, name="copies"))
    assert "go through the rows of a page by zendesk_support.rows(page)" in refused(lambda: into.run(chosen))


def test_a_row_function_that_takes_the_key_out_is_told_so(shared: Simulator, into: Any) -> None:
    chosen = source(shared).with_resources("groups")
    chosen.groups.add_map(by_row(lambda row: {"name": row["name"]}))
    with pytest.raises(PipelineStepFailed, match="took out id"):
        into.run(chosen)
