"""Tries streams with one small request each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from urllib3.util import parse_url

from zendesk_support.api.limits import ACCOUNT
from zendesk_support.api.request import WHO_AM_I, Usage, read_me
from zendesk_support.error_messages import first_of
from zendesk_support.errors import (
    ConfigurationError,
    ContractError,
    CredentialsError,
    ProductInactiveError,
    UnavailableError,
    ZendeskError,
)
from zendesk_support.loading.account import Account, Session
from zendesk_support.reading.base import Position
from zendesk_support.report import Report
from zendesk_support.streams import CATALOGUE

NAMED = 5
PLANS = {
    200: "Team",
    400: "Growth or Professional",
    700: "Enterprise",
    2500: "Enterprise Plus or the High Volume add-on",
}
"""By the account's requests a minute, which alone tell the plan (documentation: rate limits)."""


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to.

    Attributes:
        host: of the account.
        role: of the user, such as `admin`; None where Zendesk does not say.
        scope: what the token may, as Zendesk said when it gave it; None for an API token, or one that was given.
        limit: the account's requests a minute, as an answer has told; None where none has.
    """

    host: str
    role: str | None
    scope: str | None
    limit: int | None = None

    def __str__(self) -> str:
        told = [self.host, f"role {self.role or 'unknown'}"]
        if self.scope:
            told.append(f"scope {self.scope}")
        if self.limit is not None:
            plan = PLANS.get(self.limit)
            told.append(f"{self.limit:,} requests a minute" + (f" (plan {plan})" if plan else ""))
        return ", ".join(told)

    @property
    def is_narrow(self) -> bool:
        """Whether the token may not read all."""
        return self.scope is not None and "read" not in self.scope.split()


def identify(session: Session) -> Identity:
    """Ask who the credentials belong to.

    Raises:
        CredentialsError: nobody, as far as Zendesk knows.
        ConfigurationError: the question is refused or has no answer, so that this is no account, or not all of one.
        TransientError: Zendesk does not answer.
    """
    settings = session.account.settings
    try:
        me = session.transport.get(WHO_AM_I, read_me, Usage()).user
    except (UnavailableError, ContractError) as error:
        told = str(error).partition(" The plan or role")[0]
        raise ConfigurationError(
            f"{settings.base_url} does not answer as a Zendesk account does: {told} Check subdomain (or base_url), "
            "and whether a proxy or a login page stands before it."
        ) from error
    if me.id is None:
        raise CredentialsError(
            "Zendesk does not know these credentials: it answered as to an anonymous user. "
            "Check [sources.zendesk_support.credentials]; docs/credentials.md has how."
        )
    scope = getattr(session.transport.auth, "scope", None)
    return Identity(str(parse_url(settings.base_url).host), me.role, scope, session.account.limiter.told_limit(ACCOUNT))


def check_streams(account: Account, names: Sequence[str]) -> tuple[Identity, dict[str, ZendeskError | None]]:
    """Try every stream.

    Returns:
        Who the credentials belong to, and per stream None where it answers, else the error that says why not.

    Raises:
        CredentialsError: the credentials are wrong.
        ConfigurationError: this is no account, or it has no active Support product.
        TransientError: Zendesk does not answer.
    """
    session = account.enter()
    found: dict[str, ZendeskError | None] = {}
    try:
        job = session.job(account.settings, Usage(), Position(account.settings.start))
        identity = identify(session)
        for name in names:
            try:
                for feed in CATALOGUE[name].configured(account.settings).feeds:
                    feed.endpoint.probe(job)
                found[name] = None
            except ZendeskError as error:
                found[name] = error
    finally:
        account.leave(session)
    demand_product(found.values())
    return identity, found


def explain_losses(account: Account, report: Report) -> str | None:
    """Why streams that every plan has were refused; None where none was.

    Raises:
        ConfigurationError: nothing was loaded, and this is no account.
    """
    if not report.lost:
        return None
    identity = None
    session = account.enter()
    try:
        identity = identify(session)
    except ZendeskError as error:
        if isinstance(error, ConfigurationError) and len(report.unavailable) == len(report.streams):
            raise
    finally:
        account.leave(session)
    return loss([stream.stream for stream in report.lost], identity)


def loss(streams: Sequence[str], identity: Identity | None) -> str:
    """One line about streams that the credentials may not read."""
    listed = first_of(streams, NAMED)
    who = f" ({identity})" if identity is not None else ""
    is_admin = identity is not None and identity.role == "admin"
    needed = "Give the token the scope `read`" if is_admin else "Use an admin's credentials"
    if identity is not None and identity.is_narrow:
        needed = 'A narrow scope may be why: set scope = "read"'
    return (
        f"These credentials{who} may not read {listed}, which every plan has. {needed}: docs/credentials.md has how. "
        "To do without, name them: --exclude."
    )


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
