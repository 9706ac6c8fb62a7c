"""Servers that break what Zendesk promises of envelopes: a sync has all rows, or says that it has not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from dlt.pipeline.pipeline import Pipeline
from support import assert_whole, load, pipeline, source, table, truth

from zendesk_support import sync
from zendesk_support.simulator import Simulator
from zendesk_support.simulator.server.messages import Request

Simulate = Callable[..., Simulator]
Rows = list[Any]

STREAMS = (
    "agent_attribute_values",
    "agent_availabilities",
    "agent_statuses",
    "agents_activity",
    "approval_requests",
    "article_translations",
    "attribute_values",
    "call_legs",
    "calls",
    "chat_account",
    "chat_agent_timeline",
    "chat_agents",
    "chat_bans",
    "chat_departments",
    "chats",
    "content_subscriptions",
    "jira_links",
    "phone_numbers",
    "queue_events",
    "routing_instance_value_events",
    "trigger_revisions",
)
"""Streams of every envelope, and of every way of reading that test_contrary_answers.py lacks."""
PARENTS = ("brands", "triggers", "users")
"""Lists that are answered rightly, so that what hangs below them is asked for."""
CHANGES = ("chats", "calls", "queue_events", "routing_instance_value_events")
ROUTES = ("account", "help_center", "incremental_exports", "talk", "chat")
TIMES = ("update_timestamp", "updated_at", "created_at", "start_time", "time", "event_occurred_at")
NEXT = ("next_page", "next_page_url", "next_url", "after_url")
TOLD = ("meta", "links", "has_more", "count", "end_of_stream", "end_time", "end_id", *NEXT)
SIZES = ("limit", "page_size", "page[size]", "per_page")
PLACES = ("after_cursor", "cursor", "page", "page[after]", "since_id", "start_id")


def lists(body: Any) -> dict[str, Rows]:
    """The lists of rows in an answer, by their keys; those beside them left out."""
    members = body.items() if isinstance(body, dict) else ()
    return {key: value for key, value in members if isinstance(value, list) and key != "included"}


def each_list(change: Callable[[Rows], Any]) -> Callable[[Any, Request], Any]:
    """A way to spoil every list of an answer."""

    def spoil(body: Any, request: Request) -> Any:
        if isinstance(body, list):
            return change(body)
        return {**body, **{key: change(rows) for key, rows in lists(body).items()}}

    return spoil


def last_row(change: Callable[[dict[str, Any]], Any]) -> Callable[[Any, Request], Any]:
    """A way to spoil the last row of every list."""

    def spoil(rows: Rows) -> Rows:
        return [*rows[:-1], change(rows[-1])] if rows and isinstance(rows[-1], dict) else rows

    return each_list(spoil)


def members(change: Callable[[str, Any], dict[str, Any]]) -> Callable[[Any, Request], Any]:
    """A way to spoil members of an answer that is an object."""

    def spoil(body: Any, request: Request) -> Any:
        if not isinstance(body, dict):
            return body
        return {name: other for key, value in body.items() for name, other in change(key, value).items()}

    return spoil


def leads_to(link: Callable[[Request], str]) -> Callable[[Any, Request], Any]:
    """A way to have each page say that there is more, at some address."""

    def spoil(body: Any, request: Request) -> Any:
        if not lists(body):
            return body
        there = link(request)
        told = {name: there for name in NEXT if name in body}
        if isinstance(body.get("meta"), dict):
            told["meta"] = {**body["meta"], "has_more": True, "after_cursor": request.params.get("page[after]", there)}
        told |= {"links": {"next": there}} if isinstance(body.get("links"), dict) else {}
        return {**body, **told, **({"has_more": True} if "has_more" in body else {})}

    return spoil


def renamed(body: Any, request: Request) -> Any:
    """Every list under another key; a bare one under a key."""
    if isinstance(body, list):
        return {"data": body}
    found = lists(body)
    return {f"{key}_v2" if key in found else key: value for key, value in body.items()}


def in_milliseconds(key: str, value: Any) -> Any:
    """A time in another unit."""
    return 1_790_000_000_000 if key in TIMES and value is not None else value


def older(key: str, value: Any) -> Any:
    """A time of ten years ago."""
    if key not in TIMES or value is None:
        return value
    return value // 2 if isinstance(value, int) else f"2016{value[4:]}"


def changed(change: Callable[[str, Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A row with other values."""
    return lambda row: {key: change(key, value) for key, value in row.items()}


def without_id(row: dict[str, Any]) -> dict[str, Any]:
    """A row that does not say which it is, or whose."""
    return {key: value for key, value in row.items() if key not in ("id", "agent_id")}


