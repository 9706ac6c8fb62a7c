"""HTTP for every stream and thread: paced, retried, bounded, and faithful to one account's hosts."""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import random
import socket
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests
import urllib3
from urllib3.util import parse_url

from zendesk_support.api.clock import Clock
from zendesk_support.api.connections import MAX_BODY, BoundedAdapter, TooLarge
from zendesk_support.api.credentials import Auth, Token, is_token
from zendesk_support.api.rate_limiter import ACCOUNT, BucketSpec, Budget, Overdue, Rank, Ticket
from zendesk_support.error_messages import causes
from zendesk_support.errors import (
    Cancelled,
    ConfigurationError,
    ContractError,
    CredentialsError,
    CursorExpiredError,
    PageTooHeavyError,
    ProductInactiveError,
    StartTimeTooRecentError,
    TransientError,
    UnavailableError,
    ZendeskError,
)
from zendesk_support.records.json_repair import Unmendable, decoded
from zendesk_support.settings import Settings, origin
from zendesk_support.version import __version__

T = TypeVar("T")

ZENDESK = ".zendesk.com"
CONNECT_TIMEOUT = 10.0
FIRST_CONTACT = 15.0
"""Seconds, by the machine's clock, for which a host is tried that has not answered yet,"""
FIRST_PAUSES = 3.0
"""and at most between two tries."""
RETRY_AFTER_MISSING = 10.0
RETRIED = frozenset({408, 409, 425, *range(500, 600)}) - {501, 505}
TOO_SLOW = frozenset({504, 524})
DOUBTFUL = (UnavailableError, ProductInactiveError, ContractError)
MAX_BACKOFF = 60.0
QUOTED = 1 << 16
SESSION_SECRET = "authenticity_token"
LONGEST_PAUSE = 300.0
SHAPE_TRIES = 4
TOKEN_TRIES = 5
FAN_OUT = 16


@dataclass(frozen=True)
class Request:
    """One GET: a path of the account's API or a full `next` link, and the buckets that count it.

    Attributes:
        shrinkable: a page that Zendesk cannot build in time (504, 524) is the caller's to make smaller.
        doubted: a refusal is asked about once more, since the page before this one came.
        rank: who goes first of those that wait for quota, and
        at: among those of one rank the time an export has reached, Unix seconds.
    """

    url: str
    params: Mapping[str, str | int | list[str]] = field(default_factory=dict)
    buckets: tuple[BucketSpec, ...] = (ACCOUNT,)
    route: str = ""
    shrinkable: bool = False
    doubted: bool = False
    rank: Rank = Rank.LIST
    at: int = 0


@dataclass(frozen=True)
class Trouble:
    """Why a request is asked again.

    Attributes:
        reason: what Zendesk said, or why there was no answer.
        since: when it first went wrong, and
        until: when it is given up, both in seconds of the account's clock.
    """

    reason: str
    since: float
    until: float


