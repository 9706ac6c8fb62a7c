"""Facts that hold for every stream, and for the package's layers."""

from __future__ import annotations

from typing import Any

import pytest
from dlt.common.data_types.typing import DATA_TYPES
from support import simulated, source

import zendesk_support
from zendesk_support.api.request import Usage
from zendesk_support.reading.base import Job, Position
from zendesk_support.reading.shared import Shared
from zendesk_support.records.arrow import ARROW_TYPES
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE, MODULES
from zendesk_support.streams.base import Stream
from zendesk_support.streams.elsewhere import NAMES, TOOLS, elsewhere
from zendesk_support.streams.promises import PROMISES, promises_of
from zendesk_support.warehouse.loaded_table import DELETED_AT

STREAMS = tuple(CATALOGUE.values())


@pytest.fixture(scope="module")
def answering() -> Simulator:
    with simulated(tickets=20) as account:
        yield account


@pytest.fixture(scope="module")
def built(answering: Simulator) -> Any:
    """A source of all streams."""
    return source(answering)


def by_name(stream: Stream) -> str:
    return stream.name


def test_every_stream_has_a_name_of_its_own() -> None:
    declared = [s.name for module in MODULES for s in module.STREAMS]
    assert sorted(declared) == sorted(set(declared)) == sorted(CATALOGUE)


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_stream_declares_key_cursor_version_and_notes_among_its_columns(stream: Stream) -> None:
    named = {*stream.key, *filter(None, (stream.cursor, stream.version)), *stream.notes}
    assert named - set(stream.columns) == set()


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_streams_columns_begin_with_the_key_and_end_with_nested_values(stream: Stream) -> None:
    names, is_nested = list(stream.columns), [kind == "json" for kind in stream.columns.values()]
    assert names[: len(stream.key)] == list(stream.key)
    assert is_nested == sorted(is_nested)


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_stream_says_what_a_row_is_and_what_becomes_of_deleted_ones(stream: Stream) -> None:
    """L15."""
    assert [text.strip()[-1:] for text in (stream.doc, stream.deletes)] == [".", "."]


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_stream_uses_types_that_arrow_and_dlt_know(stream: Stream) -> None:
    assert set(stream.columns.values()) - set(ARROW_TYPES) == set()
    assert set(ARROW_TYPES) - DATA_TYPES == set()


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_stream_leaves_the_names_of_this_library_and_of_dlt_alone(stream: Stream) -> None:
    assert [name for name in stream.columns if name.startswith("_dlt") or name == DELETED_AT] == []


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_cursor_is_a_time_and_a_version_grows(stream: Stream) -> None:
    types = [stream.columns[name] if name else None for name in (stream.cursor, stream.version)]
    assert types[0] in (None, "bigint", "timestamp")
    assert types[1] in (None, "bigint", "timestamp", "double")


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_a_stream_has_a_cursor_or_lists_everything(stream: Stream) -> None:
    assert (stream.cursor is None) == stream.snapshot


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_references_point_to_streams_with_an_id_or_are_left_out(stream: Stream, built: Any) -> None:
    table = built.resources[stream.name].compute_table_schema()
    references = {reference["columns"][0]: reference["referenced_table"] for reference in table.get("references", [])}
    assert references == {column: to for column, to in stream.references.items() if to in CATALOGUE}
    assert [to for to in references.values() if "id" not in CATALOGUE[to].columns] == []


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_zendesk_answers_the_smallest_request_of_every_feed(stream: Stream, answering: Simulator) -> None:
    account = source(answering).account
    session = account.enter()
    try:
        for feed in stream.feeds:
            feed.endpoint.probe(
                Job(session.transport, account.settings, Usage(), Shared(), Position(account.settings.start))
            )
    finally:
        account.leave(session)


def test_the_public_names_are_these() -> None:
    assert zendesk_support.__all__ == [
        "ConfigurationError",
        "ContractError",
        "Report",
        "StreamReport",
        "TransientError",
        "UnavailableError",
        "Verification",
        "ZendeskAccessToken",
        "ZendeskApiToken",
        "ZendeskClientCredentials",
        "ZendeskError",
        "ZendeskRefreshToken",
        "by_row",
        "rows",
        "sync",
        "sync_accounts",
        "sync_every",
        "verify",
        "zendesk_support_source",
    ]
    assert [name for name in zendesk_support.__all__ if not hasattr(zendesk_support, name)] == []


def test_building_a_source_makes_no_request(answering: Simulator) -> None:
    """L36."""
    answering.reset_requests()
    built = source(answering)
    assert sorted(built.resources) == sorted([*CATALOGUE, "sync_report"])
    assert answering.requests() == []
    assert built.name == "zendesk_support"


@pytest.mark.parametrize("stream", STREAMS, ids=by_name)
def test_diagrams_draw_many_rows_to_one_and_the_report_to_none(stream: Stream, built: Any) -> None:
    resource = built.resources[stream.name]
    drawn = {(ref["label"], ref["cardinality"]) for ref in resource.compute_table_schema().get("references", [])}
    assert drawn == {(column, "many_to_one") for column in stream.references}
    report = built.resources["sync_report"]
    assert report.compute_table_schema().get("references", []) == []


def test_a_text_that_only_sounds_like_a_reference_is_none() -> None:
    assert CATALOGUE["jira_links"].references == {}
    assert CATALOGUE["triggers"].references == {"category_id": "trigger_categories", "brand_id": "brands"}


def test_a_layout_stands_on_columns_that_bigquery_can_use() -> None:
    """At most four cluster columns, of types that order; partitions by a time."""
    large = [stream for stream in CATALOGUE.values() if stream.months_of]
    assert len(large) >= 9
    for stream in large:
        assert stream.columns[str(stream.months_of)] == "timestamp"
        assert {stream.columns[name] for name in stream.key} <= {"bigint", "text"}
        assert len(stream.key) <= 2


def test_every_stream_says_what_it_leans_on_and_every_guess_is_watched_by_a_verification() -> None:
    assert [stream.name for stream in STREAMS if not promises_of(stream)] == []
    guesses = [promise for promise in PROMISES if "guess" in promise.sources]
    assert [promise.name for promise in guesses if "--verify" not in promise.guard] == []
    assert len(guesses) <= 10


def test_names_elsewhere_are_of_streams_of_the_catalogue() -> None:
    assert [name for names in NAMES for name in names if name not in CATALOGUE] == []
    assert [len(names) >= 29 for names in NAMES] == [True] * len(TOOLS)
    assert elsewhere("ticket_skips") == ("ticket_skips", "", "ticket_skips", "skips")
