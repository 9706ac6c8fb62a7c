"""Credentials: one dlt spec each, and what makes them complete. `tokens` makes headers of them.

See https://developer.zendesk.com/api-reference/introduction/security-and-auth/
"""

from __future__ import annotations

import json
from typing import Any

from dlt.common.configuration import configspec
from dlt.common.configuration.specs import CredentialsConfiguration
from dlt.common.typing import TSecretStrValue
from urllib3.util import parse_url

from zendesk_support.errors import ConfigurationError


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


@configspec
class ZendeskChat(Fields):
    """Chat's own access token, used where it refuses the account's credentials, and its older address."""

    access_token: TSecretStrValue | None = None
    base_url: str | None = None


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


def check_chat(chat: Any) -> ZendeskChat:
    """Accept what is set for Chat, or nothing.

    Raises:
        ConfigurationError: an address without a token, an address that is none, or a token that no request can carry.
    """
    found = ZendeskChat()
    if isinstance(chat, ZendeskChat):
        found.access_token, found.base_url = chat.access_token or None, chat.base_url or None
    if found.access_token is not None:
        found.access_token = readable("access_token", str(found.access_token).strip(), "chat")
    if found.base_url is None:
        return found
    found.base_url = str(found.base_url).strip().rstrip("/")
    parts = parse_url(found.base_url)
    if parts.scheme not in ("https", "http") or not parts.host or parts.auth or parts.query or parts.fragment:
        raise ConfigurationError(
            "base_url in [sources.zendesk_support.chat] is not the address of an API. Example: base_url = "
            '"https://www.zopim.com/api/v2".'
        )
    if found.access_token is None:
        raise ConfigurationError(
            "base_url in [sources.zendesk_support.chat] needs a token of Chat, as the account's credentials go nowhere "
            'but to the account. Example: access_token = "..." in the same section; docs/credentials.md has how.'
        )
    return found


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


def readable(name: str, value: str, section: str = "credentials") -> str:
    """Accept a credential that a request can carry; the message never shows it.

    Raises:
        ConfigurationError: it has blanks, control characters, or (an e-mail address aside) letters beyond ASCII.
    """
    if is_token(value) or (name == "email" and value.isprintable() and " " not in value):
        return value
    raise ConfigurationError(
        f"{name} holds a blank, a control character or a letter that no Zendesk credential has. "
        f'Copy it again: {name} = "..." in [sources.zendesk_support.{section}].'
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
