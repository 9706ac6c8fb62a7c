"""What an answer says: how long to wait, why it cannot be read, which error a refusal is. Nothing here sends."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import msgspec

from zendesk_support.api.refusals import CHAT
from zendesk_support.errors import (
    ConfigurationError,
    ContractError,
    CredentialsError,
    CursorExpiredError,
    ProductInactiveError,
    StartTimeTooRecentError,
    UnavailableError,
    ZendeskError,
)

RETRY_AFTER_MISSING = 10.0
"""Seconds to wait where a 429 does not say."""
RETRIED = frozenset({408, 409, 425, *range(500, 600)}) - {501, 505}
"""Statuses that may pass on a second try."""
TOO_SLOW = frozenset({504, 524})
"""Statuses of a page that Zendesk could not build in time."""
REDIRECTS = (301, 302, 303, 307, 308)
QUOTED = 1 << 16
"""Bytes of a body in which the reason of a refusal is looked for."""
SESSION_SECRET = "authenticity_token"


@dataclass(frozen=True)
class Answer:
    """A whole answer, inflated; `began` is when its headers came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    began: float

    @property
    def location(self) -> str | None:
        """Where a redirect leads; None where it is none."""
        return self.headers.get("Location") if self.status in REDIRECTS else None


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that an answer asks to wait: `Retry-After`, else the time in `ratelimit-reset`; ten without both.

    `Retry-After` is an integer, a fraction or a date. Access logs answer 429 without it, with a date-time in
    `ratelimit-reset` (documentation); a number there tells of a window, as in any answer, and is not for here.
    """
    value = (headers.get("Retry-After") or "").strip()
    try:
        return max(1.0, float(value))
    except ValueError:
        pass
    times = (moment(text) for text in (value, (headers.get("ratelimit-reset") or "").strip()))
    at = next((at for at in times if at is not None), None)
    if at is None:
        return RETRY_AFTER_MISSING
    now = moment(headers.get("Date") or "")
    return max(1.0, at - (time.time() if now is None else now))


def moment(text: str) -> float | None:
    """A date of HTTP or an ISO date-time as Unix seconds; None where it is neither. One without a zone is UTC."""
    if ":" not in text:
        return None
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        try:
            found = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in "Zz" else text)
        except ValueError:
            return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def unreadable(answer: Answer, error: Exception) -> str:
    """Why a 200 is no answer: of another shape, or not JSON at all."""
    if isinstance(error, msgspec.ValidationError):
        return f"200 with a body of another shape: {error}"
    if is_web_page(answer):
        return "200 with an HTML page, as from a proxy or a login page"
    return f"200 with a body that is no JSON: {error}" if answer.body.strip() else "200 with an empty body"


class Told(msgspec.Struct):
    """What an answer says of an error."""

    error: Any = None
    errors: Any = None


read_told = msgspec.json.Decoder(Told).decode


def names_error(body: bytes) -> bool:
    """Whether the body of a 200 tells of an error, perhaps beside a list: what it lacks would seem deleted."""
    if b'"error' not in body:
        return False
    try:
        found = read_told(body)
    except (msgspec.DecodeError, RecursionError):
        return False  # a bare list, or what had to be mended
    return bool(found.error or found.errors)


def contract(route: str, said: str) -> ContractError:
    """The error of an answer that is none, whenever it is asked for."""
    return ContractError(f"{route}: {said}. Nothing of it was loaded.")


def is_web_page(answer: Answer) -> bool:
    """Whether an answer is HTML."""
    return answer.body[:300].lstrip().startswith(b"<")


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


def refusal(route: str, status: int, said: str) -> ZendeskError:
    """The error of a status that no retry would change."""
    if status == 403 and "SupportProductInactive" in said:
        return ProductInactiveError(
            f'Zendesk refused `{route}` ({status}: "{said}"). The account has no active Support product: its '
            "trial or subscription has ended, or another account was meant. Check subdomain, and the account's Admin "
            "Center."
        )
    if status in (403, 404):
        return UnavailableError(
            f'Zendesk refused `{route}` ({status}: "{said}"). '
            "The plan or role lacks it; leave it out, or use an admin's credentials.",
            is_gone=status == 404,
        )
    if status in (400, 422):
        if "StartTimeTooRecent" in said or "Too recent" in said or "more than 60 seconds ago" in said:
            return StartTimeTooRecentError(f"{route}: {said}")
        if "InvalidCursor" in said or "cursor is invalid" in said:
            return CursorExpiredError(f"{route}: {said}")
    return ContractError(f'{route}: Zendesk answered {status}: "{said}".')


def refused_credentials(said: str) -> CredentialsError:
    """The error of a 401 of credentials that Zendesk does not know anywhere."""
    return CredentialsError(
        f'Zendesk refused the credentials (401: "{said}"). '
        "Check [sources.zendesk_support.credentials]; docs/credentials.md has how."
    )


def refused_here(route: str, said: str, *, is_own: bool = False) -> UnavailableError:
    """The error of a 401 of credentials that are good elsewhere, or of a part's own."""
    if route.startswith(CHAT) and is_own:
        return UnavailableError(
            f'Zendesk refused `{route}` (401: "{said}"). The access_token in [sources.zendesk_support.chat] is wrong, '
            "or has ended: make a new one; docs/credentials.md has how."
        )
    if route.startswith(CHAT):
        return UnavailableError(
            f'Zendesk refused `{route}` (401: "{said}"). Chat may want a token of its own: set access_token, of an '
            "OAuth client that was made in Chat, in [sources.zendesk_support.chat]; docs/credentials.md has how."
        )
    return UnavailableError(
        f'Zendesk refused `{route}` (401: "{said}"), yet it accepts the credentials elsewhere. '
        "A scope or the product's own token is missing; leave it out, or use an admin's credentials with the scope "
        "`read`: docs/credentials.md has how."
    )


def refused_in_doubt(route: str, said: str) -> ContractError:
    """The error of a 401 where Zendesk does not say whether it knows the credentials."""
    return ContractError(
        f'{route}: Zendesk answered 401: "{said}", and does not say who the credentials belong to. '
        "Run again; if it stays so, check [sources.zendesk_support.credentials]."
    )


def no_such_account(url: str, said: str) -> ConfigurationError:
    """The error of a host on which there is no account."""
    return ConfigurationError(f'There is no Zendesk account at {url} (404: "{said}"). Check subdomain.')
