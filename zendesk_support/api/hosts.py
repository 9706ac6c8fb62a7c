"""Which hosts get credentials, and whose: no credentials go to any other host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit

from urllib3.util import parse_url

from zendesk_support.api.answers import plain
from zendesk_support.api.tokens import Auth
from zendesk_support.errors import ConfigurationError
from zendesk_support.settings import Settings, is_loopback, origin

ZENDESK = ".zendesk.com"


@dataclass(frozen=True)
class Host:
    """A server that gets credentials.

    Attributes:
        origin: scheme, host and port.
        auth: its own credentials; None for the account's.
    """

    origin: str
    auth: Auth | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Part:
    """A part of the account's API with credentials, and perhaps an address, of its own.

    Attributes:
        prefix: of its paths on the account's host, such as `/api/v2/chat/`.
        address: what stands in place of origin and prefix; None where it is on the account's host.
        is_in_use: its own credentials go with each request; on the account's host only once that has refused its own.
    """

    prefix: str
    host: Host
    address: str | None = None
    is_in_use: bool = True


class Hosts:
    """The hosts of one account.

    Attributes:
        home: the account's own.
    """

    def __init__(self, settings: Settings) -> None:
        self.home = Host(origin(settings.base_url))
        self._is_loopback = settings.is_loopback
        self._known = {self.home.origin: self.home}
        self._part: Part | None = None

    def allow(self, url: str) -> str | None:
        """Let the account's credentials go to a brand's host.

        That is a Zendesk address, or another port of an account on this machine. A domain of the brand's own gets
        none: who controls its name service need not be who runs the account.

        Returns:
            The host's origin, or None where it is refused.
        """
        try:
            candidate = origin(url)
        except ValueError:
            return None
        if self._is_loopback:
            allowed = parse_url(candidate)[:3] == parse_url(self.home.origin)[:3]
        else:
            allowed = candidate.startswith("https://") and candidate.endswith(ZENDESK)
        if not allowed or self._known.setdefault(candidate, Host(candidate)).auth is not None:
            return None
        return candidate

    def add(self, url: str, auth: Auth) -> str:
        """Give a host credentials of its own, and never the account's.

        Returns:
            The host's origin.

        Raises:
            ValueError: it would get them unencrypted, has others already, or is no host.
        """
        host = Host(origin(url), auth)
        if not host.origin.startswith("https://") and not (self._is_loopback and is_loopback(url)):
            raise ValueError(f"{host.origin} would get credentials unencrypted")
        if self._known.setdefault(host.origin, host) is not host:
            raise ValueError(f"{host.origin} has other credentials already")
        return host.origin

    def set_apart(self, prefix: str, auth: Auth, address: str | None) -> None:
        """Give a part of the account's API credentials of its own.

        At an address of its own it never gets the account's. On the account's host these are tried first.

        Args:
            prefix: of its paths, such as `/api/v2/chat/`.
            auth: its credentials.
            address: where it is, if it is not on the account's host, such as `https://www.zopim.com/api/v2`.

        Raises:
            ValueError: it would get them unencrypted, or the address is that of a host with other credentials.
        """
        if address is None:
            self._part = Part(prefix, Host(self.home.origin, auth), is_in_use=False)
        else:
            self._part = Part(prefix, self._known[self.add(address, auth)], f"{address.rstrip('/')}/")

    def give_up_account(self, url: str, host: Host) -> bool:
        """Let a part whose URL has refused a host's credentials have its own from now on.

        Returns:
            Whether it may be asked again: it has other credentials than those.
        """
        part = self._part
        if part is None or host.auth is not None or not url.startswith(f"{self.home.origin}{part.prefix}"):
            return False
        self._part = replace(part, is_in_use=True)
        return True

    def find(self, base: str, link: str, route: str, secrets: Iterable[str] = ()) -> tuple[str, Host]:
        """A link as an absolute URL, and the known host it leads to.

        Args:
            base: the URL that a relative link is relative to.
            link: as an answer has it, or a path.
            route: what is asked, for the message.
            secrets: what the message must not tell.

        Raises:
            ConfigurationError: it leads elsewhere.
        """
        try:
            url = urljoin(base, link)
            if (part := self._part) is not None and url.startswith(f"{self.home.origin}{part.prefix}"):
                below = url.removeprefix(f"{self.home.origin}{part.prefix}")
                return (
                    url if part.address is None else part.address + below
                ), part.host if part.is_in_use else self.home
            if (host := self._known.get(origin(url))) is not None:
                return url, host
        except ValueError:
            url = ""
        raise self.foreign(url, route, secrets)

    def foreign(self, url: str, route: str, secrets: Iterable[str] = ()) -> ConfigurationError:
        """The error of a URL that leads where the request's credentials must not go."""
        name = plain(urlsplit(url).hostname or "no server at all", secrets)
        return ConfigurationError(
            f"{route}: a link leads to {name}, which is not a host of {self.home.origin}; credentials go nowhere else. "
            "Check subdomain and base_url."
        )

    def secrets(self) -> Iterable[str]:
        """What no message may tell of the hosts' own credentials."""
        hosts = [*self._known.values(), *([self._part.host] if self._part else [])]
        return [secret for host in hosts if host.auth is not None for secret in host.auth.secrets()]
