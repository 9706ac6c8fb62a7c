"""The simulator's front: an account, its servers, and the means to change and disturb it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import msgspec

from zendesk_support.simulator.account import Account
from zendesk_support.simulator.clock import Clock
from zendesk_support.simulator.mutator import Mutator
from zendesk_support.simulator.server.api import Api
from zendesk_support.simulator.server.auth import CHAT_HOST, Credentials
from zendesk_support.simulator.server.faults import Fault
from zendesk_support.simulator.server.http import Server
from zendesk_support.simulator.server.limits import Buckets, Limit, limits_of
from zendesk_support.simulator.server.messages import Reply, Request, json_reply

CONTROL = "/_simulator/"

_TICKETS = "/api/v2/incremental/tickets/cursor"
_SCOPE = "start_time=0&per_page=1000&support_type_scope=all"
_WARM = {
    "tickets": (_TICKETS, _SCOPE),
    "metric_sets": (_TICKETS, f"{_SCOPE}&include=metric_sets"),
    "ticket_events": ("/api/v2/incremental/ticket_events", f"{_SCOPE}&include=comment_events"),
    "users": ("/api/v2/incremental/users/cursor", "start_time=0&per_page=1000"),
}


class Simulator:
    """A Zendesk account on loopback.

    Args:
        seed: Decides the account's content together with the sizes and `now`.
        tickets: Number of tickets; the other sizes scale from it.
        plan: team, growth, professional, enterprise or enterprise_plus.
        clock_scale: Account seconds per real second.
        window: How limits count: "fixed" minutes or "sliding" ones.
        auth: "strict", or "any" to accept every request.
        latency: Account seconds each answer takes, or seconds by class of route
            (incremental, list, show, count, oauth, default).
        now: The account's time at the start, unix seconds; the real time if None.
        port: Port of the first brand; 0 picks a free one.
        limits: Requests per minute by bucket, in place of the plan's.
        gates: Status by stream or route name, for streams the plan refuses.
        without: Families of streams that the account has not; their paths answer 404.
        role: "admin" or "agent"; agents may not export.
        header_style: Spelling of the limit headers: "new", "old" or "none".
        token_lifetime: Account seconds an access token lives.
        chat_login: "any", or "own" where Chat takes nothing but its own token (`credentials["chat_access_token"]`).
        chat_host: Whether Chat is also on a host of its own, without `/chat`, as it is on www.zopim.com: `chat_url`.
        page_growth: Whether a time-based page grows to hold a whole second.
        warm: Exports whose pages are made before the first request, as they are asked for with 1,000 rows
            and `support_type_scope=all`: names out of tickets, metric_sets (tickets with that side-load),
            ticket_events (with comments) and users, joined by commas; True for the first two.
        **sizes: Number of rows by stream.
    """

    def __init__(
        self,
        seed: int = 1,
        tickets: int = 200,
        plan: str = "enterprise",
        clock_scale: float = 1.0,
        window: str = "fixed",
        auth: str = "strict",
        latency: float | dict[str, float] = 0.0,
        *,
        now: float | None = None,
        port: int = 0,
        limits: dict[str, int] | None = None,
        gates: dict[str, int] | None = None,
        without: Sequence[str] = (),
        role: str = "admin",
        header_style: str = "new",
        token_lifetime: int = 1800,
        page_growth: bool = True,
        warm: bool | str = False,
        chat_login: str = "any",
        chat_host: bool = False,
        **sizes: int,
    ) -> None:
        start = int(time.time() if now is None else now)
        self._clock = Clock(start, clock_scale)
        self.account = Account(
            self._clock, seed=seed, plan=plan, tickets=tickets, sizes=sizes, role=role, gates=gates, without=without
        )
        self._mutator = Mutator(self.account, self.account.families)
        self._credentials = Credentials(start, token_lifetime, chat_login)
        self.api = Api(
            self.account,
            self.account.routes,
            self._mutator.mutate,
            credentials=self._credentials,
            buckets=Buckets(self._limits(plan, limits or {}), window),
            auth=auth,
            header_style=header_style,
            latency=latency,
            page_growth=page_growth,
        )
        if isinstance(warm, str) and warm and not set(warm.split(",")) <= set(_WARM):
            raise ValueError(f"warm takes {', '.join(_WARM)}, got {warm!r}")
        self._port = port
        self._warm = warm
        self._servers: list[Server] = []
        self._has_chat_host = chat_host
        self._chat_server: Server | None = None
        self._stop_asked: Callable[[], object] | None = None

    def _limits(self, plan: str, given: Mapping[str, int]) -> dict[str, Limit]:
        known = limits_of(plan, self.account.routes.limits())
        unknown = set(given) - set(known)
        if unknown:
            raise ValueError(f"unknown bucket {sorted(unknown)}; the buckets are {', '.join(known)}")
        return known | {name: replace(known[name], total=total) for name, total in given.items()}

    # Running

    def start(self) -> Simulator:
        """Open the ports and answer."""
        if self._servers:
            raise RuntimeError("the simulator is already running")
        self._clock.resume()
        for number in range(self.account.sizes["help_centers"]):
            server = Server(self._route, self._clock, number, self._port if number == 0 else 0)
            self._servers.append(server)
            self.account.brand_urls[self.account.world.rid("brands", number)] = server.base_url
        if self._warm:
            self._make_pages()
        if self._has_chat_host:
            self._chat_server = Server(self._route, self._clock, CHAT_HOST, 0)
        for server in self._all_servers:
            server.start()
        return self

    def stop(self) -> None:
        """Close the ports."""
        self._clock.stop()
        for server in self._all_servers:
            server.stop()
        self._servers.clear()
        self._chat_server = None

    @property
    def _all_servers(self) -> list[Server]:
        return [*self._servers, *([self._chat_server] if self._chat_server else [])]

    def __enter__(self) -> Simulator:
        return self if self._servers else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """Address of the first brand."""
        if not self._servers:
            raise RuntimeError("the simulator is not running")
        return self._servers[0].base_url

    @property
    def chat_url(self) -> str:
        """Address of Chat's own host, with the beginning of its paths."""
        if self._chat_server is None:
            raise RuntimeError("the simulator is not running, or without chat_host=True")
        return f"{self._chat_server.base_url}/api/v2"

    @property
    def brand_urls(self) -> list[str]:
        """Addresses of the brands that have a help center."""
        return [server.base_url for server in self._servers]

    @property
    def credentials(self) -> dict[str, str]:
        """Everything a client can authenticate with now; all words are made up."""
        return self._credentials.as_dict()

    # Looking

    def truth(self, stream: str, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a complete load made now; for large accounts ask for a few columns only."""
        with self.account.lock:
            rows = self.account.truth(stream)
            if columns is None:
                return list(rows)
            return [{name: row.get(name) for name in columns} for row in rows]

    def streams(self) -> list[str]:
        """Return the names `truth` knows."""
        return self.account.streams()

    def mutations(self) -> list[str]:
        """Return the kinds of mutation."""
        return self._mutator.kinds()

    def routes(self) -> list[str]:
        """Return the names of the routes, for `fault` and `gates`."""
        return sorted({"oauth_tokens", *(route.name for route in self.account.routes.all)})

    def requests(self) -> list[dict[str, Any]]:
        """Return the API requests since the last reset."""
        return self.api.requests()

    def now(self) -> float:
        """Return the account's time."""
        return self._clock.now()

    # Changing

    def mutate(self, mutation: str, /, **params: Any) -> dict[str, Any]:
        """Change the account; the clock moves 120 s before and, unless `settle=False`, 120 s after."""
        return self._mutator.mutate(mutation, params)

    def advance(self, seconds: float) -> None:
        """Move the account's clock; back with a negative number."""
        self._clock.advance(seconds)

    def fault(
        self,
        kind: str,
        route: str | None = None,
        nth: int | None = None,
        every: int | None = None,
        times: int | None = 1,
        **params: Any,
    ) -> None:
        """Have requests go wrong; `route` is a pattern for route names or paths, `times=None` is always."""
        self.api.faults.set(Fault(kind, route, nth, every, times, params))

    def clear_faults(self) -> None:
        """Take all faults, and all mutations that have not been fired, back."""
        self.api.faults.clear()
        self.api.unplan()

    def on_request(self, n: int, mutation_kind: str, /, **params: Any) -> None:
        """Fire a mutation when the n-th API request from now arrives."""
        self._mutator.check(mutation_kind)
        self.api.plan(n, mutation_kind, params)

    def reset_requests(self) -> None:
        """Forget the requests."""
        self.api.reset_requests()

    def use_quota(self, bucket: str, n: int) -> int:
        """Use up requests of a bucket as another client would; return what is left."""
        return self.api.burn(bucket, n)

    # The control interface

    def _route(self, request: Request) -> Reply:
        if request.path.startswith(CONTROL):
            return self._control(request)
        return self.api.handle(request)

    def _control(self, request: Request) -> Reply:
        action, _, rest = request.path.removeprefix(CONTROL).partition("/")
        try:
            body = msgspec.json.decode(request.body) if request.body else {}
            return json_reply(200, {"result": self._act(request.method, action, rest, body, request)})
        except (KeyError, TypeError, ValueError, RuntimeError, msgspec.MsgspecError) as error:
            return json_reply(400, {"error": f"{type(error).__name__}: {error}"})

    def _act(self, method: str, action: str, rest: str, body: dict[str, Any], request: Request) -> Any:
        if method == "GET":
            columns = request.params.get("columns")
            looks: dict[str, Callable[[], Any]] = {
                "truth": lambda: self.truth(rest, columns.split(",") if columns else None),
                "requests": self.requests,
                "now": self.now,
                "credentials": lambda: self.credentials,
                "streams": self.streams,
                "mutations": self.mutations,
                "routes": self.routes,
                "brand_urls": lambda: self.brand_urls,
                "chat_url": lambda: self.chat_url,
            }
            return looks[action]()
        acts: dict[str, Callable[[], Any]] = {
            "mutate": lambda: self.mutate(body["mutation"], **body.get("params", {})),
            "advance": lambda: self.advance(**body),
            "fault": lambda: self.fault(**body),
            "clear_faults": self.clear_faults,
            "on_request": lambda: self.on_request(body["n"], body["mutation"], **body.get("params", {})),
            "use_quota": lambda: self.use_quota(**body),
            "reset_requests": self.reset_requests,
            "shutdown": self._shutdown,
        }
        return acts[action]()

    def _shutdown(self) -> None:
        if self._stop_asked is not None:
            self._stop_asked()

    def on_shutdown(self, call: Callable[[], object]) -> None:
        """Have something called when a client asks the server to end."""
        self._stop_asked = call

    def _make_pages(self) -> None:
        names = ("tickets", "metric_sets") if self._warm is True else str(self._warm).split(",")
        for name in names:
            path, query = _WARM[name]
            while query:
                query = self.api.prepare(Request("GET", path, query, {}, b"", 0, self.base_url))
