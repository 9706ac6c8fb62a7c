"""Sends one request with one Authorization header, to hosts that may have it and no others."""

from __future__ import annotations

import contextlib
import email.utils
import threading
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import urlsplit

from zendesk_support.api.answers import Answer
from zendesk_support.api.clock import Clock
from zendesk_support.api.connections import BrokenAnswer, Connections, Params
from zendesk_support.api.first_contact import FirstContact
from zendesk_support.api.hosts import Host, Hosts
from zendesk_support.errors import Cancelled
from zendesk_support.settings import Settings

MOST_REDIRECTS = 5


class Sender:
    """Sends requests and follows redirects.

    Attributes:
        hosts: that get credentials, and whose.
        contact: whether the account's host has ever answered.
        first_server_time: of the first answer, Unix seconds.
        server_time: of the last answer, Unix seconds.
    """

    def __init__(
        self, settings: Settings, clock: Clock, stop: threading.Event, secrets: Callable[[], Iterable[str]]
    ) -> None:
        self.hosts = Hosts(settings)
        self.contact = FirstContact(self.hosts.home.origin)
        self.connections = Connections(settings, clock.now, self.contact.made)
        self.server_time: float | None = None
        self.first_server_time: float | None = None
        self._stop = stop
        self._secrets = secrets

    def find(self, link: str, route: str) -> tuple[str, Host]:
        """A path of the account's API or a full link as a URL, and the host it leads to.

        Raises:
            ConfigurationError: it is no host of the account.
        """
        return self.hosts.find(f"{self.hosts.home.origin}/", link, route, self._secrets())

    def send(
        self,
        method: str,
        url: str,
        host: Host,
        authorization: str | None,
        params: Params | None = None,
        payload: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request; follows redirects to hosts of the same credentials, with a payload to the same host only.

        Raises:
            BrokenAnswer: there is no whole answer.
            ConfigurationError: a redirect leads elsewhere.
            Cancelled: the run is over.
        """
        path = urlsplit(url).path
        for _ in range(MOST_REDIRECTS):
            if self._stop.is_set():
                raise Cancelled
            answer = self.connections.send(method, url, authorization, self.contact.connect_timeout, params, payload)
            self._note_date(answer.headers)
            if answer.location is None:
                return answer
            url, found = self.hosts.find(url, answer.location, path, self._secrets())
            params = None
            if found is not host and (payload is not None or found.auth is not host.auth):
                raise self.hosts.foreign(url, path, self._secrets())
        raise BrokenAnswer("too many redirects")

    def _note_date(self, headers: Mapping[str, str]) -> None:
        with contextlib.suppress(KeyError, ValueError, TypeError, OverflowError):
            self.server_time = email.utils.parsedate_to_datetime(headers["Date"]).timestamp()
            self.first_server_time = self.first_server_time or self.server_time
