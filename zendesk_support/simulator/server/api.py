"""A request's way through the account: record, faults, credentials, limits, answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from zendesk_support.simulator.clock import Clock
from zendesk_support.simulator.data.store import Store
from zendesk_support.simulator.server import contrary, encode, exports, faults, limits, lists
from zendesk_support.simulator.server.auth import CHAT_HOST, CHAT_PATHS, Credentials
from zendesk_support.simulator.server.encode import PageCache, to_json
from zendesk_support.simulator.server.faults import Faults
from zendesk_support.simulator.server.limits import Buckets, State
from zendesk_support.simulator.server.messages import (
    JSON,
    Refusal,
    Reply,
    Request,
    forbidden,
    json_reply,
    no_endpoint,
    no_page,
    out_of_scope,
    rate_limited,
    unauthenticated,
)
from zendesk_support.simulator.server.routes import Args, Route, Routes, general_limit

_TOKENS = "/oauth/tokens"
Mutate = Callable[[str, dict[str, Any]], object]


class Api:
    """Answers requests from the account's data."""

    def __init__(
        self,
        store: Store,
        routes: Routes,
        mutate: Mutate,
        *,
        credentials: Credentials,
        buckets: Buckets,
        auth: str,
        header_style: str,
        latency: float | dict[str, float],
        page_growth: bool,
    ) -> None:
        if auth not in ("strict", "any"):
            raise ValueError(f"auth must be 'strict' or 'any', got {auth!r}")
        if header_style not in ("new", "old", "none"):
            raise ValueError(f"header_style must be 'new', 'old' or 'none', got {header_style!r}")
        self.store = store
        self.routes = routes
        self.clock: Clock = store.clock
        self.credentials = credentials
        self.buckets = buckets
        self.faults = Faults()
        self.cache = PageCache()
        self._mutate = mutate
        self._cached_version = store.version
        self._strict = auth == "strict"
        self._header_style = header_style
        self._latency = latency
        self._growth = page_growth
        self._log: list[dict[str, Any]] = []
        self._count = 0
        self._planned: list[tuple[int, str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    # The log, and mutations that wait for a request

    def requests(self) -> list[dict[str, Any]]:
        """Return all API requests since the last reset."""
        with self._lock:
            return [dict(entry) for entry in self._log]

    def reset_requests(self) -> None:
        """Forget the requests."""
        with self._lock:
            self._log.clear()

    def plan(self, number: int, kind: str, params: dict[str, Any]) -> None:
        """Fire a mutation when the n-th request from now arrives."""
        with self._lock:
            self._planned.append((self._count + number, kind, params))

    def unplan(self) -> None:
        """Fire no mutation after all."""
        with self._lock:
            self._planned = []

    def burn(self, bucket: str, count: int) -> int:
        """Use up requests of a bucket; return what is left."""
        with self._lock:
            return self.buckets.burn(bucket, self.clock.now(), count)

    def _arrive(self, request: Request) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "time": self.clock.now(),
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "status": None,
            "route": request.route,
            "buckets": [],
            "brand": request.brand,
            "user_agent": request.headers.get("user-agent"),
            "had_authorization": "authorization" in request.headers,
        }
        with self._lock:
            self._count += 1
            self._log.append(entry)
            due = [plan for plan in self._planned if plan[0] == self._count]
            self._planned = [plan for plan in self._planned if plan[0] > self._count]
        for _, kind, params in due:
            self._mutate(kind, params)
        return entry

    # Answering

    def handle(self, request: Request) -> Reply:
        """Answer an API request."""
        if request.brand == CHAT_HOST:
            request.path = request.path.replace("/api/v2/", CHAT_PATHS, 1)
        route, args = self._find(request)
        request.route = "oauth_tokens" if request.path == _TOKENS else route.name if route else "unknown"
        entry = self._arrive(request)
        states: list[State] = []
        try:
            reply = self._answer(request, route, args, entry, states)
        except Refusal as refusal:
            reply = refusal.reply()
        if reply.wire not in ("reset", "endless", "bomb") and request.path != _TOKENS:
            self._decorate(request, route, reply, states)
        entry["status"] = None if reply.wire == "reset" else reply.status
        return reply

    def _find(self, request: Request) -> tuple[Route | None, Args]:
        return self.routes.find(request.path) if request.method == "GET" else (None, ())

    def _answer(
        self,
        request: Request,
        route: Route | None,
        args: Args,
        entry: dict[str, Any],
        states: list[State],
    ) -> Reply:
        self.clock.sleep(self._delay(route))
        for fault in self.faults.striking(request, faults.BEFORE_AUTH):
            faults.before_auth(self.clock, self.credentials, request, fault)
        if request.path == _TOKENS:
            return self._tokens(request)
        self._authenticate(request, route)
        states += self._count_request(request, route, entry)
        for fault in self.faults.striking(request, faults.INSTEAD):
            return faults.instead(self.clock, request, fault)
        if route is None:
            raise no_page() if request.path.startswith("/hc/") else no_endpoint()
        self._check_gates(request, route)
        contrary_to = self.faults.striking(request, faults.CONTRARY)
        if contrary_to:
            reply = contrary.answer(self.store, self.respond, request, route, args, **contrary_to[0].params)
        else:
            reply = self.respond(request, route, args)
        for fault in self.faults.striking(request, faults.AFTER):
            reply = faults.after(request, fault, reply)
        return reply

    def _delay(self, route: Route | None) -> float:
        if not isinstance(self._latency, dict):
            return self._latency
        kind = route.kind if route else "oauth"
        return self._latency.get(kind, self._latency.get("default", 0.0))

    def _tokens(self, request: Request) -> Reply:
        for fault in self.faults.striking(request, faults.INSTEAD):
            return faults.instead(self.clock, request, fault)
        if request.method != "POST":
            raise no_endpoint()
        if request.headers.get("content-type", "").startswith("application/json"):
            try:
                form = msgspec.json.decode(request.body or b"{}")
            except msgspec.DecodeError:
                form = {}
        else:
            form = {key: values[-1] for key, values in parse_qs(request.body.decode(errors="replace")).items()}
        status, body = self.credentials.issue(form if isinstance(form, dict) else {}, self.clock.now())
        reply = json_reply(status, body)
        for fault in self.faults.striking(request, faults.AFTER):
            reply = faults.after(request, fault, reply)
        return reply

    def _authenticate(self, request: Request, route: Route | None) -> None:
        header = request.headers.get("authorization")
        if self._strict and not self.credentials.accepts_for(request.path, request.brand, header, self.clock.now()):
            request.anonymous = True
        if request.anonymous and not (route and route.anonymous):
            raise unauthenticated(bearer=(header or "").lower().startswith("bearer"))

    def _count_request(self, request: Request, route: Route | None, entry: dict[str, Any]) -> list[State]:
        counted = route.counted_by(request) if route else (general_limit(request.path),)
        states: list[State] = []
        entry["buckets"] = [limit.name for limit in counted]
        with self._lock:
            for limit in counted:
                state = self.buckets.take(limit.name, self.clock.now())
                states.append(state)
                if not state.allowed:
                    until = self.clock.now() + state.resets if limit.tells_when else None
                    refusal = rate_limited(limit.in_json, state.resets, until)
                    refusal.headers += limits.headers(states, self._header_style)
                    raise refusal
        return states

    def _check_gates(self, request: Request, route: Route) -> None:
        gates, told = self.store.gates, request.headers.get("authorization")
        lacking = route.admins and self.store.role != "admin"
        status = 403 if lacking else gates.get(route.name) or gates.get(route.stream)
        if not route.anonymous and not self.credentials.covers(told, route.scope_of(request)):
            raise out_of_scope()
        if status and route.refused:
            raise route.refused(status)
        if status == 403:
            raise forbidden()
        if status:
            raise no_page() if route.help_center else no_endpoint()
        if route.help_center and request.brand >= len(self.store.help_centers):
            raise no_page()

    def respond(self, request: Request, route: Route, args: Args) -> Reply:
        """Answer as the account stands, without trouble."""
        with self.store.lock:
            if self.store.version != self._cached_version:
                self.cache.clear()
                self._cached_version = self.store.version
            if route.show:
                return json_reply(200, route.show(self.store, request, args))
            by_page = route.listing and any(name in request.params for name in ("page[size]", "page[after]"))
            if route.export and not by_page:
                return self._export(request, route, route.export)
            return self._list(request, route, args)

    def _export(self, request: Request, route: Route, export: exports.Export) -> Reply:
        answer = exports.by_cursor if route.by_cursor else exports.by_time
        page = answer(self.store, request, export, self._growth)
        if self.store.is_small:
            return json_reply(200, {**page.make(), **page.rest})
        packed = encode.finish(self.cache.get(page.key, lambda: encode.stem(page.make())), page.rest)
        return Reply(200, b"", JSON, packed=packed)

    def _list(self, request: Request, route: Route, args: Args) -> Reply:
        listing = route.listing
        if listing is None:
            raise no_endpoint()

        def body() -> bytes:
            return to_json(lists.make_page(self.store, request, listing, args, route.name))

        if self.store.is_small or not listing.lasting:
            return Reply(200, body(), JSON)
        key = (request.base_url, request.path, tuple(sorted(request.pairs)), self.store.version)
        return Reply(200, b"", JSON, packed=self.cache.get(key, lambda: encode.gzip(body())))

    def prepare(self, request: Request) -> str:
        """Make the page of an export before it is asked for; return the query of the next one."""
        route, _ = self._find(request)
        if route is None or route.export is None:
            raise ValueError(f"{request.path} is no export")
        answer = exports.by_cursor if route.by_cursor else exports.by_time
        page = answer(self.store, request, route.export, self._growth)
        self.cache.get(page.key, lambda: encode.stem(page.make()))
        following: str = page.rest["after_url" if route.by_cursor else "next_page"]
        return "" if page.rest["end_of_stream"] else following.partition("?")[2]

    def _decorate(self, request: Request, route: Route | None, reply: Reply, states: list[State]) -> None:
        names = {name.lower() for name, _ in reply.headers}
        if states and "x-rate-limit" not in names:
            reply.headers = [*limits.headers(states, self._header_style), *reply.headers]
        reply.headers = [
            *reply.headers,
            ("X-Zendesk-API-Version", "v2"),
            ("X-Zendesk-Origin-Server", "simulator"),
            ("X-Zendesk-Request-Id", f"simulator-{self._count}"),
            ("X-Runtime", "0.042"),
        ]
        if route:
            unknown = [name for name in request.params if name not in route.allowed]
            if unknown:
                listed = ", ".join(f'"{name}"' for name in unknown)
                warning = f"{{:allowed_parameters=>{{:controller=>{{:unpermitted_keys=>[{listed}]}}}}}}"
                reply.headers.append(("X-Zendesk-API-Warn", warning))
