"""HTTP for every stream and thread: paced, retried, bounded, and faithful to one account's hosts."""

from __future__ import annotations

import contextlib
import email.utils
import json
import random
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter

from zendesk_support.budget import ACCOUNT, BucketSpec, Budget
from zendesk_support.clock import Clock
from zendesk_support.credentials import Auth
from zendesk_support.errors import (
    Cancelled,
    ConfigurationError,
    ContractError,
    CursorExpiredError,
    PageTooHeavyError,
    StartTimeTooRecentError,
    TransientError,
    UnavailableError,
)
from zendesk_support.settings import Settings, is_loopback, origin

T = TypeVar("T")

MAX_BODY = 256 * 1024 * 1024
CONNECT_TIMEOUT = 10.0
RETRY_AFTER_MISSING = 10.0
RETRIED = frozenset({408, 409, 425, 500, 502, 503, 504})
MAX_BACKOFF = 60.0
SHAPE_TRIES = 4


@dataclass(frozen=True)
class Request:
    """One GET: a path of the account's API or a full `next` link, and the buckets that count it."""

    url: str
    params: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    buckets: tuple[BucketSpec, ...] = (ACCOUNT,)
    route: str = ""
    shrinkable: bool = False


@dataclass
class Usage:
    """What a stream has cost so far."""

    requests: int = 0
    waited: float = 0.0
    retries: int = 0


