"""Tries streams with one small request each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zendesk_support.engine import Account
from zendesk_support.errors import (
    ConfigurationError,
    CredentialsError,
    ProductInactiveError,
    UnavailableError,
    ZendeskError,
)
from zendesk_support.kinds import Job, Position
from zendesk_support.streams import CATALOGUE
from zendesk_support.transport import WHO_AM_I, Usage, read_me


def check_streams(account: Account, names: Sequence[str]) -> dict[str, ZendeskError | None]:
    """Try every stream.

    Returns:
        Per stream None where it answers, else the error that says why not.

    Raises:
        CredentialsError: the credentials are wrong.
        ConfigurationError: the account has no active Support product.
        TransientError: Zendesk does not answer.
    """
    session = account.enter()
    found: dict[str, ZendeskError | None] = {}
    try:
        job = Job(session.transport, account.settings, Usage(), session.shared, Position(account.settings.start))
        if session.transport.get(WHO_AM_I, read_me, job.usage).user.id is None:
            raise CredentialsError(
                "Zendesk does not know these credentials: it answered as to an anonymous user. "
                "Check [sources.zendesk_support.credentials]."
            )
        for name in names:
            try:
                for feed in CATALOGUE[name].configured(account.settings).feeds:
                    feed.reader.probe(job)
                found[name] = None
            except ZendeskError as error:
                found[name] = error
    finally:
        account.leave(session)
    demand_product(found.values())
    return found


def demand_product(errors: Collection[Exception | None]) -> None:
    """Tell an account without Support from a plan that lacks some streams: it is refused all of them.

    Args:
        errors: of every stream; None for those that answer.

    Raises:
        ConfigurationError: no stream answers, and Zendesk names the product.
    """
    named = next((error for error in errors if isinstance(error, ProductInactiveError)), None)
    if named is not None and all(isinstance(error, UnavailableError) for error in errors):
        raise ConfigurationError(str(named))