@dataclass
class Usage:
    """What a stream has cost so far, and what keeps its request from an answer."""

    requests: int = 0
    waited: float = 0.0
    retries: int = 0
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Answer:
    """A whole answer, inflated; `began` is when its headers came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    began: float


class Me(msgspec.Struct):
    """Who the credentials belong to; wrong ones are answered 200 with an anonymous user."""

    id: int | None = None
    role: str | None = None


class MeAnswer(msgspec.Struct):
    """The answer of `/users/me`."""

    user: Me


WHO_AM_I = Request("/api/v2/users/me", route="users/me")
read_me = msgspec.json.Decoder(MeAnswer).decode
read_token = msgspec.json.Decoder(Token).decode


LASTING = (msgspec.ValidationError, Unmendable, RecursionError)
"""What is wrong with an answer that will most likely come again."""


class BrokenAnswer(Exception):
    """The connection or the body failed; the request may be repeated."""


class Unreached(BrokenAnswer):
    """There was no connection at all: no name, no answer, no trust, or a proxy in between that has none."""


class Transport:
    """Sends requests for all streams of one account.

    Attributes:
        accepted: Zendesk has answered these credentials.
        hopeless: why no request of this run can succeed, once that is known.
    """

    def __init__(self, settings: Settings, clock: Clock, budget: Budget, stop: threading.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._budget = budget
        self._stop = self.stopped = stop
        self._home = origin(settings.base_url)
        self._hosts = {self._home}
        self._idle: deque[requests.Session] = deque()
        self._sessions: list[requests.Session] = []
        self.auth: Auth | None = None
        self.server_time: float | None = None
        self.first_server_time: float | None = None
        self.accepted = False
        self._contact = False
        self._tried_since: float | None = None
        self.hopeless: ZendeskError | None = None
        self._judging = threading.Lock()

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
        deadline: float | None = None
        renewed = doubted = False
        failures = refusals = ended = 0
        said: str | None = None
        while True:
            self._authorization()  # a request without a token need not wait, nor be given a permit
            if deadline is None:
                deadline = self._clock.now() + self._settings.retry_deadline
            ticket = self._permit(request, deadline, said, usage)
            deadline += ticket.queued
            try:
                authorization = self._authorization()  # once more, as a token may have ended while waiting
                answer = self._send("GET", url, authorization, params=request.params)
            except BrokenAnswer as error:
                said = str(error)
                self._budget.abandon(ticket, said)
                failures += 1
                self._demand_contact(error)
                self._back_off(request, failures, deadline, said, None, usage)
                continue
            except BaseException:
                self._budget.abandon(ticket)
                raise
            if answer.status == 429:
                refusals += 1
                said = f"429: {self._words(answer)}"
                self._stand_back(request, ticket, answer, said, refusals, deadline, usage)
                continue
            self._budget.settle(ticket, answer.headers, answer.began)
            if answer.status == 200:
                try:
                    found = decoded(answer.body, decode, self._stop.is_set)
                    self.accepted, usage.trouble = True, None
                    return found
                except (msgspec.DecodeError, RecursionError) as error:
                    failures += 1
                    said = unreadable(answer, error)
                    if isinstance(error, LASTING) and failures >= SHAPE_TRIES:
                        raise ContractError(f"{request.route}: {said}. Nothing of it was loaded.") from error
                    self._demand_sense(answer)
                    self._back_off(request, failures, deadline, said, None, usage)
                    continue
            said = f"{answer.status}: {self._words(answer)}"
            if answer.status == 401:
                if authorization != self._authorization() and ended < TOKEN_TRIES:
                    ended += 1  # by another's renewal, under way
                    continue
                if not renewed and self._renewed(authorization):
                    renewed = True
                    continue
                raise self._unauthorized(request, answer)
            if answer.status in TOO_SLOW and request.shrinkable:
                raise PageTooHeavyError(f"{request.route}: {said}")
            if answer.status in RETRIED:
                failures += 1
                pause_by = retry_after(answer.headers, self._clock) if "Retry-After" in answer.headers else None
                self._back_off(request, failures, deadline, said, pause_by, usage)
                continue
            refused = self._refusal(request, answer)
            if request.doubted and not doubted and type(refused) in DOUBTFUL:
                doubted = True
                self._back_off(request, 1, deadline, said, None, usage)
                continue
            raise refused

    def _permit(self, request: Request, deadline: float, said: str | None, usage: Usage) -> Ticket:
        """Wait for the budget, and for no bucket that stays refused or silent until the deadline."""
        try:
            patience = deadline - self._clock.now()
            ticket = self._budget.acquire(
                request.route, request.buckets, self._stop, patience, request.rank, request.at
            )
        except Overdue as error:
            usage.waited += error.waited
            raise self._gave_up(request, said or str(error)) from None
        usage.waited += ticket.waited
        usage.requests += 1
        return ticket

    def _stand_back(
        self, request: Request, ticket: Ticket, answer: Answer, said: str, refusals: int, deadline: float, usage: Usage
    ) -> None:
        """Wait as a 429 asks; a request refused again lets others go first."""
        asked = retry_after(answer.headers, self._clock)
        longer = backoff(refusals - 1) if refusals > 1 else 0.0
        is_export = b"incremental" in answer.body
        pause = min(asked, LONGEST_PAUSE)
        self._budget.pause(ticket, pause, answer.headers, said, is_export=is_export)
        self._budget.settle(ticket, answer.headers, answer.began)
        if self._clock.now() + asked + longer > deadline:
            raise self._gave_up(request, said)
        self._wait(max(0.0, asked - LONGEST_PAUSE) + longer, usage)

    def _authorization(self) -> str:
        """The Authorization header; without one, no request of the run can succeed."""
        assert self.auth is not None
        if self.hopeless is not None:
            raise self.hopeless
        try:
            return self.auth.header()
        except ZendeskError as error:
            self._end(error)
            raise

    def _renewed(self, refused: str) -> bool:
        """Get a new header in place of a refused one; False where there is none to get."""
        assert self.auth is not None
        try:
            return self.auth.renew(refused)
        except ZendeskError as error:
            self._end(error)
            raise

    def _end(self, error: ZendeskError) -> ZendeskError:
        """Let no further request be sent: the first reason holds for all."""
        self.hopeless = self.hopeless or error
        return self.hopeless

    def _unauthorized(self, request: Request, answer: Answer) -> ZendeskError:
        """The error of a 401 that no renewal cures: is it the credentials, or this request alone?"""
        said = self._words(answer)
        with self._judging:
            if self.hopeless is None and not self._are_known():
                self._end(
                    CredentialsError(
                        f'Zendesk refused the credentials (401: "{said}"). '
                        "Check [sources.zendesk_support.credentials]; docs/credentials.md has how."
                    )
                )
        return self.hopeless or ContractError(
            f'{request.route}: Zendesk answered 401: "{said}", yet it accepts the credentials elsewhere. '
            "Use an admin's credentials, with the scope `read`: docs/credentials.md has how."
        )

    def _are_known(self) -> bool:
        """Whether Zendesk knows who we are; a doubtful answer counts as yes where it has answered other requests."""
        assert self.auth is not None
        answer: Answer | None = None
        try:
            for _ in range(TOKEN_TRIES):
                header = self.auth.header()
                answer = self._send("GET", f"{self._settings.base_url}{WHO_AM_I.url}", header)
                if answer.status not in (200, 401):
                    return self.accepted or answer.status in RETRIED
                if answer.status == 200 and decoded(answer.body, read_me, self._stop.is_set).user.id is not None:
                    return True
                if header == self.auth.header():
                    break
            return False
        except BrokenAnswer:
            return True
        except (msgspec.DecodeError, RecursionError):
            return self.accepted or answer is None or not is_web_page(answer)

    def _refusal(self, request: Request, answer: Answer) -> ZendeskError:
        """The error of an answer that no retry would change."""
        if answer.status == 404 and b"No help desk at" in answer.body:
            return self._end(
                ConfigurationError(
                    f'There is no Zendesk account at {self._settings.base_url} (404: "{self._words(answer)}"). '
                    "Check subdomain."
                )
            )
        return refusal(request, answer.status, self._words(answer))

    def post_token(self, payload: dict[str, str]) -> Token:
        """Ask `/oauth/tokens` for an access token.

        Raises:
            CredentialsError: Zendesk refuses the client or the token.
            TransientError: still failing at the retry deadline.
        """
        if self.hopeless is not None:
            raise self.hopeless
        try:
            return self._ask_token(payload)
        except ZendeskError as error:
            self._end(error)
            raise

    def _ask_token(self, payload: dict[str, str]) -> Token:
        request = Request("/oauth/tokens", route="oauth/tokens")
        deadline = self._clock.now() + self._settings.retry_deadline
        failures = 0
        while True:
            pause_by = None
            try:
                answer = self._send("POST", f"{self._settings.base_url}/oauth/tokens", None, payload=payload)
                if answer.status in (200, 201):
                    try:
                        token = decoded(answer.body, read_token, self._stop.is_set)
                        if is_token(token.access_token) and is_token(token.refresh_token or "-"):
                            return token
                        reason = "200 with a token of characters that no header can hold"
                    except (msgspec.DecodeError, RecursionError) as error:
                        self._demand_sense(answer)
                        reason = unreadable(answer, error)
                elif answer.status == 429 or answer.status in RETRIED:
                    pause_by = retry_after(answer.headers, self._clock) if "Retry-After" in answer.headers else None
                    reason = f"{answer.status}: {self._words(answer)}"
                else:
                    raise CredentialsError(
                        f"Zendesk refused the {payload['grant_type']} grant at {self._settings.base_url} "
                        f'({answer.status}: "{self._words(answer)}"). Check subdomain, client_id, client_secret and '
                        "refresh_token; docs/credentials.md has how to get them."
                    )
            except BrokenAnswer as error:
                reason = str(error)
                self._demand_contact(error)
            failures += 1
            self._back_off(request, failures, deadline, reason, pause_by, Usage())

    def at_once(self) -> int:
        """How many short requests of one stream are worth sending at a time: what the account may send in a second."""
        return max(FAN_OUT, self._budget.limit(ACCOUNT) // 60)

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

    @contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """A session nobody else uses meanwhile; the one used last comes first, as its connection is open."""
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._new_session()
        try:
            yield session
        finally:
            self._idle.append(session)

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = not self._settings.is_loopback
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        adapter = BoundedAdapter(pool_connections=4, pool_maxsize=4)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": user_agent()})
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
                with (
                    self._session() as session,
                    session.request(
                        method,
                        url,
                        params=params,
                        json=payload,
                        auth=HeaderAuth(authorization),
                        timeout=(self._connect_timeout, self._settings.request_timeout),
                        allow_redirects=False,
                        stream=True,
                    ) as response,
                ):
                    began = self._clock.now()
                    self._contact = True
                    body = read(response)
                    self._note_date(response.headers)
                    if not response.is_redirect:
                        return Answer(response.status_code, response.headers, body, began)
                    url, params = self._own(url, response.headers["Location"], path, hosts), None
            except TooLarge:
                raise ContractError(
                    f"{path}: the answer is larger than any of Zendesk's; the limits are {MAX_BODY >> 20} MB "
                    "on the way and inflated. Nothing of it was loaded."
                ) from None
            except ConfigurationError:
                raise
            except (requests.RequestException, zlib.error, OSError, ValueError) as error:
                kind = Unreached if is_unreached(error) else BrokenAnswer
                raise kind(self._trouble(error, origin(url))) from error
        raise BrokenAnswer("too many redirects")

    @property
    def _connect_timeout(self) -> float:
        """Seconds for a connection; two tries in the time that a silent host is given."""
        return CONNECT_TIMEOUT if self._contact else FIRST_CONTACT / 2 - 0.5

    def _demand_contact(self, error: BrokenAnswer) -> None:
        """Give a host up that has never answered: the first thing to go wrong is its address, or the way there.

        Raises:
            ConfigurationError: it was tried for long enough.
        """
        if self._contact or not isinstance(error, Unreached):
            return
        if not self._tried_enough(self._connect_timeout if "within" in str(error) else 0.0):
            return
        raise self._end(
            ConfigurationError(
                f"{self._home} cannot be reached: {error}, for {FIRST_CONTACT:g} s. Check subdomain (or base_url) and "
                'the network of this machine. Behind a proxy, set it: HTTPS_PROXY="http://proxy.example.com:3128".'
            )
        )

    def _tried_enough(self, before: float = 0.0) -> bool:
        """Whether a host has had its time for a first answer, which begins with the first call, or `before` it."""
        if self._tried_since is None:
            self._tried_since = time.monotonic() - before
        return time.monotonic() - self._tried_since >= FIRST_CONTACT - 1

    def _demand_sense(self, answer: Answer) -> None:
        """Give a host up that has answered nothing but web pages: it is not Zendesk that answers.

        Raises:
            ConfigurationError: it was asked for long enough.
        """
        if self.accepted or not is_web_page(answer):
            return
        self._contact = False  # so that it is asked again soon
        if not self._tried_enough():
            return
        raise self._end(
            ConfigurationError(
                f"{self._home} does not answer as a Zendesk account does: web pages only, for {FIRST_CONTACT:g} s. "
                "Check subdomain (or base_url), and whether a proxy or a login page stands before it."
            )
        )

    def _trouble(self, error: Exception, host: str) -> str:
        """Why no answer came, in words that hold nothing of the request."""
        if isinstance(error, requests.ConnectTimeout):
            return f"no connection to {host} within {self._connect_timeout:g} s"
        first: BaseException = error
        while (cause := first.__cause__ or first.__context__) is not None:
            first = cause
        if isinstance(first, TimeoutError):
            return f"no whole answer of {host} within request_timeout = {self._settings.request_timeout:g} s"
        if isinstance(first, http.client.LineTooLong) or type(first) is http.client.HTTPException:
            return f"headers beyond all bounds ({type(first).__name__}) from {host}"
        return f"{trouble(error)} from {host}"

    def _note_date(self, headers: Mapping[str, str]) -> None:
        with contextlib.suppress(KeyError, ValueError, TypeError, OverflowError):
            self.server_time = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
            self.first_server_time = self.first_server_time or self.server_time

    def _back_off(
        self, request: Request, failures: int, deadline: float, reason: str, pause_by: float | None, usage: Usage
    ) -> None:
        pause = pause_by if pause_by is not None else backoff(failures)
        pause = pause if self._contact else min(pause, FIRST_PAUSES)
        if self._clock.now() + pause > deadline:
            raise self._gave_up(request, reason)
        usage.retries += 1
        since = usage.trouble.since if usage.trouble is not None else self._clock.now()
        usage.trouble = Trouble(reason, since, deadline)
        self._wait(pause, usage)

    def _wait(self, seconds: float, usage: Usage) -> None:
        usage.waited += seconds
        self._clock.sleep(seconds, self._stop)
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


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(2.0 ** (failures - 1), MAX_BACKOFF) * random.uniform(0.5, 1)


UNREACHED = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
    socket.gaierror,
    ConnectionRefusedError,
    urllib3.exceptions.NewConnectionError,
)


def is_unreached(error: BaseException) -> bool:
    """Whether no connection came about."""
    return any(isinstance(cause, UNREACHED) for cause in chain(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was made of, and what led to it."""
    for found in causes(error):
        for cause in (found, *found.args, getattr(found, "reason", None)):
            if isinstance(cause, BaseException):
                yield cause