@dataclass(frozen=True)
class Answer:
    """A whole answer, inflated."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class BrokenAnswer(Exception):
    """The connection or the body failed; the request may be repeated."""


class Transport:
    """Sends requests for all streams of one account."""

    def __init__(self, settings: Settings, clock: Clock, budget: Budget, stop: threading.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._budget = budget
        self._stop = self.stopped = stop
        self._hosts = {origin(settings.base_url)}
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self.auth: Auth | None = None
        self.server_time: float | None = None

    def allow_host(self, url: str) -> str | None:
        """Let credentials go to a brand's own host; refuses hosts that can not be the account's.

        Returns:
            The host's origin, or None where it is refused.
        """
        candidate = origin(url)
        ours = self._settings.is_loopback
        if urlsplit(url).username or is_loopback(candidate) != ours:
            return None
        if not ours and not candidate.startswith("https://"):
            return None
        self._hosts.add(candidate)
        return candidate

    def get(self, request: Request, decode: Callable[[bytes], T], usage: Usage) -> T:
        """Fetch and decode one answer, retrying what can pass on a second try.

        Args:
            request: what to ask.
            decode: turns the body into a value; its `msgspec.DecodeError` counts as a broken body.
            usage: counts requests and waiting (seconds).

        Raises:
            UnavailableError: 403 or 404.
            ConfigurationError: the credentials are refused, or a link leads to another host.
            TransientError: still failing at the retry deadline.
            ContractError: any other refusal, quoted.
        """
        url = self._own(urljoin(self._settings.base_url + "/", request.url), request.route)
        return self._attempt(request, url, decode, usage)

    def _attempt(self, request: Request, url: str, decode: Callable[[bytes], T], usage: Usage) -> T:
        assert self.auth is not None
        deadline: float | None = None
        renewed = False
        failures = 0
        while True:
            ticket = self._budget.acquire(request.route, request.buckets, self._stop)
            if deadline is None:
                deadline = self._clock.now() + self._settings.retry_deadline
            usage.waited += ticket.waited
            usage.requests += 1
            try:
                authorization = self.auth.header()
                answer = self._send("GET", url, authorization, params=request.params)
            except BrokenAnswer as error:
                self._budget.abandon(ticket)
                failures += 1
                self._back_off(request, failures, deadline, str(error), None, usage)
                continue
            except BaseException:
                self._budget.abandon(ticket)
                raise
            self._budget.settle(ticket, answer.headers)
            if answer.status == 200:
                try:
                    return decode(answer.body)
                except msgspec.DecodeError as error:
                    failures += 1
                    reason = f"200 with a body that is no answer: {error}"
                    if isinstance(error, msgspec.ValidationError) and failures >= SHAPE_TRIES:
                        raise ContractError(f"{request.route}: {reason}. Nothing of it was loaded.") from error
                    self._back_off(request, failures, deadline, reason, None, usage)
                    continue
            if answer.status == 429:
                pause = retry_after(answer.headers, self._clock)
                self._budget.pause(ticket, pause, account_wide=not names_export(answer))
                if self._clock.now() + pause > deadline:
                    raise self._gave_up(request, f"429: {words(answer)}")
                continue
            if answer.status == 401 and not renewed and self.auth.renew(authorization):
                renewed = True
                continue
            if answer.status == 504 and request.shrinkable:
                raise PageTooHeavyError(f"{request.route}: 504: {words(answer)}")
            if answer.status in RETRIED:
                failures += 1
                pause_by = retry_after(answer.headers, self._clock) if "Retry-After" in answer.headers else None
                self._back_off(request, failures, deadline, f"{answer.status}: {words(answer)}", pause_by, usage)
                continue
            raise refusal(request, answer)

    def post_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """Ask `/oauth/tokens` for an access token.

        Raises:
            ConfigurationError: Zendesk refuses the client or the token.
            TransientError: still failing at the retry deadline.
        """
        request = Request("/oauth/tokens", route="oauth/tokens")
        deadline = self._clock.now() + self._settings.retry_deadline
        failures = 0
        while True:
            pause_by = None
            try:
                answer = self._send("POST", f"{self._settings.base_url}/oauth/tokens", None, payload=payload)
                if answer.status in (200, 201):
                    token = msgspec.json.decode(answer.body, type=dict[str, Any])
                    if token.get("access_token"):
                        return token
                    reason = "an answer without access_token"
                elif answer.status == 429 or answer.status in RETRIED:
                    pause_by = retry_after(answer.headers, self._clock) if "Retry-After" in answer.headers else None
                    reason = f"{answer.status}: {words(answer)}"
                else:
                    raise ConfigurationError(
                        f"Zendesk refused the {payload['grant_type']} grant at {self._settings.base_url} "
                        f'({answer.status}: "{words(answer)}"). Check client_id, client_secret and refresh_token.'
                    )
            except BrokenAnswer as error:
                reason = str(error)
            except msgspec.DecodeError as error:
                reason = f"200 with a body that is no answer: {error}"
            failures += 1
            self._back_off(request, failures, deadline, reason, pause_by, Usage())

    def close(self) -> None:
        """Close every thread's connections."""
        for session in self._sessions:
            session.close()

    def _own(self, url: str, route: str) -> str:
        """Refuse a URL outside the account's hosts."""
        parts = urlsplit(url)
        if origin(url) not in self._hosts or parts.username:
            raise ConfigurationError(
                f"{route}: a link leads to {parts.hostname}, which is not a host of {self._settings.base_url}; "
                "credentials go nowhere else. Check subdomain and base_url."
            )
        return url

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = not self._settings.is_loopback
            adapter = HTTPAdapter(pool_connections=4, pool_maxsize=4)
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            session.headers.update(
                {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": user_agent()}
            )
            self._local.session = session
            self._sessions.append(session)
        return session

    def _send(
        self,
        method: str,
        url: str,
        authorization: str | None,
        params: Mapping[str, str | int | list[str]] | None = None,
        payload: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; follows redirects that stay on the account's hosts."""
        for _ in range(5):
            if self._stop.is_set():
                raise Cancelled
            try:
                with self._session().request(
                    method,
                    url,
                    params=params,
                    json=payload,
                    auth=HeaderAuth(authorization),
                    timeout=(CONNECT_TIMEOUT, self._settings.request_timeout),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    body = self._read(response)
                    self._note_date(response.headers)
                    if response.is_redirect:
                        url, params = self._own(urljoin(url, response.headers["Location"]), urlsplit(url).path), None
                        continue
                    return Answer(response.status_code, response.headers, body)
            except (requests.RequestException, zlib.error, OSError, ValueError) as error:
                if isinstance(error, ConfigurationError):
                    raise
                raise BrokenAnswer(f"{type(error).__name__} from {origin(url)}") from error
        raise BrokenAnswer("too many redirects")

    def _read(self, response: requests.Response) -> bytes:
        """Read and inflate a body, up to a size and a time no honest answer needs."""
        chunks: list[bytes] = []
        size = 0
        overdue = time.monotonic() + self._settings.request_timeout
        expected = response.headers.get("Content-Length")
        for chunk in response.iter_content(1 << 18):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY or time.monotonic() > overdue:
                raise ContractError(
                    f"{urlsplit(response.url).path}: the answer was still coming after {size >> 20} MB or "
                    f"{self._settings.request_timeout:.0f} s; the limits are {MAX_BODY >> 20} MB and request_timeout."
                )
        body = b"".join(chunks)
        if expected and "Content-Encoding" not in response.headers and size < int(expected):
            raise ValueError("truncated body")
        return body

    def _note_date(self, headers: Mapping[str, str]) -> None:
        with contextlib.suppress(KeyError, ValueError, TypeError):
            self.server_time = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()

    def _back_off(
        self, request: Request, failures: int, deadline: float, reason: str, pause_by: float | None, usage: Usage
    ) -> None:
        pause = pause_by if pause_by is not None else min(2 ** (failures - 1), MAX_BACKOFF) * random.uniform(0.5, 1)
        if self._clock.now() + pause > deadline:
            raise self._gave_up(request, reason)
        usage.retries += 1
        usage.waited += pause
        self._clock.sleep(pause, self._stop)
        if self._stop.is_set():
            raise Cancelled

    def _gave_up(self, request: Request, reason: str) -> TransientError:
        return TransientError(
            f"{request.route}: no usable answer within retry_deadline = {self._settings.retry_deadline:g} s; "
            f'the last was "{reason}". What was loaded is kept: run again, or raise retry_deadline.'
        )


class HeaderAuth(requests.auth.AuthBase):
    """Sets the Authorization header, so that a .netrc cannot replace it."""

    def __init__(self, value: str | None) -> None:
        self.value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign a request."""
        if self.value:
            request.headers["Authorization"] = self.value
        return request


def user_agent() -> str:
    """The User-Agent header."""
    from zendesk_support import __version__

    return f"zendesk-support-dlt/{__version__}"


def retry_after(headers: Mapping[str, str], clock: Clock) -> float:
    """Seconds that `Retry-After` asks for: an integer, a fraction, a date, or ten where it is missing."""
    value = (headers.get("Retry-After") or "").strip()
    try:
        return max(1.0, float(value))
    except ValueError:
        pass
    try:
        at = email.utils.parsedate_to_datetime(value).timestamp()
        served = headers.get("Date")
        now = email.utils.parsedate_to_datetime(served).timestamp() if served else time.time()
        return max(1.0, at - now)
    except (ValueError, TypeError):
        return RETRY_AFTER_MISSING


def names_export(answer: Answer) -> bool:
    """Whether a 429 is about the endpoint's own limit, not the account's."""
    return b"incremental" in answer.body or any(
        name.lower().startswith(("zendesk-ratelimit", "zendesk-rate-limit")) and "remaining=0" in value.replace(" ", "")
        for name, value in answer.headers.items()
    )


def words(answer: Answer) -> str:
    """What Zendesk said, in one line of plain text."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        text = answer.body[:300].decode("utf-8", "replace")
        return "an HTML page" if text.lstrip().startswith("<") else " ".join(text.split()) or "no body"
    if not isinstance(body, dict):
        return str(body)[:300]
    if isinstance(body.get("errors"), list) and body["errors"]:
        body = body["errors"][0]
    error = body.get("error", body)
    if isinstance(error, dict):
        parts = [error.get(key) for key in ("code", "title", "message", "detail")]
    else:
        parts = [error, body.get("description"), body.get("error_description")]
    return ": ".join(str(part) for part in parts if part)[:300] or "no reason given"


def refusal(request: Request, answer: Answer) -> Exception:
    """The error of an answer that no retry would change."""
    said = words(answer)
    if answer.status in (403, 404):
        return UnavailableError(
            f'Zendesk refused `{request.route}` ({answer.status}: "{said}"). '
            "The plan or role lacks it; leave it out, or use an admin's credentials."
        )
    if answer.status == 401:
        return ConfigurationError(
            f'Zendesk refused the credentials ({answer.status}: "{said}"). Check [sources.zendesk_support.credentials].'
        )
    if answer.status in (400, 422):
        if "StartTimeTooRecent" in said or "Too recent" in said or "more than 60 seconds ago" in said:
            return StartTimeTooRecentError(f"{request.route}: {said}")
        if "InvalidCursor" in said or "cursor is invalid" in said:
            return CursorExpiredError(f"{request.route}: {said}")
    return ContractError(f'{request.route}: Zendesk answered {answer.status}: "{said}".')
