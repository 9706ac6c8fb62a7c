"""Settings of one source, checked before the first request."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

import pendulum
from urllib3.util import parse_url

from zendesk_support.errors import ConfigurationError

Nested = Literal["json", "tables"]

_SCOPE = re.compile(r"[a-z_]+(:[a-z_]+)?( [a-z_]+(:[a-z_]+)?)*")
_SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhd])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_YEAR = re.compile(r"\s*\d{4}")
_DATE_EXAMPLE = '"2024-01-31" or "2024-01-31T00:00:00Z"'

LONGEST = 366 * 86400
"""Seconds of the longest duration that a setting may have."""


@dataclass(frozen=True)
class Settings:
    """What a source was asked to do; times are Unix seconds, UTC."""

    base_url: str
    start: int
    end: int | None = None
    quota_share: float = 1.0
    nested: Nested = "json"
    deletes: Literal["remove", "mark"] = "remove"
    help_center_children: Literal["all", "changed"] = "all"
    help_center_followers: Literal["few", "all"] = "few"
    ticket_audits: Literal["list", "per_ticket"] = "list"
    sync_modes: Mapping[str, str] = field(default_factory=dict)
    every: Mapping[str, float] = field(default_factory=dict)
    retry_deadline: float = 900.0
    request_timeout: float = 90.0
    checkpoint_minutes: float = 5.0
    lookback: int = 600
    clock_scale: float = 1.0
    same_account_as: str | None = None
    scope: str = "read"
    database_wait: float = 300.0
    views: Literal["on", "off"] = "on"
    into: Literal["each", "one"] = "each"
    order: Literal["oldest", "newest"] = "oldest"
    newest_days: int = 30

    @property
    def account(self) -> str:
        """What tells the account from others: its host, less the port, unless `same_account_as` names it."""
        return self.same_account_as or str(parse_url(self.base_url).host)

    @property
    def shares(self) -> str | None:
        """What its rows are marked with, where they share tables with those of other accounts: the account."""
        return self.account if self.into == "one" else None

    @property
    def is_loopback(self) -> bool:
        """Whether the account is a simulator or proxy on this machine."""
        return is_loopback(self.base_url)


def is_loopback(url: str) -> bool:
    """Whether a URL points at this machine."""
    host = (parse_url(url).host or "").strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """Scheme, host and port of a URL, the port left out where it is the scheme's own.

    It is read by the parser that requests are sent by, and without a backslash: two parsers may find two hosts in one
    text.

    Raises:
        ValueError: the URL names no server, or a user besides.
    """
    parts = parse_url(url)
    if "\\" in url or not url.isprintable():
        raise ValueError("not a URL")
    if parts.scheme not in ("http", "https") or not parts.host or parts.auth:
        raise ValueError("not the URL of a server")
    port = "" if parts.port in (None, {"https": 443, "http": 80}[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{parts.host}{port}"


def account_url(subdomain: str | None, base_url: str | None) -> str:
    """The account's origin, from its subdomain or a base URL (simulator, proxy).

    Raises:
        ConfigurationError: neither is usable.
    """
    if base_url:
        address = _server(str(base_url).strip())
        if address is None:
            raise ConfigurationError(
                f'base_url = "{_shown(base_url)}" is not the address of a server. Example: "http://127.0.0.1:8080", '
                "without path or user."
            )
        if address.startswith("http:") and not is_loopback(address):
            raise ConfigurationError(
                f'base_url = "{base_url}" would send credentials unencrypted. Use https://, or a loopback address.'
            )
        return address
    if not subdomain:
        raise ConfigurationError(
            'subdomain is not set. Example: subdomain = "acme" for https://acme.zendesk.com, in .dlt/config.toml under '
            "[sources.zendesk_support] or as SOURCES__ZENDESK_SUPPORT__SUBDOMAIN."
        )
    name = str(subdomain).strip().lower()
    if name.startswith("https://"):
        name = name.removeprefix("https://").partition("/")[0]
    name = name.removesuffix(".zendesk.com")
    if not _SUBDOMAIN.fullmatch(name):
        raise ConfigurationError(
            f'subdomain = "{_shown(subdomain)}" is not a Zendesk subdomain. Examples: "acme", "acme.zendesk.com", '
            '"https://acme.zendesk.com/".'
        )
    return f"https://{name}.zendesk.com"


def _server(url: str) -> str | None:
    """The origin of a URL that is a scheme, a host and perhaps a port, and nothing else."""
    try:
        parts = parse_url(url)
        bare = parts.path in (None, "/") and parts.query is None and parts.fragment is None and parts.port != 0
        return origin(url) if bare else None
    except ValueError:
        return None


def _shown(address: object) -> str:
    """What was given as an address, less where people put passwords and tokens."""
    return re.sub(
        r"[?#].*", "?***", re.sub(r"^([a-z]+://)?.*@", r"\1***@", str(address), flags=re.S | re.I), flags=re.S
    )


def instant(name: str, value: Any) -> int:
    """Read a date, a datetime or their ISO form as Unix seconds (UTC where no zone is given).

    Raises:
        ConfigurationError: the value is none of them.
    """
    try:
        if isinstance(value, str) and _YEAR.match(value):
            value = pendulum.parse(value.strip(), strict=True, exact=False)
        if not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)
        return int(value.timestamp())
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise ConfigurationError(f'{name} = "{value}" is not a date. Examples: {_DATE_EXAMPLE}.') from None


def period(start_date: Any, end_date: Any) -> tuple[int, int | None]:
    """Check start and end against each other and the clock; the start defaults to two years back.

    Raises:
        ConfigurationError: a date cannot be read, lies in the future, or the end is not after the start.
    """
    now = pendulum.now("UTC")
    start = instant("start_date", start_date) if start_date else int(now.subtract(years=2).timestamp())
    if start >= now.timestamp():
        raise ConfigurationError(f'start_date = "{start_date}" lies in the future. Examples: {_DATE_EXAMPLE}.')
    end = instant("end_date", end_date) if end_date else None
    if end is not None and end <= start:
        given = f'"{start_date}"' if start_date else f"{pendulum.from_timestamp(start).to_date_string()}, the default"
        raise ConfigurationError(
            f'end_date = "{end_date}" is not after start_date = {given}. It is exclusive; examples: {_DATE_EXAMPLE}.'
        )
    return start, end


def fraction(name: str, value: Any) -> float:
    """Read a number above 0 and up to 1.

    Raises:
        ConfigurationError: it is not.
    """
    number = _number(value)
    if not 0 < number <= 1:
        raise ConfigurationError(f'{name} = "{value}" must be above 0 and at most 1. Example: {name} = 0.5.')
    return number


def positive(name: str, value: Any, example: str) -> float:
    """Read a number above 0.

    Raises:
        ConfigurationError: it is not.
    """
    number = _number(value)
    if not 0 < number < float("inf"):
        raise ConfigurationError(f'{name} = "{value}" must be a number above 0. Example: {name} = {example}.')
    return number


def not_negative(name: str, value: Any, example: str) -> float:
    """Read a number that is 0 or above.

    Raises:
        ConfigurationError: it is not.
    """
    number = _number(value)
    if not 0 <= number < float("inf"):
        raise ConfigurationError(f'{name} = "{value}" must be 0 or a number above it. Example: {name} = {example}.')
    return number


def duration(name: str, value: Any) -> float:
    """Read a duration such as `30s`, `15m`, `1h30m` or `1d` as seconds.

    Raises:
        ConfigurationError: it is none.
    """
    text = str(value).strip().lower()
    parts = _PART.findall(text) if _DURATION.fullmatch(text) else []
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= LONGEST:
        raise ConfigurationError(
            f'{name} = "{value}" is not a duration: numbers with s, m, h or d. Examples: "30s", "15m", "1h30m", "1d".'
        )
    return seconds


def spelled(seconds: float) -> str:
    """Seconds as `duration` reads them: `1h30m`."""
    found, left = "", seconds
    for unit, length in _UNITS.items():
        count = left // length if unit != "s" else round(left, 3)
        found += f"{count:g}{unit}" if count else ""
        left -= count * length
    return found


def whole_days(name: str, value: Any) -> int:
    """Read a whole number of days, at least one.

    Raises:
        ConfigurationError: it is not.
    """
    number = _number(value)
    if not (1 <= number < float("inf") and number == int(number)):
        raise ConfigurationError(f'{name} = "{value}" must be a whole number of days. Example: {name} = 30.')
    return int(number)


def _number(value: Any) -> float:
    """A number; -1 where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return -1.0


def scope(value: Any) -> str:
    """Read the scope of a token: words such as `read` or `tickets:read`, with blanks between them.

    Raises:
        ConfigurationError: it is something else.
    """
    text = " ".join(str(value).split())
    if not _SCOPE.fullmatch(text):
        raise ConfigurationError(
            f'scope = "{value}" is not a list of scopes. Examples: scope = "read", scope = "tickets:read users:read".'
        )
    return text


def table(name: str, value: Any, example: str) -> Mapping[str, Any]:
    """Read settings below a setting: a mapping, its JSON form, or none.

    Raises:
        ConfigurationError: it is neither.
    """
    found = value or {}
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            found = json.loads(value)
    if not isinstance(found, Mapping):
        raise ConfigurationError(f'{name} = "{value}" is not a table of settings. Example: {example}.')
    return found


def choice(name: str, value: Any, allowed: tuple[str, ...]) -> Any:
    """Read one of a few words.

    Raises:
        ConfigurationError: it is none of them.
    """
    if value not in allowed:
        options = ", ".join(f'"{word}"' for word in allowed)
        raise ConfigurationError(f'{name} = "{value}" is not one of {options}. Example: {name} = "{allowed[0]}".')
    return value
