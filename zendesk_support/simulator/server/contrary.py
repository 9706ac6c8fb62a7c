"""Answers that break what the documentation promises of order, ends, filters and page sizes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.server.encode import to_json
from zendesk_support.simulator.server.envelopes import after_the_last_id
from zendesk_support.simulator.server.messages import JSON, Reply, Request, invalid_cursor
from zendesk_support.simulator.server.routes import Args, Route

HOWS = {
    "small": "pages are small, whatever was asked for",
    "reverse": "rows come in the reverse of their order",
    "shuffle": "rows of a page come out of order, every second one first",
    "ignore": "start times, filters and sorts are ignored",
    "repeat": "the last page comes again and again, as if more were to follow",
    "hollow": "an empty page stands before each page but the first",
    "endless": "empty pages without end follow the last",
    "circle": "the last page leads back to the second",
    "early": "pages but the first are empty, and none of them says that it is the last",
    "unmarked": "no page says whether it is the last",
    "ahead": "the first row of a page is stamped in the year 2035",
}
SIZE = 20
AHEAD = 2_051_222_400
_PLACES = ("cursor", "page[after]", "page[before]", "page[size]", "per_page", "page")
_FILTERS = ("start_time", "end_time", "since", "sort")
_PREFIX = "contrary"
Respond = Callable[[Request, Route, Args], Reply]


@dataclass(frozen=True)
class Page:
    """What one page has, whether it says that more follow, and the place that it leads to."""

    rows: list[Any]
    more: bool
    leads_to: str


def answer(
    store: Store, respond: Respond, request: Request, route: Route, args: Args, how: str, size: int = SIZE
) -> Reply:
    """Answer a list or an export, contrary to one promise.

    Args:
        store: what the account holds.
        respond: answers as promised.
        request: what is asked.
        route: its route.
        args: what the path names.
        how: one of `HOWS`.
        size: rows a page.
    """
    if how not in HOWS:
        raise ValueError(f"unknown way {how!r}; the ways are {', '.join(HOWS)}")
    if route.listing is None and route.export is None:
        return respond(request, route, args)
    if route.export is not None and not route.by_cursor:
        return _by_time(store, respond, request, route, args, how, size)
    by_id = route.listing is not None and route.listing.form is after_the_last_id
    place, start = (0, "") if by_id else _place(request)
    rows, body = _all_rows(respond, request, route, args, how, start)
    pages = _pages(rows, how, size)
    place = _behind(pages, request.params.get("page[after]")) if by_id else place
    page = _page(pages, how, place)
    body[_key(route)] = _spoilt(page.rows, route, how)
    silent = how == "unmarked" or (how == "early" and place > 0)
    leads_to = f"{_PREFIX}.{page.leads_to}.{start}"
    if route.by_cursor:
        body |= _ended(request, leads_to, page.more, silent, in_meta="meta" in body)
    elif by_id:
        body["meta"] = {"has_more": page.more}
    elif "meta" in body and not silent:
        link = request.link(("page[after]",), {"page[after]": leads_to})
        body["meta"] |= {"has_more": page.more, "after_cursor": leads_to}
        if "links" in body:
            body["links"] = {"next": link} if page.more or not route.help_center else {}
    if silent:
        for name in {"end_of_stream", "meta", "links"} - {_key(route)}:
            body.pop(name, None)
    return Reply(200, to_json(body), JSON)


def _ended(request: Request, leads_to: str, more: bool, silent: bool, *, in_meta: bool) -> dict[str, Any]:
    """Where the next page of an export by cursor is, and whether there is one."""
    told = {"after_cursor": leads_to, "after_url": request.link(("start_time",), {"cursor": leads_to})}
    if silent:
        return told
    if in_meta:
        return {**(told if more else dict.fromkeys(told)), "meta": {"has_more": more}}
    return {**told, "end_of_stream": not more}


def _pages(rows: list[Any], how: str, size: int) -> list[list[Any]]:
    pages = [rows[low : low + size] for low in range(0, len(rows), size)] or [[]]
    return [page for full in pages for page in ([], full)][1:] if how == "hollow" else pages


def _behind(pages: list[list[Any]], after: str | None) -> int:
    """The place of the page behind the one that has a row."""
    if after is None:
        return 0
    places = (place + 1 for place, rows in enumerate(pages) if any(str(row["id"]) == after for row in rows))
    return next(places, len(pages))


def _page(pages: list[list[Any]], how: str, place: int) -> Page:
    last = len(pages) - 1
    if how == "early" and place > 0:
        return Page([], True, str(place))
    if place > last:
        return Page([], how == "endless", str(place + (how == "endless")))
    if place < last:
        return Page(pages[place], True, str(place + 1))
    if how == "repeat":
        return Page(pages[last], True, f"{last}.{random.random()}")
    if how == "circle":
        return Page(pages[last], last > 1, "1")
    return Page(pages[last], how == "endless", str(last + 1))


def _all_rows(
    respond: Respond, request: Request, route: Route, args: Args, how: str, start: str
) -> tuple[list[Any], dict[str, Any]]:
    """All rows that the request's filters leave, in the order asked for, and the other members of an answer."""
    pairs = [(name, value) for name, value in request.pairs if name not in (*_PLACES, "start_time")]
    pairs += [("start_time", start)] if start else []
    if how == "ignore":
        pairs = [pair for pair in pairs if pair[0] not in _FILTERS and not pair[0].startswith("filter[")]
        pairs += [("start_time", "0")] if route.export else []
    if route.listing and not route.export:
        pairs.append(("page[size]", str(route.listing.most or 100)))
    rows: list[Any] = []
    while True:
        body = _asked(respond, request, route, args, pairs)
        rows += body[_key(route)]
        if route.by_cursor:
            more = body["meta"]["has_more"] if "meta" in body else not body["end_of_stream"]
            cursor = ("cursor", body["after_cursor"])
            pairs = [pair for pair in pairs if pair[0] not in ("cursor", "start_time")]
        else:
            meta = body.get("meta") or {}
            after = (meta.get("after_cursor") or "").rpartition("page[after]=")[2]
            more, cursor = meta.get("has_more", False), ("page[after]", after)
            pairs = [pair for pair in pairs if pair[0] != "page[after]"]
        if not more:
            return (rows[::-1] if how == "reverse" else rows), body
        pairs.append(cursor)


