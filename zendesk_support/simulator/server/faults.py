"""Trouble on demand: what goes wrong, on which request."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from zendesk_support.simulator.clock import Clock, http_date
from zendesk_support.simulator.server.auth import Credentials
from zendesk_support.simulator.server.encode import gzip, to_json
from zendesk_support.simulator.server.messages import (
    HTML,
    JSON,
    TEXT,
    Reply,
    Request,
    invalid_cursor,
    json_reply,
    too_recent,
)

BEFORE_AUTH = frozenset({"expire_token", "anonymous", "slow"})
INSTEAD = frozenset(
    {
        "status",
        "status_429",
        "reset",
        "html",
        "empty",
        "redirect",
        "invalid_cursor",
        "start_time_too_recent",
        "heavy_page",
        "endless",
        "bomb",
    }
)
AFTER = frozenset(
    {
        "truncate",
        "truncated_json",
        "bad_gzip",
        "cut_chunk",
        "foreign_next",
        "headers",
        "trickle",
        "without",
        "emptied",
        "paged",
    }
)
CONTRARY = frozenset({"contrary"})
KINDS = tuple(sorted(BEFORE_AUTH | INSTEAD | CONTRARY | AFTER))
_STATUS_BODIES = {
    400: (
        JSON,
        '{"error":{"title":"Invalid attribute","message":"You passed an invalid value for the page attribute."}}',
    ),
    401: (JSON, '{"error":"Couldn\'t authenticate you"}'),
    403: (
        JSON,
        '{"error":{"title":"Forbidden","message":"You do not have access to this page. Please contact the '
        'account owner of this help desk for further help."}}',
    ),
    404: (JSON, '{"error":"RecordNotFound","description":"Not found"}'),
    408: (TEXT, "Request Timeout"),
    409: (JSON, '{"error":"DatabaseConflict","description":"Database collision"}'),
    422: (JSON, '{"error":"RecordInvalid","description":"Record validation errors","details":{}}'),
    500: (HTML, "<html><body><h1>We're sorry, but something went wrong</h1></body></html>"),
    502: (HTML, "<html><body><h1>502 Bad Gateway</h1></body></html>"),
    503: (HTML, "<html><body><h1>Service Unavailable</h1></body></html>"),
    504: (TEXT, "upstream request timeout"),
}
_PAGE = "<!DOCTYPE html><html><head><title>Zendesk</title></head><body>One moment, please</body></html>"


@dataclass
class Fault:
    """One kind of trouble and when it strikes.

    `nth` counts the matching requests since the fault was set, from 1; `every` strikes at each k-th of them;
    with neither, the next matching request is struck. `times` bounds the strikes; None means no bound.
    """

    kind: str
    route: str | None = None
    nth: int | None = None
    every: int | None = None
    times: int | None = 1
    params: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; the faults are {', '.join(KINDS)}")

    def strikes(self, request: Request) -> bool:
        """Count a request, and tell whether it is struck."""
        if self.route is not None and not any(
            fnmatchcase(name, self.route) for name in (request.route, request.path.removesuffix(".json"))
        ):
            return False
        if self.params.get("brand") not in (None, request.brand):
            return False
        if self.kind == "heavy_page":
            size = request.params.get("per_page") or request.params.get("page[size]") or "1000"
            if not size.isdigit() or int(size) <= int(self.params.get("per_page", 100)):
                return False
        self.seen += 1
        if self.times is not None and self.struck >= self.times:
            return False
        if self.nth is not None and self.seen < self.nth:
            return False
        if self.every is not None and self.seen % self.every:
            return False
        self.struck += 1
        return True


class Faults:
    """All faults that are set."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def set(self, fault: Fault) -> None:
        """Set a fault; a heavy page is heavy each time unless `times` says otherwise."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Take all faults back."""
        with self._lock:
            self._faults.clear()

    def striking(self, request: Request, kinds: frozenset[str]) -> list[Fault]:
        """Count a request against the faults of some kinds and return those that strike."""
        with self._lock:
            return [fault for fault in self._faults if fault.kind in kinds and fault.strikes(request)]


def before_auth(clock: Clock, credentials: Credentials, request: Request, fault: Fault) -> None:
    """Do what a fault does before the credentials are looked at."""
    if fault.kind == "expire_token":
        credentials.expire_all()
    elif fault.kind == "anonymous":
        request.anonymous = True
    else:
        clock.sleep(float(fault.params.get("delay", 5)))


def instead(clock: Clock, request: Request, fault: Fault) -> Reply:
    """Return the reply a fault gives in place of the real one."""
    make = _INSTEAD.get(fault.kind)
    return Reply(200, b"", JSON, wire=fault.kind) if make is None else make(clock, request, fault.params)


def _status(clock: Clock, request: Request, given: dict[str, Any]) -> Reply:
    status = int(given.get("status", 500))
    content_type, text = _STATUS_BODIES.get(status, (TEXT, "trouble"))
    text = given.get("body", text)
    if not isinstance(text, str):
        return _with_headers(json_reply(status, text), given)
    return _with_headers(Reply(status, text.encode(), str(given.get("content_type", content_type))), given)


