"""Every fault that the tests of faults set, and what is promised of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

NUMBER = {"first page": 1, "middle page": 2, "last page": 3, "child": 3}
REFUSED_ONCE = frozenset({"middle page", "last page"})
EVERYWHERE = frozenset(NUMBER)


@dataclass(frozen=True)
class Kind:
    """A fault, the row of docs/faults.md it belongs to, and where it passes unnoticed if it strikes once."""

    fault: str
    documented: str
    params: dict[str, Any] = field(default_factory=dict)
    passes: frozenset[str] = EVERYWHERE

    @property
    def lacks(self) -> bool:
        """Whether it says that the plan, role or token lacks the stream; of one parent, that the parent is gone."""
        return self.documented.startswith(("the plan or role", "401 for one stream"))


def status(code: int, documented: str, passes: frozenset[str] = EVERYWHERE, **params: Any) -> Kind:
    """A status other than 200."""
    return Kind("status", documented, {"status": code, **params}, passes)


def limited(documented: str = "rate limit (429) that does not end", **params: Any) -> Kind:
    """A 429."""
    return Kind("status_429", documented, params)


TROUBLE = "trouble at Zendesk or before it (500, 502, 503, 520 and all other 5xx but 501 and 505)"
DAMAGE = "a body that cannot be read"
KINDS = {
    "400": status(400, "a refusal nobody expects (400, 422, 501, 505)", REFUSED_ONCE),
    "401": status(401, "401 for one stream only"),
    "403": status(403, "the plan or role lacks a stream (403)", REFUSED_ONCE | {"child"}),
    "404": status(404, "the plan or role lacks a stream (404)", REFUSED_ONCE | {"child"}),
    "422": status(422, "a refusal nobody expects (400, 422, 501, 505)", REFUSED_ONCE),
    "408": status(408, "a request that Zendesk ended (408, 409)"),
    "409": status(409, "a request that Zendesk ended (408, 409)"),
    "429": limited(retry_after="2"),
    "500": status(500, TROUBLE),
    "502": status(502, TROUBLE),
    "503": status(503, TROUBLE),
    "504": status(504, "a page that Zendesk cannot build in time (504)"),
    "reset": Kind("reset", "the connection breaks off"),
    "empty body": Kind("empty", DAMAGE),
    "web page": Kind("html", "a proxy or login page answers"),
    "cut JSON": Kind("truncated_json", DAMAGE),
    "cut body": Kind("truncate", "the connection breaks off"),
    "cut chunk": Kind("cut_chunk", "the connection breaks off"),
    "bad gzip": Kind("bad_gzip", DAMAGE),
    "other shape": status(200, "JSON of another shape", body={"unexpected": []}),
    "429 in fractions, as JSON": limited(retry_after="1.5", json=True),
    "429 until a date": limited(retry_after="date", seconds=3),
    "429 until a date that is past": limited(retry_after="date", seconds=-86400),
    "429 without Retry-After": limited(retry_after="missing"),
    "429 until soon": limited(retry_after="soon"),
    "redirect": Kind("redirect", "a redirect to another host", {"to": "http://127.0.0.1:9"}, frozenset()),
    "endless body": Kind("bomb", "a body without end", {"size": 9_000_000}, frozenset()),
    "no answer": Kind("slow", "no answer within `request_timeout`", {"delay": 1200}),
    "slow body": Kind("trickle", "a body that trickles in", {"pause": 60}),
    "503 with Retry-After": status(503, TROUBLE, retry_after="3"),
}