def _asked(
    respond: Respond, request: Request, route: Route, args: Args, pairs: list[tuple[str, str]]
) -> dict[str, Any]:
    """The right answer to a request with other parameters."""
    query = urlencode(pairs)
    right = Request(request.method, request.path, query, request.headers, b"", request.brand, request.base_url)
    body: dict[str, Any] = json.loads(respond(right, route, args).body)
    return body


def _by_time(store: Store, respond: Respond, request: Request, route: Route, args: Args, how: str, size: int) -> Reply:
    """A page of an export by time; a second that is longer than a page comes whole."""
    export = route.export
    assert export is not None
    start = int(request.params["start_time"])
    pairs = [(name, value) for name, value in request.pairs if name not in (*_PLACES, "start_time")]
    body = _asked(respond, request, route, args, [*pairs, ("start_time", "0" if how == "ignore" else str(start))])
    table, marked = export.table(store, request), "end_of_stream" in body
    rows = body[_key(route)][::-1] if how == "reverse" else body[_key(route)]
    stamps = [table.stamp(export.rid(row)) for row in rows]
    count = min(size, len(rows))
    while count < len(rows) and stamps[count] == stamps[0]:
        count += 1
    page, ended = rows[:count], count == len(rows)
    end = (stamps[count - 1] + (count >= size and stamps[count - 1] == stamps[0])) if page else start
    is_first = not stamps or start <= stamps[0]
    if how == "hollow" and page and start < stamps[0] - 1:
        page, end, ended = [], stamps[0] - 1, False
    elif how in ("repeat", "circle") and ended:
        ended = False
    elif how == "endless" and ended and start == end:
        page, end, ended = [], end + 1, False
    elif how == "early" and not is_first:
        page, end = [], start
    body[_key(route)] = _spoilt(page, route, how)
    body |= {"count": len(page), "end_time": end, "next_page": request.link((), {"start_time": end})}
    body.pop("end_of_stream", None)
    if marked and how != "unmarked" and not (how == "early" and not is_first):
        body["end_of_stream"] = ended
    return Reply(200, to_json(body), JSON)


def _spoilt(rows: list[Any], route: Route, how: str) -> list[Any]:
    if how == "shuffle":
        return [*rows[1::2], *rows[::2]]
    if how == "ahead" and rows:
        for name in ("generated_timestamp", "timestamp", "updated_at", "created_at", "time"):
            if name in rows[0]:
                late = AHEAD if isinstance(rows[0][name], int) else "2035-01-01T00:00:00Z"
                return [{**rows[0], name: late}, *rows[1:]]
    return rows


def _key(route: Route) -> str:
    of = route.export or route.listing
    assert of is not None
    return of.key


def _place(request: Request) -> tuple[int, str]:
    """The place that a request asks for, and the start time of its walk."""
    text = request.params.get("cursor") or request.params.get("page[after]")
    if text is None:
        return 0, request.params.get("start_time", "")
    prefix, _, rest = text.partition(".")
    if prefix != _PREFIX:
        raise invalid_cursor()
    return int(rest.partition(".")[0]), rest.rpartition(".")[2]
