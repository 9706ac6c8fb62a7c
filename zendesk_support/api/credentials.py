"""Credentials, one dlt spec each, and how they become an Authorization header.

See https://developer.zendesk.com/api-reference/introduction/security-and-auth/
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import dlt
import msgspec
from dlt.common import logger
from dlt.common.configuration import configspec
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.typing import TSecretStrValue

from zendesk_support.api.clock import Clock
from zendesk_support.errors import ConfigurationError

RENEW_EARLY = 120.0
ASKED_LIFETIME = 7200
"""Seconds for which tokens are asked; Zendesk gives from 300 to 172,800, 1,800 to who does not ask."""
LIFETIME = 1800.0
"""Zendesk's default; a token that lives longer is renewed early, one that lives shorter after a 401."""


@configspec
class Fields(CredentialsConfiguration):
    """Credentials by field, or all of them in one JSON object."""

    def parse_native_representation(self, native_value: Any) -> None:
        """Read a JSON object.

        Raises:
            ValueError: it is none, or names a field that these credentials do not have.
        """
        given = json.loads(native_value) if isinstance(native_value, str) else native_value
        if not isinstance(given, dict) or set(given) - set(self.get_resolvable_fields()):
            raise ValueError("no JSON object of these fields")
        self.update(given)


@configspec
class ZendeskRefreshToken(Fields):
    """OAuth refresh token: Zendesk rotates it at each renewal, and the new pair is kept for the next run."""

    client_id: str = None  # type: ignore[assignment]
    client_secret: TSecretStrValue = None  # type: ignore[assignment]
    refresh_token: TSecretStrValue = None  # type: ignore[assignment]


@configspec
class ZendeskClientCredentials(Fields):
    """OAuth client credentials of a confidential client: nothing to rotate, best for pipelines."""

    client_id: str = None  # type: ignore[assignment]
    client_secret: TSecretStrValue = None  # type: ignore[assignment]


@configspec
class ZendeskAccessToken(Fields):
    """An OAuth access token, used until it expires."""

    access_token: TSecretStrValue = None  # type: ignore[assignment]


@configspec
class ZendeskApiToken(Fields):
    """E-mail and API token; Zendesk ends API tokens on 2027-04-30."""

    email: str = None  # type: ignore[assignment]
    api_token: TSecretStrValue = None  # type: ignore[assignment]


@configspec
class ZendeskCredentials(Fields):
    """The fields of every kind of credentials: which of them are set decides the kind."""

    client_id: str | None = None
    client_secret: TSecretStrValue | None = None
    refresh_token: TSecretStrValue | None = None
    access_token: TSecretStrValue | None = None
    email: str | None = None
    api_token: TSecretStrValue | None = None

    def parse_native_representation(self, native_value: Any) -> None:
        """Read a JSON object, or credentials of one kind; what is neither is refused by `check_credentials`."""
        if isinstance(native_value, Fields):
            native_value = {name: value for name, value in dict(native_value).items() if value is not None}
        try:
            super().parse_native_representation(native_value)
        except ValueError:
            self.__dict__[NOT_READ] = type(native_value).__name__


NOT_READ = "not_read"
"""Where credentials note that they were given in a form without fields."""

COMPLETE: dict[type[CredentialsConfiguration], tuple[str, ...]] = {
    ZendeskClientCredentials: ("client_id", "client_secret"),
    ZendeskRefreshToken: ("client_id", "client_secret", "refresh_token"),
    ZendeskAccessToken: ("access_token",),
    ZendeskApiToken: ("email", "api_token"),
}

IN_ORDER = (ZendeskRefreshToken, ZendeskClientCredentials, ZendeskAccessToken, ZendeskApiToken)
"""Which kind is used where the fields of several are set."""

