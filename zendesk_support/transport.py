"""HTTP for every stream and thread: paced, retried, bounded, and faithful to one account's hosts."""

from __future__ import annotations

import contextlib
import email.utils
import json
import random
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
from urllib3.util import parse_url

from zendesk_support.budget import ACCOUNT, BucketSpec, Budget
from zendesk_support.clock import Clock
from zendesk_support.credentials import Auth, Token, is_token
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
from zendesk_support.settings import Settings, origin
from zendesk_support.wire import MAX_BODY, BoundedAdapter, TooLarge

T = TypeVar("T")

ZENDESK = ".zendesk.com"
CONNECT_TIMEOUT = 10.0
RETRY_AFTER_MISSING = 10.0
RETRIED = frozenset({408, 409, 425, 500, 502, 503, 504})
MAX_BACKOFF = 60.0
QUOTED = 1 << 16
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
        self._home = origin(settings.base_url)
        self._hosts = {self._home}
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self.auth: Auth | None = None
        self.server_time: float | None = None

    def allow_host(self, url: str) -> str | None:
        """Let credentials go to a brand's host: a Zendesk address, or another port of an account on this machine.

        A domain of the brand's own gets none: who controls its name service need not be who runs the account.

        Returns:
            The host's origin, or None where it is refused.
        """
        try:
            candidate = origin(url)
        except ValueError:
            return None
        if self._settings.is_loopback:
            allowed = parse_url(candidate)[:3] == parse_url(self._home)[:3]
        else:
            allowed = candidate.startswith("https://") and candidate.endswith(ZENDESK)
        if not allowed:
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
        url = self._own(self._home + "/", request.url, request.route, self._hosts)
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
                except (msgspec.DecodeError, RecursionError) as error:
                    failures += 1
                    reason = f"200 with a body that is no answer: {error}"
                    if isinstance(error, (msgspec.ValidationError, RecursionError)) and failures >= SHAPE_TRIES:
                        raise ContractError(f"{request.route}: {reason}. Nothing of it was loaded.") from error
                    self._back_off(request, failures, deadline, reason, None, usage)
                    continue
            if answer.status == 429:
                pause = retry_after(answer.headers, self._clock)
                longest = min(pause, self._settings.retry_deadline)
                self._budget.pause(ticket, longest, account_wide=not names_export(answer))
                if self._clock.now() + pause > deadline:
                    raise self._gave_up(request, f"429: {self._words(answer)}")
                continue
            if answer.status == 401 and not renewed and self.auth.renew(authorization):
                renewed = True
                continue
            if answer.status == 504 and request.shrinkable:
                raise PageTooHeavyError(f"{request.route}: 504: {self._words(answer)}")
            if answer.status in RETRIED:
                failures += 1
                pause_by = retry_after(answer.headers, self._clock) if "Retry-After" in answer.headers else None
                self._back_off(request, failures, deadline, f"{answer.status}: {self._words(answer)}", pause_by, usage)
                continue
            raise refusal(request, answer.status, self._words(answer))

    def post_token(self, payload: dict[str, str]) -> Token:
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
                    token = msgspec.json.decode(answer.body, type=Token)
                    if is_token(token.access_token) and is_token(token.refresh_token or "-"):
                        return token
                    reason = "a token of characters that no header can hold"
                elif answer.status == 429 or answer.status in RETRIED:
                    pause_by = retry_after(answer.headers, self._clock) if "Retry-After" in answer.headers else None
                    reason = f"{answer.status}: {self._words(answer)}"
                else:
                    raise ConfigurationError(
                        f"Zendesk refused the {payload['grant_type']} grant at {self._settings.base_url} "
                        f'({answer.status}: "{self._words(answer)}"). Check client_id, client_secret and refresh_token.'
                    )
            except BrokenAnswer as error:
                reason = str(error)
            except (msgspec.DecodeError, RecursionError) as error:
                reason = f"200 with a body that is no answer: {error}"
            failures += 1
            self._back_off(request, failures, deadline, reason, pause_by, Usage())

    def close(self) -> None:
        """Close every thread's connections."""
        for session in self._sessions:
            session.close()

    def _own(self, base: str, link: str, route: str, hosts: Iterable[str]) -> str:
        """A link as an absolute URL, which must lead to one of some hosts."""
        try:
            url = urljoin(base, link)
            if origin(url) in hosts:
                return url
            foreign = urlsplit(url).hostname
        except ValueError:
            foreign = None
        raise ConfigurationError(
            f"{route}: a link leads to {plain(foreign or 'no server at all', self._secrets())}, which is not a host of "
            f"{self._home}; credentials go nowhere else. Check subdomain and base_url."
        )

    def _secrets(self) -> Iterable[str]:
        return self.auth.secrets() if self.auth is not None else ()

    def _words(self, answer: Answer) -> str:
        """What Zendesk said, without the credentials that a proxy may quote."""
        return words(answer, self._secrets())

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = not self._settings.is_loopback
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
            adapter = BoundedAdapter(pool_connections=4, pool_maxsize=4)
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
        """Send one request; follows redirects that stay on the account's hosts, with a payload on its own alone."""
        hosts = self._hosts if payload is None else {self._home}
        path = urlsplit(url).path
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
                    body = read(response)
                    self._note_date(response.headers)
                    if not response.is_redirect:
                        return Answer(response.status_code, response.headers, body)
                    url, params = self._own(url, response.headers["Location"], path, hosts), None
            except TooLarge:
                raise ContractError(
                    f"{path}: the answer is larger than any of Zendesk's; the limits are {MAX_BODY >> 20} MB "
                    "on the way and inflated. Nothing of it was loaded."
                ) from None
            except ConfigurationError:
                raise
            except (requests.RequestException, zlib.error, OSError, ValueError) as error:
                raise BrokenAnswer(self._trouble(error, origin(url))) from error
        raise BrokenAnswer("too many redirects")

    def _trouble(self, error: BaseException, host: str) -> str:
        """Why no answer came, in words that hold nothing of the request."""
        if isinstance(error, requests.ConnectTimeout):
            return f"no connection to {host} within {CONNECT_TIMEOUT:g} s"
        first = error
        while (cause := first.__cause__ or first.__context__) is not None:
            first = cause
        if isinstance(first, TimeoutError):
            return f"no whole answer of {host} within request_timeout = {self._settings.request_timeout:g} s"
        return f"{type(first).__name__} from {host}"

    def _note_date(self, headers: Mapping[str, str]) -> None:
        with contextlib.suppress(KeyError, ValueError, TypeError, OverflowError):
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
    except (ValueError, TypeError, OverflowError):
        return RETRY_AFTER_MISSING