ANSWERS: dict[str, Callable[[Any, Request], Any]] = {
    "another key": renamed,
    "an object of rows": each_list(lambda rows: {str(place): row for place, row in enumerate(rows)}),
    "null": each_list(lambda rows: None),
    "a hole": each_list(lambda rows: [*rows, None]),
    "an error": lambda body, request: {"error": "InternalError", "description": "Something went wrong"},
    "errors": lambda body, request: {"errors": [{"code": "InternalError", "title": "Something went wrong"}]},
    "an error beside no rows": members(
        lambda key, value: {key: [] if isinstance(value, list) else value, "error": "InternalError"}
    ),
    "the same page for ever": leads_to(lambda request: f"{request.base_url}{request.path}?{request.query}"),
    "another host": leads_to(lambda request: "https://elsewhere.example/api/v2/x?cursor=2"),
    "nothing of what follows": members(lambda key, value: {} if key in TOLD else {key: value}),
    "a count of none": members(lambda key, value: {key: 0 if key == "count" else value}),
    "a count of many": members(lambda key, value: {key: 10**6 if key == "count" else value}),
    "a row without id": last_row(without_id),
    "a row twice": each_list(lambda rows: [*rows, *rows[:1]]),
    "in reverse": each_list(lambda rows: rows[::-1]),
    "a time in milliseconds": last_row(changed(in_milliseconds)),
    "times in milliseconds": each_list(lambda rows: [changed(in_milliseconds)(row) for row in rows]),
    "an old row": last_row(changed(older)),
}
"""What the answers hold instead, or are like."""
REQUESTS: dict[str, Callable[[str, str], str | None]] = {
    "pages of two": lambda name, value: "2" if name in SIZES else value,
    "the first page for ever": lambda name, value: None if name in PLACES else "2" if name in SIZES else value,
    "from the start": lambda name, value: "0" if name == "start_time" else value,
}
"""How a server misreads a parameter; None where it does not heed it."""
WHOLE = {"a count of none", "a count of many", "pages of two"}
"""The ways that cost nothing."""
OTHER_VALUES = {"a time in milliseconds", "times in milliseconds", "an old row"}
"""Rows are loaded as Zendesk sends them, and those that do not change stay so."""


@pytest.mark.parametrize("how", [*ANSWERS, *REQUESTS])
def test_a_contrary_envelope_costs_no_row_unsaid(
    tmp_path: Path, simulate: Simulate, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    account = simulate(tickets=45, limits=dict.fromkeys(ROUTES, 100_000))
    handle = account.api.handle
    target = pipeline(tmp_path)
    # The id of an event of a queue is a digest of its values.
    streams = [name for name in STREAMS if not (how in OTHER_VALUES and name == "queue_events")]
    for _ in range(2):
        monkeypatch.setattr(account.api, "handle", contrary(handle, how))
        report = sync(target, source(account).with_resources(*streams))
        monkeypatch.setattr(account.api, "handle", handle)
        loaded = {name for name, stream in report.streams.items() if stream.status == "loaded"}
        assert loaded & {*streams} == {*streams} or how not in WHOLE
        assert {name for name in {*streams} - loaded if not report.streams[name].message} == set()
        silent = [name for name in streams if name in loaded and not report.streams[name].message]
        assert {name: keys for name in silent if (keys := lacking(target, account, name))} == {}
        load(target, account, *streams)
        if how in OTHER_VALUES:
            assert {name: keys for name in streams if (keys := lacking(target, account, name))} == {}
        else:
            assert_whole(target, account, *streams)
        for stream in CHANGES:
            account.mutate("create_rows", stream=stream)


def lacking(target: Pipeline, account: Simulator, name: str) -> set[Any]:
    """Keys that a table lacks, or has too many."""
    return set(truth(account, name)) ^ set(table(target, name))


def contrary(handle: Callable[[Any], Any], how: str) -> Callable[[Any], Any]:
    """A server that answers in some way; parents and tokens rightly."""

    def answer(request: Any) -> Any:
        if request.path.startswith("/oauth") or request.path.endswith(PARENTS):
            return handle(request)
        if how in REQUESTS:
            misread = [(name, REQUESTS[how](name, value)) for name, value in request.pairs]
            query = urlencode([(name, value) for name, value in misread if value is not None])
            known = (request.headers, request.body, request.brand, request.base_url)
            return handle(Request(request.method, request.path, query, *known))
        reply = handle(request)
        if reply.status == 200:
            reply.body = json.dumps(ANSWERS[how](json.loads(reply.body), request)).encode()
        return reply

    return answer
