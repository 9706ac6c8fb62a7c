"""Streams that share a pass still stand for themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from changes import change_all
from dlt.pipeline.pipeline import Pipeline
from kinds import REPRESENTATIVES
from support import assert_whole, load, pipeline, source, written

from zendesk_support import sync
from zendesk_support.reading.base import Endpoint
from zendesk_support.reading.below import Below
from zendesk_support.reading.each_export import EachExport
from zendesk_support.reading.help_centers import HELP_CENTERS
from zendesk_support.simulator import Simulator
from zendesk_support.streams import CATALOGUE
from zendesk_support.streams.ticket_events import EVENT_EXPORT
from zendesk_support.streams.ticket_exports import TICKET_EXPORT

READERS = [feed.endpoint for stream in CATALOGUE.values() for feed in stream.feeds]
SHARING = tuple(
    name
    for name, stream in CATALOGUE.items()
    if READERS.count(stream.feeds[0].endpoint) > 1 or stream.feeds[0].endpoint.is_dated
)
"""Streams that read the same export as another, or below a list."""
NESTED = tuple(
    name
    for name, stream in CATALOGUE.items()
    if "json" in stream.columns.values() and (name in SHARING or name in {*REPRESENTATIVES, "posts", "macros"})
)
"""Streams with nested values: all that share a pass, and one of each kind."""
Simulate = Callable[..., Simulator]
TICKETS = "incremental_tickets_cursor"
EVENTS = "incremental_ticket_events"
ROUTES = ((TICKET_EXPORT, TICKETS), (EVENT_EXPORT, EVENTS))


def asked(account: Simulator) -> Counter[str]:
    """Requests by route."""
    return Counter(request["route"] for request in account.requests() if request["route"] != "oauth_tokens")


def read_by(name: str) -> list[Endpoint]:
    """All that a stream reads, and what that hangs below; not the short list of help centers, which has no position."""
    read = [endpoint for feed in CATALOGUE[name].feeds for endpoint in readers_of(feed.endpoint)]
    return [endpoint for endpoint in read if endpoint is not HELP_CENTERS]


def readers_of(endpoint: Endpoint) -> list[Endpoint]:
    """An endpoint, and what it hangs below."""
    return [endpoint, *(readers_of(endpoint.parents) if isinstance(endpoint, Below | EachExport) else ())]


def rounds(streams: tuple[str, ...]) -> list[list[str]]:
    """Streams, children first, in rounds within which no two read anything in common."""
    found: list[list[str]] = []
    for name in reversed(streams):
        own = read_by(name)
        apart = (names for names in found if not any(endpoint in own for other in names for endpoint in read_by(other)))
        names = next(apart, None)
        if names is None:
            names = []
            found.append(names)
        names.append(name)
    return found


def load_apart(target: Pipeline, account: Simulator, streams: tuple[str, ...], **settings: Any) -> None:
    """Load streams children first, and see that a sync of all has nothing to add."""
    for names in rounds(streams):
        load(target, account, *names, **settings)
    assert_whole(target, account, *streams)
    assert written(load(target, account, *streams, **settings)) == {}


def test_streams_and_changes_loaded_apart_children_first_equal_all_at_once(tmp_path: Path, simulate: Simulate) -> None:
    """L04, L40."""
    account = simulate(tickets=10)
    target = pipeline(tmp_path)
    load_apart(target, account, tuple(CATALOGUE))
    change_all(account)
    load_apart(target, account, SHARING)


def test_child_tables_loaded_apart_children_first_equal_all_at_once(tmp_path: Path, simulate: Simulate) -> None:
    """L04, L40."""
    load_apart(pipeline(tmp_path), simulate(tickets=10), NESTED, nested="tables")


def test_a_child_selected_alone_does_not_move_its_parent(tmp_path: Path, account: Simulator) -> None:
    """L04."""
    target = pipeline(tmp_path)
    load(target, account, "ticket_metrics", "tickets")
    account.mutate("update_tickets", count=3)
    load(target, account, "ticket_metrics")
    assert written(load(target, account, "tickets")) == {"tickets": 3}
    assert_whole(target, account, "ticket_metrics", "tickets")


@pytest.mark.parametrize(
    ("streams", "requests"),
    [
        (("tickets", "ticket_metrics"), {TICKETS: 1}),
        (("ticket_comments", "ticket_events"), {EVENTS: 1}),
        (("tickets", "ticket_metrics", "ticket_events", "ticket_comments"), {TICKETS: 1, EVENTS: 1}),
        (("article_comments", "articles"), {"brands": 1, "articles": 2, "article_comments": 36}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_streams_of_one_export_share_its_requests(
    tmp_path: Path, account: Simulator, streams: tuple[str, ...], requests: dict[str, int]
) -> None:
    """L28."""
    report = load(pipeline(tmp_path), account, *streams)
    assert asked(account) == requests
    assert sum(stream.requests for stream in report.streams.values()) == sum(requests.values())


@pytest.mark.parametrize(
    ("ahead", "behind"),
    [("tickets", "ticket_metrics"), ("ticket_comments", "ticket_events"), ("ticket_events", "ticket_comments")],
)
def test_a_stream_that_is_ahead_joins_the_pass_of_one_behind(
    tmp_path: Path, account: Simulator, ahead: str, behind: str
) -> None:
    """L03, L04."""
    target = pipeline(tmp_path)
    load(target, account, ahead)
    assert set(written(load(target, account, ahead, behind))) == {behind}
    assert_whole(target, account, ahead, behind)
    account.mutate("update_tickets", count=3)
    load(target, account, ahead)
    assert set(written(load(target, account, behind, ahead))) == {behind}
    assert_whole(target, account, ahead, behind)


def test_a_failure_of_one_export_leaves_the_others_whole(tmp_path: Path, account: Simulator) -> None:
    """L20, L21."""
    target = pipeline(tmp_path)
    account.fault("status", route=EVENTS, times=None, status=400)
    report = sync(target, source(account).with_resources("tickets", "ticket_events", "groups"))
    assert [stream.stream for stream in report.failed] == ["ticket_events"]
    assert_whole(target, account, "tickets", "groups")
    account.clear_faults()
    assert set(written(load(target, account, "tickets", "ticket_events", "groups"))) == {"ticket_events"}
    assert_whole(target, account, "ticket_events")


AMENDED = [name for name, stream in CATALOGUE.items() if any(feed.refreshes_only for feed in stream.feeds)]


@pytest.mark.parametrize("name", AMENDED)
def test_a_first_sync_reads_no_export_for_amendments_alone(tmp_path: Path, account: Simulator, name: str) -> None:
    """L28."""
    target = pipeline(tmp_path)
    load(target, account, name)
    own = {route for export, route in ROUTES if export in readers_of(CATALOGUE[name].feeds[0].endpoint)}
    assert set(asked(account)) & {TICKETS, EVENTS} == own
    assert_whole(target, account, name)


@pytest.mark.parametrize("name", [name for name, stream in CATALOGUE.items() if len(stream.feeds) > 1])
def test_every_feed_of_a_stream_goes_on_from_where_it_was(tmp_path: Path, account: Simulator, name: str) -> None:
    """L04."""
    target = pipeline(tmp_path)
    load(target, account, name)
    account.reset_requests()
    assert written(load(target, account, name)) == {}
    passes = [TICKET_EXPORT in readers_of(feed.endpoint) for feed in CATALOGUE[name].feeds]
    assert asked(account)[TICKETS] == passes.count(True) > 0
    assert ["start_time=1420070400" in request["query"] for request in account.requests()].count(True) == 0
