"""A plain HTTP client for the simulator's tests."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from zendesk_support.simulator import Simulator


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.raw)


class Client:
    """Sends requests with good credentials unless told otherwise."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self._connections: dict[str, http.client.HTTPConnection] = {}

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def basic(self) -> str:
        """The Authorization header for the API token."""
        known = self.sim.credentials
        pair = f"{known['email']}/token:{known['api_token']}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def get(self, path: str, base: str | None = None, auth: str | None = "basic", **headers: str) -> Answer:
        """GET a path of the account, or an absolute address."""
        return self.send("GET", path, base=base, auth=auth, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        *,
        base: str | None = None,
        auth: str | None = "basic",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request."""
        place = urlsplit(path if path.startswith("http") else (base or self.sim.base_url) + path)
        connection = self._connections.setdefault(place.netloc, http.client.HTTPConnection(place.netloc, timeout=20))
        given = dict(headers or {})
        if auth:
            given["Authorization"] = self.basic() if auth == "basic" else auth
        target = place.path + (f"?{place.query}" if place.query else "")
        try:
            connection.request(method, target, body, given)
            reply = connection.getresponse()
            raw = reply.read()
        except Exception:
            connection.close()
            raise
        found = {name.lower(): value for name, value in reply.getheaders()}
        if found.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        return Answer(reply.status, found, raw)

    def pages(self, path: str, base: str | None = None) -> Iterator[dict[str, Any]]:
        """Follow a list by cursor, stopping where `has_more` says so."""
        url = first = path + ("&" if "?" in path else "?") + "page[size]=7"
        while True:
            answer = self.get(url, base)
            assert answer.status == 200, (url, answer.status, answer.raw)
            page = answer.json
            yield page
            if not page["meta"]["has_more"]:
                return
            if "links" in page:
                url = page["links"]["next"]
            else:
                url = f"{first}&page[after]={quote(page['meta']['after_cursor'])}"

    def export(self, path: str) -> Iterator[dict[str, Any]]:
        """Follow an export by cursor or by time until it has given all."""
        url = path
        while True:
            answer = self.get(url)
            assert answer.status == 200, (url, answer.status, answer.raw)
            page = answer.json
            yield page
            if page.get("meta", {}).get("has_more") is False:
                return
            following = page.get("after_url") or page["next_page"]
            if page.get("end_of_stream") or following in (None, url):
                return
            if (
                "count" in page
                and "end_of_stream" not in page
                and (page["count"] == 0 or f"start_time={page['end_time']}" in url)
            ):
                return
            url = following