def trouble(error: Exception) -> str:
    """What went wrong with a connection, in a few words."""
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted connection (certificate)"
    if any(isinstance(cause, socket.gaierror) for cause in chain(error)):
        return "no address (the name does not resolve)"
    if any(isinstance(cause, ConnectionRefusedError) for cause in chain(error)):
        return "connection refused"
    if isinstance(error, requests.exceptions.ProxyError):
        return "no connection through the proxy"
    if isinstance(error, (requests.exceptions.ContentDecodingError, zlib.error)):
        return "a body that cannot be unpacked"
    if isinstance(error.args[0] if error.args else None, urllib3.exceptions.ProtocolError) or type(error) is ValueError:
        return "an answer that broke off"
    return "no connection" if isinstance(error, OSError) else type(error).__name__


def unreadable(answer: Answer, error: Exception) -> str:
    """Why a 200 is no answer: of another shape, or not JSON at all."""
    if isinstance(error, msgspec.ValidationError):
        return f"200 with a body of another shape: {error}"
    if is_web_page(answer):
        return "200 with an HTML page, as from a proxy or a login page"
    return f"200 with a body that is no JSON: {error}" if answer.body.strip() else "200 with an empty body"


def is_web_page(answer: Answer) -> bool:
    """Whether an answer is HTML."""
    return answer.body[:300].lstrip().startswith(b"<")