def _redirect(clock: Clock, request: Request, given: dict[str, Any]) -> Reply:
    to = str(given["to"]).rstrip("/")
    location = to + request.path + (f"?{request.query}" if request.query else "")
    return Reply(int(given.get("status", 302)), b"", HTML, [("Location", location)])


def _too_recent(clock: Clock, request: Request, given: dict[str, Any]) -> Reply:
    reply = too_recent().reply()
    reply.status = int(given.get("status", 400))
    return reply


def after(request: Request, fault: Fault, reply: Reply) -> Reply:
    """Return the real reply, damaged."""
    if reply.packed is not None:
        reply = Reply(reply.status, zlib.decompress(reply.packed, 31), reply.content_type, reply.headers)
    damage = _AFTER.get(fault.kind)
    if damage is not None:
        return damage(request, fault.params, reply)
    reply.wire, reply.wire_option = fault.kind, int(fault.params.get("pause", 5))
    return reply


def _truncated(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    body = reply.body or b'{"tickets":[{"id":1,'
    return Reply(200, body[: max(1, len(body) * 2 // 3)], JSON, reply.headers)


def _foreign_next(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    other = str(given["to"]).rstrip("/")
    body = reply.body.replace(request.base_url.encode(), other.encode())
    return Reply(reply.status, body, reply.content_type, reply.headers)


def _without(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    answer = json.loads(reply.body)
    answer.pop(str(given["key"]), None)
    for rows in answer.values():
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                row.pop(str(given["key"]), None)
    return Reply(reply.status, to_json(answer), JSON, reply.headers)


def _emptied(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    answer = json.loads(reply.body)
    answer = {name: [] if isinstance(value, list) else value for name, value in answer.items()}
    answer |= {"meta": {"has_more": False}} if "meta" in answer else {}
    answer |= {"links": {}} if isinstance(answer.get("links"), dict) else {}
    return Reply(reply.status, to_json(answer), JSON, reply.headers)


def _bad_gzip(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    packed = bytearray(gzip(reply.body or b"{}"))
    packed[len(packed) // 2 :] = bytes(byte ^ 0x5A for byte in packed[len(packed) // 2 :])
    return Reply(reply.status, b"", reply.content_type, reply.headers, bytes(packed), wire="bad_gzip")


def _headers(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    reply.replaced = {str(name).lower(): value for name, value in given["headers"].items()}
    return reply


def _paged(request: Request, given: dict[str, Any], reply: Reply) -> Reply:
    """A list that comes whole, cut in pages with `next_page`."""
    answer, size = json.loads(reply.body), int(given.get("size", 100))
    page = int(request.params.get("page", "1"))
    for name, rows in answer.items():
        if isinstance(rows, list):
            more = len(rows) > page * size
            answer[name] = rows[(page - 1) * size : page * size]
    answer["next_page"] = request.link((), {"page": page + 1}) if more else None
    return Reply(reply.status, to_json(answer), JSON, reply.headers)


def _too_many(clock: Clock, request: Request, given: dict[str, Any]) -> Reply:
    retry_after = given.get("retry_after", "2")
    headers: list[tuple[str, str]] = []
    if retry_after == "date":
        headers.append(("Retry-After", http_date(clock.now() + float(given.get("seconds", 5)))))
    elif retry_after is not None and retry_after != "missing":
        headers.append(("Retry-After", str(retry_after)))
    if given.get("json"):
        description = "Number of allowed incremental export API requests per minute exceeded"
        return json_reply(429, {"error": "APIRateLimitExceeded", "description": description}, headers)
    return Reply(429, b"Number of allowed API requests per minute exceeded", TEXT, headers)


def _with_headers(reply: Reply, given: dict[str, Any]) -> Reply:
    reply.headers = [
        *reply.headers,
        *((str(key), str(value)) for key, value in (given.get("headers") or {}).items()),
    ]
    if given.get("retry_after") is not None:
        reply.headers.append(("Retry-After", str(given["retry_after"])))
    return reply


_INSTEAD: dict[str, Callable[[Clock, Request, dict[str, Any]], Reply]] = {
    "status": _status,
    "status_429": _too_many,
    "html": lambda *_: Reply(200, _PAGE.encode(), HTML),
    "empty": lambda *_: Reply(200, b"", JSON),
    "redirect": _redirect,
    "invalid_cursor": lambda *_: invalid_cursor().reply(),
    "start_time_too_recent": _too_recent,
    "heavy_page": lambda *_: Reply(504, b"upstream request timeout", TEXT),
    "bomb": lambda _, __, given: Reply(200, b"", JSON, wire="bomb", wire_option=int(given.get("size", 200_000_000))),
}
_AFTER: dict[str, Callable[[Request, dict[str, Any], Reply], Reply]] = {
    "truncated_json": _truncated,
    "foreign_next": _foreign_next,
    "paged": _paged,
    "without": _without,
    "emptied": _emptied,
    "bad_gzip": _bad_gzip,
    "headers": _headers,
}
