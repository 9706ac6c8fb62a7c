"""Connections on which every answer ends: within a time and a size, however its bytes trickle."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from zendesk_support.api.answers import Answer
from zendesk_support.error_messages import causes
from zendesk_support.errors import ContractError
from zendesk_support.settings import Settings, origin
from zendesk_support.version import __version__

MAX_BODY = 256 * 1024 * 1024
"""Bytes of the largest answer, on the way and inflated."""
HOSTS = 64
"""Hosts to which connections are kept open, and"""
KEPT_OPEN = 128
"""how many to each: more than all threads of a run use at a time."""

Params = Mapping[str, str | int | list[str]]


class TooLarge(Exception):
    """An answer is larger than any that Zendesk sends."""


class BoundedReader(io.RawIOBase):
    """The bytes of one answer, headers and all.

    A socket's own timeout starts anew with every byte; here it is the time for all of them.
    """

    def __init__(self, sock: socket.socket, source: io.RawIOBase) -> None:
        self._sock = sock
        self._source = source
        self._timeout = sock.gettimeout()
        self._ends = time.monotonic() + (self._timeout or 0)
        self._left = MAX_BODY

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what has arrived.

        Raises:
            TimeoutError: the answer is not whole in time.
            TooLarge: it has more bytes than any answer.
        """
        if self._timeout is not None:
            remaining = self._ends - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the answer is not whole in time")
            self._sock.settimeout(remaining)
        count = self._source.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise TooLarge
        return count

    def close(self) -> None:
        """Leave the socket to the next request as it was."""
        with contextlib.suppress(OSError):
            self._sock.settimeout(self._timeout)
        self._source.close()
        super().close()


class BoundedResponse(http.client.HTTPResponse):
    """An answer read through a `BoundedReader`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(BoundedReader(sock, self.fp.detach()))


class _Http(HTTPConnection):
    response_class = BoundedResponse


class _Https(HTTPSConnection):
    response_class = BoundedResponse


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Https


class BoundedAdapter(HTTPAdapter):
    """Sends requests over such connections, through a proxy too."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
        return manager


class BrokenAnswer(Exception):
    """The connection or the body failed; the request may be repeated."""


class Unreached(BrokenAnswer):
    """There was no connection at all: no name, no answer, no trust, or a proxy in between that has none.

    Attributes:
        tried: seconds for which a connection was waited for.
    """

    def __init__(self, message: str, tried: float = 0.0) -> None:
        super().__init__(message)
        self.tried = tried


class Connections:
    """The kept connections of one run, for all its threads.

    Args:
        settings: the account's address, which says whether proxies are asked, and the time for an answer.
        now: seconds of the account's clock.
        answered: called when the headers of an answer have come, before its body.
    """

    def __init__(self, settings: Settings, now: Callable[[], float], answered: Callable[[], None]) -> None:
        self._request_timeout = settings.request_timeout
        self._now = now
        self._answered = answered
        self.session = requests.Session()
        self.session.trust_env = not settings.is_loopback
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        adapter = BoundedAdapter(pool_connections=HOSTS, pool_maxsize=KEPT_OPEN)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        told = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": user_agent()}
        self.session.headers.update(told)

    def send(
        self,
        method: str,
        url: str,
        authorization: str | None,
        connect_timeout: float,
        params: Params | None = None,
        payload: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request and read its whole answer; a redirect is an answer, too.

        Raises:
            BrokenAnswer: there was none, or no whole one.
            ContractError: it is larger than any of Zendesk's.
        """
        try:
            with self.session.request(
                method,
                url,
                params=params,
                json=payload,
                auth=HeaderAuth(authorization),
                timeout=(connect_timeout, self._request_timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                began = self._now()
                self._answered()
                return Answer(response.status_code, response.headers, read(response), began)
        except TooLarge:
            raise ContractError(
                f"{urlsplit(url).path}: the answer is larger than any of Zendesk's; the limits are {MAX_BODY >> 20} MB "
                "on the way and inflated. Nothing of it was loaded."
            ) from None
        except (requests.RequestException, zlib.error, OSError, ValueError) as error:
            raise self._broken(error, origin(url), connect_timeout) from error

    def _broken(self, error: Exception, host: str, connect_timeout: float) -> BrokenAnswer:
        """Why no answer came, in words that hold nothing of the request."""
        first = list(causes(error))[-1]
        tried = 0.0
        if isinstance(error, requests.ConnectTimeout):
            said, tried = f"no connection to {host} within {connect_timeout:g} s", connect_timeout
        elif isinstance(first, TimeoutError):
            said = f"no whole answer of {host} within request_timeout = {self._request_timeout:g} s"
            tried = connect_timeout
        elif isinstance(first, http.client.LineTooLong) or type(first) is http.client.HTTPException:
            said = f"headers beyond all bounds ({type(first).__name__}) from {host}"
        else:
            said = f"{what_broke(error)} from {host}"
        return Unreached(said, tried) if is_unreached(error) else BrokenAnswer(said)

    def close(self) -> None:
        """Close all connections."""
        self.session.close()


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
    return f"zendesk-support-dlt/{__version__}"


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


def what_broke(error: Exception) -> str:
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