HOW_TO_SET = """Set the account in .dlt/config.toml:

    [sources.zendesk_support]
    subdomain = "acme"         # https://acme.zendesk.com

and one of these in ~/.dlt/secrets.toml:

    [sources.zendesk_support.credentials]
    client_id = "..."          # OAuth client credentials
    client_secret = "..."

    client_id, client_secret, refresh_token   (OAuth refresh token)
    access_token                              (OAuth access token)
    email, api_token                          (API token, until 2027-04-30)

or in the environment, for example
    SOURCES__ZENDESK_SUPPORT__SUBDOMAIN
    SOURCES__ZENDESK_SUPPORT__CREDENTIALS__CLIENT_ID
    SOURCES__ZENDESK_SUPPORT__CREDENTIALS__CLIENT_SECRET

docs/credentials.md has how to get them."""


def check_credentials(credentials: CredentialsConfiguration) -> CredentialsConfiguration:
    """Accept complete credentials of one kind.

    Raises:
        ConfigurationError: none is set, or a field of the kind is missing or empty.
    """
    credentials = kind_of(credentials)
    fields = COMPLETE.get(type(credentials))
    if fields is not None:
        missing = [name for name in fields if not str(getattr(credentials, name) or "").strip()]
        if not missing:
            for name in fields:
                setattr(credentials, name, readable(name, str(getattr(credentials, name)).strip()))
            check_suffix(credentials)
            return credentials
        given = [name for name in fields if name not in missing]
    else:
        names = sorted({name for fields in COMPLETE.values() for name in fields})
        given = [name for name in names if str(getattr(credentials, name, None) or "").strip()]
        missing = []
    if not given and not missing:
        raise ConfigurationError(f"No Zendesk credentials are set. {HOW_TO_SET}")
    wanted = missing or next(
        [name for name in fields if name not in given] for fields in COMPLETE.values() if set(given) & set(fields)
    )
    shown = ", ".join(given) or "nothing"
    raise ConfigurationError(
        f"Zendesk credentials are incomplete: {shown} set, {', '.join(wanted)} missing. {HOW_TO_SET}"
    )


def kind_of(credentials: CredentialsConfiguration) -> CredentialsConfiguration:
    """The credentials as those of the first kind whose fields are all set; as they are where none is complete.

    Raises:
        ConfigurationError: they were given in a form that has no fields.
    """
    if not isinstance(credentials, ZendeskCredentials):
        return credentials
    if (given := credentials.__dict__.get(NOT_READ)) is not None:
        raise ConfigurationError(
            f"credentials of type {given} are not understood: they are fields, or one JSON object of these fields. "
            'Example: credentials={"client_id": "...", "client_secret": "..."}. ' + HOW_TO_SET
        )
    for kind in IN_ORDER:
        fields = COMPLETE[kind]
        if all(str(getattr(credentials, name) or "").strip() for name in fields):
            found = kind()
            for name in fields:
                setattr(found, name, getattr(credentials, name))
            return found
    return credentials


def readable(name: str, value: str) -> str:
    """Accept a credential that a request can carry; the message never shows it.

    Raises:
        ConfigurationError: it has blanks, control characters, or (an e-mail address aside) letters beyond ASCII.
    """
    if is_token(value) or (name == "email" and value.isprintable() and " " not in value):
        return value
    raise ConfigurationError(
        f"{name} holds a blank, a control character or a letter that no Zendesk credential has. "
        f'Copy it again: {name} = "..." in [sources.zendesk_support.credentials].'
    )


def check_suffix(credentials: CredentialsConfiguration) -> None:
    """Refuse an API token's fields that hold what joins them in a request; the message shows neither.

    Raises:
        ConfigurationError: one of them has `/token` in it.
    """
    if not isinstance(credentials, ZendeskApiToken):
        return
    for name, value in (("email", credentials.email), ("api_token", credentials.api_token)):
        if "/token" in value.lower():
            raise ConfigurationError(
                f"{name} holds /token, which does not belong there: it is added to the request. Write the address and "
                'the token alone: email = "me@acme.com" and api_token = "..." in [sources.zendesk_support.credentials].'
            )


def is_token(value: str) -> bool:
    """Whether a text can stand in a header as it is."""
    return value.isascii() and value.isprintable() and " " not in value and value != ""


