"""Answers by a script: an endpoint is read against a function of path and parameters, without a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from zendesk_support.api.request import Request, Usage
from zendesk_support.reading.base import Chunk, Endpoint, Job, Position
from zendesk_support.reading.shared import Shared
from zendesk_support.records.json_rows import number
from zendesk_support.settings import Settings
from zendesk_support.warehouse.snapshot import SnapshotDiff

BASE = "http://127.0.0.1:1"
Answers = Callable[[str, dict[str, str]], Any]


class Script:
    """A transport whose answers are worked out by a function of path and parameters."""

    def __init__(self, answers: Answers, server_time: float | None = None) -> None:
        self.answers = answers
        self.server_time = server_time
        self.stopped = threading.Event()
        self.asked: list[tuple[str, dict[str, str]]] = []

    def get(self, request: Request, decode: Callable[[bytes], Any], usage: Usage) -> Any:
        parts = urlsplit(request.url)
        params = dict(parse_qsl(parts.query)) | {name: str(value) for name, value in request.params.items()}
        self.asked.append((parts.path.removeprefix("/api/v2/"), params))
        assert len(self.asked) < 50, "an endless loop"
        answer = self.answers(*self.asked[-1])
        if isinstance(answer, Exception):
            raise answer
        return decode(json.dumps(answer).encode())

    def allow_host(self, url: str) -> str:
        return url

    def at_once(self) -> int:
        return 16


def chunks(
    endpoint: Endpoint,
    script: Script,
    at: int = 0,
    cursor: str | None = None,
    end: int | None = None,
    lookback: int = 0,
    **more: Any,
) -> list[Chunk]:
    """What an endpoint yields from a position on; `more` for its job, or its settings."""
    return list(stream(endpoint, script, at, cursor, end, lookback, **more))


def stream(
    endpoint: Endpoint,
    script: Script,
    at: int = 0,
    cursor: str | None = None,
    end: int | None = None,
    lookback: int = 0,
    position: Position | None = None,
    diff: SnapshotDiff | None = None,
    **settings: Any,
) -> Iterator[Chunk]:
    chosen = Settings(base_url=BASE, start=0, end=end, lookback=lookback, **settings)
    transport: Any = script
    job = Job(transport, chosen, Usage(), Shared(), position or Position(at, cursor), diff)
    job.diffs += [] if diff is None else [diff]
    return endpoint.read(job)


def ids(pages: list[Chunk]) -> list[int | None]:
    return [number(row, "id") for page in pages for row in page.rows]
