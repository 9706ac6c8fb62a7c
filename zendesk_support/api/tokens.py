"""Authorization headers: fixed ones, and those of tokens that are fetched, renewed and kept.

See https://developer.zendesk.com/documentation/api-basics/authentication/
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
from dlt.common.configuration.specs import CredentialsConfiguration

from zendesk_support.api.clock import Clock
from zendesk_support.api.credentials import (
    ZendeskAccessToken,
    ZendeskApiToken,
    ZendeskClientCredentials,
    ZendeskRefreshToken,
)
from zendesk_support.errors import ConfigurationError

RENEW_EARLY = 120.0
"""Seconds before its end in which a token is renewed."""
ASKED_LIFETIME = 7200
"""Seconds for which tokens are asked; Zendesk gives from 300 to 172,800, 1,800 to who does not ask."""
LIFETIME = 1800.0
"""Zendesk's default; a token that lives longer is renewed early, one that lives shorter after a 401."""


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
