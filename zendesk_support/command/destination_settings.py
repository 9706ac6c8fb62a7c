"""The destination's settings in dlt's configuration: misspelt names and unfinished connection strings are refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import dlt

from zendesk_support.dlt_internals import ConnectionStringCredentials
from zendesk_support.errors import ConfigurationError, DestinationError
from zendesk_support.loading.setting_names import check_sections, demand, written

OF_EVERY_DESTINATION = ("destination_type", "destination_name", "environment", "dataset_name", "capabilities")
IN_KEY_FILES = (
    "type",
    "private_key_id",
    "client_id",
    "auth_uri",
    "token_uri",
    "auth_provider_x509_cert_url",
    "client_x509_cert_url",
    "universe_domain",
)
"""What Google's key files hold beside what dlt reads of them."""


def check_destination(destination: Any, listed: str) -> None:
    """Refuse settings that a destination does not have: dlt passes them over.

    Args:
        destination: a destination of dlt's.
        listed: where all its settings are described.

    Raises:
        DestinationError: there is no such setting; the message names the nearest.
    """
    hints = destination.spec.get_resolvable_fields()
    known = {*hints, *OF_EVERY_DESTINATION}
    inner = {name: names for name, hint in hints.items() if (names := set(subfields(hint)))}
    try:
        check_sections("destination", destination.destination_name)
        for setting in written("destination", destination.destination_name):
            first, *rest = setting.path
            demand(setting, first, known, listed=listed)
            if rest and first in inner:
                demand(setting, rest[0], {*inner[first], *IN_KEY_FILES}, f"{first}.", listed)
    except ConfigurationError as error:
        raise DestinationError(str(error)) from None


def subfields(hint: Any) -> Iterator[str]:
    """The settings below a setting that is a group of them, or one of several groups."""
    for kind in (hint, *get_args(hint)):
        if hasattr(kind, "get_resolvable_fields"):
            yield from kind.get_resolvable_fields()


def check_connection_string(name: str, schemes: Sequence[str], parts: Sequence[str], example: str) -> None:
    """Refuse a connection string that leaves out what dlt needs, or that is another database's.

    Args:
        name: of the destination.
        schemes: what it may begin with.
        parts: what it must hold: username, password, host, database.
        example: a whole one.

    Raises:
        DestinationError: it is not whole; the message tells no secret.
    """
    setting = f"DESTINATION__{name.upper()}__CREDENTIALS"
    given: Any = dlt.secrets.get(f"destination.{name}.credentials") or dlt.secrets.get("destination.credentials")
    if not isinstance(given, str):
        there = [part for part in parts if dlt.secrets.get(f"destination.{name}.credentials.{part}")]
        if there and (missing := [part for part in parts if part not in there]):
            raise DestinationError(
                f"{setting}__{missing[0].upper()} is not set, beside {', '.join(there)}. Example of all: {example}"
            )
        return
    kind = next(iter(schemes))
    scheme, mark, _ = given.partition("://")
    if not mark or scheme.partition("+")[0] not in schemes:
        raise DestinationError(f"{setting} is no connection string that begins with {kind}://. Example: {example}")
    address = given.partition("://")[2].partition("?")[0]
    if address.count("@") > 1:
        raise DestinationError(f"{setting}: user or password holds an @, which is written %40. Example: {example}")
    parsed = ConnectionStringCredentials()
    try:
        parsed.parse_native_representation(given)
    except Exception:  # of dlt's, which may quote it
        raise DestinationError(f"{setting} is no connection string; look at its port. Example: {example}") from None
    missing = [part for part in parts if not getattr(parsed, part)]
    if missing:
        raise DestinationError(f"{setting}: the connection string lacks {' and '.join(missing)}. Example: {example}")