class Token(msgspec.Struct):
    """The answer of `/oauth/tokens`; lifetimes in seconds."""

    access_token: str
    refresh_token: str | None = None
    expires_in: Any = None
    scope: Any = None

    @property
    def lifetime(self) -> float:
        """Seconds; Zendesk's default where the answer names none that can be used."""
        try:
            lifetime = float(self.expires_in)
        except (TypeError, ValueError, OverflowError):
            return LIFETIME
        is_usable = math.isfinite(lifetime) and lifetime > 0 and not isinstance(self.expires_in, bool)
        return lifetime if is_usable else LIFETIME


class Auth(Protocol):
    """Makes the Authorization header, and a new one when Zendesk refuses it."""

    def header(self) -> str:
        """The value of the Authorization header."""

    def renew(self, refused: str) -> bool:
        """Get a new header in place of `refused`; False where there is none to get."""

    def secrets(self) -> Iterable[str]:
        """What no message may tell."""


TokenRequest = Callable[[dict[str, str]], Token]


@dataclass(frozen=True)
class FixedAuth:
    """A header that never changes."""

    value: str = field(repr=False)
    secret: str = field(default="", repr=False)

    def header(self) -> str:
        """The value of the Authorization header."""
        return self.value

    def secrets(self) -> Iterable[str]:
        """The header's value, and what it was made of."""
        return filter(None, (self.value.partition(" ")[2], self.secret))

    def renew(self, refused: str) -> bool:
        """Nothing to renew with."""
        return False


class TokenAuth:
    """Access tokens from `/oauth/tokens`, renewed before they expire and once on a 401, by one thread at a time."""

    def __init__(self, grant: dict[str, str], request: TokenRequest, clock: Clock, vault: TokenVault | None) -> None:
        self._grant = grant
        self._request = request
        self._clock = clock
        self._vault = vault
        self._lock = threading.Lock()
        self.scope: str | None = None
        self._token: str | None = None
        self._told: set[str] = {grant[name] for name in ("client_secret", "refresh_token") if name in grant}
        self._expires_at = float("inf")

    def header(self) -> str:
        """The value of the Authorization header."""
        with self._lock:
            if self._token is None:
                self._recall()
            if self._token is None or self._clock.now() >= self._expires_at:
                self._fetch()
            return f"Bearer {self._token}"

    def renew(self, refused: str) -> bool:
        """Get a new token unless another thread already has."""
        with self._lock:
            if refused == f"Bearer {self._token}":
                self._fetch()
            return True

    def secrets(self) -> Iterable[str]:
        """The client's secret and every token of this run."""
        return tuple(self._told)

    def _recall(self) -> None:
        kept = self._vault.read() if self._vault else None
        if kept and kept.get("access_token"):
            self._adopt(kept["access_token"], (kept["expires_at"] - time.time()) * self._clock.scale)

    def _adopt(self, token: str, lifetime: float) -> None:
        self._token = token
        self._told.add(token)
        self._expires_at = self._clock.now() + lifetime - min(RENEW_EARLY, lifetime / 10)

    def _fetch(self) -> None:
        grant = dict(self._grant)
        if self._vault:
            self._vault.check_writable()
            kept = self._vault.read() or {}
            grant["refresh_token"] = kept.get("refresh_token", grant["refresh_token"])
            self._told.add(grant["refresh_token"])
        answer = self._request(grant)
        lifetime = answer.lifetime
        self._adopt(answer.access_token, lifetime)
        self.scope = answer.scope if isinstance(answer.scope, str) else None
        if self._vault:
            self._vault.write(
                {
                    "access_token": self._token,
                    "refresh_token": answer.refresh_token or grant["refresh_token"],
                    "expires_at": time.time() + self._clock.real(lifetime),
                }
            )


