"""Connections on which every answer ends: within a time and a size, however its bytes trickle."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import time
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

MAX_BODY = 256 * 1024 * 1024


class TooLarge(Exception):
    """An answer is larger than any that Zendesk sends."""


class Wire(io.RawIOBase):
    """The bytes of one answer, headers and all.

    A socket's own timeout starts anew with every byte; here it is the time for all of them.
    """

    def __init__(self, sock: socket.socket, source: io.RawIOBase) -> None:
        self._sock = sock
        self._source = source
        self._timeout = sock.gettimeout()
        self._overdue = time.monotonic() + (self._timeout or 0)
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
            remaining = self._overdue - time.monotonic()
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
    """An answer read through a `Wire`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(Wire(sock, self.fp.detach()))


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
