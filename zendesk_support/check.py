"""Tries streams with one small request each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from zendesk_support.engine import Account
from zendesk_support.errors import ConfigurationError, ZendeskError
from zendesk_support.kinds import Job, Position
from zendesk_support.streams import CATALOGUE
from zendesk_support.transport import Request, Usage


class Me(msgspec.Struct):
    """Who the credentials belong to; wrong ones are answered 200 with an anonymous user."""

    id: int | None = None
    role: str | None = None


class Answer(msgspec.Struct):
    """The answer of `/users/me`."""

    user: Me


def check_streams(account: Account, names: Sequence[str]) -> dict[str, ZendeskError | None]:
    """Try every stream.

    Returns:
        Per stream None where it answers, else the error that says why not.

    Raises:
        ConfigurationError: the credentials are wrong.
        TransientError: Zendesk does not answer.
    """
    session = account.enter()
    found: dict[str, ZendeskError | None] = {}
    try:
        job = Job(session.transport, account.settings, Usage(), session.shared, Position(account.settings.start))
        decode = msgspec.json.Decoder(Answer).decode
        me = session.transport.get(Request("/api/v2/users/me", route="users/me"), decode, job.usage).user
        if me.id is None:
            raise ConfigurationError(
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
    return found