class TokenVault:
    """Keeps a rotated token pair, encrypted with a key made from the client secret.

    The pair is written to dlt's data directory at once and handed to the pipeline's state, so that a machine without
    yesterday's disk finds it at the destination. A pair belongs to the `refresh_token` it descends from: configuring
    another one starts anew.
    """

    STATE_KEY: ClassVar[str] = "oauth_tokens"

    def __init__(self, base_url: str, credentials: ZendeskRefreshToken, folder: Path | None = None) -> None:
        from cryptography.fernet import Fernet

        secret = f"{base_url}\n{credentials.client_id}\n{credentials.client_secret}".encode()
        key = hashlib.scrypt(secret, salt=b"zendesk_support", n=2**14, r=8, p=1, dklen=32)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._seed = hashlib.sha256(str(credentials.refresh_token).encode()).hexdigest()
        account = hashlib.sha256(f"{base_url}\n{credentials.client_id}".encode()).hexdigest()[:16]
        folder = folder or Path(dlt.current.run_context().data_dir) / "zendesk_support"
        self._path = folder / f"oauth-{account}.token"
        self._sealed: str | None = None

    @property
    def sealed(self) -> str | None:
        """The newest pair, encrypted."""
        return self._sealed

    def offer(self, sealed: str | None) -> None:
        """Take a pair found in the pipeline's state if it is newer than ours."""
        theirs = self._open(sealed)
        ours = self.read()
        if theirs and (ours is None or theirs["kept_at"] > ours["kept_at"]):
            self._sealed = sealed
            self._save()

    def read(self) -> dict[str, Any] | None:
        """The newest pair that descends from the configured refresh token."""
        try:
            on_disk: str | None = self._path.read_text()
        except OSError:
            on_disk = None
        pairs = [(pair, sealed) for sealed in (on_disk, self._sealed) if (pair := self._open(sealed))]
        if not pairs:
            return None
        pair, self._sealed = max(pairs, key=lambda found: float(found[0]["kept_at"]))
        return pair

    def check_writable(self) -> None:
        """Make sure the next pair can be kept, before asking for it kills the old one."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            probe = self._path.with_suffix(f".{os.getpid()}.probe")
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(
                f"The renewed refresh token could not be kept in {self._path.parent} ({error.strerror}); nothing was "
                "renewed. Make the folder writable or set DLT_DATA_DIR."
            ) from error

    def write(self, pair: dict[str, Any]) -> None:
        """Keep a new pair."""
        content = json.dumps({**pair, "kept_at": time.time(), "seed": self._seed})
        self._sealed = self._fernet.encrypt(content.encode()).decode()
        self._save()

    def _save(self) -> None:
        draft = self._path.with_suffix(f".{os.getpid()}.draft")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(self._sealed or "")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._path)

    def _open(self, sealed: str | None) -> dict[str, Any] | None:
        from cryptography.fernet import InvalidToken

        if not sealed:
            return None
        try:
            pair: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            return None
        return pair if pair.get("seed") == self._seed else None


def make_auth(
    credentials: CredentialsConfiguration, base_url: str, request: TokenRequest, clock: Clock, scope: str = "read"
) -> tuple[Auth, TokenVault | None]:
    """Build the Authorization of checked credentials; makes no request."""
    asked = {"scope": scope, "expires_in": str(ASKED_LIFETIME)}
    if isinstance(credentials, ZendeskApiToken):
        logger.warning("Zendesk ends API tokens on 2027-04-30: move to OAuth client credentials before that day.")
        pair = f"{credentials.email}/token:{credentials.api_token}"
        return FixedAuth("Basic " + base64.b64encode(pair.encode()).decode(), str(credentials.api_token)), None
    if isinstance(credentials, ZendeskAccessToken):
        return FixedAuth(f"Bearer {credentials.access_token}"), None
    if isinstance(credentials, ZendeskRefreshToken):
        vault = TokenVault(base_url, credentials)
        grant = {
            "grant_type": "refresh_token",
            "client_id": credentials.client_id,
            "client_secret": str(credentials.client_secret),
            "refresh_token": str(credentials.refresh_token),
            **asked,
        }
        return TokenAuth(grant, request, clock, vault), vault
    assert isinstance(credentials, ZendeskClientCredentials)
    grant = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": str(credentials.client_secret),
        **asked,
    }
    return TokenAuth(grant, request, clock, None), None