def names_export(answer: Answer) -> bool:
    """Whether a 429 is about the endpoint's own limit, not the account's."""
    return b"incremental" in answer.body or any(
        name.lower().startswith(("zendesk-ratelimit", "zendesk-rate-limit")) and "remaining=0" in value.replace(" ", "")
        for name, value in answer.headers.items()
    )


def read(response: requests.Response) -> bytes:
    """Read and inflate a body.

    Raises:
        TooLarge: it has more bytes than any answer.
        ValueError: it is cut short.
    """
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(1 << 18):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            raise TooLarge
    expected = response.headers.get("Content-Length")
    if expected and "Content-Encoding" not in response.headers and size < int(expected):
        raise ValueError("truncated body")
    return b"".join(chunks)


def words(answer: Answer, secrets: Iterable[str] = ()) -> str:
    """What Zendesk said, in one line of plain text."""
    try:
        body = json.loads(answer.body[:QUOTED])
    except (ValueError, RecursionError):
        text = answer.body[:QUOTED].decode("utf-8", "replace")
        return "an HTML page" if text.lstrip().startswith("<") else plain(text, secrets) or "no body"
    if not isinstance(body, dict):
        return plain(str(body), secrets)
    if isinstance(body.get("errors"), list) and body["errors"]:
        body = body["errors"][0]
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        parts = [error.get(key) for key in ("code", "title", "message", "detail")]
    elif isinstance(body, dict):
        parts = [error, body.get("description"), body.get("error_description")]
    else:
        parts = [body]
    return plain(": ".join(str(part) for part in parts if part), secrets) or "no reason given"


def plain(text: str, secrets: Iterable[str]) -> str:
    """The beginning of a foreign text as one printable line, with `***` for each secret in it."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def refusal(request: Request, status: int, said: str) -> Exception:
    """The error of an answer that no retry would change."""
    if status in (403, 404):
        return UnavailableError(
            f'Zendesk refused `{request.route}` ({status}: "{said}"). '
            "The plan or role lacks it; leave it out, or use an admin's credentials."
        )
    if status == 401:
        return ConfigurationError(
            f'Zendesk refused the credentials ({status}: "{said}"). Check [sources.zendesk_support.credentials].'
        )
    if status in (400, 422):
        if "StartTimeTooRecent" in said or "Too recent" in said or "more than 60 seconds ago" in said:
            return StartTimeTooRecentError(f"{request.route}: {said}")
        if "InvalidCursor" in said or "cursor is invalid" in said:
            return CursorExpiredError(f"{request.route}: {said}")
    return ContractError(f'{request.route}: Zendesk answered {status}: "{said}".')
