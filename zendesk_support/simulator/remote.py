"""A simulator that runs in another process."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec


class RemoteSimulator:
    """The methods of `Simulator`, over its control interface."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._place = urlsplit(self.base_url).netloc

    def _call(self, method: str, action: str, body: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(self._place, timeout=600)
        try:
            payload = msgspec.json.encode(body) if body is not None else None
            connection.request(method, f"/_simulator/{action}", payload, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            answer = msgspec.json.decode(reply.read())
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(answer["error"])
        return answer["result"]

    @property
    def credentials(self) -> dict[str, str]:
        """Everything a client can authenticate with now; all words are made up."""
        found: dict[str, str] = self._call("GET", "credentials")
        return found

    @property
    def brand_urls(self) -> list[str]:
        """Addresses of the brands that have a help center."""
        found: list[str] = self._call("GET", "brand_urls")
        return found

    @property
    def chat_url(self) -> str:
        """Address of Chat's own host, with the beginning of its paths."""
        return str(self._call("GET", "chat_url"))

    def truth(self, stream: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a complete load made now."""
        query = f"?columns={quote(','.join(columns))}" if columns else ""
        found: list[dict[str, Any]] = self._call("GET", f"truth/{stream}{query}")
        return found

    def streams(self) -> list[str]:
        """Return the names `truth` knows."""
        found: list[str] = self._call("GET", "streams")
        return found

    def mutations(self) -> list[str]:
        """Return the kinds of mutation."""
        found: list[str] = self._call("GET", "mutations")
        return found

    def routes(self) -> list[str]:
        """Return the names of the routes, for `fault` and `gates`."""
        found: list[str] = self._call("GET", "routes")
        return found

    def requests(self) -> list[dict[str, Any]]:
        """Return the API requests since the last reset."""
        found: list[dict[str, Any]] = self._call("GET", "requests")
        return found

    def now(self) -> float:
        """Return the account's time."""
        return float(self._call("GET", "now"))

    def mutate(self, mutation: str, /, **params: Any) -> dict[str, Any]:
        """Change the account."""
        found: dict[str, Any] = self._call("POST", "mutate", {"mutation": mutation, "params": params})
        return found

    def advance(self, seconds: float) -> None:
        """Move the account's clock; back with a negative number."""
        self._call("POST", "advance", {"seconds": seconds})

    def fault(
        self,
        kind: str,
        route: str | None = None,
        nth: int | None = None,
        every: int | None = None,
        times: int | None = 1,
        **params: Any,
    ) -> None:
        """Have requests go wrong."""
        self._call(
            "POST",
            "fault",
            {"kind": kind, "route": route, "nth": nth, "every": every, "times": times, **params},
        )

    def clear_faults(self) -> None:
        """Take all faults, and all mutations that have not been fired, back."""
        self._call("POST", "clear_faults", {})

    def on_request(self, n: int, mutation_kind: str, /, **params: Any) -> None:
        """Fire a mutation when the n-th API request from now arrives."""
        self._call("POST", "on_request", {"n": n, "mutation": mutation_kind, "params": params})

    def reset_requests(self) -> None:
        """Forget the requests."""
        self._call("POST", "reset_requests", {})

    def use_quota(self, bucket: str, n: int) -> int:
        """Use up requests of a bucket as another client would; return what is left."""
        return int(self._call("POST", "use_quota", {"bucket": bucket, "n": n}))

    def shutdown(self) -> None:
        """End the other process."""
        self._call("POST", "shutdown", {})
