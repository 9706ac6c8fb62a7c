"""Every fault on the first, a middle and the last page, below a parent and for the token: once, and until it is mended.

Each load has a fault of its own for every stream, so that a row of the matrix costs one load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from documented import says
from fault_kinds import KINDS, NUMBER
from support import assert_whole, load, pipeline, source, table, truth

from zendesk_support import ConfigurationError, sync
from zendesk_support.api import connections
from zendesk_support.api.request import WHO_AM_I, Usage, read_me
from zendesk_support.api.transport import Transport
from zendesk_support.errors import ZendeskError
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.faults import AFTER

PLACES = ("first page", "middle page", "last page")
HALVED = 4
EXPORTS = {
    "tickets": "incremental_tickets_cursor",
    "users": "incremental_users_cursor",
    "organizations": "incremental_organizations",
    "ticket_events": "incremental_ticket_events",
}
POSITIONED = (*EXPORTS, "satisfaction_ratings")
LISTS = (
    "group_memberships",
    "organization_memberships",
    "tags",
    "ticket_fields",
    "user_fields",
    "organization_fields",
    "macros",
    "triggers",
    "automations",
    "audit_logs",
)
CHILDREN = ("article_comments", "article_attachments", "article_votes", "post_comments", "post_votes")
HEALTHY = ("groups", "brands", "sections")


ROWS = [list(KINDS)[i : i + 5] for i in range(0, len(KINDS), 5)]
PATIENT = {"request_timeout": 1.0, "retry_deadline": 3600}


def cells(row: list[str]) -> Iterator[tuple[str, str, str]]:
    """Stream, kind of fault and place: each kind on one stream with a position, on two lists and below one parent."""
    for i, name in enumerate(row):
        turn = (i + ROWS.index(row)) % 3
        places = PLACES[turn:] + PLACES[:turn]
        streams = (POSITIONED[i], LISTS[2 * i], LISTS[2 * i + 1])
        for stream, place in (*zip(streams, places), (CHILDREN[i], "child")):
            yield stream, name, place


@pytest.fixture
def account(simulate: Callable[..., Simulator]) -> Simulator:
    """An account whose exports and lists take three pages each."""
    listed = dict.fromkeys((*LISTS, "satisfaction_ratings"), 201)
    made = simulate(
        tickets=130,
        events_per_ticket=1,
        users=130,
        organizations=130,
        articles=6,
        posts=6,
        limits={"account": 9999, "help_center": 9999, "incremental_exports": 9999, "incremental_exports_cursor": 9999},
        **listed,
    )
    lessen(made)
    return made


def lessen(account: Simulator) -> None:
    """Let exports give pages of 62 rows, after four requests for larger ones."""
    account.fault("heavy_page", route="incremental_*", per_page=70, times=None)


def strike(account: Simulator, stream: str, name: str, place: str, times: int | None) -> None:
    """Set a fault."""
    kind = KINDS[name]
    number = NUMBER[place] + (HALVED if stream in EXPORTS and kind.fault not in AFTER else 0)
    if kind.lacks and times is None and place == "child":
        number = 1
    account.fault(kind.fault, route=EXPORTS.get(stream, stream), nth=number, times=times, **kind.params)


def settings(row: list[str]) -> dict[str, Any]:
    """The settings under which a row's faults show themselves soon."""
    return PATIENT if "no answer" in row else {"retry_deadline": 1800}  # three seconds of this machine's clock


by_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: ", ".join(row))


