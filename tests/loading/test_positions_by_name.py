"""Positions are kept by name: those of an earlier version are moved, and go on without a reload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from kinds import REPRESENTATIVES
from support import assert_whole, load, pipeline, written

from zendesk_support import ConfigurationError
from zendesk_support.loading.positions import NEWEST, Positions
from zendesk_support.reading.windows import OLDER
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.base import Feed

NUMBERS = {
    "ticket_events": {"0": "rows", "1": "scrubs"},
    "ticket_activities": {"0": "rows", "1": "scrubs", "2": "redactions"},
    "deleted_tickets": {"0": "rows", "1": "scrubs"},
    "tickets": {"0": "rows"},
}
"""The numbers under which version 0.1 kept positions of feeds, and the names that they have now."""


@pytest.mark.parametrize("name", NUMBERS)
def test_positions_under_numbers_get_the_names_of_their_feeds(name: str) -> None:
    saved = {number: {"at": 100 + int(number), "cursor": "x"} for number in NUMBERS[name]}
    state: dict[str, Any] = {"positions": saved, "incremental": {}}
    positions = Positions(state, CATALOGUE[name])
    for number, feed in NUMBERS[name].items():
        assert positions.of(feed) == {"at": 100 + int(number), "cursor": "x"}
    assert state["layout"] == 2
    assert Positions(state, CATALOGUE[name]).of("rows")["at"] == 100


def test_a_feed_that_is_added_takes_no_other_feeds_position() -> None:
    stream = CATALOGUE["ticket_events"]
    state: dict[str, Any] = {}
    Positions(state, stream).move("scrubs", {"at": 7})
    more = Positions(state, stream)
    assert more.of("rows") == {}
    assert "rows" not in more
    assert more.of("scrubs") == {"at": 7}


def test_parts_of_a_feed_have_positions_of_their_own() -> None:
    state: dict[str, Any] = {}
    positions = Positions(state, CATALOGUE["tickets"])
    positions.move("rows", {"at": 1}, part="car")
    positions.move("rows", {"at": 2}, part="boat")
    assert (positions.of("rows", "car"), positions.of("rows", "boat"), positions.of("rows")) == (
        {"at": 1},
        {"at": 2},
        {},
    )


def test_positions_of_a_newer_version_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="saved by a newer version of this package"):
        Positions({"positions": {}, "layout": NEWEST + 1}, CATALOGUE["tickets"])


def test_versions_that_know_no_older_part_are_to_refuse_one_and_only_while_there_is_one() -> None:
    state: dict[str, Any] = {}
    positions = Positions(state, CATALOGUE["tickets"])
    positions.move("rows", {"at": 9})
    assert state["layout"] == 2
    positions.move("rows", {"at": 1, "window": [1, 5, 0]}, OLDER)
    assert state["layout"] == 3
    assert Positions(state, CATALOGUE["tickets"]).of("rows", OLDER)["at"] == 1
    assert state["layout"] == 3
    positions.forget("rows", OLDER, {"again": [7]})
    assert state["layout"] == 2
    assert positions.of("rows") == {"at": 9, "again": [7]}


def test_no_stream_has_two_feeds_of_one_name() -> None:
    stream = CATALOGUE["tickets"]
    with pytest.raises(TypeError, match="two of its feeds have one name"):
        type(stream)(**{**vars(stream), "feeds": (*stream.feeds, Feed(stream.feeds[0].endpoint))})


def with_numbers(target: Pipeline) -> None:
    """Put a pipeline's state back to what version 0.1 kept, here and at the destination."""
    with target.managed_state(extract_state=True) as state:
        for name, resource in state["sources"]["zendesk_support"]["resources"].items():
            if "positions" in resource:
                names = {feed.name: str(i) for i, feed in enumerate(CATALOGUE[name].feeds)}
                resource["positions"] = {names[feed]: parts["all"] for feed, parts in resource["positions"].items()}
                del resource["layout"]
    target.normalize()
    target.load()


def test_a_warehouse_of_an_earlier_version_goes_on_without_a_reload(tmp_path: Path, account: Simulator) -> None:
    """All streams with several feeds, and one of each kind of others; that version had none that is read in parts."""
    whole = {name: stream for name, stream in CATALOGUE.items() if not stream.feeds[0].endpoint.is_parted}
    streams = tuple(name for name, stream in whole.items() if name in REPRESENTATIVES or len(stream.feeds) > 1)
    target = pipeline(tmp_path)
    load(target, account, *streams)
    with_numbers(target)
    assert "layout" not in target.state["sources"]["zendesk_support"]["resources"]["tickets"]
    target.drop()  # another machine, which has the state from the destination
    before = len(account.requests())
    assert written(load(pipeline(tmp_path), account, *streams)) == {}
    repeated = len(account.requests()) - before
    account.mutate("update_tickets", count=3)
    account.mutate("redact_comments", count=2)
    load(pipeline(tmp_path), account, *streams)
    assert_whole(pipeline(tmp_path), account, *streams)
    before = len(account.requests())
    assert written(load(pipeline(tmp_path), account, *streams)) == {}
    assert len(account.requests()) - before <= repeated + 2
