"""A host that has never answered is given up after seconds, since its address is wrong, or the way there closed."""

from __future__ import annotations

import time

from zendesk_support.api.answers import Answer, is_web_page
from zendesk_support.api.connections import Unreached
from zendesk_support.errors import ConfigurationError

CONNECT_TIMEOUT = 10.0
"""Seconds for a connection to a host that has answered before."""
FIRST_CONTACT = 15.0
"""Seconds, by the machine's clock, for which a host is tried that has not answered yet."""
FIRST_PAUSES = 3.0
"""Seconds at most between two tries of such a host."""


class FirstContact:
    """Whether the account's host has answered, and how long it is tried until then."""

    def __init__(self, home: str) -> None:
        self._home = home
        self._is_made = False
        self._since: float | None = None

    def made(self) -> None:
        """The host has answered."""
        self._is_made = True

    @property
    def connect_timeout(self) -> float:
        """Seconds for a connection; two tries in the time that a silent host is given."""
        return CONNECT_TIMEOUT if self._is_made else FIRST_CONTACT / 2 - 0.5

    @property
    def longest_pause(self) -> float:
        """Seconds between two tries at most."""
        return float("inf") if self._is_made else FIRST_PAUSES

    def check_reached(self, error: Exception) -> None:
        """Give a host up that has never answered.

        Raises:
            ConfigurationError: it was tried for long enough.
        """
        if self._is_made or not isinstance(error, Unreached) or not self._is_over(error.tried):
            return
        raise ConfigurationError(
            f"{self._home} cannot be reached: {error}, for {FIRST_CONTACT:g} s. Check subdomain (or base_url) and "
            'the network of this machine. Behind a proxy, set it: HTTPS_PROXY="http://proxy.example.com:3128".'
        )

    def check_sense(self, answer: Answer) -> None:
        """Give a host up that has answered nothing but web pages: it is not Zendesk that answers.

        Raises:
            ConfigurationError: it was asked for long enough.
        """
        if not is_web_page(answer):
            return
        self._is_made = False  # so that it is asked again soon
        if not self._is_over():
            return
        raise ConfigurationError(
            f"{self._home} does not answer as a Zendesk account does: web pages only, for {FIRST_CONTACT:g} s. "
            "Check subdomain (or base_url), and whether a proxy or a login page stands before it."
        )

    def _is_over(self, before: float = 0.0) -> bool:
        """Whether the host has had its time, which begins with the first call, or `before` it."""
        if self._since is None:
            self._since = time.monotonic() - before
        return time.monotonic() - self._since >= FIRST_CONTACT - 1
