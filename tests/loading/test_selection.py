"""Which streams are loaded: those that somebody names, else the default set that the pipeline began with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from support import load, pipeline, simulated, source

from zendesk_support import sync
from zendesk_support.command.options import select
from zendesk_support.loading.default_set import STATE_KEY
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.selection import EARLIER, FAMILIES, NEWEST, default_streams, family, selected

SETTING = "SOURCES__ZENDESK_SUPPORT__STREAMS"
LOADED_EARLIER = ("groups", "tags", "satisfaction_ratings")
REPORT = "sync_report"
TRIAL = "help_center_votes"
ALL = tuple(name for name in CATALOGUE if name != TRIAL)
Load = Callable[[Pipeline, Any], object]


def synced(target: Pipeline, given: Any) -> None:
    """Load by `sync()`."""
    assert sync(target, given).failed == []


def run(target: Pipeline, given: Any) -> None:
    """Load by dlt itself."""
    target.run(given)


@pytest.fixture(scope="module")
def small() -> Any:
    """An account that no test changes."""
    with simulated(tickets=5) as account:
        yield account


def chosen(account: Simulator, **settings: Any) -> tuple[str, ...]:
    """The streams that a source has selected."""
    return tuple(source(account, **settings).selected_streams)


def loaded(target: Pipeline) -> set[str]:
    """The streams with a table that a run has filled or made."""
    return {name for name in target.default_schema.data_table_names(seen_data_only=True) if name in CATALOGUE}


def test_every_stream_is_of_a_family_and_of_a_default_set_or_of_none() -> None:
    assert sorted(name for each in FAMILIES for name in family(each)) == sorted(CATALOGUE)
    assert {stream.default_set for stream in CATALOGUE.values()} == {None, EARLIER, NEWEST}
    assert set(default_streams(EARLIER)) < set(default_streams(NEWEST)) < set(CATALOGUE)
    assert selected(["default"]) == default_streams()
    assert selected(["all"]) == ALL


def test_a_trial_is_loaded_only_where_it_is_named(small: Simulator) -> None:
    assert [name for name, stream in CATALOGUE.items() if stream.is_trial] == [TRIAL]
    for words in (["all"], ["default"], [CATALOGUE[TRIAL].family]):
        assert TRIAL not in chosen(small, streams=words)
        assert set(chosen(small, streams=[*words, TRIAL])) == {*chosen(small, streams=words), TRIAL}
    assert chosen(small, streams=[TRIAL]) == (TRIAL,)
    assert TRIAL not in select(["all", TRIAL], [CATALOGUE[TRIAL].family])
    assert TRIAL in select(["all", TRIAL], [])


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        (["tags", "users"], ["users", "tags"]),
        ("tags users", ["users", "tags"]),
        ("tags, users", ["users", "tags"]),
        ('["tags", "users"]', ["users", "tags"]),
        ({"load": ["tags"], "users": {"sync_mode": "history"}}, ["tags"]),
        ('{"load": "tags users", "users": {"sync_mode": "history"}}', ["users", "tags"]),
        ({"users": {"sync_mode": "history"}}, default_streams()),
        (["custom_objects", "tags"], ["tags", *family("custom_objects")]),
        (["default", "webhooks"], selected(["default", "webhooks"])),
        ("all", ALL),
        (None, default_streams()),
    ],
    ids=str,
)
def test_streams_are_named_in_a_list_a_text_or_a_table(small: Simulator, streams: Any, expected: list[str]) -> None:
    built = source(small, streams=streams)
    assert list(built.selected_streams) == list(expected)
    assert built.by_default == (list(expected) == list(default_streams()))
    assert sorted(built.resources) == sorted([*CATALOGUE, REPORT])
    is_kept = isinstance(streams, (dict, str)) and "history" in str(streams)
    assert built.account.settings.sync_modes["users"] == ("history" if is_kept else "incremental")


def test_streams_are_named_in_the_environment_and_in_files_the_environment_first(
    small: Simulator, monkeypatch: pytest.MonkeyPatch, config_file: Callable[..., None]
) -> None:
    config_file('[sources.zendesk_support]\nstreams.load = ["tags"]\nstreams.users.sync_mode = "history"')
    assert chosen(small) == ("tags",)
    monkeypatch.setenv(f"{SETTING}__LOAD", '["groups"]')
    assert chosen(small) == ("groups",)
    monkeypatch.setenv(f"{SETTING}__LOAD", "custom_objects groups")
    assert chosen(small) == ("groups", *family("custom_objects"))
    assert source(small).account.settings.sync_modes["users"] == "history"
    monkeypatch.delenv(f"{SETTING}__LOAD")
    config_file('[sources.zendesk_support]\nstreams = ["users", "tags"]')
    assert chosen(small) == ("users", "tags")
    config_file("")
    monkeypatch.setenv(SETTING, "groups,tags")
    assert chosen(small) == ("groups", "tags")


def test_with_resources_goes_before_what_is_set(small: Simulator) -> None:
    picked = source(small, streams=["tags"]).with_resources("groups", "webhooks")
    assert set(picked.selected_streams) == {"groups", "webhooks"}
    assert not source(small).with_resources("groups").by_default
    assert source(small).clone().by_default


@pytest.mark.parametrize("load_all", [synced, run])
def test_a_new_pipeline_loads_the_newest_default_set(tmp_path: Path, small: Simulator, load_all: Load) -> None:
    target = pipeline(tmp_path)
    load_all(target, source(small))
    assert loaded(target) == set(default_streams())
    assert target.state["sources"]["zendesk_support"][STATE_KEY] == NEWEST


def test_a_pipeline_that_begins_with_a_bounded_run_goes_on_with_the_newest_default_set(
    tmp_path: Path, small: Simulator
) -> None:
    target = pipeline(tmp_path)
    run(target, source(small, end_date="2026-01-01"))
    assert STATE_KEY not in target.state["sources"].get("zendesk_support", {})
    synced(target, source(small))
    assert loaded(target) == set(default_streams())


@pytest.mark.parametrize("load_all", [synced, run])
def test_a_pipeline_of_an_earlier_version_goes_on_with_its_tables_and_gets_more_where_asked(
    tmp_path: Path, small: Simulator, load_all: Load
) -> None:
    target = pipeline(tmp_path)
    load(target, small, *LOADED_EARLIER)
    with target.managed_state() as state:
        del state["sources"]["zendesk_support"][STATE_KEY]
    load_all(target, source(small))
    assert loaded(target) == set(default_streams(EARLIER))
    assert target.state["sources"]["zendesk_support"][STATE_KEY] == EARLIER
    load_all(target, source(small, streams=["default", "webhooks"]))
    assert loaded(target) == {*default_streams(), "webhooks"}
    load_all(target, source(small))
    assert target.state["sources"]["zendesk_support"][STATE_KEY] == EARLIER