def user_agent() -> str:
    """The User-Agent header."""
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


def read(response: requests.Response) -> bytes:
    """Read and inflate a body.

    Raises:
        TooLarge: it has more bytes than any answer.
        ValueError: it is cut short.
    """
    chunks: list[bytes] = []
    size = 0
    try:
        for chunk in response.iter_content(1 << 18):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY:
                raise TooLarge
    except requests.exceptions.ChunkedEncodingError as error:
        if "maximum allowed length" in str(error):  # of a chunk's size line, which urllib3 bounds from 2.7 on
            raise TooLarge from error
        raise
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
    """The beginning of a foreign text as one printable line, with `***` for each secret in it.

    A text that names the secret of a session, as the answer of `/users/me` does, is not shown at all.
    """
    if SESSION_SECRET in text.lower():
        return "a text with the secret of a session, not quoted"
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def refusal(request: Request, status: int, said: str) -> ZendeskError:
    """The error of a status that no retry would change."""
    if status == 403 and "SupportProductInactive" in said:
        return ProductInactiveError(
            f'Zendesk refused `{request.route}` ({status}: "{said}"). The account has no active Support product: its '
            "trial or subscription has ended, or another account was meant. Check subdomain, and the account's Admin "
            "Center."
        )
    if status in (403, 404):
        return UnavailableError(
            f'Zendesk refused `{request.route}` ({status}: "{said}"). '
            "The plan or role lacks it; leave it out, or use an admin's credentials.",
            is_gone=status == 404,
        )
    if status in (400, 422):
        if "StartTimeTooRecent" in said or "Too recent" in said or "more than 60 seconds ago" in said:
            return StartTimeTooRecentError(f"{request.route}: {said}")
        if "InvalidCursor" in said or "cursor is invalid" in said:
            return CursorExpiredError(f"{request.route}: {said}")
    return ContractError(f'{request.route}: Zendesk answered {status}: "{said}".')
