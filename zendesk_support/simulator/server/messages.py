"""Requests, replies and the bodies Zendesk sends when it refuses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

from zendesk_support.simulator.clock import iso
from zendesk_support.simulator.server.encode import to_json

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


@dataclass
class Request:
    """An HTTP request as the account sees it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    brand: int
    base_url: str
    params: dict[str, str] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    route: str = ""
    anonymous: bool = False

    def __post_init__(self) -> None:
        self.pairs = parse_qsl(self.query, keep_blank_values=True)
        self.params = dict(self.pairs)

    def many(self, name: str) -> list[str]:
        """Return all values of a parameter."""
        return [value for key, value in self.pairs if key == name]

    @property
    def includes(self) -> tuple[str, ...]:
        """The side-loads asked for."""
        return tuple(sorted({part.strip() for part in self.params.get("include", "").split(",") if part.strip()}))

    def link(self, drop: tuple[str, ...], add: dict[str, str | int]) -> str:
        """Return this request's address with other parameters, spelled as Zendesk spells its own links."""
        kept = [(key, value) for key, value in self.pairs if key not in drop and key not in add]
        pairs = sorted([*kept, *((key, str(value)) for key, value in add.items())])
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
        path = self.path if self.path.endswith(".json") else f"{self.path}.json"
        return f"{self.base_url}{path}?{query}"

    def plain_link(self, add: dict[str, str | int]) -> str:
        """Return this request's address with another place in its list, with brackets as they are."""
        places = ("page[after]", "page[before]")
        pairs = [*((key, value) for key, value in self.pairs if key not in places), *add.items()]
        query = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in pairs)
        return f"{self.base_url}{self.path}?{query}"


@dataclass
class Reply:
    """An HTTP reply.

    Attributes:
        packed: The body compressed, in place of `body`.
        wire: How it goes wrong on its way, if it does.
        wire_option: A number for that.
        replaced: Headers sent in place of the usual ones, by name in small letters; None sends none.
    """

    status: int
    body: bytes
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)
    packed: bytes | None = None
    wire: str = ""
    wire_option: int = 0
    replaced: dict[str, str | None] = field(default_factory=dict)


def json_reply(status: int, body: Any, headers: list[tuple[str, str]] | None = None) -> Reply:
    """Return a JSON reply."""
    return Reply(status, to_json(body), JSON, list(headers or ()))


class Refusal(Exception):
    """Ends a request with an error reply."""

    def __init__(self, status: int, body: Any, content_type: str = JSON, headers: Any = ()) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = list(headers)

    def reply(self) -> Reply:
        """Return the reply."""
        body = self.body.encode() if isinstance(self.body, str) else to_json(self.body)
        return Reply(self.status, body, self.content_type, self.headers)


def error(code: str, title: str, status: int = 400) -> Refusal:
    """Refuse in the newer form, a list of errors."""
    return Refusal(status, {"errors": [{"code": code, "status": str(status), "title": title}]})


def not_found() -> Refusal:
    """Refuse a record that is not there."""
    return Refusal(404, {"error": "RecordNotFound", "description": "Not found"})


def no_endpoint() -> Refusal:
    """Refuse a path that is not there."""
    return Refusal(404, {"error": "InvalidEndpoint", "description": "Not found"})


def forbidden() -> Refusal:
    """Refuse what the plan or the role lacks."""
    message = (
        "You do not have access to this page. Please contact the account owner of this help desk for further help."
    )
    return Refusal(403, {"error": {"title": "Forbidden", "message": message}})


def refused_silently(status: int) -> Refusal:
    """Refuse side conversations: an empty page, whatever the reason."""
    return Refusal(status, "", HTML)


def refused_guide(status: int) -> Refusal:
    """Refuse what the plan or the role lacks in the account's part of the guide."""
    if status != 403:
        return no_endpoint()
    title = "Access to the resource is forbidden"
    return Refusal(403, {"errors": [{"code": "Forbidden", "meta": {}, "status": "403", "title": title}]})


def refused_custom_objects(status: int) -> Refusal:
    """Refuse custom objects: to a role, or where there are none of that name or none at all."""
    if status == 403:
        return error("Forbidden", "Insufficient permissions to access custom objects", 403)
    return error("CustomObjectNotFound", "Custom object not found", 404)


def out_of_scope() -> Refusal:
    """Refuse what the token's scope leaves out."""
    told = {"error": "Forbidden", "description": "You are missing the following required scopes: read"}
    return Refusal(403, told)


def no_page() -> Refusal:
    """Refuse with the web page a help center shows for what it does not have."""
    return Refusal(
        404,
        "<!DOCTYPE html><html><body><h1>The page you were looking for doesn't exist</h1></body></html>",
        HTML,
    )


def unauthenticated(bearer: bool) -> Refusal:
    """Refuse wrong credentials."""
    if bearer:
        description = "The access token provided is expired, revoked, malformed or invalid for other reasons."
        return Refusal(
            401,
            {"error": "invalid_token", "error_description": description},
            headers=[
                (
                    "WWW-Authenticate",
                    f'Bearer realm="Zendesk", error="invalid_token", error_description="{description}"',
                )
            ],
        )
    return Refusal(
        401,
        {"error": "Couldn't authenticate you"},
        headers=[("WWW-Authenticate", 'Basic realm="Web Password"')],
    )


def too_recent() -> Refusal:
    """Refuse a start time within the last minute."""
    return error("StartTimeTooRecent", "start_time must be more than 60 seconds ago")


def invalid_cursor() -> Refusal:
    """Refuse a cursor that cannot be read."""
    return error("InvalidCursor", "cursor is invalid or expired")


def invalid_value(name: str, message: str) -> Refusal:
    """Refuse a parameter's value in the older form."""
    text = f"You passed an invalid value for the {name} attribute. Invalid parameter: {message}"
    return Refusal(400, {"error": {"title": "Invalid attribute", "message": text}})


def rate_limited(in_json: bool, retry_after: int, until: float | None = None) -> Refusal:
    """Refuse a request over the limit: JSON from the exports, plain text from the rest.

    Args:
        in_json: Which of them.
        retry_after: Seconds until there is more.
        until: The same as a time, which some endpoints tell in its place.
    """
    headers = [("Retry-After", str(retry_after)) if until is None else ("ratelimit-reset", iso(math.ceil(until)))]
    if in_json:
        description = "Number of allowed incremental export API requests per minute exceeded"
        return Refusal(429, {"error": "APIRateLimitExceeded", "description": description}, headers=headers)
    return Refusal(429, "Number of allowed API requests per minute exceeded", TEXT, headers)