@by_row
def test_a_fault_that_strikes_once_costs_no_row(
    tmp_path: Path, account: Simulator, row: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L20, L22, L23, L24, L25, L38. A refusal of a first page is believed: the next sync loads the stream."""
    monkeypatch.setattr(connections, "MAX_BODY", 4 << 20)
    streams = {stream: (name, place) for stream, name, place in cells(row)}
    for stream, (name, place) in streams.items():
        strike(account, stream, name, place, times=1)
    missing = {stream for stream, (name, place) in streams.items() if place not in KINDS[name].passes}
    target = pipeline(tmp_path)
    report = sync(target, source(account, **settings(row)).with_resources(*streams, *HEALTHY))
    found = {stream.stream: stream.message for stream in (*report.failed, *report.unavailable)}
    assert set(found) == missing, found
    assert_whole(target, account, *(set(streams) - missing), *HEALTHY)
    if missing:
        load(target, account, *missing)
        assert_whole(target, account, *missing)


@by_row
def test_a_fault_that_lasts_fails_its_stream_alone_and_the_next_sync_goes_on(
    tmp_path: Path, account: Simulator, row: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L20, L21, L22, L23, L24, L38."""
    monkeypatch.setattr(connections, "MAX_BODY", 4 << 20)
    streams = {stream: (name, place) for stream, name, place in cells(row)}
    for stream, (name, place) in streams.items():
        strike(account, stream, name, place, times=None)
    target = pipeline(tmp_path)
    report = sync(target, source(account, **settings(row)).with_resources(*streams, *HEALTHY))
    for stream, (name, place) in streams.items():
        told = report.streams[stream]
        lacking = KINDS[name].lacks and not told.rows
        assert told.status == ("unavailable" if lacking else "failed"), (stream, name, place)
        assert says(KINDS[name].documented, told.message), (stream, name, place, told.message)
    assert_whole(target, account, *HEALTHY)
    for stream in EXPORTS:
        kept = len(table(target, stream))
        before = NUMBER[streams[stream][1]] - 1
        assert kept < len(truth(account, stream))
        assert (kept > 0) == (before > 0), (stream, *streams[stream])
    account.clear_faults()
    load(target, account, *streams, *HEALTHY)
    assert_whole(target, account, *streams)


TOKEN = {name: kind for name, kind in KINDS.items() if name not in ("429 in fractions, as JSON",)}
REFUSED = ("400", "401", "403", "404", "422")


def token_strike(account: Simulator, name: str, **when: Any) -> None:
    """Set a fault of the token request."""
    account.fault(TOKEN[name].fault, route="oauth_tokens", **{**TOKEN[name].params, **when})


def test_faults_of_the_token_request_one_after_the_other_cost_no_row(tmp_path: Path, account: Simulator) -> None:
    """L22, L23, L24, L33."""
    passing = [name for name in TOKEN if name not in (*REFUSED, "redirect", "endless body", "no answer", "slow body")]
    damaged = [name for name in passing if TOKEN[name].fault in AFTER]
    for names in (damaged, [name for name in passing if name not in damaged]):
        for number, name in enumerate(names, 1):
            token_strike(account, name, nth=number)
    target = pipeline(tmp_path)
    load(target, account, *HEALTHY, retry_deadline=100_000)
    assert_whole(target, account, *HEALTHY)
    asked = [request for request in account.requests() if request["route"] == "oauth_tokens"]
    assert len(asked) == len(passing) + 1


@pytest.mark.parametrize("name", [name for name in TOKEN if name not in REFUSED])
def test_a_fault_of_the_token_request_that_lasts_is_told_once(
    tmp_path: Path, account: Simulator, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L22, L23, L24, L33."""
    monkeypatch.setattr(connections, "MAX_BODY", 1 << 20)
    token_strike(account, name, times=None)
    made = source(account, retry_deadline=900, request_timeout=0.5).account.enter().transport
    errors = [failing(made) for _ in range(3)]
    assert errors[0] is errors[1] is errors[2]
    assert says("the token request fails", str(errors[0])) or says(TOKEN[name].documented, str(errors[0])), errors[0]


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_request_that_is_refused_is_a_matter_of_credentials(
    tmp_path: Path, account: Simulator, name: str
) -> None:
    """L34."""
    token_strike(account, name, times=None)
    made = source(account).account.enter().transport
    error = failing(made)
    assert isinstance(error, ConfigurationError)
    assert says("the client or its secret is wrong", str(error)), error
    assert len(account.requests()) == 1


def failing(transport: Transport) -> ZendeskError:
    """The error of a request."""
    with pytest.raises(ZendeskError) as caught:
        transport.get(WHO_AM_I, read_me, Usage())
    return caught.value


def test_a_refused_cursor_or_start_time_loses_nothing(tmp_path: Path, account: Simulator) -> None:
    """L26, L27. A cursor is made anew; a start that is too recent means nothing new yet."""
    for number, stream in enumerate(("tickets", "users"), 2):
        account.fault("invalid_cursor", route=EXPORTS[stream], nth=HALVED + number)
    for number, stream in enumerate(("organizations", "ticket_events"), 2):
        account.fault("start_time_too_recent", route=EXPORTS[stream], nth=HALVED + number)
    target = pipeline(tmp_path)
    load(target, account, *EXPORTS)
    assert_whole(target, account, "tickets", "users")
    assert 0 < len(table(target, "organizations")) < len(table(target, "tickets"))
    load(target, account, *EXPORTS)
    assert_whole(target, account, *EXPORTS)


def test_a_cursor_refused_for_good_fails_its_stream_alone(tmp_path: Path, account: Simulator) -> None:
    """L20, L27."""
    account.fault("invalid_cursor", route=EXPORTS["tickets"], nth=HALVED + 2, times=None)
    account.fault("start_time_too_recent", route=EXPORTS["users"], nth=HALVED + 1, times=None)
    target = pipeline(tmp_path)
    report = sync(target, source(account).with_resources("tickets", "users", *HEALTHY))
    [failed] = report.failed
    assert says("a cursor that Zendesk refuses", failed.message), failed.message
    assert 0 < len(table(target, "tickets")) < 130
    assert report.streams["users"].rows == 0
    assert_whole(target, account, *HEALTHY)
    account.clear_faults()
    load(target, account, "tickets", "users")
    assert_whole(target, account, "tickets", "users")
