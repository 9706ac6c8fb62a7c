"""Who may call: API tokens, OAuth access tokens and the token endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
import threading
from typing import Any

EMAIL = "admin@example.com"
API_TOKEN = "simulator-api-token"
CLIENT_ID = "simulator-client-id"
CLIENT_SECRET = "simulator-client-secret"
ACCESS_TOKEN = "simulator-access-token"
REFRESH_TOKEN = "simulator-refresh-token"
CHAT_TOKEN = "simulator-chat-token"
CHAT_PATHS = "/api/v2/chat/"
CHAT_HOST = -1
"""The number, in place of a brand's, of the older host of Chat."""
REFRESH_LIFETIME = 2_592_000
SCOPES = {
    "ticket": "tickets",
    "deleted_ticket": "tickets",
    "user": "users",
    "organization": "organizations",
    "group": "groups",
}
"""Scopes by how the name of a resource begins; of any other it is the name."""


class Credentials:
    """The account's credentials; all are made-up words.

    Attributes:
        chat_login: "any" where Chat takes the account's credentials too, "own" where it takes a token of its own alone.
    """

    def __init__(self, now: float, token_lifetime: int, chat_login: str = "any") -> None:
        if chat_login not in ("any", "own"):
            raise ValueError(f"chat_login must be 'any' or 'own', got {chat_login!r}")
        self.lifetime, self.chat_login = token_lifetime, chat_login
        self._lock = threading.Lock()
        self._count = 0
        self._access = {ACCESS_TOKEN: now + token_lifetime}
        self._scopes: dict[str, str] = {}
        self._refresh = {REFRESH_TOKEN: (now + REFRESH_LIFETIME, ACCESS_TOKEN)}
        self._current = (ACCESS_TOKEN, REFRESH_TOKEN)

    def as_dict(self) -> dict[str, str]:
        """Return everything a client can authenticate with now."""
        return {
            "email": EMAIL,
            "api_token": API_TOKEN,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "access_token": self._current[0],
            "refresh_token": self._current[1],
            "chat_access_token": CHAT_TOKEN,
        }

    def accepts(self, header: str | None, now: float) -> bool:
        """Tell whether an Authorization header is good."""
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._access.get(value.strip(), 0) > now
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, f"{EMAIL}/token:{API_TOKEN}".encode())

    def accepts_for(self, path: str, brand: int, header: str | None, now: float) -> bool:
        """Tell whether a header is good for a path: Chat's own token for Chat's, the account's for all but some."""
        if not path.startswith(CHAT_PATHS):
            return self.accepts(header, now)
        if header == f"Bearer {CHAT_TOKEN}":
            return True
        return self.chat_login == "any" and brand != CHAT_HOST and self.accepts(header, now)

    def covers(self, header: str | None, resource: str) -> bool:
        """Tell whether the scope of a token lets it read a resource."""
        scheme, _, token = (header or "").partition(" ")
        scopes = self._scopes.get(token.strip(), "read").split() if scheme.lower() == "bearer" else ["read"]
        return "read" in scopes or f"{resource}:read" in scopes

    def expire_all(self) -> None:
        """End all access tokens now."""
        with self._lock:
            self._access.clear()

    def issue(self, form: dict[str, Any], now: float) -> tuple[int, dict[str, Any]]:
        """Answer a request for tokens: status and body."""
        with self._lock:
            if form.get("client_id") != CLIENT_ID or form.get("client_secret") != CLIENT_SECRET:
                return 401, _error(
                    "invalid_client",
                    "Client authentication failed due to unknown client, no client "
                    "authentication included, or unsupported authentication method.",
                )
            grant = form.get("grant_type")
            lifetime = min(_whole(form.get("expires_in"), self.lifetime), self.lifetime)
            if grant == "client_credentials":
                return 200, self._token(now, lifetime, form)
            if grant != "refresh_token":
                return 400, _error(
                    "unsupported_grant_type",
                    "The authorization grant type is not supported by the authorization server.",
                )
            given = str(form.get("refresh_token"))
            expires, access = self._refresh.pop(given, (0.0, ""))
            if expires <= now:
                return 400, _error(
                    "invalid_grant",
                    "The provided authorization grant is invalid, expired, revoked, "
                    "does not match the redirection URI, or was issued to another client.",
                )
            self._access.pop(access, None)
            refresh_lifetime = _whole(form.get("refresh_token_expires_in"), REFRESH_LIFETIME)
            body = self._token(now, lifetime, form)
            refresh = f"{REFRESH_TOKEN}-{self._count}"
            self._refresh[refresh] = (now + refresh_lifetime, body["access_token"])
            self._current = (body["access_token"], refresh)
            return 200, {**body, "refresh_token": refresh, "refresh_token_expires_in": refresh_lifetime}

    def _token(self, now: float, lifetime: int, form: dict[str, Any]) -> dict[str, Any]:
        self._count += 1
        token = f"{ACCESS_TOKEN}-{self._count}"
        self._access[token] = now + lifetime
        self._scopes[token] = scope = str(form.get("scope") or "read")
        return {
            "access_token": token,
            "token_type": "bearer",
            "scope": scope,
            "expires_in": lifetime,
        }


def resource_of(path: str) -> str:
    """The resource of a path, as scopes name it."""
    name = path.removeprefix("/api/v2/").removeprefix("incremental/").partition("/")[0].partition(".")[0]
    return next((scope for start, scope in SCOPES.items() if name.startswith(start)), name)


def _whole(value: object, default: int) -> int:
    try:
        return int(str(value))
    except ValueError:
        return default


def _error(code: str, description: str) -> dict[str, str]:
    return {"error": code, "error_description": description}
